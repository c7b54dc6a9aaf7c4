//! Is there a sequential order of the recorded operations that explains all their results?
//!
//! Wing and Gong's search (1993) with Lowe's memory of configurations that lead nowhere (2017), on
//! each part of a history that Horn and Kroening's P-compositionality (2015) allows to be judged by
//! itself. The problem is NP-complete, so that a search can be cancelled or limited, and then says how
//! far it came instead of guessing.

mod lanes;
mod search;

use self::lanes::Lanes;
use self::search::Found;
use std::hash::Hash;
use std::sync::atomic::AtomicBool;

/// A sequential specification.
pub trait Specification {
    /// State of the object; equal states must behave alike.
    type State: Clone + Eq + Hash;
    /// What is asked, with its arguments.
    type Op;
    /// What is answered.
    type Result;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after `op` if it may answer `result` in `state`; `None` if it may not. A result
    /// that is not known, as of an operation that never returned, allows any.
    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        result: Option<&Self::Result>,
    ) -> Option<Self::State>;

    /// Whether `op` never changes the state where it answers `result`, in whatever state: the search then
    /// need not try it at every later moment. Saying `false` is always right.
    fn only_reads(&self, op: &Self::Op, result: &Self::Result) -> bool {
        let _ = (op, result);
        false
    }

    /// The part of the state that `op` alone reads and writes. Operations of different parts are judged
    /// apart, each part from the initial state; `None`: it may touch all, and the history is not split.
    fn part(&self, op: &Self::Op) -> Option<u64> {
        let _ = op;
        None
    }
}

/// A recorded operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<Op, Result> {
    /// The thread.
    pub thread: usize,
    /// What was asked.
    pub op: Op,
    /// What was answered; `None` with [`NEVER`]: it may have taken effect, late, or not.
    pub result: Option<Result>,
    /// When it was called, by any clock that all operations share.
    pub call: u64,
    /// When it returned: intervals are closed, so that two which touch overlap.
    pub end: u64,
}

/// The end of an operation that did not return.
pub const NEVER: u64 = u64::MAX;

/// The order that an explanation has to keep.
#[derive(Clone, Copy)]
pub enum Order<'a> {
    /// What ended before another was called comes first: linearizability.
    RealTime,
    /// Only what one thread did stays in its order: sequential consistency. Histories are not split, for
    /// it does not hold object by object. A thread's operations are taken as they stand in the history.
    Program,
    /// Of the operations at two positions of the history the first comes before the second where this says
    /// so, as what happens before it in a memory model does. What follows from two answers need not be
    /// answered itself. Histories are not split: that one order exists for all parts follows from an order
    /// for each only where, as in time, of two pairs in order one's first also precedes the other's second.
    /// It is not asked of operations that never returned as the first: nothing waits for them.
    Given(&'a dyn Fn(usize, usize) -> bool),
}

/// What a check may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Steps of the specification, all parts together.
    pub steps: u64,
    /// Configurations remembered of a part. Beyond it the search stays complete and gets slower.
    pub configurations: usize,
    /// Ends the check soon after it is set.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for Limits<'_> {
    /// No limit of time, and memory for a few million configurations.
    fn default() -> Self {
        Self { steps: u64::MAX, configurations: 1 << 22, cancel: None }
    }
}

/// The answer. Operations are named by their position in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This order explains all results; operations that never returned may be missing. Parts stand one
    /// after the other.
    Explained(Vec<usize>),
    /// No order does.
    Unexplained {
        /// The shortest beginning of the history (of one part) that no order explains: operations
        /// called before its end, those that ended by then with their results.
        prefix: Vec<usize>,
        /// The operation whose return ends it: its result is what cannot be.
        last: usize,
    },
    /// Not known: cancelled, or a limit was reached.
    Undecided {
        /// The most operations of the undecided part that an order explained.
        placed: usize,
        /// Operations of that part.
        of: usize,
    },
}

impl Verdict {
    /// Whether an order explains the history: `None` if that is not known.
    pub fn is_explained(&self) -> Option<bool> {
        match self {
            Self::Explained(_) => Some(true),
            Self::Unexplained { .. } => Some(false),
            Self::Undecided { .. } => None,
        }
    }
}

/// Checks a history. Where one part has no explanation the whole has none, even if the search of another
/// was cut.
///
/// # Panics
/// In program order, when an operation that never returned is not the last of its thread; in a given
/// order, when operations come before themselves.
pub fn check<S: Specification>(
    specification: &S,
    history: &[Operation<S::Op, S::Result>],
    order: Order<'_>,
    limits: Limits<'_>,
) -> Verdict {
    let mut parts = parts(specification, history, order);
    parts.sort_by_key(Vec::len);
    let mut order_found = Vec::new();
    let mut undecided = None;
    let mut budget = limits.steps;
    for part in parts {
        let search = |upto: u64, budget: &mut u64| {
            let lanes = Lanes::new(history, &part, order, upto);
            search::search(specification, history, &lanes, &limits, budget)
        };
        match search(NEVER, &mut budget) {
            Found::Order(found) => order_found.extend(found),
            Found::Nothing { reached } => {
                // In other orders ends say nothing of what comes before what.
                let from = if matches!(order, Order::RealTime) { reached } else { 0 };
                // The whole took no longer, so that what is cut from it needs no limit of its own.
                return shortest(history, &part, from, |upto| {
                    matches!(search(upto, &mut u64::MAX.clone()), Found::Order(_))
                });
            }
            Found::Cut { placed } => {
                let completed = part.iter().filter(|&&i| history[i].end != NEVER).count();
                undecided = Some(Verdict::Undecided { placed, of: completed });
            }
        }
    }
    undecided.unwrap_or(Verdict::Explained(order_found))
}

/// Positions of the operations of each part.
fn parts<S: Specification>(
    specification: &S,
    history: &[Operation<S::Op, S::Result>],
    order: Order<'_>,
) -> Vec<Vec<usize>> {
    let keys: Option<Vec<u64>> = history.iter().map(|o| specification.part(&o.op)).collect();
    let Some(keys) = keys.filter(|_| matches!(order, Order::RealTime)) else {
        return vec![(0..history.len()).collect()];
    };
    let mut parts = std::collections::BTreeMap::<u64, Vec<usize>>::new();
    for (i, key) in keys.into_iter().enumerate() {
        parts.entry(key).or_default().push(i);
    }
    parts.into_values().collect()
}

/// The shortest beginning of an unexplained part that is unexplained: since a longer one is too, it is
/// found by doubling steps from `from`, before which all is explained, and then by halving.
fn shortest<Op, Result>(
    history: &[Operation<Op, Result>],
    part: &[usize],
    from: u64,
    explained: impl Fn(u64) -> bool,
) -> Verdict {
    let mut ends: Vec<(u64, usize)> =
        part.iter().map(|&i| (history[i].end, i)).filter(|(end, _)| *end != NEVER).collect();
    ends.sort_unstable();
    let whole = ends.len().saturating_sub(1);
    let mut low = ends.partition_point(|(end, _)| *end < from).min(whole);
    let mut high = low;
    let mut step = 1;
    while high < whole && explained(ends[high].0) {
        low = high + 1;
        high = (high + step).min(whole);
        step *= 2;
    }
    while low < high {
        let middle = low.midpoint(high);
        if explained(ends[middle].0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let (upto, last) = ends[low];
    let prefix = part.iter().copied().filter(|&i| history[i].call <= upto).collect();
    Verdict::Unexplained { prefix, last }
}
