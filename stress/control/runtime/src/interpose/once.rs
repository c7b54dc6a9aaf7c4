//! `pthread_once`.

use crate::abi::entry;
use crate::control::{NEVER, Why, block, control, holder, point};
use crate::real::real;
use libc::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use threadbare_control::block::Kind;

// glibc's values of a pthread_once_t, so that a cell works with and without control.
const RUNNING: c_int = 1;
const DONE: c_int = 2;

unsafe extern "C" fn once(cell: *const AtomicI32, routine: extern "C" fn(), pc: usize) -> c_int {
    // SAFETY: the contract of the name; a pthread_once_t is an int that libc too treats as atomic.
    unsafe {
        let me = holder();
        if me.is_null() {
            return real!(pthread_once(cell: *const AtomicI32, routine: extern "C" fn()) -> c_int);
        }
        point(me, Kind::Lock, cell as usize, true, pc);
        // Sequentially consistent: one thread runs at a time, nothing weaker would be cheaper.
        loop {
            match (*cell).load(Ordering::SeqCst) {
                value if value & DONE != 0 => return 0,
                RUNNING => {
                    block(me, Why::Once, cell as usize, NEVER);
                }
                _ => break,
            }
        }
        (*cell).store(RUNNING, Ordering::SeqCst);
        routine();
        (*cell).store(DONE, Ordering::SeqCst);
        control().wake_all(cell as usize);
    }
    0
}

entry! {
    pthread_once: "rdx" => once;
}
