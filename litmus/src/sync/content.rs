//! What stands for the content of a lock or a cell of any type.
//!
//! The content is in ordinary memory; a location of its own stands for it, which whoever
//! is about to look at the content reads and whoever has changed it writes. The value there
//! tells apart all contents after which a thread may behave differently:
//!
//! * of a type whose whole state can be read (numbers, and tuples, arrays, options and
//!   vectors of them), the state itself. Histories that lead to the same content meet
//!   again, and what a thread does next is looked up and not run.
//! * of any other type, all that the thread that wrote it had learnt by then
//!   ([`session::knowledge`]), of which the content is a function.

use super::CONTENT;
use super::located::Located;
use crate::explore::program::{Location, MemoryOrder, Op, Value, truncate};
use crate::session;
use std::any::TypeId;
use std::cell::Cell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::Location as Caller;
use std::sync::OnceLock;

/// Stands for a content that is being changed.
pub(crate) const CHANGING: Value = Value::MAX - 1;

/// Stands for the first content of what is in a `static`.
pub(crate) const FIRST: Value = Value::MAX - 3;

/// Stands for the content of a lock or a cell.
pub(crate) struct Content {
    location: Located,
    /// Whether there is anything to stand for.
    used: bool,
    /// Whether a number stands for itself, however large.
    is_number: bool,
    lent: Lent,
}

/// The thread that was given `&mut` to a content, and may have changed it since without
/// telling.
#[derive(Default)]
pub(crate) struct Lent(Cell<Option<u32>>);

impl Lent {
    /// The running thread is given `&mut`; what stands for the content.
    pub fn lend(&self) -> Value {
        self.0.set(Some(session::current()));
        session::number_of(vec![Value::MAX, session::knowledge()])
    }

    /// The running thread has found such a content: all that the borrower did before now
    /// decides what it is.
    pub fn look(&self, caller: &'static Caller<'static>) {
        if let Some(borrower) = self.0.get()
            && borrower != session::current()
        {
            let question = session::LAST_OF | Value::from(borrower);
            session::perform(Op::Observe(question), caller);
        }
    }

    /// Of what is in a `static`, of which nobody gets `&mut`.
    pub const fn never() -> Self {
        Self(Cell::new(None))
    }

    /// The content is known again; whether it was lent.
    pub fn is_over(&self) -> bool {
        // Not written if it was not: OS threads that explore share what is in a `static`.
        let was = self.0.get().is_some();
        if was {
            self.0.set(None);
        }
        was
    }
}

impl Content {
    /// For the first content of what is called `name`.
    pub fn new<T: ?Sized>(name: &str, content: &T) -> Self {
        let name = format!("{name}{CONTENT}");
        Self::made(
            Located::inner(Some(&name), first(content), 64),
            size_of_val(content) > 0,
        )
    }

    fn made(location: Located, used: bool) -> Self {
        Self {
            location,
            used,
            is_number: false,
            lent: Lent::default(),
        }
    }

    /// As [`Self::new`], of what ends when this does.
    pub fn cell<T: ?Sized>(name: &str, content: &T) -> Self {
        let mut new = Self::new(name, content);
        new.location.is_freed();
        new
    }

    /// For a content in a `static`.
    pub const fn fixed<T>() -> Self {
        Self {
            location: Located::fixed(FIRST, 64),
            used: size_of::<T>() > 0,
            is_number: false,
            lent: Lent::never(),
        }
    }

    /// For a content of which only the changes are told apart, by who made them.
    pub fn unread(name: &str) -> Self {
        let name = format!("{name}{CONTENT}");
        Self::made(Located::inner(Some(&name), 0, 64), true)
    }

    /// For a plain variable, whose number, if it is one, tables show.
    pub fn variable<T>(name: Option<&str>, content: &T) -> Self {
        match number_bits::<T>() {
            Some(bits) => Self {
                is_number: true,
                ..Self::made(
                    Located::new(name, words(content).first.unwrap_or(0), bits),
                    true,
                )
            },
            None => Self::cell(name.unwrap_or("cell"), content),
        }
    }

