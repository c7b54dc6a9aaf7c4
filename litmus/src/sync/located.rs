//! The location of an object in memory, which a thread may still point to when the object is
//! gone.

use crate::explore::program::{Location, Value};
use crate::session;
use std::panic::Location as Caller;

/// What the second number of a live object is the first one with.
const KEY: u32 = 0x9e37_79b9;

/// The location that an object has made for itself, freed when the object is dropped. Both
/// numbers stay in the memory that is given back, so that whoever looks too late is told so
/// by name; where others have written there since, the numbers do not fit any more.
#[derive(Debug)]
pub(crate) struct Located {
    number: u32,
    check: u32,
    frees: bool,
}

impl Located {
    /// A location that the running thread creates.
    pub fn new(name: Option<&str>, initial: Value, bits: u8) -> Self {
        Self::make(session::create(name, initial, bits), true)
    }

    fn make(number: u32, frees: bool) -> Self {
        let check = number ^ KEY;
        Self {
            number,
            check,
            frees,
        }
    }

    /// One whose end is part of another object's.
    pub fn inner(name: Option<&str>, initial: Value, bits: u8) -> Self {
        Self::make(session::create(name, initial, bits), false)
    }

    /// Its end is the object's after all.
    pub fn is_freed(&mut self) {
        self.frees = true;
    }

    /// As the explorer has it.
    pub fn at(&self, caller: &'static Caller<'static>) -> Location {
        if self.check != self.number ^ KEY {
            let why = "use after free, of memory that has come to hold something else since \
                       (or never held an explored type)";
            session::refuse(why, caller);
        }
        Location(self.number)
    }
}

impl Drop for Located {
    #[track_caller]
    fn drop(&mut self) {
        // A destructor whose thread does not matter frees nothing that others can still reach.
        if self.frees && session::is_inside() && !session::is_over() && !session::is_silent() {
            session::free(self.number, Caller::caller());
        }
    }
}
