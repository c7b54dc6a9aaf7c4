//! A list of free blocks under one lock.
//!
//! # Question
//! Small objects come and go all the time, and their blocks wait in a list for the next one. What is it that the
//! global lock kept right there?
//!
//! # Idea
//! The list goes through the dead blocks themselves: each has the address of the next. Taking and giving back,
//! and carving new blocks when there is none, are one section each of one lock. A block that was taken is its
//! taker's alone: it is filled outside the lock, and only then published.
//!
//! # Timeline
//! ```text
//!                                            head   blocks
//! T0: takes: section { none: carves two;     b      a: T0, b → none
//!     pops a }
//! T1: takes: section { pops b }              none   a: T0, b: T1
//! T0: fills a, publishes it
//! T1: gives back: section { b → none; head } b      a: T0, b → none
//! ```
//!
//! # Obligations
//! * A1: a block has one owner.
//! * A2: no block is lost: the list ends, and has all dead blocks and no others.
//! * A4: who finds a published block finds what it was filled with.
//!
//! # Limits
//! One size. What goes wrong without the lock is planted here; a list that needs none has to tag its head.
//!
//! # Orders
//! None but the publication's: all else is under the lock.
//!
//! # Source
//! Stein's 1996 patch, whose lists of integers, floats and frames were under one lock.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Blocks that are carved at once.
const CARVED: usize = 2;
/// Blocks that each thread may need.
const EACH: usize = 14;

/// A block.
struct Block<R: Runtime> {
    /// While it is dead: the number of the next, 0 for none.
    next: R::AtomicUsize,
    /// While it lives.
    payload: R::Cell<u64>,
    ghost: R::Ghost,
}

/// The list, and blocks by number from one.
pub struct FreeList<R: Runtime> {
    lock: R::Mutex<()>,
    head: R::AtomicUsize,
    /// How many blocks were carved.
    carved: R::AtomicUsize,
    blocks: Box<[Block<R>]>,
    published: R::AtomicUsize,
    faults: Switch<Mutant>,
}

impl<R: Runtime> FreeList<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn block(&self, n: usize) -> &Block<R> {
        &self.blocks[n - 1]
    }

    /// New blocks, in front of the list.
    fn carve(&self) {
        // Relaxed, here and everywhere under the lock.
        let carved = self.carved.load(Relaxed);
        self.carved.store(carved + CARVED, Relaxed);
        (carved + 1..=carved + CARVED).rev().for_each(|n| self.push(n));
    }

    fn push(&self, n: usize) {
        loop {
            let head = self.head.load(Relaxed);
            self.block(n).next.store(head, Relaxed);
            if !self.is(Mutant::PopLockfree) {
                return self.head.store(n, Relaxed);
            }
            // Release: the block's next.
            if self.head.compare_exchange(head, n, Release, Relaxed).is_ok() {
                return;
            }
        }
    }

    fn take(&self) -> usize {
        let unlocked = self.is(Mutant::PopLockfree) || self.is(Mutant::VolatileNotAtomic);
        if self.is(Mutant::RefillUnlocked) && self.head.load(Relaxed) == 0 {
            self.carve();
        }
        let lock = (!unlocked).then(|| self.lock.lock());
        let n = loop {
            // Acquire: in the form without the lock, the block's next.
            let n = self.head.load(if unlocked { Acquire } else { Relaxed });
            if n == 0 {
                // Carving without it is another fault.
                let _lock = self.is(Mutant::PopLockfree).then(|| self.lock.lock());
                self.carve();
                continue;
            }
            let next = self.block(n).next.load(Relaxed);
            if !self.is(Mutant::PopLockfree) {
                self.head.store(next, Relaxed);
                break n;
            }
            if self.head.compare_exchange(n, next, AcqRel, Relaxed).is_ok() {
                break n;
            }
        };
        drop(lock);
        self.block(n).ghost.reuse(0);
        n
    }

    fn give(&self, n: usize) {
        self.block(n).payload.write(0);
        self.block(n).ghost.free();
        if !self.is(Mutant::GiveNothing) {
            let unlocked = self.is(Mutant::PopLockfree) || self.is(Mutant::VolatileNotAtomic);
            let _lock = (!unlocked).then(|| self.lock.lock());
            self.push(n);
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Takes a block, and answers which.
    Take,
    /// Gives the block back that it took first.
    Give,
    /// Takes a block, fills and publishes it.
    Publish,
    /// Reads the published block.
    Read,
}

impl<R: Runtime> World for FreeList<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Vec<usize>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let block = |n| Block {
            next: R::AtomicUsize::new(0, Label::nth("next", n)),
            payload: R::Cell::new(0, Label::part("block", "payload", n)),
            ghost: R::Ghost::blank(Label::nth("block", n)),
        };
        Self {
            lock: R::Mutex::new((), "list"),
            head: R::AtomicUsize::new(0, "head"),
            carved: R::AtomicUsize::new(0, "carved"),
            blocks: (1..=shape.threads * EACH).map(block).collect(),
            published: R::AtomicUsize::new(0, "published"),
            faults,
        }
    }

    fn enter(&self, _: usize) -> Vec<usize> {
        Vec::new()
    }

    fn step(&self, held: &mut Vec<usize>, op: Op) -> Option<i64> {
        match op {
            Op::Take => {
                let n = self.take();
                held.push(n);
                return Some(n as i64);
            }
            Op::Give if !held.is_empty() => self.give(held.remove(0)),
            Op::Give => return SKIPPED,
            Op::Publish => {
                let n = self.take();
                let early = self.is(Mutant::InitAfterUnlock);
                // Release, twice: with what the block was filled with.
                if early {
                    self.published.store(n, Release);
                }
                self.block(n).payload.write(1);
                if !early {
                    self.published.store(n, Release);
                }
            }
            // Acquire: what the block was filled with.
            Op::Read => match self.published.load(Acquire) {
                0 => return SKIPPED,
                n => return Some(self.block(n).payload.read() as i64),
            },
        }
        None
    }

    fn finish(&self) {
        let carved = self.carved.load(Relaxed);
        let mut listed = vec![false; carved];
        let mut n = self.head.load(Relaxed);
        while n != 0 {
            let sound = self.block(n).ghost.is_dead() || !R::OBSERVED;
            let twice = std::mem::replace(&mut listed[n - 1], true);
            require(sound && !twice, Kind::Invariant, || {
                format!("next[{n}]: a live block is in the list, or one is twice")
            });
            n = self.block(n).next.load(Relaxed);
        }
        for (n, _) in listed.iter().enumerate().filter(|(_, listed)| !**listed) {
            let lost = self.block(n + 1).ghost.is_dead();
            require(!lost, Kind::Leak, || format!("block[{}]: dead, and in no list", n + 1));
        }
    }
}

