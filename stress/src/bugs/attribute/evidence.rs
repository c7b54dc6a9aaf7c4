//! What raw output says: functions of native stacks and of races, places of panics, fatal words.

use crate::verdict::sanitizer::Report;
use crate::verdict::stack;
use std::collections::{BTreeMap, BTreeSet};

/// Terms of raw output with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    terms: BTreeMap<String, f64>,
    /// Of one data race: the functions that make the two accesses.
    racing: Vec<String>,
}

/// Functions that every stack has.
const EVERYWHERE: &[&str] = &[
    "_PyEval",
    "PyEval_",
    "_start",
    "main",
    "Py_RunMain",
    "Py_BytesMain",
    "pymain_",
    "_PyRun",
    "run_mod",
    "run_eval_code",
    "pyrun_",
    "thread_run",
    "pythread_wrapper",
    "thread_PyThread",
    "_Py_HandlePending",
    "clone3",
    "_PyFunction_Vectorcall",
    "method_vectorcall",
    "_PyObject_",
    "PyObject_Vectorcall",
    "__tsan",
    "pthread_",
    "__interceptor",
    "std::",
    "core::",
    "alloc::",
    "lock_PyThread",
    "PyThread_",
    "_PyParkingLot",
    "_PyMutex",
    "_PySemaphore",
    "_PyEvent",
    "time_sleep",
    "pysleep",
    "ThreadHandle_",
    "_PyThreadState",
    "PyThreadState",
    "tstate_",
    "detach_thread",
    "_Py_Exit",
    "__run_exit",
    "exit",
    "__new_sem",
    "do_futex",
    "poll",
    "epoll",
    "clock_nanosleep",
    "__GI_",
    "__internal",
    "mi_",
    "_mi_",
    "PyMem_",
    "PyObject_Free",
    "PyObject_Malloc",
];

impl Evidence {
    /// Reads raw output: stdout, stderr, a debugger's text, in any order.
    pub fn read(raw: &str) -> Self {
        let mut evidence = Self::default();
        let mut add = |term, weight| evidence.add(term, weight);
        for (i, stack) in stacks(raw).into_iter().enumerate() {
            // A debugger prints the crashing thread first; deeper frames tell less.
            let thread = if i == 0 { 1.5 } else { 1.0 };
            for (depth, frame) in stack.into_iter().take(14).enumerate() {
                add(frame, thread * 0.93_f64.powi(depth as i32));
            }
        }
        for frames in races(raw).into_iter().flatten() {
            for (frame, weight) in sided(frames) {
                add(frame, weight);
            }
        }
        if let Some(panic) = stack::panic(raw) {
            let (place, message) = panic.split_once(": ").unwrap_or((&panic, ""));
            // Lines move from release to release, files seldom do.
            let file = place.rsplit_once(':').map_or(place, |(f, _)| f);
            let file = file.split_once("/src/").map_or(file, |(_, f)| f);
            add(format!("panic in {file}"), 2.0);
            add(format!("message {}", digits_masked(message)), 1.5);
        }
        if let Some(fatal) = stack::fatal(raw) {
            add(digits_masked(&fatal), 1.5);
        }
        evidence
    }

    /// Adds a term; of several weights the greatest counts.
    fn add(&mut self, term: String, weight: f64) {
        let old = self.terms.entry(term).or_insert(0.0);
        *old = old.max(weight);
    }

    /// Both sides of one data race.
    pub fn of_race(race: &Report) -> Self {
        let mut evidence = Self::default();
        for stack in race.stacks.iter().take(2) {
            let names = stack.frames.iter().map(|f| f.function.clone());
            let names: Vec<String> = names.filter(|f| !helps(f)).collect();
            evidence.racing.extend(names.first().cloned());
            for (frame, weight) in sided(names) {
                evidence.add(frame, weight);
            }
        }
        evidence
    }

    /// Whether one of its two accesses is made in one of these functions: what only has the callers in
    /// common is another race. True of all that is no data race.
    pub(super) fn races_in(&self, functions: &BTreeSet<String>) -> bool {
        self.racing.is_empty() || self.racing.iter().any(|f| functions.contains(f))
    }

    /// Whether it is one data race: the place of its accesses is the fault itself.
    pub(super) fn is_race(&self) -> bool {
        !self.racing.is_empty()
    }

