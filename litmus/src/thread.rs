//! Threads, explored.

mod scoped;

pub use scoped::{Scope, ScopedJoinHandle, scope};

use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::session::{self, Fact};
use std::any::Any;
use std::cell::RefCell;
use std::panic::Location as Caller;
use std::rc::Rc;

/// A started thread.
pub struct JoinHandle<T> {
    thread: Thread,
    result: Rc<RefCell<Option<T>>>,
}

// SAFETY: every explored thread runs on the same OS thread, one at a time; the result is
// reached only by the thread itself and, after its end, by who joins it.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: as above; nothing is reachable through a shared reference.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

/// A handle by which a thread is woken.
#[derive(Clone, Debug)]
pub struct Thread {
    index: u32,
    id: ThreadId,
    token: u32,
    name: Option<Name>,
    start: Option<Start>,
}

/// Where a thread was started.
#[derive(Clone, Copy, Debug)]
struct Start {
    index: u32,
    token: u32,
    /// The location in which it says that it has finished, if somebody asks.
    finished: Option<u32>,
    caller: &'static Caller<'static>,
}

impl Start {
    /// Whether the thread has finished. Asked for the first time it is learnt that threads started there
    /// are to say so, and the exploration begins again.
    fn is_finished(self, caller: &'static Caller<'static>) -> bool {
        let Some(finished) = self.finished else {
            session::learn(Fact::Watched(session::place(self.caller)));
            session::stop(caller);
            return false;
        };
        let op = Op::Load {
            location: session::at(finished),
            order: MemoryOrder::Relaxed,
        };
        session::perform(op, caller) == 1
    }
}

/// Which thread one is: the same in every execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ThreadId(u64);

impl ThreadId {
    /// As [`thread_index`](crate::observe::thread_index) counts threads: main is 0, its Nth
    /// child N.
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

thread_local! {
    static TOKENS: RefCell<std::collections::HashMap<u32, u32>> = RefCell::default();
}

impl Thread {
    fn new(index: u32, token: u32) -> Self {
        Self {
            index,
            id: ThreadId(session::path_of(index)),
            token,
            name: None,
            start: None,
        }
    }

    fn started(start: Start) -> Self {
        Self {
            start: Some(start),
            ..Self::new(start.index, start.token)
        }
    }

    /// Which thread it is.
    pub const fn id(&self) -> ThreadId {
        self.id
    }

    /// The name that [`Builder::name`] gave it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Makes the thread's token available.
    #[track_caller]
    pub fn unpark(&self) {
        let update = crate::explore::program::Update::Swap(1);
        let location = session::at(self.token);
        let op = Op::Update {
            location,
            order: MemoryOrder::Release,
            update,
        };
        session::perform(op, Caller::caller());
    }
}

/// Starts a thread.
#[track_caller]
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    let body = move || {
        let value = body();
        session::returns(key(&value));
        if std::mem::needs_drop::<T>() {
            session::leaves_result();
        }
        *slot.borrow_mut() = Some(value);
    };
    let start = start(Box::new(body), None, Caller::caller());
    JoinHandle {
        thread: Thread::started(start),
        result,
    }
}

/// Starts `n` threads that run the same closure. Under
/// [`Explorer::reduce`](crate::Explorer::reduce) executions that differ only in which of
/// them did what count as one. The closure is dropped after the execution, by none of them, so
/// handles that it holds are not taken for leaks, and neither are any others then.
///
/// ```
/// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
/// use threadbare_litmus::{Explorer, thread};
///
/// let arc = || {
///     let count = Arc::new(AtomicU32::new(0));
///     for thread in thread::spawn_alike(3, move || {
///         count.fetch_add(1, Relaxed);
///         count.fetch_sub(1, Relaxed);
///     }) {
///         thread.join().unwrap();
///     }
/// };
/// assert_eq!(Explorer::new().check(arc).complete, 90);
/// assert_eq!(Explorer::new().reduce(true).check(arc).complete, 15);
/// ```
#[track_caller]
pub fn spawn_alike(n: usize, body: impl Fn() + Send + Sync + 'static) -> Vec<JoinHandle<()>> {
    let (body, caller) = (crate::sync::Arc::new(body), Caller::caller());
    let mut elder = None;
    let mut one = || {
        let (body, result) = (body.clone(), Rc::new(RefCell::new(None)));
        let slot = result.clone();
        let run = move || {
            body();
            drop(body);
            *slot.borrow_mut() = Some(());
        };
        let start = start(Box::new(run), elder, caller);
        elder = Some(start.index);
        JoinHandle {
            thread: Thread::started(start),
            result,
        }
    };
    (0..n).map(|_| one()).collect()
}

