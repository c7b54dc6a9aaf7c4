//! Real Python VMs: how each is found, started and recognised.
//!
//! A VM is a command that runs a Python file. What it is, it says itself: a first job
//! reports implementation, version and modules and measures whether two threads really
//! run at once. A driver (one file a family, one line in [`DRIVERS`]) then adds what that
//! family needs on its command line.

pub mod child;
pub mod cpython;
pub mod debugger;
mod facts;
mod find;
mod gdb;
pub mod hang;
pub mod job;
pub mod micropython;
mod proc;
pub mod rustpython;
pub mod sanitizers;
pub mod server;
mod sleep;
mod spread;
pub mod words;

pub use self::facts::{Facts, MODULES};
pub use self::find::{candidates, controlled};

use self::child::{Limits, Outcome};
use self::find::executable;
use crate::python::quote;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a family of VMs needs beyond `VM FILE`.
pub struct Driver {
    /// `sys.implementation.name`.
    pub implementation: &'static str,
    /// Arguments before the file and environment.
    pub prepare: fn(&Facts, &mut Command),
    /// Whether the VM promises anything about shared containers; the reason if not.
    pub promise: Result<(), &'static str>,
}

/// The families that need more than their command.
pub const DRIVERS: &[Driver] = &[rustpython::DRIVER, cpython::DRIVER, micropython::DRIVER];

/// A VM that was found.
#[derive(Clone, Debug)]
pub struct Vm {
    /// As the user named it.
    pub spec: String,
    program: PathBuf,
    args: Vec<OsString>,
    argv0: Option<&'static str>,
    /// Set for its processes.
    environment: Vec<(String, String)>,
    /// What it is.
    pub facts: Facts,
}

/// A VM that cannot be used; every message names the cause and the next step.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// No such program.
    #[error(
        "no VM '{spec}': {reason}; give a path, a name on PATH or a quoted command; ci/vm/README.md tells how to build VMs, `threadbare vms` lists what was found"
    )]
    NotFound {
        /// As the user named it.
        spec: String,
        /// What was tried.
        reason: String,
    },
    /// The program cannot be started.
    #[error("cannot start VM '{spec}': {source}; try `{program} --version` by hand")]
    Start {
        /// As the user named it.
        spec: String,
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program started and is no Python interpreter, or one that the harness cannot run on.
    #[error("'{spec}' did not run the harness as a Python file: {reason}")]
    NotPython {
        /// As the user named it.
        spec: String,
        /// How it ended and what it printed.
        reason: String,
    },
    /// The harness cannot be written to a temporary file.
    #[error("cannot write a job file: {0}; check TMPDIR")]
    Temp(std::io::Error),
}

fn driver(implementation: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|d| d.implementation == implementation)
}

/// Why VMs of this implementation promise nothing about shared containers, if so.
pub fn no_promise(implementation: &str) -> Option<&'static str> {
    driver(implementation).and_then(|d| d.promise.err())
}

/// The default VM: RustPython inside this program.
pub const EMBEDDED: &str = "rustpython";

impl Vm {
    /// Finds the program a `--vm` names: `rustpython` (embedded), a path, a name on PATH, or a
    /// command with arguments.
    pub fn find(spec: &str) -> Result<Self, VmError> {
        let not_found = |reason: String| VmError::NotFound {
            spec: spec.to_owned(),
            reason,
        };
        if spec == EMBEDDED {
            let program = rustpython::program().map_err(|e| not_found(e.to_string()))?;
            return Ok(Self::new(
                spec,
                program,
                Vec::new(),
                Some(rustpython::ARGV0),
            ));
        }
        if let Some(program) = executable(Path::new(spec)) {
            return Ok(Self::new(spec, program, Vec::new(), None));
        }
        let mut words = spec.split_whitespace();
        let first = words
            .next()
            .ok_or_else(|| not_found("the name is empty".into()))?;
        let program = executable(Path::new(first)).ok_or_else(|| {
            let path = Path::new(first);
            not_found(if path.is_file() {
                format!("{first} is not executable (chmod +x it)")
            } else if first.contains('/') {
                format!("{first} does not exist")
            } else {
                format!("{first} is not on PATH")
            })
        })?;
        Ok(Self::new(
            spec,
            program,
            words.map(OsString::from).collect(),
            None,
        ))
    }

