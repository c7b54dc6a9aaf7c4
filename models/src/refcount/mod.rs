//! Reference counting: what every way of counting has in common.
//!
//! A way of counting is a [`Count`]: a header in each object, a part of its own in each
//! thread, and the operations. The [`Workshop`] lets threads operate on a few objects and
//! watches the references: it alone tells the observer who holds what, so a scheme cannot
//! vouch for itself.

pub mod atomic;
pub mod biased;
pub mod biased_paper;
pub mod buffered;
pub mod deferred;
pub mod getter;
pub mod global_lock;
pub mod immortal;
pub mod interlocked;
pub mod side_table;
pub mod workshop;

pub use self::workshop::{Nothing, Op, Worker, Workshop, random};

use crate::ghost::Ghost as _;
use crate::protocol::{Property, Shape};
use crate::runtime::{DataCell as _, Label, Runtime};
use crate::verdict::Kind;
use std::fmt::Debug;

/// A counted object.
pub struct Object<R: Runtime, H> {
    /// Its number.
    pub index: usize,
    /// What the scheme keeps in it.
    pub header: H,
    /// What its users read and its destructor overwrites: plain memory, so that a use
    /// which does not happen before the free is a data race.
    pub payload: R::Cell<u64>,
    /// One past the index of the object it owns a reference to; 0 for none.
    pub child: R::Cell<usize>,
    /// The observer.
    pub ghost: R::Ghost,
}

impl<R: Runtime, H> Object<R, H> {
    /// An unused block with a header.
    pub fn blank(index: usize, header: H) -> Self {
        Self {
            index,
            header,
            payload: R::Cell::new(0, Label::part("object", "payload", index)),
            child: R::Cell::new(0, Label::part("object", "child", index)),
            ghost: R::Ghost::blank(Label::nth("object", index)),
        }
    }
}

/// A way of counting.
pub trait Count<R: Runtime>: Sized + Send + Sync + 'static {
    /// Its faults.
    type Mutant;
    /// Whether and which fault is planted.
    type Faults: Copy + Send + Sync + 'static;
    /// What each object carries.
    type Header: Send + Sync + 'static;
    /// What each thread carries.
    type Thread: 'static;
    /// Operations that only this scheme has.
    type Extra: Copy + Debug + PartialEq + Send + Sync + 'static;

    /// The shared part, with `shape.objects` unused blocks.
    fn new(shape: Shape, faults: Self::Faults) -> Self;
    /// The blocks.
    fn objects(&self) -> &[Object<R, Self::Header>];
    /// A thread begins; `n` is its number in the scenario.
    fn attach(&self, n: usize) -> Self::Thread;
    /// A thread ends.
    fn detach(&self, thread: Self::Thread);
    /// Writes the header of a new object with one reference.
    fn init(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>);
    /// One more reference; the caller holds one.
    fn incref(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>);
    /// One reference less; frees through [`destroy`].
    fn decref(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>);
    /// A reference from an address alone; refused when the object is dying.
    fn try_incref(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>) -> bool;
    /// The thread reaches a point where it does the chores that others left to it.
    fn poll(&self, _thread: &mut Self::Thread) {}
    /// Whether the thread is past its end: it runs nothing any more.
    fn ended(&self, _thread: &Self::Thread) -> bool {
        false
    }
    /// The object that a thread must have a reference to for an operation of this scheme.
    fn needs(_extra: Self::Extra) -> Option<usize> {
        None
    }
    /// The object that a thread has one more reference to after an operation of this scheme that
    /// answers 1.
    fn gives(_extra: Self::Extra) -> Option<usize> {
        None
    }
    /// The object whose reference an operation of this scheme takes from its thread.
    fn takes(_extra: Self::Extra) -> Option<usize> {
        None
    }
    /// An operation of this scheme.
    fn extra(&self, thread: &mut Self::Thread, extra: Self::Extra) -> Option<i64>;
    /// What to do with an object that has no reference left, instead of freeing it: set
    /// by weak references and finalizers.
    fn last_rites(&self) -> Option<&LastRites<R, Self>> {
        None
    }
    /// At quiescence: everything that was put off is done.
    fn settle(&self) {}
    /// At quiescence: the number of references the scheme believes in, or `None` when
    /// it has stopped counting this object (saturated, immortal).
    fn settled(&self, object: &Object<R, Self::Header>) -> Option<i64>;
}

/// See [`Count::last_rites`]. Returns false when the object lives on.
pub type LastRites<R, C> = Box<
    dyn Fn(&C, &mut <C as Count<R>>::Thread, &Object<R, <C as Count<R>>::Header>) -> bool
        + Send
        + Sync,
>;

/// The destructor: runs once, when no reference is left, outside every lock. It drops
/// the reference that the object owns, and so may free further objects.
#[inline(always)]
#[track_caller]
pub fn destroy<R: Runtime, C: Count<R>>(
    count: &C,
    thread: &mut C::Thread,
    object: &Object<R, C::Header>,
) {
    if R::OBSERVED { die(count, thread, object) } else { die_unobserved(count, thread, object) }
}

/// The destructor as a function of its own, as `_Py_Dealloc` is, that is not handed a
/// source line which nobody would read.
#[cold]
#[inline(never)]
fn die_unobserved<R: Runtime, C: Count<R>>(
    count: &C,
    thread: &mut C::Thread,
    object: &Object<R, C::Header>,
) {
    die(count, thread, object);
}

#[track_caller]
fn die<R: Runtime, C: Count<R>>(count: &C, thread: &mut C::Thread, object: &Object<R, C::Header>) {
    if let Some(rites) = count.last_rites()
        && !rites(count, thread, object)
    {
        return;
    }
    let child = object.child.read();
    object.payload.write(0);
    object.ghost.free();
    if child != 0 {
        let child = &count.objects()[child - 1];
        child.ghost.lose();
        count.decref(thread, child);
    }
}

/// Frees an object that owns nothing, for schemes that are not a [`Count`].
#[track_caller]
pub fn destroy_block<R: Runtime, H>(object: &Object<R, H>) {
    object.payload.write(0);
    object.ghost.free();
}

/// What every plain count keeps.
const R1: Property = Property {
    id: "R1",
    states: "an object is freed once, when no reference exists, and not touched afterwards",
    broken_by: &[
        Kind::DoubleFree.anywhere(),
        Kind::PrematureFree.anywhere(),
        Kind::UseAfterFree.anywhere(),
    ],
};
const R3: Property = Property {
    id: "R3",
    states: "at quiescence the count equals the references; none left means freed",
    broken_by: &[Kind::Leak.anywhere(), Kind::WrongCount.anywhere()],
};
