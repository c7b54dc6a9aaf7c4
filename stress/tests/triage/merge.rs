//! Merging output folders: no decision is lost, the best reproducer is kept.

use crate::{finding, save};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use threadbare_stress::finding::store::{SCRIPT, Store};
use threadbare_stress::finding::{Finding, Rate};
use threadbare_stress::triage::marks::{Marks, Race, State};
use threadbare_stress::triage::merge::{better, merge};
use threadbare_stress::verdict::Kind;

proptest! {
    // Each case writes and reads five folders.
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Merging any folders, in any order, keeps every decision; the same twice changes nothing.
    #[test]
    fn merging_never_loses_a_mark(marks in prop::collection::vec((0..3usize, 0..3usize, 0..4usize, "[a-c]?"), 0..12)) {
        let races = [
            finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5"),
            finding(Kind::Crash, &["o.append(1)", "o.clear()"], "3.13.5"),
            finding(Kind::Outcome, &["o.pop()", "o.clear()"], "3.13.15"),
        ];
        let state = |n| match n {
            0 => State::New,
            1 => State::Known("python/cpython#1".into()),
            2 => State::Accepted,
            _ => State::Fixed,
        };
        let root = tempfile::tempdir().unwrap();
        let outs: Vec<_> = (0..3).map(|i| root.path().join(i.to_string())).collect();
        let mut last: BTreeMap<(usize, usize), (State, String)> = BTreeMap::new();
        for (i, out) in outs.iter().enumerate() {
            for race in &races {
                save(out, race);
            }
            for (at, race, n, note) in marks.iter().filter(|m| m.0 == i) {
                let mut marks = Marks::change(out).unwrap();
                marks.set(&races[*race], state(*n), note);
                marks.save().unwrap();
                last.insert((*at, *race), (state(*n), note.clone()));
            }
        }
        let (there, back) = (root.path().join("there"), root.path().join("back"));
        let merged = merge(&outs, &there).unwrap();
        let reversed: Vec<_> = outs.iter().rev().cloned().collect();
        merge(&reversed, &back).unwrap();
        let kept = Marks::open(&there).unwrap();
        let other = Marks::open(&back).unwrap();
        prop_assert_eq!(kept.all(), other.all());
        for ((_, race), (state, note)) in &last {
            let of = kept.of(&races[*race]);
            let decided = of.iter().any(|m| m.state == *state && m.note == *note);
            // "Nothing yet" without a word yields to any decision.
            let yields = *state == State::New && note.is_empty() && !of.is_empty();
            prop_assert!(decided || yields, "{state} is gone: {of:?}");
        }
        for (race, f) in races.iter().enumerate() {
            let states: BTreeSet<&State> = last.iter().filter(|((_, r), _)| *r == race)
                .map(|(_, (s, _))| s).filter(|s| **s != State::New).collect();
            let reported = merged.conflicts.iter().any(|g| g[0].race.is(&Race::of(f)));
            prop_assert_eq!(reported, states.len() > 1, "{:?}", states);
        }
        let before = std::fs::read(there.join("marks.json")).unwrap();
        let again = merge(&outs, &there).unwrap();
        prop_assert_eq!(before, std::fs::read(there.join("marks.json")).unwrap());
        prop_assert_eq!((again.kept, again.marks), (merged.kept, merged.marks));
    }
}

#[test]
fn merging_keeps_the_best_reproducer_with_its_own_files() {
    let root = tempfile::tempdir().unwrap();
    let (a, b, into) = (
        root.path().join("a"),
        root.path().join("b"),
        root.path().join("c"),
    );
    let worse = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    let best = Finding {
        script: Some(Rate {
            hits: 9,
            runs: 9,
            limit_seconds: 3.0,
            mean_seconds: 0.1,
        }),
        seen: 1,
        ..worse.clone()
    };
    save(&a, &worse);
    std::fs::write(
        a.join("findings").join(&worse.id).join("backtrace.txt"),
        "of the worse",
    )
    .unwrap();
    save(&b, &best);
    std::fs::write(
        b.join("findings").join(&best.id).join("output.txt"),
        "of the best",
    )
    .unwrap();
    save(&b, &finding(Kind::Hang, &["o.sort()"], "3.13.5"));
    for outs in [vec![a.clone(), b.clone()], vec![b, a]] {
        let merged = merge(&outs, &into).unwrap();
        assert_eq!((merged.kept, merged.marks), (2, 0));
        let kept = Store::read(&into).unwrap();
        let kept = kept.iter().find(|f| f.id == best.id).unwrap();
        assert_eq!((kept.script, kept.seen), (best.script, 4));
        let folder = into.join("findings").join(&best.id);
        assert_eq!(
            std::fs::read_to_string(folder.join("output.txt")).unwrap(),
            "of the best"
        );
        assert!(!folder.join("backtrace.txt").exists());
        assert!(folder.join("repro.py").exists());
    }
    assert!(better(&best, &worse).is_lt() && better(&worse, &best).is_gt());
    assert!(better(&best, &best).is_eq());
}

