//! The hunt: jobs planned in a fixed order, judged, minimised and kept.

pub mod again;
pub mod archive;
mod batch;
mod budget;
pub mod canary;
mod case;
pub mod controlled;
pub mod curve;
mod explain;
pub mod failed;
pub mod hand_over;
mod improve;
pub mod learn;
mod measure;
mod pairs;
pub mod process;
pub mod running;
mod sanitized;
mod settle;
pub mod shard;
mod shrink;
mod smaller;
pub mod state;
pub mod support;
mod trace;
mod waiting;

use crate::controlled::{ControlError, obeys};
use crate::finding::Finding;
use crate::finding::store::{Store, StoreError, backtrace};
use crate::identity::Failure;
use crate::scenario::Scenario;
use crate::scenario::company::Company;
use crate::scenario::generate::Limits;
use crate::subject::Subject;
use crate::triage::statement;
use crate::verdict::sanitizer::suppress::{Filter, Suppression};
use crate::vm::child::interrupted;
use crate::vm::job::Log;
use crate::vm::{Vm, VmError};
use archive::Archive;
use controlled::Control;
use process::Judged;
use shard::Shard;
use state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use trace::Untraced;
use waiting::Waiting;

/// Findings of one VM, subject and kind at most, however many places there are.
pub const MOST: usize = 24;

/// A hunt that ends before its time gives this part of the time it took to better scripts.
const SPARE: u32 = 8;

/// Until every subject had its first turn, other findings of a kind wait, but no longer than this part of
/// the time.
const BREADTH: f64 = 0.6;

/// The part of the time that settling may take until every subject had its turn.
const SETTLING: f64 = 0.35;

/// The last part of the time, so much of it at most, belongs to scripts that have not hit and to those that are large.
const LAST: f64 = 0.1;

/// What to hunt, where and how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Subjects in the order of the hunt, generic ones last.
    pub subjects: Vec<Subject>,
    /// Seed of all scenarios.
    pub seed: u64,
    /// Time for the whole hunt, minimising included.
    pub time: Option<Duration>,
    /// The part of the scenarios that is run; with `only`, that one is run whatever the part.
    pub shard: Shard,
    /// Scenarios to run, over all subjects.
    pub iterations: Option<u64>,
    /// Processes at once.
    pub jobs: usize,
    /// Output folder.
    pub out: PathBuf,
    /// Size of scenarios.
    pub limits: Limits,
    /// Milliseconds of each scenario.
    pub scenario_ms: u64,
    /// Scenarios of one process.
    pub batch: usize,
    /// The company of every scenario, instead of what is drawn for each.
    pub company: Option<Vec<Company>>,
    /// Control: the same scenarios in one thread, where nothing may be found.
    pub sequential: bool,
    /// Only the scenario of this number of each subject.
    pub only: Option<usize>,
    /// Most findings kept of one subject and kind.
    pub keep: usize,
    /// Sanitizer reports that are no faults.
    pub suppressions: Vec<Suppression>,
    /// Bound of the folder of histories, bytes; 0 saves none.
    pub histories: u64,
    /// What runs next depends on what was seen ([`crate::search`]), and so on time; else on the seed alone.
    pub feedback: bool,
    /// Scenarios run under control, on a VM that is built for it.
    pub control: Option<Control>,
}

impl Options {
    /// How many subjects are hunted in turn: those that nobody wrote, which stand last, have a share of the turns
    /// unless there are no others.
    pub fn own(&self) -> usize {
        match self.subjects.iter().filter(|s| !s.generic).count() {
            0 => self.subjects.len(),
            own => own,
        }
    }
}

