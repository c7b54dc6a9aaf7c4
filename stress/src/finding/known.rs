//! Which finding of several a failure is: who stores asks here first.

use super::Finding;
use crate::identity::{Failure, Same, kept_as_one, same};
use crate::verdict::Kind;

/// The finding of this VM and subject that is of the same failure, if any; of a data race whatever
/// the subject, for its report has no part in it.
pub fn of<'a>(
    findings: &'a [Finding],
    vm_title: &str,
    subject: &str,
    failure: &Failure,
) -> Option<&'a Finding> {
    findings
        .iter()
        .find(|f| is_of(f, vm_title, subject, failure))
}

/// Another finding of the same failure as this one, as [`of`] has it.
pub fn twin<'a>(findings: &'a [Finding], finding: &Finding) -> Option<&'a Finding> {
    let mut others = findings.iter().filter(|f| f.id != finding.id);
    others.find(|f| are_one(f, finding))
}

/// Whether two findings are of one failure, as [`of`] has it.
pub fn are_one(one: &Finding, other: &Finding) -> bool {
    is_of(one, &other.facts.title(), &other.subject, &other.failure())
}

/// Whether two findings that one id would name are of two failures.
pub fn are_two(one: &Finding, other: &Finding) -> bool {
    !may_be_of(one, &other.facts.title(), &other.subject, other.kind)
        || !kept_as_one(&one.failure(), &other.failure())
}

fn is_of(finding: &Finding, vm_title: &str, subject: &str, failure: &Failure) -> bool {
    may_be_of(finding, vm_title, subject, failure.kind)
        && same(&finding.failure(), failure) == Same::Yes
}

fn may_be_of(finding: &Finding, vm_title: &str, subject: &str, kind: Kind) -> bool {
    finding.facts.title() == vm_title && (finding.subject == subject || kind == Kind::DataRace)
}
