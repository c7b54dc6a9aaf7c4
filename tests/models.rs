//! `threadbare check`, `replay` and `matrix` as a user meets them.

use std::process::Command;

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
    let output = command.args(args).output().expect("the program starts");
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).expect("own output is UTF-8");
    (
        output.status.code().unwrap_or(-1),
        utf8(output.stdout),
        utf8(output.stderr),
    )
}

const PLANTED: [&str; 4] = ["check", "biased", "--mutant", "merge-ignores-shared"];

#[test]
fn a_planted_fault_is_shown_and_replayed_from_the_saved_output() {
    let (code, shown, err) = run(&PLANTED);
    assert_eq!(code, 1, "{shown}\n{err}");
    for needed in [
        "must break one of",
        "T0 ",
        " │ ",
        "biased.rs:",
        "found by loom",
    ] {
        assert!(shown.contains(needed), "{needed} in\n{shown}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &shown).unwrap();
    let (code, again, err) = run(&["replay", file.path().to_str().unwrap()]);
    assert_eq!(code, 1, "{again}\n{err}");
    let trace = |text: &str| {
        let from = text.find("\nscenario ").expect("a trace");
        let to = text.find("\nagain: ").expect("the replay line");
        text[from..to].to_owned()
    };
    assert_eq!(trace(&again), trace(&shown));
    let line = shown
        .lines()
        .find_map(|l| l.strip_prefix("again: threadbare replay '"));
    let line = line.unwrap().trim_end_matches('\'');
    let (code, json, _) = run(&["replay", line, "--format", "json"]);
    assert_eq!(code, 1, "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], "threadbare.check/1");
    // The same line for another trace: it runs, and the program says that it differs.
    let (body, _) = line.rsplit_once('/').unwrap();
    let (code, _, err) = run(&["replay", &format!("{body}/1")]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("took another course"), "{err}");
}

#[test]
fn a_faithful_scenario_passes_under_each_engine() {
    let (code, json, err) = run(&["check", "biased", "--scenario", "exit", "--format", "json"]);
    assert_eq!(code, 0, "{json}\n{err}");
    let engines: Vec<String> = json
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["schema"], "threadbare.check/1");
            line["engine"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(engines.len(), 6, "{engines:?}");
}

#[test]
fn wrong_names_and_files_give_2_and_the_way_out() {
    for (args, hint) in [
        (&["check", "bised"][..], "there are: "),
        (&["check", "biased", "--mutant", "merge"], "it has: "),
        (&["check", "biased", "--scenario", "x"], "it has: "),
        (&["check", "--scenario", "exit"], "<PROTOCOL>"),
        (
            &["check", "gil", "--mutants", "--engine", "loom"],
            "cannot be used with",
        ),
        (&["check", "gil", "--engine", "genmc"], "one of explorer"),
        (
            &["check", "gil", "--engine", "loom", "--workers", "2"],
            "for the explorer",
        ),
        (
            &["check", "gil", "--mutants", "--workers", "2"],
            "cannot be used with",
        ),
        (
            &["check", "gil", "--orders", "--format", "markdown"],
            "is one table",
        ),
        (&["replay", "no-such-file"], "nor a file"),
        (&["replay", "/dev/null"], "not a recording"),
        (&["replay", "tb1/biased/exit"], "eight fields"),
        (
            &["replay", "tb9/biased/exit/-/loom@loom-0.7/1/n1/1"],
            "reads tb1",
        ),
        (
            &["replay", "tb1/biased/exit/-/loom@loom-0.1/1/n1/1"],
            "is for",
        ),
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 2, "{args:?}: {err}");
        assert!(err.contains(hint), "{args:?}: {err}");
    }
}

#[test]
fn a_mutant_and_the_bugs_that_it_is_stand_side_by_side() {
    let (code, text, err) = run(&["matrix", "strong-getter"]);
    assert_eq!(code, 0, "{err}");
    for (model, vm) in [
        ("the model: data race", "known bugs"),
        ("T0 ", "received signal SIGSEGV"),
        (
            "again: threadbare check strong-getter",
            "again: threadbare repro",
        ),
    ] {
        let sides = text.lines().filter_map(|l| l.split_once('┃'));
        let (left, right): (Vec<&str>, Vec<&str>) = sides.unzip();
        assert!(
            left.iter().any(|l| l.contains(model)),
            "{model} left in\n{text}"
        );
        assert!(
            right.iter().any(|r| r.contains(vm)),
            "{vm} right in\n{text}"
        );
    }
    let (code, _, err) = run(&["matrix", "reference-counts"]);
    assert_eq!(code, 2);
    assert!(err.contains("`threadbare matrix` lists them"), "{err}");
    let (_, text, _) = run(&["bugs", "python/cpython#124470"]);
    assert!(
        text.contains("┃") && text.contains("object[0] loses a reference"),
        "{text}"
    );
}

#[test]
fn the_page_has_every_mutant_that_is_a_known_bug() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("matrix.html");
    let (code, _, err) = run(&["matrix", "--html", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let page = std::fs::read_to_string(&file).unwrap();
    let (_, rows, _) = run(&["matrix", "--format", "json"]);
    let mut pairs = 0;
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        if row["schema"] == "threadbare.sheet/1" {
            continue;
        }
        for mutant in row["mutants_that_are_bugs"].as_array().unwrap() {
            let id = format!(
                "{}-{}",
                row["protocol"].as_str().unwrap(),
                mutant.as_str().unwrap()
            );
            assert!(
                page.contains(&format!("id=\"{id}\"")),
                "{id} is not in the page"
            );
            pairs += 1;
        }
    }
    assert!(pairs >= 8, "{pairs}");
    let (code, _, err) = run(&["matrix", "--html", "/no/such/folder/x.html"]);
    assert_eq!(code, 3, "{err}");
}

#[test]
fn the_matrix_has_a_row_per_protocol_and_no_blank_cell() {
    let (code, text, _) = run(&["matrix"]);
    assert_eq!(code, 0);
    let mut table = text.lines().skip(1);
    let head = table.next().unwrap().split_whitespace().count();
    let rows: Vec<&str> = table
        .take_while(|l| !l.contains("protocols with a scheme"))
        .collect();
    assert!(rows.len() >= 16, "{text}");
    for row in rows {
        assert_eq!(row.split_whitespace().count(), head, "{row}");
    }
    let (code, json, _) = run(&["matrix", "--format", "json"]);
    assert_eq!(code, 0);
    let of = |schema: &str| json.lines().filter(|l| l.contains(schema)).count();
    assert_eq!(of("threadbare.sheet/1"), 18, "mechanisms");
    assert_eq!(of("threadbare.matrix/2") + 18, json.lines().count());
    let sheets = json.lines().filter(|l| l.contains("threadbare.sheet/1"));
    let sheets = sheets.map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let (mutants, named) = sheets.fold((0, 0), |(mutants, named), sheet| {
        let number = |key: &str| sheet[key].as_u64().unwrap();
        (mutants + number("mutants"), named + number("named"))
    });
    assert!(
        mutants < named && text.contains("/348 are mutants"),
        "what is not covered is said: {mutants} of {named}: {text}"
    );
}

#[test]
fn help_ends_with_examples() {
    for name in ["check", "replay", "matrix"] {
        let (code, out, _) = run(&[name, "--help"]);
        assert_eq!(code, 0);
        assert!(out.contains("Examples:\n  threadbare "), "{out}");
    }
}
