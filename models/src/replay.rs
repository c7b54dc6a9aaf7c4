//! One line of text that repeats one execution.
//!
//! `tb1/PROTOCOL/SCENARIO/MUTANT/ENGINE/PROGRAM/SCHEDULE/TRACE`: format version, names
//! (`-` for the faithful scheme), the engine with the version its schedules are for, the
//! hash of the scenario's program, the schedule, and the hash of the trace that has to come
//! out. A schedule is `n4`, the fourth execution of a deterministic search, or the thread
//! numbers in the order they ran, run-length encoded: `t0x12.1x3.2`.

use crate::catalogue::{self, Entry, ReplayError, Unknown};
use crate::engine::Engine;
use crate::verdict::{Failure, Schedule, Verdict};
use std::fmt::{self, Display};
use std::str::FromStr;

/// A recorded execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Protocol.
    pub protocol: String,
    /// Scenario.
    pub scenario: String,
    /// Mutant, if any.
    pub mutant: Option<String>,
    /// Engine.
    pub engine: Engine,
    /// Version of the engine, see [`Engine::version`].
    pub version: String,
    /// Hash of the program.
    pub program: u64,
    /// The schedule.
    pub schedule: Schedule,
    /// Hash of the trace.
    pub trace: u64,
}

/// Why a text is no recording, or a recording cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not in the format.
    #[error("not a recording: {0}")]
    Syntax(String),
    /// Names that this build does not know.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The scenario's program has changed.
    #[error("scenario {0} is another program now; the recording is for {1:x}")]
    Program(String, u64),
    /// Another engine version.
    #[error("the recording is for {0}, this is {1}")]
    Version(String, String),
    /// The schedule does not fit.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The execution took another course.
    #[error("the replay took another course: {0}")]
    Differs(String),
}

impl Recording {
    /// The recording of a failure; `None` for engines whose executions cannot be repeated.
    pub fn of(
        entry: &Entry,
        scenario: &str,
        mutant: Option<&str>,
        engine: Engine,
        failure: &Failure,
    ) -> Option<Self> {
        if failure.schedule == Schedule::None {
            return None;
        }
        Some(Self {
            protocol: entry.name.into(),
            scenario: scenario.into(),
            mutant: mutant.map(Into::into),
            engine,
            version: engine.version().replace(' ', "-"),
            program: entry.scenario(scenario).ok()?.hash,
            schedule: failure.schedule.clone(),
            trace: failure.trace_hash,
        })
    }

    /// Repeats the execution; the failure that it shows again.
    ///
    /// # Errors
    /// [`Refused`] when names, program, engine or course do not fit.
    pub fn run(&self) -> Result<Box<Failure>, Refused> {
        let entry = catalogue::find(&self.protocol)?;
        let program = entry.scenario(&self.scenario)?.hash;
        if program != self.program {
            return Err(Refused::Program(self.scenario.clone(), self.program));
        }
        let version = self.engine.version().replace(' ', "-");
        if version != self.version {
            return Err(Refused::Version(self.version.clone(), version));
        }
        let mutant = self.mutant.as_deref();
        match entry.replay(self.engine, &self.scenario, mutant, &self.schedule)? {
            Verdict::Violated(failure) if failure.trace_hash == self.trace => Ok(failure),
            Verdict::Violated(failure) => {
                Err(Refused::Differs(format!("trace {:x}", failure.trace_hash)))
            }
            other => Err(Refused::Differs(other.to_string())),
        }
    }
}

impl Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, scenario, mutant, engine, version, program, schedule, trace } = self;
        let mutant = mutant.as_deref().unwrap_or("-");
        let engine = engine.name();
        write!(f, "tb1/{protocol}/{scenario}/{mutant}/{engine}@{version}/{program:x}/")?;
        match schedule {
            Schedule::Nth(n) => write!(f, "n{n}")?,
            Schedule::None => f.write_str("-")?,
            Schedule::Threads(order) => {
                f.write_str("t")?;
                for (n, run) in order.chunk_by(|a, b| a == b).enumerate() {
                    let dot = if n == 0 { "" } else { "." };
                    match run.len() {
                        1 => write!(f, "{dot}{}", run[0])?,
                        len => write!(f, "{dot}{}x{len}", run[0])?,
                    }
                }
            }
        }
        write!(f, "/{trace:x}")
    }
}

impl FromStr for Recording {
    type Err = Refused;

    /// Reads the first recording in a text, which may be all that a check printed.
    fn from_str(text: &str) -> Result<Self, Refused> {
        let bad = |what: &str| Refused::Syntax(what.to_owned());
        let is_recording = |word: &&str| {
            word.strip_prefix("tb")
                .and_then(|rest| rest.split_once('/'))
                .is_some_and(|(version, _)| version.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`'));
        let word = words.find(is_recording).ok_or_else(|| bad("nothing like `tb1/…` in it"))?;
        let fields: Vec<&str> = word.split('/').collect();
        let [format, protocol, scenario, mutant, engine, program, schedule, trace] = fields[..]
        else {
            return Err(bad("eight fields separated by slashes expected"));
        };
        if format != "tb1" {
            return Err(Refused::Syntax(format!("format {format:?}, this build reads tb1")));
        }
        let (engine, version) = engine.split_once('@').ok_or_else(|| bad("engine@version"))?;
        let hex = |text: &str| u64::from_str_radix(text, 16).map_err(|_| bad("hash"));
        Ok(Self {
            protocol: protocol.into(),
            scenario: scenario.into(),
            mutant: (mutant != "-").then(|| mutant.into()),
            engine: Engine::named(engine).ok_or_else(|| bad("unknown engine"))?,
            version: version.into(),
            program: hex(program)?,
            schedule: parse_schedule(schedule).ok_or_else(|| bad("schedule"))?,
            trace: hex(trace)?,
        })
    }
}

/// Longest schedule accepted; far above any recorded one, so that a damaged length is an
/// error and not an allocation.
const LONGEST: usize = 1_000_000;

fn parse_schedule(text: &str) -> Option<Schedule> {
    if let Some(n) = text.strip_prefix('n') {
        return n.parse().ok().map(Schedule::Nth);
    }
    let mut order = Vec::new();
    for run in text.strip_prefix('t')?.split('.').filter(|r| !r.is_empty()) {
        let (thread, len) = run.split_once('x').unwrap_or((run, "1"));
        let len: usize = len.parse().ok()?;
        if order.len() + len > LONGEST {
            return None;
        }
        order.extend(std::iter::repeat_n(thread.parse::<u8>().ok()?, len));
    }
    Some(Schedule::Threads(order))
}
