//! Marks: what people decided about findings, in `OUT/marks.json`.
//!
//! A mark belongs to a race, not to a folder: it is recognised by family of VMs, subject, and as
//! [`crate::identity`] tells failures apart, by the finding's whole place without numbers of lines, which tell only two places of one VM apart. So it outlives
//! the finding and holds again when the finding is found anew. No hunt removes one. The file is replaced whole, after its new text
//! has reached the disk, and one that cannot be read is an error and never taken for empty.

mod mark;

pub use self::mark::{Mark, Race, State};

use crate::finding::Finding;
use crate::finding::store::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of `marks.json`; readers refuse a newer one.
pub const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    schema: u32,
    marks: Vec<Mark>,
}

/// The marks of an output folder.
#[derive(Debug, Default)]
pub struct Marks {
    path: PathBuf,
    marks: Vec<Mark>,
    /// Held while the marks may change, so that two programs do not undo each other's.
    _lock: Option<File>,
}

impl Marks {
    /// Reads the marks; none when there is no file.
    ///
    /// # Errors
    /// When the file is there and cannot be read: it is left as it is.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        let path = out.join("marks.json");
        let fail = |reason: String| StoreError::Read {
            path: path.clone(),
            reason,
        };
        let marks = match std::fs::read_to_string(&path) {
            Ok(text) => {
                let saved: Saved = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
                if saved.schema > SCHEMA {
                    return Err(fail(format!(
                        "written by a newer program (schema {}, this one reads {SCHEMA})",
                        saved.schema
                    )));
                }
                saved.marks
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(fail(e.to_string())),
        };
        Ok(Self {
            path,
            marks,
            _lock: None,
        })
    }

    /// Reads the marks to change them; another program that wants the same waits.
    ///
    /// # Errors
    /// As [`Marks::open`], and when the folder cannot be written.
    pub fn change(out: &Path) -> Result<Self, StoreError> {
        let path = out.join(".marks.lock");
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let lock = locked.map_err(|source| StoreError::Write { path, source })?;
        Ok(Self {
            _lock: Some(lock),
            ..Self::open(out)?
        })
    }

    /// All marks.
    pub fn all(&self) -> &[Mark] {
        &self.marks
    }

    /// The marks of a finding: those of its race.
    pub fn of(&self, finding: &Finding) -> Vec<&Mark> {
        let race = Race::of(finding);
        self.marks.iter().filter(|m| m.race.is(&race)).collect()
    }

    /// Marks a finding, in the place of every earlier mark of the same race.
    pub fn set(&mut self, finding: &Finding, state: State, note: &str) {
        let race = Race::of(finding);
        self.marks.retain(|m| !m.race.is(&race));
        self.marks.push(Mark {
            id: finding.id.clone(),
            race,
            state,
            note: note.to_owned(),
            vm: finding.facts.title(),
            again: None,
        });
        self.marks.sort();
    }

    /// Takes over marks of other folders, all at once. Of those that are about the very same race and say the same
    /// one is kept; all others stay, also those that contradict each other. Whether two races are one decides
    /// about no other mark than "nothing yet": it is not transitive, and what is kept must not depend on which
    /// folders were merged first.
    pub fn take<'a>(&mut self, others: impl IntoIterator<Item = &'a Mark>) {
        let mut kept: BTreeMap<(Race, State, String), Mark> = BTreeMap::new();
        for mark in self.marks.drain(..).chain(others.into_iter().cloned()) {
            let key = (mark.race.clone(), mark.state.clone(), mark.note.clone());
            match kept.remove(&key) {
                None => kept.insert(key, mark),
                // They differ in nothing but where: whoever comes first, the same is kept.
                Some(old) => {
                    let again = old.again.clone().max(mark.again.clone());
                    let least = old.min(mark);
                    kept.insert(key, Mark { again, ..least })
                }
            };
        }
        let all: Vec<Mark> = kept.into_values().collect();
        // Nothing decided yet contradicts nothing. What is decided stays, here and in every later merge.
        let is_decided = |race: &Race| {
            let mut decided = all.iter().filter(|m| m.state != State::New);
            decided.any(|m| m.race.is(race))
        };
        let stays = |m: &&Mark| m.state != State::New || !m.note.is_empty() || !is_decided(&m.race);
        self.marks = all.iter().filter(stays).cloned().collect();
        self.marks.sort();
    }

    /// Groups of marks that contradict each other: each of a group contradicts another one of it.
    pub fn conflicts(&self) -> Vec<Vec<&Mark>> {
        let contradict = |a: &Mark, b: &Mark| a.state != b.state && a.race.is(&b.race);
        let mut groups: Vec<Vec<&Mark>> = Vec::new();
        for mark in self.marks.iter().filter(|m| m.state != State::New) {
            // All groups that it contradicts become one with it.
            let (with, without) = groups
                .into_iter()
                .partition::<Vec<_>, _>(|g| g.iter().any(|m| contradict(m, mark)));
            groups = without;
            let mut group: Vec<&Mark> = with.into_iter().flatten().chain([mark]).collect();
            group.sort();
            groups.push(group);
        }
        groups.retain(|g| g.len() > 1);
        groups.sort();
        groups
    }

    /// Notes that a race was found by a hunt: marks that call it fixed remember it. True when there is such a mark.
    pub fn found(&mut self, finding: &Finding) -> bool {
        let race = Race::of(finding);
        let mut fixed = false;
        for mark in &mut self.marks {
            if mark.state == State::Fixed && mark.race.is(&race) {
                mark.again = Some(finding.facts.title());
                fixed = true;
            }
        }
        fixed
    }

    /// Writes the file: the new text reaches the disk before it takes the old one's place.
    ///
    /// # Errors
    /// When it cannot be written; the old file then is whole.
    pub fn save(&self) -> Result<(), StoreError> {
        let fail = |source| StoreError::Write {
            path: self.path.clone(),
            source,
        };
        let saved = Saved {
            schema: SCHEMA,
            marks: self.marks.clone(),
        };
        let text = serde_json::to_string_pretty(&saved).expect("marks serialise");
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(fail)?;
        file.write_all(text.as_bytes()).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&self.path).map_err(|e| fail(e.error))?;
        // The new name itself must reach the disk too.
        File::open(dir).and_then(|d| d.sync_all()).map_err(fail)
    }
}

/// Notes in the marks of an output folder what a hunt has found, and gives the findings that are
/// marked fixed. Without such a finding the file is left alone.
///
/// # Errors
/// When the marks cannot be read or written.
pub fn note_found<'a>(
    out: &Path,
    found: impl IntoIterator<Item = &'a Finding>,
) -> Result<Vec<&'a Finding>, StoreError> {
    let mut marks = Marks::open(out)?;
    let found: Vec<&Finding> = found.into_iter().filter(|f| marks.found(f)).collect();
    if found.is_empty() {
        return Ok(found);
    }
    let mut marks = Marks::change(out)?;
    for finding in &found {
        marks.found(finding);
    }
    marks.save()?;
    Ok(found)
}
