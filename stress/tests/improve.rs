//! The second minimiser, on simulated scripts whose rates are known.

use proptest::prelude::*;
use std::time::Duration;
use threadbare_stress::choice::{Choices, Seeded};
use threadbare_stress::program::Told;
use threadbare_stress::scenario::tuning::Tuning;
use threadbare_stress::triage::improve::{Runs, search};
use threadbare_stress::vm::VmError;

/// Scripts that hit within a second with a chance that depends on two knobs.
struct Simulated {
    luck: Seeded,
    chance: fn(&Tuning) -> usize,
    runs: usize,
}

impl Runs for Simulated {
    fn run(&mut self, tuning: &Tuning, limit: f64) -> Result<Option<(Told, f64)>, VmError> {
        self.runs += 1;
        for second in 0..limit as u32 {
            if self.luck.below(1000) < (self.chance)(tuning) {
                return Ok(Some((Told::Hit, f64::from(second) + 0.5)));
            }
        }
        Ok(Some((Told::Clean, limit)))
    }
}

fn ways(from: &Tuning) -> Vec<Tuning> {
    let objects = [20, 100, 500].map(|n| Tuning {
        objects: Some(n),
        ..from.clone()
    });
    let lags = [0, 6, 40].map(|n| Tuning {
        lag: Some(n),
        ..from.clone()
    });
    objects.into_iter().chain(lags).collect()
}

fn searched(
    seed: u64,
    chance: fn(&Tuning) -> usize,
) -> threadbare_stress::triage::improve::Improved {
    let mut runs = Simulated {
        luck: Seeded::new(seed, &["improve"]),
        chance,
        runs: 0,
    };
    search(
        &Tuning::default(),
        &ways,
        Duration::from_secs(600),
        &mut runs,
    )
    .unwrap()
}

#[test]
fn both_knobs_are_found_where_they_matter() {
    let good = (0..40)
        .filter(|&seed| {
            let found = searched(seed, |t| {
                let objects = if t.objects == Some(500) { 200 } else { 10 };
                let lag = if t.lag == Some(6) { 4 } else { 1 };
                objects * lag
            });
            found.tuning.objects == Some(500) && found.tuning.lag == Some(6)
        })
        .count();
    assert!(good >= 30, "{good} of 40");
}

#[test]
fn a_script_that_always_hits_stays_as_it_is_or_hits_as_well() {
    let found = searched(1, |_| 1000);
    assert_eq!(found.rate.hits, found.rate.runs);
    assert!(found.tried > 1);
}

#[test]
fn silence_everywhere_changes_nothing_and_says_so() {
    let found = searched(1, |_| 0);
    assert!(found.tuning.is_usual());
    assert_eq!(found.rate.hits, 0);
    insta::assert_snapshot!(found.line());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is adopted was no worse than the usual script in the runs that count.
    #[test]
    fn nothing_worse_is_adopted(seed in any::<u64>()) {
        let found = searched(seed, |t| if t.is_usual() { 300 } else { 20 });
        let score = |r: threadbare_stress::finding::Rate| (f64::from(r.hits) + 0.5) / (r.seconds() + 0.5);
        prop_assert!(score(found.rate) >= score(found.before) - 1e-9);
    }
}

/// A stop in the middle ends the search without an error.
#[test]
fn a_stop_ends_it() {
    struct Stopped;
    impl Runs for Stopped {
        fn run(&mut self, _: &Tuning, _: f64) -> Result<Option<(Told, f64)>, VmError> {
            Ok(None)
        }
    }
    let found = search(
        &Tuning::default(),
        &ways,
        Duration::from_secs(600),
        &mut Stopped,
    )
    .unwrap();
    assert!(found.tuning.is_usual());
    assert_eq!(found.rate.runs, 0);
}

/// Runs that say nothing are no runs without a hit.
#[test]
fn what_is_ended_from_outside_makes_no_rate() {
    struct Killed;
    impl Runs for Killed {
        fn run(&mut self, _: &Tuning, _: f64) -> Result<Option<(Told, f64)>, VmError> {
            Ok(Some((Told::Outside("SIGKILL".into()), 0.1)))
        }
    }
    let time = Duration::from_secs(600);
    let found = search(&Tuning::default(), &ways, time, &mut Killed).unwrap();
    assert_eq!((found.rate.runs, found.before.runs), (0, 0));
}

/// Takes longer than the search has, and counts.
struct Slow(Vec<Tuning>);

impl Runs for Slow {
    fn run(&mut self, tuning: &Tuning, _: f64) -> Result<Option<(Told, f64)>, VmError> {
        self.0.push(tuning.clone());
        std::thread::sleep(Duration::from_millis(5));
        Ok(Some((Told::Hit, 2.0)))
    }
}

#[test]
fn who_never_ran_does_not_win() {
    let mut runs = Slow(Vec::new());
    let found = search(
        &Tuning::default(),
        &ways,
        Duration::from_millis(1),
        &mut runs,
    )
    .unwrap();
    assert!(found.tuning.is_usual());
    assert!(runs.0.iter().all(Tuning::is_usual), "{:?}", runs.0);
}
