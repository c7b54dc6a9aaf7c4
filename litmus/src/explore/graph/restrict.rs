//! Smaller graphs: the first so many events, and what a revisit leaves.

use super::{Clock, Graph, Kind, NONE, Place, Thread};

impl Graph {
    /// Drops every event from position `keep` on.
    pub fn cut(&mut self, keep: u32) {
        for position in (keep..self.len()).rev() {
            let event = *self.at(position);
            if event.kind == Kind::Write {
                self.remove_co(position);
            }
            let state = &mut self.threads[event.thread as usize];
            state.events.pop();
            state.next = NONE;
            if event.location != NONE {
                let place = &mut self.places[event.location as usize];
                place.accesses.pop();
                place.forget(&event);
            }
            match event.kind {
                Kind::Write if event.exclusive => self.pending = event.thread,
                Kind::Read if self.pending == event.thread => self.pending = NONE,
                Kind::Spawn => self.threads[event.value as usize].live = false,
                Kind::Alloc => {
                    self.allocations.pop();
                    self.places[event.value as usize].born = 0;
                }
                _ => {}
            }
        }
        for listed in [&mut self.seq_cst, &mut self.revisited] {
            while listed.last().is_some_and(|&event| event >= keep) {
                listed.pop();
            }
        }
        self.events.truncate(keep as usize);
        self.clocks.truncate(keep as usize * self.width);
    }

    /// Copies into `into` what stays when `read` is made to read from the youngest event,
    /// `write`: everything not younger than the read, and the prefix of the write, which is
    /// copied without coherence place. Positions are made dense; `map` gets the new positions
    /// of what is younger than the read.
    pub fn restrict(&self, read: u32, write: u32, into: &mut Self, map: &mut Vec<u32>) {
        self.copy_until(read, into);
        map.clear();
        let prefix = self.known_to(write);
        for (position, event) in (read + 1..).zip(&self.events[read as usize + 1..]) {
            if prefix.has(Clock::Prefix, event) {
                map.push(into.len());
                self.copy(position, read, into, map);
            } else {
                map.push(NONE);
                if event.location != NONE {
                    into.places[event.location as usize].forget(event);
                }
                if event.kind == Kind::Alloc {
                    into.places[event.value as usize].born = 0;
                }
            }
        }
        let at = |position| mapped(position, read, map);
        for &event in &into.revisited {
            let rf = &mut into.events[event as usize].rf;
            *rf = at(*rf);
        }
        let older = into.revisited.partition_point(|&event| event < read);
        if into.revisited.get(older) != Some(&read) {
            into.revisited.insert(older, read);
        }
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            // What started a thread that is not there may have been cut off long ago.
            to.base = if from.live { at(from.base) } else { NONE };
            to.live = from.live && (from.base == NONE || to.base != NONE);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            for &other in from.co.iter().filter(|&&other| other != write) {
                let new = at(other);
                if new != NONE {
                    to.co.push(new);
                    into.events[new as usize].rank = to.co.len() as u32;
                }
            }
        }
        if let Some(write) = into.events.last_mut() {
            write.rank = 0;
        }
    }

    /// Copies what is not younger than `last`, without coherence order.
    fn copy_until(&self, last: u32, into: &mut Self) {
        let count = last as usize + 1;
        let older = |from: &[u32], to: &mut Vec<u32>| {
            if from.is_empty() {
                return to.clear();
            }
            let younger = from.iter().rev().take_while(|&&event| event > last).count();
            to.clear();
            to.extend_from_slice(&from[..from.len() - younger]);
        };
        (into.width, into.pending) = (self.width, NONE);
        into.events.clear();
        into.events.extend_from_slice(&self.events[..count]);
        into.clocks.clear();
        into.clocks
            .extend_from_slice(&self.clocks[..count * self.width]);
        older(&self.seq_cst, &mut into.seq_cst);
        older(&self.allocations, &mut into.allocations);
        older(&self.revisited, &mut into.revisited);
        if into.threads.len() != self.threads.len() {
            into.threads.resize_with(self.threads.len(), Thread::new);
        }
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            older(&from.events, &mut to.events);
            (to.root, to.next, to.elder) = (from.root, NONE, from.elder);
        }
        if into.places.len() != self.places.len() {
            into.places.resize_with(self.places.len(), Place::default);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            older(&from.accesses, &mut to.accesses);
            (to.initial, to.bits) = (from.initial, from.bits);
            (to.plain, to.ends, to.applied) = (from.plain, from.ends, from.applied);
            (to.creator, to.born) = (from.creator, from.born);
            to.co.clear();
        }
    }

    /// Appends a copy of the event at `position`; what is older has been copied or left out.
    fn copy(&self, position: u32, read: u32, into: &mut Self, map: &[u32]) {
        let (new, at) = (into.len(), |position| mapped(position, read, map));
        let mut event = *self.at(position);
        event.before = at(event.before);
        event.release_fence = at(event.release_fence);
        event.twin = at(event.twin);
        if event.rf != NONE && event.rf > position {
            into.revisited.push(new); // and is mapped when the write has been
        } else {
            event.rf = at(event.rf);
        }
        into.threads[event.thread as usize].events.push(new);
        if event.location != NONE {
            into.places[event.location as usize].accesses.push(new);
        }
        if event.order.is_seq_cst() {
            into.seq_cst.push(new);
        }
        if event.kind == Kind::Alloc {
            into.allocations.push(new);
        }
        into.events.push(event);
        let start = position as usize * self.width;
        for &four in &self.clocks[start..start + self.width] {
            into.clocks.push(four);
        }
    }
}

/// Where an event has come to stand; [`NONE`] if it has been left out.
#[inline]
fn mapped(position: u32, read: u32, map: &[u32]) -> u32 {
    if position <= read || position == NONE {
        return position;
    }
    map[(position - read) as usize - 1]
}
