//! Brute force: the executions of a small program by the axioms alone.
//!
//! Breadth first over graphs: every thread's next operation is added to every graph with
//! every reads-from and every coherence place; graphs that a model's axioms, written out
//! as relations and closed by matrix, reject are dropped; equal graphs are merged. It
//! shares nothing with the explorer but the [`Program`] interface, and is there to test
//! it. Programs of up to ten memory events take milliseconds, 64 events are the limit.

mod axioms;
mod graph;
mod relation;

use super::Model;
use super::program::{Op, Program, Value, Wait, truncate};
use axioms::Relations;
use graph::{Graph, What};
use std::collections::BTreeSet;

/// What brute force found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The keys ([`Execution::key`](super::Execution::key)) of all complete executions.
    pub complete: BTreeSet<String>,
    /// Whether some graph has a data race.
    pub race: bool,
    /// Whether some graph has an access of memory that was freed.
    pub use_after_free: bool,
    /// Whether some graph frees memory twice.
    pub double_free: bool,
    /// Whether some complete execution does not free what it allocated.
    pub leak: bool,
    /// Whether some graph has a failed assertion.
    pub failed: bool,
    /// Whether some threads may wait for ever: each waits for another to end or has read the
    /// latest writes, and none is cut off by an assumption.
    pub deadlock: bool,
    /// The executions that have one of these faults, run until no thread can go on.
    pub faulty: BTreeSet<Faulty>,
}

/// An execution with a fault, see [`Findings::faulty`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Faulty {
    /// Its key ([`Execution::key`](super::Execution::key)).
    pub key: String,
    /// The reads by which a thread waits, as thread and number from 1.
    pub waits: Vec<(usize, usize)>,
}

/// All executions of `program` under `model`.
///
/// # Panics
/// When an execution has more than 64 events.
pub fn enumerate<P: Program>(program: &P, model: Model) -> Findings {
    let locations = program.locations();
    let mut findings = Findings::default();
    let empty = Graph {
        threads: vec![Vec::new(); program.threads()],
        co: vec![Vec::new(); locations.len()],
    };
    let mut level = vec![empty];
    let bits: Vec<u8> = locations.iter().map(|l| l.bits).collect();
    let initial: Vec<Value> = locations
        .iter()
        .map(|l| truncate(l.initial, l.bits))
        .collect();
    while !level.is_empty() {
        let mut seen = BTreeSet::new();
        let mut following = Vec::new();
        for graph in level {
            let mut added = Vec::new();
            let ops: Vec<Op> = (0..program.threads())
                .map(|t| program.step(t, &graph.answers(t)).op)
                .collect();
            let ended = |t: usize| matches!(ops[t], Op::End | Op::Return(_));
            findings.failed |= ops.iter().any(|op| matches!(op, Op::Fail(_)));
            for (t, op) in ops.iter().enumerate() {
                if matches!(op, Op::Join(other) if !ended(*other as usize)) {
                    continue;
                }
                graph.with(t, op, &bits, &initial, &mut added);
            }
            if added.is_empty() {
                let failed = ops.iter().any(|op| matches!(op, Op::Fail(_)));
                if (0..ops.len()).all(ended) {
                    findings.complete.insert(graph.key());
                    findings.leak |= Relations::of(&graph).leak();
                } else if !failed && graph.waits_for_ever(&ops) {
                    findings.deadlock = true;
                    findings.faulty.insert(graph.faulty());
                }
                if failed || Relations::of(&graph).race() {
                    findings.faulty.insert(graph.faulty());
                }
            }
            for next in added {
                let relations = Relations::of(&next);
                if relations.consistent(model) && seen.insert(next.key()) {
                    findings.race |= relations.race();
                    findings.use_after_free |= relations.use_after_free();
                    findings.double_free |= relations.double_free();
                    following.push(next);
                }
            }
        }
        level = following;
    }
    findings
}

impl Graph {
    /// Whether nothing but other threads could help the threads that have not ended, and
    /// nothing that these will do.
    fn waits_for_ever(&self, ops: &[Op]) -> bool {
        ops.iter().enumerate().all(|(t, op)| match *op {
            Op::Block {
                wait: Wait::Assume, ..
            } => false,
            Op::Block { reads, .. } => {
                let events = self.threads[t].iter().rev();
                let mut last = events.filter(|e| e.what == What::Read).take(reads as usize);
                last.all(|e| self.co[e.location].last().copied() == e.rf)
            }
            _ => true,
        })
    }

    fn faulty(&self) -> Faulty {
        let threads = self.threads.iter().enumerate();
        let waits = threads.flat_map(|(t, events)| {
            let numbered = (1..).zip(events);
            numbered.filter(|(_, e)| e.waits).map(move |(n, _)| (t, n))
        });
        Faulty {
            key: self.key(),
            waits: waits.collect(),
        }
    }
}
