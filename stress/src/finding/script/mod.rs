//! A finding as a stand-alone Python script that needs only the VM.
//!
//! It does what the harness does, with nothing adaptive in it: the sequential outcomes
//! first, then the race in the shape that showed it, until it hits or the time is over.

mod fixed;

use self::fixed::{
    BEGIN, COMPANY, COMPARE, COMPARE_IN_TIME, COMPARE_MAIN, ELEMENTS, ENVIRONMENT, EXPLAIN,
    IN_COMPANY, IN_TIME, LOOK, LOOK_MAIN, NATURE, ORDERS, PARALLEL, PAUSE, PROCESS,
    PROCESS_COMPARE_MAIN, PROCESS_MAIN, RECORD, RENDER, RESET, REST, REST_MAIN, SEQUENTIAL, SLOT,
    SLOT_MAIN, STRIDE, STRIDE_MAIN, VALUES, WAIT,
};
use crate::oracle::poison;
use crate::python::quote;
use crate::scenario::company::environment;
use crate::scenario::render::{body, make, observe, prelude, raises, reset};
use crate::scenario::threads::{SCRIPT, Thread};
use crate::scenario::tuning::Tuning;
use crate::scenario::{Scenario, Shape};
use crate::verdict::{Kind, OUT_OF_TIME};
use std::fmt::Write as _;

/// What the head of a script says.
pub struct Head<'a> {
    /// Kind of failure, which decides what counts as a hit.
    pub kind: Kind,
    /// VM it was found on.
    pub vm: &'a str,
    /// What was seen.
    pub detail: &'a str,
    /// Why it must not be.
    pub why: &'a str,
    /// Whether threads go without waiting for each other: where one runs at a time spinning would
    /// only waste its turns, and a sanitizer would report the plain reads that it is made of.
    pub gil: bool,
    /// How it differs from the usual script.
    pub tuning: &'a Tuning,
}

