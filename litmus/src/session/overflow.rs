//! Says so when an explored thread overflows its stack, which otherwise ends the process without a word.
//!
//! Below each stack there is a page that nothing may touch. Who does gets the signal that a bad
//! pointer gets too; the standard library's handler knows the stacks of its own threads only.

use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;

thread_local! {
    /// The lowest address of the stack on which explored code is running; 0 for none.
    static LIMIT: Cell<usize> = const { Cell::new(0) };
}

/// What handled the signals before.
static BEFORE: OnceLock<[(libc::c_int, libc::sigaction); 2]> = OnceLock::new();

const MESSAGE: &[u8] =
    b"threadbare-litmus: an explored thread has overflowed its stack of 2 MiB: a \
    recursion without end? Large values go on the heap\n";

/// Runs `body`, which runs code on the stack that begins at `limit`.
pub(super) fn watched<R>(limit: usize, body: impl FnOnce() -> R) -> R {
    install();
    let outer = LIMIT.replace(limit);
    let result = body();
    LIMIT.set(outer);
    result
}

fn install() {
    BEFORE.get_or_init(|| {
        [libc::SIGSEGV, libc::SIGBUS].map(|signal| {
            // SAFETY: all zero is a valid `sigaction`; both pointers are to live ones, and the handler
            // has the signature that `SA_SIGINFO` asks for.
            unsafe {
                let (mut new, mut old): (libc::sigaction, libc::sigaction) =
                    (std::mem::zeroed(), std::mem::zeroed());
                new.sa_sigaction = handle as *const () as usize;
                // On the stack that the standard library keeps for this in each of its threads.
                new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(signal, &raw const new, &raw mut old);
                (signal, old)
            }
        })
    });
}

/// Nothing in it allocates or locks: it may interrupt anything.
extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let limit = LIMIT.get();
    // SAFETY: the system gives a live `siginfo_t`, of a signal that has an address; the constants
    // that `sysconf` is asked for exist.
    let (at, page) = unsafe { ((*info).si_addr().addr(), libc::sysconf(libc::_SC_PAGESIZE)) };
    if limit != 0 && (limit..limit + page as usize).contains(&at) {
        // SAFETY: the text is live and has that length; both functions may be called in a handler.
        unsafe {
            libc::write(libc::STDERR_FILENO, MESSAGE.as_ptr().cast(), MESSAGE.len());
            libc::abort();
        }
    }
    let before = BEFORE
        .get()
        .and_then(|all| all.iter().find(|(of, _)| *of == signal));
    match before {
        Some((_, old)) if ![libc::SIG_DFL, libc::SIG_IGN].contains(&old.sa_sigaction) => {
            if old.sa_flags & libc::SA_SIGINFO == 0 {
                // SAFETY: without that flag the handler takes the signal alone.
                let old: extern "C" fn(libc::c_int) =
                    unsafe { std::mem::transmute(old.sa_sigaction) };
                old(signal);
            } else {
                // SAFETY: with that flag it takes what this one does.
                let old: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    unsafe { std::mem::transmute(old.sa_sigaction) };
                old(signal, info, context);
            }
        }
        _ => {
            // SAFETY: all zero is the default action, which ends the process when the access is
            // tried again.
            unsafe {
                let default: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, &raw const default, ptr::null_mut());
            }
        }
    }
}