/// The same operations die in two places: neither is dropped, whichever folder comes first.
#[test]
fn two_places_with_one_id_are_two_findings() {
    let root = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| root.path().join(name));
    let at = |function: &str, hits: u32| {
        let mut finding = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
        finding.place.frames = vec![function.to_owned()];
        let rate = finding.script.as_mut().unwrap();
        (rate.hits, rate.runs) = (hits, hits.max(3));
        finding
    };
    let (resize, slice) = (at("list_resize", 3), at("list_slice", 1));
    assert_eq!(resize.id, slice.id);
    save(&a, &resize);
    save(&b, &slice);
    // The first place again, a better reproducer of the second.
    save(&c, &at("list_resize", 1));
    let kept = |into: &str, outs: &[&PathBuf]| {
        let into = root.path().join(into);
        let outs: Vec<PathBuf> = outs.iter().map(|&o| o.clone()).collect();
        merge(&outs, &into).unwrap();
        let kept = Store::read(&into).unwrap();
        let told = |f: &Finding| (f.id.clone(), f.place.frames.clone(), f.script.unwrap().hits);
        kept.iter().map(told).collect::<Vec<_>>()
    };
    let all = kept("all", &[&a, &b, &c]);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0], (resize.id.clone(), vec!["list_resize".into()], 3));
    assert!(all[1].0.starts_with(&format!("{}-at-", resize.id)) && all[1].2 == 1);
    assert_eq!(kept("all", &[&b, &a]), all, "twice");
    assert_eq!(kept("back", &[&c, &b, &a]), all, "the other way round");
    // A better one of the second place takes the name, and the other keeps what lies beside it.
    save(&b, &at("list_slice", 9));
    std::fs::remove_dir_all(&c).unwrap();
    let turned = kept("all", &[&b]);
    assert_eq!(turned[0].1, ["list_slice"]);
    assert_eq!(
        (turned.len(), turned[1].1.as_slice()),
        (2, ["list_resize".to_owned()].as_slice())
    );
    let script = root
        .path()
        .join("all/findings")
        .join(&turned[1].0)
        .join("repro.py");
    assert!(script.exists(), "{turned:?}");
}

/// A finding out of few: its name, where it died, how good its script is.
type Drawn = (usize, usize, usize, u32);

fn drawn((name, place, scenario, hits): Drawn) -> Finding {
    let operations: &[&str] = [
        &["o.pop()", "o.clear()"][..],
        &["o.append(1)", "o.clear()"],
        &["o.pop()", "o.clear()", "o.sort()"],
    ][scenario];
    let mut finding = finding(Kind::Crash, operations, "3.13.5");
    finding.place = finding.failure().place;
    let none: &[&str] = &[];
    let (kind, frames, report) = [
        (Kind::Crash, none, None),
        (Kind::Crash, &["f"], None),
        (Kind::Crash, &["f", "g"], None),
        (Kind::Crash, &["g", "f"], None),
        (Kind::DataRace, none, Some("f / g")),
        (Kind::DataRace, none, Some("f / h")),
    ][place];
    finding.kind = kind;
    finding.place.frames = frames.iter().map(|&f| f.to_owned()).collect();
    finding.place.report = report.map(str::to_owned);
    if name == 2 {
        finding.subject = "dict".into();
    }
    finding.id = ["a", "b", "c"][name].to_owned();
    let rate = finding.script.as_mut().unwrap();
    (rate.hits, rate.runs) = (hits, 3);
    finding
}

/// What lies below a folder that tells: no locks, and no folder's own path.
fn tree(out: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(path.strip_prefix(out).unwrap().to_owned(), text);
            }
        }
    }
    files
}

proptest! {
    // Each case writes and reads a dozen folders.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Findings and marks that are one with a third and not with each other, the very same twice, other names for
    /// one failure and one name for several: whatever is merged first, the same comes out.
    #[test]
    fn merging_is_associative_commutative_and_idempotent(
        folders in prop::array::uniform3(prop::collection::vec(
            ((0..3usize, 0..6usize, 0..3usize, 0..3u32), 0..6usize, "[xy]?"), 0..4)),
    ) {
        let root = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| root.path().join(name));
        for (out, drawings) in [&a, &b, &c].into_iter().zip(&folders) {
            let mut store = Store::open(out).unwrap();
            let mut marks = Marks::change(out).unwrap();
            for (n, (draw, state, note)) in drawings.iter().enumerate() {
                let finding = drawn(*draw);
                store.save(&finding, &[(SCRIPT, &format!("# {n}\n"))]).unwrap();
                let state = match state {
                    0 => State::New,
                    1 => State::Known("python/cpython#1".into()),
                    2 => State::Accepted,
                    3 => State::Fixed,
                    _ => continue,
                };
                marks.set(&finding, state, note);
            }
            marks.save().unwrap();
        }
        let merged = |name: &str, outs: &[&PathBuf]| {
            let into = root.path().join(name);
            let outs: Vec<PathBuf> = outs.iter().map(|&o| o.clone()).collect();
            let merged = merge(&outs, &into).unwrap();
            let conflicts: Vec<BTreeSet<String>> = merged.conflicts.iter()
                .map(|g| g.iter().map(|m| m.line()).collect()).collect();
            (tree(&into), merged.kept, merged.marks, conflicts)
        };
        let all = merged("all", &[&a, &b, &c]);
        prop_assert_eq!(&merged("back", &[&c, &b, &a]), &all);
        let [ab, bc] = ["ab", "bc"].map(|name| root.path().join(name));
        merged("ab", &[&a, &b]);
        merged("bc", &[&b, &c]);
        prop_assert_eq!(&merged("left", &[&ab, &c]), &all, "the first two first");
        prop_assert_eq!(&merged("right", &[&a, &bc]), &all, "the last two first");
        prop_assert_eq!(&merged("bc", &[&a]), &all, "into what was merged before");
        prop_assert_eq!(&merged("all", &[&a, &c]), &all, "once more");
    }
}

