//! Sanitizer reports that were looked into and are no fault.

use super::{Bug, Nature};
use crate::verdict::sanitizer::suppress::FalseAlarm;

/// The entries about this implementation whose reports are false.
pub fn false_alarms(bugs: &[Bug], implementation: &str) -> Vec<FalseAlarm> {
    bugs.iter()
        .filter(|b| b.nature == Nature::False && b.vm == implementation)
        .filter(|b| b.signature.pairs().next().is_some())
        .map(|b| FalseAlarm {
            id: b.id(),
            pairs: b.signature.pairs().cloned().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_turned_out_false_on_this_implementation() {
        let mut bug = crate::bugs::shipped().remove(0);
        bug.nature = Nature::False;
        bug.vm = "cpython".into();
        bug.signature.race = vec![["tag".into(), "look".into()]];
        let of = |bug: &Bug, vm| false_alarms(std::slice::from_ref(bug), vm).len();
        assert_eq!((of(&bug, "cpython"), of(&bug, "rustpython")), (1, 0));
        bug.nature = Nature::Bug;
        assert_eq!(of(&bug, "cpython"), 0);
    }
}
