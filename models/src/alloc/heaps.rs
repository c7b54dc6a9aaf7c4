//! Heaps of threads, whose blocks anybody may give back.
//!
//! # Question
//! A thread takes blocks from a page of its own without any lock. What becomes of a block that another thread gives
//! back, also when nobody looks at its page any more, or its owner ends?
//!
//! # Idea
//! The owner's list of a page is plain memory. Others push what they give back onto the page's *foreign* list
//! with an exchange, and the owner takes that list when its own is empty. An owner does not look at a page that is
//! *full*: the first block that comes back to such a page is pushed onto a list of the owner's heap instead,
//! *delayed*, where the owner finds it. While somebody does so the page says *notifying*, and an owner that ends
//! waits for that; then the page says *never*, and the heap may go. All four words stand in the low bits
//! of the foreign list's head, so that one exchange changes both.
//!
//! # Timeline
//! ```text
//!                                           page                 heap's list
//! T0: takes: nothing left: full             full                 -
//! T1: gives a back: announces itself        notifying            -
//! T1: pushes a onto the heap's list         notifying            a
//! T1: is through                            plain                a
//! T1: gives b back                          plain, foreign: b    a
//! T0: takes: drains its heap's list: a      plain, foreign: b    -
//! T0: takes: collects the foreign list: b   plain                -
//! T0: ends: never; the heap goes            never                gone
//! ```
//!
//! # Obligations
//! * D1: a block has one owner.
//! * D2: no block is lost, and one that comes back to a full page is found.
//! * D3: nobody touches a heap that is gone.
//! * D4: who takes a block comes after who gave it back.
//!
//! # Limits
//! One page of two blocks for each thread. What becomes of the pages of a thread that has ended is `abandoned.rs`,
//! of empty ones `pages.rs`. mimalloc's third list, of what the owner itself gave back, is only taken later.
//!
//! # Source
//! mimalloc as CPython 3.13 has it: `Objects/mimalloc/{alloc,page,heap}.c`.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{
    Fault as _, Property, Protocol, Reach, SKIPPED, Scenario, Shape, Switch, World,
};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Blocks of a page.
const BLOCKS: usize = 2;
/// What the head of the foreign list says of its page, in the two low bits; above them the first block, from one.
const FULL: usize = 0;
const NOTIFYING: usize = 1;
const PLAIN: usize = 2;
const NEVER: usize = 3;
const MODE: usize = 3;

/// A page: of the thread of its number.
struct Page<R: Runtime> {
    /// The owner's list: the first block, from one.
    own: R::Cell<usize>,
    foreign: R::AtomicUsize,
}

/// A heap: what came back to its page when that was full.
struct Heap<R: Runtime> {
    delayed: R::AtomicUsize,
    ghost: R::Ghost,
}

/// All pages, heaps and blocks, each by number of its thread.
pub struct Heaps<R: Runtime> {
    pages: Box<[Page<R>]>,
    heaps: Box<[Heap<R>]>,
    /// Of a dead block: the next one of its list, from one.
    next: Box<[R::Cell<usize>]>,
    blocks: Box<[R::Ghost]>,
    passed: R::Mutex<Vec<usize>>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    held: Vec<usize>,
    /// It does not look at its page until it is told to.
    full: bool,
    /// Its heap is gone.
    left: bool,
}

