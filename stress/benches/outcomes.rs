//! How often the rarest outcome is seen in a second: the hunt's strides against the two usual
//! tests, in the same process image, on the same VM, one after the other.
//!
//! ```console
//! $ cargo bench -p threadbare-stress                                  # every GIL-free VM that is found
//! $ cargo bench -p threadbare-stress -- --vm PATH --seconds 5
//! ```

use std::collections::BTreeMap;
use std::time::Duration;
use threadbare_stress::choice::Seeded;
use threadbare_stress::scenario::orders::orders;
use threadbare_stress::scenario::render::entry;
use threadbare_stress::scenario::{Call, Scenario, Shape};
use threadbare_stress::subject::{Form, Guarantee, parse};
use threadbare_stress::vm::child::Limits;
use threadbare_stress::vm::{Vm, candidates, job};

/// Set-up, first thread, second thread, observation.
const REFERENCE: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "[1, 2, 3]",
        &["o.append(7)", "o.pop(0)"],
        &["o.insert(0, 8)", "o.pop()"],
        "tuple(o)",
    ),
    ("[1, 2, 3]", &["o.append(7)"], &["o.append(8)"], "tuple(o)"),
    (
        "[3, 1, 2]",
        &["o.pop()"],
        &["o.pop()", "o.append(9)"],
        "tuple(o)",
    ),
    ("[1, 2]", &["o.extend((5, 6))"], &["o.clear()"], "tuple(o)"),
    (
        "dict()",
        &["o.setdefault(1, 10)"],
        &["o.setdefault(1, 20)"],
        "tuple(o.items())",
    ),
    (
        "{1: 1}",
        &["o.pop(1, None)", "o.get(2)"],
        &["o.update({2: 2})"],
        "tuple(sorted(o.items()))",
    ),
    (
        "{1: 1, 2: 2}",
        &["o.popitem()"],
        &["o.popitem()"],
        "tuple(sorted(o.items()))",
    ),
    (
        "{1, 2}",
        &["o.add(3)", "o.discard(1)"],
        &["o.discard(3)"],
        "tuple(sorted(o))",
    ),
    (
        "set()",
        &["o.add(1)"],
        &["len(o)", "o.add(2)"],
        "tuple(sorted(o))",
    ),
    (
        "[1, 2, 3]",
        &["o.reverse()"],
        &["o.pop()", "o.append(4)"],
        "tuple(o)",
    ),
    (
        "[0]",
        &["o.append(len(o))"],
        &["o.append(len(o))"],
        "tuple(o)",
    ),
];

fn scenario(reference: &(&str, &[&str], &[&str], &str)) -> Scenario {
    let text =
        "[[subject]]\nname = 'reference'\ndoc = ''\nmake = ['0']\nfinal = '0'\nsilent = ['0']\n";
    let mut subject = parse("bench", text)
        .expect("the bench's subject parses")
        .remove(0);
    subject.observe = reference.3.to_owned();
    let calls = |codes: &[&str]| {
        let call = |c: &&str| Call {
            code: (*c).to_owned(),
            op: (*c).to_owned(),
            form: Form::Get,
            guarantee: Guarantee::Silent,
            raises: None,
        };
        codes.iter().map(call).collect()
    };
    let mut scenario = Scenario::new(
        &subject,
        reference.0.to_owned(),
        vec![calls(reference.1), calls(reference.2)],
    );
    scenario.shapes = vec![Shape::Stride];
    scenario
}

/// Runs and outcomes of one way of running.
struct Figures {
    runs: f64,
    outcomes: BTreeMap<String, f64>,
    explained: usize,
}

