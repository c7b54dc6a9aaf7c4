//! Ends that would be the whole process's, made faults of the explored thread that they come from.
//!
//! *A stack that overflows.* Below each stack there is a page that nothing may touch. Who does gets the
//! signal that a bad pointer gets too; the standard library's handler knows the stacks of its own threads only.
//!
//! *Aborts*: a panic in a destructor that runs during an unwinding, a panic that may not leave a
//! function, [`std::process::abort`].
//!
//! *No operation* for too long: the [`watchdog`] sends a signal.
//!
//! *[`std::process::exit`]* cannot be taken back, since others wait for it then. It ends the process with a word and the
//! code of a test that fails, whatever code it was given: nobody is to take a test that ended so for a pass.
//!
//! Overflows and aborts are signals that the thread sends to itself. Their handler leaves the thread's stack for good, as
//! [`leave`](super::leave) does: it hands a fault to whoever runs the thread and never comes back. That
//! is allowed of a handler which interrupts nothing that others wait for, so it is not done where the
//! session's own state is in use, nor for an overflow inside of another library, which may be the
//! allocator with a lock held: then the process ends, after a word. A thread that is accused inside of
//! another library goes on until it is accused again.

use super::{SHARED, panics, watchdog};
use crate::explore::program::Op;
use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

thread_local! {
    /// The lowest address of the stack on which explored code is running; 0 for none.
    static LIMIT: Cell<usize> = const { Cell::new(0) };
    /// Whether a thread has been stopped that came to no operation.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// What the watchdog sends. Nobody does anything about it by default.
pub(super) const ACCUSED: libc::c_int = libc::SIGURG;

/// The exit code of a test that fails.
const FAILED: libc::c_int = 101;

/// What handled the signals before.
static BEFORE: OnceLock<[(libc::c_int, libc::sigaction); 4]> = OnceLock::new();

const OVERFLOW: &str = "an explored thread has overflowed its stack of 2 MiB: a recursion without \
    end? Large values go on the heap";

/// Runs `body`, which runs code on the stack that begins at `limit`.
pub(super) fn watched<R>(limit: usize, body: impl FnOnce() -> R) -> R {
    install();
    let outer = LIMIT.replace(limit);
    let stretch = watchdog::begin();
    let result = body();
    watchdog::end(stretch);
    LIMIT.set(outer);
    result
}

/// Whether explored code is running on the calling thread.
pub(super) fn is_explored() -> bool {
    LIMIT.get() != 0
}

/// Whether a thread has been stopped since this was last asked.
pub(super) fn has_stopped() -> bool {
    STOPPED.take()
}

fn install() {
    BEFORE.get_or_init(|| {
        let handlers = [
            // On the stack that the standard library keeps for this in each of its threads.
            (libc::SIGSEGV, on_bad_access as *const (), libc::SA_ONSTACK),
            (libc::SIGBUS, on_bad_access as *const (), libc::SA_ONSTACK),
            (libc::SIGABRT, on_abort as *const (), 0),
            (ACCUSED, on_accusation as *const (), libc::SA_RESTART),
        ];
        // SAFETY: the function has the signature that is asked for.
        unsafe { libc::atexit(on_exit) };
        handlers.map(|(signal, handler, flags)| {
            // SAFETY: all zero is a valid `sigaction`; both pointers are to live ones, and the handlers
            // have the signature that `SA_SIGINFO` asks for.
            unsafe {
                let (mut new, mut old): (libc::sigaction, libc::sigaction) =
                    (std::mem::zeroed(), std::mem::zeroed());
                new.sa_sigaction = handler as usize;
                // Not deferred: who never comes back must not leave the signal blocked.
                new.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | flags;
                libc::sigaction(signal, &raw const new, &raw mut old);
                (signal, old)
            }
        })
    });
}

/// Nothing in it allocates or locks before it is known that it interrupts explored code.
extern "C" fn on_bad_access(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let limit = LIMIT.get();
    // SAFETY: the system gives a live `siginfo_t`, of a signal that has an address; the constants
    // that `sysconf` is asked for exist.
    let (at, page) = unsafe { ((*info).si_addr().addr(), libc::sysconf(libc::_SC_PAGESIZE)) };
    if limit != 0 && (limit..limit + page as usize).contains(&at) {
        if is_ours(context) {
            leave(OVERFLOW.to_string());
        }
        end(OVERFLOW);
    }
    pass_on(signal, info, context);
}

/// The process ends. It runs on the thread that wants it.
extern "C" fn on_exit() {
    if is_explored() {
        say("an explored thread ends the process, before anything is known of it");
        // SAFETY: it may be called at any time.
        unsafe { libc::_exit(FAILED) };
    }
}

extern "C" fn on_abort(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system gives a live `siginfo_t`; a process may ask for its own number.
    let mine = unsafe { (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() };
    if mine && LIMIT.get() != 0 {
        leave(panics::abort_message());
        end("an explored thread aborts the process");
    }
    pass_on(signal, info, context);
}

extern "C" fn on_accusation(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    if let Some(patience) = watchdog::accusation()
        && LIMIT.get() != 0
        && (is_ours(context) || waits(context))
    {
        STOPPED.set(true);
        leave(stopped(patience));
        STOPPED.set(false);
    }
    let before = BEFORE.get().and_then(|all| all.get(3));
    if before.is_some_and(|(_, old)| old.sa_sigaction != libc::SIG_DFL) {
        pass_on(signal, info, context);
    }
}

/// What is told of a thread that is stopped.
fn stopped(patience: Duration) -> String {
    let name = SHARED.try_with(|shared| {
        let shared = shared.try_borrow().ok()?;
        Some(shared.names.paths.name(shared.thread))
    });
    let name = name.ok().flatten().unwrap_or_default();
    format!(
        "{name} goes on for {patience:?} without an operation on an explored type: a loop without end, or a \
         lock of std that another explored thread holds? (Explorer::patience)"
    )
}

/// The instruction that was interrupted.
fn interrupted(context: *mut libc::c_void) -> usize {
    // SAFETY: the system gives a live `ucontext_t`.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    #[cfg(target_arch = "x86_64")]
    let at = context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize;
    #[cfg(target_arch = "aarch64")]
    let at = context.uc_mcontext.pc as usize;
    at
}

/// Whether it is in the function by which the standard library waits for its locks; the allocator's
/// are not waited for so.
fn waits(context: *mut libc::c_void) -> bool {
    /// As long as that function is at least.
    const LENGTH: usize = 32;
    let start = (libc::syscall as *const ()).addr();
    (start..start + LENGTH).contains(&interrupted(context))
}

/// Whether the instruction that was interrupted is of this program, not of a library that it loads.
fn is_ours(context: *mut libc::c_void) -> bool {
    unsafe extern "C" {
        static __executable_start: u8;
        static etext: u8;
    }
    let at = interrupted(context);
    let (start, end) = (&raw const __executable_start, &raw const etext);
    (start.addr()..end.addr()).contains(&at)
}

/// Leaves the running explored thread for good with a fault; comes back if that cannot be.
fn leave(message: String) {
    let yielder = SHARED.try_with(|shared| {
        let shared = shared.try_borrow().ok()?;
        shared.yielders.get(shared.thread as usize).copied()
    });
    let Ok(Some(yielder)) = yielder else {
        return;
    };
    // Nobody runs on this stack any more.
    LIMIT.set(0);
    loop {
        // SAFETY: the yielder lives on the stack of the coroutine that was interrupted, which registered
        // it when it began.
        unsafe { &*yielder }.suspend(Op::Fail(message.as_str().into()).into());
    }
}

fn say(message: &str) {
    for text in ["threadbare-litmus: ", message, "\n"] {
        // SAFETY: the text is live and has that length; the function may be called in a handler.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
}

fn end(message: &str) -> ! {
    say(message);
    // SAFETY: the default action of a signal is always a valid one; `abort` may be called in a
    // handler.
    unsafe {
        libc::signal(libc::SIGABRT, libc::SIG_DFL);
        libc::abort();
    }
}

/// Does what was to be done before the handlers were installed.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
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
            // tried again, or by `abort` itself.
            unsafe {
                let default: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, &raw const default, ptr::null_mut());
            }
        }
    }
}
