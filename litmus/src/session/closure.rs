//! The closure as a source of operations.

use super::handles::leaked;
use super::learnt::{Learnt, Lessons};
use super::run::{Again, Done, Run};
use super::{
    Allowances, EXPLORING, Fact, LAST_OF, Point, SHARED, Shared, knows, learn, number_of, panics,
    readers, watchdog,
};
use crate::explore::cache::{Birth, Cache, Fault, Note, Source, Start, answer};
use crate::explore::graph::{Clock, Event, Graph, Kind, NONE};
use crate::explore::observer::{self, Observer};
use crate::explore::program::{LocationInfo, Op, Site, Step, Value, Wait, operation};
use crate::explore::search::End;
use crate::explore::{Execution, Failure, FailureKind};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A closure as a source.
pub(crate) struct Closure<F> {
    program: Arc<F>,
    observer: Arc<dyn Observer>,
    run: Run,
    /// Whether the run has told something new of an execution that was not complete yet.
    is_on_the_way: bool,
    settled: Vec<Settled>,
}

/// What an exploration of a closure is told besides.
pub(crate) struct Settings {
    pub allowances: Allowances,
    /// How long a thread may go without an operation.
    pub patience: Duration,
    pub learnt: Learnt,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowances: Allowances::default(),
            patience: Duration::from_secs(5),
            learnt: Learnt::default(),
        }
    }
}

/// A run that has been repeated.
struct Settled {
    /// What it did, in order.
    log: Vec<Done>,
    /// What each thread asked for in the end.
    asked: Vec<(u32, Step)>,
    /// How many failing turns were known then.
    turns: usize,
}

/// Runs that are kept to be repeated at the end.
const KEPT: usize = 1_000;

/// Runs that may go where they must not count, one after another; each finds out something.
const AGAIN: usize = 100_000;

