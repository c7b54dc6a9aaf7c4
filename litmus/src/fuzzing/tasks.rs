//! Small threads that run as a [`Program`] and as a closure, from one text of what they do.

use crate::cell::Cell;
use crate::explore::Execution;
use crate::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Update, Value, Wait,
};
use crate::observe::{Observer, note};
use crate::sync::atomic::{AtomicU32, Ordering, fence};
use crate::sync::{Arc, Mutex};
use crate::thread;
use std::collections::BTreeMap;
use std::sync::Arc as StdArc;
use std::sync::Mutex as StdMutex;

/// One thing that a thread does; `usize` names one of two atomic locations.
#[derive(Clone, PartialEq, Debug)]
pub enum Do {
    /// Reads.
    Load(usize, Ordering),
    /// Writes the value.
    Store(usize, Ordering, u32),
    /// Adds 1.
    Add(usize, Ordering),
    /// Expected and new value, orders of success and failure.
    Exchange(usize, u32, u32, Ordering, Ordering),
    /// May fail although it finds what it expects, once a thread.
    Weak(usize, u32, u32, Ordering, Ordering),
    /// A fence.
    Fence(Ordering),
    /// Stores the latest answer plus a number.
    StoreLast(usize, Ordering, u32),
    /// Leaves out the next things unless the latest answer is the value.
    SkipUnless(u32, usize),
    /// `await_until` it is the value.
    Await(usize, Ordering, u32),
    /// The same as a plain loop.
    Spin(usize, Ordering, u32),
    /// Exchanges 0 for 1 in a loop until it succeeds.
    SpinExchange(usize),
    /// Reads until it is not 0, with a heap allocation in the loop's body.
    SpinNonZero(usize, Ordering),
    /// Reads the plain cell.
    CellGet,
    /// Writes the plain cell.
    CellSet(u32),
    /// Takes the mutex.
    Lock,
    /// Gives back what was taken last, if anything.
    Unlock,
    /// Panics if the latest answer is the value.
    FailIf(u32),
}

/// The locations of the program: two atomics, the cell, the mutex.
const CELL: u32 = 2;
const MUTEX: u32 = 3;
/// Number of locations.
pub const LOCATIONS: usize = 4;

/// A small concurrent program.
#[derive(Clone, Debug)]
pub struct Tasks {
    /// What each thread does.
    pub threads: Vec<Vec<Do>>,
    /// Who starts each thread: an earlier one, before anything else that it does, or main.
    pub parents: Vec<Option<usize>>,
    /// Whether main starts its threads from the last to the first.
    pub backwards: bool,
    /// Whether main waits for its threads to end.
    pub joins: bool,
}

/// Performs one thing; an error is the operation that has no answer yet.
trait World {
    fn perform(&mut self, what: &Do) -> Result<u32, Step>;
    fn fail(&mut self, value: u32) -> Result<(), Step>;
}

fn run(code: &[Do], world: &mut dyn World) -> Result<(), Step> {
    let (mut pc, mut last) = (0, 0);
    while let Some(what) = code.get(pc) {
        pc += 1;
        match what {
            Do::SkipUnless(value, n) => pc += if last == *value { 0 } else { *n },
            Do::FailIf(value) if last == *value => world.fail(*value)?,
            Do::FailIf(_) => {}
            Do::StoreLast(l, order, plus) => {
                world.perform(&Do::Store(*l, *order, last + plus))?;
            }
            Do::Store(..) | Do::Fence(_) | Do::CellSet(_) | Do::Lock | Do::Unlock => {
                world.perform(what)?;
            }
            _ => last = world.perform(what)?,
        }
    }
    Ok(())
}

/// Answers from a list.
struct Listed<'a> {
    answers: std::slice::Iter<'a, Value>,
    spurious: u32,
    held: u32,
}

impl Listed<'_> {
    fn ask(&mut self, op: Op) -> Result<u32, Step> {
        match self.answers.next() {
            Some(&answer) => Ok(answer as u32),
            None => Err(op.into()),
        }
    }

    fn waits(&mut self, op: Op, wait: Wait, ends: impl Fn(u32) -> bool) -> Result<u32, Step> {
        let answer = self.ask(op)?;
        if ends(answer) {
            return Ok(answer);
        }
        Err(Op::Block { wait, reads: 1 }.into())
    }
}

