//! What a scenario can say beyond a fresh object in one process: a process of its own for each trial, a table that is
//! reset, a wait in the middle of an operation, company. Each is hunted on a real interpreter with a fault that
//! needs it, planted in the subject's own Python code, and without.

use std::time::Duration;
use threadbare_stress::campaign::{Options, Report, hunt};
use threadbare_stress::finding::Finding;
use threadbare_stress::scenario::Shape;
use threadbare_stress::scenario::company::Company;
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::parse;
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;

/// Hunts a subject in this company.
fn hunted(text: &str, company: &[Company], iterations: u64) -> Report {
    let vm = Vm::open("python3").expect("python3 is on PATH");
    let out = tempfile::tempdir().unwrap();
    let options = Options {
        subjects: parse("a test", text).unwrap(),
        seed: 1,
        time: Some(Duration::from_secs(90)),
        shard: Default::default(),
        iterations: Some(iterations),
        jobs: 1,
        out: out.path().to_owned(),
        limits: Limits { threads: 2, ops: 1 },
        company: Some(company.to_vec()),
        scenario_ms: 100,
        batch: 2,
        sequential: false,
        only: None,
        keep: 2,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    };
    let report = hunt(&vm, &options, &|_| ()).unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    report
}

fn lines(report: &Report) -> Vec<String> {
    report.findings.iter().map(Finding::line).collect()
}

/// The finding of a kind that was minimised and whose script has hit.
fn found(report: &Report, kind: Kind) -> &Finding {
    let hits = |f: &Finding| f.script.is_some_and(|rate| rate.hits > 0);
    let is_it = |f: &&Finding| f.kind == kind && f.minimised && hits(f);
    report.findings.iter().find(is_it).unwrap_or_else(|| {
        panic!(
            "no minimised {kind} whose script hit: {:#?}",
            report.findings
        )
    })
}

fn nothing_found(report: &Report) {
    assert!(report.findings.is_empty(), "{:#?}", lines(report));
    assert!(report.state.sum(|t| t.scenarios) > 0);
    assert_eq!(report.state.sum(|t| t.unsupported), 0, "nothing ran");
}

/// A first use that sets something up in several steps, once a process.
const FIRST: &str = r#"
[[subject]]
name = "first"
doc = "a fixture"
requires = ["time", "signal", "threading"]
shapes = "p"
prelude = '''
READY = []
LOCK = threading.Lock()
def racy():
    if not READY:
        time.sleep(0.002)
        READY.append(1)
    return len(READY)
def locked():
    with LOCK:
        return racy()
def fatal():
    if racy() > 1:
        signal.raise_signal(signal.SIGSEGV)
'''
make = ["None"]
final = "len(READY)"
flavours = ["small"]
source = "a fixture"
atomic = ["OPERATION()"]
"#;

#[test]
fn a_first_use_is_raced_in_a_process_of_its_own() {
    let report = hunted(&FIRST.replace("OPERATION", "racy"), &[], 2);
    let finding = found(&report, Kind::Outcome);
    assert_eq!(finding.scenario.shapes, [Shape::Process]);
    // One object in one process shows it once: what is seen so often is seen in many processes.
    assert!(
        finding
            .outcome
            .as_ref()
            .is_some_and(|(_, count)| *count > 1)
    );
    nothing_found(&hunted(&FIRST.replace("OPERATION", "locked"), &[], 2));
}

#[test]
fn a_process_of_its_own_that_dies_is_a_crash_with_its_operations() {
    let report = hunted(&FIRST.replace("OPERATION", "fatal"), &[], 2);
    let finding = found(&report, Kind::Crash);
    assert!(finding.detail.contains("SIGSEGV"), "{}", finding.detail);
    assert_eq!(finding.place.operations.at.as_deref(), Some("fatal()"));
}

/// A table of the module's in which a look and a change are two steps.
const TABLE: &str = r#"
[[subject]]
name = "table"
doc = "a fixture"
requires = ["time", "threading"]
RESET
prelude = '''
TABLE = []
LOCK = threading.Lock()
def add():
    n = len(TABLE)
    time.sleep(0.001)
    TABLE.append(n)
    return n
def locked():
    with LOCK:
        return add()
'''
make = ["None"]
final = "tuple(TABLE)"
flavours = ["small"]
shapes = "t"
source = "a fixture"
atomic = ["OPERATION()"]
"#;

#[test]
fn a_table_is_reset_before_each_round_and_shared_without_a_word_it_is_refused() {
    let reset = TABLE.replace("RESET", "reset = \"TABLE.clear()\"");
    let report = hunted(&reset.replace("OPERATION", "add"), &[], 2);
    let finding = found(&report, Kind::Outcome);
    assert!(finding.detail.contains("0 | 0"), "{}", finding.detail);
    nothing_found(&hunted(&reset.replace("OPERATION", "locked"), &[], 2));
    // `add` and `locked` on a table that nobody resets differ from run to run, and so match anything; what
    // only keeps its last value does not.
    let kept = r#"
[[subject]]
name = "kept"
doc = "a fixture"
prelude = '''
LAST = [0]
def swap(n):
    LAST[0], old = n, LAST[0]
    return old
def first():
    LAST[0] = 0
'''
make = ["first()"]
final = "LAST[0]"
flavours = ["small"]
shapes = "t"
source = "a fixture"
atomic = ["swap(1)"]
"#;
    let report = hunted(kept, &[], 2);
    assert!(report.findings.is_empty(), "{:#?}", lines(&report));
    assert_eq!(report.state.sum(|t| t.unsupported), 2, "it is refused");
}

