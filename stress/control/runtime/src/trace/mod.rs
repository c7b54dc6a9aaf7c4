//! The trace: a running hash of every event, checkpoints of it, and the events themselves on demand.

use threadbare_control::block::{
    Block, CHECKPOINT_EVERY, Event, Kind, MAX_CHECKPOINTS, MAX_EVENTS,
};

/// Adds one event to the present run.
#[inline]
pub fn record(block: &mut Block, thread: u32, kind: Kind, address: usize, pc: usize) {
    let run = &mut block.current;
    run.hash = mix(
        mix(
            run.hash,
            pc as u64 ^ ((thread as u64) << 56) ^ ((kind as u64) << 48),
        ),
        address as u64,
    );
    if pc != 0 {
        run.pc = pc as u64;
    }
    let index = run.events;
    run.events += 1;
    if run.events.is_multiple_of(CHECKPOINT_EVERY) {
        let at = (run.events / CHECKPOINT_EVERY - 1) as usize;
        if at < MAX_CHECKPOINTS {
            block.checkpoints[at] = run.hash;
        }
    }
    if block.config.trace && (index as usize) < MAX_EVENTS {
        block.trace[index as usize] = Event {
            pc: pc as u64,
            address: address as u64,
            thread,
            kind: kind as u32,
        };
    }
}

/// One step of a multiplicative hash; not for adversaries, only for equality of two runs.
#[inline]
fn mix(state: u64, value: u64) -> u64 {
    let h = (state ^ value).wrapping_mul(0x9fb2_1c65_1e98_df25);
    h ^ (h >> 29)
}

#[cfg(test)]
mod tests {
    use super::mix;

    #[test]
    fn the_hash_depends_on_the_order_of_events() {
        assert_ne!(mix(mix(1, 2), 3), mix(mix(1, 3), 2));
        assert_eq!(mix(mix(1, 2), 3), mix(mix(1, 2), 3));
    }
}