/// Starts a thread with a park token.
fn start(body: Box<dyn FnOnce()>, elder: Option<u32>, caller: &'static Caller<'static>) -> Start {
    let token = session::create(Some("park token"), 0, 8);
    let watched = session::knows(Fact::Watched(session::place(caller)));
    let finished = watched.then(|| session::create(Some("thread finished"), 0, 8));
    let run = move || {
        TOKENS.with_borrow_mut(|tokens| tokens.insert(session::current(), token));
        body();
        if let Some(finished) = finished {
            // Relaxed: it says that the thread has finished and nothing of what it did, as `std`'s.
            let op = Op::Store {
                location: session::at(finished),
                order: MemoryOrder::Relaxed,
                value: 1,
            };
            session::perform(op, caller);
        }
    };
    Start {
        index: session::spawn(Box::new(run), elder, caller),
        token,
        finished,
        caller,
    }
}

/// What a returned value adds to the knowledge of the joining thread: a number itself,
/// nothing for a value without content, else all that the thread knew at its end.
fn key<T: 'static>(value: &T) -> u64 {
    if size_of::<T>() == 0 {
        return 0;
    }
    let any: &dyn Any = value;
    macro_rules! numbers {
        ($($t:ty)*) => { $(if let Some(&number) = any.downcast_ref::<$t>() {
            return number as u64;
        })* };
    }
    numbers!(bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    session::knowledge()
}

impl<T> JoinHandle<T> {
    /// Waits for the thread's end.
    ///
    /// # Errors
    /// Never: a panicking thread ends the exploration.
    ///
    /// # Panics
    /// When the execution is being torn down.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        session::perform(Op::Join(self.thread.index), Caller::caller());
        Ok(self
            .result
            .borrow_mut()
            .take()
            .expect("the thread has ended"))
    }

    /// Whether the thread has returned. What it did is visible only after a join: nothing orders this
    /// question after it, as in `std`.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let start = self.thread.start.expect("it was started");
        start.is_finished(Caller::caller())
    }

    /// The thread's handle.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

/// What the main thread's park token is known by.
static MAIN: u8 = 0;

/// The running thread.
///
/// # Panics
/// Outside an exploration.
pub fn current() -> Thread {
    let id = session::current();
    session::tell_apart();
    let name = session::local(name_key());
    let token = match id {
        0 => session::fixed(std::ptr::from_ref(&MAIN).addr(), None, 0, 8),
        id => TOKENS
            .with_borrow(|tokens| tokens.get(&id).copied())
            .expect("a thread registers its token first"),
    };
    Thread {
        name: name.and_then(|name| name.downcast_ref::<Name>().cloned()),
        ..Thread::new(id, token)
    }
}

type Name = std::sync::Arc<str>;

/// What a thread's name is kept by.
fn name_key() -> usize {
    static NAME: u8 = 0;
    std::ptr::from_ref(&NAME).addr()
}

/// Waits for the running thread's token and takes it; or for nothing, as often as
/// [`Explorer::spurious_wakeups`](crate::Explorer::spurious_wakeups) says.
#[track_caller]
pub fn park() {
    let caller = Caller::caller();
    if !session::wakes_spuriously(caller) {
        take_token(Wait::Park, caller);
    }
}

