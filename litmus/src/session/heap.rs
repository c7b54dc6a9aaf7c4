//! What explored threads free is given back when the run is over.
//!
//! Pointers are known by address. An object that came to lie where another one has been in the same run would be taken for
//! it, as it would be on hardware (the ABA problem), but not in every run: it depends on what else the allocator has been
//! asked for meanwhile. So within a run no address is used twice. Nothing is written there either, and who
//! uses an object that is gone finds it as it was, with the location that has been freed.
//!
//! The allocator of the whole program has to see to it. Feature `heap`, on unless taken away; without it a program that frees
//! what it has shown in an `AtomicPtr` may be refused.

use super::rescue;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::ManuallyDrop;

/// The system's allocator, but for what explored threads free.
struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

thread_local! {
    /// Without a destructor: memory is freed while the destructors of other thread-locals run, and after.
    static FREED: Cell<ManuallyDrop<Vec<(*mut u8, Layout)>>> =
        const { Cell::new(ManuallyDrop::new(Vec::new())) };
    /// Whether the list above is being added to, which may free its own memory.
    static ADDING: Cell<bool> = const { Cell::new(false) };
}

/// Gives back what the run that is over has freed on this thread.
pub(super) fn give_back() {
    ADDING.set(false);
    for (block, layout) in ManuallyDrop::into_inner(FREED.take()) {
        // SAFETY: handed to `dealloc` with this layout, by who had it from `System`.
        unsafe { System.dealloc(block, layout) };
    }
}

fn keep(block: *mut u8, layout: Layout) {
    ADDING.set(true);
    let mut freed = FREED.take();
    freed.push((block, layout));
    FREED.set(freed);
    ADDING.set(false);
}

fn is_kept() -> bool {
    rescue::is_explored() && !ADDING.get()
}

// SAFETY: it hands out what `System` does, and gives each block back once, with its layout.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match is_kept() {
            true => keep(block, layout),
            // SAFETY: the caller's.
            false => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_kept() {
            // SAFETY: the caller's.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller's: the size is above 0 and fits the alignment.
        let new = unsafe { System.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: two blocks, of at least that size.
            unsafe { std::ptr::copy_nonoverlapping(block, new, size.min(layout.size())) };
            keep(block, layout);
        }
        new
    }
}
