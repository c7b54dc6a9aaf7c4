//! What a line of output is to a sanitizer's report.

use super::frame::Frame;
use super::{Role, Tool};
use crate::verdict::stack::mask;

/// A line, read.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// A report begins.
    Start {
        tool: Tool,
        what: String,
        detail: String,
    },
    /// A leak's record begins; several stand in one report of the leak checker.
    Leak { what: String },
    /// A stack begins.
    Head { role: Role, text: String },
    /// A frame with its number.
    Frame(usize, Frame),
    /// The memory that was accessed, or another fact.
    Note(String),
    /// The report is whole.
    End,
    /// Not a sanitizer's.
    Other,
}

impl Line {
    /// Reads a line; `open`: a report has begun, so that its parts may follow.
    pub fn read(line: &str, open: bool) -> Self {
        if let Some(start) = start(line) {
            return start;
        }
        if !open {
            return Self::Other;
        }
        if let Some((number, frame)) = Frame::read(line) {
            return Self::Frame(number, frame);
        }
        let text = line.trim();
        if text.starts_with("SUMMARY: ") && text.contains("Sanitizer: ") {
            return Self::End;
        }
        if let Some(role) = head(text) {
            return Self::Head {
                role,
                text: mask(text.trim_end_matches(':')),
            };
        }
        if note(text) {
            return Self::Note(mask(text));
        }
        Self::Other
    }
}

/// The beginning of a report, wherever in the line: another thread may have printed before it.
fn start(line: &str) -> Option<Line> {
    const TOOLS: &[(&str, Tool)] = &[
        ("ThreadSanitizer: ", Tool::Thread),
        ("HWAddressSanitizer: ", Tool::Address),
        ("AddressSanitizer: ", Tool::Address),
        ("LeakSanitizer: ", Tool::Leak),
        ("MemorySanitizer: ", Tool::Memory),
        ("UndefinedBehaviorSanitizer: ", Tool::Undefined),
    ];
    for (name, tool) in TOOLS {
        for level in ["WARNING: ", "ERROR: ", "FATAL: "] {
            if let Some((_, rest)) = line.split_once(&format!("{level}{name}")) {
                return Some(Line::Start {
                    tool: *tool,
                    what: what(rest),
                    detail: mask(rest.trim()),
                });
            }
        }
    }
    let leak = line.trim_start();
    if (leak.starts_with("Direct leak of ") || leak.starts_with("Indirect leak of "))
        && leak.ends_with("from:")
    {
        let what = leak.split(" of ").next().unwrap_or("leak").to_lowercase();
        return Some(Line::Leak { what });
    }
    let (place, message) = line.split_once(": runtime error: ")?;
    // `file.c:5:41`, possibly after something else without a newline.
    let place = place.rsplit(char::is_whitespace).next().unwrap_or(place);
    place.contains(':').then(|| Line::Start {
        tool: Tool::Undefined,
        what: undefined(message),
        detail: mask(&format!("{place}: {}", message.trim())),
    })
}

/// The kind, from what stands behind the tool's name: without process id, address and thread.
fn what(rest: &str) -> String {
    let rest = rest.split(" (pid=").next().unwrap_or(rest);
    let rest = rest.strip_prefix("attempting ").unwrap_or(rest);
    let ends = [
        " on address",
        " on unknown address",
        " 0x",
        " in thread",
        ": ",
        " on 0x",
    ];
    let end = ends
        .iter()
        .filter_map(|e| rest.find(e))
        .min()
        .unwrap_or(rest.len());
    let text = rest[..end].trim_end_matches([':', ' ']);
    match text {
        "double-free on" => "double-free".to_owned(),
        "free on address which was not malloc()-ed" | "free" => "bad-free".to_owned(),
        // Cut, or another thread's words came in between.
        "" => "unnamed".to_owned(),
        other => mask(other),
    }
}

/// A kind of undefined behaviour: the message up to its values.
fn undefined(message: &str) -> String {
    let text = message.split(": ").next().unwrap_or(message);
    let end = [" for type", " for object", " with insufficient", ", which"]
        .iter()
        .filter_map(|e| text.find(e))
        .min()
        .unwrap_or(text.len());
    let words: Vec<&str> = text[..end]
        .split_whitespace()
        .map(|w| {
            if w.starts_with("0x")
                || w.trim_start_matches('-')
                    .bytes()
                    .all(|b| b.is_ascii_digit())
            {
                "#"
            } else {
                w
            }
        })
        .collect();
    words.join(" ")
}

/// The role of the stack that this line announces.
fn head(text: &str) -> Option<Role> {
    let sized = text.contains(" of size ");
    if sized
        && (text.contains(" by thread T") || text.contains(" by main thread"))
        && text.ends_with(':')
        && !text.starts_with("Location")
    {
        return Some(if text.starts_with("Previous ") {
            Role::Previous
        } else {
            Role::Access
        });
    }
    if sized
        && (text.starts_with("READ of ")
            || text.starts_with("WRITE of ")
            || text.starts_with("ACCESS of "))
    {
        return Some(Role::Access);
    }
    let begins = |start: &str, end: &str| text.starts_with(start) && text.ends_with(end);
    let heads: &[(bool, Role)] = &[
        (begins("Location is ", ":"), Role::Allocated),
        (begins("freed by ", "here:"), Role::Freed),
        (
            begins("previously allocated by ", "here:") || begins("allocated by ", "here:"),
            Role::Allocated,
        ),
        (
            begins("Thread ", "created by main thread at:"),
            Role::Created,
        ),
        (
            begins("Thread ", ":") && text.contains(" created by "),
            Role::Created,
        ),
        (
            begins("Mutex ", ":") && text.contains(" acquired here while holding "),
            Role::Acquired,
        ),
        (begins("Mutex ", ":"), Role::Other),
        (begins("As if synchronized via sleep", ":"), Role::Other),
        (
            text.starts_with("Address ") && text.contains(" is located in stack of "),
            Role::Other,
        ),
        (
            text.starts_with("Uninitialized value was "),
            Role::Allocated,
        ),
    ];
    heads.iter().find(|(is, _)| *is).map(|(_, role)| *role)
}

fn note(text: &str) -> bool {
    text.starts_with("Location is ")
        || text.starts_with("Cycle in lock order graph:")
        || text.starts_with("[failed to restore the stack]")
        || (text.starts_with("0x") && text.contains(" is located "))
        || text.contains("==The signal is caused by a ")
}
