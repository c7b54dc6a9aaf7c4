//! Target `harness_log`: what a VM printed, read and judged.

use super::edit::edited;
use crate::campaign::process::{Judged, judge};
use crate::choice::{Bytes, Choices};
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, nth};
use crate::subject::parse;
use crate::verdict::Kind;
use crate::vm::child::{End, Outcome};
use crate::vm::job::Log;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Scenarios of a job: pairs of two operations.
static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let text = "[[subject]]\nname = \"pops\"\ndoc = \"d\"\nmake = [\"[1]\"]\nfinal = \"len(o)\"\n\
                atomic = [\"o.pop()\", \"o.clear()\"]\nsource = \"s\"\n";
    let subject = &parse("a target", text).expect("our own subject")[0];
    (0..3)
        .map(|k| nth(subject, 1, 2 * k, Limits::default()))
        .collect()
});

const STDERR: [&str; 8] = [
    "",
    "thread '<unnamed>' panicked at /c/rustpython-vm-0.5.0/src/x.rs:3:9:\nlen is 3\n",
    "Fatal Python error: _Py_Dealloc: bad\n\nCurrent thread 0x00a2 (most recent call first):\n  File \"<string>\", line 8 in _U0\n",
    "free(): invalid pointer\n",
    "MemoryError\n",
    "@threadbare\tB\t0\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b0400000000 by thread T2:\n    #0 grow a.c:1:2 (py+0x1)\n\n  \
     Previous read of size 8 at 0x7b0400000000 by main thread:\n    #0 look b.c:1:2 (py+0x1)\n\nSUMMARY: ThreadSanitizer: data race a.c:1 in grow\n",
    "@threadbare\tB\t1\n@threadbare\tP\t1\tslot\n==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1 bp 0x2 sp 0x3\n    #0 0x1 in f a.c:1\n",
    "@threadbare\tB\t9\nx.c:1:2: runtime error: signed integer overflow: 1 + 2 cannot be represented\n",
];

const LOG: &str = "I\tgil\tFalse\nU\tlist\tok\nB\t0\nP\t0\talone\nQ\t0\t1 | !IndexError: pop | 0\nF\t0\t0,2\nP\t0\tstride\nA\t0\tKeyError: 1\nW\t0\t1 | 1 | 1\nD\t0\t1 | 1 | 2\nO\t0\t7\t1 | 1 | 0\n\
                   V\t0\tcorrupt\tlen is 4\nV\t0\trefcount\tV[1] 9 < 10\nC\t0\t100\t50\t20\t4000\nE\t0\nB\t1\nK\t1\tno module\nE\t1\nB\t2\nP\t2\tslot\nX\n";

const WORDS: [&str; 24] = [
    "\t",
    "\n",
    "\\",
    "\\t",
    " | ",
    "!",
    "*",
    "B\t1\n",
    "E\t0\n",
    "X\n",
    "O\t0\t1\t",
    "Q\t0\t",
    "V\t0\tleak\t",
    "P\t0\tseq\n",
    "F\t0\t,\n",
    "18446744073709551616",
    "-1",
    "0",
    "2",
    "9",
    "é",
    "\u{0}",
    "SystemError",
    "1000000007",
];

fn end(choices: &mut Bytes<'_>) -> End {
    match choices.below(8) {
        0 | 1 => End::Exit(0),
        2 => End::Exit(66),
        3 => End::Exit(1),
        4 => End::Signal(11),
        5 => End::Signal(6),
        6 => End::Hang,
        _ => [End::Memory, End::Flood, End::Interrupted, End::Signal(9)][choices.below(4)],
    }
}

fn outcome(end: End, stdout: Vec<String>, complete_line: bool, stderr: String) -> Outcome {
    Outcome {
        end,
        stdout,
        complete_line,
        stderr,
        hang: None,
        orphans: 0,
    }
}

/// A log as the harness writes it: each scenario once, what explains before what was observed.
fn well_formed(choices: &mut Bytes<'_>) -> Vec<String> {
    const SLOTS: [&str; 6] = [
        "1",
        "None",
        "!IndexError: pop",
        "!SystemError: bad",
        "3452816845",
        "b'\\xdd\\xdd'",
    ];
    let mut lines = Vec::new();
    let text = |choices: &mut Bytes<'_>| {
        let slot = |choices: &mut Bytes<'_>| *choices.pick(&SLOTS);
        format!(
            "{} | {} | {}",
            slot(choices),
            slot(choices),
            choices.below(2)
        )
    };
    let scenarios = 1 + choices.below(3);
    for id in 0..scenarios {
        lines.push(format!("B\t{id}"));
        for _ in 0..choices.below(4) {
            let letter = *choices.pick(&EXPLAINS);
            lines.push(format!("{letter}\t{id}\t{}", text(choices)));
        }
        lines.push(format!("P\t{id}\tstride"));
        for _ in 0..choices.below(4) {
            lines.push(format!(
                "O\t{id}\t{}\t{}",
                1 + choices.below(9),
                text(choices)
            ));
        }
        if choices.one_in(3) {
            let kind = *choices.pick(&["corrupt", "refcount", "leak", "alarm"]);
            lines.push(format!("V\t{id}\t{kind}\tseen"));
        }
        lines.push(format!("C\t{id}\t100\t50\t20\t4000"));
        lines.push(format!("E\t{id}"));
    }
    if !choices.one_in(4) {
        lines.push("X".to_owned());
    }
    lines
}

