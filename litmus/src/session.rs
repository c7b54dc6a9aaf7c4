//! Closures as a source of operations.
//!
//! Threads are coroutines on one OS thread. When the cache does not know what a thread
//! does next, the closure is run until every thread has repeated its part of the graph,
//! in an order that respects reads-from, and the thread in question asks for its next
//! operation. A run is kept as long as the graph only grows.

use crate::explore::cache::{Cache, Fault, Note, Source, answer};
use crate::explore::graph::{Event, Graph, Kind, NONE};
use crate::explore::program::{Location, LocationInfo, MemoryOrder, Op, Site, Step, Value, Wait};
use crate::explore::search::End;
use crate::explore::{Execution, Failure};
use crate::observe::{self, Observer};
use crate::picture::message::operation;
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, Location as Caller, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

type Routine = Coroutine<Value, Step, Step>;
type Body = Box<dyn FnOnce()>;

/// A point in a thread's life: the operation last answered, and the answer. With a count
/// it names what the thread creates there, the same in every run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Point {
    thread: u32,
    node: u32,
    answer: Value,
}

/// What a run shares with the operations performed in it.
#[derive(Default)]
struct Shared {
    active: bool,
    thread: u32,
    yielders: Vec<*const Yielder<Value, Step>>,
    points: Vec<Option<Point>>,
    created: Vec<u32>,
    spawned: Vec<u32>,
    /// By thread: what its present turn of an awaiting loop has done.
    turns: Vec<Option<Turn>>,
    /// By thread: its reads since it last did anything else.
    streaks: Vec<Vec<Look>>,
    /// By thread: where its stack begins.
    bases: Vec<usize>,
    /// What stands for the local state of the thread that performs an operation.
    state: u64,
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    states: usize,
    /// By thread: how many weak exchanges may still fail without cause.
    spurious: Vec<u32>,
    locals: HashMap<(u32, usize), Rc<dyn Any>>,
    /// Addresses seen in this run, by number, and back.
    pointers: HashMap<usize, Value>,
    addresses: HashMap<Value, usize>,
    /// Whether the running thread does what it has not done before, so that its notes
    /// are new.
    fresh: bool,
    bodies: HashMap<u32, Body>,
    names: Names,
}

/// Names that outlive runs.
#[derive(Default)]
struct Names {
    locations: HashMap<(Option<Point>, u32), u32>,
    statics: HashMap<usize, u32>,
    infos: Vec<LocationInfo>,
    threads: HashMap<(u32, u32), u32>,
    /// Of a thread that runs the same closure as another: the one started before it.
    elders: HashMap<u32, u32>,
    /// Whether a thread has asked for its handle.
    asked: bool,
    pointers: HashMap<(Option<Point>, u32), Value>,
    /// Places where a thread was taken to spin.
    spins: BTreeSet<String>,
    /// Spurious failures of weak exchanges per thread and execution.
    spurious: u32,
    points: HashMap<Option<Point>, Value>,
    /// What was noted between two operations.
    notes: HashMap<Point, Vec<Note>>,
    fault: Option<String>,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared::default());
}

fn site(caller: &Caller<'_>) -> Site {
    Site {
        file: caller.file().into(),
        line: caller.line(),
        column: caller.column(),
    }
}

/// A read, as one of a loop that only looks.
#[derive(Clone, Copy, Debug)]
struct Look {
    site: usize,
    location: Location,
    answer: Value,
    /// Stands for all local state of the thread.
    state: u64,
}

impl Look {
    fn repeats(&self, other: &Self) -> bool {
        (self.site, self.location, self.answer) == (other.site, other.location, other.answer)
    }
}

/// How many equal turns of a loop that only reads are taken for waiting.
const TURNS: usize = 3;

/// The longest turn that is recognised.
const LONGEST_TURN: usize = 8;

/// The number of reads in a turn, when the latest turns read the same and the last of them
/// left the thread's registers and stack as the one before: then it will go on so until
/// it reads something else. Earlier turns are not compared as closely, since the first may
/// have found leftovers on the stack.
fn spinning(streak: &[Look]) -> Option<usize> {
    (1..=LONGEST_TURN).find(|&turn| {
        streak.len() >= TURNS * turn && {
            let turns: Vec<&[Look]> = streak[streak.len() - TURNS * turn..].chunks(turn).collect();
            let last = turns[TURNS - 1];
            turns
                .iter()
                .all(|t| t.iter().zip(last).all(|(a, b)| a.repeats(b)))
                && turns[TURNS - 2]
                    .iter()
                    .zip(last)
                    .all(|(a, b)| a.state == b.state)
        }
    })
}

