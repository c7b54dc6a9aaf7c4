//! From a case to the smallest scenario that shows the same failure.
//!
//! The place stays: a run that shows another failure is no smaller form of this one but a case of
//! its own, which is handed back.

use super::case::{Case, Evidence};
use super::process::{execute, execute_again, in_one_thread, judge, scenario_ms};
use super::{Judged, Shared};
use crate::choice::Recorded;
use crate::history::History;
use crate::identity::{Failure, Same, same};
use crate::scenario::generate::fill;
use crate::scenario::minimise::minimise;
use crate::scenario::{Call, Scenario, Shape};
use crate::subject::Flavour;
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{Kind, Verdict};
use crate::vm::job::Log;
use std::time::{Duration, Instant};

/// Other failures handed back of one case at most.
const MOST_DRIFTED: usize = 3;

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

/// What shrinking came to.
#[derive(Debug)]
pub(super) struct Shrunk {
    pub minimised: Minimised,
    /// Other failures met on the way.
    pub drifted: Vec<Case>,
}

/// Shrinks a case in at most `time`.
pub(super) fn shrink(shared: &Shared<'_>, case: &Case, time: Duration) -> Shrunk {
    let mut runs = Runs::new(shared, case);
    let minimised = minimise(
        &shape_first(&case.scenario, &case.judged.history),
        &makes(case),
        &in_flight(case),
        2,
        time,
        &mut |candidate: &Scenario| runs.fails(candidate),
    );
    let last = runs.last.filter(|_| minimised.reproduced);
    let reproduced = last.is_some();
    let last = last.unwrap_or_else(|| case.judged.clone());
    Shrunk {
        minimised: Minimised {
            scenario: if reproduced {
                minimised.scenario
            } else {
                case.scenario.clone()
            },
            verdict: last.verdict,
            history: last.history,
            failure: last.failure,
            reproduced,
        },
        drifted: runs.drifted,
    }
}

/// Runs of candidates, which look for one failure.
struct Runs<'a> {
    shared: &'a Shared<'a>,
    case: &'a Case,
    /// What is looked for: the case's failure.
    original: Failure,
    /// The same as last seen; a smaller scenario tells more of it.
    target: Failure,
    last: Option<Judged>,
    drifted: Vec<Case>,
    ms: u64,
}

impl<'a> Runs<'a> {
    fn new(shared: &'a Shared<'a>, case: &'a Case) -> Self {
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
        }
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
            let hit = judged.into_iter().nth(at).expect("it was just found");
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
        let kind = self.original.kind;
        let hang = matches!(kind, Kind::Hang | Kind::Deadlock | Kind::ShutdownHang);
        // Nor does a race need what follows it.
        let run = if hang || kind == Kind::DataRace {
            execute_again(vm, candidate, options.seed, self.ms, options.sequential)
        } else {
            execute(vm, one, options.seed, self.ms, options.sequential, false)
        };
        let (log, complete) = run.ok()?;
        let judged = judge(&log, one, &complete);
        Some((log, judged))
    }

    /// Keeps what else a run showed, each failure once.
    fn drift(&mut self, candidate: &Scenario, judged: Vec<Judged>, log: &Log) {
        for one in judged {
            let (grade, why) = grade(&one.verdict, candidate, self.shared.vm.no_promise());
            let new = self
                .drifted
                .iter()
                .all(|c| same(c.failure(), &one.failure) == Same::No);
            // Reports of other races are told by the hunt's own runs, filtered.
            let told = grade == Grade::Forbidden && one.failure.kind != Kind::DataRace;
            if !told || !new || self.drifted.len() == MOST_DRIFTED {
                continue;
            }
            self.drifted.push(Case {
                storm: self.shared.options.limits.exceeded_by(candidate),
                scenario: candidate.clone(),
                grade,
                why,
                evidence: Evidence::of(log),
                judged: one,
                ..self.case.clone()
            });
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

/// Smaller scenarios to begin with: the operations in flight alone, then the one that died beside all
/// of the other thread.
fn in_flight(case: &Case) -> Vec<Scenario> {
    let (scenario, flight) = (&case.scenario, &case.judged.flight);
    if scenario.calls().count() <= 2 {
        return Vec::new();
    }
    let call = |&(t, j): &(usize, usize)| scenario.threads.get(t)?.get(j).cloned();
    let with = |threads: Vec<Vec<Call>>| {
        shape_first(
            &Scenario {
                threads,
                ..scenario.clone()
            },
            &case.judged.history,
        )
    };
    let mut starts = Vec::new();
    let told: Vec<&(usize, usize)> = flight.at.iter().chain(&flight.beside).collect();
    if let [first, second, ..] = told.as_slice()
        && let (Some(a), Some(b)) = (call(first), call(second))
    {
        starts.push(with(vec![vec![a], vec![b]]));
    }
    if let Some(at) = &flight.at
        && let Some(dying) = call(at)
    {
        let mut threads = scenario.threads.clone();
        threads[at.0] = vec![dying];
        starts.push(with(threads));
    }
    starts.retain(|s| s.threads != scenario.threads);
    starts.dedup();
    starts
}
