//! Raw output to the known bug that it shows, and never to another.

use std::path::Path;
use threadbare_stress::bugs::attribute::{Attribution, Evidence, Index};
use threadbare_stress::bugs::{self, Bug};
use threadbare_stress::verdict::sanitizer::{Report, parse};

/// The files as they lie in the repository.
fn catalogue() -> Vec<Bug> {
    bugs::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs")).unwrap()
}

/// Raw output whose stacks are those of no bug must not be given to one.
#[test]
fn foreign_output_is_attributed_to_nothing() {
    let index = Index::new(&catalogue());
    let raw = "Thread 2 received signal SIGSEGV\n#0  my_extension_function (self=1) at x.c:1\n\
               #1  another_function_of_mine (a=2) at x.c:9\n#2  _PyEval_EvalFrameDefault (f=3)\n";
    assert_eq!(index.attribute(raw), Attribution::Unknown);
    assert_eq!(index.attribute("nothing at all\n"), Attribution::Unknown);
}

#[test]
fn raw_output_is_attributed_to_its_bug_and_bugs_never_merge() {
    let all = catalogue();
    let index = Index::new(&all);
    // Recorded of programs whose names were changed and whose threads and functions were shuffled.
    let crashed: Vec<&Bug> = all.iter().filter(|b| !b.crash.is_empty()).collect();
    assert!(
        crashed.len() >= 16,
        "{} outputs to attribute",
        crashed.len()
    );
    let (mut first, mut known, mut merged) = (0, 0, Vec::new());
    let mut missed = Vec::new();
    for bug in &crashed {
        let same = |id: &str| id == bug.id() || bug.same.iter().any(|s| s == id);
        let ranked = index.rank(&Evidence::read(&bug.crash));
        if ranked.first().is_some_and(|m| same(&m.id)) {
            first += 1;
        } else {
            missed.push((&bug.stem, ranked.into_iter().take(2).collect::<Vec<_>>()));
        }
        if let Attribution::Known { best } = index.attribute(&bug.crash) {
            known += 1;
            if !same(&best.id) {
                merged.push((&bug.stem, best));
            }
        }
    }
    eprintln!(
        "{first} of {} first, {known} said without doubt; missed: {missed:#?}",
        crashed.len()
    );
    assert!(merged.is_empty(), "taken for another bug: {merged:#?}");
    assert!(
        first * 10 >= crashed.len() * 9,
        "{first} of {}",
        crashed.len()
    );
}

/// A race between these functions, called by the others.
fn race(first: &str, second: &str, callers: &[String]) -> Report {
    let callers: String = callers
        .iter()
        .map(|caller| format!("    #1 {caller} ./Objects/x.c:3:4 (python3.13t+0x2)\n"))
        .collect();
    let side = |head: &str, function: &str| {
        format!(
            "  {head} of size 8 at 0x7b by thread T1:\n    \
             #0 {function} ./Objects/x.c:1:2 (python3.13t+0x1)\n{callers}\n"
        )
    };
    let text = format!(
        "==================\nWARNING: ThreadSanitizer: data race (pid=1)\n{}{}\
         SUMMARY: ThreadSanitizer: data race ./Objects/x.c:1:2 in {first}\n==================\n",
        side("Write", first),
        side("Previous read", second)
    );
    parse(&text).remove(0)
}

#[test]
fn a_race_is_a_bugs_where_its_accesses_are_not_where_its_callers_are() {
    let all = catalogue();
    let bug = bugs::find(&all, "python/cpython#129069").unwrap();
    let functions = &bug.signature.race;
    let index = Index::new(&all);
    let told = index.decide(&Evidence::of_race(&race(&functions[0], "list_item", &[])));
    assert!(
        matches!(&told, Attribution::Known { best } if best.id == bug.id()),
        "{told:?}"
    );
    let other = race("a_new_function", "another_one", functions);
    assert_eq!(
        index.decide(&Evidence::of_race(&other)),
        Attribution::Unknown
    );
}
