//! From settings to a report: one worker or several, exhaustive or sampled, with or
//! without reductions.

use super::cache::Source;
use super::model::MemoryModel;
use super::parallel::{Claims, Worker};
use super::report::{Scope, fault_of};
use super::search::{Doubt, End, Search, Settings, Stop, probes};
use super::{Estimate, Execution, Failure, FailureKind, Plan, Progress, Report};
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
pub(crate) type Visit<'a> = dyn FnMut(&Execution<'_>) -> ControlFlow<()> + Send + 'a;

/// What ended a search before its end.
enum Outcome {
    /// Nothing.
    Done,
    Ended,
    Restart(Doubt),
    Failed(Box<Failure>),
}

impl Plan {
    pub(super) fn scope(&self) -> Scope {
        Scope {
            model: self.model,
            preemptions: self.preemptions,
            revisits: self.revisits,
            sample: self.sample,
            workers: self.workers,
            shard: self.shard,
            time_outs: self.time_outs,
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
            shared: self.workers > 1 || self.shard.is_some(),
            revisits: self.revisits,
            preemptions: self.preemptions,
            known: self.known,
            survey: self.survey,
        };
        loop {
            let job = Job::<M, _> {
                plan: self,
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
                    report.exhaustive = report.finished
                        && !report.bounded
                        && !report.timeless
                        && !report.diverged
                        && !report.symmetric
                        && self.shard.is_none_or(|shard| shard.of == 1);
                }
                Outcome::Ended => {}
                Outcome::Failed(failure) => report.failure = Some(*failure),
                Outcome::Restart(doubt) => {
                    match doubt {
                        Doubt::Twins => settings.twins = false,
                        Doubt::Fences => settings.commute = false,
                        // Which location that is in another worker's numbers nobody knows.
                        Doubt::Updates(_)
                            if settings.shared && !make().numbers_locations_alike() =>
                        {
                            settings.commute = false;
                        }
                        Doubt::Updates(location) => settings.ordered.push(location),
                        Doubt::Learnt => {}
                    }
                    make().begin_again();
                    continue;
                }
            }
            report.reduced = settings.twins || settings.commute;
            report.elapsed = begun.elapsed();
            return report;
        }
    }
}

/// Nothing is said of a program that does not do the same again.
fn settled<M: MemoryModel, S: Source>(
    search: &mut Search<M, S>,
    result: Result<(), Stop>,
) -> Result<(), Stop> {
    if matches!(result, Err(Stop::Restart(_))) {
        return result;
    }
    search.source.settle(&search.cache)?;
    if search.source.has_learnt() {
        return Err(Stop::Restart(Doubt::Learnt));
    }
    result
}

