//! What a run of a test observed, and herd's way of saying it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::ast::{Quantifier, Variable};
use super::code::Code;

/// How much of a test's behaviour an engine has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Every behaviour that the engine's model allows.
    Exhaustive,
    /// Every behaviour within the bound named.
    Bounded(String),
    /// Every behaviour but for what the words name, by the bounds and the model that they name.
    Under(String),
    /// Some behaviours, in the explorer's words.
    Partial(String),
    /// Some behaviours: this many runs. The seed repeats them, where there is one.
    Sampled {
        /// Number of runs.
        runs: u64,
        /// Seed of the schedules.
        seed: Option<u64>,
    },
}

impl Display for Coverage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Coverage::Exhaustive => f.write_str("exhaustive"),
            Coverage::Bounded(bound) => write!(f, "exhaustive within {bound}"),
            Coverage::Under(words) => write!(f, "exhaustive {words}"),
            Coverage::Partial(words) => f.write_str(words),
            Coverage::Sampled {
                runs,
                seed: Some(seed),
            } => write!(f, "sampled, {runs} runs, seed {seed}"),
            Coverage::Sampled { runs, seed: None } => write!(f, "sampled, {runs} runs"),
        }
    }
}

/// One execution in which the condition's proposition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// One column per thread.
    pub table: String,
    /// The graph in the DOT language.
    pub dot: String,
    /// The graph as a picture.
    pub svg: String,
}

/// What an engine saw of a test.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Each outcome with the number of executions or runs that had it.
    pub states: BTreeMap<Vec<i64>, u64>,
    /// A data race or something else that C leaves undefined, in words.
    pub race: Option<String>,
    /// An execution in which the proposition holds, from engines that have executions to show.
    pub witness: Option<Witness>,
    /// How far this goes.
    pub coverage: Coverage,
    /// Time spent.
    pub elapsed: Duration,
}

/// Whether the condition's proposition held: herd's three words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// In no outcome.
    Never,
    /// In some outcomes.
    Sometimes,
    /// In every outcome.
    Always,
}

impl Display for Frequency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Frequency::Never => "Never",
            Frequency::Sometimes => "Sometimes",
            Frequency::Always => "Always",
        })
    }
}

/// An observation judged by the test's condition.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The test's name.
    pub name: String,
    /// How the condition was meant.
    pub quantifier: Quantifier,
    /// The condition as text.
    pub condition: String,
    /// What the outcomes record.
    pub observed: Vec<Variable>,
    /// The names of the addresses that an outcome may hold.
    names: HashMap<i64, String>,
    /// Each outcome inside the filter: values, count, whether the proposition holds.
    pub states: Vec<(Vec<i64>, u64, bool)>,
    /// Executions or runs in which the proposition held.
    pub positive: u64,
    /// Executions or runs in which it did not.
    pub negative: u64,
    /// Whether the condition is true of what was seen.
    pub ok: bool,
    /// Never, sometimes, always.
    pub frequency: Frequency,
    /// A data race or something else that C leaves undefined, in words: by the standard the test then
    /// means nothing, and herd says *Undef*. The states are those of plain accesses that behave as
    /// relaxed ones, of executions that come to nothing else undefined.
    pub race: Option<String>,
    /// An execution in which the proposition holds.
    pub witness: Option<Witness>,
    /// How far the observation goes.
    pub coverage: Coverage,
    /// Time spent.
    pub elapsed: Duration,
}

impl Verdict {
    /// Judges what was seen.
    pub fn new(code: &Code, observation: &Observation) -> Verdict {
        let states: Vec<(Vec<i64>, u64, bool)> = observation
            .states
            .iter()
            .filter(|(outcome, _)| {
                code.filter
                    .as_ref()
                    .is_none_or(|filter| code.holds(filter, outcome))
            })
            .map(|(outcome, count)| {
                (
                    outcome.clone(),
                    *count,
                    code.holds(&code.condition.prop, outcome),
                )
            })
            .collect();
        let count = |holds| {
            states
                .iter()
                .filter(|state| state.2 == holds)
                .map(|state| state.1)
                .sum()
        };
        let (positive, negative) = (count(true), count(false));
        let frequency = match (positive, negative) {
            (0, _) => Frequency::Never,
            (_, 0) => Frequency::Always,
            _ => Frequency::Sometimes,
        };
        let ok = match code.condition.quantifier {
            Quantifier::Exists => positive > 0,
            Quantifier::NotExists => positive == 0,
            Quantifier::Forall => negative == 0,
        };
        Verdict {
            name: code.name.clone(),
            quantifier: code.condition.quantifier,
            condition: code.condition.to_string(),
            observed: code.observed.clone(),
            names: code.names(),
            states,
            positive,
            negative,
            ok,
            frequency,
            race: observation.race.clone(),
            witness: observation.witness.clone(),
            coverage: observation.coverage.clone(),
            elapsed: observation.elapsed,
        }
    }

    /// Whether the test claims something (`~exists`, `forall`) that was seen to
    /// be false, or races. `exists` is a question: no answer to it is a fault.
    pub fn is_finding(&self) -> bool {
        self.race.is_some() || self.quantifier != Quantifier::Exists && !self.ok
    }

    /// How many executions or runs speak for the condition and how many against it, as herd
    /// counts: those in which the proposition of a `~exists` holds speak against it.
    pub fn witnesses(&self) -> (u64, u64) {
        match self.quantifier {
            Quantifier::NotExists => (self.negative, self.positive),
            _ => (self.positive, self.negative),
        }
    }

    /// One outcome as herd writes it: `0:r0=0; 1:r0=1;`.
    pub fn state(&self, outcome: &[i64]) -> String {
        let parts: Vec<String> = self
            .observed
            .iter()
            .zip(outcome)
            .map(|(place, value)| match self.names.get(value) {
                Some(name) => format!("{}={name};", bracketed(place)),
                None => format!("{}={value};", bracketed(place)),
            })
            .collect();
        parts.join(" ")
    }
}

/// Locations in brackets, as herd prints them in states.
fn bracketed(place: &Variable) -> String {
    match place {
        Variable::Location(name) => format!("[{name}]"),
        Variable::Register(..) => place.to_string(),
    }
}

/// The report in the shape of herd and litmus7: histogram, verdict, witnesses.
/// `*>` marks the outcomes in which the proposition holds. Without the time,
/// so that equal runs print equal texts.
impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.quantifier {
            Quantifier::Exists => "Allowed",
            Quantifier::NotExists => "Forbidden",
            Quantifier::Forall => "Required",
        };
        writeln!(f, "Test {} {kind}", self.name)?;
        let plural = if self.states.len() == 1 {
            "state"
        } else {
            "states"
        };
        writeln!(f, "Histogram ({} {plural})", self.states.len())?;
        for (outcome, count, holds) in &self.states {
            writeln!(
                f,
                "{count:<8}{}>{}",
                if *holds { '*' } else { ':' },
                self.state(outcome)
            )?;
        }
        writeln!(f, "{}", if self.ok { "Ok" } else { "No" })?;
        if self.race.is_some() {
            writeln!(f, "Undef")?;
        }
        writeln!(f, "Witnesses")?;
        let (positive, negative) = self.witnesses();
        writeln!(f, "Positive: {positive} Negative: {negative}")?;
        writeln!(f, "Condition {}", self.condition)?;
        if let Some(race) = &self.race {
            writeln!(f, "Flag Undef: {race}")?;
        }
        writeln!(
            f,
            "Observation {} {} {} {}",
            self.name, self.frequency, self.positive, self.negative
        )?;
        writeln!(f, "Coverage {} {}", self.name, self.coverage)
    }
}
