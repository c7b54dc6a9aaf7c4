//! The observer's memory under the explorer: notes of the execution instead of memory of its
//! own, judged execution by execution.

use super::Label;
use super::trace::{Action, record};
use crate::engine::fnv;
use crate::ghost::Ghost;
use crate::verdict::Violation;
use threadbare_litmus::observe::{Past, ask, note};

/// A step in an object's ghost life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Gain,
    Lose,
    Touch,
    Free,
    Finalize,
    Reuse(i64),
    Settle,
}

/// A ghost step of an object.
#[derive(Clone, Copy)]
pub(crate) struct GhostStep {
    pub label: Label,
    pub step: Step,
}

/// An access to a part of something that has a life, or where a thread begins and ends accesses
/// that are type-stable.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    To(Label),
    Stable(bool),
}

/// A step is about to access this.
pub(super) fn access(label: Label) {
    if label.of.is_some() {
        note(Access::To(label));
    }
}

pub(super) fn stable(begins: bool) {
    note(Access::Stable(begins));
}

/// A moment of a thread, by its own clock: where a call begins or ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub u64);

/// Whether one moment happens before another, each given by thread and the thread's own clock.
pub(crate) type HappensBefore<'a> = &'a dyn Fn((usize, u64), (usize, u64)) -> bool;

/// What must hold of an execution as a whole: the violation, by what happens before what.
pub(crate) struct Claim(pub Box<dyn Fn(HappensBefore<'_>) -> Option<Violation> + Send + Sync>);

/// The running thread is at this moment.
pub(crate) fn moment(time: u64) {
    if super::explorer::is_running() {
        note(Moment(time));
    }
}

/// States a claim about the execution that ends here. Given back where nothing knows what happens
/// before what.
pub(crate) fn claim(claim: Claim) -> Result<(), Claim> {
    if super::explorer::is_running() {
        note(claim);
        return Ok(());
    }
    Err(claim)
}

/// The observer's memory, kept as notes: ghost steps are ordered only as program order
/// and reads-from order them, and the order in which they happened to be run says nothing.
pub struct Causal(Label);

impl Causal {
    #[track_caller]
    fn note(&self, step: Step, shown: &'static str) {
        if !shown.is_empty() {
            record(Action::Ghost(shown, self.0));
        }
        note(GhostStep { label: self.0, step });
    }
}

impl Ghost for Causal {
    fn blank(label: Label) -> Self {
        Self(label)
    }
    fn gain(&self) {
        self.note(Step::Gain, "gains a reference");
    }
    fn lose(&self) {
        self.note(Step::Lose, "loses a reference");
    }
    fn touch(&self) {
        self.note(Step::Touch, "");
    }
    fn free(&self) {
        self.note(Step::Free, "is freed");
    }
    fn finalize(&self) {
        self.note(Step::Finalize, "finalizer runs");
    }
    fn reuse(&self, holders: i64) {
        self.note(Step::Reuse(holders), "begins to live");
    }
    fn settle(&self) {
        self.note(Step::Settle, "");
    }
    fn holders(&self) -> i64 {
        ask(question(self.0, About::Holders)) as i64
    }
    fn generation(&self) -> u32 {
        ask(question(self.0, About::Generation)) as u32
    }
    fn is_dead(&self) -> bool {
        ask(question(self.0, About::Death)) != 0
    }
}

/// What a scheme or world asks of the ghost state.
#[derive(Clone, Copy)]
enum About {
    Holders = 0,
    Generation = 1,
    Death = 2,
}

fn question(label: Label, about: About) -> u64 {
    let index = label.index.map_or(0, |n| u64::from(n) + 1);
    // Without the uppermost bit: the explorer's own questions have it.
    (fnv(label.field.as_bytes()) ^ index) << 2 & i64::MAX as u64 | about as u64
}

/// An object's ghost state after some steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    pub alive: bool,
    pub holders: i64,
    pub generation: u32,
}

impl Life {
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Gain => self.holders += 1,
            Step::Lose => self.holders -= 1,
            Step::Free => self.alive = false,
            Step::Reuse(holders) => {
                *self = Self { alive: true, holders, generation: self.generation + 1 };
            }
            Step::Touch | Step::Finalize | Step::Settle => {}
        }
    }
}

/// Answers what [`Causal`] asks, from the steps that are before the question.
pub(crate) fn answer(past: &Past<'_>, asked: u64) -> u64 {
    let mut life = Life::default();
    past.each(|note: &GhostStep| {
        if question(note.label, About::Holders) >> 2 == asked >> 2 {
            life.step(note.step);
        }
    });
    match asked & 3 {
        0 => life.holders as u64,
        1 => u64::from(life.generation),
        _ => u64::from(!life.alive),
    }
}
