//! One finding as the report shows it.

use super::collect::Source;
use super::failures::Failure;
use super::pair::Counterexample;
use super::{Beside, MOST_CARDS, begun, date, folder, grouped};
use crate::campaign::learn::FIRST_MUTANT;
use crate::finding::Finding;
use crate::scenario::generate::Limits;
use crate::shell::word;
use crate::triage::marks::Mark;
use crate::triage::statement::Statements;
use crate::verdict::grade::Grade;
use crate::verdict::{Kind, OUT_OF_TIME};

/// Rows of an outcome table; the rest is counted.
const MOST_OUTCOMES: usize = 24;

/// Findings of other VMs that a card names; the rest is counted.
const MOST_ELSEWHERE: usize = 12;

/// Lines of a backtrace that the report shows; the file holds all.
const MOST_LINES: usize = 120;

/// A finding, ready for the template.
pub(super) struct Card {
    pub id: String,
    pub title: &'static str,
    pub kind: &'static str,
    pub subject: String,
    pub grade: String,
    /// CSS class of the grade.
    pub class: &'static str,
    pub severity: &'static str,
    /// Heading and text of each statement.
    pub statements: Vec<(&'static str, String)>,
    /// The interleaving of bytecodes that gives it, where one does.
    pub interleaving: Vec<String>,
    pub marks: Vec<String>,
    pub detail: String,
    pub seen: u64,
    pub minimised: bool,
    pub make: String,
    pub observe: String,
    /// Numbers of the threads.
    pub columns: Vec<usize>,
    /// Calls side by side, program order from top to bottom.
    pub rows: Vec<Vec<String>>,
    pub heads: Vec<String>,
    pub outcomes: Vec<Outcome>,
    pub frames: Vec<String>,
    /// The sanitizer's stacks: what each is, and its frames.
    pub stacks: Vec<(String, Vec<String>)>,
    /// The whole backtrace, where there is one.
    pub trace: Option<String>,
    /// The model's side of the fault, where a model has it.
    pub model: Option<Counterexample>,
    /// The hunts that saw it, of a report on many.
    pub history: Vec<Seen>,
    /// Findings that a mark takes for the same: id, link where there is one, VM.
    pub elsewhere: Vec<(String, Option<String>, String)>,
    /// How many more of them there are.
    pub more_elsewhere: usize,
    pub folder: String,
    /// Whether a schedule under control shows it.
    pub schedule: bool,
    pub hunt: String,
    pub script: String,
}

/// Where a finding is among the hunts of a report.
pub(super) struct In {
    id: String,
    folder: String,
    /// Largest scenario of its hunt: threads, operations.
    size: (usize, usize),
    seen: u64,
    history: Vec<Seen>,
    elsewhere: Vec<(String, Option<String>, String)>,
    more_elsewhere: usize,
}

/// A hunt that saw a finding.
pub(super) struct Seen {
    pub hunt: String,
    /// When it began, where it kept that.
    pub begun: String,
    pub vm: String,
    pub times: u64,
}

impl In {
    /// `one`: the report is of one hunt, which tells all of this by itself.
    pub fn new(failure: &Failure<'_>, all: &[Failure<'_>], sources: &[Source], one: bool) -> Self {
        let state = |n: usize| sources[n].state.as_ref();
        let usual = Limits::default();
        let seen = failure.seen.iter();
        let history = seen.map(|(&n, &times)| Seen {
            hunt: sources[n].name.clone(),
            begun: begun(&sources[n]).map_or_else(String::new, date),
            vm: state(n).map_or_else(String::new, |s| s.vm.clone()),
            times,
        });
        let elsewhere = failure.elsewhere.iter().take(MOST_ELSEWHERE).map(|&n| {
            let title = all[n].best.finding.facts.title();
            // Only what is shown in full can be gone to.
            let link = (n < MOST_CARDS).then(|| all[n].id.clone());
            (all[n].id.clone(), link, title)
        });
        Self {
            id: failure.id.clone(),
            folder: folder(failure.best, one),
            size: state(failure.source).map_or((usual.threads, usual.ops), |s| s.size),
            seen: failure
                .seen
                .values()
                .sum::<u64>()
                .max(failure.best.finding.seen),
            history: if one { Vec::new() } else { history.collect() },
            elsewhere: elsewhere.collect(),
            more_elsewhere: failure.elsewhere.len().saturating_sub(MOST_ELSEWHERE),
        }
    }
}

