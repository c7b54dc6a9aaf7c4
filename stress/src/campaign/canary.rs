//! A hunt's canary: a race that every VM without a GIL has, looked for first. A hunt that finds
//! nothing after it has sung is not one in which nothing raced.

use super::process::{execute, scenario_ms};
use crate::choice::Seeded;
use crate::scenario::Shape;
use crate::scenario::generate::{Limits, generate};
use crate::subject::parse;
use crate::vm::{Vm, VmError};

/// Two increments, each a read and a write: where threads run at once one of them gets lost.
const LOST_UPDATE: &str = r#"
[[subject]]
name = "canary"
doc = "two increments of one number"
make = ["[0]"]
final = "o[0]"
composite = ["do: o[0] = o[0] + 1"]
"#;

/// Milliseconds that it may take.
const MS: u64 = 250;

/// What the canary's objects ended as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Fresh objects that both threads incremented.
    pub runs: u64,
    /// Those that ended as 1 instead of 2.
    pub lost: u64,
}

/// Runs the canary. A VM that does not get through it has none of either.
///
/// # Errors
/// When the VM cannot be started.
pub fn sing(vm: &Vm, seed: u64) -> Result<Canary, VmError> {
    let subject = parse("the canary", LOST_UPDATE)
        .expect("the canary parses")
        .remove(0);
    let limits = Limits { threads: 2, ops: 1 };
    let mut scenario = generate(&subject, limits, &mut Seeded::new(seed, &["canary"]));
    scenario.shapes = vec![Shape::Stride];
    let ms = scenario_ms(vm, MS);
    let (log, _) = execute(vm, &[scenario], seed, ms, false, false)?;
    let Some(history) = log.histories.first() else {
        return Ok(Canary { runs: 0, lost: 0 });
    };
    let unexplained = history
        .outcomes
        .iter()
        .filter(|(outcome, _)| !history.sequential.contains(outcome));
    Ok(Canary {
        runs: history.runs,
        lost: unexplained.map(|(_, count)| count).sum(),
    })
}
