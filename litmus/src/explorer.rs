//! What users set before an exploration, and what they give it.

use crate::explore::observer::{Observer, Silent};
use crate::explore::plan::{Callback, Plan, Shard};
use crate::explore::program::Program;
use crate::explore::{Execution, Model, Progress, Report};
use crate::replay::Trace;
use crate::session::{self, Allowances, Closure, Learnt, Settings};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// Settings of an exploration.
#[derive(Clone, Debug)]
pub struct Explorer {
    plan: Plan,
    /// Of closures.
    allowances: Allowances,
    patience: Duration,
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

impl Explorer {
    /// Exhaustive exploration under Rust's model by one worker, without reductions, stopping at
    /// the first fault.
    pub fn new() -> Self {
        Self {
            plan: Plan::default(),
            allowances: Allowances {
                time_outs: 1,
                ..Allowances::default()
            },
            patience: Settings::default().patience,
        }
    }

    /// The memory model; Rust's unless set.
    pub fn model(mut self, model: Model) -> Self {
        self.plan.model = model;
        self
    }

    /// The number of operations after which a thread is taken to loop without end; 10 000
    /// unless set, at most 65 000.
    pub fn max_events(mut self, events: usize) -> Self {
        self.plan.max_events = events.min(65_000);
        self
    }

    /// The number of executions, complete and blocked, after which the exploration ends
    /// without being exhaustive; no limit unless set.
    pub fn max_executions(mut self, executions: u64) -> Self {
        self.plan.max_executions = executions;
        self
    }

    /// How many weak compare-exchanges of each thread may fail in an execution although
    /// they find what they expect; 0 unless set. Each is a choice, so executions multiply.
    pub fn spurious_failures(mut self, failures: u32) -> Self {
        self.allowances.failures = failures;
        self
    }

    /// How many waits of each thread ([`Condvar::wait`], `park`) may end in an execution
    /// although nobody woke the thread; 0 unless set. Each is a choice, so executions
    /// multiply.
    ///
    /// [`Condvar::wait`]: crate::sync::Condvar::wait
    pub fn spurious_wakeups(mut self, wakeups: u32) -> Self {
        self.allowances.wakeups = wakeups;
        self
    }

    /// How many waits with a time limit ([`Condvar::wait_timeout`]) of each thread may time
    /// out in an execution; 1 unless set. What a thread does after more is not explored.
    ///
    /// [`Condvar::wait_timeout`]: crate::sync::Condvar::wait_timeout
    pub fn time_outs(mut self, time_outs: u32) -> Self {
        self.allowances.time_outs = time_outs;
        self.plan.time_outs = time_outs;
        self
    }

    /// How long a thread of a closure may go without an operation on an explored type, in processor time or
    /// asleep, before that is a fault; 5 s unless set. Without it a loop without end, or a lock of `std` that another
    /// explored thread holds, would hang the process.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether to visit one execution of those that differ only
    ///
    /// * in which of several threads that do the same did what, and
    /// * in the order of updates whose result is unused ([`Op::Apply`](crate::explore::program::Op)) at
    ///   locations that nobody looks at meanwhile (Rust's model and RC11, without seq_cst
    ///   fences).
    ///
    /// Faults are found as before, counts are smaller. It applies to [`Self::verify`] and
    /// [`Self::check`]; visitors and observers are shown every execution. Off unless set:
    /// for the second there is a proof in `ALGORITHM.md`; for the first an argument in
    /// the module `symmetry` and the comparison with brute force, but no proof.
    pub fn reduce(mut self, reduce: bool) -> Self {
        self.plan.reduce = reduce;
        self
    }

    /// The number of OS threads that search; 1 unless set. Counts, verdict and the fault
    /// reported do not depend on it, the order in which executions are visited does.
    pub fn workers(mut self, workers: usize) -> Self {
        self.plan.workers = workers.max(1);
        self
    }

