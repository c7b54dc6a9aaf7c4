//! Target `sanitizer`: reports of sanitizers, read back.

use super::edit::edited;
use crate::choice::{Bytes, Choices};
use crate::verdict::sanitizer::{Report, parse};
use std::fmt::Write as _;

/// A frame that a target prints: function, file, and whether only its caller tells something.
const FRAMES: [(&str, &str, bool); 9] = [
    ("list_resize", "Objects/listobject.c", false),
    ("dict_get", "Objects/dictobject.c", false),
    ("set_add", "Objects/setobject.c", false),
    ("gen_send_ex2", "Objects/genobject.c", false),
    (
        "_Py_atomic_load_ptr",
        "Include/cpython/pyatomic_gcc.h",
        true,
    ),
    ("an_inlined_accessor", "Include/internal/x.h", true),
    ("Py_INCREF", "Include/object.h", true),
    ("memcpy", "", true),
    ("free", "", true),
];

/// One side of a race: frames by number, innermost first.
type Side = Vec<usize>;

/// How a report is printed: what differs from run to run and from tool to tool, and tells nothing.
#[derive(Clone, Copy)]
struct Style {
    gcc: bool,
    line: usize,
    address: usize,
    foreign: bool,
}

fn side(out: &mut String, head: &str, frames: &Side, style: Style) {
    let _ = writeln!(
        out,
        "  {head} of size 8 at 0x7b04{:08x} by thread T{}:",
        style.address,
        1 + style.address % 7
    );
    for (n, &f) in frames.iter().enumerate() {
        let (function, file, _) = FRAMES[f];
        if style.foreign && n == 1 {
            out.push_str("words of another thread\n");
        }
        let line = style.line + n;
        let _ = match (file, style.gcc) {
            ("", _) => writeln!(
                out,
                "    #{n} {function} <null> (python3.13t+0x{:x})",
                style.address
            ),
            (_, true) => writeln!(
                out,
                "    #{n} {function} /build/cpython-3.13.5/./{file}:{line} (python3.13t+0x{:x})",
                style.address
            ),
            (_, false) => {
                writeln!(
                    out,
                    "    #{n} {function} cpython-3.13.5/{file}:{line}:5 (python3.13t+0x{:x}) (BuildId: 11aa)",
                    style.address
                )
            }
        };
    }
    out.push('\n');
}

fn race(sides: [&Side; 2], style: Style) -> String {
    let mut out = format!(
        "==================\nWARNING: ThreadSanitizer: data race (pid={})\n",
        10_000 + style.address
    );
    side(&mut out, "Write", sides[0], style);
    side(&mut out, "Previous read", sides[1], style);
    let _ = writeln!(
        out,
        "SUMMARY: ThreadSanitizer: data race x.c:{} in f\n==================",
        style.line
    );
    out
}

/// The function that a reader of a stack looks for.
fn telling(frames: &Side) -> String {
    let first = frames.iter().find(|&&f| !FRAMES[f].2).or(frames.first());
    first.map_or("?".to_owned(), |&f| match FRAMES[f] {
        // What is not compiled from a file is the module's.
        (function, "", _) => format!("{function} (python3.13t)"),
        (function, file, _) => format!("{function} ({file})"),
    })
}

/// Whether a report may be the beginning of another.
fn begins(cut: &Report, whole: &Report) -> bool {
    let mut stacks = cut.stacks.iter().zip(&whole.stacks);
    cut.tool == whole.tool
        && cut.stacks.len() <= whole.stacks.len()
        && stacks.all(|(c, w)| c.role == w.role && c.frames.len() <= w.frames.len())
}

