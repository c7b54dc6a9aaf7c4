//! The harness's search of orders against the checker of the models: on random operations of a list, of
//! outcomes that are right or nearly so, both say the same.

use std::fmt::Write as _;
use std::process::Command;
use threadbare_linear::{Limits, Operation, Order, Specification, check};
use threadbare_stress::choice::{Choices, Seeded};

/// Operations as Python writes them; `#` is a number of its own.
const CODES: [&str; 6] = [
    "o.append(#)",
    "o.pop()",
    "o.pop(0)",
    "len(o)",
    "o.insert(0, #)",
    "o.clear()",
];

/// A list of numbers; how many operations there are, and the end that looks at it when all are done.
struct List {
    operations: usize,
}

impl List {
    fn apply(list: &mut Vec<usize>, code: &str) -> String {
        let number = || {
            code.trim_end_matches(')')
                .rsplit(['(', ' '])
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        match code {
            "len(o)" => return list.len().to_string(),
            "o.pop()" | "o.pop(0)" if list.is_empty() => {
                return "!IndexError: pop from empty list".to_owned();
            }
            "o.pop()" => return list.pop().unwrap().to_string(),
            "o.pop(0)" => return list.remove(0).to_string(),
            "o.clear()" => list.clear(),
            _ if code.starts_with("o.append") => list.push(number()),
            _ => list.insert(0, number()),
        }
        "None".to_owned()
    }

    fn tuple(list: &[usize]) -> String {
        let items: Vec<String> = list.iter().map(usize::to_string).collect();
        format!("({})", items.join(", "))
    }
}

impl Specification for List {
    type State = (usize, Vec<usize>);
    type Op = String;
    type Result = String;

    fn initial(&self) -> Self::State {
        (0, Vec::new())
    }

