//! Which line of Python a thread runs: told by the trace itself.
//!
//! Before each bytecode the interpreter stores the bytecode's address in its frame (`frame->instr_ptr`, CPython 3.13's
//! `generated_cases.c.h`), which is an event like any other write. Where the bytecode of each function lies, and of
//! which lines it is, `harness/control.py` tells after the last run, so that no run takes a step for it. Of a
//! bytecode that a run itself has compiled, and of CPython 3.14's copies for each thread, nothing is known.

use crate::block::{Event, Kind};
use std::collections::BTreeMap;

/// A line of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file, without its folder, or the name that the text was compiled with.
    pub file: String,
    /// From 1.
    pub number: u32,
    /// The function.
    pub function: String,
    /// What stands there; empty where it is not known.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.number)
    }
}

/// The bytecode of a function.
#[derive(Clone, Debug)]
struct Code {
    size: u64,
    file: String,
    function: String,
    /// From which offset on it is of which line, ascending.
    lines: Vec<(u64, u32)>,
}

/// Lines by the addresses of their bytecode.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    codes: BTreeMap<u64, Code>,
    texts: BTreeMap<(String, u32), String>,
}

impl Lines {
    /// Reads what the harness tells; what is no such line is left out.
    pub fn parse(text: &str) -> Self {
        let mut lines = Self::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                ["code", start, size, file, function, table] => {
                    let (Ok(start), Ok(size)) = (u64::from_str_radix(start, 16), size.parse())
                    else {
                        continue;
                    };
                    let pair = |entry: &str| {
                        let (offset, line) = entry.split_once(':')?;
                        Some((offset.parse().ok()?, line.parse().ok()?))
                    };
                    let code = Code {
                        size,
                        file: file.rsplit('/').next().unwrap_or(file).to_owned(),
                        function: (*function).to_owned(),
                        lines: table.split(' ').filter_map(pair).collect(),
                    };
                    lines.codes.insert(start, code);
                }
                ["line", file, number, text @ ..] => {
                    if let Ok(number) = number.parse() {
                        let key = ((*file).to_owned(), number);
                        lines.texts.insert(key, text.join("\t").trim().to_owned());
                    }
                }
                _ => {}
            }
        }
        lines
    }

    /// The line of a bytecode.
    pub fn at(&self, address: u64) -> Option<Line> {
        let (start, code) = self.codes.range(..=address).next_back()?;
        let offset = address - start;
        if offset >= code.size {
            return None;
        }
        let entry = code.lines.iter().rev().find(|(from, _)| *from <= offset)?;
        let key = (code.file.clone(), entry.1);
        let text = self.texts.get(&key).cloned().unwrap_or_default();
        Some(Line {
            file: key.0,
            number: key.1,
            function: code.function.clone(),
            text,
        })
    }

    /// The line that an event begins to run, if it is the store that says so.
    pub fn begins(&self, event: &Event) -> Option<Line> {
        match event.kind == Kind::Write as u16 && event.size == 8 {
            true => self.at(event.after),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "line\ta.py\t7\t    next(o)\ncode\t1000\t16\t/x/a.py\tf.<locals>.g\t0:6 4:7 12:8\nnoise\ncode\tz\t1\ta\tb\t\n";

    #[test]
    fn a_bytecode_has_the_line_that_its_offset_is_of() {
        let lines = Lines::parse(TOLD);
        assert_eq!(lines.at(0xfff), None);
        assert_eq!(lines.at(0x1010), None);
        let line = lines.at(0x100a).expect("a line");
        assert_eq!(
            (
                line.to_string().as_str(),
                line.function.as_str(),
                line.text.as_str()
            ),
            ("a.py:7", "f.<locals>.g", "next(o)")
        );
        let last = lines.at(0x100e).expect("a line");
        assert_eq!((last.number, last.text.as_str()), (8, ""));
    }

    #[test]
    fn only_a_store_of_a_bytecodes_address_begins_a_line() {
        let lines = Lines::parse(TOLD);
        let store = Event {
            pc: 1,
            address: 64,
            before: 0x1004,
            after: 0x1000,
            thread: 0,
            kind: Kind::Write as u16,
            size: 8,
        };
        assert_eq!(lines.begins(&store).map(|line| line.number), Some(6));
        let read = Event {
            kind: Kind::Read as u16,
            ..store
        };
        assert_eq!(lines.begins(&read), None);
        assert_eq!(lines.begins(&Event { size: 4, ..store }), None);
    }
}
