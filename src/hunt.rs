//! `threadbare hunt`: races in a real VM, minimised.

use crate::{Format, counterexample, exit, signals};
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use threadbare_stress::campaign::canary::{self, Canary};
use threadbare_stress::campaign::state::State;
use threadbare_stress::campaign::{Event, Options, Report, hunt};
use threadbare_stress::choice::{Choices, Seeded};
use threadbare_stress::finding::{Finding, store};
use threadbare_stress::report;
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::{Subject, builtin, introspect};
use threadbare_stress::triage::marks::{self, Marks};
use threadbare_stress::triage::rank;
use threadbare_stress::triage::severity::Severity;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::verdict::sanitizer::{Report as Reported, suppress};
use threadbare_stress::vm::child::interrupted;
use threadbare_stress::vm::{EMBEDDED, Vm};

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare hunt --time 10m                                   # the embedded RustPython
  threadbare hunt --vm python3.14t --subject dict --subject list
  threadbare hunt --vm python3.14t --subject 'mypackage.cache:LRU' --out lru
  threadbare hunt --vm python3 --no-callbacks --sequential     # controls: nothing may be found
  threadbare hunt --threads 3 --ops 3 --seed 7 --format json
  threadbare hunt --list-subjects")]
pub struct Args {
    /// VM: `rustpython` (embedded), a path, a name on PATH or a quoted command.
    #[arg(long, default_value = EMBEDDED)]
    vm: String,
    /// Subject, family, prefix*, FILE.toml, or package.module:Type; may be repeated. Default: all.
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Time for the whole hunt, minimising included (60, 60s, 10m, 2h).
    #[arg(long, default_value = "60s", value_parser = parse_time)]
    time: Duration,
    /// Stop after this many scenarios, whatever the time.
    #[arg(long)]
    iterations: Option<u64>,
    /// Seed of all scenarios; the same seed gives the same scenarios in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// VM processes at once [default: one for each two cores; more keep threads from overlapping].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Folder for findings and progress; a hunt with the same options resumes there.
    #[arg(long, default_value = "threadbare-out")]
    out: PathBuf,
    /// Most threads of a scenario.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=4))]
    threads: u8,
    /// Most operations of a thread.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=4))]
    ops: u8,
    /// Milliseconds for each scenario.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(5..=60_000))]
    scenario_ms: u64,
    /// Only scenario number K of each subject: replays one case of a finding.
    #[arg(long, value_name = "K")]
    only: Option<usize>,
    /// Control: run the same scenarios in one thread, where nothing may be found.
    #[arg(long)]
    sequential: bool,
    /// Sanitizer reports that are no faults, by exact top frame, beside the shipped ones (TOML).
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,
    /// Leave out subjects whose operations run Python code in the middle.
    #[arg(long)]
    no_callbacks: bool,
    /// List the subjects and their operations, run nothing.
    #[arg(long)]
    list_subjects: bool,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Reads `90`, `90s`, `10m`, `2h`.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((i, 's')) => (&text[..i], 1.0),
        Some((i, 'm')) => (&text[..i], 60.0),
        Some((i, 'h')) => (&text[..i], 3600.0),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n * unit < 1e9 => Ok(Duration::from_secs_f64(n * unit)),
        _ => Err(format!("'{text}' is no time; write 90, 90s, 10m or 2h")),
    }
}

