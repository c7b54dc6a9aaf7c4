//! The oracle without holes: what each of them let through is seen, and what is right stays right.
//!
//! The operations tell the race from one thread by the name of the function that they stand in, so
//! that what "races" here is certain to happen, on any VM that has frames.

use std::sync::LazyLock;
use threadbare_stress::campaign::process::{Judged, execute, judge};
use threadbare_stress::campaign::support;
use threadbare_stress::history::History;
use threadbare_stress::oracle::{self, poison};
use threadbare_stress::scenario::{Call, Scenario, Shape};
use threadbare_stress::subject::{Form, Guarantee, Subject, parse};
use threadbare_stress::verdict::grade::{Grade, grade};
use threadbare_stress::verdict::{ALONE, Kind};
use threadbare_stress::vm::Vm;

/// `race(a, b)` is `a` in one thread and `b` in the strides.
const PRELUDE: &str = r"
import collections


def race(alone, racing, *objects):
    value = alone if sys._getframe(1).f_code.co_name[:2] in ('_B', 'op') else racing
    return value(*objects) if callable(value) else value


def fail(e):
    raise e


def ticket(made=[0]):
    made[0] += 1
    return made[0]
";

/// Opened once: what it measures of itself costs more than a scenario.
static PYTHON: LazyLock<Vm> = LazyLock::new(|| Vm::open("python3").expect("python3 is on PATH"));

/// A subject of these operations, one or more a thread.
fn scenario(guarantee: Guarantee, threads: &[&[&str]]) -> Scenario {
    let text = format!(
        "[[subject]]\nname = 'fixture'\ndoc = 'd'\nrequires = ['sys']\nprelude = '''{PRELUDE}'''\nmake = ['[]']\n\
         final = 'tuple(o)'\nsource = 's'\nsilent = ['1']\nraises = ['RuntimeError: by design']\n"
    );
    let subject: Subject = parse("a test", &text).unwrap().remove(0);
    let call = |code: &&str| Call {
        code: (*code).to_owned(),
        op: (*code).to_owned(),
        form: Form::Get,
        guarantee,
        raises: None,
    };
    let threads = threads
        .iter()
        .map(|t| t.iter().map(call).collect())
        .collect();
    let mut scenario = Scenario::new(&subject, "[]".to_owned(), threads);
    scenario.shapes = vec![Shape::Stride];
    scenario.context.size = 40;
    scenario
}

fn run(scenario: &Scenario, ms: u64) -> (History, Vec<Judged>) {
    run_on(&PYTHON, scenario, ms)
}

fn run_on(vm: &Vm, scenario: &Scenario, ms: u64) -> (History, Vec<Judged>) {
    let one = std::slice::from_ref(scenario);
    let log = execute(vm, one, 1, ms, false, false).unwrap();
    let judged = judge(&log, one);
    let history = log.histories.into_iter().next().expect("it began");
    assert!(history.complete, "{:?}", log.outcome);
    (history, judged)
}

/// The verdict on two operations, one a thread.
fn verdict(a: &str, b: &str) -> Option<(Kind, String)> {
    let (_, judged) = run(&scenario(Guarantee::Silent, &[&[a], &[b]]), 10);
    assert!(judged.len() <= 1, "{judged:?}");
    let verdict = judged.into_iter().next()?.verdict;
    Some((verdict.kind, verdict.detail))
}

fn kind(a: &str, b: &str) -> Option<Kind> {
    verdict(a, b).map(|(kind, _)| kind)
}

#[test]
fn an_error_of_the_vm_is_seen_in_a_result_that_is_not_compared() {
    assert_eq!(kind("ticket()", "1"), None);
    let racing = "race(ticket, lambda: fail(SystemError('bad')))";
    let (kind, detail) = verdict(racing, "1").expect("a verdict");
    assert_eq!(
        (kind, detail.as_str()),
        (Kind::Internal, "raised SystemError: bad")
    );
}

