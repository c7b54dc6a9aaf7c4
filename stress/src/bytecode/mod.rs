//! Whether some order of *bytecodes* gives an outcome that no order of operations gives.
//!
//! The same operations run on the same VM, one thread at a time: before each bytecode that may touch
//! what threads share, the search may give the turn to another thread, and nothing else switches.
//! Executions are repeated on fresh objects, those with fewest preemptions first (iterative context
//! bounding, Musuvathi and Qadeer 2007), until the outcome is there, the tree has no other execution,
//! or a bound is reached. Outcomes are rendered by the code that renders them in the hunt.
//!
//! What real threads gave and no order of bytecodes gives needs two threads inside the VM, or inside
//! an extension, at once. Whose fault it then is, and how bad, is told by [`owner`].
//!
//! # Why fewer switches than bytecodes lose nothing
//! Bytecodes that read and write only the frame's own names and stack, constants, and objects made in
//! this frame commute with every step of another thread, so a switch before them gives what a switch
//! before the next shared bytecode gives. The same holds of reading a global or an attribute whose name
//! no operation's code writes and that lies in a plain dictionary or is a type's method, of entering a
//! Python function so found, and of arithmetic on numbers and strings; unless the code names a way to
//! write that tells no name, as `setattr` or `__dict__`, when none of this is left out. A write by a way
//! that the code does not name, as a `setattr` under another name, is seen: what was passed over is looked
//! at again whenever a thread stops running, and where it has changed all is searched once more without
//! leaving it out. Where C code calls Python code, that code's beginning and its end, by a return or by an
//! exception, are switch points too: C code goes on there without a bytecode of its own. The moment at
//! which a reference is dropped is seen by finalizers, weak references and counts only: where the code
//! names those, or an object's death is seen to run code, dropping bytecodes are switch points too, and
//! because the collector's moment is not searched, such an outcome is never said to be out of reach. A test
//! compares with the search that switches before every bytecode.

pub mod interleaving;
pub mod owner;
mod record;
pub mod written;

use self::interleaving::Interleaving;
use self::owner::Owner;
use crate::choice::Seeded;
use crate::history::exception_type;
use crate::oracle;
use crate::python::quote;
use crate::scenario::Scenario;
use crate::scenario::orders::orders;
use crate::scenario::render::source;
use crate::verdict::{Kind, out_of_time};
use crate::vm::child::{self, Limits, Outcome};
use crate::vm::{Vm, VmError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::time::Duration;

/// The Python side: values and rendering as in [`crate::HARNESS`], then the serialiser and its search.
const SERIALISER: &str = concat!(
    include_str!("../../harness/values.py"),
    "\n\n",
    include_str!("../../harness/render.py"),
    "\n\n",
    include_str!("../../harness/rest.py"),
    "\n\n",
    include_str!("../../harness/bytecode.py")
);

/// How a check's answer is told, and what follows it where it is true when it is asked again, as in
/// `harness/harness.py`.
const CHECK: &str = "check gives ";
const ASKED_AGAIN: &str = ", and True when asked again";

/// Sequential orders that are run first: they show the search all code that operations run.
const ORDERS: usize = 120;

/// What a search may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Seconds of the processor for the search, without the VM's start; of the clock four times as many.
    pub seconds: f64,
    /// Executions.
    pub executions: u64,
    /// Preemptions of an execution; `None`: the whole tree.
    pub preemptions: Option<u32>,
    /// Whether every bytecode is a switch point, as the reduction's own test needs.
    pub unreduced: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            seconds: 10.0,
            executions: 500_000,
            preemptions: None,
            unreduced: false,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// An outcome as the hunt renders it: results thread by thread, then the final state.
    Outcome(String),
    /// The same of orders that keep to what was recorded of real time.
    InTime {
        /// The outcome.
        outcome: String,
        /// What had ended when what began, as [`crate::history::OutOfTime`] has it.
        order: String,
    },
    /// Some operation raises this exception: its text, or its name for any message.
    Raises(String),
    /// The same of an object that may have been through many rounds of the operations.
    Alarm(String),
    /// The scenario's check gives this once all operations are done.
    Check(String),
    /// Every thread waits for a lock that another holds.
    Deadlock,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome(text) => write!(f, "outcome {text}"),
            Self::InTime { outcome, order } => write!(f, "outcome {outcome}, where {order}"),
            Self::Raises(text) | Self::Alarm(text) => write!(f, "an operation raises {text}"),
            Self::Check(text) => write!(f, "the check gives {text}"),
            Self::Deadlock => f.write_str("deadlock"),
        }
    }
}

