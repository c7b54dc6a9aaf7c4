//! `threadbare campaign`: hunts in many VMs and shards, taken up where they stopped.
//!
//! Each hunt is a process of its own that writes a folder of its own, so that one which dies, or is killed with the
//! machine, loses what it had in flight and nothing else, and many machines may work on one shared folder.

mod config;
mod status;

use crate::{Format, exit, hunt, signals};
use config::{Config, Job};
use nix::sys::signal::Signal;
use status::{FAILED, Failed, Row, Stage};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use threadbare_stress::campaign::running;
use threadbare_stress::campaign::shard::Shard;
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::triage::merge;
use threadbare_stress::vm::child::interrupted;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
A campaign's file:
  vms = [\"rustpython\", \"python3.14t\"]     # each as `hunt --vm` takes it
  time = \"10m\"                            # of each hunt: of each shard of each VM
  shards = 2                              # hunts of each VM, default 1; they share its scenarios
  seed = 1                                # these and the following may be left out
  subjects = [\"ordinary\", \"dict\"]
  out = \"campaign-out\"                    # beside the file
  options = [\"--threads\", \"3\"]            # more words for every hunt
  [control]                               # the last table: VMs of ci/vm/cpython-controlled.sh, by `hunt --control`
  vms = [\"/opt/controlled/bin/python3.13t\"]
  strategy = \"portfolio\"                  # schedules = 200 and tso = false as of `hunt`

Examples:
  threadbare campaign run nightly.toml                # the same command again goes on where it stopped
  threadbare campaign run nightly.toml --shard 3/8     # one of eight machines that share the folder; also `auto`
  threadbare campaign status nightly.toml             # of a running one, or one that is dead
  threadbare campaign merge nightly.toml              # findings of all shards, equal ones once

Exit codes: 0 nothing found (status: all could be read), 1 findings, 2 usage, 3 a hunt could not run, 4 no hunt
is left for this shard, or none has begun (merge), 5 a hunt failed or its canary was not found, 130 interrupted (all saved).")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Run what is left of a campaign.
    Run {
        /// The campaign's file.
        config: PathBuf,
        /// Only shard I of N of the hunts, from 0; `auto`: the task of a Slurm job array or an indexed Kubernetes Job
        /// that this process is.
        #[arg(long, value_name = "I/N", env = "THREADBARE_SHARD", value_parser = hunt::shard)]
        shard: Option<Shard>,
        /// Hunts at once [default: one for each two cores].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        at_once: Option<u16>,
    },
    /// Say how far a campaign is.
    Status {
        /// The campaign's file.
        config: PathBuf,
        /// How results are printed.
        #[arg(long, value_enum, default_value = "human")]
        format: Format,
    },
    /// Findings of all its hunts in the folder `merged`, equal ones once, and all marks.
    Merge {
        /// The campaign's file.
        config: PathBuf,
    },
}

/// Runs, shows or merges a campaign.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (Action::Run { config, .. } | Action::Status { config, .. } | Action::Merge { config }) =
        &args.action;
    let config = match Config::read(config) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("threadbare: {error:#}");
            return Ok(exit::usage());
        }
    };
    match args.action {
        Action::Run { shard, at_once, .. } => {
            let cores = std::thread::available_parallelism().map_or(2, usize::from);
            let at_once = at_once.map_or((cores / 2).max(1), usize::from);
            campaign(&config, shard.unwrap_or_default(), at_once)
        }
        Action::Status { format, .. } => {
            let rows = status::rows(&config);
            match format {
                Format::Human => print!("{}", status::table(&config, &rows)),
                Format::Json => rows.iter().for_each(|row| println!("{}", json(row))),
            }
            Ok(exit::CLEAN)
        }
        Action::Merge { .. } => merged(&config),
    }
}

/// A hunt that runs.
struct Running {
    job: Job,
    child: Child,
}