/// Stores the registers that calls preserve.
#[inline(always)]
fn save_registers(into: &mut [usize; 10]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies registers into the array, which has room for them.
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx",
            "mov [{0} + 8], rbp",
            "mov [{0} + 16], r12",
            "mov [{0} + 24], r13",
            "mov [{0} + 32], r14",
            "mov [{0} + 40], r15",
            in(reg) into.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]",
            "stp x21, x22, [{0}, 16]",
            "stp x23, x24, [{0}, 32]",
            "stp x25, x26, [{0}, 48]",
            "stp x27, x28, [{0}, 64]",
            in(reg) into.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // No state is then ever the same, and no loop recognised.
        into[0] = SHARED.with_borrow_mut(|shared| {
            shared.states += 1;
            shared.states
        });
    }
}

/// Keeps a hash of the stack of the running thread from `start` to its base.
#[inline(never)]
fn remember_state(start: *const usize) {
    SHARED.with_borrow_mut(|shared| {
        let base = shared.bases[shared.thread as usize];
        let words = base.saturating_sub(start.addr()) / size_of::<usize>();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for n in 0..words {
            // SAFETY: between a local of the running thread and the base of its stack, which
            // is mapped and written by nobody else; volatile, since the words have no type.
            let word = unsafe { start.add(n).read_volatile() };
            hash = (hash ^ word as u64)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(29);
        }
        shared.state = hash;
    });
}

/// One turn of a loop that waits.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Turn {
    /// Reads done.
    pub reads: u32,
    /// Whether it wrote: then the next turn can differ by its own doing.
    pub wrote: bool,
}

/// A turn of a waiting loop begins; what the enclosing one has done so far.
pub(crate) fn begin_turn() -> Option<Turn> {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        shared.turns[thread].replace(Turn::default())
    })
}

/// The turn ends; the enclosing one goes on with what both have done.
pub(crate) fn end_turn(outer: Option<Turn>) -> Turn {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        let turn = shared.turns[thread].take().unwrap_or_default();
        shared.turns[thread] = outer.map(|outer| Turn {
            reads: outer.reads + turn.reads,
            wrote: outer.wrote || turn.wrote,
        });
        turn
    })
}

/// Performs an operation of the running thread.
#[inline(never)]
pub(crate) fn perform(op: Op, caller: &Caller<'_>) -> Value {
    let looks = matches!(op, Op::Load { .. } | Op::CompareExchange { .. });
    if looks && SHARED.with_borrow(|shared| shared.active) {
        let mut registers = [0; 10];
        save_registers(&mut registers);
        remember_state(registers.as_ptr());
    }
    watched(op, caller)
}

/// Performs an operation with an eye on loops that wait.
#[inline(never)]
fn watched(op: Op, caller: &Caller<'_>) -> Value {
    let (active, waiting) =
        SHARED.with_borrow(|s| (s.active, s.active && s.turns[s.thread as usize].is_some()));
    if !active || op.is_last() {
        return submit(op, caller);
    }
    if !waiting {
        let look = match op {
            Op::Load { location, .. } => Some((location, None)),
            Op::CompareExchange {
                location, expected, ..
            } => Some((location, Some(expected))),
            _ => None,
        };
        let state = SHARED.with_borrow(|shared| shared.state);
        let answer = submit(op, caller);
        let turn = SHARED.with_borrow_mut(|shared| {
            let streak = &mut shared.streaks[shared.thread as usize];
            match look {
                Some((location, expected)) if expected != Some(answer) => {
                    let site = std::ptr::from_ref(caller).addr();
                    streak.push(Look {
                        site,
                        location,
                        answer,
                        state,
                    });
                    spinning(streak)
                }
                _ => {
                    streak.clear();
                    None
                }
            }
        });
        if let Some(turn) = turn {
            SHARED.with_borrow_mut(|shared| {
                shared
                    .names
                    .spins
                    .insert(format!("{}:{}", caller.file(), caller.line()));
            });
            block(Wait::Await, turn as u32, caller);
        }
        return answer;
    }
    let op = match op {
        // Tried after everything else, so that fewer executions end blocked.
        Op::Load { location, order } if order != MemoryOrder::Plain => {
            Op::Await { location, order }
        }
        op => op,
    };
    let (reads, expected) = match op {
        Op::Load { .. } | Op::Await { .. } => (true, None),
        Op::CompareExchange { expected, .. } | Op::AwaitExchange { expected, .. } => {
            (true, Some(expected))
        }
        _ => (false, None),
    };
    let writes = matches!(
        op,
        Op::Store { .. } | Op::Update { .. } | Op::Apply { .. } | Op::Spawn(_) | Op::Join(_)
    );
    let answer = submit(op, caller);
    SHARED.with_borrow_mut(|shared| {
        if let Some(turn) = &mut shared.turns[shared.thread as usize] {
            turn.reads += u32::from(reads);
            turn.wrote |= writes || expected == Some(answer);
        }
    });
    answer
}

