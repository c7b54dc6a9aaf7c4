//! The search against enumeration, and the mistakes that such a checker could make.

#[path = "support/register.rs"]
mod register;

use proptest::prelude::*;
use register::{Op, Register};
use std::sync::atomic::AtomicBool;
use threadbare_linear::{Limits, NEVER, Operation, Order, Specification, Verdict, check};

type Call = Operation<Op, i64>;

fn call(thread: usize, op: Op, result: i64, call: u64, end: u64) -> Call {
    Call { thread, op, result: Some(result), call, end }
}

fn pending(thread: usize, op: Op, call: u64) -> Call {
    Call { thread, op, result: None, call, end: NEVER }
}

fn verdict(history: &[Call], order: Order<'_>) -> Verdict {
    check(&Register(0), history, order, Limits::default())
}

fn explained(history: &[Call], order: Order<'_>) -> bool {
    verdict(history, order).is_explained().expect("no limit was set")
}

/// Whether operation `i` has to come before operation `j`.
fn comes_before(history: &[Call], order: Order<'_>, i: usize, j: usize) -> bool {
    match order {
        Order::RealTime => history[i].end < history[j].call,
        Order::Program => history[i].thread == history[j].thread && i < j,
        Order::Given(before) => history[i].end != NEVER && before(i, j),
    }
}

/// The definition: some order of the completed operations and some of the pending ones.
fn by_enumeration(history: &[Call], order: Order<'_>) -> bool {
    fn place(history: &[Call], done: &mut Vec<usize>, state: i64, order: Order<'_>) -> bool {
        let left = |i: &usize| !done.contains(i);
        if (0..history.len()).filter(left).all(|i| history[i].end == NEVER) {
            return true;
        }
        let open: Vec<usize> = (0..history.len()).filter(left).collect();
        open.iter().any(|&i| {
            let before = |j: &usize| comes_before(history, order, *j, i);
            if open.iter().any(before) {
                return false;
            }
            let Some(after) = Register(0).step(&state, &history[i].op, history[i].result.as_ref())
            else {
                return false;
            };
            done.push(i);
            let found = place(history, done, after, order);
            done.pop();
            found
        })
    }
    place(history, &mut Vec::new(), 0, order)
}

/// Plays an order: every result has to come out, and what has to come first does.
fn plays(history: &[Call], order: &[usize], kept: Order<'_>) -> bool {
    let mut state = 0;
    for (n, &i) in order.iter().enumerate() {
        let Some(after) = Register(0).step(&state, &history[i].op, history[i].result.as_ref())
        else {
            return false;
        };
        state = after;
        let later_first = |&j: &usize| comes_before(history, kept, j, i);
        if order[n..].iter().any(later_first) {
            return false;
        }
    }
    (0..history.len()).all(|i| order.contains(&i) || history[i].end == NEVER)
}