impl<R: Runtime> Heaps<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// A block of the thread's own page.
    fn take(&self, t: &mut Local) -> Option<usize> {
        let page = &self.pages[t.n];
        if page.own.read() == 0 {
            self.refill(t);
        }
        let block = page.own.read().checked_sub(1)?;
        page.own.write(self.next[block].read());
        self.blocks[block].reuse(0);
        Some(block)
    }

    /// The owner's list is empty: what came back is put into it, or the page is full.
    fn refill(&self, t: &mut Local) {
        self.drain(t);
        if t.full {
            return;
        }
        self.collect(t.n);
        let page = &self.pages[t.n];
        if page.own.read() == 0 {
            // Relaxed: nothing comes with it. It fails when a block came back meanwhile, and the page is not full.
            t.full = self.is(Mutant::FullNoNotify)
                || page.foreign.compare_exchange(PLAIN, FULL, Relaxed, Relaxed).is_ok();
        }
    }

    /// The owner's part of giving back.
    fn put(&self, block: usize) {
        let own = &self.pages[block / BLOCKS].own;
        self.next[block].write(own.read());
        own.write(block + 1);
    }

    /// Puts a list of blocks that came back into the owner's, and tells whether there was any.
    fn put_all(&self, first: usize) -> bool {
        let mut block = first;
        while block != 0 {
            let next = self.next[block - 1].read();
            self.put(block - 1);
            block = next;
        }
        first != 0
    }

    /// The page's foreign list.
    fn collect(&self, n: usize) {
        let foreign = &self.pages[n].foreign;
        // Relaxed: the exchange decides.
        let mut word = foreign.load(Relaxed);
        while word & !MODE != 0 {
            // Acquire, both: what its givers wrote into the blocks.
            if self.is(Mutant::CollectNonatomic) {
                word = foreign.load(Acquire);
                foreign.store(word & MODE, Relaxed);
                break;
            }
            match foreign.compare_exchange(word, word & MODE, Acquire, Relaxed) {
                Ok(_) => break,
                Err(found) => word = found,
            }
        }
        self.put_all(word >> 2);
    }

    /// What came back to the page when it was full, which it is no longer.
    fn drain(&self, t: &mut Local) {
        let delayed = &self.heaps[t.n].delayed;
        // Acquire, both: as in `collect`.
        let first = match () {
            () if self.is(Mutant::DrainNothing) => 0,
            () if self.is(Mutant::DrainKeeps) => delayed.load(Acquire),
            () => delayed.swap(0, Acquire),
        };
        t.full &= !self.put_all(first);
    }

    fn give(&self, t: &Local, block: usize) {
        self.blocks[block].free();
        if block / BLOCKS == t.n { self.put(block) } else { self.give_foreign(block) }
    }

    fn give_foreign(&self, block: usize) {
        let (heap, foreign) = (&self.heaps[block / BLOCKS], &self.pages[block / BLOCKS].foreign);
        // 1. Onto the page's list, or, where it is full, the announcement.
        // Relaxed: the exchange decides.
        let mut word = foreign.load(Relaxed);
        loop {
            let full = word & MODE == FULL;
            let to = if full {
                word | NOTIFYING
            } else {
                self.next[block].write(word >> 2);
                (block + 1) << 2 | word & MODE
            };
            // Release: the block's next, and that it is dead.
            let order = if self.is(Mutant::FreeRelaxed) { Relaxed } else { Release };
            if self.is(Mutant::PlainPush) && !full {
                return foreign.store(to, order);
            }
            match foreign.compare_exchange(word, to, order, Relaxed) {
                Ok(_) if full => break,
                Ok(_) => return,
                Err(found) => word = found,
            }
        }
        // 2. Onto the heap's list. The heap cannot go while its page says *notifying*.
        heap.ghost.touch();
        // Relaxed: as above.
        let mut first = heap.delayed.load(Relaxed);
        loop {
            self.next[block].write(first);
            // Release: as above.
            match heap.delayed.compare_exchange(first, block + 1, Release, Relaxed) {
                Ok(_) => break,
                Err(found) => first = found,
            }
        }
        // 3. Through. Nobody else takes *notifying* back.
        // Release: the block is in the heap's list. No check shows it: under RC11 a drain that comes after our being
        // through was seen cannot miss the block, nor the heap go before; C++20 does not say so.
        foreign.fetch_add(PLAIN - NOTIFYING, Release);
    }

    /// The heap ends: no block will come back by way of it.
    fn leave(&self, t: &mut Local) {
        let foreign = &self.pages[t.n].foreign;
        let word = loop {
            // Acquire: whoever was notifying is through; see there.
            let word = foreign.load(Acquire);
            if word & MODE == NOTIFYING && !self.is(Mutant::AbandonIgnoresFreeing) {
                R::await_until(|| foreign.load(Relaxed) & MODE != NOTIFYING);
            // Relaxed: what is in the list stays there.
            } else if foreign.compare_exchange(word, word | NEVER, Relaxed, Relaxed).is_ok() {
                break word;
            }
        };
        self.drain(t);
        require(!t.full || word & !MODE == 0, Kind::Leak, || {
            format!("page[{}]: full for its owner, and a block has come back", t.n)
        });
        self.heaps[t.n].ghost.free();
        t.left = true;
    }

    /// The blocks of a list, of which there are not more than a page has.
    fn list(&self, mut block: usize) -> Vec<usize> {
        let mut all = Vec::new();
        while block != 0 && all.len() <= BLOCKS {
            all.push(block - 1);
            block = self.next[block - 1].read();
        }
        all
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Takes a block, and answers which.
    Take,
    /// Passes the block on that it took first.
    Pass,
    /// Gives a block back that was passed on.
    Give,
    /// Ends its heap.
    Leave,
}

