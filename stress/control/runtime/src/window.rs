//! What a program asks for: runs, windows, an end. By a C function, and by `getpriority` for
//! programs that cannot link one: it takes two integers, returns one, every Python has it as
//! `os.getpriority`, and the kernel refuses our numbers, by which a program sees that nobody controls
//! it. A thread that is to wait uses `fchmod` instead: CPython lets go of its thread state around it,
//! so that others which stop the world for a moment do not wait for who waits here.

use crate::control::{NEVER, Why, block, control, give_way, holder, ordered, point};
use crate::real::{system, with_errno};
use crate::server;
use crate::verdict::race;
use libc::c_int;
use threadbare_control::block::Kind;

/// First of our numbers.
const BASE: u32 = 0x7462_0000;
/// Fork a child for each run: 1 in a child, 0 in the parent after the last.
const SERVE: u32 = 0;
/// A thread is ready: returns when `argument` threads are, and the strategy decides from then on.
const GO: u32 = 1;
/// A thread is done: returns when all are, and nobody is preempted from then on.
const DONE: u32 = 2;
/// Returns when `argument` windows have been closed.
const CLOSED: u32 = 3;
/// Adds `argument` to what the run has seen.
const OUTCOME: u32 = 4;
/// Ends the process with this code, without another step of the program.
const LEAVE: u32 = 5;
/// Windows that a run shall open.
const BATCH: u32 = 6;
/// 1 where a trace was asked for: the parent then tells, after its last run, what the driver cannot know (see
/// the driver's `python`).
const TRACED: u32 = 7;

/// Asks the runtime; −1 without orders.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn threadbare_control_ask(what: u32, argument: u32) -> c_int {
    if !ordered() {
        return -1;
    }
    // SAFETY: with orders; the holder or the only thread.
    unsafe {
        let me = holder();
        match what {
            SERVE if me.is_null() => return c_int::from(server::serve(false)),
            LEAVE => server::leave(argument as usize),
            BATCH => return (*control().block).config.batch as c_int,
            TRACED => return c_int::from((*control().block).config.trace),
            OUTCOME => {
                let run = &mut (*control().block).current;
                run.outcome = run.outcome.wrapping_mul(0x100_0000_01b3) ^ u64::from(argument);
            }
            _ if me.is_null() => return -1,
            GO => {
                let window = &mut control().window;
                window.arrived += 1;
                let here = &raw const window.arrived as usize;
                let last = window.arrived >= argument;
                if !last {
                    block(me, Why::Window, here, NEVER);
                } else {
                    window.size = argument;
                    window.arrived = 0;
                    window.done = 0;
                    if window.over {
                        control().wake_all(here);
                        return 0;
                    }
                    opens();
                    control().set_hot(true);
                    if (*control().block).config.races {
                        race::begin();
                    }
                    control().wake_all(here);
                    point(me, Kind::Window, 0, false, 0);
                }
            }
            DONE => {
                point(me, Kind::Window, 0, false, 0);
                let window = &mut control().window;
                window.done += 1;
                let here = &raw const window.done as usize;
                if window.done < window.size {
                    block(me, Why::Window, here, NEVER);
                } else {
                    let ours = control().hot;
                    if ours && window.isolated {
                        // What comes then is no part of this run, but who waits for it must not wait for ever.
                        window.over = true;
                    }
                    window.rounds += 1;
                    let enough = window.over || window.rounds >= window.wanted;
                    let closed = &raw const window.rounds as usize;
                    control().set_hot(false);
                    (*control().block).current.windows += u32::from(ours);
                    control().wake_all(here);
                    if enough && control().wake_all(closed) > 0 {
                        // First who waits for the end: most programs leave then, and the threads need not end, which
                        // costs an interpreter more steps than its window.
                        give_way(me);
                    }
                }
            }
            CLOSED => {
                control().window.wanted = argument;
                while !control().window.over && control().window.rounds < argument {
                    block(
                        me,
                        Why::Window,
                        &raw const control().window.rounds as usize,
                        NEVER,
                    );
                }
            }
            _ => return -1,
        }
    }
    0
}

/// A window is about to open: is it the one to be looked at by itself?
unsafe fn opens() {
    // SAFETY: the caller is the holder.
    unsafe {
        let block = &mut *control().block;
        let number = block.current.opened as usize;
        if let Some(opened) = block.opened.get_mut(number) {
            *opened = block.current.choices;
        }
        block.current.opened += 1;
        if number as u32 + 1 == block.config.isolate {
            server::isolate();
        }
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn getpriority(which: u32, who: u32) -> c_int {
    // SAFETY: the contract of the name; the kernel counts priorities from 1 to 40 downwards.
    unsafe {
        if (BASE..BASE + 0x100).contains(&which) && ordered() {
            *libc::__errno_location() = 0;
            return threadbare_control_ask(which - BASE, who);
        }
        let result = with_errno(system(
            libc::SYS_getpriority,
            which as usize,
            who as usize,
            0,
            0,
            0,
            0,
        ));
        if result < 0 { -1 } else { 20 - result as c_int }
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn fchmod(descriptor: u32, mode: u32) -> c_int {
    // SAFETY: the contract of the name; a descriptor of this size is open nowhere.
    unsafe {
        if (BASE..BASE + 0x100).contains(&descriptor) && ordered() {
            return threadbare_control_ask(descriptor - BASE, mode);
        }
        with_errno(system(
            libc::SYS_fchmod,
            descriptor as usize,
            mode as usize,
            0,
            0,
            0,
            0,
        )) as c_int
    }
}
