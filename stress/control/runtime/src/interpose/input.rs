//! Calls that may wait for what another thread does: `read`, `write`, `poll`, `select` and those of sockets. They are
//! asked first. Where the descriptor was made under control, by `pipe`, `socketpair` or `eventfd`, nobody outside can
//! make it ready: who waits for it waits here until another thread has done something with such a descriptor, and
//! where nobody is left to, and it is not ready after a last look, that is a lost wake-up. For others the turn is given away while anybody else can run; then
//! the call waits as it would. Time is virtual.

use super::time::now;
use crate::abi::entry;
use crate::control::{NEVER, Why, block, control, holder, point};
use crate::real::{real, system, with_errno};
use libc::{c_int, c_short, fd_set, pollfd, sockaddr, socklen_t, timespec, timeval};
use std::cell::UnsafeCell;
use threadbare_control::block::Kind;

/// Descriptors that are told apart.
const MOST: usize = 1024;

struct Made(UnsafeCell<[bool; MOST]>);
// SAFETY: only the holder touches it.
unsafe impl Sync for Made {}
/// Made under control: no other process has them, unless the program forks, which ends control there.
static MADE: Made = Made(UnsafeCell::new([false; MOST]));

/// What threads wait for that wait for descriptors: any of them. They look again.
pub fn anything() -> usize {
    MADE.0.get() as usize
}

fn made(descriptor: c_int) -> Option<&'static mut bool> {
    // SAFETY: the holder's; no reference outlives its call.
    unsafe { (*MADE.0.get()).get_mut(usize::try_from(descriptor).ok()?) }
}

unsafe fn make(result: c_int, descriptors: &[c_int]) -> c_int {
    if result >= 0 && !holder().is_null() {
        for made in descriptors.iter().filter_map(|&d| made(d)) {
            *made = true;
        }
    }
    result
}

/// Whether a call that has waited is to be made now, or its time is over.
#[derive(PartialEq)]
enum Waited {
    Ready,
    Late,
}

/// Waits until `ready` says so. `own`: nobody outside can make it so.
unsafe fn wait(own: bool, until: u64, pc: usize, mut ready: impl FnMut() -> bool) -> Waited {
    // SAFETY: the caller is the holder.
    unsafe {
        let me = holder();
        point(me, Kind::System, 0, false, pc);
        loop {
            if ready() {
                control().looked = false;
                return Waited::Ready;
            }
            if until <= now() {
                return Waited::Late;
            }
            if own {
                if block(me, Why::Descriptor, anything(), until) {
                    return Waited::Late;
                }
            } else if control().others_can_run_before(until) {
                point(me, Kind::Yield, 0, false, pc);
            } else if until == NEVER {
                return Waited::Ready;
            } else {
                // Outside nothing happens in virtual time.
                control().now = until;
                return Waited::Late;
            }
        }
    }
}

unsafe fn controlled() -> bool {
    let me = holder();
    // SAFETY: the caller's own entry.
    !me.is_null() && unsafe { (*me).off == 0 }
}

fn asks(descriptor: c_int, events: c_short) -> bool {
    let mut poll = pollfd {
        fd: descriptor,
        events,
        revents: 0,
    };
    // SAFETY: a local; returns at once. An error is the call's own to tell.
    unsafe { system(libc::SYS_poll, &raw mut poll as usize, 1, 0, 0, 0, 0) != 0 }
}

/// The call, once the descriptor is ready for it.
unsafe fn transfer(call: i64, events: c_short, arguments: [usize; 6], pc: usize) -> isize {
    let descriptor = arguments[0] as c_int;
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the contract of the call.
    unsafe {
        let controlled = controlled();
        if controlled {
            let own = made(descriptor).is_some_and(|made| *made);
            let at_once = !blocks(descriptor);
            wait(own, NEVER, pc, || at_once || asks(descriptor, events));
        }
        let result = with_errno(system(call, a, b, c, d, e, f));
        if controlled {
            // What was written comes before what is done after it is read.
            control().acquire(anything());
            control().wake_all(anything());
        }
        result
    }
}

/// A descriptor, without `O_NONBLOCK`.
unsafe fn blocks(descriptor: c_int) -> bool {
    // SAFETY: asks for flags.
    let flags = unsafe {
        system(
            libc::SYS_fcntl,
            descriptor as usize,
            libc::F_GETFL as usize,
            0,
            0,
            0,
            0,
        )
    };
    flags >= 0 && flags as c_int & libc::O_NONBLOCK == 0
}

