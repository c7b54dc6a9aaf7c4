//! One thread of a test: its rounds, its pace within a block, its share of the counting.

use super::Rig;
use crate::hardware::arms::{Arm, Learner, Pace};
use crate::hardware::block::Block;
use crate::hardware::clock;
use crate::hardware::compile::Compiled;
use crate::hardware::tally::Tally;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How often a thread waits in vain before it stops waiting for the rest of the block.
const MISSES: u32 = 2;

/// Cycles between the moment all threads stand ready and a clocked block's begin.
const HEAD_START: u64 = 1_000;

/// A thread and what it needs of its own.
pub(super) struct Worker<'a> {
    shared: &'a Rig<'a>,
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
    pub(super) fn new(shared: &'a Rig<'a>, thread: usize, learner: Option<Learner>) -> Worker<'a> {
        let compiled = Compiled::new(&shared.code.threads[thread], &shared.code.types);
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

    /// Runs blocks until one of them was the last.
    pub(super) fn run(mut self) -> Tally {
        let shared = self.shared;
        let (threads, size) = (shared.progress.len(), shared.blocks[0].size);
        for round in 0.. {
            let block = &shared.blocks[round % 3];
            // Relaxed: the plan was written at least one barrier ago.
            let arm_of = |round: usize| shared.plan[round % 4].load(Ordering::Relaxed);
            let arm = arm_of(round);
            self.block(block, &shared.arms[arm], round);
            let next = &shared.arms[arm_of(round + 1)];
            shared.blocks[(round + 1) % 3].reset(&shared.layout.initial, |location| {
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