#[test]
fn equal_values_of_other_types_are_told_apart() {
    assert_eq!(kind("race(1, 1)", "race((1, 0.0), (1, 0.0))"), None);
    for (alone, racing) in [
        ("1", "True"),
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("False", "0"),
        ("(1, 2)", "(True, 2)"),
        ("(None, (0.0,))", "(None, (-0.0,))"),
        ("frozenset([1])", "frozenset([True])"),
    ] {
        // Both in turn, the one that orders give first: the table has it as it meets the other.
        let mixed = format!("race({alone}, lambda: ({racing}, {alone})[ticket() % 2])");
        assert_eq!(kind(&mixed, "2"), Some(Kind::Outcome), "{alone} {racing}");
    }
}

#[test]
fn an_exception_by_design_frees_its_own_slot_and_no_more() {
    let by_design = |after: &str| {
        format!("race(lambda: o.append(1), lambda: {after}fail(RuntimeError('by design')))")
    };
    // Nothing done or all of it: some order gives the rest.
    let (history, judged) = run(
        &scenario(Guarantee::Silent, &[&[&by_design("")], &["len(o) * 0"]]),
        10,
    );
    assert_eq!(judged.len(), 0, "{judged:?}");
    assert!(oracle::excused(&history).0 > 0);
    assert_eq!(kind(&by_design("o.append(1) or "), "3"), None);
    // A final state that no order gives, and a wrong result beside it.
    assert_eq!(
        kind(&by_design("o.append(2) or "), "3"),
        Some(Kind::Outcome)
    );
    assert_eq!(kind(&by_design(""), "race(3, 4)"), Some(Kind::Outcome));
}

#[test]
fn an_operation_may_raise_by_design_what_another_may_not() {
    let raising = "race(0, lambda: fail(RuntimeError('by design')))";
    let mut scenario = scenario(Guarantee::Silent, &[&[raising], &["1"]]);
    assert_eq!(run(&scenario, 10).1.len(), 0);
    // A list of its own, in which it does not stand.
    scenario.threads[0][0].raises = Some(vec!["KeyError".to_owned()]);
    let judged = run(&scenario, 10).1;
    assert_eq!(judged[0].verdict.kind, Kind::Exception);
}

#[test]
fn contention_of_pyo3_is_by_design_everywhere_and_its_panics_are_not() {
    let busy = |words: &str| format!("race(0, lambda: fail(RuntimeError('{words}')))");
    let (history, judged) = run(
        &scenario(Guarantee::Atomic, &[&[&busy("Already borrowed")], &["1"]]),
        10,
    );
    let (all, contention) = oracle::excused(&history);
    assert_eq!((judged.len(), all), (0, contention));
    assert!(all > 0);
    assert_eq!(kind(&busy("Already mutably borrowed"), "1"), None);
    assert_eq!(kind(&busy("Already gone"), "1"), Some(Kind::Exception));
    let panics = "race(0, lambda: fail(type('PanicException', (BaseException,), {})('no')))";
    assert_eq!(kind(panics, "1"), Some(Kind::Internal));
}

#[test]
fn an_exception_that_an_operation_never_documents_counts_though_its_value_is_composite() {
    let graded = |code: &str| {
        let scenario = scenario(Guarantee::Composite, &[&[code], &["1"]]);
        let judged = run(&scenario, 10).1;
        let verdict = &judged[0].verdict;
        (verdict.kind, grade(verdict, &scenario, None).0)
    };
    let raising = "race(0, lambda: fail(KeyError(7)))";
    assert_eq!(graded(raising), (Kind::Exception, Grade::Interesting));
    assert_eq!(graded("race(0, 2)"), (Kind::Outcome, Grade::Accepted));
}

#[test]
fn texts_of_lookup_errors_are_compared() {
    let raises = |key: &str| format!("fail(KeyError({key}))");
    let racing = format!("race(lambda: {}, lambda: {})", raises("1"), raises("1"));
    assert_eq!(kind(&racing, "1"), None);
    let racing = format!("race(lambda: {}, lambda: {})", raises("1"), raises("77"));
    assert_eq!(kind(&racing, "1"), Some(Kind::Outcome));
    // An address is no text.
    assert_eq!(kind("fail(AttributeError(repr(object())))", "1"), None);
}

