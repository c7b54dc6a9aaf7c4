//! How bugs are printed: in a list, one with its program, and the one that raw output shows.

use crate::Format;
use crate::counterexample::counterexample;
use threadbare_stress::bugs::attribute::Attribution;
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::{self, Bug, Measured, status};
use threadbare_stress::report::pair::Pair;

/// One line a bug, then the sums by VM.
pub fn list(chosen: &[&Bug], matrix: &Matrix, vm: Option<&str>, format: Format) {
    if format == Format::Json {
        for bug in chosen {
            println!("{}", bugs::json("bug", bug));
        }
        return;
    }
    for bug in chosen {
        let state = state(bug, vm);
        println!("{:<42} {state:<20} {}", bug.id(), bug.title);
    }
    println!("{} bugs", chosen.len());
    for totals in matrix.totals() {
        println!("{}", totals.line());
    }
}

/// The worst news about a bug, on one VM or on any.
fn state(bug: &Bug, vm: Option<&str>) -> String {
    let measured = vm.and_then(|vm| bug.measured_on(vm));
    let any = || {
        status::ALL
            .into_iter()
            .find(|s| bug.measured.iter().any(|m| m.status == *s))
    };
    let status = measured.map(|m| m.status).or_else(any);
    status.map_or_else(|| "untried".to_owned(), |s| s.to_string())
}

/// One bug: where it was reported and measured, its program, and the model beside the crash.
pub fn show(bug: &Bug, format: Format) {
    if format == Format::Json {
        println!("{}", bugs::json("bug", bug));
        return;
    }
    println!("{}: {}", bug.id(), bug.title);
    println!("  {}", bug.source);
    println!(
        "  {} of {}; affected: {}; fixed: {}",
        bug.category, bug.vm, bug.affected, bug.fixed
    );
    for (name, value) in [
        ("pattern", &bug.pattern),
        ("protocol", &bug.protocol),
        ("mutant", &bug.mutant),
        ("note", &bug.note),
    ] {
        if !value.is_empty() {
            println!("  {name}: {value}");
        }
    }
    for m in &bug.measured {
        println!("  {}", measured_line(m));
    }
    println!("\n{}", bug.program);
    if let Some(model) = counterexample(&bug.protocol, &bug.mutant) {
        println!("\n{}", Pair::new(model, std::slice::from_ref(bug)).text());
    } else if !bug.crash.is_empty() {
        println!("\n{}", bug.crash);
    }
}

fn measured_line(m: &Measured) -> String {
    let otherwise = match m.otherwise.as_str() {
        "" => String::new(),
        other => format!("; {} otherwise: {other}", m.others),
    };
    format!(
        "{}: {}, {}/{} runs in {:.1} s; {}{otherwise}",
        m.vm, m.status, m.hits, m.runs, m.seconds, m.seen
    )
}

/// The bugs that raw output may show.
pub fn attribution(all: &[Bug], found: &Attribution, format: Format) {
    let title = |id: &str| bugs::find(all, id).map_or("", |b| b.title.as_str());
    match (found, format) {
        (_, Format::Json) => println!("{}", bugs::json("attribution", found)),
        (Attribution::Known { best }, _) => {
            println!("{} ({:.2}): {}", best.id, best.score, title(&best.id));
        }
        (Attribution::Open { matches }, _) => {
            println!("perhaps one of these:");
            for m in matches {
                println!("  {} ({:.2}): {}", m.id, m.score, title(&m.id));
            }
        }
        (Attribution::Unknown, _) => println!("no bug of the catalogue"),
    }
}
