//! Fewer operations for findings whose scripts hit: the script tells whether a smaller scenario shows
//! it too, where the hunt had no time to find out.

use super::budget::Budget;
use super::measure::{Core, Measured, measure};
use super::{HuntError, Shared};
use crate::finding::{Finding, MOST_OPERATIONS, known, reproduce};
use crate::identity::{Hit, Operations, Same, same};
use crate::program::File;
use crate::scenario::Scenario;
use crate::scenario::minimise::minimise;
use crate::vm::debugger::core_file;
use crate::vm::{Vm, VmError};
use std::time::Duration;

/// Time for one finding at most.
pub(super) const MOST: Duration = Duration::from_secs(15);

/// Seconds of a candidate's run: at least, and at most.
const RUN: (f64, f64) = (0.7, 2.5);

/// Whether a finding hits, and says less of where than it may: its scenario has more operations than a
/// reproducer, or was never made smaller.
pub(super) fn is_large(shared: &Shared<'_>, finding: &Finding) -> bool {
    let calls = finding.scenario.calls().count();
    finding.facts.title() == shared.vm.facts.title()
        && finding.hits()
        && (calls > MOST_OPERATIONS || calls > 2 && !finding.minimised)
}

/// One of them made smaller within this time; `None` when it cannot be, or when as small as that it is one that
/// is known, which it is then merged into.
pub(super) fn one(
    shared: &Shared<'_>,
    finding: &Finding,
    time: Duration,
) -> Result<Option<Measured>, HuntError> {
    let Some(small) = shrunk(shared.vm, finding, time, &|| shared.over())? else {
        return Ok(None);
    };
    let budget = Budget {
        minimise: Duration::ZERO,
        script_seconds: RUN.1,
        script_runs: 2,
        thorough: false,
    };
    let measured = measure(shared, small, &budget)?;
    let small = &measured.finding;
    if !small.hits() || is_another(shared, finding, small, measured.core.as_ref()) {
        return Ok(None);
    }
    let mut inner = shared.lock();
    let Some(known) = known::twin(inner.store.findings(), small).map(|f| f.id.clone()) else {
        return Ok(Some(measured));
    };
    inner.store.remove(&small.id);
    inner.store.seen(&known);
    Ok(None)
}

/// The finding of the smallest scenario whose script hit; `None`: none is smaller.
fn shrunk(
    vm: &Vm,
    finding: &Finding,
    time: Duration,
    over: &dyn Fn() -> bool,
) -> Result<Option<Finding>, VmError> {
    let mean = finding.script.map_or(0.0, |rate| rate.mean_seconds);
    let seconds = (mean * 4.0).clamp(RUN.0, RUN.1);
    let mut error = None;
    let minimised = minimise(
        &finding.scenario,
        &[],
        &[],
        2,
        time,
        &mut |candidate: &Scenario| {
            if error.is_some() || over() {
                return false;
            }
            let small = of(finding, candidate);
            let run = File::new("repro", &small.script_text())
                .and_then(|file| reproduce::attempt(vm, file.path(), &small, seconds));
            match run.map(|attempt| attempt.shown) {
                Ok(Hit::Same) => true,
                // Of many operations it is seldom told which raced: whoever is left tells it.
                Ok(Hit::Other(failure)) => same(&small.failure(), &failure) != Same::No,
                Ok(Hit::None) => false,
                Err(e) => {
                    error = Some(e);
                    false
                }
            }
        },
    );
    if let Some(error) = error {
        return Err(error);
    }
    let smaller =
        minimised.scenario.calls().count() < finding.scenario.calls().count() || minimised.minimal;
    Ok((minimised.reproduced && smaller).then(|| Finding {
        minimised: true,
        ..of(finding, &minimised.scenario)
    }))
}

/// The finding as one of this scenario.
fn of(finding: &Finding, scenario: &Scenario) -> Finding {
    let mut of = finding.clone();
    of.scenario = scenario.clone();
    of.place.operations = Operations::of(scenario);
    of
}

