//! Names that are the same in every run: locations, addresses, what a thread has learnt.

use super::{Point, SHARED};
use crate::explore::cache::Note;
use crate::explore::program::{LocationInfo, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Names that outlive runs.
#[derive(Default)]
pub(super) struct Names {
    pub locations: HashMap<(Option<Point>, u32), u32>,
    pub statics: HashMap<usize, u32>,
    pub infos: Vec<LocationInfo>,
    pub threads: HashMap<(u32, u32), u32>,
    /// Of a thread that runs the same closure as another: the one started before it.
    pub elders: HashMap<u32, u32>,
    /// Whether a thread has asked for its handle.
    pub asked: bool,
    pub pointers: HashMap<(Option<Point>, u32), Value>,
    /// Places where a thread was taken to spin.
    pub spins: BTreeSet<String>,
    /// Spurious failures of weak exchanges per thread and execution.
    pub spurious: u32,
    pub points: HashMap<Option<Point>, Value>,
    /// What was noted between two operations.
    pub notes: HashMap<Point, Vec<Note>>,
    pub fault: Option<String>,
}

/// A number for an address that is the same in every run.
pub(crate) fn intern(address: usize) -> Value {
    if address == 0 {
        return 0;
    }
    SHARED.with_borrow_mut(|shared| {
        if let Some(&number) = shared.pointers.get(&address) {
            return number;
        }
        let thread = shared.thread as usize;
        let key = (
            shared.points.get(thread).copied().flatten(),
            shared.created[thread],
        );
        shared.created[thread] += 1;
        let fresh = shared.names.pointers.len() as Value + 1;
        let number = *shared.names.pointers.entry(key).or_insert(fresh);
        shared.pointers.insert(address, number);
        shared.addresses.insert(number, address);
        number
    })
}

/// The address of a number in this run.
pub(crate) fn address(number: Value) -> usize {
    if number == 0 {
        return 0;
    }
    SHARED.with_borrow(|shared| shared.addresses.get(&number).copied().unwrap_or(0))
}

/// Notes that a thread asks which one it is.
pub(crate) fn tell_apart() {
    SHARED.with_borrow_mut(|shared| shared.names.asked = true);
}

/// The number of the running thread.
pub(crate) fn current() -> u32 {
    SHARED.with_borrow(|shared| shared.thread)
}

/// Stands for all that the running thread has learnt so far.
pub(crate) fn knowledge() -> Value {
    SHARED.with_borrow_mut(|shared| {
        let point = shared.points.get(shared.thread as usize).copied().flatten();
        let fresh = shared.names.points.len() as Value + 1;
        *shared.names.points.entry(point).or_insert(fresh)
    })
}

/// Names a location that the running thread creates.
pub(crate) fn create(name: Option<&str>, initial: Value, bits: u8) -> u32 {
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

/// Names a static location.
pub(crate) fn fixed(address: usize, initial: Value, bits: u8) -> u32 {
    SHARED.with_borrow_mut(|shared| shared.names.locate(Err(address), None, initial, bits))
}

impl Names {
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
