//! A saved hunt judged again: the same oracle changes nothing, a better one changes verdicts, and
//! no VM is started.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::path::Path;
use threadbare_stress::campaign::again::{Judge, again, verdicts};
use threadbare_stress::campaign::archive::{self, Archive, Saved};
use threadbare_stress::campaign::process::judge;
use threadbare_stress::scenario::generate::{Limits, nth};
use threadbare_stress::scenario::{Scenario, Shape};
use threadbare_stress::subject::parse;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;
use threadbare_stress::vm::child::{End, Outcome};
use threadbare_stress::vm::job::Log;

/// Two threads that each pop from a list of one element.
fn scenario() -> Scenario {
    let text = "[[subject]]\nname = \"pops\"\ndoc = \"d\"\nmake = [\"[1]\"]\nfinal = \"len(o)\"\natomic = [\"o.pop()\"]\n\
                source = \"s\"\nraises = [\"IndexError\"]\n";
    let mut scenario = nth(&parse("a test", text).unwrap()[0], 1, 0, Limits::default());
    scenario.shapes = vec![Shape::Stride];
    scenario
}

/// A process that ran it and saw these outcomes; SIGSEGV ended it afterwards, where it `died`.
fn process(outcomes: &[&str], died: bool) -> Outcome {
    let mut stdout = vec![
        "B\t0".to_owned(),
        "Q\t0\t1 | !IndexError | 0".to_owned(),
        "Q\t0\t!IndexError | 1 | 0".to_owned(),
        "P\t0\tstride".to_owned(),
    ];
    stdout.extend(outcomes.iter().map(|o| format!("O\t0\t7\t{o}")));
    if !died {
        stdout.extend(["E\t0".to_owned(), "X".to_owned()]);
    }
    Outcome {
        end: if died { End::Signal(11) } else { End::Exit(0) },
        stdout,
        complete_line: true,
        stderr: String::new(),
        hang: None,
        orphans: 0,
    }
}

fn saved(outcome: Outcome, judge: &Judge<'_>) -> Saved {
    let facts = Facts {
        implementation: "cpython".into(),
        version: "3.13.5".into(),
        gil_claimed: Some(false),
        ..Facts::default()
    };
    let scenarios = vec![scenario()];
    let log = Log::parse(outcome.clone());
    Saved {
        schema: archive::SCHEMA,
        facts,
        seed: 1,
        numbers: vec![4],
        verdicts: verdicts(judge, &log, &scenarios, None),
        scenarios,
        outcome,
    }
}

/// What is written and read back.
fn through_a_file(saved: &Saved, out: &Path) -> Saved {
    let mut archive = Archive::open(out, archive::MOST_BYTES, 0);
    archive.add(&saved.packed(), saved.is_failing()).unwrap();
    Saved::read(archive::files(out).unwrap().last().unwrap()).unwrap()
}

#[test]
fn the_same_oracle_changes_nothing() {
    let out = tempfile::tempdir().unwrap();
    for (outcomes, died, failing) in [
        (&["1 | !IndexError | 0"][..], false, false),
        (&["1 | 1 | 0"], false, true),
        (&["!SystemError: x | 1 | 0", "1 | 1 | -1"], false, true),
        (&["1 | !IndexError | 0"], true, true),
    ] {
        let saved = saved(process(outcomes, died), &judge);
        assert_eq!(saved.is_failing(), failing, "{:?}", saved.verdicts);
        let read = through_a_file(&saved, out.path());
        let again = again(&read, &judge);
        assert_eq!(again.differences, [], "{outcomes:?}");
        assert_eq!(again.same, saved.verdicts.len());
    }
}

#[test]
fn a_better_oracle_changes_the_verdicts_of_an_old_hunt() {
    // An oracle that believes every outcome, and one that knows no signals: of two old programs.
    let blind = |log: &Log, scenarios: &[Scenario]| {
        let mut judged = judge(log, scenarios);
        judged.retain(|j| j.verdict.kind != Kind::Outcome);
        judged
    };
    let vague = |log: &Log, scenarios: &[Scenario]| {
        let mut judged = judge(log, scenarios);
        for one in &mut judged {
            one.verdict.kind = Kind::Exit;
        }
        judged
    };
    let old = saved(process(&["1 | 1 | 0"], false), &blind);
    assert!(old.verdicts.is_empty());
    let now = again(&old, &judge);
    assert_eq!((now.same, now.differences.len()), (0, 1));
    let new = now.differences[0].now.as_ref().unwrap();
    assert_eq!(now.differences[0].was, None);
    assert_eq!(
        (new.verdict.kind, new.grade),
        (Kind::Outcome, Grade::Forbidden)
    );
    assert_eq!(new.verdict.count, 7);

    let old = saved(process(&[], true), &vague);
    let now = again(&old, &judge);
    let (was, now) = (&now.differences[0].was, &now.differences[0].now);
    let kind = |one: &Option<archive::Recorded>| one.as_ref().map(|r| r.verdict.kind);
    assert_eq!(
        (kind(was), kind(now)),
        (Some(Kind::Exit), Some(Kind::Crash))
    );

    // And the other way round: what the old one told and the new one does not.
    let old = saved(process(&["1 | 1 | 0"], false), &judge);
    let now = again(&old, &blind);
    assert!(now.differences[0].was.is_some() && now.differences[0].now.is_none());
}

#[test]
fn cut_and_foreign_files_are_refused_with_their_name() {
    let out = tempfile::tempdir().unwrap();
    let saved = saved(process(&["1 | 1 | 0"], false), &judge);
    through_a_file(&saved, out.path());
    let file = archive::files(out.path()).unwrap().remove(0);
    let whole = std::fs::read(&file).unwrap();
    for bytes in [&whole[..whole.len() / 2], b"", b"{}"] {
        std::fs::write(&file, bytes).unwrap();
        let error = Saved::read(&file).unwrap_err().to_string();
        assert!(error.contains("000000-failing.json.gz"), "{error}");
        assert!(error.contains("cut or damaged"), "{error}");
    }
    let newer = Saved {
        schema: archive::SCHEMA + 1,
        ..saved
    };
    std::fs::write(&file, newer.packed()).unwrap();
    let error = Saved::read(&file).unwrap_err().to_string();
    assert!(error.contains("newer program"), "{error}");
}

/// A file of the first schema, which said of each scenario whether all its orders were run.
fn of_the_first_schema(saved: &Saved, complete: bool) -> Vec<u8> {
    let mut json = serde_json::to_value(saved).unwrap();
    json["schema"] = 1.into();
    json["complete"] = serde_json::json!([complete]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(json.to_string().as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn an_older_file_is_read_unless_not_all_orders_of_it_were_run() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("000000-failing.json.gz");
    let saved = saved(process(&["1 | 1 | 0"], false), &judge);
    std::fs::write(&file, of_the_first_schema(&saved, true)).unwrap();
    let read = Saved::read(&file).unwrap();
    assert_eq!(again(&read, &judge).same, saved.verdicts.len());
    std::fs::write(&file, of_the_first_schema(&saved, false)).unwrap();
    let error = Saved::read(&file).unwrap_err().to_string();
    assert!(
        error.contains("scenario 0 was run in some of its orders only"),
        "{error}"
    );
}
