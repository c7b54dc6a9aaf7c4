//! The store: one folder a finding under `OUT/findings/`.
//!
//! Files are written beside their place and renamed, so that a hunt killed at any moment
//! leaves every earlier finding whole.

use super::{Finding, SCHEMA};
use crate::files;
use crate::verdict::Kind;
use std::path::{Path, PathBuf};

/// The script of a finding among the files of [`Store::save`]. What its file is called the finding decides.
pub const SCRIPT: &str = "script";

/// The script of a finding that is reproduced.
const REPRODUCER: &str = "repro.py";

/// The script of one that is not: what was run when it was seen.
const SCENARIO: &str = "scenario.py";

/// The script that lies in a finding's folder.
pub fn script(folder: &Path) -> PathBuf {
    let [reproducer, scenario] = [REPRODUCER, SCENARIO].map(|name| folder.join(name));
    if scenario.exists() && !reproducer.exists() {
        scenario
    } else {
        reproducer
    }
}

/// Findings of one output folder.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    findings: Vec<Finding>,
}

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be written.
    #[error(
        "cannot write {path}: {source}; findings saved before stay where they are; choose another --out or free space, then run the same command again to resume"
    )]
    Write {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or folder of a hunt cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Store {
    /// Opens or creates the store and reads the findings that are there.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        let dir = out.join("findings");
        std::fs::create_dir_all(&dir).map_err(|source| StoreError::Write {
            path: dir.clone(),
            source,
        })?;
        // A folder that exists may still not be ours to write; better now than after the first finding.
        write_atomically(&dir.join(".probe"), b"")?;
        let _ = std::fs::remove_file(dir.join(".probe"));
        let findings = read_all(&dir)?;
        Ok(Self { dir, findings })
    }

    /// Reads the findings of an output folder without writing anything there.
    pub fn read(out: &Path) -> Result<Vec<Finding>, StoreError> {
        let dir = out.join("findings");
        if !dir.is_dir() {
            return Err(StoreError::Read {
                path: dir,
                reason: "no such folder; `threadbare hunt --out` makes one".into(),
            });
        }
        read_all(&dir)
    }

    /// All findings, by id.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Folder of a finding.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.dir.join(id)
    }

    /// Saves a finding and its files, its [`SCRIPT`] among them, replacing one with the same id.
    pub fn save(&mut self, finding: &Finding, files: &[(&str, &str)]) -> Result<(), StoreError> {
        let folder = self.folder(&finding.id);
        std::fs::create_dir_all(&folder).map_err(|source| StoreError::Write {
            path: folder.clone(),
            source,
        })?;
        for (name, text) in files {
            match *name {
                SCRIPT => write_script(&folder, text)?,
                name => write_atomically(&folder.join(name), text.as_bytes())?,
            }
        }
        // Last, because a folder without it does not count as a finding.
        write(&folder, finding)?;
        match self.findings.iter_mut().find(|f| f.id == finding.id) {
            Some(old) => *old = finding.clone(),
            None => self.findings.push(finding.clone()),
        }
        Ok(())
    }

    /// Removes a finding that a smaller one has replaced.
    pub fn remove(&mut self, id: &str) {
        self.findings.retain(|f| f.id != id);
        let _ = std::fs::remove_dir_all(self.folder(id));
    }

    /// Counts one more verdict on a finding; written with the next save or at the end.
    pub fn seen(&mut self, id: &str) {
        if let Some(finding) = self.findings.iter_mut().find(|f| f.id == id) {
            finding.seen += 1;
        }
    }

    /// Writes the counts of all findings.
    pub fn flush(&self) -> Result<(), StoreError> {
        for finding in &self.findings {
            write(&self.folder(&finding.id), finding)?;
        }
        Ok(())
    }

    /// Number of findings of this VM, subject and kind.
    pub fn count(&self, vm_title: &str, subject: &str, kind: Kind) -> usize {
        self.of(vm_title, subject, kind).count()
    }

    /// Findings of this VM, subject and kind.
    fn of<'a>(
        &'a self,
        vm_title: &'a str,
        subject: &'a str,
        kind: Kind,
    ) -> impl Iterator<Item = &'a Finding> {
        self.findings
            .iter()
            .filter(move |f| f.subject == subject && f.kind == kind && f.facts.title() == vm_title)
    }
}

/// Writes `finding.json` in a finding's folder, and calls its script what it is: so that every `repro.py`
/// lies beside a finding that is reproduced, whenever the program dies.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, finding: &Finding) -> Result<(), StoreError> {
    let [reproducer, scenario] = [REPRODUCER, SCENARIO].map(|name| folder.join(name));
    let rename = |from: &Path, to: &Path| match from.exists() {
        true => std::fs::rename(from, to).map_err(|source| StoreError::Write {
            path: to.to_owned(),
            source,
        }),
        false => Ok(()),
    };
    if !finding.is_reproduced() {
        rename(&reproducer, &scenario)?;
    }
    let text = serde_json::to_string_pretty(finding).expect("a finding serialises");
    write_atomically(&folder.join("finding.json"), text.as_bytes())?;
    if finding.is_reproduced() {
        rename(&scenario, &reproducer)?;
    }
    Ok(())
}

/// Writes a script that the next [`write()`] calls what it is; until then it is no reproducer.
///
/// # Errors
/// When it cannot be written.
pub fn write_script(folder: &Path, text: &str) -> Result<(), StoreError> {
    write_atomically(&folder.join(SCENARIO), text.as_bytes())?;
    match std::fs::remove_file(folder.join(REPRODUCER)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Write {
            path: folder.join(REPRODUCER),
            source,
        }),
        _ => Ok(()),
    }
}

fn read_all(dir: &Path) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().join("finding.json").is_file() {
            findings.push(read(&entry.path())?);
        }
    }
    findings.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(findings)
}

/// The backtrace saved with a finding of this output folder, if there is one.
pub fn backtrace(out: &Path, id: &str) -> Option<String> {
    std::fs::read_to_string(out.join("findings").join(id).join("backtrace.txt")).ok()
}

/// Reads a finding's folder (or its `finding.json`).
pub fn read(path: &Path) -> Result<Finding, StoreError> {
    let file = if path.is_dir() {
        path.join("finding.json")
    } else {
        path.to_owned()
    };
    let fail = |reason: String| StoreError::Read {
        path: file.clone(),
        reason,
    };
    let text = std::fs::read_to_string(&file).map_err(|e| {
        fail(format!(
            "{e}; a finding is a folder OUT/findings/ID, and `threadbare findings OUT` lists all"
        ))
    })?;
    let finding: Finding = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
    if finding.schema > SCHEMA {
        return Err(fail(format!(
            "written by a newer program (schema {}, this one reads {SCHEMA})",
            finding.schema
        )));
    }
    Ok(finding)
}

/// [`files::write_atomically`] with what to do next in the error.
///
/// # Errors
/// When it cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    files::write_atomically(path, bytes).map_err(|source| StoreError::Write {
        path: path.to_owned(),
        source,
    })
}
