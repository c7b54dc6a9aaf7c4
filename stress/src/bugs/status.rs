//! What the runs of a bug's program on a VM came to: decided here and nowhere else.

use super::{Bug, Measured, ident};
use serde::{Deserialize, Serialize};

/// What came out on a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A run ended in the bug's signature.
    Reproduced,
    /// The program failed, and never in the bug's signature: another fault, or the same one seen where
    /// it cannot be told from others.
    ReproducedOtherwise,
    /// No run failed, the reports say that this version has the fix, and the same program
    /// ([`Measured::program`]) ended in its signature on another version, one without: it can show the bug.
    Fixed,
    /// No run failed, the reports say that this version has the fix, and this program was never seen to
    /// show the bug on any VM: nothing follows.
    Unproven,
    /// No run failed, and nothing says why.
    NotReproduced,
    /// The VM lacks what the program needs.
    NotApplicable,
    /// Measured when any failure counted as the bug: kept to be read, and counted as nothing.
    BeforeSignatures,
}

/// Every status, the worst news first.
pub const ALL: [Status; 7] = [
    Status::Reproduced,
    Status::ReproducedOtherwise,
    Status::NotReproduced,
    Status::Unproven,
    Status::Fixed,
    Status::NotApplicable,
    Status::BeforeSignatures,
];

