//! Progress of a hunt: which scenario of which subject is next, and totals.
//!
//! Saved after every process, so that a hunt killed hard loses at most what was in flight.

use super::controlled::Control;
use super::curve::{self, Curve, Point};
use super::shard::Shard;
use super::support::{BROKEN_ALONE, CHECK};
use super::{HuntError, Options};
use crate::bytecode::owner::Owner;
use crate::finding::store::{StoreError, write_atomically};
use crate::search::arm::Source;
use crate::subject::Subject;
use crate::verdict::Kind;
use crate::verdict::sanitizer::suppress::Hidden;
use crate::vm::Vm;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Totals of one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of the next scenario, counted within the shard.
    pub next: usize,
    /// With feedback: the next number of each kind of fresh scenario, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<String, usize>,
    /// Scenarios that ran.
    pub scenarios: u64,
    /// Scenarios that the VM could not run.
    pub unsupported: u64,
    /// Fresh objects used by every thread.
    pub runs: u64,
    /// Runs whose overlap was measured, and those that overlapped.
    pub sampled: u64,
    /// Runs in which the threads really overlapped.
    pub overlapped: u64,
    /// Turns on the shared slot.
    pub slot_turns: u64,
    /// Failing verdicts by kind, merged ones included.
    pub verdicts: BTreeMap<String, u64>,
    /// Unexplained outcomes of operations documented as not atomic.
    pub accepted: u64,
    /// Scenarios whose accepted outcomes were asked of their bytecodes.
    #[serde(default)]
    pub asked_scenarios: u64,
    /// Those outcomes, distinct ones, by whose fault they are.
    #[serde(default)]
    pub asked: BTreeMap<Owner, u64>,
    /// Outcomes that some order gives but for an exception by design.
    #[serde(default)]
    pub excused: u64,
    /// Those among them that are PyO3's answer to contention.
    #[serde(default)]
    pub contention: u64,
    /// Scenarios whose outcomes were observed.
    #[serde(default)]
    pub observed: u64,
    /// Scenarios of which every outcome was judged.
    #[serde(default)]
    pub judged: u64,
    /// Scenarios that were run with poisoned memory, for an outcome looked as if nobody had written it.
    #[serde(default)]
    pub poisoned: u64,
    /// Outcomes of which the time did not suffice to know whether some order gives them.
    #[serde(default)]
    pub undecided: u64,
    /// Failing verdicts that were not settled: beyond the bounds of findings kept, or tried and not to
    /// be told from what is known.
    #[serde(default)]
    pub unsettled: u64,
    /// Why the subject was skipped.
    pub skipped: Option<String>,
    /// Set-ups and operations that this VM does not support, and a check that asks for what it lacks
    /// (`check: ...`), each with the reason.
    pub lacking: Vec<(String, String)>,
}

impl Totals {
    /// Set-ups and operations that end or stop the process of one thread that calls them alone, with how:
    /// faults of the VM, or of the subject, that need no race. Nothing else of them is hunted.
    pub fn broken_alone<'a>(&'a self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let broken = |(what, why): &'a (String, String)| {
            Some((what.as_str(), why.strip_prefix(BROKEN_ALONE)?))
        };
        self.lacking.iter().filter_map(broken)
    }

    /// Whether one of its scenarios was seen to go on for ever.
    fn stood_still(&self) -> bool {
        let mut kinds = Kind::ALL.iter().filter(|k| k.stands_still());
        kinds.any(|k| self.verdicts.contains_key(k.name()))
    }

    /// The check that is left out, for it asks for what the VM lacks, and what it raises there.
    pub fn unchecked(&self) -> Option<(&str, &str)> {
        let check = |(what, why): &'_ (String, String)| {
            what.starts_with(CHECK) && !why.starts_with(BROKEN_ALONE)
        };
        let (what, why) = self.lacking.iter().find(|l| check(l))?;
        Some((&what[CHECK.len()..], why))
    }
}

/// What a source has given, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// Scenarios that ran.
    pub scenarios: u64,
    /// Failing places that none had shown before.
    pub places: u64,
    /// Their time in processes, seconds.
    pub seconds: f64,
}

