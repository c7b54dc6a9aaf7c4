//! How verdicts on litmus tests are printed, and what is seen of a long search.

use threadbare_litmus::explore::Progress;
use threadbare_litmus::lang::{Engine, Judged};

/// One line on the terminal, overwritten by the next and by the result.
pub fn progress(so_far: &Progress) {
    let Progress {
        executions,
        elapsed,
        ..
    } = so_far;
    let mut line = format!("{executions} executions in {:.0} s", elapsed.as_secs_f64());
    if let Some(estimate) = so_far.estimate {
        let share = (*executions as f64 / estimate.executions).min(1.0);
        let bar = "█".repeat((share * 20.0) as usize);
        line += &format!(
            " │{bar:<20}│ of about {:.0} ± {:.0}",
            estimate.executions, estimate.deviation
        );
    }
    if let Some(left) = so_far.left() {
        line += &format!(", about {:.0} s left", left.as_secs_f64());
    }
    eprint!("\r\x1b[K{line}\r");
}

/// As herd prints a test: its states, the verdict, and what was expected.
pub fn human(judged: &Judged, engine: Engine, witness: bool) {
    let verdict = &judged.verdict;
    print!("{verdict}");
    println!("Engine {} {}", verdict.name, engine.name());
    if let Some(expectation) = &judged.expectation {
        let word = if judged.is_finding() { "MISSED" } else { "met" };
        let reason = expectation
            .reason
            .as_ref()
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default();
        println!(
            "Expected {} {}{reason}: {word}",
            verdict.name, expectation.expected
        );
    }
    println!("Time {} {:.2}", verdict.name, verdict.elapsed.as_secs_f64());
    if let Some(shown) = verdict.witness.as_ref().filter(|_| witness) {
        println!("Execution\n{}", shown.table.trim_end());
    }
    println!();
}

/// One object a test.
pub fn json(judged: &Judged, engine: Engine) {
    let verdict = &judged.verdict;
    let (for_it, against) = verdict.witnesses();
    let states: Vec<serde_json::Value> = verdict
        .states
        .iter()
        .map(|(values, count, holds)| serde_json::json!({"state": verdict.state(values), "count": count, "holds": holds}))
        .collect();
    println!(
        "{}",
        serde_json::json!({
            "schema": 1, "event": "litmus", "test": verdict.name, "engine": engine.name(),
            "condition": verdict.condition, "ok": verdict.ok, "observation": verdict.frequency.to_string(),
            "positive": for_it, "negative": against, "states": states, "undef": verdict.race.is_some(), "race": verdict.race,
            "coverage": verdict.coverage.to_string(), "seconds": verdict.elapsed.as_secs_f64(),
            "expected": judged.expectation.as_ref().map(|e| e.expected.to_string()), "finding": judged.is_finding(),
        })
    );
}
