//! From a failing verdict to a kept finding: `Case → Minimised → Measured → Finding`.
//!
//! The steps are plain values and know nothing of each other; only this file locks, between them.

use super::budget::{Budget, Spent};
use super::case::Case;
use super::explain;
use super::measure::{self, Measured};
use super::process::{judge, scenario_ms};
use super::shrink::{Minimised, Shrinking, as_it_is};
use super::trace::Untraced;
use super::waiting::Why;
use super::{Event, HuntError, Inner, MOST, Shared, controlled, pairs};
use crate::finding::store::SCRIPT;
use crate::finding::{Finding, known};
use crate::identity::{Failure, Same, same};
use crate::triage::statement;
use crate::verdict::Kind;
use crate::verdict::grade::{Grade, grade};
use std::time::{Duration, Instant};

/// Data races kept of one subject.
const MOST_RACES: usize = 60;

/// The same until every subject had its first turn: an object without a lock has a dozen.
const FIRST_RACES: usize = 2;

/// How often what cannot be told from what is known is settled before it is only counted.
const TRIES: u32 = 2;

/// What is to be done with a case.
enum Admission {
    /// It is counted: known, or beyond the bounds.
    Counted,
    /// It waits.
    Waits(Why),
    /// It would take long, and waits until nothing else does.
    PutBack,
    /// It is settled now.
    Settle {
        /// The finding whose place this one takes if it happens again, for its script never hit.
        instead: Option<String>,
        budget: Budget,
    },
}

/// What settling came to.
enum Settled {
    /// A finding of its own, under this id.
    Kept(String),
    /// The finding of this id once more.
    Known(String),
    /// Nothing that can be kept.
    Nothing,
    /// Nothing yet: it was put back.
    Later,
}

/// Settles one case, or lets it wait: then false. A storm goes on without what failed in it.
pub(crate) fn settle(shared: &Shared<'_>, case: Case) -> Result<bool, HuntError> {
    match admit(shared, &case) {
        Admission::Counted => {}
        Admission::Waits(why) => {
            shared.lock().waiting.push(case, why);
            return Ok(false);
        }
        Admission::PutBack => {
            put_back(shared, &case);
            return Ok(true);
        }
        Admission::Settle { instead, budget } => admitted(shared, &case, instead, &budget)?,
    }
    if case.storm && !case.put_back && case.failure().kind.ends_process() {
        go_on(shared, &case)?;
    }
    Ok(true)
}

/// Settles a case that was admitted.
fn admitted(
    shared: &Shared<'_>,
    case: &Case,
    instead: Option<String>,
    budget: &Budget,
) -> Result<(), HuntError> {
    let started = Instant::now();
    let settled = steps(shared, case, instead.as_deref(), budget);
    let mut inner = shared.lock();
    inner.minimising += started.elapsed();
    let at = inner
        .settling
        .iter()
        .position(|(subject, failure)| subject == case.subject() && failure == case.failure());
    if let Some(at) = at {
        inner.settling.swap_remove(at);
    }
    let key = key(case);
    match settled? {
        // What is told closely enough is known by its name from now on.
        Settled::Kept(id) | Settled::Known(id) if case.failure().place.is_told() => {
            inner.known.insert(key, id);
        }
        Settled::Kept(_) | Settled::Later => {}
        Settled::Known(_) | Settled::Nothing => *inner.tries.entry(key).or_default() += 1,
    }
    Ok(())
}

/// Runs what is left of a storm without the operation that failed: another failure of it is a case of
/// its own, and so on until nothing of it fails any more.
fn go_on(shared: &Shared<'_>, case: &Case) -> Result<(), HuntError> {
    let Some(rest) = pairs::rest(case).filter(|_| !shared.over()) else {
        return Ok(());
    };
    let options = shared.options;
    let ms = scenario_ms(shared.vm, options.scenario_ms);
    let one = std::slice::from_ref(&rest);
    let log = shared.execute(one, ms, false)?;
    for judged in judge(&log, one) {
        if let Some(another) = case.another(shared, &rest, judged, &log) {
            // Smaller than a storm it may be by now, but it is no scenario of the hunt's own.
            let storm = true;
            let another = Case { storm, ..another };
            shared.lock().waiting.push(another, Why::Breadth);
        }
    }
    Ok(())
}

