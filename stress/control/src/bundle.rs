//! A run to be repeated on another day: everything that the trace depends on and that we can name,
//! the choices, and what came of them. Replayed where something differs it would be another run:
//! such a replay is refused with what differs.

use crate::block::{Config, Engine, Run, Strategy, Verdict};
use crate::directed;
use crate::launch::{self, Orders, Program, Report, run};
use crate::minimise::{self, Minimised, minimise};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Format of the file.
const VERSION: u32 = 3;

/// A run that can be repeated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bundle {
    version: u32,
    /// What ran.
    pub program: Program,
    /// By which orders.
    pub config: Config,
    /// What came of it.
    pub found: Run,
    /// The runtime's explanation.
    pub note: String,
    /// Fingerprints of the executable, the runtime and every argument that is a file.
    files: BTreeMap<PathBuf, String>,
    /// The machine's kernel and libc are not fingerprinted; the processor's features are: libc
    /// chooses its functions by them.
    processor: String,
    /// Hashes of learned granules.
    learned: Vec<u16>,
    /// See [`crate::block::Block::choices`].
    choices: Vec<u16>,
    /// See [`crate::block::Block::targets`]: points where others are not.
    targets: [Vec<u64>; 2],
    /// See [`crate::block::Block::lead`].
    lead: Vec<u16>,
    /// See [`crate::block::Block::checkpoints`].
    checkpoints: Vec<u64>,
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the bundle cannot be read or written.
    #[error("{path}: {cause}", path = .0.display(), cause = .1)]
    File(PathBuf, io::Error),
    /// Not a bundle.
    #[error("{path} is no replay bundle: {cause}", path = .0.display(), cause = .1)]
    Format(PathBuf, serde_json::Error),
    /// Something is not as it was.
    #[error("refused, since it would be another run: {0}")]
    Differs(String),
    /// The program could not be run.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// There is nothing to aim at.
    #[error(transparent)]
    Directed(#[from] directed::Error),
    /// It cannot be minimised.
    #[error(transparent)]
    Minimise(#[from] minimise::Error),
}

/// What a replay showed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Every repetition.
    pub report: Report,
    /// How many of them are the same: verdict, and every event with its address.
    pub same: usize,
    /// Of the last repetition where it is not the same: events before which the traces were equal,
    /// rounded down to a checkpoint.
    pub diverged_after: Option<u64>,
    /// In what it is not, each with both sides.
    pub differs: Vec<String>,
    /// That of the run that was found.
    hash: u64,
}

impl Replayed {
    /// In words, where the last repetition is not the same.
    pub fn divergence(&self) -> Option<String> {
        let (report, after) = (&self.report, self.diverged_after?);
        let note = match report.note.trim_end() {
            "" => String::new(),
            note => format!("; {note}"),
        };
        let traces = match report.last.hash == self.hash {
            true => "every event is equal".to_owned(),
            false => format!("equal for {after} events"),
        };
        Some(format!("{traces}; {}{note}", self.differs.join(", ")))
    }
}

fn fingerprint(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|cause| Error::File(path.to_path_buf(), cause))?;
    let mut hasher = SipHasher13::new();
    hasher.write(&bytes);
    Ok(format!("{:032x}", hasher.finish128().as_u128()))
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("flags"))
        .unwrap_or_default();
    let mut hasher = SipHasher13::new();
    hasher.write(line.as_bytes());
    format!("{:016x}", hasher.finish())
}