/// What a hunt tells while it runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A subject cannot run on this VM.
    Skipped {
        /// The subject.
        subject: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// A new finding was saved, minimised or not (`finding.minimised`).
    Finding(&'a Finding),
    /// A process ended.
    Progress(&'a State),
}

/// Receives events; called from any worker, one at a time.
pub type Watch<'a> = dyn Fn(Event<'_>) + Send + Sync + 'a;

/// A hunt that cannot go on. What was found before is saved.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The VM stopped being usable.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// The output folder stopped being usable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The VM cannot be controlled, or is no longer.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The output folder belongs to a hunt with other options.
    #[error(
        "{out} holds a hunt with {what}; choose another --out, or repeat the options of that hunt to resume it"
    )]
    Other {
        /// The folder.
        out: PathBuf,
        /// What differs.
        what: String,
    },
    /// Another hunt runs there.
    #[error("another hunt runs in {out}: wait for its end, or choose another --out")]
    Busy {
        /// The folder.
        out: PathBuf,
    },
}

/// Everything that the workers share.
pub(crate) struct Shared<'a> {
    pub vm: &'a Vm,
    pub options: &'a Options,
    pub watch: &'a Watch<'a>,
    pub filter: Filter,
    pub inner: Mutex<Inner>,
    pub deadline: Option<Instant>,
}

/// What changes while the hunt runs.
pub(crate) struct Inner {
    pub state: State,
    pub store: Store,
    pub archive: Archive,
    /// With feedback.
    pub learning: Option<learn::Learning>,
    /// Subjects as the VM supports them, once tried.
    pub support: std::collections::HashMap<String, support::Supported>,
    /// Time spent on asking of bytecodes about accepted outcomes, over all workers.
    pub asking: Duration,
    /// Time spent on minimising, over all workers.
    pub minimising: Duration,
    /// Hangs that were taken apart with a debugger.
    pub taken_apart: u32,
    /// Failures that are being settled now, with their subjects.
    pub settling: Vec<(String, Failure)>,
    /// Cases that wait their turn.
    pub waiting: Waiting,
    /// Failures as they were seen, by subject and name, with the finding that they turned out to be.
    pub known: std::collections::HashMap<(String, String), String>,
    /// The same that turned out to be nothing new, with how often.
    pub tries: std::collections::HashMap<(String, String), u32>,
    /// How often a finding whose script never hit was tried again, by id.
    pub retried: std::collections::HashMap<String, u32>,
    /// Findings that wait for their backtrace.
    pub untraced: std::collections::VecDeque<Untraced>,
    /// Workers that still run.
    pub workers: usize,
    pub error: Option<HuntError>,
}

impl Inner {
    /// Counts one more try for a better script; false when there were enough.
    pub fn try_again(&mut self, id: &str) -> bool {
        let tries = self.retried.entry(id.to_owned()).or_default();
        *tries += 1;
        *tries <= 2
    }
}

impl Shared<'_> {
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs scenarios in one process, or each under control. `debugger`: a hang is taken apart with it.
    pub fn execute(
        &self,
        scenarios: &[Scenario],
        ms: u64,
        debugger: bool,
    ) -> Result<Log, HuntError> {
        let Options {
            seed, sequential, ..
        } = *self.options;
        if let Some(control) = &self.options.control {
            return controlled::execute(self, scenarios, control);
        }
        let log = process::execute(self.vm, scenarios, seed, ms, sequential, debugger)?;
        Ok(log)
    }

    pub fn over(&self) -> bool {
        interrupted()
            || self.deadline.is_some_and(|d| Instant::now() >= d)
            || self.lock().error.is_some()
    }

    /// Whether breadth comes first: some subject has not had its first turn, and there is time.
    pub fn early(&self, inner: &Inner) -> bool {
        self.first_round(inner) && self.spent().is_none_or(|part| part < BREADTH)
    }

    /// Whether settling has taken more than its part of the time until now. The first finding may come at once.
    pub fn settles_much(&self, inner: &Inner) -> bool {
        let (Some(spent), Some(time)) = (self.spent(), self.options.time) else {
            return false;
        };
        let settling = inner.minimising.as_secs_f64() / self.options.jobs as f64;
        !inner.store.findings().is_empty() && settling > SETTLING * spent * time.as_secs_f64()
    }

    /// Whether some subject has not had its first turn.
    fn first_round(&self, inner: &Inner) -> bool {
        inner.state.position.0 == 0 && self.options.own() > 1
    }

    /// Whether what is left of the time is for scripts that have not hit or are large.
    fn last(&self, inner: &Inner) -> bool {
        let Some(time) = self.options.time else {
            return false;
        };
        let count = |holds: fn(&Self, &Finding) -> bool| {
            let findings = inner.store.findings().iter();
            findings.filter(|f| holds(self, f)).count() as u32
        };
        let wanted = improve::SECOND_CHANCE * count(improve::never_hit)
            + smaller::MOST * count(smaller::is_large);
        !wanted.is_zero() && self.left(time) < wanted.min(time.mul_f64(LAST))
    }

    /// The part of the time that is over; `None` without a limit.
    fn spent(&self) -> Option<f64> {
        let left = self.deadline?.saturating_duration_since(Instant::now());
        let time = self.options.time?.as_secs_f64();
        Some(1.0 - left.as_secs_f64() / time.max(0.001))
    }

    /// Time left, at most `most`.
    pub fn left(&self, most: Duration) -> Duration {
        self.deadline.map_or(most, |d| {
            most.min(d.saturating_duration_since(Instant::now()))
        })
    }
}

