//! The company of a scenario: what runs beside its threads and belongs to no operation, and the modes that
//! the VM is in meanwhile. What each does stands in `harness/company.py`, under the same names.

use super::Shape;
use crate::choice::Choices;
use serde::{Deserialize, Serialize};

/// The enumeration of this list, each with its documentation and its stable name.
macro_rules! companies {
    ($(#[$doc:meta] $variant:ident = $name:literal,)*) => {
        /// One company. What a VM lacks does nothing there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Company {
            $(#[$doc] #[serde(rename = $name)] $variant,)*
        }

        impl Company {
            /// All company.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

// Modes stand last, see `is_mode`.
companies! {
    /// Beside it: full collections.
    Collector = "collector",
    /// Beside it: what stops all threads (`sys._current_frames`, `gc.freeze`).
    StoppedWorlds = "stopped-worlds",
    /// Beside it: threads that start and end.
    ThreadStarts = "thread-starts",
    /// Beside it: a trace function of all threads, set and taken away.
    TraceToggles = "trace-toggles",
    /// Beside it: a profile function of all threads, set and taken away.
    ProfileToggles = "profile-toggles",
    /// Beside it: events of `sys.monitoring`, switched on and off.
    MonitoringToggles = "monitoring-toggles",
    /// Beside it: weak references, their callbacks and finalizers.
    WeakReferences = "weak-references",
    /// Beside it: a module imported anew.
    Imports = "imports",
    /// Beside it: blocks of all sizes, taken and given back.
    Allocations = "allocations",
    /// Beside it: signals with a handler in Python.
    Signals = "signals",
    /// Beside it: copies of the process, which end at once.
    Forks = "forks",
    /// Mode: every thread under `sys.settrace`.
    Tracing = "tracing",
    /// Mode: every thread under `sys.setprofile`.
    Profiling = "profiling",
    /// Mode: events of `sys.monitoring` on.
    Monitoring = "monitoring",
    /// Mode: `tracemalloc` on.
    Tracemalloc = "tracemalloc",
    /// Mode: warnings raise.
    WarningsAsErrors = "warnings-as-errors",
    /// Mode: the shortest switch interval.
    ShortSwitchInterval = "short-switch-interval",
    /// Mode: the collector's lowest thresholds.
    EagerCollector = "eager-collector",
    /// The VM started with the debug hooks on its allocators (`PYTHONMALLOC=debug`).
    DebugAllocator = "debug-allocator",
    /// The VM started in development mode (`PYTHONDEVMODE=1`).
    DevelopmentMode = "development-mode",
}

use Company::*;

impl Company {
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

/// Whether scenarios of these shapes may have this company.
pub fn goes_with(company: Company, shapes: &[Shape]) -> bool {
    // A copy of a copy of a process may outlive it, and what the harness waits for is the end of all of them.
    !(company == Forks && shapes.contains(&Shape::Process))
}

/// One company, of three times two: what runs beside and a mode.
pub fn draw(shapes: &[Shape], choices: &mut impl Choices) -> Vec<Company> {
    let (modes, beside): (Vec<Company>, Vec<Company>) = Company::ALL
        .into_iter()
        .filter(|c| goes_with(*c, shapes))
        .partition(|c| c.is_mode());
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
    fn all_company_is_drawn_and_all_but_forks_for_processes() {
        let mut choices = Seeded::new(1, &["company"]);
        let mut drawn = |shapes: &[Shape]| {
            let mut drawn = BTreeSet::new();
            for _ in 0..500 {
                let company = draw(shapes, &mut choices);
                assert!(matches!(company.len(), 1 | 2));
                drawn.extend(company);
            }
            drawn
        };
        assert_eq!(
            drawn(&[Shape::Stride, Shape::Slot]).len(),
            Company::ALL.len()
        );
        assert_eq!(drawn(&[Shape::Wait]).len(), Company::ALL.len());
        let of_processes = drawn(&[Shape::Process]);
        assert_eq!(of_processes.len(), Company::ALL.len() - 1);
        assert!(!of_processes.contains(&Forks));
    }
}