/// A failure as it was seen, by name.
fn key(case: &Case) -> (String, String) {
    (case.subject().to_owned(), name(case.failure()))
}

/// What a failure is called here: as it is shown, and what tells two of one place apart.
fn name(failure: &Failure) -> String {
    let mut name = failure.to_string();
    for apart in failure.place.apart() {
        name = name + ", " + apart;
    }
    name
}

/// Decides what is done with a case, and counts it.
fn admit(shared: &Shared<'_>, case: &Case) -> Admission {
    let (subject, failure) = (case.subject(), case.failure());
    let title = shared.vm.facts.title();
    let mut inner = shared.lock();
    let mut instead = None;
    if let Some(id) = known(&inner, &title, case) {
        inner.store.seen(&id);
        let worthless = |f: &Finding| f.script.is_some_and(|r| r.hits == 0);
        let old = inner.store.findings().iter().find(|f| f.id == id);
        if !old.is_some_and(worthless) || !inner.try_again(&id) {
            return Admission::Counted;
        }
        // Its script never hit: another sighting may give a better one.
        instead = Some(id);
    }
    if inner.tries.get(&key(case)).is_some_and(|n| *n >= TRIES) {
        inner.state.of_name(subject).unsettled += 1;
        return Admission::Counted;
    }
    let busy = |(s, f): &(String, Failure)| s == subject && same(f, failure) != Same::No;
    if inner.settling.iter().any(busy) {
        return Admission::Waits(Why::Busy);
    }
    // Breadth first: until every subject had its first turn, one finding of a kind is enough.
    let early = shared.early(&inner);
    let being = |(s, f): &&(String, Failure)| s == subject && f.kind == failure.kind;
    let have = inner.store.count(&title, subject, failure.kind)
        + inner.settling.iter().filter(being).count();
    let first = if failure.kind == Kind::DataRace {
        FIRST_RACES
    } else {
        1
    };
    if early && (have >= first || shared.settles_much(&inner)) {
        return Admission::Waits(Why::Breadth);
    }
    if have >= most(shared, case) && instead.is_none() {
        inner.state.of_name(subject).unsettled += 1;
        return Admission::Counted;
    }
    let spent = Spent {
        minimising: inner.minimising,
        early,
        again: have > 0,
        others_wait: inner.waiting.some(),
    };
    let budget = Budget::of(shared, failure.kind, case.grade, &spent);
    // Each run of it takes as long as it takes to say that it stands still.
    if failure.kind.stands_still() && !budget.thorough && !case.put_back {
        return Admission::PutBack;
    }
    inner.settling.push((subject.to_owned(), failure.clone()));
    Admission::Settle { instead, budget }
}

/// The finding that a case is one more sighting of.
fn known(inner: &Inner, title: &str, case: &Case) -> Option<String> {
    if let Some(same) = known::of(
        inner.store.findings(),
        title,
        case.subject(),
        case.failure(),
    ) {
        return Some(same.id.clone());
    }
    let id = inner.known.get(&key(case))?;
    let there = inner.store.findings().iter().any(|f| f.id == *id);
    there.then(|| id.clone())
}

/// Findings of the case's subject and kind that are kept at most.
fn most(shared: &Shared<'_>, case: &Case) -> usize {
    let kind = case.failure().kind;
    let dies = case.failure().has_frames_to_find() || matches!(kind, Kind::Panic | Kind::Sanitizer);
    match case.grade {
        // Each signature of a race is another race; what bounds them is how many a VM has.
        _ if kind == Kind::DataRace => MOST_RACES,
        // Each place is another fault, and soon shown.
        Grade::Forbidden if dies && case.failure().place.is_told() => MOST,
        Grade::Forbidden => shared.options.keep,
        _ => shared.options.keep.min(2),
    }
}

