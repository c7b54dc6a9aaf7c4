//! What happened: every operation of the model runtimes, in execution order.
//!
//! Both model engines run all threads of an execution on one OS thread, one at a time,
//! so the recorder is a thread-local list. It adds no synchronisation to the program
//! under test and parallel test threads do not meet in it.

use super::{Label, Ordering};
use std::cell::RefCell;
use std::panic::Location;

/// One operation of one thread.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Number of the thread; 0 is the main thread.
    pub thread: u8,
    /// Source line of the operation.
    pub place: &'static Location<'static>,
    /// What was done.
    pub action: Action,
}

/// What an operation did and which values it saw.
#[derive(Clone, Copy)]
pub enum Action {
    /// Value read.
    Load(Label, Ordering, i64),
    /// Value written.
    Store(Label, Ordering, i64),
    /// Operation name, value found, value left.
    Update(Label, &'static str, Ordering, i64, i64),
    /// Failed compare and exchange: value expected, value found.
    Refused(Label, Ordering, i64, i64),
    /// Fence.
    Fence(Ordering),
    /// Plain read.
    Read(Label, i64),
    /// Plain read that has begun; the last event of a thread whose read races.
    Touch(Label),
    /// Plain write.
    Write(Label, i64),
    /// Mutex taken.
    Lock(Label),
    /// Mutex released.
    Unlock(Label),
    /// Waiting on a condition variable begins.
    Wait(Label),
    /// Condition variable signalled.
    Notify(Label),
    /// A thread was started.
    Spawn(u8),
    /// A thread was joined.
    Join(u8),
    /// Parked.
    Park,
    /// Unparked a thread.
    Unpark,
    /// Gave way.
    Yield,
    /// Operation of the scenario begins: its position in the thread's script.
    Begin(u16),
    /// Operation of the scenario ends, with its result.
    End(u16, Option<i64>),
    /// A step that only the observer sees: text and object.
    Ghost(&'static str, Label),
}

impl Action {
    /// The location that is accessed.
    fn accessed(self) -> Option<Label> {
        match self {
            Self::Load(label, ..)
            | Self::Store(label, ..)
            | Self::Update(label, ..)
            | Self::Refused(label, ..)
            | Self::Read(label, _)
            | Self::Write(label, _) => Some(label),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

fn short(order: Ordering) -> &'static str {
    match order {
        Ordering::Relaxed => "rlx",
        Ordering::Acquire => "acq",
        Ordering::Release => "rel",
        Ordering::AcqRel => "acq-rel",
        _ => "sc",
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Load(l, o, v) => write!(f, "{l} → {v}  {}", short(o)),
            Self::Store(l, o, v) => write!(f, "{l} := {v}  {}", short(o)),
            Self::Update(l, name, o, old, new) => {
                write!(f, "{l} {name} {old} ⇒ {new}  {}", short(o))
            }
            Self::Refused(l, o, want, found) => {
                write!(f, "{l} cas {want}? found {found}  {}", short(o))
            }
            Self::Fence(o) => write!(f, "fence {}", short(o)),
            Self::Read(l, v) => write!(f, "{l} → {v}  plain"),
            Self::Touch(l) => write!(f, "{l} → ?  plain"),
            Self::Write(l, v) => write!(f, "{l} := {v}  plain"),
            Self::Lock(l) => write!(f, "lock {l}"),
            Self::Unlock(l) => write!(f, "unlock {l}"),
            Self::Wait(l) => write!(f, "wait {l}"),
            Self::Notify(l) => write!(f, "notify {l}"),
            Self::Spawn(t) => write!(f, "start T{t}"),
            Self::Join(t) => write!(f, "join T{t}"),
            Self::Park => f.write_str("park"),
            Self::Unpark => f.write_str("unpark"),
            Self::Yield => f.write_str("yield"),
            Self::Begin(n) => write!(f, "begin {n}"),
            Self::End(n, None) => write!(f, "end {n}"),
            Self::End(n, Some(v)) => write!(f, "end {n} = {v}"),
            Self::Ghost(text, l) => write!(f, "· {l} {text}"),
        }
    }
}

/// What an engine that does not run whole executions wants to be told.
#[derive(Clone, Copy)]
pub(crate) enum Sink {
    /// All events.
    All(fn(Event)),
    /// The results of operations, for nobody looks at the trace.
    Results(fn(Event)),
}

struct Recorder {
    events: Vec<Event>,
    thread: fn() -> u8,
    threads: u8,
    /// Threads whose accesses are type-stable now, by bits.
    stable: u64,
    /// Where events go instead, for an engine that does not run whole executions.
    sink: Option<Sink>,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Starts a fresh trace; `thread` tells the number of the running model thread.
pub(crate) fn start(thread: fn() -> u8) {
    crate::ghost::forget_lives();
    RECORDER.with_borrow_mut(|r| match r {
        Some(r) => {
            r.events.clear();
            r.thread = thread;
            r.threads = 1;
            r.stable = 0;
            r.sink = None;
        }
        None => {
            let events = Vec::with_capacity(256);
            *r = Some(Recorder { events, thread, threads: 1, stable: 0, sink: None });
        }
    });
}

/// As [`start`], with events passed on instead of kept.
pub(crate) fn start_with(thread: fn() -> u8, sink: Sink) {
    start(thread);
    RECORDER.with_borrow_mut(|r| {
        if let Some(r) = r {
            r.sink = Some(sink);
        }
    });
}

/// Ends recording and returns what was recorded.
pub(crate) fn take() -> Vec<Event> {
    RECORDER.with_borrow_mut(|r| r.take().map(|r| r.events).unwrap_or_default())
}

/// Appends an operation of the running thread; ignored when nothing records.
#[track_caller]
pub(crate) fn record(action: Action) {
    record_at(Location::caller(), action);
}

/// Replaces the action of the event recorded last.
pub(crate) fn amend(action: Action) {
    RECORDER.with_borrow_mut(|r| {
        if let Some(last) = r.as_mut().and_then(|r| r.events.last_mut()) {
            last.action = action;
        }
    });
}

/// The number of the thread about to be started.
pub(crate) fn next_thread() -> u8 {
    RECORDER.with_borrow_mut(|r| {
        r.as_mut().map_or(0, |r| {
            r.threads += 1;
            r.threads - 1
        })
    })
}

/// [`record`] with a given source line.
pub(crate) fn record_at(place: &'static Location<'static>, action: Action) {
    let whole = RECORDER.with_borrow_mut(|r| {
        let r = r.as_mut()?;
        let event = |r: &Recorder| Event { thread: (r.thread)(), place, action };
        // Judged execution by execution, by the order of its steps.
        match r.sink {
            Some(Sink::All(sink)) => {
                sink(event(r));
                return None;
            }
            Some(Sink::Results(sink)) => {
                if matches!(action, Action::End(..)) {
                    sink(event(r));
                }
                return None;
            }
            None => {}
        }
        let event = event(r);
        r.events.push(event);
        let stable = r.stable >> (event.thread % 64) & 1 == 1;
        action.accessed().filter(|_| !stable).and_then(|label| Some((label, label.whole()?)))
    });
    if let Some((label, whole)) = whole {
        crate::ghost::accessed(label, whole);
    }
}

/// Accesses of `steps` to parts of an object may come after its end: the object is reached by a
/// bare address, and blocks of its type stay readable when they are freed.
pub fn type_stable<T>(steps: impl FnOnce() -> T) -> T {
    let set = |stable: bool| {
        RECORDER.with_borrow_mut(|r| {
            let Some(r) = r else { return };
            if r.sink.is_some() {
                super::causal::stable(stable);
                return;
            }
            let bit = 1 << ((r.thread)() % 64);
            r.stable = if stable { r.stable | bit } else { r.stable & !bit };
        });
    };
    set(true);
    let result = steps();
    set(false);
    result
}
