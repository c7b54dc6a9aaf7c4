//! Programs on a VM whose threads we schedule ([`threadbare_control`]): a search for a schedule that fails,
//! judged by the same judges as a run without control, and kept so that it repeats to the last event.
//!
//! What a failing schedule shows is read from one replay of it: what it printed, and, where it died or stood
//! still, a debugger's text on its core. Whether that is what was looked for, the caller says: a bug's
//! signature ([`bug`]), or for scenarios a hunt ([`crate::campaign::controlled`]).

pub mod bug;
pub mod probe;
mod seen;

pub use self::seen::Seen;

use crate::program::Ended;
use crate::vm::child::interrupted;
use crate::vm::{Vm, VmError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use threadbare_control::block::{Memory, Points, Strategy, Verdict};
use threadbare_control::bundle::{self, Bundle};
use threadbare_control::launch::{self, Orders, Program, Report};

/// What brings Python programs under control.
const HARNESS: &str = include_str!("../../control/harness/control.py");

/// Strategies by turns: none finds everything (`stress/control/benches/strategies.rs`).
pub const PORTFOLIO: [Strategy; 5] = [
    Strategy::Sticky,
    Strategy::Surw,
    Strategy::Pos,
    Strategy::Random,
    Strategy::Pct,
];

/// Schedules of one start of the program.
const CHUNK: u32 = 40;

/// The beginning of a program that lies in no file: control.py as the module `kit`, then the program, both
/// from arguments.
const FROM_ARGUMENTS: &str = "\
import sys, types
kit = types.ModuleType('kit')
exec(compile(sys.argv[1], 'control.py', 'exec'), kit.__dict__)
sys.modules['kit'] = kit
exec(compile(sys.argv[2], 'program.py', 'exec'), {'__name__': '__main__'})
";

/// Bytes of one argument at most, on Linux.
const ARGUMENT: usize = 128 << 10;

/// Runs before them that learn where threads meet.
const LEARNING: u32 = 10;

/// Other failures after which a search ends, since each is replayed and read.
const OTHERS: u32 = 8;

/// What a search looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Every schedule that failed, of a program whose exit codes are those of bugs and probes.
    Failures,
    /// Every schedule that failed, of the hunt's harness.
    Scenarios,
    /// The races that each start of the program told.
    Races,
}

/// What to search.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who chooses, by turns.
    pub strategies: Vec<Strategy>,
    /// Schedules at most.
    pub runs: u32,
    /// Seed of the first; the others follow.
    pub seed: u64,
    /// Time of all of it.
    pub time: Duration,
    /// Whether stores stay in a buffer of their thread for a while, as on x86; else memory is sequentially consistent.
    pub tso: bool,
}

/// A failing schedule that is what was looked for.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The run, to be repeated.
    pub bundle: Bundle,
    /// What it showed.
    pub seen: Seen,
    /// Who chose.
    pub strategy: Strategy,
    /// Its seed.
    pub seed: u64,
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// The first schedule that showed what was looked for.
    pub hit: Option<Hit>,
    /// Schedules that were run, that one with them.
    pub schedules: u32,
    /// Schedules that failed in another way, as far as they were looked at.
    pub others: u32,
    /// The first of them.
    pub otherwise: String,
    /// Schedules that did not end within their steps: nothing is known of them.
    pub endless: u32,
    /// Why the program cannot be run so, where it cannot.
    pub unfit: Option<String>,
    /// What the last start printed on stdout.
    pub stdout: String,
}

/// Why there was no search.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The VM does not answer the runtime's questions.
    #[error(
        "{0} is not built for control; `ci/vm/cpython-controlled.sh 3.13.15` builds a CPython that is, and prints its path for --vm"
    )]
    NotControlled(String),
    /// The program could not be run.
    #[error(transparent)]
    Launch(launch::Error),
    /// The run could not be kept, or did not come again.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// A schedule that failed did not fail again: something is not under control.
    #[error("the schedule of seed {0} did not come again: {1}; please report it with the program")]
    NotAgain(u64, String),
    /// The VM.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// A file.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It cannot be run under control.
    #[error("{0}")]
    Unfit(String),
}