fn submit(op: Op, caller: &Caller<'_>) -> Value {
    let yielder = SHARED.with_borrow(|shared| {
        shared
            .active
            .then(|| shared.yielders[shared.thread as usize])
    });
    match yielder {
        // SAFETY: the yielder lives on the stack of the coroutine that is running now,
        // registered by that coroutine when it began.
        Some(yielder) => unsafe { &*yielder }.suspend(Step {
            op,
            site: Some(site(caller)),
        }),
        // The execution is over and the thread is being unwound: destructors do nothing.
        None if std::thread::panicking() || SHARED.with_borrow(|s| !s.yielders.is_empty()) => 0,
        None => panic!("{caller}: an explored type was used outside an exploration"),
    }
}

/// Never returns to the thread: the execution ends with it waiting.
pub(crate) fn block(wait: Wait, reads: u32, caller: &Caller<'_>) {
    perform(Op::Block { wait, reads }, caller);
}

/// Keeps a note of the running thread unless an earlier run has kept it already.
pub(crate) fn note(make: impl FnOnce() -> Note) {
    let fresh = SHARED.with_borrow(|shared| shared.active && shared.fresh);
    if fresh {
        let note = make();
        SHARED.with_borrow_mut(|shared| {
            let point = shared.points[shared.thread as usize];
            if let Some(point) = point {
                shared.names.notes.entry(point).or_default().push(note);
            }
        });
    }
}

/// Puts a question to the observer.
pub(crate) fn ask(question: Value, caller: &Caller<'_>) -> Value {
    perform(Op::Observe(question), caller)
}

/// Ends the running thread with a fault that a panic stands for; returns when the thread
/// is being unwound anyway.
pub(crate) fn fail(payload: &(dyn Any + Send), caller: &Caller<'_>) {
    if SHARED.with_borrow(|shared| shared.active) {
        submit(Op::Fail(words(payload).into()), caller);
    }
}

/// The text of a panic.
fn words(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "panicked with a value that is no text".into())
}

/// Whether a weak exchange fails without cause: a choice, as often as allowed.
pub(crate) fn fails_spuriously(caller: &Caller<'_>) -> bool {
    let allowed = SHARED.with_borrow(|s| s.active && s.spurious[s.thread as usize] > 0);
    let fails = allowed && perform(Op::Choose(2), caller) == 1;
    if fails {
        SHARED.with_borrow_mut(|s| s.spurious[s.thread as usize] -= 1);
    }
    fails
}

/// The running thread's value of a key.
pub(crate) fn local(key: usize) -> Option<Rc<dyn Any>> {
    SHARED.with_borrow(|shared| shared.locals.get(&(shared.thread, key)).cloned())
}

/// Sets the running thread's value of a key.
pub(crate) fn set_local(key: usize, value: Rc<dyn Any>) {
    let old = SHARED.with_borrow_mut(|s| s.locals.insert((s.thread, key), value));
    drop(old);
}

/// Drops the running thread's values, which may still perform operations.
fn drop_locals() {
    loop {
        let value = SHARED.with_borrow_mut(|shared| {
            let mine = shared
                .locals
                .keys()
                .filter(|key| key.0 == shared.thread)
                .min()
                .copied();
            mine.and_then(|key| shared.locals.remove(&key))
        });
        if value.is_none() {
            return;
        }
    }
}

