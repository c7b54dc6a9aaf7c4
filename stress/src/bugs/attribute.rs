//! Raw output of a VM to the known bug that it shows.
//!
//! Terms are function names of native stacks (every thread's: the threads that race against the
//! crashing one are still in their operation), functions of sanitizer reports, panic places and
//! the words of fatal errors. Raw output and signatures are compared as vectors weighted by how
//! few bugs share a term (TF-IDF and cosine, which Campbell, Santos and Hindle found to beat
//! signature rules: The Unreasonable Effectiveness of Traditional Information Retrieval in Crash
//! Report Deduplication, MSR 2016). A best match that is not clearly better than the next is
//! said to be open between the two: two bugs are never merged by a coin toss.

use super::{Bug, Nature};
use crate::verdict::sanitizer::Report;
use crate::verdict::stack;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A match below this says nothing.
const WEAK: f64 = 0.22;

/// A crash must match this well to be called the bug's: broken memory ends a process in many places,
/// also in one where another bug does. Of the catalogue's recorded crashes none is called another's.
const SURE: f64 = 0.5;

/// The best match must be better than the next by this factor.
const CLEAR: f64 = 1.12;

/// Terms of raw output with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    terms: BTreeMap<String, f64>,
    /// Of one data race: the functions that make the two accesses.
    racing: Vec<String>,
}

/// A bug and how well it matches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// The bug.
    pub id: String,
    /// Cosine, 0 to 1.
    pub score: f64,
}

/// What raw output is attributed to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Attribution {
    /// This bug.
    Known {
        /// The bug.
        best: Match,
    },
    /// One of several; best first.
    Open {
        /// The candidates.
        matches: Vec<Match>,
    },
    /// No bug of the catalogue.
    #[default]
    Unknown,
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

    /// Whether one of its two accesses is made where the bug's is: what only has the callers in common
    /// is another race. True of all that is no data race.
    fn races_as(&self, bug: &Known) -> bool {
        self.racing.is_empty() || self.racing.iter().any(|f| bug.race.contains(f))
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

/// Bugs with their signatures' weights.
#[derive(Debug)]
pub struct Index {
    rare: BTreeMap<String, f64>,
    bugs: Vec<Known>,
}

/// A bug of an index.
#[derive(Debug)]
struct Known {
    id: String,
    terms: BTreeSet<String>,
    /// Functions of which one makes an access, where it is a data race.
    race: BTreeSet<String>,
    same: BTreeSet<String>,
}

impl Index {
    /// Of a catalogue. Reports that turned out false and faults of other libraries are left out:
    /// nothing may be attributed to the former.
    pub fn new(bugs: &[Bug]) -> Self {
        let bugs: Vec<_> = bugs
            .iter()
            .filter(|b| b.nature != Nature::False)
            .filter_map(|b| {
                let s = &b.signature;
                let terms: BTreeSet<String> = s.frames.iter().chain(&s.race).cloned().collect();
                (!terms.is_empty()).then(|| Known {
                    id: b.id(),
                    terms,
                    race: s.race.iter().cloned().collect(),
                    same: b.same.iter().cloned().collect(),
                })
            })
            .collect();
        let mut count: BTreeMap<String, f64> = BTreeMap::new();
        for bug in &bugs {
            for term in &bug.terms {
                *count.entry(term.clone()).or_default() += 1.0;
            }
        }
        let all = bugs.len() as f64;
        let rare = count
            .into_iter()
            .map(|(t, n)| (t, (1.0 + all / n).ln()))
            .collect();
        Self { rare, bugs }
    }

    /// All bugs that share a term with the evidence, best first.
    pub fn rank(&self, evidence: &Evidence) -> Vec<Match> {
        // A term that no bug has is as rare as one that a single bug has.
        let unknown = (1.0 + self.bugs.len() as f64).ln();
        let rarity = |t: &str| self.rare.get(t).copied().unwrap_or(unknown);
        let norm: f64 = evidence
            .terms
            .iter()
            .map(|(t, w)| (w * rarity(t)).powi(2))
            .sum::<f64>()
            .sqrt();
        let mut matches: Vec<Match> = self
            .bugs
            .iter()
            .filter(|bug| evidence.races_as(bug))
            .filter_map(|Known { id, terms, .. }| {
                let dot: f64 = terms
                    .iter()
                    .filter_map(|t| Some(evidence.terms.get(t)? * rarity(t).powi(2)))
                    .sum();
                let own: f64 = terms.iter().map(|t| rarity(t).powi(2)).sum::<f64>().sqrt();
                (dot > 0.0).then(|| Match {
                    id: id.clone(),
                    score: dot / (norm * own),
                })
            })
            .collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        matches
    }

    /// What raw output shows.
    pub fn attribute(&self, raw: &str) -> Attribution {
        self.decide(&Evidence::read(raw))
    }

    /// What this evidence shows.
    pub fn decide(&self, evidence: &Evidence) -> Attribution {
        let ranked = self.rank(evidence);
        let Some(best) = ranked.first().filter(|m| m.score >= WEAK) else {
            return Attribution::Unknown;
        };
        let same = |a: &str, b: &str| {
            self.bugs
                .iter()
                .any(|bug| bug.id == a && bug.same.contains(b))
        };
        let rival = ranked[1..]
            .iter()
            .find(|m| !same(&best.id, &m.id) && !same(&m.id, &best.id));
        // The place of a race's accesses is the fault itself.
        let sure = best.score >= SURE || !evidence.racing.is_empty();
        let clear = rival.is_none_or(|next| best.score >= next.score * CLEAR);
        if clear && sure {
            return Attribution::Known { best: best.clone() };
        }
        Attribution::Open {
            matches: ranked.iter().take(3).cloned().collect(),
        }
    }
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