impl<F: Fn() + Send + Sync + 'static> Closure<F> {
    pub fn new(
        program: F,
        observer: Arc<dyn Observer>,
        Settings {
            allowances,
            patience,
            learnt,
        }: Settings,
    ) -> Self {
        EXPLORING.set(true);
        panics::watch();
        watchdog::register(patience);
        SHARED.with_borrow_mut(|shared| {
            *shared = Shared::default();
            shared.blind = std::thread::panicking();
            shared.names.allowances = allowances;
            shared.names.lessons = Lessons::new(learnt);
        });
        Self {
            program: Arc::new(program),
            observer,
            run: Run::default(),
            is_on_the_way: false,
            settled: Vec::new(),
        }
    }

    fn start_main(&mut self) -> Result<(), Again> {
        let program = self.program.clone();
        self.run.start(0, 0, NONE, Box::new(move || program()))
    }

    /// Whether the run did nothing but a part of the graph, in an order that the graph allows; finds how far each
    /// thread has got. Equal answers are not enough: where two writes of equal values can be read, what the graph puts
    /// last may have been done already, and whoever is still to come would find its effects in memory.
    fn fits(&mut self, graph: &Graph) -> bool {
        !self.run.threads.is_empty()
            && self.run.threads.iter_mut().all(|(&t, runner)| {
                let state = graph.threads.get(t as usize);
                let Some(state) = state.filter(|state| state.live) else {
                    return t == 0 && runner.done.is_empty();
                };
                runner.at = 0;
                runner.done.iter().all(|done| {
                    let Some(&position) = state.events.get(runner.at) else {
                        return false;
                    };
                    let event = graph.at(position);
                    runner.at = after(graph, t, runner.at);
                    (event.node, answer(graph, event)) == (done.node, done.answer)
                        && Self::needs(graph, event) == done.after
                })
            })
    }

    /// Repeats the graph, until `thread` has done its part.
    fn follow(&mut self, cache: &Cache, graph: &Graph) -> Result<(), Stray> {
        loop {
            let (mut behind, mut moved) = (false, false);
            for t in 0..graph.threads.len() as u32 {
                let state = &graph.threads[t as usize];
                if !state.live {
                    continue;
                }
                loop {
                    let at = self.run.threads.get(&t).map_or(0, |runner| runner.at);
                    // The second half of an update that was not there before.
                    let at = match state.events.get(at) {
                        Some(&position) if is_second_half(graph, position) => at + 1,
                        _ => at,
                    };
                    let Some(&position) = state.events.get(at) else {
                        break;
                    };
                    if is_left_waiting(cache, graph, position) {
                        break;
                    }
                    behind = true;
                    if !self.run.threads.contains_key(&t) || !self.enabled(graph, position) {
                        break;
                    }
                    moved = true;
                    self.repeat(cache, graph, t, at)?;
                }
            }
            if !behind {
                return Ok(());
            }
            if !moved {
                return Err(Fault::program("internal error: the graph cannot be repeated").into());
            }
        }
    }

    /// Has the run do what the graph has, afresh if it does not fit (`fits`, as [`Self::fits`] has just said);
    /// `false` when something has been learnt by which the search is to begin again.
    fn reach(&mut self, cache: &Cache, graph: &Graph, mut fits: bool) -> Result<bool, Fault> {
        for _ in 0..AGAIN {
            let followed = match std::mem::take(&mut fits) {
                true => Ok(()),
                false => {
                    self.run.end();
                    self.start_main()
                }
            };
            let followed = followed
                .map_err(Stray::from)
                .and_then(|()| self.follow(cache, graph));
            match followed {
                Ok(()) => {}
                Err(Stray::Again) => {
                    self.run.end();
                    if self.has_learnt() {
                        return Ok(false);
                    }
                    continue;
                }
                Err(Stray::Fault(fault)) => return Err(fault),
            }
            let fault = SHARED.with_borrow_mut(|shared| shared.names.fault.take());
            return fault.map_or(Ok(true), |fault| Err(Fault::program(fault)));
        }
        Err(Fault::program(
            "the program is not deterministic: a loop waits in one run and goes on in another",
        ))
    }

    /// The event of another thread that must have been repeated before this one.
    fn needs(graph: &Graph, event: &Event) -> Option<(u32, u32)> {
        match event.kind {
            Kind::Read if event.rf != NONE => {
                let write = graph.at(event.rf);
                (write.thread != event.thread).then_some((write.thread, write.index))
            }
            Kind::Join => {
                let child = event.rank;
                Some((child, graph.threads[child as usize].events.len() as u32))
            }
            _ => None,
        }
    }

    fn enabled(&self, graph: &Graph, position: u32) -> bool {
        Self::needs(graph, graph.at(position)).is_none_or(|(t, index)| {
            let runner = self.run.threads.get(&t);
            runner.is_some_and(|runner| runner.at >= index as usize)
        })
    }

    /// Answers one operation as the graph says.
    fn repeat(&mut self, cache: &Cache, graph: &Graph, t: u32, at: usize) -> Result<(), Stray> {
        let event = graph.at(graph.threads[t as usize].events[at]);
        let value = answer(graph, event);
        let known = cache.node(event.node);
        let Some(runner) = self.run.threads.get_mut(&t) else {
            return Ok(());
        };
        if known.op != runner.asks.op {
            return Err(different(t, &known.op, known.site.as_ref(), &runner.asks).into());
        }
        runner.at = after(graph, t, at);
        let starts = matches!(known.op, Op::Spawn(_));
        self.run.is_new |= cache.after(event.node, value).is_none()
            || starts && cache.root(Start::Spawned(event.node)).is_none();
        self.run.answer(Done {
            thread: t,
            node: event.node,
            answer: value,
            // An update's second event may be still to come.
            index: event.index + u32::from(event.kind == Kind::Read && event.exclusive),
            after: Self::needs(graph, event),
        })?;
        Ok(())
    }

    /// Repeats what the run did, if it did anything new: from the last thread to the first,
    /// each as far as it can and begun as late as it can, and with failing turns in front of waits. Whatever the run's
    /// threads have done must not depend on that; a difference is non-determinism, or a loop
    /// that was wrongly taken to wait.
    pub(super) fn settle(&mut self, cache: &Cache) -> Result<(), Fault> {
        if !std::mem::take(&mut self.run.is_new) || self.has_learnt() {
            return Ok(());
        }
        let log = std::mem::take(&mut self.run.log);
        let asked: Vec<(u32, Step)> = self
            .run
            .threads
            .iter()
            .map(|(&t, runner)| (t, runner.asks.clone()))
            .collect();
        let result = self.settle_log(cache, &log, &asked);
        let turns = SHARED.with_borrow(|shared| shared.names.loops.turns_known());
        if self.settled.len() < KEPT {
            self.settled.push(Settled { log, asked, turns });
        }
        result
    }

    /// Once more what was repeated before all ways were known in which waits can be drawn out.
    fn settle_waits(&mut self, cache: &Cache) -> Result<(), Fault> {
        for Settled { log, asked, turns } in std::mem::take(&mut self.settled) {
            let known = SHARED.with_borrow(|shared| shared.names.loops.turns_known());
            if turns < known && !self.has_learnt() {
                self.settle_log(cache, &log, &asked)?;
            }
        }
        Ok(())
    }

    fn settle_log(
        &mut self,
        cache: &Cache,
        log: &[Done],
        asked: &[(u32, Step)],
    ) -> Result<(), Fault> {
        let padded = self.check(cache, log, asked, true);
        let places = SHARED.with_borrow_mut(|shared| std::mem::take(&mut shared.padded));
        let result = match padded {
            Ok(()) => Ok(()),
            Err(_) if self.has_learnt() => Ok(()),
            Err(Stray::Fault(fault)) if places.is_empty() => Err(fault),
            Err(_) => match self.check(cache, log, asked, false) {
                // The waits are none.
                Ok(()) => {
                    for place in places {
                        if knows(Fact::Keeps(place)) {
                            let (file, line, _) = place;
                            return Err(Fault::program(format!(
                                "the loop at {file}:{line} waits, but counts or keeps something \
                                 that matters later: give it an end, or wait by await_until"
                            )));
                        }
                        learn(Fact::Keeps(place));
                    }
                    Ok(())
                }
                Err(Stray::Again) => Err(Fault::program(
                    "the program is not deterministic: a loop that waited in one run went on \
                     in another",
                )),
                Err(Stray::Fault(fault)) => Err(fault),
            },
        };
        self.run.end();
        result
    }

    fn check(
        &mut self,
        cache: &Cache,
        log: &[Done],
        asked: &[(u32, Step)],
        pads: bool,
    ) -> Result<(), Stray> {
        self.run.end();
        SHARED.with_borrow_mut(|shared| (shared.checks, shared.pads) = (true, pads));
        let result = self.check_log(cache, log, asked);
        SHARED.with_borrow_mut(|shared| (shared.checks, shared.pads) = (false, false));
        result
    }

    fn check_log(
        &mut self,
        cache: &Cache,
        log: &[Done],
        asked: &[(u32, Step)],
    ) -> Result<(), Stray> {
        self.start_main()?;
        let mut rest: BTreeMap<u32, VecDeque<Done>> = BTreeMap::new();
        for done in log {
            rest.entry(done.thread).or_default().push_back(*done);
        }
        // How far each thread is, as the index of its last event.
        let most = log.iter().map(|done| done.thread).max().unwrap_or(0);
        let mut reached = vec![0_u32; most as usize + 1];
        while !rest.is_empty() {
            let ready = rest.iter().rev().find(|(t, left)| {
                let after = left.front().and_then(|done| done.after);
                self.run.threads.contains_key(t)
                    && after.is_none_or(|(other, index)| {
                        // A thread that has done nothing may have been joined.
                        self.run.threads.contains_key(&other)
                            && reached.get(other as usize).copied().unwrap_or(0) >= index
                    })
            });
            let Some((&t, _)) = ready else {
                if self.run.begin_one()? {
                    continue;
                }
                return Err(Fault::program("internal error: a run cannot be repeated").into());
            };
            let Some(done) = rest.get_mut(&t).and_then(VecDeque::pop_front) else {
                rest.remove(&t);
                continue;
            };
            let known = cache.node(done.node);
            let asks = &self.run.threads[&t].asks;
            if known.op != asks.op {
                return Err(different(t, &known.op, known.site.as_ref(), asks).into());
            }
            reached[t as usize] = done.index;
            self.run.answer(done)?;
        }
        while self.run.begin_one()? {}
        for (t, step) in asked {
            let asks = self.run.threads.get(t).map(|runner| &runner.asks);
            if let Some(asks) = asks.filter(|asks| asks.op != step.op) {
                return Err(different(*t, &step.op, step.site.as_ref(), asks).into());
            }
        }
        Ok(())
    }
}

