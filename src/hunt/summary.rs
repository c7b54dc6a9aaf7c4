//! What a hunt says when it is over: the table of subjects, the findings, the sums.

use crate::Format;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use threadbare_stress::campaign::state::{Given, State, Totals};
use threadbare_stress::campaign::{Options, Report};
use threadbare_stress::finding::store::script;
use threadbare_stress::finding::{Finding, MOST_OPERATIONS};
use threadbare_stress::identity::{Failure, distinct};
use threadbare_stress::triage::marks::Marks;
use threadbare_stress::triage::rank;
use threadbare_stress::triage::severity::Severity;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::verdict::sanitizer::Report as Reported;
use threadbare_stress::vm::Vm;

/// Prints all of it.
pub fn summary(vm: &Vm, options: &Options, result: &Report, marks: &Marks, format: Format) {
    let state = &result.state;
    let mut findings: Vec<&Finding> = result
        .findings
        .iter()
        .filter(|f| f.facts.title() == vm.facts.title())
        .collect();
    findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let counts = Counts::of(&findings);
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "summary", "vm": vm.facts.title(), "seed": state.seed, "seconds": state.seconds,
                "scenarios": state.sum(|t| t.scenarios), "runs": state.sum(|t| t.runs), "slot_turns": state.sum(|t| t.slot_turns),
                "overlap_percent": overlap(state), "findings": findings.len(), "forbidden": counts.forbidden, "pairs": counts.pairs,
                "places": counts.places, "places_reproduced": counts.reproduced, "scripts_hit": counts.reproducers + counts.large, "reproducers": counts.reproducers, "minimised": counts.minimised, "most_operations": counts.operations, "outside": state.outside, "unsettled": state.sum(|t| t.unsettled), "waiting": state.waiting,
                "dropped": state.dropped, "observed": state.sum(|t| t.observed), "judged": state.sum(|t| t.judged),
                "accepted": state.sum(|t| t.accepted), "excused": state.sum(|t| t.excused), "undecided": state.sum(|t| t.undecided), "broken_alone": broken_alone(state).len(), "subjects_reached": reached(state, &|_| true), "subjects_with_process_deaths": counts.died, "subjects": state.subjects,
                "histories": {"kept": result.histories.0, "bytes": result.histories.1, "dropped": state.dropped_histories},
            })
        );
        return;
    }
    println!(
        "{:<28} {:>9} {:>11} {:>12} {:>8}  verdicts",
        "subject", "scenarios", "runs", "slot turns", "overlap"
    );
    let generic = generic(options);
    for (name, totals) in &state.subjects {
        if !(totals.skipped.is_some() && generic.contains(name.as_str())) {
            println!("{name:<28} {}", row(totals));
        }
    }
    println!();
    let folder = options.out.join("findings");
    for finding in &findings {
        found(finding, marks, &folder);
    }
    println!();
    println!(
        "{}: {} findings ({} forbidden), {} pairs of subject and kind, {} places, {} of them reproduced, {} subjects ended the process; \
         {} scenarios, {} runs, {} slot turns, {:.0} % of sampled runs overlapped, seed {}, {:.0} s",
        vm.facts.title(),
        findings.len(),
        counts.forbidden,
        counts.pairs,
        counts.places,
        counts.reproduced,
        counts.died,
        state.sum(|t| t.scenarios),
        state.sum(|t| t.runs),
        state.sum(|t| t.slot_turns),
        overlap(state),
        state.seed,
        state.seconds
    );
    if !findings.is_empty() {
        println!("{}", counts.scripts());
        if let Some(line) = schedules(&findings) {
            println!("{line}");
        }
    }
    let judged = threadbare_stress::report::judged(state);
    if !judged.is_empty() {
        println!("outcomes: {judged}");
    }
    let left_out = broken_alone(state).into_iter().chain(lacking(state));
    for line in left_out.chain(uncounted(state)) {
        println!("{line}");
    }
    if options.feedback {
        println!("{}", sources(state));
    }
    println!(
        "subjects: {} of {} reached",
        reached(state, &|name| !generic.contains(name)),
        options.subjects.len() - generic.len()
    );
    if !generic.is_empty() {
        let of = |s: &State| {
            s.subjects
                .keys()
                .filter(|n| generic.contains(n.as_str()))
                .count()
        };
        let ran = reached(state, &|name| generic.contains(name));
        println!(
            "generic: {ran} of {} types and modules of this VM had their turn; of {} more introspection found no operations",
            generic.len(),
            of(state) - ran
        );
    }
    if !vm.facts.sanitizers.is_empty() {
        sanitized(state, &findings);
    }
    for warning in &result.warnings {
        eprintln!("warning: {warning}");
    }
    histories(options, result);
    println!("report: {}", options.out.join("report.html").display());
    if let Some(first) = findings.first() {
        println!("try: threadbare repro {}", folder.join(&first.id).display());
        println!(
            "all of them, clustered: threadbare findings {}",
            options.out.display()
        );
    }
}

