//! Linearizability on hand-made histories of a register.

use threadbare_models::linear::{Call, explains};

#[derive(Clone, Copy, Debug)]
enum Op {
    Write(i64),
    Read,
}

fn register(state: &mut i64, op: Op) -> Option<i64> {
    match op {
        Op::Write(v) => {
            *state = v;
            None
        }
        Op::Read => Some(*state),
    }
}

fn call(thread: usize, op: Op, result: Option<i64>, begin: u64, end: u64) -> Call<Op> {
    Call { thread, op, result, begin, end }
}

#[test]
fn overlapping_read_may_see_either_value() {
    for seen in [0, 1] {
        let calls = [call(0, Op::Write(1), None, 0, 3), call(1, Op::Read, Some(seen), 1, 2)];
        assert!(explains(&calls, 0, &register, true));
    }
}

#[test]
fn stale_read_is_refused_in_real_time_only() {
    let calls = [call(0, Op::Write(1), None, 0, 1), call(1, Op::Read, Some(0), 2, 3)];
    assert!(!explains(&calls, 0, &register, true));
    assert!(explains(&calls, 0, &register, false));
}

#[test]
fn new_then_old_is_refused_always() {
    let calls = [
        call(0, Op::Write(1), None, 0, 9),
        call(1, Op::Read, Some(1), 1, 2),
        call(1, Op::Read, Some(0), 3, 4),
    ];
    assert!(!explains(&calls, 0, &register, false));
}
