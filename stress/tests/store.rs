//! The finding store: what is saved is read back, what is half written does not count.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use threadbare_stress::choice::Seeded;
use threadbare_stress::finding::store::{SCRIPT, Store, read, script};
use threadbare_stress::finding::{Finding, Rate, SCHEMA, known};
use threadbare_stress::identity::Place;
use threadbare_stress::scenario::Scenario;
use threadbare_stress::scenario::generate::{Limits, generate};
use threadbare_stress::subject::builtin;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;

/// A finding under one of a few ids, everything else arbitrary.
fn finding(id: usize, seed: u64, kind: usize, detail: String) -> Finding {
    let subjects = builtin::all();
    let subject = &subjects[seed as usize % subjects.len()];
    Finding {
        schema: SCHEMA,
        id: format!("id-{id}"),
        kind: Kind::ALL[kind % Kind::ALL.len()],
        grade: Grade::Interesting,
        why: detail.clone(),
        detail,
        subject: subject.name.clone(),
        place: Default::default(),
        schedule: None,
        no_schedule: None,
        others: Vec::new(),
        frames: vec!["f".into(); kind % 3],
        scenario: generate(
            subject,
            Limits { threads: 4, ops: 4 },
            &mut Seeded::new(seed, &[]),
        ),
        vm: "vm".into(),
        facts: Facts {
            implementation: "i".into(),
            version: "1".into(),
            ..Facts::default()
        },
        seed,
        number: kind,
        outcome: (kind.is_multiple_of(2)).then(|| ("1 | ()".into(), seed)),
        explained: vec![("2 | ()".into(), 1)],
        minimised: kind.is_multiple_of(3),
        script: (kind.is_multiple_of(4)).then_some(Rate {
            hits: 1,
            runs: 2,
            limit_seconds: 3.0,
            mean_seconds: 0.5,
        }),
        seen: seed,
        tuning: None,
        report: None,
        bytecode: None,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Save(usize, u64, usize, String),
    Remove(usize),
    Seen(usize),
    /// The hunter dies and a later one opens the folder; counts not yet flushed are lost.
    Reopen,
    /// A folder whose `finding.json` was never written.
    Half(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4usize, any::<u64>(), 0..60usize, any::<String>()).prop_map(|(i, s, k, d)| Step::Save(i, s, k, d)),
        1 => (0..4usize).prop_map(Step::Remove),
        1 => (0..4usize).prop_map(Step::Seen),
        2 => Just(Step::Reopen),
        1 => (4..6usize).prop_map(Step::Half),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against the obvious model: a map by id.
    #[test]
    fn behaves_as_a_map(steps in prop::collection::vec(step(), 0..24)) {
        let out = tempfile::tempdir().unwrap();
        let mut store = Store::open(out.path()).unwrap();
        let mut model: BTreeMap<String, Finding> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Save(id, seed, kind, detail) => {
                    let f = finding(id, seed, kind, detail);
                    store.save(&f, &[(SCRIPT, &f.detail)]).unwrap();
                    model.insert(f.id.clone(), f);
                }
                Step::Remove(id) => {
                    store.remove(&format!("id-{id}"));
                    model.remove(&format!("id-{id}"));
                }
                Step::Seen(id) => {
                    let id = format!("id-{id}");
                    if model.get(&id).is_some_and(|f| f.seen < u64::MAX) {
                        store.seen(&id);
                        model.get_mut(&id).unwrap().seen += 1;
                        store.flush().unwrap();
                    }
                }
                Step::Reopen => store = Store::open(out.path()).unwrap(),
                Step::Half(id) => {
                    let folder = store.folder(&format!("id-{id}"));
                    std::fs::create_dir_all(&folder).unwrap();
                    std::fs::write(folder.join("repro.py"), "half").unwrap();
                    std::fs::write(folder.join(".tmpHALF"), "{\"schema\":").unwrap();
                }
            }
            let mut got = store.findings().to_vec();
            got.sort_by(|a, b| a.id.cmp(&b.id));
            prop_assert_eq!(got, model.values().cloned().collect::<Vec<_>>());
            for f in model.values() {
                prop_assert_eq!(&read(&store.folder(&f.id)).unwrap(), f);
                // Only what is reproduced has a file that says so, by whichever way it came there.
                let is_there = store.folder(&f.id).join("repro.py").exists();
                prop_assert_eq!(is_there, f.is_reproduced());
                prop_assert_eq!(&std::fs::read_to_string(script(&store.folder(&f.id))).unwrap(), &f.detail);
            }
        }
    }
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path()).unwrap();
    let newer = Finding {
        schema: SCHEMA + 1,
        ..finding(0, 1, 1, String::new())
    };
    store.save(&newer, &[]).unwrap();
    let error = Store::open(out.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("schema {}", SCHEMA + 1)), "{error}");
}

