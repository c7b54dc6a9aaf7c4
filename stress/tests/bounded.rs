//! A VM that does nothing but die: the store stays small and keeps every signature.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use threadbare_stress::campaign::{MOST, Options, hunt};
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::builtin;
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;

/// Crashes of the test; `THREADBARE_TEST_CRASHES=10000` is an hour's worth.
fn crashes() -> u64 {
    let asked = std::env::var("THREADBARE_TEST_CRASHES").ok();
    asked.map_or(250, |n| n.parse().expect("a number of crashes"))
}

fn bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap());
    entries
        .map(|e| match e.file_type().unwrap().is_dir() {
            true => bytes(&e.path()),
            false => e.metadata().unwrap().len(),
        })
        .sum()
}

/// Resident memory of this process, KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_crashes_leave_a_small_store_with_a_reproducer_of_every_signature() {
    let dir = tempfile::tempdir().unwrap();
    let (out, log) = (dir.path().join("out"), dir.path().join("log"));
    let command = format!(
        "{}/tests/fixtures/panics.sh {}",
        env!("CARGO_MANIFEST_DIR"),
        log.display()
    );
    let vm = Vm::open(&command).unwrap();
    let options = Options {
        subjects: builtin::select(&["list".to_owned()]).unwrap(),
        seed: 1,
        time: None,
        shard: Default::default(),
        iterations: Some(crashes()),
        jobs: 1,
        out: out.clone(),
        limits: Limits::default(),
        company: Some(Vec::new()),
        scenario_ms: 5,
        batch: 1,
        sequential: false,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    };
    let before = resident();
    let report = hunt(&vm, &options, &|_| ()).unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    let died: u64 = report.state.sum(|t| t.verdicts.values().sum());
    assert!(died >= crashes(), "{died}");

    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    for place in std::fs::read_to_string(&log).unwrap().lines() {
        *places.entry(place.to_owned()).or_default() += 1;
    }
    let mut kept: BTreeMap<String, u32> = BTreeMap::new();
    for finding in &report.findings {
        assert_eq!(finding.kind, Kind::Panic);
        let file = finding.detail.split(".rs:").next().unwrap();
        let place = file.rsplit('/').next().unwrap().to_owned();
        // It happens whatever the rest of the scenario is, so nothing of the rest may be left.
        let script = finding.script.unwrap();
        if place != "other" {
            assert!(finding.minimised, "{}", finding.line());
            assert_eq!(script.hits, script.runs, "{}", finding.line());
        }
        let best = kept.entry(place).or_default();
        *best = (*best).max(script.hits);
    }
    let seen: BTreeSet<&String> = places.keys().collect();
    assert!(seen.len() >= 8, "{places:?}");
    assert_eq!(kept.keys().collect::<BTreeSet<_>>(), seen, "{places:?}");
    assert!(kept.values().all(|hits| *hits > 0), "{kept:?}");

    let folders = std::fs::read_dir(out.join("findings")).unwrap().count();
    assert_eq!(folders, report.findings.len());
    assert!(folders <= MOST, "{folders}");
    // Both ends of two outputs, a script and the finding itself.
    let (stored, most) = (bytes(&out), folders as u64 * 180_000 + 100_000);
    let grown = resident().saturating_sub(before);
    eprintln!(
        "{died} crashes: {folders} folders, {stored} bytes, {grown} KiB more memory; {places:?}"
    );
    assert!(stored <= most, "{stored} bytes in {folders} folders");
    assert!(grown < 64 << 10, "{grown} KiB");
}
