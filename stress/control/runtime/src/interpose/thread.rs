//! `pthread_create`, `pthread_join`, `pthread_detach`, `pthread_exit`, `sched_yield`, `gettid`.

use crate::abi::entry;
use crate::control::{NEVER, State, Thread, Why, adopt, block, control, holder, leave, point};
use crate::engine::engine;
use crate::real::{real, system};
use libc::{c_int, c_void, pid_t, pthread_attr_t, pthread_t};
use threadbare_control::block::{Kind, Verdict};

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

extern "C-unwind" fn begin(entry: *mut c_void) -> *mut c_void {
    let me = entry.cast::<Thread>();
    // SAFETY: `create` passes the entry of this thread, which stays in the table.
    unsafe {
        adopt(me);
        // Unwinding (pthread_exit, cancellation) may cross this frame: nothing here has a destructor.
        let start: extern "C-unwind" fn(*mut c_void) -> *mut c_void = std::mem::transmute::<
            Option<Start>,
            extern "C-unwind" fn(*mut c_void) -> *mut c_void,
        >((*me).start);
        let result = start((*me).argument);
        (*me).result = result;
        leave(me);
        result
    }
}

unsafe extern "C" fn create(
    handle: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: Option<Start>,
    argument: *mut c_void,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of pthread_create; under control, in our turn.
    unsafe {
        let me = holder();
        if me.is_null() {
            return real!(pthread_create(
                t: *mut pthread_t, a: *const pthread_attr_t, s: Option<Start>, x: *mut c_void) -> c_int; handle, attributes, start, argument);
        }
        point(me, Kind::Create, 0, false, pc);
        let control = control();
        let Some(new) = control.enter() else {
            crate::verdict::end(
                control,
                Verdict::Refused,
                format_args!("more threads than the runtime can hold"),
            )
        };
        (*new).start = start;
        (*new).argument = argument;
        (*me).off += 1;
        let result = real!(pthread_create(
            t: *mut pthread_t, a: *const pthread_attr_t, s: extern "C-unwind" fn(*mut c_void) -> *mut c_void,
            x: *mut c_void) -> c_int; &raw mut (*new).handle, attributes, begin, new.cast());
        (*me).off -= 1;
        if result == 0 {
            engine().created(new);
            *handle = (*new).handle;
            control.entered();
            point(me, Kind::Create, 0, false, pc);
        }
        result
    }
}

/// The thread with this handle that nobody has joined or detached.
unsafe fn find(handle: pthread_t) -> Option<*mut Thread> {
    // SAFETY: in our turn.
    let control = unsafe { control() };
    let count = control.count;
    control.threads[..count]
        .iter_mut()
        .find(|t| t.handle == handle && !t.consumed)
        .map(std::ptr::from_mut)
}

unsafe extern "C" fn join(handle: pthread_t, result: *mut *mut c_void, pc: usize) -> c_int {
    // SAFETY: the contract of pthread_join.
    unsafe {
        let me = holder();
        if !me.is_null() {
            point(me, Kind::Join, 0, false, pc);
            let Some(other) = find(handle) else {
                return libc::ESRCH;
            };
            // Others change the entry while this thread waits.
            loop {
                if (*other).state == State::Gone {
                    break;
                }
                block(me, Why::Join, other as usize, NEVER);
            }
            crate::control::control().acquire(other as usize);
            (*other).consumed = true;
            if (*other).hollow {
                if !result.is_null() {
                    *result = (*other).result;
                }
                return 0;
            }
        }
        // Under control the thread has ended: this returns at once.
        real!(pthread_join(t: pthread_t, r: *mut *mut c_void) -> c_int; handle, result)
    }
}

unsafe extern "C" fn detach(handle: pthread_t, _pc: usize) -> c_int {
    // SAFETY: the contract of pthread_detach.
    unsafe {
        if !holder().is_null()
            && let Some(other) = find(handle)
        {
            (*other).consumed = true;
        }
        real!(pthread_detach(t: pthread_t) -> c_int; handle)
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C-unwind" fn pthread_exit(result: *mut c_void) -> ! {
    // SAFETY: the contract of pthread_exit; it unwinds through `begin`, which has nothing to drop.
    unsafe {
        let me = holder();
        if !me.is_null() {
            (*me).result = result;
            leave(me);
        }
        let exit: unsafe extern "C-unwind" fn(*mut c_void) -> ! = std::mem::transmute({
            static REAL: crate::real::Real = crate::real::Real::new(c"pthread_exit");
            REAL.address()
        });
        exit(result)
    }
}

unsafe extern "C" fn give_way(pc: usize) -> c_int {
    let me = holder();
    // SAFETY: the caller is the holder, or nobody is.
    unsafe {
        if me.is_null() {
            system(libc::SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        } else {
            point(me, Kind::Yield, 0, false, pc);
        }
    }
    0
}

/// The number that a program sees of its thread: the kernel's differs from run to run.
pub fn virtual_number() -> pid_t {
    let me = holder();
    if me.is_null() {
        return 4242;
    }
    // SAFETY: the caller's own entry.
    unsafe { 4242 + (*me).id as pid_t }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn gettid() -> pid_t {
    if crate::control::ordered() {
        return virtual_number();
    }
    // SAFETY: has no arguments.
    unsafe { system(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as pid_t }
}

entry! {
    pthread_create: "r8" => create;
    pthread_join: "rdx" => join;
    pthread_detach: "rsi" => detach;
    sched_yield: "rdi" => give_way;
}
