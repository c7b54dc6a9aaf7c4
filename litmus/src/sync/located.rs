//! The location of an object in memory, which a thread may still point to when the object is
//! gone.

use crate::explore::program::{Location, Value};
use crate::session;
use std::panic::Location as Caller;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the second number of a live object is the first one with.
const KEY: u32 = 0x9e37_79b9;

/// The number of what is in a `static`, which is known by its address.
const STATIC: u32 = u32::MAX;

/// The location that an object has made for itself, freed when the object is dropped. Both
/// numbers stay in the memory that is given back, so that whoever looks too late is told so
/// by name; where others have written there since, the numbers do not fit any more.
#[derive(Debug)]
pub(crate) struct Located {
    number: u32,
    check: u32,
    frees: bool,
    fixed: Fixed,
}

/// Of a `static`: its name, its value at the start of every execution, its width, and the address at which it was
/// first used.
#[derive(Debug)]
struct Fixed {
    name: Option<&'static str>,
    initial: Value,
    bits: u8,
    first: AtomicUsize,
}

impl Located {
    /// A location that the running thread creates.
    pub fn new(name: Option<&str>, initial: Value, bits: u8) -> Self {
        Self::make(
            session::create(name, initial, bits),
            true,
            None,
            (initial, bits),
        )
    }

    const fn make(
        number: u32,
        frees: bool,
        name: Option<&'static str>,
        (initial, bits): (Value, u8),
    ) -> Self {
        let check = number ^ KEY;
        Self {
            number,
            check,
            frees,
            fixed: Fixed {
                name,
                initial,
                bits,
                first: AtomicUsize::new(0),
            },
        }
    }

    /// One whose end is part of another object's.
    pub fn inner(name: Option<&str>, initial: Value, bits: u8) -> Self {
        Self::make(
            session::create(name, initial, bits),
            false,
            None,
            (initial, bits),
        )
    }

    /// One in a `static`.
    pub const fn fixed(initial: Value, bits: u8) -> Self {
        Self::fixed_as(None, initial, bits)
    }

    /// As [`Self::fixed`], with a name for tables.
    pub const fn fixed_as(name: Option<&'static str>, initial: Value, bits: u8) -> Self {
        Self::make(STATIC, false, name, (initial, bits))
    }

    /// Its end is the object's after all.
    pub fn is_freed(&mut self) {
        self.frees = true;
    }

    pub const fn is_static(&self) -> bool {
        self.number == STATIC
    }

    /// As the explorer has it.
    pub fn at(&self, caller: &'static Caller<'static>) -> Location {
        if self.check != self.number ^ KEY {
            let why = "use after free, of memory that has come to hold something else since \
                       (or never held an explored type)";
            session::refuse(why, caller);
        }
        match self.is_static() {
            true => self.fixed_location(caller),
            false => Location(self.number),
        }
    }

    fn fixed_location(&self, caller: &'static Caller<'static>) -> Location {
        let here = std::ptr::from_ref(self).addr();
        let exchange = |old, new| {
            // Relaxed: all who use a `static` find the same address.
            let order = Ordering::Relaxed;
            self.fixed.first.compare_exchange(old, new, order, order)
        };
        let known = match exchange(0, here) {
            Ok(_) if session::is_fixed(here) => usize::MAX,
            Ok(_) => here,
            Err(known) => known,
        };
        if known != here {
            session::refuse(
                "const_new is for statics, which stay where they are: this one has been moved, \
                 or is a local variable; make it by `new`",
                caller,
            );
        }
        let Fixed {
            name,
            initial,
            bits,
            ..
        } = self.fixed;
        Location(session::fixed(here, name, initial, bits))
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
