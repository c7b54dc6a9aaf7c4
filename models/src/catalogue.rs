//! The list of protocols.

use crate::choice::Choices;
use crate::engine::{self, Budget, Engine, Outcomes, Program, Weakened};
use crate::enumerate::{self, Bound, Coverage, EVERY_RUN, Which};
use crate::protocol::{MutantInfo, Mutants, Property, Protocol, Reach, Scenario};
use crate::runtime::trace::Event;
use crate::verdict::{Schedule, Verdict, Violation};
use serde::Serialize;
use std::borrow::Cow;

/// Every protocol, one line each.
pub fn all() -> Vec<Entry> {
    vec![
        entry::<crate::refcount::global_lock::GlobalLock>(),
        entry::<crate::refcount::interlocked::Interlocked>(),
        entry::<crate::refcount::atomic::Atomic>(),
        entry::<crate::refcount::getter::StrongGetter>(),
        entry::<crate::refcount::biased::BiasedCpython>(),
        entry::<crate::refcount::deferred::DeferredProtocol>(),
        entry::<crate::refcount::immortal::ImmortalProtocol>(),
        entry::<crate::refcount::side_table::SideTable>(),
        entry::<crate::reclaim::qsbr::QsbrProtocol>(),
        entry::<crate::world::gil::GilProtocol>(),
        entry::<crate::refcount::biased_paper::BiasedPaper>(),
        entry::<crate::refcount::buffered::BufferedProtocol>(),
        entry::<crate::container::list::OptimisticList>(),
        entry::<crate::container::marked::MarkedList>(),
        entry::<crate::container::attribute::InlineAttribute>(),
        entry::<crate::container::dict::SplitDict>(),
        entry::<crate::container::type_cache::TypeCache>(),
        entry::<crate::container::specialized::InlineCache>(),
        entry::<crate::container::subscript::ComposedSubscript>(),
        entry::<crate::weak::weakref::WeakAtomic>(),
        entry::<crate::weak::weakref::WeakBiased>(),
        entry::<crate::weak::canonical::CanonicalRefs>(),
        entry::<crate::sync::parking::ParkingMutex>(),
        entry::<crate::sync::word::WordMutex>(),
        entry::<crate::sync::futex::FutexMutex>(),
        entry::<crate::sync::event::EventProtocol>(),
        entry::<crate::sync::once::OnceProtocol>(),
        entry::<crate::sync::recursive::RecursiveMutex>(),
        entry::<crate::sync::rwlock::ReadWriteLock>(),
        entry::<crate::sync::seqlock::SequenceLock>(),
        entry::<crate::sync::critical::CriticalSections>(),
        entry::<crate::sync::pooled::PooledLocks>(),
        entry::<crate::sync::extension::ExtensionLock>(),
        entry::<crate::sync::furtex::FurtexLocks>(),
        entry::<crate::sync::prelocked::PrelockedObjects>(),
        entry::<crate::world::stop::StopTheWorld>(),
        entry::<crate::world::grwl::GlobalReadWriteLock>(),
        entry::<crate::world::cycles::CycleCollection>(),
        entry::<crate::alloc::free_list::BlockList>(),
        entry::<crate::alloc::classes::SizeClasses>(),
        entry::<crate::alloc::caches::BlockCaches>(),
        entry::<crate::alloc::statistics::BatchedCount>(),
        entry::<crate::alloc::heaps::ThreadHeaps>(),
        entry::<crate::alloc::abandoned::AbandonedPages>(),
        entry::<crate::alloc::pages::PageReuse>(),
        entry::<crate::world::domains::StopDomains>(),
        entry::<crate::world::thread_list::ThreadListProtocol>(),
        entry::<crate::world::current::CurrentState>(),
        entry::<crate::world::states::ThreadStates>(),
        entry::<crate::reclaim::slots::QsbrSlots>(),
        entry::<crate::container::borrowed::BorrowedItems>(),
        entry::<crate::isolation::interpreters::Subinterpreters>(),
        entry::<crate::isolation::ensure::ForeignCalls>(),
        entry::<crate::isolation::ractor::Ractors>(),
        entry::<crate::isolation::region::RegionProtocol>(),
    ]
}

