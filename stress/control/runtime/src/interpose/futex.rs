//! `syscall`: futexes above all, which Rust's std waits with.

use super::time::{deadline, now};
use super::{random, thread, time};
use crate::control::{NEVER, Why, block, control, holder, ordered, point};
use crate::real::{system, with_errno};
use libc::timespec;
use std::sync::atomic::{AtomicU32, Ordering};
use threadbare_control::block::{Kind, Verdict};

/// `long syscall(long, ...)`: on x86-64 variadic integers travel as fixed ones do, so that a
/// function of seven takes any call.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn syscall(
    number: i64,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> isize {
    // SAFETY: the contract of the call.
    unsafe {
        if ordered() {
            crate::buffer::before_call();
            match number {
                libc::SYS_getrandom => return random::fill(a as *mut u8, b),
                libc::SYS_clock_gettime => {
                    return time::clock_gettime(a as i32, b as *mut timespec) as isize;
                }
                libc::SYS_gettid => return thread::virtual_number() as isize,
                libc::SYS_futex if !holder().is_null() => {
                    return with_errno(futex(a, b as i32, c as u32, d));
                }
                _ => {}
            }
        }
        with_errno(system(number, a, b, c, d, e, f))
    }
}

unsafe fn futex(word: usize, operation: i32, value: u32, time: usize) -> isize {
    // SAFETY: there is a holder, in its turn; the word and the time are the caller's.
    unsafe {
        let me = holder();
        match operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) {
            wait @ (libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET) => {
                point(me, Kind::Wait, word, false, 0);
                // Sequentially consistent: as the kernel's own comparison.
                if (*(word as *const AtomicU32)).load(Ordering::SeqCst) != value {
                    return -libc::EAGAIN as isize;
                }
                let time = time as *const timespec;
                let until = if time.is_null() {
                    NEVER
                } else if wait == libc::FUTEX_WAIT {
                    now() + (*time).tv_sec as u64 * 1_000_000_000 + (*time).tv_nsec as u64
                } else if operation & libc::FUTEX_CLOCK_REALTIME != 0 {
                    deadline(libc::CLOCK_REALTIME, time)
                } else {
                    deadline(libc::CLOCK_MONOTONIC, time)
                };
                if block(me, Why::Futex, word, until) {
                    -libc::ETIMEDOUT as isize
                } else {
                    0
                }
            }
            libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
                point(me, Kind::Wake, word, true, 0);
                let most = value as usize;
                if control().waiting(word) <= most {
                    return control().wake_all(word) as isize;
                }
                (0..most).filter(|_| control().wake_one(word)).count() as isize
            }
            other => crate::verdict::end(
                control(),
                Verdict::Refused,
                format_args!("futex operation {other} is not known to the runtime"),
            ),
        }
    }
}
