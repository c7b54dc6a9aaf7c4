//! The second minimiser: not the smallest script but the one that hits most often.
//!
//! The scenario stays; iterations, lags, objects and environment vary. Candidates are raced by
//! successive halving (Jamieson and Talwalkar, AISTATS 2016): all get a run, the better half
//! another, until one is left or the time is over. Scores are hits per second of running, the
//! maximum-likelihood rate of an exponential time to hit that is cut off at the limit. What wins a
//! race has also been lucky, so the winner then meets the usual script anew, run by run in turn,
//! and only those runs count.

use crate::finding::{Finding, Rate};
use crate::finding::{reproduce, script};
use crate::program::{Count, File, Told};
use crate::scenario::Shape;
use crate::scenario::tuning::Tuning;
use crate::vm::child::interrupted;
use crate::vm::{Vm, VmError};
use std::time::{Duration, Instant};

/// A reproducer is good when this share of its runs hits within [`WITHIN`].
pub const SHARE: f64 = 0.5;

/// Seconds of a run of the final comparison at most.
pub const WITHIN: f64 = 10.0;

/// Seconds of a run of the race at most.
const RACE: f64 = 3.0;

/// Rounds in which nobody hits before the race goes on without a word from them.
const SILENT: u32 = 4;

/// Runs of each side in the final comparison.
const FINAL: u32 = 6;

/// Runs a script in one way: what the run is to the finding and how long it took.
pub trait Runs {
    /// One run of at most `limit` seconds; `None` to stop everything.
    fn run(&mut self, tuning: &Tuning, limit: f64) -> Result<Option<(Told, f64)>, VmError>;
}

/// What the search came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Improved {
    /// The better script; the usual one when nothing was better.
    pub tuning: Tuning,
    /// Its rate in the final comparison.
    pub rate: Rate,
    /// The rate before, in the same comparison.
    pub before: Rate,
    /// Scripts tried.
    pub tried: usize,
}

impl Improved {
    /// In one line.
    pub fn line(&self) -> String {
        let said = |r: &Rate| format!("{}/{} within {:.0} s", r.hits, r.runs, r.limit_seconds);
        let reached = if f64::from(self.rate.hits) >= SHARE * f64::from(self.rate.runs.max(1)) {
            String::new()
        } else {
            ", under the 50 % wanted".to_owned()
        };
        format!(
            "{}: {} (before: {}){reached}; {} ways tried",
            self.tuning,
            said(&self.rate),
            said(&self.before),
            self.tried
        )
    }
}

/// What one candidate's runs came to.
#[derive(Clone, Debug, Default)]
struct Tally {
    tuning: Tuning,
    count: Count,
}

impl Tally {
    fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            ..Self::default()
        }
    }

    /// What somebody else ended, or was no run of the script's, is not counted.
    fn add(&mut self, told: &Told, seconds: f64) {
        self.count.add(told, Duration::from_secs_f64(seconds));
    }

    /// Hits a second; half a hit more, so that silence of one second is worse than of none.
    fn score(&self) -> f64 {
        (f64::from(self.count.hits) + 0.5) / (self.count.seconds + 0.5)
    }
}

/// Searches for at most `time` and compares at the end; `start` is what the script does now.
///
/// # Errors
/// When the VM cannot be started.
pub fn search(
    start: &Tuning,
    ways: &dyn Fn(&Tuning) -> Vec<Tuning>,
    time: Duration,
    runs: &mut impl Runs,
) -> Result<Improved, VmError> {
    let began = Instant::now();
    let spent = |share: f64| began.elapsed() >= time.mul_f64(share);
    let mut tried = 1;
    let mut best = start.clone();
    let mut stopped = false;
    // One knob in the first race; the winner's other knobs in the second.
    for until in [0.4, 0.6] {
        let mut field: Vec<Tally> = std::iter::once(best.clone())
            .chain(ways(&best))
            .map(Tally::new)
            .collect();
        tried += field.len() - 1;
        let mut silent = 0;
        while field.len() > 1 && !stopped && !spent(until) {
            for tally in &mut field {
                match runs.run(&tally.tuning, RACE)? {
                    Some((told, seconds)) => tally.add(&told, seconds),
                    None => stopped = true,
                }
                if stopped || spent(until) {
                    break;
                }
            }
            // Who never ran, because the time was over or in no way of its own, has no score.
            field.retain(|t| t.count.runs > 0);
            // Silence all round says nothing of who is better; a few rounds of it are enough.
            if field.iter().all(|t| t.count.hits == 0) && silent < SILENT {
                silent += 1;
                continue;
            }
            // A stable sort: among equals what was there before stays.
            field.sort_by(|a, b| b.score().total_cmp(&a.score()));
            field.truncate(field.len().div_ceil(2));
        }
        if let Some(first) = field.into_iter().next() {
            best = first.tuning;
        }
    }
    let (mut now, mut new) = (Tally::new(start.clone()), Tally::new(best));
    for round in 0..FINAL {
        if stopped || round > 0 && spent(1.0) {
            break;
        }
        for tally in [&mut now, &mut new] {
            // A comparison of the script with itself would only take time.
            if tally.tuning == *start && tally.count.runs > round {
                continue;
            }
            match runs.run(&tally.tuning, WITHIN)? {
                Some((told, seconds)) => tally.add(&told, seconds),
                None => stopped = true,
            }
        }
    }
    let before = Rate::of(&now.count, WITHIN);
    let winner = if new.count.runs > 0 && new.tuning != *start && new.score() > now.score() {
        new
    } else {
        now
    };
    Ok(Improved {
        rate: Rate::of(&winner.count, WITHIN),
        tuning: winner.tuning,
        before,
        tried,
    })
}

