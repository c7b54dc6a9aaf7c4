//! Running a probe: fresh processes until the time is over.

use super::Probe;
use crate::program::{self, Count, Ended, Run, Told};
use crate::shell::word;
use crate::verdict::Kind;
use crate::vm::child::Limits;
use crate::vm::{Vm, VmError, sanitizers};
use serde::Serialize;
use std::time::Duration;

/// How long a program may go on past its time before it counts as hung: at rest it still looks
/// for what is late.
const GRACE: Duration = Duration::from_secs(20);

/// No run is worth its start for less.
const SHORTEST: Duration = Duration::from_millis(200);

/// How long to run a probe on a VM.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Time of all runs together.
    pub total: Duration,
    /// Time of one run, a process of its own.
    pub run: Duration,
    /// Seed of the first run; each further one takes the next.
    pub seed: u64,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its seed.
    pub seed: u64,
    /// The time that the program was given.
    pub limit: Duration,
    /// How it went.
    pub run: Run,
}

impl Attempt {
    /// The kind of failure, if it is one. A program that fails by itself is one too: whether the
    /// VM or the program is to blame must be looked at, so it must not pass.
    pub fn failure(&self) -> Option<Kind> {
        match self.run.ended {
            Ended::Broken(_) => Some(Kind::Exit),
            ref ended => ended.kind(),
        }
    }

    /// What it is to the probe, which decides what a hit is ([`Probe::is_hit`]); whatever else fails, a fault of
    /// the program itself too, is another failure.
    pub fn told(&self, probe: &Probe) -> Told {
        match &self.run.ended {
            Ended::Broken(_) => Told::Other,
            ended => {
                let hit = ended.failure().is_some_and(|seen| probe.is_hit(seen));
                self.run.told(hit)
            }
        }
    }

    /// The command that runs this probe with this seed once more.
    pub fn command(&self, probe: &Probe, vm: &Vm) -> String {
        let spec = word(&vm.spec);
        let seconds = self.limit.as_secs_f64();
        format!(
            "threadbare probe {} --vm {spec} --seed {} --time {seconds}s --run {seconds}s",
            probe.name, self.seed
        )
    }
}

/// What the runs of a probe on a VM came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The probe.
    pub probe: String,
    /// VM, as [`Facts::title`](crate::vm::Facts::title) says.
    pub vm: String,
    /// Why it was not run there. Never a pass.
    pub skipped: Option<String>,
    /// Why the VM promises nothing that this probe could break.
    pub outside: Option<String>,
    /// Runs that ended; those that failed as the probe says are its hits.
    #[serde(flatten)]
    pub count: Count,
    /// Runs that checked something and found nothing.
    pub passed: u32,
    /// Runs that found nothing because they checked nothing.
    pub vacuous: u32,
    /// What all runs looked at together.
    pub checked: u64,
    /// What that is, in the words of the last run.
    pub what: String,
    /// What the first hit looked like, and its seed.
    pub first: Option<(String, u64)>,
    /// What the first other failure looked like, and its seed.
    pub first_other: Option<(String, u64)>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Why a VM cannot run a probe, if so.
pub fn unfit(probe: &Probe, vm: &Vm) -> Option<String> {
    probe.needs.iter().find_map(|need| match need.as_str() {
        "gil" => (!vm.facts.has_gil()).then(|| "this VM has no GIL".to_owned()),
        "no-gil" => vm.facts.has_gil().then(|| "this VM has a GIL".to_owned()),
        "shared-containers" => vm.no_promise().map(str::to_owned),
        module => {
            (!vm.facts.modules.iter().any(|m| m == module)).then(|| format!("no module {module}"))
        }
    })
}

