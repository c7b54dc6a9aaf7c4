//! Who has handles of what: counted by thread where the order of the counting matters to
//! nobody, so that it takes no operations, and added up at the end of each execution.

use super::{CodePlace, Point, SHARED};
use crate::explore::cache::answer;
use crate::explore::graph::{Event, Graph, Kind, NONE};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// What handles are of, by the point at which it was made.
pub(crate) type Handled = u32;

/// What outlives runs.
#[derive(Default)]
pub(super) struct Ledger {
    numbers: FxHashMap<(Option<Point>, u32), Handled>,
    places: Vec<CodePlace>,
    /// For the last point in a thread's life: handles made minus handles dropped by the
    /// thread, where that is not 0.
    balances: FxHashMap<Point, Vec<(Handled, i32)>>,
    /// Of which a handle was dropped by a destructor that may run in one thread or another:
    /// no thread's history tells, so they are not added up.
    shifting: FxHashSet<Handled>,
    /// Last points of threads that leave a result with a destructor behind.
    results: FxHashSet<Point>,
}

impl Ledger {
    /// Forgets points in lives that nobody knows any more.
    pub fn forget(&mut self, lives: impl Fn(&Point) -> bool) {
        self.numbers
            .retain(|(point, _), _| point.as_ref().is_none_or(&lives));
        self.balances.retain(|point, _| lives(point));
        self.results.retain(&lives);
    }
}

/// What a run knows of a thread.
#[derive(Default)]
pub(super) struct Account {
    point: Option<Point>,
    made: u32,
    leaves_result: bool,
    balance: BTreeMap<Handled, i32>,
}

/// A number for something that the running thread makes at `place`, with one handle.
pub(crate) fn open(place: CodePlace) -> Handled {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        let point = shared.points[thread];
        let account = &mut shared.accounts[thread];
        if account.point != point {
            (account.point, account.made) = (point, 0);
        }
        let key = (point, account.made);
        account.made += 1;
        let ledger = &mut shared.names.ledger;
        let fresh = ledger.places.len() as Handled;
        let handled = *ledger.numbers.entry(key).or_insert(fresh);
        if handled == fresh {
            ledger.places.push(place);
        }
        *shared.accounts[thread].balance.entry(handled).or_default() += 1;
        handled
    })
}

/// The running thread makes (1) or drops (-1) a handle.
pub(crate) fn count(handled: Handled, change: i32) {
    SHARED.with_borrow_mut(|shared| {
        if !shared.active {
            return;
        }
        let thread = shared.thread as usize;
        if shared.pending[thread].is_silent() {
            shared.names.ledger.shifting.insert(handled);
        }
        let balance = &mut shared.accounts[thread].balance;
        *balance.entry(handled).or_default() += change;
    });
}

/// The running thread leaves a result behind that has a destructor.
pub(crate) fn leaves_result() {
    SHARED.with_borrow_mut(|shared| {
        if shared.active {
            shared.accounts[shared.thread as usize].leaves_result = true;
        }
    });
}

impl super::Shared {
    /// The thread ends here, after its last operation.
    pub(super) fn close_account(&mut self, thread: u32) {
        let Some(point) = self.points[thread as usize] else {
            return;
        };
        let balance = self.accounts[thread as usize].balance.iter();
        let open: Vec<_> = balance
            .filter(|&(_, &n)| n != 0)
            .map(|(&h, &n)| (h, n))
            .collect();
        if !open.is_empty() {
            self.names.ledger.balances.insert(point, open);
        }
        if self.accounts[thread as usize].leaves_result {
            self.names.ledger.results.insert(point);
        }
    }
}

/// Where something was made of which handles are left at the end of a complete execution.
/// Nothing is said where a thread that nobody joins leaves a result behind, which may hold
/// handles and is dropped by nobody.
pub(super) fn leaked(graph: &Graph) -> Option<(CodePlace, i32)> {
    SHARED.with_borrow(|shared| {
        let ledger = &shared.names.ledger;
        if ledger.balances.is_empty() {
            return None;
        }
        let mut total: BTreeMap<Handled, i32> = BTreeMap::new();
        for (t, thread) in graph.threads.iter().enumerate().filter(|(_, t)| t.live) {
            let point = match thread.events.last() {
                Some(&last) => {
                    let event = graph.at(last);
                    (event.node, answer(graph, event))
                }
                None if thread.base == NONE => (NONE, 0),
                None => (graph.at(thread.base).node, 0),
            };
            let point = Point {
                thread: t as u32,
                node: point.0,
                answer: point.1,
            };
            if ledger.results.contains(&point) && !is_joined(graph, t as u32) {
                return None;
            }
            for &(handled, n) in ledger.balances.get(&point).into_iter().flatten() {
                *total.entry(handled).or_default() += n;
            }
        }
        let shifting = |handled: &Handled| ledger.shifting.contains(handled);
        let left = total.into_iter().find(|(h, n)| *n > 0 && !shifting(h));
        left.map(|(handled, n)| (ledger.places[handled as usize], n))
    })
}

fn is_joined(graph: &Graph, thread: u32) -> bool {
    let joins = |event: &Event| event.kind == Kind::Join && event.rank == thread;
    graph.events.iter().any(joins)
}
