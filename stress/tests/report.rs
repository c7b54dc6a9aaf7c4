//! Reports for people and for other tools: fixed input, fixed text; whatever a VM or a user says is escaped.

use std::collections::BTreeMap;
use std::path::Path;
use threadbare_stress::bugs::attribute::{Attribution, Match};
use threadbare_stress::campaign::state::{State, Totals};
use threadbare_stress::finding::store::Found;
use threadbare_stress::finding::{Finding, Rate, SCHEMA, Schedule};
use threadbare_stress::identity::Place;
use threadbare_stress::report::collect::{Collected, Source};
use threadbare_stress::report::export::{Hunt, annotations, junit, sarif};
use threadbare_stress::report::pair::Counterexample;
use threadbare_stress::report::{self, Beside, MOST_CARDS};
use threadbare_stress::scenario::{Call, Scenario};
use threadbare_stress::subject::{Form, Guarantee, parse};
use threadbare_stress::triage;
use threadbare_stress::triage::marks::{Marks, State as Decision};
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;

const LIST: &str = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]"]
final = "tuple(o)"
source = "docs: a & b"
atomic = ["o.append({v})", "o.pop()"]
"#;

fn call(code: &str) -> Call {
    Call {
        code: code.to_owned(),
        op: code.to_owned(),
        form: Form::Get,
        guarantee: Guarantee::Atomic,
        raises: None,
    }
}

fn facts() -> Facts {
    Facts {
        implementation: "cpython".into(),
        version: "3.13.5 experimental free-threading build".into(),
        gil_claimed: Some(false),
        speedup: 1.94,
        ..Facts::default()
    }
}

fn finding(id: &str, kind: Kind, grade: Grade) -> Finding {
    let subject = &parse("t", LIST).unwrap()[0];
    let threads = vec![
        vec![call("o.append('<b>')"), call("o.pop()")],
        vec![call("o.pop()")],
    ];
    Finding {
        schema: SCHEMA,
        id: id.to_owned(),
        kind,
        grade,
        why: "every operation is documented as atomic".into(),
        detail: "no order gives <script>alert(1)</script>".into(),
        subject: "list".into(),
        place: Default::default(),
        schedule: None,
        no_schedule: None,
        others: Vec::new(),
        frames: Vec::new(),
        scenario: Scenario::new(subject, "['a&b']".into(), threads),
        vm: "python3.13t -X 'dev'".into(),
        facts: facts(),
        seed: 7,
        number: 12,
        outcome: None,
        explained: Vec::new(),
        minimised: true,
        script: None,
        seen: 1,
        tuning: None,
        report: None,
        bytecode: None,
    }
}

fn state() -> State {
    let list = Totals {
        next: 6,
        scenarios: 1234567,
        runs: 250_000,
        sampled: 1000,
        overlapped: 870,
        slot_turns: 90_000,
        verdicts: BTreeMap::from([("crash".into(), 2), ("outcome".into(), 5)]),
        accepted: 3,
        lacking: vec![("o.<gone>()".into(), "AttributeError".into())],
        ..Totals::default()
    };
    let skipped = Totals {
        skipped: Some("ImportError: no module named <sqlite3>".into()),
        ..Totals::default()
    };
    State {
        schema: 1,
        vm: facts().title(),
        seed: 7,
        size: (3, 2),
        subjects: BTreeMap::from([("list".into(), list), ("sqlite".into(), skipped)]),
        processes: 41,
        seconds: 61.2,
        ..State::default()
    }
}

fn findings() -> Vec<Finding> {
    let outcome = Finding {
        outcome: Some(("None | !IndexError | 'a&b' | ('x',)".into(), 87)),
        explained: vec![
            ("None | '<b>' | 'a&b' | ()".into(), 14_475),
            ("None | 'a&b' | '<b>' | ()".into(), 0),
        ],
        script: Some(Rate {
            hits: 3,
            runs: 3,
            limit_seconds: 3.0,
            mean_seconds: 0.16,
        }),
        ..finding("list-outcome-1", Kind::Outcome, Grade::Interesting)
    };
    let crash = Finding {
        frames: vec!["list_pop<T>".into(), "_PyEval_EvalFrameDefault".into()],
        minimised: false,
        ..finding("list-crash-2", Kind::Crash, Grade::Forbidden)
    };
    vec![outcome, crash]
}

