//! Bodies of the fuzz targets: ordinary functions, called by libFuzzer (`fuzz/`), by property tests
//! and by the test that replays the checked-in seeds and past crashes.

mod explore;
pub mod tasks;
mod trace_text;

pub use self::explore::litmus_explore;
pub use self::trace_text::trace_text;
pub use crate::lang::fuzzing::litmus_text;

/// Name and body of a target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target of this crate.
pub const TARGETS: &[Target] = &[
    ("litmus_explore", litmus_explore),
    ("litmus_text", litmus_text),
    ("trace_text", trace_text),
];

/// The next choice below `n` from bytes; 0 once they are used up.
fn below(bytes: &mut &[u8], n: usize) -> usize {
    let Some((&first, rest)) = bytes.split_first() else {
        return 0;
    };
    *bytes = rest;
    usize::from(first) % n
}
