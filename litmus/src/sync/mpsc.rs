//! Channels, as those of `std::sync::mpsc`.
//!
//! A message is taken out after it was put in, and what its sender did before is then visible:
//! more `std` does not promise. In particular a sender learns nothing of other senders, nor of what the
//! receiver did, except where a [`sync_channel`] without room lets it wait until its message is taken.
//! (A receiver here also sees what was done before messages that came *before* its call and that it
//! has not taken yet. No race is lost by that: there is an execution in which they came after.)

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::content;
use super::located::Located;
use crate::explore::program::MemoryOrder::{self, Acquire, Relaxed, Release};
use crate::explore::program::{Guard, Op, Update, Value, Wait};
use crate::session;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location as Caller;
use std::sync::Arc as StdArc;
use std::time::Duration;

/// Somebody changes the channel. The word's other bits stand for its state.
const BUSY: Value = 1;
/// There is a message, or will never be one again.
const READABLE: Value = 2;
/// There is room, or nobody who would take a message.
const WRITABLE: Value = 4;

/// In the count of messages taken: no more will be.
const CLOSED: Value = Value::MAX;

/// None of the bits but these is set among [`BUSY`] and them.
const fn free_and(bits: Value) -> Guard {
    Guard {
        mask: BUSY | bits,
        value: bits,
        equal: true,
    }
}

struct Channel<T> {
    word: Located,
    /// Messages taken, which who sends without room waits for.
    taken: Located,
    /// Sending handles ever made. Making one is no operation: who makes one has one, so the last
    /// to be dropped finds them all made, and no other does.
    made: Cell<u64>,
    state: RefCell<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    /// How many messages there is room for.
    room: Option<usize>,
    /// Messages put in.
    put: Value,
    /// Sending handles dropped.
    dropped: u64,
    has_senders: bool,
    has_receiver: bool,
}

// SAFETY: explored threads run one at a time, on one OS thread; the messages are reached by who
// has made the channel busy.
unsafe impl<T: Send> Send for Channel<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Channel<T> {}

impl<T> State<T> {
    /// Without room for any, one message may lie there, whose sender waits.
    fn is_full(&self) -> bool {
        self.room
            .is_some_and(|room| self.queue.len() >= room.max(1))
    }

    fn is_rendezvous(&self) -> bool {
        self.room == Some(0)
    }

    /// What the word is when nobody changes the channel.
    fn word(&self) -> Value {
        let words = match content::is_read::<T>() {
            true => {
                let fixed = [self.put, self.dropped, self.has_receiver.into()];
                fixed
                    .into_iter()
                    .chain(self.queue.iter().map(content::key))
                    .collect()
            }
            false => vec![Value::MAX - 1, session::knowledge()],
        };
        let readable = !self.queue.is_empty() || !self.has_senders;
        let writable = !self.is_full() || !self.has_receiver;
        let flag = |is: bool, bit| if is { bit } else { 0 };
        session::number_of(words) | flag(readable, READABLE) | flag(writable, WRITABLE)
    }
}

impl<T> Channel<T> {
    fn new(room: Option<usize>) -> StdArc<Self> {
        StdArc::new(Self {
            // All handles together are the channel: its end is that of none of them.
            word: Located::inner(Some("channel"), WRITABLE, 64),
            taken: Located::inner(Some("channel's messages taken"), 0, 64),
            made: Cell::new(1),
            state: RefCell::new(State {
                queue: VecDeque::new(),
                room,
                put: 0,
                dropped: 0,
                has_senders: true,
                has_receiver: true,
            }),
        })
    }

    /// Makes the channel busy as soon as the guard holds.
    fn enter(
        &self,
        guard: Guard,
        order: MemoryOrder,
        wait: Wait,
        caller: &'static Caller<'static>,
    ) {
        let op = Op::AwaitUpdate {
            location: self.word.at(caller),
            guard,
            update: Update::Or(BUSY),
            order,
        };
        session::wait(op, |found| guard.holds(found), wait, caller);
    }

