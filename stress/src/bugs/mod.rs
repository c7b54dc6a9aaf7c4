//! Known race bugs of Python VMs: data and a short program each, run to their signature.
//!
//! A bug is `stress/bugs/VM/NUMBER-NAME.toml` with the program of the same name beside it.
//! The program is any `python FILE [SECONDS]`: it exits 1 after a line `hit: …` when it saw a
//! wrong outcome, 77 after `skip: …` when this VM lacks what it needs, 0 when nothing was
//! seen; a crash ends it by itself.

pub mod attribute;
mod files;
pub mod ident;
pub mod matrix;
pub mod record;
pub mod regression;
pub mod run;
pub mod stats;

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a report turned out to be. Only [`Nature::Bug`] may be reported to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// A fault of the VM.
    Bug,
    /// Documented as not safe: found, and no fault.
    Documented,
    /// Behaviour that the VM's authors allow.
    Allowed,
    /// Reported, and later found to be no fault at all.
    False,
    /// Its authors do not agree.
    Disputed,
    /// A fault of a library below the VM.
    Foreign,
}

/// Ways in which a bug shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Ends by a signal.
    Crash,
    /// `Fatal Python error` or a failed assertion.
    Fatal,
    /// A Rust panic.
    Panic,
    /// No end.
    Hang,
    /// A result that no order explains.
    Wrong,
    /// An exception that no order raises.
    Exception,
    /// Memory that is never given back.
    Leak,
    /// A data race that only a sanitizer sees.
    Race,
}

/// What raw output of the bug has in common from run to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// Functions seen on any thread's native stack at the crash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// Functions of which one is innermost in a sanitizer's report of this race.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub race: Vec<String>,
    /// Parts of messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
}

/// What a measurement on a VM is expected to give again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It hit.
    Reproduced,
    /// The reports say fixed in this version, and it did not hit.
    Fixed,
    /// It did not hit, and nothing says why.
    NotReproduced,
    /// The VM lacks what the program needs.
    NotApplicable,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reproduced => "reproduced",
            Self::Fixed => "fixed",
            Self::NotReproduced => "not-reproduced",
            Self::NotApplicable => "not-applicable",
        })
    }
}

/// What was measured on one VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// VM and version, as [`run::vm_name`] names it.
    pub vm: String,
    /// What came out.
    pub status: Status,
    /// Runs that hit.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs together, seconds.
    pub seconds: f64,
    /// Mean time to a hit, seconds; 0 without one.
    #[serde(default)]
    pub first_hit: f64,
    /// What the first hit looked like, or why nothing was run.
    #[serde(default)]
    pub seen: String,
}

/// A known bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Repository of the report: `python/cpython`.
    pub repository: String,
    /// Number or name of the report there.
    pub number: String,
    /// Other reports of the same bug.
    #[serde(default)]
    pub also: Vec<serde_json::Value>,
    /// One line, in our words.
    pub title: String,
    /// Family of VMs: the implementation's name.
    pub vm: String,
    /// Part of the VM.
    pub category: String,
    /// The protocol it breaks, as `threadbare check` names it, where there is one.
    #[serde(default)]
    pub protocol: String,
    /// The protocol's mutant that is this fault in small, where the model has one.
    #[serde(default)]
    pub mutant: String,
    /// The mistake that it shares with others.
    #[serde(default)]
    pub pattern: String,
    /// What it turned out to be.
    pub nature: Nature,
    /// Versions said to have it.
    pub affected: String,
    /// Versions said to be without it.
    pub fixed: String,
    /// How it shows.
    pub failure: Vec<Failure>,
    /// Builds that show it: `release`, `debug`, `tsan`, `asan`.
    pub builds: Vec<String>,
    /// What the VM must have.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Other entries whose raw output cannot be told from this one's.
    #[serde(default)]
    pub same: Vec<String>,
    /// Where it was reported.
    pub source: String,
    /// What else a reader should know.
    #[serde(default)]
    pub note: String,
    /// How its output is recognised.
    #[serde(default)]
    pub signature: Signature,
    /// Measurements, one a VM.
    #[serde(default)]
    pub measured: Vec<Measured>,
    /// Path below `stress/bugs/` without its ending.
    #[serde(skip)]
    pub stem: String,
    /// The program.
    #[serde(skip)]
    pub program: String,
    /// What a debugger showed when the program crashed a VM, or empty.
    #[serde(skip)]
    pub crash: String,
}

impl Bug {
    /// `python/cpython#154130`.
    pub fn id(&self) -> String {
        format!("{}#{}", self.repository, self.number)
    }

    /// The last measurement on this VM.
    pub fn measured_on(&self, vm: &str) -> Option<&Measured> {
        self.measured.iter().find(|m| m.vm == vm)
    }

    /// Whether the bug shows on nothing but a sanitizer's build.
    pub fn race_only(&self) -> bool {
        self.failure == [Failure::Race]
    }
}

/// The catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BugsError {
    /// A file is not as the format wants it.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No such bug.
    #[error("no bug '{asked}' in the catalogue; {near}`threadbare bugs` lists them")]
    Unknown {
        /// As the user named it.
        asked: String,
        /// Names like it, as half a sentence.
        near: String,
    },
}