/// A number for an address that is the same in every run.
pub(crate) fn intern(address: usize) -> Value {
    if address == 0 {
        return 0;
    }
    SHARED.with_borrow_mut(|shared| {
        if let Some(&number) = shared.pointers.get(&address) {
            return number;
        }
        let thread = shared.thread as usize;
        let key = (
            shared.points.get(thread).copied().flatten(),
            shared.created[thread],
        );
        shared.created[thread] += 1;
        let fresh = shared.names.pointers.len() as Value + 1;
        let number = *shared.names.pointers.entry(key).or_insert(fresh);
        shared.pointers.insert(address, number);
        shared.addresses.insert(number, address);
        number
    })
}

/// The address of a number in this run.
pub(crate) fn address(number: Value) -> usize {
    if number == 0 {
        return 0;
    }
    SHARED.with_borrow(|shared| shared.addresses.get(&number).copied().unwrap_or(0))
}

/// Notes that a thread asks which one it is.
pub(crate) fn tell_apart() {
    SHARED.with_borrow_mut(|shared| shared.names.asked = true);
}

/// The number of the running thread.
pub(crate) fn current() -> u32 {
    SHARED.with_borrow(|shared| shared.thread)
}

/// Stands for all that the running thread has learnt so far.
pub(crate) fn knowledge() -> Value {
    SHARED.with_borrow_mut(|shared| {
        let point = shared.points.get(shared.thread as usize).copied().flatten();
        let fresh = shared.names.points.len() as Value + 1;
        *shared.names.points.entry(point).or_insert(fresh)
    })
}

/// Names a location that the running thread creates.
pub(crate) fn create(name: Option<&str>, initial: Value, bits: u8) -> u32 {
    SHARED.with_borrow_mut(|shared| {
        assert!(
            shared.active,
            "an explored type was created outside an exploration"
        );
        let thread = shared.thread as usize;
        let key = (shared.points[thread], shared.created[thread]);
        shared.created[thread] += 1;
        shared.names.locate(Ok(key), name, initial, bits)
    })
}

/// Names a static location.
pub(crate) fn fixed(address: usize, initial: Value, bits: u8) -> u32 {
    SHARED.with_borrow_mut(|shared| shared.names.locate(Err(address), None, initial, bits))
}

impl Names {
    fn locate(
        &mut self,
        key: Result<(Option<Point>, u32), usize>,
        name: Option<&str>,
        initial: Value,
        bits: u8,
    ) -> u32 {
        let fresh = self.infos.len() as u32;
        let found = match key {
            Ok(key) => *self.locations.entry(key).or_insert(fresh),
            Err(address) => *self.statics.entry(address).or_insert(fresh),
        };
        if found == fresh {
            let name = name.map_or_else(|| format!("a{fresh}").into(), Arc::from);
            self.infos.push(LocationInfo {
                name,
                initial,
                bits,
            });
        } else if self.infos[found as usize].initial != initial {
            self.fault = Some(format!(
                "the program is not deterministic: {} began as {} in one run and as {initial} \
                 in another",
                self.infos[found as usize].name, self.infos[found as usize].initial
            ));
        }
        found
    }
}

/// Starts a thread; its number.
pub(crate) fn spawn(body: Body, elder: Option<u32>, caller: &Caller<'_>) -> u32 {
    let child = SHARED.with_borrow_mut(|shared| {
        let parent = shared.thread;
        let ordinal = shared.spawned[parent as usize];
        shared.spawned[parent as usize] += 1;
        let fresh = shared.names.threads.len() as u32 + 1;
        let child = *shared
            .names
            .threads
            .entry((parent, ordinal))
            .or_insert(fresh);
        shared.bodies.insert(child, body);
        if let Some(elder) = elder {
            shared.names.elders.insert(child, elder);
        }
        child
    });
    perform(Op::Spawn(child), caller);
    child
}

/// How a thread ends.
fn finish(body: Body, key: &Rc<RefCell<Value>>) -> Step {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        body();
        drop_locals();
    }));
    match ended {
        Ok(()) => Op::Return(*key.borrow()).into(),
        Err(payload) => Op::Fail(words(&*payload).into()).into(),
    }
}

