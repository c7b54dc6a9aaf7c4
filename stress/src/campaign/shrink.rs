//! From a case to the smallest scenario that shows the same failure.
//!
//! The place stays: a run that shows another failure is no smaller form of this one but a case of
//! its own, which is handed back.

use super::case::Case;
use super::process::{execute, execute_again, in_one_thread, judge, scenario_ms};
use super::{Judged, Shared, pairs};
use crate::choice::Recorded;
use crate::history::History;
use crate::identity::{Failure, Same, same};
use crate::oracle::poison;
use crate::scenario::generate::fill;
use crate::scenario::minimise::minimise;
use crate::scenario::{Scenario, Shape};
use crate::subject::Flavour;
use crate::verdict::{Kind, Verdict};
use crate::vm::job::Log;
use std::time::{Duration, Instant};

/// Other failures handed back of one case at most.
const MOST_DRIFTED: usize = 6;

/// How long the pairs of a storm are looked through while other cases wait.
const QUICK: Duration = Duration::from_millis(1500);

/// Milliseconds of one pair among many: alone it has all the turns that it shared with a hundred before.
const PAIR_MS: u64 = 30;

/// A case made small.
#[derive(Clone, Debug)]
pub(super) struct Minimised {
    /// The smallest scenario that was seen to fail.
    pub scenario: Scenario,
    /// Its last verdict.
    pub verdict: Verdict,
    /// Its history.
    pub history: History,
    /// Its failure: the case's, told more closely where the smaller scenario tells more.
    pub failure: Failure,
    /// Whether the failure showed again at all; else all of this is the case's own.
    pub reproduced: bool,
}

impl Minimised {
    /// All of it the case's own.
    fn not_seen(case: &Case) -> Self {
        Self {
            scenario: case.scenario.clone(),
            verdict: case.judged.verdict.clone(),
            history: case.judged.history.clone(),
            failure: case.failure().clone(),
            reproduced: false,
        }
    }
}

/// A case as small as a pair whose failing shape is known: nothing is left to make smaller but its
/// set-up, and whether it shows again its script can tell as well.
pub(super) fn as_it_is(case: &Case) -> Option<Minimised> {
    let (kind, history) = (case.failure().kind, &case.judged.history);
    let pair = case.scenario.calls().count() == 2 && case.scenario.threads.len() == 2;
    let shape = match history.phase.as_str() {
        _ if case.scenario.shapes.len() == 1 => case.scenario.shapes.first().copied(),
        // Results are compared on fresh objects only.
        _ if case.judged.verdict.outcome.is_some() || kind == Kind::Outcome => Some(Shape::Stride),
        "slot" if kind.ends_process() => Some(Shape::Slot),
        "stride" if kind.ends_process() => Some(Shape::Stride),
        "wait" if kind.ends_process() => Some(Shape::Wait),
        _ => None,
    };
    // A race's script shows it as seldom as the hunt did, and what stands still costs its whole time.
    let quick = !kind.stands_still() && kind != Kind::DataRace && !in_one_thread(history);
    let alone = case.scenario.company.is_empty();
    let shape = shape.filter(|_| pair && quick && alone)?;
    Some(Minimised {
        scenario: Scenario {
            shapes: vec![shape],
            ..case.scenario.clone()
        },
        ..Minimised::not_seen(case)
    })
}

/// A pair of operations of a case that showed its failure once.
#[derive(Debug)]
pub(super) struct Pair {
    pub scenario: Scenario,
    /// The same as a case of its own, where it breaks a promise.
    pub case: Option<Case>,
}

/// Shrinks one case, in runs of candidates that look for its failure.
pub(super) struct Shrinking<'a> {
    shared: &'a Shared<'a>,
    case: &'a Case,
    /// What is looked for: the case's failure.
    original: Failure,
    /// The same as last seen; a smaller scenario tells more of it.
    target: Failure,
    last: Option<Judged>,
    drifted: Vec<Case>,
    ms: u64,
    /// What is left of the time; what happens between the steps does not count.
    left: Duration,
    /// Without, the pairs are all that is tried of a storm, and other set-ups are not.
    thorough: bool,
}