/// The result of a hunt.
#[derive(Debug)]
pub struct Report {
    /// Totals, by subject.
    pub state: State,
    /// All findings of the output folder.
    pub findings: Vec<Finding>,
    /// Ids of those that were found in this part of the hunt, anew or for the first time.
    pub found: BTreeSet<String>,
    /// Why the hunt stopped before its time, if so.
    pub error: Option<HuntError>,
    /// Suppressions that hid something new, or nothing.
    pub warnings: Vec<String>,
    /// Processes whose histories are kept, and the bytes that they take.
    pub histories: (usize, u64),
}

/// Hunts until time, iterations or the user say stop.
///
/// # Errors
/// Before the first job: output folder unusable or of another hunt. Later errors are in
/// [`Report::error`], with everything found so far.
pub fn hunt(vm: &Vm, options: &Options, watch: &Watch<'_>) -> Result<Report, HuntError> {
    if options.control.is_some() {
        obeys(vm)?;
    }
    let store = Store::open(&options.out)?;
    let _alone = running::claim(&options.out)?;
    let count = |f: &Finding| (f.id.clone(), f.seen);
    let before: BTreeMap<String, u64> = store.findings().iter().map(count).collect();
    let state = State::open(vm, options)?;
    // An earlier part of the hunt may have ended before their turn.
    let untraced = store
        .findings()
        .iter()
        .filter(|f| f.facts.title() == vm.facts.title())
        .filter(|f| f.wants_backtrace() && backtrace(&store.folder(&f.id)).is_none())
        .map(|f| Untraced {
            id: f.id.clone(),
            core: None,
        })
        .collect();
    let learning = match options.feedback {
        true => Some(learn::Learning::open(&options.out)?),
        false => None,
    };
    let start = Instant::now();
    let shared = Shared {
        vm,
        options,
        watch,
        filter: Filter::new(
            options.suppressions.clone(),
            crate::bugs::false_alarms(crate::triage::known::catalogue(), &vm.facts.implementation),
            &vm.facts.implementation,
        ),
        deadline: options.time.map(|t| start + t),
        inner: Mutex::new(Inner {
            archive: Archive::open(&options.out, options.histories, state.saved_histories),
            state,
            store,
            learning,
            support: std::collections::HashMap::new(),
            asking: Duration::ZERO,
            minimising: Duration::ZERO,
            taken_apart: 0,
            settling: Vec::new(),
            waiting: Waiting::default(),
            known: std::collections::HashMap::new(),
            tries: std::collections::HashMap::new(),
            retried: std::collections::HashMap::new(),
            untraced,
            workers: options.jobs.max(1),
            error: None,
        }),
    };
    if let Err(error) = sanitized::baseline(&shared) {
        shared.lock().error.get_or_insert(error);
    }
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                let _ended = Ended(&shared);
                worker(&shared, start);
            });
        }
        scope.spawn(|| trace::run(&shared));
    });
    hand_over::run(&shared);
    improve::run(&shared, start.elapsed() / SPARE);
    let filter = shared.filter;
    let mut inner = shared
        .inner
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    inner.state.seconds += start.elapsed().as_secs_f64();
    inner.state.running_seconds = 0.0;
    inner.state.dropped += inner.waiting.dropped;
    let left = inner.waiting.leave();
    inner.state.put_off(left);
    inner.state.note(kept(&inner.store, vm));
    if inner.error.is_none() {
        let saved = inner
            .store
            .flush()
            .and_then(|()| {
                let store = &inner.store;
                let ours = |f: &&Finding| f.facts.title() == vm.facts.title();
                let mut all = store.findings().iter().filter(ours);
                all.try_for_each(|f| statement::write(&store.folder(&f.id), f))
            })
            .and_then(|()| inner.state.save(&options.out));
        inner.error = saved.err().map(HuntError::from);
    }
    let findings = inner.store.findings().iter();
    let anew = findings.filter(|f| before.get(&f.id).is_none_or(|seen| f.seen > *seen));
    let warnings = if vm.facts.sanitizers.is_empty() {
        Vec::new()
    } else {
        filter.warnings(&inner.state.hidden, inner.state.reports)
    };
    Ok(Report {
        found: anew.map(|f| f.id.clone()).collect(),
        warnings,
        histories: inner.archive.size(),
        state: inner.state,
        findings: inner.store.findings().to_vec(),
        error: inner.error,
    })
}

