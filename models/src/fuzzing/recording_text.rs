//! Target `recording_text`: recordings as users paste them.

use crate::replay::{Recording, Refused};
use threadbare_litmus::fuzzing::edited;

const TEXTS: [&str; 3] = [
    "tb1/biased/exit/-/shuttle-random@shuttle-0.9/abc/t0x3.1.2x2.0/7",
    "again: threadbare replay 'tb1/atomic/two-threads/-/loom@loom-0.7/1/n12/ffffffffffffffff'",
    "{\"replay\":\"tb1/qsbr/x/lost-wake/explorer@explorer-0.1/0/-/0\"}",
];

const WORDS: [&str; 22] = [
    "/",
    ".",
    "x",
    "@",
    "-",
    "t",
    "n",
    "0",
    "1",
    "255",
    "256",
    "99999999",
    "18446744073709551616",
    "tb1",
    "tb2",
    " ",
    "'",
    "\"",
    "shuttle-pct",
    "native",
    "é",
    "\n",
];

/// A text holds a recording or is refused as none. A recording is printed so that it reads back as the
/// same, alone or among other words, and repeated or refused with the reason.
///
/// # Panics
/// When one of these does not hold.
pub fn recording_text(bytes: &[u8]) {
    let text = edited(bytes, &TEXTS, &WORDS, |c| !c.is_alphanumeric());
    let recording: Recording = match text.parse() {
        Ok(recording) => recording,
        Err(refused) => {
            assert!(matches!(refused, Refused::Syntax(_)), "{refused}");
            return;
        }
    };
    let printed = recording.to_string();
    for text in [printed.clone(), format!("again: '{printed}'\n")] {
        let again: Recording = text.parse().unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(again, recording, "{text}");
    }
    if let Err(refused) = recording.run() {
        assert!(!refused.to_string().is_empty());
    }
}