    fn step(
        &self,
        (done, list): &Self::State,
        op: &String,
        result: Option<&String>,
    ) -> Option<Self::State> {
        let mut after = list.clone();
        let answer = if op == "final" {
            // It is looked at when all is done.
            (*done == self.operations).then(|| Self::tuple(list))?
        } else {
            Self::apply(&mut after, op)
        };
        result
            .is_none_or(|r| *r == answer)
            .then_some((done + 1, after))
    }
}

/// The operations of each thread.
type Rows = Vec<Vec<String>>;

/// What a random order gives: each operation's result, and the final state.
fn outcome(rows: &Rows, choices: &mut Seeded) -> Vec<String> {
    let mut list = Vec::new();
    let mut results: Vec<Vec<String>> = rows.iter().map(|_| Vec::new()).collect();
    loop {
        let open: Vec<usize> = (0..rows.len())
            .filter(|t| results[*t].len() < rows[*t].len())
            .collect();
        if open.is_empty() {
            let mut outcome = results.concat();
            outcome.push(List::tuple(&list));
            return outcome;
        }
        let t = *choices.pick(&open);
        let result = List::apply(&mut list, &rows[t][results[t].len()]);
        results[t].push(result);
    }
}

/// When each operation was called and when it ended, thread by thread, at random.
fn intervals(rows: &Rows, choices: &mut Seeded) -> Vec<(u64, u64)> {
    let mut moments: Vec<Vec<u64>> = rows.iter().map(|_| Vec::new()).collect();
    for now in 0.. {
        let open: Vec<usize> = (0..rows.len())
            .filter(|t| moments[*t].len() < 2 * rows[*t].len())
            .collect();
        if open.is_empty() {
            break;
        }
        moments[*choices.pick(&open)].push(now);
    }
    let pairs = moments.iter().flat_map(|row| row.chunks(2));
    pairs.map(|pair| (pair[0], pair[1])).collect()
}

/// The harness's record of them: how many operations each other thread had done when one began, as digits.
fn record(rows: &Rows, times: &[(u64, u64)]) -> Vec<u64> {
    let threads = rows.iter().enumerate();
    let owners: Vec<usize> = threads.flat_map(|(t, row)| vec![t; row.len()]).collect();
    let number = |(i, (call, _)): (usize, &(u64, u64))| {
        let others = (0..rows.len()).filter(|u| *u != owners[i]);
        others.enumerate().fold(0, |number, (digit, u)| {
            let ended = |(k, (_, end)): (usize, &(u64, u64))| owners[k] == u && end < call;
            let done = times.iter().enumerate().filter(|x| ended(*x)).count() as u64;
            number + done * 64u64.pow(digit as u32)
        })
    };
    times.iter().enumerate().map(number).collect()
}

/// What the checker of the models says, where only the threads' own orders count or, with `times`, real time.
fn by_checker(rows: &Rows, outcome: &[String], times: Option<&[(u64, u64)]>) -> bool {
    let operation = |thread, op: &String, n: usize| {
        let end = (u64::MAX - 2, u64::MAX - 1);
        let time = times.map_or((0, 1), |t| t.get(n).copied().unwrap_or(end));
        Operation {
            thread,
            op: op.clone(),
            result: Some(outcome[n].clone()),
            call: time.0,
            end: time.1,
        }
    };
    let mut history = Vec::new();
    for (t, row) in rows.iter().enumerate() {
        for op in row {
            history.push(operation(t, op, history.len()));
        }
    }
    let operations = history.len();
    history.push(operation(rows.len(), &"final".to_owned(), operations));
    let verdict = check(
        &List { operations },
        &history,
        match times {
            Some(_) => Order::RealTime,
            None => Order::Program,
        },
        Limits::default(),
    );
    verdict.is_explained().expect("no limit was set")
}

#[test]
fn the_harness_finds_an_order_where_there_is_one() {
    compare(false);
}

/// What was done before what rules orders out, as it does for the checker.
#[test]
fn the_harness_finds_an_order_that_keeps_to_real_time_where_there_is_one() {
    compare(true);
}

fn compare(in_time: bool) {
    let seed = 20_261_129;
    let mut choices = Seeded::new(seed, &["orders"]);
    let mut script = threadbare_stress::HARNESS.to_owned();
    script += "\n\ndef ask(rows, outcomes, records):\n    bodies = [[eval('lambda o: ' + code) for code in row] for row in rows]\n    \
               orders = _Orders(list, bodies, tuple, [()] * 20, len)\n    orders.allow(60)\n    for want, numbers in zip(outcomes, records):\n        \
               before = _before(numbers, [len(row) for row in rows])\n        \
               found = orders.explain_in_time(want, before) if numbers else orders.explain(want, False)\n        \
               assert not found or want in [orders.ends[found][0]], (rows, want, found)\n        \
               print('>', found != '', orders.runs)\n\n\n";
    let mut expected = Vec::new();
    // Outcomes that only orders against real time give.
    let mut late = 0;
    for _ in 0..60 {
        let shape: &[usize] = [
            &[1, 1][..],
            &[2, 2],
            &[3, 2],
            &[2, 2, 2],
            &[3, 3, 3],
            &[2, 2, 2, 2],
        ][choices.below(6)];
        let mut number = 0;
        let rows: Rows = shape
            .iter()
            .map(|len| {
                let code = |_| {
                    number += 1;
                    choices.pick(&CODES).replace('#', &number.to_string())
                };
                (0..*len).map(code).collect()
            })
            .collect();
        let outcomes: Vec<Vec<String>> = (0..5)
            .map(|_| {
                let (one, other) = (outcome(&rows, &mut choices), outcome(&rows, &mut choices));
                let mixed = one.into_iter().zip(other);
                mixed
                    .map(|(a, b)| if choices.below(2) == 0 { b } else { a })
                    .collect()
            })
            .collect();
        let times: Vec<_> = outcomes
            .iter()
            .map(|_| in_time.then(|| intervals(&rows, &mut choices)))
            .collect();
        let records: Vec<Vec<u64>> = times
            .iter()
            .map(|t| t.as_ref().map_or_else(Vec::new, |t| record(&rows, t)))
            .collect();
        let pairs = outcomes.iter().zip(&times);
        for (outcome, times) in pairs {
            let explained = by_checker(&rows, outcome, times.as_deref());
            expected.push(explained);
            late += usize::from(in_time && !explained && by_checker(&rows, outcome, None));
        }
        writeln!(script, "ask({rows:?}, {outcomes:?}, {records:?})").unwrap();
    }
    let file = tempfile::NamedTempFile::with_suffix(".py").unwrap();
    std::fs::write(&file, script).unwrap();
    let output = Command::new("python3")
        .arg(file.path())
        .output()
        .expect("python3 is on PATH");
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<bool> = said
        .lines()
        .filter_map(|l| Some(l.strip_prefix("> ")?.starts_with("True")))
        .collect();
    assert_eq!(
        lines,
        expected,
        "seed {seed}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let explained = expected.iter().filter(|e| **e).count();
    assert!(
        explained > 40 && explained < 260,
        "{explained} of 300 are explained: no test of both answers"
    );
    assert_eq!(late > 20, in_time, "{late} are against real time");
}
