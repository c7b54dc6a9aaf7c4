//! A search that aims at one race, as a sanitizer's report names it: which instructions its two sides are.

use crate::block::{MAX_TARGETS, Strategy};
use crate::launch::{self, Orders, Program, run};
use crate::places::{Place, Places};
use std::collections::BTreeSet;

/// Schedules that are run to see where the program comes by.
const LOOKS: u64 = 4;

/// Why there is nothing to aim at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program could not be run.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// It did not come there.
    #[error(
        "no access of {0} was seen in {LOOKS} schedules: name a function that the window runs, built with debug information, as FUNCTION or FUNCTION:LINE"
    )]
    NotSeen(String),
}

/// Orders of a search that aims at the accesses of two functions, `FUNCTION` or `FUNCTION:LINE` each, inlined ones
/// too; of the first [`MAX_TARGETS`] instructions each.
///
/// # Errors
/// Where the program does not run, or runs and does not come there.
pub fn aim(program: &Program, orders: &Orders, race: [&str; 2]) -> Result<Orders, Error> {
    let mut aimed = orders.clone();
    for seed in 0..LOOKS {
        let mut look = orders.clone();
        look.config.strategy = if seed % 2 == 0 {
            Strategy::Random
        } else {
            Strategy::Sticky
        };
        look.config.seed = orders.config.seed + seed;
        look.config.runs = 1;
        look.config.learning = 0;
        look.config.trace = true;
        let report = run(program, &look)?;
        let accesses = report.trace.iter().filter(|event| event.size != 0);
        let pcs: BTreeSet<u64> = accesses.map(|event| event.pc).collect();
        let places = Places::find(&report.loaded, pcs.iter().copied());
        for (side, name) in aimed.targets.iter_mut().zip(race) {
            let there = |pc: &u64| places.frames(*pc).iter().any(|place| is_at(place, name));
            side.extend(pcs.iter().copied().filter(there));
            side.sort_unstable();
            side.dedup();
            side.truncate(MAX_TARGETS);
        }
    }
    for (side, name) in aimed.targets.iter().zip(race) {
        if side.is_empty() {
            return Err(Error::NotSeen(name.to_owned()));
        }
    }
    aimed.config.strategy = Strategy::Directed;
    Ok(aimed)
}

/// `FUNCTION` or `FUNCTION:LINE`.
fn is_at(place: &Place, name: &str) -> bool {
    let line = place.line.rsplit(':').next().unwrap_or_default();
    match name.rsplit_once(':') {
        // Not Rust's `module::function`.
        Some((function, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            place.function == function && line == number
        }
        _ => place.function == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_a_function_or_one_of_its_lines() {
        let place = Place {
            function: "a::push".into(),
            line: "list.rs:12".into(),
        };
        for (name, there) in [
            ("a::push", true),
            ("a::push:12", true),
            ("a::push:1", false),
            ("push", false),
            ("a::pop:12", false),
        ] {
            assert_eq!(is_at(&place, name), there, "{name}");
        }
    }
}
