//! Nothing that `facts.tsv` names is forgotten, and nothing that it says is untrue of the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use threadbare_models::catalogue;
use threadbare_models::facts::{self, State};
use threadbare_models::protocol::Visible;

/// What the catalogue plants, by name: the entries' mutants of that name.
fn planted() -> BTreeMap<&'static str, Vec<threadbare_models::protocol::MutantInfo>> {
    let mut planted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for entry in catalogue::all() {
        for mutant in entry.mutants {
            planted.entry(mutant.name).or_default().push(mutant);
        }
    }
    planted
}

#[test]
fn the_state_of_every_named_fault_is_what_the_catalogue_has() {
    let planted = planted();
    let facts = facts::all();
    assert_eq!(facts.len(), 348, "faults in eighteen mechanisms");
    for fact in &facts {
        let mutant = planted.contains_key(fact.fault);
        assert_eq!(mutant, fact.state == State::Mutant, "{}: planted: {mutant}", fact.fault);
        let reason = fact.state == State::Reason;
        // A sentence of its own: no "as above", which means another thing after a line has moved.
        let sentence =
            fact.why.len() > 60 && fact.why.ends_with('.') && !fact.why.contains("as above");
        assert_eq!(reason, sentence, "{}: {:?}", fact.fault, fact.why);
        assert!(reason || fact.why.is_empty(), "{}", fact.fault);
        assert!(fact.what.chars().count() >= 10, "{}: {:?}", fact.fault, fact.what);
    }
    let names: BTreeSet<_> = facts.iter().map(|f| (f.sheet, f.fault)).collect();
    assert_eq!(names.len(), facts.len(), "a fault stands twice in a mechanism");
}

/// What sequential consistency hides, no engine that knows nothing else is expected to kill; all else is, unless it says
/// why samples hardly meet it.
#[test]
fn what_needs_weak_memory_is_expected_of_no_sequentially_consistent_engine() {
    let planted = planted();
    let mut compared = 0;
    for fact in facts::all().iter().filter(|f| f.state == State::Mutant) {
        for mutant in &planted[fact.fault] {
            let alone = matches!(mutant.visible, Visible::Explorer(_)) && !fact.weak;
            assert_eq!(!fact.weak, mutant.visible.by_shuttle() || alone, "{}", fact.fault);
            compared += 1;
        }
    }
    assert!(compared >= 101, "{compared}");
}

#[test]
fn every_mechanism_has_a_model() {
    let sheets = facts::sheets(&catalogue::all());
    assert_eq!(sheets.len(), 18);
    for sheet in &sheets {
        assert!(sheet.mutants > 0 && !sheet.protocols.is_empty(), "{}", sheet.sheet);
    }
    let of = |sheet: &str| sheets.iter().find(|s| s.sheet == sheet).expect("listed");
    assert_eq!(
        of("isolation").protocols,
        ["subinterpreters", "ractors", "regions", "foreign-calls"]
    );
    assert!(of("biased-refcount").protocols.contains(&"biased"));
    // What another mechanism names too is no model of it.
    assert!(of("allocator").protocols.contains(&"qsbr"));
}

#[test]
fn what_a_protocol_leaves_out_is_its_own_mechanisms() {
    let left = |name: &str| {
        let entry = catalogue::find(name).expect("listed");
        facts::left_out(&entry).into_iter().map(|f| f.fault).collect::<Vec<_>>()
    };
    assert!(left("gil").contains(&"gil-no-switchnum"));
    assert!(left("qsbr").iter().all(|fault| fault.starts_with("qsbr-")), "{:?}", left("qsbr"));
    assert!(left("atomic").is_empty());
}

#[test]
fn names_are_unique_and_mutants_name_what_exists() {
    for entry in catalogue::all() {
        let names: BTreeSet<&str> = entry.mutants.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), entry.mutants.len(), "{}", entry.name);
        assert!(entry.mutants.len() >= 3, "{} has {} faults", entry.name, entry.mutants.len());
        for mutant in &entry.mutants {
            assert!(entry.scenario(mutant.scenario).is_ok(), "{}", mutant.name);
            for property in mutant.breaks {
                assert!(entry.properties.iter().any(|p| p.id == *property), "{}", mutant.name);
            }
        }
    }
}

#[test]
fn a_fault_is_found_without_the_prefix_of_its_family() {
    let biased = catalogue::find("biased").expect("listed");
    assert_eq!(
        biased.mutant("merge-ignores-shared").expect("short").name,
        "brc-merge-ignores-shared"
    );
    assert!(biased.mutant("ignores-shared").is_err());
}

