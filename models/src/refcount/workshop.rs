//! Where threads operate on a few objects, by whatever way of counting, and references are
//! watched.

use super::Count;
use crate::ghost::{Ghost as _, require};
use crate::protocol::{SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::trace::type_stable;
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime};
use crate::verdict::Kind;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

/// No further operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {}

/// What a thread does to object number `n`. An operation whose precondition does not
/// hold (a reference the thread does not have) is skipped, so every list of operations
/// is a valid script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op<E = Nothing> {
    /// Makes a new object in the block.
    New(usize),
    /// Takes one more reference.
    Incref(usize),
    /// Drops a reference.
    Decref(usize),
    /// Tries to get a reference without having one.
    TryIncref(usize),
    /// Reads the object.
    Use(usize),
    /// Hands a reference to thread `.1` before the threads start.
    Give(usize, usize),
    /// Puts a reference into the mailbox, a lock-protected place.
    Send(usize),
    /// Takes a reference out of the mailbox if one is there.
    Recv(usize),
    /// Stores a reference to object `.1` inside object `.0`.
    Own(usize, usize),
    /// Reaches a safe point.
    Poll,
    /// States that every object without references has been freed.
    Settled,
    /// An operation of the scheme.
    Extra(E),
}

impl<E: Debug> Debug for Op<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(o) => write!(f, "new o{o}"),
            Self::Incref(o) => write!(f, "incref o{o}"),
            Self::Decref(o) => write!(f, "decref o{o}"),
            Self::TryIncref(o) => write!(f, "try-incref o{o}"),
            Self::Use(o) => write!(f, "use o{o}"),
            Self::Give(o, t) => write!(f, "give o{o} to T{t}"),
            Self::Send(o) => write!(f, "send o{o}"),
            Self::Recv(o) => write!(f, "receive o{o}"),
            Self::Own(p, c) => write!(f, "o{p} owns o{c}"),
            Self::Poll => write!(f, "poll"),
            Self::Settled => write!(f, "settled"),
            Self::Extra(e) => write!(f, "{e:?}"),
        }
    }
}

/// Threads, objects, and a way of counting.
pub struct Workshop<R: Runtime, C: Count<R>> {
    /// The scheme.
    pub count: C,
    mailbox: std::sync::Arc<[R::Mutex<usize>]>,
    /// References handed out before the threads start; a lock of `std`, invisible to
    /// the engines, because starting a thread already orders it.
    given: std::sync::Mutex<Vec<Vec<usize>>>,
    runtime: PhantomData<fn(R)>,
}

/// A thread in the workshop.
pub struct Worker<R: Runtime, C: Count<R>> {
    thread: C::Thread,
    held: Vec<usize>,
}

impl<R: Runtime, C: Count<R>> Worker<R, C> {
    /// The scheme's part.
    pub fn thread(&mut self) -> &mut C::Thread {
        &mut self.thread
    }

    /// Whether the thread has a reference of object `n`.
    pub fn holds(&self, n: usize) -> bool {
        self.held[n] > 0
    }

    /// The thread has got a reference of object `n` by other means.
    pub fn receive(&mut self, n: usize) {
        self.held[n] += 1;
    }
}

impl<R: Runtime, C: Count<R>> Workshop<R, C> {
    /// The mailboxes, one per object, for finalizers that send.
    pub fn mailbox(&self) -> std::sync::Arc<[R::Mutex<usize>]> {
        self.mailbox.clone()
    }
}

impl<E> Op<E> {
    /// The same operation for a scheme with further ones.
    pub fn lift<F>(self, extra: impl FnOnce(E) -> F) -> Op<F> {
        match self {
            Self::New(n) => Op::New(n),
            Self::Incref(n) => Op::Incref(n),
            Self::Decref(n) => Op::Decref(n),
            Self::TryIncref(n) => Op::TryIncref(n),
            Self::Use(n) => Op::Use(n),
            Self::Give(n, to) => Op::Give(n, to),
            Self::Send(n) => Op::Send(n),
            Self::Recv(n) => Op::Recv(n),
            Self::Own(parent, child) => Op::Own(parent, child),
            Self::Poll => Op::Poll,
            Self::Settled => Op::Settled,
            Self::Extra(e) => Op::Extra(extra(e)),
        }
    }
}

