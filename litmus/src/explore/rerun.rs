//! Repeating one execution.

use super::cache::Source;
use super::direct::Direct;
use super::model::{self, MemoryModel};
use super::program::Program;
use super::report::{Scope, fault_of};
use super::search::{End, Search, Settings, Stop};
use super::trace::Trace;
use super::{Execution, Model, Plan, Report};
use std::time::{Duration, Instant};

impl Plan {
    pub fn rerun_program(&self, program: &dyn Program, trace: &Trace) -> Report {
        self.rerun(|| Direct::new(program), trace)
    }

    /// Repeats the execution that a trace names, on a source.
    pub fn rerun<S: Source>(&self, source: impl Fn() -> S, trace: &Trace) -> Report {
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
