//! Pages of threads that have ended, in a list from which others adopt them.
//!
//! # Question
//! A thread ends, and its pages hold objects that live on. Whose are they then, how does exactly one thread get each,
//! and when does an empty one go, if somebody may be about to read where the list goes on from it?
//!
//! # Idea
//! They are pushed onto a list without a lock, which goes through the pages themselves. Who adopts the first reads from it
//! which is the next, and exchanges the head. The page may have been adopted, and given up again,
//! meanwhile, and the next one be another's: so the head carries a *tag* that changes with every push. The page may also be
//! gone. So who is about to read says that it is *looking*, and nobody frees a page while somebody is.
//!
//! A page says for which heap it is: of objects that the collector visits, or of raw memory. Who adopts it puts
//! it into its own heap of that kind.
//!
//! # Timeline
//! ```text
//!                                            head          looking
//! a's blocks have all come back              tag 2, a, b   0
//! T0: looks: the first is a                  tag 2, a, b   1
//! T1: looks; exchanges the head; is through  tag 2, b      1
//! T1: a is empty: waits for those who look   tag 2, b      1
//! T0: reads what is next after a: b          tag 2, b      1
//! T0: exchanges the head: another: once more tag 2, b      1
//! T0: has b; is through                      tag 2, -      0
//! T1: frees a
//! ```
//!
//! # Obligations
//! * D2: no page is lost.
//! * D6: an abandoned page is adopted by one thread.
//! * D7: nobody looks at a page that is gone.
//! * D8: the collector visits all pages of objects that a thread has, and nothing else.
//!
//! # Limits
//! What is abandoned in mimalloc is a segment of many pages; pages that nobody could adopt wait in a second
//! list. What becomes of blocks is `heaps.rs`, and how long an empty page has to wait for readers of its objects `pages.rs`.
//!
//! # Orders
//! mimalloc's look at who is looking and their saying so are ordered by nothing: see the shipped form
//! `mi-readers-unfenced`. Here fences stand between. They are stronger than the scenarios need (`check --orders`):
//! whoever frees a page has been through the counter itself, so that an increment which acquires what a
//! decrement releases may do; kept, since two orders can make each other redundant. That a look comes before the page
//! goes no check shows for the decrement and the wait: the observer's steps follow every read, relaxed ones too.
//!
//! # Source
//! mimalloc as CPython 3.13 has it, repaired: `Objects/mimalloc/segment.c` (`mi_abandoned_pop`,
//! `_mi_abandoned_await_readers`, `mi_segment_reclaim`).

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{
    Draw, Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World,
};
use crate::runtime::{Atomic as _, DataCell as _, Label, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Above the number of the first page, from one: the tag.
const TAG: usize = 1 << 8;
/// Kinds of heaps: the collector visits objects.
const OBJECTS: usize = 0;
const RAW: usize = 1;

/// A page. Those of even numbers are of objects.
struct Page<R: Runtime> {
    /// The next page of the list, from one.
    next: R::AtomicUsize,
    /// For which heap it is.
    kind: R::Cell<usize>,
    /// The owner, from one; 0 is none.
    owner: R::AtomicUsize,
    /// Blocks that are in use.
    used: R::AtomicUsize,
    ghost: R::Ghost,
}

/// The list, and all pages.
pub struct Pool<R: Runtime> {
    head: R::AtomicUsize,
    /// How many threads are about to read from the first page.
    looking: R::AtomicUsize,
    pages: Box<[Page<R>]>,
    faults: Switch<Mutant>,
}

/// A thread: the pages of its heaps, by kind.
pub struct Local {
    n: usize,
    heaps: [Vec<usize>; 2],
}

impl<R: Runtime> Pool<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn push(&self, n: usize) {
        // Relaxed: the exchange decides.
        let mut first = self.head.load(Relaxed);
        loop {
            // Relaxed: by the exchange below.
            self.pages[n].next.store(first % TAG, Relaxed);
            let tag = if self.is(Mutant::PopNoTag) { 0 } else { first / TAG + 1 };
            // Release: the page as it is left.
            match self.head.compare_exchange(first, tag * TAG + n + 1, Release, Relaxed) {
                Ok(_) => return,
                Err(found) => first = found,
            }
        }
    }

    fn pop(&self) -> Option<usize> {
        // Relaxed: by the fence.
        self.looking.fetch_add(1, Relaxed);
        if !self.is(Mutant::ReadersUnfenced) {
            // SeqCst, against the fence of who frees a page: it sees us, or we see the list without it.
            R::fence(SeqCst);
        }
        // Acquire, here and below: the page as it was left.
        let mut first = self.head.load(Acquire);
        let page = loop {
            let Some(n) = (first % TAG).checked_sub(1) else { break None };
            // Relaxed: acquired with the head.
            let next = self.pages[n].next.load(Relaxed);
            match self.head.compare_exchange(first, first / TAG * TAG + next, Acquire, Acquire) {
                Ok(_) => break Some(n),
                Err(found) => first = found,
            }
        };
        // Release: our look comes before the page goes.
        self.looking.fetch_sub(1, Release);
        page
    }

    /// Takes over the first abandoned page, and answers which.
    fn adopt(&self, t: &mut Local) -> Option<i64> {
        let n = self.pop()?;
        let page = &self.pages[n];
        // Relaxed: acquired with the head.
        let before = page.owner.swap(t.n + 1, Relaxed);
        require(before == 0, Kind::Invariant, || {
            format!("owner[{n}]: T{}'s page is adopted", before - 1)
        });
        // Acquire: after whoever gave a block back.
        if page.used.load(Acquire) == 0 {
            self.free(n);
        } else {
            let kind = if self.is(Mutant::WrongHeap) { RAW } else { page.kind.read() };
            t.heaps[kind].push(n);
        }
        Some(n as i64)
    }

    /// An empty page that was taken out of the list goes, once nobody can be looking at it.
    fn free(&self, n: usize) {
        if !self.is(Mutant::ReadersUnfenced) {
            // SeqCst: see `pop`.
            R::fence(SeqCst);
        }
        if !self.is(Mutant::FreeBeforeReaders) {
            // Acquire: their looks come before.
            R::await_until(|| self.looking.load(Acquire) == 0);
        }
        self.pages[n].ghost.free();
    }

    /// Gives up the first page that the thread has, and answers which.
    fn abandon(&self, t: &mut Local) -> Option<i64> {
        let heap = t.heaps.iter_mut().find(|heap| !heap.is_empty())?;
        let n = heap.remove(0);
        // Relaxed: by the exchange of the push.
        self.pages[n].owner.store(0, Relaxed);
        if !self.is(Mutant::AbandonNothing) {
            self.push(n);
        }
        Some(n as i64)
    }

    /// The collector's look at what a thread has; answers how many pages.
    fn visit(&self, t: &Local) -> i64 {
        for n in &t.heaps[OBJECTS] {
            let kind = self.pages[*n].kind.read();
            require(kind == OBJECTS, Kind::Invariant, || {
                format!("kind[{n}]: raw memory is visited as objects")
            });
        }
        for n in &t.heaps[RAW] {
            let kind = self.pages[*n].kind.read();
            require(kind == RAW, Kind::Invariant, || {
                format!("kind[{n}]: a page of objects is not visited")
            });
        }
        t.heaps[OBJECTS].len() as i64
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Adopts a page, and answers which.
    Adopt,
    /// Gives up a page, and answers which.
    Abandon,
    /// Takes out a page, has no use for it, and puts it back.
    Turn,
    /// Gives back the last block of the page of this number, whosever it is.
    Give(usize),
    /// Has the collector visit what it has.
    Visit,
}

impl<R: Runtime> World for Pool<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    /// All pages are abandoned, with one block in use; the first is that of number 0.
    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let page = |n: usize| {
            let ghost = R::Ghost::living(Label::nth("page", n));
            Page {
                next: R::AtomicUsize::new(
                    (n + 2) % (shape.objects + 1),
                    Label::part("page", "next", n),
                ),
                kind: R::Cell::new(n % 2, Label::part("page", "kind", n)),
                owner: R::AtomicUsize::new(0, Label::nth("owner", n)),
                used: R::AtomicUsize::new(1, Label::part("page", "used", n)),
                ghost,
            }
        };
        Self {
            head: R::AtomicUsize::new(1, "head"),
            looking: R::AtomicUsize::new(0, "looking"),
            pages: (0..shape.objects).map(page).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, heaps: Default::default() }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Adopt => self.adopt(t).or(SKIPPED),
            Op::Abandon => self.abandon(t).or(SKIPPED),
            Op::Turn => {
                let Some(n) = self.pop() else { return SKIPPED };
                self.push(n);
                Some(n as i64)
            }
            Op::Visit => Some(self.visit(t)),
            Op::Give(n) => {
                // Release: what was in the block. It is in use: nobody frees its page.
                self.pages[n].used.store(0, Release);
                None
            }
        }
    }

    fn exit(&self, t: Local) {
        self.visit(&t);
    }

    fn finish(&self) {
        let mut listed = Vec::new();
        let mut first = self.head.load(Relaxed) % TAG;
        while first != 0 && listed.len() < self.pages.len() {
            listed.push(first - 1);
            first = self.pages[first - 1].next.load(Relaxed);
        }
        for (n, page) in self.pages.iter().enumerate() {
            let nobodys = page.owner.load(Relaxed) == 0 && !page.ghost.is_dead();
            let lost = nobodys && !listed.contains(&n) && R::OBSERVED;
            require(!lost, Kind::Leak, || format!("page[{n}]: nobody's, and not to be adopted"));
        }
    }
}

