//! How far a campaign is, read from its folders: while it runs, after it ended, after it was killed.

use super::config::{Config, Job};
use crate::hunt::summary::overlap;
use std::fmt::Write as _;
use std::time::Duration;
use threadbare_stress::campaign::running;
use threadbare_stress::campaign::state::State;
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::{Store, StoreError};

/// How far a hunt of a campaign is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// It has not begun.
    Waits,
    /// A process is at it now.
    Runs,
    /// It ended before its time; `campaign run` goes on.
    Stopped,
    /// Its time is over.
    Done,
    /// It cannot run, with the reason.
    Failed(String),
}

/// A hunt of a campaign and what it has come to.
#[derive(Debug)]
pub struct Row {
    /// The hunt.
    pub job: Job,
    /// How far it is.
    pub stage: Stage,
    /// Its totals.
    pub state: State,
    /// What it found.
    pub findings: Vec<Finding>,
}

/// File of a hunt's folder: why it could not run.
pub const FAILED: &str = "failed.txt";

impl Row {
    /// Reads how far a hunt is.
    ///
    /// # Errors
    /// When its folder is there and cannot be read.
    pub fn read(config: &Config, job: Job) -> Result<Self, StoreError> {
        let out = job.out();
        let state = match out.join("hunt.json").is_file() {
            true => State::read(&out)?,
            false => State::default(),
        };
        let findings = match out.join("findings").is_dir() {
            true => Store::read(&out)?,
            false => Vec::new(),
        };
        let stage = if running::runs(&out) {
            Stage::Runs
        } else if left(config, &state).is_zero() {
            Stage::Done
        } else if let Ok(why) = std::fs::read_to_string(out.join(FAILED)) {
            Stage::Failed(why.trim().to_owned())
        } else if state.processes > 0 {
            Stage::Stopped
        } else {
            Stage::Waits
        };
        Ok(Self {
            job,
            stage,
            state,
            findings,
        })
    }
}

/// Time that a hunt has not had yet; what is below a second is none.
pub fn left(config: &Config, state: &State) -> Duration {
    let had = Duration::try_from_secs_f64(state.seconds).unwrap_or_default();
    let left = config.time.saturating_sub(had);
    match left < Duration::from_secs(1) {
        true => Duration::ZERO,
        false => left,
    }
}

/// All hunts of a campaign.
///
/// # Errors
/// When a folder is there and cannot be read.
pub fn rows(config: &Config) -> Result<Vec<Row>, StoreError> {
    let jobs = config.jobs().into_iter();
    jobs.map(|job| Row::read(config, job)).collect()
}

/// The table, and below it why hunts cannot run.
pub fn table(config: &Config, rows: &[Row]) -> String {
    let wide = rows.iter().map(|r| r.job.name().chars().count()).max();
    let wide = wide.unwrap_or(0).max(2);
    let mut text = format!(
        "{:<wide$} {:>7}  {:<8} {:>7} {:>10} {:>13} {:>8} {:>9} {:>11}\n",
        "VM", "shard", "is", "minutes", "scenarios", "runs", "overlap", "findings", "reproduced"
    );
    for row in rows {
        let state = &row.state;
        let stage = match &row.stage {
            Stage::Waits => "waiting",
            Stage::Runs => "running",
            Stage::Stopped => "stopped",
            Stage::Done => "done",
            Stage::Failed(_) => "FAILED",
        };
        let sampled = state.sum(|t| t.sampled);
        let overlap = match sampled {
            0 => "-".to_owned(),
            _ => format!("{:.0} %", overlap(state)),
        };
        let reproduced = row.findings.iter().filter(|f| hits(f)).count();
        let _ = writeln!(
            text,
            "{:<wide$} {:>7}  {stage:<8} {:>7.1} {:>10} {:>13} {overlap:>8} {:>9} {reproduced:>11}",
            row.job.name(),
            row.job.shard.to_string(),
            state.seconds / 60.0,
            state.sum(|t| t.scenarios),
            state.sum(|t| t.runs),
            row.findings.len(),
        );
    }
    let left: f64 = rows
        .iter()
        .filter(|r| !matches!(r.stage, Stage::Failed(_)))
        .map(|r| left(config, &r.state).as_secs_f64())
        .sum();
    let done = rows.iter().filter(|r| r.stage == Stage::Done).count();
    let _ = writeln!(
        text,
        "{done} of {} hunts done, {:.1} minutes of hunting left",
        rows.len(),
        left / 60.0
    );
    for row in rows {
        if let Stage::Failed(why) = &row.stage {
            let _ = writeln!(text, "FAILED {} shard {}: {why}", row.job.vm, row.job.shard);
        }
    }
    text
}

fn hits(finding: &Finding) -> bool {
    finding.script.is_some_and(|r| r.hits > 0)
}