struct Job<'a, M, F> {
    plan: &'a Plan,
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

    fn visit(&self, search: &mut Search<M, S>, end: End) -> Result<(), Stop> {
        if matches!(end, End::Complete) {
            search.source.complete(&search.cache, &search.graph)?;
        }
        let execution = self.execution(search, end);
        if let Some(fault) = search.source.judge(&execution) {
            return Err(fault.into());
        }
        let most = self.plan.max_executions;
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
        Execution::new(&search.graph, &search.cache, &search.source, end).under(self.plan.model)
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
        if let Some(progress) = &self.plan.progress {
            (progress.0)(&Progress {
                executions,
                estimate: self.estimate,
                elapsed: self.begun.elapsed(),
            });
        }
    }

    fn worker(&self, mut worker: Option<Worker<'_>>) -> (u64, Report, Outcome) {
        let mut search = self.search();
        let (mut report, mut since) = (Report::new(self.plan.scope()), 0);
        let result = search.run(worker.as_mut(), |search, end| {
            report.count(end);
            since += 1;
            if since == TICK {
                self.tick(std::mem::take(&mut since));
            }
            self.visit(search, end)
        });
        let result = settled(&mut search, result);
        report.bounded = search.bounded;
        report.symmetric = search.symmetric;
        report.spins = search.source.spins();
        report.left_out = search.source.left_out();
        report.timeless = search.source.is_timeless();
        report.tree = worker.as_ref().map_or(0, |worker| worker.tree);
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
        if self.plan.progress.is_some() {
            // The estimate is for the bar only: what fails in it fails in the search.
            let mut search = self.search();
            let mut ignore = |_: &mut Search<M, S>, _| Ok(());
            self.estimate = probes(&mut search, PROBES, 0, &mut ignore).0;
        }
        let (shard, mut report) = (self.plan.shard, Report::new(self.plan.scope()));
        let split = match shard {
            // The parts must find the same depth, whatever each has to work with.
            Some(shard) => self.split(shard.of),
            None if workers > 1 => self.split(workers as u64),
            None => Ok(None),
        };
        let split = match split {
            Ok(split) => split,
            Err(doubt) => return (report, Outcome::Restart(doubt)),
        };
        let Some(split) = split else {
            // What is not worth dividing is the first part's.
            if shard.is_some_and(|shard| shard.index > 1) {
                return (report, Outcome::Done);
            }
            let (_, report, outcome) = self.worker(None);
            return (report, outcome);
        };
        let claims = Claims::new();
        let mut results: Vec<_> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| self.worker(Some(Worker::new(&claims, split, shard)))))
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
        // But for what takes back all that has been found.
        if results
            .iter()
            .any(|(_, _, outcome)| matches!(outcome, Outcome::Restart(Doubt::Learnt)))
        {
            return (report, Outcome::Restart(Doubt::Learnt));
        }
        let mut first = None;
        let trees: Vec<u64> = results.iter().map(|(_, part, _)| part.tree).collect();
        for (_, part, outcome) in results {
            report.complete += part.complete;
            report.blocked += part.blocked;
            report.bounded |= part.bounded;
            report.symmetric |= part.symmetric;
            report.spins.extend(part.spins);
            report.left_out.extend(part.left_out);
            report.timeless |= part.timeless;
            first.get_or_insert(outcome);
        }
        report.left_out.sort_unstable();
        report.left_out.dedup();
        report.spins.sort();
        report.spins.dedup();
        report.tree = trees[0];
        let outcome = first.unwrap_or(Outcome::Done);
        // Different trees: executions may have been left out.
        if matches!(outcome, Outcome::Done) && trees.iter().any(|tree| *tree != trees[0]) {
            report.diverged = true;
        }
        (report, outcome)
    }

    /// The least depth at which there are choices enough to share; `None` when the whole
    /// is not worth it.
    fn split(&self, parts: u64) -> Result<Option<u32>, Doubt> {
        for depth in 1.. {
            let (mut search, mut worker) = (self.search(), Worker::scout(depth));
            let mut executions = 0;
            let result = search.run(Some(&mut worker), |_, _| {
                executions += 1;
                if executions > SURVEY {
                    return Err(Stop::Ended);
                }
                Ok(())
            });
            match result {
                Err(Stop::Ended) => return Ok(Some(depth.max(2) - 1)),
                Err(Stop::Restart(doubt)) => return Err(doubt),
                Err(Stop::Fault(_)) => return Ok(None),
                Ok(()) if worker.frontier == 0 => return Ok(None),
                Ok(()) if worker.frontier >= self.plan.share * parts => {
                    return Ok(Some(depth));
                }
                Ok(()) => {}
            }
        }
        Ok(None)
    }

    fn sampled(self, count: u64, seed: u64) -> (Report, Outcome) {
        let mut search = self.search();
        let (mut report, mut seen) = (Report::new(self.plan.scope()), HashSet::new());
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
        let result = settled(&mut search, result);
        report.bounded = search.bounded;
        report.symmetric = search.symmetric;
        report.spins = search.source.spins();
        report.left_out = search.source.left_out();
        report.timeless = search.source.is_timeless();
        let outcome = self.outcome(&mut search, result);
        (report, outcome)
    }
}
