//! Loops that wait: turns of `await_until`, and loops that only look.
//!
//! *Looks* are operations that change nothing: loads, exchanges and conditional updates that
//! fail, updates that leave the value as it is, fences. A thread that comes back to a look
//! after nothing but looks may be waiting. Whether it is, is found out by letting it go on,
//! outside of the execution, with the same answers again and again: if it performs the same
//! operations [`PATIENCE`] times over, it waits and is blocked until one of its reads can
//! have another answer; if it does anything else, it is run as it is.
//!
//! That is a matter of operations alone, not of registers, stacks or the heap, so it is the
//! same however the program was compiled and whatever it allocates or prints while it waits.
//!
//! *Why a failing turn may be left out.* Say a thread in state S makes a turn of looks and is in
//! a state S' that behaves as S does. Then an execution with the turn is one without it as well,
//! once the turn's events are erased: reads and fences order nothing that is not ordered
//! without them, and a write of the value that it found hands its place in coherence order,
//! and its readers, to the write before it; what is left has fewer constraints, so it is
//! consistent, and every thread does the same in it. So nothing is lost when a thread is blocked after its
//! first failing turn: every execution in which it goes on later is visited as the one in
//! which it goes on at once.
//!
//! *That S' behaves as S* is what the trial suggests and cannot prove: the turn may have
//! counted something of which the trial saw nothing (a number of tries that matters after the
//! loop), or kept what it read for the next turn (a loop that waits for 1 and then for 2). So
//! every run is repeated ([`Closure::settle`](super::Closure)) with failing turns in front of each wait, up to
//! [`DRAWN_OUT`] of them, and must go on as it went without. Where it does not, the loop is
//! recognised only after two equal turns (which leaves out a repetition of the same turn
//! alone), and if that fails as well, not at all. What remains is stated as an assumption in
//! [`Report::coverage`](crate::explore::Report): a loop that behaves differently only after more
//! turns than were tried.

use super::learnt::{CodePlace, Fact, knows, learn, place};
use super::paths::mix;
use super::{
    Location, MemoryOrder, Op, SHARED, Shared, Wait, before_operation, block, leave, panics,
    submit, watchdog,
};
use crate::explore::program::{Guard, Update, Value, truncate};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::panic::Location as Caller;

/// Looks for which a loop must go on as before to be taken for waiting, the first time that
/// it is met.
const PATIENCE: usize = 10_000;

/// The same for a loop that has been seen to wait, met with another history.
const PATIENCE_AGAIN: usize = 1_000;

/// Failing turns put in front of a wait when a run is repeated.
const DRAWN_OUT: usize = 64;

/// The longest turn that is recognised, in looks.
const LONGEST_TURN: usize = 32;

/// An operation that changed nothing.
#[derive(Clone, PartialEq, Debug)]
struct Look {
    op: Op,
    place: CodePlace,
    answer: Value,
    /// The history of the thread before it.
    before: u64,
}

impl Look {
    fn repeats(&self, op: &Op, place: CodePlace) -> bool {
        self.op == *op && self.place == place
    }

    fn is_read(&self) -> bool {
        !matches!(self.op, Op::Fence(_))
    }

    /// Whether it is an update, though one that left the value as it was.
    fn writes(&self) -> bool {
        matches!(self.op, Op::Update { .. })
    }
}

/// Whether a turn is repeated for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Waits,
    GoesOn,
}

/// What has been found out about loops, by the histories of threads.
#[derive(Default)]
pub(super) struct Loops {
    verdicts: FxHashMap<(u64, usize), Verdict>,
    /// Failing turns by where they begin.
    turns: FxHashMap<u64, Vec<Vec<Look>>>,
    /// Loops that have been seen to wait.
    seen: BTreeSet<CodePlace>,
}

/// A turn repeated outside of the execution.
#[derive(Debug)]
struct Trial {
    turn: Vec<Look>,
    done: usize,
    left: usize,
    /// Where it was begun.
    history: u64,
}

/// Failing turns put in front of a wait.
#[derive(Debug)]
struct Padding {
    turns: Vec<Vec<Look>>,
    turn: usize,
    at: usize,
    left: usize,
}

/// What a thread does over and over.
#[derive(Default, Debug)]
pub(super) struct Watch {
    /// Its looks since it last did anything else.
    streak: Vec<Look>,
    trial: Option<Trial>,
    padding: Option<Padding>,
    /// The history at which it was padded last.
    padded: Option<u64>,
    /// Whether a trial or a padding came to nothing.
    failed: bool,
}

impl Watch {
    pub fn clear(&mut self) {
        self.streak.clear();
        (self.trial, self.padding, self.padded) = (None, None, None);
        self.failed = false;
    }

