//! When an empty page may become something else.
//!
//! # Question
//! A reader without a lock takes an object from a container, and increments its count unless that is zero. The
//! object may be dead by then. When is its memory no longer that of a count?
//!
//! # Idea
//! A dead object's block may become another object of the same size in the same heap at once: where the count was, is a
//! count, and the reader finds out that it has the wrong object. But the *page* may not be carved for another size, nor
//! go, while such a reader may be on its way. So a page that becomes empty gets a goal of QSBR, and
//! waits in a list of its owner, who walks it from time to time. Its owner may still take a block from it, which clears
//! the goal: the next time that the page is empty, other readers have to be waited for. A thread that ends
//! leaves the goal in the page, for who adopts it.
//!
//! # Timeline
//! ```text
//!                                        page                  sequence
//! T1: online; loads the slot: x          x                     1
//! T0: empties the slot; x is dead        -
//! T0: the page is empty: its goal is 3   -, goal 3             3
//! T0: walks: T1 is at 1: waits           -, goal 3             3
//! T1: increments x's count: zero         -, goal 3             3
//! T1: offline                            -, goal 3             3
//! T0: walks: reached                     another size's        3
//! ```
//!
//! # Obligations
//! * D1: no page goes while a block of it is in use.
//! * D2: no empty page is lost.
//! * D4: no reader looks at a page that became something else.
//! * D9: a page goes when its owner walks after its goal was reached.
//!
//! # Limits
//! Pages of one block; each thread has one page, and one slot in which it publishes its object. A reader is online
//! while it reads. Goals are those of `advance`; the cheaper ones, and QSBR itself, are `reclaim/qsbr.rs`. The list of
//! abandoned pages is under a lock; the one without is `abandoned.rs`.
//!
//! # Source
//! CPython 3.13 `Objects/obmalloc.c` (`_PyMem_mi_page_maybe_free`, `_PyMem_mi_heap_collect_qsbr`) and
//! `Objects/mimalloc/{page,segment}.c`.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{
    Faithful, Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World,
};
use crate::reclaim::qsbr::Qsbr;
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// A page, of the thread of its number at first.
struct Page<R: Runtime> {
    /// Whether its block is in use: the owner's.
    used: R::Cell<u8>,
    /// What the sequence has to reach; 0 is none: the owner's.
    goal: R::Cell<u64>,
    /// The count of the object in its block: zero when that is dead.
    count: R::AtomicU8,
    /// References are blocks in use.
    ghost: R::Ghost,
}

/// All pages.
pub struct Pages<R: Runtime> {
    clock: Qsbr<R, Faithful>,
    pages: Box<[Page<R>]>,
    /// Where each thread publishes its object: the page, from one.
    slots: Box<[R::AtomicUsize]>,
    abandoned: R::Mutex<Vec<usize>>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    /// Whether its page is its own.
    has_page: bool,
    /// Pages that are empty, by rising goals.
    empty: Vec<usize>,
    /// It has ended its heap.
    left: bool,
}

