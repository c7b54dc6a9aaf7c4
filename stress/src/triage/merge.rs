//! Several output folders as one: the best reproducer of every distinct finding, all marks.

use super::marks::{Mark, Marks, State};
use super::statement;
use crate::finding::Finding;
use crate::finding::store::{Store, StoreError, script, write_atomically, write_script};
use crate::program::stats;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a merge came to.
#[derive(Debug, Default)]
pub struct Merged {
    /// Findings read, over all folders.
    pub read: usize,
    /// Distinct ones kept.
    pub kept: usize,
    /// Marks kept.
    pub marks: usize,
    /// Marks that contradict each other, by race.
    pub conflicts: Vec<Vec<Mark>>,
    /// Findings whose race is marked fixed on another VM or in another folder.
    pub fixed_but_found: Vec<Finding>,
}

/// Order of reproducers of one finding, the better one first: minimised, then the higher share of
/// runs that surely hit (lower end of the interval), then the sooner hit, then the shorter.
pub fn better(a: &Finding, b: &Finding) -> Ordering {
    let surely = |f: &Finding| f.script.map_or(0.0, |r| stats::wilson(r.hits, r.runs).0);
    let soon = |f: &Finding| match f.script {
        Some(r) if r.hits > 0 => r.mean_seconds,
        _ => f64::INFINITY,
    };
    b.minimised
        .cmp(&a.minimised)
        .then_with(|| surely(b).total_cmp(&surely(a)))
        .then_with(|| soon(a).total_cmp(&soon(b)))
        .then_with(|| a.scenario.calls().count().cmp(&b.scenario.calls().count()))
        .then_with(|| a.scenario.make.len().cmp(&b.scenario.make.len()))
        // The rest only makes the choice the same whatever the order of the folders.
        .then_with(|| (a.seed, a.number, &a.detail).cmp(&(b.seed, b.number, &b.detail)))
        .then_with(|| text(a).cmp(&text(b)))
}

/// All of a finding but how often it was seen and its name, which merging looks at by itself.
fn text(finding: &Finding) -> String {
    let unseen = Finding {
        seen: 0,
        id: String::new(),
        ..finding.clone()
    };
    serde_json::to_string(&unseen).expect("a finding serialises")
}

/// Merges output folders into one; what `into` holds already takes part.
///
/// Findings are the same by id (kind, subject, operations, VM and version) and by the function in which they
/// died, as far as that is known: [`identity::same`](crate::identity::same()) without its leave to guess, for
/// what is dropped here is gone. Of the same ones the best reproducer is kept with its files, and the largest
/// count of verdicts, so that merging twice changes nothing. Of different ones with one id the best keeps it.
///
/// # Errors
/// When a folder cannot be read or `into` not be written; no finding is lost in either case.
pub fn merge(outs: &[PathBuf], into: &Path) -> Result<Merged, StoreError> {
    let mut merged = Merged::default();
    let mut folders: Vec<&Path> = outs.iter().map(PathBuf::as_path).collect();
    folders.sort_unstable();
    folders.dedup();
    // Everything is read before anything is written.
    let mut sources = Vec::new();
    for out in folders.into_iter().filter(|out| *out != into) {
        sources.push((out, Store::read(out)?, Marks::open(out)?));
    }
    let mut store = Store::open(into)?;
    let mut marks = Marks::change(into)?;
    merged.read = store.findings().len();
    for (_, findings, theirs) in &sources {
        merged.read += findings.len();
        for mark in theirs.all() {
            marks.add(mark);
        }
    }
    let own = store.findings().to_vec();
    let mut all: Vec<(&Finding, PathBuf)> = own.iter().map(|f| (f, store.folder(&f.id))).collect();
    for (out, findings, _) in &sources {
        let folder = |f: &Finding| out.join("findings").join(&f.id);
        all.extend(findings.iter().map(|f| (f, folder(f))));
    }
    let kept = distinct(&all);
    for one in &kept {
        one.write(&mut store)?;
    }
    for old in &own {
        if !kept.iter().any(|k| k.finding.id == old.id) {
            store.remove(&old.id);
        }
    }
    for finding in store.findings() {
        let elsewhere = |m: &&Mark| m.state == State::Fixed && m.vm != finding.facts.title();
        if marks.of(finding).iter().any(elsewhere) {
            marks.found(finding);
            merged.fixed_but_found.push(finding.clone());
        }
    }
    for finding in store.findings() {
        statement::write(&store.folder(&finding.id), finding)?;
    }
    marks.save()?;
    merged.kept = store.findings().len();
    merged.marks = marks.all().len();
    let conflicts = marks.conflicts().into_iter();
    merged.conflicts = conflicts
        .map(|g| g.into_iter().cloned().collect())
        .collect();
    Ok(merged)
}

