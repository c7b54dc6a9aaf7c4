//! One line of text that names an execution graph, and the way back from it.
//!
//! `tbx1/MODEL/THREAD/THREAD/…/co:ORDERS`. A thread is its number, a colon, and its
//! operations: `w` a write, `rN.M` a read of operation M of thread N (`ri` of the initial
//! value), `uN.M` an update or successful exchange that reads so, `f` a fence, `cN` choice
//! N, `sN` the start of thread N, `jN` its join, `o` a question to the observer, `a` an
//! allocation and `d` its end. An order
//! lists the writes of a location with several: `1.1<2.1`. Threads count from 0,
//! operations from 1. Where something had been learnt about a closure by running it (that
//! the counts of an `Arc` matter), `as:NUMBERS` comes last.
//!
//! The text *is* the graph. It says nothing of the search, so it stays good under another
//! version of the explorer, and is refused only when the program has become another one.

use super::graph::{Graph, Kind, NONE};
use super::program::Op;
use super::{Execution, Model};
use std::fmt::{self, Write};
use std::str::FromStr;

/// An operation: thread and number.
pub(crate) type Id = (u32, u32);

/// What a trace says of one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    Write,
    Read(Option<Id>),
    Update(Option<Id>),
    Fence,
    Choice(u64),
    Spawn(u32),
    Join(u32),
    Observe,
    Alloc,
    Free,
}

/// A recorded execution graph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    pub(crate) model: Model,
    pub(crate) threads: Vec<(u32, Vec<Token>)>,
    pub(crate) orders: Vec<Vec<Id>>,
    /// What had been learnt about the program: see the module `learnt`.
    pub(crate) lessons: Vec<u32>,
}

/// A text that is no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a trace: {0}")]
pub struct Malformed(String);

impl Trace {
    /// The memory model under which the execution was found.
    pub fn model(&self) -> Model {
        self.model
    }
}

fn short(model: Model) -> &'static str {
    match model {
        Model::Rust => "rust",
        Model::Rc11 => "rc11",
        Model::Sc => "sc",
        Model::Tso => "tso",
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = |source: &Option<Id>| match source {
            None => "i".to_string(),
            Some((t, n)) => format!("{t}.{n}"),
        };
        match self {
            Self::Write => f.write_str("w"),
            Self::Read(source) => write!(f, "r{}", from(source)),
            Self::Update(source) => write!(f, "u{}", from(source)),
            Self::Fence => f.write_str("f"),
            Self::Choice(value) => write!(f, "c{value}"),
            Self::Spawn(thread) => write!(f, "s{thread}"),
            Self::Join(thread) => write!(f, "j{thread}"),
            Self::Observe => f.write_str("o"),
            Self::Alloc => f.write_str("a"),
            Self::Free => f.write_str("d"),
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tbx1/{}", short(self.model))?;
        for (thread, tokens) in &self.threads {
            let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            write!(f, "/{thread}:{}", tokens.join(","))?;
        }
        let orders: Vec<String> = self
            .orders
            .iter()
            .map(|order| {
                let ids: Vec<String> = order.iter().map(|(t, n)| format!("{t}.{n}")).collect();
                ids.join("<")
            })
            .collect();
        write!(f, "/co:{}", orders.join(","))?;
        if !self.lessons.is_empty() {
            let lessons: Vec<String> = self.lessons.iter().map(|n| format!("{n:x}")).collect();
            write!(f, "/as:{}", lessons.join(","))?;
        }
        Ok(())
    }
}

impl FromStr for Trace {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |what: String| Malformed(what);
        let mut parts = text.trim().split('/');
        match parts.next() {
            Some("tbx1") => {}
            other => {
                let found = other.unwrap_or_default();
                return Err(bad(format!(
                    "it begins with {found:?}, this version reads tbx1"
                )));
            }
        }
        let model = match parts.next() {
            Some("rust") => Model::Rust,
            Some("rc11") => Model::Rc11,
            Some("sc") => Model::Sc,
            Some("tso") => Model::Tso,
            other => {
                return Err(bad(format!(
                    "no memory model {:?}",
                    other.unwrap_or_default()
                )));
            }
        };
        let (mut threads, mut orders, mut lessons) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let (head, list) = part
                .split_once(':')
                .ok_or_else(|| bad(format!("{part:?} without a colon")))?;
            let items = list.split(',').filter(|item| !item.is_empty());
            if head == "as" {
                for item in items {
                    let number = u32::from_str_radix(item, 16);
                    lessons.push(number.map_err(|_| bad(format!("number {item:?}")))?);
                }
                continue;
            }
            if head == "co" {
                for order in items {
                    let ids = order.split('<').map(id).collect::<Option<Vec<Id>>>();
                    orders.push(ids.ok_or_else(|| bad(format!("order {order:?}")))?);
                }
                continue;
            }
            let thread = head.parse().map_err(|_| bad(format!("thread {head:?}")))?;
            let tokens = items
                .map(|item| token(item).ok_or_else(|| bad(format!("operation {item:?}"))))
                .collect::<Result<Vec<Token>, Malformed>>()?;
            threads.push((thread, tokens));
        }
        Ok(Self {
            model,
            threads,
            orders,
            lessons,
        })
    }
}

