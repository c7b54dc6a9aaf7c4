//! Jobs: the harness with its work appended, run as one file by one process of a VM.

use super::child::{self, End, Limits, Outcome};
use super::words::{panic, signal_name};
use super::{Vm, VmError};
use crate::history::History;
use std::collections::BTreeMap;
use std::io::Write;

/// What one process said.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Facts by key.
    pub facts: BTreeMap<String, String>,
    /// Support of modules, set-ups and operations: name, `ok` or the reason.
    pub support: Vec<(String, String)>,
    /// Scenarios in the order they began.
    pub histories: Vec<History>,
    /// Name of the part of a probe that began last.
    pub last_begun: Option<String>,
    /// Whether all work was done; what happened later happened in interpreter shutdown.
    pub finished: bool,
    /// How the process ended and what it wrote to stderr.
    pub outcome: Option<Outcome>,
    /// A debugger's text on its core, where there was one; else empty.
    pub backtrace: String,
}

impl Log {
    /// Reads the harness's records; lines of other origin are ignored.
    pub fn parse(outcome: Outcome) -> Self {
        let mut log = Self::default();
        let whole = if outcome.complete_line {
            outcome.stdout.len()
        } else {
            outcome.stdout.len().saturating_sub(1)
        };
        for line in &outcome.stdout[..whole] {
            log.record(line);
        }
        log.outcome = Some(outcome);
        log
    }

    fn record(&mut self, line: &str) {
        let fields: Vec<String> = line.split('\t').map(unescape).collect();
        let texts: Vec<&str> = fields.iter().map(String::as_str).collect();
        match texts.as_slice() {
            ["I", key, value] => {
                self.facts.insert((*key).to_owned(), (*value).to_owned());
            }
            ["U", what, how] => self.support.push(((*what).to_owned(), (*how).to_owned())),
            ["X"] => self.finished = true,
            ["B", id] => {
                self.last_begun = Some((*id).to_owned());
                if let Ok(id) = id.parse() {
                    self.histories.push(History::new(id));
                }
            }
            [letter, id, rest @ ..] => {
                if let (Ok(id), Some(history)) = (id.parse::<usize>(), self.histories.last_mut())
                    && history.id == id
                {
                    history.record(letter, rest);
                }
            }
            _ => {}
        }
    }

    /// The end of the process.
    pub fn end(&self) -> End {
        self.outcome.as_ref().map_or(End::Exit(0), |o| o.end)
    }

    /// stderr of the process.
    pub fn stderr(&self) -> &str {
        self.outcome.as_ref().map_or("", |o| &o.stderr)
    }

    /// One line for an error message.
    pub fn how_it_ended(&self) -> String {
        let end = match self.end() {
            End::Exit(code) => format!("it exited with code {code}"),
            End::Signal(signal) => format!("it died of {}", signal_name(signal)),
            End::Hang => "it did not answer in time".to_owned(),
            End::Memory => "it used more memory than allowed".to_owned(),
            End::Flood => "it printed without end".to_owned(),
            End::Interrupted => "it was interrupted".to_owned(),
        };
        let panic = panic(self.stderr()).map(|p| format!("panicked at {p}"));
        let last = self.stderr().lines().rfind(|l| !l.trim().is_empty());
        let said = panic.unwrap_or_else(|| last.unwrap_or("").trim().to_owned());
        if said.is_empty() {
            end
        } else {
            format!("{end}; its last words: {said}")
        }
    }
}

/// Undoes the harness's escapes.
pub fn unescape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('\\') => out.push('\\'),
            // Not the harness's: what it does not write must not become what it writes.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The file a job becomes: the harness and one line that calls it.
pub fn text(job: &str) -> String {
    format!("{}\n\nmain({job})\n", crate::HARNESS)
}

/// Runs a job on a VM.
pub fn run(vm: &Vm, job: &str, limits: Limits) -> Result<Log, VmError> {
    let limits = Limits {
        spread: !vm.facts.has_gil() && !limits.unbound,
        idle: limits.idle.or(Some(child::IDLE)),
        ..limits
    }
    .slowed(vm.facts.slowness());
    run_file(vm, &text(job), limits).map(Log::parse)
}

/// Runs Python text on a VM as a file of its own.
pub fn run_file(vm: &Vm, text: &str, limits: Limits) -> Result<Outcome, VmError> {
    let mut file = tempfile::Builder::new()
        .prefix("threadbare-")
        .suffix(".py")
        .tempfile()
        .map_err(VmError::Temp)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(VmError::Temp)?;
    let mut command = vm.command(file.path());
    if !limits.debugger {
        // Looking up the symbols of a large VM takes longer than most races.
        command.env("RUST_BACKTRACE", "0");
    }
    vm.run(&mut command, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str], complete_line: bool) -> Log {
        Log::parse(Outcome {
            end: End::Exit(0),
            stdout: lines.iter().map(|l| (*l).to_owned()).collect(),
            complete_line,
            stderr: String::new(),
            hang: None,
            orphans: 0,
        })
    }

    #[test]
    fn half_a_line_is_no_record() {
        let lines = ["B\t0", "Q\t0\tNone | (1,)", "O\t0\t12\tNone | ("];
        assert_eq!(log(&lines, true).histories[0].outcomes.len(), 1);
        assert_eq!(log(&lines, false).histories[0].outcomes.len(), 0);
    }

    #[test]
    fn escapes_round_trip_and_foreign_lines_are_ignored() {
        let got = log(
            &[
                "hello",
                "B\t3",
                "O\t3\t1\ta\\tb\\\\n\\n",
                "O\t9\t1\tother",
                "X",
            ],
            true,
        );
        assert_eq!(got.histories[0].outcomes, [("a\tb\\n\n".to_owned(), 1)]);
        assert!(got.finished);
    }
}
