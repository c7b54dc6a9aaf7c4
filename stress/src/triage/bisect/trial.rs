//! One run of a known bug's program or of a finding's script, as a bisection counts it.

use crate::bugs::Bug;
use crate::bugs::run::{self, Ended};
use crate::finding::{Finding, reproduce};
use crate::identity::Hit;
use crate::vm::child::End;
use crate::vm::{Vm, VmError, sanitizers};
use std::path::Path;
use std::time::Duration;

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// It failed, after so many seconds.
    Hit(f64),
    /// It did not, in so many seconds.
    Clean(f64),
    /// It failed in another way, or did not end in time, which a busy machine can cause: not counted.
    Unclear,
    /// It says nothing: the VM lacks what is needed, or the program itself failed.
    Unfit(String),
    /// The user stopped it.
    Interrupted,
}

/// One run of a known bug.
///
/// # Errors
/// When the VM cannot be started.
pub fn of_bug(vm: &Vm, bug: &Bug, limit: Duration) -> Result<Trial, VmError> {
    if let Some(why) = run::unfit(bug, &vm.facts) {
        return Ok(Trial::Unfit(why));
    }
    let attempt = run::attempt(vm, bug, limit)?;
    let seconds = attempt.took.as_secs_f64();
    Ok(match attempt.ended {
        Ended::Interrupted => Trial::Interrupted,
        Ended::Skip(why) | Ended::Broken(why) => Trial::Unfit(why),
        _ if attempt.hit => Trial::Hit(seconds),
        _ => Trial::Clean(seconds),
    })
}

/// One run of a finding's script.
///
/// # Errors
/// When the VM cannot be started.
pub fn of_script(
    vm: &Vm,
    finding: &Finding,
    script: &Path,
    limit: Duration,
) -> Result<Trial, VmError> {
    let attempt = reproduce::attempt(vm, script, finding, limit.as_secs_f64())?;
    let seconds = attempt.took.as_secs_f64();
    Ok(match attempt.outcome.end {
        End::Interrupted => Trial::Interrupted,
        _ if attempt.hit() => Trial::Hit(seconds),
        // Another report than the finding's: the script itself ran to its end.
        End::Exit(sanitizers::EXIT) if !vm.facts.sanitizers.is_empty() => Trial::Clean(seconds),
        // Another failure says neither that this one is there nor that it is not.
        _ if attempt.shown != Hit::None || attempt.outside.is_some() => Trial::Unclear,
        End::Exit(code) if code != 0 => {
            let stderr = &attempt.outcome.stderr;
            let last = stderr.lines().rfind(|l| !l.trim().is_empty());
            Trial::Unfit(format!(
                "the script failed: {}",
                last.unwrap_or("no message")
            ))
        }
        _ => Trial::Clean(seconds),
    })
}
