//! Every protocol × scenario × engine, and every mutant × engine, as a test of its own.
//!
//! Each line prints what it covered. Filter as usual:
//! `cargo test -p threadbare-models --test protocols -- biased::loom`. `MODELS_EFFORT` multiplies what
//! samples may spend, shuttle's depth-first search, which the explorer makes superfluous where it ends, loom's
//! search for a fault that it is expected to miss, and how long a search of loom is done again as a replay;
//! `ci/nightly.sh enumerate` sets it.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use threadbare_models::catalogue::{self, Entry, RandomProgram};
use threadbare_models::engine::{Budget, Engine};
use threadbare_models::outcomes;
use threadbare_models::protocol::{MutantInfo, Reach, Visible};
use threadbare_models::verdict::{Failure, Kind, Verdict};

const SEED: u64 = 20_260_101;

/// Executions of a loom search that has to come to its end.
const LOOM: u64 = 150_000;

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
        Engine::Loom if reach == Reach::Sampled => 5_000 * effort(),
        Engine::Loom => LOOM,
        Engine::Dfs => 4_000 * effort(),
        Engine::Random | Engine::Pct => 2_000 * effort(),
        Engine::Native => 300 * effort(),
    };
    Budget { executions, seed: SEED, workers: 1 }
}

fn faithful(entry: &Entry, scenario: &str, engine: Engine) -> Result<(), Failed> {
    let info = entry.scenario(scenario)?;
    let budget = budget(engine, info.loom);
    let (verdict, reached) = match engine {
        // In one search what breaks and what comes of it.
        Engine::Explorer => {
            let (verdict, outcomes) = entry.outcomes(scenario, None, budget)?;
            (verdict, Some(outcomes))
        }
        _ => (entry.check(engine, scenario, None, budget)?, None),
    };
    let reach = match engine {
        Engine::Explorer => Reach::Exhaustive,
        Engine::Loom => info.loom,
        Engine::Dfs if info.dfs != Reach::Exhaustive => info.dfs,
        _ => Reach::Sampled,
    };
    println!("{} {scenario} {}: {verdict}", entry.name, engine.name());
    match (&verdict, reach) {
        (Verdict::Exhausted(_), _) => {}
        (Verdict::Passed { .. }, Reach::Sampled) => {}
        (Verdict::Passed { .. }, _) => {
            return Err("the search did not finish: state a bound".into());
        }
        (Verdict::Violated(failure), _) => {
            return Err(format!("{verdict}\n{}", failure.trace).into());
        }
        (Verdict::Unsupported { .. }, _) => return Err(format!("{verdict}").into()),
    }
    let stated = outcomes::of(entry.name, scenario);
    let differ = |reached| outcomes::differences(entry.name, scenario, &stated, &reached);
    match reached.map(differ).unwrap_or_default() {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(format!("outcomes.tsv:\n{}", wrong.join("\n")).into()),
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

/// What the explorer finds of a planted fault: searched for once, for every test that asks.
fn explored(entry: &Entry, mutant: &MutantInfo) -> Result<Verdict, Failed> {
    type Searched = Mutex<HashMap<(&'static str, &'static str), Arc<OnceLock<Verdict>>>>;
    static SEARCHED: OnceLock<Searched> = OnceLock::new();
    let verdict = {
        let mut searched =
            SEARCHED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        searched.entry((entry.name, mutant.name)).or_default().clone()
    };
    let budget = budget(Engine::Explorer, Reach::Exhaustive);
    entry.scenario(mutant.scenario)?;
    let found = || entry.check(Engine::Explorer, mutant.scenario, Some(mutant.name), budget);
    Ok(verdict.get_or_init(|| found().expect("its scenario, and its name")).clone())
}

/// The explorer kills it; two OS threads find what one finds, and so does a replay.
fn killed_by_explorer(entry: &Entry, mutant: &MutantInfo) -> Result<(), Failed> {
    let verdict = explored(entry, mutant)?;
    must_kill(entry, mutant, &[(Engine::Explorer, verdict.clone())])?;
    let shared = Budget { workers: 2, ..budget(Engine::Explorer, Reach::Exhaustive) };
    let (scenario, name) = (mutant.scenario, Some(mutant.name));
    if entry.check(Engine::Explorer, scenario, name, shared)? != verdict {
        return Err(format!("{}: two workers find something else", mutant.name).into());
    }
    let failure = verdict.failure().expect("it is killed");
    if entry.replay(Engine::Explorer, scenario, name, &failure.schedule)? != verdict {
        return Err(format!("{}: the replay differs", mutant.name).into());
    }
    Ok(())
}

/// Whether one of these engines kills it, as expected; a kill is repeated from its schedule where
/// `replayed`.
fn mutant(
    entry: &Entry,
    mutant: &MutantInfo,
    engines: &[Engine],
    kills: bool,
    replayed: bool,
) -> Result<(), Failed> {
    let mut verdicts = Vec::new();
    for engine in engines {
        // Whole, where it is to find something: as a sample it might not come so far.
        let mut budget = budget(*engine, Reach::Exhaustive);
        match engine {
            Engine::Random | Engine::Pct if kills => budget.executions = 20_000,
            // What it misses, the explorer kills: as far as this costs little.
            Engine::Loom if !kills => budget.executions = LOOM.min(10_000 * effort()),
            _ => {}
        }
        let verdict = entry.check(*engine, mutant.scenario, Some(mutant.name), budget)?;
        let killed = verdict.failure().is_some();
        verdicts.push((*engine, verdict));
        if killed {
            break;
        }
    }
    if !kills {
        return must_miss(mutant, &verdicts);
    }
    must_kill(entry, mutant, &verdicts)?;
    match verdicts.last().and_then(|(engine, verdict)| Some((engine, verdict.failure()?))) {
        // Loom repeats its whole search.
        Some((Engine::Loom, first)) if first.execution > 20_000 * effort() => Ok(()),
        Some((engine, first)) if replayed => repeats(entry, mutant, *engine, first),
        _ => Ok(()),
    }
}

/// A violation is repeated from its schedule: the same, with the same trace.
fn repeats(
    entry: &Entry,
    mutant: &MutantInfo,
    engine: Engine,
    first: &Failure,
) -> Result<(), Failed> {
    let again = entry.replay(engine, mutant.scenario, Some(mutant.name), &first.schedule)?;
    let Some(again) = again.failure() else {
        return Err(format!("{}: the replay finds nothing", mutant.name).into());
    };
    if again.trace_hash != first.trace_hash || again.violation != first.violation {
        return Err(format!("{}: the replay differs", mutant.name).into());
    }
    println!("{} {}: repeated by {}", entry.name, mutant.name, engine.name());
    Ok(())
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
        let verdict = explored(entry, mutant)?;
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
            trials.push(Trial::test(line, move || killed_by_explorer(&e, &m)));
            let (e, line) = (entry.clone(), format!("{}::loom::mutant::{}", entry.name, m.name));
            let waits = matches!(m.visible, Visible::Explorer(_));
            let kills = m.visible.by_loom();
            // Of two engines that kill it, the kill by the one with schedules of its own is repeated:
            // loom's search is done again, as far as the kill.
            let shown = m.visible.by_shuttle();
            trials.push(
                Trial::test(line, move || mutant(&e, &m, &[Engine::Loom], kills, !shown))
                    .with_ignored_flag(waits),
            );
            let (e, line) = (entry.clone(), format!("{}::shuttle::mutant::{}", entry.name, m.name));
            let engines = [Engine::Random, Engine::Pct, Engine::Dfs];
            trials.push(
                Trial::test(line, move || mutant(&e, &m, &engines, shown, true))
                    .with_ignored_flag(waits),
            );
        }
        let e = entry.clone();
        trials.push(Trial::test(format!("{}::properties", entry.name), move || properties(&e)));
        trials.push(Trial::test(format!("{}::generated", entry.name), move || programs(&entry)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
