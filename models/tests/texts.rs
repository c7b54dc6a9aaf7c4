//! Texts that users read, kept as snapshots: `INSTA_UPDATE=always cargo test -p
//! threadbare-models --test texts` refreshes them.

use threadbare_models::engine::Engine;
use threadbare_models::engine::render::unambiguous;
use threadbare_models::report::{self, MatrixRow};
use threadbare_models::{catalogue, facts};

/// Source lines change with every edit of a scheme; that there is one does not.
fn without_lines(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(".rs:") {
        let (before, after) = rest.split_at(at + 4);
        out.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        assert!(digits > 0, "a source place without a line: {before}");
        out.push_str(&"N".repeat(digits));
        rest = &after[digits..];
    }
    out + rest
}

#[test]
fn a_violation_is_shown_with_a_column_per_thread() {
    let biased = catalogue::find("biased").unwrap();
    let mutant = biased.mutant("merge-ignores-shared").unwrap();
    let engine = Engine::Loom;
    let budget = report::budget(engine, 1);
    let checked =
        report::check(&biased, mutant.scenario, Some(mutant.name), engine, budget).unwrap();
    let shown = report::describe_mutant(&biased, mutant) + &report::violation(&biased, &checked);
    let shown = without_lines(&shown);
    let (shown, replay) = shown.rsplit_once("again: ").expect("how to see it again");
    assert!(replay.starts_with("threadbare replay 'tb1/biased/held-abroad/"), "{replay}");
    insta::assert_snapshot!(shown.trim_end());
}

#[test]
fn every_violation_has_lines_values_and_a_replay() {
    for entry in catalogue::all() {
        // One fault per protocol keeps this short.
        let mutant = entry.mutants.iter().find(|m| m.visible.by_shuttle()).unwrap();
        let budget = report::budget(Engine::Random, 1);
        let engines = [Engine::Random, Engine::Pct, Engine::Explorer];
        let found = engines.into_iter().find_map(|engine| {
            let checked =
                report::check(&entry, mutant.scenario, Some(mutant.name), engine, budget).unwrap();
            checked.verdict.failure().is_some().then_some(checked)
        });
        let checked = found.unwrap_or_else(|| panic!("{} is found", mutant.name));
        let text = report::violation(&entry, &checked);
        for needed in ["\nbreaks", ".rs:", "\nT0", "⇒", "threadbare replay 'tb1/"] {
            // A value: an update shows both, a plain read and a load show one; what locks guard shows what is written.
            let value = needed == "⇒" && (text.contains('→') || text.contains(":= "));
            assert!(!text.contains("breaks none"), "{text}");
            // The lines are the scheme's, never those of the engine's backend.
            for backend in ["runtime/", "recorded.rs", "shuttle.rs", "loom.rs", "explorer.rs"] {
                assert!(!text.contains(backend), "{}: {backend} in\n{text}", mutant.name);
            }
            assert!(value || text.contains(needed), "{}: {needed:?} in\n{text}", mutant.name);
        }
    }
}

#[test]
fn a_description_says_what_must_hold_and_how_large_the_scenarios_are() {
    insta::assert_snapshot!(report::describe(&catalogue::find("biased").unwrap()));
}

#[test]
fn empty_cells_of_the_matrix_are_visible() {
    let atomic = report::matrix_row(&catalogue::find("atomic").unwrap(), 0, 2);
    let rows: [MatrixRow; 2] = [atomic, report::empty_row("stop-the-world", 0, 3)];
    let sheets = facts::sheets(&catalogue::all());
    let text = report::matrix(&rows, &sheets);
    let cells = |line: usize| text.lines().nth(line).unwrap().split_whitespace().count();
    assert_eq!(cells(2), cells(1), "{text}");
    assert_eq!(cells(3), cells(1), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let unknown = catalogue::find("bised").unwrap_err().to_string();
    assert!(unknown.contains("\"bised\"") && unknown.contains("biased, "), "{unknown}");
    let biased = catalogue::find("biased").unwrap();
    let mutant = biased.mutant("merge").unwrap_err().to_string();
    assert!(mutant.contains("brc-merge-ignores-shared"), "{mutant}");
    let scenario = biased.scenario("nowhere").unwrap_err().to_string();
    assert!(scenario.contains("held-abroad"), "{scenario}");
}

/// Every scenario has a row in the table of bounds, which the program prints.
#[test]
fn the_table_of_bounds_is_complete() {
    let table = include_str!("../reports/bounds.md");
    for entry in catalogue::all() {
        for scenario in &entry.scenarios {
            let start = report::bounds_start(&entry, scenario);
            let row = table.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("no row {start:?}; see the file's first lines"));
            assert!(!row.contains("VIOLATED"), "{row}");
        }
    }
}

#[test]
fn a_place_shows_its_protocol_when_its_name_does_not() {
    for (path, shown) in [
        ("models/src/refcount/biased.rs", "biased.rs"),
        ("models/src/reclaim/qsbr/client.rs", "qsbr/client.rs"),
        ("models\\src\\reclaim\\qsbr\\client.rs", "qsbr/client.rs"),
        ("src/engine/mod.rs", "engine/mod.rs"),
        ("lib.rs", "lib.rs"),
    ] {
        assert_eq!(unambiguous(path), shown);
    }
}

/// README's table has the file of every protocol.
#[test]
fn the_readme_lists_every_file() {
    let readme = include_str!("../README.md");
    for entry in catalogue::all() {
        // threadbare_models::FAMILY::FILE::…
        let file = entry.module.split("::").nth(2).expect("a module of a family");
        assert!(readme.contains(&format!("{file}.rs`")), "README.md's table has no {file}.rs");
    }
}