impl Goal {
    /// What to ask for a failure of this kind and detail, if bytecodes can tell of it: a crash or a leak is
    /// the VM's by itself. An exception that names the VM's inside Python code may raise too, such as
    /// `RecursionError`, and may make false what a check says of its own object.
    pub fn of(kind: Kind, detail: &str, outcome: Option<&str>) -> Option<Self> {
        if kind == Kind::Internal {
            let in_outcome = detail.strip_prefix("raised ");
            let raised = in_outcome.unwrap_or(detail);
            let name = exception_type(raised);
            // Messages say where the stack was full, which other frames move, and where in what many rounds wrote.
            let by_name: &[&str] = match in_outcome {
                Some(_) => &["RecursionError"],
                None => &["RecursionError", "UnicodeDecodeError"],
            };
            let text = if by_name.contains(&name) {
                name
            } else {
                raised
            };
            let goal = in_outcome.map_or(Self::Alarm as fn(String) -> Self, |_| Self::Raises);
            return oracle::is_alarm(name).then(|| goal(text.to_owned()));
        }
        if kind == Kind::Corrupt {
            let given = detail.strip_prefix(CHECK)?;
            return (!given.contains(ASKED_AGAIN)).then(|| Self::Check(given.to_owned()));
        }
        if let (Kind::Outcome, Some((outcome, order))) = (kind, out_of_time(detail)) {
            let (outcome, order) = (outcome.to_owned(), order.to_owned());
            return Some(Self::InTime { outcome, order });
        }
        match (kind, outcome) {
            (Kind::Outcome | Kind::Exception, Some(text)) => Some(Self::Outcome(text.to_owned())),
            (Kind::Deadlock, _) => Some(Self::Deadlock),
            _ => None,
        }
    }

    /// As the serialiser reads it.
    fn text(&self) -> String {
        match self {
            Self::Outcome(text) | Self::InTime { outcome: text, .. } => text.clone(),
            Self::Raises(text) | Self::Alarm(text) => format!("raises {text}"),
            Self::Check(text) => format!("{CHECK}{text}"),
            Self::Deadlock => "deadlock".to_owned(),
        }
    }

    /// The operations to ask about: for an object that may have been through many rounds of them, two rounds.
    pub fn asked_of<'a>(&self, scenario: &'a Scenario) -> Cow<'a, Scenario> {
        if !matches!(self, Self::Alarm(_)) {
            return Cow::Borrowed(scenario);
        }
        let mut twice = scenario.clone();
        for calls in &mut twice.threads {
            calls.extend_from_within(..);
        }
        Cow::Owned(twice)
    }

    /// The answer that a search's is: what two rounds say of many.
    fn answer(&self, found: Answer) -> Answer {
        let why = match (self, &found) {
            (Self::Alarm(_), Answer::NotReachable { .. }) => {
                "no order of bytecodes of two rounds raises it; the object may have been through more"
            }
            (Self::Alarm(_), Answer::Reachable(reached)) if reached.preemptions == 0 => {
                "operations one after another raise it in two rounds, so that an order of bytecodes says nothing"
            }
            _ => return found,
        };
        Answer::Undecided {
            why: why.to_owned(),
        }
    }

    /// The record that orders must keep to, as the serialiser reads it: thread and place of an operation, and
    /// another thread with how many of its operations had ended; all from nought.
    fn before(&self) -> Vec<[usize; 4]> {
        let Self::InTime { order, .. } = self else {
            return Vec::new();
        };
        let numbers = |text: &str| -> Option<[usize; 2]> {
            let (thread, place) = text.trim().split_once('.')?;
            Some([thread.parse().ok()?, place.parse().ok()?])
        };
        let read = |one: &str| {
            let (what, after) = one.split_once(" after ")?;
            let ([t, j], [u, n]) = (numbers(what)?, numbers(after)?);
            Some([t.checked_sub(1)?, j.checked_sub(1)?, u.checked_sub(1)?, n])
        };
        order.split(", ").filter_map(read).collect()
    }
}

