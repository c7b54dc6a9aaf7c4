//! Reports of sanitizers in a VM's raw output: all of them, each with its stacks.
//!
//! The forms are those of LLVM's compiler-rt (`tsan/rtl/tsan_report.cpp`, `asan/asan_errors.cpp`,
//! `ubsan/ubsan_diag.cpp`), which gcc's runtimes share. A report's lines are known by their own
//! form, so whatever else the VM prints between them does not matter, and a report that ends in
//! the middle, because the process was killed, is still one.

mod frame;
mod function;
mod line;
pub mod suppress;

pub use frame::Frame;
use line::Line;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Frames kept of a stack: recursion must not fill a finding.
const MOST_FRAMES: usize = 40;

/// Reports read from one output; a process that prints more tells nothing new.
const MOST_REPORTS: usize = 2000;

/// Which sanitizer reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// ThreadSanitizer.
    Thread,
    /// AddressSanitizer.
    Address,
    /// LeakSanitizer, usually part of the former.
    Leak,
    /// MemorySanitizer.
    Memory,
    /// UndefinedBehaviorSanitizer.
    Undefined,
}

/// What a stack of a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The access, or the place that failed.
    Access,
    /// The other access of a data race.
    Previous,
    /// Where the memory came from.
    Allocated,
    /// Where it was freed.
    Freed,
    /// Where a thread was created.
    Created,
    /// Where a lock was taken while another was held.
    Acquired,
    /// Anything else.
    Other,
}

/// A stack of a report, innermost frame first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stack {
    /// What it shows.
    pub role: Role,
    /// The line above it, addresses masked: `Write of size 8 at 0x… by thread T2`.
    pub head: String,
    /// Frames.
    pub frames: Vec<Frame>,
}

impl Stack {
    /// The innermost frame that is no helper; the innermost of all when there is no other.
    pub fn top(&self) -> Option<&Frame> {
        let named = || self.frames.iter().find(|f| !f.function.is_empty());
        self.frames.iter().find(|f| !f.is_helper()).or_else(named)
    }
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Which sanitizer.
    pub tool: Tool,
    /// Kind in the tool's words: `data race`, `heap-use-after-free`, `signed integer overflow`.
    pub what: String,
    /// The first line, addresses masked.
    pub detail: String,
    /// Stacks in the order printed.
    pub stacks: Vec<Stack>,
    /// What the tool says of the memory.
    pub notes: Vec<String>,
    /// Whether its end was seen; false when the process was killed while it printed.
    pub complete: bool,
}

impl Report {
    fn new(tool: Tool, what: String, detail: String) -> Self {
        Self {
            tool,
            what,
            detail,
            stacks: Vec::new(),
            notes: Vec::new(),
            // One line is all that this one prints without options.
            complete: tool == Tool::Undefined,
        }
    }

    /// Whether it is two unordered accesses, and nothing worse.
    pub fn is_race(&self) -> bool {
        self.tool == Tool::Thread && self.what.starts_with("data race")
    }

    /// The stacks that tell this report from others: both accesses of a race, access and free,
    /// the two lock acquisitions, else the first one.
    pub fn sides(&self) -> Vec<&Stack> {
        let of = |roles: &[Role]| -> Vec<&Stack> {
            self.stacks
                .iter()
                .filter(|s| roles.contains(&s.role))
                .collect()
        };
        let acquired = of(&[Role::Acquired]);
        if !acquired.is_empty() {
            return acquired;
        }
        let mut sides = of(&[Role::Access, Role::Previous]);
        if self.what.contains("use-after-free") || self.what == "double-free" {
            sides.extend(of(&[Role::Freed]));
        }
        if sides.is_empty() {
            sides.extend(self.stacks.first());
        }
        sides
    }

    /// Top frames of the sides, sorted: which thread came first is chance. A side whose stack the
    /// tool no longer had is `?`.
    pub fn tops(&self) -> Vec<String> {
        let top = |s: &&Stack| s.top().map_or_else(|| "?".to_owned(), Frame::place);
        let mut tops: Vec<String> = self.sides().iter().map(top).collect();
        if self.is_race() {
            tops.resize(2, "?".to_owned());
        }
        tops.sort();
        tops
    }

    /// Kind and the sides' top frames, without lines and addresses: `data race: a (x.c) ‖ b (y.c)`.
    pub fn signature(&self) -> String {
        let tops = self.tops();
        if tops.is_empty() && self.tool == Tool::Undefined {
            // Printed without a stack: only the line tells one place from another.
            let place = self.detail.split(": ").next().unwrap_or("");
            let line = place.rsplit_once(':').map_or(place, |(line, _)| line);
            return format!("{}: {line}", self.what);
        }
        if tops.is_empty() {
            return self.what.clone();
        }
        format!("{}: {}", self.what, tops.join(" ‖ "))
    }

    /// The whole report as text, `most` frames a stack.
    pub fn text(&self, most: usize) -> String {
        let mut out = format!("{}\n", self.detail);
        for stack in &self.stacks {
            let _ = writeln!(out, "  {}", stack.head);
            for frame in stack.frames.iter().take(most) {
                let _ = writeln!(out, "    {frame}");
            }
            if stack.frames.len() > most {
                out += "    …\n";
            }
        }
        for note in &self.notes {
            let _ = writeln!(out, "  {note}");
        }
        if !self.complete {
            out += "  (cut off: the process was killed while it printed)\n";
        }
        out
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Head { role, text } => self.stacks.push(Stack {
                role,
                head: text,
                frames: Vec::new(),
            }),
            Line::Frame(number, frame) => {
                if self.stacks.is_empty() {
                    self.stacks.push(Stack {
                        role: Role::Access,
                        head: self.what.clone(),
                        frames: Vec::new(),
                    });
                }
                let stack = self.stacks.last_mut().expect("one was pushed");
                // A number out of order belongs to somebody else's stack.
                if number >= stack.frames.len() && stack.frames.len() < MOST_FRAMES {
                    stack.frames.push(frame);
                }
            }
            Line::Note(text) => self.notes.push(text),
            Line::Start { .. } | Line::Leak { .. } | Line::End | Line::Other => {}
        }
    }
}

/// All reports in raw output, in the order printed.
pub fn parse(raw: &str) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    let mut open = false;
    for line in raw.lines() {
        match Line::read(line, open) {
            Line::Start { tool, what, detail } => {
                if reports.len() == MOST_REPORTS {
                    break;
                }
                reports.push(Report::new(tool, what, detail));
                open = true;
            }
            Line::Leak { what } => {
                let room = reports.len() < MOST_REPORTS;
                match reports.last_mut() {
                    // The first record belongs to the line that announces them all.
                    Some(last) if open && last.tool == Tool::Leak && last.stacks.is_empty() => {
                        last.what = what;
                    }
                    Some(last) if last.tool == Tool::Leak && room => {
                        last.complete = true;
                        reports.push(Report::new(Tool::Leak, what.clone(), what));
                    }
                    _ => continue,
                }
                if let Some(last) = reports.last_mut() {
                    last.take(Line::Head {
                        role: Role::Allocated,
                        text: "allocated".to_owned(),
                    });
                }
            }
            Line::End => {
                if let Some(last) = reports.last_mut() {
                    last.complete = true;
                }
                open = false;
            }
            line => {
                if let Some(last) = reports.last_mut() {
                    last.take(line);
                }
            }
        }
    }
    reports
}