/// Files beside a script that belong to a reproducer.
const BESIDE: [&str; 3] = ["output.txt", "raw-output.txt", "backtrace.txt"];

/// A finding and what lies beside it.
struct Kept {
    finding: Finding,
    script: Option<String>,
    beside: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Kept {
    fn read(finding: Finding, folder: &Path) -> Self {
        Self {
            finding,
            script: std::fs::read_to_string(script(folder)).ok(),
            beside: BESIDE
                .map(|n| (n, std::fs::read(folder.join(n)).ok()))
                .into(),
        }
    }

    fn write(&self, store: &mut Store) -> Result<(), StoreError> {
        let target = store.folder(&self.finding.id);
        std::fs::create_dir_all(&target).map_err(|source| StoreError::Write {
            path: target.clone(),
            source,
        })?;
        // What lies beside the worse reproducer belongs to it alone.
        match &self.script {
            Some(text) => write_script(&target, text)?,
            None => drop(std::fs::remove_file(script(&target))),
        }
        for (name, bytes) in &self.beside {
            match bytes {
                Some(bytes) => write_atomically(&target.join(name), bytes)?,
                None => drop(std::fs::remove_file(target.join(name))),
            }
        }
        store.save(&self.finding, &[])
    }
}

/// Marks the id of a finding whose operations another one has that died elsewhere.
const AT: &str = "-at-";

/// The id that a hunt gives, which leaves out where it died.
fn base(id: &str) -> &str {
    match id.rsplit_once(AT) {
        Some((base, hash)) if hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            base
        }
        _ => id,
    }
}

/// Of all these findings, each with its folder, the best reproducer of each failure under the id that it has
/// from now on: of several failures with one id the best keeps it. What comes first wins among equals.
fn distinct(all: &[(&Finding, PathBuf)]) -> Vec<Kept> {
    let mut by_id: BTreeMap<&str, BTreeMap<Option<&String>, Vec<usize>>> = BTreeMap::new();
    for (i, (finding, _)) in all.iter().enumerate() {
        let place = finding.place.frames.first();
        let places = by_id.entry(base(&finding.id)).or_default();
        places.entry(place).or_default().push(i);
    }
    let mut kept = Vec::new();
    for (id, places) in by_id {
        let best = |(place, found): (Option<&String>, Vec<usize>)| {
            let seen = found.iter().map(|&i| all[i].0.seen).max().unwrap_or(0);
            let first = found
                .into_iter()
                .min_by(|&i, &j| better(all[i].0, all[j].0));
            first.map(|i| (place.cloned(), i, seen))
        };
        let mut bests: Vec<(Option<String>, usize, u64)> =
            places.into_iter().filter_map(best).collect();
        bests.sort_by(|a, b| better(all[a.1].0, all[b.1].0));
        for (n, (place, i, seen)) in bests.into_iter().enumerate() {
            let (finding, folder) = &all[i];
            let id = match n {
                0 => id.to_owned(),
                _ => format!(
                    "{id}{AT}{:08x}",
                    crate::stable_hash(&place.unwrap_or_default()) as u32
                ),
            };
            let finding = Finding {
                id,
                seen,
                ..(*finding).clone()
            };
            kept.push(Kept::read(finding, folder));
        }
    }
    kept
}
