//! The operations in flight: which operation of the scenario each thread was in as the VM died.
//!
//! CPython's faulthandler prints, with no debugger, the line that every thread was in. The lines of
//! a job and of a script are known, since we write both, so a line names an operation. The thread
//! that died is exact; the others ran on while the dump was printed, so theirs are hints.

use std::collections::HashMap;
use std::ops::RangeInclusive;

/// An operation of a scenario: thread, position in it.
pub type Position = (usize, usize);

/// Which lines of a program belong to which operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    spans: Vec<(String, RangeInclusive<usize>, Position)>,
}

/// Where the threads were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// The operation of the thread that died; `None`: it was in none, or the VM does not tell.
    pub at: Option<Position>,
    /// The operations of the other threads, in order of the dump.
    pub beside: Vec<Position>,
}

impl Lines {
    /// Of a job's scenario or of a script. Threads are the functions `_T0`, `_M0`, `_F0`, `_U0`
    /// (jobs) and `thread0` (scripts), whose operations stand in `try` blocks one after another;
    /// single operations are `_B0_1` and `op0_1`.
    pub fn of(source: &str) -> Self {
        let mut lines = Self::default();
        let mut function: Option<(String, usize, Option<usize>)> = None;
        let (mut calls, mut first) = (0, None);
        for (number, line) in source.lines().enumerate().map(|(i, l)| (i + 1, l)) {
            if !line.starts_with([' ', '\t']) && !line.is_empty() {
                let name = line.strip_prefix("def ").and_then(|r| r.split('(').next());
                function = name.and_then(|name| {
                    let (thread, call) = named(name)?;
                    Some((name.to_owned(), thread, call))
                });
                (calls, first) = (0, None);
                continue;
            }
            let Some((name, thread, call)) = &function else {
                continue;
            };
            if let Some(call) = call {
                lines
                    .spans
                    .push((name.clone(), number..=number, (*thread, *call)));
            } else if line == "        try:" {
                first = Some(number);
            } else if line.starts_with("        except ")
                && let Some(from) = first.take()
            {
                lines
                    .spans
                    .push((name.clone(), from..=number - 1, (*thread, calls)));
                calls += 1;
            }
        }
        lines
    }

    fn at(&self, function: &str, line: usize) -> Option<Position> {
        let span = |(name, lines, _): &&(String, RangeInclusive<usize>, Position)| {
            name == function && lines.contains(&line)
        };
        self.spans.iter().find(span).map(|(_, _, at)| *at)
    }
}

/// Thread and, for a function of one operation, its position.
fn named(function: &str) -> Option<(usize, Option<usize>)> {
    for prefix in ["_B", "op"] {
        if let Some((t, j)) = function
            .strip_prefix(prefix)
            .and_then(|r| r.split_once('_'))
        {
            return Some((t.parse().ok()?, Some(j.parse().ok()?)));
        }
    }
    let prefixes = ["_T", "_M", "_F", "_U", "thread"];
    let number = prefixes.iter().find_map(|p| function.strip_prefix(p))?;
    Some((number.parse().ok()?, None))
}

/// Reads the first dump of faulthandler in what a process printed.
pub fn read(stderr: &str, lines: &Lines) -> InFlight {
    let mut found = InFlight::default();
    let mut threads: HashMap<&str, Option<Position>> = HashMap::new();
    let mut now: Option<(&str, bool)> = None;
    for line in stderr.lines() {
        if let Some(rest) = line
            .strip_prefix("Current thread 0x")
            .or_else(|| line.strip_prefix("Thread 0x"))
        {
            let address = rest.split([' ', ':']).next().unwrap_or("");
            // Two threads that die at once print a dump each.
            let known = threads.insert(address, None).is_some();
            now = (!known).then_some((address, line.starts_with("Current")));
            continue;
        }
        let Some((_, current)) = now else { continue };
        let Some(at) = frame(line).and_then(|(name, number)| lines.at(name, number)) else {
            continue;
        };
        // The innermost frame that is an operation; what it called lies before it.
        now = None;
        if current {
            found.at = Some(at);
        } else {
            found.beside.push(at);
        }
    }
    found
}

/// `  File "<string>", line 8 in _U0`
fn frame(line: &str) -> Option<(&str, usize)> {
    let rest = line.strip_prefix("  File \"")?;
    let (_, rest) = rest.split_once("\", line ")?;
    let (number, name) = rest.split_once(" in ")?;
    Some((name.trim(), number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "def MK():\n    return []\ndef _B0_0(o):\n    return o.pop()\ndef _U0(_S, _n):\n    for _i in range(1, _n):\n        o = _S[0]\n        \
                          try:\n            o.append(1)\n        except StopIteration:\n            _S[0] = MK()\n        except BaseException as _e:\n            pass\n        \
                          try:\n            o.pop()\n        except BaseException as _e:\n            pass\n        if not _i:\n            _S[0] = MK()\n";

    #[test]
    fn a_line_names_its_operation_and_only_in_its_function() {
        let lines = Lines::of(SOURCE);
        assert_eq!(lines.at("_B0_0", 4), Some((0, 0)));
        assert_eq!(lines.at("_U0", 9), Some((0, 0)));
        assert_eq!(lines.at("_U0", 15), Some((0, 1)));
        assert_eq!(lines.at("_U0", 11), None, "replacing the object is none");
        assert_eq!(lines.at("_U1", 9), None);
        assert_eq!(lines.at("MK", 2), None);
    }

    #[test]
    fn the_dying_thread_is_told_from_the_others() {
        let dump = "Fatal Python error: Segmentation fault\n\nThread 0x00a1 (most recent call first):\n  File \"<string>\", line 9 in _U0\n  \
                    File \"/lib/threading.py\", line 994 in run\n\nCurrent thread 0x00a2 (most recent call first):\n  File \"<string>\", line 2 in __eq__\n  \
                    File \"<string>\", line 15 in _U0\n\nThread 0x00a2 (most recent call first):\n  File \"<string>\", line 9 in _U0\n";
        let got = read(dump, &Lines::of(SOURCE));
        assert_eq!(got.at, Some((0, 1)));
        assert_eq!(got.beside, [(0, 0)], "a second dump adds nothing");
        assert_eq!(
            read("Segmentation fault", &Lines::of(SOURCE)),
            InFlight::default()
        );
    }
}
