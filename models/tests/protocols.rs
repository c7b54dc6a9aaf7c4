//! Every protocol × scenario × engine, and every mutant × engine, as a test of its own.
//!
//! Each line prints what it covered. Filter as usual:
//! `cargo test -p threadbare-models --test protocols -- biased::loom`. `MODELS_EFFORT` multiplies what
//! samples may spend, and shuttle's depth-first search, which the explorer makes superfluous where it
//! ends; `ci/nightly.sh enumerate` sets it.

use libtest_mimic::{Arguments, Failed, Trial};
use threadbare_models::catalogue::{self, Entry, RandomProgram};
use threadbare_models::engine::{Budget, Engine};
use threadbare_models::protocol::{MutantInfo, Reach, Visible};
use threadbare_models::verdict::{Kind, Verdict};

const SEED: u64 = 20_260_101;

/// How many times what is spent in every run of the tests.
fn effort() -> u64 {
    let effort = std::env::var("MODELS_EFFORT").ok();
    effort.map_or(1, |text| text.parse().expect("MODELS_EFFORT is a number"))
}

/// What each engine may spend on a scenario. A loom search that does not finish within it fails the
/// test: the scenario has to state a bound instead, or that it is a sample. Shuttle's depth-first
/// search has no reduction; where it does not finish it is a sample.
fn budget(engine: Engine, reach: Reach) -> Budget {
    let executions = match engine {
        Engine::Explorer => 300_000,
        Engine::Loom if reach == Reach::Sampled => 20_000 * effort(),
        Engine::Loom => 150_000,
        Engine::Dfs => 8_000 * effort(),
        Engine::Random | Engine::Pct => 2_000 * effort(),
        Engine::Native => 300 * effort(),
    };
    Budget { executions, seed: SEED, workers: 1 }
}

fn faithful(entry: &Entry, scenario: &str, engine: Engine) -> Result<(), Failed> {
    let info = entry.scenario(scenario)?;
    let verdict = entry.check(engine, scenario, None, budget(engine, info.loom))?;
    let reach = match engine {
        Engine::Explorer => Reach::Exhaustive,
        Engine::Loom => info.loom,
        Engine::Dfs if info.dfs != Reach::Exhaustive => info.dfs,
        _ => Reach::Sampled,
    };
    println!("{} {scenario} {}: {verdict}", entry.name, engine.name());
    match (&verdict, reach) {
        (Verdict::Exhausted(_), _) => Ok(()),
        (Verdict::Passed { .. }, Reach::Sampled) => Ok(()),
        (Verdict::Passed { .. }, _) => Err("the search did not finish: state a bound".into()),
        (Verdict::Violated(failure), _) => Err(format!("{verdict}\n{}", failure.trace).into()),
        (Verdict::Unsupported { .. }, _) => Err(format!("{verdict}").into()),
    }
}

/// The verdict must be a kill, and for a property that the mutant names.
fn must_kill(
    entry: &Entry,
    mutant: &MutantInfo,
    verdicts: &[(Engine, Verdict)],
) -> Result<(), Failed> {
    let Some((engine, failure)) = verdicts.iter().find_map(|(e, v)| v.failure().map(|f| (e, f)))
    else {
        let all: Vec<String> = verdicts.iter().map(|(e, v)| format!("{}: {v}", e.name())).collect();
        return Err(format!("{} survives: {}", mutant.name, all.join("; ")).into());
    };
    let kind = failure.violation.kind;
    println!(
        "{} {} killed by {} after {}: {} ({})",
        entry.name,
        mutant.name,
        engine.name(),
        failure.execution,
        kind.name(),
        failure.violation.text
    );
    // The explorer knows where, and is held to it.
    let known = [Kind::DataRace, Kind::UseAfterFree, Kind::DoubleFree, Kind::PrematureFree];
    if *engine == Engine::Explorer && known.contains(&kind) && failure.violation.place().is_none() {
        return Err(format!("{}: no place in {:?}", mutant.name, failure.violation.text).into());
    }
    if entry.is_killed_by(mutant, &failure.violation) {
        Ok(())
    } else {
        let trace = &failure.trace;
        let names = mutant.breaks;
        let text = &failure.violation.text;
        Err(format!(
            "{} fails by {kind:?} ({text}), which breaks none of {names:?}\n{trace}",
            mutant.name
        )
        .into())
    }
}