/// Runs what is left, so many at once.
fn campaign(config: &Config, shard: Shard, at_once: usize) -> anyhow::Result<ExitCode> {
    signals::install()?;
    std::fs::create_dir_all(&config.out)?;
    let mine = |(i, job): (usize, Job)| shard.has(i).then_some(job);
    let jobs: Vec<Job> = config
        .jobs()
        .into_iter()
        .enumerate()
        .filter_map(mine)
        .collect();
    if jobs.is_empty() {
        eprintln!(
            "threadbare: shard {shard} holds none of the {} hunts",
            config.jobs().len()
        );
        return Ok(exit::nothing());
    }
    let mut waiting = jobs.clone().into_iter();
    let (mut running, mut exhausted, mut told) = (Vec::new(), false, false);
    let mut view = View::new();
    loop {
        while running.len() < at_once && !exhausted && !interrupted() {
            match waiting.next() {
                Some(job) => running.extend(start(config, job)?),
                None => exhausted = true,
            }
        }
        if interrupted() && !told {
            told = true;
            running.iter().for_each(stop);
        }
        let mut still = Vec::new();
        for mut one in running {
            match one.child.try_wait()? {
                Some(code) => ended(&one.job, code.code())?,
                None => still.push(one),
            }
        }
        running = still;
        if running.is_empty() && (exhausted || interrupted()) {
            break;
        }
        view.show(config);
        std::thread::sleep(Duration::from_millis(200));
    }
    view.clear();
    let rows = status::rows(config);
    print!("{}", status::table(config, &rows));
    if interrupted() {
        eprintln!("threadbare: interrupted; the same command goes on");
        return Ok(exit::interrupted());
    }
    let mine = |row: &&Row| jobs.contains(&row.job);
    let codes: Vec<Option<i32>> = rows
        .iter()
        .filter(mine)
        .filter_map(|r| match &r.stage {
            Stage::Failed(failed) => Some(failed.code),
            _ => None,
        })
        .collect();
    let found = rows.iter().filter(mine).any(|r| !r.findings.is_empty());
    if found {
        println!("`threadbare campaign merge` puts the findings of all hunts together");
    }
    // Worst first: what a silent canary lets pass for nothing found, then what could not run at all.
    let unfit = |code: &Option<i32>| matches!(code, Some(2..=4));
    Ok(match (codes.as_slice(), found) {
        ([], true) => exit::found(),
        ([], false) => exit::CLEAN,
        (codes, _) if codes.iter().all(unfit) => exit::environment(),
        _ => exit::ours(),
    })
}

/// Starts what is left of a hunt; `None` when its time is over or another process is at it.
fn start(config: &Config, job: Job) -> anyhow::Result<Option<Running>> {
    let row = Row::read(config, job);
    let left = status::left(config, &row.state);
    if left.is_zero() || row.stage == Stage::Runs {
        return Ok(None);
    }
    let out = row.job.out();
    std::fs::create_dir_all(&out)?;
    // A VM that was missing may be there now.
    let _ = std::fs::remove_file(out.join(FAILED));
    let log = File::options()
        .create(true)
        .append(true)
        .open(out.join("log.txt"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "hunt",
            "--vm",
            &row.job.vm,
            "--seed",
            &config.seed.to_string(),
        ])
        .args(["--time", &format!("{:.1}s", left.as_secs_f64())])
        .args(["--shard", &row.job.shard.to_string(), "--out"])
        .arg(&row.job.folder)
        .args(config.subjects.iter().flat_map(|s| ["--subject", s]))
        .args(&row.job.control)
        .args(&config.options)
        // A group of its own: Ctrl-C comes to this program, which asks its hunts to stop, once.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let child = command.spawn()?;
    Ok(Some(Running {
        job: row.job,
        child,
    }))
}

/// Asks a hunt to save what it has and end. Once: the second time would end it at once.
fn stop(one: &Running) {
    let pid = i32::try_from(one.child.id()).expect("a process number is below 2^31");
    // It may have ended by itself just now.
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM);
}