unsafe extern "C" fn read_ready(descriptor: c_int, to: usize, size: usize, pc: usize) -> isize {
    // SAFETY: the contract of the name.
    unsafe {
        let arguments = [descriptor as usize, to, size, 0, 0, 0];
        transfer(libc::SYS_read, libc::POLLIN, arguments, pc)
    }
}

unsafe extern "C" fn write_ready(descriptor: c_int, from: usize, size: usize, pc: usize) -> isize {
    // SAFETY: the contract of the name.
    unsafe {
        let arguments = [descriptor as usize, from, size, 0, 0, 0];
        transfer(libc::SYS_write, libc::POLLOUT, arguments, pc)
    }
}

unsafe extern "C" fn receive(
    socket: c_int,
    to: usize,
    size: usize,
    flags: c_int,
    pc: usize,
) -> isize {
    // SAFETY: the contract of the name.
    unsafe {
        let arguments = [socket as usize, to, size, flags as usize, 0, 0];
        transfer(libc::SYS_recvfrom, libc::POLLIN, arguments, pc)
    }
}

unsafe extern "C" fn send_ready(
    socket: c_int,
    from: usize,
    size: usize,
    flags: c_int,
    pc: usize,
) -> isize {
    // SAFETY: the contract of the name.
    unsafe {
        let arguments = [socket as usize, from, size, flags as usize, 0, 0];
        transfer(libc::SYS_sendto, libc::POLLOUT, arguments, pc)
    }
}

unsafe extern "C" fn accept_ready(
    socket: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let arguments = [socket as usize, address as usize, length as usize, 0, 0, 0];
        transfer(libc::SYS_accept, libc::POLLIN, arguments, pc) as c_int
    }
}

unsafe extern "C" fn close_told(descriptor: c_int, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let controlled = controlled();
        if controlled {
            point(holder(), Kind::System, 0, false, pc);
        }
        let result = with_errno(system(libc::SYS_close, descriptor as usize, 0, 0, 0, 0, 0));
        if controlled {
            if let Some(made) = made(descriptor) {
                *made = false;
            }
            // The other end of a pipe is ready now.
            control().wake_all(anything());
        }
        result as c_int
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> u64 {
    seconds as u64 * 1_000_000_000 + rest as u64
}

unsafe fn poll_until(polls: *mut pollfd, count: usize, time: Option<u64>, pc: usize) -> c_int {
    // SAFETY: the contract of poll.
    unsafe {
        let now_or = |milliseconds: isize| {
            system(
                libc::SYS_poll,
                polls as usize,
                count,
                milliseconds as usize,
                0,
                0,
                0,
            )
        };
        let mut all = (0..count).map(|i| (*polls.add(i)).fd);
        let own = all.all(|fd| fd < 0 || made(fd).is_some_and(|made| *made));
        let until = time.map_or(NEVER, |time| now() + time);
        let mut answer = 0;
        let waited = wait(own, until, pc, || {
            answer = now_or(0);
            answer != 0
        });
        if waited == Waited::Ready && answer == 0 {
            answer = now_or(-1);
        }
        with_errno(answer) as c_int
    }
}

unsafe extern "C" fn poll_ready(
    polls: *mut pollfd,
    count: u64,
    milliseconds: c_int,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if !controlled() {
            let (at, time) = (polls as usize, milliseconds as isize as usize);
            return with_errno(system(libc::SYS_poll, at, count as usize, time, 0, 0, 0)) as c_int;
        }
        let time = u64::try_from(milliseconds).ok().map(|ms| ms * 1_000_000);
        poll_until(polls, count as usize, time, pc)
    }
}

/// With a set of signals as the plain one: none is let in meanwhile.
unsafe extern "C" fn poll_ready_by(
    polls: *mut pollfd,
    count: u64,
    time: *const timespec,
    signals: usize,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if !controlled() {
            let mut left = (!time.is_null()).then(|| *time);
            let left = left.as_mut().map_or(0, |left| &raw mut *left as usize);
            return with_errno(system(
                libc::SYS_ppoll,
                polls as usize,
                count as usize,
                left,
                signals,
                8,
                0,
            )) as c_int;
        }
        let time = (!time.is_null()).then(|| nanoseconds((*time).tv_sec, (*time).tv_nsec));
        poll_until(polls, count as usize, time, pc)
    }
}

