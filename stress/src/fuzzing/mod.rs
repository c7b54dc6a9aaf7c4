//! Bodies of the fuzz targets: ordinary functions, called by libFuzzer (`fuzz/`), by property
//! tests and by the test that replays the checked-in seeds and past crashes on stable Rust.
//!
//! Each compares with a definition of its own: what must hold of any input, not the tested code
//! written once more. `fuzz/README.md` lists the planted faults that each has found.

mod cluster;
pub mod differential;
mod edit;
mod example;
mod harness_log;
mod minimise;
mod oracle;
mod python;
mod report_html;
mod sanitizer;
mod scenario;
mod scenario_text;
mod store;
mod subject_toml;
pub mod vm;
mod words;

pub use self::cluster::cluster;
pub use self::differential::differential;
pub use self::harness_log::harness_log;
pub use self::minimise::minimise;
pub use self::oracle::oracle;
pub use self::report_html::report_html;
pub use self::sanitizer::sanitizer;
pub use self::scenario::scenario;
pub use self::scenario_text::scenario_text;
pub use self::store::store;
pub use self::subject_toml::subject_toml;
pub use self::vm::{vm_command, vm_rustpython};
pub use self::words::words;

use crate::choice::{Bytes, Choices};
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, generate};
use crate::subject::{Subject, builtin};
use std::sync::LazyLock;

/// Name and body of a target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target of this crate.
pub const TARGETS: &[Target] = &[
    ("cluster", cluster),
    ("differential", differential),
    ("harness_log", harness_log),
    ("minimise", minimise),
    ("oracle", oracle),
    ("report_html", report_html),
    ("sanitizer", sanitizer),
    ("scenario", scenario),
    ("scenario_text", scenario_text),
    ("store", store),
    ("subject_toml", subject_toml),
    ("vm_command", |bytes| drop(vm_command(bytes))),
    ("vm_rustpython", |bytes| drop(vm_rustpython(bytes))),
    ("words", words),
];

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(builtin::all);

/// The scenario that these bytes choose, over all subjects that come with the program.
pub fn scenario_of(bytes: &[u8]) -> Scenario {
    chosen(&mut Bytes(bytes))
}

/// A scenario of any subject, from choices.
fn chosen(choices: &mut Bytes<'_>) -> Scenario {
    let subject = &SUBJECTS[choices.below(SUBJECTS.len())];
    let limits = Limits {
        threads: 2 + choices.below(3),
        ops: 1 + choices.below(4),
    };
    generate(subject, limits, choices)
}
