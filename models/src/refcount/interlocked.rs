//! Interlocked counts: every change one fully ordered atomic step.
//!
//! # Question
//! The second form of the 1996 patch replaced the mutex by the interlocked functions of
//! Windows, full barriers that return the new value. What is left to get wrong when no
//! order can be too weak?
//!
//! # Obligations
//! The *returned* value decides who frees: exactly one thread gets zero, while any number
//! may read zero afterwards. Totals kept beside the counts, as debug builds do, are exact
//! only if they are interlocked too, and then every thread meets in them.
//!
//! # Orders
//! All steps are sequentially consistent, as full barriers are. Weakened one at a time, only the
//! decrement breaks a property: it has to release and to acquire. Increments, the total, and the
//! first store may be relaxed.
//!
//! # Source
//! Beazley's description of Stein's patch; `_Py_RefTotal` of CPython's debug builds. See
//! [`atomic`](super::atomic) for the weakest orders that do the same.

use super::{Count, Nothing, Object, Op, R1, R3, Workshop, destroy, global_lock, random};
use crate::enumerate::Start;
use crate::ghost::{Ghost as _, require};
use crate::mutants;
use crate::protocol::{Draw, Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Ordering::*, Runtime};
use crate::verdict::Kind;

/// The scheme.
pub struct InterlockedCount<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    /// Sum of all counts.
    total: R::AtomicI64,
    /// The total of the mutant that keeps it in a plain integer.
    plain: R::Cell<i64>,
    faults: F,
}

/// An interlocked integer.
pub struct Header<R: Runtime> {
    count: R::AtomicU32,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> InterlockedCount<R, F> {
    /// A heap of `objects` blocks.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let header = |n| Header { count: R::AtomicU32::new(0, Label::part("object", "count", n)) };
        Self {
            objects: (0..objects).map(|n| Object::blank(n, header(n))).collect(),
            total: R::AtomicI64::new(0, "total"),
            plain: R::Cell::new(0, "total"),
            faults,
        }
    }

    fn sum(&self, by: i64) {
        if self.faults.is(Mutant::TotalPlain) {
            self.plain.write(self.plain.read() + by);
        } else {
            // SeqCst: see the head. Nothing is decided on the total; relaxed would do.
            self.total.fetch_add(by, SeqCst);
        }
    }

    /// One more reference.
    pub fn add(&self, header: &Header<R>) {
        self.sum(1);
        if self.faults.is(Mutant::PlainCount) {
            header.count.store(header.count.load(SeqCst) + 1, SeqCst);
        } else {
            // SeqCst here and everywhere: the interlocked functions are full barriers. Here
            // nothing is needed, the caller's reference keeps the object.
            header.count.fetch_add(1, SeqCst);
        }
    }

    /// One reference less; true when the caller must destroy the object.
    pub fn sub(&self, header: &Header<R>) -> bool {
        self.sum(-1);
        // SeqCst for release and acquire: our uses before the last step, all uses before the
        // free. Less than both and the last drop races with a use, as in `arc-relaxed-decr` and
        // `arc-no-acquire`.
        let before = header.count.fetch_sub(1, SeqCst);
        if self.faults.is(Mutant::RereadZero) {
            return header.count.load(SeqCst) == 0;
        }
        if self.faults.is(Mutant::OldValue) {
            return before == 0;
        }
        before == 1
    }
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for InterlockedCount<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = ();
    type Extra = Nothing;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape.objects, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, _: usize) {}
    fn detach(&self, (): ()) {}
    fn init(&self, (): &mut (), object: &Obj<R>) {
        self.sum(1);
        // SeqCst: see the head. Whoever publishes the object orders this store; relaxed would do.
        object.header.count.store(1, SeqCst);
    }
    fn incref(&self, (): &mut (), object: &Obj<R>) {
        self.add(&object.header);
    }
    fn decref(&self, thread: &mut (), object: &Obj<R>) {
        if self.sub(&object.header) {
            destroy(self, thread, object);
        }
    }
    fn try_incref(&self, (): &mut (), object: &Obj<R>) -> bool {
        let count = &object.header.count;
        // SeqCst: see the head. As in `atomic`, relaxed would do here and in the exchange.
        let mut old = count.load(SeqCst);
        while old != 0 {
            match count.compare_exchange(old, old + 1, SeqCst, SeqCst) {
                Ok(_) => {
                    self.sum(1);
                    return true;
                }
                Err(found) => old = found,
            }
        }
        false
    }
    fn extra(&self, (): &mut (), extra: Nothing) -> Option<i64> {
        match extra {}
    }
    fn settle(&self) {
        let living = self.objects.iter().filter(|o| !o.ghost.is_dead());
        let counts = living.map(|o| i64::from(o.header.count.load(SeqCst)));
        let (sum, total) = (counts.sum::<i64>(), self.total.load(SeqCst));
        let known = if self.faults.is(Mutant::TotalPlain) { self.plain.read() } else { total };
        require(sum == known, Kind::LostUpdate, || {
            format!("total says {known}, the counts add up to {sum}")
        });
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        Some(i64::from(object.header.count.load(SeqCst)))
    }
}

mutants! {
    /// Faults of the interlocked count.
    pub enum Mutant {
        /// The increment is a load and a store.
        PlainCount = "ilk-plain-count" breaks ["R1", "R3", "R8"] in "balanced" by Everywhere;
        /// The decrement decides by reading the count again.
        RereadZero = "ilk-reread-zero" breaks ["R1"] in "last-use" by Everywhere;
        /// The old value is taken for the returned one: nobody gets zero.
        OldValue = "ilk-old-value" breaks ["R3"] in "last-use" by Everywhere;
        /// The total is a plain integer.
        TotalPlain = "arc-total-plain" breaks ["R8"] in "balanced" by Everywhere;
    }
}

/// The protocol.
pub struct Interlocked;

impl Protocol for Interlocked {
    const NAME: &'static str = "interlocked";
    const TITLE: &'static str = "Interlocked reference count";
    const QUESTION: &'static str = "What is left to get wrong when every change is a full barrier?";
    const SOURCE: &'static str = "Stein's 1996 patch, interlocked form; CPython's _Py_RefTotal";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const RANDOM: Option<Draw<Op>> = Some(random);
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, InterlockedCount<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        global_lock::scenarios()
    }

    fn starts(threads: usize) -> Vec<Start<Op>> {
        global_lock::starts(threads)
    }
}

const PROPERTIES: &[Property] = &[
    R1,
    R3,
    Property {
        id: "R8",
        states: "the total equals the sum of the counts",
        broken_by: &[Kind::LostUpdate.anywhere(), Kind::DataRace.at(&["total"])],
    },
];
