//! The slots of QSBR, in an array that grows while threads use it.
//!
//! # Question
//! Each thread says in a slot of its own how far it has come. The slots are one array, for the sake of who reads them all,
//! and threads come without end. How does the array grow under those who write into it?
//!
//! # Idea
//! Who comes takes a free slot under the registry's lock, and where there is none, stops the world, copies the array,
//! changes every thread's address of its slot, and frees the old one. So an address is right while its thread is
//! attached; who leaves, which is not, reads it again under the registry's lock. And who has the global lock, in
//! a VM that has one switched on, gives it up before it waits for the registry.
//!
//! # Timeline
//! ```text
//!                                         array   T0's address
//! T0: registry { slot 0 }                 a       a[0]
//! T0: attached: writes a[0]               a       a[0]
//! T1: registry { full; stops T0           a       a[0]
//! T1:   b, a copy; addresses; frees a }   b       b[0]
//! T1: registry { slot 1 }                 b       b[0]
//! T0: attached: writes b[0]               b       b[0]
//! T0: leaves: registry { b[0] is free }   b
//! ```
//!
//! # Obligations
//! * N1: a slot is one thread's. N2: nobody touches an array that is freed.
//! * N3: slots and arrays are given back. N4: nobody waits for ever.
//!
//! # Limits
//! Arrays of one, two and four slots. Stopping the world is: having all threads' turns. What is written into slots, and what
//! follows from it, is `qsbr.rs`.
//!
//! # Orders
//! None: all is under locks.
//!
//! # Source
//! CPython 3.13 `Python/qsbr.c` (`_Py_qsbr_reserve`, `grow_thread_array`, `_Py_qsbr_unregister`).

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::mutants;
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime};
use crate::verdict::Kind;

/// Slots of the arrays, one after the other.
const SIZES: [usize; 3] = [1, 2, 4];
const SLOTS: [&str; 4] = ["slot0", "slot1", "slot2", "slot3"];

/// What is under the registry's lock.
struct Registry {
    array: usize,
    taken: Vec<bool>,
}

impl Registry {
    fn free(&self) -> Option<usize> {
        self.taken.iter().position(|taken| !taken)
    }
}

struct Array<R: Runtime> {
    slots: Box<[R::Cell<u64>]>,
    ghost: R::Ghost,
}

/// A thread's part.
struct Thread<R: Runtime> {
    /// Its turn: it has it while it is attached, who stops the world has those of all.
    turn: R::Mutex<()>,
    /// The array that its address points into, plus one.
    address: R::Cell<usize>,
}

/// The slots of all threads.
pub struct Slots<R: Runtime> {
    registry: R::Mutex<Registry>,
    arrays: Box<[Array<R>]>,
    threads: Box<[Thread<R>]>,
    /// The global lock, where it is switched on.
    global: R::Mutex<()>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    slot: Option<usize>,
    /// How often it has said that it is quiet.
    said: u64,
}

impl<R: Runtime> Slots<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// The thread's slot, by its address.
    fn slot(&self, address: usize, slot: usize) -> &R::Cell<u64> {
        &self.arrays[address - 1].slots[slot]
    }

    /// `locked`: with the global lock, which is given up while it waits for the registry.
    fn register(&self, local: &mut Local, locked: bool) {
        if locked {
            drop(self.global.lock());
        }
        let early = self.is(Mutant::SlotDouble).then(|| self.registry.lock().free());
        let mut registry = self.registry.lock();
        let global = locked.then(|| self.global.lock());
        let free = early.unwrap_or_else(|| registry.free());
        let slot = free.unwrap_or_else(|| self.grow(&mut registry));
        registry.taken[slot] = true;
        // Only now, since the array moves.
        self.threads[local.n].address.write(registry.array + 1);
        self.slot(registry.array + 1, slot).write(0);
        (local.slot, local.said) = (Some(slot), 0);
        drop(global);
    }

    /// A larger array; its first new slot.
    fn grow(&self, registry: &mut Registry) -> usize {
        let stops = !self.is(Mutant::GrowLive);
        let stopped = stops.then(|| self.threads.iter().map(|t| t.turn.lock()).collect::<Vec<_>>());
        let (old, new) = (registry.array, registry.array + 1);
        self.arrays[new].ghost.reuse(0);
        for slot in 0..SIZES[old] {
            let said = self.slot(old + 1, slot).read();
            self.slot(new + 1, slot).write(said);
        }
        for thread in &self.threads {
            if thread.address.read() > 0 && !self.is(Mutant::KeepsAddress) {
                thread.address.write(new + 1);
            }
        }
        registry.array = new;
        registry.taken.resize(SIZES[new], false);
        if !self.is(Mutant::KeepsArray) {
            self.arrays[old].ghost.free();
        }
        drop(stopped);
        SIZES[old]
    }

    /// Attached: says that it is quiet.
    fn quiet(&self, local: &mut Local, slot: usize) {
        let turn = self.threads[local.n].turn.lock();
        let slot = self.slot(self.threads[local.n].address.read(), slot);
        let found = slot.read();
        require(found == local.said, Kind::Invariant, || {
            format!("slot: {found}, where T{} has said {}", local.n, local.said)
        });
        local.said += 1;
        slot.write(local.said);
        drop(turn);
    }

    fn unregister(&self, local: &mut Local, slot: usize, locked: bool) {
        let thread = &self.threads[local.n];
        let global = locked.then(|| self.global.lock());
        let global = global.filter(|_| self.is(Mutant::GlobalHeld));
        let early = self.is(Mutant::PointerCached).then(|| thread.address.read());
        let mut registry = self.registry.lock();
        let address = early.unwrap_or_else(|| thread.address.read());
        self.slot(address, slot).write(0);
        thread.address.write(0);
        if !self.is(Mutant::KeepsSlot) {
            registry.taken[slot] = false;
        }
        local.slot = None;
        drop(global);
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Takes a slot.
    Register,
    /// Takes a slot, in a VM whose global lock is switched on.
    RegisterLocked,
    /// Says that it is quiet.
    Quiet,
    /// Gives its slot back.
    Unregister,
    /// Gives its slot back, in a VM whose global lock is switched on.
    UnregisterLocked,
}

