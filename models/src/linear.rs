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