/// Runs a probe once, with a fault planted into it if one is named.
///
/// # Errors
/// When the VM cannot be started or the program cannot be written to a temporary file.
pub fn attempt(
    vm: &Vm,
    probe: &Probe,
    limit: Duration,
    seed: u64,
    fault: Option<&str>,
) -> Result<Attempt, VmError> {
    let name = probe.name.rsplit('/').next().unwrap_or("probe");
    let file = program::File::new(name, &probe.program)?;
    let mut command = program::command(vm, file.path(), limit);
    command.arg(seed.to_string()).args(fault);
    command.env("RUST_BACKTRACE", "1");
    sanitizers::keep_exit_code(&vm.facts, &mut command);
    let limits = Limits {
        silence: limit + GRACE,
        total: limit + GRACE,
        ..Limits::default()
    };
    Ok(Attempt {
        seed,
        limit,
        run: program::run(vm, &mut command, limits)?.of(&probe.program),
    })
}

/// Runs a probe until the plan is fulfilled. `each` sees every run.
///
/// # Errors
/// When the VM cannot be started.
pub fn repeat(
    vm: &Vm,
    probe: &Probe,
    plan: Plan,
    mut each: impl FnMut(&Attempt),
) -> Result<Summary, VmError> {
    let mut summary = Summary {
        probe: probe.name.clone(),
        vm: vm.facts.title(),
        skipped: unfit(probe, vm),
        outside: vm.no_promise().map(str::to_owned),
        ..Summary::default()
    };
    if summary.skipped.is_some() {
        return Ok(summary);
    }
    let mut seed = plan.seed;
    program::within(plan.total, plan.run, SHORTEST, |limit| {
        let one = attempt(vm, probe, limit, seed, None)?;
        seed += 1;
        each(&one);
        summary.add(probe, &one);
        let over = summary.skipped.is_some() || summary.interrupted;
        Ok((!over).then_some(one.run.took))
    })?;
    Ok(summary)
}

impl Summary {
    fn add(&mut self, probe: &Probe, one: &Attempt) {
        let told = one.told(probe);
        self.count.add(&told, one.run.took);
        let (checked, what) = one.run.checked();
        match told {
            Told::Interrupted => self.interrupted = true,
            // What a program says it lacks, it will lack in the next run, too.
            Told::Unfit(why) => self.skipped = Some(why),
            Told::Hit | Told::Other => {
                let first = match told {
                    Told::Hit => &mut self.first,
                    _ => &mut self.first_other,
                };
                first.get_or_insert_with(|| (one.run.ended.line(), one.seed));
            }
            Told::Clean if checked > 0 => self.passed += 1,
            Told::Clean | Told::Outside(_) => self.vacuous += 1,
        }
        self.checked += checked;
        if !what.is_empty() {
            what.clone_into(&mut self.what);
        }
    }

    /// Whether it says anything about the VM.
    pub fn conclusive(&self) -> bool {
        self.passed + self.count.hits + self.count.others > 0
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.skipped {
            return format!("skipped: {why}");
        }
        let runs = format!("of {} runs in {:.1} s", self.count.runs, self.count.seconds);
        let high = self.count.share.1 * 100.0;
        let seen = |first: &Option<(String, u64)>| {
            let (seen, seed) = first.as_ref().map_or(("", 0), |(s, n)| (s, *n));
            format!("seed {seed}: {seen}")
        };
        if self.count.hits > 0 {
            let outside = self.outside.as_ref().map_or_else(String::new, |why| {
                format!(" (outside the VM's promise: {why})")
            });
            let others = match self.count.others {
                0 => String::new(),
                n => format!("; {n} failed in another way, {}", seen(&self.first_other)),
            };
            return format!(
                "FAILED: {} {runs} (share {:.0}–{high:.0} %, {:.1}–{:.1} a minute); {}{outside}{others}",
                self.count.hits,
                self.count.share.0 * 100.0,
                self.count.per_minute_interval.0,
                self.count.per_minute_interval.1,
                seen(&self.first),
            );
        }
        if self.count.others > 0 {
            return format!(
                "FAILED in another way than it looks for, no hit: {} {runs}; {}",
                self.count.others,
                seen(&self.first_other),
            );
        }
        if self.passed == 0 {
            return format!("nothing was checked: 0 {runs} got that far");
        }
        let vacuous = match self.vacuous {
            0 => String::new(),
            n => format!(", {n} checked nothing"),
        };
        format!(
            "passed: 0 {runs} failed (at most {high:.0} %{vacuous}); {} checks, last: {}",
            self.checked, self.what
        )
    }
}