/// Writes what a program under control consists of into a folder, which must stay: the replay's bundle names
/// the files. They have a folder in it to themselves, since Python lists where its program lies: another file there,
/// the bundle itself for one, would be another trace.
///
/// # Errors
/// When a file cannot be written.
pub fn prepare(vm: &Vm, folder: &Path, program: &str, kit: &str) -> Result<Program, ControlError> {
    let folder = std::path::absolute(folder).map_err(|e| ControlError::File(folder.into(), e))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, text))
            .map_err(|e| ControlError::File(path.clone(), e))?;
        Ok::<_, ControlError>(path.display().to_string())
    };
    write("files/kit.py", kit)?;
    let (python, mut arguments) = vm.program_and_args();
    arguments.push(write("files/control.py", HARNESS)?.into());
    arguments.push(write("files/program/program.py", program)?.into());
    let text = |a: std::ffi::OsString| a.to_string_lossy().into_owned();
    Ok(Program {
        path: python,
        arguments: arguments.into_iter().map(text).collect(),
        environment: Vec::new(),
    })
}

/// A program that uses control.py as its `kit`, in its arguments alone: its schedules can be repeated from
/// anywhere.
///
/// # Errors
/// When it is too long for an argument.
pub fn in_arguments(vm: &Vm, program: String) -> Result<Program, ControlError> {
    if program.len() >= ARGUMENT {
        let (is, most) = (program.len(), ARGUMENT);
        let why = format!("its program has {is} bytes, more than the {most} of an argument");
        return Err(ControlError::Unfit(why));
    }
    let (path, arguments) = vm.program_and_args();
    let text = |a: std::ffi::OsString| a.to_string_lossy().into_owned();
    let mut arguments: Vec<String> = arguments.into_iter().map(text).collect();
    // Isolated, since what the folder of the process holds would be a part of the trace.
    let begin = ["-I".into(), "-c".into(), FROM_ARGUMENTS.into()];
    arguments.extend(begin.into_iter().chain([HARNESS.into(), program]));
    Ok(Program {
        path,
        arguments,
        environment: Vec::new(),
    })
}

/// Where threads may be switched, and what counts as a failure, in every search.
fn orders(plan: &Plan, strategy: Strategy, seed: u64, runs: u32, races: bool) -> Orders {
    let mut orders = Orders::new(seed, runs);
    let config = &mut orders.config;
    config.whole = false;
    config.strategy = strategy;
    config.points = Points::Conflicts;
    config.learning = LEARNING;
    config.freed = true;
    config.races = races;
    if plan.tso {
        config.memory = Memory::Tso;
    }
    config.stop_after = u32::from(!races);
    orders.limit = Duration::from_secs(120);
    orders
}

/// Runs schedules until `judge` says of one that it is what was looked for. `program` gives the program of each
/// start, by its number.
///
/// # Errors
/// When a file cannot be written, a schedule does not come again, or there is no program for a start.
pub fn search(
    vm: &Vm,
    program: &dyn Fn(usize) -> Result<Program, ControlError>,
    plan: &Plan,
    look: Look,
    mut judge: impl FnMut(&Seen) -> bool,
) -> Result<Searched, ControlError> {
    let races = look == Look::Races;
    let mut told = Searched::default();
    let began = Instant::now();
    let mut seed = plan.seed;
    for (start, &strategy) in plan.strategies.iter().cycle().enumerate() {
        let left = plan.runs - told.schedules.min(plan.runs);
        if left == 0 || told.others >= OTHERS || interrupted() || began.elapsed() > plan.time {
            break;
        }
        let asked = orders(plan, strategy, seed, left.min(CHUNK), races);
        let program = program(start)?;
        let report = match run(&program, &asked) {
            Ok(report) => report,
            Err(launch::Error::NoControl(_, status, output)) => {
                told.unfit = Some(no_window(status.code(), &output));
                told.stdout = output;
                return Ok(told);
            }
            Err(launch::Error::Refused(_, why)) => {
                told.unfit = Some(format!("the runtime refused: {why}"));
                return Ok(told);
            }
            Err(launch::Error::Late(_, limit)) => {
                told.unfit = Some(format!(
                    "{} schedules did not end within {limit:?}",
                    asked.config.runs
                ));
                return Ok(told);
            }
            Err(error) => return Err(ControlError::Launch(error)),
        };
        let ran = report.runs.len() as u32;
        told.schedules += ran;
        seed += u64::from(ran);
        told.stdout.clone_from(&report.stdout);
        let last = report.last;
        match last.verdict {
            Verdict::Refused | Verdict::Stuck | Verdict::Diverged => {
                told.unfit = Some(format!("{:?}: {}", last.verdict, report.note));
                return Ok(told);
            }
            Verdict::Endless => {
                told.endless += 1;
                continue;
            }
            _ => {}
        }
        if races {
            if judge(&Seen::of_races(&report)) {
                told.hit = racing(&program, plan, strategy, &report, &mut judge)?;
            }
            if let Some(hit) = &told.hit {
                told.schedules = (hit.seed - plan.seed) as u32 + 1;
                break;
            }
            continue;
        }
        if !last.verdict.is_fault() {
            continue;
        }
        let bundle = Bundle::new(&program, &asked, &report)?;
        let seen = Seen::of_failure(vm, &bundle)?;
        if look == Look::Failures
            && let Ended::Broken(why) | Ended::Skip(why) = &seen.run.ended
        {
            told.unfit = Some(why.clone());
            return Ok(told);
        }
        if judge(&seen) {
            told.hit = Some(Hit {
                bundle,
                seen,
                strategy,
                seed: last.seed,
            });
            break;
        }
        told.others += 1;
        if told.otherwise.is_empty() {
            told.otherwise = seen.line();
        }
    }
    Ok(told)
}

