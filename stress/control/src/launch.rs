//! Starts an instrumented program with orders and reads what came of them.

use crate::block::{
    Block, Config, DESCRIPTOR, Engine, Event, MAGIC, MAX_CHECKPOINTS, MAX_CHOICES, MAX_EVENTS,
    MAX_RACES, MAX_RUNS, MAX_SWITCHES, MAX_TARGETS, MAX_WINDOWS, Memory as Model, Plan, Points,
    Race, Run, Strategy, Switch, VARIABLE,
};
use crate::places::Loaded;
use crate::python::Lines;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Output kept of a program, from its end.
const OUTPUT: usize = 64 << 10;

/// A program that is linked with the runtime. Its environment is what is said here and nothing
/// else: another variable would be another trace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment but for the runtime's own variable.
    pub environment: Vec<(String, String)>,
}

/// What to run. [`Orders::new`] has useful values for all but the number of runs.
#[derive(Clone, Debug)]
pub struct Orders {
    /// Orders as the runtime reads them.
    pub config: Config,
    /// Choices to replay, for [`Strategy::Replay`].
    pub given: Vec<u16>,
    /// Choices of the windows before the one that [`Config::isolate`] names.
    pub lead: Vec<u16>,
    /// Instructions of the two sides of a race, for [`Strategy::Directed`]; see [`crate::directed`].
    pub targets: [Vec<u64>; 2],
    /// Switches of each run, for [`Strategy::Planned`], in any order.
    pub plans: Vec<Vec<Switch>>,
    /// Hashes of granules in conflict that were learned earlier.
    pub learned: Vec<u16>,
    /// Bind the program to this processor. Hand-overs between two processors cost twice as much.
    pub processor: Option<usize>,
    /// Start the program here: where a core goes.
    pub folder: Option<PathBuf>,
    /// End the program, faults or not, after this time of the wall clock.
    pub limit: Duration,
}

impl Orders {
    /// So many runs from this seed, one fork each, a random walk over all points, control from
    /// before `main`.
    pub fn new(seed: u64, runs: u32) -> Self {
        Self {
            config: Config {
                whole: true,
                same_seed: false,
                trace: false,
                freed: false,
                points: Points::All,
                strategy: Strategy::Random,
                engine: Engine::User,
                seed,
                runs,
                learning: 0,
                stop_after: 0,
                stickiness: 8,
                depth: 3,
                length: 100,
                step_cap: 5_000_000,
                wall_ms: 20_000,
                clock_step_ns: 1000,
                given: 0,
                batch: 1,
                core: false,
                races: false,
                bound: 2,
                memory: Model::Sequential,
                isolate: 0,
                lead: 0,
            },
            given: Vec::new(),
            lead: Vec::new(),
            targets: [Vec::new(), Vec::new()],
            plans: Vec::new(),
            learned: Vec::new(),
            processor: None,
            folder: None,
            limit: Duration::from_secs(600),
        }
    }

    /// The same program again with the choices of one of its runs, so many times.
    pub fn replay(&self, of: &Report, times: u32) -> Self {
        let mut orders = self.clone();
        orders.given = of.choices.clone();
        orders.learned = of.learned.clone();
        orders.config = Config {
            strategy: Strategy::Replay,
            seed: of.last.seed,
            same_seed: true,
            runs: times,
            learning: 0,
            stop_after: 0,
            ..self.config
        };
        orders
    }

    /// The last run of a batch once more, by itself from window `window` on (counted from 0): forked when it opens,
    /// so that what is searched, traced and minimised from here is one window, in the state that the windows before
    /// it have left. None where the run never came to that window.
    pub fn isolated(&self, of: &Report, window: u32) -> Option<Self> {
        let start = *of.opened.get(window as usize)? as usize;
        let end = of.opened.get(window as usize + 1);
        let end = end.map_or(of.choices.len(), |&end| end as usize);
        let mut orders = self.replay(of, 1);
        orders.lead = of.choices[..start].to_vec();
        orders.given = of.choices[start..end].to_vec();
        orders.config.isolate = window + 1;
        Some(orders)
    }

    /// The same program again, a run for each of these plans.
    pub fn planned(&self, learned: &[u16], seed: u64, plans: Vec<Vec<Switch>>) -> Self {
        let mut orders = self.clone();
        orders.learned = learned.to_vec();
        orders.config = Config {
            strategy: Strategy::Planned,
            seed,
            same_seed: true,
            runs: plans.len() as u32,
            learning: 0,
            stop_after: 0,
            ..self.config
        };
        orders.given = Vec::new();
        orders.plans = plans;
        orders
    }
}