impl Status {
    /// As files and arguments write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::ReproducedOtherwise => "reproduced-otherwise",
            Self::Fixed => "fixed",
            Self::Unproven => "unproven",
            Self::NotReproduced => "not-reproduced",
            Self::NotApplicable => "not-applicable",
            Self::BeforeSignatures => "before-signatures",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// What the counts of a measurement say, beside the bug's other measurements.
pub fn decide(bug: &Bug, measured: &Measured) -> Status {
    // What these say does not lie in the counts.
    if matches!(
        measured.status,
        Status::NotApplicable | Status::BeforeSignatures
    ) {
        return measured.status;
    }
    if measured.hits > 0 {
        return Status::Reproduced;
    }
    if measured.others > 0 {
        return Status::ReproducedOtherwise;
    }
    if !said_fixed(bug, &measured.vm) {
        return Status::NotReproduced;
    }
    // Some version that is said to have the fix, perhaps another build of this one, has the bug: the reports
    // are wrong, whichever program showed it.
    let still_there = |m: &Measured| shows(m) && said_fixed(bug, &m.vm);
    let can_show = |m: &Measured| shows(m) && !said_fixed(bug, &m.vm) && is_of(m, measured);
    if bug.measured.iter().any(still_there) {
        Status::NotReproduced
    } else if bug.measured.iter().any(can_show) {
        Status::Fixed
    } else {
        Status::Unproven
    }
}

/// Whether a measurement shows the bug by its signature.
fn shows(measured: &Measured) -> bool {
    measured.hits > 0 && measured.status != Status::BeforeSignatures
}

/// Whether two measurements are of one program. Of rows of before it was kept nobody knows.
fn is_of(one: &Measured, other: &Measured) -> bool {
    !one.program.is_empty() && one.program == other.program
}

/// Decides all of a bug's measurements anew: one that is added can prove another.
pub fn settle(bug: &mut Bug) {
    let decided: Vec<Status> = bug.measured.iter().map(|m| decide(bug, m)).collect();
    for (measured, status) in bug.measured.iter_mut().zip(decided) {
        measured.status = status;
    }
}

/// Whether the reports say that the VM of this name, as [`Facts::title`](crate::vm::Facts::title) gives it, has
/// the fix. That they name only later versions as affected says nothing of this one.
pub fn said_fixed(bug: &Bug, vm: &str) -> bool {
    ident::fixed_in(&bug.fixed_in, version(vm))
}

/// `3.13.5` of `cpython 3.13.5 +thread`: a build with a sanitizer is no other version.
fn version(vm: &str) -> &str {
    vm.split(' ').nth(1).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs;

    /// A bug that is fixed in this release, or open, with rows of one program: VM, hits, others.
    fn bug(fixed: &str, rows: &[(&str, u32, u32)]) -> Bug {
        let fixed_in: Vec<&str> = (fixed != "open").then_some(fixed).into_iter().collect();
        let text = format!(
            "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"x\"\ncategory = \"c\"\nnature = \"bug\"\n\
             affected = \"1.1\"\nfixed = \"{fixed}\"\nfixed_in = {fixed_in:?}\nfailure = [\"crash\"]\nbuilds = [\"release\"]\nsource = \"s\"\nno_fault = \"-\"\n[signature]\ntext = [\"x y z\"]\n"
        );
        let mut bug = bugs::parse("x/1", &text, "", "").unwrap();
        bug.measured = rows
            .iter()
            .map(|&(vm, hits, others)| Measured {
                vm: vm.into(),
                status: Status::NotReproduced,
                hits,
                others,
                runs: 5,
                seconds: 1.0,
                program: "a".into(),
                first_hit: 0.0,
                seen: String::new(),
                otherwise: String::new(),
                races: Vec::new(),
            })
            .collect();
        settle(&mut bug);
        bug
    }

    fn statuses(fixed: &str, rows: &[(&str, u32, u32)]) -> Vec<Status> {
        bug(fixed, rows).measured.iter().map(|m| m.status).collect()
    }

    #[test]
    fn only_the_signature_reproduces() {
        assert_eq!(statuses("open", &[("x 1.2", 1, 3)]), [Status::Reproduced]);
        assert_eq!(
            statuses("open", &[("x 1.2", 0, 3)]),
            [Status::ReproducedOtherwise]
        );
        assert_eq!(
            statuses("open", &[("x 1.2", 0, 0)]),
            [Status::NotReproduced]
        );
    }

    #[test]
    fn fixed_is_what_the_program_showed_elsewhere() {
        let all = |rows: &[_]| statuses("1.3.0", rows);
        assert_eq!(
            all(&[("x 1.2", 1, 0), ("x 1.3.0", 0, 0)]),
            [Status::Reproduced, Status::Fixed]
        );
        assert_eq!(all(&[("x 1.3.0", 0, 0)]), [Status::Unproven]);
        // Another failure elsewhere shows nothing of this one.
        assert_eq!(
            all(&[("x 1.2", 0, 4), ("x 1.3.0", 0, 0)]),
            [Status::ReproducedOtherwise, Status::Unproven]
        );
        // The same version with a sanitizer is no other version, and shows that it is not fixed in this one.
        assert_eq!(
            all(&[("x 1.3.0", 0, 0), ("x 1.3.0 +thread", 2, 0)]),
            [Status::NotReproduced, Status::Reproduced]
        );
        // Nor is it fixed here where a later one has it again.
        assert_eq!(
            all(&[("x 1.2", 1, 0), ("x 1.3.0", 0, 0), ("x 1.4", 1, 0)]),
            [
                Status::Reproduced,
                Status::NotReproduced,
                Status::Reproduced
            ]
        );
        // Back, or failing otherwise: it is not fixed, whatever the reports say.
        assert_eq!(
            all(&[("x 1.2", 1, 0), ("x 1.3.0", 1, 0), ("x 1.4", 0, 1)]),
            [
                Status::Reproduced,
                Status::Reproduced,
                Status::ReproducedOtherwise
            ]
        );
    }

    #[test]
    fn another_program_proves_nothing() {
        for program in ["b", ""] {
            let mut bug = bug("1.3.0", &[("x 1.2", 3, 0), ("x 1.3.0", 0, 0)]);
            assert_eq!(bug.measured[1].status, Status::Fixed);
            bug.measured[0].program = program.into();
            settle(&mut bug);
            assert_eq!(bug.measured[1].status, Status::Unproven, "{program:?}");
        }
        let mut unknown = bug("1.3.0", &[("x 1.2", 3, 0), ("x 1.3.0", 0, 0)]);
        for row in &mut unknown.measured {
            row.program.clear();
        }
        settle(&mut unknown);
        assert_eq!(unknown.measured[1].status, Status::Unproven);
    }

    #[test]
    fn a_version_before_the_affected_ones_is_not_fixed() {
        // The files say that 1.1 is affected.
        assert_eq!(
            statuses("open", &[("x 1.0", 0, 0), ("x 1.2", 3, 0)]),
            [Status::NotReproduced, Status::Reproduced]
        );
        assert_eq!(
            statuses("1.3.0", &[("x 1.0", 0, 0)]),
            [Status::NotReproduced]
        );
    }

    #[test]
    fn what_was_measured_before_signatures_proves_nothing() {
        let mut old = bug("1.3.0", &[("x 1.2", 7, 0), ("x 1.3.0", 0, 0)]);
        assert_eq!(old.measured[1].status, Status::Fixed);
        old.measured[0].status = Status::BeforeSignatures;
        settle(&mut old);
        assert_eq!(old.measured[0].status, Status::BeforeSignatures);
        assert_eq!(old.measured[1].status, Status::Unproven);
    }

    #[test]
    fn a_vm_without_the_module_says_nothing() {
        let mut bug = bug("open", &[("x 1.2", 0, 0)]);
        bug.measured[0].status = Status::NotApplicable;
        assert_eq!(decide(&bug, &bug.measured[0]), Status::NotApplicable);
    }

    #[test]
    fn names_are_those_of_the_files() {
        for status in ALL {
            let value = serde_json::to_value(status).unwrap();
            assert_eq!(value, status.name());
        }
    }
}
