//! Planted faults: how they are declared, described and switched on.

use serde::Serialize;
use std::fmt::Debug;

/// Which engines can show a fault, and why not the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visible {
    /// Some interleaving of sequentially consistent steps: loom and shuttle both kill.
    Everywhere,
    /// Only a weak memory model shows it: loom kills, shuttle is expected to miss it.
    WeakMemory,
    /// Loom is expected to miss it, for the reason given; shuttle kills.
    ShuttleOnly(&'static str),
    /// Shuttle is expected to miss it, for the reason given; loom kills.
    LoomOnly(&'static str),
    /// Only an exact memory model shows it, or schedules that samples hardly meet: what other engines say does not
    /// count.
    Explorer(&'static str),
}

impl Visible {
    /// Whether loom is expected to kill it.
    pub fn by_loom(self) -> bool {
        matches!(self, Self::Everywhere | Self::WeakMemory | Self::LoomOnly(_))
    }

    /// Whether shuttle is expected to kill it.
    pub fn by_shuttle(self) -> bool {
        matches!(self, Self::Everywhere | Self::ShuttleOnly(_))
    }

    /// Whether the explorer, which is exact for RC11, kills it: always.
    pub fn by_explorer(self) -> bool {
        true
    }

    /// Why an engine misses it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Everywhere => "visible under sequential consistency",
            Self::WeakMemory => "needs weak memory, shuttle is sequentially consistent",
            Self::ShuttleOnly(why) | Self::LoomOnly(why) | Self::Explorer(why) => why,
        }
    }
}

/// A planted fault, or a form that some system ships.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MutantInfo {
    /// Name on the command line.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub fault: &'static str,
    /// Properties one of which must fail.
    pub breaks: &'static [&'static str],
    /// The smallest scenario that shows it.
    pub scenario: &'static str,
    /// Which engines show it.
    pub visible: Visible,
    /// True for a form that a system ships and that was suspected.
    pub shipped: bool,
}

impl MutantInfo {
    /// Whether the name means this fault: in full, or without the prefix of its family.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.split_once('-').is_some_and(|(_, rest)| rest == name)
    }
}

/// The faults of one scheme.
pub trait Mutants: Copy + Eq + Debug + Send + Sync + 'static {
    /// All faults, in order.
    const ALL: &'static [(Self, MutantInfo)];

    /// The description of this one.
    fn info(self) -> &'static MutantInfo {
        let found = Self::ALL.iter().find(|(m, _)| *m == self);
        &found.expect("the macro lists every variant").1
    }
}

/// Chooses between a scheme and its mutants.
pub trait Fault<M>: Copy + Send + Sync + 'static {
    /// Whether fault `m` is planted.
    fn is(self, m: M) -> bool;
}

/// No fault: every question is answered at compile time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faithful;

impl<M> Fault<M> for Faithful {
    #[inline(always)]
    fn is(self, _: M) -> bool {
        false
    }
}

/// At most one fault, chosen at run time; used by every engine that checks.
#[derive(Clone, Copy, Debug)]
pub struct Switch<M>(pub Option<M>);

impl<M: Mutants> Fault<M> for Switch<M> {
    fn is(self, m: M) -> bool {
        self.0 == Some(m)
    }
}

/// Declares the faults of a scheme: an enum whose variants carry their description.
#[macro_export]
macro_rules! mutants {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[doc = $doc:literal])+ $(#[shipped($shipped:tt)])? $variant:ident = $text:literal
          breaks [$($p:literal),+] in $scenario:literal by $visible:expr;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[doc = $doc])+ $variant,)* }

        impl $crate::protocol::Mutants for $name {
            const ALL: &'static [(Self, $crate::protocol::MutantInfo)] = {
                #[allow(unused_imports, reason = "not every list uses every variant")]
                use $crate::protocol::Visible::*;
                &[$((Self::$variant, $crate::protocol::MutantInfo {
                    name: $text,
                    fault: concat!($($doc),+).trim_ascii(),
                    breaks: &[$($p),+],
                    scenario: $scenario,
                    visible: $visible,
                    shipped: false $(|| $crate::mutants!(@shipped $shipped))?,
                })),*]
            };
        }
    };
    (@shipped $x:tt) => { true };
}
