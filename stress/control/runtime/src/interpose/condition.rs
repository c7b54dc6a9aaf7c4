//! Condition variables: the waiters wait here; which one a signal reaches is a choice.

use super::lock::{lock_mutex, unlock_mutex};
use super::time::deadline;
use crate::abi::entry;
use crate::control::{NEVER, Why, block, control, holder, point};
use crate::real::real;
use libc::{c_int, clockid_t, pthread_cond_t, pthread_mutex_t, timespec};
use threadbare_control::block::Kind;

unsafe fn wait_until(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    until: u64,
    pc: usize,
) -> c_int {
    // SAFETY: there is a holder, who holds the mutex.
    unsafe {
        let me = holder();
        point(me, Kind::Wait, cond as usize, true, pc);
        unlock_mutex(mutex);
        let late = block(me, Why::Condition, cond as usize, until);
        lock_mutex(me, mutex, NEVER, pc);
        if late { libc::ETIMEDOUT } else { 0 }
    }
}

/// The clock that the condition was made with: glibc (2.25 and later) keeps it as the second bit of
/// `__wrefs`, the tenth word of `struct __pthread_cond_s`.
unsafe fn clock_of(cond: *const pthread_cond_t) -> clockid_t {
    // SAFETY: a condition has twelve words.
    let monotonic = unsafe { *cond.cast::<u32>().add(9) & 2 != 0 };
    if monotonic {
        libc::CLOCK_MONOTONIC
    } else {
        libc::CLOCK_REALTIME
    }
}

unsafe extern "C" fn wait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(pthread_cond_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int);
        }
        wait_until(cond, mutex, NEVER, pc)
    }
}

unsafe extern "C" fn timed_wait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    time: *const timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(pthread_cond_timedwait(
                cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, time: *const timespec) -> c_int);
        }
        wait_until(cond, mutex, deadline(clock_of(cond), time), pc)
    }
}

unsafe extern "C" fn clock_wait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    time: *const timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(pthread_cond_clockwait(
                cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t,
                time: *const timespec) -> c_int);
        }
        wait_until(cond, mutex, deadline(clock, time), pc)
    }
}

unsafe extern "C" fn signal(cond: *mut pthread_cond_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
        if me.is_null() {
            return real!(pthread_cond_signal(cond: *mut pthread_cond_t) -> c_int);
        }
        point(me, Kind::Wake, cond as usize, true, pc);
        control().wake_one(cond as usize);
    }
    0
}

unsafe extern "C" fn broadcast(cond: *mut pthread_cond_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
        if me.is_null() {
            return real!(pthread_cond_broadcast(cond: *mut pthread_cond_t) -> c_int);
        }
        point(me, Kind::Wake, cond as usize, true, pc);
        control().wake_all(cond as usize);
    }
    0
}

entry! {
    pthread_cond_wait: "rdx" => wait;
    pthread_cond_timedwait: "rcx" => timed_wait;
    pthread_cond_clockwait: "r8" => clock_wait;
    pthread_cond_signal: "rsi" => signal;
    pthread_cond_broadcast: "rsi" => broadcast;
}
