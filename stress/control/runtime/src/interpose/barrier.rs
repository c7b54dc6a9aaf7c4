//! `pthread_barrier_wait`: the waiters wait here, the last one lets all go.

use crate::abi::entry;
use crate::control::{NEVER, Why, block, control, holder, point};
use crate::real::real;
use libc::{c_int, pthread_barrier_t};
use threadbare_control::block::Kind;

unsafe extern "C" fn wait(barrier: *mut pthread_barrier_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name; glibc keeps the count in the third word of
    // `struct pthread_barrier`.
    unsafe {
        let me = holder();
        if me.is_null() {
            return real!(pthread_barrier_wait(barrier: *mut pthread_barrier_t) -> c_int);
        }
        point(me, Kind::Wait, barrier as usize, true, pc);
        let count = *barrier.cast::<u32>().add(2) as usize;
        if control().waiting(barrier as usize) + 1 >= count {
            control().acquire(barrier as usize);
            control().wake_all(barrier as usize);
            return libc::PTHREAD_BARRIER_SERIAL_THREAD;
        }
        control().release(barrier as usize);
        block(me, Why::Barrier, barrier as usize, NEVER);
    }
    0
}

entry! {
    pthread_barrier_wait: "rsi" => wait;
}
