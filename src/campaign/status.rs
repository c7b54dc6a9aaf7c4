//! How far a campaign is, read from its folders: while it runs, after it ended, after it was killed.

use super::config::{Config, Job};
use crate::hunt::summary::overlap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
pub use threadbare_stress::campaign::failed::{FAILED, Failed};
use threadbare_stress::campaign::running;
use threadbare_stress::campaign::state::State;
use threadbare_stress::finding::store::{Store, StoreError};
use threadbare_stress::finding::{Finding, Schedule};

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
    /// It cannot run, or what it did proves nothing.
    Failed(Failed),
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

impl Row {
    /// Reads how far a hunt is. What cannot be read is that hunt's failure, and keeps no other from going on.
    pub fn read(config: &Config, job: Job) -> Self {
        let out = job.out();
        let (state, findings, unread) = match read(&out) {
            Ok((state, findings)) => (state, findings, None),
            Err(error) => (State::default(), Vec::new(), Some(unreadable(&out, &error))),
        };
        let stage = if running::runs(&out) {
            Stage::Runs
        } else if let Some(failed) = unread.or_else(|| Failed::read(&out)) {
            // Also when its time is over: a canary that was not found says that nothing else was.
            Stage::Failed(failed)
        } else if left(config, &state).is_zero() {
            Stage::Done
        } else if state.processes > 0 {
            Stage::Stopped
        } else {
            Stage::Waits
        };
        Self {
            job,
            stage,
            state,
            findings,
        }
    }
}

/// What a hunt has left so far.
fn read(out: &Path) -> Result<(State, Vec<Finding>), StoreError> {
    let state = match out.join("hunt.json").is_file() {
        true => State::read(out)?,
        false => State::default(),
    };
    let findings = match out.join("findings").is_dir() {
        true => Store::read(out)?,
        false => Vec::new(),
    };
    Ok((state, findings))
}

fn unreadable(out: &Path, error: &StoreError) -> Failed {
    let out = out.display();
    Failed {
        code: Some(3),
        why: format!("{error}; move {out} away to begin this hunt anew"),
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
pub fn rows(config: &Config) -> Vec<Row> {
    let jobs = config.jobs().into_iter();
    jobs.map(|job| Row::read(config, job)).collect()
}

/// The table, and below it why hunts cannot run.
pub fn table(config: &Config, rows: &[Row]) -> String {
    let wide = rows.iter().map(|r| r.job.name().chars().count()).max();
    let wide = wide.unwrap_or(0).max(2);
    let mut text = format!(
        "{:<wide$} {:>7}  {:<8} {:>7} {:>10} {:>13} {:>8} {:>9} {:>11} {:>9}\n",
        "VM",
        "shard",
        "is",
        "minutes",
        "scenarios",
        "runs",
        "overlap",
        "findings",
        "reproduced",
        "schedules"
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
        let schedules = row.findings.iter().filter(|f| repeats(f)).count();
        let _ = writeln!(
            text,
            "{:<wide$} {:>7}  {stage:<8} {:>7.1} {:>10} {:>13} {overlap:>8} {:>9} {reproduced:>11} {schedules:>9}",
            row.job.name(),
            row.job.shard.to_string(),
            state.seconds / 60.0,
            state.sum(|t| t.scenarios),
            state.sum(|t| t.runs),
            row.findings.len(),
        );
    }
    let left: Duration = rows
        .iter()
        .filter(|r| !matches!(r.stage, Stage::Failed(_)))
        .map(|r| left(config, &r.state))
        .sum();
    let done = rows.iter().filter(|r| r.stage == Stage::Done).count();
    let _ = writeln!(
        text,
        "{done} of {} hunts done, {:.1} minutes of hunting left",
        rows.len(),
        left.as_secs_f64() / 60.0
    );
    for row in rows {
        if let Stage::Failed(failed) = &row.stage {
            let (vm, shard, why) = (&row.job.vm, row.job.shard, &failed.why);
            let _ = writeln!(text, "FAILED {vm} shard {shard}: {why}");
        }
    }
    text
}

/// It has a schedule that repeated each time.
pub fn repeats(finding: &Finding) -> bool {
    finding.schedule.as_ref().is_some_and(Schedule::repeats)
}

fn hits(finding: &Finding) -> bool {
    finding.script.is_some_and(|r| r.hits > 0)
}

#[cfg(test)]
mod tests {
    use super::super::config::Control;
    use super::*;

    fn row(of: impl Fn(&Path)) -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            vms: vec!["x".to_owned()],
            time: Duration::from_secs(10),
            seed: 1,
            shards: 1,
            subjects: Vec::new(),
            out: dir.path().to_owned(),
            options: Vec::new(),
            control: Control::default(),
        };
        let job = config.jobs().remove(0);
        std::fs::create_dir_all(job.out()).unwrap();
        of(&job.out());
        Row::read(&config, job).stage
    }

    fn after(seconds: f64) -> impl Fn(&Path) {
        move |out| {
            let state = State {
                seconds,
                processes: 3,
                ..State::default()
            };
            state.save(out).unwrap();
        }
    }

    #[test]
    fn a_hunt_is_done_when_its_time_is_over() {
        assert_eq!(row(|_| ()), Stage::Waits);
        assert_eq!(row(after(4.0)), Stage::Stopped);
        assert_eq!(row(after(9.5)), Stage::Done);
    }

    /// A silent canary ends a hunt in time, and what it did not find proves nothing.
    #[test]
    fn a_hunt_that_failed_is_not_done() {
        let failed = Failed {
            code: Some(5),
            why: "the canary was not found".to_owned(),
        };
        let stage = row(|out| {
            after(10.0)(out);
            let text = serde_json::to_string(&failed).unwrap();
            std::fs::write(out.join(FAILED), text).unwrap();
        });
        assert_eq!(stage, Stage::Failed(failed));
    }

    /// Neither is taken for a hunt that has not begun.
    #[test]
    fn what_cannot_be_read_is_that_hunts_failure() {
        for file in ["hunt.json", "findings/x/finding.json"] {
            let stage = row(|out| {
                let path = out.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "{garbage").unwrap();
            });
            let Stage::Failed(failed) = stage else {
                panic!("{stage:?}");
            };
            assert!(
                failed.why.contains("cannot read") && failed.why.contains("move "),
                "{failed:?}"
            );
        }
    }
}