mutants! {
    /// Faults of the list, and of those who publish what they took.
    pub enum Mutant {
        /// New blocks are carved outside the lock.
        RefillUnlocked = "fl-refill-unlocked" breaks ["A1", "A2"] in "empty" by Everywhere;
        /// There is no lock: the head is exchanged, and who took and gave a block back meanwhile is not noticed.
        PopLockfree = "fl-pop-lockfree-aba" breaks ["A1", "A2"] in "again" by Everywhere;
        /// A block is published before it is filled.
        InitAfterUnlock = "fl-init-after-unlock-race" breaks ["A4"] in "publish" by Everywhere;
        /// There is no lock: the head is loaded and stored.
        VolatileNotAtomic = "fl-volatile-not-atomic" breaks ["A1", "A2"] in "empty" by Everywhere;
        /// What is given back comes into no list.
        GiveNothing = "fl-give-nothing" breaks ["A2"] in "both" by Everywhere;
    }
}

/// The protocol.
pub struct BlockList;

impl Protocol for BlockList {
    const NAME: &'static str = "free-list";
    const TITLE: &'static str = "A list of free blocks under one lock";
    const QUESTION: &'static str = "What did the global lock keep right in a list of free blocks?";
    const SOURCE: &'static str = "Stein's 1996 patch, free lists under the critical lock";
    const PROPERTIES: &'static [Property] = properties! {
        "A1" "a block has one owner" by [UseAfterFree at "block"];
        "A2" "no block is lost: the list has all dead blocks and no others"
            by [Leak at "block", Invariant at "next"];
        "A4" "who finds a block finds it filled" by [DataRace at "payload"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = FreeList<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("empty", "two take from the empty list", [&[Take], &[Take]]),
            Scenario::of(
                "again",
                "one block goes and comes back",
                [&[Take, Take], &[Take, Take, Give]],
            )
            .setup([Take, Take, Give, Give]),
            Scenario::of("publish", "a reader of a new object", [&[Publish], &[Read]]),
            Scenario::of("both", "two take and give back", [&[Take, Give], &[Take, Give]]),
            Scenario::of("three", "three take", [&[Take], &[Take], &[Take]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Take, Op::Give, Op::Publish, Op::Read];
        vec![Start::new("free", "takers and givers", letters)]
    }
}