fn at(l: usize) -> Location {
    Location(l as u32)
}

impl World for Listed<'_> {
    fn perform(&mut self, what: &Do) -> Result<u32, Step> {
        let load = |location, order: Ordering| Op::Load {
            location,
            order: order.into(),
        };
        let exchange = |l: usize, expected: u32, new: u32, success: Ordering, failure: Ordering| {
            Op::CompareExchange {
                location: at(l),
                expected: expected.into(),
                new: new.into(),
                success: success.into(),
                failure: failure.into(),
            }
        };
        let wait = |l: usize, order: Ordering| Op::Await {
            location: at(l),
            order: order.into(),
        };
        let take = |l: u32| Op::AwaitExchange {
            location: Location(l),
            expected: 0,
            new: 1,
            order: MemoryOrder::Acquire,
        };
        let cell = Location(CELL);
        match *what {
            Do::Load(l, order) => self.ask(load(at(l), order)),
            Do::Store(l, order, value) => self.ask(Op::Store {
                location: at(l),
                order: order.into(),
                value: value.into(),
            }),
            Do::Add(l, order) => self.ask(Op::Update {
                location: at(l),
                order: order.into(),
                update: Update::Add(1),
            }),
            Do::Exchange(l, expected, new, success, failure) => {
                self.ask(exchange(l, expected, new, success, failure))
            }
            Do::Weak(l, expected, new, success, failure) => {
                if self.spurious > 0 && self.ask(Op::Choose(2))? == 1 {
                    self.spurious -= 1;
                    return self.ask(load(at(l), failure));
                }
                self.ask(exchange(l, expected, new, success, failure))
            }
            Do::Fence(order) => self.ask(Op::Fence(order.into())),
            Do::Await(l, order, value) | Do::Spin(l, order, value) => {
                self.waits(wait(l, order), Wait::Await, |found| found == value)
            }
            Do::SpinNonZero(l, order) => {
                self.waits(wait(l, order), Wait::Await, |found| found != 0)
            }
            Do::SpinExchange(l) => self.waits(take(l as u32), Wait::Await, |found| found == 0),
            Do::CellGet => self.ask(Op::Load {
                location: cell,
                order: MemoryOrder::Plain,
            }),
            Do::CellSet(value) => self.ask(Op::Store {
                location: cell,
                order: MemoryOrder::Plain,
                value: value.into(),
            }),
            Do::Lock => {
                self.held += 1;
                self.waits(take(MUTEX), Wait::Lock, |found| found == 0)
            }
            Do::Unlock if self.held == 0 => Ok(0),
            Do::Unlock => {
                self.held -= 1;
                self.ask(Op::Store {
                    location: Location(MUTEX),
                    order: MemoryOrder::Release,
                    value: 0,
                })
            }
            Do::StoreLast(..) | Do::SkipUnless(..) | Do::FailIf(_) => unreachable!("no operation"),
        }
    }

    fn fail(&mut self, value: u32) -> Result<(), Step> {
        Err(Op::Fail(format!("{value} was read").into()).into())
    }
}

impl Tasks {
    /// How often weak exchanges may fail for no reason.
    pub fn spurious(&self) -> u32 {
        let weak = |what: &Do| matches!(what, Do::Weak(..));
        self.threads.iter().flatten().any(weak).into()
    }
}

impl Tasks {
    /// Whether a thread waits in a plain loop. The program has an operation that waits in its place.
    pub fn spins(&self) -> bool {
        let spins = |what: &Do| {
            matches!(
                what,
                Do::Spin(..) | Do::SpinNonZero(..) | Do::SpinExchange(_)
            )
        };
        self.threads.iter().flatten().any(spins)
    }

    /// The same threads, waiting by `await_until`.
    #[must_use]
    pub fn without_loops(mut self) -> Self {
        for what in self.threads.iter_mut().flatten() {
            *what = match *what {
                Do::Spin(l, order, value) => Do::Await(l, order, value),
                Do::SpinNonZero(l, order) => Do::Await(l, order, 1),
                Do::SpinExchange(l) => Do::Exchange(l, 0, 1, Ordering::Acquire, Ordering::Relaxed),
                _ => continue,
            };
        }
        self
    }
}

