//! Linearizability: is there a sequential order of the calls that explains all results?
//!
//! Wing and Gong's search with memory of dead ends (Lowe 2017); histories here have at
//! most a dozen calls. In sequentially consistent engines a call that ended before another
//! began has to come first. Under weak memory there is no common clock, and only the order
//! within each thread counts.

use std::collections::HashSet;
use std::hash::Hash;

/// A finished call.
#[derive(Clone, Copy, Debug)]
pub struct Call<Op> {
    /// The thread.
    pub thread: usize,
    /// What was asked.
    pub op: Op,
    /// What was answered.
    pub result: Option<i64>,
    /// When it began; any clock that all calls share.
    pub begin: u64,
    /// When it ended.
    pub end: u64,
}

/// Whether some order of `calls`, consistent with the order within each thread (and with
/// `real_time`), produces their results from `state`.
pub fn explains<S: Clone + Eq + Hash, Op: Copy>(
    calls: &[Call<Op>],
    state: S,
    apply: &impl Fn(&mut S, Op) -> Option<i64>,
    real_time: bool,
) -> bool {
    assert!(calls.len() <= 64, "histories are small");
    let mut dead_ends = HashSet::new();
    search(calls, 0, state, apply, real_time, &mut dead_ends)
}

fn search<S: Clone + Eq + Hash, Op: Copy>(
    calls: &[Call<Op>],
    done: u64,
    state: S,
    apply: &impl Fn(&mut S, Op) -> Option<i64>,
    real_time: bool,
    dead_ends: &mut HashSet<(u64, S)>,
) -> bool {
    if done.count_ones() as usize == calls.len() {
        return true;
    }
    if !dead_ends.insert((done, state.clone())) {
        return false;
    }
    let open = |n: usize| done >> n & 1 == 0;
    (0..calls.len()).filter(|n| open(*n)).any(|n| {
        let first = (0..calls.len()).filter(|m| open(*m)).all(|m| {
            let same = calls[m].thread == calls[n].thread;
            !((same || real_time) && calls[m].end < calls[n].begin)
        });
        if !first {
            return false;
        }
        let mut next = state.clone();
        apply(&mut next, calls[n].op) == calls[n].result
            && search(calls, done | 1 << n, next, apply, real_time, dead_ends)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