thread_local! {
    static RETURNED: RefCell<HashMap<u32, Rc<RefCell<Value>>>> = RefCell::default();
}

/// Sets what stands for the running thread's return value.
pub(crate) fn returns(key: Value) {
    RETURNED.with_borrow(|returned| {
        if let Some(cell) = returned.get(&current()) {
            *cell.borrow_mut() = key;
        }
    });
}

thread_local! {
    /// Stacks to use again: making one is a call of the system.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(mut routine) = self.routine.take() {
            routine.force_unwind();
            STACKS.with_borrow_mut(|stacks| stacks.push(routine.into_stack()));
        }
    }
}

struct Runner {
    /// Always there until the runner is dropped.
    routine: Option<Routine>,
    /// The operation asked for and not yet answered.
    asks: Step,
    /// Events of the graph already repeated, as (node, answer).
    done: Vec<(u32, Value)>,
}

/// One run of the closure.
#[derive(Default)]
struct Run {
    threads: BTreeMap<u32, Runner>,
}

impl Run {
    /// Unwinds what is still under way: the youngest first, for it may borrow from those
    /// that started it.
    fn end(&mut self) {
        let bodies = SHARED.with_borrow_mut(|shared| {
            shared.active = false;
            std::mem::take(&mut shared.bodies)
        });
        drop(bodies);
        while let Some((_, runner)) = self.threads.pop_last() {
            drop(runner);
        }
        let (locals, _) = SHARED.with_borrow_mut(|shared| {
            shared.addresses.clear();
            (
                std::mem::take(&mut shared.locals),
                std::mem::take(&mut shared.pointers),
            )
        });
        drop(locals);
    }
}

impl Run {
    /// Starts a thread; `node` is the operation that spawned it.
    fn start(&mut self, thread: u32, node: u32, body: Body) {
        let key = Rc::new(RefCell::new(0));
        RETURNED.with_borrow_mut(|returned| returned.insert(thread, key.clone()));
        SHARED.with_borrow_mut(|shared| {
            let count = (thread as usize + 1).max(shared.yielders.len());
            shared.yielders.resize(count, std::ptr::null());
            shared.points.resize(count, None);
            shared.created.resize(count, 0);
            shared.spawned.resize(count, 0);
            shared.turns.resize(count, None);
            shared.turns[thread as usize] = None;
            shared.streaks.resize(count, Vec::new());
            shared.streaks[thread as usize].clear();
            shared.spurious.resize(count, 0);
            shared.spurious[thread as usize] = shared.names.spurious;
            shared.points[thread as usize] = Some(Point {
                thread,
                node,
                answer: 0,
            });
            (
                shared.created[thread as usize],
                shared.spawned[thread as usize],
            ) = (0, 0);
        });
        let stack = STACKS
            .with_borrow_mut(Vec::pop)
            .unwrap_or_else(|| DefaultStack::new(256 * 1024).expect("memory for a thread's stack"));
        SHARED.with_borrow_mut(|shared| {
            let count = (thread as usize + 1).max(shared.bases.len());
            shared.bases.resize(count, 0);
            shared.bases[thread as usize] = stack.base().get();
        });
        let mut routine = Coroutine::with_stack(stack, move |yielder, _| {
            SHARED.with_borrow_mut(|shared| shared.yielders[thread as usize] = yielder);
            finish(body, &key)
        });
        let asks = resume(thread, &mut routine, 0);
        self.threads.insert(
            thread,
            Runner {
                routine: Some(routine),
                asks,
                done: Vec::new(),
            },
        );
    }
}

/// Lets a thread run to its next operation.
fn resume(thread: u32, routine: &mut Routine, answer: Value) -> Step {
    SHARED.with_borrow_mut(|shared| {
        (shared.thread, shared.active) = (thread, true);
        let point = shared.points[thread as usize];
        shared.fresh = point.is_some_and(|point| !shared.names.notes.contains_key(&point));
    });
    let result = routine.resume(answer);
    SHARED.with_borrow_mut(|shared| {
        shared.active = false;
        if let Some(point) = shared.points[thread as usize] {
            shared.names.notes.entry(point).or_default();
        }
    });
    match result {
        CoroutineResult::Yield(step) | CoroutineResult::Return(step) => step,
    }
}

