//! One engine for every program that says what it saw: findings' scripts, known bugs, probes.
//!
//! A program is any `python FILE [SECONDS [MORE…]]`. Within its seconds it exits with
//!
//! | code | after a line | meaning |
//! |---:|---|---|
//! | 0 | | nothing was seen |
//! | 1, and any other | `hit: …` | it saw what it looks for, or another fault that it knows |
//! | 77 | `skip: …` | this VM lacks what it needs |
//!
//! or the VM ends it by a crash, a panic or a hang. A line `checked: N …` says how much it looked at. What it
//! leaves with otherwise is a fault of the program itself. A line `begun` is printed before its threads start, by
//! programs that look for an end of the VM whatever its place: what ends before it is no failure of theirs.
//!
//! [`run`] is one run, and [`Ended`] how it ended: as a [`Verdict`](crate::verdict::Verdict) where it failed, of
//! which [`crate::identity`] makes the failure. Who looks for something then says what the run is to that, a
//! [`Told`]; a [`Count`] adds them up, what failed otherwise apart.

mod count;
mod ended;
pub mod stats;

pub use self::count::{Count, Told, within};
pub use self::ended::{Ended, ends};

use crate::vm::child::{Limits, Outcome};
use crate::vm::{Vm, VmError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A program in a folder of its own, which goes with this value.
#[derive(Debug)]
pub struct File {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    /// Writes a program to `NAME.py`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(name: &str, text: &str) -> Result<Self, VmError> {
        let folder = tempfile::tempdir().map_err(VmError::Temp)?;
        let path = folder.path().join(format!("{name}.py"));
        std::fs::write(&path, text).map_err(VmError::Temp)?;
        Ok(Self { folder, path })
    }

    /// The program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The command that gives a program so much time; more arguments may follow.
pub fn command(vm: &Vm, program: &Path, time: Duration) -> Command {
    let mut command = vm.command(program);
    command.arg(time.as_secs_f64().to_string());
    command
}

/// One run of a program.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// What it printed.
    pub outcome: Outcome,
}

/// Runs a program once, by a [`command`].
///
/// # Errors
/// When the VM cannot be started.
pub fn run(vm: &Vm, command: &mut Command, limits: Limits) -> Result<Run, VmError> {
    let start = Instant::now();
    let outcome = vm.run(command, limits)?;
    Ok(Run {
        took: start.elapsed(),
        ended: Ended::of(&outcome),
        outcome,
    })
}

/// How a program says that it begins.
const BEGINS: &str = "print(\"begun\")";

/// The line that it prints then.
const BEGUN: &str = "begun";

/// The line of a program's output with which it began. What was printed before may have left its line open.
pub fn beginning(outcome: &Outcome) -> Option<usize> {
    let mut lines = outcome.stdout.iter();
    lines.position(|line| line.ends_with(BEGUN))
}

impl Run {
    /// Whether this program came to its beginning; one that does not say so always has.
    pub fn begun(&self, program: &str) -> bool {
        !program.contains(BEGINS) || beginning(&self.outcome).is_some()
    }

    /// The run as one of this program: a VM that fails before it begins shows nothing of what it looks for.
    #[must_use]
    pub fn of(self, program: &str) -> Self {
        let ended = match &self.ended {
            Ended::Failed(seen) if !self.begun(program) => {
                Ended::Broken(format!("the VM ended before it began: {}", seen.detail))
            }
            ended => ended.clone(),
        };
        Self { ended, ..self }
    }

    /// `checked: 100 objects dropped (seed 1)`: the number, and what it counts; 0 without such a line.
    pub fn checked(&self) -> (u64, &str) {
        let mut lines = self.outcome.stdout.iter();
        let line = lines.find_map(|l| l.strip_prefix("checked: "));
        let (number, what) = line.and_then(|l| l.split_once(' ')).unwrap_or(("0", ""));
        let what = what.rsplit_once(" (seed").map_or(what, |(what, _)| what);
        (number.parse().unwrap_or(0), what)
    }

    /// What the run is to something that it showed (`hit`) or did not.
    pub fn told(&self, hit: bool) -> Told {
        match &self.ended {
            Ended::Interrupted => Told::Interrupted,
            _ if hit => Told::Hit,
            Ended::Failed(_) => Told::Other,
            Ended::Clean => Told::Clean,
            Ended::Outside(who) => Told::Outside(who.clone()),
            Ended::Skip(why) | Ended::Broken(why) => Told::Unfit(why.clone()),
        }
    }
}
