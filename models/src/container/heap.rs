//! What the containers stand on: blocks that are reused at once and how one is read meanwhile, backing arrays, and
//! the history of calls that is judged at the end.

use crate::ghost::{Ghost as _, require, violation};
use crate::protocol::{Faithful, Shape};
use crate::refcount::Object;
use crate::refcount::atomic::{AtomicCount, Header};
use crate::runtime::causal::{self, Claim, HappensBefore};
use crate::runtime::trace::type_stable;
use crate::runtime::{
    Atomic as _, DataCell as _, Label, Lock as _, Ordering, Ordering::*, Runtime,
};
use crate::verdict::{Breach, Kind, Violation};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use threadbare_linear::{Limits, Operation, Order, Specification, check};

/// Capacity of each array that a list may have, one after the other; the first is none.
const CAPACITIES: [usize; 6] = [0, 1, 2, 4, 4, 4];

/// The largest of them.
pub(super) const CAPACITY: usize = 4;

/// The capacity of array number `n`.
pub(super) fn capacity(n: usize) -> usize {
    CAPACITIES[n]
}

/// What breaks that an object is alive and counted when it is read.
pub(super) const ALIVE: &[Breach] = &[
    Kind::UseAfterFree.at(&["object", "payload", "count"]),
    Kind::PrematureFree.anywhere(),
    Kind::DoubleFree.anywhere(),
    Kind::DataRace.at(&["payload", "child"]),
];

/// What breaks that a failed attempt leaves the counts as they were.
pub(super) const COUNTED: &[Breach] = &[Kind::Leak.anywhere(), Kind::WrongCount.anywhere()];

/// How a read without a lock takes its reference, and what is planted there.
pub struct Attempt {
    /// The order of the increment: what makes the second look current, where nothing else does.
    pub order: Ordering,
    /// The increment does not test for zero.
    pub plain: bool,
    /// A failed attempt keeps its reference.
    pub undo_lost: bool,
}

/// Counted blocks, numbered from one. A dead block's header stays readable, and the block
/// is the next to be handed out.
pub(super) struct Heap<R: Runtime> {
    pub counts: AtomicCount<R, Faithful>,
    free: R::Mutex<Vec<usize>>,
}

impl<R: Runtime> Heap<R> {
    pub fn new(shape: Shape) -> Self {
        Self {
            counts: AtomicCount::with_faults(shape.objects, Faithful),
            free: R::Mutex::new((1..=shape.objects).rev().collect(), "free"),
        }
    }

    pub fn block(&self, n: usize) -> &Object<R, Header<R>> {
        require(n <= self.counts.heap().len(), Kind::TornRead, || {
            "an address that nobody wrote".into()
        });
        &self.counts.heap()[n - 1]
    }

    /// A new object with one reference.
    pub fn make(&self, value: i64) -> usize {
        let n = self.free.lock().pop().expect("enough blocks for every operation");
        let block = self.block(n);
        block.ghost.reuse(1);
        block.payload.write(value as u64);
        self.counts.first_reused(&block.header);
        n
    }

    pub fn value(&self, n: usize) -> i64 {
        self.block(n).payload.read() as i64
    }

    /// One reference less.
    pub fn release(&self, n: usize) {
        let block = self.block(n);
        block.ghost.lose();
        if self.counts.sub(&block.header) {
            block.payload.write(0);
            block.ghost.free();
            self.free.lock().push(n);
        }
    }

    /// The end of a read without a lock, of a block that may be free by now or another object: takes a reference
    /// unless there is none, looks whether the block is `still` what is read, and gives the reference back.
    /// `None` where either fails.
    pub fn attempt(&self, n: usize, how: Attempt, still: impl FnOnce() -> bool) -> Option<i64> {
        let block = self.block(n);
        if how.plain {
            type_stable(|| self.counts.add(&block.header));
        } else if !type_stable(|| self.counts.try_add_reused(&block.header, how.order)) {
            return None;
        }
        block.ghost.gain();
        let value = still().then(|| self.value(n));
        if value.is_none() && how.undo_lost {
            block.ghost.lose();
        } else {
            self.release(n);
        }
        value
    }

    /// At quiescence: every count equals the references.
    pub fn settle(&self) {
        for (n, block) in self.counts.heap().iter().enumerate().filter(|(_, b)| !b.ghost.is_dead())
        {
            block.ghost.settle();
            if self.counts.is_immortal(&block.header) {
                continue;
            }
            let (count, holders) = (self.counts.peek(&block.header), block.ghost.holders());
            require(i64::from(count) == holders, Kind::WrongCount, || {
                format!("object[{n}]: count {count}, {holders} reference(s) exist")
            });
        }
    }
}

/// A backing array; slots hold block numbers.
struct Array<R: Runtime> {
    slots: Box<[R::AtomicUsize]>,
    ghost: R::Ghost,
}