/// What came of the orders.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every run, learning runs excepted.
    pub runs: Vec<Run>,
    /// The last of them.
    pub last: Run,
    /// Its choices.
    pub choices: Vec<u16>,
    /// Of those, how many came before each of its windows; the first [`MAX_WINDOWS`].
    pub opened: Vec<u32>,
    /// Why it ended so, for people; empty where the runtime has nothing to say.
    pub note: String,
    /// Its hash every so many events.
    pub checkpoints: Vec<u64>,
    /// Its events, where asked for.
    pub trace: Vec<Event>,
    /// Lines of the program, where it is in Python and a trace was asked for.
    pub lines: Lines,
    /// Its choices that were not as if nobody preempted anybody; not all of them where there are more
    /// than [`MAX_SWITCHES`].
    pub switches: Vec<Switch>,
    /// Data races of all runs.
    pub races: Vec<Race>,
    /// How many there were, also beyond those that are kept.
    pub race_count: u32,
    /// Depth-first search came to its end: every schedule within the bound was run.
    pub exhausted: bool,
    /// Files that were loaded before the runs.
    pub loaded: Vec<Loaded>,
    /// Hashes of the granules in conflict that were known at the end.
    pub learned: Vec<u16>,
    /// How many.
    pub conflicts: u32,
    /// How the program itself, the parent of the runs, ended.
    pub status: ExitStatus,
    /// The file that the runtime was loaded from.
    pub runtime: PathBuf,
    /// The end of its output, the runs' with it, errors first.
    pub output: String,
    /// Of that, what came by stdout.
    pub stdout: String,
}

/// Why a program gave no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No memory to share.
    #[error("cannot make the memory shared with the program: {0}")]
    Memory(io::Error),
    /// The program did not start.
    #[error("cannot start {path}: {cause}", path = .0.display(), cause = .1)]
    Start(PathBuf, io::Error),
    /// More than the block holds.
    #[error("too much for one start: {0}; order less at a time")]
    TooMuch(&'static str),
    /// The program never asked for a run.
    #[error("{path} ended ({status}) without a run under control: is it linked with the runtime? It said:\n{output}", path = .0.display(), status = .1, output = .2)]
    NoControl(PathBuf, ExitStatus, String),
    /// The time was up.
    #[error("{path} did not end within {limit:?}", path = .0.display(), limit = .1)]
    Late(PathBuf, Duration),
    /// Somebody else has waited for it, so that nobody knows how it ended.
    #[error("cannot tell how {path} ended: {cause}", path = .0.display(), cause = .1)]
    Lost(PathBuf, io::Error),
    /// The runtime could not go on.
    #[error("the runtime of {path} refused: {note}", path = .0.display(), note = .1)]
    Refused(PathBuf, String),
}

/// The block, mapped here too.
struct Memory {
    file: File,
    block: *mut Block,
}

impl Memory {
    fn new() -> io::Result<Self> {
        let size = size_of::<Block>();
        // SAFETY: a new descriptor, owned from here on.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"threadbare-control".as_ptr(), libc::MFD_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        file.set_len(size as u64)?;
        // SAFETY: a new mapping of a file of this size.
        let block = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if block == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            file,
            block: block.cast(),
        })
    }

    /// What the program has written behind the block.
    fn behind(&self) -> String {
        let mut text = Vec::new();
        let mut file = &self.file;
        let read = file
            .seek(SeekFrom::Start(size_of::<Block>() as u64))
            .and_then(|_| file.read_to_end(&mut text));
        match read {
            Ok(_) => String::from_utf8_lossy(&text).into_owned(),
            Err(_) => String::new(),
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made; nothing refers to it any more.
        unsafe { libc::munmap(self.block.cast(), size_of::<Block>()) };
    }
}

/// Ends the program and all it forked, whichever way the driver goes on.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: the group that the child leads; not yet reaped, or empty.
        unsafe { libc::kill(-(self.0.id() as i32), libc::SIGKILL) };
        let _ = self.0.wait();
    }
}