impl<R: Runtime, C: Count<R>> World for Workshop<R, C>
where
    C: Count<R, Faults = Switch<<C as Count<R>>::Mutant>>,
    C::Mutant: Send + Sync + Copy + 'static,
{
    type Op = Op<C::Extra>;
    type Mutant = C::Mutant;
    type Local = Worker<R, C>;

    fn new(shape: Shape, faults: Switch<C::Mutant>) -> Self {
        let mailbox = (0..shape.objects).map(|n| R::Mutex::new(0, Label::nth("mailbox", n)));
        Self {
            count: C::new(shape, faults),
            mailbox: mailbox.collect(),
            given: std::sync::Mutex::new(vec![Vec::new(); shape.threads]),
            runtime: PhantomData,
        }
    }

    fn enter(&self, n: usize) -> Worker<R, C> {
        let thread = self.count.attach(n);
        let mut held = vec![0; self.count.objects().len()];
        let mut given = self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for object in given[n].drain(..) {
            held[object] += 1;
        }
        Worker { thread, held }
    }

    fn step(&self, worker: &mut Worker<R, C>, op: Op<C::Extra>) -> Option<i64> {
        let objects = self.count.objects();
        let thread = &mut worker.thread;
        let held = &mut worker.held;
        if self.count.ended(thread) {
            return SKIPPED;
        }
        match op {
            Op::New(n) => {
                objects[n].ghost.reuse(1);
                self.count.init(thread, &objects[n]);
                objects[n].payload.write(1);
                held[n] += 1;
            }
            Op::Incref(n) if held[n] > 0 => {
                self.count.incref(thread, &objects[n]);
                objects[n].ghost.gain();
                held[n] += 1;
            }
            Op::Decref(n) if held[n] > 0 => {
                objects[n].ghost.lose();
                held[n] -= 1;
                self.count.decref(thread, &objects[n]);
            }
            Op::TryIncref(n) => {
                // From an address alone: headers stay readable when their object is gone.
                let got = type_stable(|| self.count.try_incref(thread, &objects[n]));
                if got {
                    objects[n].ghost.gain();
                    held[n] += 1;
                }
                return Some(i64::from(got));
            }
            Op::Use(n) if held[n] > 0 => {
                objects[n].ghost.touch();
                let seen = objects[n].payload.read();
                require(!R::OBSERVED || seen != 0, Kind::UseAfterFree, || {
                    format!("object[{n}]: its memory was overwritten during a use")
                });
            }
            Op::Give(n, to) if held[n] > 0 => {
                held[n] -= 1;
                let mut given =
                    self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                given[to].push(n);
            }
            Op::Send(n) if held[n] > 0 => {
                held[n] -= 1;
                *self.mailbox[n].lock() += 1;
            }
            Op::Recv(n) => {
                let mut mail = self.mailbox[n].lock();
                let got = *mail > 0;
                if got {
                    *mail -= 1;
                    held[n] += 1;
                }
                return Some(i64::from(got));
            }
            Op::Own(parent, child) if held[parent] > 0 && held[child] > 0 => {
                held[child] -= 1;
                objects[parent].child.write(child + 1);
            }
            Op::Poll => self.count.poll(thread),
            Op::Settled => objects.iter().for_each(|object| object.ghost.settle()),
            Op::Extra(extra) if C::needs(extra).is_none_or(|n| held[n] > 0) => {
                if let Some(n) = C::takes(extra) {
                    held[n] -= 1;
                }
                let result = self.count.extra(thread, extra);
                if let Some(n) = C::gives(extra).filter(|_| result == Some(1)) {
                    held[n] += 1;
                }
                return result;
            }
            _ => return SKIPPED,
        }
        None
    }

    fn exit(&self, worker: Worker<R, C>) {
        self.count.detach(worker.thread);
    }

    fn finish(&self) {
        self.count.settle();
        for (n, object) in self.count.objects().iter().enumerate() {
            if object.ghost.is_dead() {
                continue;
            }
            let Some(is) = self.count.settled(object) else { continue };
            object.ghost.settle();
            let holders = object.ghost.holders();
            require(is == holders, Kind::WrongCount, || {
                format!("object[{n}]: count {is} at quiescence, {holders} reference(s) exist")
            });
        }
    }
}