impl<R: Runtime> Pages<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Takes the block of the own page, and publishes an object in it.
    fn put(&self, t: &mut Local) {
        let page = &self.pages[t.n];
        // Readers of what it was have gone when it is empty next, or they have not.
        if !self.is(Mutant::GoalNotCleared) {
            page.goal.write(0);
            t.empty.retain(|n| *n != t.n);
        }
        page.ghost.gain();
        page.used.write(1);
        // Relaxed, both: who goes on with an object has acquired it by its count (`container/marked.rs`).
        page.count.store(1, Relaxed);
        self.slots[t.n].store(t.n + 1, Relaxed);
    }

    /// Unlinks the own object, which dies.
    fn remove(&self, t: &mut Local) {
        let page = &self.pages[t.n];
        // Relaxed, both: the advance of the sequence comes after them.
        self.slots[t.n].store(0, Relaxed);
        page.count.store(0, Relaxed);
        page.used.write(0);
        page.ghost.lose();
        // The page is empty.
        if self.is(Mutant::FreeImmediately) {
            return self.free(t, t.n);
        }
        if page.goal.read() == 0 {
            page.goal.write(self.clock.advance());
            t.empty.push(t.n);
        }
    }

    /// The page becomes something else.
    fn free(&self, t: &mut Local, n: usize) {
        t.has_page &= n != t.n;
        self.pages[n].ghost.free();
    }

    /// Frees what has reached its goal. Goals rise: the first that waits ends the walk.
    fn walk(&self, t: &mut Local) {
        while let Some(n) = t.empty.first().copied() {
            let page = &self.pages[n];
            if self.is(Mutant::WalkNothing) || !self.clock.poll(page.goal.read()) {
                return;
            }
            t.empty.remove(0);
            self.free(t, n);
        }
    }

    /// What a thread without a lock does with an object: increments its count unless that is zero.
    fn read(&self, t: &Local, slot: usize) -> i64 {
        self.clock.attach(t.n);
        // Relaxed, both: the count is looked at, and no more; a dead object's is zero, another one's is as good.
        let found = match self.slots[slot].load(Relaxed) {
            0 => -1,
            page => i64::from(self.pages[page - 1].count.load(Relaxed)),
        };
        self.clock.detach(t.n);
        found
    }

    /// The heap ends: its pages are left to be adopted.
    fn leave(&self, t: &mut Local) {
        t.left = true;
        let own = std::mem::take(&mut t.has_page).then_some(t.n);
        let adopted = std::mem::take(&mut t.empty).into_iter().filter(|n| *n != t.n);
        for n in own.into_iter().chain(adopted) {
            let page = &self.pages[n];
            if self.is(Mutant::AbandonDropsGoal) {
                page.goal.write(0);
            }
            if page.used.read() == 1 || !self.is(Mutant::ExitDrop) {
                self.abandoned.lock().push(n);
            }
        }
    }

    /// Adopts an abandoned page, and answers which: an empty one is freed, or waits here; one in use stays.
    fn adopt(&self, t: &mut Local) -> Option<i64> {
        let mut abandoned = self.abandoned.lock();
        let at = abandoned.iter().position(|n| self.pages[*n].used.read() == 0)?;
        let n = abandoned.remove(at);
        drop(abandoned);
        let goal = |n: usize| self.pages[n].goal.read();
        // Without a goal nobody ever saw a block of it.
        if goal(n) == 0 || self.clock.poll(goal(n)) {
            self.free(t, n);
        } else {
            let at = t.empty.partition_point(|other| goal(*other) <= goal(n));
            t.empty.insert(at, n);
        }
        Some(n as i64)
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Publishes an object.
    Put,
    /// Unlinks its object, which dies.
    Remove,
    /// Looks at the object that this thread has published: its count, or -1 for none.
    Read(usize),
    /// Frees empty pages whose goal is reached.
    Walk,
    /// States that no empty page waits.
    Settled,
    /// Ends its heap.
    Leave,
    /// Adopts an empty page, and answers which.
    Adopt,
}

impl<R: Runtime> World for Pages<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let page = |n| {
            let ghost = R::Ghost::living(Label::nth("page", n));
            Page {
                used: R::Cell::new(0, Label::part("page", "used", n)),
                goal: R::Cell::new(0, Label::part("page", "goal", n)),
                count: R::AtomicU8::new(0, Label::part("page", "count", n)),
                ghost,
            }
        };
        Self {
            clock: Qsbr::new(shape.threads, Faithful),
            pages: (0..shape.threads).map(page).collect(),
            slots: (0..shape.threads)
                .map(|n| R::AtomicUsize::new(0, Label::nth("slot", n)))
                .collect(),
            abandoned: R::Mutex::new(Vec::new(), "abandoned"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, has_page: true, empty: Vec::new(), left: false }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        let used = |t: &Local| t.has_page && self.pages[t.n].used.read() == 1;
        match op {
            Op::Put if t.has_page && !used(t) => self.put(t),
            Op::Remove if used(t) => self.remove(t),
            Op::Read(slot) => return Some(self.read(t, slot)),
            Op::Walk if !t.left => self.walk(t),
            Op::Settled => require(t.empty.is_empty(), Kind::Unbounded, || {
                format!("empty: {} page(s) wait, and nobody reads", t.empty.len())
            }),
            Op::Leave if !t.left => self.leave(t),
            Op::Adopt if !t.left => return self.adopt(t).or(SKIPPED),
            _ => return SKIPPED,
        }
        None
    }

    fn exit(&self, mut t: Local) {
        if !t.left {
            self.leave(&mut t);
        }
    }

    /// Nobody reads any more: every page is in use, or can go.
    fn finish(&self) {
        let abandoned = std::mem::take(&mut *self.abandoned.lock());
        for n in abandoned {
            let page = &self.pages[n];
            let goal = page.goal.read();
            if page.used.read() == 0 && (goal == 0 || self.clock.poll(goal)) {
                page.ghost.free();
            }
        }
        for (n, page) in self.pages.iter().enumerate() {
            let lost = R::OBSERVED && !page.ghost.is_dead() && page.used.read() == 0;
            require(!lost, Kind::Leak, || format!("page[{n}]: empty, and it never goes"));
        }
    }
}

