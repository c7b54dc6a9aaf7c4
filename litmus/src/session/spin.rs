//! Loops that wait: turns of `await_until`, and loops that only look, by the operations, the
//! registers and the stack.

use super::{Location, MemoryOrder, Op, SHARED, Wait, block, submit};
use crate::explore::program::Value;
use std::panic::Location as Caller;

/// A read, as one of a loop that only looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    site: usize,
    location: Location,
    answer: Value,
    /// Stands for all local state of the thread.
    state: u64,
}

impl Look {
    fn repeats(&self, other: &Self) -> bool {
        (self.site, self.location, self.answer) == (other.site, other.location, other.answer)
    }
}

/// How many equal turns of a loop that only reads are taken for waiting.
const TURNS: usize = 3;

/// The longest turn that is recognised.
const LONGEST_TURN: usize = 8;

/// The number of reads in a turn, when the latest turns read the same and the last of them
/// left the thread's registers and stack as the one before: then it will go on so until
/// it reads something else. Earlier turns are not compared as closely, since the first may
/// have found leftovers on the stack.
fn spinning(streak: &[Look]) -> Option<usize> {
    (1..=LONGEST_TURN).find(|&turn| {
        streak.len() >= TURNS * turn && {
            let turns: Vec<&[Look]> = streak[streak.len() - TURNS * turn..].chunks(turn).collect();
            let last = turns[TURNS - 1];
            turns
                .iter()
                .all(|t| t.iter().zip(last).all(|(a, b)| a.repeats(b)))
                && turns[TURNS - 2]
                    .iter()
                    .zip(last)
                    .all(|(a, b)| a.state == b.state)
        }
    })
}

/// Stores the registers that calls preserve.
#[inline(always)]
fn save_registers(into: &mut [usize; 10]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies registers into the array, which has room for them.
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx",
            "mov [{0} + 8], rbp",
            "mov [{0} + 16], r12",
            "mov [{0} + 24], r13",
            "mov [{0} + 32], r14",
            "mov [{0} + 40], r15",
            in(reg) into.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]",
            "stp x21, x22, [{0}, 16]",
            "stp x23, x24, [{0}, 32]",
            "stp x25, x26, [{0}, 48]",
            "stp x27, x28, [{0}, 64]",
            in(reg) into.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // No state is then ever the same, and no loop recognised.
        into[0] = SHARED.with_borrow_mut(|shared| {
            shared.states += 1;
            shared.states
        });
    }
}

/// Keeps a hash of the stack of the running thread from `start` to its base.
#[inline(never)]
fn remember_state(start: *const usize) {
    SHARED.with_borrow_mut(|shared| {
        let base = shared.bases[shared.thread as usize];
        let words = base.saturating_sub(start.addr()) / size_of::<usize>();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for n in 0..words {
            // SAFETY: between a local of the running thread and the base of its stack, which
            // is mapped and written by nobody else; volatile, since the words have no type.
            let word = unsafe { start.add(n).read_volatile() };
            hash = (hash ^ word as u64)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(29);
        }
        shared.state = hash;
    });
}

/// One turn of a loop that waits.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Turn {
    /// Reads done.
    pub reads: u32,
    /// Whether it wrote: then the next turn can differ by its own doing.
    pub wrote: bool,
}

/// A turn of a waiting loop begins; what the enclosing one has done so far.
pub(crate) fn begin_turn() -> Option<Turn> {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        shared.turns[thread].replace(Turn::default())
    })
}

/// The turn ends; the enclosing one goes on with what both have done.
pub(crate) fn end_turn(outer: Option<Turn>) -> Turn {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        let turn = shared.turns[thread].take().unwrap_or_default();
        shared.turns[thread] = outer.map(|outer| Turn {
            reads: outer.reads + turn.reads,
            wrote: outer.wrote || turn.wrote,
        });
        turn
    })
}

/// Performs an operation of the running thread.
#[inline(never)]
pub(crate) fn perform(op: Op, caller: &Caller<'_>) -> Value {
    let looks = matches!(op, Op::Load { .. } | Op::CompareExchange { .. });
    if looks && SHARED.with_borrow(|shared| shared.active) {
        let mut registers = [0; 10];
        save_registers(&mut registers);
        remember_state(registers.as_ptr());
    }
    watched(op, caller)
}

/// Performs an operation with an eye on loops that wait.
#[inline(never)]
fn watched(op: Op, caller: &Caller<'_>) -> Value {
    let (active, waiting) =
        SHARED.with_borrow(|s| (s.active, s.active && s.turns[s.thread as usize].is_some()));
    if !active || op.is_last() {
        return submit(op, caller);
    }
    if !waiting {
        let look = match op {
            Op::Load { location, .. } => Some((location, None)),
            Op::CompareExchange {
                location, expected, ..
            } => Some((location, Some(expected))),
            _ => None,
        };
        let state = SHARED.with_borrow(|shared| shared.state);
        let answer = submit(op, caller);
        let turn = SHARED.with_borrow_mut(|shared| {
            let streak = &mut shared.streaks[shared.thread as usize];
            match look {
                Some((location, expected)) if expected != Some(answer) => {
                    let site = std::ptr::from_ref(caller).addr();
                    streak.push(Look {
                        site,
                        location,
                        answer,
                        state,
                    });
                    spinning(streak)
                }
                _ => {
                    streak.clear();
                    None
                }
            }
        });
        if let Some(turn) = turn {
            SHARED.with_borrow_mut(|shared| {
                shared
                    .names
                    .spins
                    .insert(format!("{}:{}", caller.file(), caller.line()));
            });
            block(Wait::Await, turn as u32, caller);
        }
        return answer;
    }
    let op = match op {
        // Tried after everything else, so that fewer executions end blocked.
        Op::Load { location, order } if order != MemoryOrder::Plain => {
            Op::Await { location, order }
        }
        op => op,
    };
    let (reads, expected) = match op {
        Op::Load { .. } | Op::Await { .. } => (true, None),
        Op::CompareExchange { expected, .. } | Op::AwaitExchange { expected, .. } => {
            (true, Some(expected))
        }
        _ => (false, None),
    };
    let writes = matches!(
        op,
        Op::Store { .. } | Op::Update { .. } | Op::Apply { .. } | Op::Spawn(_) | Op::Join(_)
    );
    let answer = submit(op, caller);
    SHARED.with_borrow_mut(|shared| {
        if let Some(turn) = &mut shared.turns[shared.thread as usize] {
            turn.reads += u32::from(reads);
            turn.wrote |= writes || expected == Some(answer);
        }
    });
    answer
}