    /// The running thread is about to look at the content; what stands for it.
    pub fn look(&self, caller: &'static Caller<'static>) -> Value {
        if !self.used {
            return 0;
        }
        let found = session::perform(
            Op::Load {
                location: self.location.at(caller),
                order: MemoryOrder::Plain,
            },
            caller,
        );
        self.lent.look(caller);
        found
    }

    /// The running thread found `found` and has made the content what it is now.
    pub fn change<T: ?Sized>(
        &self,
        found: Value,
        content: *const T,
        caller: &'static Caller<'static>,
    ) {
        if !self.used {
            return;
        }
        // SAFETY: the caller is who may look at the content now.
        let value = key(unsafe { &*content });
        if self.lent.is_over() || value != found || !is_read::<T>() {
            self.write(value, caller);
        }
    }

    /// As [`Self::change`], as an access of the content even if it is the same as before.
    pub fn set<T: ?Sized>(&self, content: &T, caller: &'static Caller<'static>) {
        if self.used {
            self.lent.is_over();
            let value = match self.is_number {
                true => words(content).first.unwrap_or(0),
                false => key(content),
            };
            self.write(value, caller);
        }
    }

    /// The running thread is changing the content for which `location` stands, and others
    /// may come by meanwhile.
    pub fn mark(location: Location, caller: &'static Caller<'static>) {
        write(location, CHANGING, caller);
    }

    /// The running thread is given `&mut` to the content.
    pub fn lend(&self, caller: &'static Caller<'static>) {
        if self.used {
            self.look(caller);
            self.write(self.lent.lend(), caller);
        }
    }

    /// The location that stands for it.
    pub fn location(&self, caller: &'static Caller<'static>) -> Location {
        self.location.at(caller)
    }

    fn write(&self, value: Value, caller: &'static Caller<'static>) {
        write(self.location.at(caller), value, caller);
    }
}

fn write(location: Location, value: Value, caller: &'static Caller<'static>) {
    let op = Op::Store {
        location,
        order: MemoryOrder::Plain,
        value,
    };
    session::perform(op, caller);
}

/// A number for the content below `1 << 63`, equal only for equal contents.
pub(super) fn key<T: ?Sized>(content: &T) -> Value {
    match is_read::<T>() {
        true => words(content).number(),
        false => session::knowledge(),
    }
}

/// The state of a content of a type that is read.
fn words<T: ?Sized>(content: &T) -> Words {
    let mut words = Words::default();
    if let Some(reader) = readers().get(&type_of::<T>()) {
        // SAFETY: the table has a reader for each type under the identity of that very type,
        // and the content is one of that type.
        unsafe { reader(std::ptr::from_ref(content).cast(), &mut words) };
    }
    words
}

/// The number of a first content: there is but one, so that of a type that is not read need
/// not be told apart.
pub(super) fn first<T: ?Sized>(content: &T) -> Value {
    match is_read::<T>() {
        true => key(content),
        false => 0,
    }
}

/// Whether contents of the type are told apart by their state.
pub(super) fn is_read<T: ?Sized>() -> bool {
    readers().contains_key(&type_of::<T>())
}

/// The width of the location for a type that is a number. One of less than 32 bits gets
/// more, since no table shows it as signed.
fn number_bits<T>() -> Option<u8> {
    let of = type_of::<T>();
    macro_rules! is {
        ($($t:ty)*) => { $(of == TypeId::of::<$t>())||* };
    }
    match is!(u32 i32) {
        true => Some(32),
        false => is!(bool u8 u16 u64 usize i8 i16 i64 isize).then_some(64),
    }
}

