//! Coherence orders and the values along them.

use super::super::program::{Guard, Update, Value, truncate};
use super::{Event, Graph, NONE};

impl Graph {
    /// What a write wrote; of [`NONE`], the first value.
    #[inline]
    pub fn value_of(&self, location: u32, write: u32) -> Value {
        match write {
            NONE => self.place(location).initial,
            write => self.at(write).value,
        }
    }

    /// Coherence rank of a write, or of the write that a read reads.
    #[inline]
    pub fn rank_of(&self, write: u32) -> u32 {
        if write == NONE {
            0
        } else {
            self.at(write).rank
        }
    }

    /// The write at a coherence rank; [`NONE`] for the initial one.
    #[inline]
    pub fn ranked(&self, location: u32, rank: u32) -> u32 {
        if rank == 0 {
            NONE
        } else {
            self.place(location).co[rank as usize - 1]
        }
    }

    /// Whether the write at `rank` is the write of a read-modify-write.
    #[inline]
    pub fn exclusive_at(&self, location: u32, rank: u32) -> bool {
        self.place(location)
            .co
            .get(rank.wrapping_sub(1) as usize)
            .is_some_and(|&w| self.at(w).exclusive)
    }

    /// Puts a write at `rank` (from 1) of its location's coherence order.
    #[inline]
    pub fn insert_co(&mut self, write: u32, rank: u32) {
        let location = self.at(write).location as usize;
        self.places[location].co.insert(rank as usize - 1, write);
        self.renumber(location, rank as usize - 1);
    }

    /// Takes a write out of its coherence order, if it is in it.
    #[inline]
    pub fn remove_co(&mut self, write: u32) {
        let Event { location, rank, .. } = *self.at(write);
        if rank != 0 {
            self.at_mut(write).rank = 0;
            let co = &mut self.places[location as usize].co;
            if rank as usize == co.len() {
                co.pop();
            } else {
                co.remove(rank as usize - 1);
                self.renumber(location as usize, rank as usize - 1);
            }
        }
    }

    #[inline]
    fn renumber(&mut self, location: usize, from: usize) {
        let later = &self.places[location].co[from..];
        for (&w, rank) in later.iter().zip(from as u32 + 1..) {
            self.events[w as usize].rank = rank;
        }
    }

    /// Whether an update or exchange of `old` writes.
    #[inline]
    pub fn writes(&self, location: u32, update: Rmw, old: Value) -> bool {
        match update {
            Rmw::Update(_) => true,
            Rmw::Exchange { expected, .. } => old == truncate(expected, self.place(location).bits),
            Rmw::If(guard, _) => guard.holds(old),
        }
    }

    /// The value that an update or exchange of `old` writes; `None` when it does not.
    #[inline]
    pub fn written(&self, location: u32, update: Rmw, old: Value) -> Option<Value> {
        let bits = self.place(location).bits;
        match update {
            Rmw::Update(update) => Some(update.apply(old, bits)),
            Rmw::Exchange { expected, new } => {
                (old == truncate(expected, bits)).then(|| truncate(new, bits))
            }
            Rmw::If(guard, update) => guard.holds(old).then(|| update.apply(old, bits)),
        }
    }
}

/// The writing half of a read-modify-write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rmw {
    Update(Update),
    Exchange { expected: Value, new: Value },
    If(Guard, Update),
}
