//! Real time in the hunt's harness: an outcome that some order gives, and none that keeps to what was recorded,
//! is told with the record and only with it; of the twin without the fault nothing is told.

use std::process::Command;
use threadbare_stress::bytecode::Goal;
use threadbare_stress::history::History;
use threadbare_stress::python::quote;
use threadbare_stress::scenario::render::source;
use threadbare_stress::scenario::{Call, Context, Scenario, Shape};
use threadbare_stress::subject::{Form, Guarantee};
use threadbare_stress::verdict::{Kind, OUT_OF_TIME, of_history};

/// `STALE`: a read gives what was there before the last write, though that write has ended.
const PRELUDE: &str = "\
STALE = []
class Cell(object):
    def __init__(self):
        self.items = []
    def put(self, k):
        self.items.append(k)
    def count(self):
        return len(self.items) - len(STALE)
";

fn scenario() -> Scenario {
    let call = |code: &str| Call {
        code: code.to_owned(),
        op: code.to_owned(),
        form: Form::Get,
        guarantee: Guarantee::Silent,
        raises: None,
    };
    Scenario {
        make: "Cell()".into(),
        threads: vec![
            vec![call("o.put(1)"), call("o.put(2)")],
            vec![call("o.count()")],
            vec![call("o.put(3)")],
        ],
        shapes: vec![Shape::Stride],
        company: Vec::new(),
        context: Context {
            subject: "cell".into(),
            requires: Vec::new(),
            prelude: PRELUDE.into(),
            observe: "len(o.items)".into(),
            check: None,
            reset: None,
            raises: Vec::new(),
            keeps: false,
            callbacks: false,
            size: 100,
            source: String::new(),
        },
    }
}

/// The threads run one after the other, so that all of one happens before all of the next, on any VM.
const RUNS: &str = r#"

def outcomes(stale, sample):
    spec = {"id": 0, "ms": 10, "search": 60000, "n": 50, "shapes": "t", "ops": [2, 1, 1], "raises": [[]] * 4,
            "orders": ["0012"], "src": SOURCE}
    run = Run(spec, {"seed": 1}, [])
    run.explain()
    run.parallel = lambda tasks, on_error: [fn(*args) for fn, args in tasks]
    run.ns["STALE"][:] = [1] if stale else []
    run.timed, tally = Tally(run, run.with_record), Tally(run)
    run.stride(50, None, tally, sample)
    run.ns["STALE"][:] = []
    run.search(tally.all())
    run.search_in_time()


for stale in (1, 0):
    for sample in (1, 0):
        print("stale" if stale else "fresh", "recorded" if sample else "not recorded")
        outcomes(stale, sample)
"#;

#[test]
fn an_outcome_against_real_time_is_told_with_the_record_only() {
    let file = tempfile::NamedTempFile::with_suffix(".py").expect("a temporary file");
    let text = format!(
        "{}\n\nSOURCE = {}\n{RUNS}",
        threadbare_stress::HARNESS,
        quote(&source(&scenario()))
    );
    std::fs::write(&file, text).expect("the file is written");
    let output = Command::new("python3")
        .arg(file.path())
        .output()
        .expect("python3 is on PATH");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = |line: &&str| {
        ["T\t", "O\t", "stale", "fresh"]
            .iter()
            .any(|b| line.starts_with(b))
    };
    let lines: Vec<&str> = said.lines().filter(told).collect();
    assert_eq!(
        lines,
        [
            "stale recorded",
            "O\t0\t50\tNone | None | 1 | None | 3",
            "T\t0\t50\tNone | None | 1 | None | 3\t2.1 after 1.2, 3.1 after 1.2, 3.1 after 2.1",
            "stale not recorded",
            "O\t0\t50\tNone | None | 1 | None | 3",
            "fresh recorded",
            "O\t0\t50\tNone | None | 2 | None | 3",
            "fresh not recorded",
            "O\t0\t50\tNone | None | 2 | None | 3",
        ],
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// It is an outcome of its own class, and bytecodes are asked for it with the record: without it they would give it.
#[test]
fn the_record_makes_it_a_wrong_outcome() {
    let mut history = History::new(0);
    history.record("Q", &["None | None | 1 | None | 3"]);
    history.record("O", &["50", "None | None | 1 | None | 3"]);
    assert_eq!(of_history(&history, &scenario()), []);
    history.record("T", &["50", "None | None | 1 | None | 3", "2.1 after 1.2"]);
    let verdicts = of_history(&history, &scenario());
    assert_eq!(verdicts.len(), 1);
    let told = &verdicts[0];
    assert_eq!((told.kind, told.count), (Kind::Outcome, 50));
    assert_eq!(
        told.detail,
        format!("{OUT_OF_TIME}None | None | 1 | None | 3, where 2.1 after 1.2")
    );
    let goal = Goal::of(told.kind, &told.detail, told.outcome.as_deref());
    let (outcome, order) = ("None | None | 1 | None | 3".into(), "2.1 after 1.2".into());
    assert_eq!(goal, Some(Goal::InTime { outcome, order }));
}