/// With feedback: what each source of scenarios has given.
fn sources(state: &State) -> String {
    let mut all: Vec<_> = state.given.iter().collect();
    all.sort_by(|(_, a), (_, b)| b.places.cmp(&a.places).then(b.scenarios.cmp(&a.scenarios)));
    let one = |(name, g): (&String, &Given)| {
        let (n, places) = (g.scenarios, g.places);
        format!("{name} {places} in {:.0} s of {n} scenarios", g.seconds)
    };
    let all: Vec<String> = all.into_iter().map(one).collect();
    format!("new failing places by source: {}", all.join(", "))
}

/// What can be judged again, and what had to go.
fn histories(options: &Options, result: &Report) {
    let (kept, bytes) = result.histories;
    if options.histories == 0 {
        return;
    }
    let dropped = match result.state.dropped_histories {
        0 => String::new(),
        n => format!(
            ", {n} older ones that showed nothing were dropped first (--histories {})",
            options.histories >> 20
        ),
    };
    println!(
        "histories: {kept} processes, {:.1} MiB{dropped}; judge them again: threadbare judge {}",
        bytes as f64 / f64::from(1 << 20),
        options.out.display()
    );
}

/// Operations that one thread alone does not survive, each with how it ends. They are left out of scenarios, and
/// said, for they are faults as well.
fn broken_alone(state: &State) -> Vec<String> {
    let subjects = state.subjects.iter();
    let all = subjects.flat_map(|(name, t)| t.broken_alone().map(move |(op, how)| (name, op, how)));
    all.map(|(name, op, how)| format!("broken alone: {name}: {op}: {how}"))
        .collect()
}

/// What else is left out, for this VM lacks it: the checks each, for without them damage is seen less.
fn lacking(state: &State) -> Vec<String> {
    let some = state.subjects.iter().filter(|(_, t)| t.skipped.is_none());
    let rest = |t: &Totals| {
        t.lacking.len() - t.broken_alone().count() - usize::from(t.unchecked().is_some())
    };
    let counts: Vec<usize> = some
        .clone()
        .map(|(_, t)| rest(t))
        .filter(|&n| n > 0)
        .collect();
    let checks = some.filter_map(|(name, t)| Some((name, t.unchecked()?)));
    let mut lines: Vec<_> = checks
        .map(|(name, (check, why))| format!("not checked on this VM: {name}: {check}: {why}"))
        .collect();
    if !counts.is_empty() {
        lines.push(format!(
            "left out, for this VM lacks them: {} set-ups and operations of {} subjects (the report lists them)",
            counts.iter().sum::<usize>(),
            counts.len()
        ));
    }
    lines
}

/// Names of the subjects that introspection finds.
fn generic(options: &Options) -> BTreeSet<&str> {
    let generic = options.subjects.iter().filter(|s| s.generic);
    generic.map(|s| s.name.as_str()).collect()
}

/// Subjects among these of which some scenario ran.
fn reached(state: &State, among: &dyn Fn(&str) -> bool) -> usize {
    let ran = |(name, totals): &(&String, &Totals)| totals.scenarios > 0 && among(name);
    state.subjects.iter().filter(ran).count()
}

/// What failed and is no finding, and why not.
fn uncounted(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (who, n) in &state.outside {
        lines.push(format!("{n} processes were ended by {who}: no failures"));
    }
    let unsettled = state.sum(|t| t.unsettled);
    if unsettled > 0 {
        lines.push(format!(
            "{unsettled} failing verdicts were not settled: their subjects have findings enough, or they could not be told from those"
        ));
    }
    if state.dropped > 0 {
        lines.push(format!(
            "{} failures found no room to wait for their turn; `--subject NAME` alone finds them again",
            state.dropped
        ));
    }
    if state.waiting > 0 {
        lines.push(format!(
            "{} failures still wait to be minimised: the same command again resumes with them",
            state.waiting
        ));
    }
    lines
}