impl<R: Runtime> World for Heaps<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let page = |n| Page {
            own: R::Cell::new(n * BLOCKS + 1, Label::nth("own", n)),
            foreign: R::AtomicUsize::new(PLAIN, Label::nth("foreign", n)),
        };
        let heap = |n| {
            let ghost = R::Ghost::living(Label::nth("heap", n));
            Heap { delayed: R::AtomicUsize::new(0, Label::nth("delayed", n)), ghost }
        };
        // Every block is followed by the next one of its page.
        let next = |n: usize| if (n + 1).is_multiple_of(BLOCKS) { 0 } else { n + 2 };
        let blocks = 0..shape.threads * BLOCKS;
        Self {
            pages: (0..shape.threads).map(page).collect(),
            heaps: (0..shape.threads).map(heap).collect(),
            next: blocks.clone().map(|n| R::Cell::new(next(n), Label::nth("next", n))).collect(),
            blocks: blocks.map(|n| R::Ghost::blank(Label::nth("block", n))).collect(),
            passed: R::Mutex::new(Vec::new(), "passed"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, held: Vec::new(), full: false, left: false }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Take if !t.left => {
                let Some(block) = self.take(t) else { return SKIPPED };
                t.held.push(block);
                return Some(block as i64);
            }
            Op::Pass if !t.held.is_empty() => self.passed.lock().push(t.held.remove(0)),
            Op::Give if !t.left => {
                let Some(block) = self.passed.lock().pop() else { return SKIPPED };
                self.give(t, block);
            }
            Op::Leave if !t.left => self.leave(t),
            _ => return SKIPPED,
        }
        None
    }

    fn exit(&self, mut t: Local) {
        if !t.left {
            self.leave(&mut t);
        }
    }

    fn finish(&self) {
        for (n, page) in self.pages.iter().enumerate() {
            let foreign = page.foreign.load(Relaxed) >> 2;
            let listed = [self.list(page.own.read()), self.list(foreign)].concat();
            for block in n * BLOCKS..(n + 1) * BLOCKS {
                let times = listed.iter().filter(|other| **other == block).count();
                let dead = self.blocks[block].is_dead();
                require(times > 0 || !dead, Kind::Leak, || {
                    format!("block[{block}]: dead, and in no list")
                });
                require(times <= usize::from(dead || !R::OBSERVED), Kind::Invariant, || {
                    format!("next[{block}]: a live block is in a list, or one is twice")
                });
            }
        }
    }
}

mutants! {
    /// Faults of owners and of those who give back.
    pub enum Mutant {
        /// Who gives back loads the foreign list and stores it.
        PlainPush = "mi-thread-free-plain" breaks ["D2"] in "givers" by Everywhere;
        /// The owner loads the foreign list and stores an empty one.
        CollectNonatomic = "mi-collect-nonatomic" breaks ["D2", "D1"] in "foreign" by Everywhere;
        /// What is given back is pushed with a relaxed exchange.
        FreeRelaxed = "mi-free-relaxed" breaks ["D4"] in "foreign" by WeakMemory;
        /// A heap goes without waiting for who is notifying it.
        AbandonIgnoresFreeing = "mi-abandon-ignores-freeing" breaks ["D3", "D2"] in "full"
            by ShuttleOnly("needs three preemptions, loom is given two here");
        /// A page does not say that it is full.
        FullNoNotify = "mi-full-no-notify" breaks ["D2"] in "again" by Everywhere;
        /// The owner does not look at its heap's list.
        DrainNothing = "mi-drain-nothing" breaks ["D2"] in "again" by Everywhere;
        /// The owner puts its heap's list into its own, and leaves it where it is.
        DrainKeeps = "mi-drain-keeps" breaks ["D1"] in "again" by Everywhere;
    }
}

/// The protocol.
pub struct ThreadHeaps;

impl Protocol for ThreadHeaps {
    const NAME: &'static str = "thread-heaps";
    const TITLE: &'static str = "Heaps of threads, with delayed free";
    const QUESTION: &'static str = "What becomes of a block that another thread gives back?";
    const SOURCE: &'static str = "mimalloc, as CPython 3.13 has it";
    const PROPERTIES: &'static [Property] = properties! {
        "D1" "a block has one owner" by [UseAfterFree at "block", Invariant at "next"];
        "D2" "no block is lost, and one that comes back to a full page is found"
            by [Leak at "block" "page"];
        "D3" "nobody touches a heap that is gone" by [UseAfterFree at "heap"];
        "D4" "who takes a block comes after who gave it back" by [DataRace at "next"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Heaps<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("foreign", "two blocks come back", [&[Take, Take], &[Give, Give]])
                .setup([Take, Take, Pass, Pass])
                .loom(Reach::Exhaustive),
            Scenario::of(
                "full",
                "a full page beside its owner's end",
                [&[Give], &[Take, Take, Take, Pass, Leave]],
            ),
            Scenario::of("again", "a full page is found again", [&[Take, Take], &[Give, Give]])
                .setup([Take, Take, Take, Pass, Pass]),
            Scenario::of("givers", "two others give back", [&[], &[Give], &[Give]])
                .setup([Take, Take, Pass, Pass]),
            Scenario::of("both", "two others, to a full page", [&[], &[Give], &[Give]])
                .setup([Take, Take, Take, Pass, Pass]),
        ]
    }

    /// Left out: passing on.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let start = |name, asks, setup| Start {
            setup,
            alike: 1,
            // Nothing after the end.
            fits: |scenario| {
                let ends = |script: &Vec<Op>| script.iter().rev().skip(1).any(|op| *op == Leave);
                !scenario.threads.iter().any(ends)
            },
            ..Start::new(name, asks, |_: Place| vec![Take, Give, Leave])
        };
        vec![
            start("given", "blocks that were passed on", vec![Take, Take, Pass, Pass]),
            start("full", "the same, of a full page", vec![Take, Take, Take, Pass, Pass]),
        ]
    }
}
