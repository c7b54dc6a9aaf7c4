//! A known bug's program under control, to its signature.

use super::{ControlError, Look, Plan, Searched, obeys, prepare, search};
use crate::bugs::{Bug, signature};
use crate::vm::Vm;
use std::path::Path;

/// The kit's first and last line in a program that stands alone.
const BEGINS: &str = "# --- kit: the beginning of every program ---\n";
const ENDS: &str = "# --- end of the kit ---\n";

/// Searches for a schedule of a bug's program that shows the bug, in files of this folder.
///
/// # Errors
/// As of [`search`], and where the bug is of another VM.
pub fn find(vm: &Vm, bug: &Bug, plan: &Plan, folder: &Path) -> Result<Searched, ControlError> {
    if bug.vm != vm.facts.implementation {
        let why = format!("{} is a bug of {}, not of {}", bug.id(), bug.vm, vm.spec);
        return Err(ControlError::Unfit(why));
    }
    if bug.signature.is_empty() {
        let why = format!(
            "{} cannot be told from other failures: {}",
            bug.id(),
            bug.signature.none
        );
        return Err(ControlError::Unfit(why));
    }
    obeys(vm)?;
    let (program, kit) = apart(&bug.program);
    let program = prepare(vm, folder, &program, &kit)?;
    let look = match bug.race_only() {
        true => Look::Races,
        false => Look::Failures,
    };
    search(vm, &|_| Ok(program.clone()), plan, look, |seen| {
        signature::matched(bug, &seen.shown).is_some()
    })
}

/// A program that stands alone as one that imports the kit, which control replaces parts of, and the kit.
fn apart(program: &str) -> (String, String) {
    let parts = program.split_once(BEGINS);
    let parts = parts.and_then(|(head, rest)| Some((head, rest.split_once(ENDS)?)));
    match parts {
        Some((head, (kit, rest))) => (format!("{head}from kit import *\n{rest}"), kit.to_owned()),
        None => (program.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs;

    #[test]
    fn every_program_that_has_the_kit_imports_it() {
        for bug in bugs::shipped() {
            let (program, kit) = apart(&bug.program);
            let has = bug.program.contains("kit: the beginning");
            assert_eq!(has, program.contains("from kit import *"), "{}", bug.stem);
            assert!(!program.contains("def together("), "{}", bug.stem);
            assert_eq!(has, kit.contains("def together("), "{}", bug.stem);
        }
    }
}