/// Hunts.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (types, names): (Vec<String>, Vec<String>) = args
        .subjects
        .iter()
        .cloned()
        .partition(|s| introspect::names(s));
    let mut subjects = if names.is_empty() && !types.is_empty() {
        Vec::new()
    } else {
        builtin::select(&names)?
    };
    if args.no_callbacks {
        subjects.retain(|s| !s.callbacks);
    }
    if args.list_subjects {
        list(&subjects, args.format);
        return Ok(exit::CLEAN);
    }
    let mut suppressions = suppress::shipped();
    if let Some(file) = &args.suppressions {
        suppressions.extend(suppress::read(file)?);
    }
    signals::install()?;
    let vm = Vm::open(&args.vm)?;
    for name in &types {
        subjects.push(introspect::introspect(&vm, name)?);
    }
    if subjects.is_empty() {
        eprintln!("threadbare: no subject is left; `threadbare hunt --list-subjects` lists them");
        return Ok(exit::nothing());
    }
    // One order for a seed: what a short hunt reaches is then a fair sample of all families.
    let mut order = Seeded::new(args.seed, &["subjects"]);
    for i in (1..subjects.len()).rev() {
        subjects.swap(i, order.below(i + 1));
    }
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let options = Options {
        subjects,
        seed: args.seed,
        time: Some(args.time),
        iterations: args.iterations,
        jobs: args.jobs.map_or((cores / 2).max(1), usize::from),
        out: args.out.clone(),
        limits: Limits {
            threads: args.threads.into(),
            ops: args.ops.into(),
        },
        scenario_ms: args.scenario_ms,
        batch: 8,
        sequential: args.sequential,
        only: args.only,
        keep: 3,
        suppressions,
    };
    eprintln!(
        "hunting in {} ({} subjects, seed {}, {} s, {} at once), findings in {}",
        vm.facts.title(),
        options.subjects.len(),
        options.seed,
        args.time.as_secs(),
        options.jobs,
        options.out.join("findings").display()
    );
    if vm.facts.has_gil() {
        eprintln!(
            "note: this VM has a GIL: threads switch only between bytecodes, so little can be found"
        );
    }
    if !vm.facts.sanitizers.is_empty() {
        eprintln!(
            "note: built with the {} sanitizer: {:.1} million loop turns a second and thread, limits of time × {}; \
             races that need no operation are looked for first and told of no scenario",
            vm.facts.sanitizers.join(" and "),
            vm.facts.speed,
            vm.facts.slowness()
        );
    }
    if !vm.facts.has_gil() && vm.facts.sanitizers.is_empty() && !options.sequential {
        canary(&vm, options.seed, args.format)?;
    }
    // Hours later would be too late to learn that they cannot be read.
    let before = Marks::open(&options.out)?;
    let watch = Printer::new(args.format);
    let result = hunt(&vm, &options, &|event| watch.event(event))?;
    watch.clear();
    let found = result
        .findings
        .iter()
        .filter(|f| result.found.contains(&f.id));
    let again = marks::note_found(&options.out, found);
    let written = counterexample::beside(&options.out).and_then(|beside| {
        let html = report::html(&result.state, &result.findings, &beside);
        store::write_atomically(&options.out.join("report.html"), html.as_bytes())
    });
    let marks = Marks::open(&options.out).unwrap_or(before);
    summary(&vm, &options, &result, &marks, args.format);
    for finding in again.as_deref().unwrap_or_default() {
        if args.format == Format::Json {
            println!(
                "{}",
                serde_json::json!({"schema": 1, "event": "marked-fixed-but-found", "id": finding.id})
            );
        } else {
            println!("MARKED FIXED, BUT FOUND AGAIN: {}", finding.line());
        }
    }
    if let Some(error) = result.error {
        return Err(error.into());
    }
    again?;
    written.context("the findings are saved, the report is not")?;
    let none_ran = result.state.subjects.is_empty();
    let all_skipped = result.state.subjects.values().all(|t| t.skipped.is_some());
    Ok(if interrupted() {
        exit::interrupted()
    } else if none_ran {
        eprintln!("threadbare: no scenario ran: the time or the iterations were over at once");
        exit::nothing()
    } else if all_skipped {
        eprintln!("threadbare: every subject was skipped on this VM; the reasons stand above");
        exit::nothing()
    } else if result.findings.is_empty() {
        exit::CLEAN
    } else {
        exit::found()
    })
}

/// Says whether a race that must show does: what a hunt finds is worth no more than that.
fn canary(vm: &Vm, seed: u64, format: Format) -> anyhow::Result<()> {
    let Canary { runs, lost } = canary::sing(vm, seed)?;
    if lost > 0 {
        eprintln!(
            "canary: {lost} of {runs} updates of one number by two threads got lost, as they must"
        );
    } else if !interrupted() {
        eprintln!(
            "canary: WARNING: of {runs} updates of one number by two threads none got lost: the threads hardly run at \
             once (a busy machine, one processor?), so a hunt here says little"
        );
    }
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({"schema": 1, "event": "canary", "runs": runs, "lost": lost})
        );
    }
    Ok(())
}

fn list(subjects: &[Subject], format: Format) {
    for s in subjects {
        if format == Format::Json {
            let ops: Vec<_> = s
                .ops
                .iter()
                .map(|o| serde_json::json!({"code": o.code, "guarantee": o.guarantee}))
                .collect();
            println!(
                "{}",
                serde_json::json!({"schema": 1, "event": "subject", "name": s.name, "doc": s.doc, "callbacks": s.callbacks, "ops": ops})
            );
        } else {
            println!("{:<28} {:>3} operations  {}", s.name, s.ops.len(), s.doc);
        }
    }
}

/// Progress on stderr, results on stdout.
struct Printer {
    format: Format,
    terminal: bool,
    start: Instant,
    last: Mutex<Instant>,
}

impl Printer {
    fn new(format: Format) -> Self {
        let now = Instant::now();
        Self {
            format,
            terminal: std::io::stderr().is_terminal(),
            start: now,
            last: Mutex::new(now),
        }
    }

    fn event(&self, event: Event<'_>) {
        match event {
            Event::Skipped { subject, reason } => {
                self.clear();
                eprintln!("skipped {subject}: {reason}");
                if self.format == Format::Json {
                    println!(
                        "{}",
                        serde_json::json!({"schema": 1, "event": "skipped", "subject": subject, "reason": reason})
                    );
                }
            }
            Event::Finding(finding) => {
                self.clear();
                if self.format == Format::Json {
                    println!(
                        "{}",
                        serde_json::json!({"schema": 1, "event": "finding", "finding": finding})
                    );
                } else if finding.minimised || finding.script.is_some() {
                    eprintln!(
                        "[{:>4.0} s] {}",
                        self.start.elapsed().as_secs_f64(),
                        finding.line()
                    );
                }
            }
            Event::Progress(state) => self.progress(state),
        }
    }

