//! An execution as people read it: a table with one column per thread, and the graph in
//! DOT and SVG.

mod dot;
mod message;
mod order;
mod svg;
mod table;

use crate::explore::Execution;
use crate::explore::cache::Fault;
use crate::explore::graph::{Clock, Event, Graph, Kind, NONE};
use crate::explore::program::{MemoryOrder, Op, Update, Value};
use crate::explore::{Failure, FailureKind};
use crate::sync::{CONTENT, LOCK, WAITERS};
use std::collections::HashMap;

/// Where a read's value comes from, or a coherence order begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// The value before the threads start.
    Initial,
    /// The operation of this row.
    Row(usize),
    /// An operation that is not shown.
    Hidden,
}

/// One operation. An update is one row, although it is two events.
#[derive(Clone, Debug)]
struct Row {
    thread: usize,
    /// What it did, with values.
    text: String,
    order: &'static str,
    /// File and line.
    site: String,
    reads: Option<Origin>,
    /// The latest write shown before a read that reads another.
    stale: Option<usize>,
    /// Whether the read synchronises with what it reads.
    synchronises: bool,
    /// Among the operations at fault.
    marked: bool,
}

/// A thread that cannot go on.
#[derive(Clone, Debug)]
struct Waiting {
    thread: usize,
    text: String,
}

/// An execution laid out: rows from early to late.
#[derive(Clone, Debug)]
struct Drawing {
    threads: Vec<String>,
    rows: Vec<Row>,
    /// Locations with several writes, or with a write that a read did not see yet.
    coherence: Vec<(String, Vec<Origin>)>,
    /// From-reads: a row, and the next write after the one it read.
    overwritten: Vec<(usize, usize)>,
    waiting: Vec<Waiting>,
}

impl Drawing {
    fn new(execution: &Execution<'_>, marked: &[u32], whole: bool) -> Self {
        let graph = execution.graph;
        let shown = |e: u32| {
            whole
                || marked.is_empty()
                || marked
                    .iter()
                    .any(|&m| e == m || graph.precedes(e, m, Clock::Porf))
        };
        let order = order::interleaving(graph, shown);
        let mut rows: Vec<Row> = Vec::new();
        let mut row_of: HashMap<u32, usize> = HashMap::new();
        let mut latest: HashMap<u32, usize> = HashMap::new();
        for (first, last) in order {
            let event = graph.at(first);
            if matches!(execution.cache.op(event.node), Op::Observe(_)) {
                continue;
            }
            let source = |rf: u32| match rf {
                NONE => Origin::Initial,
                rf => row_of
                    .get(&rf)
                    .map_or(Origin::Hidden, |&row| Origin::Row(row)),
            };
            let reads = (event.kind == Kind::Read).then(|| source(event.rf));
            let seen = latest.get(&event.location).copied();
            let stale = seen.filter(|&row| reads.is_some_and(|r| r != Origin::Row(row)));
            let row = rows.len();
            rows.push(Row {
                thread: event.thread as usize,
                text: text(execution, first, last),
                order: order_of(execution, event),
                site: site(execution, event.node),
                reads,
                stale,
                synchronises: event.kind == Kind::Read
                    && event.rf != NONE
                    && graph.at(event.rf).thread != event.thread
                    && graph.precedes(event.rf, first, Clock::Hb),
                marked: marked.contains(&first) || marked.contains(&last),
            });
            row_of.insert(first, row);
            row_of.insert(last, row);
            if graph.at(last).kind == Kind::Write {
                latest.insert(event.location, row);
            }
        }
        let mut coherence = Vec::new();
        let mut overwritten = Vec::new();
        for (location, place) in graph.places.iter().enumerate() {
            let writes: Vec<usize> = place
                .co
                .iter()
                .filter_map(|w| row_of.get(w).copied())
                .collect();
            for &read in &place.accesses {
                let e = graph.at(read);
                let next = place.co.get(graph.rank_of(e.rf) as usize);
                if e.kind == Kind::Read
                    && !e.exclusive
                    && let (Some(&from), Some(to)) =
                        (row_of.get(&read), next.and_then(|w| row_of.get(w)))
                    && from != *to
                {
                    overwritten.push((from, *to));
                }
            }
            if writes.len() > 1 {
                let name = execution.source.location(location as u32).name.to_string();
                let all =
                    std::iter::once(Origin::Initial).chain(writes.into_iter().map(Origin::Row));
                coherence.push((name, all.collect()));
            }
        }
        Self {
            threads: (0..graph.threads.len() as u32)
                .map(|t| execution.source.thread_name(t))
                .collect(),
            rows,
            coherence,
            overwritten,
            waiting: message::waiting(execution),
        }
    }
}

/// File and line of an operation.
fn site(execution: &Execution<'_>, node: u32) -> String {
    execution
        .cache
        .node(node)
        .site
        .as_ref()
        .map_or(String::new(), ToString::to_string)
}

