//! What a fault says in a sentence or two.

use super::{CONTENT, Waiting};
use super::{end_of, is_plain, site, text};
use crate::explore::cache::Fault;
use crate::explore::graph::{Clock, Kind, NONE};
use crate::explore::program::{Location, Op, Wait};
use crate::explore::{Execution, FailureKind};

/// The message of a fault.
pub(super) fn of(execution: &Execution<'_>, fault: &Fault) -> String {
    match (fault.kind, &fault.events[..]) {
        (FailureKind::DataRace, &[a, b]) => race(execution, a, b),
        (FailureKind::Deadlock, _) => {
            let waiting: Vec<String> = waiting(execution)
                .into_iter()
                .map(|w| {
                    format!(
                        "{} {}",
                        execution.source.thread_name(w.thread as u32),
                        w.text
                    )
                })
                .collect();
            format!("deadlock: no thread can go on; {}", waiting.join("; "))
        }
        _ => fault.message.clone(),
    }
}

/// An operation in words, before it is known what comes of it.
pub(crate) fn operation(op: &Op, name: impl Fn(u32) -> String) -> String {
    let place = |location: &Location| name(location.0);
    match op {
        Op::Load { location, order } | Op::Await { location, order } => {
            format!("a load of {} ({})", place(location), order.short())
        }
        Op::Store {
            location,
            order,
            value,
        } => format!(
            "a store of {value} to {} ({})",
            place(location),
            order.short()
        ),
        Op::Update {
            location,
            order,
            update,
        }
        | Op::Apply {
            location,
            order,
            update,
        } => format!("{update:?} on {} ({})", place(location), order.short()),
        Op::CompareExchange {
            location,
            expected,
            new,
            ..
        }
        | Op::AwaitExchange {
            location,
            expected,
            new,
            ..
        } => format!("an exchange of {expected} for {new} in {}", place(location)),
        Op::Fence(order) => format!("a fence ({})", order.short()),
        Op::Choose(ways) => format!("a choice among {ways}"),
        Op::Observe(_) => "a question to the observer".into(),
        Op::Spawn(thread) => format!("the start of thread {thread}"),
        Op::Join(thread) => format!("the join of thread {thread}"),
        Op::Block { wait, .. } => format!("the end of its course ({wait})"),
        Op::Fail(message) => format!("a fault ({message})"),
        Op::End | Op::Return(_) => "its end".into(),
    }
}

fn race(execution: &Execution<'_>, a: u32, b: u32) -> String {
    let graph = execution.graph;
    let describe = |e: u32| {
        let event = graph.at(e);
        let place = site(execution, event.node);
        let at = if place.is_empty() {
            String::new()
        } else {
            format!(" at {place}")
        };
        let what = text(execution, e, end_of(graph, e));
        let plain = if is_plain(event) {
            "plain"
        } else {
            event.order.short()
        };
        let who = execution.source.thread_name(event.thread);
        format!("{who}: {what} ({plain}){at}")
    };
    let name = execution.source.location(graph.at(a).location).name;
    let subject = match name.strip_suffix(CONTENT) {
        Some(lock) => format!("the content of {lock}"),
        None => name.to_string(),
    };
    let (first, second) = (graph.at(a), graph.at(b));
    // What the later thread knows of the earlier one.
    let known = graph.seen(b, Clock::Hb, first.thread);
    let owner = execution.source.thread_name(first.thread);
    let me = execution.source.thread_name(second.thread);
    let knows = match known {
        0 => format!("nothing of {owner} happens before the second"),
        n => {
            let last = graph.threads[first.thread as usize].events[n as usize - 1];
            format!(
                "the last of {owner} that {me} knows of is {}",
                describe(last)
            )
        }
    };
    format!(
        "data race on {subject} between {} and {}: {knows}",
        describe(a),
        describe(b)
    )
}

/// The threads that cannot go on, and for what each waits.
pub(super) fn waiting(execution: &Execution<'_>) -> Vec<Waiting> {
    let graph = execution.graph;
    let name = |t: u32| execution.source.thread_name(t);
    let mut all = Vec::new();
    for (t, thread) in graph.threads.iter().enumerate().filter(|(_, t)| t.live) {
        let Some(node) = execution.next_of(t as u32) else {
            continue;
        };
        let place = match site(execution, node) {
            at if at.is_empty() => at,
            at => format!(" at {at}"),
        };
        let text = match *execution.cache.op(node) {
            Op::Join(other) => format!("waits for the end of {}{place}", name(other)),
            Op::Block { wait, reads } => {
                let read = thread
                    .events
                    .iter()
                    .rev()
                    .map(|&e| graph.at(e))
                    .filter(|e| e.kind == Kind::Read)
                    .take(reads.max(1) as usize);
                let places: Vec<String> = read
                    .map(|e| {
                        let location = execution.source.location(e.location).name;
                        let by = match e.rf {
                            NONE => "never written".to_string(),
                            rf => {
                                let write = graph.at(rf);
                                let by = name(write.thread);
                                let at = site(execution, write.node);
                                let verb = if wait == Wait::Lock {
                                    "held by"
                                } else {
                                    "last by"
                                };
                                format!("{verb} {by} {at}").trim_end().to_string()
                            }
                        };
                        if wait == Wait::Lock {
                            format!("{location}, {by}")
                        } else {
                            format!("{location} = {}, {by}", e.value)
                        }
                    })
                    .collect();
                format!("{wait}{place} ({})", places.join("; "))
            }
            _ => continue,
        };
        all.push(Waiting { thread: t, text });
    }
    all
}
