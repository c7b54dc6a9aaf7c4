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
