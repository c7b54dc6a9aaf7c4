//! The hunt's side of the search that learns ([`crate::search`]): it plans batches by what was seen, and
//! takes in what a process showed. What it knows is kept beside the hunt, in `OUT/search`.
//!
//! One batch in [`FLOOR`] is the plain hunt's next, so that every subject keeps its turns.

use super::Options;
use super::process::Judged;
use super::state::{Batch, State};
use super::support::Supported;
use crate::choice::{Choices, Seeded};
use crate::finding::store::StoreError;
use crate::identity::Failure;
use crate::scenario::Scenario;
use crate::search::arm::Source;
use crate::search::bandit::{self, Arm, FLOOR};
use crate::search::corpus::{Corpus, Entry};
use crate::search::mutate;
use crate::search::novelty::{New, Seen, Shown};
use crate::vm::job::Log;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Numbers from here on are mutants': no seed gives them, only the hunt's own corpus.
pub const FIRST_MUTANT: usize = 1 << 40;

/// Tries for a mutant before a fresh scenario is taken instead.
const TRIES: usize = 8;

/// What the hunt has learned.
#[derive(Debug)]
pub(crate) struct Learning {
    seen: Seen,
    corpus: Corpus,
    subjects: HashMap<String, Arm>,
    families: HashMap<String, Arm>,
    all: Arm,
    sources: BTreeMap<Source, Arm>,
    /// Mutants that have not run, or not to their end.
    made: HashMap<usize, (Scenario, Source)>,
    next_mutant: usize,
    turn: u64,
    dir: PathBuf,
}

/// Family of a subject: what stands before the first dot.
fn family(subject: &str) -> &str {
    subject.split('.').next().unwrap_or(subject)
}

/// What novelty is worth: a failing place is what a hunt is for, the rest only leads there.
fn worth(new: New) -> f64 {
    new.places as f64 + 0.05 * new.outcomes.min(4) as f64 + 0.02 * new.pairs.min(4) as f64
}