/// An operation that calls back, and one that needs the same lock.
const WAIT: &str = r#"
[[subject]]
name = "wait"
doc = "a fixture"
requires = ["threading"]
shapes = "w"
callbacks = true
prelude = '''
class Box(object):
    def __init__(self):
        self.lock = threading.Lock()
    def held(self):
        with self.lock:
            PAUSE()
    def released(self):
        with self.lock:
            pass
        PAUSE()
'''
make = ["Box()"]
final = "None"
flavours = ["small"]
composite = ["run: o.OPERATION()"]
"#;

#[test]
fn a_lock_that_is_held_across_a_callback_stops_both() {
    let report = hunted(&WAIT.replace("OPERATION", "held"), &[], 2);
    let finding = found(&report, Kind::Deadlock);
    assert_eq!(finding.scenario.shapes, [Shape::Wait]);
    nothing_found(&hunted(&WAIT.replace("OPERATION", "released"), &[], 2));
}

/// A fault that is there only where memory is traced: elsewhere a lock is held, so that no switch between two
/// bytecodes, however rare, is the fault without its company.
const TRACED: &str = r#"
[[subject]]
name = "traced"
doc = "a fixture"
requires = ["_thread", "time", "tracemalloc"]
shapes = "t"
size = 20
prelude = '''
class Box(object):
    def __init__(self):
        self.n = 0
        self.lock = _thread.allocate_lock()
    def add(self):
        if NEEDED:
            n = self.n
            time.sleep(0.001)
            self.n = n + 1
        else:
            with self.lock:
                self.n += 1
'''
make = ["Box()"]
final = "o.n"
flavours = ["small"]
source = "a fixture"
atomic = ["o.add()"]
"#;

#[test]
fn a_finding_says_which_company_it_needs_and_no_other() {
    let company = [Company::Tracemalloc, Company::Allocations];
    let needed = TRACED.replace("NEEDED", "tracemalloc.is_tracing()");
    let report = hunted(&needed, &company, 2);
    let finding = found(&report, Kind::Outcome);
    assert_eq!(finding.scenario.company, [Company::Tracemalloc]);
    assert!(finding.scenario.to_string().ends_with("(in tracemalloc)"));
    nothing_found(&hunted(&needed, &[Company::Allocations], 2));
    let report = hunted(&TRACED.replace("NEEDED", "True"), &company, 2);
    let finding = found(&report, Kind::Outcome);
    assert!(finding.scenario.company.is_empty(), "{}", finding.scenario);
}

/// A company that the process is started with.
#[test]
fn a_process_is_started_as_its_company_wants() {
    let needed = TRACED
        .replace("\"tracemalloc\"", "\"sys\"")
        .replace("NEEDED", "sys.flags.dev_mode");
    let report = hunted(&needed, &[Company::DevelopmentMode], 2);
    let finding = found(&report, Kind::Outcome);
    assert_eq!(finding.scenario.company, [Company::DevelopmentMode]);
    nothing_found(&hunted(&needed, &[], 2));
}

/// The threads of a race that waits are in its modes, and each process of a trial has what runs beside.
#[test]
fn waits_and_processes_have_company() {
    let traced = WAIT
        .replace("[\"threading\"]", "[\"threading\", \"sys\"]")
        .replace(
            "    def held(self):\n        with self.lock:\n            PAUSE()",
            "    def held(self):\n        with self.lock:\n            if sys.gettrace():\n                PAUSE()",
        )
        .replace("OPERATION", "held");
    let report = hunted(&traced, &[Company::Tracing], 2);
    let finding = found(&report, Kind::Deadlock);
    assert_eq!(finding.scenario.company, [Company::Tracing]);
    nothing_found(&hunted(&traced, &[], 2));

    let beside = FIRST
        .replace("\"threading\"]", "\"threading\", \"sys\"]")
        .replace(
            "def fatal():",
            "def beside():\n    time.sleep(0.004)\n    if len(sys._current_frames()) > 2:\n        return racy()\n    return locked()\ndef fatal():",
        )
        .replace("OPERATION", "beside");
    let report = hunted(&beside, &[Company::Allocations], 2);
    let finding = found(&report, Kind::Outcome);
    assert_eq!(finding.scenario.company, [Company::Allocations]);
    nothing_found(&hunted(&beside, &[], 2));
}

/// Every company there is, beside what is in order: nothing is found.
#[test]
fn company_alone_breaks_nothing() {
    for company in Company::ALL {
        let plain = TRACED
            .replace("NEEDED", "False")
            .replace("atomic", "composite");
        nothing_found(&hunted(&plain, &[company], 2));
    }
}