    /// What the running thread made of the channel is its state. An update, so that a message goes on
    /// being published whoever comes after.
    fn leave(&self, order: MemoryOrder, caller: &'static Caller<'static>) {
        let word = self.state.borrow().word();
        let op = Op::Update {
            location: self.word.at(caller),
            order,
            update: Update::Swap(word),
        };
        session::perform(op, caller);
    }

    /// The running thread says how many messages have been taken.
    fn tell_taken(&self, number: Value, caller: &'static Caller<'static>) {
        let op = Op::Store {
            location: self.taken.at(caller),
            order: Release,
            value: number,
        };
        session::perform(op, caller);
    }

    fn send(&self, message: T, caller: &'static Caller<'static>) -> Result<(), SendError<T>> {
        self.enter(free_and(WRITABLE), Relaxed, Wait::Await, caller);
        match self.put(message, caller) {
            Ok(number) if self.state.borrow().is_rendezvous() => self.wait_for(number, caller),
            Ok(_) => Ok(()),
            Err(message) => Err(SendError(message)),
        }
    }

    /// Puts a message into a channel with room, which is busy; its number.
    fn put(&self, message: T, caller: &'static Caller<'static>) -> Result<Value, T> {
        let mut state = self.state.borrow_mut();
        let result = if state.has_receiver {
            state.put += 1;
            state.queue.push_back(message);
            Ok(state.put)
        } else {
            Err(message)
        };
        drop(state);
        self.leave(Release, caller);
        result
    }

    /// Waits until a message has been taken.
    fn wait_for(
        &self,
        number: Value,
        caller: &'static Caller<'static>,
    ) -> Result<(), SendError<T>> {
        let op = Op::Await {
            location: self.taken.at(caller),
            order: Acquire,
        };
        let taken = session::perform(op, caller);
        if taken < number {
            session::block(Wait::Await, 1, caller);
        }
        // The receiver is gone, and nobody else puts one in any more.
        match self.state.borrow_mut().queue.pop_front() {
            Some(message) if taken == CLOSED => Err(SendError(message)),
            Some(_) => unreachable!("the next message comes after this one is taken"),
            None => Ok(()),
        }
    }

    /// Takes a message out of a channel that is busy; `None` where there is none.
    fn take(&self, caller: &'static Caller<'static>) -> Result<T, TryRecvError> {
        let mut state = self.state.borrow_mut();
        let message = state.queue.pop_front();
        let (number, waits) = (state.put, state.is_rendezvous());
        let none = match state.has_senders {
            true => TryRecvError::Empty,
            false => TryRecvError::Disconnected,
        };
        drop(state);
        if waits && message.is_some() {
            self.tell_taken(number, caller);
        }
        self.leave(Relaxed, caller);
        message.ok_or(none)
    }

    fn try_receive(&self, caller: &'static Caller<'static>) -> Result<T, TryRecvError> {
        self.enter(Guard::clear(BUSY), Acquire, Wait::Lock, caller);
        self.take(caller)
    }

    fn receive(&self, wait: Wait, caller: &'static Caller<'static>) -> Result<T, TryRecvError> {
        self.enter(free_and(READABLE), Acquire, wait, caller);
        self.take(caller)
    }

    fn drop_sender(&self, caller: &'static Caller<'static>) {
        if session::is_over() {
            return;
        }
        self.enter(Guard::clear(BUSY), Relaxed, Wait::Lock, caller);
        let mut state = self.state.borrow_mut();
        state.dropped += 1;
        state.has_senders = state.dropped < self.made.get();
        drop(state);
        self.leave(Release, caller);
    }

    fn drop_receiver(&self, caller: &'static Caller<'static>) {
        if session::is_over() {
            return;
        }
        self.enter(Guard::clear(BUSY), Acquire, Wait::Lock, caller);
        let mut state = self.state.borrow_mut();
        state.has_receiver = false;
        let waits = state.is_rendezvous();
        // Who waits for its message to be taken has it back.
        let rest = match waits {
            true => VecDeque::new(),
            false => std::mem::take(&mut state.queue),
        };
        drop(state);
        if waits {
            self.tell_taken(CLOSED, caller);
        }
        self.leave(Relaxed, caller);
        drop(rest);
    }
}