/// The same operations, two places that panic: two findings, each with its folder. Lengths and
/// indices that differ from run to run make no third.
#[test]
fn panics_of_two_places_do_not_overwrite_each_other() {
    let panic = |detail: &str| {
        let mut one = finding(0, 3, 0, detail.to_owned());
        one.kind = Kind::Panic;
        one.id = one.make_id();
        one
    };
    let first = panic("vm/src/buffer.rs:211: range end index 40 out of range");
    let other = panic("vm/src/deque.rs:88: called `Option::unwrap()` on a `None` value");
    let again = panic("vm/src/buffer.rs:211: range end index 7 out of range");
    assert_ne!(first.id, other.id);
    assert_eq!(first.id, again.id);
    // A raced failure is not the one of one thread, so that neither may lie in the other's folder.
    let alone = panic("in one thread: vm/src/buffer.rs:211: range end index 7 out of range");
    assert_ne!(first.id, alone.id);
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    for one in [&first, &other] {
        store.save(one, &[]).unwrap();
    }
    let same = |detail: &str| {
        let found = known::of(
            store.findings(),
            &first.facts.title(),
            &first.subject,
            &panic(detail).failure(),
        );
        found.map(|f| f.id.clone())
    };
    assert_eq!(same(&first.detail), Some(first.id.clone()));
    assert_eq!(same(&again.detail), Some(first.id.clone()));
    assert_eq!(
        same(&alone.detail),
        Some(first.id.clone()),
        "an old one does not tell"
    );
    assert_eq!(same(&other.detail), Some(other.id.clone()));
    assert_eq!(same("vm/src/list.rs:1: third"), None);
}

/// Saves one finding again and again and says what its script is called each time.
#[test]
fn a_script_is_called_a_reproducer_when_it_hit_and_is_small() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path()).unwrap();
    let small = finding(0, 5, 0, String::new());
    let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
    let pair = generate(
        &list,
        Limits { threads: 2, ops: 1 },
        &mut Seeded::new(5, &[]),
    );
    let mut large = pair.clone();
    let again = large.threads[0][0].clone();
    large.threads[0].extend([again.clone(), again.clone(), again]);
    let mut named = |hits: Option<u32>, scenario: &Scenario, files: &[(&str, &str)]| {
        let rate = |hits| Rate {
            hits,
            runs: 3,
            limit_seconds: 1.0,
            mean_seconds: 0.1,
        };
        let now = Finding {
            script: hits.map(rate),
            scenario: scenario.clone(),
            ..small.clone()
        };
        store.save(&now, files).unwrap();
        let folder = store.folder(&now.id);
        let file = script(&folder);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
        let both = ["repro.py", "scenario.py"].map(|n| folder.join(n).exists());
        assert_ne!(both[0], both[1], "one script, one name");
        (
            file.file_name().unwrap().to_string_lossy().into_owned(),
            now.is_reproduced(),
        )
    };
    let text = &[(SCRIPT, "text")][..];
    let (reproducer, scenario) = (
        ("repro.py".to_owned(), true),
        ("scenario.py".to_owned(), false),
    );
    assert_eq!(named(None, &pair, text), scenario, "it has not been run");
    assert_eq!(named(Some(0), &pair, text), scenario, "it never hit");
    assert_eq!(named(Some(1), &pair, &[]), reproducer, "it hit later");
    assert_eq!(named(Some(2), &pair, text), reproducer);
    assert_eq!(
        named(Some(2), &large, text),
        scenario,
        "of five operations nothing says which raced"
    );
    assert_eq!(named(Some(1), &pair, &[]), reproducer);
    assert_eq!(
        named(Some(0), &pair, &[]),
        scenario,
        "another script, which does not"
    );
}

