//! Smaller graphs: the first so many events, and what a revisit leaves.

use super::super::program::MemoryOrder;
use super::{Clock, Event, Graph, Kind, NONE, Place, Thread};

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
        let prefix = self.clock(write, Clock::Prefix);
        // What is not younger than the read stays where it is.
        let old = read as usize + 1;
        let mut count = read + 1;
        map.clear();
        map.extend(0..count);
        map.extend(self.events[old..].iter().map(|event| {
            let kept = u32::from(prefix[event.thread as usize]) >= event.index;
            let to = if kept { count } else { NONE };
            count += u32::from(kept);
            to
        }));
        // An older read may read from a younger write.
        let lost =
            |event: &Event| event.rf != NONE && event.rf > read && map[event.rf as usize] == NONE;
        if self.events[..read as usize].iter().any(lost) {
            return false;
        }
        let at = |p: u32| if p == NONE { NONE } else { map[p as usize] };
        (into.width, into.slots, into.pending) = (self.width, self.slots, NONE);
        if into.threads.len() != self.threads.len() {
            into.threads.resize_with(self.threads.len(), Thread::new);
        }
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            retain(&from.events, read, map, &mut to.events);
            to.base = at(from.base);
            to.root = from.root;
            to.next = NONE;
            to.elder = from.elder;
            to.live = from.live && (from.base == NONE || to.base != NONE);
        }
        retain(&self.seq_cst, read, map, &mut into.seq_cst);
        let stride = self.slots * self.width;
        into.events.clear();
        into.events.extend_from_slice(&self.events[..old]);
        into.clocks.clear();
        into.clocks.extend_from_slice(&self.clocks[..old * stride]);
        for event in &mut into.events {
            if event.rf != NONE && event.rf > read {
                event.rf = map[event.rf as usize];
            }
        }
        for (position, event) in self.events.iter().enumerate().skip(old) {
            if map[position] == NONE {
                continue;
            }
            let mut event = *event;
            event.before = at(event.before);
            event.release_fence = at(event.release_fence);
            event.twin = at(event.twin);
            if event.rf != NONE {
                event.rf = map[event.rf as usize];
                if event.rf == NONE {
                    return false;
                }
            }
            into.events.push(event);
            into.clocks
                .extend_from_slice(&self.clocks[position * stride..(position + 1) * stride]);
        }
        if into.places.len() != self.places.len() {
            into.places.resize_with(self.places.len(), Place::default);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            (to.initial, to.bits) = (from.initial, from.bits);
            retain(&from.accesses, read, map, &mut to.accesses);
            (to.plain, to.applied) = (0, 0);
            if from.plain + from.applied > 0 {
                for &access in &to.accesses {
                    let event = &into.events[access as usize];
                    to.plain += u32::from(event.order == MemoryOrder::Plain);
                    to.applied += u32::from(event.applied);
                }
            }
            to.co.clear();
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

/// Copies those of some events, in order of addition, that stay.
fn retain(from: &[u32], read: u32, map: &[u32], into: &mut Vec<u32>) {
    let old = from.partition_point(|&event| event <= read);
    into.clear();
    into.extend_from_slice(&from[..old]);
    let young = from[old..].iter().map(|&event| map[event as usize]);
    into.extend(young.filter(|&event| event != NONE));
}
