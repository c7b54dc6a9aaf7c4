//! `threadbare explain`: whether some order of bytecodes gives what a finding saw, and whose fault it is.

use crate::{Format, exit, signals, time};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::bytecode::owner::{self, Owner};
use threadbare_stress::bytecode::written;
use threadbare_stress::bytecode::{
    Answer, Budget, Explanation, Goal, Schedule, explain, explain_one, replay,
};
use threadbare_stress::finding::{Finding, store};
use threadbare_stress::scenario::Scenario;
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::child::interrupted;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare explain threadbare-out/findings/ID                       # whose fault is it?
  threadbare explain threadbare-out/findings/ID --vm python3.14t
  threadbare explain scenario.toml --vm python3 --outcome 'None | None | 1'
  threadbare explain scenario.toml --vm python3 --deadlock --preemptions 2
  threadbare explain threadbare-out/findings/ID --schedule '1:4 2:5 1:1'   # that execution again

The operations run one thread at a time, and every order of their bytecodes is tried. What an order
gives is a race in Python code; what none gives needs two threads inside the VM at once.
Exit codes: 0 an order of bytecodes gives it, 1 none does, 2 usage, 3 the VM is missing, 4 undecided.")]
pub struct Args {
    /// A finding's folder, OUT/findings/ID, or a scenario as TOML.
    what: PathBuf,
    /// VM to run on; default: the one that the finding was found on.
    #[arg(long)]
    vm: Option<String>,
    /// The outcome to look for, as hunts print it; default: the finding's. May be given again.
    #[arg(long, value_name = "TEXT")]
    outcome: Vec<String>,
    /// Look for a deadlock.
    #[arg(long)]
    deadlock: bool,
    /// Run this schedule again, ten times, instead of searching.
    #[arg(long, value_name = "SCHEDULE", conflicts_with_all = ["outcome", "deadlock"])]
    schedule: Option<String>,
    /// Most preemptions of an execution; without it the whole tree is searched.
    #[arg(long)]
    preemptions: Option<u32>,
    /// Time limit of the search (10, 10s, 2m).
    #[arg(long, default_value = "10s", value_parser = time::parse)]
    time: Duration,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Explains.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let (scenario, finding) = read(&args.what)?;
    let Some(spec) = args
        .vm
        .clone()
        .or_else(|| finding.as_ref().map(|f| f.vm.clone()))
    else {
        eprintln!("threadbare: a scenario's file names no VM; add --vm, such as --vm python3.13t");
        return Ok(exit::usage());
    };
    let goals = goals(&args, finding.as_ref());
    if goals.is_empty() && args.schedule.is_none() {
        eprintln!(
            "threadbare: there is no outcome to ask for: {}; give --outcome or --deadlock",
            match &finding {
                Some(f) => format!("{} is a {}, which is the VM's by itself", f.id, f.kind),
                None => "a scenario's file has none".to_owned(),
            }
        );
        return Ok(exit::usage());
    }
    let vm = Vm::open(&spec)?;
    let operations = scenario.lens().iter().sum();
    if let Some((typed, why)) = args
        .outcome
        .iter()
        .find_map(|o| Some((o, written::refusal(o, operations)?)))
    {
        refuse(&vm, &scenario, typed, &why)?;
        return Ok(exit::usage());
    }
    if let Some(schedule) = &args.schedule {
        let asked = goals.first().map(|g| g.asked_of(&scenario));
        let scenario = asked.as_deref().unwrap_or(&scenario);
        return again(&vm, scenario, &Schedule(schedule.clone()), args.format);
    }
    let budget = Budget {
        seconds: args.time.as_secs_f64(),
        preemptions: args.preemptions,
        ..Budget::default()
    };
    let found = match &goals[..] {
        [goal] => explain_one(&vm, &scenario, goal, &budget)?,
        _ => explain(&vm, &scenario, &goals, &budget)?,
    };
    for (goal, answer) in goals.iter().zip(&found.answers) {
        print_answer(&vm, &scenario, &found, goal, answer, &args);
    }
    Ok(if interrupted() {
        exit::interrupted()
    } else {
        code(&found.answers)
    })
}