impl<'a> Shrinking<'a> {
    /// In at most `time`.
    pub(super) fn new(
        shared: &'a Shared<'a>,
        case: &'a Case,
        time: Duration,
        thorough: bool,
    ) -> Self {
        let mut original = case.failure().clone();
        // Where the process ended before any race began, an earlier scenario may be to blame.
        if original.kind.ends_process() && in_one_thread(&case.judged.history) {
            original.place.alone = None;
        }
        // The first run that fails tells how long a candidate needs to show the failure.
        let ms = if original.kind.ends_process() {
            350
        } else {
            200
        };
        Self {
            shared,
            case,
            target: original.clone(),
            original,
            last: None,
            drifted: Vec::new(),
            ms: scenario_ms(shared.vm, ms),
            left: time,
            thorough,
        }
    }

    /// Whether each run takes as long as it takes to say nothing. Damaged memory stands still at times, and
    /// dies more often.
    fn slow(&self) -> bool {
        let failure = self.case.failure();
        failure.kind.stands_still() && !failure.damages_heap() || failure.kind == Kind::DataRace
    }

    /// The case's pairs, the shape in front in which it failed.
    fn pairs(&self) -> Vec<Scenario> {
        let shaped = |s: Scenario| shape_first(&s, &self.case.judged.history);
        pairs::of(self.case).into_iter().map(shaped).collect()
    }

    /// The first pair of a larger case that shows its failure.
    pub(super) fn pair(&mut self) -> Option<Pair> {
        if self.slow() {
            return None;
        }
        let most = match self.case.storm && !self.thorough {
            true => self.left.min(QUICK),
            false => self.left,
        };
        let start = Instant::now();
        let pair = self.first_of(&self.pairs(), start + most);
        self.left = self.left.saturating_sub(start.elapsed());
        pair
    }

    /// The smallest scenario that shows the failure, from this pair on where there is one.
    pub(super) fn shrink(&mut self, pair: Option<Scenario>) -> Minimised {
        let case = self.case;
        let (slow, quick) = (self.slow(), case.storm && !self.thorough);
        let whole = shape_first(&case.scenario, &case.judged.history);
        let (scenario, starts, attempts) = match pair {
            Some(pair) if quick => (pair, Vec::new(), 1),
            Some(pair) => (whole, vec![pair], 2),
            None if slow => (whole, in_flight(case, &self.pairs()), 2),
            None if quick => (whole, Vec::new(), 0),
            None => (whole, in_flight(case, &[]), 2),
        };
        let minimised = minimise(
            &scenario,
            &if self.thorough {
                makes(case)
            } else {
                Vec::new()
            },
            &starts,
            attempts,
            self.left,
            &mut |candidate: &Scenario| self.fails(candidate),
        );
        match self.last.take().filter(|_| minimised.reproduced) {
            Some(last) => Minimised {
                scenario: minimised.scenario,
                verdict: last.verdict,
                history: last.history,
                failure: last.failure,
                reproduced: true,
            },
            None => Minimised::not_seen(case),
        }
    }

    /// Other failures met so far, each told once.
    pub(super) fn take_drifted(&mut self) -> Vec<Case> {
        std::mem::take(&mut self.drifted)
    }

    /// Whether the candidate shows the failure that is looked for, as far as it can be told.
    fn fails(&mut self, candidate: &Scenario) -> bool {
        let attempts = if self.ms < 200 { 2 } else { 1 };
        for _ in 0..attempts {
            if self.shared.over() {
                return false;
            }
            let start = Instant::now();
            let Some((log, judged)) = self.run(candidate) else {
                return false;
            };
            let is_it = |j: &Judged| {
                same(&self.original, &j.failure) != Same::No
                    && same(&self.target, &j.failure) != Same::No
            };
            let Some(at) = judged.iter().position(is_it) else {
                self.drift(candidate, judged, &log);
                continue;
            };
            let mut others = judged;
            let hit = others.swap_remove(at);
            others.retain(|j| !is_it(j));
            self.drift(candidate, others, &log);
            if hit.failure.has_frames_to_find() || hit.failure.kind == Kind::Panic {
                self.ms = (start.elapsed().as_millis() as u64 * 3).clamp(100, 350);
            }
            self.target = hit.failure.clone();
            self.last = Some(hit);
            return true;
        }
        false
    }