/// The steps from a case to a finding.
fn steps(
    shared: &Shared<'_>,
    case: &Case,
    instead: Option<&str>,
    budget: &Budget,
) -> Result<Settled, HuntError> {
    let mut raw = case.raw(shared);
    let is_saved = !case.storm && instead.is_none();
    if is_saved {
        save(shared, &mut raw, case, &[])?;
        (shared.watch)(Event::Finding(&raw));
    }
    // Under the id of one that is not saved another failure may lie.
    let raw = is_saved.then_some(raw.id.as_str());
    if shared.over() {
        put_off(shared, case);
        return Ok(Settled::Nothing);
    }
    // Where nothing is left to shrink its script alone tells whether it shows again.
    let mut before = None;
    // A storm has many pairs, and each company is tried without.
    let storm = Duration::from_secs(if case.storm { 3 } else { 0 });
    let company = Duration::from_secs(3) * case.scenario.company.len() as u32;
    let time = budget.minimise + storm + company;
    let thorough = budget.thorough || case.put_back;
    let mut shrinking = Shrinking::new(shared, case, shared.left(time), thorough);
    let pair = shrinking.pair();
    wait(shared, shrinking.take_drifted());
    let ready = match &pair {
        None => as_it_is(case).map(|ready| (case, ready)),
        // With time enough a smaller set-up is looked for first.
        Some(pair) => {
            let case = pair.case.as_ref().filter(|_| !thorough);
            case.and_then(|case| Some((case, as_it_is(case)?)))
        }
    };
    if let Some((of, ready)) = ready {
        let small = small(shared, of, ready);
        if let Some(id) = duplicate(shared, &small, raw, instead) {
            return Ok(Settled::Known(id));
        }
        let mut measured = measure(shared, small, budget)?;
        if measured.finding.hits() || measured.finding.schedule.is_some() {
            measured.finding.minimised = true;
            return kept(shared, case, measured, raw, instead);
        }
        before = Some(measured);
    }
    let minimised = shrinking.shrink(pair.map(|pair| pair.scenario));
    wait(shared, shrinking.take_drifted());
    if instead.is_some() && !minimised.reproduced {
        return Ok(Settled::Nothing);
    }
    if case.storm && !thorough && !minimised.reproduced {
        put_back(shared, case);
        return Ok(Settled::Later);
    }
    if shared.options.limits.exceeded_by(&minimised.scenario) || case.storm && !minimised.reproduced
    {
        // Its verdict is counted, and the same number and seed bring it back: `--only NUMBER`.
        if shared.over() {
            put_off(shared, case);
        }
        return Ok(Settled::Nothing);
    }
    let reproduced = minimised.reproduced;
    let mut small = small(shared, case, minimised);
    // The same script once more says little more.
    let same_script = |m: &Measured| !thorough && m.finding.scenario == small.scenario;
    // Of what is more than a pair, the pair was only a guess.
    let none_smaller = !reproduced && case.scenario.calls().count() == 2;
    if let Some(mut measured) = before.filter(|m| none_smaller || same_script(m)) {
        measured.finding.minimised = reproduced;
        return kept(shared, case, measured, raw, instead);
    }
    if let Some(id) = duplicate(shared, &small, raw, instead) {
        return Ok(Settled::Known(id));
    }
    // Saved before its script runs: a hunt that is killed now keeps it.
    save(shared, &mut small, case, &[])?;
    let measured = measure(shared, small, budget)?;
    kept(shared, case, measured, raw, instead)
}

/// How often a finding's script hits, or under control its schedule.
fn measure(shared: &Shared<'_>, finding: Finding, budget: &Budget) -> Result<Measured, HuntError> {
    match &shared.options.control {
        Some(control) => controlled::measure(shared, control, finding),
        None => measure::measure(shared, finding, budget),
    }
}

/// Lets other failures that were met wait for their turn. What is known needs no place in the queue.
fn wait(shared: &Shared<'_>, met: Vec<Case>) {
    let title = shared.vm.facts.title();
    let mut inner = shared.lock();
    for other in met {
        if known(&inner, &title, &other).is_none() {
            inner.waiting.push(other, Why::Breadth);
        }
    }
}

