//! How a run of a program ended.

use crate::verdict::{Kind, Verdict, from_outside, of_end, reported, stack};
use crate::vm::child::{End, Outcome};

/// What a program exits with when the VM lacks what it needs.
const SKIP: i32 = 77;

/// How one run of a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// At its deadline, nothing seen.
    Clean,
    /// The VM lacks what the program needs.
    Skip(String),
    /// It saw a wrong outcome ([`Kind::Outcome`], in its own words), or the VM ended it.
    Failed(Verdict),
    /// The program itself failed: no statement about the VM.
    Broken(String),
    /// Somebody else ended it, as the kernel does when memory runs out: no statement either.
    Outside(String),
    /// The user stopped it.
    Interrupted,
}

/// The failures that the end of a process shows, the most telling first: a thread that panicked may leave
/// others waiting, or the rest of the program working. `finished` as for [`of_end`].
pub fn ends(outcome: &Outcome, finished: bool) -> Vec<Verdict> {
    let panic = stack::panic(&outcome.stderr).map(|p| Verdict::new(Kind::Panic, p));
    let end = of_end(outcome, finished);
    let other = end.filter(|e| panic.is_none() || e.kind != Kind::Panic);
    panic.into_iter().chain(other).collect()
}

impl Ended {
    /// How a program that keeps to its exit codes ended.
    pub fn of(outcome: &Outcome) -> Self {
        let said = |mark: &str| {
            let line = outcome.stdout.iter().find_map(|l| l.strip_prefix(mark));
            line.map(|l| l.trim().to_owned())
        };
        if let Some(who) = from_outside(outcome) {
            return Self::Outside(who);
        }
        // Its code is the sanitizer's then, not the program's.
        if let Some(report) = reported::ending(outcome) {
            return Self::Failed(Verdict::of_report(report));
        }
        let failed = || ends(outcome, false).into_iter().next().map(Self::Failed);
        match outcome.end {
            End::Interrupted => Self::Interrupted,
            End::Flood => Self::Broken("output passed the limit".into()),
            End::Exit(_) if stack::panic(&outcome.stderr).is_some() => {
                failed().unwrap_or(Self::Clean)
            }
            End::Exit(code) => match (said("hit:"), code) {
                // It saw that, whatever became of it then.
                (Some(line), _) => Self::Failed(Verdict::new(Kind::Outcome, line)),
                (None, SKIP) => Self::Skip(said("skip:").unwrap_or_default()),
                (None, 0) => Self::Clean,
                (None, code) => Self::Broken(left(code, &outcome.stderr)),
            },
            End::Signal(_) | End::Hang | End::Memory => failed().unwrap_or(Self::Clean),
        }
    }

