//! A block of instances: the locations of each, and what each thread's
//! registers held at the end.

use std::sync::atomic::{AtomicI64, Ordering};

use super::compile::Line;
use crate::lang::ast::IntType;
use crate::lang::code::{Code, Slot};

pub(super) struct Block {
    pub(super) size: usize,
    locations: usize,
    cells: Vec<Line>,
    /// Per thread: for each instance, its observed registers.
    results: Vec<Vec<AtomicI64>>,
}

/// Which registers are kept, and where an outcome finds its values.
pub(super) struct Layout {
    /// Per thread, the registers to keep.
    pub(super) kept: Vec<Vec<usize>>,
    /// Per slot of the outcome.
    sources: Vec<Answer>,
    /// The first content of each location's cell.
    pub(super) initial: Vec<i64>,
}

#[derive(Clone, Copy)]
enum Answer {
    Location(usize, IntType),
    Kept(usize, usize),
}

impl Layout {
    pub(super) fn new(code: &Code) -> Layout {
        let mut kept = vec![Vec::new(); code.threads.len()];
        let sources = code.slots.iter().map(|slot| match *slot {
            Slot::Location(location) => Answer::Location(location, code.types[location]),
            Slot::Register(thread, register) => {
                kept[thread].push(register);
                Answer::Kept(thread, kept[thread].len() - 1)
            }
        });
        let sources = sources.collect();
        let initial = code.initial.iter().zip(&code.types);
        Layout {
            initial: initial.map(|(value, ty)| ty.to_cell(*value)).collect(),
            kept,
            sources,
        }
    }
}

impl Block {
    pub(super) fn new(code: &Code, layout: &Layout, size: usize) -> Block {
        let cells = (0..size)
            .flat_map(|_| {
                layout
                    .initial
                    .iter()
                    .map(|value| Line(AtomicI64::new(*value)))
            })
            .collect();
        let results = layout
            .kept
            .iter()
            .map(|kept| (0..kept.len() * size).map(|_| AtomicI64::new(0)).collect());
        Block {
            size,
            locations: code.locations.len(),
            cells,
            results: results.collect(),
        }
    }

    /// The locations of an instance.
    #[inline]
    pub(super) fn cells(&self, instance: usize) -> &[Line] {
        &self.cells[instance * self.locations..(instance + 1) * self.locations]
    }

    /// Keeps a thread's registers.
    #[inline]
    pub(super) fn keep(&self, layout: &Layout, thread: usize, instance: usize, registers: &[i64]) {
        let kept = &layout.kept[thread];
        let start = instance * kept.len();
        for (register, place) in kept.iter().zip(&self.results[thread][start..]) {
            // Relaxed: read after the barrier that ends the block.
            place.store(registers[*register], Ordering::Relaxed);
        }
    }

    /// The outcome of an instance; only after the barrier.
    #[inline]
    pub(super) fn outcome(&self, layout: &Layout, instance: usize, out: &mut [i64]) {
        for (value, source) in out.iter_mut().zip(&layout.sources) {
            // Relaxed: ordered by the barrier.
            *value = match *source {
                Answer::Location(location, ty) => {
                    ty.from_cell(self.cells(instance)[location].0.load(Ordering::Relaxed))
                }
                Answer::Kept(thread, index) => self.results[thread]
                    [instance * layout.kept[thread].len() + index]
                    .load(Ordering::Relaxed),
            };
        }
    }

    /// Puts back the initial value of each location that `mine` names. The
    /// caller's core owns their lines afterwards.
    pub(super) fn reset(&self, initial: &[i64], mine: impl Fn(usize) -> bool) {
        for (location, value) in initial
            .iter()
            .enumerate()
            .filter(|(location, _)| mine(*location))
        {
            for instance in 0..self.size {
                // Relaxed: ordered by the barrier before the block runs.
                self.cells(instance)[location]
                    .0
                    .store(*value, Ordering::Relaxed);
            }
        }
    }
}