/// All arrays that a list may ever have.
pub(super) struct Arrays<R: Runtime>(Box<[Array<R>]>);

impl<R: Runtime> Arrays<R> {
    /// `fill` is what memory holds before anybody wrote to it.
    pub fn new(fill: usize) -> Self {
        let array = |n: usize| Array {
            slots: SLOTS[n][..capacity(n)]
                .iter()
                .map(|name| R::AtomicUsize::new(fill, Label::of(name)))
                .collect(),
            ghost: R::Ghost::blank(Label::nth("array", n)),
        };
        let arrays = Self((0..CAPACITIES.len()).map(array).collect());
        arrays.allocate(0);
        arrays
    }

    pub fn slot(&self, array: usize, n: usize) -> &R::AtomicUsize {
        self.0[array].ghost.touch();
        require(n < capacity(array), Kind::TornRead, || {
            format!("slot {n} of an array of {}", capacity(array))
        });
        &self.0[array].slots[n]
    }

    pub fn allocate(&self, array: usize) {
        self.0[array].ghost.reuse(0);
    }

    pub fn free(&self, array: usize) {
        self.0[array].ghost.free();
    }

    /// All but this one have been freed.
    pub fn settle_but(&self, current: usize) {
        // Array 0 is none: it stands for lists without one, and is never retired.
        let retired = self.0.iter().enumerate().filter(|(n, _)| *n != current && *n != 0);
        retired.for_each(|(_, array)| array.ghost.settle());
    }
}

/// A finished call.
pub type Call<Op> = Operation<Op, Option<i64>>;

/// What a list does in one thread, as a specification of what it may answer.
struct Sequential<F, Op, S> {
    step: F,
    /// After the set-up.
    start: S,
    op: PhantomData<Op>,
}

impl<S, Op, F> Specification for Sequential<F, Op, S>
where
    S: Clone + Eq + Hash,
    Op: Copy,
    F: Fn(&mut S, Op) -> Option<i64>,
{
    type State = S;
    type Op = Op;
    type Result = Option<i64>;

    fn initial(&self) -> S {
        self.start.clone()
    }

    fn step(&self, state: &S, op: &Op, result: Option<&Option<i64>>) -> Option<S> {
        let mut after = state.clone();
        let answer = (self.step)(&mut after, *op);
        result.is_none_or(|r| *r == answer).then_some(after)
    }
}

/// A thread and its calls.
pub struct Caller<Op> {
    pub(super) thread: usize,
    time: u64,
    calls: Vec<Call<Op>>,
    /// How many of them are the set-up's.
    setup: usize,
    /// What a faulty reader remembers: that it has found the list too short.
    pub(super) short: bool,
}

impl<Op> Caller<Op> {
    /// The calls so far are the set-up's: all others come after them.
    pub fn started(&mut self) {
        self.setup = self.calls.len();
    }
}

/// How many of a thread's calls are the set-up's, and its calls.
type Calls<Op> = (usize, Vec<Call<Op>>);

/// What was asked and answered.
pub(super) struct History<R: Runtime, Op: Send + 'static> {
    /// Per thread: its calls, left here when it ends.
    calls: Box<[R::Mutex<Calls<Op>>]>,
    /// A clock common to all threads, where one runs at a time.
    clock: AtomicU64,
}