/// Progress of a hunt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of the file.
    pub schema: u32,
    /// The VM's title.
    pub vm: String,
    /// Seed.
    pub seed: u64,
    /// Largest scenario: threads, operations.
    pub size: (usize, usize),
    /// Whether this is the one-thread control.
    pub sequential: bool,
    /// The part of the scenarios that is run.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
    /// How schedules are searched; empty without control.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub control: String,
    /// By subject.
    pub subjects: BTreeMap<String, Totals>,
    /// Round of the planner and position in it.
    pub position: (usize, usize),
    /// Batches of all subjects, and the position among those that introspection finds.
    #[serde(default)]
    pub generic: (u64, usize),
    /// Scenarios that a crash kept from running: subject, number.
    pub pending: Vec<(String, usize)>,
    /// Scenarios that run now; a hunt that was killed finds them here and runs them again.
    #[serde(default)]
    pub flight: Vec<(String, usize)>,
    /// Processes started.
    pub processes: u64,
    /// Sanitizer reports seen, hidden ones included.
    #[serde(default)]
    pub reports: u64,
    /// Signatures of reports that need no operation: thread start, hand-over, the harness's lists.
    #[serde(default)]
    pub baseline: BTreeSet<String>,
    /// Reports not told, by what hid them.
    #[serde(default)]
    pub hidden: BTreeMap<String, Hidden>,
    /// Histories saved, those that had to go among them.
    #[serde(default)]
    pub saved_histories: u64,
    /// Histories that had to go because the folder was full.
    #[serde(default)]
    pub dropped_histories: u64,
    /// Processes that somebody else ended, by whom: no failures of the VM.
    #[serde(default)]
    pub outside: BTreeMap<String, u64>,
    /// Failures that waited as the hunt ended; resumed, it runs their scenarios first.
    #[serde(default)]
    pub waiting: u64,
    /// Failures that found no room to wait.
    #[serde(default)]
    pub dropped: u64,
    /// With feedback: what each source of scenarios has given, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, Given>,
    /// When it began, seconds since 1970; `None` in hunts of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<u64>,
    /// How far it was when, for the report.
    #[serde(default, skip_serializing_if = "Curve::is_empty")]
    pub curve: Curve,
    /// Seconds of earlier parts of this hunt.
    pub seconds: f64,
    /// Seconds of this part.
    #[serde(skip)]
    pub running_seconds: f64,
    /// Scenarios of this part, against `--iterations`.
    #[serde(skip)]
    pub planned: u64,
}

/// Every so manyth batch is of a subject that introspection finds.
const GENERIC: u64 = 12;

/// Scenarios of one subject for one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Index into the options' subjects.
    pub subject: usize,
    /// Numbers of the scenarios.
    pub numbers: Vec<usize>,
}

impl State {
    fn path(out: &Path) -> PathBuf {
        out.join("hunt.json")
    }