/// A channel with room for any number of messages.
///
/// ```
/// use threadbare_litmus::{explore, sync::mpsc, thread};
///
/// let report = explore(|| {
///     let (sender, receiver) = mpsc::channel();
///     let other = sender.clone();
///     thread::spawn(move || other.send(1).unwrap());
///     thread::spawn(move || sender.send(2).unwrap());
///     let mut both: Vec<i32> = receiver.iter().collect();
///     both.sort();
///     assert_eq!(both, [1, 2]);
/// });
/// assert!(report.exhaustive);
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None);
    (Sender(channel.clone()), Receiver(channel))
}

/// A channel with room for so many messages: who sends one more waits. Without room, who sends
/// waits until the message is taken.
pub fn sync_channel<T>(room: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(room));
    (SyncSender(channel.clone()), Receiver(channel))
}

macro_rules! sender {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T>(StdArc<Channel<T>>);

        impl<T> $name<T> {
            /// Sends a message; waits where there is no room.
            ///
            /// # Errors
            /// The message, when the receiver is gone.
            #[track_caller]
            pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                self.0.send(message, Caller::caller())
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                self.0.made.set(self.0.made.get() + 1);
                Self(self.0.clone())
            }
        }

        impl<T> Drop for $name<T> {
            #[track_caller]
            fn drop(&mut self) {
                self.0.drop_sender(Caller::caller());
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

sender! {
    /// Sends into a [`channel`].
    Sender
}
sender! {
    /// Sends into a [`sync_channel`].
    SyncSender
}

impl<T> SyncSender<T> {
    /// Sends a message if there is room.
    ///
    /// # Errors
    /// The message, when there is no room or the receiver is gone.
    ///
    /// # Panics
    /// The exploration ends with a refusal for a channel without room: whether the receiver is waiting
    /// at that moment is a matter of time, of which executions have none.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let caller = Caller::caller();
        if self.0.state.borrow().is_rendezvous() {
            let why = "try_send into a channel without room is not explored: it depends on whether the \
                       receiver waits at that moment; use send, or sync_channel(1)";
            session::refuse(why, caller);
        }
        self.0
            .enter(Guard::clear(BUSY), Relaxed, Wait::Lock, caller);
        let state = self.0.state.borrow();
        if state.has_receiver && state.is_full() {
            drop(state);
            self.0.leave(Relaxed, caller);
            return Err(TrySendError::Full(message));
        }
        drop(state);
        let result = self.0.put(message, caller);
        result.map(drop).map_err(TrySendError::Disconnected)
    }
}

/// Receives what is sent into a [`channel`] or a [`sync_channel`].
pub struct Receiver<T>(StdArc<Channel<T>>);

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// When there is none and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let received = self.0.receive(Wait::Await, Caller::caller());
        received.map_err(|_| RecvError)
    }

    /// A message, if there is one.
    ///
    /// # Errors
    /// When there is none.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_receive(Caller::caller())
    }

    /// Waits for a message, or until the time is up, which may be at once: as often in each thread as
    /// [`Explorer::time_outs`](crate::Explorer::time_outs) says.
    ///
    /// # Errors
    /// When there is none.
    #[track_caller]
    pub fn recv_timeout(&self, _: Duration) -> Result<T, RecvTimeoutError> {
        let caller = Caller::caller();
        let received = if session::times_out(caller) {
            self.0.try_receive(caller)
        } else {
            // That it waits for ever is no deadlock: it would time out.
            self.0.receive(Wait::Assume, caller)
        };
        received.map_err(|none| match none {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// All messages until the senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// The messages that there are.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        self.0.drop_receiver(Caller::caller());
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

/// See [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T>(&'a Receiver<T>);

/// The messages of a receiver that ends with it.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}