/// A row of the outcome table.
pub(super) struct Outcome {
    pub cells: Vec<String>,
    pub count: String,
    pub explained: bool,
}

impl Card {
    /// `room`: bytes of scripts that the file may still take.
    pub fn new(finding: &Finding, place: In, beside: Beside, room: &mut usize) -> Self {
        let scenario = &finding.scenario;
        let longest = scenario.threads.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |calls: &Vec<crate::scenario::Call>, i: usize| {
            calls.get(i).map_or_else(String::new, |c| c.code.clone())
        };
        let (heads, outcomes) = outcomes(finding);
        let script = finding.script_text();
        let script = if script.len() <= *room {
            *room -= script.len();
            script
        } else {
            format!(
                "left out to keep this file small; it is in {}",
                place.folder
            )
        };
        let trace = beside.trace.map(|text| cut(&text)).filter(|text| {
            let fits = text.len() <= *room;
            *room -= if fits { text.len() } else { 0 };
            fits
        });
        let statements = Statements::on(finding, beside.known);
        Self {
            title: title(finding),
            kind: finding.kind.name(),
            subject: finding.subject.clone(),
            grade: finding.grade.to_string(),
            class: class(finding.grade),
            severity: statements.severity.name(),
            statements: statements.lines(),
            interleaving: finding
                .bytecode
                .as_ref()
                .map_or_else(Vec::new, |b| b.interleaving.clone()),
            marks: beside.marks.iter().map(Mark::line).collect(),
            detail: finding.detail.clone(),
            seen: place.seen,
            minimised: finding.minimised,
            make: scenario.make.clone(),
            observe: scenario.context.observe.clone(),
            columns: (1..=scenario.threads.len()).collect(),
            rows: (0..longest)
                .map(|i| {
                    scenario
                        .threads
                        .iter()
                        .map(|calls| cell(calls, i))
                        .collect()
                })
                .collect(),
            heads,
            outcomes,
            frames: finding.frames.clone(),
            stacks: stacks(finding),
            trace,
            model: beside.model,
            hunt: hunt(finding, place.size, &place.folder),
            schedule: finding.schedule.is_some(),
            id: place.id,
            history: place.history,
            elsewhere: place.elsewhere,
            more_elsewhere: place.more_elsewhere,
            folder: place.folder,
            script,
        }
    }
}

/// The stacks of a sanitizer's report, cut to what a reader looks at first.
fn stacks(finding: &Finding) -> Vec<(String, Vec<String>)> {
    const MOST_FRAMES: usize = 14;
    let stacks = finding.report.iter().flat_map(|r| &r.stacks);
    stacks
        .map(|s| {
            let frames = s.frames.iter().take(MOST_FRAMES).map(ToString::to_string);
            (s.head.clone(), frames.collect())
        })
        .collect()
}

/// The beginning of a backtrace: deep recursion must not fill the report.
fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(MOST_LINES + 1).collect();
    let more = if lines.len() > MOST_LINES {
        "\n…"
    } else {
        ""
    };
    lines[..lines.len().min(MOST_LINES)].join("\n") + more
}

/// The calls, a thread after the other.
pub(super) fn operations(finding: &Finding) -> String {
    let threads = finding.scenario.threads.iter();
    let calls = threads.map(|calls| {
        let codes: Vec<&str> = calls.iter().map(|c| c.code.as_str()).collect();
        codes.join("; ")
    });
    calls.collect::<Vec<_>>().join("  ‖  ")
}

