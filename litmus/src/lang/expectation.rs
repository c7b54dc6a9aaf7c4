//! What a test says has to come out: info lines between its name and its
//! initial state.
//!
//! ```text
//! Family=SB
//! SC=Never
//! TSO=Never
//! RC11=Never
//! Loom=Sometimes (reads seq_cst accesses as acquire-release)
//! ```
//!
//! `Never`, `Sometimes`, `Always` say in how many outcomes the condition's
//! proposition holds; `Race` says that the test has a data race, which is
//! judged by C11's happens-before under every model. A `Loom` or `Shuttle` line
//! stands where that engine is known to differ from RC11, and gives the reason;
//! without one it has to agree.

use std::fmt;
use std::str::FromStr;

use super::Test;
use super::engine::{Engine, Limits, Unsupported, run};
use super::outcome::{Coverage, Frequency, Verdict};
use crate::explore::Model;

/// What a test has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The proposition's frequency, without a race.
    Shows(Frequency),
    /// A data race, whatever else.
    Race,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Shows(frequency) => frequency.fmt(f),
            Expected::Race => f.write_str("Race"),
        }
    }
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(word: &str) -> Result<Expected, String> {
        Ok(match word {
            "Never" => Expected::Shows(Frequency::Never),
            "Sometimes" => Expected::Shows(Frequency::Sometimes),
            "Always" => Expected::Shows(Frequency::Always),
            "Race" => Expected::Race,
            _ => {
                return Err(format!(
                    "`{word}` is none of Never, Sometimes, Always, Race"
                ));
            }
        })
    }
}

impl Expected {
    /// Whether a verdict is as expected.
    pub fn met_by(self, verdict: &Verdict) -> bool {
        match self {
            Expected::Race => verdict.race.is_some(),
            Expected::Shows(frequency) => verdict.race.is_none() && verdict.frequency == frequency,
        }
    }

    /// Whether a verdict on part of the behaviour rules out that the whole is as expected.
    fn refuted_by(self, verdict: &Verdict) -> bool {
        match self {
            Expected::Race => false,
            Expected::Shows(frequency) => {
                verdict.race.is_some()
                    || frequency == Frequency::Never && verdict.positive > 0
                    || frequency == Frequency::Always && verdict.negative > 0
            }
        }
    }
}

/// An expectation and why it differs from RC11's, if it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What has to come out.
    pub expected: Expected,
    /// Why this engine differs from RC11.
    pub reason: Option<String>,
}

/// What `test` says about `engine`: `None` if it says nothing (a test from
/// elsewhere) or nothing can be expected (hardware shows what it likes, within
/// its model).
///
/// # Errors
///
/// An info line that is no expectation.
pub fn expectation(test: &Test, engine: Engine) -> Result<Option<Expectation>, String> {
    let keys: &[&str] = match engine {
        Engine::Explorer(Model::Sc) => &["SC"],
        Engine::Explorer(Model::Tso) => &["TSO"],
        Engine::Explorer(Model::Rust) => &["Rust", "RC11"],
        Engine::Explorer(Model::Rc11) => &["RC11"],
        Engine::Loom => &["Loom", "RC11"],
        Engine::Shuttle => &["Shuttle", "RC11"],
        Engine::Hardware => &[],
    };
    let Some(line) = keys.iter().find_map(|key| test.info(key)) else {
        return Ok(None);
    };
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let reason = rest
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    Ok(Some(Expectation {
        expected: word.parse()?,
        reason: reason.map(String::from),
    }))
}

/// A verdict beside what the test expects.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What came out.
    pub verdict: Verdict,
    /// What had to, if the test says.
    pub expectation: Option<Expectation>,
}

impl Judged {
    /// Whether this is worth somebody's attention: another verdict than
    /// expected; without expectation, a race or a false claim ([`Verdict::is_finding`]). What
    /// a bounded or sampled search by our explorer has not seen is nobody's fault.
    pub fn is_finding(&self) -> bool {
        let partial = matches!(self.verdict.coverage, Coverage::Partial(_));
        match &self.expectation {
            Some(expectation) if partial => expectation.expected.refuted_by(&self.verdict),
            Some(expectation) => !expectation.expected.met_by(&self.verdict),
            None => self.verdict.is_finding(),
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// The engine cannot run the test.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// An info line is no expectation.
    #[error("{test}: {what}; write Never, Sometimes, Always or Race, then a reason in parentheses")]
    Info {
        /// The test.
        test: String,
        /// What is wrong.
        what: String,
    },
}

/// Runs a test on an engine and judges it.
///
/// # Errors
///
/// When the engine cannot express the test, or an info line makes no sense.
pub fn judge(test: &Test, engine: Engine, limits: &Limits) -> Result<Judged, JudgeError> {
    let expectation = expectation(test, engine).map_err(|what| JudgeError::Info {
        test: test.name.clone(),
        what,
    })?;
    let code = test.lower();
    let verdict = Verdict::new(&code, &run(&code, engine, limits)?);
    Ok(Judged {
        verdict,
        expectation,
    })
}
