//! Targets `vm_command` and `vm_rustpython`: scenarios of any subject, hundreds a second, in a real VM.
//!
//! What is new of an execution is what the hunt calls new ([`crate::search::novelty`]); the targets tell
//! libFuzzer of it. A VM's fault does not stop the fuzzer: each failing place is told once, and its
//! scenario can be kept as a file. With `THREADBARE_FUZZ_STOP` set it does, so that libFuzzer can make the input
//! smaller.

use crate::campaign::process::{judge, text};
use crate::choice::Bytes;
use crate::choice::Choices;
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, generate};
use crate::search::mutate::{self, Mutation};
use crate::search::novelty::{self, Seen};
use crate::subject::{Subject, builtin};
use crate::verdict::grade::{Grade, grade};
use crate::vm::server::Server;
use crate::vm::{Vm, rustpython};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// Milliseconds of a scenario.
const MS: u64 = 2;

/// A VM that is silent for so long stands still.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// A scenario of any of these subjects that bytes choose: generated, then changed up to three times. A
/// process for each trial would take too long, so that shape is left out.
pub fn structured(subjects: &[Subject], bytes: &[u8]) -> Scenario {
    let mut choices = Bytes(bytes);
    let subject = choices.pick(subjects);
    let limits = Limits { threads: 3, ops: 2 };
    let mut scenario = generate(subject, limits, &mut choices);
    for _ in 0..choices.below(4) {
        let other = generate(subject, limits, &mut choices);
        let kind = *choices.pick(&Mutation::ALL);
        let new = mutate::apply(kind, subject, &scenario, &other, limits, &mut choices);
        scenario = new.unwrap_or(scenario);
    }
    // Its process is the server's.
    scenario.company.retain(|c| c.environment().is_empty());
    scenario
}

/// A failing place, shown for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The failure by name.
    pub failure: String,
    /// What was seen.
    pub detail: String,
    /// Of which scenario.
    pub scenario: Scenario,
}

/// A fuzzed VM.
pub struct Fuzzed {
    server: Server,
    seen: Seen,
    subjects: Vec<Subject>,
    /// Scenarios that were run.
    pub runs: u64,
}

impl Fuzzed {
    /// Of this VM, with scenarios of these subjects.
    ///
    /// # Panics
    /// When the VM cannot be used.
    pub fn new(vm: Vm, subjects: Vec<Subject>) -> Self {
        Self {
            server: Server::new(vm).expect("a temporary file"),
            seen: Seen::default(),
            subjects,
            runs: 0,
        }
    }

    /// Runs the scenario of these bytes: hashes of what it showed, and the failing places that none showed
    /// before.
    ///
    /// # Panics
    /// When the VM cannot be started, or did not begin what it was given.
    pub fn run(&mut self, bytes: &[u8]) -> (Vec<u64>, Vec<Place>) {
        let scenario = structured(&self.subjects, bytes);
        self.runs += 1;
        let vm = self.server.vm();
        let no_promise = vm.no_promise();
        let one = std::slice::from_ref(&scenario);
        let job = text(vm, one, 1, MS, false);
        let log = self.server.run(&job, SILENCE).expect("the VM starts");
        let judged = judge(&log, one);
        let Some(history) = log.histories.first() else {
            assert!(!log.finished, "a scenario that was given did not begin");
            return (Vec::new(), Vec::new());
        };
        let failing = judged
            .iter()
            .filter(|j| grade(&j.verdict, &scenario, no_promise).0 == Grade::Forbidden);
        let mut hashes = novelty::Shown::of(&scenario, history, &[]).hashes();
        let mut places = Vec::new();
        for judged in failing {
            let shown = novelty::Shown::of(&scenario, history, &[&judged.failure]);
            if self.seen.add(&shown).places > 0 {
                places.push(Place {
                    failure: judged.failure.to_string(),
                    detail: judged.verdict.detail.clone(),
                    scenario: scenario.clone(),
                });
            }
            hashes.extend(shown.places);
        }
        (hashes, places)
    }
}

/// The subjects that a server can run: not those that need a process for each trial, or wait.
fn subjects() -> Vec<Subject> {
    let mut all = builtin::all();
    all.retain(|s| !s.shapes.contains(['p', 'w']) && s.reset.is_none());
    all
}