/// What every version of a bundle begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Bundle {
    /// The last run of a report.
    ///
    /// # Errors
    /// Where a file that belongs to it cannot be read.
    pub fn new(program: &Program, orders: &Orders, report: &Report) -> Result<Self, Error> {
        let arguments = program
            .arguments
            .iter()
            .map(PathBuf::from)
            .filter(|path| path.is_file());
        let paths = [program.path.clone(), report.runtime.clone()]
            .into_iter()
            .chain(arguments);
        let files = paths
            .map(|path| fingerprint(&path).map(|print| (path, print)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            version: VERSION,
            program: program.clone(),
            config: orders.config,
            found: report.last,
            note: report.note.clone(),
            files,
            processor: processor(),
            learned: report.learned.clone(),
            choices: report.choices.clone(),
            lead: orders.lead.clone(),
            targets: orders.targets.clone(),
            checkpoints: report.checkpoints.clone(),
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string(self)
            .map_err(|cause| Error::Format(path.to_path_buf(), cause))?;
        fs::write(path, text).map_err(|cause| Error::File(path.to_path_buf(), cause))
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where the file cannot be read or is no bundle of this version.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text =
            fs::read_to_string(path).map_err(|cause| Error::File(path.to_path_buf(), cause))?;
        let format = |cause| Error::Format(path.to_path_buf(), cause);
        // First, for another version has other fields.
        let Version { version } = serde_json::from_str(&text).map_err(format)?;
        if version != VERSION {
            return Err(Error::Differs(format!(
                "the bundle has format {version}, this program {VERSION}"
            )));
        }
        serde_json::from_str(&text).map_err(format)
    }

    fn check(&self) -> Result<(), Error> {
        for (path, before) in &self.files {
            if fingerprint(path)? != *before {
                return Err(Error::Differs(format!("{} has changed", path.display())));
            }
        }
        if processor() != self.processor {
            return Err(Error::Differs("the processor has other features".into()));
        }
        Ok(())
    }

    /// Repeats it so many times, each in a child of its own.
    ///
    /// # Errors
    /// Where anything that the bundle names has changed, or the program does not run.
    pub fn replay(&self, times: u32, trace: bool) -> Result<Replayed, Error> {
        self.replay_by(self.orders(times, trace))
    }

    /// Replays it once with each thread on a kernel thread of its own, in this folder, and with a core of
    /// where it failed, which a debugger reads.
    ///
    /// # Errors
    /// As of [`Bundle::replay`].
    pub fn replay_to_core(&self, folder: &Path) -> Result<Replayed, Error> {
        let mut orders = self.orders(1, false);
        orders.config.core = true;
        orders.config.engine = Engine::Futex;
        orders.folder = Some(folder.to_path_buf());
        self.replay_by(orders)
    }

    /// The same failure by as few switches as can be, as a bundle of its own, and the switches.
    ///
    /// # Errors
    /// As of [`Bundle::replay`], and where it does not replay.
    pub fn minimise(&self) -> Result<(Self, Minimised), Error> {
        let replayed = self.replay(1, false)?;
        if replayed.same != 1 {
            return Err(Error::Differs("it does not replay here".into()));
        }
        let small = minimise(&self.program, &self.orders(1, false), &replayed.report)?;
        let bundle = Self::new(&self.program, &small.orders, &small.report)?;
        Ok((bundle, small))
    }

    /// The orders of a replay.
    fn orders(&self, times: u32, trace: bool) -> Orders {
        let mut orders = Orders::new(self.found.seed, times);
        let strategy = Strategy::Replay;
        orders.config = Config {
            strategy,
            same_seed: true,
            seed: self.found.seed,
            runs: times,
            learning: 0,
            stop_after: 0,
            trace,
            ..self.config
        };
        orders.given = self.choices.clone();
        orders.lead.clone_from(&self.lead);
        orders.targets.clone_from(&self.targets);
        orders.learned.clone_from(&self.learned);
        orders
    }

    fn replay_by(&self, orders: Orders) -> Result<Replayed, Error> {
        self.check()?;
        let report = run(&self.program, &orders)?;
        if !report.runtime.as_os_str().is_empty() && !self.files.contains_key(&report.runtime) {
            return Err(Error::Differs(format!(
                "the runtime now comes from {}",
                report.runtime.display()
            )));
        }
        let same = report
            .runs
            .iter()
            .filter(|run| run.is_again(&self.found))
            .count();
        let differs = report.last.differs(&self.found);
        let diverged_after = (!differs.is_empty()).then(|| {
            let equal = self
                .checkpoints
                .iter()
                .zip(&report.checkpoints)
                .take_while(|(a, b)| a == b)
                .count();
            equal as u64 * crate::block::CHECKPOINT_EVERY
        });
        Ok(Replayed {
            report,
            same,
            diverged_after,
            differs,
            hash: self.found.hash,
        })
    }

    /// One line about what was found.
    pub fn title(&self) -> String {
        let run = &self.found;
        match run.verdict {
            Verdict::Signal => format!(
                "signal {} at {:#x}, address {:#x}",
                run.signal, run.pc, run.address
            ),
            Verdict::Exit => format!("exit code {}", run.code),
            other => format!("{other:?} at {:#x}", run.pc),
        }
    }
}