impl<R: Runtime, Op: Copy + Debug + Send + Sync + 'static> History<R, Op> {
    pub fn new(shape: Shape) -> Self {
        let calls = |n| R::Mutex::new((0, Vec::new()), Label::nth("history", n));
        Self { calls: (0..shape.threads).map(calls).collect(), clock: AtomicU64::new(0) }
    }

    pub fn enter(&self, thread: usize) -> Caller<Op> {
        Caller { thread, time: 0, calls: Vec::new(), setup: 0, short: false }
    }

    fn now(&self, caller: &mut Caller<Op>) -> u64 {
        caller.time += 1;
        causal::moment(caller.time);
        // Relaxed: the observer's clock must not order what it watches.
        if R::is_sequential() { self.clock.fetch_add(1, Relaxed) } else { caller.time }
    }

    /// Performs a call and remembers it.
    pub fn call(
        &self,
        caller: &mut Caller<Op>,
        op: Op,
        perform: impl FnOnce(Op) -> Option<i64>,
    ) -> Option<i64> {
        let call = self.now(caller);
        let result = perform(op);
        let end = self.now(caller);
        caller.calls.push(Call { thread: caller.thread, op, result: Some(result), call, end });
        result
    }

    pub fn exit(&self, caller: Caller<Op>) {
        *self.calls[caller.thread].lock() = (caller.setup, caller.calls);
    }

    /// The set-up's calls, and all others of threads that have ended.
    pub fn all(&self) -> (Vec<Call<Op>>, Vec<Call<Op>>) {
        let (mut setup, mut calls) = (Vec::new(), Vec::new());
        for thread in &self.calls {
            let (first, mut all) = thread.lock().clone();
            calls.extend(all.split_off(first));
            setup.extend(all);
        }
        (setup, calls)
    }

    /// Requires a sequential order that explains the calls after the set-up. Where one thread runs at a
    /// time it has to respect the common clock. The explorer has none: there a call comes before another
    /// if its end happens before the other's beginning. loom and real threads say neither, and only a
    /// thread's own calls stay in their order.
    pub fn judge<S: Clone + Default + Eq + Hash + Send + Sync + 'static>(
        setup: &[Call<Op>],
        calls: Vec<Call<Op>>,
        sequential: impl Fn(&mut S, Op) -> Option<i64> + Send + Sync + 'static,
    ) {
        Self::decide(setup, calls, Vec::new(), sequential);
    }

    /// The same of the reads of each thread, beside the writes of all.
    pub fn judge_reads<S: Clone + Default + Eq + Hash + Send + Sync + 'static>(
        setup: &[Call<Op>],
        calls: &[Call<Op>],
        reads: fn(&Op) -> bool,
        sequential: impl Fn(&mut S, Op) -> Option<i64> + Copy + Send + Sync + 'static,
    ) {
        // In their places: within a thread, calls are in the order of the list.
        let beside_writes = |kept: &dyn Fn(usize) -> bool| -> Vec<Call<Op>> {
            let calls = calls.iter().enumerate();
            calls.filter(|(n, c)| kept(*n) || !reads(&c.op)).map(|(_, c)| *c).collect()
        };
        let reads: Vec<usize> = (0..calls.len()).filter(|n| reads(&calls[*n].op)).collect();
        for of_thread in reads.chunk_by(|a, b| calls[*a].thread == calls[*b].thread) {
            let together = beside_writes(&|n| of_thread.contains(&n));
            let alone = of_thread.iter().map(|one| beside_writes(&|n| n == *one)).collect();
            Self::decide(setup, together, alone, sequential);
        }
    }

    /// Where no order explains `calls`, one of `parts` is to blame, or all of them together.
    fn decide<S: Clone + Default + Eq + Hash + Send + Sync + 'static>(
        setup: &[Call<Op>],
        calls: Vec<Call<Op>>,
        parts: Vec<Vec<Call<Op>>>,
        sequential: impl Fn(&mut S, Op) -> Option<i64> + Send + Sync + 'static,
    ) {
        let mut start = S::default();
        for call in setup {
            sequential(&mut start, call.op);
        }
        let specification = Sequential { step: sequential, start, op: PhantomData };
        let explained = move |calls: &[Call<Op>], before: Option<HappensBefore<'_>>| {
            // Without limits it is always decided.
            let by = |order| {
                check(&specification, calls, order, Limits::default()).is_explained() != Some(false)
            };
            let Some(before) = before else { return by(Order::RealTime) };
            let end = |n: usize| (calls[n].thread, calls[n].end);
            let call = |n: usize| (calls[n].thread, calls[n].call);
            by(Order::Given(&|a, b| before(end(a), call(b))))
        };
        let broken = move |before: Option<HappensBefore<'_>>| {
            if explained(&calls, before) {
                return None;
            }
            Some(match parts.iter().find(|part| !explained(part, before)) {
                Some(part) => not_linearizable("calls", part),
                None if parts.is_empty() => not_linearizable("calls", &calls),
                None => not_linearizable("reads", &calls),
            })
        };
        let report = |found: Option<Violation>| {
            if let Some(Violation { kind, text }) = found {
                violation(kind, || text);
            }
        };
        if R::is_sequential() {
            return report(broken(None));
        }
        let claim = move |before: HappensBefore<'_>| broken(Some(before));
        if let Err(Claim(claim)) = causal::claim(Claim(Box::new(claim))) {
            // Program order alone.
            report(claim(&|(t, end), (u, call)| t == u && end < call));
        }
    }
}

/// `what` is the violation's place: single calls, or the reads of a thread together.
fn not_linearizable<Op: Debug>(what: &str, calls: &[Call<Op>]) -> Violation {
    let shown = calls
        .iter()
        .map(|c| format!("T{} {:?}={}", c.thread, c.op, c.result.flatten().unwrap_or(0)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    Violation { kind: Kind::NotLinearizable, text: format!("{what}: {shown}") }
}

const SLOTS: [[&str; CAPACITY]; CAPACITIES.len()] = [
    ["a0[0]", "a0[1]", "a0[2]", "a0[3]"],
    ["a1[0]", "a1[1]", "a1[2]", "a1[3]"],
    ["a2[0]", "a2[1]", "a2[2]", "a2[3]"],
    ["a3[0]", "a3[1]", "a3[2]", "a3[3]"],
    ["a4[0]", "a4[1]", "a4[2]", "a4[3]"],
    ["a5[0]", "a5[1]", "a5[2]", "a5[3]"],
];
