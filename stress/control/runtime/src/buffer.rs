//! Store buffers: total store order (Sewell, Sarkar, Owens, Zappa Nardelli, Myreen, CACM 2010). A thread's stores
//! wait in a buffer of its own, first in first out; it reads them back itself, others do not see them. The oldest
//! becomes visible by a choice, each buffer being one more candidate (Abdulla et al., TACAS 2015), or when the
//! buffer is full; all of them before an update, a sequentially consistent store or fence, a call that synchronises,
//! a wait, a loop that waits, the end of the thread and of the window.
//!
//! The program itself writes to memory, before we know the value. So memory is as the holder sees it: while a
//! thread does not run, its buffered stores are taken out of memory, what was there is put back, and in again at
//! its next turn. Store-to-load forwarding follows.
//!
//! What is not instrumented writes at once. Of libc the calls that write what others may read are told
//! (`memcpy`, `memmove`, `memset`, `free`, `realloc`, `munmap`, system calls through `syscall`) and make all earlier stores visible first,
//! so that no later write overtakes one. Other uninstrumented writes can overtake, which no x86 shows. Stores to
//! the thread's own stack are not buffered: code that is not instrumented uses the same place next; atomic ones wait
//! for the buffer.

use crate::control::{Control, HOT, Step, control, holder};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
use threadbare_control::block::{BUFFERED, Kind, MAX_THREADS};

/// Stores are buffered in this run. Relaxed at each use: set while there is one thread.
static ON: AtomicBool = AtomicBool::new(false);

/// One store.
#[derive(Clone, Copy)]
pub struct Store {
    pub address: usize,
    /// 1, 2, 4, 8 or 16.
    size: u16,
    pub pc: usize,
    value: u128,
    /// What stands there for all others, as far as older stores of the same thread go.
    under: u128,
}

const NONE: Store = Store {
    address: 0,
    size: 0,
    pc: 0,
    value: 0,
    under: 0,
};

struct Buffer {
    stores: [Store; BUFFERED],
    first: usize,
    count: usize,
}

impl Buffer {
    fn at(&mut self, i: usize) -> &mut Store {
        &mut self.stores[(self.first + i) % BUFFERED]
    }
}

struct State {
    buffers: [Buffer; MAX_THREADS],
    /// The store that the holder is about to make; of size 0: none. No other thread runs before its next step.
    next: Store,
}

struct Shared(UnsafeCell<State>);
// SAFETY: only the holder touches it.
unsafe impl Sync for Shared {}
static STATE: Shared = Shared(UnsafeCell::new(State {
    buffers: [const {
        Buffer {
            stores: [NONE; BUFFERED],
            first: 0,
            count: 0,
        }
    }; MAX_THREADS],
    next: NONE,
}));

fn state() -> &'static mut State {
    // SAFETY: called by the holder; no reference outlives its call.
    unsafe { &mut *STATE.0.get() }
}

/// Whether stores are buffered.
#[inline]
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A run begins.
pub fn begin(buffered: bool) {
    ON.store(buffered, Ordering::Relaxed);
}

// By size and not by `copy`, which calls memcpy, which comes back here.
unsafe fn read(address: usize, size: u16) -> u128 {
    // SAFETY: the program has just accessed these bytes or is about to.
    unsafe {
        match size {
            1 => (*(address as *const u8)).into(),
            2 => (address as *const u16).read_unaligned().into(),
            4 => (address as *const u32).read_unaligned().into(),
            8 => (address as *const u64).read_unaligned().into(),
            _ => (address as *const u128).read_unaligned(),
        }
    }
}

unsafe fn write(address: usize, size: u16, value: u128) {
    // SAFETY: as of `read`.
    unsafe {
        match size {
            1 => *(address as *mut u8) = value as u8,
            2 => (address as *mut u16).write_unaligned(value as u16),
            4 => (address as *mut u32).write_unaligned(value as u32),
            8 => (address as *mut u64).write_unaligned(value as u64),
            _ => (address as *mut u128).write_unaligned(value),
        }
    }
}

