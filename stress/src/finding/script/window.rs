//! A scenario as a program for control: its threads once each, in one window of `control.py`'s kit.

use super::fixed::{ELEMENTS, PAUSE, RENDER, VALUES};
use crate::scenario::render::{make, prelude, reset};
use crate::scenario::threads::{HARNESS, Thread};
use crate::scenario::{Scenario, Shape};
use std::fmt::Write as _;

/// Turns of each thread on a slot: more than one, since who takes the last replaces it.
const TURNS: usize = 4;

/// The program.
///
/// # Errors
/// Why this scenario has none.
pub fn window(scenario: &Scenario) -> Result<String, &'static str> {
    if !scenario.company.is_empty() {
        return Err("what runs beside its operations is not under control");
    }
    let shape = scenario.shapes.first().copied().unwrap_or(Shape::Stride);
    if matches!(shape, Shape::Wait | Shape::Process) {
        return Err("its threads wait for each other or for processes, which is no window");
    }
    let mut out = "from kit import *\n".to_owned();
    let pauses = scenario.context.prelude.contains("PAUSE");
    for (part, wanted) in [
        (VALUES, true),
        (RENDER, true),
        (PAUSE, pauses),
        (ELEMENTS, true),
    ] {
        if wanted {
            out += part;
            out += "\n\n";
        }
    }
    out += &prelude(&scenario.context.requires, &scenario.context.prelude);
    out += "\n\n";
    out += &make(&scenario.make);
    out += "\n\n";
    if let Some(code) = &scenario.context.reset {
        out += &reset(code);
        out += "\n\nRESET()\n";
    }
    let mut bodies = Vec::new();
    for (t, calls) in scenario.threads.iter().enumerate() {
        let name = format!("thread{t}");
        let thread = Thread::new(scenario, t, &HARNESS);
        if shape == Shape::Slot {
            out += &thread.slot(&name);
            bodies.push(format!("lambda: {name}(OBJECTS, {TURNS}, 255, [])"));
        } else {
            out += &thread.free(&name);
            let results = ", [None]".repeat(calls.len());
            bodies.push(format!("lambda: {name}(OBJECTS, 1{results})"));
        }
        out += "\n\n";
    }
    let _ = writeln!(out, "OBJECTS = [MK()]\ntogether({})", bodies.join(", "));
    Ok(out)
}
