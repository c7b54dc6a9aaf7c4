//! What threads ask of a list, in both protocols, and what a list without threads answers.

use super::heap::CAPACITY;
use crate::protocol::Scenario;

/// What a thread does. Values name objects; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The value of item `n`, or −1 when the list is shorter.
    Get(usize),
    /// Appends a new object.
    Append(i64),
    /// Stores a new object in place of item 0.
    SetFirst(i64),
    /// Inserts a new object at the front (the versioned list only).
    InsertFront(i64),
    /// Removes the last item.
    Pop,
    /// Removes all items.
    Clear,
    /// Makes an object that never enters the list: a stranger.
    Make(i64),
    /// Makes an immortal stranger (the versioned list only).
    MakeImmortal(i64),
    /// Some other thread has read the list (the marked list only).
    Mark,
    /// Comes online: arrays that it may read are kept from here on (the marked list only).
    Online,
    /// Passes a quiescent point, and frees what it has retired and nobody can read any more (the
    /// marked list only).
    Quiescent,
    /// States that all arrays which this thread has retired are freed (the marked list only).
    Reclaimed,
}

/// Whether the largest array has room for all that a program inserts, and every stranger can matter: it does
/// so only to who reads by an address found before, in another thread, and in a block that was freed.
/// Everything else is done under the list's lock, so that without either the program is as good as the
/// one without the stranger.
pub(super) fn fits(scenario: &Scenario<Op>) -> bool {
    let is_stranger = |op: &Op| matches!(op, Op::Make(_) | Op::MakeImmortal(_));
    let reads = |script: &Vec<Op>| script.iter().any(|op| matches!(op, Op::Get(_)));
    let frees = |op: &Op| matches!(op, Op::Pop | Op::Clear | Op::SetFirst(_));
    let frees = scenario.threads.iter().flatten().any(frees);
    let read_beside = |t: usize| {
        scenario.threads.iter().enumerate().any(|(other, script)| other != t && reads(script))
    };
    let mut threads = scenario.threads.iter().enumerate();
    has_room(scenario)
        && threads.all(|(t, script)| !script.iter().any(is_stranger) || frees && read_beside(t))
}

fn has_room(scenario: &Scenario<Op>) -> bool {
    let inserts = |op: &&Op| matches!(op, Op::Append(_) | Op::InsertFront(_));
    scenario.setup.iter().chain(scenario.threads.iter().flatten()).filter(inserts).count()
        <= CAPACITY
}

/// The sequential specification.
pub(super) fn sequential(list: &mut Vec<i64>, op: Op) -> Option<i64> {
    match op {
        Op::Get(n) => return Some(list.get(n).copied().unwrap_or(-1)),
        Op::Append(v) => list.push(v),
        Op::InsertFront(v) => list.insert(0, v),
        Op::SetFirst(v) => match list.first_mut() {
            Some(first) => *first = v,
            None => return Some(-1),
        },
        Op::Pop => return Some(list.pop().unwrap_or(-1)),
        Op::Clear => list.clear(),
        Op::Make(_)
        | Op::MakeImmortal(_)
        | Op::Mark
        | Op::Online
        | Op::Quiescent
        | Op::Reclaimed => {}
    }
    None
}
