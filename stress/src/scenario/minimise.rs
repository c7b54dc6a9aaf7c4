//! Minimising: less company, fewer threads, fewer operations, a smaller set-up, while the failure stays.
//!
//! A race shows with some probability, so a candidate that did not fail may still be a
//! failing one; the smallest scenario that *was seen* to fail is what is returned.

use super::company::Company;
use super::{Call, Scenario, Shape};
use std::time::{Duration, Instant};

/// Runs a candidate; true when it failed in the same way as the original.
pub trait Failing {
    /// Whether the scenario fails for the same reason.
    fn fails(&mut self, scenario: &Scenario) -> bool;
}

impl<F: FnMut(&Scenario) -> bool> Failing for F {
    fn fails(&mut self, scenario: &Scenario) -> bool {
        self(scenario)
    }
}

/// Result of minimising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimised {
    /// The smallest scenario that was seen to fail.
    pub scenario: Scenario,
    /// Whether the original failed again at all when run alone.
    pub reproduced: bool,
    /// Candidates tried.
    pub tried: usize,
    /// Whether every smaller candidate was tried and passed.
    pub minimal: bool,
}

/// Shrinks a failing scenario until nothing smaller fails or the time is over.
///
/// `makes` are other set-ups to try, shortest first. `starts` are smaller scenarios that are tried before
/// the whole one: what was in flight when it failed. `attempts` is how often the original is
/// run before it counts as not reproducible.
pub fn minimise(
    scenario: &Scenario,
    makes: &[String],
    starts: &[Scenario],
    attempts: usize,
    time: Duration,
    failing: &mut impl Failing,
) -> Minimised {
    let deadline = Instant::now() + time;
    let mut tried = 0;
    let mut best = scenario.clone();
    let mut reproduced = false;
    // A single shape that fails is already a smaller scenario and makes every later run shorter.
    for attempt in 0..attempts {
        // A start is a guess, tried once; the whole scenario was seen to fail.
        let guesses = if attempt == 0 { starts } else { &[] };
        let candidates = guesses.iter().chain([scenario]).flat_map(single_shapes);
        for candidate in candidates {
            tried += 1;
            if failing.fails(&candidate) {
                best = candidate;
                reproduced = true;
                break;
            }
        }
        if reproduced || Instant::now() > deadline {
            break;
        }
    }
    if !reproduced {
        return Minimised {
            scenario: best,
            reproduced,
            tried,
            minimal: false,
        };
    }
    loop {
        let mut progress = false;
        for candidate in smaller(&best, makes) {
            if Instant::now() > deadline {
                return Minimised {
                    scenario: best,
                    reproduced,
                    tried,
                    minimal: false,
                };
            }
            tried += 1;
            if failing.fails(&candidate) {
                best = candidate;
                progress = true;
                break;
            }
        }
        if !progress {
            return Minimised {
                scenario: best,
                reproduced,
                tried,
                minimal: true,
            };
        }
    }
}

fn single_shapes(scenario: &Scenario) -> Vec<Scenario> {
    let shapes: &[Shape] = &scenario.shapes;
    shapes
        .iter()
        .map(|&shape| Scenario {
            shapes: vec![shape],
            ..scenario.clone()
        })
        .collect()
}

/// The scenario without company, and without one of several.
fn without_company(scenario: &Scenario) -> Vec<Scenario> {
    let company = &scenario.company;
    let fewer = |left: Vec<Company>| Scenario {
        company: left,
        ..scenario.clone()
    };
    let mut candidates = Vec::new();
    if !company.is_empty() {
        candidates.push(fewer(Vec::new()));
    }
    if company.len() > 1 {
        let one = |gone: &Company| company.iter().copied().filter(|c| c != gone).collect();
        candidates.extend(company.iter().map(|gone| fewer(one(gone))));
    }
    candidates
}