/// What was violated, in the field's words.
fn title(finding: &Finding) -> &'static str {
    match finding.kind {
        Kind::Crash => "Memory safety violated: a race in Python code crashed the VM",
        Kind::Panic => "Internal invariant violated: the VM panicked",
        Kind::Assertion => "Internal invariant violated: an assertion of the VM's own failed",
        Kind::Fatal => "Internal invariant violated: the VM stopped with a fatal error",
        Kind::Sanitizer => "Memory error or undefined behaviour in the VM, reported by a sanitizer",
        Kind::DataRace => "Data race in the VM: two accesses without any order between them",
        Kind::Uninitialised => {
            "Memory safety violated: a value that nothing in the scenario produced"
        }
        Kind::Corrupt => "Object invariant violated: the object contradicts itself at rest",
        Kind::Refcount => "Reference count lost: lower at rest than before",
        Kind::Deadlock => "Deadlock: every thread sleeps and none can go on",
        Kind::Hang => "No progress: a thread runs on without end",
        Kind::ShutdownCrash => "Crash in interpreter shutdown, after all work was done",
        Kind::ShutdownHang => "No end of interpreter shutdown, after all work was done",
        Kind::Memory => "Memory use without bound",
        Kind::Flood => "Output without bound",
        Kind::Internal => "Internal state seen from outside",
        Kind::Leak => "Leak: objects stay alive after the last reference is gone",
        Kind::Exception => "Atomicity violated: an exception that no sequential order raises",
        Kind::Outcome if finding.detail.starts_with(OUT_OF_TIME) => {
            "Linearizability violated: only orders against real time explain the outcome"
        }
        Kind::Outcome => "Atomicity violated: no sequential order explains the outcome",
        Kind::Exit => "The VM left without finishing its work",
    }
}

pub(super) fn class(grade: Grade) -> &'static str {
    match grade {
        Grade::Forbidden => "forbidden",
        Grade::Interesting => "interesting",
        Grade::OutsidePromise => "outside-promise",
        Grade::Accepted => "accepted",
    }
}

/// Head and rows of the outcome table: a column for each result where the text divides cleanly.
fn outcomes(finding: &Finding) -> (Vec<String>, Vec<Outcome>) {
    let calls: Vec<String> = finding.scenario.calls().map(|c| c.code.clone()).collect();
    let unexplained = finding.outcome.iter().map(|(text, n)| (text, *n, false));
    let mut explained: Vec<_> = finding
        .explained
        .iter()
        .map(|(text, n)| (text, *n, true))
        .collect();
    explained.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let all: Vec<_> = unexplained.chain(explained).collect();
    // A string among the results may hold the separator; then the text stays whole.
    let divides = all
        .iter()
        .all(|(text, ..)| text.split(" | ").count() == calls.len() + 1);
    let mut heads = vec!["results | at rest".to_owned()];
    if divides {
        heads = calls;
        heads.push("at rest".to_owned());
    }
    let mut rows: Vec<Outcome> = all
        .iter()
        .take(MOST_OUTCOMES)
        .map(|(text, n, explained)| Outcome {
            cells: if divides {
                text.split(" | ").map(str::to_owned).collect()
            } else {
                vec![(*text).clone()]
            },
            count: if *n == 0 {
                "not seen".to_owned()
            } else {
                grouped(*n)
            },
            explained: *explained,
        })
        .collect();
    if all.len() > MOST_OUTCOMES {
        let mut cells = vec![format!(
            "{} more explained outcomes",
            all.len() - MOST_OUTCOMES
        )];
        cells.resize(heads.len(), String::new());
        let count = grouped(all[MOST_OUTCOMES..].iter().map(|(_, n, _)| n).sum());
        rows.push(Outcome {
            cells,
            count,
            explained: true,
        });
    }
    (heads, rows)
}

/// The command that runs the same scenario again.
fn hunt(finding: &Finding, size: (usize, usize), folder: &str) -> String {
    if finding.number >= FIRST_MUTANT {
        // No seed gives it: the folder holds its scenario and script.
        return format!("threadbare repro {folder}");
    }
    let mut command = format!(
        "threadbare hunt --vm {} --seed {} --subject {} --only {}",
        word(&finding.vm),
        finding.seed,
        word(&finding.subject),
        finding.number
    );
    let usual = Limits::default();
    if size != (usual.threads, usual.ops) {
        command += &format!(" --threads {} --ops {}", size.0, size.1);
    }
    command
}
