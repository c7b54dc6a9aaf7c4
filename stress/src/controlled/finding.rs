//! A finding's scenario under control, to the finding's failure.

use super::{ControlError, Plan, Searched, prepare, search};
use crate::finding::Finding;
use crate::finding::script::window;
use crate::identity::{self, Failure, Hit, InFlight};
use crate::vm::Vm;
use std::path::Path;

/// Searches for a schedule of a finding's scenario that shows the finding's failure, in files of this folder.
///
/// # Errors
/// As of [`search`], and where the finding is of another VM or of a kind that does not end the process.
pub fn find(
    vm: &Vm,
    finding: &Finding,
    plan: &Plan,
    folder: &Path,
) -> Result<Searched, ControlError> {
    let unfit = |why: String| ControlError::Unfit(format!("{}: {why}", finding.id));
    if finding.facts.implementation != vm.facts.implementation {
        let (there, here) = (finding.facts.title(), vm.facts.title());
        return Err(unfit(format!("was found on {there}, this is {here}")));
    }
    if !finding.kind.ends_process() {
        return Err(unfit(format!(
            "only what ends the process is judged under control, not yet a failure of kind {}",
            finding.kind
        )));
    }
    let program = window(&finding.scenario).map_err(|why| unfit(why.to_owned()))?;
    let program = prepare(vm, folder, &program, "")?;
    let expected = finding.failure();
    search(vm, &program, plan, false, |seen| {
        let Some(verdict) = seen.run.ended.failure() else {
            return false;
        };
        // Lines of a script that is not this program tell nothing of what was in flight.
        let flight = InFlight::default();
        let mut failure = Failure::in_scenario(verdict, &finding.scenario, &flight)
            .with_backtrace(&seen.backtrace);
        failure.place.alone = None;
        identity::hit(&expected, &[failure]) == Hit::Same
    })
}
