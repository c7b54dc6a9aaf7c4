//! The search itself, on one part of a history.

use crate::lanes::{Lanes, Placed};
use crate::{Limits, NEVER, Operation, Specification};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::Ordering::Relaxed;

/// Steps between two looks at the cancel flag.
const LOOK: u64 = 1 << 10;

/// What a search comes to.
pub(crate) enum Found {
    /// An order, as positions in the history.
    Order(Vec<usize>),
    /// There is none. In some order everything was placed that returned before `reached`, so that what
    /// ends before it is explained.
    Nothing { reached: u64 },
    /// A limit ended it; so many operations that returned were placed at most.
    Cut { placed: usize },
}

/// An operation that was placed, and what to go back to.
struct Move<S> {
    lane: usize,
    /// The state before it.
    before: S,
    /// Which of the candidates it was.
    tried: usize,
}

/// Looks for an order. `budget` is what is left of the limit of steps.
pub(crate) fn search<S: Specification>(
    specification: &S,
    history: &[Operation<S::Op, S::Result>],
    lanes: &Lanes,
    limits: &Limits<'_>,
    budget: &mut u64,
) -> Found {
    let width = lanes.lanes.len();
    let mut positions = vec![0u32; width];
    let mut state = specification.initial();
    let mut seen = Seen::new(width, limits.configurations);
    let mut way: Vec<Move<S::State>> = Vec::new();
    let mut completed = 0;
    let mut most = 0;
    let mut reached = 0;
    // Candidate 0 is the lane whose next operation ends first: it has to come soon anyhow. Candidate
    // n + 1 is lane n.
    let mut tried = 0;
    while completed < lanes.completed {
        let (first, soonest) = soonest(lanes, &positions);
        if soonest != NEVER {
            reached = reached.max(soonest);
        }
        let mut placed = false;
        let mut read = None;
        if tried == 0 {
            // A read that may come now need not be tried later: moved here it leaves all others as they are.
            read = (0..width).find(|&lane| {
                let next = lanes.next(lane, &positions, soonest);
                next.filter(|n| n.end != NEVER).is_some_and(|n| {
                    let operation = &history[n.at];
                    let reads = |r| specification.only_reads(&operation.op, r);
                    operation.result.as_ref().is_some_and(reads)
                        && step(specification, history, &state, n).is_some()
                })
            });
        }
        while tried <= width {
            if *budget == 0
                || (budget.is_multiple_of(LOOK) && limits.cancel.is_some_and(|c| c.load(Relaxed)))
            {
                return Found::Cut { placed: most };
            }
            let lane = match (read, tried) {
                (Some(lane), _) => lane,
                (None, 0) => first,
                (None, n) => n - 1,
            };
            let again = tried > 0 && lane == first;
            tried = if read.is_some() { width + 1 } else { tried + 1 };
            let Some(next) = lanes.next(lane, &positions, soonest).filter(|_| !again) else {
                continue;
            };
            *budget -= 1;
            let Some(after) = step(specification, history, &state, next) else {
                continue;
            };
            // What never returned and changes nothing need not have happened.
            if next.end == NEVER && after == state {
                continue;
            }
            positions[lane] += 1;
            if !seen.insert(&positions, &after) {
                positions[lane] -= 1;
                continue;
            }
            completed += usize::from(next.end != NEVER);
            most = most.max(completed);
            way.push(Move { lane, before: std::mem::replace(&mut state, after), tried });
            tried = 0;
            placed = true;
            break;
        }
        if placed {
            continue;
        }
        let Some(last) = way.pop() else {
            return Found::Nothing { reached };
        };
        positions[last.lane] -= 1;
        let undone = lanes.lanes[last.lane][positions[last.lane] as usize];
        completed -= usize::from(undone.end != NEVER);
        state = last.before;
        tried = last.tried;
    }
    // The way back through the lanes gives the order.
    let mut at = vec![0usize; width];
    let order = way.iter().map(|m| {
        let operation = lanes.lanes[m.lane][at[m.lane]].at;
        at[m.lane] += 1;
        operation
    });
    Found::Order(order.collect())
}

/// The state after an operation, if it may answer there what it did.
fn step<S: Specification>(
    specification: &S,
    history: &[Operation<S::Op, S::Result>],
    state: &S::State,
    next: &Placed,
) -> Option<S::State> {
    let operation = &history[next.at];
    let result = operation.result.as_ref().filter(|_| next.end != NEVER);
    specification.step(state, &operation.op, result)
}

/// The lane whose next operation ends first, and when.
fn soonest(lanes: &Lanes, positions: &[u32]) -> (usize, u64) {
    let mut found = (0, NEVER);
    for (lane, (operations, position)) in lanes.lanes.iter().zip(positions).enumerate() {
        if let Some(next) = operations.get(*position as usize)
            && next.end < found.1
        {
            found = (lane, next.end);
        }
    }
    found
}

/// Configurations that were entered: how far in each lane, and the state. A hash leads to those that
/// have it, which are compared in full: a fingerprint alone could cut a legal way off.
struct Seen<S> {
    width: usize,
    most: usize,
    positions: Vec<u32>,
    states: Vec<S>,
    /// The configuration before with the same hash, plus one.
    chain: Vec<u32>,
    heads: HashMap<u64, u32, BuildHasherDefault<Identity>>,
}

impl<S: Clone + Eq + Hash> Seen<S> {
    fn new(width: usize, most: usize) -> Self {
        Self {
            width,
            most: most.min(u32::MAX as usize - 1),
            positions: Vec::new(),
            states: Vec::new(),
            chain: Vec::new(),
            heads: HashMap::default(),
        }
    }

    /// Whether it is new; when the table is full everything is.
    fn insert(&mut self, positions: &[u32], state: &S) -> bool {
        let mut hasher = Mixer(0);
        for p in positions {
            hasher.write_u32(*p);
        }
        state.hash(&mut hasher);
        let hash = hasher.finish();
        let head = self.heads.get(&hash).copied().unwrap_or(0);
        let mut at = head;
        while at != 0 {
            let i = at as usize - 1;
            if self.positions[i * self.width..][..self.width] == *positions
                && self.states[i] == *state
            {
                return false;
            }
            at = self.chain[i];
        }
        if self.states.len() < self.most {
            self.positions.extend_from_slice(positions);
            self.states.push(state.clone());
            self.chain.push(head);
            self.heads.insert(hash, self.states.len() as u32);
        }
        true
    }
}

/// A multiplicative hash: histories are no adversary, and equality is compared in full.
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Keys that are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are 64-bit numbers")
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}
