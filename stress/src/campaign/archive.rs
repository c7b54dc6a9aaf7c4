//! What the processes of a hunt left, saved so that it can be judged again without any VM.
//!
//! One file a process, `OUT/histories/NUMBER.json.gz`, with `-failing` before the ending where a
//! verdict on it was more than accepted: one [`Saved`] as JSON, compressed with gzip. The folder is
//! bounded. Beyond the bound the oldest go, those of failing processes last; [`super::state::State`]
//! counts them.

use super::state::State;
use crate::files;
use crate::finding::store::StoreError;
use crate::scenario::Scenario;
use crate::verdict::Verdict;
use crate::verdict::grade::Grade;
use crate::vm::Facts;
use crate::vm::child::Outcome;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Version of the files; readers refuse a newer one. The first also said of each scenario whether all its
/// orders were run.
pub const SCHEMA: u32 = 2;

/// Usual bound of the folder, bytes.
pub const MOST_BYTES: u64 = 64 << 20;

/// More processes than any hunt has; other numbers are no file's of ours.
const MOST_FILES: u64 = 1 << 40;

/// One process of a hunt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The VM.
    pub facts: Facts,
    /// Seed of the hunt.
    pub seed: u64,
    /// Numbers of the scenarios within their subject.
    pub numbers: Vec<usize>,
    /// The scenarios, in the order of the job.
    pub scenarios: Vec<Scenario>,
    /// Everything that the process printed, and how it ended.
    pub outcome: Outcome,
    /// What was made of it.
    pub verdicts: Vec<Recorded>,
}

/// A verdict as it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Position of the scenario in the job.
    pub scenario: usize,
    /// How bad it is.
    pub grade: Grade,
    /// What was seen.
    pub verdict: Verdict,
}

impl Saved {
    /// Whether a verdict on it is more than accepted.
    pub fn is_failing(&self) -> bool {
        self.verdicts.iter().any(|v| v.grade != Grade::Accepted)
    }

    /// Whether it is a process of the hunt whose state this is, as far as its VM, seed and shard tell: hunts that have
    /// all three in common are not told apart.
    pub fn is_of(&self, hunt: &State) -> bool {
        let vm_and_seed = self.facts.title() == hunt.vm && self.seed == hunt.seed;
        vm_and_seed && self.numbers.iter().all(|&number| hunt.shard.has(number))
    }

    /// The bytes of its file.
    ///
    /// # Panics
    /// Never: all of it serialises, and memory takes what is written.
    pub fn packed(&self) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut packed, self).expect("a record serialises");
        packed.finish().expect("memory takes all")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is missing, cut, no record, a newer program's, or one of which not all orders are known.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let fail = |reason: String| StoreError::Read {
            path: path.to_owned(),
            reason,
        };
        let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut GzDecoder::new(file), &mut text)
            .map_err(|e| fail(format!("cut or damaged ({e})")))?;
        let saved: Self = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
        if saved.schema > SCHEMA {
            return Err(fail(format!(
                "written by a newer program (schema {}, this one reads {SCHEMA})",
                saved.schema
            )));
        }
        if saved.schema < 2 {
            let orders: Orders = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
            if let Some(at) = orders.complete.iter().position(|all| !all) {
                return Err(fail(format!(
                    "scenario {at} was run in some of its orders only, as programs did that wrote schema 1, so \
                     that nothing says which of its outcomes are wrong; hunt again"
                )));
            }
        }
        Ok(saved)
    }
}

/// What a file of the first schema says besides.
#[derive(Deserialize)]
struct Orders {
    /// Which of the scenarios were run in all their orders.
    #[serde(default)]
    complete: Vec<bool>,
}

/// The folder of a hunt's processes.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    /// By number: the file's name, its size, whether the process failed.
    files: BTreeMap<u64, (String, u64, bool)>,
    next: u64,
    most: u64,
}