    pub fn is_astray(&self) -> bool {
        self.trial.is_some() || self.padding.is_some()
    }
}

impl Shared {
    /// Whether the thread, which has come back, was astray, so that the run does not count.
    pub(super) fn has_strayed(&mut self, thread: u32) -> bool {
        let watch = &mut self.watches[thread as usize];
        watch.failed |= watch.is_astray();
        if let Some(trial) = watch.trial.take() {
            // Everything on the way is known now: the same answers lead to the same end.
            let (mut history, length) = (trial.history, trial.turn.len());
            for n in 0..=trial.done {
                let key = (history, length);
                self.names.loops.verdicts.insert(key, Verdict::GoesOn);
                history = mix(history, trial.turn[n % length].answer);
            }
        }
        if let Some(padding) = watch.padding.take() {
            let turn = &padding.turns[padding.turn];
            let places = turn
                .iter()
                .filter(|look| look.is_read())
                .map(|look| look.place);
            self.padded.extend(places);
        }
        std::mem::take(&mut watch.failed)
    }
}

/// The running thread does in a trial what no loop that waits does.
pub(super) fn stray() -> ! {
    SHARED.with_borrow_mut(|shared| shared.watches[shared.thread as usize].failed = true);
    leave(Op::End)
}

/// When an update is more than a look; `None` for one that always is.
fn changes(op: &Op, bits: impl Fn(Location) -> u8) -> Option<Guard> {
    match *op {
        // Of what is done once, where it has been done. Who finds a lock taken does not come back.
        Op::CompareExchange { expected, .. } | Op::AwaitExchange { expected, .. } => {
            Some(Guard::is(expected))
        }
        Op::UpdateIf { guard, .. } | Op::AwaitUpdate { guard, .. } => Some(guard),
        Op::Update {
            location, update, ..
        } => match update {
            Update::Swap(value) => Some(Guard::is_not(truncate(value, bits(location)))),
            Update::Or(value) => {
                let mask = truncate(value, bits(location));
                Some(Guard {
                    mask,
                    value: mask,
                    equal: false,
                })
            }
            Update::And(value) => Some(Guard {
                mask: truncate(!value, bits(location)),
                value: 0,
                equal: false,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the operation changed nothing.
fn is_look(op: &Op, answer: Value) -> bool {
    let bits = |location: Location| {
        SHARED.with_borrow(|shared| shared.names.infos[location.0 as usize].bits)
    };
    match op {
        Op::Load { .. } | Op::Fence(_) => true,
        op => changes(op, bits).is_some_and(|guard| !guard.holds(answer)),
    }
}

/// One turn of a loop that waits.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Turn {
    /// Reads done.
    pub reads: u32,
    /// Whether it wrote: then the next turn can differ by its own doing.
    pub wrote: bool,
}

/// A turn of a waiting loop begins; what the enclosing one has done so far.
pub(crate) fn begin_turn() -> Option<Turn> {
    if SHARED.with_borrow(|shared| shared.active && shared.is_astray()) {
        stray();
    }
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        shared.watches[thread].streak.clear();
        shared.turns[thread].replace(Turn::default())
    })
}

/// The turn ends; the enclosing one goes on with what both have done.
pub(crate) fn end_turn(outer: Option<Turn>) -> Turn {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        let turn = shared.turns[thread].take().unwrap_or_default();
        shared.turns[thread] = outer.map(|outer| Turn {
            reads: outer.reads + turn.reads,
            wrote: outer.wrote || turn.wrote,
        });
        turn
    })
}

/// Performs an operation of the running thread.
pub(crate) fn perform(op: Op, caller: &'static Caller<'static>) -> Value {
    perform_by(op, None, caller)
}

/// As [`perform`]; `waits` as [`Step::waits`](crate::explore::program::Step::waits).
pub(super) fn perform_by(op: Op, waits: Option<Wait>, caller: &'static Caller<'static>) -> Value {
    let (counts, waiting) = SHARED.with_borrow(|shared| {
        let thread = shared.thread as usize;
        let over = shared.over.get(thread).copied().unwrap_or(true);
        let counts = shared.active && !over;
        (counts, counts && shared.turns[thread].is_some())
    });
    if !counts || panics::is_unwinding() {
        return submit(op, waits, caller);
    }
    before_operation();
    if op.is_last() {
        return submit(op, waits, caller);
    }
    if waiting {
        return in_turn(op, waits, caller);
    }
    let (place, op) = (place(caller), as_known(op, caller));
    if let Some(answer) = outside(&op, place) {
        return answer;
    }
    if let Some(reads) = comes_back(&op, place) {
        SHARED.with_borrow_mut(|shared| {
            let spin = format!("{}:{}", caller.file(), caller.line());
            shared.names.spins.insert(spin);
        });
        block(Wait::Await, reads, caller);
    }
    if let Some(answer) = outside(&op, place) {
        return answer;
    }
    let before = SHARED.with_borrow(|shared| shared.history[shared.thread as usize]);
    let answer = submit(op.clone(), waits, caller);
    if is_look(&op, answer) {
        let look = Look {
            op,
            place,
            answer,
            before,
        };
        SHARED.with_borrow_mut(|shared| {
            shared.watches[shared.thread as usize].streak.push(look);
        });
    } else {
        leave_streak(place);
    }
    answer
}