/// Of every protocol, the fault that its central step does nothing, and, where memory waits for somebody, that one
/// block which waits is lost. `tests/protocols.rs` has each of them killed.
const PROGRESS: &[(&str, &str, &str)] = &[
    ("global-lock", "arc-old-value", ""),
    ("interlocked", "ilk-old-value", ""),
    ("atomic", "arc-zero-nothing", ""),
    ("strong-getter", "arc-replace-forgets", ""),
    ("biased", "brc-drain-nothing", "brc-drain-loses-one"),
    ("deferred", "def-collect-nothing", "def-no-surplus-removal"),
    ("immortal", "imm-poll-nothing", "imm-poll-loses-one"),
    ("side-table", "side-zero-nothing", ""),
    ("qsbr", "qsbr-quiescent-nothing", "delayed-exit-drop"),
    ("gil", "gil-ignores-request", ""),
    ("biased-paper", "paper-poll-nothing", "paper-poll-loses-one"),
    ("buffered", "buf-poll-nothing", "buf-exit-drop-log"),
    // Readers that fail go on for ever: the step to the lock is missing.
    ("optimistic-list", "vc-retry-forever", ""),
    ("marked-list", "or-reclaim-nothing", "or-exit-drop"),
    ("weakref-atomic", "wr-clear-nothing", ""),
    ("weakref-biased", "wr-clear-nothing", ""),
    ("weakref-canonical", "wr-calls-nothing", ""),
    ("parking-mutex", "unpark-nothing", ""),
    ("word-mutex", "rawmutex-wakes-nobody", ""),
    ("futex-mutex", "futex-wakes-nobody", ""),
    ("event", "event-wakes-nobody", ""),
    ("once", "once-wakes-nobody", ""),
    ("recursive-mutex", "rmutex-gives-nothing", ""),
    ("rwlock", "rw-runlock-no-wake", ""),
    ("seqlock", "seq-stays-odd", ""),
    ("critical-sections", "cs-suspend-nothing", ""),
    ("pooled-locks", "pool-returns-nothing", ""),
    ("extension-lock", "ext-leave-nothing", ""),
    ("furtex", "futex-unlock-no-wake", ""),
    ("prelocked", "bias-grant-nothing", ""),
    ("stop-the-world", "stw-suspend-nothing", ""),
    ("stop-domains", "stw-start-nothing", ""),
    ("thread-list", "tsl-exit-no-unlink", ""),
    ("current-state", "tls-detach-nothing", ""),
    ("thread-states", "ts-delete-nothing", "ts-exit-queue-drop"),
    ("qsbr-slots", "qsbr-unregister-nothing", ""),
    ("borrowed", "borrow-replace-forgets", "borrow-undo-lost"),
    ("inline-attribute", "attr-fallback-nothing", "attr-undo-lost"),
    ("dict", "dk-fallback-nothing", "dk-undo-lost"),
    ("subscript", "sub-reclaim-nothing", "sub-exit-drops"),
    ("grwl", "grwl-end-write-nothing", ""),
    ("type-cache", "tc-modified-nothing", ""),
    ("cycle-collection", "gc-clear-nothing", "gc-skip-abandoned"),
    ("free-list", "fl-give-nothing", ""),
    ("size-classes", "cls-exit-leak", "cls-flush-keeps-tail"),
    ("block-caches", "cache-sweep-nothing", "cache-sweep-drops"),
    ("thread-heaps", "mi-drain-nothing", "mi-collect-nonatomic"),
    ("abandoned-pages", "mi-abandon-nothing", ""),
    ("page-reuse", "page-walk-nothing", "page-exit-drop"),
    ("inline-cache", "spec-modified-nothing", ""),
    ("batched-count", "counter-trigger-nothing", "counter-exit-drop"),
    ("subinterpreters", "sub-pending-nothing", "sub-release-ring-full"),
    ("foreign-calls", "gs-release-nothing", ""),
    ("ractors", "rac-mark-nothing", "rac-close-loses"),
    ("regions", "reg-give-nothing", ""),
];

#[test]
fn every_protocol_has_its_progress_stopped() {
    for entry in catalogue::all() {
        let found = PROGRESS.iter().find(|(name, ..)| *name == entry.name);
        let (_, nothing, lost) = found.unwrap_or_else(|| {
            panic!("{}: which fault stops its progress? Add it to PROGRESS", entry.name)
        });
        for mutant in [nothing, lost].into_iter().filter(|name| !name.is_empty()) {
            let mutant = entry.mutant(mutant).unwrap_or_else(|unknown| panic!("{unknown}"));
            assert!(!mutant.breaks.is_empty(), "{}", mutant.name);
        }
    }
    assert_eq!(PROGRESS.len(), catalogue::all().len(), "a protocol that does not exist");
}

/// The counts in README are those of the file.
#[test]
fn the_readme_counts_what_the_file_has() {
    let count = |state| facts::all().iter().filter(|f| f.state == state).count();
    let sentence = format!(
        "{} are mutants, {} are left out for a reason that stands there, {} are not yet done",
        count(State::Mutant),
        count(State::Reason),
        count(State::NotYet)
    );
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&sentence), "README.md is to say: {sentence}");
}