fn must_miss(mutant: &MutantInfo, verdicts: &[(Engine, Verdict)]) -> Result<(), Failed> {
    // Whoever waits by looking again comes to the step budget where others find a deadlock: no verdict.
    let failed = |v: &Verdict| v.failure().is_some_and(|f| f.violation.kind != Kind::StepBudget);
    match verdicts.iter().find(|(_, v)| failed(v)) {
        Some((engine, verdict)) => Err(format!(
            "{} was expected to survive {} ({}), but: {verdict}",
            mutant.name,
            engine.name(),
            mutant.visible.reason()
        )
        .into()),
        // What an engine does not run survives nothing.
        None if verdicts.iter().any(|(_, v)| matches!(v, Verdict::Unsupported { .. })) => {
            Err(format!("{} was not run: {verdicts:?}", mutant.name).into())
        }
        None => {
            println!("{} survives as expected: {}", mutant.name, mutant.visible.reason());
            Ok(())
        }
    }
}

fn mutant(
    entry: &Entry,
    mutant: &MutantInfo,
    engines: &[Engine],
    kills: bool,
) -> Result<(), Failed> {
    let mut verdicts = Vec::new();
    for engine in engines {
        // Whole, where it is to find something: as a sample it might not come so far.
        let mut budget = budget(*engine, Reach::Exhaustive);
        if kills && matches!(engine, Engine::Random | Engine::Pct) {
            budget.executions = 20_000;
        }
        let verdict = entry.check(*engine, mutant.scenario, Some(mutant.name), budget)?;
        let killed = verdict.failure().is_some();
        verdicts.push((*engine, verdict));
        if killed {
            break;
        }
    }
    if kills { must_kill(entry, mutant, &verdicts) } else { must_miss(mutant, &verdicts) }
}

/// Generated programs on the faithful scheme.
fn programs(entry: &Entry) -> Result<(), Failed> {
    let (mut covered, mut drawn) = (0, 0);
    for seed in 0..150 {
        let program = RandomProgram { threads: 2 + seed as usize % 2, operations: 4, seed };
        for engine in [Engine::Random, Engine::Pct, Engine::Native] {
            // Starting real threads takes longer than a model execution.
            let executions = if engine == Engine::Native { 10 } else { 60 };
            let budget = Budget { executions, seed, workers: 1 };
            match entry.check_random(engine, program, None, budget) {
                None => continue,
                Some(Verdict::Violated(f)) => {
                    let text = &f.violation.text;
                    return Err(format!(
                        "{program:?} under {}: {text}\n{}",
                        engine.name(),
                        f.trace
                    )
                    .into());
                }
                Some(Verdict::Exhausted(bounds)) => covered += bounds.executions,
                Some(Verdict::Passed { runs, .. }) => covered += runs,
                Some(Verdict::Unsupported { reason }) => {
                    return Err(format!("{program:?} under {}: {reason}", engine.name()).into());
                }
            }
            drawn += usize::from(engine == Engine::Native);
        }
    }
    println!("{}: {drawn} generated programs, {covered} executions", entry.name);
    if drawn < 100 { Err(format!("only {drawn} of 150 programs fit").into()) } else { Ok(()) }
}

