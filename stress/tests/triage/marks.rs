//! Marks outlive findings, and what is marked fixed is news when it is found again.

use crate::{finding, save};
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::Store;
use threadbare_stress::identity::Place;
use threadbare_stress::triage;
use threadbare_stress::triage::marks::{Marks, State, note_found};
use threadbare_stress::verdict::Kind;

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
    let entries = entries.entries;
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

/// A mark holds for its own failure in the next version, where lines have moved, and for no other.
#[test]
fn a_mark_does_not_spread_to_other_failures_of_the_same_operations() {
    let of = |kind, detail: &str, set: &dyn Fn(&mut Place)| {
        let mut finding = finding(kind, &["o.pop()", "o.clear()"], "3.13.5");
        finding.detail = detail.to_owned();
        finding.place = finding.failure().place;
        set(&mut finding.place);
        finding
    };
    let race = |report: &str| {
        of(Kind::DataRace, report, &|p| {
            p.report = Some(report.to_owned())
        })
    };
    let assertion = |detail: &str| of(Kind::Assertion, detail, &|_| ());
    let panic = |line: &str| {
        of(
            Kind::Panic,
            &format!("vm/src/frame.rs:{line}: stack is empty"),
            &|_| (),
        )
    };
    let raised = |detail: &str| of(Kind::Exception, detail, &|_| ());
    let pairs = [
        (
            race("list_resize / list_pop"),
            race("list_resize / list_clear"),
        ),
        (
            assertion("Objects/listobject.c:123: check: Assertion `x1' failed."),
            assertion("Objects/dictobject.c:123: check: Assertion `x1' failed."),
        ),
        (
            assertion("Objects/listobject.c:123: check: Assertion `x1' failed."),
            assertion("Objects/listobject.c:123: check: Assertion `x2' failed."),
        ),
        (panic("3589"), panic("3654")),
        (
            raised("raised IndexError: pop from empty list, which no order raises"),
            raised("raised KeyError: 1, which no order raises"),
        ),
    ];
    for (one, other) in &pairs {
        let mut marks = Marks::default();
        marks.set(one, State::Accepted, "");
        assert_eq!(marks.of(one).len(), 1, "{}", one.detail);
        assert_eq!(
            marks.of(other).len(),
            0,
            "{} marks {}",
            one.detail,
            other.detail
        );
        // Nor does deciding the one take back what was decided of the other.
        marks.set(other, State::Fixed, "");
        assert_eq!(marks.of(one)[0].state, State::Accepted);
    }
    let mut marks = Marks::default();
    marks.set(&pairs[1].0, State::Accepted, "");
    let mut moved = assertion("Objects/listobject.c:200: check: Assertion `x1' failed.");
    moved.facts.version = moved.facts.version.replace("3.13.5", "3.13.15");
    assert_eq!(marks.of(&moved).len(), 1, "its line moved");
}