    fn progress(&self, state: &State) {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let pause = Duration::from_millis(if self.terminal { 500 } else { 20_000 });
        if last.elapsed() < pause {
            return;
        }
        *last = Instant::now();
        let (sampled, overlapped) = (state.sum(|t| t.sampled), state.sum(|t| t.overlapped));
        let text = format!(
            "{:.0} s: {} scenarios, {} runs, {} slot turns, {:.0} % overlapped, {} failing verdicts",
            self.start.elapsed().as_secs_f64(),
            state.sum(|t| t.scenarios),
            state.sum(|t| t.runs),
            state.sum(|t| t.slot_turns),
            if sampled > 0 {
                100.0 * overlapped as f64 / sampled as f64
            } else {
                0.0
            },
            state.sum(|t| t.verdicts.values().sum()),
        );
        if self.terminal {
            eprint!("\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{text}");
        }
    }

    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
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

/// The table of subjects, then one line a finding.
fn summary(vm: &Vm, options: &Options, result: &Report, marks: &Marks, format: Format) {
    let state = &result.state;
    let mut findings: Vec<&Finding> = result
        .findings
        .iter()
        .filter(|f| f.facts.title() == vm.facts.title())
        .collect();
    findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let pairs: BTreeSet<(&str, &str)> = findings
        .iter()
        .map(|f| (f.subject.as_str(), f.kind.name()))
        .collect();
    let crashed: BTreeSet<&str> = findings
        .iter()
        .filter(|f| f.kind.ends_process())
        .map(|f| f.subject.as_str())
        .collect();
    let forbidden = findings
        .iter()
        .filter(|f| f.grade == Grade::Forbidden)
        .count();
    let (sampled, overlapped) = (state.sum(|t| t.sampled), state.sum(|t| t.overlapped));
    let overlap = if sampled > 0 {
        100.0 * overlapped as f64 / sampled as f64
    } else {
        0.0
    };
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "summary", "vm": vm.facts.title(), "seed": state.seed, "seconds": state.seconds,
                "scenarios": state.sum(|t| t.scenarios), "runs": state.sum(|t| t.runs), "slot_turns": state.sum(|t| t.slot_turns),
                "overlap_percent": overlap, "findings": findings.len(), "forbidden": forbidden, "pairs": pairs.len(),
                "subjects_with_process_deaths": crashed.len(), "subjects": state.subjects,
            })
        );
        return;
    }
    println!(
        "{:<28} {:>9} {:>11} {:>12} {:>8}  verdicts",
        "subject", "scenarios", "runs", "slot turns", "overlap"
    );
    for (name, totals) in &state.subjects {
        if let Some(reason) = &totals.skipped {
            println!("{name:<28} skipped: {reason}");
            continue;
        }
        let verdicts: BTreeMap<&String, &u64> = totals.verdicts.iter().collect();
        let mut cells: Vec<String> = verdicts
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        if totals.accepted > 0 {
            cells.push(format!("accepted {}", totals.accepted));
        }
        let overlap = if totals.sampled > 0 {
            format!(
                "{:.0} %",
                100.0 * totals.overlapped as f64 / totals.sampled as f64
            )
        } else {
            "-".to_owned()
        };
        println!(
            "{name:<28} {:>9} {:>11} {:>12} {overlap:>8}  {}",
            totals.scenarios,
            totals.runs,
            totals.slot_turns,
            cells.join(", ")
        );
    }
    println!();
    for finding in &findings {
        let marks: String = marks
            .of(finding)
            .iter()
            .map(|m| format!("    mark: {}\n", m.line()))
            .collect();
        println!(
            "{}: {}\n{marks}    {}",
            Severity::of(finding),
            finding.line(),
            options
                .out
                .join("findings")
                .join(&finding.id)
                .join("repro.py")
                .display()
        );
        if let Some(report) = &finding.report {
            print!("{}", sides(report));
        }
    }
    println!();
    println!(
        "{}: {} findings ({forbidden} forbidden), {} pairs of subject and kind, {} subjects ended the process; \
         {} scenarios, {} runs, {} slot turns, {overlap:.0} % of sampled runs overlapped, seed {}, {:.0} s",
        vm.facts.title(),
        findings.len(),
        pairs.len(),
        crashed.len(),
        state.sum(|t| t.scenarios),
        state.sum(|t| t.runs),
        state.sum(|t| t.slot_turns),
        state.seed,
        state.seconds
    );
    if state.sampled_orders > 0 {
        println!(
            "{} scenarios had too many orders: these were sampled and unexplained outcomes of them not reported",
            state.sampled_orders
        );
    }
    if !vm.facts.sanitizers.is_empty() {
        sanitized(state, &findings);
    }
    for warning in &result.warnings {
        eprintln!("warning: {warning}");
    }
    println!("report: {}", options.out.join("report.html").display());
    if let Some(first) = findings.first() {
        println!(
            "try: threadbare repro {}",
            options.out.join("findings").join(&first.id).display()
        );
        println!(
            "all of them, clustered: threadbare findings {}",
            options.out.display()
        );
    }
}
