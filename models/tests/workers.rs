//! The explorer on one OS thread and on two: the same verdicts and counts, and the search is shared. That
//! every kill is the same is asked where kills are: `tests/protocols.rs`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use threadbare_models::engine::{self, Budget, Engine, Program};
use threadbare_models::enumerate::Start;
use threadbare_models::protocol::{Property, Protocol, Scenario, Shape, Switch, World};
use threadbare_models::runtime::{Atomic as _, Ordering::Relaxed, Runtime};
use threadbare_models::verdict::{Kind, Schedule, Verdict};
use threadbare_models::{catalogue, ghost, mutants};

fn budget(workers: usize) -> Budget {
    Budget { workers, ..Budget::default() }
}

#[test]
fn verdicts_and_counts_do_not_depend_on_workers() {
    for (protocol, scenario) in
        [("buffered", "passed-on"), ("biased", "uses-and-merge"), ("gil", "implicit")]
    {
        let entry = catalogue::find(protocol).expect("listed");
        let check =
            |n| entry.check(Engine::Explorer, scenario, None, budget(n)).expect("its scenario");
        let (one, two) = (check(1), check(2));
        assert!(matches!(one, Verdict::Exhausted(_)), "{protocol} {scenario}: {one}");
        assert_eq!(one, two, "{protocol} {scenario}");
    }
}

mutants! {
    /// The fault of the tally.
    pub enum Mutant {
        /// It is an error if the last thread is through before any other begins.
        LastFirst = "tally-last-first" breaks ["T"] in "adds" by Everywhere;
    }
}

/// OS threads that ran it.
static RAN: Mutex<Option<HashSet<ThreadId>>> = Mutex::new(None);

/// A count that threads add to; every order of their steps is another execution, and the
/// search for the fault has most of them behind it when it comes to the one that shows it.
struct Tally<R: Runtime> {
    count: R::AtomicU32,
    faulty: bool,
    threads: usize,
}

/// A thread, and how many of its steps came before any of another.
struct Local {
    thread: usize,
    ahead: u32,
}

const STEPS: usize = 3;

impl<R: Runtime> World for Tally<R> {
    type Op = ();
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let mut ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ran) = &mut *ran {
            ran.insert(std::thread::current().id());
        }
        let count = R::AtomicU32::new(0, "count");
        Self { count, faulty: faults.0.is_some(), threads: shape.threads }
    }
    fn enter(&self, thread: usize) -> Local {
        Local { thread, ahead: 0 }
    }
    fn step(&self, local: &mut Local, (): ()) -> Option<i64> {
        let before = self.count.fetch_add(1, Relaxed);
        local.ahead += u32::from(before == local.ahead);
        let wrong =
            self.faulty && local.thread + 1 == self.threads && local.ahead as usize == STEPS;
        ghost::require(!wrong, Kind::Invariant, || "the last thread went first".into());
        None
    }
}

struct Adds;

impl Protocol for Adds {
    const NAME: &'static str = "tally";
    const TITLE: &'static str = "Tally";
    const QUESTION: &'static str = "Do workers share a search?";
    const SOURCE: &'static str = "this test";
    const PROPERTIES: &'static [Property] = &[Property {
        id: "T",
        states: "no thread is first",
        broken_by: &[Kind::Invariant.anywhere()],
    }];
    type Mutant = Mutant;
    type Op = ();
    type World<R: Runtime> = Tally<R>;

    fn scenarios() -> Vec<Scenario<()>> {
        let adds = Scenario::new("adds", "every order of nine steps");
        vec![adds.thread([(); STEPS]).thread([(); STEPS]).thread([(); STEPS])]
    }
    fn starts(_: usize) -> Vec<Start<()>> {
        Vec::new()
    }
}

/// What came out, and how many OS threads ran the program.
fn shared_by(workers: usize, fault: Option<Mutant>) -> (Verdict, usize) {
    let ran = || RAN.lock().unwrap_or_else(PoisonError::into_inner);
    *ran() = Some(HashSet::new());
    let program = Program::new::<Adds>(Adds::scenarios().remove(0), fault);
    let verdict = engine::check(Engine::Explorer, program, budget(workers));
    let threads = ran().take().map_or(0, |ran| ran.len());
    (verdict, threads)
}

#[test]
fn workers_share_the_search() {
    let (one, alone) = shared_by(1, None);
    let (two, together) = shared_by(2, None);
    assert_eq!(one, two);
    // Nine steps of three threads in every order: 9! / 3!³.
    assert!(matches!(&one, Verdict::Exhausted(b) if b.executions == 1_680), "{one}");
    // The one that looks how to divide the search, and the workers.
    assert_eq!((alone, together), (1, 3));

    let (one, _) = shared_by(1, Some(Mutant::LastFirst));
    let (two, together) = shared_by(2, Some(Mutant::LastFirst));
    assert_eq!(one, two);
    assert!(together >= 3, "the search for a fault was not shared");
    let failure = two.failure().expect("one order shows it");
    let nth = Schedule::Nth(failure.execution);
    assert!(failure.execution > 1 && failure.schedule == nth, "{failure:?}");
    let program = Program::new::<Adds>(Adds::scenarios().remove(0), Some(Mutant::LastFirst));
    let again = engine::replay(Engine::Explorer, program, &nth);
    assert_eq!(again.expect("it fits"), two);
}
