//! What an exploration found, and how far it went.

use super::cache::{Fault, Source};
use super::parallel::Shard;
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
    /// Whether every execution was visited; where updates commute, one of those that differ only in
    /// their order. Not where a bound, a limit, or symmetry, for which there is no proof, left
    /// something out, nor for a part, a sample, or workers that disagreed.
    pub exhaustive: bool,
    /// Whether a bound on preemptions or revisits left something out.
    pub bounded: bool,
    /// Whether a reduction was in force to the end.
    pub reduced: bool,
    /// Of a part ([`Explorer::shard`](crate::Explorer::shard)): a number that must be the same in
    /// all parts, or they have divided different searches.
    pub tree: u64,
    /// Of a sample: how much it covered.
    pub estimate: Option<Estimate>,
    /// Places where a thread was taken to wait, because it did the same over and over while
    /// its reads found the same: 10,000 times when the loop was first met, 1,000 times with
    /// each other history. [`Self::coverage`] states it as an assumption.
    pub spins: Vec<String>,
    /// The first fault.
    pub failure: Option<Failure>,
    /// Time spent.
    pub elapsed: Duration,
    /// What was asked for.
    pub(super) scope: Scope,
    /// Whether the search came to its end, within its bounds.
    pub(super) finished: bool,
    /// Whether threads were taken to be interchangeable to the end.
    pub(super) symmetric: bool,
    /// Whether workers saw different trees.
    pub(super) diverged: bool,
    /// What may happen in Rust and was not explored.
    pub(super) left_out: Vec<&'static str>,
    /// Whether a wait with a time limit came when its thread was not to time out any more.
    pub(super) timeless: bool,
}

/// What an exploration was to visit.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Scope {
    pub model: Model,
    pub preemptions: Option<u32>,
    pub revisits: Option<usize>,
    /// Descents and seed.
    pub sample: Option<(u64, u64)>,
    pub workers: usize,
    pub shard: Option<Shard>,
    pub time_outs: u32,
}

impl Report {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            complete: 0,
            blocked: 0,
            exhaustive: false,
            bounded: false,
            reduced: false,
            tree: 0,
            symmetric: false,
            diverged: false,
            timeless: false,
            failure: None,
            estimate: None,
            spins: Vec::new(),
            left_out: Vec::new(),
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
    /// `exhaustive under RC11`, `exhaustive within 2 preemptions under SC`, `not exhaustive: 15
    /// executions under RC11, one of each kind up to symmetry (unproved)`.
    pub fn coverage(&self) -> String {
        let Scope {
            model,
            preemptions,
            revisits,
            sample,
            workers,
            shard,
            time_outs,
        } = self.scope;
        let executions = count(self.complete + self.blocked, "execution");
        let within = match preemptions {
            Some(most) if self.bounded => format!("within {} ", count(most.into(), "preemption")),
            _ => String::new(),
        };
        let buffering = (model == Model::Rust).then_some("load buffering");
        let without: Vec<&str> = buffering.iter().chain(&self.left_out).copied().collect();
        let model = match without[..] {
            [] => model.name().to_string(),
            _ => format!("{} without {}", model.name(), without.join(" and ")),
        };
        if self.failure.is_some() {
            return format!("stopped at the first fault, after {executions} under {model}");
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
        if !self.finished {
            return format!("stopped after {executions} under {model}");
        }
        if self.diverged {
            return format!(
                "not exhaustive: {executions} {within}under {model}, but {workers} workers saw \
                 different choices; search with one, and see what differs from run to run"
            );
        }
        let symmetry = "one of each kind up to symmetry (unproved)".to_string();
        let reasons = [
            shard
                .filter(|shard| shard.of > 1)
                .map(|Shard { index, of }| {
                    format!("part {index} of {of}, tree {:016x}", self.tree)
                }),
            revisits
                .filter(|_| self.bounded)
                .map(|most| format!("each found with at most {}", count(most as u64, "revisit"))),
            self.symmetric.then_some(symmetry),
            self.timeless.then(|| {
                format!(
                    "no thread timing out more than {}",
                    count(time_outs.into(), "time")
                )
            }),
        ];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        if reasons.is_empty() {
            return match self.spins.len() as u64 {
                0 => format!("exhaustive {within}under {model}"),
                n => format!(
                    "exhaustive {within}under {model}, {} taken to wait",
                    count(n, "loop")
                ),
            };
        }
        let reasons = reasons.join(", ");
        format!("not exhaustive: {executions} {within}under {model}, {reasons}")
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
    /// The line that [`Explorer::replay`](crate::Explorer::replay) repeats it from.
    pub trace: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// An assertion failed or a thread panicked.
    Assertion,
    /// Two conflicting accesses, one plain, without happens-before; or an access that the
    /// initialisation of its location does not happen before.
    DataRace,
    /// An access after the memory was freed.
    UseAfterFree,
    /// Memory was freed twice.
    DoubleFree,
    /// An execution ended without freeing what it had allocated.
    Leak,
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
    source.judge(execution).or(fault)
}