impl Program for Tasks {
    fn threads(&self) -> usize {
        self.threads.len()
    }

    fn locations(&self) -> Vec<LocationInfo> {
        ["x0", "x1", "cell", "mutex"]
            .into_iter()
            .map(|name| LocationInfo {
                name: name.into(),
                initial: 0,
                bits: if name == "mutex" { 8 } else { 32 },
            })
            .collect()
    }

    fn step(&self, thread: usize, answers: &[Value]) -> Step {
        let mut world = Listed {
            answers: answers.iter(),
            spurious: self.spurious(),
            held: 0,
        };
        let all = run(&self.threads[thread], &mut world).and_then(|()| {
            while world.held > 0 {
                world.perform(&Do::Unlock)?;
            }
            Ok(())
        });
        all.err().unwrap_or_else(|| Op::End.into())
    }
}

/// What the threads of the closure share.
struct Shared {
    x: [AtomicU32; 2],
    cell: Cell<u32>,
    mutex: Mutex<()>,
}

struct Real<'a> {
    shared: &'a Shared,
    held: Vec<crate::sync::MutexGuard<'a, ()>>,
}

impl World for Real<'_> {
    fn perform(&mut self, what: &Do) -> Result<u32, Step> {
        let x = &self.shared.x;
        let found = |result: Result<u32, u32>| result.unwrap_or_else(|found| found);
        Ok(match *what {
            Do::Load(l, order) => x[l].load(order),
            Do::Store(l, order, value) => {
                x[l].store(value, order);
                0
            }
            Do::Add(l, order) => x[l].fetch_add(1, order),
            Do::Exchange(l, expected, new, success, failure) => {
                found(x[l].compare_exchange(expected, new, success, failure))
            }
            Do::Weak(l, expected, new, success, failure) => {
                found(x[l].compare_exchange_weak(expected, new, success, failure))
            }
            Do::Fence(order) => {
                fence(order);
                0
            }
            Do::Await(l, order, value) => x[l].await_until(order, |found| found == value),
            Do::Spin(l, order, value) => {
                while x[l].load(order) != value {
                    std::hint::spin_loop();
                }
                value
            }
            Do::SpinNonZero(l, order) => loop {
                let value = x[l].load(order);
                if value != 0 {
                    break value;
                }
                std::hint::black_box(format!("still {value}"));
            },
            Do::SpinExchange(l) => {
                let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
                while x[l].compare_exchange(0, 1, acquire, relaxed).is_err() {}
                0
            }
            Do::CellGet => self.shared.cell.get(),
            Do::CellSet(value) => {
                self.shared.cell.set(value);
                0
            }
            Do::Lock => {
                self.held.push(self.shared.mutex.lock().unwrap());
                0
            }
            Do::Unlock => {
                drop(self.held.pop());
                0
            }
            Do::StoreLast(..) | Do::SkipUnless(..) | Do::FailIf(_) => unreachable!("no operation"),
        })
    }

    fn fail(&mut self, value: u32) -> Result<(), Step> {
        panic!("{value} was read")
    }
}

/// Which thread of the program one is.
#[derive(Clone, Copy)]
pub struct Me(pub usize);

fn start(tasks: &StdArc<Tasks>, shared: &Arc<Shared>, me: usize) -> thread::JoinHandle<()> {
    let (tasks, shared) = (tasks.clone(), shared.clone());
    thread::spawn(move || {
        note(Me(me));
        for child in (me + 1..tasks.threads.len()).filter(|&t| tasks.parents[t] == Some(me)) {
            start(&tasks, &shared, child);
        }
        let mut world = Real {
            shared: &shared,
            held: Vec::new(),
        };
        let _ = run(&tasks.threads[me], &mut world);
        while world.held.pop().is_some() {}
    })
}