impl<R: Runtime> World for Slots<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let array = |n: usize| Array {
            slots: SLOTS[..SIZES[n]]
                .iter()
                .map(|name| R::Cell::new(0, Label::part("array", name, n)))
                .collect(),
            ghost: R::Ghost::blank(Label::nth("array", n)),
        };
        let thread = |n| Thread {
            turn: R::Mutex::new((), Label::nth("turn", n)),
            address: R::Cell::new(0, Label::nth("address", n)),
        };
        let arrays: Box<[Array<R>]> = (0..SIZES.len()).map(array).collect();
        arrays[0].ghost.reuse(0);
        Self {
            registry: R::Mutex::new(Registry { array: 0, taken: vec![false] }, "registry"),
            arrays,
            threads: (0..shape.threads).map(thread).collect(),
            global: R::Mutex::new((), "global"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, slot: None, said: 0 }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        match (op, local.slot) {
            (Op::Register, None) => self.register(local, false),
            (Op::RegisterLocked, None) => self.register(local, true),
            (Op::Quiet, Some(slot)) => self.quiet(local, slot),
            (Op::Unregister, Some(slot)) => self.unregister(local, slot, false),
            (Op::UnregisterLocked, Some(slot)) => self.unregister(local, slot, true),
            _ => return SKIPPED,
        }
        local.slot.map(|slot| slot as i64)
    }

    fn exit(&self, mut local: Local) {
        if let Some(slot) = local.slot {
            self.unregister(&mut local, slot, false);
        }
    }

    fn finish(&self) {
        let registry = self.registry.lock();
        let taken = registry.taken.iter().filter(|taken| **taken).count();
        require(taken == 0, Kind::Leak, || format!("slots: {taken} are taken in the end"));
        let old = self.arrays.iter().enumerate().filter(|(n, _)| *n != registry.array);
        old.for_each(|(_, array)| array.ghost.settle());
    }
}

mutants! {
    /// Faults of who comes, of who leaves, and of the growing.
    pub enum Mutant {
        /// The array grows while threads write into it.
        GrowLive = "qsbr-grow-live" breaks ["N2"] in "growing" by Everywhere;
        /// A free slot is looked for before the registry is locked.
        SlotDouble = "qsbr-slot-double" breaks ["N1"] in "growing" by Everywhere;
        /// Who leaves has read the address of its slot before it has the registry's lock.
        PointerCached = "ts-qsbr-pointer-cached" breaks ["N2"] in "growing" by Everywhere;
        /// Who leaves keeps the global lock while it waits for the registry.
        GlobalHeld = "ts-gil-held-at-unregister" breaks ["N4"] in "locked" by Everywhere;
        /// The addresses stay what they were when the array grows.
        KeepsAddress = "qsbr-grow-keeps-address" breaks ["N2"] in "growing" by Everywhere;
        /// The old array is never freed.
        KeepsArray = "qsbr-grow-keeps-array" breaks ["N3"] in "growing" by Everywhere;
        /// Who leaves does not give its slot back.
        KeepsSlot = "qsbr-unregister-nothing" breaks ["N3"] in "growing" by Everywhere;
    }
}

/// The protocol.
pub struct QsbrSlots;

impl Protocol for QsbrSlots {
    const NAME: &'static str = "qsbr-slots";
    const TITLE: &'static str = "The slots of QSBR, in an array that grows";
    const QUESTION: &'static str = "How does an array grow under those who write into it?";
    const SOURCE: &'static str = "CPython 3.13 qsbr.c, grow_thread_array";
    const PROPERTIES: &'static [Property] = &[
        Property::new(
            "N1",
            "a slot is one thread's",
            &[Kind::Invariant.at(&["slot"]), Kind::DataRace.at(&SLOTS)],
        ),
        Property::new(
            "N2",
            "nobody touches an array that is freed",
            &[
                Kind::UseAfterFree.at(&SLOTS),
                Kind::DataRace.at(&["address", SLOTS[0], SLOTS[1], SLOTS[2], SLOTS[3]]),
            ],
        ),
        Property::new(
            "N3",
            "slots and arrays are given back",
            &[Kind::Leak.at(&["slots", "array"])],
        ),
        Property::new("N4", "nobody waits for ever", &[Kind::Deadlock.anywhere()]),
    ];
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Slots<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of(
                "growing",
                "the array grows beside one who writes into it and leaves",
                [&[Register, Quiet, Unregister], &[Register, Quiet]],
            ),
            Scenario::of(
                "locked",
                "the same with the global lock switched on",
                [&[RegisterLocked, UnregisterLocked], &[RegisterLocked]],
            ),
            Scenario::of("three", "it grows twice", [&[Register, Quiet], &[Register], &[Register]]),
        ]
    }

    /// Left out: the global lock, which has its own scenario.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |_: Place| vec![Register, Quiet, Unregister];
        let mut start = Start::new("empty", "threads that come and go", letters);
        start.first = vec![Register];
        start.fits = |scenario| {
            scenario.threads.iter().all(|script| {
                let mut has = false;
                script.iter().all(|op| match op {
                    Register | RegisterLocked => !std::mem::replace(&mut has, true),
                    Quiet => has,
                    Unregister | UnregisterLocked => std::mem::take(&mut has),
                })
            })
        };
        vec![start]
    }
}
