//! Whether two failures are one, also when one side knows less.

use super::place::{Operations, SMALL, included};
use super::{Faces, Failure, faces, told};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// They are one.
    Yes,
    /// They are two.
    No,
    /// What both know does not tell. A finding is not a duplicate then, and a run is no hit; only the
    /// minimiser goes on, for a smaller scenario tells more.
    Unknown,
}

impl From<bool> for Same {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Whether two failures' kinds can be faces of one fault. Damaged memory also shows as a standstill, but
/// only inside the allocator; a standstill of which no debugger told the frames may be that one again.
pub fn kindred(a: &Failure, b: &Failure) -> bool {
    let damage = |f: &Failure| faces(f.kind) == Faces::Standstill && f.place.heap;
    faces(a.kind) == faces(b.kind)
        || damage(a) && faces(b.kind) == Faces::Death
        || damage(b) && faces(a.kind) == Faces::Death
}

/// Whether two failures are one: kindred kinds, and one place on the first level that both know.
pub fn same(a: &Failure, b: &Failure) -> Same {
    if !kindred(a, b) {
        return Same::No;
    }
    let (p, q) = (&a.place, &b.place);
    // What raced does not become what one thread does without the other.
    if let (Some(x), Some(y)) = (p.alone, q.alone)
        && x != y
    {
        return Same::No;
    }
    // Who waits for a lock does not become who computes, beside damage that either may meet.
    if let (Some(x), Some(y)) = (p.computes, q.computes)
        && x != y
        && !(p.heap && q.heap)
    {
        return Same::No;
    }
    if let (Some(x), Some(y)) = (&p.line, &q.line) {
        return (x == y).into();
    }
    match (&p.report, &q.report) {
        (Some(x), Some(y)) => return (x == y).into(),
        (None, None) => {}
        // A run that reports nothing else cannot be what a report tells.
        _ => return Same::No,
    }
    if !p.frames.is_empty() && !q.frames.is_empty() {
        return told::one_place(&p.frames, &q.frames).into();
    }
    if let (Some(x), Some(y)) = (&p.result, &q.result)
        && x != y
    {
        return Same::No;
    }
    let wrong_result = p.result.is_some() && q.result.is_some();
    operations(&p.operations, &q.operations, wrong_result)
}

/// Whether two failures are kept as one where an answer is needed, as of two under one name or of a mark. Many
/// operations say too little of where, unless they are the very same.
pub fn kept_as_one(a: &Failure, b: &Failure) -> bool {
    match same(a, b) {
        Same::Yes => true,
        Same::No => false,
        Same::Unknown => a.place.operations.within == b.place.operations.within,
    }
}

fn operations(a: &Operations, b: &Operations, wrong_result: bool) -> Same {
    if a.within.is_empty() || b.within.is_empty() {
        return Same::Unknown;
    }
    if !wrong_result && is_another_race(a, b) {
        return Same::No;
    }
    // The scenario again: its results are compared as a whole, and of a small one more is not asked.
    if a.within == b.within && (wrong_result || a.calls() <= SMALL) {
        return Same::Yes;
    }
    if a.is_exact() && b.is_exact() {
        // A thread more beside the same operations is the same race.
        return (a.part_of(b) || b.part_of(a)).into();
    }
    let (racing, other) = (a.racing(), b.racing());
    if racing.is_some() && racing == other {
        return Same::Yes;
    }
    let (small, large) = if a.calls() <= b.calls() {
        (a, b)
    } else {
        (b, a)
    };
    if !small.part_of(large) {
        return Same::No;
    }
    let Some(op) = &large.at else {
        return if large.beside.is_empty() && large.calls() <= SMALL {
            Same::Yes
        } else {
            Same::Unknown
        };
    };
    if !small.within.iter().flatten().any(|o| o == op) {
        return Same::No;
    }
    // Which of the others it raced with is a hint only, unless all of the smaller's were in flight.
    let all_in_flight = match (small.racing(), large.racing()) {
        (Some(fewer), Some(more)) => small.is_exact() && included(&fewer, &more),
        _ => false,
    };
    if all_in_flight {
        Same::Yes
    } else {
        Same::Unknown
    }
}

/// Whether what was in flight on both sides tells two races. Either side of a race may die of it: another
/// one is what died beside neither. Of a standstill nobody died, and its threads are told as they stand.
fn is_another_race(a: &Operations, b: &Operations) -> bool {
    // There the operations say all.
    if a.is_exact() || b.is_exact() {
        return false;
    }
    match (&a.at, &b.at) {
        (Some(x), Some(y)) => {
            // Of whom nobody tells what was beside, any operation of another thread may have been.
            let beside = |ops: &Operations, at: &String| {
                ops.beside.contains(at) || ops.beside.is_empty() && ops.apart(x, y)
            };
            x != y && !beside(a, y) && !beside(b, x)
        }
        (None, None) if !a.beside.is_empty() && !b.beside.is_empty() => {
            !a.beside.iter().any(|op| b.beside.contains(op))
        }
        _ => false,
    }
}

/// How many of these failures are at places of their own: one that is the same as one before is at its
/// place, and one that cannot be told to be is not.
pub fn distinct<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> usize {
    let mut places: Vec<&Failure> = Vec::new();
    for failure in failures {
        if places.iter().all(|place| same(place, failure) != Same::Yes) {
            places.push(failure);
        }
    }
    places.len()
}

/// What a run shows of an expected failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The same failure.
    Same,
    /// Another one, or one that cannot be told to be the same.
    Other(Failure),
    /// None.
    None,
}