    /// How much it holds of a term, where it does.
    pub(super) fn weight(&self, term: &str) -> Option<f64> {
        self.terms.get(term).copied()
    }

    /// Its terms with their weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.terms
            .iter()
            .map(|(term, weight)| (term.as_str(), *weight))
    }

    /// Whether it has nothing that could be a bug's.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms, for a signature.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }
}

pub(crate) fn digits_masked(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
    }
    out
}

/// Function names of every native stack in a debugger's text, the crashing thread's first.
pub(crate) fn stacks(raw: &str) -> Vec<Vec<String>> {
    let mut stacks: Vec<String> = Vec::new();
    for line in raw.lines() {
        if line.starts_with("#0") {
            stacks.push(String::new());
        }
        if let Some(last) = stacks.last_mut().filter(|_| line.starts_with('#')) {
            last.push_str(line);
            last.push('\n');
        }
    }
    stacks.iter().map(|s| told(stack::frames(s))).collect()
}

/// Frames that tell one bug from another; release builds' clones carry suffixes.
pub(crate) fn told(frames: Vec<String>) -> Vec<String> {
    frames
        .into_iter()
        .map(|f| {
            let cut = [".lto_priv", ".part", ".constprop", ".isra", ".cold"];
            let end = cut
                .iter()
                .filter_map(|c| f.find(c))
                .min()
                .unwrap_or(f.len());
            f[..end].to_owned()
        })
        .filter(|f| !EVERYWHERE.iter().any(|e| f.starts_with(e)))
        .collect()
}

/// Whether a function only makes the access for another.
fn helps(function: &str) -> bool {
    const HELPERS: &[&str] = &[
        "_Py_atomic",
        "mem",
        "__tsan",
        "_Py_INCREF",
        "_Py_DECREF",
        "Py_INCREF",
        "Py_DECREF",
    ];
    HELPERS.iter().any(|h| function.starts_with(h))
}

/// One side of a data race: what is further from the access tells less.
fn sided(frames: Vec<String>) -> impl Iterator<Item = (String, f64)> {
    let near = frames.into_iter().take(6).enumerate();
    near.map(|(depth, frame)| (frame, 0.85_f64.powi(depth as i32)))
}

/// Both stacks of every data race that ThreadSanitizer reports, innermost first, without the
/// helpers that make the access.
pub fn races(raw: &str) -> Vec<[Vec<String>; 2]> {
    raw.split("WARNING: ThreadSanitizer: data race")
        .skip(1)
        .map(|report| {
            let report = report.split("==================").next().unwrap_or("");
            let mut stacks = report.split("\n\n").map(|block| {
                block
                    .lines()
                    .filter_map(|l| {
                        let rest = l.trim_start().strip_prefix('#')?;
                        rest.split_whitespace().nth(1)
                    })
                    .filter(|f| !helps(f))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            });
            [
                stacks.next().unwrap_or_default(),
                stacks.next().unwrap_or_default(),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_stacks_of_a_race() {
        let text = "==================\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b by thread T2:\n    \
                    #0 _Py_atomic_store_ssize ./x.h:1 (python+0x1)\n    #1 list_resize Objects/listobject.c:99 (python+0x2)\n\n  \
                    Previous read of size 8 at 0x7b by thread T1:\n    #0 list___sizeof___impl Objects/listobject.c:3 (python+0x3)\n\n  \
                    Thread T2 (tid=3) created by main thread at:\n    #0 pthread_create\n\nSUMMARY: x\n==================\n";
        assert_eq!(
            races(text),
            [[
                vec!["list_resize".to_owned()],
                vec!["list___sizeof___impl".to_owned()]
            ]]
        );
    }

    #[test]
    fn stacks_of_all_threads_without_what_every_stack_has() {
        let text = "Thread 3 received signal SIGSEGV\n#0  0x01 in dict_dealloc.lto_priv.0 (op=1) at x.c:1\n#1  0x2 in _PyEval_EvalFrameDefault ()\n\
                    Thread 2 (LWP 2):\n#0  dictiter_iternextkey (self=2) at y.c:2\n";
        assert_eq!(
            stacks(text),
            [vec!["dict_dealloc"], vec!["dictiter_iternextkey"]]
        );
    }
}
