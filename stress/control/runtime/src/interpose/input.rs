//! Calls that may wait for what another thread does: asked first, and the turn given away while
//! others can run. `read` and `write` only; others that block are found as `Stuck`.

use crate::abi::entry;
use crate::control::{control, holder, point};
use crate::real::{system, with_errno};
use libc::{c_int, c_short, pollfd};
use threadbare_control::block::Kind;

unsafe fn ready(descriptor: c_int, events: c_short, pc: usize) {
    let me = holder();
    // SAFETY: the caller is the holder, or nobody is.
    unsafe {
        if me.is_null() || (*me).off != 0 {
            return;
        }
        point(me, Kind::System, 0, false, pc);
        loop {
            let mut poll = pollfd {
                fd: descriptor,
                events,
                revents: 0,
            };
            let answer = system(libc::SYS_poll, &raw mut poll as usize, 1, 0, 0, 0, 0);
            if answer != 0 || !control().others_can_run() {
                return;
            }
            point(me, Kind::Yield, 0, false, pc);
        }
    }
}

/// The call, once the descriptor is ready for it.
unsafe fn transfer(
    call: i64,
    events: c_short,
    descriptor: c_int,
    at: usize,
    size: usize,
    pc: usize,
) -> isize {
    // SAFETY: the contract of the call.
    unsafe {
        ready(descriptor, events, pc);
        with_errno(system(call, descriptor as usize, at, size, 0, 0, 0))
    }
}

unsafe extern "C" fn read_ready(descriptor: c_int, to: usize, size: usize, pc: usize) -> isize {
    // SAFETY: the contract of the name.
    unsafe { transfer(libc::SYS_read, libc::POLLIN, descriptor, to, size, pc) }
}

unsafe extern "C" fn write_ready(descriptor: c_int, from: usize, size: usize, pc: usize) -> isize {
    // SAFETY: the contract of the name.
    unsafe { transfer(libc::SYS_write, libc::POLLOUT, descriptor, from, size, pc) }
}

entry! {
    read: "rcx" => read_ready;
    write: "rcx" => write_ready;
}