/// Records of outcomes that are no failure: some order gives it, it is excused, or it is not known.
const EXPLAINS: [&str; 3] = ["Q", "W", "D"];

/// What a verdict says, without the words that a cut changes: which scenario, and which kind.
fn told(judged: &[Judged]) -> BTreeSet<(usize, Kind)> {
    judged.iter().map(|j| (j.index, j.verdict.kind)).collect()
}

/// Fields of the records with this letter, of scenarios by number.
fn records<'a>(lines: &'a [String], letter: &str) -> Vec<(usize, &'a str)> {
    let field = |line: &'a String| {
        let (head, rest) = line.split_once('\t')?;
        let (id, rest) = rest.split_once('\t').unwrap_or((rest, ""));
        Some((id.parse().ok()?, rest)).filter(|_| head == letter)
    };
    lines.iter().filter_map(field).collect()
}

/// Kinds that compare an observed outcome with the explained ones.
fn of_outcome(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Outcome | Kind::Exception | Kind::Internal | Kind::Uninitialised
    )
}

/// Output → log → verdicts. Of any output: a verdict is on a scenario that began, in the records or in
/// the marks on stderr. Of an output as the harness writes it: a scenario has a verdict on an outcome
/// exactly when it showed one that is neither explained, nor excused, nor undecided, and cutting the output anywhere
/// only takes verdicts away, or makes them the end's, which is that of the scenario begun last.
///
/// # Panics
/// When one of these does not hold.
pub fn harness_log(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    let (end, stderr) = (end(&mut choices), *choices.pick(&STDERR));
    if choices.one_in(2) {
        let text = edited(choices.0, &[LOG], &WORDS);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let stderr = stderr.to_owned()
            + if text.len().is_multiple_of(2) {
                &text
            } else {
                ""
            };
        let judged = judge(
            &Log::parse(outcome(end, lines.clone(), true, stderr.clone())),
            &SCENARIOS,
        );
        // What ends a process before any scenario began is told of its first.
        let none_began = Log::parse(outcome(end, lines.clone(), true, String::new()))
            .histories
            .is_empty();
        for j in &judged {
            let record = records(&lines, "B").iter().any(|b| b.0 == j.index);
            let mark = stderr.contains(&format!("@threadbare\tB\t{}", j.index));
            assert!(
                record || mark || j.verdict.kind.ends_process() && none_began,
                "{j:?} did not begin in {lines:?}"
            );
            assert!(j.index < SCENARIOS.len());
        }
        return;
    }
    let lines = well_formed(&mut choices);
    let judged = |stdout: Vec<String>, whole: bool| {
        let log = Log::parse(outcome(end, stdout, whole, stderr.to_owned()));
        judge(&log, &SCENARIOS)
    };
    let whole = judged(lines.clone(), true);
    let observed = records(&lines, "O");
    let explained = EXPLAINS.map(|letter| records(&lines, letter)).concat();
    for id in 0..SCENARIOS.len() {
        let is_explained =
            |text: &str| explained.contains(&(id, text.split_once('\t').map_or("", |o| o.1)));
        let new = observed.iter().any(|o| o.0 == id && !is_explained(o.1));
        let told = |j: &&Judged| {
            j.index == id && of_outcome(j.verdict.kind) && j.verdict.outcome.is_some()
        };
        let verdicts: Vec<&Judged> = whole.iter().filter(told).collect();
        assert!(new || verdicts.is_empty(), "{verdicts:?} in {lines:?}");
        // Of one kind, one is told; what the harness itself saw to be wrong comes first.
        let any = whole
            .iter()
            .any(|j| j.index == id && of_outcome(j.verdict.kind));
        assert!(!new || any, "nothing on scenario {id} in {lines:?}");
        for j in verdicts {
            let text = j.verdict.outcome.as_deref().unwrap_or_default();
            assert!(!explained.contains(&(id, text)), "{j:?} is explained");
        }
    }
    let kept = choices.below(lines.len() + 1);
    let mut cut = lines[..kept].to_vec();
    let in_a_line = kept < lines.len() && choices.one_in(2);
    if in_a_line {
        let half = choices.below(lines[kept].len() + 1);
        cut.push(lines[kept].chars().take(half).collect());
    }
    let begun = records(&lines[..kept], "B").last().map_or(0, |b| b.0);
    let before = told(&whole);
    for j in judged(cut, !in_a_line) {
        let by_end = j.verdict.kind.ends_process() && j.index == begun;
        assert!(
            before.contains(&(j.index, j.verdict.kind)) || by_end,
            "{j:?} is new after line {kept} of {lines:?}"
        );
    }
}