const TEXTS: [&str; 3] = [
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1 bp 0x2 sp 0x3\nREAD of size 8 at 0x602000000010 thread T1\n    \
     #0 0x55aa in list_resize /b/Objects/listobject.c:99\nfreed by thread T2 here:\n    #0 0x55ab in free (/lib/libasan.so+0x1)\n    #1 0x55ac in f a.c\n\
     SUMMARY: AddressSanitizer: heap-use-after-free a.c:1 in f\n",
    "a.c:5:41: runtime error: signed integer overflow: 1 + 2147483647 cannot be represented in type 'int'\n    #0 0x1 in <alloc::vec::Vec<T> as core::ops::drop::Drop>::drop::h0123456789abcdef src/a.rs:1:2\n",
    "==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 8 byte(s) in 1 object(s) allocated from:\n    #0 0x1 in malloc (/lib/libasan.so+0x1)\n\
     Indirect leak of 8 byte(s) in 1 object(s) allocated from:\n    #0 0x1 in g b.c:1\nSUMMARY: AddressSanitizer: 8 byte(s) leaked\n",
];

const WORDS: [&str; 20] = [
    "\n",
    " ",
    "    #0 ",
    "    #99999 ",
    "0x",
    "<null>",
    "(",
    ")",
    "+0x",
    ":",
    "/",
    "./",
    "::h",
    "<",
    ">",
    "operator()",
    "SUMMARY: x: ",
    "ERROR: ThreadSanitizer: ",
    "é",
    "\u{0}",
];

/// Reports → text → reports. Printed in either compiler's form, with other addresses and lines, with
/// another thread's words in between and with the sides swapped, a race has one signature: the first
/// telling function of each side. A cut text holds the beginnings of the same reports. Any other text
/// is read without a panic, and what it is read as does not depend on what follows.
///
/// # Panics
/// When one of these does not hold.
pub fn sanitizer(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    if choices.one_in(3) {
        let text = edited(choices.0, &TEXTS, &WORDS);
        let reports = parse(&text);
        for report in &reports {
            assert_eq!(report.tops(), report.tops());
            assert!(report.text(3).starts_with(&report.detail));
            assert!(!report.signature().is_empty());
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let cut = lines[..lines.len() / 2].concat();
        cut_is_a_beginning(&parse(&cut), &reports, &cut);
        return;
    }
    let mut stack = || -> Side {
        (0..1 + choices.below(5))
            .map(|_| choices.below(FRAMES.len()))
            .collect()
    };
    let races: Vec<[Side; 2]> = (0..3).map(|_| [stack(), stack()]).collect();
    let mut style = |foreign| Style {
        gcc: choices.one_in(2),
        line: 1 + choices.below(5000),
        address: 1 + choices.below(60_000),
        foreign,
    };
    let (one, other) = (style(false), style(true));
    let print = |style, swapped: bool| -> String {
        let sides = |[a, b]: &[Side; 2]| race(if swapped { [b, a] } else { [a, b] }, style);
        races.iter().map(sides).collect()
    };
    let text = print(one, false);
    let whole = parse(&text);
    assert_eq!(whole.len(), races.len(), "{text}");
    for ([a, b], report) in races.iter().zip(&whole) {
        let mut tops = [telling(a), telling(b)];
        tops.sort();
        assert_eq!(
            report.signature(),
            format!("data race: {}", tops.join(" ‖ ")),
            "{text}"
        );
        assert!(report.complete && report.is_race());
        assert_eq!(
            report
                .stacks
                .iter()
                .map(|s| s.frames.len())
                .collect::<Vec<_>>(),
            [a.len(), b.len()]
        );
    }
    let signatures = |reports: &[Report]| reports.iter().map(Report::signature).collect::<Vec<_>>();
    let again = parse(&print(other, true));
    assert_eq!(signatures(&again), signatures(&whole), "{text}");
    let cut: String = text.chars().take(choices.below(text.len())).collect();
    cut_is_a_beginning(&parse(&cut), &whole, &cut);
}

fn cut_is_a_beginning(cut: &[Report], whole: &[Report], text: &str) {
    assert!(cut.len() <= whole.len(), "{text}");
    if let Some((last, before)) = cut.split_last() {
        assert_eq!(before, &whole[..before.len()], "{text}");
        assert!(begins(last, &whole[before.len()]), "{last:?} in {text}");
    }
}
