//! The runtime of every engine: which backend it is, is chosen when a world is built.
//!
//! A scheme is compiled for it once, however many engines there are. A step costs one branch more,
//! beside microseconds of an engine. [`Native`](super::Native) stays apart: its steps are those of
//! the machine.

use super::*;
use std::cell::Cell;
use std::ops::Deref;

/// What a world of [`Model`] runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// [`Explorer`].
    Explorer,
    /// [`Loom`].
    Loom,
    /// [`Shuttle`].
    Shuttle,
    /// [`Watched`].
    Watched,
    /// [`Allocated`].
    Allocated,
}

thread_local! {
    /// The backend of what this OS thread builds.
    static CHOSEN: Cell<Option<Backend>> = const { Cell::new(None) };
}

impl Backend {
    /// What this OS thread builds from now on is of this backend.
    pub fn choose(self) {
        CHOSEN.set(Some(self));
    }

    fn chosen() -> Self {
        CHOSEN.get().expect("the body of a program chooses before it builds anything")
    }
}

/// The runtime whose backend is chosen at run time: [`Backend::choose`].
#[derive(Clone, Copy)]
pub struct Model;

/// A primitive of the chosen backend.
#[derive(Clone)]
pub enum One<E, L, S, W, A> {
    /// Of [`Explorer`].
    Explorer(E),
    /// Of [`Loom`].
    Loom(L),
    /// Of [`Shuttle`].
    Shuttle(S),
    /// Of [`Watched`].
    Watched(W),
    /// Of [`Allocated`].
    Allocated(A),
}

/// A primitive made by the chosen backend: by `$new` of each runtime.
macro_rules! made {
    (|$r:ident| $new:expr) => {
        match Backend::chosen() {
            Backend::Explorer => One::Explorer({
                type $r = Explorer;
                $new
            }),
            Backend::Loom => One::Loom({
                type $r = Loom;
                $new
            }),
            Backend::Shuttle => One::Shuttle({
                type $r = Shuttle;
                $new
            }),
            Backend::Watched => One::Watched({
                type $r = Watched;
                $new
            }),
            Backend::Allocated => One::Allocated({
                type $r = Allocated;
                $new
            }),
        }
    };
}

/// `$act` of the primitive, whichever it is. Not in a closure, which would hide the caller's line.
macro_rules! of {
    ($one:expr, |$x:ident| $act:expr) => {
        match $one {
            One::Explorer($x) => $act,
            One::Loom($x) => $act,
            One::Shuttle($x) => $act,
            One::Watched($x) => $act,
            One::Allocated($x) => $act,
        }
    };
}

/// As [`of`], with what comes of it a primitive of the same backend.
macro_rules! lifted {
    ($one:expr, |$x:ident| $act:expr) => {
        match $one {
            One::Explorer($x) => One::Explorer($act),
            One::Loom($x) => One::Loom($act),
            One::Shuttle($x) => One::Shuttle($act),
            One::Watched($x) => One::Watched($act),
            One::Allocated($x) => One::Allocated($act),
        }
    };
}

/// The primitive of that name and of these parameters in every runtime.
macro_rules! each {
    ($name:ident $(<$($p:tt),*>)?) => {
        One<
            <Explorer as Runtime>::$name $(<$($p),*>)?,
            <Loom as Runtime>::$name $(<$($p),*>)?,
            <Shuttle as Runtime>::$name $(<$($p),*>)?,
            <Watched as Runtime>::$name $(<$($p),*>)?,
            <Allocated as Runtime>::$name $(<$($p),*>)?,
        >
    };
}

