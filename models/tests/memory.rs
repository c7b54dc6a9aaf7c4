//! Every protocol on real threads with its objects in real memory, for AddressSanitizer.
//!
//! In a plain build the faithful schemes run and only what the C library's allocator notices
//! is seen. `ci/asan.sh` builds this test with the sanitizer (`--cfg threadbare_asan`); then the
//! planted faults run too, each in a process of its own, and those of [`CERTAIN`] must be
//! reported for what they do to memory.
//!
//! `THREADBARE_ROUNDS` is how often each scenario runs; 50 without it.

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::Command;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::protocol::MutantInfo;
use threadbare_models::verdict::Kind;

/// Faults that show within a hundred rounds on any machine, of ten thousand that they are
/// given, and as what. The others need an interleaving or a memory model that real threads
/// may not give; what they showed is printed.
const CERTAIN: &[(&str, &[&str])] = &[
    ("arc-wrap", EARLY),
    ("brc-fastpath-ignores-flags", EARLY),
    ("brc-logical-shift", LOST),
    ("brc-try-dead", EARLY),
    ("brc-unlink-first", LOST),
    ("paper-free-listed", EARLY),
    ("paper-requeue", EARLY),
    ("buf-dec-before-inc", EARLY),
    ("buf-double-apply", EARLY),
    ("buf-one-log-unordered", EARLY),
    ("def-close-by-object", LOST),
    ("def-no-stack-scan", EARLY),
    ("def-no-surplus-removal", LOST),
    ("def-small-surplus", EARLY),
    ("gil-final-touches", EARLY),
    ("ilk-reread-zero", EARLY),
    ("or-foreign-resize-unmarked", EARLY),
    ("buf-index-reuse", LOST),
    ("wr-test-then-incref", EARLY),
];
const EARLY: &[&str] = &["heap-use-after-free", "double-free", "overwritten"];
const LOST: &[&str] = &["leak"];

fn rounds() -> u64 {
    let rounds = std::env::var("THREADBARE_ROUNDS").ok();
    rounds.map_or(50, |text| text.parse().expect("THREADBARE_ROUNDS is a number"))
}

fn faithful(entry: &Entry, scenario: &str) -> Result<(), Failed> {
    // SAFETY: no fault is planted; whether the scheme itself frees too early is what
    // AddressSanitizer is asked.
    unsafe { entry.allocated(scenario, None, rounds())? };
    println!("{} {scenario}: {} rounds, nothing found", entry.name, rounds());
    Ok(())
}

/// Whether a fault may show as what it does to memory.
fn harms_memory(entry: &Entry, mutant: &MutantInfo) -> bool {
    [Kind::UseAfterFree, Kind::DoubleFree, Kind::PrematureFree, Kind::Leak]
        .into_iter()
        .any(|kind| entry.kind_breaks(kind, mutant))
}

/// What a process said at its end, in a few words.
fn end(success: bool, stderr: &str) -> String {
    let summary = stderr.lines().find_map(|line| line.strip_prefix("SUMMARY: AddressSanitizer: "));
    match summary {
        Some(leak) if leak.contains("leaked") => "leak".into(),
        Some(error) => error.split(' ').next().unwrap_or_default().into(),
        None if success => "nothing".into(),
        // The free came between the sanitizer's look at the address and the access itself.
        None if stderr.contains("holds something else") => "overwritten".into(),
        None => "a check of the scheme's own".into(),
    }
}

fn planted(entry: &Entry, mutant: &MutantInfo) -> Result<(), Failed> {
    let this = std::env::current_exe()?;
    let output = Command::new(this).args(["planted", entry.name, mutant.name]).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let found = end(output.status.success(), &stderr);
    println!("planted {} {}: {found}", entry.name, mutant.name);
    match CERTAIN.iter().find(|(name, _)| *name == mutant.name) {
        Some((_, expected)) if !expected.contains(&found.as_str()) => {
            Err(format!("expected {}, found {found}:\n{stderr}", expected.join(" or ")).into())
        }
        _ => Ok(()),
    }
}

/// The process that [`planted`] starts.
fn plant(protocol: &str, mutant: &str) {
    let entry = catalogue::find(protocol).expect("the parent knows the protocol");
    let info = entry.mutant(mutant).expect("the parent knows the mutant");
    // SAFETY: a process of its own, started only by a test that the sanitizer watches.
    unsafe { entry.allocated(info.scenario, Some(mutant), rounds() * 50) }.expect("known names");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, protocol, mutant] = &words[..]
        && word == "planted"
    {
        return plant(protocol, mutant);
    }
    let mut trials = Vec::new();
    for entry in catalogue::all() {
        for scenario in &entry.scenarios {
            let (e, name) = (entry.clone(), scenario.name.clone());
            let line = format!("{}::{name}", entry.name);
            trials.push(Trial::test(line, move || faithful(&e, &name)));
        }
        if cfg!(threadbare_asan) {
            for m in entry.mutants.iter().copied().filter(|m| harms_memory(&entry, m)) {
                let e = entry.clone();
                let line = format!("{}::planted::{}", entry.name, m.name);
                trials.push(Trial::test(line, move || planted(&e, &m)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