/// A protocol without its types.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Name on the command line.
    pub name: &'static str,
    /// Name in reports.
    pub title: &'static str,
    /// What the scheme has to answer.
    pub question: &'static str,
    /// Where the algorithm comes from.
    pub source: &'static str,
    /// What must hold.
    pub properties: &'static [Property],
    /// The faults.
    pub mutants: Vec<MutantInfo>,
    /// The path of its declaration, module by module.
    #[serde(skip)]
    pub module: &'static str,
    /// The scenarios.
    pub scenarios: Vec<ScenarioInfo>,
    /// The set-ups of small programs, each with what they ask.
    pub starts: Vec<(&'static str, &'static str)>,
    #[serde(skip)]
    calls: Calls,
}

/// A scenario without its types.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioInfo {
    /// Name on the command line.
    pub name: Cow<'static, str>,
    /// The question it puts.
    pub asks: &'static str,
    /// Threads, main included.
    pub threads: usize,
    /// Operations over all threads.
    pub operations: usize,
    /// Operations of each thread.
    pub per_thread: Vec<usize>,
    /// How far loom goes.
    pub loom: Reach,
    /// How far shuttle's depth-first search goes.
    pub dfs: Reach,
    /// Changes when the program changes; a replay is refused then.
    pub hash: u64,
}

type ProgramsOf = fn(Which, Option<&str>) -> Result<Programs, Unknown>;
type Programs = Box<dyn Iterator<Item = Program> + Send>;

#[derive(Clone, Copy, Debug)]
struct Calls {
    /// A scenario by name, faithful or with a mutant by name.
    program: fn(&str, Option<&str>) -> Result<Program, Unknown>,
    /// What is known of a scenario.
    info: fn(&str) -> Result<ScenarioInfo, Unknown>,
    /// Small programs.
    programs: ProgramsOf,
    /// A generated program.
    random: fn(RandomProgram, Option<&str>) -> Option<Program>,
}

/// A generated program: reproducible from these numbers alone.
#[derive(Clone, Copy, Debug)]
pub struct RandomProgram {
    /// Threads, main included.
    pub threads: usize,
    /// Operations per thread.
    pub operations: usize,
    /// Seed of the program, not of its schedules.
    pub seed: u64,
}

/// A name that the catalogue does not have.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// No such protocol.
    #[error("no protocol {0:?}; there are: {1}")]
    Protocol(String, String),
    /// No such scenario.
    #[error("protocol {0} has no scenario {1:?}; it has: {2}")]
    Scenario(&'static str, String, String),
    /// No such mutant.
    #[error("protocol {0} has no mutant {1:?}; it has: {2}")]
    Mutant(&'static str, String, String),
}

/// The names that do exist, for a message.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// A replay that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording names something unknown.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The schedule does not fit the program.
    #[error("the recording does not fit this program: {0}")]
    Diverged(String),
}

fn scenario<P: Protocol>(name: &str) -> Result<Scenario<P::Op>, Unknown> {
    let all = P::scenarios();
    let names = || listed(all.iter().map(|s| &*s.name));
    let found = all.iter().find(|s| s.name == name).cloned();
    let found = found.or_else(|| enumerate::named(name, P::starts));
    found.ok_or_else(|| Unknown::Scenario(P::NAME, name.into(), names()))
}

fn mutant<P: Protocol>(name: Option<&str>) -> Result<Option<P::Mutant>, Unknown> {
    let Some(name) = name else { return Ok(None) };
    let all = || P::Mutant::ALL.iter().filter(|(m, _)| P::applies(*m));
    let names = || listed(all().map(|(_, info)| info.name));
    let found = all().find(|(_, info)| info.is_called(name));
    found.map(|(m, _)| Some(*m)).ok_or_else(|| Unknown::Mutant(P::NAME, name.into(), names()))
}

fn hash<Op: std::fmt::Debug>(s: &Scenario<Op>) -> u64 {
    let mut program =
        format!("{:?} {:?} {:?} {:?} {:?}", s.objects, s.setup, s.threads, s.finish, s.loom);
    if s.spurious > 0 {
        program += &format!(" {}", s.spurious);
    }
    engine::fnv(program.as_bytes())
}

fn info<Op: Copy + std::fmt::Debug>(s: &Scenario<Op>) -> ScenarioInfo {
    ScenarioInfo {
        name: s.name.clone(),
        asks: s.asks,
        threads: s.threads.len(),
        operations: s.operations(),
        per_thread: s.threads.iter().map(Vec::len).collect(),
        loom: s.loom,
        dfs: s.dfs,
        hash: hash(s),
    }
}

