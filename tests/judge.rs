//! `threadbare judge`: exit codes and words, on a hunt of the machine's own `python3`.

use std::path::Path;
use std::process::Command;
use threadbare_stress::campaign::archive::{Saved, files};

fn threadbare(args: &[&str], out: &Path) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
    let output = command.args(args).arg(out).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_saved_hunt_is_judged_again() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path();
    let (code, _, err) = threadbare(&["judge"], out);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("histories") && err.contains("--out"), "{err}");

    let hunt = "hunt --vm python3 --subject list --subject dict --sequential --iterations 16 --scenario-ms 5 --out";
    let (code, _, err) = threadbare(&hunt.split(' ').collect::<Vec<_>>(), out);
    assert_eq!(code, 0, "{err}");
    let saved = files(out).unwrap();
    assert!(saved.len() > 1, "{saved:?}");
    // Killed before its first process ended, a hunt leaves no state.
    let state = std::fs::read(out.join("hunt.json")).unwrap();
    std::fs::remove_file(out.join("hunt.json")).unwrap();
    let (code, text, err) = threadbare(&["judge"], out);
    assert_eq!(code, 0, "{text}{err}");
    assert!(
        text.contains(" 16 scenarios; 0 verdicts are the same, 0 differ"),
        "{text}"
    );

    // A cut file is named, and the others are judged.
    let whole = std::fs::read(&saved[0]).unwrap();
    std::fs::write(&saved[0], &whole[..whole.len() / 2]).unwrap();
    let (code, text, err) = threadbare(&["judge"], out);
    assert_eq!(code, 3, "{text}{err}");
    assert!(
        err.contains("000000.json.gz") && err.contains("cut"),
        "{err}"
    );
    assert!(text.contains("1 files cannot be read"), "{text}");
    std::fs::write(&saved[0], &whole).unwrap();

    // One that is gone is missed, the last one too.
    std::fs::write(out.join("hunt.json"), &state).unwrap();
    for file in [&saved[0], saved.last().unwrap()] {
        let whole = std::fs::read(file).unwrap();
        std::fs::remove_file(file).unwrap();
        let (code, text, err) = threadbare(&["judge"], out);
        assert_eq!(code, 3, "{text}{err}");
        assert!(
            err.contains("1 of the hunt's processes are missing"),
            "{err}"
        );
        std::fs::write(file, &whole).unwrap();
    }
    assert_eq!(threadbare(&["judge"], out).0, 0);

    // One of another hunt says nothing of this one.
    let refused = || {
        let (code, text, err) = threadbare(&["judge"], out);
        assert_eq!(code, 3, "{text}{err}");
        assert!(
            err.contains("000000.json.gz") && err.contains("another hunt"),
            "{err}"
        );
    };
    let mut foreign = Saved::read(&saved[0]).unwrap();
    foreign.seed += 1;
    std::fs::write(&saved[0], foreign.packed()).unwrap();
    refused();
    std::fs::write(&saved[0], &whole).unwrap();
    // Nor one of another shard of the same.
    let number = Saved::read(&saved[0]).unwrap().numbers[0];
    let mut of_shard: serde_json::Value = serde_json::from_slice(&state).unwrap();
    of_shard["shard"] = format!("{}/2", (number + 1) % 2).into();
    std::fs::write(out.join("hunt.json"), of_shard.to_string()).unwrap();
    refused();
    std::fs::write(out.join("hunt.json"), &state).unwrap();

    // An outcome that no order gives, of which the hunt said nothing.
    let mut old = Saved::read(&saved[0]).unwrap();
    let at = |l: &&String| l.starts_with("O\t");
    let line = old.outcome.stdout.iter().find(at).expect("an outcome");
    let (head, _) = line.rsplit_once('\t').unwrap();
    let wrong = format!("{head}\tnothing | like it");
    let place = old.outcome.stdout.iter().position(|l| l == line).unwrap();
    old.outcome.stdout.insert(place, wrong);
    std::fs::write(&saved[0], old.packed()).unwrap();
    let (code, text, err) = threadbare(&["judge"], out);
    assert_eq!(code, 1, "{text}{err}");
    assert!(
        text.contains("  was  none\n  now  outcome [")
            && text.contains("no order gives nothing | like it"),
        "{text}"
    );
    let (code, text, _) = threadbare(&["judge", "--format", "json"], out);
    assert_eq!(code, 1);
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "differs");
    assert_eq!(events[0]["now"]["verdict"]["kind"], "outcome");
    assert_eq!(events.last().unwrap()["new"], 1);

    std::fs::remove_dir_all(out.join("histories")).unwrap();
    std::fs::create_dir(out.join("histories")).unwrap();
    assert_eq!(threadbare(&["judge"], out).0, 3, "all are missing");
    std::fs::write(out.join("hunt.json"), "{").unwrap();
    assert_eq!(threadbare(&["judge"], out).0, 3, "the state is damaged");
    std::fs::remove_file(out.join("hunt.json")).unwrap();
    assert_eq!(threadbare(&["judge"], out).0, 4);
}