/// A schedule as text, `1:4 2:5 1:1`: thread 1 takes four steps, then thread 2 five, and so on. With
/// the same scenario and VM it gives the same execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule(pub String);

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an outcome is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// The order of steps; no other gives the outcome with fewer preemptions.
    pub schedule: Schedule,
    /// Switches away from a thread that could have gone on.
    pub preemptions: u32,
    /// Executions until it was found.
    pub executions: u64,
    /// Whether the order leaves a thread inside Python code that C code called, and that C code may be at
    /// fault: what it read before was changed when it went on.
    #[serde(default)]
    pub called: bool,
    /// What happens, step by step.
    pub interleaving: Interleaving,
}

/// The answer to one [`Goal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// An order of bytecodes gives it, and its schedule gave it again in 10 of 10 executions.
    Reachable(Box<Reached>),
    /// No order with at most so many preemptions gives it; `None`: no order at all.
    NotReachable {
        /// The bound of the search, if it had one.
        preemptions: Option<u32>,
        /// Executions.
        executions: u64,
    },
    /// The search says nothing.
    Undecided {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: u64| if n == 1 { "" } else { "s" };
        match self {
            Self::Reachable(r) => write!(
                f,
                "reached by an order of bytecodes with {} preemption{}, schedule {}{}",
                r.preemptions,
                s(r.preemptions.into()),
                r.schedule,
                if r.called {
                    "; it switches inside Python code that C code called, so either may be at fault"
                } else {
                    ""
                }
            ),
            Self::NotReachable {
                preemptions: None,
                executions,
            } => write!(
                f,
                "no order of bytecodes gives it: all {executions} execution{} were run",
                s(*executions)
            ),
            Self::NotReachable {
                preemptions: Some(most),
                executions,
            } => write!(
                f,
                "no order of bytecodes with at most {most} preemption{} gives it ({executions} execution{}); beyond that undecided",
                s((*most).into()),
                s(*executions)
            ),
            Self::Undecided { why } => write!(f, "undecided: {why}"),
        }
    }
}

/// An answer as it is kept with a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whose fault it is.
    pub owner: Owner,
    /// The answer in words.
    pub answer: String,
    /// Where it was reached: what gives the same execution again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Where it was reached: what happens, a line each, the threads in columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interleaving: Vec<String>,
}

impl Told {
    /// What is kept of an answer.
    pub fn of(answer: &Answer) -> Self {
        let reached = match answer {
            Answer::Reachable(reached) => Some(reached),
            _ => None,
        };
        Self {
            owner: Owner::of(answer),
            answer: answer.to_string(),
            schedule: reached.map(|r| r.schedule.clone()),
            interleaving: reached.map_or_else(Vec::new, |r| r.interleaving.lines()),
        }
    }

    /// Owner and answer in one line.
    pub fn line(&self) -> String {
        match self.owner {
            // The answer says so itself.
            Owner::Undecided => self.answer.clone(),
            owner => format!("{owner}: {}", self.answer),
        }
    }
}

/// What the operations' code does, as far as it decides how an answer is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// It goes through a container's elements inside the VM: a loop, `list(o)`, `x in o`, `o.extend(p)`.
    pub walks: bool,
    /// It sees when objects die.
    pub lifetime: bool,
    /// Steps of each operation that do more than look a name up, by thread and place.
    pub effects: Vec<Vec<u32>>,
}

/// What a search found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// What stops the threads: `sys.monitoring` or `sys.settrace`; empty where there is none.
    pub mechanism: String,
    /// Outcomes of the sequential orders, as the serialised run sees them.
    pub sequential: BTreeSet<String>,
    /// Outcomes that some order of bytecodes gave, the first 200 as text; all of them where the whole tree was run.
    pub outcomes: BTreeSet<String>,
    /// An answer for each goal, in their order.
    pub answers: Vec<Answer>,
    /// What the operations' code does.
    pub code: Code,
    /// Executions in all, the repetitions of found schedules left out.
    pub executions: u64,
    /// Seconds inside the VM.
    pub seconds: f64,
    /// Those of the processor: what other programs took is left out.
    pub processor: f64,
}

