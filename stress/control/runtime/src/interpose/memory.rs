//! `free` of libc: in a window where touches of freed memory are asked for, a block is kept back, so
//! that its address is not given out again, and remembered. `realloc` is not looked into.

use crate::control::{control, holder};
use crate::real::real;
use crate::verdict::freed;
use libc::c_void;

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the contract of the name.
    unsafe {
        let me = holder();
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
