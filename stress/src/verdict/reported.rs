//! Verdicts from sanitizers' reports, each on the scenario that ran when it was printed.
//!
//! Reports go to stderr and records to stdout, so on a sanitizer's build the harness marks on
//! stderr where each scenario and phase begins. It does so while no other thread runs, so a mark
//! never stands inside a report.

use super::Verdict;
use super::sanitizer::{self, Report, Tool};
use crate::vm::child::{End, Outcome};
use crate::vm::job::Log;
use crate::vm::sanitizers::EXIT;

/// What stands before a mark of the harness.
const MARK: &str = "@threadbare\t";

/// A verdict and the scenario's number in its job; `None`: before the first one began.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The scenario.
    pub scenario: Option<usize>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One verdict for each signature and scenario, counted. Two accesses are never the doing of one
/// thread, whatever the phase; other reports may be.
pub fn of_log(log: &Log) -> Vec<Reported> {
    let mut all: Vec<Reported> = Vec::new();
    for (scenario, phase, report) in reports(log.stderr()) {
        // What the process could not print to its end has no reliable signature.
        if report.is_race() && !report.complete {
            continue;
        }
        let signature = report.signature();
        let same = |r: &&mut Reported| r.scenario == scenario && r.verdict.detail == signature;
        if let Some(old) = all.iter_mut().find(same) {
            old.verdict.count += 1;
            continue;
        }
        let race = report.is_race();
        all.push(Reported {
            scenario,
            verdict: Verdict {
                alone: !race && matches!(phase.as_str(), "" | "alone" | "seq"),
                ..Verdict::of_report(report)
            },
        });
    }
    all
}

/// All reports with the scenario and the phase in which they were printed.
pub fn reports(stderr: &str) -> Vec<(Option<usize>, String, Report)> {
    let mut found = Vec::new();
    let (mut scenario, mut phase) = (None, String::new());
    for (i, piece) in stderr.split(MARK).enumerate() {
        let mut text = piece;
        if i > 0 {
            let (mark, rest) = piece.split_once('\n').unwrap_or((piece, ""));
            match mark.split('\t').collect::<Vec<_>>().as_slice() {
                ["B", id] => (scenario, phase) = (id.parse().ok(), String::new()),
                ["P", _, name] => (*name).clone_into(&mut phase),
                _ => {}
            }
            text = rest;
        }
        let reports = sanitizer::parse(text);
        found.extend(reports.into_iter().map(|r| (scenario, phase.clone(), r)));
    }
    found
}

/// Whether a report tells all about the end of a process: it ended by itself with the code that
/// we asked the sanitizer for, or the sanitizer ended it.
pub(super) fn explains_end(outcome: &Outcome, finished: bool) -> bool {
    let reports = sanitizer::parse(&outcome.stderr);
    match outcome.end {
        End::Exit(code) if finished => code == EXIT && !reports.is_empty(),
        End::Exit(code) if code != 0 => reports.iter().any(ends_process),
        End::Signal(_) => reports.iter().any(ends_process),
        _ => false,
    }
}

/// The report with which a sanitizer ended a process, whatever code it left with.
pub fn ending(outcome: &Outcome) -> Option<Report> {
    let by_itself = matches!(outcome.end, End::Exit(_) | End::Signal(_));
    let mut reports = sanitizer::parse(&outcome.stderr).into_iter();
    reports.find(|r| by_itself && ends_process(r))
}

/// Whether the tool ends the process with such a report.
fn ends_process(report: &Report) -> bool {
    match report.tool {
        Tool::Address | Tool::Memory => true,
        // Its own handler of deadly signals.
        Tool::Thread => ["SEGV", "BUS", "FPE", "ILL", "ABRT", "stack-overflow"]
            .iter()
            .any(|s| report.what.starts_with(s)),
        Tool::Leak | Tool::Undefined => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Kind;

    fn log(stderr: &str, end: End, finished: bool) -> Log {
        Log {
            finished,
            outcome: Some(Outcome {
                end,
                stdout: Vec::new(),
                complete_line: true,
                stderr: stderr.to_owned(),
                hang: None,
                orphans: 0,
            }),
            ..Log::default()
        }
    }

    const RACE: &str = "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b0400000000 by thread T2:\n    #0 grow a.c:1:2 (py+0x1)\n\n  \
                        Previous read of size 8 at 0x7b0400000000 by main thread:\n    #0 look b.c:1:2 (py+0x1)\n\nSUMMARY: ThreadSanitizer: data race a.c:1 in grow\n";

    #[test]
    fn reports_belong_to_the_scenario_that_ran() {
        let text = format!(
            "@threadbare\tB\t0\n@threadbare\tB\t3\n@threadbare\tP\t3\tslot\nwords\n{RACE}{RACE}@threadbare\tB\t4\n{RACE}"
        );
        let found = of_log(&log(&text, End::Exit(EXIT), true));
        let told: Vec<_> = found
            .iter()
            .map(|r| (r.scenario, r.verdict.kind, r.verdict.count))
            .collect();
        assert_eq!(
            told,
            [(Some(3), Kind::DataRace, 2), (Some(4), Kind::DataRace, 1)]
        );
        assert_eq!(
            found[0].verdict.detail,
            "data race: grow (a.c) ‖ look (b.c)"
        );
    }

    #[test]
    fn a_report_explains_the_end_only_where_the_tool_made_it() {
        let of = |text: &str, end, finished| {
            super::super::of_process(&log(text, end, finished)).map(|v| v.kind)
        };
        assert_eq!(of(RACE, End::Exit(EXIT), true), None);
        assert_eq!(
            of("", End::Exit(EXIT), true),
            Some(Kind::ShutdownCrash),
            "the code without a report"
        );
        assert_eq!(
            of(RACE, End::Signal(11), false),
            Some(Kind::Crash),
            "a race does not explain a signal"
        );
        let address = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1 bp 0x2 sp 0x3\n";
        assert_eq!(of(address, End::Exit(1), false), None);
        assert_eq!(of(address, End::Exit(0), true), None);
    }
}
