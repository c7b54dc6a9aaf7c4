//! Blocks by size: lists of threads in front of a shared list of each class, in front of the spans.
//!
//! # Question
//! One lock for all free blocks is the next bottleneck when the global one goes. How do threads take and give
//! back blocks of many sizes and mostly meet nobody?
//!
//! # Idea
//! Memory is carved in *spans*; the blocks of a span have one size, its *class*. Every thread has a list
//! of free blocks for each class, which needs no lock. When it is empty the thread takes one from the class's shared
//! list, under the class's *fast* lock; when that is empty too, it carves a span, under the one *heavy* lock. A
//! thread's list that grows too long is flushed into the shared one. A span of which all blocks lie in the shared
//! list goes back, and may be carved for another class: a block in some thread's list counts as taken.
//!
//! # Timeline
//! ```text
//!                                        T0's list   shared   span s
//! T0: takes: both empty: heavy { s }     -           -        class 0: a, b
//! T0: has a; fast { splices b }          -           b        class 0
//! T1: takes: fast { b }                  -           -        class 0
//! T0: gives a back                       a           -        class 0
//! T1: gives b back, ends: fast { b }     a           b        class 0
//! T0: ends: fast { a; all of s: out }    -           -        -
//! T0: heavy { s }                        -           -        free
//! ```
//!
//! # Obligations
//! * A1: a block has one owner.
//! * A2: no block is lost.
//! * A5: a block is of the class that was asked for.
//! * B1: no deadlock: who has a heavy lock takes no fast one.
//! * B4: no span is carved while the shared list has a block.
//! * C4: blocks that a thread used last are preferred for it, and for nobody else kept.
//!
//! # Limits
//! Two classes, spans of two blocks, a thread's list of one. Steps on a shared list and its number are
//! one section.
//!
//! # Orders
//! None: all is under locks.
//!
//! # Source
//! The Gilectomy's `obmalloc` with fast and heavy locks; TCMalloc's spans; Pyston's block caches with affinity.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const CLASSES: usize = 2;
/// Blocks of a span.
const SPAN: usize = 2;
/// Spans that each thread may need.
const EACH: usize = 8;
/// So many blocks stay in a thread's list.
const LIMIT: usize = 1;

/// What is under a fast lock.
#[derive(Default)]
struct Shared {
    /// Free blocks, each with the thread that used it last.
    blocks: Vec<(usize, usize)>,
    /// How many.
    count: usize,
}

/// What is under the heavy lock.
#[derive(Default)]
struct Spans {
    carved: usize,
    free: Vec<usize>,
}

/// The memory.
pub struct Memory<R: Runtime> {
    fast: Box<[R::Mutex<Shared>]>,
    heavy: R::Mutex<Spans>,
    /// The class of each span: changed by who has the whole span.
    class: Box<[R::Mutex<usize>]>,
    blocks: Box<[R::Ghost]>,
    /// Which of them are free: for the fault that counts what lies in threads' lists.
    free: Box<[R::AtomicU8]>,
    passed: R::Mutex<Vec<usize>>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    held: Vec<usize>,
    lists: [Vec<usize>; CLASSES],
    /// The class that it asked for last.
    last: usize,
}

