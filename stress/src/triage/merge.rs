//! Several output folders as one: the best reproducer of every distinct finding, all marks.

use super::marks::{Mark, Marks, State};
use super::statement;
use crate::finding::Finding;
use crate::finding::store::{Store, StoreError, script, write_atomically, write_script};
use crate::program::stats;
use std::cmp::Ordering;
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

/// All of a finding but how often it was seen, which merging looks at by itself.
fn text(finding: &Finding) -> String {
    let unseen = Finding {
        seen: 0,
        ..finding.clone()
    };
    serde_json::to_string(&unseen).expect("a finding serialises")
}

/// Merges output folders into one; what `into` holds already takes part.
///
/// Findings are the same by id: kind, subject, operations, VM and version. Of the same ones the
/// best reproducer is kept with its files, and the largest count of verdicts, so that merging
/// twice changes nothing.
///
/// # Errors
/// When a folder cannot be read or `into` not be written; nothing is removed in either case.
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
    for (out, findings, theirs) in &sources {
        merged.read += findings.len();
        for mark in theirs.all() {
            marks.add(mark);
        }
        for finding in findings {
            take(&mut store, finding, &out.join("findings").join(&finding.id))?;
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

/// Takes a finding over, or the better of it and the one that is there.
fn take(store: &mut Store, finding: &Finding, folder: &Path) -> Result<(), StoreError> {
    let old = store.findings().iter().find(|f| f.id == finding.id);
    let seen = old.map_or(0, |f| f.seen).max(finding.seen);
    if let Some(old) = old
        && better(old, finding) != Ordering::Greater
    {
        let kept = Finding {
            seen,
            ..old.clone()
        };
        return store.save(&kept, &[]);
    }
    let target = store.folder(&finding.id);
    std::fs::create_dir_all(&target).map_err(|source| StoreError::Write {
        path: target.clone(),
        source,
    })?;
    // What lies beside the worse reproducer belongs to it alone.
    match std::fs::read_to_string(script(folder)) {
        Ok(text) => write_script(&target, &text)?,
        Err(_) => drop(std::fs::remove_file(script(&target))),
    }
    for name in ["output.txt", "raw-output.txt", "backtrace.txt"] {
        match std::fs::read(folder.join(name)) {
            Ok(bytes) => write_atomically(&target.join(name), &bytes)?,
            Err(_) => drop(std::fs::remove_file(target.join(name))),
        }
    }
    let taken = Finding {
        seen,
        ..finding.clone()
    };
    store.save(&taken, &[])
}
