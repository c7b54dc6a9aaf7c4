//! Every small program over a protocol's operations, instead of those that somebody thought of.
//!
//! A protocol says after which set-ups threads do something meaningful, and what each thread may
//! do then: its *letters*. A program gives every thread a word of at most so many letters. Words of
//! threads that the set-up treats alike can be exchanged, so of such programs one is kept; and one
//! with an operation that can never apply is as good as the shorter program without it, so it is
//! left out.
//!
//! A program has a name from which it is built again: `each:02-1` is the set-up *each*, then letters 0
//! and 2 for the first thread and letter 1 for the second, in base 36.

use crate::choice::Choices;
use crate::protocol::Scenario;
use crate::verdict::{Failure, Verdict};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// So many threads, each of at most so many operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Threads, main included.
    pub threads: usize,
    /// Operations of each thread at most.
    pub operations: usize,
}

/// What every run of the tests explores of each protocol, whole.
pub const EVERY_RUN: [Bound; 2] =
    [Bound { threads: 2, operations: 2 }, Bound { threads: 3, operations: 1 }];

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.threads, self.operations)
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('x').and_then(|(threads, operations)| {
            Some((threads.parse().ok()?, operations.parse().ok()?))
        });
        match numbers {
            Some((threads @ 1..=4, operations @ 1..=6)) => Ok(Self { threads, operations }),
            _ => Err("threads x operations of each, up to 4x6; for example 2x3".into()),
        }
    }
}

/// Where in a program an operation stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The thread.
    pub thread: usize,
    /// A number that no other place of the program has, from 0: for operations that need an
    /// object or a value of their own.
    pub fresh: usize,
}

/// A set-up, and what threads may do after it.
pub struct Start<Op> {
    /// The first part of a program's name.
    pub name: &'static str,
    /// What the programs have in common, in words.
    pub asks: &'static str,
    /// Objects in the world.
    pub objects: usize,
    /// Whether every operation may need an object more.
    pub grows: bool,
    /// Operations of the main thread before the others start.
    pub setup: Vec<Op>,
    /// What every thread begins with.
    pub first: Vec<Op>,
    /// What every thread ends with.
    pub last: Vec<Op>,
    /// Operations of the main thread after the others have ended.
    pub finish: Vec<Op>,
    /// The threads from this number on are alike: same set-up, same letters.
    pub alike: usize,
    /// What may stand at a place. The number of letters depends on the thread alone, and is the
    /// same for threads that are alike.
    pub letters: fn(Place) -> Vec<Op>,
    /// Whether every operation may apply in some execution.
    pub fits: fn(&Scenario<Op>) -> bool,
}

impl<Op: Copy> Start<Op> {
    /// A set-up without operations of one object; all threads are alike.
    pub fn new(name: &'static str, asks: &'static str, letters: fn(Place) -> Vec<Op>) -> Self {
        Self {
            name,
            asks,
            objects: 1,
            grows: false,
            setup: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            finish: Vec::new(),
            alike: 0,
            letters,
            fits: |_| true,
        }
    }

    /// Letters of a thread.
    fn size(&self, thread: usize) -> usize {
        (self.letters)(Place { thread, fresh: 0 }).len()
    }

    fn program(&self, words: &[Vec<usize>]) -> Scenario<Op> {
        let mut fresh = 0;
        let threads = words.iter().enumerate().map(|(thread, word)| {
            let mut script = self.first.clone();
            for letter in word {
                script.push((self.letters)(Place { thread, fresh })[*letter]);
                fresh += 1;
            }
            script.extend(&self.last);
            script
        });
        let threads = threads.collect();
        let mut scenario = Scenario::new(name(self.name, words), self.asks);
        scenario.objects = self.objects + if self.grows { fresh } else { 0 };
        scenario.setup = self.setup.clone();
        scenario.threads = threads;
        scenario.finish = self.finish.clone();
        scenario
    }
}

fn name(start: &str, words: &[Vec<usize>]) -> String {
    let digit = |n: &usize| char::from_digit(*n as u32, 36).expect("at most 36 letters");
    let words = words.iter().map(|word| word.iter().map(digit).collect::<String>());
    format!("{start}:{}", words.collect::<Vec<_>>().join("-"))
}

/// The program of that name; `starts` gives the set-ups for a number of threads.
pub fn named<Op: Copy>(
    name: &str,
    starts: impl Fn(usize) -> Vec<Start<Op>>,
) -> Option<Scenario<Op>> {
    let (start, words) = name.split_once(':')?;
    let digit = |c: char| c.to_digit(36).map(|n| n as usize);
    let words = words.split('-').map(|word| word.chars().map(digit).collect::<Option<Vec<_>>>());
    let words = words.collect::<Option<Vec<_>>>()?;
    let start = starts(words.len()).into_iter().find(|s| s.name == start)?;
    let known = |(thread, word): (usize, &Vec<usize>)| {
        word.iter().all(|letter| *letter < start.size(thread))
    };
    words.iter().enumerate().all(known).then(|| start.program(&words))
}