/// Starts the program, waits for its end, reads the block.
///
/// # Errors
/// Where the program did not start, ran without control, did not end, or was refused by the runtime.
pub fn run(program: &Program, orders: &Orders) -> Result<Report, Error> {
    if orders.config.runs as usize > MAX_RUNS {
        return Err(Error::TooMuch("runs"));
    }
    if orders.given.len().max(orders.lead.len()) > MAX_CHOICES {
        return Err(Error::TooMuch("choices"));
    }
    if orders.targets.iter().any(|side| side.len() > MAX_TARGETS) {
        return Err(Error::TooMuch("instructions to aim at"));
    }
    let switches: usize = orders.plans.iter().map(Vec::len).sum();
    if switches > MAX_SWITCHES || orders.plans.len() > MAX_RUNS {
        return Err(Error::TooMuch("plans"));
    }
    let memory = Memory::new().map_err(Error::Memory)?;
    // SAFETY: zeroes but for what is written below; every enum of the block has a value of 0.
    let block = unsafe { &mut *memory.block };
    block.magic = MAGIC;
    block.config = Config {
        given: orders.given.len() as u32,
        lead: orders.lead.len() as u32,
        ..orders.config
    };
    block.given[..orders.given.len()].copy_from_slice(&orders.given);
    block.lead[..orders.lead.len()].copy_from_slice(&orders.lead);
    for (side, pcs) in block.targets.iter_mut().zip(&orders.targets) {
        side[..pcs.len()].copy_from_slice(pcs);
    }
    let mut start = 0;
    for (index, plan) in orders.plans.iter().enumerate() {
        let planned = &mut block.planned[start..start + plan.len()];
        planned.copy_from_slice(plan);
        planned.sort_by_key(|switch| (switch.thread, switch.step));
        block.plan[index] = Plan {
            start: start as u32,
            count: plan.len() as u32,
        };
        start += plan.len();
    }
    if !orders.learned.is_empty() {
        for &hash in &orders.learned {
            block.learned.know(hash.into());
        }
    }
    let descriptor = memory.file.as_raw_fd();
    let processor = orders.processor;
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(
            program
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .env(VARIABLE, DESCRIPTOR.to_string())
        // Pipes always: a file's offset or another kind of file would be another trace.
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(folder) = &orders.folder {
        command.current_dir(folder);
    }
    let core = orders.config.core;
    // SAFETY: system calls only between fork and exec.
    unsafe {
        command.pre_exec(move || {
            if libc::dup2(descriptor, DESCRIPTOR) < 0
                || libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) < 0
                || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) < 0
            {
                return Err(io::Error::last_os_error());
            }
            if core {
                let mut limit: libc::rlimit = std::mem::zeroed();
                libc::getrlimit(libc::RLIMIT_CORE, &mut limit);
                limit.rlim_cur = limit.rlim_max;
                // Where it is not allowed there is no core, and who asked sees that.
                libc::setrlimit(libc::RLIMIT_CORE, &limit);
            }
            if let Some(processor) = processor {
                let mut set: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(processor, &mut set);
                // Where it is not allowed the program runs unbound, only slower.
                libc::sched_setaffinity(0, size_of_val(&set), &set);
            }
            Ok(())
        });
    }
    let mut group = Group(
        command
            .spawn()
            .map_err(|cause| Error::Start(program.path.clone(), cause))?,
    );
    let readers: Vec<_> = [
        group
            .0
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        group
            .0
            .stdout
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .flatten()
    .map(|pipe| thread::spawn(move || tail(pipe)))
    .collect();
    let status = wait(&mut group.0, orders.limit);
    drop(group);
    let told: Vec<String> = readers
        .into_iter()
        .filter_map(|reader| reader.join().ok())
        .collect();
    let (output, stdout) = (told.concat(), told.last().cloned().unwrap_or_default());
    let status = status.map_err(|cause| Error::Lost(program.path.clone(), cause))?;
    let status = status.ok_or_else(|| Error::Late(program.path.clone(), orders.limit))?;
    // The program and its children are gone: nobody else writes.
    let block = &*block;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let note = text(&block.note);
    if block.started == 0 {
        return Err(if note.is_empty() {
            Error::NoControl(program.path.clone(), status, output)
        } else {
            Error::Refused(program.path.clone(), note)
        });
    }
    let last = block.current;
    let checkpoints = (last.events / crate::block::CHECKPOINT_EVERY) as usize;
    let events = if orders.config.trace {
        (last.events as usize).min(MAX_EVENTS)
    } else {
        0
    };
    Ok(Report {
        runs: block.runs[..block.finished as usize].to_vec(),
        last,
        choices: block.choices[..last.choices as usize].to_vec(),
        opened: block.opened[..(last.opened as usize).min(MAX_WINDOWS)].to_vec(),
        note,
        checkpoints: block.checkpoints[..checkpoints.min(MAX_CHECKPOINTS)].to_vec(),
        trace: block.trace[..events].to_vec(),
        lines: Lines::parse(&memory.behind()),
        switches: block.switches[..(last.deviations as usize).min(MAX_SWITCHES)].to_vec(),
        races: block.races[..(block.race_count as usize).min(MAX_RACES)].to_vec(),
        race_count: block.race_count,
        exhausted: block.exhausted,
        loaded: block.modules[..block.module_count as usize]
            .iter()
            .map(|module| Loaded {
                start: module.start,
                end: module.end,
                base: module.base,
                path: match text(&module.path) {
                    empty if empty.is_empty() => program.path.clone(),
                    path => PathBuf::from(path),
                },
            })
            .collect(),
        learned: (0..=u16::MAX)
            .filter(|&hash| block.learned.knows(hash.into()))
            .collect(),
        conflicts: block.learned.count,
        status,
        runtime: PathBuf::from(text(&block.runtime)),
        output,
        stdout,
    })
}

/// The end of what a pipe delivers.
fn tail(mut pipe: Box<dyn Read + Send>) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 8192]);
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > 2 * OUTPUT {
            kept.drain(..kept.len() - OUTPUT);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
