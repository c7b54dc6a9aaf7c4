//! Bodies of the fuzz targets: ordinary functions, called by libFuzzer (`fuzz/`) and by the test that
//! replays the checked-in seeds and past crashes.

mod recording_text;
mod schedule;

pub use self::recording_text::recording_text;
pub use self::schedule::{Chosen, schedule};

/// Name and body of a target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target of this crate.
pub const TARGETS: &[Target] = &[
    ("recording_text", recording_text),
    ("schedule", |bytes| {
        schedule(bytes);
    }),
];
