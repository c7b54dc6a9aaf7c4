//! `threadbare vms`: what was found, and what it is.

use crate::{Format, exit};
use std::process::ExitCode;
use threadbare_stress::vm::{MODULES, Vm, candidates};

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare vms
  threadbare vms --vm 'graalpy --experimental-options' --format json")]
pub struct Args {
    /// Look at this VM too (a path, a name on PATH, a quoted command); may be repeated.
    #[arg(long = "vm")]
    vm: Vec<String>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Lists VMs.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut specs = candidates();
    let asked = args.vm.len();
    specs.extend(args.vm);
    let named = specs.len() - asked;
    let mut failed = false;
    if args.format == Format::Human {
        println!(
            "{:<28} {:<26} {:>8} {:>9}  {:<12} missing modules",
            "VM", "is", "speed-up", "turns/µs", "sanitizers"
        );
    }
    for (i, spec) in specs.iter().enumerate() {
        match Vm::open(spec) {
            Ok(vm) if args.format == Format::Json => {
                println!(
                    "{}",
                    serde_json::json!({"schema": 1, "event": "vm", "vm": spec, "facts": vm.facts, "gil": vm.facts.has_gil()})
                );
            }
            Ok(vm) => {
                let missing: Vec<&str> = MODULES
                    .iter()
                    .copied()
                    .filter(|m| !vm.facts.modules.iter().any(|n| n == m))
                    .collect();
                let missing = if missing.is_empty() {
                    "-".to_owned()
                } else {
                    missing.join(" ")
                };
                let sanitizers = if vm.facts.sanitizers.is_empty() {
                    "-".into()
                } else {
                    vm.facts.sanitizers.join(",")
                };
                println!(
                    "{spec:<28} {:<26} {:>8.2} {:>9.2}  {sanitizers:<12} {missing}",
                    vm.facts.title(),
                    vm.facts.speedup,
                    vm.facts.speed
                );
            }
            Err(error) => {
                eprintln!("threadbare: {error}");
                failed |= i >= named;
            }
        }
    }
    if args.format == Format::Human {
        println!(
            "speed-up: two loops one after the other against the same two in two threads (1 = a GIL, 2 = none); \
             turns/µs: turns of an empty loop in one thread, which tells what a sanitizer or debug build costs"
        );
    }
    Ok(if failed {
        exit::environment()
    } else {
        exit::CLEAN
    })
}
