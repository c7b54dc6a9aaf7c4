//! Updates that commute: increments and the like whose old value nobody wants, at a
//! location that nobody looks at meanwhile, are not ordered among themselves.
//!
//! Such an update is one event of kind write, not a read and a write: it waits for
//! nothing, orders nothing, and stands at the end of coherence order as of its addition;
//! values are folded along that order. Any other order of the same updates is consistent
//! exactly when this one is and gives every later reader the same, provided that
//!
//! * every other access of the location happens before or after each of them: it sees
//!   all or none, and learns nothing from them that it does not know already;
//! * they are of one kind that commutes, and do not acquire;
//! * there are no seq_cst fences, to which the coherence order of relaxed accesses is
//!   visible, and the model is Rust's or RC11, in which it is visible to nothing else.
//!
//! (`ALGORITHM.md` has the proof.) That this holds is not known beforehand. The search assumes it and watches; when an
//! execution shows otherwise, the exploration begins again with the location's updates
//! ordered ([`Stop::Restart`]). A first execution that breaks the condition has a prefix
//! which does not, so it is found.

use super::super::cache::Source;
use super::super::graph::{Clock, Kind};
use super::super::model::MemoryModel;
use super::super::program::{MemoryOrder, Op, Update};
use super::layer::Layer;
use super::{Doubt, Search, Stop};
use std::mem::{Discriminant, discriminant};

/// What is assumed of each location.
pub(super) struct Commuting {
    on: bool,
    /// Whether updates of a kind that does not commute are a reason to begin again even where
    /// they come first.
    strict: bool,
    places: Vec<Assumed>,
    any: bool,
}

#[derive(Clone, Copy, Default)]
enum Assumed {
    /// No such update seen yet.
    #[default]
    Open,
    Commutes(Discriminant<Update>),
    Ordered,
}

impl Commuting {
    pub fn new(on: bool, ordered: &[u32], strict: bool) -> Self {
        let mut places = Vec::new();
        for &location in ordered {
            *entry(&mut places, location) = Assumed::Ordered;
        }
        Self {
            on,
            strict,
            places,
            any: false,
        }
    }

    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Whether the update is to be taken as one that commutes.
    pub fn admits(
        &mut self,
        location: u32,
        order: MemoryOrder,
        update: Update,
    ) -> Result<bool, Stop> {
        if !self.on {
            return Ok(false);
        }
        let kind = match update {
            // Wrapping addition of the negation.
            Update::Sub(value) => Update::Add(value),
            update => update,
        };
        let fits = matches!(order, MemoryOrder::Relaxed | MemoryOrder::Release)
            && !matches!(kind, Update::Swap(_) | Update::Nand(_));
        let place = entry(&mut self.places, location);
        match *place {
            Assumed::Ordered => Ok(false),
            Assumed::Open if fits => {
                *place = Assumed::Commutes(discriminant(&kind));
                self.any = true;
                Ok(true)
            }
            Assumed::Open if self.strict => Err(Stop::Restart(Doubt::Updates(location))),
            Assumed::Open => {
                *place = Assumed::Ordered;
                Ok(false)
            }
            Assumed::Commutes(of) if fits && of == discriminant(&kind) => Ok(true),
            Assumed::Commutes(_) => Err(Stop::Restart(Doubt::Updates(location))),
        }
    }
}

fn entry(places: &mut Vec<Assumed>, location: u32) -> &mut Assumed {
    let location = location as usize;
    if places.len() <= location {
        places.resize(location + 1, Assumed::Open);
    }
    &mut places[location]
}

/// Updates that commute, unordered.
pub(super) struct Updates;

impl<M: MemoryModel, S: Source> Layer<M, S> for Updates {
    #[inline]
    fn before_choice(search: &Search<M, S>, access: u32) -> Result<(), Stop> {
        match search.commuting.any {
            true => search.looks_at(access),
            false => Ok(()),
        }
    }

    #[inline]
    fn after_cut(search: &mut Search<M, S>) {
        search.refold();
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Adds an update that commutes, at the end of coherence order or at a rank in it.
    pub(super) fn add_applied(
        &mut self,
        thread: u32,
        node: u32,
        rank: Option<u32>,
    ) -> Result<(), Stop> {
        let Op::Apply {
            location, order, ..
        } = *self.cache.op(node)
        else {
            unreachable!("not an update")
        };
        let location = location.0;
        self.know(location);
        let write = self.graph.push(thread, Kind::Write, order, node);
        self.graph.access(write, location);
        self.graph.set_message(write);
        self.graph.at_mut(write).applied = true;
        self.graph.places[location as usize].applied += 1;
        let accesses = &self.graph.place(location).accesses;
        let seen = accesses.iter().any(|&other| {
            !self.graph.at(other).applied && !self.graph.precedes(other, write, Clock::Hb)
        });
        if seen {
            return Err(Stop::Restart(Doubt::Updates(location)));
        }
        let rank = rank.unwrap_or(self.graph.place(location).co.len() as u32 + 1);
        self.graph.insert_co(write, rank);
        self.fold(location, rank);
        self.check_race(write)
    }

    /// Before the reads-from or place of another access is chosen: it must come after all
    /// updates of its location.
    fn looks_at(&self, access: u32) -> Result<(), Stop> {
        let location = self.graph.at(access).location;
        let place = self.graph.place(location);
        let early = place.applied > 0
            && place.accesses.iter().any(|&other| {
                self.graph.at(other).applied && !self.graph.precedes(other, access, Clock::Hb)
            });
        if early {
            return Err(Stop::Restart(Doubt::Updates(location)));
        }
        Ok(())
    }

    /// Brings the values of all updates that commute up to date.
    fn refold(&mut self) {
        if self.commuting.any {
            for location in 0..self.graph.places.len() as u32 {
                if self.graph.place(location).applied > 0 {
                    self.fold(location, 1);
                }
            }
        }
    }

    fn fold(&mut self, location: u32, from: u32) {
        for rank in from..=self.graph.place(location).co.len() as u32 {
            let write = self.graph.ranked(location, rank);
            let event = self.graph.at(write);
            if event.applied
                && let Op::Apply { update, .. } = *self.cache.op(event.node)
            {
                let place = self.graph.place(location);
                let old = match rank {
                    1 => place.initial,
                    rank => self.graph.at(place.co[rank as usize - 2]).value,
                };
                self.graph.at_mut(write).value = update.apply(old, place.bits);
            }
        }
    }
}
