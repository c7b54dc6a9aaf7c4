//! One run of a known bug's program or of a finding's script, as a bisection counts it.

use crate::bugs::{Bug, run};
use crate::finding::{Finding, reproduce};
use crate::program::Told;
use crate::vm::child::End;
use crate::vm::{Vm, VmError, sanitizers};
use std::path::Path;
use std::time::Duration;

/// What one run is to what is looked for, and its seconds.
pub type Trial = (Told, f64);

/// One run of a known bug.
///
/// # Errors
/// When the VM cannot be started.
pub fn of_bug(vm: &Vm, bug: &Bug, limit: Duration) -> Result<Trial, VmError> {
    if let Some(why) = run::unfit(bug, &vm.facts) {
        return Ok((Told::Unfit(why), 0.0));
    }
    let attempt = run::attempt(vm, bug, limit)?;
    Ok((attempt.told(), attempt.run.took.as_secs_f64()))
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
    let mut lines = attempt.run.outcome.stdout.iter();
    let through = lines.any(|l| l.starts_with("not hit in "));
    let reported = through && attempt.run.outcome.end == End::Exit(sanitizers::EXIT);
    let told = match attempt.told() {
        // Another report than the finding's: the script itself ran to its end.
        Told::Other | Told::Unfit(_) if reported && !vm.facts.sanitizers.is_empty() => Told::Clean,
        told => told,
    };
    Ok((told, attempt.run.took.as_secs_f64()))
}