    /// Reads the state of an earlier part of the same hunt, or starts a new one.
    pub fn open(vm: &Vm, options: &Options) -> Result<Self, HuntError> {
        let fresh = Self {
            schema: 1,
            vm: vm.facts.title(),
            seed: options.seed,
            size: (options.limits.threads, options.limits.ops),
            sequential: options.sequential,
            shard: options.shard,
            control: options
                .control
                .as_ref()
                .map_or_else(String::new, Control::words),
            begun: curve::now(),
            ..Self::default()
        };
        let path = Self::path(&options.out);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(fresh),
            // To begin anew would undo the earlier part of the hunt.
            Err(error) => {
                let reason = error.to_string();
                return Err(StoreError::Read { path, reason }.into());
            }
        };
        let old: Self = serde_json::from_str(&text).map_err(|e| HuntError::Other {
            out: options.out.clone(),
            what: format!("an unreadable hunt.json ({e})"),
        })?;
        let differs = [
            (old.vm != fresh.vm, format!("the VM {}", old.vm)),
            (old.seed != fresh.seed, format!("--seed {}", old.seed)),
            (
                old.size != fresh.size,
                format!("--threads {} --ops {}", old.size.0, old.size.1),
            ),
            (
                old.sequential != fresh.sequential,
                format!("sequential = {}", old.sequential),
            ),
            (old.shard != fresh.shard, format!("--shard {}", old.shard)),
            (
                old.control != fresh.control,
                match old.control.as_str() {
                    "" => "no --control".to_owned(),
                    words => format!("--control of {words}"),
                },
            ),
        ];
        match differs.into_iter().find(|(d, _)| *d) {
            Some((_, what)) => Err(HuntError::Other {
                out: options.out.clone(),
                what,
            }),
            None => Ok(old.resumed()),
        }
    }

    /// Reads the state in an output folder.
    pub fn read(out: &Path) -> Result<Self, StoreError> {
        let path = Self::path(out);
        let fail = |reason: String| StoreError::Read {
            path: path.clone(),
            reason,
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|e| fail(format!("{e}; `threadbare hunt --out` makes it")))?;
        serde_json::from_str(&text).map_err(|e| fail(e.to_string()))
    }

    /// The state in this folder; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find(out: &Path) -> Result<Option<Self>, StoreError> {
        match Self::path(out).try_exists() {
            Ok(false) => Ok(None),
            _ => Self::read(out).map(Some),
        }
    }

    /// Writes the state.
    pub fn save(&self, out: &Path) -> Result<(), StoreError> {
        let mut state = self.clone();
        state.seconds += self.running_seconds;
        write_atomically(
            &Self::path(out),
            serde_json::to_string(&state)
                .expect("a state serialises")
                .as_bytes(),
        )
    }

    /// Notes how far it is, with so many findings.
    pub fn note(&mut self, findings: usize) {
        let point = Point {
            seconds: self.seconds + self.running_seconds,
            scenarios: self.sum(|t| t.scenarios),
            findings: findings as u64,
        };
        self.curve.push(point);
    }

    /// The next batch: what a crash left over first, then round robin over the subjects.
    pub fn next(&mut self, options: &Options) -> Option<Batch> {
        let batch = self.plan(options)?;
        Some(self.started(options, batch))
    }

    /// Notes that a batch is going to run.
    pub(super) fn started(&mut self, options: &Options, batch: Batch) -> Batch {
        let name = &options.subjects[batch.subject].name;
        self.flight
            .extend(batch.numbers.iter().map(|&k| (name.clone(), k)));
        batch
    }

    /// Scenarios that may still be planned.
    pub(super) fn room(&self, options: &Options) -> usize {
        let left = |most: u64| most.saturating_sub(self.planned) as usize;
        options.iterations.map_or(usize::MAX, left)
    }

    /// With feedback: the number of the next fresh scenario of a subject, of this kind or of the plain hunt's
    /// next one. No number comes twice.
    pub(super) fn fresh(
        &mut self,
        options: &Options,
        subject: usize,
        source: Option<Source>,
    ) -> usize {
        self.planned += 1;
        let totals = self.of(&options.subjects[subject]);
        let number = |k| options.shard.number(k);
        let usual = Source::of(number(totals.next));
        if source.is_none() {
            totals.next += 1;
        }
        // A shard may have none of a kind.
        for kind in [source.unwrap_or(usual), usual] {
            let from = totals.cursors.get(kind.name()).copied().unwrap_or(0);
            if let Some(k) = kind.next(from, number) {
                totals.cursors.insert(kind.name().to_owned(), k + 1);
                return number(k);
            }
        }
        unreachable!("the kind of a number of this shard comes again")
    }

    /// A batch has ended: what of it did not run was put back.
    pub fn done(&mut self, options: &Options, batch: &Batch) {
        let name = &options.subjects[batch.subject].name;
        self.flight
            .retain(|(n, k)| n != name || !batch.numbers.contains(k));
    }

    /// A saved state taken up again: what was in flight when it was saved runs once more.
    fn resumed(mut self) -> Self {
        // What could not run then is tried again: the machine may have been busy.
        for totals in self.subjects.values_mut() {
            totals.skipped = None;
        }
        let flight = std::mem::take(&mut self.flight);
        for one in flight {
            if !self.pending.contains(&one) {
                self.pending.push(one);
            }
        }
        self
    }

    fn plan(&mut self, options: &Options) -> Option<Batch> {
        if options.iterations.is_some_and(|most| self.planned >= most)
            || options.subjects.is_empty()
        {
            return None;
        }
        if let Some(only) = options.only {
            let subject = self.planned as usize;
            self.planned += 1;
            return (subject < options.subjects.len()).then(|| Batch {
                subject,
                numbers: vec![only],
            });
        }
        let index = |name: &str| options.subjects.iter().position(|s| s.name == name);
        // A process that stood still took seconds: what it left waits until each subject had its first turn.
        let first_round = self.position.0 == 0 && options.own() > 1;
        let waits =
            |name: &String| first_round && self.subjects.get(name).is_some_and(Totals::stood_still);
        let mut pending = self.pending.iter().map(|(name, _)| name);
        if let Some(name) = pending.find(|name| !waits(name)).cloned()
            && let Some(subject) = index(&name)
        {
            let (mine, rest) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|(n, _)| *n == name);
            self.pending = rest;
            let mine: Vec<(String, usize)> = mine;
            return Some(Batch {
                subject,
                numbers: mine.into_iter().map(|(_, k)| k).collect(),
            });
        }
        let own = options.own();
        self.generic.0 += 1;
        let runs = |s: &Subject| {
            let totals = self.subjects.get(&s.name);
            totals.is_none_or(|t| t.skipped.is_none())
        };
        let generic =
            self.generic.0.is_multiple_of(GENERIC) && options.subjects[own..].iter().any(runs);
        for _ in 0..options.subjects.len() {
            // The first round over many subjects is quick, so that each has its turn soon.
            let quick = generic || self.position.0 == 0 && own > 1;
            let subject = if generic {
                let all = options.subjects.len() - own;
                self.generic.1 += 1;
                own + (self.generic.1 - 1) % all
            } else {
                let subject = self.position.1 % own;
                self.position.1 += 1;
                if self.position.1 >= own {
                    self.position = (self.position.0 + 1, 0);
                }
                subject
            };
            let totals = self.of(&options.subjects[subject]);
            if totals.skipped.is_some() {
                continue;
            }
            let room = options
                .iterations
                .map_or(usize::MAX, |most| (most - self.planned) as usize);
            let totals = self.of(&options.subjects[subject]);
            let size = if quick {
                options.batch / 2
            } else {
                options.batch
            };
            let size = size.min(room).max(1);
            if options.feedback {
                let numbers = (0..size).map(|_| self.fresh(options, subject, None));
                let numbers = numbers.collect();
                return Some(Batch { subject, numbers });
            }
            let first = totals.next;
            totals.next += size;
            self.planned += size as u64;
            return Some(Batch {
                subject,
                numbers: (first..first + size)
                    .map(|k| options.shard.number(k))
                    .collect(),
            });
        }
        None
    }

    /// Totals of a subject.
    pub fn of(&mut self, subject: &Subject) -> &mut Totals {
        self.of_name(&subject.name)
    }

    /// Totals of the subject of this name.
    pub fn of_name(&mut self, subject: &str) -> &mut Totals {
        self.subjects.entry(subject.to_owned()).or_default()
    }

    /// The hunt ends with these failures unsettled: their scenarios run first when it is resumed.
    pub fn put_off(&mut self, left: Vec<(String, usize)>) {
        self.waiting = left.len() as u64;
        for one in left {
            if !self.pending.contains(&one) {
                self.pending.push(one);
            }
        }
    }

    /// Sum over the subjects.
    pub fn sum(&self, of: impl Fn(&Totals) -> u64) -> u64 {
        self.subjects.values().map(of).sum()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn what_one_thread_does_not_survive_is_no_missing_method() {
        let totals = Totals {
            lacking: vec![
                ("o.x()".to_owned(), "NotImplementedError".to_owned()),
                (
                    "o.y()".to_owned(),
                    format!("{BROKEN_ALONE}it did not answer in time"),
                ),
            ],
            ..Totals::default()
        };
        let broken: Vec<_> = totals.broken_alone().collect();
        assert_eq!(broken, [("o.y()", "it did not answer in time")]);
    }

    #[test]
    fn what_a_standstill_left_waits_until_each_subject_had_its_turn() {
        let options = options(Shard::default());
        let left = ("a".to_owned(), 77);
        let next = |stood: bool| {
            let mut state = State::default();
            let first = state.next(&options).unwrap();
            assert_eq!(first.subject, 0);
            let kind = if stood { Kind::Deadlock } else { Kind::Crash };
            let verdicts = &mut state.of_name("a").verdicts;
            verdicts.insert(kind.name().to_owned(), 1);
            state.pending.push(left.clone());
            let second = state.next(&options).unwrap();
            let third = state.next(&options).unwrap();
            [second, third].map(|b| (b.subject, b.numbers.contains(&77)))
        };
        assert_eq!(next(true), [(1, false), (0, true)]);
        assert_eq!(next(false), [(0, true), (1, false)]);
    }

    /// Of a hunt over two small subjects.
    pub fn options(shard: Shard) -> Options {
        let text = |name: &str| {
            format!(
                "[[subject]]\nname = \"{name}\"\ndoc = \"d\"\nmake = [\"[]\"]\nfinal = \"o\"\nsource = \"s\"\natomic = [\"o.pop()\"]\n"
            )
        };
        Options {
            subjects: crate::subject::parse("t", &(text("a") + &text("b"))).unwrap(),
            seed: 1,
            time: None,
            shard,
            iterations: None,
            jobs: 1,
            out: PathBuf::new(),
            limits: crate::scenario::generate::Limits { threads: 2, ops: 1 },
            scenario_ms: 1,
            batch: 4,
            company: None,
            sequential: false,
            only: None,
            keep: 1,
            suppressions: Vec::new(),
            histories: 0,
            feedback: false,
            control: None,
        }
    }

    /// Scenarios of the first batches: subject, number.
    fn planned(shard: Shard, batches: usize) -> Vec<(usize, usize)> {
        let (options, mut state) = (options(shard), State::default());
        let next = |_| state.next(&options).unwrap();
        let batches = (0..batches).map(next);
        batches
            .flat_map(|b| b.numbers.into_iter().map(move |k| (b.subject, k)))
            .collect()
    }

    /// Three shards plan three times as many scenarios, and no other than the whole hunt.
    #[test]
    fn shards_plan_what_the_whole_hunt_plans() {
        let mut whole = planned(Shard::default(), 12);
        whole.sort_unstable();
        let shards = (0..3).map(|i| Shard::new(i, 3).unwrap());
        let mut parts: Vec<_> = shards.flat_map(|s| planned(s, 12)).collect();
        parts.sort_unstable();
        let twice = parts.windows(2).find(|w| w[0] == w[1]);
        assert_eq!(twice, None, "in two shards");
        assert_eq!(parts.len(), 3 * whole.len());
        let missing = whole.iter().find(|s| parts.binary_search(s).is_err());
        assert_eq!(missing, None, "in no shard");
    }

    /// With feedback the kinds of scenarios advance by themselves, and none is run twice.
    #[test]
    fn no_fresh_scenario_comes_twice() {
        for (shard, n) in [
            (Shard::default(), 300),
            (Shard::new(2, 3).unwrap(), 300),
            (Shard::new(1, 16).unwrap(), 90),
        ] {
            let (options, mut state) = (options(shard), State::default());
            let wanted = [
                None,
                Some(Source::Storm),
                Some(Source::Company),
                Some(Source::Pair),
            ];
            let fresh = |i: usize| state.fresh(&options, 0, wanted[i % 4]);
            let numbers: Vec<usize> = (0..n).map(fresh).collect();
            let distinct: BTreeSet<_> = numbers.iter().collect();
            assert_eq!(distinct.len(), n, "{shard}");
        }
    }

    #[test]
    fn generic_subjects_have_their_share_of_the_turns_and_may_all_be_skipped() {
        let mut options = options(Shard::default());
        let generic = |name: &str| Subject {
            name: name.to_owned(),
            generic: true,
            ..options.subjects[0].clone()
        };
        let more = [generic("m:A"), generic("m:B")];
        options.subjects.extend(more);
        let turns = |state: &mut State| -> Vec<usize> {
            (0..4 * GENERIC)
                .map(|_| state.next(&options).unwrap().subject)
                .filter(|subject| *subject >= 2)
                .collect()
        };
        let mut state = State::default();
        assert_eq!(turns(&mut state), [2, 3, 2, 3]);
        for name in ["m:A", "m:B"] {
            state.of_name(name).skipped = Some("no operations".to_owned());
        }
        assert_eq!(turns(&mut state), Vec::<usize>::new());
    }

    #[test]
    fn a_hunt_taken_up_again_runs_what_was_in_flight_and_tries_what_was_skipped() {
        let mut state = State {
            flight: vec![("list".to_owned(), 3)],
            ..State::default()
        };
        let totals = Totals {
            skipped: Some("no answer in 10 s".to_owned()),
            ..Totals::default()
        };
        state.subjects.insert("dict".to_owned(), totals);
        let resumed = state.resumed();
        assert_eq!(resumed.pending, [("list".to_owned(), 3)]);
        assert!(resumed.flight.is_empty());
        assert_eq!(resumed.subjects["dict"].skipped, None);
    }
}
