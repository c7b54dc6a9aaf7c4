//! The company of a scenario: what runs beside its threads and belongs to no operation, and the modes that
//! the VM is in meanwhile. What each does stands in `harness/company.py`, under the same names.

use super::Shape;
use crate::choice::Choices;
use serde::{Deserialize, Serialize};

/// One company. What a VM lacks does nothing there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Company {
    /// Beside it: full collections.
    Collector,
    /// Beside it: what stops all threads (`sys._current_frames`, `gc.freeze`).
    StoppedWorlds,
    /// Beside it: threads that start and end.
    ThreadStarts,
    /// Beside it: a trace function of all threads, set and taken away.
    TraceToggles,
    /// Beside it: a profile function of all threads, set and taken away.
    ProfileToggles,
    /// Beside it: events of `sys.monitoring`, switched on and off.
    MonitoringToggles,
    /// Beside it: weak references, their callbacks and finalizers.
    WeakReferences,
    /// Beside it: a module imported anew.
    Imports,
    /// Beside it: blocks of all sizes, taken and given back.
    Allocations,
    /// Beside it: signals with a handler in Python.
    Signals,
    /// Beside it: copies of the process, which end at once.
    Forks,
    /// Mode: every thread under `sys.settrace`.
    Tracing,
    /// Mode: every thread under `sys.setprofile`.
    Profiling,
    /// Mode: events of `sys.monitoring` on.
    Monitoring,
    /// Mode: `tracemalloc` on.
    Tracemalloc,
    /// Mode: warnings raise.
    WarningsAsErrors,
    /// Mode: the shortest switch interval.
    ShortSwitchInterval,
    /// Mode: the collector's lowest thresholds.
    EagerCollector,
    /// The VM started with the debug hooks on its allocators (`PYTHONMALLOC=debug`).
    DebugAllocator,
    /// The VM started in development mode (`PYTHONDEVMODE=1`).
    DevelopmentMode,
}

use Company::*;

impl Company {
    /// All company.
    pub const ALL: [Self; 20] = [
        Collector,
        StoppedWorlds,
        ThreadStarts,
        TraceToggles,
        ProfileToggles,
        MonitoringToggles,
        WeakReferences,
        Imports,
        Allocations,
        Signals,
        Forks,
        Tracing,
        Profiling,
        Monitoring,
        Tracemalloc,
        WarningsAsErrors,
        ShortSwitchInterval,
        EagerCollector,
        DebugAllocator,
        DevelopmentMode,
    ];

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Collector => "collector",
            StoppedWorlds => "stopped-worlds",
            ThreadStarts => "thread-starts",
            TraceToggles => "trace-toggles",
            ProfileToggles => "profile-toggles",
            MonitoringToggles => "monitoring-toggles",
            WeakReferences => "weak-references",
            Imports => "imports",
            Allocations => "allocations",
            Signals => "signals",
            Forks => "forks",
            Tracing => "tracing",
            Profiling => "profiling",
            Monitoring => "monitoring",
            Tracemalloc => "tracemalloc",
            WarningsAsErrors => "warnings-as-errors",
            ShortSwitchInterval => "short-switch-interval",
            EagerCollector => "eager-collector",
            DebugAllocator => "debug-allocator",
            DevelopmentMode => "development-mode",
        }
    }

    /// The company of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The variables that the VM's process is started with.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            DebugAllocator => &[("PYTHONMALLOC", "debug")],
            // Its warnings of what was not closed, one for each object, would be output without bound.
            DevelopmentMode => &[("PYTHONDEVMODE", "1"), ("PYTHONWARNINGS", "ignore")],
            _ => &[],
        }
    }

    /// Whether it is a mode rather than something that runs beside.
    pub fn is_mode(self) -> bool {
        self >= Tracing
    }
}

/// The variables that a process is started with for this company.
pub fn environment(company: &[Company]) -> Vec<(&'static str, &'static str)> {
    let of = |c: &Company| c.environment().iter().copied();
    company.iter().flat_map(of).collect()
}

/// `beside collector, in tracing`.
pub fn words(company: &[Company]) -> String {
    let one = |c: &Company| format!("{} {}", if c.is_mode() { "in" } else { "beside" }, c.name());
    company.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// One company, of three times two: what runs beside and a mode. Only the threads of one process have it.
pub fn draw(shapes: &[Shape], choices: &mut impl Choices) -> Vec<Company> {
    if !shapes
        .iter()
        .all(|s| matches!(s, Shape::Stride | Shape::Slot))
    {
        return Vec::new();
    }
    let (modes, beside): (Vec<Company>, Vec<Company>) =
        Company::ALL.into_iter().partition(|c| c.is_mode());
    let kinds = choices.below(3);
    let mut drawn = Vec::new();
    if kinds != 1 {
        drawn.push(*choices.pick(&beside));
    }
    if kinds != 0 {
        drawn.push(*choices.pick(&modes));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_those_of_the_harness_and_of_the_text_form() {
        let harness = include_str!("../../harness/company.py");
        for company in Company::ALL {
            let name = company.name();
            assert_eq!(Company::of(name), Some(company));
            assert_eq!(
                serde_json::to_string(&company).unwrap(),
                format!("\"{name}\"")
            );
            assert_eq!(
                harness.contains(&format!("\"{name}\":")),
                company.environment().is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn all_company_is_drawn_and_none_for_processes() {
        let mut choices = Seeded::new(1, &["company"]);
        let mut drawn = BTreeSet::new();
        for _ in 0..500 {
            let company = draw(&[Shape::Stride, Shape::Slot], &mut choices);
            assert!(matches!(company.len(), 1 | 2));
            drawn.extend(company);
        }
        assert_eq!(drawn.len(), Company::ALL.len());
        assert!(draw(&[Shape::Process], &mut choices).is_empty());
    }
}
