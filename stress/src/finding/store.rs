//! The store: one folder a finding under `OUT/findings/`.
//!
//! Files are written beside their place and renamed, so that a hunt killed at any moment
//! leaves every earlier finding whole.

use super::{Finding, SCHEMA, known};
use crate::files;
use crate::verdict::Kind;
use std::collections::BTreeMap;
use std::io::ErrorKind;
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
    /// Folders of those that do not lie under their id.
    elsewhere: BTreeMap<String, PathBuf>,
}

/// A finding and the folder in which it lies: a user may have renamed it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The finding.
    pub finding: Finding,
    /// Its folder.
    pub folder: PathBuf,
}

/// What lies under `OUT/findings/`.
#[derive(Debug, Default)]
pub struct Contents {
    /// The findings, by id.
    pub found: Vec<Found>,
    /// Why others cannot be read.
    pub unreadable: Vec<StoreError>,
}

impl Contents {
    /// The findings, where all can be read.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn whole(self) -> Result<Vec<Found>, StoreError> {
        match self.unreadable.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(self.found),
        }
    }
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
    /// Opens or creates the store and reads the findings that are there. Of two that a user made of one by copying
    /// its folder the one that lies under its id counts, and the other is left alone.
    ///
    /// # Errors
    /// When the folder cannot be written, or a finding not be read: who goes on without it could overwrite it.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        let dir = out.join("findings");
        std::fs::create_dir_all(&dir).map_err(|source| StoreError::Write {
            path: dir.clone(),
            source,
        })?;
        // A folder that exists may still not be ours to write; better now than after the first finding.
        write_atomically(&dir.join(".probe"), b"")?;
        let _ = std::fs::remove_file(dir.join(".probe"));
        let mut found = contents(&dir)?.whole()?;
        found.sort_by_key(|f| (f.finding.id.clone(), f.folder != dir.join(&f.finding.id)));
        found.dedup_by(|later, first| later.finding.id == first.finding.id);
        let renamed = found.iter().filter(|f| f.folder != dir.join(&f.finding.id));
        let elsewhere = renamed.map(|f| (f.finding.id.clone(), f.folder.clone()));
        Ok(Self {
            elsewhere: elsewhere.collect(),
            findings: found.into_iter().map(|f| f.finding).collect(),
            dir,
        })
    }

    /// Reads the findings of an output folder without writing anything there.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn read(out: &Path) -> Result<Vec<Finding>, StoreError> {
        let found = Self::contents(out)?.whole()?;
        Ok(found.into_iter().map(|f| f.finding).collect())
    }

    /// The same with their folders, and without those that cannot be read.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn contents(out: &Path) -> Result<Contents, StoreError> {
        contents(&out.join("findings"))
    }

    /// All findings, by id.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Folder of a finding, or the one that a new finding gets: none in which another lies.
    pub fn folder(&self, id: &str) -> PathBuf {
        if let Some(folder) = self.elsewhere.get(id) {
            return folder.clone();
        }
        let of_another = |name: &str| {
            let folder = self.dir.join(name);
            let named = name != id && self.findings.iter().any(|f| f.id == name);
            named || self.elsewhere.values().any(|other| *other == folder)
        };
        self.dir.join(numbered(id, of_another))
    }

    /// The id under which a finding is to be saved: its own, unless another failure has it. A name is short, and two
    /// places may share it: then it gets a number.
    pub fn free_id(&self, finding: &Finding) -> String {
        let of_another = |id: &str| {
            let mut all = self.findings.iter();
            all.any(|f| f.id == id && known::are_two(f, finding))
        };
        numbered(&finding.id, of_another)
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
        if folder != self.dir.join(&finding.id) {
            self.elsewhere.insert(finding.id.clone(), folder);
        }
        match self.findings.iter_mut().find(|f| f.id == finding.id) {
            Some(old) => *old = finding.clone(),
            None => self.findings.push(finding.clone()),
        }
        Ok(())
    }

    /// Removes a finding that a smaller one has replaced.
    pub fn remove(&mut self, id: &str) {
        let folder = self.folder(id);
        self.findings.retain(|f| f.id != id);
        self.elsewhere.remove(id);
        let _ = std::fs::remove_dir_all(folder);
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

/// The first of `name`, `name-2`, `name-3`, … that is not taken.
fn numbered(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut n = 1;
    while taken(&free) {
        n += 1;
        free = format!("{name}-{n}");
    }
    free
}

fn contents(dir: &Path) -> Result<Contents, StoreError> {
    let entries = std::fs::read_dir(dir).map_err(|e| match e.kind() {
        ErrorKind::NotFound => StoreError::Read {
            path: dir.to_owned(),
            reason: "no such folder; `threadbare hunt --out` makes one".into(),
        },
        _ => refused(dir, &e),
    })?;
    let mut contents = Contents::default();
    for entry in entries {
        let folder = entry.map_err(|e| refused(dir, &e))?.path();
        let file = folder.join("finding.json");
        let finding = match std::fs::read(&file) {
            Ok(text) => parse(&file, &text),
            // A folder whose writer was killed, or a file.
            Err(e) if is_missing(&e) => continue,
            Err(e) => Err(refused(&file, &e)),
        };
        match finding {
            Ok(finding) => contents.found.push(Found { finding, folder }),
            Err(error) => contents.unreadable.push(error),
        }
    }
    let name = |f: &Found| (f.finding.id.clone(), f.folder.clone());
    contents.found.sort_by_key(name);
    contents.unreadable.sort_by_key(ToString::to_string);
    Ok(contents)
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What is there and cannot be read: that says nothing of whether there are findings.
fn refused(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Read {
        path: path.to_owned(),
        reason: format!(
            "{error}; let this user read it, or move it out of the output folder, then run the same command again"
        ),
    }
}

/// The backtrace in a finding's folder, if there is one.
pub fn backtrace(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join("backtrace.txt")).ok()
}

/// Reads a finding's folder (or its `finding.json`).
///
/// # Errors
/// When it cannot be read, is damaged or of a newer program, or its id is no name of a folder.
pub fn read(path: &Path) -> Result<Finding, StoreError> {
    let file = if path.is_dir() {
        path.join("finding.json")
    } else {
        path.to_owned()
    };
    let text = std::fs::read(&file).map_err(|e| match is_missing(&e) {
        true => StoreError::Read {
            path: file.clone(),
            reason: format!(
                "{e}; a finding is a folder OUT/findings/ID, and `threadbare findings OUT` lists all"
            ),
        },
        false => refused(&file, &e),
    })?;
    parse(&file, &text)
}

fn parse(file: &Path, text: &[u8]) -> Result<Finding, StoreError> {
    let fail = |reason: String| StoreError::Read {
        path: file.to_owned(),
        reason,
    };
    let finding: Finding = serde_json::from_slice(text).map_err(|e| {
        fail(format!(
            "it is damaged: {e}; move its folder out of the output folder or put a whole copy there, then run the \
             same command again"
        ))
    })?;
    if finding.schema > SCHEMA {
        return Err(fail(format!(
            "written by a newer program (schema {}, this one reads {SCHEMA}); use that program, or move it out of the \
             output folder",
            finding.schema
        )));
    }
    if !is_id(&finding.id) {
        return Err(fail(format!(
            "its id {:?} is no name that a hunt gives (letters, digits, '.', '_', '-'), and files would be written \
             under it; write the folder's name there, or move it out of the output folder",
            finding.id
        )));
    }
    Ok(finding)
}

/// Whether a text may be a finding's id: one plain name of a folder, as [`Finding::make_id`] gives them.
fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !matches!(text, "" | "." | "..") && text.bytes().all(plain)
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