/// A closure as a source.
pub(crate) struct Closure<F> {
    program: Arc<F>,
    observer: Arc<dyn Observer>,
    run: Run,
}

impl<F: Fn() + Send + Sync + 'static> Closure<F> {
    pub fn new(program: F, observer: Arc<dyn Observer>, spurious: u32) -> Self {
        SHARED.with_borrow_mut(|shared| {
            *shared = Shared::default();
            shared.names.spurious = spurious;
        });
        Self {
            program: Arc::new(program),
            observer,
            run: Run::default(),
        }
    }

    fn restart(&mut self) {
        self.run.end();
        let program = self.program.clone();
        self.run.start(0, NONE, Box::new(move || program()));
    }

    /// Whether the run did nothing but a part of the graph.
    fn fits(&self, graph: &Graph) -> bool {
        !self.run.threads.is_empty()
            && self.run.threads.iter().all(|(&t, runner)| {
                let state = graph.threads.get(t as usize);
                t == 0 && runner.done.is_empty()
                    || state.is_some_and(|state| {
                        state.live && {
                            let mut own = operations(graph, t);
                            runner.done.iter().all(|&done| {
                                own.next()
                                    .is_some_and(|(_, e)| (e.node, answer(graph, e)) == done)
                            })
                        }
                    })
            })
    }

    /// Repeats the graph.
    fn follow(&mut self, cache: &Cache, graph: &Graph) -> Result<(), Fault> {
        loop {
            let (mut behind, mut moved) = (false, false);
            for t in 0..graph.threads.len() as u32 {
                if !graph.threads[t as usize].live {
                    continue;
                }
                while let Some((position, event)) = self
                    .run
                    .threads
                    .get(&t)
                    .map_or(0, |r| r.done.len())
                    .into_nth(graph, t)
                {
                    behind = true;
                    if !self.run.threads.contains_key(&t) || !self.enabled(graph, position, event) {
                        break;
                    }
                    moved = true;
                    self.repeat(cache, graph, t, event)?;
                }
            }
            if !behind {
                return Ok(());
            }
            if !moved {
                return Err(Fault::program(
                    "internal error: the graph cannot be repeated",
                ));
            }
        }
    }

    /// Whether what an event reads from has been repeated.
    fn enabled(&self, graph: &Graph, _: u32, event: &Event) -> bool {
        let repeated = |t: u32, index: u32| {
            self.run.threads.get(&t).is_some_and(|runner| {
                let done = runner.done.len();
                operations(graph, t)
                    .take(done)
                    .any(|(_, e)| e.index >= index || e.exclusive && e.index + 1 >= index)
            })
        };
        match event.kind {
            Kind::Read if event.rf != NONE => {
                let write = graph.at(event.rf);
                repeated(write.thread, write.index)
            }
            Kind::Join => {
                let events = graph.threads[event.rank as usize].events.len() as u32;
                self.run.threads.contains_key(&event.rank)
                    && (events == 0 || repeated(event.rank, events))
            }
            _ => true,
        }
    }

    /// Answers one operation as the graph says.
    fn repeat(&mut self, cache: &Cache, graph: &Graph, t: u32, event: &Event) -> Result<(), Fault> {
        let Some(runner) = self.run.threads.get_mut(&t) else {
            return Ok(());
        };
        let known = cache.node(event.node);
        if known.op != runner.asks.op {
            return Err(different(t, &known.op, known.site.as_ref(), &runner.asks));
        }
        let value = answer(graph, event);
        runner.done.push((event.node, value));
        SHARED.with_borrow_mut(|shared| {
            shared.points[t as usize] = Some(Point {
                thread: t,
                node: event.node,
                answer: value,
            });
            shared.created[t as usize] = 0;
        });
        if let Op::Spawn(child) = known.op {
            let body = SHARED.with_borrow_mut(|shared| shared.bodies.remove(&child));
            if let Some(body) = body {
                self.run.start(child, event.node, body);
            }
        }
        if let Some(runner) = self.run.threads.get_mut(&t)
            && let Some(routine) = &mut runner.routine
        {
            runner.asks = resume(t, routine, value);
        }
        Ok(())
    }
}

