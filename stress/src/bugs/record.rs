//! Writing measurements back into a bug's file.

use super::{Bug, BugsError, Measured, Status};
use crate::finding::store::write_atomically;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Tail<'a> {
    measured: &'a [Measured],
}

/// Replaces the measurements at the end of `DIR/STEM.toml`; the lines above stay as they are.
pub fn write(dir: &Path, bug: &Bug) -> Result<(), BugsError> {
    let path = dir.join(format!("{}.toml", bug.stem));
    let io = |source| BugsError::Io {
        path: path.clone(),
        source,
    };
    let old = std::fs::read_to_string(&path).map_err(io)?;
    write_atomically(&path, text(&old, &bug.measured).as_bytes())
        .map_err(|e| io(std::io::Error::other(e.to_string())))
}

/// The file's text with these measurements.
pub fn text(old: &str, measured: &[Measured]) -> String {
    let head = match old.find("[[measured]]") {
        Some(i) => &old[..i],
        None => old,
    };
    let tail = toml::to_string(&Tail { measured }).expect("measurements serialise");
    let tail = if measured.is_empty() { "" } else { &tail };
    format!("{}\n\n{tail}", head.trim_end())
        .trim_end()
        .to_owned()
        + "\n"
}

/// Puts a measurement in the place of the one on the same VM. That a VM lacks a module says
/// nothing about one of the same version that has it.
pub fn merge(bug: &mut Bug, measured: Measured) {
    match bug.measured.iter_mut().find(|m| m.vm == measured.vm) {
        Some(_) if measured.status == Status::NotApplicable => {}
        Some(old) => *old = measured,
        None => {
            bug.measured.push(measured);
            bug.measured.sort_by(|a, b| a.vm.cmp(&b.vm));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_replace_measurements_only() {
        let one = Measured {
            vm: "cpython 3.13.5".into(),
            status: Status::Reproduced,
            hits: 3,
            runs: 3,
            seconds: 1.5,
            first_hit: 0.5,
            seen: "SIGSEGV".into(),
        };
        let head = "title = \"x\" # a comment\n\n[signature]\nframes = [\"f\"]\n";
        let first = text(head, std::slice::from_ref(&one));
        assert!(first.starts_with(head), "{first}");
        assert_eq!(text(&first, std::slice::from_ref(&one)), first);
        assert_eq!(text(&first, &[]), head);
    }
}
