//! Real Python VMs: how each is found, started and recognised.
//!
//! A VM is a command that runs a Python file. What it is, it says itself: a first job
//! reports implementation, version and modules and measures whether two threads really
//! run at once. A driver (one file a family, one line in [`DRIVERS`]) then adds what that
//! family needs on its command line.

pub mod child;
pub mod cpython;
pub mod hang;
pub mod job;
pub mod micropython;
pub mod rustpython;
pub mod sanitizers;
mod spread;

use crate::scenario::render::quote;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
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

/// What a VM said and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// `sys.implementation.name`, `unknown` where there is none.
    pub implementation: String,
    /// First line of `sys.version`.
    pub version: String,
    /// What `sys._is_gil_enabled()` says; `None` where it does not exist.
    pub gil_claimed: Option<bool>,
    /// Time of two loops one after the other, divided by their time in two threads.
    pub speedup: f64,
    /// Largest share of one thread's steps between which it saw the other move.
    pub interleaving: f64,
    /// Modules of [`MODULES`] that import.
    pub modules: Vec<String>,
    /// Sanitizer runtimes found in the program.
    pub sanitizers: Vec<String>,
    /// How it was configured, in its own words; empty where it does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
    /// Environment that every run of it gets: `NAME=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Loop turns of one thread in a second, millions: what a sanitizer or debug build costs.
    #[serde(default)]
    pub speed: f64,
}

impl Facts {
    /// Whether Python code runs on one thread at a time: the VM's own word where it has one,
    /// else what was measured.
    pub fn has_gil(&self) -> bool {
        self.gil_claimed
            .unwrap_or(self.speedup < 1.4 && self.interleaving < 0.02)
    }

    /// Whether this sanitizer (`thread`, `address`, `undefined`) is in the program.
    pub fn sanitized(&self, by: &str) -> bool {
        self.sanitizers.iter().any(|s| s == by)
    }

    /// How many times longer than usual this VM may take: what its sanitizer costs, generously.
    pub fn slowness(&self) -> u32 {
        match () {
            () if self.sanitized("thread") => 10,
            () if self.sanitized("address") => 4,
            () if self.sanitized("undefined") || self.debug() => 2,
            () => 1,
        }
    }

    /// Whether the VM was compiled with its own assertions, by what it says of its configuration.
    pub fn debug(&self) -> bool {
        self.build.contains("--with-pydebug")
    }

    /// Short name for tables: `cpython 3.13.5`, `cpython 3.13.5 +thread` with a sanitizer,
    /// `cpython 3.13.5 +debug` with its own assertions.
    pub fn title(&self) -> String {
        let version = self.version.split_whitespace().next().unwrap_or("?");
        let version = match self.version.split_once("[RustPython ") {
            Some((_, rest)) => rest.split([' ', ']']).next().unwrap_or(version),
            None => version.trim_end_matches(';'),
        };
        let version = match self.version.split_once("MicroPython v") {
            Some((_, rest)) => rest.split_whitespace().next().unwrap_or(version),
            None => version,
        };
        let mut title = format!("{} {version}", self.implementation);
        if self.has_gil() {
            title += " (GIL)";
        }
        for sanitizer in &self.sanitizers {
            title += " +";
            title += sanitizer;
        }
        if self.debug() {
            title += " +debug";
        }
        title
    }
}

/// Modules that `threadbare vms` asks for.
pub const MODULES: &[&str] = &[
    "threading",
    "_thread",
    "weakref",
    "itertools",
    "functools",
    "collections",
    "array",
    "io",
    "ctypes",
    "sqlite3",
    "decimal",
    "hashlib",
    "zlib",
    "bz2",
    "lzma",
    "pyexpat",
    "contextvars",
    "mmap",
    "asyncio",
];

