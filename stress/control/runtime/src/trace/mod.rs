//! The trace: a running hash of every event, checkpoints of it, and the events themselves on demand.

use crate::control::Step;
use crate::real::system;
use std::sync::atomic::{AtomicUsize, Ordering};
use threadbare_control::block::{
    Block, CHECKPOINT_EVERY, DELAYED, Event, MAX_CHECKPOINTS, MAX_EVENTS, Run,
};

/// One more than the number of the event that is about to write: what it writes is known at the next
/// step of the same thread, before which no other thread runs.
static WRITES: AtomicUsize = AtomicUsize::new(0);

/// Adds one event to the present run.
#[inline]
pub fn record(block: &mut Block, thread: u32, step: &Step) {
    let Step {
        kind, address, pc, ..
    } = *step;
    settle(block);
    let run = &mut block.current;
    let index = run.events;
    count(run, thread, step);
    if run.events.is_multiple_of(CHECKPOINT_EVERY) {
        let at = (run.events / CHECKPOINT_EVERY - 1) as usize;
        if at < MAX_CHECKPOINTS {
            block.checkpoints[at] = run.hash;
        }
    }
    if block.config.trace && (index as usize) < MAX_EVENTS {
        // The hash is without the values: a run has one, traced or not.
        let before = peek(address, step.size);
        block.trace[index as usize] = Event {
            pc: pc as u64,
            address: address as u64,
            before: before.unwrap_or(0),
            after: 0,
            thread,
            kind: kind as u16,
            size: before.map_or(0, |_| step.size),
        };
        if step.writes && step.size != 0 {
            // Relaxed: the holder's own.
            WRITES.store(index as usize + 1, Ordering::Relaxed);
        }
    }
}

/// Adds one event to what is known of every event.
#[inline(always)]
fn count(run: &mut Run, thread: u32, step: &Step) {
    let (pc, address) = (step.pc as u64, step.address as u64);
    let who = (thread as u64) << 56 ^ (step.kind as u64) << 48;
    run.hash = mix(run.hash, pc ^ who, address);
    if pc != 0 {
        run.pc = pc;
    }
    run.events += 1;
}

/// Adds one event where that is all there is to do, and says whether it was: not where a checkpoint is due.
#[inline(always)]
pub fn counted(run: &mut Run, thread: u32, step: &Step) -> bool {
    let plain = !(run.events + 1).is_multiple_of(CHECKPOINT_EVERY);
    if plain {
        count(run, thread, step);
    }
    plain
}

/// The write that was just told is one that others see later.
pub fn delayed(block: &mut Block) {
    let number = WRITES.load(Ordering::Relaxed);
    if let Some(event) = number.checked_sub(1).and_then(|i| block.trace.get_mut(i)) {
        event.size |= DELAYED;
    }
}

/// Reads what the last write has written.
#[inline]
pub fn settle(block: &mut Block) {
    if !block.config.trace {
        return;
    }
    let number = WRITES.swap(0, Ordering::Relaxed);
    if let Some(event) = number.checked_sub(1).and_then(|i| block.trace.get_mut(i)) {
        match peek(event.address as usize, event.size & !DELAYED) {
            Some(after) => event.after = after,
            // Given back to the kernel since.
            None => event.size = 0,
        }
    }
}

/// The lowest eight bytes there, by a call that fails where nothing is mapped: a program may be about to
/// crash there.
fn peek(address: usize, size: u16) -> Option<u64> {
    if size == 0 {
        return None;
    }
    let mut value = 0u64;
    let length = usize::from(size.min(8));
    let here = libc::iovec {
        iov_base: (&raw mut value).cast(),
        iov_len: length,
    };
    let there = libc::iovec {
        iov_base: address as *mut _,
        iov_len: length,
    };
    // SAFETY: reads into the local; the kernel checks the other side.
    let got = unsafe {
        system(
            libc::SYS_process_vm_readv,
            system(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) as usize,
            &raw const here as usize,
            1,
            &raw const there as usize,
            1,
            0,
        )
    };
    (got == length as isize).then_some(value)
}

/// One step of a multiplicative hash; not for adversaries, only for equality of two runs. Each step waits for the one
/// before it, at one multiplication: that of the address is not among what it waits for.
#[inline]
fn mix(state: u64, value: u64, address: u64) -> u64 {
    let value = value ^ address.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(23);
    let h = (state ^ value).wrapping_mul(0x9fb2_1c65_1e98_df25);
    h ^ (h >> 29)
}

#[cfg(test)]
mod tests {
    use super::{mix, peek};

    #[test]
    fn a_value_is_its_lowest_bytes_and_unknown_where_nothing_is_mapped() {
        let value = 0x1122_3344_5566_7788u64;
        let at = &raw const value as usize;
        assert_eq!(peek(at, 8), Some(value));
        assert_eq!(peek(at, 2), Some(0x7788));
        assert_eq!(peek(at, 0), None);
        assert_eq!(peek(8, 8), None);
    }

    #[test]
    fn the_hash_depends_on_the_order_of_events() {
        assert_ne!(mix(mix(1, 2, 0), 3, 0), mix(mix(1, 3, 0), 2, 0));
        assert_ne!(mix(1, 2, 4), mix(1, 4, 2));
        assert_eq!(mix(mix(1, 2, 4), 3, 0), mix(mix(1, 2, 4), 3, 0));
    }
}
