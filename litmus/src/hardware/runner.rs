//! The threads and their meeting points.
//!
//! Three blocks rotate, so that one barrier per block suffices. In round k a
//! thread runs block k, resets its locations of block k+1, meets the others,
//! and counts its share of block k. Block k+1 was last counted as block k−2,
//! which every thread did before the meeting of round k−1.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::arms::{Arm, Learner, Pace, arms};
use super::block::{Block, Layout};
use super::compile::Compiled;
use super::tally::Tally;
use super::wait::{Barrier, Counter, Patience};
use super::{Error, Options, affinity, clock};
use crate::lang::code::Code;

struct Shared<'a> {
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

/// How often a thread waits in vain before it stops waiting for the rest of the block.
const MISSES: u32 = 2;

/// Cycles between the moment all threads stand ready and a clocked block's begin.
const HEAD_START: u64 = 1_000;

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
    let shared = Shared {
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

impl Shared<'_> {
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

struct Worker<'a> {
    shared: &'a Shared<'a>,
    thread: usize,
    compiled: Compiled,
    registers: Vec<i64>,
    tally: Tally,
    /// Thread 0 chooses the arms.
    learner: Option<Learner>,
    /// End of the last block.
    since: Instant,
    start: Instant,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, thread: usize, learner: Option<Learner>) -> Worker<'a> {
        let compiled = Compiled::new(&shared.code.threads[thread]);
        let registers = compiled.registers();
        let tally = Tally::new(shared.code.slots.len());
        let start = Instant::now();
        Worker {
            shared,
            thread,
            compiled,
            registers,
            tally,
            learner,
            since: start,
            start,
        }
    }

    fn run(mut self) -> Tally {
        let shared = self.shared;
        let (threads, size) = (shared.progress.len(), shared.blocks[0].size);
        for round in 0.. {
            let block = &shared.blocks[round % 3];
            // Relaxed: the plan was written at least one barrier ago.
            let arm_of = |round: usize| shared.plan[round % 4].load(Ordering::Relaxed);
            let arm = arm_of(round);
            self.block(block, &shared.arms[arm], round);
            let next = &shared.arms[arm_of(round + 1)];
            shared.blocks[(round + 1) % 3].reset(&shared.code.initial, |location| {
                (location + next.turn) % threads == self.thread
            });
            if let Some(learner) = &mut self.learner {
                // Relaxed: all three are read after the barrier.
                shared.plan[(round + 2) % 4].store(learner.choose(round + 2), Ordering::Relaxed);
                shared.begin[(round + 1) % 4].store(0, Ordering::Relaxed);
                let runs = ((round + 1) * size) as u64;
                if runs >= shared.options.runs || self.start.elapsed() >= shared.options.max_time {
                    shared.last.store(round, Ordering::Relaxed);
                }
            }
            shared.barrier.meet();
            self.count(block, round, arm);
            // Relaxed: written before the barrier. A later round may be
            // announced meanwhile, but none that this comparison takes for this one.
            if round >= shared.last.load(Ordering::Relaxed) {
                break;
            }
        }
        self.tally
    }

    /// Runs this thread's part of a block.
    fn block(&mut self, block: &Block, arm: &Arm, round: usize) {
        let shared = self.shared;
        let base = round * block.size;
        let own = &shared.progress[self.thread].0;
        let delay = arm.delays[self.thread];
        let mut misses = 0;
        match arm.pace {
            Pace::Free => {
                self.step(base, 0, &mut misses);
                for instance in 0..block.size {
                    self.instance(block, instance, delay);
                }
            }
            Pace::Step(stride, last) => {
                let mut until = 0;
                for instance in 0..block.size {
                    if instance == until {
                        until += stride;
                        self.step(base + instance, last, &mut misses);
                    }
                    self.instance(block, instance, delay);
                }
            }
            Pace::Clock(period) => {
                let mut moment = self.begin(base, round, &mut misses);
                for instance in 0..block.size {
                    moment += period;
                    while clock::now() < moment {}
                    self.instance(block, instance, delay);
                }
            }
        }
        // Relaxed: only a hint about timing; the barrier orders the data.
        own.store(base + block.size, Ordering::Relaxed);
    }

    #[inline]
    fn instance(&mut self, block: &Block, instance: usize, delay: u32) {
        for turn in 0..delay {
            black_box(turn);
        }
        self.compiled
            .run(block.cells(instance), &mut self.registers);
        block.keep(&self.shared.layout, self.thread, instance, &self.registers);
    }

    /// Tells the others that I am at `here` and waits until they are, unless
    /// that was in vain too often.
    #[inline]
    fn step(&self, here: usize, last: u32, misses: &mut u32) {
        // Relaxed throughout: progress is about timing only, and must not
        // order the test's accesses more than the test does.
        self.shared.progress[self.thread]
            .0
            .store(here, Ordering::Relaxed);
        if *misses >= MISSES {
            return;
        }
        let there = || {
            self.shared
                .progress
                .iter()
                .all(|other| other.0.load(Ordering::Relaxed) >= here)
        };
        if there() {
            for turn in 0..last {
                black_box(turn);
            }
        } else if !self.shared.patience.wait(there) {
            *misses += 1;
        }
    }

    /// The moment at which a clocked block begins: thread 0 names it when all are ready.
    fn begin(&self, base: usize, round: usize, misses: &mut u32) -> u64 {
        let begin = &self.shared.begin[round % 4];
        self.step(base, 0, misses);
        // Relaxed: a number that means the same whenever it is read.
        if self.thread == 0 {
            let moment = clock::now() + HEAD_START;
            begin.store(moment, Ordering::Relaxed);
            return moment;
        }
        self.shared
            .patience
            .wait(|| begin.load(Ordering::Relaxed) != 0);
        match begin.load(Ordering::Relaxed) {
            0 => clock::now(),
            moment => moment,
        }
    }

    /// Counts my share of a block, a different one in each round; thread 0 also scores the arm.
    fn count(&mut self, block: &Block, round: usize, arm: usize) {
        let threads = self.shared.progress.len();
        let share = (self.thread + round) % threads;
        let mut outcome = vec![0; self.shared.code.slots.len()];
        let mut found: Vec<u64> = Vec::new();
        for instance in block.size * share / threads..block.size * (share + 1) / threads {
            block.outcome(&self.shared.layout, instance, &mut outcome);
            let index = self.tally.add(&outcome);
            if index >= found.len() {
                found.resize(index + 1, 0);
            }
            found[index] += 1;
        }
        if let Some(learner) = &mut self.learner {
            let now = Instant::now();
            let seconds = (now - self.since).as_secs_f64().max(1e-9);
            self.since = now;
            // Each outcome is worth the inverse of its frequency so far: an arm
            // is good if it gives much of what the others give little of.
            let worth =
                |(index, count): (usize, &u64)| *count as f64 / self.tally.count(index) as f64;
            let total: f64 = found.iter().enumerate().map(worth).sum();
            learner.learn(arm, total * self.tally.total() as f64 / seconds);
        }
    }
}
