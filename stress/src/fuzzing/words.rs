//! Target `words`: what a dying process says, without what differs from run to run.

use super::edit::edited;
use crate::choice::{Bytes, Choices};
use crate::verdict::sanitizer::{self, Report};
use crate::verdict::stack::{assertion, fatal, frames, last_words, mask, panic, panic_frames};
use crate::verdict::standstill::hang;
use crate::verdict::{of_end, waits};
use crate::vm::child::{End, Outcome};
use crate::vm::hang::Autopsy;

/// Texts with addresses (`§0` to `§3`) and process ids (`§4`, `§5`).
const TEXTS: [&str; 5] = [
    "Thread 3 (Thread §0 (LWP §4) \"python3\"):\n#0  syscall () at s.S:1\n#1  §1 in _PyMutex_LockTimed (m=§2 <_PyRuntime+3>, timeout=-1) at Python/lock.c:121\n\
     #2  list_append (self=§3) at Objects/listobject.c:400\n  File \"/tmp/x.py\", line 13, in two\n@holds §4 §2\n@owner §3 §0\nThread 2 (Thread §1 (LWP §5) \"python3\"):\n\
     #0  mi_free (p=§2) at a.c:1\n#1  §0 in PyThread_acquire_lock_timed (lock=lock@entry=§3, x=1) at a.c:1\n",
    "Fatal Python error: _PyMutex_Unlock: unlocking mutex that is not locked at §0\n\nCurrent thread §1 (most recent call first):\n  File \"/tmp/x.py\", line 13 in two\n\n\
     Thread §2 (most recent call first):\n  File \"/l/threading.py\", line 3 in acquire\n  File \"/tmp/x.py\", line 8 in one\n",
    "python3: Objects/listobject.c:407: list_get: Assertion `i < n' failed.\n./Include/object.h:9: Py_INCREF: Assertion failed: object at §0 has negative ref count\n\
     mimalloc: assertion failed: at \"Objects/mimalloc/page.c\":12, mi_page_free\nfree(): invalid pointer: §1 ***\nDebug memory block at address p=§2: API 'o'\n",
    "thread '<unnamed>' panicked at /home/u/.cargo/registry/src/index-1/rustpython-vm-0.6.0/src/bytes_inner.rs:310:9:\nno object at §0 of process §4\nstack backtrace:\n   \
     0: std::panicking::begin\n             at /rustc/59/library/std/src/panicking.rs:833:13\n   1: next\n             at /h/src/rustpython-vm-0.5.0/src/stdlib/itertools.rs:281:22\n",
    "WARNING: ThreadSanitizer: data race (pid=§4)\n  Write of size 8 at §0 by thread T2:\n    #0 §1 in grow a.c:1:2\n\n  Previous read of size 8 at §0 by main thread:\n    \
     #0 look b.c:1:2 (py+§2)\n\nSUMMARY: ThreadSanitizer: data race a.c:1 in grow\n==§4==ERROR: AddressSanitizer: heap-use-after-free on address §3 at pc §0 bp §1 sp §2\n",
];

const WORDS: [&str; 26] = [
    "§0",
    "§1",
    "§2",
    "§3",
    "§4",
    "\n",
    "\n#0  ",
    "\n#1  §0 in ",
    " (",
    ") at ",
    "m=",
    "self=",
    "Assertion",
    ": Assertion",
    "panicked at ",
    "a.rs:1:2:",
    "Fatal Python error:",
    "Thread ",
    "@holds ",
    "@owner ",
    "  File \"",
    "\", line ",
    " in ",
    "mimalloc: ",
    "é",
    "\u{0}",
];

/// The text of one run: placeholders become this run's addresses and process ids.
fn in_run(text: &str, addresses: &[u64; 4], pids: &[u32; 2]) -> String {
    // A source line's number is no process id, whatever it looks like.
    let joins = |c: char| c.is_alphanumeric() || c == ':';
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '§' {
            out.push(c);
            continue;
        }
        let n = chars
            .next_if(char::is_ascii_digit)
            .map_or(0, |d| d as usize - '0' as usize);
        // A word of its own, as everybody prints them.
        if out.ends_with(joins) {
            out.push(' ');
        }
        match n {
            0..=3 => out += &format!("{:#x}", addresses[n]),
            _ => out += &pids[n % 2].to_string(),
        }
        if chars.peek().is_some_and(|c| joins(*c)) {
            out.push(' ');
        }
    }
    out
}

/// All that a verdict, an identity or a report takes from such a text.
fn told(text: &str, end: End) -> Vec<String> {
    let outcome = |hang, stderr: &str| Outcome {
        end,
        stdout: Vec::new(),
        complete_line: true,
        stderr: stderr.to_owned(),
        hang,
        orphans: 0,
    };
    let autopsy = Autopsy {
        running: 1,
        sleeping: 2,
        timed: 0,
        backtrace: text.to_owned(),
    };
    let mut told: Vec<String> = [panic(text), fatal(text), assertion(text), last_words(text)]
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    told.push(hang(&autopsy, text));
    told.extend(panic_frames(text));
    told.extend(frames(text));
    told.extend(of_end(&outcome(Some(autopsy), text), false).map(|v| v.detail));
    told.push(mask(&waits::summary(&waits::read(text, text))));
    let reports = sanitizer::parse(text);
    told.extend(reports.iter().map(Report::signature));
    told.extend(reports.into_iter().map(|r| r.detail));
    told
}

/// The same failure in two runs, with other addresses and process ids, is told in the same words.
/// What was masked once is not changed by masking it again.
///
/// # Panics
/// When one of these does not hold.
pub fn words(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    let end = [End::Signal(6), End::Hang, End::Exit(134)][choices.below(3)];
    let mut run = || {
        let first = choices.below(60_000) as u64;
        // Distinct, as those of distinct things are.
        let addresses = [0, 1, 2, 3].map(|n| 0x7f00_0000_0000 + (first * 4 + n) * 0x1010);
        let pid = 10_000 + choices.below(50_000) as u32;
        (addresses, [pid, pid + 1])
    };
    let (one, other) = (run(), run());
    let text = edited(choices.0, &TEXTS, &WORDS);
    let texts = [one, other].map(|(addresses, pids)| in_run(&text, &addresses, &pids));
    assert_eq!(told(&texts[0], end), told(&texts[1], end), "{}", texts[0]);
    let masked = mask(&texts[0]);
    assert_eq!(mask(&masked), masked);
}