fn run(vm: &Vm, scenario: &Scenario, mode: &str, seconds: f64) -> Result<Figures, String> {
    let ms = (seconds * 1000.0) as u64;
    let all = orders(&scenario.lens(), 1680, &mut Seeded::new(1, &[]));
    let spec = entry(scenario, 0, ms, &all);
    let flags = format!(
        "{{'mode': 'run', 'seed': 1, 'threads': 2, 'free': {}",
        u8::from(mode == "free")
    );
    let text = match mode {
        "free" | "in step" => job::text(&format!("{flags}, 'scenarios': [{spec}]}}")),
        _ => format!(
            "{}{}\nfacts()\npeer({spec}, {flags}}}, '{mode}')\n",
            threadbare_stress::HARNESS,
            include_str!("peers.py")
        ),
    };
    let silence = Duration::from_secs_f64(seconds + 20.0);
    let outcome = job::run_file(
        vm,
        &text,
        Limits {
            silence,
            total: silence,
            spread: true,
            ..Limits::default()
        },
    )
    .map_err(|e| e.to_string())?;
    let log = job::Log::parse(outcome);
    let history = log
        .histories
        .first()
        .filter(|h| h.complete)
        .ok_or_else(|| log.how_it_ended())?;
    let outcomes = history
        .outcomes
        .iter()
        .map(|(o, n)| (o.clone(), *n as f64 / seconds))
        .collect();
    Ok(Figures {
        runs: history.runs as f64 / seconds,
        outcomes,
        explained: history.sequential.len(),
    })
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("unknown processor", |l| {
            l.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{model}, {cores} cores, load {}",
        load.split(' ').next().unwrap_or("?")
    )
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        args.iter()
            .position(|a| a == name)
            .and_then(|i| args.get(i + 1))
            .cloned()
    };
    let seconds: f64 = value("--seconds")
        .and_then(|s| s.parse().ok())
        .unwrap_or(3.0);
    let specs = value("--vm").map_or_else(candidates, |vm| vec![vm]);
    println!("machine: {}", machine());
    println!("command: cargo bench -p threadbare-stress -- --seconds {seconds}");
    for spec in specs {
        let vm = match Vm::open(&spec) {
            Ok(vm) if vm.facts.has_gil() || !vm.facts.modules.iter().any(|m| m == "threading") => {
                continue;
            }
            Ok(vm) => vm,
            Err(error) => {
                println!("skipped {spec}: {error}");
                continue;
            }
        };
        println!(
            "\n{} (outcomes seen, runs/s, rarest outcome/s; ratio: in step to the better peer)",
            vm.facts.title()
        );
        println!(
            "{:<58} {:>22} {:>22} {:>22} {:>22} {:>8}",
            "scenario", "in step", "free", "barrier", "pool", "ratio"
        );
        for reference in REFERENCE {
            let scenario = scenario(reference);
            let results: Vec<Result<Figures, String>> = ["in step", "free", "barrier", "pool"]
                .iter()
                .map(|mode| run(&vm, &scenario, mode, seconds))
                .collect();
            row(&scenario, &results);
        }
    }
}

/// One line of the table. An outcome that any way of running has seen counts as reachable.
fn row(scenario: &Scenario, results: &[Result<Figures, String>]) {
    let mut reachable: Vec<&String> = results
        .iter()
        .flatten()
        .flat_map(|f| f.outcomes.keys())
        .collect();
    reachable.sort();
    reachable.dedup();
    let rarest = |f: &Figures| {
        reachable
            .iter()
            .map(|o| f.outcomes.get(*o).copied().unwrap_or(0.0))
            .fold(f64::MAX, f64::min)
    };
    let cell = |r: &Result<Figures, String>| match r {
        Ok(f) => format!(
            "{}/{} {:>8.0} {:>8.0}",
            f.outcomes.len(),
            reachable.len(),
            f.runs,
            rarest(f)
        ),
        Err(_) => "died".to_owned(),
    };
    let peers = results[2..]
        .iter()
        .flatten()
        .map(rarest)
        .fold(0.0, f64::max);
    let ratio = match &results[0] {
        Ok(f) if peers > 0.0 => format!("{:.0}", rarest(f) / peers),
        Ok(f) if rarest(f) > 0.0 => "inf".to_owned(),
        _ => "-".to_owned(),
    };
    let explained = results
        .iter()
        .flatten()
        .map(|f| f.explained)
        .max()
        .unwrap_or(0);
    let name = scenario.to_string();
    let note = if reachable.len() > explained {
        " (unexplained outcomes among them)"
    } else {
        ""
    };
    let cells: Vec<String> = results.iter().map(cell).collect();
    println!(
        "{name:<58} {:>22} {:>22} {:>22} {:>22} {ratio:>8}{note}",
        cells[0], cells[1], cells[2], cells[3]
    );
    for result in results.iter() {
        if let Err(reason) = result {
            println!("    died: {reason}");
        }
    }
}
