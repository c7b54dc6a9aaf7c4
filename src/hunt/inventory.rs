//! `hunt --list-subjects --coverage`: what a VM has in C or Rust, and which share of it operations reach.

use crate::{Format, exit};
use std::process::ExitCode;
use threadbare_stress::introspect::{Coverage, coverage};
use threadbare_stress::subject::Subject;
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::child::interrupted;

/// Names of a reason that are printed.
const SHOWN: usize = 12;

/// Finds out and prints it.
pub fn covered(vm: &Vm, subjects: &[Subject], format: Format) -> anyhow::Result<ExitCode> {
    eprintln!(
        "running the operations of {} subjects, each alone, in {}; then introspecting what they do not reach",
        subjects.len(),
        vm.facts.title()
    );
    let watch = |done: usize, of: usize| {
        if done.is_multiple_of(50) {
            eprintln!("introspected {done} of {of}");
        }
    };
    let found = coverage(vm, subjects, &watch)?;
    if interrupted() {
        return Ok(exit::interrupted());
    }
    match format {
        Format::Json => json(vm, &found),
        Format::Human => human(vm, &found),
    }
    Ok(exit::CLEAN)
}

fn json(vm: &Vm, found: &Coverage) {
    for item in &found.inventory.items {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "item", "name": item.name, "reached": item.reached,
                "reason": item.shunned.as_ref().or(item.left.as_ref()),
            })
        );
    }
    println!(
        "{}",
        serde_json::json!({
            "schema": 1, "event": "coverage", "vm": vm.facts.title(), "items": found.inventory.items.len(),
            "counted": found.counted(), "reached": found.reached(), "percent": found.percent(),
        })
    );
}

fn human(vm: &Vm, found: &Coverage) {
    for ((shunned, reason), names) in found.rest() {
        let more = match names.len().saturating_sub(SHOWN) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let what = if shunned { "not tried" } else { "not reached" };
        let shown = &names[..names.len().min(SHOWN)];
        println!(
            "{what}, {reason}: {} ({}{more})",
            names.len(),
            shown.join(" ")
        );
    }
    let written = |name: &String| !name.contains(':');
    let items = found.inventory.items.iter();
    let by_hand = items.filter(|i| i.reached.iter().any(written)).count();
    println!(
        "{}: {} types and functions of native modules; {} of the {} that may be tried are reached ({:.1} %), {by_hand} of them by \
         subjects written by hand",
        vm.facts.title(),
        found.inventory.items.len(),
        found.reached(),
        found.counted(),
        found.percent().unwrap_or(0.0),
    );
}
