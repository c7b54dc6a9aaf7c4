//! How a run ends that does not end by itself, and what is said about it.

pub mod freed;
pub mod race;
pub mod signal;

use crate::control::{Control, State, Thread, Why};
use crate::real::system;
use std::fmt::{Arguments, Write};
use threadbare_control::block::{MAX_THREADS, Verdict};

/// The code with which a run leaves that the runtime ends.
pub const CODE: usize = 70;

/// Writes into the block's note, cutting what does not fit.
struct Note<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Write for Note<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // The last byte stays zero.
        let room = self.bytes.len() - 1 - self.used;
        let part = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.used..self.used + part.len()].copy_from_slice(part);
        self.used += part.len();
        Ok(())
    }
}

/// Ends the process with this verdict.
pub fn end(control: &mut Control, verdict: Verdict, why: Arguments) -> ! {
    // SAFETY: there are orders, or nobody would ask for a verdict; the note is the holder's to write.
    unsafe {
        let block = &mut *control.block;
        let mut note = Note {
            bytes: &mut block.note,
            used: 0,
        };
        let _ = note.write_fmt(why);
        let used = note.used;
        block.note[used] = 0;
        block.current.verdict = verdict;
        let holder = crate::control::holder();
        block.current.thread = if holder.is_null() {
            0
        } else {
            (*holder).id as u32
        };
        if block.config.core && verdict.is_fault() {
            signal::default();
            libc::abort();
        }
        system(libc::SYS_exit_group, CODE, 0, 0, 0, 0, 0);
    }
    std::process::abort()
}

/// Every thread that is left waits and no deadline will come. A circle of threads that wait for
/// each other is a deadlock; without one, somebody waits for a wake-up that nobody is left to give.
pub fn nobody_can_run(control: &mut Control) -> ! {
    let threads = &control.threads[..control.count];
    let mut waits_for = [None; MAX_THREADS];
    for thread in threads.iter().filter(|t| t.state == State::Blocked) {
        waits_for[thread.id] = obstacle(threads, thread);
    }
    let circle = (0..threads.len()).any(|start| {
        let mut at = waits_for[start];
        for _ in 0..threads.len() {
            match at {
                Some(id) if id == start => return true,
                Some(id) => at = waits_for[id],
                None => return false,
            }
        }
        false
    });
    let verdict = if circle {
        Verdict::Deadlock
    } else {
        Verdict::LostWakeUp
    };
    let explanation = Waits { threads, waits_for };
    // The borrow of the table ends with the text.
    let mut text = [0; 2048];
    let mut note = Note {
        bytes: &mut text,
        used: 0,
    };
    let _ = write!(note, "{explanation}");
    let used = note.used;
    end(
        control,
        verdict,
        format_args!("{}", std::str::from_utf8(&text[..used]).unwrap_or("?")),
    )
}

/// The thread that `thread` waits for, where that is known.
fn obstacle(threads: &[Thread], thread: &Thread) -> Option<usize> {
    match thread.why {
        Why::Mutex => {
            // SAFETY: a mutex that a thread waits for is alive; glibc keeps its owner's number in
            // the third word (struct __pthread_mutex_s, x86-64).
            let owner = unsafe { *((thread.waits + 8) as *const i32) };
            threads
                .iter()
                .find(|t| t.kernel == owner && t.state != State::Gone)
                .map(|t| t.id)
        }
        Why::Join => threads
            .iter()
            .find(|t| std::ptr::from_ref(*t) as usize == thread.waits)
            .map(|t| t.id),
        _ => None,
    }
}

struct Waits<'a> {
    threads: &'a [Thread],
    waits_for: [Option<usize>; MAX_THREADS],
}

impl std::fmt::Display for Waits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        for thread in self.threads.iter().filter(|t| t.state == State::Blocked) {
            let what = match thread.why {
                Why::Mutex => "mutex",
                Why::ReadWriteLock => "read-write lock",
                Why::Condition => "condition",
                Why::Semaphore => "semaphore",
                Why::Barrier => "barrier",
                Why::Once => "initialisation",
                Why::Futex => "futex",
                Why::Join => "end of thread",
                Why::Sleep => "time",
                Why::Window => "window",
                Why::Descriptor => "descriptor",
            };
            write!(
                f,
                "thread {} waits for {what} {:#x}",
                thread.id, thread.waits
            )?;
            match (self.waits_for[thread.id], thread.why) {
                (Some(id), Why::Join) => writeln!(f, " (thread {id})")?,
                (Some(id), _) => writeln!(f, ", which thread {id} holds")?,
                (None, _) => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_where_it_is_full_and_ends_with_a_zero() {
        let mut bytes = [1; 4];
        let mut note = Note {
            bytes: &mut bytes,
            used: 0,
        };
        let _ = note.write_str("abcdef");
        let used = note.used;
        assert_eq!((used, &bytes[..3]), (3, &b"abc"[..]));
    }
}