/// A VM that was found.
#[derive(Clone, Debug)]
pub struct Vm {
    /// As the user named it.
    pub spec: String,
    program: PathBuf,
    args: Vec<OsString>,
    argv0: Option<&'static str>,
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
        if let Some(driver) = self.driver() {
            (driver.prepare)(&self.facts, &mut command);
        }
        sanitizers::prepare(&self.facts, &mut command);
        command.arg(file);
        command
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
        DRIVERS
            .iter()
            .find(|d| d.implementation == self.facts.implementation)
    }

    /// Why this VM promises nothing about shared containers, if so.
    pub fn no_promise(&self) -> Option<&'static str> {
        self.driver().and_then(|d| d.promise.err())
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
        let implementation = log
            .facts
            .get("implementation")
            .ok_or_else(|| fail(log.how_it_ended()))?;
        let sanitizers = std::mem::take(&mut self.facts.sanitizers);
        self.facts = Facts {
            implementation: implementation.clone(),
            version: log
                .facts
                .get("version")
                .cloned()
                .unwrap_or_default()
                .replace('\n', " "),
            gil_claimed: match log.facts.get("gil").map(String::as_str) {
                Some("True") => Some(true),
                Some("False") => Some(false),
                _ => None,
            },
            speedup: log
                .facts
                .get("speedup")
                .and_then(|s| s.parse().ok())
                .unwrap_or(0.0),
            interleaving: log
                .facts
                .get("interleaving")
                .and_then(|s| s.parse().ok())
                .unwrap_or(0.0),
            modules: log
                .support
                .iter()
                .filter(|(_, s)| s == "ok")
                .map(|(m, _)| m.clone())
                .collect(),
            sanitizers,
            build: log.facts.get("build").cloned().unwrap_or_default(),
            environment: Vec::new(),
            speed: log
                .facts
                .get("speed")
                .and_then(|s| s.parse().ok())
                .unwrap_or(0.0),
        };
        if !log.finished {
            return Err(fail(log.how_it_ended()));
        }
        // RustPython claims a version without a GIL through its own name; PyPy and CPython before 3.13
        // have one always.
        let always = ["cpython", "pypy"].contains(&self.facts.implementation.as_str());
        if always && self.facts.gil_claimed.is_none() {
            self.facts.gil_claimed = Some(true);
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

fn executable(path: &Path) -> Option<PathBuf> {
    let usable = |p: &Path| {
        p.metadata()
            .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if path.components().count() > 1 {
        return usable(path).then(|| path.to_owned());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(path))
        .find(|p| usable(p))
}

/// VMs worth trying without being named: the embedded one, what PATH holds, what `ci/vm/` built.
pub fn candidates() -> Vec<String> {
    let mut found = vec![EMBEDDED.to_owned()];
    let names = [
        "python3",
        "python3.13t",
        "python3.14t",
        "python3.15t",
        "python3.14",
        "python3.15",
        "micropython",
        "pypy3",
        "graalpy",
        "jython",
    ];
    found.extend(
        names
            .iter()
            .filter(|n| executable(Path::new(n)).is_some())
            .map(|n| (*n).to_owned()),
    );
    let cache = std::env::var_os("THREADBARE_VM_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            let base = std::env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")))?;
            Some(base.join("threadbare/vm"))
        });
    let mut built: Vec<String> = cache
        .and_then(|dir| std::fs::read_dir(dir).ok())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| built_program(&entry.path()))
        .collect();
    built.sort();
    found.extend(built);
    found
}

/// The interpreter in a folder that a script of `ci/vm/` has completed.
fn built_program(dir: &Path) -> Option<String> {
    let names = [
        "bin/python3.13t",
        "bin/python3.14t",
        "bin/python3.15t",
        "bin/micropython",
        "bin/rustpython",
        "bin/pypy3",
        "bin/python3.14",
        "bin/python3.15",
    ];
    names
        .iter()
        .map(|n| dir.join(n))
        .find_map(|p| executable(&p))
        .map(|p| p.display().to_string())
}