/// Notes why a hunt could not run. What it found is in its folder.
fn ended(job: &Job, code: Option<i32>) -> anyhow::Result<()> {
    if matches!(code, Some(0 | 1 | 130)) || interrupted() {
        return Ok(());
    }
    let out = job.out();
    // Another campaign began it between our look and our start.
    if running::runs(&out) {
        return Ok(());
    }
    let log = std::fs::read(out.join("log.txt")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let last = log.lines().rev().find(|l| l.starts_with("threadbare: "));
    let why = match (last, code) {
        (Some(line), _) => line.trim_start_matches("threadbare: ").to_owned(),
        (None, Some(code)) => format!("exit code {code}; see {}", out.join("log.txt").display()),
        (None, None) => format!("killed; see {}", out.join("log.txt").display()),
    };
    // A hunt that was killed goes on with the next `campaign run`; so does one that failed.
    let failed = serde_json::to_string(&Failed { code, why })?;
    write_atomically(&out.join(FAILED), failed.as_bytes())?;
    Ok(())
}

/// The table on a terminal, redrawn; a line each minute elsewhere.
struct View {
    terminal: bool,
    lines: usize,
    last: Option<Instant>,
}

impl View {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            lines: 0,
            last: None,
        }
    }

    fn show(&mut self, config: &Config) {
        let pause = Duration::from_secs(if self.terminal { 2 } else { 60 });
        if self.last.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        self.last = Some(Instant::now());
        let table = status::table(config, &status::rows(config));
        if self.terminal {
            self.clear();
            self.lines = table.lines().count();
            eprint!("{table}");
        } else if let Some(line) = table.lines().find(|l| l.contains(" hunts done")) {
            eprintln!("{line}");
        }
    }

    /// Takes the table off the terminal.
    fn clear(&mut self) {
        if self.lines > 0 {
            eprint!("\x1b[{}A\x1b[J", self.lines);
            let _ = std::io::stderr().flush();
        }
        self.lines = 0;
    }
}

fn merged(config: &Config) -> anyhow::Result<ExitCode> {
    let rows = status::rows(config);
    let begun = rows
        .iter()
        .filter(|r| r.job.out().join("findings").is_dir());
    let outs: Vec<PathBuf> = begun.map(|r| r.job.out()).collect();
    if outs.is_empty() {
        eprintln!(
            "threadbare: no hunt of this campaign has begun; `threadbare campaign run` begins it"
        );
        return Ok(exit::nothing());
    }
    let into = config.out.join("merged");
    let merged = merge::merge(&outs, &into)?;
    println!(
        "{}: {} findings, {} read from {} of {} hunts; `threadbare findings {0}` lists them",
        into.display(),
        merged.kept,
        merged.read,
        outs.len(),
        rows.len()
    );
    Ok(match merged.kept {
        0 => exit::CLEAN,
        _ => exit::found(),
    })
}

fn json(row: &Row) -> serde_json::Value {
    let (stage, why) = match &row.stage {
        Stage::Waits => ("waiting", None),
        Stage::Runs => ("running", None),
        Stage::Stopped => ("stopped", None),
        Stage::Done => ("done", None),
        Stage::Failed(failed) => ("failed", Some(&failed.why)),
    };
    let ids: Vec<&str> = row.findings.iter().map(|f| f.id.as_str()).collect();
    serde_json::json!({
        "schema": 1,
        "event": "hunt",
        "vm": row.job.vm,
        "shard": row.job.shard,
        "out": row.job.out(),
        "stage": stage,
        "why": why,
        "seconds": row.state.seconds,
        "scenarios": row.state.sum(|t| t.scenarios),
        "runs": row.state.sum(|t| t.runs),
        "findings": ids,
        "control": !row.job.control.is_empty(),
        "schedules": row.findings.iter().filter(|f| status::repeats(f)).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunt_that_another_campaign_runs_has_not_failed() {
        let dir = tempfile::tempdir().unwrap();
        let job = Job {
            vm: "x".to_owned(),
            shard: Shard::default(),
            folder: dir.path().to_owned(),
            control: Vec::new(),
        };
        std::fs::create_dir_all(job.out()).unwrap();
        let lock = File::create(job.out().join("hunt.lock")).unwrap();
        lock.lock().unwrap();
        ended(&job, Some(3)).unwrap();
        assert!(!job.out().join(FAILED).exists());
        drop(lock);
        ended(&job, Some(3)).unwrap();
        assert!(job.out().join(FAILED).exists());
    }
}
