//! What a report is made of: the folders of hunts and campaigns, each read once.

use crate::campaign::failed::{FAILED, Failed};
use crate::campaign::state::State;
use crate::finding::store::{Found, Store, StoreError};
use crate::triage::marks::Marks;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Levels of folders below a campaign's at which its hunts lie: one for the VM, one for the shard.
const LEVELS: usize = 2;

/// A folder that findings lie in.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its path, as the user named it.
    pub name: String,
    /// Progress and totals of the hunt; `None` of a folder that findings were merged into, in which no hunt ran, and of
    /// a hunt that did not come to begin.
    pub state: Option<State>,
    /// Why the hunt failed, as its campaign noted.
    pub failed: Option<Failed>,
    /// Its findings.
    pub found: Vec<Found>,
}

impl Source {
    /// Whether it is a hunt's: else findings of hunts were merged into it.
    pub fn is_hunt(&self) -> bool {
        self.state.is_some() || self.failed.is_some()
    }

    fn read(folder: &Path, marks: &mut Vec<Marks>) -> Result<(Self, Vec<StoreError>), StoreError> {
        let state = State::find(folder)?;
        let failed = Failed::read(folder);
        let contents = match failed.is_some() && !folder.join("findings").exists() {
            true => Default::default(),
            false => Store::contents(folder)?,
        };
        marks.push(Marks::open(folder)?);
        let source = Self {
            name: folder.display().to_string(),
            state,
            failed,
            found: contents.found,
        };
        Ok((source, contents.unreadable))
    }
}

/// What the folders hold.
#[derive(Debug, Default)]
pub struct Collected {
    /// The hunts in the order in which they began, those that did not keep it last, and merged folders.
    pub sources: Vec<Source>,
    /// The marks of all of them: who marked a finding in one folder meant the failure.
    pub marks: Marks,
    /// Why some cannot be read.
    pub unreadable: Vec<StoreError>,
}

impl Collected {
    /// Of folders that were read, without a mark.
    pub fn of(mut sources: Vec<Source>) -> Self {
        let begun = |s: &Source| s.state.as_ref().and_then(|state| state.begun);
        sources.sort_by_key(|s| (begun(s).is_none(), begun(s), s.name.clone()));
        Self {
            sources,
            ..Self::default()
        }
    }

    /// Reads hunts and campaigns. A campaign's folder stands for its hunts, and its `merged` one for its marks.
    ///
    /// # Errors
    /// When a folder holds no hunt, or nothing can be read at all.
    pub fn read(outs: &[PathBuf]) -> Result<Self, StoreError> {
        let (mut sources, mut all, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for folder in hunts(outs)? {
            match Source::read(&folder, &mut all) {
                Ok((source, errors)) => {
                    sources.push(source);
                    unreadable.extend(errors);
                }
                Err(error) => unreadable.push(error),
            }
        }
        if sources.is_empty()
            && let Some(error) = unreadable.pop()
        {
            return Err(error);
        }
        let mut collected = Self::of(sources);
        collected.marks.take(all.iter().flat_map(Marks::all));
        collected.unreadable = unreadable;
        Ok(collected)
    }
}

/// The folders with findings in or below those that are named, each once.
fn hunts(outs: &[PathBuf]) -> Result<Vec<PathBuf>, StoreError> {
    let (mut folders, mut known) = (Vec::new(), BTreeSet::new());
    for out in outs {
        let mut below = Vec::new();
        walk(out, LEVELS, &mut below)?;
        if below.is_empty() {
            return Err(StoreError::Read {
                path: out.clone(),
                reason: "it holds no hunt and no campaign that has begun; `threadbare hunt --out` makes it, or \
                         `threadbare campaign run`"
                    .to_owned(),
            });
        }
        let fresh = |f: &PathBuf| known.insert(f.canonicalize().unwrap_or_else(|_| f.clone()));
        folders.extend(below.into_iter().filter(fresh));
    }
    Ok(folders)
}

fn walk(folder: &Path, levels: usize, below: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    if ["hunt.json", FAILED, "findings"]
        .iter()
        .any(|name| folder.join(name).exists())
    {
        below.push(folder.to_owned());
        return Ok(());
    }
    let fail = |e: std::io::Error| StoreError::Read {
        path: folder.to_owned(),
        reason: format!("{e}; `threadbare hunt --out` makes it"),
    };
    let mut inner = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        // Not through links: a folder may hold one to itself.
        if levels > 0 && entry.file_type().is_ok_and(|t| t.is_dir()) {
            inner.push(entry.path());
        }
    }
    inner.sort_unstable();
    inner.iter().try_for_each(|f| walk(f, levels - 1, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunt(folder: &Path) {
        std::fs::create_dir_all(folder.join("findings")).unwrap();
        State::default().save(folder).unwrap();
    }

    #[test]
    fn a_campaigns_folder_stands_for_its_hunts() {
        let dir = tempfile::tempdir().unwrap();
        let campaign = dir.path().join("campaign-out");
        for shard in ["a/shard-0-of-2", "a/shard-1-of-2", "b/shard-0-of-2"] {
            hunt(&campaign.join(shard));
        }
        // A hunt's canary is no hunt of the user's.
        hunt(&campaign.join("a/shard-0-of-2/canary"));
        std::fs::create_dir_all(campaign.join("merged/findings")).unwrap();
        let missing = campaign.join("c/shard-0-of-2");
        std::fs::create_dir_all(&missing).unwrap();
        std::fs::write(missing.join(FAILED), r#"{"code":3,"why":"no such VM"}"#).unwrap();
        // Named twice it is there once.
        let outs = [campaign.clone(), campaign.join("b/shard-0-of-2")];
        let sources = Collected::read(&outs).unwrap().sources;
        let (hunts, merged): (Vec<_>, Vec<_>) = sources.iter().partition(|s| s.is_hunt());
        assert_eq!(hunts.len(), 4);
        assert_eq!(merged.len(), 1);
        let failed = hunts.iter().find_map(|s| s.failed.as_ref()).unwrap();
        assert_eq!(failed.why, "no such VM");
    }

    #[test]
    fn hunts_are_in_the_order_in_which_they_began() {
        let source = |name: &str, begun| Source {
            name: name.to_owned(),
            state: Some(State {
                begun,
                ..State::default()
            }),
            ..Source::default()
        };
        let all = Collected::of(vec![
            source("unknown", None),
            source("second", Some(20)),
            source("first", Some(10)),
        ]);
        let names: Vec<&str> = all.sources.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "unknown"]);
    }

    #[test]
    fn what_cannot_be_read_keeps_nothing_else_out() {
        let dir = tempfile::tempdir().unwrap();
        hunt(&dir.path().join("x/a"));
        hunt(&dir.path().join("x/b"));
        std::fs::write(dir.path().join("x/b/hunt.json"), "{").unwrap();
        let all = Collected::read(&[dir.path().to_owned()]).unwrap();
        assert_eq!((all.sources.len(), all.unreadable.len()), (1, 1));
        let alone = Collected::read(&[dir.path().join("x/b")]).unwrap_err();
        assert!(alone.to_string().contains("hunt.json"), "{alone}");
        let empty = tempfile::tempdir().unwrap();
        let none = Collected::read(&[empty.path().to_owned()]).unwrap_err();
        assert!(none.to_string().contains("holds no hunt"), "{none}");
    }
}