/// Why a run did not get where it was to get.
enum Stray {
    Again,
    Fault(Fault),
}

impl From<Again> for Stray {
    fn from(_: Again) -> Self {
        Self::Again
    }
}

impl From<Fault> for Stray {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Whether the event is a read by which its thread has found that it waits on. The run leaves the thread asking:
/// nothing follows, and when the read reads something else the run can go on.
fn is_left_waiting(cache: &Cache, graph: &Graph, position: u32) -> bool {
    let event = graph.at(position);
    event.kind == Kind::Read && !event.exclusive && cache.waits(event.node, event.value).is_some()
}

/// The second event of an update.
fn is_second_half(graph: &Graph, position: u32) -> bool {
    let event = graph.at(position);
    event.kind == Kind::Write && event.exclusive
}

/// The event of the thread's next operation after the one at `at`.
fn after(graph: &Graph, thread: u32, at: usize) -> usize {
    let events = &graph.threads[thread as usize].events;
    match events.get(at + 1) {
        Some(&next) if is_second_half(graph, next) => at + 2,
        _ => at + 1,
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
        "the program is not deterministic: after the same answers {} performed \
         {}{} in one run and {}{} in another; time, randomness, hash order and state \
         shared outside the explored types must not decide what a thread does",
        SHARED.with_borrow(|shared| shared.names.paths.name(thread)),
        words(known),
        place(at),
        words(&asks.op),
        place(asks.site.as_ref()),
    ))
}

