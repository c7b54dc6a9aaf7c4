//! What a process that stood still was doing, in one line, and what that line says.

use super::noise::{self, Class};
use super::{stack, waits};
use crate::vm::hang::Autopsy;
use crate::vm::words::mask;

/// Stands in the line on a standstill inside the allocator.
const IN_ALLOCATOR: &str = ", inside the allocator ";

/// Where a thread waits for a lock, in the C library or the kernel.
const LOCK_WAITS: &[&str] = &["futex", "__futex", "__lll_lock", "do_futex_wait", "syscall"];

/// Whether the line on a standstill says that it is inside the allocator.
pub fn in_allocator(hang: &str) -> bool {
    hang.contains(IN_ALLOCATOR)
}

/// Whether the line on a standstill says that a thread computes and at most one waits without a limit, as the
/// one does that joins it; `None` where it says nothing of threads.
pub fn computes(hang: &str) -> Option<bool> {
    let rest = hang.split_once("no progress: ")?.1;
    let (running, rest) = rest.split_once(" threads running, ")?;
    let (sleeping, rest) = rest.split_once(" sleeping")?;
    let timed = rest
        .strip_prefix(" (")
        .and_then(|r| r.split_once(" for time or input)"))
        .and_then(|(n, _)| n.parse().ok())
        .unwrap_or(0_usize);
    let (running, sleeping): (usize, usize) = (running.parse().ok()?, sleeping.parse().ok()?);
    Some(running > 0 && sleeping.saturating_sub(timed) <= 1)
}

/// What a hung process was doing, in one line.
pub fn hang(autopsy: &Autopsy, stderr: &str) -> String {
    let inner = stack::frames(&autopsy.backtrace);
    let place = match (allocator(&autopsy.backtrace), inner.first()) {
        (Some(f), _) => format!("{IN_ALLOCATOR}({f}): probably heap damage"),
        (None, Some(f)) => format!(", innermost frame {f}"),
        (None, None) => String::new(),
    };
    let threads = waits::summary(&waits::read(&autopsy.backtrace, stderr));
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

/// The allocator's function in which the process stands: a thread waits for a lock there, or all that wait
/// for nothing are inside it. That one of several that compute is inside says nothing: it passes through.
fn allocator(backtrace: &str) -> Option<String> {
    let text = format!("\n{backtrace}");
    let mut computing = Vec::new();
    for stack in text.split("\n#0 ").skip(1) {
        let stack = format!("#0 {stack}");
        let innermost = stack.lines().next().and_then(stack::function);
        // Whoever calls the allocator is not in it.
        let telling = stack::frames(&stack).into_iter().next();
        let inside = telling.filter(|f| stack::is_allocator(f));
        match innermost {
            Some(f) if LOCK_WAITS.iter().any(|w| f.starts_with(w)) => {
                if inside.is_some() {
                    return inside;
                }
            }
            Some(f) if noise::is(f, &[Class::Wait]) => {}
            _ => computing.push(inside),
        }
    }
    let all = computing.iter().all(Option::is_some);
    computing.into_iter().next().flatten().filter(|_| all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line on threads with these frames, innermost first.
    fn line(threads: &[&[&str]]) -> String {
        let stack = |frames: &&[&str]| {
            let lines = frames.iter().enumerate();
            let text: String = lines
                .map(|(i, f)| format!("#{i}  0x01 in {f} (x=1) at a.c:1\n"))
                .collect();
            format!("Thread 2 (Thread 0x7f (LWP 2) \"py\"):\n{text}")
        };
        let autopsy = Autopsy {
            running: 1,
            backtrace: threads.iter().map(stack).collect(),
            ..Autopsy::default()
        };
        hang(&autopsy, "")
    }

    #[test]
    fn only_the_allocators_own_frames_are_heap_damage() {
        let of = |frames: &[&str]| in_allocator(&line(&[frames]));
        assert!(of(&["mi_page_queue_find_free_ex", "_mi_malloc_generic"]));
        assert!(of(&["_int_free.constprop.0", "free"]));
        for innermost in [
            "free_threadstate",
            "arena_map_get",
            "_PyMem_FreeDelayed",
            "list_dealloc",
        ] {
            assert!(!of(&[innermost, "mi_free"]), "{innermost}");
        }
    }

    #[test]
    fn a_thread_that_passes_through_the_allocator_is_no_heap_damage() {
        let waits: &[&str] = &[
            "__futex_abstimed_wait_common",
            "PyMutex_LockTimed",
            "list_append",
        ];
        let inside: &[&str] = &["mi_malloc", "list_resize"];
        let elsewhere: &[&str] = &["list_extend"];
        assert!(in_allocator(&line(&[waits, inside])), "who runs is inside");
        assert!(!in_allocator(&line(&[waits, inside, elsewhere])));
        let for_its_lock: &[&str] = &["__lll_lock_wait_private", "_int_free", "list_dealloc"];
        assert!(in_allocator(&line(&[elsewhere, for_its_lock])));
        let gives_back: &[&str] = &["__GI_madvise", "mi_free"];
        assert!(!in_allocator(&line(&[elsewhere, gives_back])));
    }

    #[test]
    fn the_line_says_whether_a_thread_computes() {
        for (words, told) in [
            ("no progress: 1 threads running, 0 sleeping", Some(true)),
            (
                "no progress: 1 threads running, 1 sleeping, innermost frame f",
                Some(true),
            ),
            (
                "no progress: 1 threads running, 2 sleeping (1 for time or input); x",
                Some(true),
            ),
            ("no progress: 1 threads running, 2 sleeping", Some(false)),
            ("no progress: 0 threads running, 1 sleeping", Some(false)),
            ("x", None),
        ] {
            assert_eq!(computes(words), told, "{words}");
        }
    }
}