/// A random script for the family: every thread gets references of some objects and
/// performs arbitrary operations.
pub fn random<E: Copy>(
    threads: usize,
    operations: usize,
    below: &mut dyn FnMut(usize) -> usize,
) -> Scenario<Op<E>> {
    let mut scenario = Scenario::new("random", "any operations on a few objects").objects(2);
    for object in 0..2 {
        scenario.setup.push(Op::New(object));
        for thread in 1..threads {
            if below(3) > 0 {
                scenario.setup.extend([Op::Incref(object), Op::Give(object, thread)]);
            }
        }
    }
    for _ in 0..threads {
        let script = (0..operations).map(|_| {
            let object = below(2);
            match below(8) {
                0 | 1 => Op::Incref(object),
                2 | 3 => Op::Decref(object),
                4 => Op::Use(object),
                5 => Op::Send(object),
                6 => Op::Recv(object),
                _ => Op::Poll,
            }
        });
        scenario.threads.push(script.collect());
    }
    scenario
}

/// What a thread may do to object 0 in a small program.
pub fn letters<E>() -> Vec<Op<E>> {
    vec![Op::Incref(0), Op::Decref(0), Op::Use(0), Op::Send(0), Op::Recv(0)]
}

/// Object 0, and a reference for each thread.
pub fn each<E>(threads: usize) -> Vec<Op<E>> {
    let given = (1..threads).flat_map(|to| [Op::Incref(0), Op::Give(0, to)]);
    std::iter::once(Op::New(0)).chain(given).collect()
}

/// Object 0, and a reference for each thread but the first.
pub fn abroad<E>(threads: usize) -> Vec<Op<E>> {
    let mut setup = each(threads);
    setup.push(if threads > 1 { Op::Give(0, 1) } else { Op::Poll });
    setup
}

/// Whether every operation of a small program may apply: the thread may have a reference by then.
pub fn fits<E: Copy>(scenario: &Scenario<Op<E>>) -> bool {
    may_hold(scenario, |op| op)
}

/// [`fits`] for other operations, each as one of a workshop that takes and needs the same.
pub fn may_hold<Op2: Copy, E>(scenario: &Scenario<Op2>, seen_as: impl Fn(Op2) -> Op<E>) -> bool {
    let threads = scenario.threads.len();
    // At most so many references, by thread and object; the mailbox may have any that was sent.
    let mut held = vec![vec![0usize; scenario.objects]; threads];
    let mut given = held.clone();
    let apply = |held: &mut Vec<usize>, given: &mut Vec<Vec<usize>>, op: Op<E>| match op {
        Op::New(n) | Op::TryIncref(n) | Op::Recv(n) => {
            held[n] += 1;
            true
        }
        Op::Incref(n) if held[n] > 0 => {
            held[n] += 1;
            true
        }
        Op::Give(n, to) if held[n] > 0 => {
            held[n] -= 1;
            given[to][n] += 1;
            true
        }
        Op::Decref(n) | Op::Send(n) if held[n] > 0 => {
            held[n] -= 1;
            true
        }
        Op::Own(parent, child) => held[parent] > 0 && std::mem::take(&mut held[child]) > 0,
        Op::Use(n) => held[n] > 0,
        Op::Poll | Op::Settled | Op::Extra(_) => true,
        Op::Incref(_) | Op::Give(..) | Op::Decref(_) | Op::Send(_) => false,
    };
    for op in &scenario.setup {
        apply(&mut held[0], &mut given, seen_as(*op));
    }
    for (held, given) in held.iter_mut().zip(&given).skip(1) {
        held.clone_from(given);
    }
    let sent = |op: &Op2| matches!(seen_as(*op), Op::Send(_));
    let any_sent = scenario.setup.iter().chain(scenario.threads.iter().flatten()).any(sent);
    scenario.threads.iter().zip(&mut held).all(|(script, held)| {
        script.iter().all(|op| match seen_as(*op) {
            Op::Recv(_) if !any_sent => false,
            op => apply(held, &mut given, op),
        })
    })
}