/// The operation as it is performed where it is known to be how a thread waits.
fn as_known(op: Op, caller: &'static Caller<'static>) -> Op {
    let Op::Update {
        location,
        order,
        update,
    } = op
    else {
        return op;
    };
    let place = place(caller);
    if !knows(Fact::Waits(place)) || knows(Fact::Writes(place)) {
        return op;
    }
    let bits = SHARED.with_borrow(|shared| shared.names.infos[location.0 as usize].bits);
    match changes(&op, |_| bits) {
        Some(guard) => Op::AwaitUpdate {
            location,
            guard,
            update,
            order,
        },
        None => op,
    }
}

/// The thread does something else than look: an update that was taken for a wait, and after
/// which it went on, was none.
fn leave_streak(place: CodePlace) {
    let streak = SHARED.with_borrow_mut(|shared| {
        std::mem::take(&mut shared.watches[shared.thread as usize].streak)
    });
    let waits =
        |look: &&Look| matches!(look.op, Op::AwaitUpdate { .. }) && knows(Fact::Waits(look.place));
    if streak.iter().filter(waits).any(|look| look.place == place) {
        return;
    }
    for look in streak.iter().filter(waits) {
        learn(Fact::Writes(look.place));
    }
}

/// The running thread ends.
pub(super) fn end() {
    if !SHARED.with_borrow(Shared::is_astray) {
        leave_streak(("", 0, 0));
    }
}

/// The answer in a trial or a padding, if one is under way.
fn outside(op: &Op, place: CodePlace) -> Option<Value> {
    enum Now {
        Inside,
        Answer(Value),
        Stray,
        Waits,
    }
    let now = SHARED.with_borrow_mut(|shared| {
        let watch = &mut shared.watches[shared.thread as usize];
        if let Some(trial) = &mut watch.trial {
            let look = &trial.turn[trial.done % trial.turn.len()];
            if !look.repeats(op, place) {
                return Now::Stray;
            }
            if trial.left == 0 && trial.done.is_multiple_of(trial.turn.len()) {
                return Now::Waits;
            }
            (trial.done, trial.left) = (trial.done + 1, trial.left.saturating_sub(1));
            return Now::Answer(look.answer);
        }
        let Some(padding) = &mut watch.padding else {
            return Now::Inside;
        };
        let turn = &padding.turns[padding.turn];
        if !turn[padding.at].repeats(op, place) {
            return Now::Stray;
        }
        if padding.left == 0 && padding.at == 0 {
            watch.padding = None;
            return Now::Inside;
        }
        let answer = turn[padding.at].answer;
        padding.at += 1;
        if padding.at == turn.len() {
            padding.at = 0;
            padding.turn = (padding.turn + 1) % padding.turns.len();
            padding.left -= 1;
        }
        Now::Answer(answer)
    });
    match now {
        Now::Inside => None,
        Now::Answer(answer) => {
            watchdog::operation();
            Some(answer)
        }
        Now::Stray => stray(),
        Now::Waits => {
            SHARED.with_borrow_mut(|shared| {
                let watch = &mut shared.watches[shared.thread as usize];
                if let Some(trial) = watch.trial.take() {
                    shared.names.loops.wait(trial);
                }
            });
            // The answers given in the trial are none of this execution.
            None
        }
    }
}

impl Loops {
    /// How many failing turns are known.
    pub fn turns_known(&self) -> usize {
        self.turns.values().map(Vec::len).sum()
    }

    fn wait(&mut self, trial: Trial) {
        let key = (trial.history, trial.turn.len());
        self.verdicts.insert(key, Verdict::Waits);
        self.seen.extend(trial.turn.iter().map(|look| look.place));
        let turns = self.turns.entry(trial.turn[0].before).or_default();
        turns.push(trial.turn);
    }
}

