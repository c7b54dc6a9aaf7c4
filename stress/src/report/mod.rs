//! Hunts and campaigns as one HTML file: no network, readable in the dark and on paper, and without its script.

pub(crate) mod card;
mod chart;
pub mod collect;
pub mod export;
mod failures;
mod matrix;
pub mod pair;

use crate::bugs::attribute::Attribution;
use crate::bytecode::owner::Owner;
use crate::campaign::state::{State, Totals};
use crate::finding::Finding;
use crate::finding::store::{Found, backtrace};
use crate::shell::word;
use crate::triage::marks::{Mark, Marks};
use crate::triage::severity::Severity;
use crate::triage::{self, known};
use crate::verdict::grade::Grade;
use askama::Template;
use card::{Card, In};
use chart::Chart;
use collect::{Collected, Source};
use failures::Failure;
use matrix::Matrix;
use pair::Counterexample;
use std::collections::BTreeSet;

/// Scripts and backtraces are left to their folders once the file holds this much text of them.
const SCRIPTS: usize = 900_000;

/// Findings that are shown in full, the worst ones; of the others there is the line of the table.
pub const MOST_CARDS: usize = 500;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    headline: String,
    subtitle: String,
    tiles: Vec<(String, String)>,
    /// Heading and text of each.
    notes: Vec<(&'static str, String)>,
    /// Over more than one hunt.
    many: bool,
    lines: Vec<Line>,
    severities: Vec<&'static str>,
    kinds: BTreeSet<&'static str>,
    vms: BTreeSet<String>,
    /// Of one hunt.
    subjects: Vec<Row>,
    matrix: Matrix,
    hunts: Vec<Hunt>,
    charts: Vec<Chart>,
    /// Hunts that kept no curve.
    without_curve: usize,
    cards: Vec<Card>,
    left_out: usize,
}

/// A line of the table of findings.
struct Line {
    id: String,
    /// Whether it is shown in full further down.
    in_full: bool,
    severity: Severity,
    /// Place in the order of severities.
    rank: usize,
    grade: String,
    class: &'static str,
    kind: &'static str,
    subject: String,
    operations: String,
    bug: Option<String>,
    marks: Vec<String>,
    /// What the filter asks for: `new`, `known`, `accepted`, `fixed`, of several the words with spaces between.
    marked: String,
    vm: String,
    elsewhere: Vec<String>,
    rate: String,
    /// The rate to sort by, per mille; those that did not run last.
    share: i64,
    seen: u64,
    hunts: usize,
    /// When the first hunt that saw it began, and the same to sort by; empty where a hunt did not keep it.
    first: String,
    begun: String,
    folder: String,
}

/// A line of the table of hunts.
struct Hunt {
    name: String,
    vm: String,
    begun: String,
    seconds: String,
    seed: String,
    scenarios: String,
    runs: String,
    overlap: String,
    failures: usize,
    /// Distinct failures that no other of the hunts saw.
    alone: usize,
    failed: Option<String>,
}

/// A line of the table of subjects.
struct Row {
    name: String,
    scenarios: String,
    runs: String,
    slot_turns: String,
    overlap: String,
    accepted: String,
    verdicts: String,
    skipped: Option<String>,
    lacking: Vec<(String, String)>,
}

/// What lies beside a finding and belongs into its card.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Text of the backtrace.
    pub trace: Option<String>,
    /// Marks, one unless they contradict each other.
    pub marks: Vec<Mark>,
    /// The known bug that it shows.
    pub known: Attribution,
    /// What the model does with the fault that this bug is; left open here, for this crate has no
    /// models.
    pub model: Option<Counterexample>,
}

/// What lies beside a finding, with these marks. `in_full`: with what only its card shows.
pub fn beside(found: &Found, marks: &Marks, in_full: bool) -> Beside {
    let Found { finding, folder } = found;
    Beside {
        trace: in_full.then(|| backtrace(folder)).flatten(),
        marks: triage::marks_of(finding, marks),
        known: known::of(finding, &known::evidence(finding, folder)),
        model: None,
    }
}

