//! What the interposed names stood for, and system calls made directly.

use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A function of the next library, looked up on first use.
pub struct Real {
    name: &'static CStr,
    address: AtomicUsize,
}

impl Real {
    /// The function of this name.
    pub const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: AtomicUsize::new(0),
        }
    }

    /// Its address; ends the process where there is none, since no answer would be right.
    pub fn address(&self) -> usize {
        // Relaxed: every thread computes the same value, and nothing is reached through it but code.
        let known = self.address.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        // SAFETY: a lookup by a NUL-terminated name.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) } as usize;
        if found == 0 {
            // SAFETY: ends the process without running anything of it.
            unsafe { libc::_exit(71) };
        }
        self.address.store(found, Ordering::Relaxed);
        found
    }
}

/// Calls what an interposed name stood for:
/// `real!(sem_post(s: *mut sem_t) -> c_int)` with the variables of these names, or
/// `real!(sem_post(s: *mut sem_t) -> c_int; semaphore)`.
macro_rules! real {
    ($name:ident ( $($arg:ident : $type:ty),* ) -> $result:ty) => {
        crate::real::real!($name($($arg: $type),*) -> $result; $($arg),*)
    };
    ($name:ident ( $($arg:ident : $type:ty),* ) -> $result:ty; $($value:expr),*) => {{
        static REAL: crate::real::Real = crate::real::Real::new(
            match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!(),
            },
        );
        let function: unsafe extern "C" fn($($type),*) -> $result = std::mem::transmute(REAL.address());
        function($($value),*)
    }};
}
pub(crate) use real;

/// A system call without libc: sets no `errno`, is never interposed. The result is negative on error.
///
/// # Safety
/// As the call itself.
#[inline]
pub unsafe fn system(
    number: i64,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> isize {
    let result: isize;
    // SAFETY: the kernel's convention on x86-64; the caller answers for the call.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack)
        );
    }
    result
}

/// Sets `errno` from a negative result, as libc's wrappers do.
///
/// # Safety
/// None beyond being called on a thread of libc.
pub unsafe fn with_errno(result: isize) -> isize {
    if (-4095..0).contains(&result) {
        // SAFETY: libc's own cell of this thread.
        unsafe { *libc::__errno_location() = -result as i32 };
        return -1;
    }
    result
}