impl Learning {
    /// Takes up what an earlier part of the hunt learned.
    ///
    /// # Errors
    /// When the folder cannot be read or made.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        let dir = out.join("search");
        fs::create_dir_all(&dir).map_err(|source| StoreError::Write {
            path: dir.clone(),
            source,
        })?;
        let mut learning = Self {
            seen: Seen::default(),
            corpus: Corpus::default(),
            subjects: HashMap::new(),
            families: HashMap::new(),
            all: Arm::default(),
            sources: BTreeMap::new(),
            made: HashMap::new(),
            next_mutant: FIRST_MUTANT,
            turn: 0,
            dir,
        };
        // A hunt that was killed may have left half a line, which is no entry.
        for entry in lines(&learning.corpus_file())?
            .iter()
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok())
        {
            learning.next_mutant = learning.next_mutant.max(entry.number + 1);
            learning.corpus.add(entry);
        }
        let hashes = lines(&learning.seen_file())?;
        let hashes = hashes
            .iter()
            .filter_map(|line| u64::from_str_radix(line, 16).ok());
        learning.seen.extend(hashes);
        Ok(learning)
    }

    fn corpus_file(&self) -> PathBuf {
        self.dir.join("corpus.jsonl")
    }

    fn seen_file(&self) -> PathBuf {
        self.dir.join("seen.txt")
    }

    /// The mutant of this number; `None`: it is neither kept nor to be run.
    pub fn mutant(&self, subject: &str, number: usize) -> Option<Scenario> {
        let made = self.made.get(&number).map(|(scenario, _)| scenario);
        made.or_else(|| self.corpus.scenario(subject, number))
            .cloned()
    }

    /// The next batch.
    pub fn next(
        &mut self,
        state: &mut State,
        options: &Options,
        support: &HashMap<String, Supported>,
    ) -> Option<Batch> {
        self.turn += 1;
        let turn = self.turn.to_string();
        let mut choices = Seeded::new(options.seed, &["search", &turn]);
        // The scenarios of a crash's rest come first, as always.
        if choices.one_in(FLOOR) || options.only.is_some() || !state.pending.is_empty() {
            return state.next(options);
        }
        let room = state.room(options);
        if room == 0 {
            return None;
        }
        let subject = self.subject(state, options, &mut choices)?;
        let name = &options.subjects[subject].name;
        // Planned is a turn, also of what then cannot run.
        self.subjects.entry(name.clone()).or_default();
        let supported = support.get(name);
        let size = if supported.is_some() {
            options.batch
        } else {
            options.batch / 2
        };
        let mut numbers = Vec::new();
        for _ in 0..size.min(room) {
            let source = supported.map(|_| self.source(name, &mut choices));
            let mutant = match (source, supported) {
                (Some(source @ Source::Mutant(_)), Some(supported)) => {
                    let made = self.make(source, supported, options, &mut choices);
                    state.planned += u64::from(made.is_some());
                    made
                }
                _ => None,
            };
            let fresh = source.filter(|s| !matches!(s, Source::Mutant(_)));
            numbers.push(mutant.unwrap_or_else(|| state.fresh(options, subject, fresh)));
        }
        Some(state.started(options, Batch { subject, numbers }))
    }

    /// The subject whose drawn rate is best, of those that had no turn while there are any: what a first turn
    /// yields, a further one seldom does. `None`: all are skipped.
    fn subject(&self, state: &mut State, options: &Options, choices: &mut Seeded) -> Option<usize> {
        // Before anything is known a place a second is hoped for, so that all are tried.
        let overall = self.all.rate(1.0);
        let (mut places, mut arms) = (Vec::new(), Vec::new());
        for (i, subject) in options.subjects.iter().enumerate() {
            if state.of(subject).skipped.is_some() {
                continue;
            }
            let of_family = self.families.get(family(&subject.name));
            let prior = of_family.copied().unwrap_or_default().rate(overall);
            let own = self.subjects.get(&subject.name).copied();
            places.push(i);
            arms.push((own.unwrap_or_default(), prior));
        }
        let name = |i: usize| &options.subjects[places[i]].name;
        let is_new = |i: &usize| !self.subjects.contains_key(name(*i));
        let new: Vec<usize> = (0..places.len()).filter(is_new).collect();
        if !new.is_empty() {
            let arms: Vec<(Arm, f64)> = new.iter().map(|i| arms[*i]).collect();
            return Some(places[new[bandit::choose(&arms, choices)]]);
        }
        (!arms.is_empty()).then(|| places[bandit::choose(&arms, choices)])
    }

    /// The source of a scenario of a subject that was tried before.
    fn source(&self, subject: &str, choices: &mut Seeded) -> Source {
        let prior = self.all.rate(1.0);
        let none_kept = !self.corpus.has(subject);
        let possible = |s: &Source| !none_kept || !matches!(s, Source::Mutant(_));
        let sources: Vec<Source> = Source::all().filter(possible).collect();
        let arm = |s: &Source| (self.sources.get(s).copied().unwrap_or_default(), prior);
        let arms: Vec<(Arm, f64)> = sources.iter().map(arm).collect();
        sources[bandit::choose(&arms, choices)]
    }

    /// The number of a new mutant; `None` where this kind of mutation finds nothing to change.
    fn make(
        &mut self,
        source: Source,
        supported: &Supported,
        options: &Options,
        choices: &mut Seeded,
    ) -> Option<usize> {
        let Source::Mutant(kind) = source else {
            return None;
        };
        let subject = &supported.subject;
        let new = (0..TRIES).find_map(|_| {
            let (parent, other) = self.corpus.parents(&subject.name, choices)?;
            mutate::apply(kind, subject, &parent, &other, options.limits, choices)
        })?;
        let number = self.next_mutant;
        self.next_mutant += 1;
        self.made.insert(number, (new, source));
        Some(number)
    }

    /// Takes in what a process showed: of which scenarios of which numbers, in how many seconds.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn take(
        &mut self,
        state: &mut State,
        numbers: &[usize],
        scenarios: &[Scenario],
        log: &Log,
        judged: &[&Judged],
        seconds: f64,
    ) -> Result<(), StoreError> {
        let Some(subject) = scenarios.first().map(|s| s.context.subject.clone()) else {
            return Ok(());
        };
        let each = seconds / log.histories.len().max(1) as f64;
        let (mut gain, mut kept) = (0.0, Vec::new());
        let before = self.seen.len();
        for history in &log.histories {
            let (Some(scenario), Some(&number)) =
                (scenarios.get(history.id), numbers.get(history.id))
            else {
                continue;
            };
            let of = judged.iter().filter(|j| j.index == history.id);
            let failures: Vec<&Failure> = of.map(|j| &j.failure).collect();
            let new = self.seen.add(&Shown::of(scenario, history, &failures));
            let source = match self.made.remove(&number) {
                Some((_, source)) => source,
                None => Source::of(number),
            };
            let worth = worth(new);
            gain += worth;
            self.sources.entry(source).or_default().pulled(worth, each);
            let given = state.given.entry(source.name().to_owned()).or_default();
            given.scenarios += 1;
            given.places += new.places as u64;
            given.seconds += each;
            if new.some() {
                kept.push(Entry {
                    number,
                    worth,
                    children: 0,
                    scenario: scenario.clone(),
                });
            }
        }
        for arm in [
            self.subjects.entry(subject.clone()).or_default(),
            self.families
                .entry(family(&subject).to_owned())
                .or_default(),
            &mut self.all,
        ] {
            arm.pulled(gain, seconds);
        }
        let json = |e: &Entry| serde_json::to_string(e).expect("an entry serialises");
        append(&self.corpus_file(), kept.iter().map(json))?;
        let hashes = self.seen.since(before).iter().map(|h| format!("{h:x}"));
        append(&self.seen_file(), hashes)?;
        for entry in kept {
            self.corpus.add(entry);
        }
        Ok(())
    }
}

