//! Campaigns as a user meets them: shards of two VMs, a VM that is missing, a kill, the same command again.
//!
//! The VM is the machine's own `python3`, under two names; it has a GIL, so that nothing is found in it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn threadbare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
    command.args(args).env_remove("RUST_BACKTRACE");
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    let output = threadbare(args).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("own output is UTF-8");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A campaign's file in a folder of its own.
fn campaign(dir: &Path, vms: &str, time: &str, shards: usize) -> String {
    let path = dir.join("c.toml");
    let text = format!(
        "vms = {vms}\ntime = '{time}'\nshards = {shards}\nsubjects = ['list']\nout = 'out'\noptions = ['--scenario-ms', '20', '--no-callbacks']\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn state(hunt: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(hunt.join("hunt.json")).unwrap()).unwrap()
}

/// The stages of the hunts, in order.
fn stages(file: &str) -> Vec<String> {
    let (code, out, err) = run(&["campaign", "status", file, "--format", "json"]);
    assert_eq!(code, 0, "{err}");
    let stage = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["schema"], 1);
        row["stage"].as_str().unwrap().to_owned()
    };
    out.lines().map(stage).collect()
}

fn until(what: &str, is: &dyn Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn shards_of_every_vm_run_and_a_missing_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = campaign(dir.path(), "['python3', 'no-such-vm']", "2s", 2);
    assert_eq!(stages(&file), ["waiting"; 4]);
    let (code, _, err) = run(&["campaign", "merge", &file]);
    assert_eq!(code, 4, "{err}");
    let (code, out, err) = run(&["campaign", "run", &file]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(
        out.contains("FAILED no-such-vm shard 0/2: no VM 'no-such-vm'"),
        "{out}"
    );
    assert_eq!(stages(&file), ["done", "failed", "done", "failed"]);
    // No scenario belongs to two shards: what each has begun has numbers of its own.
    let hunts = ["0", "1"].map(|i| dir.path().join(format!("out/python3/shard-{i}-of-2")));
    for (i, hunt) in hunts.iter().enumerate() {
        let state = state(hunt);
        assert_eq!(state["shard"], format!("{i}/2"));
        assert!(state["subjects"]["list"]["scenarios"].as_u64() > Some(0));
    }
    let (code, out, err) = run(&["campaign", "merge", &file]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("0 findings, 0 read from 2 of 4 hunts"),
        "{out}"
    );
}

#[test]
fn what_is_no_campaign_gives_2_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let file = campaign(dir.path(), "[]", "2s", 1);
    let (code, _, err) = run(&["campaign", "run", &file]);
    assert!(code == 2 && err.contains("`vms` is empty"), "{code} {err}");
    let (code, _, err) = run(&["campaign", "run", "no-such-file.toml"]);
    assert!(code == 2 && err.contains("campaign --help"), "{code} {err}");
    let file = campaign(dir.path(), "['python3']", "2s", 1);
    let (code, _, err) = run(&["campaign", "run", &file, "--shard", "1/2"]);
    assert!(code == 4 && err.contains("holds none"), "{code} {err}");
    assert_eq!(run(&["campaign", "run", &file, "--shard", "2/2"]).0, 2);
}

/// A campaign that runs until it is killed; the kill comes when its hunt has saved something.
fn begun(file: &str, hunt: &Path) -> Child {
    let mut command = threadbare(&["campaign", "run", file]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("the program starts");
    until("the hunt saves nothing", &|| {
        hunt.join("hunt.json").is_file() && state(hunt)["processes"].as_u64() > Some(0)
    });
    child
}

#[test]
fn a_campaign_that_is_stopped_saves_what_it_has_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = campaign(dir.path(), "['python3']", "1h", 1);
    let hunt = dir.path().join("out/python3/shard-0-of-1");
    let mut child = begun(&file, &hunt);
    assert_eq!(stages(&file), ["running"]);
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: sends a signal to our own child, which has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(stages(&file), ["stopped"]);
    let before = state(&hunt)["subjects"]["list"]["scenarios"].as_u64();
    // The same campaign, whose time is over a moment later: it goes on, and counts on.
    let seconds = state(&hunt)["seconds"].as_f64().unwrap() + 3.0;
    let file = campaign(dir.path(), "['python3']", &format!("{seconds}s"), 1);
    let (code, out, err) = run(&["campaign", "run", &file]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(stages(&file), ["done"]);
    assert!(state(&hunt)["subjects"]["list"]["scenarios"].as_u64() > before);
}

/// Killed hard, a campaign leaves its hunt running, which is told and not begun a second time.
#[test]
fn a_hunt_that_outlives_its_campaign_is_not_begun_twice() {
    let dir = tempfile::tempdir().unwrap();
    let file = campaign(dir.path(), "['python3']", "10s", 1);
    let hunt = dir.path().join("out/python3/shard-0-of-1");
    let mut child = begun(&file, &hunt);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(stages(&file), ["running"]);
    let (code, out, err) = run(&["campaign", "run", &file]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("running"), "{out}");
    let out = hunt.parent().unwrap().to_str().unwrap();
    let second = ["hunt", "--vm", "python3", "--shard", "0/1", "--out", out];
    let (code, _, err) = run(&second);
    assert!(
        code == 3 && err.contains("another hunt runs in"),
        "{code} {err}"
    );
    until("the hunt does not end", &|| stages(&file) == ["done"]);
}