/// A folder that holds these.
fn source(name: &str, state: Option<State>, findings: &[Finding]) -> Source {
    let found = |finding: &Finding| Found {
        folder: Path::new(name).join("findings").join(&finding.id),
        finding: finding.clone(),
    };
    Source {
        name: name.to_owned(),
        state,
        found: findings.iter().map(found).collect(),
        ..Source::default()
    }
}

/// The report of one hunt.
fn html(state: &State, findings: &[Finding], beside: &dyn Fn(&Found, bool) -> Beside) -> String {
    let one = source("out", Some(state.clone()), findings);
    report::html(&Collected::of(vec![one]), beside)
}

/// The page without its own script.
fn without_script(page: &str) -> String {
    let (before, rest) = page.split_once("<script>").expect("it has one");
    let (script, after) = rest.split_once("</script>").expect("closed");
    assert!(script.contains("'use strict'") && !script.contains("SIGSEGV"));
    before.to_owned() + after
}

/// The crash has a backtrace, a mark and a bug that it looks like; the outcome has none of them.
fn beside(found: &Found, _: bool) -> Beside {
    let finding = &found.finding;
    if finding.kind != Kind::Crash {
        return Beside::default();
    }
    let mut marks = Marks::default();
    marks.set(
        finding,
        Decision::Known("python/cpython#1".into()),
        "same <stack>",
    );
    Beside {
        trace: Some("#0  list_pop<T> (o=0x1) at list.c:7".to_owned()),
        marks: marks.of(finding).into_iter().cloned().collect(),
        known: Attribution::Known {
            best: Match {
                id: "python/cpython#1".into(),
                score: 0.5,
            },
        },
        model: Some(Counterexample {
            protocol: "optimistic-list".into(),
            mutant: "or-free-array-now".into(),
            fault: "the old array is freed <at once>".into(),
            breaks: "L3: no access to a freed array".into(),
            found: "use after free (loom, execution 3)".into(),
            trace: "T0 │ T1\nx  │ y".into(),
        }),
    }
}

/// The text between the style and the end, without the scripts, which have tests of their own.
fn shown(page: &str) -> String {
    let page = without_script(page);
    let body = page.split("</style>").nth(1).expect("a style");
    let mut out = String::new();
    for (i, part) in body.split("<details class=\"script\">").enumerate() {
        out += if i == 0 {
            part
        } else {
            part.split_once("</details>").expect("closed").1
        };
    }
    out
}

#[test]
fn a_small_hunt() {
    insta::assert_snapshot!(shown(&html(&state(), &findings(), &beside)));
}

#[test]
fn nothing_found_and_nothing_ran() {
    let page = html(
        &State {
            vm: "x 1".into(),
            ..State::default()
        },
        &[],
        &|_, _| Beside::default(),
    );
    assert!(page.contains("nothing found") && page.contains("no proof of absence"));
    assert!(page.contains("No run was sampled for overlap"));
}

#[test]
fn everything_is_escaped_and_nothing_is_fetched() {
    let page = without_script(&html(&state(), &findings(), &beside));
    for raw in [
        "<script",
        "<b>'",
        "<gone>",
        "<sqlite3>",
        "list_pop<T>",
        "http:",
        "https:",
        "<link",
        "<img",
        "@import",
        "url(",
    ] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("a&#38;b") || page.contains("a&amp;b"));
}

#[test]
fn findings_are_ranked_by_severity_and_those_of_other_vms_left_out() {
    let mut all = findings();
    let mut foreign = finding("list-crash-3", Kind::Crash, Grade::Forbidden);
    foreign.facts.implementation = "pypy".into();
    all.push(foreign);
    let page = html(&state(), &all, &|_, _| Beside::default());
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("#list-crash-2") < at("#list-outcome-1"));
    assert!(!page.contains("list-crash-3"));
}

/// So many distinct crashes.
fn crashes(n: usize) -> Vec<Finding> {
    let crash = |i: usize| Finding {
        place: Place {
            frames: vec![format!("list_pop_{i}")],
            ..Place::default()
        },
        ..finding(
            &format!("list-crash-{i:08x}"),
            Kind::Crash,
            Grade::Forbidden,
        )
    };
    (0..n).map(crash).collect()
}

