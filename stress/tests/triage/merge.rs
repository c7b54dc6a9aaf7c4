//! Merging output folders: no decision is lost, the best reproducer is kept.

use crate::{finding, save};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use threadbare_stress::finding::store::Store;
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