    /// Searches part `index` (from 1) of `of` of the executions: run each part, in another process
    /// or on another machine, and the whole has been searched; counts add up. The parts agree on
    /// what is whose without a word, so the program must be the same in all of them:
    /// [`Report::tree`] must be equal. No part is exhaustive by itself. A sample is not divided;
    /// give its parts different seeds.
    ///
    /// # Panics
    /// Unless `1 <= index <= of`.
    ///
    /// ```
    /// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
    /// use threadbare_litmus::{Explorer, thread};
    ///
    /// fn counts() {
    ///     let x = Arc::new(AtomicU32::new(0));
    ///     for _ in 0..5 {
    ///         let x = x.clone();
    ///         thread::spawn(move || x.fetch_add(1, Relaxed));
    ///     }
    /// }
    ///
    /// let part = |index| Explorer::new().shard(index, 3).check(counts);
    /// let parts = [part(1), part(2), part(3)];
    /// assert_eq!(parts.iter().map(|part| part.complete).sum::<u64>(), 120);
    /// assert!(parts.iter().all(|part| part.tree == parts[0].tree && !part.exhaustive));
    /// ```
    pub fn shard(mut self, index: u64, of: u64) -> Self {
        assert!(
            (1..=of).contains(&index),
            "part {index} of {of}: parts count from 1"
        );
        self.plan.shard = Some(Shard { index, of });
        self
    }

    /// Workers share the search where each gets so many choices; 64 unless set. For tests,
    /// in which even small searches are to be shared.
    #[doc(hidden)]
    pub fn share(mut self, choices: u64) -> Self {
        self.plan.share = choices;
        self
    }

    /// From how many known operations on those are forgotten that no graph has any more; 32,768 unless set. For
    /// tests, in which even small searches are to forget.
    #[doc(hidden)]
    pub fn known(mut self, operations: usize) -> Self {
        self.plan.known = operations;
        self
    }

    /// At most so many backward revisits on the way to an execution. What is left out is
    /// not characterised by anything in the program: a search that comes back without a
    /// fault has tried some executions, [`Report::bounded`] says that there are more.
    pub fn max_revisits(mut self, revisits: usize) -> Self {
        self.plan.revisits = Some(revisits);
        self
    }

    /// Only executions that need at most so many preemptions: there is an order of their
    /// operations, each read after the write it reads (under SC an interleaving), in which
    /// a thread that is not waiting is left that often for another. Reading an old value
    /// costs nothing, nor does leaving a thread before a join, a lock or an await while what
    /// it reads there is still to come. An execution runs until no thread can go on, and faults count only in
    /// executions within the bound: [`Self::reduce`] is without effect, and a program that
    /// passes may fail with one preemption more ([`Report::coverage`] says so).
    ///
    /// ```
    /// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
    /// use threadbare_litmus::{Explorer, explore::Model, thread};
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
    /// // Under weaker models a stale read would do it without any.
    /// let explorer = Explorer::new().model(Model::Sc);
    /// let none = explorer.clone().max_preemptions(0).check(lost_update);
    /// assert!(none.failure.is_none());
    /// assert_eq!(none.coverage(), "exhaustive within 0 preemptions under SC");
    /// assert!(explorer.max_preemptions(1).check(lost_update).failure.is_some());
    /// ```
    pub fn max_preemptions(mut self, preemptions: u32) -> Self {
        self.plan.preemptions = Some(preemptions);
        self
    }

    /// Descends `probes` times at random instead of searching exhaustively, for programs
    /// too large for that: [`Report::estimate`] says how much was covered. Equal seeds give
    /// equal samples.
    pub fn sample(mut self, probes: u64, seed: u64) -> Self {
        self.plan.sample = Some((probes, seed));
        self
    }

    /// Whether to go on after data races and deadlocks, as litmus tests want it: executions
    /// that have them are visited like all others, plain accesses behaving as relaxed ones,
    /// and [`Execution::race`] says which race. Off unless set.
    pub fn survey(mut self, survey: bool) -> Self {
        self.plan.survey = survey;
        self
    }

    /// Called every few thousand executions.
    pub fn progress(mut self, progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.plan.progress = Some(Callback(Arc::new(progress)));
        self
    }

