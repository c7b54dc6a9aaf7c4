//! Objects in memory of their own, watched by the allocator.
//!
//! [`Observed`](super::Observed) decides itself whether an object lives. Here every life of an
//! object is a block of the heap, a use is a read of that block, and nothing is decided: a
//! use after the free, a second free and a lost block are what they are in a VM, for
//! AddressSanitizer to find, which knows nothing of our specification.

use super::Ghost;
use crate::runtime::Label;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, Ordering::Relaxed};

/// What stands in the block.
const BODY: u64 = 0x5AFE_B10C;

/// The life of an object as a block of the heap. Its counters serve the scheme's own
/// checks at quiescence; no access is judged by them.
pub struct Block {
    /// The block of the present or last life; stays when it is freed, as any stale
    /// pointer does.
    body: AtomicPtr<u64>,
    holders: AtomicI64,
    generation: AtomicU32,
    dead: AtomicBool,
    /// Without references at quiescence and not freed: left for the leak checker.
    lost: AtomicBool,
}

impl Block {
    #[inline(never)]
    fn look(&self) {
        // Relaxed, here as everywhere below: the observer must not order what it watches.
        let body = self.body.load(Relaxed);
        assert!(!body.is_null(), "a use of a block that never held an object");
        // SAFETY: holds as long as the scheme keeps its promise that an object in use has
        // not been freed. Where it breaks the promise this is a use after free on purpose:
        // faults are planted only in processes that AddressSanitizer watches.
        let seen = unsafe { body.read_volatile() };
        assert_eq!(seen, BODY, "the block of an object in use holds something else");
    }
}

impl Ghost for Block {
    fn blank(_: Label) -> Self {
        Self {
            body: AtomicPtr::default(),
            holders: AtomicI64::new(0),
            generation: AtomicU32::new(0),
            dead: AtomicBool::new(true),
            lost: AtomicBool::new(false),
        }
    }

    fn gain(&self) {
        self.look();
        self.holders.fetch_add(1, Relaxed);
    }

    fn lose(&self) {
        self.look();
        self.holders.fetch_sub(1, Relaxed);
    }

    fn touch(&self) {
        self.look();
    }

    fn free(&self) {
        self.dead.store(true, Relaxed);
        // SAFETY: the pointer came from `Box::into_raw` in `reuse`, and is freed once as long
        // as the scheme frees an object once; see `look`.
        drop(unsafe { Box::from_raw(self.body.load(Relaxed)) });
    }

    fn finalize(&self) {
        self.look();
    }

    fn reuse(&self, holders: i64) {
        self.body.store(Box::into_raw(Box::new(BODY)), Relaxed);
        self.holders.store(holders, Relaxed);
        self.generation.fetch_add(1, Relaxed);
        self.dead.store(false, Relaxed);
    }

    fn settle(&self) {
        if !self.is_dead() && self.holders() <= 0 {
            self.lost.store(true, Relaxed);
        }
    }

    fn holders(&self) -> i64 {
        self.holders.load(Relaxed)
    }

    fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Relaxed)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // A scenario may end with references; their objects are not lost.
        if !self.is_dead() && !self.lost.load(Relaxed) {
            // SAFETY: as in `free`; the world ends, no other thread is left.
            drop(unsafe { Box::from_raw(self.body.load(Relaxed)) });
        }
    }
}