#[test]
fn a_check_that_is_false_in_one_thread_is_broken_alone_and_no_corruption() {
    let mut scenario = scenario(Guarantee::Silent, &[&["o.append(1)"], &["o.append(2)"]]);
    scenario.context.check = Some("len(o) == 3".to_owned());
    let judged = run(&scenario, 10).1;
    let verdict = &judged[0].verdict;
    assert_eq!(
        judged.len(),
        1,
        "the same in the race is no news: {judged:?}"
    );
    assert!(
        verdict.alone && verdict.detail.starts_with(ALONE),
        "{verdict:?}"
    );
    let (grade, why) = grade(verdict, &scenario, None);
    assert_eq!(grade, Grade::Interesting, "{why}");

    // False after the race only: the object contradicts itself.
    scenario.threads[0][0].code =
        "race(lambda: o.append(1), lambda: o.append(2) or o.append(1))".to_owned();
    scenario.context.check = Some("len(o) == 2".to_owned());
    let judged = run(&scenario, 10).1;
    assert!(
        judged
            .iter()
            .any(|j| j.verdict.kind == Kind::Corrupt && !j.verdict.alone),
        "{judged:?}"
    );
}

#[test]
fn odd_values_are_outcomes_as_any_other_and_poison_is_memory_that_nobody_wrote() {
    assert_eq!(kind("race(b'a', bytes(2))", "1"), Some(Kind::Outcome));
    assert_eq!(kind("race(1, 573410040)", "1"), Some(Kind::Outcome));
    assert_eq!(
        kind("race(b'a', b'a' + 2 * bytes([0xcd]))", "1"),
        Some(Kind::Uninitialised)
    );
}

/// `PyBytes_FromStringAndSize(NULL, n)` hands out bytes that nobody wrote.
#[test]
fn poison_proves_memory_that_nobody_wrote() {
    let unwritten = "race(b'abcd', lambda: __import__('ctypes').PYFUNCTYPE(__import__('ctypes').py_object, \
                     __import__('ctypes').c_void_p, __import__('ctypes').c_ssize_t)(('PyBytes_FromStringAndSize', \
                     __import__('ctypes').pythonapi))(None, 4))";
    let scenario = scenario(Guarantee::Composite, &[&[unwritten], &["1"]]);
    let vm = poison::vm(&PYTHON);
    let (_, judged) = run_on(&vm, &scenario, 10);
    let verdict = &judged[0].verdict;
    assert_eq!(verdict.kind, Kind::Uninitialised, "{verdict:?}");
    assert_eq!(grade(verdict, &scenario, None).0, Grade::Forbidden);
    let (_, judged) = run(&scenario, 10);
    assert!(
        judged.iter().all(|j| j.verdict.kind == Kind::Outcome),
        "{judged:?}"
    );
}

#[test]
fn what_has_no_text_of_its_own_and_what_is_long_compares() {
    for (alone, racing) in [
        ("lambda: [0] * 70", "lambda: [0] * 69 + [1]"),
        ("lambda: set(range(90))", "lambda: set(range(1, 91))"),
        (
            "lambda: collections.deque([1], 3)",
            "lambda: collections.deque([1], 4)",
        ),
        (
            "lambda: collections.OrderedDict([(1, 2), (3, 4)])",
            "lambda: collections.OrderedDict([(3, 4), (1, 2)])",
        ),
        (
            "lambda: collections.defaultdict(int, a=1)",
            "lambda: collections.defaultdict(list, a=1)",
        ),
        (
            "lambda: collections.Counter('aab')",
            "lambda: collections.Counter('abb')",
        ),
        (
            "lambda: __import__('array').array('i', [1])",
            "lambda: __import__('array').array('i', [2])",
        ),
        ("lambda: memoryview(b'ab')", "lambda: memoryview(b'ac')"),
        (
            "lambda: type('P', (object,), {})()",
            "lambda: __import__('types').SimpleNamespace(a=1)",
        ),
        (
            "lambda: iter([1, 2])",
            "lambda: next(it) and it if (it := iter([1, 2])) else 0",
        ),
    ] {
        assert_eq!(
            kind(&format!("race({alone}, {alone})"), "1"),
            None,
            "{alone} is itself"
        );
        assert_eq!(
            kind(&format!("race({alone}, {racing})"), "1"),
            Some(Kind::Outcome),
            "{alone} is not {racing}"
        );
    }
}