/// The word number `n` of at most so many letters: shorter ones first.
fn word(mut n: usize, letters: usize) -> Vec<usize> {
    let (mut len, mut of_len) = (0, 1);
    while n >= of_len {
        n -= of_len;
        len += 1;
        of_len *= letters;
    }
    let mut word = vec![0; len];
    for letter in word.iter_mut().rev() {
        *letter = n % letters;
        n /= letters;
    }
    word
}

/// Number of words of at most so many letters.
fn words(operations: usize, letters: usize) -> usize {
    (0..=operations).map(|len| letters.pow(len as u32)).sum()
}

/// The programs of a set-up within a bound.
pub fn programs<Op: Copy>(start: &Start<Op>, bound: Bound) -> Vec<Scenario<Op>> {
    let sizes: Vec<usize> = (0..bound.threads).map(|thread| start.size(thread)).collect();
    let mut at = vec![0; bound.threads];
    let mut all = Vec::new();
    loop {
        // The next one: counted up from the last thread on.
        let mut thread = bound.threads;
        loop {
            if thread == 0 {
                return all;
            }
            thread -= 1;
            at[thread] += 1;
            if at[thread] < words(bound.operations, sizes[thread]) {
                break;
            }
            at[thread] = 0;
        }
        if at[start.alike.min(at.len())..].is_sorted() {
            let words: Vec<_> = at.iter().zip(&sizes).map(|(n, size)| word(*n, *size)).collect();
            all.extend(Some(start.program(&words)).filter(start.fits));
        }
    }
}

/// So many programs of a set-up, each thread with as many operations as the bound allows.
pub fn sample<Op: Copy>(
    start: &Start<Op>,
    bound: Bound,
    programs: usize,
    choices: &mut Choices,
) -> Vec<Scenario<Op>> {
    let mut all = Vec::new();
    // Where next to none fits, fewer than asked for.
    for _ in 0..100 * programs {
        if all.len() == programs {
            break;
        }
        let words: Vec<_> = (0..bound.threads)
            .map(|thread| {
                let size = start.size(thread);
                (0..bound.operations).map(|_| choices.below(size)).collect::<Vec<_>>()
            })
            .collect();
        all.extend(Some(start.program(&words)).filter(start.fits));
    }
    all
}

/// Which small programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Which {
    /// How large they are.
    pub bound: Bound,
    /// So many of each set-up, by a seed; all when absent.
    pub sample: Option<(usize, u64)>,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((bound, sample)) = text.split_once('~') else {
            return Ok(Self { bound: text.parse()?, sample: None });
        };
        let numbers = sample.split_once('@');
        let numbers =
            numbers.and_then(|(count, seed)| Some((count.parse().ok()?, seed.parse().ok()?)));
        let sample = numbers.ok_or("a sample is BOUND~PROGRAMS@SEED; for example 4x2~1000@7")?;
        Ok(Self { bound: bound.parse()?, sample: Some(sample) })
    }
}

/// What came of exploring small programs.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// Which programs.
    pub which: Which,
    /// Programs explored.
    pub programs: u64,
    /// Executions over all programs.
    pub executions: u64,
    /// Programs of which the search did not come to its end.
    pub unfinished: Vec<String>,
    /// Programs that break a property, and how.
    pub violated: Vec<(String, Failure)>,
}

impl Coverage {
    /// Nothing explored yet.
    pub fn new(which: Which) -> Self {
        let (unfinished, violated) = (Vec::new(), Vec::new());
        Self { which, programs: 0, executions: 0, unfinished, violated }
    }

    /// Counts a program.
    pub fn add(&mut self, name: String, verdict: &Verdict) {
        self.programs += 1;
        match verdict {
            Verdict::Exhausted(bounds) => self.executions += bounds.executions,
            Verdict::Passed { runs, .. } => {
                self.executions += runs;
                self.unfinished.push(name);
            }
            // Nothing was judged: as little as where the search was cut short.
            Verdict::Unsupported { .. } => self.unfinished.push(name),
            Verdict::Violated(failure) => {
                self.executions += failure.execution;
                self.violated.push((name, (**failure).clone()));
            }
        }
    }

    /// Whether every program that was asked for was explored to the end and breaks nothing.
    pub fn is_clean(&self) -> bool {
        self.programs > 0 && self.unfinished.is_empty() && self.violated.is_empty()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bound { threads, operations } = self.which.bound;
        match self.which.sample {
            None => write!(f, "all {} programs ", self.programs)?,
            Some((_, seed)) => write!(f, "a sample of {} programs (seed {seed}) ", self.programs)?,
        }
        write!(
            f,
            "of {threads} threads × up to {operations} operations: {} executions, RC11; {} violated, {} not \
             explored to the end",
            self.executions,
            self.violated.len(),
            self.unfinished.len()
        )
    }
}
