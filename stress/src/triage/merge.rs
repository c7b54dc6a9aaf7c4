//! Several output folders as one: the best reproducer of every distinct finding, all marks.

use super::marks::{Mark, Marks};
use super::statement;
use crate::finding::Finding;
use crate::finding::store::{Found, Store, StoreError, script, write_atomically, write_script};
use crate::program::stats;
use crate::verdict::Kind;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
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

/// Order of reproducers of one finding, the better one first: minimised, then a script that is not rare, then a
/// schedule that repeats each time, then the higher share of runs that surely hit (lower end of the interval), then
/// the sooner hit, then the shorter.
pub fn better(a: &Finding, b: &Finding) -> Ordering {
    let sure = |f: &Finding| match &f.schedule {
        _ if f.script.is_some_and(|r| !r.is_rare()) => 2,
        Some(schedule) if schedule.repeats() => 1,
        _ => 0,
    };
    let surely = |f: &Finding| f.script.map_or(0.0, |r| stats::wilson(r.hits, r.runs).0);
    let soon = |f: &Finding| match f.script {
        Some(r) if r.hits > 0 => r.mean_seconds,
        _ => f64::INFINITY,
    };
    b.minimised
        .cmp(&a.minimised)
        .then_with(|| sure(b).cmp(&sure(a)))
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
/// Findings are one when all of this is equal: VM, subject (of a data race any), kind, the name of the place
/// ([`Place::key`](crate::identity::Place::key)), the function in which they died, and where neither that nor the VM
/// says where and more than one operation of a thread may have raced, the operations in flight. What they are called
/// has no part in it. That is less than [`same()`](crate::identity::same()) joins, which also takes two for one of
/// which each knows what the other does not: of three failures, each known in part, it may join the first two and
/// the last two only, and a merge of merges, which no longer sees what was dropped, would keep others than one merge
/// of all. Two that only it would join stay two, near-duplicates in the list of findings. Of equal ones the best
/// reproducer is kept under its name with its files, and the largest count of verdicts, so that merging twice changes
/// nothing. Of different ones with one name the best keeps it.
///
/// # Errors
/// When a folder or a finding cannot be read or `into` not be written; no finding is lost in either case.
pub fn merge(outs: &[PathBuf], into: &Path) -> Result<Merged, StoreError> {
    let mut merged = Merged::default();
    let mut folders: Vec<&Path> = outs.iter().map(PathBuf::as_path).collect();
    folders.sort_unstable();
    folders.dedup();
    // Everything is read before anything is written.
    let mut found: Vec<Found> = Vec::new();
    let mut taken: Vec<Marks> = Vec::new();
    for out in folders.into_iter().filter(|out| *out != into) {
        found.extend(Store::contents(out)?.whole()?);
        taken.push(Marks::open(out)?);
    }
    let mut store = Store::open(into)?;
    let mut marks = Marks::change(into)?;
    let own = Store::contents(into)?.whole()?;
    let own_folders: Vec<PathBuf> = own.iter().map(|f| f.folder.clone()).collect();
    found.extend(own);
    merged.read = found.len();
    marks.take(taken.iter().flat_map(Marks::all));
    let all: Vec<&Found> = found.iter().collect();
    let distinct = distinct(&all).into_iter();
    let kept: Vec<Kept> = distinct.map(|one| Kept::of(one, &all)).collect();
    for one in &kept {
        one.write(&mut store)?;
    }
    let ids: BTreeSet<&str> = kept.iter().map(|k| k.finding.id.as_str()).collect();
    let gone = store.findings().iter().map(|f| f.id.clone());
    for old in gone
        .filter(|id| !ids.contains(id.as_str()))
        .collect::<Vec<_>>()
    {
        store.remove(&old);
    }
    // A second folder of one name.
    let folders: BTreeSet<PathBuf> = ids.iter().map(|id| store.folder(id)).collect();
    for copy in own_folders.iter().filter(|own| !folders.contains(*own)) {
        let _ = std::fs::remove_dir_all(copy);
    }
    for one in &kept {
        let finding = &one.finding;
        if marks.of(finding).iter().any(|m| m.is_refuted_by(finding)) {
            merged.fixed_but_found.push(finding.clone());
        }
        statement::write(&store.folder(&finding.id), finding)?;
    }
    marks.save()?;
    merged.kept = kept.len();
    merged.marks = marks.all().len();
    let conflicts = marks.conflicts().into_iter();
    merged.conflicts = conflicts
        .map(|g| g.into_iter().cloned().collect())
        .collect();
    Ok(merged)
}

/// Files beside a script that belong to a reproducer.
const BESIDE: [&str; 6] = [
    "output.txt",
    "raw-output.txt",
    "backtrace.txt",
    "report.txt",
    "schedule.json",
    "schedule.txt",
];

/// A finding and what lies beside it.
struct Kept {
    finding: Finding,
    evidence: Evidence,
}

/// What lies beside a finding.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Evidence {
    script: Option<String>,
    beside: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Evidence {
    fn read(folder: &Path) -> Self {
        Self {
            script: std::fs::read_to_string(script(folder)).ok(),
            beside: BESIDE
                .map(|n| (n, std::fs::read(folder.join(n)).ok()))
                .into(),
        }
    }
}

impl Kept {
    /// The best reproducer of a failure among all findings, with the largest count of verdicts.
    fn of(one: Distinct, all: &[&Found]) -> Self {
        let best = all[one.best];
        let seen = one.members.iter().map(|&i| all[i].finding.seen).max();
        Self {
            finding: Finding {
                id: one.id,
                seen: seen.unwrap_or(0),
                ..best.finding.clone()
            },
            evidence: Evidence::read(&best.folder),
        }
    }

    fn write(&self, store: &mut Store) -> Result<(), StoreError> {
        let target = store.folder(&self.finding.id);
        std::fs::create_dir_all(&target).map_err(|source| StoreError::Write {
            path: target.clone(),
            source,
        })?;
        // What lies beside the worse reproducer belongs to it alone.
        match &self.evidence.script {
            Some(text) => write_script(&target, text)?,
            None => drop(std::fs::remove_file(script(&target))),
        }
        for (name, bytes) in &self.evidence.beside {
            match bytes {
                Some(bytes) => write_atomically(&target.join(name), bytes)?,
                None => drop(std::fs::remove_file(target.join(name))),
            }
        }
        store.save(&self.finding, &[])
    }
}

/// Marks the id of a finding whose name another one has that is a better reproducer.
const AT: &str = "-at-";

/// The id that a hunt gave.
fn base(id: &str) -> &str {
    match id.rsplit_once(AT) {
        Some((base, hash)) if hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            base
        }
        _ => id,
    }
}

