//! Target `store`: the store of findings against a map, and merging against what merging means.

use super::example::finding;
use crate::choice::{Bytes, Choices};
use crate::finding::store::{SCRIPT, Store, script};
use crate::finding::{Finding, Rate, known};
use crate::triage::marks::{Marks, State};
use crate::triage::merge::{better, merge};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A finding out of few, so that the same failure is met again with another reproducer.
fn chosen(choices: &mut Bytes<'_>) -> Finding {
    let mut finding = finding();
    finding.scenario.threads[0][0].op =
        ["o.append({v})", "o.pop()", "o.clear()"][choices.below(3)].to_owned();
    finding.facts.version = ["3.13.5", "3.13.15"][choices.below(2)].to_owned();
    finding.id = finding.make_id();
    finding.minimised = choices.one_in(2);
    finding.script = (!choices.one_in(3)).then(|| Rate {
        hits: choices.below(3) as u32,
        runs: 3,
        limit_seconds: 5.0,
        mean_seconds: [0.0, 0.5][choices.below(2)],
    });
    finding.scenario.make = ["[]", "[1]"][choices.below(2)].to_owned();
    finding.seed = choices.below(2) as u64;
    finding.number = choices.below(2);
    finding.detail = ["SIGSEGV", "SIGABRT"][choices.below(2)].to_owned();
    finding.vm = ["python3.13t", "/opt/python3.13t"][choices.below(2)].to_owned();
    finding.seen = 1 + choices.below(3) as u64;
    finding
}

/// Every file below a folder.
fn files(dir: &Path, under: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, under, found);
        } else {
            let bytes = std::fs::read(&path).expect("a file that is listed");
            found.insert(
                path.strip_prefix(under).expect("below it").to_owned(),
                bytes,
            );
        }
    }
}

fn all(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(out, out, &mut found);
    found
}

/// What the store does, and a map that does the same; then the store is opened again.
fn as_a_map(out: &Path, choices: &mut Bytes<'_>) {
    let mut store = Store::open(out).expect("a new folder");
    let mut model: BTreeMap<String, Finding> = BTreeMap::new();
    for _ in 0..1 + choices.below(6) {
        let finding = chosen(choices);
        match choices.below(5) {
            0 => {
                store.remove(&finding.id);
                model.remove(&finding.id);
            }
            1 => {
                store.seen(&finding.id);
                if let Some(f) = model.get_mut(&finding.id) {
                    f.seen += 1;
                }
            }
            _ => {
                let text = format!("# {}\n", finding.seed);
                store
                    .save(&finding, &[(SCRIPT, &text)])
                    .expect("a folder of ours");
                model.insert(finding.id.clone(), finding);
            }
        }
    }
    store.flush().expect("a folder of ours");
    let read = Store::read(out).expect("what was written");
    let expected: Vec<Finding> = model.into_values().collect();
    assert_eq!(read, expected);
    let mut kept = store.findings().to_vec();
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(kept, expected);
    for f in &expected {
        let failure = f.failure();
        let found = known::of(store.findings(), &f.facts.title(), &f.subject, &failure);
        assert!(
            found.is_some_and(|g| g.facts.title() == f.facts.title()),
            "{} is not the same as itself",
            f.id
        );
    }
}

/// Merges folders into a new one.
fn merged(root: &Path, name: &str, outs: &[&Path]) -> PathBuf {
    let into = root.join(name);
    let outs: Vec<PathBuf> = outs.iter().map(|o| o.to_path_buf()).collect();
    merge(&outs, &into).expect("folders of ours");
    into
}

fn marked(out: &Path, choices: &mut Bytes<'_>) {
    let findings = Store::read(out).expect("it was opened");
    let mut marks = Marks::change(out).expect("a folder of ours");
    for finding in &findings {
        if choices.one_in(2) {
            continue;
        }
        let state = [State::New, State::Accepted, State::Fixed][choices.below(3)].clone();
        marks.set(finding, state, ["", "a note"][choices.below(2)]);
    }
    marks.save().expect("a folder of ours");
}

/// A store does what a map does. Merging is idempotent, commutative and associative; of findings with
/// one id it keeps the best reproducer whole, and it loses no finding.
///
/// # Panics
/// When one of these does not hold.
pub fn store(bytes: &[u8]) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let root = root.path();
    let mut choices = Bytes(bytes);
    let outs = ["a", "b", "c"].map(|name| root.join(name));
    for out in &outs {
        as_a_map(out, &mut choices);
        if choices.one_in(4) {
            marked(out, &mut choices);
        }
    }
    let [a, b, c] = outs.each_ref().map(PathBuf::as_path);
    let whole = merged(root, "abc", &[a, b, c]);
    let expected = all(&whole);
    // Into one of them, in the other order.
    let left = merged(root, "left", &[c]);
    merge(&[b.to_owned()], &left).expect("folders of ours");
    merge(&[a.to_owned()], &left).expect("folders of ours");
    assert_eq!(texts(&all(&left)), texts(&expected), "another order");
    let right = merged(root, "bc", &[b, c]);
    let grouped = merged(root, "right", &[a, &right]);
    assert_eq!(texts(&all(&grouped)), texts(&expected), "other groups");
    merge(&[whole.clone(), a.to_owned()], &left).expect("folders of ours");
    assert_eq!(texts(&all(&left)), texts(&expected), "once more");
    let kept = Store::read(&whole).expect("what was merged");
    for out in &outs {
        for finding in Store::read(out).expect("what was written") {
            let best = kept
                .iter()
                .find(|f| f.id == finding.id)
                .expect("no finding is lost");
            assert!(
                better(best, &finding) != Ordering::Greater,
                "{best:?} is worse than {finding:?}"
            );
            assert!(best.seen >= finding.seen);
            let text = std::fs::read_to_string(script(&whole.join("findings").join(&best.id)));
            assert_eq!(
                text.expect("kept with it"),
                format!("# {}\n", best.seed),
                "the script of another"
            );
        }
    }
}

fn texts(files: &BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<&PathBuf, String> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    files
        .iter()
        .map(|(path, bytes)| (path, text(bytes)))
        .collect()
}