macro_rules! atomics {
    ($($name:ident: $t:ty),*) => { $(impl Atomic<$t> for each!($name) {
        fn new(value: $t, label: impl Into<Label>) -> Self {
            let label = label.into();
            made!(|R| <<R as Runtime>::$name as Atomic<$t>>::new(value, label))
        }
        fn load(&self, order: Ordering) -> $t {
            of!(self, |a| Atomic::load(a, order))
        }
        fn store(&self, value: $t, order: Ordering) {
            of!(self, |a| Atomic::store(a, value, order));
        }
        fn swap(&self, value: $t, order: Ordering) -> $t {
            of!(self, |a| Atomic::swap(a, value, order))
        }
        fn compare_exchange(&self, current: $t, new: $t, ok: Ordering, err: Ordering) -> Result<$t, $t> {
            of!(self, |a| Atomic::compare_exchange(a, current, new, ok, err))
        }
        fn fetch_add(&self, value: $t, order: Ordering) -> $t {
            of!(self, |a| Atomic::fetch_add(a, value, order))
        }
        fn fetch_sub(&self, value: $t, order: Ordering) -> $t {
            of!(self, |a| Atomic::fetch_sub(a, value, order))
        }
        fn fetch_or(&self, value: $t, order: Ordering) -> $t {
            of!(self, |a| Atomic::fetch_or(a, value, order))
        }
        fn fetch_and(&self, value: $t, order: Ordering) -> $t {
            of!(self, |a| Atomic::fetch_and(a, value, order))
        }
    })* };
}
atomics!(AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

impl<T: Word + Default> DataCell<T> for each!(Cell<T>) {
    fn new(value: T, label: impl Into<Label>) -> Self {
        let label = label.into();
        made!(|R| <<R as Runtime>::Cell<T> as DataCell<T>>::new(value, label))
    }
    fn read(&self) -> T {
        of!(self, |c| c.read())
    }
    fn write(&self, value: T) {
        of!(self, |c| c.write(value));
    }
}

impl<T: Send + 'static> Lock<T> for each!(Mutex<T>) {
    type Guard<'a> = One<
        super::Guard<'a, Explorer, T>,
        super::Guard<'a, Loom, T>,
        super::Guard<'a, Shuttle, T>,
        super::Guard<'a, Watched, T>,
        super::Guard<'a, Allocated, T>,
    >;
    fn new(value: T, label: impl Into<Label>) -> Self {
        let label = label.into();
        made!(|R| <<R as Runtime>::Mutex<T> as Lock<T>>::new(value, label))
    }
    fn lock(&self) -> Self::Guard<'_> {
        lifted!(self, |m| Lock::lock(m))
    }
}

impl<T, E, L, S, W, A> Deref for One<E, L, S, W, A>
where
    E: Deref<Target = T>,
    L: Deref<Target = T>,
    S: Deref<Target = T>,
    W: Deref<Target = T>,
    A: Deref<Target = T>,
{
    type Target = T;
    fn deref(&self) -> &T {
        of!(self, |guard| guard)
    }
}

impl<T, E, L, S, W, A> DerefMut for One<E, L, S, W, A>
where
    E: DerefMut<Target = T>,
    L: DerefMut<Target = T>,
    S: DerefMut<Target = T>,
    W: DerefMut<Target = T>,
    A: DerefMut<Target = T>,
{
    fn deref_mut(&mut self) -> &mut T {
        of!(self, |guard| guard)
    }
}

impl Signal for each!(Condvar) {
    fn new(label: impl Into<Label>) -> Self {
        let label = label.into();
        made!(|R| <<R as Runtime>::Condvar as Signal>::new(label))
    }
    fn notify_one(&self) {
        of!(self, |c| Signal::notify_one(c));
    }
    fn notify_all(&self) {
        of!(self, |c| Signal::notify_all(c));
    }
}

impl Join for each!(Handle) {
    fn join(self) {
        of!(self, |h| Join::join(h));
    }
}

impl Unpark for each!(Thread) {
    fn unpark(&self) {
        of!(self, |t| Unpark::unpark(t));
    }
}