/// What equal findings have equal: an equivalence that the best of them carries on, whatever is merged first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    vm: String,
    subject: Option<String>,
    kind: Kind,
    place: String,
    innermost: Option<String>,
    in_flight: Option<(Option<String>, Vec<String>)>,
}

impl Key {
    fn of(finding: &Finding) -> Self {
        let place = finding.whole_place();
        let operations = &place.operations;
        let says = place.line.is_some() || place.report.is_some() || !place.frames.is_empty();
        let in_flight = (!says && !operations.is_exact())
            .then(|| (operations.at.clone(), operations.beside.clone()));
        let is_race = finding.kind == Kind::DataRace && place.report.is_some();
        Self {
            vm: finding.facts.title(),
            subject: (!is_race).then(|| finding.subject.clone()),
            kind: finding.kind,
            place: place.key(),
            innermost: place.innermost().map(str::to_owned),
            in_flight,
        }
    }
}

/// One failure, of which there may be several findings.
pub(crate) struct Distinct {
    /// The id that it has from now on.
    pub id: String,
    /// The best reproducer.
    pub best: usize,
    /// All its findings.
    pub members: Vec<usize>,
}

/// Which of these findings are one failure, as [`merge()`] tells them apart. Positions are those in `all`.
pub(crate) fn distinct(all: &[&Found]) -> Vec<Distinct> {
    let mut by_key: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (i, found) in all.iter().enumerate() {
        by_key.entry(Key::of(&found.finding)).or_default().push(i);
    }
    let finding = |i: usize| &all[i].finding;
    // What a failure is known by, its best reproducer, and all its findings.
    type Named = (Key, usize, Vec<usize>);
    let mut by_name: BTreeMap<&str, Vec<Named>> = BTreeMap::new();
    for (key, members) in by_key {
        // The name and what lies beside only make the choice the same whatever the order of the folders.
        let best = members.iter().copied().min_by(|&a, &b| {
            better(finding(a), finding(b))
                .then_with(|| base(&finding(a).id).cmp(base(&finding(b).id)))
                .then_with(|| Evidence::read(&all[a].folder).cmp(&Evidence::read(&all[b].folder)))
        });
        let best = best.expect("a group has a member");
        let named = by_name.entry(base(&finding(best).id)).or_default();
        named.push((key, best, members));
    }
    let mut distinct = Vec::new();
    for (name, mut named) in by_name {
        named.sort_by(|(k, a, _), (l, b, _)| {
            better(finding(*a), finding(*b)).then_with(|| k.cmp(l))
        });
        for (n, (key, best, members)) in named.into_iter().enumerate() {
            let hash = || crate::stable_hash(&format!("{key:?}")) as u32;
            let id = match n {
                0 => name.to_owned(),
                _ => format!("{name}{AT}{:08x}", hash()),
            };
            distinct.push(Distinct { id, best, members });
        }
    }
    distinct
}