/// Waits, for the reason given, until there is a token.
fn take_token(wait: Wait, caller: &'static Caller<'static>) {
    let location = session::at(current().token);
    let op = Op::AwaitExchange {
        location,
        expected: 1,
        new: 0,
        order: MemoryOrder::Acquire,
    };
    session::wait(op, |found| found == 1, wait, caller);
}

/// As [`park`], but the time may be up first: as often in each thread as
/// [`Explorer::time_outs`](crate::Explorer::time_outs) says.
#[track_caller]
pub fn park_timeout(_: std::time::Duration) {
    let caller = Caller::caller();
    if session::times_out(caller) {
        let op = Op::Update {
            location: session::at(current().token),
            order: MemoryOrder::Acquire,
            update: crate::explore::program::Update::Swap(0),
        };
        session::perform(op, caller);
    } else {
        // That it waits for ever is no deadlock: it would time out.
        take_token(Wait::Assume, caller);
    }
}

/// Nothing: graphs have no schedule to yield to.
pub fn yield_now() {}

/// Nothing: graphs have no time.
pub fn sleep(_: std::time::Duration) {}

/// Starts a thread with a name.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread.
    pub fn name(self, name: String) -> Self {
        Self { name: Some(name) }
    }

    /// Nothing: every explored thread has 2 MiB.
    pub fn stack_size(self, _: usize) -> Self {
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// Never.
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> std::io::Result<JoinHandle<T>> {
        let name = self.name.map(Name::from);
        let mut handle = spawn(named(name.clone(), body));
        handle.thread.name = name;
        Ok(handle)
    }

    /// Starts a thread that may borrow what outlives the scope.
    ///
    /// # Errors
    /// Never.
    #[track_caller]
    pub fn spawn_scoped<'scope, T: Send + 'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        body: impl FnOnce() -> T + Send + 'scope,
    ) -> std::io::Result<ScopedJoinHandle<'scope, T>> {
        let name = self.name.map(Name::from);
        let mut handle = scope.spawn(named(name.clone(), body));
        handle.thread.name = name;
        Ok(handle)
    }
}

/// `body`, of a thread with that name.
fn named<T>(name: Option<Name>, body: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        if let Some(name) = name {
            session::set_local(name_key(), Rc::new(name));
        }
        body()
    }
}

/// A thread-local variable, made by [`thread_local!`](crate::thread_local).
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> Self {
        Self { init }
    }

    /// Calls `f` with the running thread's value, which is made when first asked for and
    /// dropped when the thread ends.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        let key = std::ptr::from_ref(self).addr();
        let value = match session::local(key) {
            Some(value) => value,
            None => {
                let value: Rc<dyn Any> = Rc::new((self.init)());
                session::set_local(key, value.clone());
                value
            }
        };
        f(value.downcast_ref().expect("a key has one type"))
    }
}

/// Thread-local variables, as [`std::thread_local!`], one value per explored thread and
/// execution. Those of `std` itself are shared by all explored threads, which run on one thread of the
/// system, and keep their values from one execution to the next.
///
/// ```
/// use std::cell::Cell;
/// use threadbare_litmus::{explore, thread};
///
/// threadbare_litmus::thread_local! {
///     static DEPTH: Cell<u32> = Cell::new(0);
/// }
///
/// explore(|| {
///     DEPTH.with(|depth| depth.set(1));
///     let other = thread::spawn(|| DEPTH.with(Cell::get));
///     assert_eq!(other.join().unwrap(), 0);
/// });
/// ```
#[macro_export]
macro_rules! thread_local {
    ($($(#[$meta:meta])* $vis:vis static $name:ident : $t:ty = $init:expr);+ $(;)?) => { $(
        $(#[$meta])*
        $vis static $name: $crate::thread::LocalKey<$t> = $crate::thread::LocalKey::new({
            fn init() -> $t {
                $init
            }
            init
        });
    )+ };
}
