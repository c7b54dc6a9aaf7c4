//! Use after free: blocks given back in a window, by granule of 16 bytes, and who touches them.
//!
//! A collision in the table forgets a granule, never invents one. Left out on purpose: the first
//! word of a block of mimalloc, which its free list uses; plain accesses to the first word of a granule,
//! where an allocator lists the blocks of a page that it cuts anew and CPython reads the owner of
//! objects that may be gone; atomic loads, which lock-free code makes of such objects and then checks;
//! and what the thread itself gave back, which allocators touch again.

use crate::control::{Control, control, holder};
use std::cell::UnsafeCell;
use threadbare_control::block::Verdict;

const SLOTS: usize = 1 << 18;
/// Larger blocks are told apart by their first so many bytes only.
const LARGEST: usize = 1 << 16;

#[derive(Clone, Copy)]
struct Slot {
    granule: usize,
    by: u8,
    first_of_list: bool,
}

struct Table(UnsafeCell<[Slot; SLOTS]>);
// SAFETY: only the holder touches it.
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new(
    [Slot {
        granule: 0,
        by: 0,
        first_of_list: false,
    }; SLOTS],
));

/// A bit for every four slots: something was given back there in this run. Most accesses are through after one look at this, which stays in the cache and costs a forked child no page.
static SEEN: Seen = Seen(UnsafeCell::new([0; SLOTS >> 8]));
struct Seen(UnsafeCell<[u64; SLOTS >> 8]>);
// SAFETY: only the holder touches it.
unsafe impl Sync for Seen {}

fn hash(granule: usize) -> usize {
    ((granule as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46) as usize
}

/// Nothing with this hash was ever given back.
#[inline]
fn never(granule: usize) -> bool {
    let bit = hash(granule) >> 2;
    // SAFETY: the holder's; the bit is below a quarter of the slots.
    unsafe { (*SEEN.0.get())[bit >> 6] >> (bit & 63) & 1 == 0 }
}

fn note(granule: usize) {
    let bit = hash(granule) >> 2;
    // SAFETY: as above.
    unsafe { (*SEEN.0.get())[bit >> 6] |= 1 << (bit & 63) };
}

fn slot(granule: usize) -> &'static mut Slot {
    // SAFETY: the holder's; the hash has 18 bits.
    unsafe { &mut (*TABLE.0.get())[hash(granule)] }
}

fn granules(address: usize, size: usize) -> std::ops::RangeInclusive<usize> {
    (address >> 4)..=((address + size.clamp(1, LARGEST) - 1) >> 4)
}

/// The block was given back; `list` where the allocator keeps a pointer in its first word.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn give_back(address: usize, size: usize, list: bool) {
    // SAFETY: in our turn.
    let me = unsafe { (*holder()).id as u8 };
    for granule in granules(address, size) {
        note(granule);
        *slot(granule) = Slot {
            granule,
            by: me,
            first_of_list: list && granule == address >> 4,
        };
    }
}

/// The block was given out.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn give_out(address: usize, size: usize) {
    for granule in granules(address, size).filter(|&granule| !never(granule)) {
        let slot = slot(granule);
        if slot.granule == granule {
            slot.granule = 0;
        }
    }
}

/// Ends the run where `address` was given back.
#[inline]
pub fn check(control: &mut Control, address: usize, writes: bool, atomic: bool, pc: usize) {
    let granule = address >> 4;
    if never(granule) {
        return;
    }
    let slot = slot(granule);
    if slot.granule != granule || granule == 0 {
        return;
    }
    // SAFETY: the caller's own entry.
    let by_itself = unsafe { (*holder()).id as u8 } == slot.by;
    let list = slot.first_of_list && address & 15 < 8;
    if by_itself || list || if atomic { !writes } else { address & 15 == 0 } {
        return;
    }
    let by = slot.by;
    // SAFETY: there are orders while there is control.
    let run = unsafe { &mut (*control.block).current };
    run.pc = pc as u64;
    run.address = address as u64;
    let how = if writes { "writes" } else { "reads" };
    crate::verdict::end(
        control,
        Verdict::UseAfterFree,
        format_args!("{how} {address:#x}, which thread {by} had given back"),
    )
}

/// Told by an allocator that has been compiled for it: a block was given out.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn threadbare_control_alloc(address: usize, size: usize) {
    // SAFETY: in our turn where there is a holder.
    unsafe {
        if !holder().is_null() && (*control().block).config.freed {
            give_out(address, size);
        }
    }
}

/// Told by an allocator that has been compiled for it: a block was given back.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn threadbare_control_free(address: usize, size: usize) {
    // SAFETY: in our turn where there is a holder.
    unsafe {
        if !holder().is_null() && control().hot && (*control().block).config.freed {
            give_back(address, size, true);
        }
    }
}