/// The threads as a closure.
pub fn closure(tasks: &Tasks) -> impl Fn() + Send + Sync + 'static {
    let tasks = StdArc::new(tasks.clone());
    move || {
        let shared = Arc::new(Shared {
            x: ["x0", "x1"].map(|name| AtomicU32::named(0, name)),
            cell: Cell::named(0, "cell"),
            mutex: Mutex::named((), "mutex"),
        });
        let mut mine: Vec<usize> = (0..tasks.threads.len())
            .filter(|&t| tasks.parents[t].is_none())
            .collect();
        if tasks.backwards {
            mine.reverse();
        }
        let threads: Vec<_> = mine.iter().map(|&t| start(&tasks, &shared, t)).collect();
        if tasks.joins {
            for thread in threads {
                thread.join().unwrap();
            }
        }
    }
}

/// Collects complete executions as the keys that they have as a [`Program`].
#[derive(Clone, Default)]
pub struct Keys {
    /// Every key, and how often it was visited.
    pub seen: StdArc<StdMutex<BTreeMap<String, u32>>>,
    /// Number of threads.
    pub threads: usize,
}

impl Observer for Keys {
    fn begin_again(&self) {
        self.seen.lock().unwrap().clear();
    }

    fn judge(&self, execution: &Execution<'_>) -> Result<(), String> {
        if execution.is_complete() {
            let key = key(execution, self.threads);
            *self.seen.lock().unwrap().entry(key).or_insert(0) += 1;
        }
        Ok(())
    }
}

/// The key without main and the starts and ends of threads.
pub fn key(execution: &Execution<'_>, threads: usize) -> String {
    let mut order = vec![usize::MAX; threads];
    for noted in execution.notes::<Me>() {
        let index = execution.index_of(noted.thread);
        order[noted.what.0] = index.expect("a thread that made a note");
    }
    // A thread that has not been started is in no order of threads.
    let present: Vec<usize> = order.iter().copied().filter(|&t| t != usize::MAX).collect();
    let names: Vec<usize> = (0..threads).filter(|&t| order[t] != usize::MAX).collect();
    let rest = (0..).take_while(|t| *t <= threads);
    let all: Vec<usize> = present
        .iter()
        .copied()
        .chain(rest.filter(|t| !present.contains(t)))
        .filter(|&t| t <= present.len())
        .collect();
    clean(&execution.key_of(&all), &names, present.len(), threads)
}

/// Parts `head:item;item;` of a key.
fn parts(key: &str) -> Vec<(String, Vec<String>)> {
    let (mut all, mut pieces) = (Vec::new(), key.split(':'));
    let mut head = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let end = piece.rfind([';', ',']).map_or(0, |at| at + 1);
        let (items, next) = piece.split_at(end);
        let items = items.split([';', ',']).filter(|item| !item.is_empty());
        all.push((head, items.map(String::from).collect()));
        head = next.into();
    }
    all
}

fn clean(key: &str, names: &[usize], count: usize, threads: usize) -> String {
    let parts = parts(key);
    let is_memory = |item: &String| !item.starts_with("Spawn") && !item.starts_with("Join");
    // The number of each event without the starts and ends before it.
    let number = |id: &str| {
        let Some((t, n)) = id.split_once('.') else {
            return id.to_string();
        };
        let (t, n): (usize, usize) = (t.parse().unwrap(), n.parse().unwrap());
        let events = &parts
            .iter()
            .find(|(head, _)| *head == format!("T{t}"))
            .unwrap()
            .1;
        let n = events[..n].iter().filter(|item| is_memory(item)).count();
        format!("{}.{n}", names[t])
    };
    let mut text = String::new();
    for t in 0..threads {
        text += &format!("T{t}:");
        let Some(at) = names
            .iter()
            .position(|&name| name == t)
            .filter(|&at| at < count)
        else {
            continue;
        };
        let events = &parts
            .iter()
            .find(|(head, _)| *head == format!("T{at}"))
            .unwrap()
            .1;
        for item in events.iter().filter(|item| is_memory(item)) {
            let item = match item.split_once('<') {
                Some((read, from)) => format!("{read}<{}", number(from)),
                None => item.clone(),
            };
            text += &format!("{item};");
        }
    }
    for l in 0..LOCATIONS {
        text += &format!("{l}:");
        if let Some((_, writes)) = parts.iter().find(|(head, _)| *head == l.to_string()) {
            writes
                .iter()
                .for_each(|id| text += &format!("{},", number(id)));
        }
    }
    text
}
