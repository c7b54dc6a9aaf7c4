//! A cache of what classes answer for a name, beside those who change classes.
//!
//! # Question
//! To look a name up in a class and its bases is slow, and is done for every call of a method. How is the answer
//! remembered, and how does every reader learn that it no longer holds, without a lock?
//!
//! # Idea
//! A class has a *tag*, a number that stands for it and its bases as they are now. An entry of the cache says: tag,
//! name, value. Nobody takes entries out: whoever changes a class takes its tag away first, and those of all
//! that inherit from it. No tag is ever given twice, so an entry whose tag is gone is never found again. A tag is
//! given when it is first needed, to bases first, and *before* the search whose answer is to stand for it.
//!
//! An entry is written under a sequence that is odd meanwhile, and read between two looks at it. Its value is
//! borrowed from the class. So a reader takes it with an increment that refuses zero, and then looks
//! again at the sequence, for the entry may be another, *and at the tag*, for the block may be another object.
//!
//! # Timeline
//! ```text
//!                                        class's tag   entry
//! A.x is 1                               7             7, x: 1
//! T0: reads A.x: tag and entry agree
//! T1: A.x = 2: lock { takes the tag      none          7, x: 1
//! T1:   stores 2 }; frees 1              none          7, x: 1
//! T1: a stranger takes the block         none          7, x: stranger
//! T0: increments it: alive; sequence
//!     the same; tag: gone
//! T0: lock { gives a tag; searches: 2 }  8             7, x: stranger
//! T0: writes the entry                   8             8, x: 2
//! ```
//!
//! # Obligations
//! * T1: an answer was that of class and bases at some moment of the call.
//! * T2: an object is alive when a reader takes a reference.
//! * T3: what a change has replaced is answered to nobody who comes after it.
//! * T4: value and name of an entry belong together.
//! * I1: while nobody has the lock, a class with a tag has bases with tags.
//!
//! # Limits
//! Two classes, one of which inherits from the other, with one entry each; two names. Who finds an entry being
//! written goes without it. A search that begins at the class that inherits gives the lock up once, as one that
//! runs others' code does. Counts are `refcount/atomic.rs`, and freed blocks are reused at once.
//!
//! # Source
//! CPython 3.13 `Objects/typeobject.c` (`_PyType_LookupRef`, `update_cache_gil_disabled`, `type_update_dict`,
//! `type_modified_unlocked`). Its reader does not look at the tag again, and its watchers run when the classes that
//! inherit have lost their tags and the class itself has not.

use super::heap::{ALIVE, Attempt, Caller, Heap, History};
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::{Breach, Kind};
use crate::{mutants, properties};

/// The class that the other one, [`DERIVED`], inherits from.
const BASE: usize = 0;
const DERIVED: usize = 1;
/// The name that watchers look up; 0 is none.
const X: usize = 1;
/// The other one.
const Y: usize = 2;
/// What is answered for a name that no class has.
const ABSENT: i64 = -1;

/// Tags are given, and classes changed, under one lock.
#[derive(Default)]
struct Classes {
    last_tag: u32,
    /// Of each class, the block of each name's value; 0 is none.
    attributes: [[usize; 2]; 2],
}

/// An entry of the cache.
struct Entry<R: Runtime> {
    sequence: R::AtomicU32,
    version: R::AtomicU32,
    name: R::AtomicUsize,
    value: R::AtomicUsize,
}

/// Two classes, and the cache.
pub struct Types<R: Runtime> {
    heap: Heap<R>,
    classes: R::Mutex<Classes>,
    tags: Box<[R::AtomicU32]>,
    entries: Box<[Entry<R>]>,
    history: History<R, Op>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Types<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn get(&self, class: usize, name: usize) -> i64 {
        self.cached(class, name).unwrap_or_else(|| self.search(class, name))
    }

    /// What the cache has; `None` when it does not.
    fn cached(&self, class: usize, name: usize) -> Option<i64> {
        let entry = &self.entries[class];
        // Acquire: what the last writer of the entry wrote.
        let sequence = entry.sequence.load(Acquire);
        // Relaxed: whoever has to know that the tag was taken away comes after it in another way.
        let tag = self.tags[class].load(Relaxed);
        // Relaxed, all three: between two looks at the sequence.
        let version = entry.version.load(Relaxed);
        let named =
            entry.name.load(Relaxed) == name || version == 0 && self.is(Mutant::ZeroMatches);
        if sequence % 2 == 1 || version != tag || !named {
            return None;
        }
        let item = entry.value.load(Relaxed);
        let same_entry = || {
            // Acquire: what was read of a later writer comes with its odd sequence.
            R::fence(Acquire);
            let blind = self.is(Mutant::NoSeqlockRecheck) || self.is(Mutant::VersionFirst);
            blind || entry.sequence.load(Relaxed) == sequence
        };
        if item == 0 {
            return same_entry().then_some(ABSENT);
        }
        let how = Attempt {
            // Acquire: an object that took a freed block comes after what freed it.
            order: Acquire,
            plain: self.is(Mutant::PlainIncref),
            undo_lost: false,
        };
        self.heap.attempt(item, how, || {
            // Relaxed: after the acquiring increment.
            same_entry() && (self.is(Mutant::NoTagRecheck) || self.tags[class].load(Relaxed) == tag)
        })
    }

