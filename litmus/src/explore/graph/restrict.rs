//! Smaller graphs: the first so many events, and what a revisit leaves.

use super::super::program::MemoryOrder;
use super::{Clock, Graph, Kind, NONE, Place, Thread};

impl Graph {
    /// Drops every event from position `keep` on.
    pub fn cut(&mut self, keep: u32) {
        while self.len() > keep {
            let position = self.len() - 1;
            if self.at(position).kind == Kind::Write {
                self.remove_co(position);
            }
            let Some(event) = self.events.pop() else {
                break;
            };
            let state = &mut self.threads[event.thread as usize];
            state.events.pop();
            state.next = NONE;
            if event.location != NONE {
                let place = &mut self.places[event.location as usize];
                place.accesses.pop();
                place.plain -= u32::from(event.order == MemoryOrder::Plain);
                place.applied -= u32::from(event.applied);
            }
            if event.order.is_seq_cst() {
                self.seq_cst.pop();
            }
            match event.kind {
                Kind::Write if event.exclusive => self.pending = event.thread,
                Kind::Read if self.pending == event.thread => self.pending = NONE,
                Kind::Spawn => self.threads[event.value as usize].live = false,
                _ => {}
            }
        }
        self.clocks
            .truncate(keep as usize * self.slots * self.width);
    }

    /// Copies into `into` what stays when `read` is made to read from the youngest event,
    /// `write`: everything not younger than the read, and the prefix of the write, which is
    /// copied without coherence place. Positions are made dense; `map` gets the new position
    /// of each event. False when a read that stays reads from a deleted write.
    pub fn restrict(&self, read: u32, write: u32, into: &mut Self, map: &mut Vec<u32>) -> bool {
        map.clear();
        let prefix = self.clock(write, Clock::Prefix);
        let mut count = 0;
        map.extend(self.events.iter().enumerate().map(|(position, event)| {
            let kept =
                position as u32 <= read || u32::from(prefix[event.thread as usize]) >= event.index;
            let to = if kept { count } else { NONE };
            count += u32::from(kept);
            to
        }));
        let at = |p: u32| if p == NONE { NONE } else { map[p as usize] };
        (into.width, into.slots, into.pending) = (self.width, self.slots, NONE);
        into.events.clear();
        into.clocks.clear();
        into.seq_cst.clear();
        into.events.reserve(count as usize);
        if into.threads.len() != self.threads.len() {
            into.threads.resize_with(self.threads.len(), Thread::new);
        }
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            to.events.clear();
            to.base = at(from.base);
            to.root = from.root;
            to.next = NONE;
            to.elder = from.elder;
            to.live = from.live && (from.base == NONE || to.base != NONE);
        }
        if into.places.len() != self.places.len() {
            into.places.resize_with(self.places.len(), Place::default);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            to.accesses.clear();
            to.co.clear();
            (to.initial, to.bits) = (from.initial, from.bits);
            (to.plain, to.applied) = (0, 0);
        }
        let stride = self.slots * self.width;
        for (position, (event, &new)) in self.events.iter().zip(&*map).enumerate() {
            if new == NONE {
                continue;
            }
            let mut event = *event;
            event.before = at(event.before);
            event.release_fence = at(event.release_fence);
            event.twin = at(event.twin);
            if event.rf != NONE {
                event.rf = map[event.rf as usize];
                if event.rf == NONE && position as u32 != read {
                    return false;
                }
            }
            into.threads[event.thread as usize].events.push(new);
            if event.location != NONE {
                let place = &mut into.places[event.location as usize];
                place.accesses.push(new);
                place.plain += u32::from(event.order == MemoryOrder::Plain);
                place.applied += u32::from(event.applied);
            }
            if event.order.is_seq_cst() {
                into.seq_cst.push(new);
            }
            into.events.push(event);
            into.clocks
                .extend_from_slice(&self.clocks[position * stride..(position + 1) * stride]);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            for &write in &from.co {
                let new = map[write as usize];
                if new != NONE && new != count - 1 {
                    to.co.push(new);
                    into.events[new as usize].rank = to.co.len() as u32;
                }
            }
        }
        into.at_mut(count - 1).rank = 0;
        true
    }
}
