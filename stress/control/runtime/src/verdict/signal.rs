//! Crashes and aborts: what was running when the signal came. The signal itself goes on to end the
//! process, so that a driver sees it as anyone would.

use crate::control::{control, holder};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

const FATAL: [i32; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGABRT,
    libc::SIGFPE,
    libc::SIGILL,
];
static SEEN: AtomicBool = AtomicBool::new(false);

extern "C" fn note(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: a synchronous signal of the holder; the pointers are the kernel's.
    unsafe {
        // Relaxed: one thread runs.
        if ordered_and_first() {
            let run = &mut (*control().block).current;
            run.signal = signal;
            let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let at = registers[libc::REG_RIP as usize] as usize;
            // An atomic on a bad address fails in here, at whoever called: the last event says who.
            if !in_runtime(at) {
                run.pc = at as u64;
            }
            // Of a signal that a program has sent, abort's among them, the sender's number stands there.
            run.address = match (*info).si_code {
                1.. => (*info).si_addr() as u64,
                _ => 0,
            };
            let me = holder();
            run.thread = if me.is_null() {
                u32::MAX
            } else {
                (*me).id as u32
            };
        }
        reset(signal);
        // Returning repeats the instruction that failed; abort raises its signal again by itself.
    }
}

unsafe fn reset(signal: i32) {
    // SAFETY: the default action of a fatal signal.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &default, std::ptr::null_mut());
    }
}

/// Fatal signals end the process at once, with a core where there is one to be.
pub fn default() {
    for signal in FATAL {
        // SAFETY: the process is about to end.
        unsafe { reset(signal) };
    }
}

/// The instruction belongs to this library.
fn in_runtime(at: usize) -> bool {
    let base = |address: *const c_void| {
        // SAFETY: an out parameter; asks the loader's tables, which nobody changes now.
        unsafe {
            let mut found: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(address, &mut found) != 0).then_some(found.dli_fbase)
        }
    };
    base(at as *const c_void) == base(note as *const c_void)
}

fn ordered_and_first() -> bool {
    crate::control::ordered() && !SEEN.swap(true, Ordering::Relaxed)
}

/// Takes the fatal signals until a program takes them itself.
///
/// # Safety
/// Changes the process's handlers: only in a child that the server forked.
pub unsafe fn watch() {
    // SAFETY: a handler that touches the block and nothing of libc but sigaction.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
        for signal in FATAL {
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}