/// Tells of failing places, and keeps their scenarios in the folder that `THREADBARE_FUZZ_FINDINGS` names.
fn tell(places: &[Place]) {
    let folder = std::env::var_os("THREADBARE_FUZZ_FINDINGS").map(PathBuf::from);
    for one in places {
        let at = folder.as_ref().map_or_else(String::new, |folder| {
            let file = folder.join(format!("scenario-{:016x}.toml", one.scenario.hash()));
            let kept = std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&file, one.scenario.to_text()));
            match kept {
                Ok(()) => format!(" ({})", file.display()),
                Err(error) => format!(" (not kept: {error})"),
            }
        });
        eprintln!(
            "failing place: {}: {} [{}]{at}",
            one.failure, one.detail, one.scenario
        );
    }
    let stop = std::env::var_os("THREADBARE_FUZZ_STOP").is_some();
    assert!(
        !stop || places.is_empty(),
        "stopped as THREADBARE_FUZZ_STOP asks"
    );
}

fn opened(spec: &str) -> Mutex<Fuzzed> {
    let vm = Vm::open(spec).unwrap_or_else(|error| panic!("{error}"));
    Mutex::new(Fuzzed::new(vm, subjects()))
}

static COMMAND: LazyLock<Mutex<Fuzzed>> = LazyLock::new(|| {
    opened(&std::env::var("THREADBARE_FUZZ_VM").unwrap_or_else(|_| "python3".to_owned()))
});

static RUSTPYTHON: LazyLock<Mutex<Fuzzed>> = LazyLock::new(|| {
    let named = std::env::var_os(rustpython::PROGRAM_VARIABLE).map(PathBuf::from);
    // Tests lie beside the program, in `deps`.
    let beside = || {
        let me = std::env::current_exe().ok()?;
        Some(me.parent()?.parent()?.join("threadbare"))
    };
    let program = named.or_else(beside).filter(|p| p.exists()).unwrap_or_else(|| {
        panic!(
            "this target needs the program that holds RustPython: `cargo build --release`, and name it in {}",
            rustpython::PROGRAM_VARIABLE
        )
    });
    opened(&format!("{} rustpython", program.display()))
});

/// Bytes → scenario → the VM that `THREADBARE_FUZZ_VM` names, `python3` without. The hashes of what it showed.
///
/// # Panics
/// When the VM cannot be used.
pub fn vm_command(bytes: &[u8]) -> Vec<u64> {
    run(&COMMAND, bytes)
}

/// Bytes → scenario → the embedded RustPython. The hashes of what it showed.
///
/// # Panics
/// When the program that holds it is not there.
pub fn vm_rustpython(bytes: &[u8]) -> Vec<u64> {
    run(&RUSTPYTHON, bytes)
}

fn run(fuzzed: &Mutex<Fuzzed>, bytes: &[u8]) -> Vec<u64> {
    let (hashes, places) = fuzzed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .run(bytes);
    tell(&places);
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use crate::subject::parse;
    use proptest::prelude::*;

    fn planted(op: &str) -> Fuzzed {
        let text = format!(
            "[[subject]]\nname = \"planted\"\ndoc = \"d\"\nmake = [\"[]\"]\nfinal = \"len(o)\"\nprelude = \"import os, _thread\"\n\
             silent = [\"len(o)\", \"run: repr(o)\", \"o.clear()\", \"{op}\"]\n"
        );
        let vm = Vm::open("python3").expect("python3 is on PATH");
        Fuzzed::new(vm, parse("t", &text).unwrap())
    }

    /// Ends the process where a second thread comes to an object: one thread never sees it.
    const OTHER: &str =
        "o.append(_thread.get_ident()) or (os.abort() if len(set(o)) > 1 else None)";

    /// Inputs until a failing place of this kind is shown, of so many at most.
    fn found(fuzzed: &mut Fuzzed, kind: &str, most: usize) -> Option<usize> {
        let mut choices = Seeded::new(1, &["planted"]);
        (0..most).find(|_| {
            let bytes: Vec<u8> = (0..40).map(|_| choices.below(256) as u8).collect();
            let (_, shown) = fuzzed.run(&bytes);
            shown.iter().any(|s| s.failure.starts_with(kind))
        })
    }

    #[test]
    fn a_planted_end_of_the_process_is_found_and_the_next_input_has_a_process_again() {
        let mut fuzzed = planted(OTHER);
        assert!(found(&mut fuzzed, "crash", 400).is_some());
        let (runs, started) = (fuzzed.runs, fuzzed.server.started);
        assert!(started >= 1);
        fuzzed.run(b"another");
        assert_eq!(fuzzed.runs, runs + 1);
    }

    #[test]
    fn where_nothing_is_planted_nothing_is_found() {
        let mut fuzzed = planted("o.append(7)");
        assert_eq!(found(&mut fuzzed, "", 150), None);
        assert!(!fuzzed.run(b"any").0.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_valid_scenario(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let all = subjects();
            let scenario = structured(&all, &bytes);
            let subject = all.iter().find(|s| s.name == scenario.context.subject).unwrap();
            let limits = Limits { threads: 3, ops: 2 };
            prop_assert!(mutate::is_valid(&scenario, subject, limits));
        }
    }
}
