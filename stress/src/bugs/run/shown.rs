//! What of a run of a bug's program a signature can tell.

use crate::bugs::Failure;
use crate::bugs::signature::{Shown, pair, panicking};
use crate::program::{Ended, Run};
use crate::verdict::{Kind, innermost, sanitizer};

/// In which way of the catalogue's a run failed, if it did.
fn failure(ended: &Ended) -> Option<Failure> {
    Some(match ended.kind()? {
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
pub(super) fn of(run: &Run, native: Option<&str>) -> Shown {
    let mut failure = failure(&run.ended);
    let stacks = match (failure, native) {
        (Some(Failure::Crash | Failure::Fatal), Some(text)) => innermost(text, true),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::child::{End, Outcome};
    use std::time::Duration;

    #[test]
    fn the_core_tells_of_a_panic_whose_frames_were_not_printed() {
        let stacks = |stderr: &str, core| {
            let outcome = Outcome {
                end: End::Signal(libc::SIGABRT),
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
        };
        let head = "thread 'a' panicked at src/frame.rs:1:2:\nwords\nstack backtrace:\n";
        let core = "#0  __GI_abort () at a.c:1\n#1  pop_value () at src/frame.rs:3\n";
        assert_eq!(stacks(head, Some(core)), [["pop_value"]]);
        assert!(stacks(head, None).iter().all(Vec::is_empty));
        let told = format!("{head}   0: next\n             at ./src/iter.rs:1:2\n");
        assert_eq!(stacks(&told, Some(core)), [["next"]]);
    }
}
