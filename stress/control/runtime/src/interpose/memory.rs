//! What libc does with memory unseen. `free`: in a window where touches of freed memory are asked for, a block is
//! kept back, so that its address is not given out again, and remembered; `realloc` is not looked into. All of it
//! comes after the thread's buffered stores.

use crate::abi::entry;
use crate::buffer;
use crate::control::{control, holder};
use crate::real::{real, system, with_errno};
use crate::verdict::freed;
use libc::{c_int, c_void};

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
        buffer::before_call();
        if !block.is_null() && !me.is_null() && (*me).off == 0 {
            let control = control();
            if control.hot && (*control.block).config.freed {
                // Never given back: a run is short and its process ends with it.
                return freed::give_back(block as usize, libc::malloc_usable_size(block), false);
            }
        }
        real!(free(block: *mut c_void) -> ())
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    buffer::before_call();
    // SAFETY: the contract of the name.
    unsafe { real!(realloc(block: *mut c_void, size: usize) -> *mut c_void) }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn munmap(start: *mut c_void, size: usize) -> c_int {
    buffer::before_call();
    // SAFETY: the contract of the name.
    unsafe { with_errno(system(libc::SYS_munmap, start as usize, size, 0, 0, 0, 0)) as c_int }
}

unsafe extern "C" {
    /// The linker's: the first byte of this library.
    static __ehdr_start: u8;
    /// The linker's: after the last byte of its code.
    static etext: u8;
}

/// The runtime's own code calls these functions too, in the midst of what it does.
fn of_program(pc: usize) -> bool {
    let own = &raw const __ehdr_start as usize..&raw const etext as usize;
    !own.contains(&pc)
}

/// Lets the buffers run dry before libc writes for the program.
fn before_program(pc: usize) {
    if buffer::on() && of_program(pc) {
        buffer::before_call();
    }
}

unsafe extern "C" fn copy(
    to: *mut c_void,
    from: *const c_void,
    size: usize,
    pc: usize,
) -> *mut c_void {
    // SAFETY: the contract of memcpy.
    unsafe {
        before_program(pc);
        real!(memcpy(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void)
    }
}

unsafe extern "C" fn shift(
    to: *mut c_void,
    from: *const c_void,
    size: usize,
    pc: usize,
) -> *mut c_void {
    // SAFETY: the contract of memmove.
    unsafe {
        before_program(pc);
        real!(memmove(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void)
    }
}

unsafe extern "C" fn fill(to: *mut c_void, byte: c_int, size: usize, pc: usize) -> *mut c_void {
    // SAFETY: the contract of memset.
    unsafe {
        before_program(pc);
        real!(memset(to: *mut c_void, byte: c_int, size: usize) -> *mut c_void)
    }
}

entry! {
    memcpy: "rcx" => copy;
    memmove: "rcx" => shift;
    memset: "rcx" => fill;
}
