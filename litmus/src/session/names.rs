//! Names that are the same in every run: locations, addresses, what a thread has learnt.

use super::handles::Ledger;
use super::learnt::Lessons;
use super::paths::{Paths, mix};
use super::readers::Locks;
use super::spin::Loops;
use super::{Allowances, Point, SHARED, before_operation, perform, spin};
use crate::explore::cache::{Birth, Note};
use crate::explore::graph::NONE;
use crate::explore::program::{Location, LocationInfo, Op, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::panic::Location as Caller;
use std::sync::Arc;

/// Names that outlive runs.
#[derive(Default)]
pub(super) struct Names {
    pub locations: FxHashMap<(Option<Point>, u32), u32>,
    pub statics: FxHashMap<usize, u32>,
    pub infos: Vec<LocationInfo>,
    /// By location: where it was made; `None` for a static one.
    pub births: Vec<Option<Birth>>,
    pub paths: Paths,
    /// Of a thread that runs the same closure as another: the one started before it. By
    /// where its parent starts it: elsewhere the same thread may run another closure.
    pub elders: FxHashMap<(Point, u32), u32>,
    /// Whether a thread has asked for its handle.
    pub asked: bool,
    /// By the history of who shows it and how many that has shown: numbers of pointers.
    pub pointers: FxHashMap<u64, Value>,
    pub loops: Loops,
    /// Places where a thread was taken to spin.
    pub spins: BTreeSet<String>,
    /// What may happen in Rust and was not explored, since it is not allowed so often.
    pub left_out: BTreeSet<&'static str>,
    /// What has been done with locks for readers.
    pub locks: Locks,
    /// What may happen without cause, per thread and execution.
    pub allowances: Allowances,
    /// Whether a thread was to wait with a limit and not to time out any more.
    pub timeless: bool,
    pub points: FxHashMap<Option<Point>, Value>,
    /// How many of these there have ever been.
    pub learnt: Value,
    /// Contents of more than one word.
    pub contents: FxHashMap<Value, Vec<Value>>,
    /// What was noted between two operations.
    pub notes: FxHashMap<Point, Vec<Note>>,
    pub fault: Option<String>,
    pub lessons: Lessons,
    pub ledger: Ledger,
}

/// Bits of an address in which marks are kept, and that stay as they are in its number.
const MARKS: usize = 7;

/// Addresses that nothing can be at, for marks that are pointers: they stand for themselves.
fn is_mark(address: usize) -> bool {
    !(4096..=usize::MAX - 4096).contains(&address)
}

/// A number for an address that is the same in every run: made from the history of the
/// thread that shows it first, and from its marks.
///
/// Which of several threads is the first to show an address that all of them know depends on
/// the run. Each has a number of its own to offer, so one address can turn out to have had
/// two; that they are one is then learnt, and the search begins again.
pub(crate) fn intern(address: usize) -> Value {
    if is_mark(address) {
        return address as Value;
    }
    before_operation();
    let (place, marks) = (address & !MARKS, (address & MARKS) as Value);
    let number = SHARED.with_borrow_mut(|shared| {
        let at = shared.thread as usize;
        let known = shared.pointers.get(&place).copied();
        if shared.is_astray() {
            return known;
        }
        shared.shown[at] += 1;
        let key = mix(shared.history[at] ^ 0x5e_ed0f, shared.shown[at].into());
        let names = &mut shared.names;
        // In the middle of what numbers can be: counting and marking leads to no other one.
        let own = names.lessons.pointer(key >> 2 & !(MARKS as u64) | 1 << 60);
        let before = names.pointers.get(&key).copied();
        let number = match (known, before) {
            (Some(known), Some(before)) if known != before => {
                names.lessons.equate(known, before);
                known
            }
            (Some(known), _) => known,
            (None, Some(before)) => before,
            (None, None) => own,
        };
        names.pointers.insert(key, number);
        if known.is_none() {
            if shared.addresses.contains_key(&number) {
                names.fault = Some(
                    "one pointer has two addresses: memory whose address has been in an \
                     AtomicPtr was given back, and another object took its place; the crate's \
                     feature `heap` keeps that from happening"
                        .into(),
                );
            }
            shared.pointers.insert(place, number);
            shared.addresses.insert(number, place);
        }
        Some(number)
    });
    number.unwrap_or_else(|| spin::stray()) | marks
}

/// The address of a number in this run.
pub(crate) fn address(number: Value) -> usize {
    if is_mark(number as usize) {
        return number as usize;
    }
    let marks = number & MARKS as Value;
    let place = SHARED.with_borrow(|shared| shared.addresses.get(&(number ^ marks)).copied());
    place.map_or(0, |place| place | marks as usize)
}

/// A number for the running thread that is the same in every run and under every worker: see
/// [`Paths::number`].
pub(crate) fn identity() -> u64 {
    SHARED.with_borrow(|shared| shared.names.paths.number(shared.thread))
}

/// As [`identity`], of another thread that has been met.
pub(crate) fn path_of(thread: u32) -> u64 {
    SHARED.with_borrow(|shared| shared.names.paths.number(thread))
}

/// The thread that spawned another that has been met.
pub(crate) fn parent_of(thread: u32) -> u32 {
    SHARED.with_borrow(|shared| shared.names.paths.parent(thread))
}

/// Notes that a thread asks which one it is.
pub(crate) fn tell_apart() {
    SHARED.with_borrow_mut(|shared| shared.names.asked = true);
}

/// The index of the running thread, which differs from search to search.
pub(crate) fn current() -> u32 {
    SHARED.with_borrow(|shared| shared.thread)
}

/// Stands for all that the running thread has learnt so far.
pub(crate) fn knowledge() -> Value {
    SHARED.with_borrow_mut(|shared| {
        let point = shared.points.get(shared.thread as usize).copied().flatten();
        let names = &mut shared.names;
        *names.points.entry(point).or_insert_with(|| {
            names.learnt += 1;
            names.learnt
        })
    })
}

/// From here on, below `1 << 63`, a content is known by number.
pub(crate) const NUMBERED: Value = 1 << 62;

/// Stands for a content of several words: the same for the same words. The three lowest bits are
/// clear.
pub(crate) fn number_of(words: Vec<Value>) -> Value {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    // Apart from contents of one word, and with bits to spare at both ends.
    let number = (hasher.finish() >> 2 | NUMBERED) & !7;
    SHARED.with_borrow_mut(|shared| {
        let names = &mut shared.names;
        let known = names
            .contents
            .entry(number)
            .or_insert_with(|| words.clone());
        if *known != words {
            names.fault = Some("internal error: two contents have the same number".into());
        }
    });
    number
}

/// Names a location that the running thread creates.
pub(crate) fn create(name: Option<&str>, initial: Value, bits: u8) -> u32 {
    before_operation();
    if SHARED.with_borrow(|shared| shared.is_astray()) {
        spin::stray();
    }
    SHARED.with_borrow_mut(|shared| {
        assert!(
            shared.active,
            "an explored type was created outside an exploration"
        );
        let thread = shared.thread as usize;
        let key = (shared.points[thread], shared.created[thread]);
        shared.created[thread] += 1;
        shared.names.locate(Ok(key), name, initial, bits)
    })
}

/// As [`create`], of memory that is to be freed: until [`free`], or it has leaked.
pub(crate) fn allocate(
    name: Option<&str>,
    initial: Value,
    bits: u8,
    caller: &'static Caller<'static>,
) -> u32 {
    let location = create(name, initial, bits);
    perform(Op::Alloc(Location(location)), caller);
    location
}

/// The running thread frees a location.
pub(crate) fn free(location: u32, caller: &'static Caller<'static>) {
    perform(Op::Free(Location(location)), caller);
}

/// Whether there is a static location at an address.
pub(crate) fn is_fixed(address: usize) -> bool {
    SHARED.with_borrow(|shared| shared.names.statics.contains_key(&address))
}

/// Names a static location.
pub(crate) fn fixed(address: usize, name: Option<&str>, initial: Value, bits: u8) -> u32 {
    SHARED.with_borrow_mut(|shared| shared.names.locate(Err(address), name, initial, bits))
}

impl Names {
    /// Forgets what is named by operations that nobody knows any more.
    pub fn forget(&mut self, lives: &FxHashSet<u32>) {
        let lives = |point: &Point| point.node == NONE || lives.contains(&point.node);
        let lasts = |point: &Option<Point>| point.as_ref().is_none_or(lives);
        self.locations.retain(|(point, _), _| lasts(point));
        self.elders.retain(|(point, _), _| lives(point));
        self.points.retain(|point, _| lasts(point));
        self.notes.retain(|point, _| lives(point));
        self.ledger.forget(lives);
    }

    pub fn locate(
        &mut self,
        key: Result<(Option<Point>, u32), usize>,
        name: Option<&str>,
        initial: Value,
        bits: u8,
    ) -> u32 {
        let fresh = self.infos.len() as u32;
        let found = match key {
            Ok(key) => *self.locations.entry(key).or_insert(fresh),
            Err(address) => *self.statics.entry(address).or_insert(fresh),
        };
        if found == fresh {
            let name = name.map_or_else(|| format!("a{fresh}").into(), Arc::from);
            self.births.push(match key {
                Ok((point, _)) => point.map(|Point { thread, node, .. }| Birth { thread, node }),
                Err(_) => None,
            });
            self.infos.push(LocationInfo {
                name,
                initial,
                bits,
            });
        } else if self.infos[found as usize].initial != initial {
            self.fault = Some(format!(
                "the program is not deterministic: {} began as {} in one run and as {initial} \
                 in another",
                self.infos[found as usize].name, self.infos[found as usize].initial
            ));
        }
        found
    }
}
