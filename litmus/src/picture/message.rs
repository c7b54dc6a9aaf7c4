//! What a fault says in a sentence or two.

use super::Waiting;
use super::{end_of, is_plain, site, text};
use crate::explore::cache::Fault;
use crate::explore::graph::{Clock, Kind, NONE};
use crate::explore::program::{Op, Wait};
use crate::explore::{Execution, FailureKind};
use crate::sync::{CONTENT, LOCK};

/// The message of a fault.
pub(super) fn of(execution: &Execution<'_>, fault: &Fault) -> String {
    match (fault.kind, &fault.events[..]) {
        (FailureKind::DataRace, &[a, b]) => race(execution, a, b),
        (FailureKind::DataRace, &[access]) => early(execution, access),
        (FailureKind::UseAfterFree, &[free, access]) => format!(
            "use after free of {}: {}, and then {}",
            subject(execution, execution.graph.at(free).location),
            describe(execution, free),
            describe(execution, access)
        ),
        (FailureKind::DoubleFree, &[one, other]) => format!(
            "{} is freed twice: {}, and {}",
            subject(execution, execution.graph.at(one).location),
            describe(execution, one),
            describe(execution, other)
        ),
        (FailureKind::Leak, []) => fault.message.clone(),
        (FailureKind::Leak, events) => {
            let leaked = |&alloc: &u32| {
                let event = execution.graph.at(alloc);
                let owner = execution.source.thread_name(event.thread);
                let name = subject(execution, event.value as u32);
                match site(execution, event.node) {
                    at if at.is_empty() => format!("{name}, allocated by {owner}"),
                    at => format!("{name}, allocated by {owner} at {at}"),
                }
            };
            let leaked: Vec<String> = events.iter().map(leaked).collect();
            format!("leak: nobody frees {}", leaked.join("; nor "))
        }
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

/// An operation of the graph: who, what, and where.
fn describe(execution: &Execution<'_>, e: u32) -> String {
    let graph = execution.graph;
    let event = graph.at(e);
    let at = match site(execution, event.node) {
        place if place.is_empty() => place,
        place => format!(" at {place}"),
    };
    let what = text(execution, e, end_of(graph, e));
    let order = match event.kind {
        Kind::Read | Kind::Write if is_plain(event) => " (plain)".to_string(),
        Kind::Read | Kind::Write | Kind::Fence => format!(" ({})", event.order.short()),
        _ => String::new(),
    };
    let who = execution.source.thread_name(event.thread);
    format!("{who}: {what}{order}{at}")
}

/// What a location is called.
fn subject(execution: &Execution<'_>, location: u32) -> String {
    let name = execution.source.location(location).name;
    match name.strip_suffix(CONTENT) {
        Some(lock) => format!("the content of {lock}"),
        None => name.strip_suffix(LOCK).unwrap_or(&name).to_string(),
    }
}

fn race(execution: &Execution<'_>, a: u32, b: u32) -> String {
    let graph = execution.graph;
    format!(
        "data race on {} between {} and {}: {}",
        subject(execution, graph.at(a).location),
        describe(execution, a),
        describe(execution, b),
        knows(execution, b, graph.at(a).thread)
    )
}

/// An access that the initialisation of its location does not happen before.
fn early(execution: &Execution<'_>, access: u32) -> String {
    let graph = execution.graph;
    let event = graph.at(access);
    let creator = graph.place(event.location).creator;
    format!(
        "data race on {} between its initialisation by {} and {}: {}",
        subject(execution, event.location),
        execution.source.thread_name(creator),
        describe(execution, access),
        knows(execution, access, creator)
    )
}

/// What the thread of an event knows by then of another.
fn knows(execution: &Execution<'_>, event: u32, other: u32) -> String {
    let graph = execution.graph;
    let (name, me) = (
        execution.source.thread_name(other),
        execution.source.thread_name(graph.at(event).thread),
    );
    let own = &graph.threads[other as usize].events;
    match graph.seen(event, Clock::Hb, other) {
        0 => format!("nothing of {name} happens before the second"),
        n => match own.get(n as usize - 1) {
            Some(&last) => format!(
                "the last of {name} that {me} knows of is {}",
                describe(execution, last)
            ),
            None => format!("{me} knows of the end of {name}"),
        },
    }
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
                        let location = subject(execution, e.location);
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
                            let value = super::value_of(execution, e.location, e.value);
                            format!("{location} = {value}, {by}")
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