/// Every stated property can fail: some mutant of it does, at the property's place.
fn properties(entry: &Entry) -> Result<(), Failed> {
    let mut left: Vec<&str> = entry.properties.iter().map(|p| p.id).collect();
    for mutant in &entry.mutants {
        let budget = budget(Engine::Explorer, Reach::Exhaustive);
        let verdict = entry.check(Engine::Explorer, mutant.scenario, Some(mutant.name), budget)?;
        let Some(failure) = verdict.failure() else { continue };
        for property in entry.broken(&failure.violation) {
            left.retain(|id| *id != property.id || !mutant.breaks.contains(id));
        }
    }
    match left.is_empty() {
        true => Ok(()),
        false => Err(format!("no mutant breaks {}", left.join(", ")).into()),
    }
}

/// A violation is repeated from its schedule: same kind, same trace. Of every mutant that an engine
/// with schedules is expected to kill.
fn replays(entry: &Entry) -> Result<(), Failed> {
    let mut repeated = 0;
    for mutant in &entry.mutants {
        let engines: &[Engine] = match mutant.visible {
            v if v.by_shuttle() => &[Engine::Random, Engine::Pct, Engine::Dfs],
            v if v.by_loom() => &[Engine::Loom],
            _ => continue,
        };
        let mut found = None;
        for engine in engines {
            let executions = if *engine == Engine::Loom { 150_000 } else { 40_000 };
            let budget = Budget { executions, seed: SEED, workers: 1 };
            let verdict = entry.check(*engine, mutant.scenario, Some(mutant.name), budget)?;
            if let Some(first) = verdict.failure() {
                found = Some((*engine, first.clone()));
                break;
            }
        }
        let Some((engine, first)) = found else {
            return Err(format!("{}: no engine finds it", mutant.name).into());
        };
        let again = entry.replay(engine, mutant.scenario, Some(mutant.name), &first.schedule)?;
        let Some(again) = again.failure() else {
            return Err(format!("{}: the replay finds nothing", mutant.name).into());
        };
        if again.trace_hash != first.trace_hash || again.violation != first.violation {
            return Err(format!("{}: the replay differs", mutant.name).into());
        }
        if first.violation.kind == Kind::Internal {
            return Err(format!("{}: {}", mutant.name, first.violation.text).into());
        }
        repeated += 1;
    }
    println!("{}: {repeated} of {} mutants repeated", entry.name, entry.mutants.len());
    Ok(())
}

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for entry in catalogue::all() {
        for scenario in &entry.scenarios {
            for engine in Engine::ALL {
                let (e, name) = (entry.clone(), scenario.name.clone());
                let line = format!("{}::{}::{name}", entry.name, engine.name());
                trials.push(Trial::test(line, move || faithful(&e, &name, engine)));
            }
        }
        for m in entry.mutants.clone() {
            let line = format!("{}::explorer::mutant::{}", entry.name, m.name);
            let e = entry.clone();
            trials.push(Trial::test(line, move || mutant(&e, &m, &[Engine::Explorer], true)));
            let (e, line) = (entry.clone(), format!("{}::loom::mutant::{}", entry.name, m.name));
            let waits = matches!(m.visible, Visible::Explorer(_));
            let kills = m.visible.by_loom();
            trials.push(
                Trial::test(line, move || mutant(&e, &m, &[Engine::Loom], kills))
                    .with_ignored_flag(waits),
            );
            let (e, line) = (entry.clone(), format!("{}::shuttle::mutant::{}", entry.name, m.name));
            let engines = [Engine::Random, Engine::Pct, Engine::Dfs];
            let kills = m.visible.by_shuttle();
            trials.push(
                Trial::test(line, move || mutant(&e, &m, &engines, kills)).with_ignored_flag(waits),
            );
        }
        let e = entry.clone();
        trials.push(Trial::test(format!("{}::properties", entry.name), move || properties(&e)));
        let e = entry.clone();
        trials.push(Trial::test(format!("{}::generated", entry.name), move || programs(&e)));
        let e = entry.clone();
        trials.push(Trial::test(format!("{}::replay", entry.name), move || replays(&e)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