/// The report of hunts: of one everything, of many their findings, each failure once, and where it was seen.
/// `beside` gives what else is known of a finding; its second argument says whether a card shows it.
/// Everything that came from a VM or a user is escaped.
pub fn html(collected: &Collected, beside: &dyn Fn(&Found, bool) -> Beside) -> String {
    let sources = &collected.sources;
    let failures = failures::failures(sources);
    let one = match &sources[..] {
        [only] => only.state.as_ref(),
        _ => None,
    };
    let mut room = SCRIPTS;
    let (mut cards, mut lines) = (Vec::new(), Vec::new());
    for (i, failure) in failures.iter().enumerate() {
        let in_full = i < MOST_CARDS;
        let more = beside(failure.best, in_full);
        lines.push(Line::new(
            failure,
            &failures,
            sources,
            &more,
            one.is_some(),
            in_full,
        ));
        if in_full {
            let place = In::new(failure, &failures, sources, one.is_some());
            cards.push(Card::new(&failure.best.finding, place, more, &mut room));
        }
    }
    let found = || failures.iter().map(|f| &f.best.finding);
    let forbidden = found().filter(|f| f.grade == Grade::Forbidden).count();
    let states = || sources.iter().filter_map(|s| s.state.as_ref());
    let first = found().next();
    let (subtitle, notes) = match one {
        Some(state) => (
            first.map_or_else(|| state.vm.clone(), |f| f.facts.version.clone()),
            notes(state, first, failures.len()),
        ),
        None => (spans(sources), Vec::new()),
    };
    let page = Page {
        headline: match one {
            Some(state) => headline(state, failures.len(), forbidden),
            None => headline_of_many(sources, failures.len(), forbidden),
        },
        subtitle,
        tiles: tiles(sources, &failures, forbidden, one),
        notes,
        many: one.is_none(),
        severities: Severity::ALL.iter().map(|s| s.name()).collect(),
        kinds: found().map(|f| f.kind.name()).collect(),
        vms: found().map(|f| f.facts.title()).collect(),
        subjects: one.map_or_else(Vec::new, |s| {
            s.subjects.iter().map(|(n, t)| Row::new(n, t)).collect()
        }),
        matrix: Matrix::new(sources, &failures),
        hunts: hunts(sources, &failures),
        charts: chart::charts(sources),
        without_curve: states().filter(|s| s.curve.points().len() < 2).count(),
        left_out: lines.len() - cards.len(),
        lines,
        cards,
    };
    // Rendering writes to a string; only a formatter of our own could fail, and none does.
    page.render().expect("the report renders")
}

/// What stands below the tiles of a hunt.
fn notes(state: &State, first: Option<&Finding>, found: usize) -> Vec<(&'static str, String)> {
    let mut notes = vec![("Overlap", certificate(state, first))];
    let judged = judged(state);
    if !judged.is_empty() {
        notes.push((
            "Judged",
            format!("Of the outcomes of whole operations, {judged}."),
        ));
    }
    notes.push(("Exit code", exit(state, found).to_owned()));
    notes
}

