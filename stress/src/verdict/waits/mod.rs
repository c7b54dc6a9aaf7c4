//! Who waits for what in a process that stands still.
//!
//! Read from a debugger's text (native frames of every thread, Python's where it can read them,
//! locks held where the VM knows) and from what the process printed when it was ended (CPython's
//! faulthandler). Each part may be missing; what is known is told, the rest is not guessed.

mod text;

pub use self::text::{summary, table};

use super::stack;

/// Functions that wait for a lock or an event, and the argument that is it.
const WAITS: &[(&str, &str)] = &[
    ("_PyMutex_LockTimed", "m"),
    ("PyMutex_Lock", "m"),
    ("_PyMutex_LockSlow", "m"),
    ("_PyRawMutex_LockSlow", "m"),
    ("_PyRWMutex_RLock", "rwmutex"),
    ("_PyRWMutex_Lock", "rwmutex"),
    ("PyEvent_Wait", "evt"),
    ("PyThread_acquire_lock", "lock"),
    ("lock_PyThread_acquire_lock", "self"),
    ("rlock_acquire", "self"),
    ("take_gil", "tstate"),
    ("stop_the_world", "stw"),
    ("tstate_wait_attach", "tstate"),
    ("_PyParkingLot_Park", "addr"),
    ("___pthread_mutex_lock", "mutex"),
    ("__GI___pthread_mutex_lock", "mutex"),
    ("pthread_mutex_lock", "mutex"),
    ("___pthread_cond_wait", "cond"),
    ("mp_thread_mutex_lock", "mutex"),
    ("parking_lot::raw_mutex::RawMutex::lock_slow", "self"),
    ("parking_lot::raw_rwlock::RawRwLock::lock", "self"),
    ("parking_lot::condvar::Condvar::wait", "self"),
    ("std::sys::sync::mutex", "self"),
    ("std::thread::park", ""),
    ("std::thread::join_handle", ""),
];

/// One thread of a process that stands still.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiter {
    /// Number, as the debugger counts; in order of the dump without one.
    pub number: usize,
    /// Its pthread address.
    pub address: String,
    /// Its id in the kernel.
    pub tid: String,
    /// Native frames, innermost first.
    pub native: Vec<String>,
    /// Frames of the interpreter, innermost first: `file.py:8 in one`.
    pub python: Vec<String>,
    /// The function in which it waits, and the address of what for.
    pub waits: Option<(String, Option<String>)>,
    /// Addresses of the locks that it is known to hold.
    pub holds: Vec<String>,
}

/// Reads a debugger's text and the process's own words.
pub fn read(debugger: &str, stderr: &str) -> Vec<Waiter> {
    let mut threads: Vec<Waiter> = Vec::new();
    let mut at = None;
    let mut holds: Vec<(String, String)> = Vec::new();
    let mut owners: Vec<(String, String)> = Vec::new();
    for line in debugger.lines() {
        if let Some(head) = thread_head(line) {
            at = Some(
                threads
                    .iter()
                    .position(|t| t.tid == head.tid)
                    .unwrap_or_else(|| {
                        threads.push(head);
                        threads.len() - 1
                    }),
            );
        } else if let Some(rest) = line.strip_prefix("@holds ") {
            holds.extend(
                rest.split_once(' ')
                    .map(|(a, b)| (a.to_owned(), b.to_owned())),
            );
        } else if let Some(rest) = line.strip_prefix("@owner ") {
            owners.extend(
                rest.split_once(' ')
                    .map(|(a, b)| (a.to_owned(), b.to_owned())),
            );
        } else if let Some(thread) = at.and_then(|i| threads.get_mut(i)) {
            if let Some(frame) = python_frame(line) {
                thread.python.push(frame);
            } else if line.starts_with('#') {
                thread.native.extend(stack::frames(line));
                if thread.waits.is_none() {
                    thread.waits = wait(line);
                }
            }
        }
    }
    own_words(stderr, &mut threads);
    for thread in &mut threads {
        let mine = |(tid, _): &&(String, String)| *tid == thread.tid;
        thread.holds = holds
            .iter()
            .filter(mine)
            .map(|(_, lock)| lock.clone())
            .collect();
        let owned = owners.iter().filter(|(_, owner)| *owner == thread.address);
        thread.holds.extend(owned.map(|(lock, _)| lock.clone()));
    }
    threads.sort_by_key(|t| t.number);
    threads
}

/// `Thread 3 (Thread 0x7f5a (LWP 20636) "python3"):`
fn thread_head(line: &str) -> Option<Waiter> {
    let rest = line.strip_prefix("Thread ")?;
    let (number, rest) = rest.split_once(" (")?;
    let number = number.parse().ok()?;
    let word = |mark: &str| {
        let after = rest.split_once(mark)?.1;
        Some(after.split([' ', ')']).next()?.to_owned())
    };
    Some(Waiter {
        number,
        address: word("Thread ").unwrap_or_default(),
        tid: word("LWP ")?,
        ..Waiter::default()
    })
}