/// The holder is about to store: says whether others see it later only.
///
/// # Safety
/// The caller is the holder, the address is what the program is about to write, 1, 2, 4, 8 or 16 bytes.
pub unsafe fn store(control: &mut Control, step: &Step) -> bool {
    // SAFETY: in our turn.
    unsafe {
        let me = holder();
        let here = &raw const me as usize;
        if (here..(*me).stack_end).contains(&step.address) {
            if step.kind == Kind::AtomicStore {
                drain(control);
            }
            return false;
        }
        state().next = Store {
            address: step.address,
            size: step.size,
            pc: step.pc,
            value: 0,
            under: read(step.address, step.size),
        };
    }
    true
}

/// The store that the holder was about to make is made: it goes into the buffer.
pub fn settle(control: &mut Control) {
    let next = &mut state().next;
    if next.size == 0 {
        return;
    }
    let mut store = std::mem::replace(next, NONE);
    // SAFETY: the holder's own entry; the program has just written there.
    let me = unsafe {
        store.value = read(store.address, store.size);
        (*holder()).id
    };
    if state().buffers[me].count == BUFFERED {
        flush(control, me);
    }
    let buffer = &mut state().buffers[me];
    *buffer.at(buffer.count) = store;
    buffer.count += 1;
}

/// The oldest store in the buffer of a thread.
pub fn oldest(thread: usize) -> Option<&'static Store> {
    let buffer = &mut state().buffers[thread];
    (buffer.count > 0).then(|| &*buffer.at(0))
}

/// The oldest store of a thread becomes visible.
pub fn flush(control: &mut Control, owner: usize) {
    let buffer = &mut state().buffers[owner];
    let store = *buffer.at(0);
    buffer.first = (buffer.first + 1) % BUFFERED;
    buffer.count -= 1;
    // SAFETY: the holder's own entry.
    let me = unsafe { (*holder()).id };
    if owner != me {
        hide(me);
        // SAFETY: memory of the program that it has stored to.
        unsafe { write(store.address, store.size, store.value) };
        show(me);
    }
    let step = Step {
        size: store.size,
        ..Step::call(Kind::Flush, store.address, false, store.pc)
    };
    control.did(owner, &step);
}

/// Everything that the holder has stored becomes visible.
pub fn drain(control: &mut Control) {
    if on() {
        settle(control);
        // SAFETY: the holder's own entry.
        let me = unsafe { (*holder()).id };
        while state().buffers[me].count > 0 {
            flush(control, me);
        }
    }
}

/// Everything that anybody has stored becomes visible.
pub fn drain_all(control: &mut Control) {
    if on() {
        drain(control);
        for owner in 0..control.count {
            while state().buffers[owner].count > 0 {
                flush(control, owner);
            }
        }
    }
}

/// The holder's turn ends: what it has stored is out of sight.
pub fn hide(me: usize) {
    let buffer = &mut state().buffers[me];
    for i in (0..buffer.count).rev() {
        let store = buffer.at(i);
        // SAFETY: memory of the program that it has stored to.
        unsafe {
            // Code that is not instrumented may have written here since.
            store.value = read(store.address, store.size);
            write(store.address, store.size, store.under);
        }
    }
}

/// The holder's turn begins.
pub fn show(me: usize) {
    let buffer = &mut state().buffers[me];
    for i in 0..buffer.count {
        let store = buffer.at(i);
        // SAFETY: as of `hide`.
        unsafe {
            store.under = read(store.address, store.size);
            write(store.address, store.size, store.value);
        }
    }
}

/// The program is about to call what writes to memory unseen, or gives it back.
#[inline]
pub fn before_call() {
    // Relaxed: the holder's own.
    if on() && HOT.load(Ordering::Relaxed) && !holder().is_null() {
        // SAFETY: the caller is the holder.
        unsafe {
            if (*holder()).off == 0 {
                drain(control());
            }
        }
    }
}