fn tiles(
    sources: &[Source],
    failures: &[Failure<'_>],
    forbidden: usize,
    one: Option<&State>,
) -> Vec<(String, String)> {
    let found = || failures.iter().map(|f| &f.best.finding);
    let pairs: BTreeSet<_> = found().map(|f| (&f.subject, f.kind)).collect();
    let dead = found().filter(|f| f.kind.ends_process());
    let died: BTreeSet<_> = dead.map(|f| &f.subject).collect();
    let states = || sources.iter().filter_map(|s| s.state.as_ref());
    let sum = |of: fn(&Totals) -> u64| grouped(states().map(|s| s.sum(of)).sum());
    let seconds: f64 = states().map(|s| s.seconds).sum();
    let processes: u64 = states().map(|s| s.processes).sum();
    let mut tiles = vec![
        (
            failures.len().to_string(),
            format!("findings, {forbidden} forbidden"),
        ),
        (
            pairs.len().to_string(),
            "pairs of subject and kind".to_owned(),
        ),
        (
            died.len().to_string(),
            "subjects ended the process".to_owned(),
        ),
        (sum(|t| t.scenarios), "scenarios".to_owned()),
        (sum(|t| t.runs), "runs on fresh objects".to_owned()),
        (sum(|t| t.slot_turns), "turns on the shared slot".to_owned()),
        (
            grouped(seconds.round() as u64),
            format!("seconds, {} processes", grouped(processes)),
        ),
    ];
    if let Some(state) = one {
        let (threads, ops) = state.size;
        tiles.push((
            state.seed.to_string(),
            format!("seed; at most {threads} threads of {ops} operations"),
        ));
    }
    tiles
}

fn headline_of_many(sources: &[Source], findings: usize, forbidden: usize) -> String {
    let hunts = sources.iter().filter(|s| s.is_hunt()).count();
    let vms: BTreeSet<_> = sources.iter().flat_map(vms).collect();
    let plural = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let what = match (findings, forbidden) {
        (0, _) => "nothing found".to_owned(),
        (n, 0) => format!("{n} findings, none forbidden"),
        (n, f) => format!("{n} findings, {f} forbidden"),
    };
    match hunts {
        0 => format!("Merged findings, {}: {what}", plural(vms.len(), "VM")),
        n => format!(
            "{} in {}: {what}",
            plural(n, "hunt"),
            plural(vms.len(), "VM")
        ),
    }
}

/// The VMs of a folder.
fn vms(source: &Source) -> BTreeSet<String> {
    match &source.state {
        Some(state) => [state.vm.clone()].into(),
        None => {
            let found = source.found.iter();
            found.map(|f| f.finding.facts.title()).collect()
        }
    }
}

/// From when to when the hunts began.
fn spans(sources: &[Source]) -> String {
    let hunts = || sources.iter().filter(|s| s.state.is_some());
    let dates: Vec<u64> = hunts().filter_map(begun).collect();
    let unknown = hunts().count() - dates.len();
    match (dates.iter().min(), dates.iter().max()) {
        (Some(first), Some(last)) => {
            let unknown = match unknown {
                0 => String::new(),
                n => format!("; of {n} it is not known"),
            };
            format!("begun {} to {} UTC{unknown}", date(*first), date(*last))
        }
        _ => String::new(),
    }
}

fn begun(source: &Source) -> Option<u64> {
    source.state.as_ref().and_then(|state| state.begun)
}

/// `2026-11-30 14:52`, UTC.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Words on a finding's script, or on its schedule where only that shows it.
fn rate(finding: &Finding) -> String {
    match (&finding.script, &finding.schedule) {
        (Some(rate), _) => format!("{}/{}", rate.hits, rate.runs),
        (None, Some(schedule)) => format!("schedule {}/{}", schedule.same, schedule.replays),
        (None, None) => "not run".to_owned(),
    }
}

/// The folder of a finding as a command takes it; that of one hunt moves with its report.
fn folder(found: &Found, one: bool) -> String {
    let name = found.folder.file_name().unwrap_or_default();
    match one {
        true => word(&format!("OUT/findings/{}", name.display())),
        false => word(&found.folder.display().to_string()),
    }
}

/// When the first hunt that saw a failure began; `None` unless all of them kept it.
fn first(failure: &Failure<'_>, sources: &[Source]) -> Option<u64> {
    let dates: Option<Vec<u64>> = failure.seen.keys().map(|&n| begun(&sources[n])).collect();
    dates?.into_iter().min()
}

impl Line {
    fn new(
        failure: &Failure<'_>,
        all: &[Failure<'_>],
        sources: &[Source],
        beside: &Beside,
        one: bool,
        in_full: bool,
    ) -> Self {
        let finding = &failure.best.finding;
        let severity = Severity::of(finding);
        let rank = Severity::ALL.iter().position(|s| *s == severity);
        let states: BTreeSet<&str> = beside.marks.iter().map(|m| m.state.name()).collect();
        let elsewhere = failure.elsewhere.iter();
        let elsewhere: BTreeSet<String> = elsewhere
            .map(|&other| all[other].best.finding.facts.title())
            .collect();
        let first = first(failure, sources);
        Self {
            id: failure.id.clone(),
            in_full,
            severity,
            rank: rank.unwrap_or(Severity::ALL.len()),
            grade: finding.grade.to_string(),
            class: card::class(finding.grade),
            kind: finding.kind.name(),
            subject: finding.subject.clone(),
            operations: card::operations(finding),
            bug: match &beside.known {
                Attribution::Known { best } => Some(best.id.clone()),
                _ => None,
            },
            marks: beside.marks.iter().map(Mark::line).collect(),
            marked: match states.is_empty() {
                true => "new".to_owned(),
                false => states.into_iter().collect::<Vec<_>>().join(" "),
            },
            vm: finding.facts.title(),
            elsewhere: elsewhere.into_iter().collect(),
            rate: rate(finding),
            share: finding
                .script
                .map_or(-1, |r| i64::from(r.hits) * 1000 / i64::from(r.runs.max(1))),
            seen: failure.seen.values().sum::<u64>().max(finding.seen),
            hunts: failure.seen.len(),
            first: first.map_or_else(String::new, date),
            begun: first.map_or_else(String::new, |s| s.to_string()),
            folder: folder(failure.best, one),
        }
    }
}

fn hunts(sources: &[Source], failures: &[Failure<'_>]) -> Vec<Hunt> {
    let hunts = sources.iter().enumerate().filter(|(_, s)| s.is_hunt());
    let state = State::default();
    hunts
        .map(|(n, source)| {
            let saw = || failures.iter().filter(|f| f.seen.contains_key(&n));
            let ran = source.state.as_ref();
            let state = ran.unwrap_or(&state);
            let sum = |of: fn(&Totals) -> u64| match ran {
                Some(state) => grouped(state.sum(of)),
                None => String::new(),
            };
            let (sampled, overlapped) = (state.sum(|t| t.sampled), state.sum(|t| t.overlapped));
            Hunt {
                name: source.name.clone(),
                vm: state.vm.clone(),
                begun: begun(source).map_or_else(String::new, date),
                seconds: ran.map_or_else(String::new, |s| grouped(s.seconds.round() as u64)),
                seed: ran.map_or_else(String::new, |s| match s.shard.is_whole() {
                    true => s.seed.to_string(),
                    false => format!("{}, shard {}", s.seed, s.shard),
                }),
                scenarios: sum(|t| t.scenarios),
                runs: sum(|t| t.runs),
                overlap: ran.map_or_else(String::new, |_| percent(overlapped, sampled)),
                failures: saw().count(),
                alone: saw().filter(|f| f.seen.len() == 1).count(),
                failed: source.failed.as_ref().map(|f| f.why.clone()),
            }
        })
        .collect()
}

fn headline(state: &State, findings: usize, forbidden: usize) -> String {
    let what = match (findings, forbidden) {
        (0, _) => "nothing found".to_owned(),
        (n, 0) => format!("{n} findings, none forbidden"),
        (n, f) => format!("{n} findings, {f} forbidden"),
    };
    let control = if state.sequential {
        " in one thread (control)"
    } else {
        ""
    };
    format!("{}{control}: {what}", state.vm)
}

/// Whether the threads ran at once: measured, not claimed.
fn certificate(state: &State, finding: Option<&Finding>) -> String {
    let (sampled, overlapped) = (state.sum(|t| t.sampled), state.sum(|t| t.overlapped));
    let mut text = match (state.sequential, sampled) {
        (true, _) => {
            "This is the control: every scenario ran in one thread, so nothing may be found."
                .to_owned()
        }
        (false, 0) => "No run was sampled for overlap: take a clean result for nothing.".to_owned(),
        (false, n) => format!(
            "In {} of {} sampled runs ({}) no thread had finished before another began.",
            grouped(overlapped),
            grouped(n),
            percent(overlapped, n)
        ),
    };
    if let Some(facts) = finding.map(|f| &f.facts) {
        let gil = match facts.gil_claimed {
            Some(true) => "the VM says that its GIL is on",
            Some(false) => "the VM says that its GIL is off",
            None => "the VM says nothing of a GIL",
        };
        text += &format!(
            " Two spinning threads were measured {:.2} times as fast as one; {gil}.",
            facts.speedup
        );
        if !facts.sanitizers.is_empty() {
            text += &format!(
                " Sanitizers in the program: {}.",
                facts.sanitizers.join(", ")
            );
        }
    }
    text
}

/// How much of what was observed the oracle could judge, in words; empty where nothing was observed.
pub fn judged(state: &State) -> String {
    let (observed, judged) = (state.sum(|t| t.observed), state.sum(|t| t.judged));
    if observed == 0 {
        return String::new();
    }
    let mut text = format!(
        "every outcome was judged in {} of {} scenarios ({})",
        grouped(judged),
        grouped(observed),
        percent(judged, observed)
    );
    let mut add = |n: u64, what: &str| {
        if n > 0 {
            text += &format!("; {} {what}", grouped(n));
        }
    };
    add(
        state.sum(|t| t.accepted),
        "outcomes of operations of several steps that no order of operations gives were accepted",
    );
    for (owner, what) in [
        (
            Owner::PythonCode,
            "of these, distinct ones, an order of their bytecodes gives",
        ),
        (Owner::VmOrExtension, "no order of their bytecodes gives"),
        (
            Owner::Undecided,
            "were asked of their bytecodes without an answer",
        ),
    ] {
        add(
            state.sum(|t| t.asked.get(&owner).copied().unwrap_or(0)),
            what,
        );
    }
    add(
        state.sum(|t| t.excused),
        "outcomes had an exception by design and were explained but for it",
    );
    add(
        state.sum(|t| t.contention),
        "of these were PyO3's \"Already borrowed\"",
    );
    add(
        state.sum(|t| t.undecided),
        "distinct outcomes were undecided, for the time of the search was over",
    );
    text
}

fn exit(state: &State, findings: usize) -> &'static str {
    match findings {
        _ if state.subjects.is_empty() => "4: no scenario ran (130 if it was interrupted).",
        _ if state.subjects.values().all(|t| t.skipped.is_some()) => {
            "4: every subject was skipped on this VM."
        }
        0 => "0: all ran and nothing was found (130 if it was interrupted).",
        _ => "1: something was found (130 if it was interrupted).",
    }
}

impl Row {
    fn new(name: &str, totals: &Totals) -> Self {
        let verdicts: Vec<String> = totals
            .verdicts
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        Self {
            name: name.to_owned(),
            scenarios: grouped(totals.scenarios),
            runs: grouped(totals.runs),
            slot_turns: grouped(totals.slot_turns),
            overlap: percent(totals.overlapped, totals.sampled),
            accepted: grouped(totals.accepted),
            verdicts: verdicts.join(", "),
            skipped: totals.skipped.clone(),
            lacking: totals.lacking.clone(),
        }
    }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        "–".to_owned()
    } else {
        format!("{:.0} %", 100.0 * part as f64 / whole as f64)
    }
}

/// `1234567` → `1 234 567`, with narrow spaces that do not break.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