/// The script of a scenario.
pub fn script(scenario: &Scenario, head: &Head) -> String {
    let mut out = String::new();
    let subject = &scenario.context.subject;
    let _ = writeln!(out, "# {subject}: {} on {}", head.kind, head.vm);
    for text in [&scenario.to_string(), head.detail, head.why] {
        for line in wrap(text) {
            let _ = writeln!(out, "# {line}");
        }
    }
    out += "#\n# Usage: VM FILE [SECONDS]   exit 1: hit (a crash ends it by itself), 0: not hit in SECONDS (default 30)\n";
    if matches!(head.kind, Kind::DataRace | Kind::Sanitizer) {
        out += "# The sanitizer's report on stderr is the hit: run it on a VM compiled with that sanitizer, with setarch -R\n\
                # and, for races, TSAN_OPTIONS=history_size=7.\n";
    }
    let shape = scenario.shapes.first().copied().unwrap_or(Shape::Stride);
    let at_rest = matches!(head.kind, Kind::Refcount | Kind::Leak);
    let in_time = is_out_of_time(head);
    let compare = matches!(shape, Shape::Stride | Shape::Process)
        && matches!(
            head.kind,
            Kind::Outcome | Kind::Exception | Kind::Internal | Kind::Uninitialised | Kind::Corrupt
        );
    let look = looks(shape, head.kind) && head.tuning.look;
    for (part, wanted) in [
        (VALUES, true),
        (RENDER, compare || look || shape == Shape::Slot),
        (REST, at_rest),
        (ORDERS, compare || shape == Shape::Process),
        (IN_TIME, in_time),
        (PROCESS, shape == Shape::Process),
        (PAUSE, scenario.context.prelude.contains("PAUSE")),
        (COMPANY, !scenario.company.is_empty()),
    ] {
        if wanted {
            out += part;
            out += "\n\n";
        }
    }
    out += "try:\n    import _thread\nexcept ImportError:\n    import thread as _thread\n";
    out += "try:\n    import faulthandler\n    faulthandler.enable()\nexcept Exception:\n    faulthandler = None\n";
    let tuning = head.tuning;
    let mut variables = tuning.environment.clone();
    let started_with = environment(&scenario.company).into_iter();
    variables.extend(started_with.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if !variables.is_empty() {
        let pairs = variables.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{}: {}", quote(name), quote(value)))
            .collect();
        let _ = writeln!(out, "import os\nENVIRONMENT = {{{}}}", pairs.join(", "));
        out += ENVIRONMENT;
    }
    if head.gil {
        let seconds = tuning.switch_interval.unwrap_or(0.00001);
        let _ = writeln!(
            out,
            "if hasattr(sys, 'setswitchinterval'):\n    sys.setswitchinterval({seconds})"
        );
    }
    out += ELEMENTS;
    out += "\n\n";
    out += &prelude(&scenario.context.requires, &scenario.context.prelude);
    out += "\n\n";
    out += &make(&scenario.make);
    out += "\n\n";
    if compare || look {
        out += &observe(&scenario.context.observe);
        out += "\n\n";
    }
    if let Some(code) = &scenario.context.reset {
        out += &reset(code);
        out += "\n\ndef FRESH():\n    RESET()\n    return MK()\n\n\n";
    }
    let threads = if shape == Shape::Wait {
        0
    } else {
        scenario.threads.len()
    };
    for t in 0..threads {
        let thread = Thread::new(scenario, t, &SCRIPT);
        let name = format!("thread{t}");
        out += &match shape {
            Shape::Slot => thread.slot(&name),
            _ => thread.stride(&name, !head.gil, in_time),
        };
        out += "\n\n";
    }
    out += PARALLEL;
    if !scenario.company.is_empty() {
        let company: Vec<String> = scenario.company.iter().map(|c| quote(c.name())).collect();
        let _ = write!(out, "\n\nCOMPANY = _Company([{}])\n", company.join(", "));
        out += IN_COMPANY;
    }
    if shape == Shape::Wait {
        if !scenario.company.is_empty() {
            out += "\nPAUSE.join = COMPANY.join\n";
        }
        out += &check(scenario);
        out += &sequential(scenario);
        out += "\n\n";
        return out + WAIT + BEGIN + if at_rest { REST_MAIN } else { STRIDE_MAIN };
    }
    let _ = write!(out, "\n\nTHREADS = [{}]\n", names("thread", threads));
    if shape == Shape::Slot {
        let masks = tuning.replace.map_or_else(
            || "3, 15, 63, 255".to_owned(),
            |n| format!("{},", n.max(1) - 1),
        );
        let turns = tuning.turns.unwrap_or(4000);
        let alarm = match head.kind.ends_process() || at_rest {
            true => "False",
            false => "True",
        };
        let _ = write!(
            out,
            "TURNS = {turns}\nMASKS = ({masks})\nALARM_IS_HIT = {alarm}\n"
        );
        out += "\n\n";
        out += SLOT;
        out += &resetting(scenario);
        return out + BEGIN + if at_rest { REST_MAIN } else { SLOT_MAIN };
    }
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let (mut first, mut size) = (100, scenario.context.size.min(2000));
    if let Some(objects) = tuning.objects {
        (first, size) = (objects, objects);
    }
    // What is reset, or is a process's own, all objects of a stride would share.
    if shape == Shape::Process || scenario.context.reset.is_some() {
        (first, size) = (1, 1);
    }
    let lags = tuning
        .lag
        .map_or_else(|| "0, 2, 6, 16, 40".to_owned(), |n| format!("{n},"));
    let _ = write!(
        out,
        "LENS = [{}]\nFIRST, SIZE = {first}, {size}\nLAGS = ({lags})\n",
        lens.join(", "),
    );
    if compare {
        out += &sequential(scenario);
        out += &check(scenario);
        let poison: Vec<String> = poison::readings().iter().map(|r| quote(r)).collect();
        let _ = write!(
            out,
            "\n\nWRONG = {}  # the class of outcome that is the hit\nRAISES = [{}]\nPOISON = [{}]\n\n\n",
            quote(&wrong(head)),
            raises(scenario),
            poison.join(", ")
        );
        let orders = if shape == Shape::Process {
            "_Apart("
        } else {
            "_Orders("
        };
        let fresh = if scenario.context.reset.is_some() {
            "FRESH"
        } else {
            "MK"
        };
        out += &EXPLAIN.replace("_Orders(MK", &format!("{orders}{fresh}"));
        out += "\n\n";
        out += NATURE;
    }
    out += "\n\n";
    if in_time {
        out += RECORD;
        out += "\n\n";
    }
    out += STRIDE;
    out += &resetting(scenario);
    out += "\n\n";
    if compare {
        out += COMPARE;
        out += "\n\n";
        if in_time {
            out += COMPARE_IN_TIME;
            out += "\n\n";
        }
    }
    if look {
        out += LOOK;
        out += "\n\n";
    }
    out += BEGIN;
    out += match shape {
        Shape::Process if compare => PROCESS_COMPARE_MAIN,
        Shape::Process => PROCESS_MAIN,
        _ if at_rest => REST_MAIN,
        _ if compare => COMPARE_MAIN,
        _ if look => LOOK_MAIN,
        _ => STRIDE_MAIN,
    };
    out
}

/// Whether a script of this shape and kind may look at what its strides leave, and does not do so anyway.
pub fn looks(shape: Shape, kind: Kind) -> bool {
    shape == Shape::Stride && kind.ends_process()
}

/// The function that tells whether an object at rest is what it must be.
fn check(scenario: &Scenario) -> String {
    let check = scenario.context.check.as_deref().unwrap_or("True");
    format!("\n\ndef check(o, N=N, K=K, V=V):\n    return {check}\n")
}

/// Strides that reset what is shared, where the subject asks for it.
fn resetting(scenario: &Scenario) -> String {
    match scenario.context.reset {
        Some(_) => format!("\n\n{RESET}"),
        None => String::new(),
    }
}

/// The class of the wrong outcome that is looked for, as `wrong` of the script names it.
fn wrong(head: &Head) -> String {
    let exception = head.detail.strip_prefix("raised ").unwrap_or(head.detail);
    let exception = exception.split([':', ',', ' ']).next().unwrap_or("");
    match head.kind {
        Kind::Exception => format!("exception {exception}"),
        Kind::Internal => format!("internal {exception}"),
        Kind::Uninitialised => "alien".to_owned(),
        Kind::Corrupt => "check".to_owned(),
        _ if is_out_of_time(head) => "real time".to_owned(),
        _ => "order".to_owned(),
    }
}

/// Whether only orders against real time give what was seen, so that the script must record it too.
fn is_out_of_time(head: &Head) -> bool {
    head.kind == Kind::Outcome && head.detail.starts_with(OUT_OF_TIME)
}

fn names(prefix: &str, n: usize) -> String {
    (0..n)
        .map(|t| format!("{prefix}{t}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.len() + word.len() > 100 {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// The specification: the orders of the same operations, run on one thread of the same VM.
fn sequential(scenario: &Scenario) -> String {
    let mut out = String::new();
    let mut rows = Vec::new();
    for (t, calls) in scenario.threads.iter().enumerate() {
        let mut row = Vec::new();
        for (j, call) in calls.iter().enumerate() {
            out += "\n\n";
            out += &body(&format!("op{t}_{j}"), call.form, &call.code);
            row.push(format!("op{t}_{j}"));
        }
        rows.push(format!("[{}]", row.join(", ")));
    }
    let _ = write!(out, "\n\nOPERATIONS = [{}]\n", rows.join(", "));
    out + "\n\n" + SEQUENTIAL
}
