//! Counts that know a life after zero: what finalizers need of the count below them.

use crate::protocol::Switch;
use crate::refcount::atomic::{self, AtomicCount};
use crate::refcount::biased::{self, Biased};
use crate::refcount::{Count, LastRites, Object};
use crate::runtime::Runtime;

/// How a revival ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Proper,
    /// The dead object stays owned by the thread (biased counts only).
    KeepOwner,
    /// By a load and a store.
    Plain,
}

/// A count that knows a life after zero.
pub trait Mortal<R: Runtime>: Count<R> {
    /// Sets what happens at zero.
    fn set_rites(&self, rites: LastRites<R, Self>);
    /// The address is about to be stored where it is not counted.
    fn announce(&self, object: &Object<R, Self::Header>);
    /// A temporary reference at zero.
    fn revive(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>);
    /// Ends it; true when it was the last.
    fn end(&self, t: &mut Self::Thread, o: &Object<R, Self::Header>, how: Ending) -> bool;
    /// The count as a concurrent look sees it.
    fn peek(&self, object: &Object<R, Self::Header>) -> i64;
}

/// Atomic counts below weak references.
pub type OnAtomic<R> = AtomicCount<R, Switch<atomic::Mutant>>;
/// Biased counts below weak references.
pub type OnBiased<R> = Biased<R, Switch<biased::Mutant>>;

impl<R: Runtime> Mortal<R> for OnAtomic<R> {
    fn set_rites(&self, rites: LastRites<R, Self>) {
        self.set_rites(rites);
    }
    fn announce(&self, _: &Object<R, Self::Header>) {}
    fn revive(&self, (): &mut (), object: &Object<R, Self::Header>) {
        self.revive(&object.header);
    }
    fn end(&self, (): &mut (), object: &Object<R, Self::Header>, how: Ending) -> bool {
        if how == Ending::Plain { self.end_plain(&object.header) } else { self.sub(&object.header) }
    }
    fn peek(&self, object: &Object<R, Self::Header>) -> i64 {
        i64::from(self.peek(&object.header))
    }
}

impl<R: Runtime> Mortal<R> for OnBiased<R> {
    fn set_rites(&self, rites: LastRites<R, Self>) {
        self.set_rites(rites);
    }
    fn announce(&self, object: &Object<R, Self::Header>) {
        self.set_maybe_weak(object);
    }
    fn revive(&self, thread: &mut biased::Thread, object: &Object<R, Self::Header>) {
        self.revive(thread, object);
    }
    fn end(&self, t: &mut biased::Thread, o: &Object<R, Self::Header>, how: Ending) -> bool {
        if how == Ending::Plain {
            return self.end_plain(o);
        }
        self.end_revival(t, o, how == Ending::KeepOwner)
    }
    fn peek(&self, object: &Object<R, Self::Header>) -> i64 {
        self.peek(object)
    }
}
