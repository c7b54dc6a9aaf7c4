//! Clocks and sleeps. With orders time is virtual from the first instruction on: it passes with
//! steps and readings, and jumps to the next deadline when nobody can run.

use crate::abi::entry;
use crate::control::{Why, block, control, holder, ordered, point};
use crate::real::{real, system, with_errno};
use libc::{c_int, c_uint, c_void, clockid_t, time_t, timespec, timeval};
use threadbare_control::block::Kind;

const SECOND: u64 = 1_000_000_000;
/// When virtual time begins: a plausible date, and an uptime of a quarter of an hour.
const EPOCH: u64 = 1_700_000_000 * SECOND;
const UPTIME: u64 = 1_000 * SECOND;

fn origin(clock: clockid_t) -> u64 {
    if matches!(
        clock,
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI
    ) {
        EPOCH
    } else {
        UPTIME
    }
}

/// Virtual time.
pub unsafe fn now() -> u64 {
    // SAFETY: there are orders; the holder or the only thread.
    unsafe { control().now }
}

/// Virtual time of an absolute time of a clock.
pub unsafe fn deadline(clock: clockid_t, time: *const timespec) -> u64 {
    // SAFETY: the caller's time.
    let time = unsafe { (*time).tv_sec as u64 * SECOND + (*time).tv_nsec as u64 };
    time.saturating_sub(origin(clock))
}

#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if !ordered() {
            return real!(clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int);
        }
        let control = control();
        control.now += u64::from((*control.block).config.clock_step_ns);
        let value = origin(clock) + control.now;
        (*time).tv_sec = (value / SECOND) as time_t;
        (*time).tv_nsec = (value % SECOND) as i64;
    }
    0
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn gettimeofday(time: *mut timeval, zone: *mut c_void) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if !ordered() {
            return real!(gettimeofday(time: *mut timeval, zone: *mut c_void) -> c_int);
        }
        let mut value: timespec = std::mem::zeroed();
        clock_gettime(libc::CLOCK_REALTIME, &mut value);
        if !time.is_null() {
            (*time).tv_sec = value.tv_sec;
            (*time).tv_usec = value.tv_nsec / 1000;
        }
    }
    0
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn time(place: *mut time_t) -> time_t {
    // SAFETY: the contract of the name; not by way of libc's own, which would read its own clock.
    unsafe {
        let mut value: timespec = std::mem::zeroed();
        clock_gettime(libc::CLOCK_REALTIME, &mut value);
        if !place.is_null() {
            *place = value.tv_sec;
        }
        value.tv_sec
    }
}

/// Sleeps in virtual time. Before control begins nobody could wake earlier: time just passes.
unsafe fn sleep_until(until: u64, pc: usize) {
    // SAFETY: with orders; the holder or the only thread.
    unsafe {
        let me = holder();
        if me.is_null() {
            let control = control();
            control.now = control.now.max(until);
        } else {
            point(me, Kind::Sleep, 0, false, pc);
            block(me, Why::Sleep, 0, until);
        }
    }
}

unsafe extern "C" fn sleep_clock(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
    left: *mut timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of clock_nanosleep, which returns its error.
    unsafe {
        if !ordered() {
            return real!(clock_nanosleep(
                clock: clockid_t, flags: c_int, time: *const timespec, left: *mut timespec) -> c_int);
        }
        let until = if flags & libc::TIMER_ABSTIME != 0 {
            deadline(clock, time)
        } else {
            now() + (*time).tv_sec as u64 * SECOND + (*time).tv_nsec as u64
        };
        sleep_until(until, pc);
    }
    0
}

unsafe extern "C" fn sleep_nanoseconds(
    time: *const timespec,
    left: *mut timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if !ordered() {
            return with_errno(system(
                libc::SYS_nanosleep,
                time as usize,
                left as usize,
                0,
                0,
                0,
                0,
            )) as c_int;
        }
        sleep_clock(libc::CLOCK_MONOTONIC, 0, time, left, pc)
    }
}

unsafe extern "C" fn sleep_microseconds(microseconds: c_uint, pc: usize) -> c_int {
    let time = timespec {
        tv_sec: (microseconds / 1_000_000) as time_t,
        tv_nsec: i64::from(microseconds % 1_000_000) * 1000,
    };
    // SAFETY: a local.
    unsafe { sleep_nanoseconds(&time, std::ptr::null_mut(), pc) }
}

unsafe extern "C" fn sleep_seconds(seconds: c_uint, pc: usize) -> c_uint {
    let time = timespec {
        tv_sec: time_t::from(seconds),
        tv_nsec: 0,
    };
    // SAFETY: a local. Cut short by a signal, the real one would say how much is left; whole
    // seconds are not worth it.
    unsafe { sleep_nanoseconds(&time, std::ptr::null_mut(), pc) };
    0
}

entry! {
    clock_nanosleep: "r8" => sleep_clock;
    nanosleep: "rdx" => sleep_nanoseconds;
    usleep: "rsi" => sleep_microseconds;
    sleep: "rsi" => sleep_seconds;
}