#[test]
fn hundreds_of_findings_stay_below_the_limit() {
    let page = html(&state(), &crashes(400), &|_, _| Beside::default());
    assert_eq!(page.matches("<article").count(), 400);
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(page.contains("left out to keep this file small"));
}

/// Those that are not shown in full have their line, and it says where they are.
#[test]
fn of_thousands_the_worst_are_shown_in_full() {
    let asked = std::cell::RefCell::new(0);
    let page = html(&state(), &crashes(MOST_CARDS + 30), &|_, in_full| {
        *asked.borrow_mut() += usize::from(in_full);
        Beside::default()
    });
    assert_eq!(page.matches("<tr data-severity").count(), MOST_CARDS + 30);
    assert_eq!(page.matches("<article").count(), MOST_CARDS);
    assert_eq!(asked.into_inner(), MOST_CARDS);
    assert_eq!(page.matches("<small>OUT/findings/").count(), 30);
}

/// Two hunts of one VM that both saw the crash, one of a newer VM that saw it too, one that could not run, and a
/// folder that the findings were merged into.
fn campaign() -> Collected {
    let mut state = state();
    state.begun = Some(1_764_500_000);
    state.curve = serde_json::from_str(
        r#"[{"seconds":1.0,"scenarios":10,"findings":0},{"seconds":61.2,"scenarios":1234567,"findings":2}]"#,
    )
    .unwrap();
    let later = State {
        begun: Some(1_764_600_000),
        curve: Default::default(),
        ..state.clone()
    };
    let newer = State {
        vm: "cpython 3.15.0".into(),
        begun: None,
        subjects: BTreeMap::from([("list".into(), Totals::default())]),
        curve: Default::default(),
        ..state.clone()
    };
    let all = findings();
    let on_newer = Finding {
        facts: Facts {
            version: "3.15.0 experimental free-threading build".into(),
            ..facts()
        },
        id: "list-crash-9".into(),
        ..all[1].clone()
    };
    // Its script hits, so that it is the best of them.
    let again = Finding {
        id: "list-crash-again".into(),
        script: all[0].script,
        minimised: true,
        seen: 4,
        ..all[1].clone()
    };
    let failed: Source = Source {
        failed: Some(serde_json::from_str(r#"{"code":3,"why":"no <VM> there"}"#).unwrap()),
        ..source("c/gone/shard-0-of-1", None, &[])
    };
    Collected::of(vec![
        source("c/merged", None, &all),
        failed,
        source("c/3.15", Some(newer), &[on_newer]),
        source("c/3.13/shard-1-of-2", Some(later), &[again]),
        source("c/3.13/shard-0-of-2", Some(state), &all),
    ])
}

/// What a screen reader needs, in the text: each head says what it is the head of, each field has a label, no two
/// places have one name.
#[test]
fn tables_have_heads_and_fields_labels() {
    for page in [
        report::html(&campaign(), &beside),
        html(&state(), &findings(), &beside),
    ] {
        let page = shown(&page);
        assert_eq!(
            page.matches("<th ").count(),
            page.matches("<th scope=").count()
        );
        assert!(!page.contains("<th>"));
        for field in ["<input", "<select"] {
            let before = page
                .split(field)
                .map(|text| text.rsplit('<').next().unwrap_or(""));
            let labelled = before.filter(|text| text.starts_with("label")).count();
            assert_eq!(labelled, page.matches(field).count(), "{field}");
        }
        let mut names: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .map(|t| t.split('"').next().unwrap())
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        for link in page
            .split("href=\"#")
            .skip(1)
            .map(|t| t.split('"').next().unwrap())
        {
            assert!(names.contains(&link), "{link} leads nowhere");
        }
    }
}

#[test]
fn a_campaign() {
    insta::assert_snapshot!(shown(&report::html(&campaign(), &beside)));
}

/// One failure is one line, under its best reproducer, with every hunt that saw it; the merged folder saw nothing.
#[test]
fn each_failure_is_there_once_with_the_hunts_that_saw_it() {
    let page = report::html(&campaign(), &|_, _| Beside::default());
    assert_eq!(page.matches("<tr data-severity").count(), 3);
    assert_eq!(page.matches("<article").count(), 3);
    assert!(
        !page.contains(r#"id="list-crash-2""#),
        "the better one is shown"
    );
    let card = page
        .split(r#"<article id="list-crash-again">"#)
        .nth(1)
        .unwrap();
    let card = card.split("</article>").next().unwrap();
    assert!(card.contains("seen 5×"), "{card}");
    for hunt in ["c/3.13/shard-0-of-2", "c/3.13/shard-1-of-2"] {
        assert!(
            card.contains(&format!(r#"<th scope="row">{hunt}</th>"#)),
            "{hunt}"
        );
    }
    assert!(!card.contains("c/merged") && card.contains("list-crash-9"));
}

/// A script that did not run is no news where a schedule shows the failure.
#[test]
fn a_schedule_is_told_where_no_script_ran() {
    let with = Finding {
        schedule: Some(Schedule {
            vm: "python3.13t".into(),
            strategy: "Sticky".into(),
            schedules: 37,
            switches: 4,
            minimised: true,
            same: 9,
            replays: 10,
        }),
        ..findings().remove(1)
    };
    let page = html(&state(), &[with], &|_, _| Beside::default());
    assert!(page.contains("schedule 9/10"));
    assert!(
        !page.contains("not run") && !page.contains("not yet run"),
        "{}",
        shown(&page)
    );
}

/// The small hunt as other tools get it; the crash is marked where `marked`.
fn exported(marked: bool) -> Hunt {
    let mut marks = Marks::default();
    let all = findings();
    if marked {
        marks.set(
            &all[1],
            Decision::Known("python/cpython#1".into()),
            "same <stack>",
        );
    }
    let entry = |f: Finding| {
        let folder = Path::new("my out/findings").join(&f.id);
        triage::entry(f, folder, &marks)
    };
    let unreached = Totals::default();
    let mut state = state();
    state.subjects.insert("weakref".into(), unreached);
    Hunt {
        state: Some(state),
        entries: all.into_iter().map(entry).collect(),
    }
}

#[test]
fn code_scanning_services_get_sarif() {
    insta::assert_snapshot!(sarif(&[exported(true)]).replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn what_shows_tests_gets_junit() {
    insta::assert_snapshot!(junit(&[exported(false)]));
}

/// Known and accepted findings fail nothing, and are told all the same.
#[test]
fn a_marked_finding_is_excused_in_every_format() {
    let (plain, marked) = ([exported(false)], [exported(true)]);
    assert!(
        !sarif(&plain).contains("\"suppressions\"") && sarif(&marked).contains("\"suppressions\"")
    );
    assert_eq!(junit(&plain).matches("<failure ").count(), 2);
    assert_eq!(junit(&marked).matches("<failure ").count(), 1);
    assert!(junit(&marked).contains("python/cpython#1"));
    insta::assert_snapshot!(annotations(&marked));
    assert!(annotations(&plain).contains("::error file="));
    assert!(!annotations(&marked).contains("::error"));
}

/// Folders that findings were merged into hold no hunt: subjects that passed are not known there.
#[test]
fn merged_findings_are_a_suite_without_what_passed() {
    let hunt = Hunt {
        state: None,
        ..exported(false)
    };
    let text = junit(&[hunt]);
    assert!(
        text.contains("merged findings") && text.contains("tests=\"1\" failures=\"1\""),
        "{text}"
    );
}

/// Bytes that no XML holds, as a VM may print them, are escaped and not passed on.
#[test]
fn control_characters_reach_no_format_raw() {
    let mut hunt = exported(false);
    hunt.entries[0].finding.detail = "\u{1b}[31m\u{0}\u{fffe}\n::error::x".into();
    let hunts = [hunt];
    for text in [sarif(&hunts), junit(&hunts), annotations(&hunts)] {
        assert!(!text.contains(['\u{1b}', '\u{0}']), "{text}");
    }
    let lines = annotations(&hunts);
    assert!(!lines.contains("\n::error::x"), "{lines}");
    assert!(!junit(&hunts).contains('\u{fffe}'));
}
