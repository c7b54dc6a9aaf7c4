//! Writing measurements back into a bug's file.

use super::{Bug, BugsError, Measured, Status, status};
use crate::files::write_atomically;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Tail<'a> {
    measured: &'a [Measured],
}

/// Adds a measurement to `DIR/STEM.toml` and to `bug`. What another run of the program wrote there in
/// the meantime is kept: VMs may be measured at once.
///
/// # Errors
/// When the file cannot be read, locked or written, or is malformed.
pub fn add(dir: &Path, bug: &mut Bug, measured: Measured) -> Result<(), BugsError> {
    let path = dir.join(format!("{}.toml", bug.stem));
    let io = |source| BugsError::Io {
        path: path.clone(),
        source,
    };
    let folder = std::fs::File::open(path.parent().unwrap_or(dir)).map_err(io)?;
    // Released when it is dropped, also when the program dies.
    let _lock = Flock::lock(folder, FlockArg::LockExclusive)
        .map_err(|(_, errno)| io(std::io::Error::from(errno)))?;
    let old = std::fs::read_to_string(&path).map_err(io)?;
    bug.measured = super::parse(&bug.stem, &old, "", "")?.measured;
    merge(bug, measured);
    write_atomically(&path, text(&old, &bug.measured).as_bytes()).map_err(io)
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

/// Puts a measurement in the place of the one on the same VM, and decides all of the bug's anew. That a
/// VM lacks a module says nothing about one of the same version that has it.
pub fn merge(bug: &mut Bug, measured: Measured) {
    match bug.measured.iter_mut().find(|m| m.vm == measured.vm) {
        Some(old)
            if measured.status == Status::NotApplicable
                && old.status != Status::BeforeSignatures => {}
        Some(old) => *old = measured,
        None => {
            bug.measured.push(measured);
            bug.measured.sort_by(|a, b| a.vm.cmp(&b.vm));
        }
    }
    status::settle(bug);
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
            others: 0,
            runs: 3,
            seconds: 1.5,
            first_hit: 0.5,
            seen: "SIGSEGV".into(),
            otherwise: String::new(),
        };
        let head = "title = \"x\" # a comment\n\n[signature]\nframes = [\"f\"]\n";
        let first = text(head, std::slice::from_ref(&one));
        assert!(first.starts_with(head), "{first}");
        assert_eq!(text(&first, std::slice::from_ref(&one)), first);
        assert_eq!(text(&first, &[]), head);
    }
}
