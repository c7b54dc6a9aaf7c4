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

/// One crash to attribute.
struct Crash {
    /// Where it comes from.
    name: String,
    /// The bug that it is, or `none`: named by hand from the operations and the frames.
    bug: String,
    raw: String,
}

/// Crashes of hunts on free-threaded CPython, on whatever subject met the fault: none of the catalogue's own
/// programs made them.
fn hunted() -> Vec<Crash> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hunt-crashes");
    let files = std::fs::read_dir(dir).unwrap().flatten();
    let mut crashes: Vec<Crash> = files
        .map(|file| {
            let raw = std::fs::read_to_string(file.path()).unwrap();
            let head = raw.lines().next().unwrap();
            Crash {
                name: file.file_name().to_string_lossy().into_owned(),
                bug: head.strip_prefix("bug: ").unwrap().to_owned(),
                raw,
            }
        })
        .collect();
    crashes.sort_by(|a, b| a.name.cmp(&b.name));
    crashes
}

/// Crashes of the catalogue's programs, their names changed and their functions shuffled.
fn recorded(all: &[Bug]) -> Vec<Crash> {
    let crashed = all.iter().filter(|b| !b.crash.is_empty());
    crashed
        .map(|b| Crash {
            name: b.stem.clone(),
            bug: b.id(),
            raw: b.crash.clone(),
        })
        .collect()
}

/// What attribution came to over some crashes.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    crashes: usize,
    /// The first of the ranking is the bug.
    first: usize,
    /// Said to be known, and right.
    known: usize,
    /// Said to be known, and wrong.
    wrong: Vec<String>,
}

fn counts(all: &[Bug], crashes: &[Crash]) -> Counts {
    let index = Index::new(all);
    let mut counts = Counts::default();
    for crash in crashes {
        let bug = bugs::find(all, &crash.bug).ok();
        let is = |id: &str| bug.is_some_and(|b| id == b.id() || b.same.iter().any(|s| s == id));
        counts.crashes += usize::from(bug.is_some());
        let ranked = index.rank(&Evidence::read(&crash.raw));
        counts.first += usize::from(ranked.first().is_some_and(|m| is(&m.id)));
        if let Attribution::Known { best } = index.attribute(&crash.raw) {
            if is(&best.id) {
                counts.known += 1;
            } else {
                counts.wrong.push(format!("{}: {}", crash.name, best.id));
            }
        }
    }
    counts
}

/// The figures are those of the fixtures, so that a change of either shows here.
#[test]
fn crashes_of_hunts_on_other_subjects_are_given_to_their_bug_and_never_to_another() {
    let counts = counts(&catalogue(), &hunted());
    assert!(counts.wrong.is_empty(), "{counts:#?}");
    assert_eq!((counts.crashes, counts.first, counts.known), (71, 58, 43));
}

#[test]
fn recorded_crashes_are_never_given_to_another_bug() {
    let all = catalogue();
    let counts = counts(&all, &recorded(&all));
    assert!(counts.wrong.is_empty(), "{counts:#?}");
    assert_eq!((counts.crashes, counts.first, counts.known), (43, 37, 24));
}

/// Similarity alone never makes a crash a known bug's: the places of two faults can lie in one function.
#[test]
fn what_is_only_like_a_bug_is_a_hint() {
    let all = catalogue();
    let bug = bugs::find(&all, "python/cpython#155519").unwrap();
    let raw = |frames: &[&str]| {
        let frame = |(i, f): (usize, &&str)| format!("#{i}  {f} () at x.c:1\n");
        let stack: String = frames.iter().enumerate().map(frame).collect();
        format!("Thread 2 received signal SIGSEGV, Segmentation fault.\n{stack}")
    };
    let index = Index::new(&all);
    let place = index.attribute(&raw(&["hamt_iterator_next", "hamt_baseiter_tp_iternext"]));
    assert!(
        matches!(&place, Attribution::Known { best } if best.id == bug.id() || bug.same.contains(&best.id)),
        "{place:?}"
    );
    // The same functions, beyond the Python code whose operation crashed.
    let far = [
        "a",
        "_PyEval_EvalFrameDefault",
        "hamt_iterator_next",
        "hamt_baseiter_tp_iternext",
    ];
    let far = index.attribute(&raw(&far));
    assert!(!matches!(far, Attribution::Known { .. }), "{far:?}");
    // In the allocator whatever lies around it is as good as any other.
    let heap = index.attribute(&raw(&["_int_free", "hamt_iterator_next"]));
    assert!(!matches!(heap, Attribution::Known { .. }), "{heap:?}");
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
    let [one, two] = bug.signature.pairs().next().unwrap();
    let index = Index::new(&all);
    for (first, second) in [(one, two), (two, one)] {
        let told = index.decide(&Evidence::of_race(&race(first, second, &[])));
        assert!(
            matches!(&told, Attribution::Known { best } if best.id == bug.id()),
            "{told:?}"
        );
    }
    for (first, second) in [
        ("a_new_function", "another_one"),
        (one.as_str(), "another_one"),
    ] {
        let other = race(first, second, &[one.clone(), two.clone()]);
        assert_eq!(
            index.decide(&Evidence::of_race(&other)),
            Attribution::Unknown,
            "{first} against {second}"
        );
    }
}