/// `  File "/tmp/x.py", line 8 in one` of faulthandler, or gdb's `line 8, in one`.
fn python_frame(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = &rest[..digits];
    let function = rest[digits..]
        .trim_start_matches([',', ' '])
        .strip_prefix("in ")?;
    let file = file.rsplit('/').next().unwrap_or(file);
    Some(format!("{file}:{number} in {}", function.trim()))
}

/// Whether a frame waits, and for what.
fn wait(line: &str) -> Option<(String, Option<String>)> {
    let name = stack::frames(line).pop()?;
    let (_, argument) = WAITS
        .iter()
        .find(|(function, _)| name.starts_with(function))?;
    let arguments = line.split_once(" (").map_or("", |(_, a)| a);
    // `m=0x55 <_PyRuntime+3>`, `lock=lock@entry=0x55`; what an optimised caller passed does not count.
    let value = arguments.split(", ").find_map(|a| {
        let (key, value) = a.trim_start_matches('(').split_once('=')?;
        let value = value.rsplit('=').next().unwrap_or(value);
        (key == *argument && value.starts_with("0x"))
            .then(|| value.split([' ', ')']).next().unwrap_or(value).to_owned())
    });
    Some((name, value))
}

/// Adds the stacks that faulthandler printed, to the threads of the same address.
fn own_words(stderr: &str, threads: &mut Vec<Waiter>) {
    let mut at = None;
    let known = !threads.is_empty();
    for line in stderr.lines() {
        let head = line
            .strip_prefix("Current thread 0x")
            .or_else(|| line.strip_prefix("Thread 0x"));
        if let Some(rest) = head {
            let address = rest
                .split([' ', ':'])
                .next()
                .unwrap_or("")
                .trim_start_matches('0');
            let same =
                |t: &Waiter| t.address.trim_start_matches("0x").trim_start_matches('0') == address;
            at = threads.iter().position(same);
            if at.is_none() && !known {
                threads.push(Waiter {
                    number: threads.len() + 1,
                    address: format!("0x{address}"),
                    ..Waiter::default()
                });
                at = Some(threads.len() - 1);
            }
            // The debugger may have read it already; the VM's own word is the better one.
            if let Some(i) = at {
                threads[i].python.clear();
            }
        } else if let (Some(i), Some(frame)) = (at, python_frame(line)) {
            threads[i].python.push(frame);
        } else if !line.starts_with("  ") {
            at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GDB: &str = "\
Thread 3 (Thread 0x7f5a9bd656c0 (LWP 36) \"python3\"):
#0  0x00007f in __futex_abstimed_wait_common (futex_word=0x5607) at ./nptl/futex-internal.c:57
#1  0x00007f in _PyMutex_LockTimed (flags=_PY_LOCK_DETACH, timeout=-1, m=0xb0 <_PyRuntime+8>, m@entry=0x1) at Python/lock.c:90
#2  0x00007f in list_append (self=0x7f) at Objects/listobject.c:1
Thread 2 (Thread 0x7f5a9c5666c0 (LWP 35) \"python3\"):
#0  0x00007f in PyThread_acquire_lock_timed (lock=lock@entry=0xa0, microseconds=-1) at Python/thread_pthread.h:497
@holds 36 0xa0
@holds 35 0xb0
Thread 2 (Thread 0x7f5a9c5666c0 (LWP 35) \"python3\"):
Traceback (most recent call first):
  <built-in method acquire of _thread.lock object at remote 0xa0>
  File \"/tmp/x.py\", line 8, in one
";

    #[test]
    fn a_cycle_is_told_with_its_holders() {
        let stderr = "Fatal Python error: Aborted\n\nThread 0x00007f5a9bd656c0 (most recent call first):\n  \
                      File \"/l/threading.py\", line 3 in acquire\n  File \"/tmp/x.py\", line 13 in two\n\nExtension modules: none\n";
        let threads = read(GDB, stderr);
        assert_eq!(
            summary(&threads),
            "a cycle: thread 2 → lock A → thread 3 → lock B → thread 2; \
             thread 2 waits for lock A, held by thread 3 in PyThread_acquire_lock_timed at x.py:8 in one; \
             thread 3 waits for lock B, held by thread 2 in _PyMutex_LockTimed at x.py:13 in two"
        );
        let table = table(&threads);
        assert!(
            table.contains("holds 0xa0") && table.contains("list_append"),
            "{table}"
        );
    }

    #[test]
    fn a_chain_that_ends_is_no_cycle() {
        let text = GDB.replace("@holds 36 0xa0\n", "");
        let told = summary(&read(&text, ""));
        assert!(
            told.contains("held by thread 2") && !told.contains("a cycle"),
            "{told}"
        );
    }

    #[test]
    fn without_a_debugger_the_vms_own_stacks_remain() {
        let stderr = "Thread 0x01 (most recent call first):\n  File \"a.py\", line 1 in f\nCurrent thread 0x02 (most recent call first):\n  File \"a.py\", line 2 in g\n";
        assert_eq!(
            summary(&read("", stderr)),
            "thread 1 at a.py:1 in f; thread 2 at a.py:2 in g"
        );
        assert_eq!(summary(&read("", "nothing")), "");
    }
}