impl Ghost for each!(Ghost) {
    fn blank(label: Label) -> Self {
        made!(|R| <<R as Runtime>::Ghost as Ghost>::blank(label))
    }
    fn gain(&self) {
        of!(self, |g| g.gain());
    }
    fn lose(&self) {
        of!(self, |g| g.lose());
    }
    fn touch(&self) {
        of!(self, |g| g.touch());
    }
    fn free(&self) {
        of!(self, |g| g.free());
    }
    fn finalize(&self) {
        of!(self, |g| g.finalize());
    }
    fn reuse(&self, holders: i64) {
        of!(self, |g| g.reuse(holders));
    }
    fn settle(&self) {
        of!(self, |g| g.settle());
    }
    fn holders(&self) -> i64 {
        of!(self, |g| g.holders())
    }
    fn generation(&self) -> u32 {
        of!(self, |g| g.generation())
    }
    fn is_dead(&self) -> bool {
        of!(self, |g| g.is_dead())
    }
}

/// `$act` for the chosen runtime.
macro_rules! by {
    (|$r:ident| $act:expr) => {
        of!(made!(|$r| $act), |answer| answer)
    };
}

impl Runtime for Model {
    const OBSERVED: bool = true;
    type AtomicU8 = each!(AtomicU8);
    type AtomicU32 = each!(AtomicU32);
    type AtomicU64 = each!(AtomicU64);
    type AtomicI64 = each!(AtomicI64);
    type AtomicUsize = each!(AtomicUsize);
    type Cell<T: Word + Default> = each!(Cell<T>);
    type Mutex<T: Send + 'static> = each!(Mutex<T>);
    type Condvar = each!(Condvar);
    type Handle = each!(Handle);
    type Thread = each!(Thread);
    type Ghost = each!(Ghost);

    fn is_model() -> bool {
        by!(|R| R::is_model())
    }
    fn is_sequential() -> bool {
        by!(|R| R::is_sequential())
    }
    fn fence(order: Ordering) {
        by!(|R| R::fence(order));
    }
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
        // Boxed, so that what starts a thread is compiled once and not for every protocol.
        let body: Box<dyn FnOnce() + Send> = Box::new(body);
        let backend = Backend::chosen();
        let body = move || {
            // A thread of the system has chosen nothing yet.
            backend.choose();
            body();
        };
        made!(|R| R::spawn(body))
    }
    fn yield_now() {
        by!(|R| R::yield_now());
    }
    fn await_until(mut ready: impl FnMut() -> bool) {
        let ready: &mut dyn FnMut() -> bool = &mut ready;
        by!(|R| R::await_until(ready));
    }
    fn thread_id() -> usize {
        by!(|R| R::thread_id())
    }
    fn current() -> Self::Thread {
        made!(|R| R::current())
    }
    fn park() {
        by!(|R| R::park());
    }
    fn wait<'a, T: Send + 'static>(
        condvar: &Self::Condvar,
        mutex: &'a Self::Mutex<T>,
        guard: Guard<'a, Self, T>,
    ) -> Guard<'a, Self, T> {
        macro_rules! waits {
            ($($backend:ident)*) => {
                match (condvar, mutex, guard) {
                    $((One::$backend(c), One::$backend(m), One::$backend(g)) => {
                        One::$backend($backend::wait(c, m, g))
                    })*
                    _ => unreachable!("a world is of one backend"),
                }
            };
        }
        waits!(Explorer Loom Shuttle Watched Allocated)
    }
    fn wait_timeout<'a, T: Send + 'static>(
        condvar: &Self::Condvar,
        mutex: &'a Self::Mutex<T>,
        guard: Guard<'a, Self, T>,
    ) -> (Guard<'a, Self, T>, bool) {
        macro_rules! waits {
            ($($backend:ident)*) => {
                match (condvar, mutex, guard) {
                    $((One::$backend(c), One::$backend(m), One::$backend(g)) => {
                        let (guard, expired) = $backend::wait_timeout(c, m, g);
                        (One::$backend(guard), expired)
                    })*
                    _ => unreachable!("a world is of one backend"),
                }
            };
        }
        waits!(Explorer Loom Shuttle Watched Allocated)
    }
    fn park_timeout() {
        by!(|R| R::park_timeout());
    }
    fn choose(ways: usize) -> usize {
        by!(|R| R::choose(ways))
    }
}