    fn new(spec: &str, program: PathBuf, args: Vec<OsString>, argv0: Option<&'static str>) -> Self {
        Self {
            spec: spec.to_owned(),
            program,
            args,
            argv0,
            environment: Vec::new(),
            facts: Facts::default(),
        }
    }

    /// Finds a VM and lets it say what it is.
    pub fn open(spec: &str) -> Result<Self, VmError> {
        let mut vm = Self::find(spec)?;
        vm.inspect()?;
        Ok(vm)
    }

    /// The command that runs a Python file.
    pub fn command(&self, file: &Path) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(name) = self.argv0 {
            command.arg0(name);
        }
        command.args(&self.args);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(driver) = self.driver() {
            (driver.prepare)(&self.facts, &mut command);
        }
        sanitizers::prepare(&self.facts, &mut command);
        command.arg(file);
        command
    }

    /// Runs such a command to its end or to a limit.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, command: &mut Command, limits: Limits) -> Result<Outcome, VmError> {
        child::run(command, limits).map_err(|source| VmError::Start {
            spec: self.spec.clone(),
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })
    }

    /// The same VM whose processes have this variable set.
    #[must_use]
    pub fn with_environment(&self, name: &str, value: &str) -> Self {
        let mut vm = self.clone();
        vm.environment.push((name.to_owned(), value.to_owned()));
        vm
    }

    /// The same command as a user would type it.
    pub fn shell(&self) -> String {
        if self.argv0.is_some() {
            format!("threadbare {EMBEDDED}")
        } else {
            self.spec.clone()
        }
    }

    /// The program and its arguments up to the file, for a debugger.
    pub fn program_and_args(&self) -> (PathBuf, Vec<OsString>) {
        let command = self.command(Path::new("FILE"));
        let mut args: Vec<OsString> = command.get_args().map(OsString::from).collect();
        args.pop();
        (self.program.clone(), args)
    }

    /// The name under which the program must be started, if not its own.
    pub fn argv0(&self) -> Option<&'static str> {
        self.argv0
    }

    fn driver(&self) -> Option<&'static Driver> {
        driver(&self.facts.implementation)
    }

    /// Why this VM promises nothing about shared containers, if so.
    pub fn no_promise(&self) -> Option<&'static str> {
        no_promise(&self.facts.implementation)
    }

    /// Runs the first job and fills [`Vm::facts`].
    fn inspect(&mut self) -> Result<(), VmError> {
        let modules: Vec<String> = MODULES.iter().map(|m| quote(m)).collect();
        let job = format!(
            "{{'mode': 'vm', 'seed': 0, 'modules': [{}]}}",
            modules.join(", ")
        );
        // Known before the first run, which it decides how to do.
        self.facts.sanitizers = sanitizers::found(&self.program);
        // A slow or busy machine must not make a VM look dead.
        let limits = child::Limits {
            silence: std::time::Duration::from_secs(40),
            ..child::Limits::default()
        };
        let log = job::run(self, &job, limits)?;
        let fail = |reason: String| VmError::NotPython {
            spec: self.spec.clone(),
            reason,
        };
        let sanitizers = std::mem::take(&mut self.facts.sanitizers);
        self.facts = Facts::of(&log, sanitizers).ok_or_else(|| fail(log.how_it_ended()))?;
        if !log.finished {
            return Err(fail(log.how_it_ended()));
        }
        let command = self.command(Path::new("FILE"));
        self.facts.environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Ok(())
    }
}
