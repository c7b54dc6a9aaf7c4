//! From settings to a report: one worker or several, exhaustive or sampled, with or
//! without reductions.

use super::cache::{Fault, Source};
use super::model::MemoryModel;
use super::parallel::{Shared, Worker};
use super::report::{Scope, fault_of};
use super::search::{Doubt, End, Search, Settings, Stop, probes};
use super::{Estimate, Execution, Explorer, Failure, FailureKind, Progress, Report};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Executions spent on finding a split; fewer are not worth a second worker.
const SURVEY: u64 = 4_000;
/// Executions between two calls of the progress callback.
const TICK: u64 = 4_096;
/// Descents for the estimate that goes with progress.
const PROBES: u64 = 200;

/// Is shown executions, and may end the exploration.
pub(super) type Visit<'a> = dyn FnMut(&Execution<'_>) -> ControlFlow<()> + Send + 'a;

/// What ended a search before its end.
enum Outcome {
    /// Nothing.
    Done,
    Ended,
    Restart(Doubt),
    Failed(Box<Failure>),
}

impl Explorer {
    pub(super) fn scope(&self) -> Scope {
        Scope {
            model: self.model,
            preemptions: self.preemptions,
            revisits: self.revisits,
            sample: self.sample,
        }
    }

    pub(super) fn explore<M: MemoryModel, S: Source>(
        &self,
        make: impl Fn() -> S + Sync,
        reducible: bool,
        mut visit: Option<&mut Visit<'_>>,
    ) -> Report {
        let begun = Instant::now();
        let mut settings = Settings {
            longest: self.max_events,
            twins: reducible && self.reduce && self.preemptions.is_none(),
            commute: reducible && self.reduce && self.preemptions.is_none(),
            ordered: Vec::new(),
            revisits: self.revisits,
            preemptions: self.preemptions,
        };
        loop {
            let job = Job::<M, _> {
                explorer: self,
                settings: &settings,
                make: &make,
                visit: visit.as_mut().map(|visit| Mutex::new(&mut **visit as _)),
                done: AtomicU64::new(0),
                spent: AtomicU64::new(0),
                estimate: None,
                begun,
                model: std::marker::PhantomData,
            };
            let (mut report, outcome) = match self.sample {
                Some((probes, seed)) => job.sampled(probes, seed),
                None => job.exhausted(self.workers),
            };
            match outcome {
                Outcome::Done => {
                    report.finished = self.sample.is_none();
                    report.exhaustive = report.finished && !report.bounded;
                }
                Outcome::Ended => {}
                Outcome::Failed(failure) => report.failure = Some(*failure),
                Outcome::Restart(doubt) => {
                    match doubt {
                        Doubt::Twins => settings.twins = false,
                        Doubt::Fences => settings.commute = false,
                        Doubt::Updates(location) => settings.ordered.push(location),
                    }
                    continue;
                }
            }
            report.reduced = settings.twins || settings.commute;
            report.elapsed = begun.elapsed();
            return report;
        }
    }
}

struct Job<'a, M, F> {
    explorer: &'a Explorer,
    settings: &'a Settings,
    make: &'a F,
    /// Absent where nobody looks: workers would queue for it.
    visit: Option<Mutex<&'a mut Visit<'a>>>,
    done: AtomicU64,
    /// Executions shown, where their number is limited.
    spent: AtomicU64,
    estimate: Option<Estimate>,
    begun: Instant,
    model: std::marker::PhantomData<M>,
}

