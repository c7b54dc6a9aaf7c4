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
pub fn below(bytes: &mut &[u8], n: usize) -> usize {
    let Some((&first, rest)) = bytes.split_first() else {
        return 0;
    };
    *bytes = rest;
    usize::from(first) % n
}

/// A text made from bytes: one of `texts`, cut behind each character that `ends` a piece, with pieces left
/// out, repeated, replaced by one of `words` or put in between; or the bytes themselves.
pub fn edited(bytes: &[u8], texts: &[&str], words: &[&str], ends: impl Fn(char) -> bool) -> String {
    let Some((&first, mut rest)) = bytes.split_first() else {
        return String::new();
    };
    if first >= 248 {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let mut pieces: Vec<&str> = texts[usize::from(first) % texts.len()]
        .split_inclusive(ends)
        .collect();
    let rest = &mut rest;
    while !rest.is_empty() {
        let (what, at) = (below(rest, 4), below(rest, pieces.len() + 1));
        match what {
            0 if at < pieces.len() => drop(pieces.remove(at)),
            1 if at < pieces.len() => pieces[at] = words[below(rest, words.len())],
            2 if at < pieces.len() => pieces.insert(at, pieces[at]),
            _ => pieces.insert(at, words[below(rest, words.len())]),
        }
    }
    pieces.concat()
}