fn id(text: &str) -> Option<Id> {
    let (thread, number) = text.split_once('.')?;
    Some((thread.parse().ok()?, number.parse().ok()?))
}

fn token(text: &str) -> Option<Token> {
    let (kind, rest) = text.split_at_checked(1)?;
    let source = || {
        if rest == "i" {
            Some(None)
        } else {
            id(rest).map(Some)
        }
    };
    Some(match kind {
        "w" if rest.is_empty() => Token::Write,
        "f" if rest.is_empty() => Token::Fence,
        "o" if rest.is_empty() => Token::Observe,
        "a" if rest.is_empty() => Token::Alloc,
        "d" if rest.is_empty() => Token::Free,
        "r" => Token::Read(source()?),
        "u" => Token::Update(source()?),
        "c" => Token::Choice(rest.parse().ok()?),
        "s" => Token::Spawn(rest.parse().ok()?),
        "j" => Token::Join(rest.parse().ok()?),
        _ => return None,
    })
}

/// The trace of an execution.
pub(crate) fn of(execution: &Execution<'_>) -> Trace {
    let graph = execution.graph;
    // Threads are numbered by their paths: the numbers of a search are its own.
    let mut order: Vec<u32> = (0..graph.threads.len() as u32).collect();
    order.retain(|&t| graph.threads[t as usize].live);
    order.sort_by_key(|&t| execution.source.path(t));
    let mut names = vec![0; graph.threads.len()];
    for (name, &t) in order.iter().enumerate() {
        names[t as usize] = name as u32;
    }
    let mut threads = Vec::new();
    for &t in &order {
        let tokens = graph.threads[t as usize]
            .events
            .iter()
            .filter_map(|&e| one(execution, &names, e))
            .collect();
        threads.push((names[t as usize], tokens));
    }
    let several = graph.places.iter().filter(|place| place.co.len() > 1);
    let orders = several
        .map(|place| place.co.iter().map(|&w| number(graph, &names, w)).collect())
        .collect();
    Trace {
        model: execution.model,
        threads,
        orders,
        lessons: execution.source.lessons(),
    }
}

/// As text.
pub(crate) fn text(execution: &Execution<'_>) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", of(execution));
    text
}

/// Which operation of its thread an event belongs to.
fn number(graph: &Graph, names: &[u32], event: u32) -> Id {
    let e = graph.at(event);
    let before = graph.threads[e.thread as usize].events[..e.index as usize]
        .iter()
        .filter(|&&p| !second_half(graph, p))
        .count();
    (names[e.thread as usize], before as u32)
}

fn second_half(graph: &Graph, event: u32) -> bool {
    let e = graph.at(event);
    e.kind == Kind::Write && e.exclusive
}

fn one(execution: &Execution<'_>, names: &[u32], position: u32) -> Option<Token> {
    let graph = execution.graph;
    let event = graph.at(position);
    let source = || (event.rf != NONE).then(|| number(graph, names, event.rf));
    Some(match event.kind {
        Kind::Write if event.exclusive => return None,
        Kind::Write => Token::Write,
        Kind::Read if event.exclusive => Token::Update(source()),
        Kind::Read => Token::Read(source()),
        Kind::Fence => Token::Fence,
        Kind::Choice => Token::Choice(event.value),
        Kind::Spawn => match execution.cache.op(event.node) {
            Op::Spawn(child) => Token::Spawn(names[*child as usize]),
            _ => return None,
        },
        Kind::Join => Token::Join(names[event.rank as usize]),
        Kind::Observe => Token::Observe,
        Kind::Alloc => Token::Alloc,
        Kind::Free => Token::Free,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_written() {
        for text in [
            "tbx1/rc11/0:s1,s2,j1,j2/1:w,w/2:r1.1,ri/co:",
            "tbx1/tso/0:ui,u1.2,f,c3,o/1:w/co:0.1<1.1<0.2",
            "tbx1/sc/0:/co:",
            "tbx1/sc/0:w/co:/as:1f,811c9dc5",
        ] {
            assert_eq!(text.parse::<Trace>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn damaged_texts_are_refused() {
        for text in [
            "",
            "tbx2/rc11",
            "tbx1/arm",
            "tbx1/rc11/0",
            "tbx1/rc11/x:w",
            "tbx1/rc11/0:q",
            "tbx1/rc11/0:r1",
            "tbx1/rc11/co:1<2",
            "tbx1/rc11/0:w/co:/as:zz",
        ] {
            assert!(text.parse::<Trace>().is_err(), "{text}");
        }
    }
}