/// A finding is no twin of itself, nor of one on another VM.
#[test]
fn a_twin_is_another_finding_of_the_same_failure() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path()).unwrap();
    let kind = Kind::ALL.iter().position(|k| *k == Kind::Outcome).unwrap();
    let one = finding(1, 7, kind, "d".into());
    let mut foreign = finding(2, 7, kind, "d".into());
    foreign.facts.implementation = "j".into();
    store.save(&one, &[]).unwrap();
    store.save(&foreign, &[]).unwrap();
    assert_eq!(known::twin(store.findings(), &one).map(|f| &f.id), None);
    let other = finding(3, 7, kind, "d".into());
    store.save(&other, &[]).unwrap();
    assert_eq!(
        known::twin(store.findings(), &one).map(|f| &f.id),
        Some(&other.id)
    );
}

/// A finding at this place, under the id that a hunt gives it.
fn placed(set: impl FnOnce(&mut Place)) -> Finding {
    let kind = Kind::ALL.iter().position(|k| *k == Kind::Hang).unwrap();
    let mut finding = finding(0, 7, kind, "d".into());
    finding.place = finding.failure().place;
    set(&mut finding.place);
    finding.id = finding.make_id();
    finding
}

/// What [`same`](threadbare_stress::identity::same()) tells apart has two ids; the ids of what most findings are
/// stay as they were before.
#[test]
fn what_one_thread_does_and_what_computes_have_ids_of_their_own() {
    let of = |alone, computes| placed(|p| (p.alone, p.computes) = (alone, computes)).id;
    let raced = of(Some(false), Some(false));
    assert_eq!(of(None, None), raced);
    let ids = [raced, of(Some(true), None), of(None, Some(true))];
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3, "{ids:?}");
}

/// A name is short: where another failure has it, a finding gets the next, and the same one again and again.
#[test]
fn another_failure_under_one_id_is_not_overwritten() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path()).unwrap();
    let at = |function: &str| placed(|p| p.frames = vec![function.to_owned()]);
    let (first, mut second) = (at("list_resize"), at("list_slice"));
    assert_eq!(first.id, second.id);
    assert_eq!(store.free_id(&first), first.id);
    store.save(&first, &[(SCRIPT, "first")]).unwrap();
    assert_eq!(store.free_id(&first), first.id, "its own");
    second.id = store.free_id(&second);
    assert_eq!(second.id, format!("{}-2", first.id));
    store.save(&second, &[(SCRIPT, "second")]).unwrap();
    let mut store = Store::open(out.path()).unwrap();
    assert_eq!(store.findings(), [first.clone(), second.clone()]);
    assert_eq!(store.free_id(&at("list_slice")), second.id, "a later hunt");
    assert_eq!(store.free_id(&at("list_clear")), format!("{}-3", first.id));
    let text = |f: &Finding| std::fs::read_to_string(script(&store.folder(&f.id))).unwrap();
    assert_eq!(
        (text(&first), text(&second)),
        ("first".into(), "second".into())
    );
    store.remove(&second.id);
    assert!(store.folder(&first.id).exists());
}

