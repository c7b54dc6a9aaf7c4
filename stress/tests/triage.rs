//! Triage: clusters, marks, merging, and the texts that users read of them.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use threadbare_stress::bugs::attribute::{Attribution, Match};
use threadbare_stress::finding::store::Store;
use threadbare_stress::finding::{Finding, Rate, SCHEMA};
use threadbare_stress::scenario::{Call, Scenario};
use threadbare_stress::subject::{Form, Guarantee, parse};
use threadbare_stress::triage::marks::{Mark, Marks, Race, State, note_found};
use threadbare_stress::triage::merge::{better, merge};
use threadbare_stress::triage::severity::Severity;
use threadbare_stress::triage::similar::{NEAR, Trait, cluster, stack, stacks};
use threadbare_stress::triage::{self, Entry, known, list};
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;

const LIST: &str = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]"]
final = "tuple(o)"
source = "docs.python.org, thread safety of list"
atomic = ["o.append({v})", "o.pop()", "o.clear()", "o.sort()"]
"#;

/// A finding of these operations on a VM of this version, under the id that a hunt gives it.
fn finding(kind: Kind, operations: &[&str], version: &str) -> Finding {
    let subject = &parse("t", LIST).unwrap()[0];
    let call = |code: &&str| Call {
        code: (*code).to_owned(),
        op: (*code).to_owned(),
        form: Form::Get,
        guarantee: Guarantee::Atomic,
    };
    let threads = operations.iter().map(|o| vec![call(o)]).collect();
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        kind,
        grade: Grade::Forbidden,
        why: "data races in a program must not corrupt the VM, stop it or leak".into(),
        detail: "SIGSEGV".into(),
        subject: "list".into(),
        frames: Vec::new(),
        scenario: Scenario::new(subject, "[1]".into(), threads),
        vm: "python3.13t".into(),
        facts: Facts {
            implementation: "cpython".into(),
            version: format!("{version} experimental free-threading build"),
            gil_claimed: Some(false),
            build: "'--disable-gil'".into(),
            environment: vec!["PYTHON_GIL=0".into()],
            ..Facts::default()
        },
        seed: 7,
        number: 12,
        outcome: None,
        explained: Vec::new(),
        minimised: true,
        script: Some(Rate {
            hits: 2,
            runs: 3,
            limit_seconds: 3.0,
            mean_seconds: 0.5,
        }),
        seen: 4,
        report: None,
        tuning: None,
    };
    finding.id = finding.make_id();
    finding
}

fn save(out: &Path, finding: &Finding) {
    let mut store = Store::open(out).unwrap();
    store
        .save(finding, &[("repro.py", &finding.script_text())])
        .unwrap();
}

/// Recorded crashes of known bugs: the name of a bug, and what a debugger showed.
fn recorded() -> Vec<(String, String)> {
    let name = |stem: &str| stem.rsplit('/').next().unwrap().to_owned();
    let bugs = known::catalogue().iter();
    bugs.filter(|b| !b.crash.is_empty())
        .map(|b| (name(&b.stem), b.crash.clone()))
        .collect()
}

/// As a hunt would meet a recorded crash: subject and operations say nothing.
fn crash(id: &str, raw: &str) -> Trait {
    let finding = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    Trait {
        id: id.to_owned(),
        subject: id.split('-').next().unwrap().to_owned(),
        operations: [id.split('-').next().unwrap().to_owned()].into(),
        ..Trait::of(&finding, &stack(&finding, raw))
    }
}

