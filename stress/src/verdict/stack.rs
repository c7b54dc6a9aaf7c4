//! Reading what a dying VM prints: panics, fatal errors, sanitizer reports, backtraces.

pub use crate::vm::words::{mask, panic};

use super::noise::{self, Class};
use crate::vm::words::{crate_relative, masked};

/// Frames of a Rust panic's backtrace, innermost first: `function (file)`, from the panicking
/// function on; the standard library's and the panic hook's are left out.
pub fn panic_frames(stderr: &str) -> Vec<String> {
    let trace = stderr.split("stack backtrace:\n").nth(1).unwrap_or("");
    let mut found = Vec::new();
    let mut lines = trace.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((number, function)) = line.trim_start().split_once(": ") else {
            break;
        };
        if number.parse::<u32>().is_err() {
            break;
        }
        let place = lines.next_if(|l| l.trim_start().starts_with("at "));
        let place = place.map_or("", |l| l.trim_start().trim_start_matches("at "));
        let file = place.split(".rs:").next().unwrap_or(place);
        let library = file.starts_with("/rustc/") || file.contains("/library/");
        // The hook is a closure, and the frames above it are the panic's own machinery.
        if library && function.contains("panicking") {
            found.clear();
        } else if !library && !file.is_empty() {
            found.push(masked(&format!("{function} ({}.rs)", crate_relative(file))));
        }
    }
    found
}

/// `Fatal Python error: …`, unless it only names the signal. Two threads may print at once,
/// so the words are looked for anywhere in the line.
pub fn fatal(stderr: &str) -> Option<String> {
    let line = stderr.lines().find(|l| l.contains("Fatal Python error:"))?;
    let signals = [
        "Segmentation fault",
        "Aborted",
        "Bus error",
        "Illegal instruction",
        "Floating",
    ];
    let text = line.replace("Fatal Python error:", "");
    (!text.trim().is_empty() && !signals.iter().any(|s| text.contains(s)))
        .then(|| format!("Fatal Python error: {}", mask(text.trim())))
}

/// A failed assertion of the C code: `file:line: function: Assertion …`, as the C library, CPython's
/// own checks of objects and mimalloc print it.
pub fn assertion(stderr: &str) -> Option<String> {
    stderr.lines().find_map(|line| {
        if let Some(rest) = line.split("mimalloc: assertion failed: at ").nth(1) {
            let (place, function) = rest.split_once(", ")?;
            // Masked first: without the quotes an address may become part of a word.
            let place = masked(place).replace('"', "");
            return Some(mask(&format!("{place}: {function}: Assertion of mimalloc")));
        }
        let at = line.find(": Assertion")?;
        let (place, function) = line[..at].rsplit_once(": ")?;
        // The C library puts the program's name in front.
        let place = place.rsplit_once(": ").map_or(place, |(_, place)| place);
        let (file, number) = place.rsplit_once(':')?;
        number.parse::<u32>().ok()?;
        Some(mask(&format!("{file}:{number}: {function}{}", &line[at..])))
    })
}

/// A message that tells more than the signal: an assertion, the allocator's complaint.
pub fn last_words(stderr: &str) -> Option<String> {
    let marks = [
        "Assertion",
        "assert",
        "free():",
        "malloc():",
        "corrupted",
        "double free",
        "munmap_chunk",
        "realloc():",
        "mimalloc: ",
        "stack smashing",
        "MemoryError",
        "fatal runtime error",
        "use after free: ",
    ];
    stderr
        .lines()
        .find(|l| marks.iter().any(|m| l.contains(m)))
        .map(|l| mask(l.trim()))
}

/// What an allocator says of its lists when they are damaged, as the beginning of its words.
const COMPLAINTS: &[&str] = &[
    "free():",
    "malloc():",
    "realloc():",
    "calloc():",
    "munmap_chunk():",
    "malloc_consolidate():",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "double free or corruption",
    "mimalloc: ",
    "Debug memory block at address",
];

/// Whether the words of a dying process are the allocator's, with or without the signal before them: a
/// complaint of its own, a fatal error that one of its functions raises, or an assertion in one.
pub fn allocator_complains(words: &str) -> bool {
    let words = match words.split_once(": ") {
        Some((head, rest)) if head.starts_with("SIG") => rest,
        _ => words,
    };
    if let Some(fatal) = words.strip_prefix("Fatal Python error: ") {
        return fatal.split_once(": ").is_some_and(|(f, _)| is_allocator(f));
    }
    let asserts = words.split_once(": Assertion").is_some_and(|(at, _)| {
        let function = at.rsplit_once(": ").map_or(at, |(_, function)| function);
        is_allocator(function) || words.ends_with(": Assertion of mimalloc")
    });
    asserts || COMPLAINTS.iter().any(|c| words.starts_with(c))
}