/// Lines of a file; none where there is no file.
fn lines(path: &Path) -> Result<Vec<String>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes)
            .lines()
            .map(str::to_owned)
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

/// Adds lines to a file, each after a line's end of its own, so that half a line spoils no other.
fn append(path: &Path, lines: impl Iterator<Item = String>) -> Result<(), StoreError> {
    let text: String = lines.map(|line| format!("\n{line}")).collect();
    if text.is_empty() {
        return Ok(());
    }
    let file = File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| StoreError::Write {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::state::tests::options;
    use crate::history::History;
    use crate::scenario::generate::nth;

    /// A log in which each scenario told an outcome of its own.
    fn log(scenarios: &[Scenario], outcome: &str) -> Log {
        let histories = scenarios.iter().enumerate().map(|(id, _)| {
            let mut history = History::new(id);
            history.outcomes = vec![(format!("{outcome}{}", "|".repeat(id)), 1)];
            history.overlapped = 1;
            history
        });
        Log {
            histories: histories.collect(),
            ..Log::default()
        }
    }

    fn supported(options: &Options) -> HashMap<String, Supported> {
        let of = |s: &crate::subject::Subject| Supported {
            subject: s.clone(),
            lacking: Vec::new(),
            skipped: None,
        };
        options
            .subjects
            .iter()
            .map(|s| (s.name.clone(), of(s)))
            .collect()
    }

    /// What is new is kept, mutants of it are planned, and a hunt taken up again has the same corpus, also after
    /// half a line.
    #[test]
    fn mutants_come_of_what_was_new_and_a_later_part_goes_on() {
        let out = tempfile::tempdir().unwrap();
        let options = options(Default::default());
        let (support, mut state) = (supported(&options), State::default());
        let mut learning = Learning::open(out.path()).unwrap();
        let mut mutants = Vec::new();
        for round in 0..60 {
            let batch = learning.next(&mut state, &options, &support).unwrap();
            let subject = &options.subjects[batch.subject];
            let of = |k: &usize| match *k >= FIRST_MUTANT {
                true => learning.mutant(&subject.name, *k).expect("it is to be run"),
                false => nth(subject, options.seed, *k, options.limits),
            };
            let scenarios: Vec<Scenario> = batch.numbers.iter().map(of).collect();
            mutants.extend(batch.numbers.iter().copied().filter(|k| *k >= FIRST_MUTANT));
            let log = log(&scenarios, if round < 30 { "new" } else { "old" });
            learning
                .take(&mut state, &batch.numbers, &scenarios, &log, &[], 0.1)
                .unwrap();
            state.done(&options, &batch);
        }
        assert!(mutants.len() > 20, "{}", mutants.len());
        assert!(mutants.windows(2).all(|w| w[0] < w[1]), "each number once");
        assert!(learning.corpus.size() > 0 && learning.made.is_empty());
        let mutants: u64 = Source::all()
            .filter(|s| matches!(s, Source::Mutant(_)))
            .filter_map(|s| state.given.get(s.name()))
            .map(|g| g.scenarios)
            .sum();
        assert!(mutants > 20);

        let file = learning.corpus_file();
        append(&file, std::iter::once("{\"number\":".to_owned())).unwrap();
        let again = Learning::open(out.path()).unwrap();
        assert_eq!(again.corpus.size(), learning.corpus.size());
        assert_eq!(again.seen.len(), learning.seen.len());
        assert!(again.next_mutant <= learning.next_mutant);
        let one = again.corpus.entries().next().unwrap();
        assert_eq!(
            again
                .mutant(&one.scenario.context.subject, one.number)
                .as_ref(),
            Some(&one.scenario)
        );
    }

    /// Two hunts that see the same in the same time plan the same.
    #[test]
    fn plans_are_a_function_of_the_seed_and_of_what_was_seen() {
        let plan = || {
            let out = tempfile::tempdir().unwrap();
            let options = options(Default::default());
            let (support, mut state) = (supported(&options), State::default());
            let mut learning = Learning::open(out.path()).unwrap();
            let batches = (0..20).map(|_| {
                let batch = learning.next(&mut state, &options, &support).unwrap();
                state.done(&options, &batch);
                (batch.subject, batch.numbers)
            });
            batches.collect::<Vec<_>>()
        };
        assert_eq!(plan(), plan());
    }
}