    /// The failure, where it is one.
    pub fn failure(&self) -> Option<&Verdict> {
        match self {
            Self::Failed(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// The kind of the failure.
    pub fn kind(&self) -> Option<Kind> {
        self.failure().map(|v| v.kind)
    }

    /// One line.
    pub fn line(&self) -> String {
        match self {
            Self::Clean => "nothing seen".into(),
            Self::Interrupted => "interrupted".into(),
            Self::Skip(why) => format!("skipped: {why}"),
            Self::Broken(why) => format!("the program failed: {why}"),
            Self::Outside(who) => format!("ended by {who}"),
            Self::Failed(verdict) => {
                let word = match verdict.kind {
                    Kind::Outcome => "wrong: ",
                    Kind::Hang | Kind::Deadlock => "hang: ",
                    Kind::DataRace => "data race: ",
                    _ => "",
                };
                format!("{word}{}", verdict.detail)
            }
        }
    }
}

/// A code that means nothing here, and the last words before it.
fn left(code: i32, stderr: &str) -> String {
    let last = stderr.lines().rfind(|l| !l.trim().is_empty());
    format!("exit code {code}: {}", last.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(end: End, stdout: &str, stderr: &str) -> Ended {
        Ended::of(&Outcome {
            end,
            stdout: stdout.lines().map(str::to_owned).collect(),
            complete_line: true,
            stderr: stderr.to_owned(),
            hang: None,
            orphans: 0,
        })
    }

    const PANIC: &str = "thread 'x' panicked at /r/vm/src/a.rs:7:9:\nlen is 8\n";

    #[test]
    fn exit_codes_are_a_programs_words() {
        assert_eq!(of(End::Exit(0), "checked: 3 things", ""), Ended::Clean);
        let hit = of(End::Exit(1), "x\nhit: 1 is 2", "");
        assert_eq!(
            (hit.kind(), hit.line()),
            (Some(Kind::Outcome), "wrong: 1 is 2".into())
        );
        for (code, stderr) in [(0, ""), (1, "Traceback\nNameError: x\n"), (120, "")] {
            assert_eq!(of(End::Exit(code), "hit: 1 is 2", stderr), hit, "{code}");
        }
        assert_eq!(
            of(End::Exit(77), "skip: no x", ""),
            Ended::Skip("no x".into())
        );
        let broken = Ended::Broken("exit code 1: NameError: x".into());
        assert_eq!(of(End::Exit(1), "", "Traceback\nNameError: x\n"), broken);
        assert!(matches!(of(End::Exit(3), "", ""), Ended::Broken(_)));
        assert!(matches!(of(End::Flood, "", ""), Ended::Broken(_)));
        assert_eq!(of(End::Interrupted, "hit: x", ""), Ended::Interrupted);
    }

    #[test]
    fn what_the_vm_does_is_a_failure_of_its_kind() {
        let kind = |end, stderr| of(end, "", stderr).kind();
        assert_eq!(kind(End::Signal(libc::SIGSEGV), ""), Some(Kind::Crash));
        assert_eq!(
            kind(End::Signal(libc::SIGABRT), "Fatal Python error: x\n"),
            Some(Kind::Fatal)
        );
        assert_eq!(kind(End::Memory, ""), Some(Kind::Memory));
        assert_eq!(kind(End::Hang, ""), Some(Kind::Deadlock));
        // The rest of a program goes on without the thread that panicked, and may end well.
        for end in [
            End::Exit(0),
            End::Exit(101),
            End::Hang,
            End::Signal(libc::SIGABRT),
        ] {
            assert_eq!(kind(end, PANIC), Some(Kind::Panic), "{end:?}");
        }
    }

    #[test]
    fn what_comes_from_outside_is_no_failure() {
        let of_its_own = [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGABRT,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGTRAP,
            libc::SIGSYS,
        ];
        for signal in (1..=31).filter(|s| !of_its_own.contains(s)) {
            let ended = of(End::Signal(signal), "hit: x", "");
            let name = crate::verdict::signal_name(signal);
            assert!(
                matches!(&ended, Ended::Outside(who) if who.starts_with(&name)),
                "{ended:?}"
            );
        }
    }

    #[test]
    fn what_a_program_dies_of_by_itself_is_a_crash() {
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGSYS] {
            assert_eq!(of(End::Signal(signal), "", "").kind(), Some(Kind::Crash));
        }
    }

    #[test]
    fn a_sanitizer_that_ends_the_process_leaves_no_clean_exit() {
        let report = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\n\
                      READ of size 8 at 0x602000000010 thread T1\n    #0 0x5 in list_append listobject.c:9\n";
        for code in [0, crate::vm::sanitizers::EXIT] {
            assert_eq!(
                of(End::Exit(code), "", report).kind(),
                Some(Kind::Sanitizer)
            );
        }
        let race = "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b by thread T1:\n    \
                    #0 f a.c:1 (p+0x1)\n  Previous read of size 8 at 0x7b by thread T2:\n    #0 g a.c:2 (p+0x2)\n";
        assert_eq!(
            of(End::Exit(0), "", race),
            Ended::Clean,
            "the program went on"
        );
    }
}
