//! What an exploration found, and how far it went.

use super::cache::{Fault, Source};
use super::search::End;
use super::{Execution, Model};
use std::time::Duration;

/// How far an exploration is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Executions visited.
    pub executions: u64,
    /// How many there will be.
    pub estimate: Option<Estimate>,
    /// Time spent.
    pub elapsed: Duration,
}

impl Progress {
    /// Time left, if the estimate is right; `None` without one or beyond it.
    pub fn left(&self) -> Option<Duration> {
        let total = self.estimate?.executions;
        let rest = total / self.executions.max(1) as f64 - 1.0;
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * rest).ok()
    }
}

/// A guess at the number of executions from random descents. It is unbiased, but most of
/// the sum may hide behind choices seldom taken: with few descents it is more often too
/// small than too large.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// The mean of the descents' guesses.
    pub executions: f64,
    /// The standard deviation of that mean.
    pub deviation: f64,
    /// The number of descents.
    pub probes: u64,
    /// How many different executions were met; 0 where nobody counted.
    pub distinct: u64,
}

impl Estimate {
    /// The share of all executions that was met, about.
    pub fn coverage(&self) -> f64 {
        (self.distinct as f64 / self.executions).min(1.0)
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Executions in which every thread ended.
    pub complete: u64,
    /// Executions in which a thread stayed blocked.
    pub blocked: u64,
    /// Whether every execution was visited, or with reductions one of each kind.
    pub exhaustive: bool,
    /// Whether a bound on preemptions or revisits left something out.
    pub bounded: bool,
    /// Whether a reduction was in force to the end.
    pub reduced: bool,
    /// Of a sample: how much it covered.
    pub estimate: Option<Estimate>,
    /// Places where a thread was taken to wait, because it did nothing but three equal
    /// turns of reads and its registers and stack did not change any more. A loop that
    /// counts its turns on the heap and gives up must be written otherwise.
    pub spins: Vec<String>,
    /// The first fault.
    pub failure: Option<Failure>,
    /// Time spent.
    pub elapsed: Duration,
    /// What was asked for.
    pub(super) scope: Scope,
    /// Whether the search came to its end, within its bounds.
    pub(super) finished: bool,
}

/// What an exploration was to visit.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Scope {
    pub model: Model,
    pub preemptions: Option<u32>,
    pub revisits: Option<usize>,
    /// Descents and seed.
    pub sample: Option<(u64, u64)>,
}

impl Report {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            complete: 0,
            blocked: 0,
            exhaustive: false,
            bounded: false,
            reduced: false,
            failure: None,
            estimate: None,
            spins: Vec::new(),
            elapsed: Duration::ZERO,
            scope,
            finished: false,
        }
    }

    pub(super) fn count(&mut self, end: End) {
        match end {
            End::Complete => self.complete += 1,
            End::Blocked => self.blocked += 1,
        }
    }

    /// How much of the program's behaviour has been seen, in words that claim no more:
    /// `exhaustive under RC11`, `exhaustive within 2 preemptions under RC11`.
    pub fn coverage(&self) -> String {
        let Scope {
            model,
            preemptions,
            revisits,
            sample,
        } = self.scope;
        let (model, executions) = (model.name(), self.complete + self.blocked);
        let within = match preemptions {
            Some(most) if self.bounded => format!("within {} ", count(most.into(), "preemption")),
            _ => String::new(),
        };
        if self.failure.is_some() {
            return format!(
                "stopped at the first fault, after {executions} executions under {model}"
            );
        }
        match (sample, self.estimate) {
            (Some((_, seed)), Some(met)) => {
                return format!(
                    "sampled {within}under {model}: {}, seed {seed}, met {} executions of about \
                     {:.0} ± {:.0}",
                    count(met.probes, "descent"),
                    met.distinct,
                    met.executions,
                    met.deviation
                );
            }
            (Some((_, seed)), None) => return format!("sampled under {model}, seed {seed}"),
            _ => {}
        }
        match revisits {
            _ if !self.finished => format!("stopped after {executions} executions under {model}"),
            Some(most) if self.bounded => format!(
                "not exhaustive: {executions} executions {within}under {model}, each found with at \
                 most {}",
                count(most as u64, "revisit")
            ),
            _ => format!("exhaustive {within}under {model}"),
        }
    }
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A fault of the program under exploration.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// One sentence with the places.
    pub message: String,
    /// The failing execution, one column per thread.
    pub table: String,
    /// Its graph in the DOT language.
    pub dot: String,
    /// Its graph as a picture.
    pub svg: String,
    /// The line that [`Explorer::replay`](super::Explorer::replay) repeats it from.
    pub trace: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailureKind {
    /// An assertion failed or a thread panicked.
    Assertion,
    /// Two conflicting accesses, one plain, without happens-before.
    DataRace,
    /// Every thread that has not ended waits for ever.
    Deadlock,
    /// An [`Observer`](crate::observe::Observer) objected.
    Property,
    /// The program breaks a rule of the explorer: nondeterminism, endless loop.
    Program,
}

/// The fault to report of an execution. What the observer has to say of it is closer to
/// the program's meaning than a race or a deadlock.
pub(super) fn fault_of<S: Source>(
    source: &S,
    execution: &Execution<'_>,
    fault: Option<Fault>,
) -> Option<Fault> {
    if fault
        .as_ref()
        .is_some_and(|f| f.kind == FailureKind::Program)
    {
        return fault;
    }
    source.judge(execution).map(Fault::property).or(fault)
}
