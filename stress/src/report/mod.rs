//! A hunt as one HTML file: no network, no script, readable in the dark and on paper.

pub(crate) mod card;
pub mod export;
pub mod pair;

use crate::bugs::attribute::Attribution;
use crate::bytecode::owner::Owner;
use crate::campaign::state::{State, Totals};
use crate::finding::Finding;
use crate::finding::store::{Store, StoreError, backtrace};
use crate::triage::marks::{Mark, Marks};
use crate::triage::{self, rank};
use crate::verdict::grade::Grade;
use askama::Template;
use card::Card;
use pair::Counterexample;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Scripts and backtraces are left to their folders once the file holds this much text of them.
const SCRIPTS: usize = 1_000_000;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    headline: String,
    vm: String,
    version: String,
    forbidden: usize,
    pairs: usize,
    died: usize,
    scenarios: String,
    runs: String,
    slot_turns: String,
    seconds: String,
    processes: String,
    seed: u64,
    threads: usize,
    ops: usize,
    certificate: String,
    judged: String,
    exit: &'static str,
    subjects: Vec<Row>,
    cards: Vec<Card>,
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

/// What lies beside the findings of an output folder.
///
/// # Errors
/// When the marks or the folder of findings cannot be read.
pub fn beside(out: &Path) -> Result<impl Fn(&Finding) -> Beside, StoreError> {
    let marks = Marks::open(out)?;
    let found = Store::contents(out)?.found.into_iter();
    // Of two with one id the one that lies under it comes last.
    let mut folders: Vec<(String, PathBuf)> = found.map(|f| (f.finding.id, f.folder)).collect();
    folders.sort_by_key(|(id, folder)| folder.file_name() == Some(id.as_ref()));
    let folders: BTreeMap<String, PathBuf> = folders.into_iter().collect();
    let dir = out.join("findings");
    Ok(move |finding: &Finding| {
        let folder = folders.get(&finding.id).cloned();
        let folder = folder.unwrap_or_else(|| dir.join(&finding.id));
        let trace = backtrace(&folder);
        let entry = triage::entry(finding.clone(), folder, &marks);
        Beside {
            trace,
            marks: entry.marks,
            known: entry.known,
            model: None,
        }
    })
}

/// The report of a hunt: findings of the state's VM, worst first, and the table of subjects.
/// `beside` gives what else is known of a finding. Everything that came from a VM or a user is
/// escaped.
pub fn html(state: &State, findings: &[Finding], beside: &dyn Fn(&Finding) -> Beside) -> String {
    let mut ranked: Vec<&Finding> = findings
        .iter()
        .filter(|f| f.facts.title() == state.vm)
        .collect();
    ranked.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let mut room = SCRIPTS;
    let cards: Vec<Card> = ranked
        .iter()
        .map(|f| Card::new(f, state.size, beside(f), &mut room))
        .collect();
    let pairs: BTreeSet<_> = ranked.iter().map(|f| (&f.subject, f.kind)).collect();
    let died: BTreeSet<_> = ranked
        .iter()
        .filter(|f| f.kind.ends_process())
        .map(|f| &f.subject)
        .collect();
    let forbidden = ranked
        .iter()
        .filter(|f| f.grade == Grade::Forbidden)
        .count();
    let page = Page {
        headline: headline(state, ranked.len(), forbidden),
        vm: state.vm.clone(),
        version: ranked
            .first()
            .map_or_else(|| state.vm.clone(), |f| f.facts.version.clone()),
        forbidden,
        pairs: pairs.len(),
        died: died.len(),
        scenarios: grouped(state.sum(|t| t.scenarios)),
        runs: grouped(state.sum(|t| t.runs)),
        slot_turns: grouped(state.sum(|t| t.slot_turns)),
        seconds: grouped(state.seconds.round() as u64),
        processes: grouped(state.processes),
        seed: state.seed,
        threads: state.size.0,
        ops: state.size.1,
        certificate: certificate(state, ranked.first().copied()),
        judged: judged(state),
        exit: exit(state, ranked.len()),
        subjects: state.subjects.iter().map(|(n, t)| Row::new(n, t)).collect(),
        cards,
    };
    // Rendering writes to a string; only a formatter of our own could fail, and none does.
    page.render().expect("the report renders")
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