/// Stands for the last operation of `thread` in the prefix of `event`, and so for all that
/// the thread had done and learnt by then.
fn last_of(graph: &Graph, thread: u32, event: u32) -> Value {
    let count = graph.seen(event, Clock::Prefix, thread);
    let Some(last) = (count as usize).checked_sub(1) else {
        return 0;
    };
    let last = graph.at(graph.threads[thread as usize].events[last]);
    number_of(vec![last.node.into(), answer(graph, last)])
}

impl<F> Drop for Closure<F> {
    fn drop(&mut self) {
        self.run.end();
        let old = SHARED.with_borrow_mut(std::mem::take);
        drop(old);
        EXPLORING.set(false);
    }
}

impl<F: Fn() + Send + Sync + 'static> Source for Closure<F> {
    fn start(&mut self, graph: &mut Graph) {
        graph.ensure_thread(0);
        graph.threads[0].live = true;
    }

    fn fetch(&mut self, cache: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault> {
        let fits = self.fits(graph);
        if !fits {
            self.settle(cache)?;
        }
        if !self.reach(cache, graph, fits)? {
            // The search begins again.
            let (wait, reads) = (Wait::Assume, 0);
            return Ok(Op::Block { wait, reads }.into());
        }
        let Some(runner) = self.run.threads.get(&thread) else {
            return Err(Fault::program("internal error: a thread without its start"));
        };
        if let Op::Spawn(child) = runner.asks.op
            && child > 255
        {
            return Err(Fault::program(
                "the program starts more than 255 threads: explore a smaller instance",
            ));
        }
        self.run.is_new = true;
        self.is_on_the_way = true;
        Ok(runner.asks.clone())
    }

    fn complete(&mut self, cache: &Cache, graph: &Graph) -> Result<(), Fault> {
        if std::mem::take(&mut self.is_on_the_way) && self.fits(graph) {
            self.reach(cache, graph, true)?;
        }
        Ok(())
    }

    fn begin_again(&self) {
        self.observer.begin_again();
    }

    fn lessons(&self) -> Vec<u32> {
        SHARED.with_borrow(|shared| shared.names.lessons.known.iter().copied().collect())
    }

    fn has_learnt(&self) -> bool {
        SHARED.with_borrow(|shared| shared.names.lessons.new)
    }

    fn is_timeless(&self) -> bool {
        SHARED.with_borrow(|shared| shared.names.timeless)
    }

    fn location(&self, location: u32) -> LocationInfo {
        SHARED.with_borrow(|shared| shared.names.infos[location as usize].clone())
    }

    fn first_value(&self, location: u32) -> (Value, u8) {
        SHARED.with_borrow(|shared| shared.names.infos[location as usize].first_value())
    }

    fn numbers_threads_alike(&self) -> bool {
        false
    }

    fn numbers_locations_alike(&self) -> bool {
        false
    }

    fn birth(&self, location: u32) -> Option<Birth> {
        SHARED.with_borrow(|shared| shared.names.births[location as usize])
    }

    fn observe(&self, cache: &Cache, graph: &Graph, event: u32, question: Value) -> Value {
        if question & LAST_OF != 0 {
            return last_of(graph, (question ^ LAST_OF) as u32, event);
        }
        let execution = Execution::new(graph, cache, self, End::Blocked);
        observer::answered(&*self.observer, &execution, event, question)
    }

    fn judge(&self, execution: &Execution<'_>) -> Option<Fault> {
        let leaked = execution.is_complete().then(|| leaked(execution.graph));
        match leaked.flatten() {
            Some(((file, line, _), handles)) => Some(Fault {
                kind: FailureKind::Leak,
                message: format!(
                    "leak: of the Arc made at {file}:{line}, {handles} {} not dropped at the end",
                    if handles == 1 {
                        "handle is"
                    } else {
                        "handles are"
                    }
                ),
                events: Vec::new(),
            }),
            None => self.observer.judge(execution).err().map(Fault::property),
        }
    }

    fn settle(&mut self, cache: &Cache) -> Result<(), Fault> {
        Self::settle(self, cache)?;
        self.settle_waits(cache)
    }

    fn pause(&mut self, cache: &Cache, needed: &mut FxHashSet<u32>) -> Result<(), Fault> {
        Self::settle(self, cache)?;
        self.run.end();
        let logs = self.settled.iter().flat_map(|settled| &settled.log);
        needed.extend(logs.map(|done| done.node));
        Ok(())
    }

    fn forget(&mut self, lives: &FxHashSet<u32>) {
        SHARED.with_borrow_mut(|shared| shared.names.forget(lives));
    }

    fn left_out(&self) -> Vec<&'static str> {
        SHARED.with_borrow(|shared| {
            let names = &shared.names;
            let behind = readers::left_out(&names.locks);
            names.left_out.iter().copied().chain(behind).collect()
        })
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

    fn elder(&self, graph: &Graph, parent: u32, child: u32) -> Option<u32> {
        let point = match graph.last(parent) {
            NONE => match graph.threads[parent as usize].base {
                NONE => (NONE, 0),
                base => (graph.at(base).node, 0),
            },
            last => (graph.at(last).node, answer(graph, graph.at(last))),
        };
        let point = Point {
            thread: parent,
            node: point.0,
            answer: point.1,
        };
        SHARED.with_borrow(|shared| shared.names.elders.get(&(point, child)).copied())
    }

    fn tells_twins_apart(&self) -> bool {
        SHARED.with_borrow(|shared| shared.names.asked && !shared.names.elders.is_empty())
    }

    fn thread_name(&self, thread: u32) -> String {
        SHARED.with_borrow(|shared| shared.names.paths.name(thread))
    }

    fn path(&self, thread: u32) -> u64 {
        SHARED.with_borrow(|shared| shared.names.paths.number(thread))
    }
}