/// Another build of the same crash: addresses, lines, compiler suffixes, outer frames differ.
fn rebuilt(raw: &str) -> String {
    raw.lines()
        .map(|line| match line.split_once(" () at ") {
            Some((head, file)) if head.starts_with('#') => {
                let (number, name) = head.split_once("  ").unwrap();
                format!(
                    "{number}  0x0000555512345678 in {name}.lto_priv.3 (self=0x7f11) at {file}:41\n"
                )
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn different_known_bugs_never_share_a_cluster_and_rebuilt_ones_always_do() {
    let mut items = Vec::new();
    for (name, raw) in &recorded() {
        items.push(crash(name, raw));
        items.push(crash(&format!("{name}-again"), &rebuilt(raw)));
    }
    let bug = |i: usize| items[i].id.split('-').next().unwrap();
    let groups = cluster(&items);
    for group in &groups {
        let bugs: BTreeSet<&str> = group.iter().map(|&i| bug(i)).collect();
        assert_eq!(
            bugs.len(),
            1,
            "{:?}",
            group.iter().map(|&i| &items[i]).collect::<Vec<_>>()
        );
        assert_eq!(group.len(), 2, "{bugs:?}");
    }
    // How near the two sides come to the bound.
    let mut others: Vec<(f64, &str, &str)> = Vec::new();
    for a in 0..items.len() {
        for b in 0..a {
            if bug(a) != bug(b) {
                others.push((items[a].similarity(&items[b]), bug(a), bug(b)));
            }
        }
    }
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    eprintln!("nearest pairs of different bugs: {:?}", &others[..4]);
    assert!(others[0].0 < NEAR);
}

#[test]
fn similarity_of_stacks_by_hand() {
    let s = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(stacks(&s("a b c"), &s("a b c")), 1.0);
    assert_eq!(stacks(&s("a b"), &s("c d")), 0.0);
    // Weights 1, e^-0.3, e^-0.6: the outermost of three differs.
    let expected = (1.0 + (-0.3_f64).exp()) / (1.0 + (-0.3_f64).exp() + (-0.6_f64).exp());
    assert!((stacks(&s("a b c"), &s("a b d")) - expected).abs() < 1e-12);
    // One frame more on top shifts every pair by one.
    assert!(stacks(&s("a b c"), &s("x a b c")) < NEAR);
    // Inner frames count more than outer ones.
    assert!(stacks(&s("a b c d"), &s("a b c x")) > stacks(&s("a b c d"), &s("x b c d")));
}

#[test]
fn severity_is_the_order_that_maintainers_want() {
    let of = |kind, grade, detail: &str| {
        Severity::of(&Finding {
            grade,
            detail: detail.into(),
            ..finding(kind, &["o.pop()"], "3.13.5")
        })
    };
    let forbidden = Grade::Forbidden;
    let in_order = [
        of(Kind::Uninitialised, forbidden, ""),
        of(Kind::Crash, forbidden, "SIGSEGV"),
        of(Kind::Hang, forbidden, "no progress"),
        of(Kind::Outcome, forbidden, "no order gives"),
        of(Kind::Internal, forbidden, "raised SystemError"),
        of(Kind::Outcome, Grade::Interesting, "no order gives"),
    ];
    assert_eq!(in_order, Severity::ALL);
    // The allocator's own word outranks the signal.
    let allocator = of(
        Kind::Crash,
        forbidden,
        "SIGABRT: free(): double free detected",
    );
    assert_eq!(allocator, Severity::MemoryCorruption);
}

/// Items whose stacks, kinds and operations are drawn from little, so that many are near.
fn items() -> impl Strategy<Value = Vec<Trait>> {
    let frame = prop::sample::select(vec!["list_pop", "list_resize", "dict_insert", "tee_next"]);
    let item = (
        prop::collection::vec(frame, 0..4),
        prop::sample::select(vec![Kind::Crash, Kind::Fatal, Kind::Hang, Kind::Outcome]),
        prop::sample::select(vec!["list", "dict"]),
        prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c"]), 1..3),
    );
    prop::collection::vec(item, 0..9).prop_map(|items| {
        items
            .into_iter()
            .enumerate()
            .map(|(i, (stack, kind, subject, operations))| Trait {
                id: format!("id-{i}"),
                implementation: "cpython".into(),
                kind,
                subject: subject.into(),
                operations: operations.into_iter().map(str::to_owned).collect(),
                place: String::new(),
                stack: stack.into_iter().map(str::to_owned).collect(),
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn similarity_is_reflexive_symmetric_and_a_share(items in items()) {
        for a in &items {
            // One frame alone is enough within one subject, and an item has one subject.
            prop_assert_eq!(a.similarity(a), 1.0);
            for b in &items {
                let s = a.similarity(b);
                prop_assert!((0.0..=1.0 + 1e-12).contains(&s));
                prop_assert!((s - b.similarity(a)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn clusters_do_not_depend_on_the_order(items in items(), seed in any::<u64>()) {
        let named = |items: &[Trait]| -> BTreeSet<BTreeSet<String>> {
            let groups = cluster(items);
            let name = |g: Vec<usize>| g.into_iter().map(|i| items[i].id.clone()).collect();
            groups.into_iter().map(name).collect()
        };
        let mut shuffled = items.clone();
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(named(&items), named(&shuffled));
        // Each item is in one cluster, and every two of a cluster are near.
        let groups = cluster(&items);
        let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..items.len()).collect::<Vec<_>>());
        for group in groups {
            for &a in &group {
                for &b in &group {
                    prop_assert!(items[a].similarity(&items[b]) >= NEAR);
                }
            }
        }
    }

}

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
fn a_mark_outlives_the_finding_and_an_interrupted_write() {
    let out = tempfile::tempdir().unwrap();
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    save(out.path(), &crash);
    let mut marks = Marks::change(out.path()).unwrap();
    marks.set(
        &crash,
        State::Known("python/cpython#154130".into()),
        "seen in production",
    );
    marks.save().unwrap();
    drop(marks);
    // A writer that died left half a file beside it; the finding was removed and found anew, this
    // time by another signal.
    std::fs::write(out.path().join(".tmpHALF"), "{\"schema\":").unwrap();
    let mut store = Store::open(out.path()).unwrap();
    store.remove(&crash.id);
    let anew = finding(Kind::Fatal, &["o.clear()", "o.pop()"], "3.13.5");
    save(out.path(), &anew);
    let entries = triage::load(out.path()).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        entries[0].marks[0].line(),
        "known python/cpython#154130 (seen in production)"
    );
    // A file that cannot be read is an error, and stays what it is.
    std::fs::write(out.path().join("marks.json"), "{\"schema\": 1, \"mar").unwrap();
    let error = Marks::change(out.path()).unwrap_err().to_string();
    assert!(error.contains("marks.json"), "{error}");
    assert!(triage::load(out.path()).is_err());
    assert_eq!(
        std::fs::read_to_string(out.path().join("marks.json")).unwrap(),
        "{\"schema\": 1, \"mar"
    );
}

#[test]
fn what_is_marked_fixed_and_found_again_is_news_until_it_is_decided_anew() {
    let out = tempfile::tempdir().unwrap();
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    let other = finding(Kind::Crash, &["o.sort()"], "3.13.5");
    let mut marks = Marks::change(out.path()).unwrap();
    marks.set(&crash, State::Fixed, "");
    marks.set(&other, State::Accepted, "");
    marks.save().unwrap();
    drop(marks);
    assert_eq!(
        note_found(out.path(), [&other]).unwrap(),
        Vec::<&Finding>::new()
    );
    let later = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.15");
    assert_eq!(note_found(out.path(), [&later, &other]).unwrap(), [&later]);
    let mut marks = Marks::change(out.path()).unwrap();
    assert_eq!(
        marks.of(&crash)[0].line(),
        "fixed, BUT FOUND AGAIN on cpython 3.13.15"
    );
    marks.set(&later, State::New, "");
    assert_eq!(marks.of(&crash)[0].line(), "new");
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

#[test]
fn an_empty_folder_is_refused_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let error = triage::load(root.path()).unwrap_err().to_string();
    assert!(error.contains("no such folder"), "{error}");
}

/// Entries as they would be read, with fixed paths.
fn entries() -> Vec<Entry> {
    let entry = |finding: Finding, stack: &[&str], known, marks: Vec<Mark>| Entry {
        folder: Path::new("out/findings").join(&finding.id),
        finding,
        stack: stack.iter().map(|s| (*s).to_owned()).collect(),
        known,
        marks,
    };
    let known = |id: &str, score| Attribution::Known {
        best: Match {
            id: id.into(),
            score,
        },
    };
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    let near = finding(Kind::Crash, &["o.append(1)", "o.clear()"], "3.13.5");
    let outcome = Finding {
        detail: "no order gives 1 | 1 | ()".into(),
        why: "every operation is documented as atomic, so some order must explain the outcome"
            .into(),
        outcome: Some(("1 | 1 | ()".into(), 12)),
        explained: vec![("1 | !IndexError | ()".into(), 500)],
        script: None,
        ..finding(Kind::Outcome, &["o.pop()", "o.pop()"], "3.13.5")
    };
    let mut marks = Marks::default();
    marks.set(&crash, State::Fixed, "in 3.13.6");
    marks.found(&crash);
    let marked = marks.all().to_vec();
    vec![
        entry(outcome, &[], Attribution::Unknown, Vec::new()),
        entry(
            near,
            &["list_dealloc", "list_clear_impl", "list_clear"],
            Attribution::Unknown,
            Vec::new(),
        ),
        entry(
            crash,
            &["list_dealloc", "list_clear_impl", "list_clear"],
            known("python/cpython#154130", 0.61),
            marked,
        ),
    ]
}

#[test]
fn the_list_as_people_read_it() {
    insta::assert_snapshot!(list::text(&list::rows(&entries())));
}

#[test]
fn one_finding_as_people_read_it() {
    let entries = entries();
    insta::assert_snapshot!("a_crash_that_is_known", list::show(&entries[2]));
    insta::assert_snapshot!("an_outcome_against_a_guarantee", list::show(&entries[0]));
}

#[test]
fn the_file_of_a_finding_makes_the_three_statements() {
    let out = tempfile::tempdir().unwrap();
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    save(out.path(), &crash);
    let file = out
        .path()
        .join("findings")
        .join(&crash.id)
        .join("finding.json");
    let text = std::fs::read_to_string(file).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let said = &value["statements"];
    assert_eq!(said["severity"], "crash");
    for (key, part) in [
        ("ran", "configured with '--disable-gil'"),
        ("ran", "with PYTHON_GIL=0"),
        ("ran", "o.pop() || o.clear()"),
        (
            "failed",
            "2 of 3 runs of at most 3 s (67 %, 95 % interval 21–94 %)",
        ),
        ("must_not", "must not corrupt the VM"),
    ] {
        let text = said[key].as_str().unwrap();
        assert!(text.contains(part), "{key}: {text}");
    }
    assert_eq!(said["promise"]["protocol"], "optimistic-list");
    assert_eq!(Store::read(out.path()).unwrap(), [crash]);
}
