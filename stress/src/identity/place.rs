//! Where a failure is, on every level that is known.

use super::flight::InFlight;
use crate::scenario::Scenario;
use crate::verdict::{ALONE, Kind, OUT_OF_TIME, of_death, stack, standstill};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Scenarios with at most so many calls are small: that the race is among their operations says where
/// it is.
pub const SMALL: usize = 4;

/// Frames kept of the thread that died.
const FRAMES: usize = 3;

/// Where a failure is. Every level may be unknown; [`super::same()`] says which of them decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// What the VM says of where: `file:line` of a panic, `file:line: function` of an assertion, the
    /// words of a fatal error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Signature of a sanitizer's report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Innermost VM frames of the thread that died; empty when unknown or the allocator's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// It shows inside the allocator: the frames say nothing of where.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heap: bool,
    /// Class of a wrong result: `order`, `IndexError`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The operations among which it is.
    #[serde(default)]
    pub operations: Operations,
    /// Of a standstill, whether a thread computes and at most one waits, as who joins it does: then no lock is
    /// waited for; `None`: not known, or no standstill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computes: Option<bool>,
    /// Whether only one thread ran; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<bool>,
}

/// Operations among which a failure is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Operations {
    /// All of the scenario's, thread by thread; threads and the operations of one are sorted. Empty
    /// when no scenario is known.
    pub within: Vec<Vec<String>>,
    /// The one of the thread that died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Those of the other threads as the VM told a moment later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

impl Operations {
    /// Those of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let thread = |calls: &Vec<crate::scenario::Call>| {
            let mut ops: Vec<String> = calls.iter().map(|c| c.op.clone()).collect();
            ops.sort();
            ops
        };
        let mut within: Vec<Vec<String>> = scenario.threads.iter().map(thread).collect();
        within.sort();
        Self {
            within,
            ..Self::default()
        }
    }

    /// Those of a scenario of which some were in flight.
    pub fn in_flight(scenario: &Scenario, flight: &InFlight) -> Self {
        let op = |&(t, j): &(usize, usize)| Some(scenario.threads.get(t)?.get(j)?.op.clone());
        let mut beside: Vec<String> = flight.beside.iter().filter_map(op).collect();
        beside.sort();
        Self {
            at: flight.at.as_ref().and_then(op),
            beside,
            ..Self::of(scenario)
        }
    }

    /// Number of calls of the scenario.
    pub fn calls(&self) -> usize {
        self.within.iter().map(Vec::len).sum()
    }

    /// Whether two operations stand in threads of their own, so that they can race.
    pub(super) fn apart(&self, one: &str, other: &str) -> bool {
        let has = |thread: &[String], op: &str| thread.iter().any(|o| o == op);
        let mut pairs = self
            .within
            .iter()
            .enumerate()
            .flat_map(|(i, a)| self.within.iter().skip(i + 1).map(move |b| (a, b)));
        pairs.any(|(a, b)| has(a, one) && has(b, other) || has(a, other) && has(b, one))
    }

    /// Whether every thread has one operation, so that what races with what is known.
    pub fn is_exact(&self) -> bool {
        !self.within.is_empty() && self.within.iter().all(|thread| thread.len() == 1)
    }

    /// The operations that race, sorted, as far as they are told: exactly, or as the dump names them.
    pub fn racing(&self) -> Option<Vec<&str>> {
        let mut ops: Vec<&str> = if self.is_exact() {
            self.within.iter().flatten().map(String::as_str).collect()
        } else if !self.beside.is_empty() {
            let told = self.at.iter().chain(&self.beside);
            told.map(String::as_str).collect()
        } else {
            return None;
        };
        ops.sort_unstable();
        Some(ops)
    }

    /// Whether every thread of this is part of a thread of the other, each of another one.
    pub fn part_of(&self, other: &Self) -> bool {
        fn embed(mine: &[Vec<String>], theirs: &[Vec<String>], used: &mut [bool]) -> bool {
            let Some((first, rest)) = mine.split_first() else {
                return true;
            };
            for (i, thread) in theirs.iter().enumerate() {
                if !used[i] && included(first, thread) {
                    used[i] = true;
                    if embed(rest, theirs, used) {
                        return true;
                    }
                    used[i] = false;
                }
            }
            false
        }
        embed(
            &self.within,
            &other.within,
            &mut vec![false; other.within.len()],
        )
    }
}

/// Whether a sorted list is part of another as a multiset.
pub(super) fn included<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|one| rest.any(|other| other == one))
}

impl Place {
    /// The function in which it died: two that are known and differ are two places, whatever else is known.
    pub fn innermost(&self) -> Option<&str> {
        self.frames.first().map(String::as_str)
    }

