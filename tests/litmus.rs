//! `threadbare litmus` as a user meets it: what is wrong with the call, and what comes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

fn litmus(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .arg("litmus")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let utf8 = |bytes| String::from_utf8(bytes).expect("own output is UTF-8");
    (
        output.status.code(),
        utf8(output.stdout),
        utf8(output.stderr),
    )
}

/// An empty folder of this test's own, with one good test in it.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (code, text, _) = litmus(&folder, &["--catalogue", "SB+rlx", "--print"]);
    assert_eq!(code, Some(0));
    std::fs::write(folder.join("SB.litmus"), text).unwrap();
    folder
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_run() {
    let folder = folder("litmus-unreadable");
    let (code, out, err) = litmus(&folder, &["missing.litmus", "SB.litmus"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("cannot read missing.litmus"), "{err}");
    assert!(out.contains("Observation SB+rlx Sometimes"), "{out}");
    std::fs::write(folder.join("bad.litmus"), "C bad\n\u{1b}[2J").unwrap();
    let (code, out, err) = litmus(&folder, &["."]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("bad.litmus:2:1") && err.contains("help: "),
        "{err}"
    );
    assert!(!err.contains('\u{1b}'), "{err:?}");
    assert!(out.contains("Observation SB+rlx Sometimes"), "{out}");
}

/// What no execution reaches the end of is neither exhausted nor as claimed.
#[test]
fn a_loop_that_is_cut_in_every_execution_gives_no_verdict() {
    let folder = folder("litmus-cut");
    let text = "C cut\n{ x=0; }\nP0 (atomic_int* x) {\n  int r0 = 0;\n  while (r0 < 6) {\n    \
                atomic_fetch_add_explicit(x, 1, memory_order_relaxed);\n    r0 = r0 + 1;\n  }\n}\n\
                P1 (atomic_int* x) {\n  int r1 = atomic_load_explicit(x, memory_order_relaxed);\n}\nforall (1:r1=99)\n";
    std::fs::write(folder.join("cut.litmus"), text).unwrap();
    let (code, out, err) = litmus(&folder, &["cut.litmus"]);
    assert_eq!(code, Some(4), "{out}{err}");
    assert!(
        err.contains("no execution comes to its end within 4 turns") && err.contains("--unroll"),
        "{err}"
    );
    let (code, out, err) = litmus(&folder, &["cut.litmus", "--unroll", "10"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("Observation cut Never 0 7"), "{out}");
}

#[test]
fn nothing_to_run_is_no_success() {
    let folder = folder("litmus-nothing");
    std::fs::create_dir(folder.join("empty")).unwrap();
    let (code, _, err) = litmus(&folder, &["empty"]);
    assert_eq!(code, Some(4));
    assert!(err.contains("empty has no *.litmus file"), "{err}");
    let (code, _, err) = litmus(&folder, &["--catalogue", "no such test"]);
    assert_eq!(code, Some(4));
    assert!(err.contains("has `no such test` in its name"), "{err}");
    for option in ["--runs", "--schedules", "--workers", "--sample"] {
        let (code, _, err) = litmus(&folder, &["SB.litmus", option, "0"]);
        assert_eq!(code, Some(2), "{option}: {err}");
    }
}

#[test]
fn options_that_an_engine_has_no_use_for_are_named() {
    let folder = folder("litmus-ignored");
    let args = ["SB.litmus", "--engine", "rc11,shuttle", "--bound", "1"];
    let (code, _, err) = litmus(&folder, &args);
    assert_eq!(code, Some(0));
    assert_eq!(err, "threadbare: --bound means nothing to shuttle\n");
}

#[test]
fn pictures_go_into_a_folder_that_is_made() {
    let folder = folder("litmus-pictures");
    let (code, _, err) = litmus(&folder, &["SB.litmus", "--dot", "new/pictures"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(folder.join("new/pictures/SB+rlx.rc11.svg").exists());
    let (code, _, err) = litmus(&folder, &["SB.litmus", "--dot", "SB.litmus"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("cannot make the folder SB.litmus"), "{err}");
}

#[test]
fn parts_add_up() {
    let folder = folder("litmus-parts");
    let counted = |part: &[&str]| {
        let args = ["SB.litmus", "--format", "json"];
        let (code, out, err) = litmus(&folder, &[&args, part].concat());
        assert_eq!(code, Some(0), "{err}");
        let result: serde_json::Value = serde_json::from_str(&out).unwrap();
        let number = |key: &str| result[key].as_u64().unwrap();
        let coverage = result["coverage"].as_str().unwrap();
        assert_eq!(coverage.contains("part"), !part.is_empty(), "{coverage}");
        number("positive") + number("negative")
    };
    let parts = ["1/3", "2/3", "3/3"].map(|part| counted(&["--shard", part]));
    assert_eq!(parts.iter().sum::<u64>(), counted(&[]));
    for part in ["0/3", "4/3", "1", "one/two"] {
        let (code, _, err) = litmus(&folder, &["SB.litmus", "--shard", part]);
        assert_eq!(code, Some(2));
        assert!(err.contains("parts are written I/N"), "{err}");
    }
}

const RACY: &str = "C race
{ x=0; }
P0 (int* x) { *x = 1; }
P1 (int* x) { int r0 = *x; }
locations [1:r0;]
";

#[test]
fn a_race_is_found_beside_the_verdict() {
    let folder = folder("litmus-race");
    for (condition, line, ok) in [
        ("exists (true)", "Ok", true),
        ("exists (1:r0=2)", "No", false),
        ("forall (x=1)", "Ok", true),
        ("~exists (1:r0=1)", "No", false),
    ] {
        std::fs::write(folder.join("race.litmus"), format!("{RACY}{condition}")).unwrap();
        let (code, out, err) = litmus(&folder, &["race.litmus"]);
        assert_eq!((code, err.as_str()), (Some(1), ""), "a race is a finding");
        assert!(out.contains(&format!("\n{line}\nUndef\n")), "{out}");
        assert!(out.contains("Histogram (2 states)"), "{out}");
        assert!(out.contains("Flag Undef: data race on x"), "{out}");
        let (code, out, _) = litmus(&folder, &["race.litmus", "--format", "json"]);
        assert_eq!(code, Some(1));
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["ok"], ok);
        assert_eq!(json["undef"], true);
        assert_eq!(json["finding"], true);
        assert_eq!(json["states"].as_array().map(Vec::len), Some(2));
    }
    // What the test expects is no finding.
    let expecting = RACY.replacen("{ x", "RC11=Race\n{ x", 1) + "exists (true)";
    std::fs::write(folder.join("race.litmus"), expecting).unwrap();
    let (code, out, _) = litmus(&folder, &["race.litmus"]);
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn what_is_read_otherwise_draws_a_warning() {
    let folder = folder("litmus-warnings");
    let text = "C warned\n{ }\nP0 (int* x, int* y) { atomic_store(x, 1); }\nexists (x=y)";
    std::fs::write(folder.join("warned.litmus"), text).unwrap();
    let (code, out, err) = litmus(&folder, &["warned.litmus"]);
    assert_eq!(code, Some(0));
    assert!(err.contains("warning: `x` is accessed atomically"), "{err}");
    assert!(err.contains("--> warned.litmus:4:11"), "{err}");
    assert!(out.contains("Observation warned Never 0 1"), "{out}");
}

#[test]
fn no_name_reaches_the_terminal_raw() {
    let folder = folder("litmus-escapes");
    std::fs::write(
        folder.join("a\u{1b}[2J.litmus"),
        "C a\u{1b}[31m\n{ }\nP0 () { \u{1b} }\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("b.litmus"),
        "C b\n\"\u{202e}\"\n{ }\nP0 () { }\n",
    )
    .unwrap();
    std::fs::write(folder.join("c.litmus"), "C c\nRC11=\u{7}\n{ }\nP0 () { }\n").unwrap();
    std::fs::write(
        folder.join("d.litmus"),
        "C d\n{ }\nP0 () { int \u{1b}[0m; }\n",
    )
    .unwrap();
    std::fs::create_dir(folder.join("e\u{1b}[1m")).unwrap();
    for args in [
        &["."][..],
        &["e\u{1b}[1m"],
        &["missing\u{1b}"],
        &["--catalogue", "\u{1b}[1m"],
    ] {
        let (code, out, err) = litmus(&folder, args);
        assert!(matches!(code, Some(2 | 4)), "{err}");
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{out:?}");
        assert!(!err.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{err:?}");
    }
}

#[test]
fn a_large_test_ends_in_time() {
    let folder = folder("litmus-time");
    let threads: String = (0..12)
        .map(|n| format!("P{n} (atomic_int* x) {{ int r = atomic_fetch_add(x, 1); }}\n"))
        .collect();
    let text = format!("C large\n{{ }}\n{threads}exists (x=12)");
    std::fs::write(folder.join("large.litmus"), text).unwrap();
    let (code, out, err) = litmus(&folder, &["large.litmus", "--time", "1"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("Coverage large stopped after"), "{out}");
    assert!(out.contains("Observation large Always"), "{out}");
}
