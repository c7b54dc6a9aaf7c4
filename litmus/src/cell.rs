//! Plain memory: accesses that are not ordered by happens-before are data races.

use crate::explore::program::{MemoryOrder, Op, Value, truncate};
use crate::session;
use std::marker::PhantomData;
use std::panic::Location as Caller;

/// What a [`Cell`] can hold: numbers.
pub trait Word: Copy + 'static {
    /// The width in bits.
    const BITS: u8;
    /// As a location's content.
    fn into_bits(self) -> Value;
    /// From a location's content.
    fn from_bits(bits: Value) -> Self;
}

macro_rules! word {
    ($($t:ty)*) => { $(impl Word for $t {
        const BITS: u8 = <$t>::BITS as u8;
        fn into_bits(self) -> Value {
            truncate(self as Value, <Self as Word>::BITS)
        }
        fn from_bits(bits: Value) -> Self {
            bits as Self
        }
    })* };
}
word!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Word for bool {
    const BITS: u8 = 8;
    fn into_bits(self) -> Value {
        self.into()
    }
    fn from_bits(bits: Value) -> Self {
        bits != 0
    }
}

/// A plain variable shared between threads.
#[derive(Debug)]
pub struct Cell<T> {
    location: u32,
    content: PhantomData<T>,
}

impl<T: Word> Cell<T> {
    /// A cell holding `value`.
    pub fn new(value: T) -> Self {
        Self {
            location: session::create(None, value.into_bits(), T::BITS),
            content: PhantomData,
        }
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        let location = session::create(Some(name), value.into_bits(), T::BITS);
        Self {
            location,
            content: PhantomData,
        }
    }

    /// Plain read.
    #[track_caller]
    pub fn get(&self) -> T {
        let location = session::at(self.location);
        let op = Op::Load {
            location,
            order: MemoryOrder::Plain,
        };
        T::from_bits(session::perform(op, Caller::caller()))
    }

    /// Plain write.
    #[track_caller]
    pub fn set(&self, value: T) {
        let location = session::at(self.location);
        let op = Op::Store {
            location,
            order: MemoryOrder::Plain,
            value: value.into_bits(),
        };
        session::perform(op, Caller::caller());
    }
}