impl<M: MemoryModel, S: Source, F: Fn() -> S + Sync> Job<'_, M, F> {
    fn search(&self) -> Search<M, S> {
        Search::new((self.make)(), self.settings.clone())
    }

    fn visit(&self, search: &Search<M, S>, end: End) -> Result<(), Stop> {
        let execution = self.execution(search, end);
        if let Some(complaint) = search.source.judge(&execution) {
            return Err(Fault::property(complaint).into());
        }
        let most = self.explorer.max_executions;
        // Relaxed: nothing but the number is shared.
        let spent = most != u64::MAX
            && self.spent.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= most;
        let wish = self.visit.as_ref().map(|visit| {
            let mut visit = visit.lock().unwrap_or_else(PoisonError::into_inner);
            visit(&execution)
        });
        match wish {
            Some(ControlFlow::Break(())) => Err(Stop::Ended),
            _ if spent => Err(Stop::Ended),
            _ => Ok(()),
        }
    }

    fn execution<'s>(&self, search: &'s Search<M, S>, end: End) -> Execution<'s> {
        Execution::new(&search.graph, &search.cache, &search.source, end).under(self.explorer.model)
    }

    fn outcome(&self, search: &mut Search<M, S>, result: Result<(), Stop>) -> Outcome {
        match result {
            Ok(()) => Outcome::Done,
            Err(Stop::Ended) => Outcome::Ended,
            Err(Stop::Restart(doubt)) => Outcome::Restart(doubt),
            Err(Stop::Fault(fault)) => {
                if fault.kind != FailureKind::Program {
                    search.look_ahead();
                }
                let execution = self.execution(search, End::Blocked);
                let fault =
                    fault_of(&search.source, &execution, Some((*fault).clone())).unwrap_or(*fault);
                let failure = execution.failure(&fault);
                search.source.failed(&execution, &failure);
                Outcome::Failed(Box::new(failure))
            }
        }
    }

    fn tick(&self, new: u64) {
        // Relaxed: a statistic.
        let executions = self.done.fetch_add(new, Ordering::Relaxed) + new;
        if let Some(progress) = &self.explorer.progress {
            (progress.0)(&Progress {
                executions,
                estimate: self.estimate,
                elapsed: self.begun.elapsed(),
            });
        }
    }

    fn worker(&self, mut worker: Option<Worker<'_>>) -> (u64, Report, Outcome) {
        let mut search = self.search();
        let (mut report, mut since) = (Report::new(self.explorer.scope()), 0);
        let result = search.run(worker.as_mut(), |search, end| {
            report.count(end);
            if report.complete + report.blocked == 1 {
                search.source.verify(&search.cache, &search.graph)?;
            }
            since += 1;
            if since == TICK {
                self.tick(std::mem::take(&mut since));
            }
            self.visit(search, end)
        });
        report.bounded = search.bounded;
        report.spins = search.source.spins();
        let outcome = self.outcome(&mut search, result);
        let serial = match (&worker, &outcome) {
            (Some(worker), Outcome::Failed(_) | Outcome::Ended | Outcome::Restart(_)) => {
                worker.finish()
            }
            _ => u64::MAX,
        };
        (serial, report, outcome)
    }

    fn exhausted(mut self, workers: usize) -> (Report, Outcome) {
        if self.explorer.progress.is_some() {
            // The estimate is for the bar only: what fails in it fails in the search.
            let mut search = self.search();
            let mut ignore = |_: &mut Search<M, S>, _| Ok(());
            self.estimate = probes(&mut search, PROBES, 0, &mut ignore).0;
        }
        let split = if workers > 1 {
            self.split(workers)
        } else {
            None
        };
        let Some(split) = split else {
            let (_, report, outcome) = self.worker(None);
            return (report, outcome);
        };
        let shared = Shared::new();
        let mut results: Vec<_> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| self.worker(Some(Worker::new(&shared, split)))))
                .collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            handles.into_iter().map(join).collect()
        });
        // The first in the order of the search decides, and what has been told to stop
        // counts for nothing.
        results.sort_by_key(|(serial, ..)| *serial);
        let mut total = Report::new(self.explorer.scope());
        let mut first = None;
        for (_, report, outcome) in results {
            total.complete += report.complete;
            total.blocked += report.blocked;
            total.bounded |= report.bounded;
            total.spins.extend(report.spins);
            first.get_or_insert(outcome);
        }
        total.spins.sort();
        total.spins.dedup();
        let outcome = first.unwrap_or(Outcome::Done);
        if shared.diverged() && matches!(outcome, Outcome::Done | Outcome::Ended) {
            let (_, report, outcome) = self.worker(None);
            return (report, outcome);
        }
        (total, outcome)
    }

    /// The least depth at which there are choices enough to share; `None` when the whole
    /// is not worth it.
    fn split(&self, workers: usize) -> Option<u32> {
        for depth in 1.. {
            let (mut search, mut worker) = (self.search(), Worker::survey(depth));
            let mut executions = 0;
            let result = search.run(Some(&mut worker), |_, _| {
                executions += 1;
                if executions > SURVEY {
                    return Err(Stop::Ended);
                }
                Ok(())
            });
            match result {
                Err(Stop::Ended) => return Some(depth.max(2) - 1),
                Err(_) => return None,
                Ok(()) if worker.frontier == 0 => return None,
                Ok(()) if worker.frontier >= self.explorer.share * workers as u64 => {
                    return Some(depth);
                }
                Ok(()) => {}
            }
        }
        None
    }

    fn sampled(self, count: u64, seed: u64) -> (Report, Outcome) {
        let mut search = self.search();
        let (mut report, mut seen) = (Report::new(self.explorer.scope()), HashSet::new());
        let mut visit = |search: &mut Search<M, S>, end| {
            report.count(end);
            let execution = self.execution(search, end);
            let mut hasher = DefaultHasher::new();
            execution.key().hash(&mut hasher);
            seen.insert(hasher.finish());
            self.visit(search, end)
        };
        let (estimate, result) = probes(&mut search, count, seed, &mut visit);
        report.estimate = estimate.map(|estimate| Estimate {
            distinct: seen.len() as u64,
            ..estimate
        });
        report.bounded = search.bounded;
        report.spins = search.source.spins();
        let outcome = self.outcome(&mut search, result);
        (report, outcome)
    }
}