/// Whether a function is an allocator's, by exact name: `free_threadstate` is not.
pub fn is_allocator(function: &str) -> bool {
    noise::is(function, &[Class::Allocator])
}

/// The function of a line of a gdb backtrace; `None` for what is no frame, or one without a name.
pub(super) fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#')?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    // A frame's number stands by itself.
    let rest = rest.strip_prefix(' ')?.trim_start();
    let rest = match rest.split_once(" in ") {
        Some((address, rest)) if address.starts_with("0x") => rest,
        _ => rest,
    };
    let name = rest.split(" (").next().unwrap_or("").trim();
    // Every line that begins with `#` comes here, frames or not: what changes from run to run names none.
    (!name.is_empty() && name != "??" && masked(name) == name).then_some(name)
}

/// Functions of a gdb backtrace, innermost first, without the frames that only report or wait.
pub fn frames(backtrace: &str) -> Vec<String> {
    let names = backtrace.lines().filter_map(function);
    let telling = names.filter(|n| !noise::is(n, &[Class::Death, Class::Start, Class::Wait]));
    telling.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_panic_begin_at_the_function_that_panicked() {
        let text = "panicked at x.rs:1:2:\nwords\nstack backtrace:\n   0: {closure#0}\n             at ./stress/rustpython/src/lib.rs:18:21\n   \
                    1: std::panicking::panic_with_hook\n             at /rustc/59/library/std/src/panicking.rs:833:13\n   \
                    2: core::panicking::panic_bounds_check\n             at /rustc/59/library/core/src/panicking.rs:271:5\n   \
                    3: index<T>\n             at /rustc/59/library/core/src/slice/index.rs:272:10\n   \
                    4: next\n             at /h/registry/src/i-1/rustpython-vm-0.5.0/src/stdlib/itertools.rs:281:22\n   5: clone3\nnext line\n";
        assert_eq!(
            panic_frames(text),
            ["next (rustpython-vm-0.5.0/src/stdlib/itertools.rs)"]
        );
        assert!(panic_frames("panicked at x.rs:1:2:").is_empty());
    }

    #[test]
    fn fatal_errors_that_only_name_the_signal_are_crashes() {
        assert_eq!(fatal("Fatal Python error: Segmentation fault\n"), None);
        let text =
            "Fatal Python error: _PyMutex_Unlock: unlocking mutex that is not locked at 0x7f00aa11";
        assert_eq!(
            fatal(text).unwrap(),
            "Fatal Python error: _PyMutex_Unlock: unlocking mutex that is not locked at 0x…"
        );
    }

    #[test]
    fn failed_assertions_name_their_line() {
        let c = "x\npython3.13td: Objects/listobject.c:407: list_get: Assertion `i < n' failed.\nFatal Python error: Aborted\n";
        assert_eq!(
            assertion(c).unwrap(),
            "Objects/listobject.c:407: list_get: Assertion `i < n' failed."
        );
        let object = "./Include/object.h:9: Py_INCREF: Assertion failed: object at 0x7f00aa11 has negative ref count\n";
        assert_eq!(
            assertion(object).unwrap(),
            "./Include/object.h:9: Py_INCREF: Assertion failed: object at 0x… has negative ref count"
        );
        let heap = "mimalloc: assertion failed: at \"Objects/mimalloc/page.c\":12, mi_page_free\n  assertion: \"x\"\n";
        assert_eq!(
            assertion(heap).unwrap(),
            "Objects/mimalloc/page.c:12: mi_page_free: Assertion of mimalloc"
        );
        assert_eq!(assertion("AssertionError: no\nfoo: Assertion x\n"), None);
    }

    #[test]
    fn an_allocators_complaint_is_its_own_words() {
        assert!(allocator_complains("SIGABRT: free(): invalid pointer"));
        assert!(allocator_complains("corrupted size vs. prev_size"));
        assert!(!allocator_complains(
            "raised SystemError: free(): corrupted"
        ));
        assert!(!allocator_complains("SIGSEGV"));
        assert!(allocator_complains(
            "Fatal Python error: _PyMem_DebugRawFree: bad ID: Allocated using API 'm'"
        ));
        assert!(!allocator_complains(
            "Fatal Python error: _PyMutex_Unlock: unlocking mutex that is not locked"
        ));
        assert!(allocator_complains(
            "malloc.c:2617: sysmalloc: Assertion `x' failed."
        ));
        assert!(!allocator_complains(
            "a.c:7: list_get: Assertion `i < n' failed."
        ));
    }

    #[test]
    fn frames_of_a_backtrace() {
        let text = "#0  __pthread_kill_implementation (threadid=1) at ./nptl/x.c:44\n\
                    #1  <signal handler called>\n\
                    #2  0x000055aa in list_resize (self=0x7f, newsize=3) at Objects/listobject.c:12\n\
                    #3  list_append (self=1) at Objects/listobject.c:400\n";
        assert_eq!(frames(text), ["list_resize", "list_append"]);
    }
}
