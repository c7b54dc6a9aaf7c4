//! Each thread sleeps on a word of its own until it gets the turn: 4 µs a switch on one processor,
//! works on every kernel, and a debugger sees each thread where it stands.

use super::Engine;
use crate::control::Thread;
use crate::real::system;
use std::sync::atomic::Ordering;

pub struct Futex;

// Acquire and release: everything that the giver did must be seen by the taker; the threads share
// all their memory, and the turn is the only thing that orders them.
fn give(next: *mut Thread) {
    // SAFETY: entries of the table live as long as the process.
    unsafe {
        (*next).turn.store(1, Ordering::Release);
        let word = (*next).turn.as_ptr() as usize;
        system(
            libc::SYS_futex,
            word,
            (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize,
            1,
            0,
            0,
            0,
        );
    }
}

fn take(me: *mut Thread) {
    // SAFETY: as above; the kernel compares the word itself.
    unsafe {
        while (*me).turn.swap(0, Ordering::Acquire) == 0 {
            let word = (*me).turn.as_ptr() as usize;
            system(
                libc::SYS_futex,
                word,
                (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize,
                0,
                0,
                0,
                0,
            );
        }
    }
}

impl Engine for Futex {
    unsafe fn first(&self, _me: *mut Thread) {}

    unsafe fn created(&self, _new: *mut Thread) {}

    unsafe fn adopt(&self, me: *mut Thread) {
        take(me);
    }

    unsafe fn switch(&self, me: *mut Thread, next: *mut Thread) {
        give(next);
        take(me);
    }

    unsafe fn leave(&self, _me: *mut Thread, next: *mut Thread) {
        give(next);
    }

    unsafe fn release(&self, _gone: *mut Thread) {}
}
