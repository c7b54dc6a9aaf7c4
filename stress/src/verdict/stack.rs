//! Reading what a dying VM prints: panics, fatal errors, sanitizer reports, backtraces.

use crate::vm::hang::Autopsy;

/// A Rust panic: `file:line: message`, the file relative to its crate.
pub fn panic(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines();
    let line = lines.find(|l| l.contains("panicked at "))?;
    let place = line
        .split("panicked at ")
        .nth(1)?
        .trim_end_matches(':')
        .trim();
    let mut parts = place.rsplitn(3, ':');
    let (column, number, file) = (parts.next()?, parts.next()?, parts.next()?);
    if column.parse::<u32>().is_err() || number.parse::<u32>().is_err() {
        return None;
    }
    let message = lines.next().unwrap_or("").trim();
    Some(format!(
        "{}:{number}: {}",
        crate_relative(file),
        mask(message)
    ))
}

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
            found.push(format!("{function} ({}.rs)", crate_relative(file)));
        }
    }
    found
}

/// `…/registry/src/index/rustpython-vm-0.5.0/src/x.rs` → `rustpython-vm-0.5.0/src/x.rs`.
fn crate_relative(file: &str) -> &str {
    match file.find("/src/") {
        Some(_) => {
            let src = file.rfind("/src/").unwrap_or(0);
            let start = file[..src].rfind('/').map_or(0, |i| i + 1);
            &file[start..]
        }
        None => file,
    }
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
            let place = place.replace('"', "");
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
    ];
    stderr
        .lines()
        .find(|l| marks.iter().any(|m| l.contains(m)))
        .map(|l| mask(l.trim()))
}

/// What a hung process was doing, in one line.
pub fn hang(autopsy: &Autopsy, stderr: &str) -> String {
    let inner = frames(&autopsy.backtrace);
    let allocator = inner.iter().find(|f| {
        ["mi_", "malloc", "free", "_int_", "arena"]
            .iter()
            .any(|p| f.starts_with(p))
    });
    let place = match (allocator, inner.first()) {
        (Some(f), _) => format!(", inside the allocator ({f}): most likely corrupted memory"),
        (None, Some(f)) => format!(", innermost frame {f}"),
        (None, None) => String::new(),
    };
    let threads = super::waits::summary(&super::waits::read(&autopsy.backtrace, stderr));
    let threads = if threads.is_empty() {
        threads
    } else {
        format!("; {}", mask(&threads))
    };
    let timed = match autopsy.timed {
        0 => String::new(),
        n => format!(" ({n} for time or input)"),
    };
    format!(
        "no progress: {} threads running, {} sleeping{timed}{place}{threads}",
        autopsy.running, autopsy.sleeping
    )
}

/// Functions of a gdb backtrace, innermost first, without the frames that only report or wait.
pub fn frames(backtrace: &str) -> Vec<String> {
    const NOISE: &[&str] = &[
        "raise",
        "abort",
        "__pthread_kill",
        "pthread_kill",
        "__GI_",
        "__libc",
        "faulthandler",
        "<signal",
        "gsignal",
        "__restore_rt",
        "clone",
        "start_thread",
        "__futex",
        "futex",
        "syscall",
        "__assert",
        "std::panicking",
        "rust_panic",
        "core::panicking",
        "__lll_lock",
        "sem_",
        "do_futex_wait",
        "__new_sem",
        "pthread_cond",
    ];
    let mut found = Vec::new();
    for line in backtrace.lines() {
        let Some(rest) = line.strip_prefix('#') else {
            continue;
        };
        let rest = rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start();
        let rest = match rest.split_once(" in ") {
            Some((address, rest)) if address.starts_with("0x") => rest,
            _ => rest,
        };
        let name = rest.split(" (").next().unwrap_or("").trim();
        if name.is_empty() || name == "??" || NOISE.iter().any(|n| name.starts_with(n)) {
            continue;
        }
        found.push(name.to_owned());
    }
    found
}

/// Replaces addresses and process ids, which differ from run to run.
pub fn mask(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let tail = &word[core.len()..];
        let hexadecimal = core
            .strip_prefix("0x")
            .is_some_and(|h| h.len() > 3 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = core.len() > 4 && core.bytes().all(|b| b.is_ascii_digit());
        out.push_str(if hexadecimal {
            "0x…"
        } else if number {
            "…"
        } else {
            core
        });
        out.push_str(tail);
    }
    out.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_its_source_line() {
        let text = "x\nthread '<unnamed>' panicked at /home/u/.cargo/registry/src/index-1/rustpython-vm-0.6.0/src/bytes_inner.rs:310:9:\n\
                    index out of bounds: the len is 3 but the index is 7\nstack backtrace:";
        assert_eq!(
            panic(text).unwrap(),
            "rustpython-vm-0.6.0/src/bytes_inner.rs:310: index out of bounds: the len is 3 but the index is 7"
        );
        assert_eq!(panic("nothing"), None);
    }

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
    fn frames_of_a_backtrace() {
        let text = "#0  __pthread_kill_implementation (threadid=1) at ./nptl/x.c:44\n\
                    #1  <signal handler called>\n\
                    #2  0x000055aa in list_resize (self=0x7f, newsize=3) at Objects/listobject.c:12\n\
                    #3  list_append (self=1) at Objects/listobject.c:400\n";
        assert_eq!(frames(text), ["list_resize", "list_append"]);
    }

    #[test]
    fn masking_hides_what_changes_from_run_to_run() {
        assert_eq!(
            mask("at 0x7fab12, pid 123456, line 12"),
            "at 0x…, pid …, line 12"
        );
    }
}
