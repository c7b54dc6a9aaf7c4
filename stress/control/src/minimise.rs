//! The shortest schedule that still fails in the same way: which of a run's switches it takes.
//!
//! Delta debugging (Zeller, Hildebrandt, TSE 2002) over the switches that a run recorded, each by its thread's
//! own step; a round's candidates run in one start of the program. The result is 1-minimal: leaving out any
//! one of its switches fails otherwise or not at all. Then depth-first search looks for a schedule with fewer
//! of them, as far as its budget goes; where it came to its end, there is none.

use crate::block::{MAX_SWITCHES, Strategy, Switch};
use crate::launch::{self, Orders, Program, Report, run};
use std::cell::Cell;

/// What is left of a schedule.
#[derive(Clone, Debug)]
pub struct Minimised {
    /// The orders of a run that takes the switches that are left, and of no other.
    pub orders: Orders,
    /// That run: its choices, its switches.
    pub report: Report,
    /// Switches before.
    pub before: usize,
    /// Schedules that were run.
    pub tried: usize,
    /// Every schedule with fewer switches, at the points of the orders, was run and ends otherwise.
    pub fewest: bool,
}

/// Schedules of one depth-first search for fewer switches.
const BUDGET: u32 = 500;

/// Why a schedule is not minimised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program could not be run.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// More switches than are recorded.
    #[error(
        "the run has {0} switches, {MAX_SWITCHES} are recorded: search with fewer points (--points conflicts)"
    )]
    TooMany(u32),
    /// The run is not what its switches say.
    #[error("the run is another one by its switches alone: {0}")]
    Other(String),
}

/// Minimises the schedule of the last run of `report`, which `orders` gave.
///
/// # Errors
/// Where its switches do not give the same run again, or the program does not run.
pub fn minimise(program: &Program, orders: &Orders, report: &Report) -> Result<Minimised, Error> {
    let found = report.last;
    if found.deviations as usize > MAX_SWITCHES {
        return Err(Error::TooMany(found.deviations));
    }
    let planned = |plans| orders.planned(&report.learned, found.seed, plans);
    let whole = run(program, &planned(vec![report.switches.clone()]))?;
    if (whole.last.hash, whole.last.verdict) != (found.hash, found.verdict) {
        return Err(Error::Other(format!(
            "{:?} instead of {:?}",
            whole.last.verdict, found.verdict
        )));
    }
    let tried = Cell::new(1);
    let count = |more| tried.set(tried.get() + more);
    let shorter = |switches: Vec<Switch>| {
        let left = reduce(switches, |plans| {
            count(plans.len());
            let runs = run(program, &planned(plans.to_vec()))?.runs;
            Ok::<_, Error>(runs.iter().position(|run| run.ends_as(&found)))
        })?;
        let orders = planned(vec![left]);
        let report = run(program, &orders)?;
        match report.last.ends_as(&found) {
            true => Ok((orders, report)),
            false => Err(Error::Other(format!(
                "{:?} instead of {:?}",
                report.last.verdict, found.verdict
            ))),
        }
    };
    let (mut by, mut left) = shorter(report.switches.clone())?;
    let mut fewest = left.switches.is_empty();
    for bound in 0..left.switches.len() as u32 {
        let mut search = planned(Vec::new());
        search.config.strategy = Strategy::DepthFirst;
        search.config.bound = bound;
        search.config.runs = BUDGET;
        let all = run(program, &search)?;
        if let Some(at) = all.runs.iter().position(|run| run.ends_as(&found)) {
            search.config.runs = at as u32 + 1;
            (by, left) = shorter(run(program, &search)?.switches)?;
            count(2 * at);
            fewest = true;
            break;
        }
        count(all.runs.len());
        fewest = all.exhausted;
        if !fewest {
            break;
        }
    }
    Ok(Minimised {
        orders: by,
        before: found.deviations as usize,
        report: left,
        tried: tried.get(),
        fewest,
    })
}

/// Leaves out what `first` does not need: it says which of several parts, if any, still does.
fn reduce<T: Clone, E>(
    mut whole: Vec<T>,
    mut first: impl FnMut(&[Vec<T>]) -> Result<Option<usize>, E>,
) -> Result<Vec<T>, E> {
    if whole.is_empty() || first(&[Vec::new()])?.is_some() {
        return Ok(Vec::new());
    }
    let mut chunks = 2.min(whole.len());
    loop {
        let bounds: Vec<usize> = (0..=chunks).map(|i| i * whole.len() / chunks).collect();
        let without = |i: usize| [&whole[..bounds[i]], &whole[bounds[i + 1]..]].concat();
        let parts: Vec<Vec<T>> = (0..chunks).map(without).collect();
        match first(&parts)? {
            Some(i) => {
                whole = parts[i].clone();
                if whole.len() <= 1 {
                    return Ok(whole);
                }
                chunks = (chunks - 1).clamp(2, whole.len());
            }
            None if chunks == whole.len() => return Ok(whole),
            None => chunks = (2 * chunks).min(whole.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reduce;

    #[test]
    fn what_is_left_is_what_is_needed() {
        for needed in [
            vec![],
            vec![0],
            vec![3, 50, 51, 99],
            (0..100).collect::<Vec<i32>>(),
        ] {
            let mut rounds = 0;
            let left = reduce((0..100).collect(), |parts: &[Vec<i32>]| {
                rounds += 1;
                Ok::<_, ()>(
                    parts
                        .iter()
                        .position(|part| needed.iter().all(|n| part.contains(n))),
                )
            });
            assert_eq!(left, Ok(needed));
            assert!(rounds < 300);
        }
    }

    #[test]
    fn none_can_be_left_out_of_what_is_left() {
        // Not monotone: three of a kind, or all.
        let fails =
            |part: &Vec<i32>| part.len() == 10 || part.iter().filter(|&&n| n % 2 == 0).count() == 3;
        let left = reduce((0..10).collect(), |parts: &[Vec<i32>]| {
            Ok::<_, ()>(parts.iter().position(fails))
        });
        let left = left.expect("it fails with nothing");
        assert!(fails(&left));
        for i in 0..left.len() {
            let mut part = left.clone();
            part.remove(i);
            assert!(!fails(&part), "{left:?} without {i}");
        }
    }
}