/// The programs that are asked for, all or a sample, set-up by set-up.
fn programs<P: Protocol>(which: Which, fault: Option<&str>) -> Result<Programs, Unknown> {
    let mutant = mutant::<P>(fault)?;
    let mut choices = Choices::seeded(which.sample.map_or(0, |(_, seed)| seed), 1);
    let programs =
        P::starts(which.bound.threads).into_iter().flat_map(move |start| match which.sample {
            None => enumerate::programs(&start, which.bound),
            Some((count, _)) => enumerate::sample(&start, which.bound, count, &mut choices),
        });
    Ok(Box::new(programs.map(move |scenario| Program::new::<P>(scenario, mutant))))
}

/// A program drawn by its seed; `None` where no program of that size fits.
fn random<P: Protocol>(program: RandomProgram) -> Option<Scenario<P::Op>> {
    let mut choices = Choices::seeded(program.seed, 0);
    let RandomProgram { threads, operations, .. } = program;
    P::random(threads, operations, &mut |n| choices.below(n)).or_else(|| {
        let mut starts = P::starts(threads);
        let start = starts.swap_remove(choices.below(starts.len()));
        let bound = Bound { threads, operations };
        // Of some set-ups one program in thousands fits.
        (0..50).find_map(|_| enumerate::sample(&start, bound, 1, &mut choices).pop())
    })
}

fn entry<P: Protocol>() -> Entry {
    Entry {
        name: P::NAME,
        title: P::TITLE,
        question: P::QUESTION,
        source: P::SOURCE,
        properties: P::PROPERTIES,
        mutants: P::Mutant::ALL
            .iter()
            .filter(|(m, _)| P::applies(*m))
            .map(|(_, info)| *info)
            .collect(),
        module: std::any::type_name::<P>(),
        starts: P::starts(2).iter().map(|start| (start.name, start.asks)).collect(),
        scenarios: P::scenarios().iter().map(info).collect(),
        calls: Calls {
            program: |name, fault| Ok(Program::new::<P>(scenario::<P>(name)?, mutant::<P>(fault)?)),
            info: |name| Ok(info(&scenario::<P>(name)?)),
            programs: programs::<P>,
            random: |program, fault| {
                let scenario = random::<P>(program)?;
                Some(Program::new::<P>(scenario, mutant::<P>(fault).ok()?))
            },
        },
    }
}

/// The protocol of that name.
///
/// # Errors
/// [`Unknown::Protocol`].
pub fn find(name: &str) -> Result<Entry, Unknown> {
    let names = || listed(all().iter().map(|e| e.name));
    let found = all().into_iter().find(|e| e.name == name);
    found.ok_or_else(|| Unknown::Protocol(name.into(), names()))
}

impl Entry {
    /// Checks a scenario with an engine, faithful or with a mutant.
    ///
    /// # Errors
    /// [`Unknown`] names.
    pub fn check(
        &self,
        engine: Engine,
        scenario: &str,
        mutant: Option<&str>,
        budget: Budget,
    ) -> Result<Verdict, Unknown> {
        Ok(engine::check(engine, (self.calls.program)(scenario, mutant)?, budget))
    }

    /// Checks a scenario with the explorer, and tells what comes of it: all outcomes where the verdict is
    /// *exhausted*.
    ///
    /// # Errors
    /// [`Unknown`] names.
    pub fn outcomes(
        &self,
        scenario: &str,
        mutant: Option<&str>,
        budget: Budget,
    ) -> Result<(Verdict, Outcomes), Unknown> {
        Ok(engine::outcomes::outcomes((self.calls.program)(scenario, mutant)?, budget))
    }

    /// Weakens every memory order that the faithful scheme takes in its scenarios, one at a
    /// time, and has the explorer look for a scenario that then breaks.
    pub fn orders(&self, budget: Budget) -> Vec<Weakened> {
        let programs = self.scenarios.iter().map(|s| (self.calls.program)(&s.name, None));
        engine::orders::audit(programs.filter_map(Result::ok).collect(), budget)
    }

    /// Runs a scenario `rounds` times on real threads, every object in a heap block of its
    /// own, for AddressSanitizer to watch.
    ///
    /// # Safety
    /// A scheme that frees too early, or twice, does just that. Plant a fault only in a
    /// process of its own that the sanitizer watches.
    ///
    /// # Errors
    /// [`Unknown`] names.
    ///
    /// # Panics
    /// When a check of the scheme's own fails.
    pub unsafe fn allocated(
        &self,
        scenario: &str,
        mutant: Option<&str>,
        rounds: u64,
    ) -> Result<(), Unknown> {
        let program = (self.calls.program)(scenario, mutant)?;
        // SAFETY: the caller's promise.
        unsafe { engine::native::allocated(&program, rounds) };
        Ok(())
    }

