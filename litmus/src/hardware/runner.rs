//! The threads and their meeting points.
//!
//! Three blocks rotate, so that one barrier per block suffices. In round k a
//! thread runs block k, resets its locations of block k+1, meets the others,
//! and counts its share of block k. Block k+1 was last counted as block k−2,
//! which every thread did before the meeting of round k−1.

mod worker;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use self::worker::Worker;
use super::arms::{Arm, Learner, arms};
use super::block::{Block, Layout};
use super::tally::Tally;
use super::wait::{Barrier, Counter, Patience};
use super::{Error, Options, affinity};
use crate::lang::code::Code;

/// What all threads share.
struct Rig<'a> {
    code: &'a Code,
    options: &'a Options,
    layout: Layout,
    blocks: [Block; 3],
    /// Per thread, the instance it is about to run, counted over all blocks.
    progress: Vec<Counter>,
    barrier: Barrier,
    patience: Patience,
    arms: Vec<Arm>,
    /// The arm of each of the next rounds, by round modulo 4.
    plan: [AtomicUsize; 4],
    /// The moment at which a clocked round begins, by round modulo 4; 0 while unknown.
    begin: [AtomicU64; 4],
    /// The last round.
    last: AtomicUsize,
    /// Threads wait here until all exist.
    gate: AtomicUsize,
}

const CLOSED: usize = 0;
const OPEN: usize = 1;
const ABANDONED: usize = 2;

/// How often each outcome came.
pub(super) fn run(code: &Code, options: &Options) -> Result<BTreeMap<Vec<i64>, u64>, Error> {
    let threads = code.threads.len();
    let cores = affinity::cores();
    let all_run = threads <= cores.len();
    let patience = if all_run {
        Patience::ALL_RUNNING
    } else {
        Patience::SHARING
    };
    let layout = Layout::new(code);
    let arms = arms(threads, all_run, options.seed);
    let learner = Learner::new(arms.len(), options.seed);
    let shared = Rig {
        code,
        options,
        blocks: std::array::from_fn(|_| Block::new(code, &layout, options.block.max(1))),
        layout,
        progress: (0..threads).map(|_| Counter::default()).collect(),
        barrier: Barrier::new(threads, patience),
        patience,
        // The first rounds take the first arms, as the learner will go on to do.
        plan: std::array::from_fn(|round| AtomicUsize::new(round.min(1).min(arms.len() - 1))),
        arms,
        begin: Default::default(),
        last: AtomicUsize::new(usize::MAX),
        gate: AtomicUsize::new(CLOSED),
    };
    let tallies = Mutex::new(Vec::new());
    let mut failure = None;
    std::thread::scope(|scope| {
        let (shared, tallies) = (&shared, &tallies);
        let mut learner = Some(learner);
        for thread in 0..threads {
            let learner = learner.take();
            let core = cores
                .get(thread)
                .copied()
                .filter(|_| options.pin && all_run);
            let work = move || {
                core.into_iter().for_each(affinity::pin);
                if shared.opened() {
                    let tally = Worker::new(shared, thread, learner).run();
                    tallies.lock().expect("no panic under the lock").push(tally);
                }
            };
            if let Err(error) = std::thread::Builder::new().spawn_scoped(scope, work) {
                failure = Some(Error::Thread(thread, error));
                break;
            }
        }
        let gate = if failure.is_some() { ABANDONED } else { OPEN };
        // Release: what was set up before is seen through the gate.
        shared.gate.store(gate, Ordering::Release);
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut states = BTreeMap::new();
    tallies
        .into_inner()
        .expect("no panic under the lock")
        .iter()
        .for_each(|tally: &Tally| tally.pour(&mut states));
    Ok(states)
}

impl Rig<'_> {
    fn opened(&self) -> bool {
        loop {
            // Acquire: pairs with the release store of the starting thread.
            match self.gate.load(Ordering::Acquire) {
                CLOSED => std::thread::yield_now(),
                gate => return gate == OPEN,
            }
        }
    }
}