/// Reads one bug: its description, its program, and the crash recorded of it, or nothing.
pub fn parse(stem: &str, text: &str, program: &str, crash: &str) -> Result<Bug, BugsError> {
    let fail = |reason: String| BugsError::Malformed {
        file: format!("{stem}.toml"),
        reason,
    };
    let mut bug: Bug = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    if bug.failure.is_empty() {
        return Err(fail("`failure` names no way in which the bug shows".into()));
    }
    stem.clone_into(&mut bug.stem);
    program.clone_into(&mut bug.program);
    crash.clone_into(&mut bug.crash);
    Ok(bug)
}

/// The catalogue that comes with the program.
///
/// # Panics
/// When an entry does not parse: the files are part of the program and a test reads them all.
pub fn shipped() -> Vec<Bug> {
    files::FILES
        .iter()
        .map(|(stem, text, program, crash)| {
            parse(stem, text, program, crash).unwrap_or_else(|e| panic!("{e}"))
        })
        .collect()
}

/// The catalogue in a folder: `DIR/VM/NAME.toml` with `NAME.py` beside it, and `NAME.txt` where a
/// crash was recorded.
pub fn load(dir: &Path) -> Result<Vec<Bug>, BugsError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BugsError::Io { path, source }
    };
    let mut bugs = Vec::new();
    for vm in std::fs::read_dir(dir).map_err(io(dir))?.flatten() {
        for entry in std::fs::read_dir(vm.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(io(&path))?;
            let script = path.with_extension("py");
            let program = std::fs::read_to_string(&script).map_err(io(&script))?;
            let crash = path.with_extension("txt");
            let crash = match std::fs::read_to_string(&crash) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                read => read.map_err(io(&crash))?,
            };
            let stem = path.strip_prefix(dir).unwrap_or(&path).with_extension("");
            bugs.push(parse(&stem.to_string_lossy(), &text, &program, &crash)?);
        }
    }
    bugs.sort_by(|a, b| a.stem.cmp(&b.stem));
    Ok(bugs)
}

/// Finds a bug by its id (`python/cpython#154130`), by number alone when only one has it, or
/// by the name of its file.
pub fn find<'a>(bugs: &'a [Bug], asked: &str) -> Result<&'a Bug, BugsError> {
    let number = asked.trim_start_matches('#');
    let by = |test: &dyn Fn(&Bug) -> bool| {
        let mut found = bugs.iter().filter(|b| test(b));
        found.next().filter(|_| found.next().is_none())
    };
    by(&|b| b.id() == asked)
        .or_else(|| by(&|b| b.stem == asked || b.stem.rsplit('/').next() == Some(asked)))
        .or_else(|| by(&|b| b.number == number))
        .ok_or_else(|| {
            let digits: String = asked.chars().filter(char::is_ascii_digit).collect();
            let near: Vec<String> = bugs
                .iter()
                .filter(|b| digits.len() > 2 && b.number.contains(&digits))
                .take(3)
                .map(Bug::id)
                .collect();
            BugsError::Unknown {
                asked: asked.to_owned(),
                near: if near.is_empty() {
                    String::new()
                } else {
                    format!("did you mean {}? ", near.join(", "))
                },
            }
        })
}

/// One line of JSON output: the value with `schema`, `event` and, for a bug, its `id`.
///
/// # Panics
/// Never for the types of this crate: all of them serialise as objects.
pub fn json(event: &str, value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).expect("an object of ours serialises");
    value["schema"] = matrix::SCHEMA.into();
    value["event"] = event.into();
    if let (Some(r), Some(n)) = (value["repository"].as_str(), value["number"].as_str()) {
        value["id"] = format!("{r}#{n}").into();
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_shipped_file_is_listed_and_parses() {
        let bugs = shipped();
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs");
        let on_disk: BTreeSet<String> = load(&dir).unwrap().into_iter().map(|b| b.stem).collect();
        let listed: BTreeSet<String> = bugs.iter().map(|b| b.stem.clone()).collect();
        let differ: Vec<_> = listed.symmetric_difference(&on_disk).collect();
        assert!(
            differ.is_empty(),
            "in src/bugs/files.rs or in bugs/, not in both (ci/bugs.sh --list): {differ:?}"
        );
        let mut ids: Vec<String> = bugs.iter().map(Bug::id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), bugs.len(), "an id is there twice");
    }

    #[test]
    fn finding_by_id_number_or_name() {
        let bugs = shipped();
        let bug = find(&bugs, "python/cpython#154130").unwrap();
        assert_eq!(find(&bugs, "154130").unwrap(), bug);
        assert_eq!(find(&bugs, "#154130").unwrap(), bug);
        assert_eq!(find(&bugs, "154130-dict-iterator-exhaustion").unwrap(), bug);
        let error = find(&bugs, "python/cpython#15413").unwrap_err().to_string();
        assert!(
            error.contains("did you mean python/cpython#154130"),
            "{error}"
        );
    }
}
