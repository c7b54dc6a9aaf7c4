//! Repeating one execution.

use super::cache::Source;
use super::direct::Direct;
use super::model::{self, MemoryModel};
use super::program::Program;
use super::report::{Scope, fault_of};
use super::search::{End, Search, Settings, Stop};
use super::{Execution, Explorer, Model, Report};
use crate::observe::{Observer, Silent};
use crate::replay::Trace;
use crate::session::{Closure, Learnt};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Explorer {
    /// Repeats the execution that a trace names: the closure runs once, in an order that
    /// keeps reads-from, and every operation gets the value that it had; so a debugger can
    /// follow it. The report has that one execution, and its failure if it fails. A
    /// program that does other things than the trace says is refused as a failure of kind
    /// [`Program`](super::FailureKind::Program), with the first difference.
    ///
    /// ```
    /// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
    /// use threadbare_litmus::{Explorer, thread};
    ///
    /// fn lost_update() {
    ///     let x = Arc::new(AtomicU32::new(0));
    ///     let other = x.clone();
    ///     let t = thread::spawn(move || other.store(other.load(Relaxed) + 1, Relaxed));
    ///     x.store(x.load(Relaxed) + 1, Relaxed);
    ///     t.join().unwrap();
    ///     assert_eq!(x.load(Relaxed), 2);
    /// }
    ///
    /// let failure = Explorer::new().check(lost_update).failure.unwrap();
    /// let trace = failure.trace.parse().unwrap();
    /// let again = Explorer::new().replay(lost_update, &trace).failure.unwrap();
    /// assert_eq!(again.message, failure.message);
    /// assert_eq!(again.trace, failure.trace);
    /// ```
    pub fn replay(&self, program: impl Fn() + Send + Sync + 'static, trace: &Trace) -> Report {
        self.replay_closure(Arc::new(program), Arc::new(Silent), trace)
    }

    /// As [`Self::replay`], with an observer.
    pub fn replay_observed(
        &self,
        program: impl Fn() + Send + Sync + 'static,
        observer: impl Observer,
        trace: &Trace,
    ) -> Report {
        self.replay_closure(Arc::new(program), Arc::new(observer), trace)
    }

    fn replay_closure(
        &self,
        program: Arc<dyn Fn() + Send + Sync>,
        observer: Arc<dyn Observer>,
        trace: &Trace,
    ) -> Report {
        let learnt = Learnt::of(&trace.lessons);
        let make = || {
            let program = program.clone();
            let settings = (self.allowances, learnt.clone());
            Closure::new(move || program(), observer.clone(), settings)
        };
        self.rerun(make, trace)
    }

    /// As [`Self::replay`], for a [`Program`].
    pub fn replay_program<P: Program>(&self, program: &P, trace: &Trace) -> Report {
        self.rerun(|| Direct::new(program), trace)
    }

    fn rerun<S: Source>(&self, source: impl Fn() -> S, trace: &Trace) -> Report {
        match trace.model() {
            Model::Rust => self.rerun_under::<model::Rust, _>(source, trace),
            Model::Rc11 => self.rerun_under::<model::Rc11, _>(source, trace),
            Model::Sc => self.rerun_under::<model::Sc, _>(source, trace),
            Model::Tso => self.rerun_under::<model::Tso, _>(source, trace),
        }
    }

    fn rerun_under<M: MemoryModel, S: Source>(
        &self,
        source: impl Fn() -> S,
        trace: &Trace,
    ) -> Report {
        let begun = Instant::now();
        let settings = || Settings {
            longest: self.max_events,
            ..Settings::default()
        };
        let (mut search, result) = loop {
            let mut search = Search::<M, S>::new(source(), settings());
            let result = search.rebuild(trace);
            if !search.source.has_learnt() {
                break (search, result);
            }
        };
        search.look_ahead();
        let end = *result.as_ref().unwrap_or(&End::Blocked);
        let execution =
            Execution::new(&search.graph, &search.cache, &search.source, end).under(trace.model());
        let fault = match result {
            Err(Stop::Fault(fault)) => Some(*fault),
            _ => None,
        };
        let failure =
            fault_of(&search.source, &execution, fault).map(|fault| execution.failure(&fault));
        if let Some(failure) = &failure {
            search.source.failed(&execution, failure);
        }
        Report {
            complete: u64::from(failure.is_none() && end == End::Complete),
            blocked: u64::from(failure.is_none() && end == End::Blocked),
            failure,
            spins: search.source.spins(),
            elapsed: begun.elapsed().max(Duration::from_nanos(1)),
            ..Report::new(Scope {
                model: trace.model(),
                ..Scope::default()
            })
        }
    }
}