    /// What the verdict's line says of where.
    pub(super) fn of_detail(kind: Kind, detail: &str) -> Self {
        let detail = detail.strip_prefix(ALONE).unwrap_or(detail);
        let mut place = Self::default();
        match kind {
            // The numbers that follow (lengths, indices) differ from run to run.
            Kind::Panic => place.line = detail.split(": ").next().map(str::to_owned),
            Kind::Assertion => place.line = detail.split(": Assertion").next().map(str::to_owned),
            Kind::Fatal => place.line = Some(detail.to_owned()),
            Kind::ShutdownCrash if detail.contains(": Assertion") => {
                place.line = detail.split(": Assertion").next().map(str::to_owned);
            }
            Kind::Exception | Kind::Internal => {
                place.result = Some(exception(detail).to_owned());
                // A Rust panic that an extension turned into an exception.
                let panic = detail.strip_prefix("raised PanicException at ");
                place.line = panic.and_then(|p| p.split(": ").next().map(str::to_owned));
            }
            Kind::Outcome if detail.starts_with(OUT_OF_TIME) => {
                place.result = Some("real time".to_owned());
            }
            Kind::Outcome => place.result = Some("order".to_owned()),
            Kind::Uninitialised => place.result = Some("memory that nobody wrote".to_owned()),
            Kind::Corrupt | Kind::Refcount | Kind::Leak => {
                place.result = Some(kind.name().to_owned());
            }
            _ => {}
        }
        // Only of ends of the process: an exception may quote any words.
        if kind.ends_process() {
            let complains = stack::allocator_complains(detail);
            place.heap = complains || standstill::in_allocator(detail);
            // Where the allocator notices is anywhere.
            place.line.take_if(|_| complains);
        }
        if matches!(kind, Kind::Hang | Kind::Deadlock) {
            place.computes = standstill::computes(detail);
        }
        place
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it tells one failure from others of the same operations' subject: more is known than that
    /// it is among many operations.
    pub fn is_told(&self) -> bool {
        self.line.is_some()
            || self.report.is_some()
            || self.operations.at.is_some()
            || self.operations.racing().is_some()
            || self.operations.calls() <= SMALL && !self.operations.within.is_empty()
    }

    /// What of it stays from run to run and whether or not a debugger was asked: for a name.
    pub fn key(&self) -> String {
        let mut key = match self.line.as_ref().or(self.report.as_ref()) {
            Some(told) => told.clone(),
            None => {
                let within = self.operations.within.iter().map(|t| t.join("; "));
                let within: Vec<String> = within.collect();
                let result = self.result.as_deref().unwrap_or("");
                format!("{result}\n{}", within.join("\n"))
            }
        };
        for apart in self.apart() {
            key = key + "\n" + apart;
        }
        key
    }

    /// By what [`super::same()`] tells two failures apart whatever else is alike, in words for a name. What races and
    /// waits, as most do, and what was not asked have none.
    pub fn apart(&self) -> impl Iterator<Item = &'static str> {
        let alone = (self.alone == Some(true)).then_some("in one thread");
        let computes = (self.computes == Some(true)).then_some("computes");
        alone.into_iter().chain(computes)
    }

    /// Takes the frames of the thread that died from a debugger's text.
    pub(super) fn take_frames(&mut self, text: &str) {
        let (mut frames, heap) = of_death(text);
        frames.truncate(FRAMES);
        self.heap |= heap;
        if !frames.is_empty() {
            self.frames = frames;
        }
    }
}

/// `raised IndexError: list index out of range, which …` → `IndexError`.
fn exception(detail: &str) -> &str {
    let rest = detail.strip_prefix("raised ").unwrap_or(detail);
    rest.split([':', ',', ' ']).next().unwrap_or(rest)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = &self.line {
            return write!(f, "at {line}");
        }
        if let Some(report) = &self.report {
            return write!(f, "reported as {report}");
        }
        if !self.frames.is_empty() {
            return write!(f, "in {}", self.frames.join(" < "));
        }
        if let Some(result) = &self.result {
            write!(f, "({result}) ")?;
        }
        if self.heap {
            f.write_str("in the allocator ")?;
        }
        write!(f, "{}", self.operations)
    }
}

impl fmt::Display for Operations {
    /// `at o.append(1) ‖ o.pop()`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.within.is_empty() {
            return f.write_str("at a place unknown");
        }
        if let Some(ops) = self.racing() {
            return write!(f, "at {}", ops.join(" ‖ "));
        }
        if self.calls() <= SMALL {
            let threads: Vec<String> = self.within.iter().map(|t| t.join("; ")).collect();
            return write!(f, "at {}", threads.join(" ‖ "));
        }
        match &self.at {
            Some(at) => write!(f, "at {at} beside others unknown"),
            None => write!(f, "among {} operations", self.calls()),
        }
    }
}