/// The finding that a minimised case is, before its script has run.
fn small(shared: &Shared<'_>, case: &Case, minimised: Minimised) -> Finding {
    let Minimised {
        scenario,
        verdict,
        history,
        failure,
        reproduced,
    } = minimised;
    let mut small = case.finding(shared, &scenario, &verdict, &history, &failure);
    small.minimised = reproduced;
    if reproduced {
        // Fewer operations may promise more, and by itself it may turn out to need one thread only.
        (small.grade, small.why) = grade(&verdict, &small.scenario, shared.vm.no_promise());
    } else if case.evidence.spinning {
        small.grade = small.grade.max(Grade::Interesting);
        small.why =
            "threads were running and it did not happen again: a busy machine can look like this"
                .to_owned();
    }
    small
}

/// The other finding that a minimised one is once more: counted there, and the raw one goes.
fn duplicate(
    shared: &Shared<'_>,
    small: &Finding,
    raw: Option<&str>,
    instead: Option<&str>,
) -> Option<String> {
    let mut inner = shared.lock();
    let title = small.facts.title();
    let same = known::of(
        inner.store.findings(),
        &title,
        &small.subject,
        &small.failure(),
    );
    let id = same
        .map(|f| f.id.clone())
        .filter(|id| raw.into_iter().chain(instead).all(|old| old != id))?;
    if let Some(raw) = raw {
        inner.store.remove(raw);
    }
    inner.store.seen(&id);
    Some(id)
}

/// Saves a finding with its script, what the process of the case showed, and these files; under another id where
/// its own is another failure's.
fn save(
    shared: &Shared<'_>,
    finding: &mut Finding,
    case: &Case,
    more: &[(&'static str, &str)],
) -> Result<(), HuntError> {
    let script = finding.script_text();
    let report = finding.report.as_ref().map(|r| r.text(usize::MAX));
    let mut files = vec![(SCRIPT, script.as_str())];
    files.extend(case.evidence.files());
    files.extend(report.as_deref().map(|text| ("report.txt", text)));
    files.extend(more);
    let mut inner = shared.lock();
    finding.id = inner.store.free_id(finding);
    inner.store.save(finding, &files)?;
    statement::write(&inner.store.folder(&finding.id), finding)?;
    Ok(())
}

/// Keeps a measured finding and tells of it; what it replaces goes.
fn kept(
    shared: &Shared<'_>,
    case: &Case,
    measured: Measured,
    raw: Option<&str>,
    instead: Option<&str>,
) -> Result<Settled, HuntError> {
    let mut finding = explain::told(shared, case, measured.finding)?;
    let more = measured
        .files
        .iter()
        .map(|(name, text)| (*name, text.as_str()));
    let more: Vec<_> = more
        .chain([("output.txt", measured.output.as_str())])
        .collect();
    save(shared, &mut finding, case, &more)?;
    {
        let mut inner = shared.lock();
        if finding.wants_backtrace() {
            let id = finding.id.clone();
            let core = measured.core;
            inner.untraced.push_back(Untraced { id, core });
        }
        // Only now, with the new one saved, may what it replaces go.
        for old in instead.into_iter().chain(raw) {
            if old != finding.id {
                inner.store.remove(old);
            }
        }
    }
    (shared.watch)(Event::Finding(&finding));
    Ok(Settled::Kept(finding.id))
}

/// Lets a case wait until nothing else does.
fn put_back(shared: &Shared<'_>, case: &Case) {
    let case = Case {
        put_back: true,
        ..case.clone()
    };
    shared.lock().waiting.push(case, Why::Breadth);
}

/// The time is over or the user has interrupted: a storm of which nothing is saved yet runs first
/// when the hunt is taken up again.
fn put_off(shared: &Shared<'_>, case: &Case) {
    if case.storm {
        let again = (case.subject().to_owned(), case.number);
        shared.lock().state.pending.push(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Place;

    /// What is known by its name is counted without a look at its place.
    #[test]
    fn what_one_thread_does_and_what_computes_have_names_of_their_own() {
        let of = |alone, computes| {
            let place = Place {
                alone,
                computes,
                ..Place::default()
            };
            name(&Failure {
                kind: Kind::Hang,
                place,
            })
        };
        let raced = of(Some(false), Some(false));
        assert_ne!(of(Some(true), Some(false)), raced);
        assert_ne!(of(Some(false), Some(true)), raced);
        assert_eq!(of(None, None), raced);
    }
}