/// Scripts that differ from this one in one knob, as far as the knob is there.
pub fn ways(finding: &Finding, from: &Tuning) -> Vec<Tuning> {
    let mut ways = Vec::new();
    let with = |change: &dyn Fn(&mut Tuning)| {
        let mut tuning = from.clone();
        change(&mut tuning);
        tuning
    };
    let shape = finding.scenario.shapes.first();
    if script::looks(shape.copied().unwrap_or(Shape::Stride), finding.kind) {
        ways.push(with(&|t| t.look = true));
    }
    if shape == Some(&Shape::Slot) {
        for n in [500, 2000, 16_000, 64_000] {
            ways.push(with(&|t| t.turns = Some(n)));
        }
        for n in [1, 4, 16, 64, 256] {
            ways.push(with(&|t| t.replace = Some(n)));
        }
    } else {
        for n in [20, 100, 500, 2000] {
            ways.push(with(&|t| t.objects = Some(n)));
        }
        for n in [0, 2, 6, 16, 40] {
            ways.push(with(&|t| t.lag = Some(n)));
        }
    }
    let gil = finding.facts.has_gil();
    if gil {
        for s in [0.000_001, 0.000_1, 0.001] {
            ways.push(with(&|t| t.switch_interval = Some(s)));
        }
    }
    if finding.facts.implementation == "cpython" {
        // Without a GIL there is one allocator, with or without its checks.
        let allocators: &[&str] = if gil {
            &["malloc", "pymalloc_debug"]
        } else {
            &["mimalloc_debug"]
        };
        let seeds = ["1", "2"].map(|s| ("PYTHONHASHSEED", s));
        let environment = allocators.iter().map(|a| ("PYTHONMALLOC", *a)).chain(seeds);
        for (name, value) in environment {
            ways.push(with(&|t| {
                t.environment.insert(name.to_owned(), value.to_owned());
            }));
        }
    }
    ways.retain(|t| t != from);
    ways
}

/// The real thing: scripts written to a folder of their own and run on a VM.
struct OnVm<'a> {
    vm: &'a Vm,
    finding: &'a Finding,
}

impl Runs for OnVm<'_> {
    fn run(&mut self, tuning: &Tuning, limit: f64) -> Result<Option<(bool, f64)>, VmError> {
        let script = File::new("repro", &self.finding.script_tuned(tuning))?;
        let attempt = reproduce::attempt(self.vm, script.path(), self.finding, limit)?;
        if interrupted() || attempt.told() == Told::Interrupted {
            return Ok(None);
        }
        Ok(Some((attempt.told(), attempt.run.took.as_secs_f64())))
    }
}

/// Improves a finding's script on a VM within `time`, without writing it anywhere.
///
/// # Errors
/// When the VM cannot be started or a temporary file not be written.
pub fn improve(vm: &Vm, finding: &Finding, time: Duration) -> Result<Improved, VmError> {
    let start = finding.tuning.clone().unwrap_or_default();
    let mut runs = OnVm { vm, finding };
    search(&start, &|from| ways(finding, from), time, &mut runs)
}

/// Why a VM cannot improve a finding's script, if so: rate, script and name of a finding are those on its VM.
pub fn unfit(vm: &Vm, finding: &Finding) -> Option<String> {
    let (here, its) = (vm.facts.title(), finding.facts.title());
    (here != its).then(|| {
        format!(
            "{} is a finding on {its}, and this VM is {here}: its rate here says nothing of it there; \
             `threadbare repro` without --improve says how often its script hits here",
            finding.id
        )
    })
}

/// The finding with the improved script's rate, which was measured on the finding's VM (see [`unfit`]).
pub fn adopted(finding: &Finding, improved: &Improved) -> Finding {
    Finding {
        tuning: (!improved.tuning.is_usual()).then(|| improved.tuning.clone()),
        script: Some(improved.rate),
        ..finding.clone()
    }
}