/// Counts a worker out, also one that panics.
struct Ended<'a, 'b>(&'a Shared<'b>);

impl Drop for Ended<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().workers -= 1;
    }
}

/// Settles what waits and takes batches in the planner's order, until the hunt is over. Every other turn
/// a case may have been put back before; such a one takes long, longer than to find another in a subject
/// that has not had its turn.
fn worker(shared: &Shared<'_>, start: Instant) {
    let mut turn = false;
    let mut settled = true;
    while !shared.over() {
        turn = !turn;
        let (last, first_round) = {
            let inner = shared.lock();
            (shared.last(&inner), shared.first_round(&inner))
        };
        if last {
            return;
        }
        // While subjects wait for their first turn, each case is followed by a batch.
        let case = if turn || settled && !first_round {
            waiting(shared, turn && !first_round)
        } else {
            None
        };
        let ended = if let Some(case) = case {
            settle::settle(shared, case).map(|now| settled = now)
        } else if let Some(batch) = next(shared) {
            settled = true;
            one_batch(shared, &batch, start)
        } else if let Some(case) = waiting(shared, true) {
            // What waits for another worker's case does so here.
            std::thread::sleep(Duration::from_millis(20));
            settle::settle(shared, case).map(|_| ())
        } else {
            return;
        };
        if let Err(error) = ended {
            shared.lock().error.get_or_insert(error);
            return;
        }
    }
}

fn next(shared: &Shared<'_>) -> Option<state::Batch> {
    let inner = &mut *shared.lock();
    match &mut inner.learning {
        Some(learning) => learning.next(&mut inner.state, shared.options, &inner.support),
        None => inner.state.next(shared.options),
    }
}

fn waiting(shared: &Shared<'_>, put_back: bool) -> Option<case::Case> {
    let mut inner = shared.lock();
    let early = shared.early(&inner);
    let Inner { waiting, store, .. } = &mut *inner;
    let of_found = |subject: &str| store.findings().iter().any(|f| f.subject == subject);
    waiting.pop(early, put_back, &of_found)
}

/// How many findings in this VM there are.
fn kept(store: &Store, vm: &Vm) -> usize {
    let ours = |f: &&Finding| f.facts.title() == vm.facts.title();
    store.findings().iter().filter(ours).count()
}

fn one_batch(shared: &Shared<'_>, batch: &state::Batch, start: Instant) -> Result<(), HuntError> {
    batch::run(shared, batch)?;
    let mut inner = shared.lock();
    inner.state.done(shared.options, batch);
    inner.state.running_seconds = start.elapsed().as_secs_f64();
    let inner = &mut *inner;
    inner.state.note(kept(&inner.store, shared.vm));
    inner.state.save(&shared.options.out)?;
    (shared.watch)(Event::Progress(&inner.state));
    Ok(())
}
