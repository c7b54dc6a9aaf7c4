//! `getrandom` and `getentropy`: with orders one fixed stream, the same in every run. It seeds hashes
//! and allocators' addresses, not schedules.

use crate::control::ordered;
use crate::real::{system, with_errno};
use crate::strategy::Draw;
use libc::{c_int, c_uint};
use std::cell::UnsafeCell;

struct Stream(UnsafeCell<Draw>);
// SAFETY: read by the holder or the only thread.
unsafe impl Sync for Stream {}
static STREAM: Stream = Stream(UnsafeCell::new(Draw::new(0x7261_6e64)));

/// Fills from the stream.
pub unsafe fn fill(to: *mut u8, size: usize) -> isize {
    // SAFETY: the caller's buffer; one thread runs.
    unsafe {
        let draw = &mut *STREAM.0.get();
        for i in 0..size {
            *to.add(i) = draw.next() as u8;
        }
    }
    size as isize
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn getrandom(to: *mut u8, size: usize, flags: c_uint) -> isize {
    // SAFETY: the contract of the name.
    unsafe {
        if ordered() {
            return fill(to, size);
        }
        with_errno(system(
            libc::SYS_getrandom,
            to as usize,
            size,
            flags as usize,
            0,
            0,
            0,
        ))
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn getentropy(to: *mut u8, size: usize) -> c_int {
    // SAFETY: the contract of the name.
    let got = unsafe { getrandom(to, size, 0) };
    if got == size as isize { 0 } else { -1 }
}