mutants! {
    /// Faults of those who adopt, and of who frees.
    pub enum Mutant {
        /// The head has no number that changes.
        PopNoTag = "mi-pop-no-tag" breaks ["D6"] in "again" by Everywhere;
        /// A page goes although somebody may be about to read from it.
        FreeBeforeReaders = "mi-free-before-readers" breaks ["D7"] in "empty"
            by ShuttleOnly("the free is the observer's step, which loom does not turn round");
        /// Nothing orders the look at who is looking behind the exchange, nor theirs behind their saying so (CPython 3.13).
        #[shipped(x)]
        ReadersUnfenced = "mi-readers-unfenced" breaks ["D7"] in "empty" by WeakMemory;
        /// Every page that is adopted goes into one heap, that of raw memory.
        WrongHeap = "mi-reclaim-wrong-heap" breaks ["D8"] in "kinds" by Everywhere;
        /// A page that is given up comes into no list.
        AbandonNothing = "mi-abandon-nothing" breaks ["D2"] in "kinds" by Everywhere;
    }
}

/// The protocol.
pub struct AbandonedPages;

impl Protocol for AbandonedPages {
    const NAME: &'static str = "abandoned-pages";
    const TITLE: &'static str = "Pages of threads that have ended";
    const QUESTION: &'static str = "Whose are the pages of a thread that has ended?";
    const SOURCE: &'static str = "mimalloc, as CPython 3.13 has it, repaired";
    const PROPERTIES: &'static [Property] = properties! {
        "D2" "no page is lost" by [Leak at "page"];
        "D6" "an abandoned page is adopted by one thread" by [Invariant at "owner"];
        "D7" "nobody looks at a page that is gone"
            by [UseAfterFree at "page" "next" "kind" "used"];
        "D8" "the collector visits all pages of objects, and nothing else" by [Invariant at "kind"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Pool<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let of = |name, asks, threads| Scenario::of::<2>(name, asks, threads).objects(2);
        vec![
            of("two", "two adopt", [&[Adopt], &[Adopt]]),
            of("empty", "a page without blocks, beside who has no use for it", [&[Turn], &[Adopt]])
                .setup([Give(0)]),
            of(
                "again",
                "one adopts two and gives one up",
                [&[Adopt, Adopt], &[Adopt, Adopt, Abandon]],
            ),
            of(
                "kinds",
                "pages of both kinds go and come back",
                [&[Adopt, Adopt, Visit, Abandon], &[Adopt]],
            ),
            of("last", "the last block comes back beside who adopts", [&[Adopt], &[Give(0)]]),
        ]
    }

    /// Left out: taking out more than three pages, or two with three threads, which takes too long.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let start = |name, asks, setup| Start {
            setup,
            objects: 2,
            // Nobody gives up what it has not.
            fits: |scenario| {
                let pops = |op: &&Op| matches!(op, Adopt | Turn);
                let all = scenario.threads.iter().flatten().filter(pops).count();
                let most = if scenario.threads.len() > 2 { 2 } else { 3 };
                let has = |script: &Vec<Op>| {
                    let mut has = 0;
                    script.iter().all(|op| {
                        has += i32::from(*op == Adopt) - i32::from(*op == Abandon);
                        has >= 0
                    })
                };
                all <= most && scenario.threads.iter().all(has)
            },
            ..Start::new(name, asks, |_: Place| vec![Adopt, Abandon, Turn])
        };
        vec![
            start("used", "pages that are in use", vec![]),
            start("empty", "the first page is empty", vec![Give(0)]),
        ]
    }

    /// Without that limit.
    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        let letters = [Op::Adopt, Op::Abandon, Op::Turn, Op::Visit];
        Scenario::random(&letters, threads, operations, below).objects(2)
    });
}