fn different(thread: u32, known: &Op, at: Option<&Site>, asks: &Step) -> Fault {
    let place = |site: Option<&Site>| site.map_or(String::new(), |site| format!(" at {site}"));
    let words = |op: &Op| {
        operation(op, |location| {
            SHARED.with_borrow(|s| s.names.infos[location as usize].name.to_string())
        })
    };
    Fault::program(format!(
        "the program is not deterministic: after the same answers thread {thread} performed \
         {}{} in one run and {}{} in another; time, randomness, hash order and state \
         shared outside the explored types must not decide what a thread does",
        words(known),
        place(at),
        words(&asks.op),
        place(asks.site.as_ref()),
    ))
}

/// The operations of a thread in the graph; an update is its reading event.
fn operations(graph: &Graph, thread: u32) -> impl Iterator<Item = (u32, &Event)> {
    graph.threads[thread as usize]
        .events
        .iter()
        .map(|&p| (p, graph.at(p)))
        .filter(|(_, e)| !(e.kind == Kind::Write && e.exclusive))
}

trait IntoNth {
    fn into_nth(self, graph: &Graph, thread: u32) -> Option<(u32, &Event)>;
}

impl IntoNth for usize {
    fn into_nth(self, graph: &Graph, thread: u32) -> Option<(u32, &Event)> {
        operations(graph, thread).nth(self)
    }
}

impl<F> Drop for Closure<F> {
    fn drop(&mut self) {
        self.run.end();
        let old = SHARED.with_borrow_mut(std::mem::take);
        drop(old);
    }
}

impl<F: Fn() + Send + Sync + 'static> Source for Closure<F> {
    fn start(&mut self, graph: &mut Graph) {
        graph.ensure_thread(0);
        graph.threads[0].live = true;
    }

    fn fetch(&mut self, cache: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault> {
        if !self.fits(graph) {
            self.restart();
        }
        self.follow(cache, graph)?;
        let fault = SHARED.with_borrow_mut(|shared| shared.names.fault.take());
        if let Some(fault) = fault {
            return Err(Fault::program(fault));
        }
        match self.run.threads.get(&thread) {
            Some(runner) => {
                if let Op::Spawn(child) = runner.asks.op
                    && child > 255
                {
                    return Err(Fault::program(
                        "the program starts more than 255 threads: explore a smaller instance",
                    ));
                }
                Ok(runner.asks.clone())
            }
            None => Err(Fault::program("internal error: a thread without its start")),
        }
    }

    fn location(&self, location: u32) -> LocationInfo {
        SHARED.with_borrow(|shared| shared.names.infos[location as usize].clone())
    }

    fn observe(&self, cache: &Cache, graph: &Graph, event: u32, question: Value) -> Value {
        let execution = Execution::new(graph, cache, self, End::Blocked);
        observe::answered(&*self.observer, &execution, event, question)
    }

    fn judge(&self, execution: &Execution<'_>) -> Option<String> {
        self.observer.judge(execution).err()
    }

    fn verify(&mut self, cache: &Cache, graph: &Graph) -> Result<(), Fault> {
        self.restart();
        self.follow(cache, graph)
    }

    fn spins(&self) -> Vec<String> {
        SHARED.with_borrow(|shared| shared.names.spins.iter().cloned().collect())
    }

    fn failed(&self, execution: &Execution<'_>, failure: &Failure) {
        self.observer.failed(execution, failure);
    }

    fn notes(&self, thread: u32, node: u32, answer: Value, into: &mut Vec<Note>) {
        let point = Point {
            thread,
            node,
            answer,
        };
        SHARED.with_borrow(|shared| {
            if let Some(notes) = shared.names.notes.get(&point) {
                into.extend(notes.iter().cloned());
            }
        });
    }

    fn elder(&self, child: u32) -> Option<u32> {
        SHARED.with_borrow(|shared| shared.names.elders.get(&child).copied())
    }

    fn tells_twins_apart(&self) -> bool {
        SHARED.with_borrow(|shared| shared.names.asked && !shared.names.elders.is_empty())
    }

    fn thread_name(&self, thread: u32) -> String {
        if thread == 0 {
            "main".into()
        } else {
            format!("T{thread}")
        }
    }
}

/// The location index as the explorer has it.
pub(crate) fn at(location: u32) -> Location {
    Location(location)
}