/// What a schedule that was given back gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// The outcome of each of ten executions.
    pub outcomes: Vec<String>,
    /// What happens, step by step.
    pub interleaving: Interleaving,
    /// Why it does not fit, if it does not.
    pub refused: Option<String>,
}

/// Asks for one goal, of the operations that it is asked of.
///
/// # Errors
/// When the VM cannot be started. What goes wrong inside it is an [`Answer::Undecided`].
pub fn explain_one(
    vm: &Vm,
    scenario: &Scenario,
    goal: &Goal,
    budget: &Budget,
) -> Result<Explanation, VmError> {
    let asked = goal.asked_of(scenario);
    let mut found = explain(vm, &asked, std::slice::from_ref(goal), budget)?;
    let answer = found.answers.remove(0);
    found.answers.push(goal.answer(answer));
    Ok(found)
}

/// Asks for each goal whether some order of bytecodes of the scenario's operations gives it. Goals with a
/// record of real time are asked alone: all orders of a search keep to the same.
///
/// # Errors
/// When the VM cannot be started. What goes wrong inside it is an [`Answer::Undecided`].
pub fn explain(
    vm: &Vm,
    scenario: &Scenario,
    goals: &[Goal],
    budget: &Budget,
) -> Result<Explanation, VmError> {
    let outcome = run(vm, &job(scenario, goals, budget, None), budget.seconds)?;
    Ok(record::explanation(&outcome, scenario, goals))
}

/// Runs a schedule again, ten times.
///
/// # Errors
/// When the VM cannot be started.
pub fn replay(vm: &Vm, scenario: &Scenario, schedule: &Schedule) -> Result<Replayed, VmError> {
    let budget = Budget::default();
    let outcome = run(
        vm,
        &job(scenario, &[], &budget, Some(schedule)),
        budget.seconds,
    )?;
    Ok(record::replayed(&outcome))
}

fn job(
    scenario: &Scenario,
    goals: &[Goal],
    budget: &Budget,
    schedule: Option<&Schedule>,
) -> String {
    let list = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(", ");
    let lens = scenario.lens();
    let orders = orders(&lens, ORDERS, &mut Seeded::new(0, &[]));
    let orders = list(&mut orders.list.iter().map(|o| {
        let digits: String = o.iter().map(ToString::to_string).collect();
        quote(&digits)
    }));
    let before = goals.iter().flat_map(Goal::before);
    let before = list(&mut before.map(|[t, j, u, n]| format!("({t}, {j}, {u}, {n})")));
    let mut job = format!(
        "{{'src': {}, 'ops': [{}], 'orders': [{orders}], 'goals': [{}], 'seconds': {}, 'executions': {}, 'silence': {}",
        quote(&source(scenario)),
        list(&mut lens.iter().map(usize::to_string)),
        list(&mut goals.iter().map(|g| quote(&g.text()))),
        budget.seconds,
        budget.executions,
        (budget.seconds / 2.0).clamp(1.0, 5.0),
    );
    if !before.is_empty() {
        job += &format!(", 'before': [{before}]");
    }
    if let Some(bound) = budget.preemptions {
        job += &format!(", 'bound': {bound}");
    }
    if budget.unreduced {
        job += ", 'whole': 1";
    }
    if let Some(schedule) = schedule {
        job += &format!(", 'schedule': {}", quote(&schedule.0));
    }
    job + "}"
}

/// Runs the serialiser with its job as one process.
fn run(vm: &Vm, job: &str, seconds: f64) -> Result<Outcome, VmError> {
    run_text(vm, SERIALISER, job, seconds)
}