/// The thread is about to perform `op`: the number of reads in its latest turn if it would
/// repeat that for ever. Begins a trial where this is not known, and a padding where one is due.
fn comes_back(op: &Op, place: CodePlace) -> Option<u32> {
    let history = SHARED.with_borrow(|shared| shared.history[shared.thread as usize]);
    let streak = SHARED.with_borrow(|shared| {
        let watch = &shared.watches[shared.thread as usize];
        let from = watch.streak.len().saturating_sub(2 * LONGEST_TURN);
        let back = watch.streak[from..]
            .iter()
            .any(|look| look.repeats(op, place));
        back.then(|| watch.streak[from..].to_vec())
    });
    if let Some(streak) = streak {
        for length in 1..=LONGEST_TURN.min(streak.len()) {
            let (earlier, turn) = streak.split_at(streak.len() - length);
            if !turn[0].repeats(op, place) || !turn.iter().any(Look::is_read) {
                continue;
            }
            if !may_wait(turn, earlier) {
                continue;
            }
            let key = (history, length);
            let verdict = SHARED.with_borrow(|s| s.names.loops.verdicts.get(&key).copied());
            match verdict {
                Some(Verdict::GoesOn) => {}
                Some(Verdict::Waits) => {
                    let mut updates = turn.iter().filter(|look| look.writes()).peekable();
                    if updates.peek().is_some() {
                        for update in updates {
                            learn(Fact::Waits(update.place));
                        }
                        // Once more, with updates that only read.
                        stray();
                    }
                    return Some(turn.iter().filter(|look| look.is_read()).count() as u32);
                }
                None => {
                    begin_trial(turn.to_vec(), history);
                    return None;
                }
            }
        }
    }
    begin_padding(history);
    None
}

/// Whether a turn may be taken for one of a loop that waits.
fn may_wait(turn: &[Look], earlier: &[Look]) -> bool {
    let any = |fact: fn(CodePlace) -> Fact| turn.iter().any(|look| knows(fact(look.place)));
    if any(Fact::Counts)
        || turn
            .iter()
            .any(|l| l.writes() && knows(Fact::Writes(l.place)))
    {
        return false;
    }
    let twice = || {
        earlier.len() >= turn.len()
            && earlier[earlier.len() - turn.len()..]
                .iter()
                .zip(turn)
                .all(|(a, b)| a.repeats(&b.op, b.place) && a.answer == b.answer)
    };
    !any(Fact::Keeps) || twice()
}

fn begin_trial(turn: Vec<Look>, history: u64) {
    panics::hush();
    SHARED.with_borrow_mut(|shared| {
        let seen = turn
            .iter()
            .all(|look| shared.names.loops.seen.contains(&look.place));
        let watch = &mut shared.watches[shared.thread as usize];
        watch.trial = Some(Trial {
            turn,
            done: 0,
            left: if seen { PATIENCE_AGAIN } else { PATIENCE },
            history,
        });
    });
}

fn begin_padding(history: u64) {
    SHARED.with_borrow_mut(|shared| {
        let watch = &mut shared.watches[shared.thread as usize];
        if !shared.pads || watch.padded == Some(history) {
            return;
        }
        if let Some(turns) = shared.names.loops.turns.get(&history) {
            watch.padded = Some(history);
            watch.padding = Some(Padding {
                turns: turns.clone(),
                turn: 0,
                at: 0,
                left: DRAWN_OUT.max(turns.len()),
            });
            let places = turns.iter().flatten().filter(|look| look.is_read());
            shared.padded.extend(places.map(|look| look.place));
        }
    });
}

/// Performs an operation in a turn of a loop that is declared to wait.
fn in_turn(op: Op, waits: Option<Wait>, caller: &'static Caller<'static>) -> Value {
    let op = match op {
        // Tried after everything else, so that fewer executions end blocked.
        Op::Load { location, order } if order != MemoryOrder::Plain => {
            Op::Await { location, order }
        }
        op => op,
    };
    let bits = |location: Location| {
        SHARED.with_borrow(|shared| shared.names.infos[location.0 as usize].bits)
    };
    let changes = match &op {
        Op::Update { .. } => None,
        op => changes(op, bits),
    };
    let reads = changes.is_some() || matches!(op, Op::Load { .. } | Op::Await { .. });
    let writes = matches!(
        op,
        Op::Store { .. }
            | Op::Update { .. }
            | Op::Apply { .. }
            | Op::Spawn(_)
            | Op::Join(_)
            | Op::Alloc(_)
            | Op::Free(_)
    );
    let answer = submit(op, waits, caller);
    SHARED.with_borrow_mut(|shared| {
        if let Some(turn) = &mut shared.turns[shared.thread as usize] {
            turn.reads += u32::from(reads);
            turn.wrote |= writes || changes.is_some_and(|guard| guard.holds(answer));
        }
    });
    answer
}