prop_compose! {
    /// Three threads; each one's operations follow each other, the last may not return.
    fn histories()(rows in prop::collection::vec(
        prop::collection::vec((0..3i64, 0..3i64, 0..3usize, 0..3u64, 0..4u64), 0..4), 1..4,
    ), lost in 0..6usize) -> Vec<Call> {
        let mut history = Vec::new();
        for (thread, row) in rows.iter().enumerate() {
            let mut time = 0;
            for (n, &(a, b, kind, gap, length)) in row.iter().enumerate() {
                let op = [Op::Write(a), Op::Read, Op::CompareAndSet(a, b)][kind];
                let result = [0, a, b % 2][kind];
                // Two that touch would overlap, and a thread's own do not.
                let begin = time + 1 + gap;
                time = begin + length;
                let last = n + 1 == row.len();
                history.push(if last && thread == lost {
                    pending(thread, op, begin)
                } else {
                    call(thread, op, result, begin, time)
                });
            }
        }
        history
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn the_search_is_the_definition(history in histories(), drawn in any::<u128>()) {
        // Some pairs, in the order of the history, in time, or of threads alone.
        let chosen = |i: usize, j: usize| drawn >> ((i * 11 + j) % 128) & 1 == 1;
        let forward = |i, j| i < j && chosen(i, j);
        let in_time = |i: usize, j: usize| history[i].end < history[j].call && chosen(i, j);
        let all_time = |i: usize, j: usize| history[i].end < history[j].call;
        for order in [
            Order::RealTime,
            Order::Program,
            Order::Given(&forward),
            Order::Given(&in_time),
            Order::Given(&all_time),
        ] {
            let by_definition = by_enumeration(&history, order);
            for configurations in [0, 3, 1 << 20] {
                let limits = Limits { configurations, ..Limits::default() };
                match check(&Register(0), &history, order, limits) {
                    Verdict::Explained(found) => {
                        prop_assert!(by_definition);
                        prop_assert!(plays(&history, &found, order), "{found:?}");
                    }
                    Verdict::Unexplained { .. } => prop_assert!(!by_definition),
                    undecided => prop_assert!(false, "{undecided:?}"),
                }
            }
        }
    }

    /// The beginning that is told is unexplained, and one return less is explained.
    #[test]
    fn the_prefix_is_the_shortest(history in histories()) {
        if let Verdict::Unexplained { prefix, last } = verdict(&history, Order::RealTime) {
            let cut = |upto: u64| -> Vec<Call> {
                let called = history.iter().filter(|o| o.call <= upto).copied();
                called.map(|o| if o.end > upto { pending(o.thread, o.op, o.call) } else { o }).collect()
            };
            let end = history[last].end;
            prop_assert!(!by_enumeration(&cut(end), Order::RealTime));
            prop_assert_eq!(prefix.len(), cut(end).len());
            let before = history.iter().map(|o| o.end).filter(|e| *e < end).max();
            if let Some(before) = before {
                prop_assert!(by_enumeration(&cut(before), Order::RealTime));
            }
        }
    }
}

#[test]
fn an_overlapping_read_may_see_either_value() {
    for seen in [0, 1] {
        let history = [call(0, Op::Write(1), 0, 0, 3), call(1, Op::Read, seen, 1, 2)];
        assert!(explained(&history, Order::RealTime));
    }
}

#[test]
fn a_stale_read_is_refused_in_real_time_only() {
    let history = [call(0, Op::Write(1), 0, 0, 1), call(1, Op::Read, 0, 2, 3)];
    assert_eq!(
        verdict(&history, Order::RealTime),
        Verdict::Unexplained { prefix: vec![0, 1], last: 1 }
    );
    assert!(explained(&history, Order::Program));
}

/// What happens before what decides, not the clock.
#[test]
fn a_stale_read_is_refused_where_the_write_happens_before_it() {
    let history = [call(0, Op::Write(1), 0, 0, 1), call(1, Op::Read, 0, 2, 3)];
    assert!(explained(&history, Order::Given(&|_, _| false)));
    assert!(explained(&history, Order::Given(&|i, j| (i, j) == (1, 0))));
    assert!(!explained(&history, Order::Given(&|i, j| (i, j) == (0, 1))));
    // By way of a third, though nobody says so of the two.
    let history = [history[0], history[1], call(2, Op::Read, 1, 0, 9)];
    let through = |i, j| [(0, 2), (2, 1)].contains(&(i, j));
    assert!(!explained(&history, Order::Given(&through)));
}

/// Two registers, each of which is explained by itself: the orders cannot be joined.
#[test]
fn a_given_order_does_not_split_a_history() {
    let op = |thread, op, result| Operation { thread, op, result: Some(result), call: 0, end: 9 };
    let insert = |thread, key| op(thread, MapOp::Insert(key), 0);
    let read = |thread, key| op(thread, MapOp::Has(key), 0);
    // Store buffering: each thread inserts one key and then misses the other's.
    let history = [insert(0, 1), read(0, 2), insert(1, 2), read(1, 1)];
    let threads = |i, j| [(0, 1), (2, 3)].contains(&(i, j));
    let explained = |order| check(&Map, &history, order, Limits::default()).is_explained().unwrap();
    assert!(!explained(Order::Given(&threads)));
    assert!(!explained(Order::Program));
    assert!(explained(Order::RealTime), "all overlap");
}

#[test]
#[should_panic(expected = "no operation comes before itself")]
fn an_order_in_a_circle_is_refused() {
    let history = [call(0, Op::Read, 0, 0, 1), call(1, Op::Read, 0, 0, 1)];
    verdict(&history, Order::Given(&|_, _| true));
}

#[test]
fn new_then_old_is_refused_always() {
    let history =
        [call(0, Op::Write(1), 0, 0, 9), call(1, Op::Read, 1, 1, 2), call(1, Op::Read, 0, 3, 4)];
    assert!(!explained(&history, Order::Program));
}

/// Intervals are closed: a clock may give one value twice.
#[test]
fn intervals_that_touch_overlap() {
    let history = [call(0, Op::Write(1), 0, 10, 20), call(1, Op::Read, 0, 20, 30)];
    assert!(explained(&history, Order::RealTime));
}

#[test]
fn what_never_returned_may_have_happened_or_not() {
    for seen in [0, 1] {
        let history = [pending(0, Op::Write(1), 0), call(1, Op::Read, seen, 5, 6)];
        assert!(explained(&history, Order::RealTime), "{seen}");
    }
    let history = [pending(0, Op::Write(1), 7), call(1, Op::Read, 1, 5, 6)];
    assert!(!explained(&history, Order::RealTime), "not before it was called");
}

/// Writes of thirty threads at once, of which a read saw something else: every subset of them is a
/// configuration.
fn hard() -> Vec<Call> {
    let mut history: Vec<Call> =
        (0..30).map(|t| call(t, Op::CompareAndSet(0, 1), 0, 0, 100)).collect();
    history.extend((0..30).map(|t| call(30 + t, Op::Write(t as i64 + 2), 0, 0, 100)));
    history.push(call(60, Op::Read, 1, 101, 102));
    history
}

#[test]
fn a_search_that_is_cut_is_undecided_and_says_how_far_it_came() {
    let limits = Limits { steps: 5000, ..Limits::default() };
    let cut = check(&Register(0), &hard(), Order::RealTime, limits);
    assert!(matches!(cut, Verdict::Undecided { placed: 1..61, of: 61 }), "{cut:?}");
    assert_eq!(cut.is_explained(), None);
    let cancel = AtomicBool::new(true);
    let limits = Limits { cancel: Some(&cancel), configurations: 1000, ..Limits::default() };
    assert_eq!(check(&Register(0), &hard(), Order::RealTime, limits).is_explained(), None);
}

/// A map of registers, whose length belongs to all of them.
struct Map;

#[derive(Clone, Copy, Debug)]
enum MapOp {
    Insert(u64),
    Has(u64),
    Len,
}

impl Specification for Map {
    type State = Vec<u64>;
    type Op = MapOp;
    type Result = usize;

    fn initial(&self) -> Vec<u64> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u64>, op: &MapOp, result: Option<&usize>) -> Option<Vec<u64>> {
        let mut after = state.clone();
        if let MapOp::Insert(key) = op
            && let Err(at) = after.binary_search(key)
        {
            after.insert(at, *key);
        }
        let answer = match op {
            MapOp::Insert(_) => 0,
            MapOp::Has(key) => usize::from(state.contains(key)),
            MapOp::Len => state.len(),
        };
        result.is_none_or(|r| *r == answer).then_some(after)
    }

    fn part(&self, op: &MapOp) -> Option<u64> {
        match op {
            MapOp::Insert(key) | MapOp::Has(key) => Some(*key),
            MapOp::Len => None,
        }
    }
}

#[test]
fn what_reads_all_keys_keeps_the_history_whole() {
    let op =
        |thread, op, result, call, end| Operation { thread, op, result: Some(result), call, end };
    let history = |len| {
        [
            op(0, MapOp::Insert(1), 0, 0, 5),
            op(1, MapOp::Insert(2), 0, 0, 5),
            op(0, MapOp::Len, len, 6, 7),
        ]
    };
    let explained =
        |len| check(&Map, &history(len), Order::RealTime, Limits::default()).is_explained();
    assert_eq!((explained(1), explained(2)), (Some(false), Some(true)));
    // Key by key, where that is allowed: the order names all operations.
    let Verdict::Explained(found) =
        check(&Map, &history(2)[..2], Order::RealTime, Limits::default())
    else {
        panic!("two inserts are explained");
    };
    assert_eq!(found.len(), 2);
}