fn order_of(execution: &Execution<'_>, event: &Event) -> &'static str {
    match execution.cache.op(event.node) {
        Op::Choose(_)
        | Op::Spawn(_)
        | Op::Join(_)
        | Op::Observe(_)
        | Op::Alloc(_)
        | Op::Free(_) => "",
        _ => event.order.short(),
    }
}

/// A value as people write it: small negative numbers with a sign.
fn value(value: Value, bits: u8) -> String {
    let shift = 64 - u32::from(bits.clamp(1, 64));
    let signed = ((value << shift) as i64) >> shift;
    if signed < 0 && signed > -1_000_000 && bits >= 32 {
        signed.to_string()
    } else {
        value.to_string()
    }
}

/// A value of a location as people write it.
fn value_of(execution: &Execution<'_>, location: u32, of: Value) -> String {
    let info = execution.source.location(location);
    if !info.name.ends_with(WAITERS) {
        return value(of, info.bits);
    }
    // Which bit is whose differs from search to search.
    let mut threads: Vec<u32> = (0..64).filter(|bit| of >> bit & 1 == 1).collect();
    threads.sort_by_key(|&thread| execution.source.path(thread));
    let names = threads
        .iter()
        .map(|&thread| execution.source.thread_name(thread));
    format!("{{{}}}", names.collect::<Vec<_>>().join(", "))
}

/// What an operation did.
fn text(execution: &Execution<'_>, first: u32, last: u32) -> String {
    let graph = execution.graph;
    let (event, end) = (graph.at(first), graph.at(last));
    let op = execution.cache.op(event.node);
    let place = |l: u32| execution.source.location(l).name;
    let value = |of: Value| value_of(execution, event.location, of);
    match op {
        Op::Fence(_) => "fence".into(),
        Op::Alloc(location) => format!("alloc {}", place(location.0)),
        Op::Free(location) => format!("free {}", place(location.0)),
        Op::Choose(_) => format!("choose {}", event.value),
        Op::Observe(_) => "observe".into(),
        Op::Spawn(child) => format!("start {}", execution.source.thread_name(*child)),
        Op::Join(other) => format!("join {}", execution.source.thread_name(*other)),
        Op::Block { .. } | Op::Fail(_) | Op::End | Op::Return(_) => String::new(),
        Op::Load { .. } | Op::Await { .. } => {
            let name = place(event.location);
            if let Some(lock) = name.strip_suffix(LOCK) {
                return format!("read {lock}{CONTENT}");
            }
            if name.ends_with(CONTENT) {
                return format!("read {name}");
            }
            format!("{name} → {}", value(event.value))
        }
        Op::Store { .. } => {
            let name = place(event.location);
            if let Some(lock) = name.strip_suffix(LOCK) {
                return format!("unlock {lock}");
            }
            if name.ends_with(CONTENT) {
                return format!("write {name}");
            }
            format!("{name} := {}", value(event.value))
        }
        Op::Apply { update, .. } if event.applied => {
            let name = place(event.location);
            format!("{name} {} ⇒ {}", word(*update), value(event.value))
        }
        Op::Update { update, .. } | Op::Apply { update, .. } => {
            let name = place(event.location);
            let (old, new) = (value(event.value), value(end.value));
            format!("{name} {} {old} ⇒ {new}", word(*update))
        }
        Op::UpdateIf { update, .. } | Op::AwaitUpdate { update, .. } => {
            let name = place(event.location);
            if let Some(lock) = name.strip_suffix(LOCK) {
                return match event.exclusive {
                    true => format!("lock {lock}"),
                    false => format!("{lock} is locked"),
                };
            }
            let old = value(event.value);
            match event.exclusive {
                true => format!("{name} {} {old} ⇒ {}", word(*update), value(end.value)),
                false => format!("{name} {}? found {old}", word(*update)),
            }
        }
        Op::CompareExchange { expected, .. } | Op::AwaitExchange { expected, .. } => {
            let name = place(event.location);
            let old = value(event.value);
            if event.exclusive {
                format!("{name} cas {old} ⇒ {}", value(end.value))
            } else {
                format!("{name} cas {}? found {old}", value(*expected))
            }
        }
    }
}

const fn word(update: Update) -> &'static str {
    match update {
        Update::Add(_) => "add",
        Update::Sub(_) => "sub",
        Update::And(_) => "and",
        Update::Or(_) => "or",
        Update::Xor(_) => "xor",
        Update::Nand(_) => "nand",
        Update::Swap(_) => "swap",
        Update::Min(_) | Update::MinSigned(_) => "min",
        Update::Max(_) | Update::MaxSigned(_) => "max",
    }
}

impl Execution<'_> {
    /// The execution as a table: one column per thread, early operations first.
    ///
    /// Under a weak memory model no order of the rows explains every read. A read that
    /// does not see the latest write above it is marked with the write it reads and the
    /// one that it misses.
    pub fn table(&self) -> String {
        Drawing::new(self, &[], true).table()
    }

    /// The execution graph in the DOT language of graphviz.
    pub fn dot(&self) -> String {
        Drawing::new(self, &[], true).dot()
    }

    /// The execution graph as a picture.
    pub fn svg(&self) -> String {
        Drawing::new(self, &[], true).svg()
    }

    pub(crate) fn failure(&self, fault: &Fault) -> Failure {
        let whole = !matches!(
            fault.kind,
            FailureKind::DataRace
                | FailureKind::UseAfterFree
                | FailureKind::DoubleFree
                | FailureKind::Assertion
        );
        let drawing = Drawing::new(self, &fault.events, whole);
        Failure {
            kind: fault.kind,
            message: message::of(self, fault),
            table: drawing.table(),
            dot: drawing.dot(),
            svg: drawing.svg(),
            trace: crate::explore::trace::text(self),
        }
    }
}

/// What a fault says.
pub(crate) fn message(execution: &Execution<'_>, fault: &Fault) -> String {
    message::of(execution, fault)
}

/// The last event of an operation that begins with `first`.
fn end_of(graph: &Graph, first: u32) -> u32 {
    let event = graph.at(first);
    if event.kind == Kind::Read && event.exclusive {
        let next = graph.threads[event.thread as usize]
            .events
            .get(event.index as usize);
        next.copied().unwrap_or(first)
    } else {
        first
    }
}

/// Whether the order is that of plain memory.
fn is_plain(event: &Event) -> bool {
    event.order == MemoryOrder::Plain
}
