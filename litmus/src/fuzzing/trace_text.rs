//! Target `trace_text`: traces as users paste them.

use super::edited;
use super::tasks::{Do, Tasks, closure};
use crate::Explorer;
use crate::explore::{Failure, FailureKind};
use crate::replay::Trace;
use crate::sync::atomic::Ordering;

const TEXTS: [&str; 4] = [
    "tbx1/rc11/0:s1,s2,j1,j2/1:w,w/2:r1.1,ri/co:",
    "tbx1/tso/0:ui,u1.2,f,c3,o/1:w/co:0.1<1.1<0.2",
    "tbx1/sc/0:s1,s2,j1,j2/1:w,ri/2:w,ri/co:",
    "tbx1/rust/0:w,a,d/co:/as:1f,811c9dc5",
];

const WORDS: [&str; 32] = [
    "/",
    ":",
    ",",
    "<",
    ".",
    "0",
    "1",
    "2",
    "4294967295",
    "4294967296",
    "r",
    "ri",
    "r1.1",
    "r0.0",
    "u",
    "ui",
    "w",
    "f",
    "c1",
    "c",
    "s1",
    "s9",
    "j1",
    "j0",
    "o",
    "a",
    "d",
    "co:",
    "as:",
    "tbx1",
    "rust",
    "é",
];

/// A text is a trace or is refused with a reason. A trace is printed so that it reads back as the same,
/// and rerun on a program that it may not be of, where the execution that comes of it has a trace that
/// gives the same once more.
///
/// # Panics
/// When one of these does not hold.
pub fn trace_text(bytes: &[u8]) {
    let ends = |c| ['/', ':', ',', '<', '.'].contains(&c);
    let text = edited(bytes, &TEXTS, &WORDS, ends);
    let trace: Trace = match text.parse() {
        Ok(trace) => trace,
        Err(refused) => {
            assert!(
                refused.to_string().starts_with("not a trace: "),
                "{refused}"
            );
            return;
        }
    };
    let printed = trace.to_string();
    let again: Trace = printed.parse().unwrap_or_else(|e| panic!("{e}: {printed}"));
    assert_eq!(again, trace, "{text}");
    assert_eq!(again.to_string(), printed);
    // Nothing of it was passed over.
    let numbers = |text: &str| text.matches('<').count() + text.matches('.').count();
    assert_eq!(numbers(&printed), numbers(&text), "{text}");
    let relaxed = Ordering::Relaxed;
    let side = |x, y| {
        vec![
            Do::Store(x, relaxed, 1),
            Do::Load(y, relaxed),
            Do::FailIf(1),
        ]
    };
    let tasks = Tasks {
        threads: vec![side(0, 1), side(1, 0)],
        parents: vec![None, None],
        backwards: false,
        joins: true,
    };
    let first = Explorer::new().replay(closure(&tasks), &trace);
    // A trace of another program shows how far it fits, and nothing to repeat.
    let is_found = |f: &Failure| f.kind != FailureKind::Program;
    if let Some(failure) = first.failure.filter(is_found) {
        let trace: Trace = failure.trace.parse().expect("its own trace");
        let second = Explorer::new().replay(closure(&tasks), &trace).failure;
        assert_eq!(
            second.map(|f| (f.kind, f.message)),
            Some((failure.kind, failure.message)),
            "{text}"
        );
    }
}
