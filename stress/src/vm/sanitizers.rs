//! Sanitizers compiled into a VM: which, and how they are told to behave.

use super::Facts;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Exit code that sanitizers are asked to give when they have reported anything: an end with it
/// and without a report that we can read is then noticed.
pub const EXIT: i32 = 66;

/// Sanitizer runtimes linked into a program, by their entry points' names. The runtimes of the
/// others bring the handlers of undefined behaviour along, whether or not the VM was compiled for
/// them, so that sanitizer is named only where it is alone.
pub(super) fn found(program: &Path) -> Vec<String> {
    let Ok(bytes) = std::fs::read(program) else {
        return Vec::new();
    };
    // Put together here: as a whole in our own program, which may be the VM, they would be found there.
    let holds = |needle: &[&str]| {
        let needle = needle.concat().into_bytes();
        bytes.windows(needle.len()).any(|w| w == needle)
    };
    let has = |tool: &str, what: &str| holds(&["__", tool, what]);
    let found = match () {
        // One that is linked with the runtime that schedules threads instead has no sanitizer.
        () if has("tsan", "_init") => match holds(&["libthreadbare", "_control_runtime.so"]) {
            true => return Vec::new(),
            false => "thread",
        },
        () if has("asan", "_init") => "address",
        () if has("ubsan", "_handle") => "undefined",
        () => return Vec::new(),
    };
    vec![found.to_owned()]
}

/// Sanitizers, their variables, and what they are told. Go on after a report, for a run may show several;
/// a long history, or the other access of a race has no stack; nothing suppressed: that is ours to do and
/// to tell.
const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "thread",
        "TSAN_OPTIONS",
        "halt_on_error=0:history_size=7:second_deadlock_stack=1:report_signal_unsafe=0:log_path=stderr",
    ),
    (
        "address",
        "ASAN_OPTIONS",
        "detect_leaks=0:allocator_may_return_null=1:handle_abort=0:log_path=stderr",
    ),
    (
        "undefined",
        "UBSAN_OPTIONS",
        "print_stacktrace=1:halt_on_error=0:log_path=stderr",
    ),
];

/// The user's own options come last and so win.
fn told(options: &str, own: &str) -> String {
    format!("{options}:exitcode={EXIT}:{own}")
}

/// The same for a program whose exit code is its own word.
fn told_own_code(options: &str, own: &str) -> String {
    format!("{options}:{own}:exitcode=0")
}

/// Options of the sanitizers in a VM.
pub(super) fn prepare(facts: &Facts, command: &mut Command) {
    for (sanitizer, variable, options) in OPTIONS {
        // Any of them may come together with checks for undefined behaviour.
        if facts.sanitized(sanitizer) || *sanitizer == "undefined" && !facts.sanitizers.is_empty() {
            let own = std::env::var(variable).unwrap_or_default();
            command.env(variable, told(options, &own));
        }
    }
    if facts.sanitizers.is_empty() {
        return;
    }
    // A symboliser that asks the network for debug information looks like a hang.
    command.env("DEBUGINFOD_URLS", "");
    // SAFETY: a plain system call between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // The shadow memory wants addresses that are not random, or the tool stops or sees nothing.
            libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
            Ok(())
        });
    }
}

/// For a program that says by its exit code what it saw: ThreadSanitizer, which goes on after a report,
/// must not put its own in that place. AddressSanitizer ends the process, and its code says so.
pub fn keep_exit_code(facts: &Facts, command: &mut Command) {
    if !facts.sanitized("thread") {
        return;
    }
    for (sanitizer, variable, options) in OPTIONS {
        // Its runtime brings the one for undefined behaviour along, and takes the options of both.
        if ["thread", "undefined"].contains(sanitizer) {
            let own = std::env::var(variable).unwrap_or_default();
            command.env(variable, told_own_code(options, &own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn the_users_options_are_added_to_ours() {
        let own = "history_size=2:verbosity=1";
        assert_eq!(
            told("history_size=7", own),
            "history_size=7:exitcode=66:history_size=2:verbosity=1"
        );
        assert_eq!(
            told_own_code("history_size=7", "exitcode=3"),
            "history_size=7:exitcode=3:exitcode=0"
        );
    }

    #[test]
    fn only_the_thread_sanitizer_leaves_the_exit_code() {
        for (sanitizer, touched) in [("thread", true), ("address", false), ("undefined", false)] {
            let facts = Facts {
                sanitizers: vec![sanitizer.to_owned()],
                ..Facts::default()
            };
            let mut command = Command::new("true");
            keep_exit_code(&facts, &mut command);
            let told: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
            let both = ["TSAN_OPTIONS", "UBSAN_OPTIONS"];
            assert_eq!(told == both, touched, "{sanitizer}: {told:?}");
            let own = |(_, value): (_, Option<&OsStr>)| {
                value.is_some_and(|v| v.to_string_lossy().ends_with(":exitcode=0"))
            };
            assert!(command.get_envs().all(own), "{command:?}");
        }
    }
}
