//! The closure as a source of operations.

use super::run::{Run, resume};
use super::{Point, SHARED, Shared};
use crate::explore::cache::{Cache, Fault, Note, Source, answer};
use crate::explore::graph::{Event, Graph, Kind, NONE};
use crate::explore::program::{LocationInfo, Op, Site, Step, Value};
use crate::explore::search::End;
use crate::explore::{Execution, Failure};
use crate::observe::{self, Observer};
use crate::picture::message::operation;
use std::sync::Arc;

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

    fn first_value(&self, location: u32) -> (Value, u8) {
        SHARED.with_borrow(|shared| shared.names.infos[location as usize].first_value())
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