    /// Repeats one execution.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn replay(
        &self,
        engine: Engine,
        scenario: &str,
        mutant: Option<&str>,
        schedule: &Schedule,
    ) -> Result<Verdict, ReplayError> {
        let program = (self.calls.program)(scenario, mutant)?;
        engine::replay(engine, program, schedule).map_err(ReplayError::Diverged)
    }

    /// One execution of a scenario under the schedule that bytes choose, and its events.
    ///
    /// # Errors
    /// [`Unknown`] names.
    pub fn chosen(
        &self,
        scenario: &str,
        mutant: Option<&str>,
        bytes: &[u8],
    ) -> Result<(Verdict, Vec<Event>), Unknown> {
        Ok(engine::chosen((self.calls.program)(scenario, mutant)?, bytes))
    }

    /// Checks a generated program; `None` when none of that size fits.
    pub fn check_random(
        &self,
        engine: Engine,
        program: RandomProgram,
        mutant: Option<&str>,
        budget: Budget,
    ) -> Option<Verdict> {
        let program = (self.calls.random)(program, mutant)?;
        Some(engine::check(engine, program, budget))
    }

    /// The scenario of that name, or the small program.
    ///
    /// # Errors
    /// [`Unknown::Scenario`].
    pub fn scenario(&self, name: &str) -> Result<ScenarioInfo, Unknown> {
        (self.calls.info)(name)
    }

    /// How many small programs every run of the tests explores.
    pub fn every_run(&self) -> usize {
        let all = EVERY_RUN.map(|bound| Which { bound, sample: None });
        all.into_iter()
            .filter_map(|which| self.programs(which, None).ok())
            .map(Iterator::count)
            .sum()
    }

    /// The small programs of the protocol, all within a bound or a sample of them.
    ///
    /// # Errors
    /// [`Unknown::Mutant`].
    pub fn programs(
        &self,
        which: Which,
        mutant: Option<&str>,
    ) -> Result<impl Iterator<Item = Program> + Send, Unknown> {
        (self.calls.programs)(which, mutant)
    }

    /// Explores small programs, faithful or with a mutant; with a mutant as far as the first that
    /// breaks a property.
    ///
    /// # Errors
    /// [`Unknown::Mutant`].
    pub fn enumerate(
        &self,
        which: Which,
        mutant: Option<&str>,
        budget: Budget,
    ) -> Result<Coverage, Unknown> {
        let mut coverage = Coverage::new(which);
        engine::explore_each(self.programs(which, mutant)?, budget, |program, verdict| {
            coverage.add(program.name().to_owned(), verdict);
            mutant.is_none() || coverage.violated.is_empty()
        });
        Ok(coverage)
    }

    /// The mutant of that name.
    ///
    /// # Errors
    /// [`Unknown::Mutant`].
    pub fn mutant(&self, name: &str) -> Result<&MutantInfo, Unknown> {
        let found = self.mutants.iter().find(|m| m.is_called(name));
        let names = || listed(self.mutants.iter().map(|m| m.name));
        found.ok_or_else(|| Unknown::Mutant(self.name, name.into(), names()))
    }

    /// The properties of which a mutant must break one.
    pub fn broken_by(&self, mutant: &MutantInfo) -> impl Iterator<Item = &'static Property> {
        self.properties.iter().filter(|p| mutant.breaks.contains(&p.id))
    }

    /// Whether a kind of misbehaviour breaks one of the properties that a mutant must break.
    pub fn kind_breaks(&self, kind: crate::verdict::Kind, mutant: &MutantInfo) -> bool {
        self.broken_by(mutant).any(|p| p.broken_by.iter().any(|breach| breach.kind == kind))
    }

    /// The properties that a violation breaks, by its kind and place.
    pub fn broken(&self, violation: &Violation) -> impl Iterator<Item = &'static Property> {
        self.properties.iter().filter(|p| p.broken_by.iter().any(|breach| breach.is(violation)))
    }

    /// Whether a violation breaks a property that the mutant must break.
    pub fn is_killed_by(&self, mutant: &MutantInfo, violation: &Violation) -> bool {
        self.broken(violation).any(|p| mutant.breaks.contains(&p.id))
    }
}