unsafe extern "C" fn select_ready(
    count: c_int,
    reads: *mut fd_set,
    writes: *mut fd_set,
    others: *mut fd_set,
    time: *mut timeval,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let sets = [reads, writes, others];
        let call = |sets: [*mut fd_set; 3], time: *mut timeval| {
            let [a, b, c] = sets.map(|set| set as usize);
            system(libc::SYS_select, count as usize, a, b, c, time as usize, 0)
        };
        if !controlled() {
            return with_errno(call(sets, time)) as c_int;
        }
        let until = match time.is_null() {
            true => NEVER,
            false => now() + nanoseconds((*time).tv_sec, (*time).tv_usec * 1000),
        };
        let asked = sets.map(|set| {
            if set.is_null() {
                std::mem::zeroed()
            } else {
                *set
            }
        });
        let own = (0..count).all(|fd| {
            let any = asked.iter().any(|set| libc::FD_ISSET(fd, set));
            !any || made(fd).is_some_and(|made| *made)
        });
        let put = |from: &[fd_set; 3]| {
            for (set, value) in sets.iter().zip(from).filter(|(set, _)| !set.is_null()) {
                **set = *value;
            }
        };
        let mut answer = 0;
        let waited = wait(own, until, pc, || {
            put(&asked);
            let mut none: timeval = std::mem::zeroed();
            answer = call(sets, &mut none);
            answer != 0
        });
        if waited == Waited::Ready && answer == 0 {
            put(&asked);
            answer = call(sets, std::ptr::null_mut());
        }
        with_errno(answer) as c_int
    }
}

unsafe extern "C" fn make_pipe(ends: *mut [c_int; 2], flags: c_int) -> c_int {
    // SAFETY: the contract of pipe2.
    unsafe {
        let result = with_errno(system(
            libc::SYS_pipe2,
            ends as usize,
            flags as usize,
            0,
            0,
            0,
            0,
        ));
        make(result as c_int, if result < 0 { &[] } else { &*ends })
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn pipe(ends: *mut [c_int; 2]) -> c_int {
    // SAFETY: the contract of the name.
    unsafe { make_pipe(ends, 0) }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn pipe2(ends: *mut [c_int; 2], flags: c_int) -> c_int {
    // SAFETY: the contract of the name.
    unsafe { make_pipe(ends, flags) }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn socketpair(
    domain: c_int,
    kind: c_int,
    protocol: c_int,
    ends: *mut [c_int; 2],
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let [a, b, c] = [domain, kind, protocol].map(|n| n as usize);
        let result = with_errno(system(libc::SYS_socketpair, a, b, c, ends as usize, 0, 0));
        make(result as c_int, if result < 0 { &[] } else { &*ends })
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn eventfd(count: u32, flags: c_int) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let (a, b) = (count as usize, flags as usize);
        let result = with_errno(system(libc::SYS_eventfd2, a, b, 0, 0, 0, 0)) as c_int;
        make(result, &[result])
    }
}

/// The program forks: its descriptors are another process's too, from now on.
pub extern "C" fn forks() {
    // SAFETY: the holder forks, or there is no control.
    unsafe { *MADE.0.get() = [false; MOST] };
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn posix_spawn(
    process: usize,
    path: usize,
    actions: usize,
    attributes: usize,
    arguments: usize,
    environment: usize,
) -> c_int {
    forks();
    // SAFETY: the contract of the name.
    unsafe {
        real!(posix_spawn(process: usize, path: usize, actions: usize, attributes: usize, arguments: usize,
            environment: usize) -> c_int)
    }
}

unsafe extern "C" fn real_vfork() -> usize {
    static REAL: crate::real::Real = crate::real::Real::new(c"vfork");
    forks();
    REAL.address()
}

/// Returns twice, on one stack: nothing of ours may be on it.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
unsafe extern "C" fn vfork() {
    std::arch::naked_asm!(
        "sub rsp, 8",
        "call {real}",
        "add rsp, 8",
        "jmp rax",
        real = sym real_vfork,
    )
}

entry! {
    read: "rcx" => read_ready;
    write: "rcx" => write_ready;
    recv: "r8" => receive;
    send: "r8" => send_ready;
    accept: "rcx" => accept_ready;
    close: "rsi" => close_told;
    poll: "rcx" => poll_ready;
    ppoll: "r8" => poll_ready_by;
    select: "r9" => select_ready;
}