/// Per cent of the sampled runs in which the threads overlapped.
pub fn overlap(state: &State) -> f64 {
    percent(state.sum(|t| t.overlapped), state.sum(|t| t.sampled)).unwrap_or(0.0)
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

/// How many of the findings are what.
struct Counts {
    forbidden: usize,
    /// Of subject and kind.
    pairs: usize,
    /// Of each subject those that are not the same.
    places: usize,
    /// The same, of findings that are reproduced.
    reproduced: usize,
    /// Subjects that ended the process.
    died: usize,
    all: usize,
    /// Scripts that are reproducers.
    reproducers: usize,
    /// Scripts that hit, and are too large for one.
    large: usize,
    /// Scripts that have not been run.
    not_run: usize,
    /// Findings that were seen again by themselves.
    minimised: usize,
    /// Operations of the largest script that hits.
    operations: usize,
}

impl Counts {
    fn of(findings: &[&Finding]) -> Self {
        let forbidden = findings.iter().filter(|f| f.grade == Grade::Forbidden);
        let pairs = findings.iter().map(|f| (&f.subject, f.kind.name()));
        let places = |holds: &dyn Fn(&Finding) -> bool| -> usize {
            let mut places: BTreeMap<&str, Vec<Failure>> = BTreeMap::new();
            for finding in findings.iter().filter(|f| holds(f)) {
                let of = places.entry(&finding.subject).or_default();
                of.push(finding.failure());
            }
            places.values().map(distinct).sum()
        };
        let died = findings.iter().filter(|f| f.kind.ends_process());
        let count = |holds: &dyn Fn(&Finding) -> bool| findings.iter().filter(|f| holds(f)).count();
        let hitting = findings.iter().filter(|f| f.hits());
        let operations = hitting.map(|f| f.scenario.calls().count());
        Self {
            forbidden: forbidden.count(),
            pairs: pairs.collect::<BTreeSet<_>>().len(),
            places: places(&|_| true),
            reproduced: places(&Finding::is_reproduced),
            died: died.map(|f| &f.subject).collect::<BTreeSet<_>>().len(),
            all: findings.len(),
            reproducers: count(&Finding::is_reproduced),
            large: count(&|f| f.hits() && !f.is_reproduced()),
            not_run: count(&|f| f.script.is_none()),
            minimised: count(&|f| f.minimised),
            operations: operations.max().unwrap_or(0),
        }
    }

    /// What the scripts are worth.
    fn scripts(&self) -> String {
        let mut line = format!(
            "scripts: {} of {} reproduce their finding: each repro.py hit at its place, of {MOST_OPERATIONS} operations at most",
            self.reproducers, self.all
        );
        let never = self.all - self.reproducers - self.large - self.not_run;
        if never > 0 {
            line += &format!(
                "; {never} never hit: what they are of was seen and is not reproduced (scenario.py)"
            );
        }
        if self.large > 0 {
            line += &format!(
                "; {} hit and are not small, up to {} operations (scenario.py)",
                self.large, self.operations
            );
        }
        if self.not_run > 0 {
            line += &format!("; {} have not been run", self.not_run);
        }
        if self.minimised < self.all {
            let not = self.all - self.minimised;
            line += &format!(
                "; {not} findings were not seen again by themselves, so they are not minimised"
            );
        }
        line
    }
}

/// What the schedules of findings are worth, where any was looked for.
fn schedules(findings: &[&Finding]) -> Option<String> {
    let found: Vec<_> = findings
        .iter()
        .filter_map(|f| f.schedule.as_ref())
        .collect();
    let none = findings.iter().filter(|f| f.no_schedule.is_some()).count();
    if found.is_empty() && none == 0 {
        return None;
    }
    let repeat = found.iter().filter(|s| s.repeats()).count();
    Some(format!(
        "schedules: {} of {} findings have one, {repeat} of them repeat each time; of {none} it was looked for and not found",
        found.len(),
        findings.len()
    ))
}

/// The cells of a subject, its name left out.
fn row(totals: &Totals) -> String {
    if let Some(reason) = &totals.skipped {
        return format!("skipped: {reason}");
    }
    let verdicts = totals.verdicts.iter();
    let mut cells: Vec<String> = verdicts.map(|(kind, n)| format!("{kind} {n}")).collect();
    if totals.accepted > 0 {
        cells.push(format!("accepted {}", totals.accepted));
    }
    let broken = totals.broken_alone().count();
    if broken > 0 {
        cells.push(format!("broken alone {broken}"));
    }
    let overlap = percent(totals.overlapped, totals.sampled);
    format!(
        "{:>9} {:>11} {:>12} {:>8}  {}",
        totals.scenarios,
        totals.runs,
        totals.slot_turns,
        overlap.map_or_else(|| "-".to_owned(), |p| format!("{p:.0} %")),
        cells.join(", ")
    )
}

/// A finding: what it is, how it is marked, where its script lies.
fn found(finding: &Finding, marks: &Marks, folder: &Path) {
    println!("{}: {}", Severity::of(finding), finding.line());
    for mark in marks.of(finding) {
        println!("    mark: {}", mark.line());
    }
    if let Some(told) = &finding.bytecode {
        println!("    {}", told.line());
        for line in &told.interleaving {
            println!("      {line}");
        }
    }
    let script = script(&folder.join(&finding.id));
    println!("    {}", script.display());
    if let Some(report) = &finding.report {
        print!("{}", sides(report));
    }
}

/// The stacks of a sanitizer's report that tell it from others, a few frames each.
fn sides(report: &Reported) -> String {
    let mut text = String::new();
    for side in report.sides() {
        let frames: Vec<String> = side
            .frames
            .iter()
            .take(6)
            .map(ToString::to_string)
            .collect();
        text += &format!("      {}: {}\n", side.head, frames.join(" < "));
    }
    text
}

/// What the sanitizer reported in all, and what of it is not told as a finding.
fn sanitized(state: &State, findings: &[&Finding]) {
    let races = findings.iter().filter(|f| f.kind == Kind::DataRace).count();
    println!(
        "sanitizer: {} reports in {} processes, {races} distinct data races told",
        state.reports, state.processes
    );
    for (by, hidden) in &state.hidden {
        println!("  not told: {} by {by}", hidden.reports);
    }
    for signature in &state.baseline {
        println!("  without any operation: {signature}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadbare_stress::choice::Seeded;
    use threadbare_stress::finding::{Rate, SCHEMA};
    use threadbare_stress::scenario::generate::{Limits, generate};
    use threadbare_stress::subject::builtin;
    use threadbare_stress::vm::Facts;

    /// A crash of the scenario of this seed with so many operations a thread at most.
    fn finding(seed: u64, ops: usize, hits: Option<u32>) -> Finding {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let limits = Limits { threads: 2, ops };
        Finding {
            schema: SCHEMA,
            id: format!("list-crash-{seed}"),
            kind: Kind::Crash,
            grade: Grade::Forbidden,
            why: String::new(),
            detail: "SIGSEGV".into(),
            subject: list.name.clone(),
            place: Default::default(),
            schedule: None,
            no_schedule: None,
            others: Vec::new(),
            frames: Vec::new(),
            scenario: generate(&list, limits, &mut Seeded::new(seed, &[])),
            vm: String::new(),
            facts: Facts::default(),
            seed: 1,
            number: 0,
            outcome: None,
            explained: Vec::new(),
            minimised: hits.is_some(),
            script: hits.map(|hits| Rate {
                hits,
                runs: 1,
                limit_seconds: 1.0,
                mean_seconds: 0.1,
            }),
            seen: 1,
            report: None,
            bytecode: None,
            tuning: None,
        }
    }

    #[test]
    fn places_are_those_that_are_not_the_same_and_scripts_say_what_they_are_worth() {
        let (one, other) = (finding(1, 1, Some(1)), finding(2, 1, Some(0)));
        let seen_twice = Finding {
            kind: Kind::Fatal,
            ..one.clone()
        };
        let not_run = finding(3, 4, None);
        let large = finding(3, 4, Some(1));
        let most = large.scenario.calls().count();
        assert!(one.scenario.threads != other.scenario.threads && most > 4);
        let counts = Counts::of(&[&one, &other, &seen_twice]);
        assert_eq!((counts.all, counts.pairs, counts.places), (3, 2, 2));
        assert_eq!(counts.reproduced, 1, "the other's script never hit");
        assert_eq!(
            counts.scripts(),
            "scripts: 2 of 3 reproduce their finding: each repro.py hit at its place, of 4 operations at most; \
             1 never hit: what they are of was seen and is not reproduced (scenario.py)"
        );
        let counts = Counts::of(&[&one, &not_run, &large]);
        assert_eq!(
            counts.reproduced, 1,
            "the large one says too little of where"
        );
        assert_eq!(
            counts.scripts(),
            format!(
                "scripts: 1 of 3 reproduce their finding: each repro.py hit at its place, of 4 operations at most; \
                 1 hit and are not small, up to {most} operations (scenario.py); 1 have not been run; 1 findings were not seen again by themselves, so they are not minimised"
            )
        );
    }
}
