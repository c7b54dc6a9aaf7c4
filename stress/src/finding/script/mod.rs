//! A finding as a stand-alone Python script that needs only the VM.
//!
//! It does what the harness does, with nothing adaptive in it: the sequential outcomes
//! first, then the race in the shape that showed it, until it hits or the time is over.

mod fixed;

use self::fixed::{
    COMPARE, COMPARE_MAIN, ELEMENTS, ENVIRONMENT, EXPLAIN, NATURE, ORDERS, PARALLEL, RENDER, REST,
    REST_MAIN, SEQUENTIAL, SLOT, SLOT_MAIN, STRIDE, STRIDE_MAIN, VALUES,
};
use crate::oracle::poison;
use crate::python::quote;
use crate::scenario::render::{body, make, observe, prelude, raises};
use crate::scenario::threads::{SCRIPT, Thread};
use crate::scenario::tuning::Tuning;
use crate::scenario::{Scenario, Shape};
use crate::verdict::Kind;
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
    out += "#\n# Usage: VM repro.py [SECONDS]   exit 1: hit (a crash ends it by itself), 0: not hit in SECONDS (default 30)\n";
    if matches!(head.kind, Kind::DataRace | Kind::Sanitizer) {
        out += "# The sanitizer's report on stderr is the hit: run it on a VM compiled with that sanitizer, with setarch -R\n\
                # and, for races, TSAN_OPTIONS=history_size=7.\n";
    }
    let shape = scenario.shapes.first().copied().unwrap_or(Shape::Stride);
    let at_rest = matches!(head.kind, Kind::Refcount | Kind::Leak);
    let compare = shape == Shape::Stride
        && matches!(
            head.kind,
            Kind::Outcome | Kind::Exception | Kind::Internal | Kind::Uninitialised | Kind::Corrupt
        );
    for (part, wanted) in [
        (VALUES, true),
        (RENDER, compare || shape == Shape::Slot),
        (REST, at_rest),
        (ORDERS, compare),
    ] {
        if wanted {
            out += part;
            out += "\n\n";
        }
    }
    out += "try:\n    import _thread\nexcept ImportError:\n    import thread as _thread\n";
    out += "try:\n    import faulthandler\n    faulthandler.enable()\nexcept Exception:\n    faulthandler = None\n";
    let tuning = head.tuning;
    if !tuning.environment.is_empty() {
        let pairs = tuning.environment.iter();
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
    if compare {
        out += &observe(&scenario.context.observe);
        out += "\n\n";
    }
    for t in 0..scenario.threads.len() {
        let thread = Thread::new(scenario, t, &SCRIPT);
        let name = format!("thread{t}");
        out += &match shape {
            Shape::Slot => thread.slot(&name),
            _ => thread.stride(&name, !head.gil, false),
        };
        out += "\n\n";
    }
    out += PARALLEL;
    let _ = write!(
        out,
        "\n\nTHREADS = [{}]\n",
        names("thread", scenario.threads.len())
    );
    if shape == Shape::Slot {
        let masks = tuning.replace.map_or_else(
            || "3, 15, 63, 255".to_owned(),
            |n| format!("{},", n.max(1) - 1),
        );
        let turns = tuning.turns.unwrap_or(4000);
        let _ = write!(out, "TURNS = {turns}\nMASKS = ({masks})\n");
        return out + "\n\n" + SLOT + "\n\n" + if at_rest { REST_MAIN } else { SLOT_MAIN };
    }
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let size = tuning.objects.unwrap_or(scenario.context.size.min(2000));
    let first = tuning.objects.unwrap_or(100);
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
        let check = scenario.context.check.as_deref().unwrap_or("True");
        let _ = write!(
            out,
            "\n\ndef check(o, N=N, K=K, V=V):\n    return {check}\n"
        );
        let poison: Vec<String> = poison::readings().iter().map(|r| quote(r)).collect();
        let _ = write!(
            out,
            "\n\nWRONG = {}  # the class of outcome that is the hit\nRAISES = [{}]\nPOISON = [{}]\n\n\n",
            quote(&wrong(head)),
            raises(scenario),
            poison.join(", ")
        );
        out += EXPLAIN;
        out += "\n\n";
        out += NATURE;
    }
    out += "\n\n";
    out += STRIDE;
    out += "\n\n";
    if compare {
        out += COMPARE;
        out += "\n\n";
    }
    out += if at_rest {
        REST_MAIN
    } else if compare {
        COMPARE_MAIN
    } else {
        STRIDE_MAIN
    };
    out
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
        _ => "order".to_owned(),
    }
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