/// The first run of a start that by itself told races that are what was looked for.
fn racing(
    program: &Program,
    plan: &Plan,
    strategy: Strategy,
    report: &Report,
    mut judge: impl FnMut(&Seen) -> bool,
) -> Result<Option<Hit>, ControlError> {
    let mut seeds: Vec<u64> = report.races.iter().map(|race| race.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    for seed in seeds {
        let asked = orders(plan, strategy, seed, 1, true);
        let report = run(program, &asked).map_err(ControlError::Launch)?;
        let seen = Seen::of_races(&report);
        if judge(&seen) {
            return Ok(Some(Hit {
                bundle: Bundle::new(program, &asked, &report)?,
                seen,
                strategy,
                seed,
            }));
        }
    }
    Ok(None)
}

/// Runs a program under control; meanwhile no VM is started or ended, for what is left of one is told from other
/// children by who started it.
fn run(program: &Program, orders: &Orders) -> Result<Report, launch::Error> {
    let _others = crate::vm::child::hold();
    launch::run(program, orders)
}

/// Asks the runtime of the VM something that starts no run.
///
/// # Errors
/// When the VM is not built for control, or does not start.
pub fn obeys(vm: &Vm) -> Result<(), ControlError> {
    let ask = "import os; os.getpriority(0x74620006, 0)";
    let (path, arguments) = vm.program_and_args();
    let arguments = arguments.into_iter().chain(["-c".into(), ask.into()]);
    let program = Program {
        path,
        arguments: arguments
            .map(|a| a.to_string_lossy().into_owned())
            .collect(),
        environment: Vec::new(),
    };
    match run(&program, &Orders::new(0, 1)) {
        // It starts no run: answered, it ends well.
        Err(launch::Error::NoControl(_, status, _)) if status.success() => Ok(()),
        Ok(_) => Ok(()),
        Err(launch::Error::NoControl(..)) => Err(ControlError::NotControlled(vm.spec.clone())),
        Err(error) => Err(ControlError::Launch(error)),
    }
}

/// Why a start came to no run: the program skipped itself, opened no window, or failed.
fn no_window(code: Option<i32>, output: &str) -> String {
    let last = output.lines().rfind(|l| !l.trim().is_empty());
    let last = last.unwrap_or("it said nothing");
    match code {
        Some(77) => last.to_owned(),
        Some(0) => "the program starts no threads by the kit, so that there is no window".into(),
        _ => format!("it ended before its first window: {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_was_no_window() {
        assert_eq!(
            no_window(Some(77), "x\nskip: no sqlite3\n"),
            "skip: no sqlite3"
        );
        assert!(no_window(Some(0), "").contains("no threads by the kit"));
        assert!(no_window(Some(1), "Traceback\nImportError: y\n\n").ends_with("ImportError: y"));
    }

    #[test]
    fn a_vm_without_the_runtime_is_told_with_the_next_step() {
        let vm = Vm::find("python3").expect("python3 is on PATH");
        let error = obeys(&vm).expect_err("python3 is not built for control");
        assert!(
            error.to_string().contains("ci/vm/cpython-controlled.sh"),
            "{error}"
        );
    }
}