/// Says why an outcome could never come out, and what does: no order gives it, so that it would be blamed
/// on the VM.
fn refuse(vm: &Vm, scenario: &Scenario, typed: &str, why: &str) -> anyhow::Result<()> {
    eprintln!("threadbare: no run ever gives the outcome {typed}: {why}");
    if let Some(meant) = written::meant(typed, scenario.lens().iter().sum()) {
        eprintln!("  did you mean --outcome '{meant}'?");
    }
    let found = explain(vm, scenario, &[], &Budget::default())?;
    for outcome in found.sequential.iter().take(3) {
        eprintln!("  a sequential order gives: {outcome}");
    }
    Ok(())
}

/// The scenario, and the finding that it is of, if it is one.
fn read(path: &Path) -> anyhow::Result<(Scenario, Option<Finding>)> {
    let scenario = path.is_file() && path.extension().is_some_and(|e| e == "toml");
    if !scenario {
        let finding = store::read(path)?;
        return Ok((finding.scenario.clone(), Some(finding)));
    }
    let text = std::fs::read_to_string(path)?;
    let scenario = Scenario::from_text(&text)
        .with_context(|| format!("{} is no scenario as TOML", path.display()))?;
    Ok((scenario, None))
}

fn goals(args: &Args, finding: Option<&Finding>) -> Vec<Goal> {
    let mut goals: Vec<Goal> = args.outcome.iter().cloned().map(Goal::Outcome).collect();
    if args.deadlock {
        goals.push(Goal::Deadlock);
    }
    if goals.is_empty()
        && let Some(finding) = finding
    {
        goals.extend(Goal::of(
            finding.kind,
            &finding.detail,
            finding.outcome.as_ref().map(|(o, _)| o.as_str()),
        ));
    }
    goals
}

fn print_answer(
    vm: &Vm,
    scenario: &Scenario,
    found: &Explanation,
    goal: &Goal,
    answer: &Answer,
    args: &Args,
) {
    let owner = Owner::of(answer);
    // Others are graded by themselves: nothing promises them.
    let is_outcome = matches!(goal, Goal::Outcome(_) | Goal::InTime { .. });
    let graded = is_outcome.then(|| owner::grade(scenario, &found.code, answer));
    if args.format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "explain", "vm": vm.facts.title(), "goal": goal.to_string(), "owner": owner,
                "answer": answer, "grade": graded.as_ref().map(|g| g.0), "why": graded.as_ref().map(|g| &g.1),
                "mechanism": found.mechanism, "executions": found.executions, "seconds": found.seconds, "processor": found.processor,
            })
        );
        return;
    }
    println!("{scenario}");
    println!("  {goal} on {}", vm.facts.title());
    println!("  owner: {owner}; {answer}");
    if let Some((grade, why)) = graded {
        // Nobody need have seen it.
        let typed = if args.outcome.is_empty() {
            ""
        } else {
            "if threads give it, "
        };
        println!("  {typed}{grade}: {why}");
    }
    if let Answer::Reachable(reached) = answer {
        for line in reached.interleaving.lines() {
            println!("    {line}");
        }
    }
    println!(
        "  {} executions, {:.2} s, by {}",
        found.executions,
        found.seconds,
        if found.mechanism.is_empty() {
            "nothing"
        } else {
            &found.mechanism
        }
    );
}

/// Runs a schedule that was given back.
fn again(
    vm: &Vm,
    scenario: &Scenario,
    schedule: &Schedule,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let replayed = replay(vm, scenario, schedule)?;
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "replay-schedule", "vm": vm.facts.title(), "schedule": schedule,
                "outcomes": replayed.outcomes, "interleaving": replayed.interleaving, "refused": replayed.refused,
            })
        );
    } else {
        println!("{scenario}");
        for line in replayed.interleaving.lines() {
            println!("    {line}");
        }
        let first = replayed.outcomes.first();
        let same = replayed
            .outcomes
            .iter()
            .filter(|o| Some(*o) == first)
            .count();
        if let Some(first) = first {
            println!(
                "  {first} in {same} of {} executions of {schedule}",
                replayed.outcomes.len()
            );
        }
    }
    Ok(match replayed.refused {
        Some(why) => {
            eprintln!(
                "threadbare: {why}; a schedule fits the scenario and the VM version that it was made on"
            );
            exit::nothing()
        }
        None => exit::CLEAN,
    })
}

fn code(answers: &[Answer]) -> ExitCode {
    let owners: Vec<Owner> = answers.iter().map(Owner::of).collect();
    if owners.contains(&Owner::VmOrExtension) {
        exit::found()
    } else if owners.contains(&Owner::Undecided) {
        exit::nothing()
    } else {
        exit::CLEAN
    }
}