/// All scenarios one step smaller: without company, with half of the operations of long threads, without a thread,
/// without an operation, with a shorter set-up.
pub fn smaller(scenario: &Scenario, makes: &[String]) -> Vec<Scenario> {
    let mut candidates = without_company(scenario);
    let with_threads = |threads| Scenario {
        threads,
        ..scenario.clone()
    };
    // A fault of two operations is in exactly one of the four quarters, each a quarter of the pairs.
    if scenario.calls().count() > 4 {
        let halves: Vec<[&[Call]; 2]> = scenario
            .threads
            .iter()
            .map(|calls| match calls.len() {
                0 | 1 => [&calls[..], &calls[..]],
                n => [&calls[..n / 2], &calls[n / 2..]],
            })
            .collect();
        for choice in 0..1usize << halves.len() {
            let threads: Vec<Vec<Call>> = halves
                .iter()
                .enumerate()
                .map(|(t, half)| half[choice >> t & 1].to_vec())
                .collect();
            let quarter = with_threads(threads);
            if quarter != *scenario && !candidates.contains(&quarter) {
                candidates.push(quarter);
            }
        }
        for (t, calls) in scenario.threads.iter().enumerate() {
            for half in halves[t].iter().filter(|h| h.len() < calls.len()) {
                let mut threads = scenario.threads.clone();
                threads[t] = half.to_vec();
                candidates.push(with_threads(threads));
            }
        }
    }
    if scenario.threads.len() > 2 {
        for t in 0..scenario.threads.len() {
            let mut threads = scenario.threads.clone();
            threads.remove(t);
            candidates.push(with_threads(threads));
        }
    }
    for (t, calls) in scenario.threads.iter().enumerate() {
        for j in 0..if calls.len() > 1 { calls.len() } else { 0 } {
            let mut threads = scenario.threads.clone();
            threads[t].remove(j);
            candidates.push(with_threads(threads));
        }
    }
    for make in makes.iter().filter(|m| m.len() < scenario.make.len()) {
        candidates.push(Scenario {
            make: make.clone(),
            ..scenario.clone()
        });
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Bytes;
    use crate::scenario::generate::{Limits, generate};
    use crate::subject::builtin;
    use proptest::prelude::*;

    fn scenario(bytes: &[u8]) -> Scenario {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        generate(&list, Limits { threads: 4, ops: 4 }, &mut Bytes(bytes))
    }

    /// A storm whose pair in flight fails by itself is that pair at once; one whose does not, is cut down.
    #[test]
    fn begins_with_what_was_in_flight() {
        let storm = scenario(&[7; 40]);
        let first = |t: usize| vec![storm.threads[t][0].clone()];
        let pair = Scenario {
            threads: vec![first(0), first(1)],
            ..storm.clone()
        };
        let starts = [pair.clone()];
        let time = Duration::from_secs(60);
        let run = |fails: &dyn Fn(&Scenario) -> bool| {
            minimise(&storm, &[], &starts, 2, time, &mut |s: &Scenario| fails(s))
        };
        let got = run(&|_| true);
        assert_eq!(got.scenario.threads, pair.threads);
        let got = run(&|s| s.calls().count() > 2);
        assert!(
            got.reproduced && got.scenario.calls().count() == 3,
            "{}",
            got.scenario
        );
    }

    proptest! {
        /// Whatever the failure needs, the result still fails and nothing smaller does.
        #[test]
        fn never_loses_the_signature(bytes in prop::collection::vec(any::<u8>(), 40), a in 0usize..16, b in 0usize..16) {
            let original = scenario(&bytes);
            let ops: Vec<_> = original.calls().map(|c| c.code.clone()).collect();
            let (a, b) = (ops[a % ops.len()].clone(), ops[b % ops.len()].clone());
            let fails = |s: &Scenario| {
                let has = |code: &String| s.calls().any(|c| &c.code == code);
                has(&a) && has(&b)
            };
            let got = minimise(&original, &["[]".to_owned()], &[], 1, Duration::from_secs(60), &mut |s: &Scenario| fails(s));
            prop_assert!(got.reproduced && got.minimal);
            prop_assert!(fails(&got.scenario));
            prop_assert!(smaller(&got.scenario, &["[]".to_owned()]).iter().all(|s| !fails(s)));
            // Two operations are needed, and a thread that holds neither keeps one of its own.
            prop_assert!(got.scenario.threads.len() == 2 && got.scenario.calls().count() <= 3);
        }

        /// A failure that comes and goes never makes the result one that was not seen to fail.
        #[test]
        fn returns_only_what_was_seen_to_fail(bytes in prop::collection::vec(any::<u8>(), 40), mut luck in any::<u64>()) {
            let original = scenario(&bytes);
            let mut seen = Vec::new();
            let got = minimise(&original, &[], &[], 3, Duration::from_secs(60), &mut |s: &Scenario| {
                luck = luck.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let failed = luck >> 62 != 0;
                if failed {
                    seen.push(s.clone());
                }
                failed
            });
            prop_assert_eq!(got.reproduced, !seen.is_empty());
            prop_assert!(!got.reproduced || seen.contains(&got.scenario));
        }
    }
}
