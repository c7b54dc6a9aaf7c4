//! Before `main`: are there orders?

use crate::control::control;
use crate::real::system;
use crate::server;
use std::ffi::CStr;
use threadbare_control::block::{ADDRESS, Block, DESCRIPTOR, MAGIC, VARIABLE};

/// Run by the loader after libc has been set up and before the program.
#[cfg(not(test))]
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn(i32, *const *const i8, *const *const i8) = start;

#[cfg_attr(test, allow(dead_code))]
extern "C" fn start(_: i32, _: *const *const i8, environment: *const *const i8) {
    // SAFETY: the loader passes the environment; nothing else runs yet.
    unsafe {
        if !asked(environment) {
            return;
        }
        let block = libc::mmap(
            ADDRESS as *mut _,
            size_of::<Block>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE,
            DESCRIPTOR,
            0,
        );
        if block as usize != ADDRESS {
            refuse("threadbare-control: the driver's block cannot be mapped\n");
        }
        // Large, and of no use in a core.
        libc::madvise(block, size_of::<Block>(), libc::MADV_DONTDUMP);
        let block = block.cast::<Block>();
        if (*block).magic != MAGIC {
            refuse("threadbare-control: driver and runtime are of different versions\n");
        }
        // The addresses of a run are those of its replay only without randomisation.
        if libc::personality(0xffff_ffff) & libc::ADDR_NO_RANDOMIZE == 0 {
            refuse("threadbare-control: the driver left address randomisation on\n");
        }
        control().block = block;
        let mut found: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(start as *const () as *const _, &mut found) != 0 {
            let path = CStr::from_ptr(found.dli_fname).to_bytes();
            let length = path.len().min((*block).runtime.len() - 1);
            (&mut (*block).runtime)[..length].copy_from_slice(&path[..length]);
        }
        libc::pthread_atfork(None, Some(server::forks), Some(server::forked));
        if (*block).config.whole && !server::serve(true) {
            system(libc::SYS_exit_group, 0, 0, 0, 0, 0, 0);
        }
    }
}

/// Looks into the environment without libc, which copies nothing.
unsafe fn asked(mut environment: *const *const i8) -> bool {
    // SAFETY: a list of strings that ends with a null.
    unsafe {
        while !(*environment).is_null() {
            let entry = CStr::from_ptr(*environment).to_bytes();
            if entry
                .strip_prefix(VARIABLE.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="))
            {
                return true;
            }
            environment = environment.add(1);
        }
    }
    false
}

unsafe fn refuse(why: &str) -> ! {
    // SAFETY: writes a string and ends the process.
    unsafe {
        system(
            libc::SYS_write,
            2,
            why.as_ptr() as usize,
            why.len(),
            0,
            0,
            0,
        );
        libc::_exit(crate::verdict::CODE as i32)
    }
}