/// Files are written and removed under an id.
#[test]
fn an_id_that_is_no_name_of_a_folder_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("findings/x");
    std::fs::create_dir_all(&folder).unwrap();
    for id in ["../../pwned", "/etc", "a/b", "..", ".", "", "a\0b", "a b"] {
        let mut bad = finding(0, 1, 1, String::new());
        bad.id = id.to_owned();
        std::fs::write(
            folder.join("finding.json"),
            serde_json::to_string(&bad).unwrap(),
        )
        .unwrap();
        let error = read(&folder).unwrap_err().to_string();
        for part in [
            "finding.json",
            &format!("{id:?}"),
            "is no name",
            "move it out",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(Store::open(out.path()).is_err() && Store::read(out.path()).is_err());
    }
}

/// A folder is found by what lies in it, and what is saved again stays there.
#[test]
fn a_renamed_folder_keeps_its_finding() {
    let out = tempfile::tempdir().unwrap();
    let [first, second] = [1, 2].map(|i| finding(i, 1, 4, String::new()));
    let mut store = Store::open(out.path()).unwrap();
    store.save(&first, &[(SCRIPT, "first")]).unwrap();
    // Of all names that of another one.
    let renamed = store.folder(&second.id);
    std::fs::rename(store.folder(&first.id), &renamed).unwrap();
    let mut store = Store::open(out.path()).unwrap();
    assert_eq!(store.folder(&first.id), renamed);
    store.save(&first, &[]).unwrap();
    store.save(&second, &[(SCRIPT, "second")]).unwrap();
    let mut store = Store::open(out.path()).unwrap();
    assert_eq!(store.findings(), [first.clone(), second.clone()]);
    let text = |f: &Finding| std::fs::read_to_string(script(&store.folder(&f.id))).unwrap();
    assert_eq!(
        (text(&first), text(&second)),
        ("first".into(), "second".into())
    );
    assert_eq!(
        std::fs::read_dir(out.path().join("findings"))
            .unwrap()
            .count(),
        2
    );
    store.remove(&first.id);
    assert_eq!(Store::read(out.path()).unwrap(), [second]);
}

/// What cannot be read is no absence of findings: a link to itself stands for a folder that its owner closed, which
/// the administrator's tests could read.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    use std::os::unix::fs::symlink;
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path()).unwrap();
    let good = finding(0, 1, 4, String::new());
    store.save(&good, &[]).unwrap();
    let dir = out.path().join("findings");
    symlink("closed", dir.join("closed")).unwrap();
    std::fs::create_dir_all(dir.join("folder/finding.json")).unwrap();
    std::fs::create_dir(dir.join("damaged")).unwrap();
    std::fs::write(dir.join("damaged/finding.json"), "{\"schema\": 1, ").unwrap();
    std::fs::write(dir.join("file"), "no folder").unwrap();
    std::fs::create_dir(dir.join("half")).unwrap();
    let contents = Store::contents(out.path()).unwrap();
    let found: Vec<_> = contents.found.iter().map(|f| &f.finding).collect();
    assert_eq!(found, [&good]);
    let told: Vec<String> = contents
        .unreadable
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, name) in told.iter().zip(["closed", "damaged", "folder"]) {
        let path = dir.join(name).join("finding.json");
        assert!(told.contains(&path.display().to_string()), "{told}");
        assert!(
            told.contains("out of the output folder") && told.contains("run the same"),
            "{told}"
        );
    }
    // Who writes there could overwrite what it does not see.
    assert!(Store::open(out.path()).is_err() && Store::read(out.path()).is_err());
    let damaged = std::fs::read_to_string(dir.join("damaged/finding.json")).unwrap();
    assert_eq!(damaged, "{\"schema\": 1, ");

    let closed = tempfile::tempdir().unwrap();
    symlink("findings", closed.path().join("findings")).unwrap();
    let error = Store::read(closed.path()).unwrap_err().to_string();
    assert!(
        error.contains("let this user read it") && !error.contains("no such folder"),
        "{error}"
    );
}