impl<R: Runtime> Memory<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn take(&self, t: &mut Local, class: usize) -> usize {
        let own = t.lists[class].pop();
        let block =
            own.or_else(|| self.fetch(t.n, class)).unwrap_or_else(|| self.carve(t.n, class));
        let is = *self.class[block / SPAN].lock();
        require(is == class, Kind::Invariant, || {
            format!("class[{}]: {is}, but {class} was asked for", block / SPAN)
        });
        self.blocks[block].reuse(0);
        // Relaxed, here and below: nothing is read by way of it.
        self.free[block].store(0, Relaxed);
        block
    }

    /// A block of the shared list, if it has any.
    fn fetch(&self, n: usize, class: usize) -> Option<usize> {
        let early = self.is(Mutant::CheckThenLock);
        let looked = early.then(|| self.fast[class].lock().count > 0);
        let mut shared = self.fast[class].lock();
        let some = looked.unwrap_or(shared.count > 0);
        let mine = shared.blocks.iter().position(|(_, last)| *last == n);
        if !some || mine.is_none() && self.is(Mutant::AffinityStrict) {
            let left = shared.blocks.len();
            require(left == 0, Kind::Unbounded, || {
                format!("spans: one more is carved, and {left} block(s) are free")
            });
            return None;
        }
        require(!shared.blocks.is_empty(), Kind::Invariant, || {
            "shared: a block is taken from the empty list".into()
        });
        let at = mine.unwrap_or(0);
        if self.is(Mutant::TwoOwners) {
            let block = shared.blocks[at].0;
            drop(shared);
            let mut shared = self.fast[class].lock();
            shared.blocks.retain(|(other, _)| *other != block);
            shared.count = shared.blocks.len();
            return Some(block);
        }
        shared.count -= 1;
        Some(shared.blocks.remove(at).0)
    }

    /// A span: its first block, and the others into the shared list.
    fn carve(&self, n: usize, class: usize) -> usize {
        let mut spans = self.heavy.lock();
        let fresh = spans.free.is_empty();
        let span = if fresh { spans.carved } else { spans.free.remove(0) };
        spans.carved += usize::from(fresh);
        *self.class[span].lock() = class;
        let spans = self.is(Mutant::LockInversion).then_some(spans);
        let first = span * SPAN;
        let mut shared = self.fast[class].lock();
        shared.blocks.extend((first + 1..first + SPAN).map(|block| (block, n)));
        shared.count += SPAN - 1;
        drop(spans);
        first
    }

    fn give(&self, t: &mut Local, block: usize) {
        self.blocks[block].free();
        self.free[block].store(1, Relaxed);
        // The block's, not the thread's.
        let class = *self.class[block / SPAN].lock();
        let class = if self.is(Mutant::WrongClass) { t.last } else { class };
        t.lists[class].push(block);
        if t.lists[class].len() > LIMIT {
            self.flush(t, class);
        }
    }

    /// The thread's list of a class goes into the shared one, and whole spans back.
    fn flush(&self, t: &mut Local, class: usize) {
        let flushed = std::mem::take(&mut t.lists[class]);
        if self.is(Mutant::KeepsTail) {
            t.lists[class].extend(flushed.first());
        }
        let torn = self.is(Mutant::BatchTear);
        if torn {
            self.fast[class].lock().count += flushed.len();
        }
        let mut shared = self.fast[class].lock();
        shared.blocks.extend(flushed.iter().map(|block| (*block, t.n)));
        if !torn {
            shared.count += flushed.len();
        }
        let whole = |span: usize| {
            let there = |block: usize| shared.blocks.iter().any(|(other, _)| *other == block);
            let free = |block: usize| {
                // A block in another thread's list is free as well, and not there.
                there(block) || self.is(Mutant::SkipsCaches) && self.free[block].load(Relaxed) == 1
            };
            (span * SPAN..(span + 1) * SPAN).all(free)
        };
        let mut spans: Vec<usize> = flushed.iter().map(|block| block / SPAN).collect();
        spans.sort_unstable();
        spans.dedup();
        spans.retain(|span| whole(*span));
        shared.blocks.retain(|(block, _)| !spans.contains(&(block / SPAN)));
        shared.count = if torn { shared.count } else { shared.blocks.len() };
        if self.is(Mutant::LockInversion) {
            return self.heavy.lock().free.extend(spans);
        }
        drop(shared);
        if !spans.is_empty() {
            self.heavy.lock().free.extend(spans);
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Takes a block of a class, and answers which.
    Take(usize),
    /// Gives the block back that it took first.
    Give,
    /// Passes the block on that it took first.
    Pass,
    /// Gives a block back that another thread has passed on.
    GivePassed,
}

impl<R: Runtime> World for Memory<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let spans = shape.threads * EACH;
        Self {
            fast: (0..CLASSES)
                .map(|n| R::Mutex::new(Shared::default(), Label::nth("fast", n)))
                .collect(),
            heavy: R::Mutex::new(Spans::default(), "heavy"),
            class: (0..spans).map(|n| R::Mutex::new(0, Label::nth("class", n))).collect(),
            blocks: (0..spans * SPAN).map(|n| R::Ghost::blank(Label::nth("block", n))).collect(),
            free: (0..spans * SPAN).map(|n| R::AtomicU8::new(0, Label::nth("free", n))).collect(),
            passed: R::Mutex::new(Vec::new(), "passed"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, held: Vec::new(), lists: Default::default(), last: 0 }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Take(class) => {
                t.last = class;
                let block = self.take(t, class);
                t.held.push(block);
                return Some(block as i64);
            }
            Op::Give if !t.held.is_empty() => {
                let block = t.held.remove(0);
                self.give(t, block);
            }
            Op::Pass if !t.held.is_empty() => self.passed.lock().push(t.held.remove(0)),
            Op::GivePassed => {
                let Some(block) = self.passed.lock().pop() else { return SKIPPED };
                self.give(t, block);
            }
            Op::Give | Op::Pass => return SKIPPED,
        }
        None
    }

    fn exit(&self, mut t: Local) {
        for class in 0..CLASSES {
            if !t.lists[class].is_empty() && !self.is(Mutant::ExitLeak) {
                self.flush(&mut t, class);
            }
        }
    }

    fn finish(&self) {
        let spans = self.heavy.lock();
        let mut shared = Vec::new();
        for (class, fast) in self.fast.iter().enumerate() {
            let fast = fast.lock();
            let (count, blocks) = (fast.count, fast.blocks.len());
            require(count == blocks, Kind::Invariant, || {
                format!("shared[{class}]: {blocks} blocks, counted as {count}")
            });
            shared.extend(fast.blocks.iter().map(|(block, _)| *block));
        }
        for block in 0..spans.carved * SPAN {
            let free = shared.contains(&block) || spans.free.contains(&(block / SPAN));
            let lost = self.blocks[block].is_dead() && !free;
            require(!lost, Kind::Leak, || format!("block[{block}]: dead, and in no list"));
        }
    }
}