    fn run(&self, candidate: &Scenario) -> Option<(Log, Vec<Judged>)> {
        let (vm, options) = (self.shared.vm, self.shared.options);
        let one = std::slice::from_ref(candidate);
        if options.control.is_some() {
            let log = self.shared.execute(one, self.ms, false).ok()?;
            let judged = judge(&log, one);
            return Some((log, judged));
        }
        let kind = self.original.kind;
        let poisoned = (kind == Kind::Uninitialised).then(|| poison::vm(vm));
        let vm = poisoned.as_ref().unwrap_or(vm);
        // Nor does a race need what follows it.
        let run = if kind.stands_still() || kind == Kind::DataRace {
            execute_again(vm, candidate, options.seed, self.ms, options.sequential)
        } else {
            execute(vm, one, options.seed, self.ms, options.sequential, false)
        };
        let log = run.ok()?;
        let judged = judge(&log, one);
        Some((log, judged))
    }

    /// The first of these pairs that shows the failure, in few processes: one that dies tells by how far it
    /// got which pair it died of. What the pairs before did to the memory may be to blame, so the pair is
    /// only where to begin.
    fn first_of(&mut self, pairs: &[Scenario], deadline: Instant) -> Option<Pair> {
        let ms = scenario_ms(self.shared.vm, PAIR_MS);
        let mut left = pairs;
        while !left.is_empty() && !self.shared.over() && Instant::now() < deadline {
            let log = self.shared.execute(left, ms, false).ok()?;
            let judged = judge(&log, left);
            let (it, others): (Vec<Judged>, Vec<Judged>) = judged
                .into_iter()
                .partition(|j| same(&self.original, &j.failure) != Same::No);
            for other in others {
                let scenario = &left[other.index];
                self.drift(scenario, vec![other], &log);
            }
            if let Some(it) = it.into_iter().next() {
                let scenario = left[it.index].clone();
                let case = self.case.another(self.shared, &scenario, it, &log);
                return Some(Pair { scenario, case });
            }
            left = &left[log.histories.len().max(1).min(left.len())..];
        }
        None
    }

    /// Keeps what else a run showed, each failure once; what finds no room, or cannot be told from what is kept,
    /// is counted.
    fn drift(&mut self, candidate: &Scenario, judged: Vec<Judged>, log: &Log) {
        for one in judged {
            // Reports of other races are told by the hunt's own runs, filtered.
            if one.failure.kind == Kind::DataRace {
                continue;
            }
            let kept =
                |s: Same| (self.drifted.iter()).any(|c| same(c.failure(), &one.failure) == s);
            if kept(Same::Yes) {
                continue;
            }
            if kept(Same::Unknown) || self.drifted.len() == MOST_DRIFTED {
                let subject = self.case.subject();
                self.shared.lock().state.of_name(subject).unsettled += 1;
                continue;
            }
            let case = self.case.another(self.shared, candidate, one, log);
            self.drifted.extend(case);
        }
    }
}

/// The scenario with the shape in which it failed in front.
fn shape_first(scenario: &Scenario, history: &History) -> Scenario {
    let mut shapes = scenario.shapes.clone();
    let slot = history.phase == "slot";
    shapes.sort_by_key(|s| (*s == Shape::Slot) != slot);
    Scenario {
        shapes,
        ..scenario.clone()
    }
}

/// Other set-ups, the shortest ones.
fn makes(case: &Case) -> Vec<String> {
    let mut shortest: Vec<&String> = case.makes.iter().collect();
    shortest.sort_by_key(|m| m.len());
    shortest
        .into_iter()
        .take(2)
        .map(|m| fill(m, Flavour::Small, Flavour::Small, &mut Recorded(&[])))
        .collect()
}

/// Smaller scenarios to begin with where no pair of operations showed it, or none can be looked for: the
/// pair in flight, then the one that died beside all of the other thread.
fn in_flight(case: &Case, pairs: &[Scenario]) -> Vec<Scenario> {
    let mut starts: Vec<Scenario> = pairs.first().cloned().into_iter().collect();
    if let Some(at) = &case.judged.flight.at
        && case.scenario.calls().count() > 2
        && let Some(dying) = case.scenario.threads.get(at.0).and_then(|t| t.get(at.1))
    {
        let mut threads = case.scenario.threads.clone();
        threads[at.0] = vec![dying.clone()];
        starts.push(Scenario {
            threads,
            ..shape_first(&case.scenario, &case.judged.history)
        });
    }
    starts.retain(|s| s.threads != case.scenario.threads);
    starts.dedup();
    starts
}