    /// The slow way, whose answer the cache gets.
    fn search(&self, class: usize, name: usize) -> i64 {
        let mut classes = self.classes.lock();
        // Relaxed, here and wherever the lock is held: stored under it.
        let tags = [0, 1].map(|n| self.tags[n].load(Relaxed));
        require(tags[DERIVED] == 0 || tags[BASE] != 0, Kind::Invariant, || {
            format!("tag[{DERIVED}]: {} while the base has none", tags[DERIVED])
        });
        let late = self.is(Mutant::AssignAfterSearch);
        let version = (!late).then(|| self.tag(&mut classes, class));
        if class == DERIVED {
            // Others' code runs here: it gives the lock up.
            drop(classes);
            classes = self.classes.lock();
        }
        let own = classes.attributes[class][name - 1];
        let item = if own == 0 { classes.attributes[BASE][name - 1] } else { own };
        self.keep(item);
        drop(classes);
        let version = version.unwrap_or_else(|| self.tag(&mut self.classes.lock(), class));
        self.write(&self.entries[class], [version as usize, name, item]);
        if item == 0 {
            return ABSENT;
        }
        let value = self.heap.value(item);
        self.heap.release(item);
        value
    }

    /// One more reference to a class's value, under the lock.
    fn keep(&self, item: usize) {
        if item != 0 {
            let block = self.heap.block(item);
            self.heap.counts.add(&block.header);
            block.ghost.gain();
        }
    }

    /// The class's tag, which it is given if it has none.
    fn tag(&self, classes: &mut Classes, class: usize) -> u32 {
        for class in BASE..=class {
            if self.tags[class].load(Relaxed) == 0 {
                classes.last_tag += 1;
                self.tags[class].store(classes.last_tag, Relaxed);
            }
        }
        self.tags[class].load(Relaxed)
    }

    fn write(&self, entry: &Entry<R>, [version, name, item]: [usize; 3]) {
        // Relaxed: the exchange decides.
        let sequence = entry.sequence.load(Relaxed);
        // Acquire: what we write comes after what the last one wrote.
        let odd = |to| entry.sequence.compare_exchange(sequence, to, Acquire, Relaxed).is_ok();
        if sequence % 2 == 1 || !odd(sequence + 1) {
            return;
        }
        if !self.is(Mutant::RelaxedVersion) {
            // Release: against the reader's fence. Whoever reads any of this sees the odd sequence.
            R::fence(Release);
        }
        // Relaxed, all: see there.
        if self.is(Mutant::AbandonDirty) {
            entry.value.store(item, Relaxed);
        }
        let same_version = entry.version.load(Relaxed) == version as u32;
        let same = entry.value.load(Relaxed) == item && entry.name.load(Relaxed) == name;
        if same_version && (same || self.is(Mutant::AbandonDirty)) {
            // Release, here and below: against the next reader's and the next writer's look.
            return entry.sequence.store(sequence, Release);
        }
        if self.is(Mutant::VersionFirst) {
            entry.version.store(version as u32, Release);
        }
        entry.value.store(item, Relaxed);
        entry.name.store(name, Relaxed);
        entry.version.store(version as u32, Relaxed);
        entry.sequence.store(sequence + 2, Release);
    }

    /// Stores a value in a class; `watched`: somebody is told first, and looks into the other one.
    fn set(&self, class: usize, name: usize, item: usize, watched: bool) {
        let watcher = || {
            self.get(DERIVED, X);
        };
        if watched && !self.is(Mutant::WatcherBeforeClear) {
            watcher();
        }
        let mut classes = self.classes.lock();
        if self.is(Mutant::InvalidateAfterUnlock) {
            // Below.
        } else if watched && self.is(Mutant::WatcherBeforeClear) {
            self.tags[DERIVED].store(0, Relaxed);
            drop(classes);
            watcher();
            classes = self.classes.lock();
            self.tags[class].store(0, Relaxed);
        } else if self.is(Mutant::ParentFirst) {
            self.tags[class].store(0, Relaxed);
            drop(classes);
            classes = self.classes.lock();
            self.tags[DERIVED].store(0, Relaxed);
        } else {
            self.modified(&mut classes, class);
        }
        if self.is(Mutant::SuspendBetween) {
            drop(classes);
            classes = self.classes.lock();
        }
        let old = std::mem::replace(&mut classes.attributes[class][name - 1], item);
        drop(classes);
        if self.is(Mutant::InvalidateAfterUnlock) {
            self.modified(&mut self.classes.lock(), class);
        }
        if old != 0 {
            self.heap.release(old);
        }
    }