    /// Explores a [`Program`]; each complete or blocked execution goes to `visit`, which
    /// may end the exploration.
    pub fn run<P: Program>(
        &self,
        program: &P,
        mut visit: impl FnMut(&Execution<'_>) -> ControlFlow<()> + Send,
    ) -> Report {
        self.plan.program(program, false, Some(&mut visit))
    }

    /// As [`Self::run`], but with the reductions of [`Self::reduce`]; when one turns out not
    /// to apply, everything is visited once more. For tests of the reductions.
    #[doc(hidden)]
    pub fn run_reduced<P: Program>(
        &self,
        program: &P,
        mut visit: impl FnMut(&Execution<'_>) -> ControlFlow<()> + Send,
    ) -> Report {
        self.plan.program(program, true, Some(&mut visit))
    }

    /// Explores a [`Program`] for faults only, so that [`Self::reduce`] applies.
    pub fn verify<P: Program>(&self, program: &P) -> Report {
        self.plan.program(program, true, None)
    }

    /// Explores a closure, which is run afresh for what it has not been seen to do yet; it
    /// must be deterministic but for what it reads from the explored types, and must not explore closures itself.
    ///
    /// # Panics
    /// Inside of a callback of another exploration of a closure.
    #[track_caller]
    pub fn check(&self, program: impl Fn() + Send + Sync + 'static) -> Report {
        self.closure(Arc::new(program), Arc::new(Silent), true)
    }

    /// As [`Self::check`]; the observer judges each execution as a whole.
    #[track_caller]
    pub fn observe(
        &self,
        program: impl Fn() + Send + Sync + 'static,
        observer: impl Observer,
    ) -> Report {
        self.closure(Arc::new(program), Arc::new(observer), false)
    }

    fn settings(&self, learnt: &Learnt) -> Settings {
        Settings {
            allowances: self.allowances,
            patience: self.patience,
            learnt: learnt.clone(),
        }
    }

    #[track_caller]
    fn closure(
        &self,
        program: Arc<dyn Fn() + Send + Sync>,
        observer: Arc<dyn Observer>,
        reducible: bool,
    ) -> Report {
        session::is_outermost();
        let learnt = Learnt::default();
        let make = || {
            let program = program.clone();
            let settings = self.settings(&learnt);
            Closure::new(move || program(), observer.clone(), settings)
        };
        self.plan.under_model(make, reducible, None)
    }

    /// Repeats the execution that a trace names: the closure runs once, in an order that
    /// keeps reads-from, and every operation gets the value that it had; so a debugger can
    /// follow it. The report has that one execution, and its failure if it fails. A
    /// program that does other things than the trace says is refused as a failure of kind
    /// [`Program`](crate::explore::FailureKind::Program), with the first difference.
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
    #[track_caller]
    pub fn replay(&self, program: impl Fn() + Send + Sync + 'static, trace: &Trace) -> Report {
        self.replay_closure(Arc::new(program), Arc::new(Silent), trace)
    }

    /// As [`Self::replay`], with an observer.
    #[track_caller]
    pub fn replay_observed(
        &self,
        program: impl Fn() + Send + Sync + 'static,
        observer: impl Observer,
        trace: &Trace,
    ) -> Report {
        self.replay_closure(Arc::new(program), Arc::new(observer), trace)
    }

    #[track_caller]
    fn replay_closure(
        &self,
        program: Arc<dyn Fn() + Send + Sync>,
        observer: Arc<dyn Observer>,
        trace: &Trace,
    ) -> Report {
        session::is_outermost();
        let learnt = Learnt::of(&trace.lessons);
        let make = || {
            let program = program.clone();
            let settings = self.settings(&learnt);
            Closure::new(move || program(), observer.clone(), settings)
        };
        self.plan.rerun(make, trace)
    }

    /// As [`Self::replay`], for a [`Program`].
    pub fn replay_program<P: Program>(&self, program: &P, trace: &Trace) -> Report {
        self.plan.rerun_program(program, trace)
    }
}