fn run_text(vm: &Vm, serialiser: &str, job: &str, seconds: f64) -> Result<Outcome, VmError> {
    let mut file = tempfile::Builder::new()
        .prefix("threadbare-")
        .suffix(".py")
        .tempfile()
        .map_err(VmError::Temp)?;
    write!(file, "{serialiser}\n\nexplain({job})\n")
        .and_then(|()| file.flush())
        .map_err(VmError::Temp)?;
    let mut command = vm.command(file.path());
    // The order of a set of strings must not differ between a search and a later replay.
    command.env("PYTHONHASHSEED", "0");
    let total = Duration::from_secs_f64(5.0 * seconds + 120.0);
    let limits = Limits {
        // All is printed at the end.
        silence: total,
        total,
        debugger: false,
        ..Limits::default()
    }
    .slowed(vm.facts.slowness());
    child::run(&mut command, limits).map_err(|source| VmError::Start {
        spec: vm.spec.clone(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Call, Context, Shape};
    use crate::subject::{Form, Guarantee};

    fn scenario(prelude: &str, make: &str, threads: &[&[&str]], observe: &str) -> Scenario {
        let call = |code: &&str| Call {
            code: (*code).to_owned(),
            op: (*code).to_owned(),
            form: Form::Get,
            guarantee: Guarantee::Silent,
            raises: None,
        };
        Scenario {
            make: make.to_owned(),
            threads: threads
                .iter()
                .map(|calls| calls.iter().map(call).collect())
                .collect(),
            shapes: vec![Shape::Stride],
            company: Vec::new(),
            context: Context {
                subject: "test".into(),
                requires: Vec::new(),
                prelude: prelude.to_owned(),
                observe: observe.to_owned(),
                check: None,
                reset: None,
                raises: Vec::new(),
                keeps: false,
                callbacks: false,
                size: 100,
                source: String::new(),
            },
        }
    }

    /// All outcomes with at most two preemptions.
    fn outcomes(
        vm: &Vm,
        serialiser: &str,
        scenario: &Scenario,
        unreduced: bool,
    ) -> BTreeSet<String> {
        let budget = Budget {
            seconds: 60.0,
            preemptions: Some(2),
            unreduced,
            ..Budget::default()
        };
        // Nothing gives this, so that the search runs to its bound.
        let goals = [Goal::Outcome("nothing".into())];
        let job = job(scenario, &goals, &budget, None);
        let outcome = run_text(vm, serialiser, &job, budget.seconds).unwrap();
        let found = record::explanation(&outcome, scenario, &goals);
        assert!(
            matches!(found.answers[0], Answer::NotReachable { .. }),
            "{:?} {}",
            found.answers,
            outcome.stderr
        );
        found.outcomes
    }

    const CODE: &str = "\
G = 0


class Cell(object):
    def __init__(self):
        self.n, self.items, self.d = 0, [1, 2, 3], {}

    def add(self, k):
        before = self.n
        self.n = before + k
        return before

    def swap(self):
        a, self.items = self.items, [7]
        return len(a)

    def pick(self):
        if self.items:
            return self.items.pop()

    def fill(self):
        for i in range(2):
            self.d[i] = self.n

    def closure(self):
        f = lambda: self.n
        return f() + f()


def bump():
    global G
    G = G + 1
    return G
";

    /// What tells of the VM's inside is asked about; what only the VM does is not.
    #[test]
    fn what_is_asked_for_a_failure() {
        let of = |kind, detail| Goal::of(kind, detail, None);
        let text = |text: &str| text.to_owned();
        let alarm = Some(Goal::Alarm(text("SystemError: x")));
        assert_eq!(of(Kind::Internal, "SystemError: x"), alarm);
        let raised = Some(Goal::Raises(text("MemoryError")));
        assert_eq!(of(Kind::Internal, "raised MemoryError"), raised);
        let any = Some(Goal::Alarm(text("RecursionError")));
        assert_eq!(of(Kind::Internal, "RecursionError: deep"), any);
        let far = "UnicodeDecodeError: at 88";
        let any = Some(Goal::Alarm(text("UnicodeDecodeError")));
        assert_eq!(of(Kind::Internal, far), any);
        let raised = Some(Goal::Raises(text(far)));
        let told = format!("raised {far}");
        assert_eq!(of(Kind::Internal, &told), raised);
        assert_eq!(of(Kind::Internal, "src/lib.rs:51: an item"), None);
        let check = Some(Goal::Check(text("False")));
        assert_eq!(of(Kind::Corrupt, "check gives False"), check);
        let passing = "check gives False, and True when asked again";
        assert_eq!(of(Kind::Corrupt, passing), None);
        for kind in [Kind::Crash, Kind::Leak, Kind::Refcount, Kind::Panic] {
            assert_eq!(of(kind, "check gives False"), None);
        }
    }

    /// An object that alarmed had been through rounds, of which two are asked about: what they rule out is not
    /// ruled out, and what one of them after the other gives is no race.
    #[test]
    fn an_alarm_is_asked_of_two_rounds() {
        let scenario = scenario("", "[]", &[&["len(o)"], &["o.append(1)", "o.pop()"]], "0");
        let (alarm, raises) = (Goal::Alarm("E".into()), Goal::Raises("E".into()));
        assert_eq!(alarm.asked_of(&scenario).lens(), [2, 4]);
        assert_eq!(raises.asked_of(&scenario).lens(), [1, 2]);
        let out = || Answer::NotReachable {
            preemptions: None,
            executions: 6,
        };
        let reached = |preemptions| {
            Answer::Reachable(Box::new(Reached {
                schedule: Schedule("1:1".into()),
                preemptions,
                executions: 2,
                called: false,
                interleaving: Interleaving::default(),
            }))
        };
        let owner = |goal: &Goal, answer| Owner::of(&goal.answer(answer));
        assert_eq!(owner(&alarm, out()), Owner::Undecided);
        assert_eq!(owner(&alarm, reached(0)), Owner::Undecided);
        assert_eq!(owner(&alarm, reached(1)), Owner::PythonCode);
        assert_eq!(owner(&raises, out()), Owner::VmOrExtension);
        assert_eq!(owner(&raises, reached(0)), Owner::PythonCode);
    }

    /// What lets go of an object is a step where code sees that: here the last reference is one that `is` drops.
    #[test]
    fn a_switch_while_only_a_passing_reference_is_left() {
        let vm = Vm::open("python3").expect("python3 is on PATH");
        let prelude = "import weakref


class Held(object):
    pass


class Box(object):
    def __init__(self):
        self.told, self.held = [], Held()
        self.ref = weakref.ref(self.held, self.told.append)

    def drop(self):
        self.held = None
        return len(self.told)

    def look(self):
        return self.ref() is None, len(self.told)
";
        let scenario = scenario(prelude, "Box()", &[&["o.drop()"], &["o.look()"]], "0");
        let goals = [Goal::Outcome("0 | (False, 1) | 0".into())];
        let found = explain(&vm, &scenario, &goals, &Budget::default()).unwrap();
        let answer = &found.answers[0];
        assert!(matches!(answer, Answer::Reachable(_)), "{answer}");
    }

    /// Switching before shared bytecodes only gives the outcomes that switching before all of them gives;
    /// if reading and writing attributes were no switch points, it would not.
    #[test]
    fn the_reduction_loses_no_outcome() {
        let vm = Vm::open("python3").expect("python3 is on PATH");
        let blind = SERIALISER.replace(
            " LIST_TO_TUPLE\n",
            " LIST_TO_TUPLE LOAD_ATTR STORE_ATTR LOAD_METHOD\n",
        );
        assert_ne!(blind, SERIALISER);
        let mut missed = 0;
        for threads in [
            [["o.add(1)"], ["o.add(2)"]],
            [["o.swap()"], ["o.pick()"]],
            [["o.pick()"], ["o.pick()"]],
            [["o.closure()"], ["o.add(1)"]],
            [["bump() - bump()"], ["bump() * 0"]],
            [["setattr(o, 'n', 5)"], ["o.add(1)"]],
        ] {
            let threads: Vec<&[&str]> = threads.iter().map(|t| &t[..]).collect();
            let scenario = scenario(CODE, "Cell()", &threads, "(o.n, o.items, sorted(o.d))");
            let all = outcomes(&vm, SERIALISER, &scenario, true);
            assert_eq!(
                outcomes(&vm, SERIALISER, &scenario, false),
                all,
                "{scenario}"
            );
            missed += usize::from(outcomes(&vm, &blind, &scenario, false) != all);
        }
        assert!(missed >= 1, "{missed}");
    }
}
