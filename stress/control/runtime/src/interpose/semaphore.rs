//! Unnamed and named semaphores.

use super::time::deadline;
use crate::abi::entry;
use crate::control::{NEVER, Why, block, control, holder, point};
use crate::real::real;
use libc::{c_int, clockid_t, sem_t, timespec};
use threadbare_control::block::Kind;

unsafe fn wait_until(semaphore: *mut sem_t, until: u64, pc: usize) -> c_int {
    // SAFETY: there is a holder.
    unsafe {
        let me = holder();
        point(me, Kind::Wait, semaphore as usize, true, pc);
        while real!(sem_trywait(semaphore: *mut sem_t) -> c_int) < 0 {
            if block(me, Why::Semaphore, semaphore as usize, until) {
                *libc::__errno_location() = libc::ETIMEDOUT;
                return -1;
            }
        }
    }
    0
}

unsafe extern "C" fn wait(semaphore: *mut sem_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(sem_wait(semaphore: *mut sem_t) -> c_int);
        }
        wait_until(semaphore, NEVER, pc)
    }
}

unsafe extern "C" fn timed_wait(semaphore: *mut sem_t, time: *const timespec, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(sem_timedwait(semaphore: *mut sem_t, time: *const timespec) -> c_int);
        }
        wait_until(semaphore, deadline(libc::CLOCK_REALTIME, time), pc)
    }
}

unsafe extern "C" fn clock_wait(
    semaphore: *mut sem_t,
    clock: clockid_t,
    time: *const timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if holder().is_null() {
            return real!(sem_clockwait(semaphore: *mut sem_t, clock: clockid_t, time: *const timespec) -> c_int);
        }
        wait_until(semaphore, deadline(clock, time), pc)
    }
}

unsafe extern "C" fn try_wait(semaphore: *mut sem_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
        if !me.is_null() {
            point(me, Kind::Wait, semaphore as usize, true, pc);
        }
        real!(sem_trywait(semaphore: *mut sem_t) -> c_int)
    }
}

unsafe extern "C" fn post(semaphore: *mut sem_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
        if !me.is_null() {
            point(me, Kind::Wake, semaphore as usize, true, pc);
        }
        let result = real!(sem_post(semaphore: *mut sem_t) -> c_int);
        if !me.is_null() {
            control().wake_all(semaphore as usize);
        }
        result
    }
}

entry! {
    sem_wait: "rsi" => wait;
    sem_timedwait: "rdx" => timed_wait;
    sem_clockwait: "rcx" => clock_wait;
    sem_trywait: "rsi" => try_wait;
    sem_post: "rsi" => post;
}
