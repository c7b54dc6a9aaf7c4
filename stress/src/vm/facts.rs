//! What a VM is: its own words, and what a first job measured.

use super::job::Log;
use serde::{Deserialize, Serialize};

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
    /// What the first job of a VM has said; `None` when it did not even give its name.
    pub(super) fn of(log: &Log, sanitizers: Vec<String>) -> Option<Self> {
        let word = |name: &str| log.facts.get(name).map(String::as_str);
        let number = |name| word(name).and_then(|n| n.parse().ok()).unwrap_or(0.0);
        let implementation = word("implementation")?.to_owned();
        let gil_claimed = match word("gil") {
            Some("True") => Some(true),
            Some("False") => Some(false),
            // RustPython claims a version without a GIL through its own name; PyPy and CPython before
            // 3.13 have one always.
            _ if ["cpython", "pypy"].contains(&implementation.as_str()) => Some(true),
            _ => None,
        };
        let supported = log.support.iter().filter(|(_, answer)| answer == "ok");
        Some(Self {
            implementation,
            version: word("version").unwrap_or_default().replace('\n', " "),
            gil_claimed,
            speedup: number("speedup"),
            interleaving: number("interleaving"),
            modules: supported.map(|(module, _)| module.clone()).collect(),
            sanitizers,
            build: word("build").unwrap_or_default().to_owned(),
            environment: Vec::new(),
            speed: number("speed"),
        })
    }

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
    "_interpreters",
];