/// Equal failures are one whatever they are called; what differs in its place is not.
#[test]
fn equal_failures_under_two_names_are_one() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| root.path().join(name));
    let kept = |name: &str| {
        let into = root.path().join(name);
        merge(&[a.clone(), b.clone()], &into).unwrap();
        let kept = Store::read(&into).unwrap();
        kept.into_iter().map(|f| f.id).collect::<Vec<_>>()
    };
    save(&a, &drawn((0, 1, 0, 1)));
    save(&b, &drawn((1, 1, 0, 2)));
    assert_eq!(kept("one"), ["b"], "the better one");
    // A data race is one whatever the subject.
    save(&a, &drawn((0, 4, 0, 2)));
    save(&b, &drawn((2, 4, 0, 1)));
    assert_eq!(kept("two"), ["a", "b"], "the crash and the race");
    save(&b, &drawn((2, 5, 0, 1)));
    assert_eq!(kept("three"), ["a", "b", "c"], "another report");
}

/// A finding's text may come from anywhere.
#[test]
fn merging_writes_and_removes_nothing_outside_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let [a, into] = ["a", "into"].map(|name| root.path().join(name));
    let victim = root.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    std::fs::write(victim.join("kept.txt"), "mine").unwrap();
    let mut bad = finding(Kind::Crash, &["o.pop()"], "3.13.5");
    save(&a, &bad);
    let folder = a.join("findings").join(&bad.id);
    for id in ["../../victim", "../../pwned"] {
        bad.id = id.to_owned();
        let text = serde_json::to_string(&bad).unwrap();
        std::fs::write(folder.join("finding.json"), text).unwrap();
        let error = merge(std::slice::from_ref(&a), &into)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(id) && error.contains("move it out"),
            "{error}"
        );
    }
    assert!(!root.path().join("pwned").exists() && !into.join("findings").exists());
    let kept = std::fs::read_to_string(victim.join("kept.txt")).unwrap();
    assert_eq!(
        (kept.as_str(), std::fs::read_dir(&victim).unwrap().count()),
        ("mine", 1)
    );
}

/// Evidence is where the finding is, not where its id says.
#[test]
fn merging_takes_the_evidence_of_a_renamed_folder() {
    let root = tempfile::tempdir().unwrap();
    let [a, into] = ["a", "into"].map(|name| root.path().join(name));
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    save(&a, &crash);
    let folder = |out: &Path, name: &str| out.join("findings").join(name);
    std::fs::rename(folder(&a, &crash.id), folder(&a, "the one that matters")).unwrap();
    merge(std::slice::from_ref(&a), &into).unwrap();
    let text = crash.script_text();
    let script = |folder: PathBuf| std::fs::read_to_string(folder.join("repro.py")).unwrap();
    assert_eq!(script(folder(&into, &crash.id)), text);
    // Renamed where it is merged into, and copied besides.
    std::fs::rename(folder(&into, &crash.id), folder(&into, "renamed")).unwrap();
    let copy = folder(&into, "copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["finding.json", "repro.py"] {
        std::fs::copy(folder(&into, "renamed").join(name), copy.join(name)).unwrap();
    }
    assert_eq!(merge(&[a], &into).unwrap().kept, 1);
    let left: Vec<_> = std::fs::read_dir(into.join("findings")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(script(left[0].as_ref().unwrap().path()), text);
}

/// Of marks that are one with a third only, none is dropped; what contradicts is told though it does not all
/// contradict the first.
#[test]
fn marks_that_a_third_joins_are_told_to_contradict_it() {
    let root = tempfile::tempdir().unwrap();
    let outs = ["f", "", "h"].map(|function| {
        let out = root.path().join(format!("at-{function}"));
        let mut finding = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
        finding.place = finding.failure().place;
        if !function.is_empty() {
            finding.place.frames = vec![function.to_owned()];
        }
        save(&out, &finding);
        let mut marks = Marks::change(&out).unwrap();
        let state = if function.is_empty() {
            State::Fixed
        } else {
            State::Accepted
        };
        marks.set(&finding, state, "");
        marks.save().unwrap();
        out
    });
    let merged = merge(&outs, &root.path().join("into")).unwrap();
    assert_eq!((merged.kept, merged.marks), (3, 3));
    let told: Vec<usize> = merged.conflicts.iter().map(Vec::len).collect();
    assert_eq!(told, [3], "{:?}", merged.conflicts);
}