    /// No entry of this class, and of those that inherit from it, is found any more.
    fn modified(&self, classes: &mut Classes, class: usize) {
        if self.is(Mutant::ModifiedNothing) {
            return;
        }
        let last = if self.is(Mutant::NoSubclassWalk) { class } else { DERIVED };
        for class in (class..=last).rev() {
            // Relaxed: the lock, or the count of an object that is freed, carries it.
            self.tags[class].store(0, Relaxed);
        }
        if self.is(Mutant::TagReuse) {
            classes.last_tag = 0;
        }
    }
}

/// What a thread does. Values name objects; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// What a class has for a name, or −1.
    Get(usize, usize),
    /// Stores a value in a class for a name.
    Set(usize, usize, i64),
    /// Stores a value in the base for the first name, of which a watcher is told.
    Watched(i64),
    /// Makes an object that is never an attribute.
    Stranger(i64),
    /// Keeps what the base has for the first name alive.
    Keep,
}

impl<R: Runtime> World for Types<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let entry = |n| Entry {
            sequence: R::AtomicU32::new(0, Label::nth("sequence", n)),
            version: R::AtomicU32::new(0, Label::nth("version", n)),
            name: R::AtomicUsize::new(0, Label::nth("name", n)),
            value: R::AtomicUsize::new(0, Label::nth("value", n)),
        };
        Self {
            heap: Heap::new(shape),
            classes: R::Mutex::new(Classes::default(), "classes"),
            tags: [0, 1].map(|n| R::AtomicU32::new(0, Label::nth("tag", n))).into(),
            entries: [0, 1].map(entry).into(),
            history: History::new(shape),
            faults,
        }
    }

    fn enter(&self, thread: usize) -> Caller<Op> {
        self.history.enter(thread)
    }

    fn started(&self, main: &mut Caller<Op>) {
        main.started();
    }

    fn step(&self, caller: &mut Caller<Op>, op: Op) -> Option<i64> {
        self.history.call(caller, op, |op| {
            match op {
                Op::Get(class, name) => return Some(self.get(class, name)),
                Op::Set(class, name, v) => self.set(class, name, self.heap.make(v), false),
                Op::Watched(v) => self.set(BASE, X, self.heap.make(v), true),
                Op::Stranger(v) => drop(self.heap.make(v)),
                Op::Keep => self.keep(self.classes.lock().attributes[BASE][X - 1]),
            }
            None
        })
    }

    fn exit(&self, caller: Caller<Op>) {
        self.history.exit(caller);
    }

    fn finish(&self) {
        self.heap.settle();
        let (setup, calls) = self.history.all();
        History::<R, Op>::judge_reads(&setup, &calls, |op| matches!(op, Op::Get(..)), sequential);
    }
}

/// The classes without threads.
fn sequential(classes: &mut [[Option<i64>; 2]; 2], op: Op) -> Option<i64> {
    match op {
        Op::Get(class, name) => {
            let found = classes[class][name - 1].or(classes[BASE][name - 1]);
            return Some(found.unwrap_or(ABSENT));
        }
        Op::Set(class, name, v) => classes[class][name - 1] = Some(v),
        Op::Watched(v) => classes[BASE][X - 1] = Some(v),
        Op::Stranger(_) | Op::Keep => {}
    }
    None
}

