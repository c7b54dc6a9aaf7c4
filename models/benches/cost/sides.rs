//! Operations of schemes on `Native` and of their controls as functions that can be timed in
//! the same loop and found by a disassembler.

use crate::by_hand;
use threadbare_models::protocol::Faithful;
use threadbare_models::refcount::atomic::{self, AtomicCount};
use threadbare_models::refcount::biased::{self, Biased};
use threadbare_models::refcount::global_lock::{self, LockedCount};
use threadbare_models::refcount::{Count as _, Object};
use threadbare_models::runtime::{Native, Watched};

macro_rules! named {
    ($($name:ident = $call:ident($counts:ty, $thread:ty, $object:ty);)*) => {
        $(
            // SAFETY: no other function has this name.
            #[unsafe(no_mangle)]
            #[inline(never)]
            pub(crate) fn $name(counts: &$counts, thread: &mut $thread, object: &$object) {
                counts.$call(thread, object);
            }
        )*

        /// Keeps all of them in the executable.
        pub(crate) fn keep() {
            $(std::hint::black_box($name as fn(&$counts, &mut $thread, &$object));)*
        }
    };
}

type Atomic<R> = AtomicCount<R, Faithful>;
type AtomicObject<R> = Object<R, atomic::Header<R>>;
type BiasedObject = Object<Native, biased::Header<Native>>;
type LockedObject = Object<Native, global_lock::Header<Native>>;

named! {
    scheme_atomic_incref = incref(Atomic<Native>, (), AtomicObject<Native>);
    scheme_atomic_decref = decref(Atomic<Native>, (), AtomicObject<Native>);
    hand_atomic_incref = incref(by_hand::atomic::Counts, (), by_hand::atomic::Object);
    hand_atomic_decref = decref(by_hand::atomic::Counts, (), by_hand::atomic::Object);
    watched_atomic_incref = incref(Atomic<Watched>, (), AtomicObject<Watched>);

    scheme_biased_incref = incref(Biased<Native, Faithful>, biased::Thread, BiasedObject);
    scheme_biased_decref = decref(Biased<Native, Faithful>, biased::Thread, BiasedObject);
    hand_biased_incref = incref(by_hand::biased::Counts, by_hand::biased::Thread, by_hand::biased::Object);
    hand_biased_decref = decref(by_hand::biased::Counts, by_hand::biased::Thread, by_hand::biased::Object);

    scheme_locked_incref = incref(LockedCount<Native, Faithful>, (), LockedObject);
    scheme_locked_decref = decref(LockedCount<Native, Faithful>, (), LockedObject);
    hand_locked_incref = incref(by_hand::locked::Counts, (), by_hand::locked::Object);
    hand_locked_decref = decref(by_hand::locked::Counts, (), by_hand::locked::Object);
}
