//! What of a run of a bug's program a signature can tell.

use crate::bugs::Failure;
use crate::bugs::signature::{Shown, pair, panicking};
use crate::program::{Ended, Run};
use crate::verdict::sanitizer::Tool;
use crate::verdict::{Kind, innermost, sanitizer};

/// In which way of the catalogue's a run failed, if it did.
fn failure(ended: &Ended) -> Option<Failure> {
    of_kind(ended.kind()?)
}

/// The catalogue's way that a kind is a face of.
fn of_kind(kind: Kind) -> Option<Failure> {
    Some(match kind {
        Kind::Crash | Kind::Sanitizer => Failure::Crash,
        Kind::Fatal | Kind::Assertion => Failure::Fatal,
        Kind::Panic => Failure::Panic,
        Kind::Hang | Kind::Deadlock => Failure::Hang,
        Kind::Outcome => Failure::Wrong,
        Kind::Memory => Failure::Leak,
        Kind::DataRace => Failure::Race,
        _ => return None,
    })
}

/// Whether the process died of it, in a place that a debugger can tell.
pub(super) fn died(ended: &Ended) -> bool {
    matches!(failure(ended), Some(Failure::Crash | Failure::Fatal))
}

/// What a signature can tell of a run; `native` is a debugger's text on its crash.
pub(crate) fn of(run: &Run, native: Option<&str>) -> Shown {
    let mut failure = failure(&run.ended);
    let stacks = match (failure, native) {
        (Some(Failure::Crash | Failure::Fatal), Some(text)) => innermost(text, true),
        (Some(Failure::Crash), None) => reported(&run.outcome.stderr),
        // The program may tell of a child that crashed: the crash is what happened.
        (Some(Failure::Wrong), Some(text)) => {
            failure = Some(Failure::Crash);
            innermost(text, true)
        }
        (Some(Failure::Hang), _) => run
            .outcome
            .hang
            .as_ref()
            .map_or_else(Vec::new, |autopsy| innermost(&autopsy.backtrace, false)),
        (Some(Failure::Panic), _) => match (panicking(&run.outcome.stderr), native) {
            // The panic of another thread ended the process before the frames were printed.
            (told, Some(text)) if told.iter().all(Vec::is_empty) => innermost(text, true),
            (told, _) => told,
        },
        _ => Vec::new(),
    };
    Shown {
        failure,
        stacks,
        races: sanitizer::parse(&run.outcome.stderr)
            .iter()
            .filter_map(pair)
            .collect(),
        words: run.ended.line(),
    }
}

/// The stack of the access that AddressSanitizer reported: it ends the process before a debugger could look.
fn reported(stderr: &str) -> Vec<Vec<String>> {
    let reports = sanitizer::parse(stderr);
    let report = reports.iter().find(|r| r.tool == Tool::Address);
    let Some(access) = report.and_then(|r| r.sides().into_iter().next()) else {
        return Vec::new();
    };
    let frames = access.frames.iter().enumerate();
    let frames = frames.map(|(i, frame)| format!("#{i} {} ()\n", frame.function));
    innermost(&frames.collect::<String>(), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::told;
    use crate::vm::child::{End, Outcome};
    use std::time::Duration;

    /// The stacks of a run that ended so.
    fn stacks(end: End, stderr: &str, core: Option<&str>) -> Vec<Vec<String>> {
        let outcome = Outcome {
            end,
            stdout: Vec::new(),
            complete_line: true,
            stderr: stderr.to_owned(),
            hang: None,
            orphans: 0,
        };
        let run = Run {
            ended: Ended::of(&outcome),
            took: Duration::ZERO,
            outcome,
        };
        of(&run, core).stacks
    }

    #[test]
    fn every_way_is_a_face_of_its_kind_as_identity_has_it() {
        let ways = Kind::ALL.map(|kind| (kind, of_kind(kind)));
        for (kind, way) in ways {
            assert!(
                way.is_none_or(|way| told::may_show(way.kind(), kind)),
                "{kind}"
            );
        }
        assert!(ways.iter().filter(|(_, way)| way.is_some()).count() > 7);
    }

    #[test]
    fn a_sanitizers_report_tells_the_stack_of_the_access() {
        let report = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\n\
                      READ of size 8 at 0x602000000010 thread T1\n    #0 0x5 in list_resize listobject.c:9\n    \
                      #1 0x6 in list_append listobject.c:12\n\nfreed by thread T2 here:\n    #0 0x7 in list_clear listobject.c:3\n";
        let told = stacks(End::Exit(crate::vm::sanitizers::EXIT), report, None);
        assert_eq!(told, [["list_resize", "list_append"]]);
        assert!(stacks(End::Signal(libc::SIGSEGV), "", None).is_empty());
    }

    #[test]
    fn the_core_tells_of_a_panic_whose_frames_were_not_printed() {
        let stacks = |stderr: &str, core| stacks(End::Signal(libc::SIGABRT), stderr, core);
        let head = "thread 'a' panicked at src/frame.rs:1:2:\nwords\nstack backtrace:\n";
        let core = "#0  __GI_abort () at a.c:1\n#1  pop_value () at src/frame.rs:3\n";
        assert_eq!(stacks(head, Some(core)), [["pop_value"]]);
        assert!(stacks(head, None).iter().all(Vec::is_empty));
        let told = format!("{head}   0: next\n             at ./src/iter.rs:1:2\n");
        assert_eq!(stacks(&told, Some(core)), [["next"]]);
    }
}