mutants! {
    /// Faults of the lists.
    pub enum Mutant {
        /// Whether the shared list is empty is looked at before its lock is taken.
        CheckThenLock = "cls-check-then-lock" breaks ["B4", "A2"] in "last" by Everywhere;
        /// The heavy lock is kept for splicing, and a fast one for giving a span back.
        LockInversion = "cls-lock-inversion" breaks ["B1"] in "inversion" by Everywhere;
        /// The last block of a flushed list stays in it.
        KeepsTail = "cls-flush-keeps-tail" breaks ["A1"] in "flush" by Everywhere;
        /// A thread that ends forgets its lists.
        ExitLeak = "cls-exit-leak" breaks ["A2"] in "passed" by Everywhere;
        /// A block goes into the list of the class that its thread asked for last.
        WrongClass = "cls-wrong-class-free" breaks ["A5"] in "passed" by Everywhere;
        /// A block in some thread's list does not count as taken from its span.
        SkipsCaches = "tcm-span-count-skips-cache" breaks ["A1", "A5"] in "span" by Everywhere;
        /// A shared list and its number are changed in two sections.
        BatchTear = "tcm-batch-tear" breaks ["A2"] in "last" by Everywhere;
        /// A block is looked up in one section and taken out in the next.
        TwoOwners = "cache-two-owners" breaks ["A1"] in "shared" by Everywhere;
        /// A block that another thread used last is not taken.
        AffinityStrict = "affinity-strict" breaks ["C4"] in "last" by Everywhere;
    }
}

/// The protocol.
pub struct SizeClasses;

impl Protocol for SizeClasses {
    const NAME: &'static str = "size-classes";
    const TITLE: &'static str = "Blocks by size, with lists of threads";
    const QUESTION: &'static str = "How do threads take and give back blocks and meet nobody?";
    const SOURCE: &'static str = "Gilectomy's obmalloc, TCMalloc, Pyston's block caches";
    const PROPERTIES: &'static [Property] = properties! {
        "A1" "a block has one owner" by [UseAfterFree at "block"];
        "A2" "no block is lost, and none taken that is not there"
            by [Leak at "block", Invariant at "shared"];
        "A5" "a block is of the class asked for" by [Invariant at "class"];
        "B1" "no deadlock" by [Deadlock];
        "B4" "no span is carved while the shared list has a block" by [Unbounded at "spans"];
        "C4" "no free block is kept for the thread that used it last" by [Unbounded at "spans"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Memory<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("shared", "two take of a shared list", [&[Take(0)], &[Take(0)]])
                .setup([Take(0)]),
            Scenario::of("flush", "a list is flushed", [&[Give, Give, Take(0)], &[Take(0)]])
                .setup([Take(0), Take(0), Take(0), Pass]),
            Scenario::of(
                "last",
                "a list is flushed while another thread takes",
                [&[Give, Give], &[Take(0), Take(0)]],
            )
            .setup([Take(0), Take(0), Take(0), Pass]),
            Scenario::of(
                "inversion",
                "a span goes back beside one that is carved",
                [&[Give, Give], &[Take(0)]],
            )
            .setup([Take(0), Take(0)]),
            Scenario::of(
                "passed",
                "a block that another thread gives back",
                [&[Take(0)], &[Take(1), GivePassed, Take(1)]],
            )
            .setup([Take(0), Take(0), Pass]),
            Scenario::of(
                "span",
                "a span, half of it in another thread's list",
                [&[Give, Give, Take(1)], &[GivePassed, Take(0)]],
            )
            .setup([Take(0), Take(0), Take(0), Pass]),
        ]
    }

    /// Left out: passing blocks on, without which every list behaves the same.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Take(0), Op::Take(1), Op::Give];
        let mut start = Start::new("free", "takers and givers of two classes", letters);
        start.setup = vec![Op::Take(0)];
        vec![start]
    }
}