/// The identity of a type, lifetimes aside: none of the types in the table has any.
fn type_of<T: ?Sized>() -> TypeId {
    trait Identity {
        fn identity(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T: ?Sized> Identity for PhantomData<T> {
        fn identity(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let phantom = PhantomData::<T>;
    let short: &dyn Identity = &phantom;
    // SAFETY: only the lifetime bound of the trait object changes. The method reads nothing
    // of the type but its identity, from which lifetimes are erased.
    let long: &(dyn Identity + 'static) = unsafe { std::mem::transmute(short) };
    long.identity()
}

/// The state of a content as words.
#[derive(Default)]
struct Words {
    first: Option<Value>,
    /// All of them, where there is more than one.
    all: Vec<Value>,
}

impl Words {
    fn push(&mut self, word: Value) {
        match self.first {
            None => self.first = Some(word),
            Some(first) if self.all.is_empty() => self.all.extend([first, word]),
            Some(_) => self.all.push(word),
        }
    }

    /// One word stands for itself if it is small, others for what they are numbered by.
    fn number(self) -> Value {
        match self.first {
            None => 0,
            Some(word) if self.all.is_empty() && word < session::NUMBERED => word,
            Some(word) if self.all.is_empty() => session::number_of(vec![word]),
            Some(_) => session::number_of(self.all),
        }
    }
}

/// A type whose state can be read.
trait State: 'static {
    fn read(&self, into: &mut Words);
}

macro_rules! numbers {
    ($($t:ty)*) => { $(impl State for $t {
        fn read(&self, into: &mut Words) {
            into.push(truncate(*self as Value, 8 * size_of::<Self>() as u8));
        }
    })* };
}
numbers!(bool char u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<T: State> State for Option<T> {
    fn read(&self, into: &mut Words) {
        into.push(self.is_some().into());
        if let Some(value) = self {
            value.read(into);
        }
    }
}

impl<T: State, const N: usize> State for [T; N] {
    fn read(&self, into: &mut Words) {
        self.iter().for_each(|value| value.read(into));
    }
}

impl<T: State> State for Vec<T> {
    fn read(&self, into: &mut Words) {
        into.push(self.len() as Value);
        into.push(self.capacity() as Value);
        self.iter().for_each(|value| value.read(into));
    }
}

impl State for String {
    fn read(&self, into: &mut Words) {
        into.push(self.len() as Value);
        into.push(self.capacity() as Value);
        self.bytes().for_each(|byte| byte.read(into));
    }
}

impl<A: State, B: State> State for (A, B) {
    fn read(&self, into: &mut Words) {
        self.0.read(into);
        self.1.read(into);
    }
}

impl<A: State, B: State, C: State> State for (A, B, C) {
    fn read(&self, into: &mut Words) {
        self.0.read(into);
        self.1.read(into);
        self.2.read(into);
    }
}

type Reader = unsafe fn(*const (), &mut Words);

/// # Safety
/// The pointer is to a `T`, which nobody changes meanwhile.
unsafe fn reader<T: State>(content: *const (), into: &mut Words) {
    // SAFETY: the caller's.
    unsafe { &*content.cast::<T>() }.read(into);
}

fn readers() -> &'static HashMap<TypeId, Reader> {
    static READERS: OnceLock<HashMap<TypeId, Reader>> = OnceLock::new();
    READERS.get_or_init(|| {
        let mut readers: HashMap<TypeId, Reader> = HashMap::new();
        macro_rules! add {
            ($($t:ty),*) => { $(readers.insert(TypeId::of::<$t>(), reader::<$t>);)* };
        }
        macro_rules! with_compounds {
            ($($t:ty)*) => { $(add!(
                $t, Option<$t>, Vec<$t>, Vec<Option<$t>>, Vec<Vec<$t>>, Option<Vec<$t>>,
                Option<Option<$t>>, Vec<($t, $t)>, Option<($t, $t)>, ($t, $t), ($t, $t, $t),
                ($t, bool), (bool, $t), ($t, usize), (usize, $t), [($t, $t); 2], [Option<$t>; 2],
                [$t; 1], [$t; 2], [$t; 3], [$t; 4], [$t; 5], [$t; 6], [$t; 7], [$t; 8],
                (Vec<$t>, bool), (Vec<$t>, usize), (Option<$t>, bool)
            );)* };
        }
        with_compounds!(bool char u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
        add!(String, Option<String>, Vec<String>);
        readers
    })
}