mutants! {
    /// Faults of readers, and of those who change classes.
    pub enum Mutant {
        /// The reader does not look at the sequence again.
        NoSeqlockRecheck = "tc-no-seqlock-recheck" breaks ["T4"] in "names" by Everywhere;
        /// The reader does not look at the tag again: the block of its value may be another object (CPython 3.13).
        #[shipped(x)]
        NoTagRecheck = "tc-no-tag-recheck" breaks ["T1"] in "stranger" by Everywhere;
        /// The reader increments without a test for zero.
        PlainIncref = "tc-borrowed-plain-incref" breaks ["T2"] in "set" by Everywhere;
        /// The tag is written before the value, and the reader looks at nothing again.
        VersionFirst = "tc-version-first" breaks ["T4"] in "retagged" by Everywhere;
        /// No fence comes before what is written into an entry.
        RelaxedVersion = "tc-relaxed-version" breaks ["T4"] in "names" by WeakMemory;
        /// A class is given its tag after the search.
        AssignAfterSearch = "tc-assign-after-search" breaks ["T3"] in "first" by Everywhere;
        /// The tag is taken away after the change, in a section of its own.
        InvalidateAfterUnlock = "tc-invalidate-after-unlock" breaks ["T3"] in "derived" by Everywhere;
        /// The classes that inherit keep their tags.
        NoSubclassWalk = "tc-no-subclass-walk" breaks ["T3", "I1"] in "inherited" by Everywhere;
        /// The class loses its tag before those that inherit, with the lock given up in between.
        ParentFirst = "tc-parent-first" breaks ["I1"] in "inherited" by Everywhere;
        /// A watcher runs when those that inherit have lost their tags, and the class has not (CPython 3.13).
        #[shipped(x)]
        WatcherBeforeClear = "tc-watcher-before-clear" breaks ["T3", "I1"] in "watched" by Everywhere;
        /// The lock is given up between taking the tag away and the change.
        SuspendBetween = "tc-suspend-between" breaks ["T3"] in "first" by Everywhere;
        /// Tags begin anew when one is taken away.
        TagReuse = "tc-tag-reuse" breaks ["T1"] in "derived" by Everywhere;
        /// An entry that was never written agrees with a class without a tag.
        ZeroMatches = "tc-zero-matches" breaks ["T1"] in "first" by Everywhere;
        /// A writer stores the value before it sees that the entry is up to date, and leaves name and sequence.
        AbandonDirty = "tc-abandon-dirty" breaks ["T4"] in "names" by Everywhere;
        /// A change takes no tag away.
        ModifiedNothing = "tc-modified-nothing" breaks ["T3"] in "derived" by Everywhere;
    }
}

/// Answers that nothing explains.
const UNEXPLAINED: &[Breach] = &[Kind::NotLinearizable.at(&["calls", "reads"])];

/// The protocol.
pub struct TypeCache;

impl Protocol for TypeCache {
    const NAME: &'static str = "type-cache";
    const TITLE: &'static str = "A cache of classes' attributes";
    const QUESTION: &'static str =
        "How is a look-up in a class remembered, and forgotten by all when the class changes?";
    const SOURCE: &'static str = "CPython 3.13 typeobject.c, repaired";
    const PROPERTIES: &'static [Property] = properties! {
        "T1" "an answer was that of class and bases at some moment of the call" by [..UNEXPLAINED];
        "T2" "an object is alive when a reader takes a reference" by [..ALIVE];
        "T3" "what a change replaced is answered to nobody after it" by [..UNEXPLAINED];
        "T4" "value and name of an entry belong together" by [..UNEXPLAINED];
        "I1" "a class with a tag has bases with tags" by [Invariant at "tag"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Types<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let get = Get(BASE, X);
        let set = Set(BASE, X, 11);
        let of = |name, asks, threads| Scenario::of::<2>(name, asks, threads).objects(4);
        let (first, second) = (Set(BASE, X, 10), Set(BASE, Y, 20));
        vec![
            of("names", "two names of one entry", [&[get], &[Get(BASE, Y)]])
                .setup([first, second, get]),
            of("retagged", "the same, under a new tag", [&[Get(BASE, Y)], &[get]]).setup([
                first,
                second,
                Get(BASE, Y),
                set,
            ]),
            of("set", "a look-up beside a change", [&[get], &[set]]).setup([first, get]),
            of("stranger", "the block is another object", [&[get], &[set, Stranger(9)]])
                .setup([first, get]),
            of("first", "the first look-up beside a change", [&[get], &[set, get]])
                .setup([first, Keep]),
            of("derived", "by way of another class", [&[Get(DERIVED, X), get], &[set]])
                .setup([first, get, Keep]),
            of(
                "inherited",
                "a change of what is inherited",
                [&[set, Get(DERIVED, X)], &[Get(DERIVED, Y)]],
            )
            .setup([first, Get(DERIVED, X), Keep]),
            of(
                "watched",
                "a watcher looks into the other class",
                [&[Watched(11), Get(DERIVED, X)], &[get]],
            )
            .setup([first, Get(DERIVED, X), Keep]),
        ]
    }

    /// Left out: watchers, which are look-ups; the second name, which is another value of one entry; and three
    /// look-ups of four operations.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let value = 11 + place.fresh as i64;
            vec![Get(BASE, X), Get(DERIVED, X), Set(BASE, X, value), Stranger(value)]
        };
        let mut start = Start::new("cached", "look-ups and changes of a class", letters);
        start.grows = true;
        start.setup = vec![Set(BASE, X, 10), Get(BASE, X)];
        start.fits = |scenario| {
            let all = || scenario.threads.iter().flatten();
            let reads = all().filter(|op| matches!(op, Get(..))).count();
            let changed = all().any(|op| matches!(op, Set(..)));
            changed && reads > 0 && (reads < 3 || scenario.operations() < 4)
        };
        vec![start]
    }
}