mutants! {
    /// Faults of owners, and of who adopts.
    pub enum Mutant {
        /// An empty page goes at once.
        FreeImmediately = "page-free-immediately" breaks ["D4"] in "read" by Everywhere;
        /// A page from which a block is taken keeps its goal, and its place in the list of empty ones.
        GoalNotCleared = "page-goal-not-cleared" breaks ["D1"] in "reused" by Everywhere;
        /// A page that is left has no goal any more.
        AbandonDropsGoal = "page-abandon-drops-goal" breaks ["D4"] in "adopted"
            by ShuttleOnly("the free is the observer's step, which loom does not turn round");
        /// A walk frees nothing.
        WalkNothing = "page-walk-nothing" breaks ["D9"] in "settled" by Everywhere;
        /// A thread that ends forgets its empty pages.
        ExitDrop = "page-exit-drop" breaks ["D2"] in "adopted" by Everywhere;
    }
}

/// The protocol.
pub struct PageReuse;

impl Protocol for PageReuse {
    const NAME: &'static str = "page-reuse";
    const TITLE: &'static str = "When an empty page becomes something else";
    const QUESTION: &'static str = "When is the memory of a dead object no longer that of a count?";
    const SOURCE: &'static str = "CPython 3.13 obmalloc.c, with mimalloc";
    const PROPERTIES: &'static [Property] = properties! {
        "D1" "no page goes while a block of it is in use" by [PrematureFree at "page"];
        "D2" "no empty page is lost" by [Leak at "page"];
        "D4" "no reader looks at a page that became something else"
            by [UseAfterFree at "count" "page"];
        "D9" "an empty page goes when its owner walks and nobody reads" by [Unbounded at "empty"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Pages<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("read", "a reader of what is removed", [&[Remove, Walk], &[Read(0)]])
                .setup([Put]),
            Scenario::of(
                "reused",
                "a page is taken from again before it goes",
                [&[Put, Walk, Remove, Walk], &[Read(0)]],
            )
            .setup([Put, Remove]),
            Scenario::of("settled", "a page goes when nobody reads", [&[Remove], &[Read(0)]])
                .setup([Put])
                .finish([Walk, Settled]),
            Scenario::of(
                "adopted",
                "a thread ends, and another adopts its page",
                [&[Remove, Leave], &[Read(0)], &[Adopt]],
            )
            .setup([Put]),
        ]
    }

    /// Only the first thread publishes, and only the others read.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| match place.thread {
            0 => vec![Put, Remove, Walk, Leave],
            _ => vec![Read(0), Adopt],
        };
        let mut start = Start::new("published", "a page and its readers", letters);
        start.setup = vec![Put];
        start.alike = 1;
        // Put and remove take turns, and nothing comes after the end.
        start.fits = |scenario| {
            let mut used = true;
            let mut script = scenario.threads[0].iter();
            script.all(|op| match op {
                Put => !std::mem::replace(&mut used, true),
                Remove => std::mem::replace(&mut used, false),
                _ => true,
            }) && !scenario.threads[0].iter().rev().skip(1).any(|op| *op == Leave)
        };
        vec![start]
    }
}