/// Whether the core of a smaller script says that it died elsewhere: that is another failure.
fn is_another(shared: &Shared<'_>, whole: &Finding, small: &Finding, core: Option<&Core>) -> bool {
    if whole.place.frames.is_empty() {
        return false;
    }
    let text = core.and_then(|core| core_file::text(shared.vm, &core.path));
    let now = text.map(|text| small.failure().with_backtrace(&text));
    now.is_some_and(|now| same(&whole.failure(), &now) == Same::No)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Rate, SCHEMA};
    use crate::scenario::{Call, Shape};
    use crate::subject::parse;
    use crate::verdict::Kind;
    use crate::verdict::grade::Grade;

    /// A finding of these operations of two threads; `die()` dies where it is not the first thread's.
    fn finding(vm: &Vm, threads: [&[&str]; 2]) -> Finding {
        let text = "[[subject]]\nname = \"s\"\ndoc = \"d\"\nrequires = [\"os\", \"_thread\"]\nprelude = \"\"\"\n\
                    MAIN = _thread.get_ident()\ndef die():\n    if _thread.get_ident() != MAIN:\n        os.abort()\n\"\"\"\n\
                    make = [\"[]\"]\nfinal = \"0\"\nsilent = [\"die()\"]\n";
        let subject = parse("t", text).unwrap().remove(0);
        let call = |code: &&str| Call {
            code: (*code).to_owned(),
            op: (*code).to_owned(),
            form: subject.ops[0].form,
            guarantee: subject.ops[0].guarantee,
            raises: None,
        };
        let threads = threads.map(|t| t.iter().map(call).collect());
        let mut scenario = Scenario::new(&subject, "[]".to_owned(), threads.to_vec());
        scenario.shapes = vec![Shape::Slot];
        Finding {
            schema: SCHEMA,
            id: "s-crash-1".to_owned(),
            kind: Kind::Crash,
            grade: Grade::Forbidden,
            why: String::new(),
            detail: "SIGABRT".to_owned(),
            subject: "s".to_owned(),
            place: Default::default(),
            frames: Vec::new(),
            scenario,
            vm: String::new(),
            facts: vm.facts.clone(),
            seed: 1,
            number: 0,
            outcome: None,
            explained: Vec::new(),
            minimised: false,
            script: Some(Rate {
                hits: 1,
                runs: 1,
                limit_seconds: 4.0,
                // On a slow machine a short run may end before its first race.
                mean_seconds: 0.4,
            }),
            schedule: None,
            no_schedule: None,
            others: Vec::new(),
            seen: 1,
            tuning: None,
            report: None,
            bytecode: None,
        }
    }

    #[test]
    fn a_script_that_hits_tells_which_operations_are_needed() {
        let vm = Vm::find("python3").expect("python3 is on PATH");
        let never = || false;
        let time = Duration::from_secs(300);
        let whole = finding(
            &vm,
            [&["len(o)", "o.clear()", "o.copy()"], &["die()", "len(o)"]],
        );
        assert!(!whole.is_reproduced(), "five operations say too little");
        let small = shrunk(&vm, &whole, time, &never).unwrap().unwrap();
        assert_eq!(small.scenario.calls().count(), 2, "{}", small.scenario);
        assert!(small.scenario.threads[1][0].code == "die()" && small.minimised);
        assert_eq!(small.place.operations, Operations::of(&small.scenario));
        // What never hits tells nothing of what is needed.
        let sound = finding(
            &vm,
            [
                &["len(o)", "o.clear()", "o.copy()"],
                &["o.copy()", "len(o)"],
            ],
        );
        assert_eq!(shrunk(&vm, &sound, time, &never).unwrap(), None);
        assert_eq!(
            shrunk(&vm, &whole, time, &|| true).unwrap(),
            None,
            "interrupted"
        );
    }
}
