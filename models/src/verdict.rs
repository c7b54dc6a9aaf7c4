//! What an engine says about a scenario.

use serde::{Deserialize, Serialize};

/// Kinds of misbehaviour that the observer and the engines recognise. A protocol's
/// [`Property`](crate::protocol::Property) names the kinds that break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A freed object was used.
    UseAfterFree,
    /// An object was freed twice.
    DoubleFree,
    /// An object was freed although references existed.
    PrematureFree,
    /// An object without references was never freed.
    Leak,
    /// More references were given up than existed.
    NegativeCount,
    /// A count differs from the number of references at quiescence.
    WrongCount,
    /// A finalizer ran twice in one life.
    FinalizedTwice,
    /// A weak reference gave an object after its death, or another object.
    UpgradedDead,
    /// A read mixed several writes, or saw memory that was never initialised.
    TornRead,
    /// An update disappeared.
    LostUpdate,
    /// Results that no sequential order of the operations explains.
    NotLinearizable,
    /// Conflicting accesses to plain memory without ordering.
    DataRace,
    /// All threads wait.
    Deadlock,
    /// A thread waited longer than the stated bound.
    Starvation,
    /// A stated bound on memory or backlog was exceeded.
    Unbounded,
    /// An invariant of the scheme's own state was broken.
    Invariant,
    /// The execution did not end within the engine's step budget.
    StepBudget,
    /// Our own fault: a panic that is none of the above.
    Internal,
}

impl Kind {
    /// The field's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UseAfterFree => "use after free",
            Self::DoubleFree => "double free",
            Self::PrematureFree => "premature free",
            Self::Leak => "leak",
            Self::NegativeCount => "negative count",
            Self::WrongCount => "wrong count",
            Self::FinalizedTwice => "finalized twice",
            Self::UpgradedDead => "upgrade of a dead object",
            Self::TornRead => "torn read",
            Self::LostUpdate => "lost update",
            Self::NotLinearizable => "not linearizable",
            Self::DataRace => "data race",
            Self::Deadlock => "deadlock",
            Self::Starvation => "starvation",
            Self::Unbounded => "bound exceeded",
            Self::Invariant => "broken invariant",
            Self::StepBudget => "step budget exceeded",
            Self::Internal => "internal error",
        }
    }
}

/// A kind of misbehaviour, and the places where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The kind.
    pub kind: Kind,
    /// Fields or objects; anywhere when empty.
    pub at: &'static [&'static str],
}

impl Kind {
    /// This, wherever it shows.
    pub const fn anywhere(self) -> Breach {
        Breach { kind: self, at: &[] }
    }

    /// This, where it shows at one of these fields or objects.
    pub const fn at(self, at: &'static [&'static str]) -> Breach {
        Breach { kind: self, at }
    }
}

impl Breach {
    /// Whether a violation is this one. Engines that do not say where a race is are believed.
    pub fn is(&self, violation: &Violation) -> bool {
        let there = |place| self.at.contains(&place);
        self.kind == violation.kind && (self.at.is_empty() || violation.place().is_none_or(there))
    }
}

/// A broken property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What kind.
    pub kind: Kind,
    /// Which object, in words; begins with the place, where there is one.
    pub text: String,
}

impl Violation {
    /// The field or object where it shows: `bias` of `bias[0]: …` and of `on bias[0] between …`.
    pub fn place(&self) -> Option<&str> {
        let text = self.text.strip_prefix("on ").unwrap_or(&self.text);
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let (place, rest) = text.split_at(end);
        let labelled =
            rest.starts_with('[') || rest.starts_with(": ") || rest.starts_with(" between");
        (labelled && !place.is_empty()).then_some(place)
    }
}

/// Within what a verdict holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Threads of the scenario, main included.
    pub threads: usize,
    /// Operations over all threads.
    pub operations: usize,
    /// Executions explored.
    pub executions: u64,
    /// Bound on preemptions, when there was one.
    pub preemptions: Option<usize>,
    /// Memory model, in words.
    pub model: String,
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { threads, operations, executions, preemptions, model } = self;
        match executions {
            1 => f.write_str("the one execution ")?,
            n => write!(f, "all {n} executions ")?,
        }
        if let Some(bound) = preemptions {
            write!(f, "of at most {bound} preemptions ")?;
        }
        write!(f, "of {}, {model}", size(*threads, *operations))
    }
}

/// How large a scenario is, in words.
pub(crate) fn size(threads: usize, operations: usize) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", count(threads, "thread"), count(operations, "operation"))
}

/// How one execution is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The n-th execution of the engine's deterministic search, counted from 1.
    Nth(u64),
    /// Thread numbers in the order in which they were let run.
    Threads(Vec<u8>),
    /// Real threads: only the rate can be repeated.
    None,
}

/// The verdict of one engine on one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// Every execution within the bounds keeps every property.
    Exhausted(Bounds),
    /// No violation in a sample.
    Passed {
        /// Executions run.
        runs: u64,
        /// Seed of the sample.
        seed: u64,
        /// Why this is a sample and no proof.
        sampled: String,
    },
    /// A property was broken.
    Violated(Box<Failure>),
    /// The engine cannot judge this; never green.
    Unsupported {
        /// Why.
        reason: String,
    },
}

/// A violating execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The broken property.
    pub violation: Violation,
    /// Executions until it was found, this one included.
    pub execution: u64,
    /// How to repeat it.
    pub schedule: Schedule,
    /// One column per thread, ready to print; empty when the engine keeps no trace.
    pub trace: String,
    /// Hash of the trace, checked by a replay.
    pub trace_hash: u64,
}

impl Verdict {
    /// Whether the verdict is a pass of any strength.
    pub fn is_pass(&self) -> bool {
        matches!(self, Self::Exhausted(_) | Self::Passed { .. })
    }

    /// The failure, if there is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Violated(failure) => Some(failure),
            _ => None,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exhausted(bounds) => write!(f, "exhausted: {bounds}"),
            Self::Passed { runs, sampled, .. } => {
                write!(f, "passed: {runs} executions, {sampled}")
            }
            Self::Violated(failure) => write!(
                f,
                "violated after {} executions: {}: {}",
                failure.execution,
                failure.violation.kind.name(),
                failure.violation.text
            ),
            Self::Unsupported { reason } => write!(f, "unsupported: {reason}"),
        }
    }
}