/// Four threads of two operations have 2,520 orders, three of three 1,680: none is run before it is
/// asked for, and what was observed is explained all the same.
#[test]
fn many_orders_are_searched_and_not_listed() {
    let append = |n: usize| format!("o.append({n}) or len(o) * 0");
    for (threads, ops) in [(4, 2), (3, 3)] {
        let codes: Vec<Vec<String>> = (0..threads)
            .map(|t| (0..ops).map(|j| append(10 * t + j)).collect())
            .collect();
        let rows: Vec<Vec<&str>> = codes
            .iter()
            .map(|row| row.iter().map(String::as_str).collect())
            .collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let mut right = scenario(Guarantee::Silent, &rows);
        let (history, judged) = run(&right, 40);
        assert!(
            judged.is_empty() && history.undecided.is_empty(),
            "{judged:?}"
        );
        assert!(history.outcomes.iter().any(|(_, count)| *count > 0));
        // The last of its operations gives what no order gives.
        right.threads[threads - 1][ops - 1].code = "race(lambda: o.append(9), 9)".to_owned();
        let (history, judged) = run(&right, 40);
        let verdict = &judged.first().expect("a verdict").verdict;
        assert_eq!(verdict.kind, Kind::Outcome, "{threads} × {ops}");
        assert!(history.undecided.len() < history.outcomes.len());
    }
}

/// Time that does not suffice is said, and no verdict.
#[test]
fn what_is_not_searched_to_its_end_is_undecided() {
    let slow = "__import__('time').sleep(0.004) if race(1, 0) else o.append(len(o))";
    let row: &[&str] = &[slow, slow];
    let (history, judged) = run(&scenario(Guarantee::Silent, &[row, row, row, row]), 10);
    assert_eq!(judged.len(), 0, "{judged:?}");
    assert!(!history.undecided.is_empty());
}

/// What is left of a subject's check on a VM, and what is said of it.
fn check_on(vm: &Vm, check: &str) -> (Option<String>, Vec<(String, String)>) {
    let text = format!(
        "[[subject]]\nname = 'fixture'\ndoc = 'd'\nmake = ['[]']\ncheck = '{check}'\nfinal = 'len(o)'\nsource = 's'\n\
         silent = ['o.append(1)', 'missing(o)', 'o +']\n"
    );
    let subject: Subject = parse("a test", &text).unwrap().remove(0);
    let supported = support::of(vm, &subject).unwrap();
    assert!(supported.skipped.is_none(), "{supported:?}");
    let codes = supported.subject.ops.iter().map(|op| op.code.as_str());
    assert_eq!(codes.collect::<Vec<_>>(), ["o.append(1)"]);
    let (what, why) = &supported.lacking[0];
    assert_eq!(what, "missing(o)");
    assert!(why.starts_with("NameError"), "{why}");
    let (what, why) = &supported.lacking[1];
    assert_eq!(what, "o +");
    assert!(why.starts_with("SyntaxError"), "{why}");
    (supported.subject.check, supported.lacking[2..].to_vec())
}

#[test]
fn a_check_that_asks_for_what_the_vm_lacks_is_left_out_and_said() {
    let left_out = |check: &str, why: &str| {
        let (left, said) = check_on(&PYTHON, check);
        assert_eq!(left, None, "{check}");
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].0, format!("check: {check}"));
        assert!(said[0].1.starts_with(why), "{said:?}");
    };
    left_out("o.release() is None", "AttributeError: ");
    // Asked for only after an operation.
    left_out("len(o) == 0 or missing(o)", "NameError: ");
    // What is false, or raises for what the operation did, is told of the scenario as before.
    for check in ["len(o) == 7", "len(o) == 0 or o.pop() and o[7]"] {
        assert_eq!(
            check_on(&PYTHON, check),
            (Some(check.to_owned()), Vec::new())
        );
    }
}

#[test]
fn a_check_that_asks_for_what_the_vm_lacks_after_two_operations_is_no_failure() {
    let mut two = scenario(Guarantee::Silent, &[&["o.append(1)"], &["o.append(2)"]]);
    let mut unsupported = |check: &str| {
        two.context.check = Some(check.to_owned());
        let (history, judged) = run(&two, 10);
        (history.unsupported.is_some(), judged.len())
    };
    assert_eq!(unsupported("len(o) < 2 or missing(o)"), (true, 0));
    assert_eq!(unsupported("len(o) < 2 or o[7]"), (false, 1));
    assert_eq!(unsupported("len(o) < 3"), (false, 0));
}
