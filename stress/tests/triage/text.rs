//! The texts of triage as people and programs read them.

use crate::{finding, save};
use std::path::Path;
use threadbare_stress::bugs::attribute::{Attribution, Match};
use threadbare_stress::finding::store::Store;
use threadbare_stress::finding::{Finding, Schedule};
use threadbare_stress::triage::marks::{Mark, Marks, State};
use threadbare_stress::triage::{Entry, list, statement};
use threadbare_stress::verdict::Kind;

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

/// Handed over to a VM under control: that no script ran is no news, that a schedule shows it is.
#[test]
fn a_finding_with_a_schedule_tells_of_it_and_not_of_a_script_that_waits() {
    let mut entry = entries().swap_remove(0);
    entry.finding.schedule = Some(Schedule {
        vm: "python3.13t".into(),
        strategy: "Sticky".into(),
        schedules: 37,
        switches: 4,
        minimised: true,
        same: 10,
        replays: 10,
    });
    let list = list::text(&list::rows(std::slice::from_ref(&entry)));
    let whole = list::show(&entry);
    for text in [&list, &whole] {
        assert!(text.contains("schedule of 4 switches"), "{text}");
        assert!(!text.contains("not yet run"), "{text}");
    }
    insta::assert_snapshot!("a_finding_with_a_schedule", list + &whole);
    // A script that ran is told beside it; a search in vain is no schedule.
    entry.finding.script = entries()[1].finding.script;
    let both = list::text(&list::rows(std::slice::from_ref(&entry)));
    assert!(
        both.contains("script hits 2/3 (95 % interval 21–94 %), schedule of"),
        "{both}"
    );
    entry.finding.script = None;
    entry.finding.schedule = None;
    entry.finding.no_schedule = Some("none of 200 schedules failed".into());
    assert!(list::text(&list::rows(std::slice::from_ref(&entry))).contains("not yet run"));
    let whole = list::show(&entry);
    assert!(
        whole.contains("under control: none of 200 schedules failed"),
        "{whole}"
    );
}

#[test]
fn the_file_of_a_finding_makes_the_three_statements() {
    let out = tempfile::tempdir().unwrap();
    let crash = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    save(out.path(), &crash);
    let folder = out.path().join("findings").join(&crash.id);
    statement::write(&folder, &crash).unwrap();
    let text = std::fs::read_to_string(folder.join("statements.json")).unwrap();
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
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