/// What a run that showed these failures is to one that expects `expected`. A run is a hit when one
/// of them is the *same*.
pub fn hit(expected: &Failure, shown: &[Failure]) -> Hit {
    if shown.iter().any(|f| same(expected, f) == Same::Yes) {
        return Hit::Same;
    }
    shown.first().map_or(Hit::None, |f| Hit::Other(f.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Place;
    use crate::verdict::Kind;

    fn ops(threads: &[&[&str]], at: Option<&str>, beside: &[&str]) -> Operations {
        let thread = |t: &&[&str]| t.iter().map(|&o| o.to_owned()).collect();
        Operations {
            within: threads.iter().map(thread).collect(),
            at: at.map(str::to_owned),
            beside: beside.iter().map(|&o| o.to_owned()).collect(),
        }
    }

    fn failure(kind: Kind, detail: &str, operations: Operations) -> Failure {
        let place = Place {
            operations,
            ..Place::of_detail(kind, detail)
        };
        Failure { kind, place }
    }

    fn crash(operations: Operations) -> Failure {
        failure(Kind::Crash, "SIGSEGV", operations)
    }

    /// Asks both ways: the answer must not depend on who asks.
    fn ask(a: &Failure, b: &Failure) -> Same {
        assert_eq!(same(a, b), same(b, a), "{a} and {b}");
        same(a, b)
    }

    #[test]
    fn the_same_pair_is_one_and_another_pair_is_two() {
        let pair = crash(ops(&[&["append"], &["pop"]], Some("pop"), &[]));
        let other_side = crash(ops(&[&["append"], &["pop"]], Some("append"), &["pop"]));
        assert_eq!(ask(&pair, &other_side), Same::Yes);
        let twice = crash(ops(&[&["append"], &["append"]], None, &[]));
        assert_eq!(
            ask(&twice, &pair),
            Same::No,
            "append ‖ append is not append ‖ pop"
        );
        let three = crash(ops(&[&["append"], &["append"], &["pop"]], None, &[]));
        assert_eq!(ask(&pair, &three), Same::Yes);
    }

    #[test]
    fn a_storm_is_the_pair_in_flight_and_no_other() {
        let storm: &[&[&str]] = &[&["append", "clear", "pop"], &["append", "extend", "pop"]];
        let pair = |a, b| crash(ops(&[&[a], &[b]], None, &[]));
        let at_pop = crash(ops(storm, Some("pop"), &["append"]));
        assert_eq!(ask(&pair("append", "pop"), &at_pop), Same::Yes);
        assert_eq!(ask(&pair("append", "append"), &at_pop), Same::No);
        assert_eq!(
            ask(&pair("extend", "pop"), &at_pop),
            Same::Unknown,
            "the other is a hint"
        );
        let at_clear = crash(ops(storm, Some("clear"), &["extend"]));
        assert_eq!(ask(&at_pop, &at_clear), Same::No, "two storms, two pairs");
        let other_side = crash(ops(storm, Some("append"), &["extend", "pop"]));
        assert_eq!(
            ask(&at_pop, &other_side),
            Same::Unknown,
            "either side may die"
        );
        let silent = crash(ops(storm, None, &[]));
        assert_eq!(ask(&pair("append", "pop"), &silent), Same::Unknown);
    }

    #[test]
    fn a_small_scenario_has_races_of_its_own() {
        let small: &[&[&str]] = &[&["close", "write"], &["init", "truncate"]];
        let of = |at, beside: &[&str]| crash(ops(small, Some(at), beside));
        let written = of("write", &["init"]);
        assert_eq!(ask(&written, &of("close", &["truncate"])), Same::No);
        assert_eq!(ask(&written, &of("init", &["write"])), Same::Yes);
        assert_eq!(ask(&written, &of("init", &["close"])), Same::Yes, "a hint");
        assert_eq!(ask(&written, &of("truncate", &["close"])), Same::No);
        // Nobody tells what was beside: the two sides of a race stand in two threads.
        assert_eq!(ask(&of("write", &[]), &of("init", &[])), Same::Yes);
        assert_eq!(ask(&of("write", &[]), &of("close", &[])), Same::No);
        assert_eq!(ask(&written, &crash(ops(small, None, &[]))), Same::Yes);
        let waits = |beside: &[&str]| failure(Kind::Deadlock, "x", ops(small, None, beside));
        assert_eq!(
            ask(&waits(&["write", "init"]), &waits(&["close", "truncate"])),
            Same::No
        );
        assert_eq!(
            ask(&waits(&["write", "init"]), &waits(&["write"])),
            Same::Yes
        );
    }

    #[test]
    fn what_the_allocator_says_is_no_place() {
        let pair = ops(&[&["append"], &["pop"]], None, &[]);
        let other = ops(&[&["sort"], &["pop"]], None, &[]);
        for (kind, words) in [
            (
                Kind::Fatal,
                "Fatal Python error: _PyMem_DebugRawFree: bad ID: Allocated using API 'm'",
            ),
            (
                Kind::Assertion,
                "Objects/mimalloc/page.c:12: mi_page_free: Assertion of mimalloc",
            ),
            (
                Kind::Assertion,
                "malloc.c:2617: sysmalloc: Assertion `x' failed.",
            ),
            (
                Kind::ShutdownCrash,
                "Objects/mimalloc/page.c:12: mi_page_free: Assertion of mimalloc",
            ),
        ] {
            let here = failure(kind, words, pair.clone());
            assert!(here.damages_heap() && here.place.line.is_none(), "{here:?}");
            let there = failure(kind, words, other.clone());
            assert_eq!(ask(&here, &there), Same::No, "{words}");
        }
        let own = failure(
            Kind::Fatal,
            "Fatal Python error: _PyMutex_Unlock: unlocking",
            pair,
        );
        assert!(own.place.line.is_some() && !own.damages_heap());
    }

    #[test]
    fn who_computes_does_not_wait() {
        let of = |kind, detail| failure(kind, detail, ops(&[&["a"], &["b"]], None, &[]));
        let waits = of(Kind::Deadlock, "no progress: 0 threads running, 3 sleeping");
        let computes = of(Kind::Hang, "no progress: 1 threads running, 0 sleeping");
        let joined = of(Kind::Hang, "no progress: 1 threads running, 1 sleeping; x");
        let beside = of(
            Kind::Hang,
            "no progress: 1 threads running, 3 sleeping (1 for time or input)",
        );
        let timed = of(
            Kind::Hang,
            "no progress: 0 threads running, 3 sleeping (1 for time or input)",
        );
        assert_eq!(ask(&waits, &computes), Same::No);
        assert_eq!(ask(&waits, &joined), Same::No);
        assert_eq!(ask(&computes, &joined), Same::Yes);
        assert_eq!(
            ask(&waits, &beside),
            Same::Yes,
            "whether one still runs is chance"
        );
        assert_eq!(ask(&waits, &timed), Same::Yes);
        let died = of(Kind::ShutdownCrash, "SIGSEGV");
        assert_eq!(
            ask(
                &died,
                &of(Kind::ShutdownHang, "all work done, then no end: x")
            ),
            Same::No
        );
    }

    #[test]
    fn what_the_vm_names_decides_before_operations_do() {
        let pair = ops(&[&["append"], &["pop"]], None, &[]);
        let at = |line| failure(Kind::Panic, line, pair.clone());
        assert_eq!(
            ask(&at("a.rs:1: len is 3"), &at("a.rs:1: len is 9")),
            Same::Yes
        );
        assert_eq!(ask(&at("a.rs:1: x"), &at("a.rs:2: x")), Same::No);
        let assertion = failure(
            Kind::Assertion,
            "o.c:7: f: Assertion `a' failed.",
            pair.clone(),
        );
        let other = failure(
            Kind::Assertion,
            "o.c:9: f: Assertion `a' failed.",
            pair.clone(),
        );
        assert_eq!(ask(&assertion, &other), Same::No);
        // One says where and the other died without a word: what both know decides.
        assert_eq!(ask(&assertion, &crash(pair)), Same::Yes);
        let elsewhere = crash(ops(&[&["sort"], &["pop"]], None, &[]));
        assert_eq!(ask(&assertion, &elsewhere), Same::No);
    }

    #[test]
    fn frames_decide_where_both_have_them_and_never_the_allocators() {
        let with =
            |frames: &str| crash(ops(&[&["append"], &["pop"]], None, &[])).with_backtrace(frames);
        let resize = with("#0  list_resize (x=1) at a.c:1\n#1  list_append () at a.c:2\n");
        let inlined =
            with("#0  Py_INCREF (x=1) at a.c:1\n#1  list_append.lto_priv.0 () at a.c:2\n");
        let slice = with("#0  list_slice () at a.c:9\n#1  list_subscript () at a.c:2\n");
        let heap = with("#0  mi_free.part.0 () at a.c:9\n#1  list_dealloc () at a.c:2\n");
        assert_eq!(ask(&resize, &inlined), Same::Yes);
        assert_eq!(ask(&resize, &slice), Same::No);
        assert!(heap.damages_heap() && heap.place.frames.is_empty());
        assert_eq!(ask(&resize, &heap), Same::Yes, "by their operations");
    }

    #[test]
    fn kinds_are_faces_of_one_fault_or_not() {
        let of = |kind, detail| failure(kind, detail, ops(&[&["a"], &["b"]], None, &[]));
        let crash = of(Kind::Crash, "SIGSEGV");
        assert_eq!(
            ask(&crash, &of(Kind::Crash, "SIGABRT: free(): invalid pointer")),
            Same::Yes
        );
        assert_eq!(
            ask(&crash, &of(Kind::Fatal, "Fatal Python error: x")),
            Same::Yes
        );
        let looping = of(
            Kind::Hang,
            "no progress: 1 threads running, inside the allocator (mi_free): x",
        );
        assert_eq!(ask(&crash, &looping), Same::Yes);
        let waiting = of(
            Kind::Hang,
            "no progress: 0 threads running, innermost frame free_threadstate",
        );
        for other in [
            waiting.clone(),
            of(Kind::Panic, "a.rs:1: x"),
            of(Kind::Exit, "exit code 1"),
            of(Kind::ShutdownCrash, "SIGSEGV"),
            of(Kind::Outcome, "no order gives 1"),
            of(Kind::Internal, "raised SystemError: free(): corrupted"),
        ] {
            assert_eq!(ask(&crash, &other), Same::No, "{other}");
        }
        assert_eq!(ask(&waiting, &of(Kind::Deadlock, "x")), Same::Yes);
        assert!(!of(Kind::Internal, "raised SystemError: free(): corrupted").damages_heap());
    }

    #[test]
    fn wrong_results_differ_by_class() {
        let of = |kind, detail, threads| failure(kind, detail, ops(threads, None, &[]));
        let pair: &[&[&str]] = &[&["append"], &["pop"]];
        let index = of(
            Kind::Exception,
            "raised IndexError: pop, which no order raises",
            pair,
        );
        let key = of(
            Kind::Exception,
            "raised KeyError, which no order raises",
            pair,
        );
        assert_eq!(ask(&index, &key), Same::No);
        let order = of(Kind::Outcome, "no order gives 1", pair);
        let late = of(
            Kind::Outcome,
            "only orders against real time give 1, where 2.1 after 1.1",
            pair,
        );
        assert_eq!(ask(&late, &late), Same::Yes);
        assert_eq!(ask(&order, &late), Same::No);
        let four = of(
            Kind::Exception,
            "raised IndexError: x",
            &[&["append", "sort"], &["pop", "sort"]],
        );
        assert_eq!(ask(&index, &four), Same::Yes);
        let in_one_thread = of(
            Kind::Exception,
            "raised IndexError: x",
            &[&["append", "pop"], &["sort"]],
        );
        assert_eq!(
            ask(&index, &in_one_thread),
            Same::No,
            "append and pop do not race there"
        );
    }

    #[test]
    fn what_races_is_not_what_happens_in_one_thread() {
        let mut one = crash(ops(&[&["a"], &["b"]], None, &[]));
        let mut two = one.clone();
        (one.place.alone, two.place.alone) = (Some(true), Some(false));
        assert_eq!(ask(&one, &two), Same::No);
        two.place.alone = None;
        assert_eq!(ask(&one, &two), Same::Yes);
    }

    #[test]
    fn two_findings_with_the_same_frame_are_at_one_place_however_they_were_reached() {
        let of = |a: &str, b: &str, frames: &str| {
            crash(ops(&[&[a], &[b]], None, &[])).with_backtrace(frames)
        };
        let resize = "#0  list_resize (x=1) at a.c:1\n#1  list_append () at a.c:2\n";
        let inlined = "#0  Py_INCREF (x=1) at a.c:1\n#1  list_resize () at a.c:2\n";
        let failures = [
            of("append", "pop", resize),
            of("append", "clear", inlined),
            of("append", "sort", ""),
            of("pop", "append", ""),
        ];
        assert_eq!(
            distinct(&failures),
            2,
            "the second and the last are the first"
        );
        assert_eq!(distinct(&failures[2..]), 2, "two pairs, and no frames");
        assert_eq!(distinct([]), 0);
    }

    #[test]
    fn a_hit_is_the_same_failure_and_nothing_else() {
        let pair = |kind, detail| failure(kind, detail, ops(&[&["a"], &["b"]], None, &[]));
        let expected = pair(Kind::Panic, "a.rs:1: x");
        let other = pair(Kind::Panic, "b.rs:9: x");
        assert_eq!(hit(&expected, &[]), Hit::None);
        assert_eq!(
            hit(&expected, std::slice::from_ref(&other)),
            Hit::Other(other.clone())
        );
        assert_eq!(hit(&expected, &[other, expected.clone()]), Hit::Same);
        let nowhere = failure(Kind::Crash, "SIGSEGV", Operations::default());
        let crash = pair(Kind::Crash, "SIGSEGV");
        assert_eq!(
            hit(&crash, std::slice::from_ref(&nowhere)),
            Hit::Other(nowhere),
            "unknown is no hit"
        );
    }
}