impl Archive {
    /// Of an output folder in which a hunt saved `saved` files so far, bounded to `most` bytes; with 0 nothing is
    /// saved.
    pub fn open(out: &Path, most: u64, saved: u64) -> Self {
        let dir = out.join("histories");
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some((number, failing)) = parts(&name) {
                let size = entry.metadata().map_or(0, |m| m.len());
                files.insert(number, (name, size, failing));
            }
        }
        // A hunt that was killed may have saved more than it wrote down, and of what it saved the last may be gone.
        let next = files.keys().next_back().map_or(0, |n| n + 1).max(saved);
        Self {
            dir,
            files,
            next,
            most,
        }
    }

    /// Whether anything is saved.
    pub fn is_kept(&self) -> bool {
        self.most > 0
    }

    /// Saves the bytes of a process and keeps the bound; says how many files had to go for it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn add(&mut self, packed: &[u8], failing: bool) -> Result<u64, StoreError> {
        let end = if failing { "-failing" } else { "" };
        let name = format!("{:06}{end}.json.gz", self.next);
        let path = self.dir.join(&name);
        std::fs::create_dir_all(&self.dir)
            .and_then(|()| files::write_atomically(&path, packed))
            .map_err(|source| StoreError::Write { path, source })?;
        self.files
            .insert(self.next, (name, packed.len() as u64, failing));
        self.next += 1;
        let mut dropped = 0;
        while self.bytes() > self.most
            && let Some(number) = self.least()
            && let Some((name, ..)) = self.files.remove(&number)
        {
            // Gone already is as good.
            let _ = std::fs::remove_file(self.dir.join(name));
            dropped += 1;
        }
        Ok(dropped)
    }

    /// Files saved so far, those that had to go among them.
    pub fn saved(&self) -> u64 {
        self.next
    }

    /// Files and bytes that are kept.
    pub fn size(&self) -> (usize, u64) {
        (self.files.len(), self.bytes())
    }

    fn bytes(&self) -> u64 {
        self.files.values().map(|(_, size, _)| size).sum()
    }

    /// The oldest of the processes that showed nothing, else the oldest.
    fn least(&self) -> Option<u64> {
        let plain = self.files.iter().find(|(_, (_, _, failing))| !failing);
        plain.or(self.files.first_key_value()).map(|(n, _)| *n)
    }
}

/// Number of a file, and whether its process failed; `None` for other names.
fn parts(name: &str) -> Option<(u64, bool)> {
    let stem = name.strip_suffix(".json.gz")?;
    let (number, failing) = match stem.strip_suffix("-failing") {
        Some(number) => (number, true),
        None => (stem, false),
    };
    // No hunt counts so far as to need more digits.
    Some((number.parse().ok().filter(|n| *n < MOST_FILES)?, failing))
}

/// The files of an output folder in the order of the hunt.
///
/// # Errors
/// When there is no such folder.
pub fn files(out: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let dir = out.join("histories");
    let entries = std::fs::read_dir(&dir).map_err(|e| StoreError::Read {
        path: dir.clone(),
        reason: format!("{e}; `threadbare hunt --out` makes it"),
    })?;
    let mut files: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|e| Some((parts(&e.file_name().to_string_lossy())?.0, e.path())))
        .collect();
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// How many files are gone without the hunt having dropped them: numbers are given one after another, `saved` at
/// least were given, and `dropped` of the files went for the bound. Of a hunt that was killed, files that it saved
/// after it last wrote down how many, and that are gone after the last one here, are not told.
pub fn gone(files: &[PathBuf], dropped: u64, saved: u64) -> u64 {
    let number = |path: &PathBuf| Some(parts(&path.file_name()?.to_string_lossy())?.0);
    let there: BTreeSet<u64> = files.iter().filter_map(number).collect();
    let given = there.last().map_or(0, |last| last + 1).max(saved);
    (given - there.len() as u64).saturating_sub(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_the_oldest_that_showed_nothing_goes_first() {
        let out = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(out.path(), 250, 0);
        let mut add = |failing| archive.add(&[0; 100], failing).unwrap();
        assert_eq!([add(true), add(false), add(false), add(true)], [0, 0, 1, 1]);
        let names = || -> Vec<String> {
            let files = files(out.path()).unwrap();
            let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
            files.iter().map(name).collect()
        };
        assert_eq!(
            names(),
            ["000000-failing.json.gz", "000003-failing.json.gz"]
        );
        let gone = |dropped, saved| gone(&files(out.path()).unwrap(), dropped, saved);
        assert_eq!(gone(2, 4), 0, "the bound took two");
        assert_eq!(gone(1, 4), 1);
        assert_eq!(gone(2, 5), 1, "the last one is gone, and was written down");
        for other in ["000003.json.gz", "18446744073709551615.json.gz"] {
            let path = out.path().join("histories").join(other);
            std::fs::write(&path, "").unwrap();
            assert_eq!(gone(2, 4), 0, "{other}");
            std::fs::remove_file(path).unwrap();
        }
        // A hunt taken up again counts on.
        let mut archive = Archive::open(out.path(), 250, 0);
        assert_eq!(archive.size(), (2, 200));
        assert_eq!(archive.add(&[0; 100], true).unwrap(), 1);
        assert_eq!(
            names(),
            ["000003-failing.json.gz", "000004-failing.json.gz"]
        );
        assert_eq!(archive.saved(), 5);
        std::fs::remove_file(out.path().join("histories/000004-failing.json.gz")).unwrap();
        let mut archive = Archive::open(out.path(), 250, 5);
        assert_eq!(archive.add(&[0; 100], true).unwrap(), 0);
        assert_eq!(
            names(),
            ["000003-failing.json.gz", "000005-failing.json.gz"],
            "no number twice"
        );
    }
}
