//! One explored location as the atomic types use it.

use super::located::Located;
use crate::explore::program::{Location, MemoryOrder, Op, Update, Value, Wait, truncate};
use crate::session::{self, Untold};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::panic::Location as Caller;
use std::rc::Rc;

/// A location and its first value.
#[derive(Debug)]
pub(super) struct Word {
    place: Located,
    bits: u8,
    /// While somebody has `&mut` to the value.
    lent: RefCell<Option<Rc<dyn Lent>>>,
}

// SAFETY: what is not atomic in it is reached by explored threads only, which all run on one
// OS thread, and by who has it to itself.
unsafe impl Send for Word {}
// SAFETY: as above; `lent` of a `static` is never set, since nobody has that to itself.
unsafe impl Sync for Word {}

/// A value of some type that is lent, as a location's content.
trait Lent: Untold + std::fmt::Debug {
    /// Tells once more, for there will be no more changes.
    fn close(&self);
}

/// A value lent by `&mut`, at an address of its own.
#[derive(Debug)]
struct Loan<T> {
    location: Location,
    value: UnsafeCell<T>,
    told: Cell<Value>,
    bits: fn(T) -> Value,
    caller: &'static Caller<'static>,
}

impl<T: Copy + std::fmt::Debug> Untold for Loan<T> {
    fn tell(&self) -> bool {
        // SAFETY: on the thread of the borrower, between its accesses.
        let value = (self.bits)(unsafe { *self.value.get() });
        if self.told.replace(value) != value {
            let op = Op::Store {
                location: self.location,
                order: MemoryOrder::Plain,
                value,
            };
            session::perform(op, self.caller);
        }
        true
    }
}

impl<T: Copy + std::fmt::Debug> Lent for Loan<T> {
    fn close(&self) {
        self.tell();
    }
}

impl Word {
    /// A location that the running thread creates.
    pub fn new(name: Option<&str>, initial: Value, bits: u8) -> Self {
        let initial = truncate(initial, bits);
        Self {
            place: Located::new(name, initial, bits),
            bits,
            lent: RefCell::new(None),
        }
    }

    /// A location in a `static`.
    pub const fn fixed(initial: Value, bits: u8) -> Self {
        Self {
            place: Located::fixed(truncate(initial, bits), bits),
            bits,
            lent: RefCell::new(None),
        }
    }

    /// As [`Self::fixed`], with a name for tables.
    pub const fn fixed_as(name: &'static str, initial: Value, bits: u8) -> Self {
        Self {
            place: Located::fixed_as(Some(name), truncate(initial, bits), bits),
            bits,
            lent: RefCell::new(None),
        }
    }

    /// Whether it is in a `static`.
    pub const fn is_static(&self) -> bool {
        self.place.is_static()
    }

    pub fn location(&self, caller: &'static Caller<'static>) -> Location {
        let location = self.place.at(caller);
        let lent = self
            .lent
            .try_borrow_mut()
            .ok()
            .and_then(|mut lent| lent.take());
        if let Some(lent) = lent {
            let untold: Rc<dyn Untold> = lent.clone();
            session::withdraw(&untold);
            lent.close();
        }
        location
    }

    /// Loads.
    pub fn load(&self, order: MemoryOrder, caller: &'static Caller<'static>) -> Value {
        let location = self.location(caller);
        session::perform(Op::Load { location, order }, caller)
    }

    /// Stores.
    pub fn store(&self, value: Value, order: MemoryOrder, caller: &'static Caller<'static>) {
        let op = Op::Store {
            location: self.location(caller),
            order,
            value: truncate(value, self.bits),
        };
        session::perform(op, caller);
    }

    /// Updates; the old value.
    pub fn update(
        &self,
        update: Update,
        order: MemoryOrder,
        caller: &'static Caller<'static>,
    ) -> Value {
        let location = self.location(caller);
        let op = Op::Update {
            location,
            order,
            update,
        };
        session::perform(op, caller)
    }

    /// Updates, without telling the old value.
    pub fn apply(&self, update: Update, order: MemoryOrder, caller: &'static Caller<'static>) {
        let location = self.location(caller);
        let op = Op::Apply {
            location,
            order,
            update,
        };
        session::perform(op, caller);
    }

    /// Compares and exchanges; the value found.
    pub fn exchange(
        &self,
        [expected, new]: [Value; 2],
        [success, failure]: [MemoryOrder; 2],
        caller: &'static Caller<'static>,
    ) -> Value {
        let op = Op::CompareExchange {
            location: self.location(caller),
            expected: truncate(expected, self.bits),
            new: truncate(new, self.bits),
            success,
            failure,
        };
        session::perform(op, caller)
    }

    /// As [`Self::exchange`], where it may fail without cause: the value found, and whether
    /// it was exchanged.
    pub fn exchange_weak(
        &self,
        values: [Value; 2],
        orders: [MemoryOrder; 2],
        caller: &'static Caller<'static>,
    ) -> (Value, bool) {
        if session::fails_spuriously(caller) {
            return (self.load(orders[1], caller), false);
        }
        let found = self.exchange(values, orders, caller);
        (found, found == truncate(values[0], self.bits))
    }

    /// Waits for a value that satisfies `wanted`.
    pub fn await_until(
        &self,
        order: MemoryOrder,
        caller: &'static Caller<'static>,
        wanted: impl Fn(Value) -> bool,
    ) -> Value {
        let location = self.location(caller);
        let value = session::perform(Op::Await { location, order }, caller);
        if !wanted(value) {
            session::block(Wait::Await, 1, caller);
        }
        value
    }

    /// Gives `&mut` to the value away: what is made of it is written before whatever the
    /// borrower does next.
    pub fn lend<T: Copy + std::fmt::Debug + 'static>(
        &mut self,
        value: fn(Value) -> T,
        bits: fn(T) -> Value,
        caller: &'static Caller<'static>,
    ) -> &mut T {
        let found = self.load(MemoryOrder::Plain, caller);
        let loan = Rc::new(Loan {
            location: self.location(caller),
            value: UnsafeCell::new(value(found)),
            told: Cell::new(found),
            bits,
            caller,
        });
        *self.lent.borrow_mut() = Some(loan.clone());
        session::tell_before_operations(loan.clone());
        // SAFETY: the loan is kept by `self`, which is mutably borrowed, and looked at by
        // nobody but the borrower's own thread, at its operations.
        unsafe { &mut *loan.value.get() }
    }

    /// Reads the value as plain memory and writes what `change` makes of it.
    pub fn change<R>(
        &mut self,
        caller: &'static Caller<'static>,
        change: impl FnOnce(Value) -> (Value, R),
    ) -> R {
        let found = self.load(MemoryOrder::Plain, caller);
        let (value, result) = change(found);
        if value != found {
            self.store(value, MemoryOrder::Plain, caller);
        }
        result
    }
}
