//! Plain loads and stores, volatile ones and those of C++ vtable pointers.

use crate::buffer;
use crate::control::{self, CALM, HOLDER, HOT, Step, control, holder};
use crate::trace;
use crate::verdict::freed;
use threadbare_control::block::{Kind, Points};

/// A plain access of the holder; `how` has the bytes in its low half, and above them whether it writes, and whether
/// only the first granule of what it touches is told.
unsafe extern "C" fn access(address: usize, pc: usize, how: u32) {
    // SAFETY: the entry found a holder, who is the caller; in its turn.
    unsafe {
        let me = holder();
        if (*me).off != 0 {
            return;
        }
        let writes = how & WRITES != 0;
        let this = Step {
            kind: if writes { Kind::Write } else { Kind::Read },
            address,
            size: how as u16,
            writes,
            order: 0,
            pc,
        };
        let config = &(*control().block).config;
        let buffered = buffer::on() && control().hot;
        if buffered && how & RANGE != 0 {
            buffer::drain(control());
        }
        if control().hot && config.points == Points::Sync {
            if buffered {
                buffer::settle(control());
            }
            control().did((*me).id, &this);
        } else {
            control::access(me, &this);
        }
        if buffered && writes && how & RANGE == 0 && buffer::store(control(), &this) {
            trace::delayed(&mut *control().block);
        }
        // After the point: others may have run, and the access itself comes now.
        if config.freed && control().hot {
            freed::check(control(), address, writes, false, pc);
        }
    }
}

const WRITES: u32 = 1 << 16;
const RANGE: u32 = 1 << 17;

/// `$name(address, …)`: the first argument is all that matters.
macro_rules! plain {
    ($($name:ident: $writes:literal, $size:literal;)*) => {$(
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            std::arch::naked_asm!(
                "cmp qword ptr [rip + {holder}], 0",
                "je 3f",
                "cmp byte ptr [rip + {hot}], 0",
                "jne 2f",
                "dec dword ptr [rip + {calm}]",
                "js 2f",
                "3:",
                "ret",
                "2:",
                "mov rsi, [rsp]",
                concat!("mov edx, (", $writes, " << 16) | ", $size),
                "jmp {access}",
                holder = sym HOLDER,
                hot = sym HOT,
                calm = sym CALM,
                access = sym access,
            )
        }
    )*};
}

plain! {
    __tsan_read1: "0", "1"; __tsan_read2: "0", "2"; __tsan_read4: "0", "4"; __tsan_read8: "0", "8"; __tsan_read16: "0", "16";
    __tsan_write1: "1", "1"; __tsan_write2: "1", "2"; __tsan_write4: "1", "4"; __tsan_write8: "1", "8"; __tsan_write16: "1", "16";
    __tsan_unaligned_read2: "0", "2"; __tsan_unaligned_read4: "0", "4"; __tsan_unaligned_read8: "0", "8";
    __tsan_unaligned_read16: "0", "16";
    __tsan_unaligned_write2: "1", "2"; __tsan_unaligned_write4: "1", "4"; __tsan_unaligned_write8: "1", "8";
    __tsan_unaligned_write16: "1", "16";
    __tsan_volatile_read1: "0", "1"; __tsan_volatile_read2: "0", "2"; __tsan_volatile_read4: "0", "4";
    __tsan_volatile_read8: "0", "8"; __tsan_volatile_read16: "0", "16";
    __tsan_volatile_write1: "1", "1"; __tsan_volatile_write2: "1", "2"; __tsan_volatile_write4: "1", "4";
    __tsan_volatile_write8: "1", "8"; __tsan_volatile_write16: "1", "16";
    __tsan_unaligned_volatile_read2: "0", "2"; __tsan_unaligned_volatile_read4: "0", "4";
    __tsan_unaligned_volatile_read8: "0", "8"; __tsan_unaligned_volatile_read16: "0", "16";
    __tsan_unaligned_volatile_write2: "1", "2"; __tsan_unaligned_volatile_write4: "1", "4";
    __tsan_unaligned_volatile_write8: "1", "8"; __tsan_unaligned_volatile_write16: "1", "16";
    // A read and a write of one place, told at once: one step that writes.
    __tsan_read_write1: "1", "1"; __tsan_read_write2: "1", "2"; __tsan_read_write4: "1", "4"; __tsan_read_write8: "1", "8";
    __tsan_read_write16: "1", "16";
    __tsan_unaligned_read_write2: "1", "2"; __tsan_unaligned_read_write4: "1", "4";
    __tsan_unaligned_read_write8: "1", "8"; __tsan_unaligned_read_write16: "1", "16";
    // A range counts as its first granule.
    __tsan_read_range: "2", "1"; __tsan_write_range: "3", "1";
    __tsan_vptr_read: "0", "8"; __tsan_vptr_update: "1", "8";
}

/// What the memory functions below do at either end.
unsafe fn touch(address: usize, size: usize, writes: bool, pc: usize) {
    if size != 0 && !holder().is_null() {
        // SAFETY: there is a holder, the caller.
        unsafe { access(address, pc, RANGE | if writes { WRITES | 1 } else { 1 }) };
    }
}

unsafe extern "C" fn copy(to: *mut u8, from: *const u8, size: usize, pc: usize) -> *mut u8 {
    // SAFETY: the contract of memmove, which is memcpy's and more.
    unsafe {
        touch(from as usize, size, false, pc);
        touch(to as usize, size, true, pc);
        std::ptr::copy(from, to, size);
    }
    to
}

unsafe extern "C" fn fill(to: *mut u8, byte: i32, size: usize, pc: usize) -> *mut u8 {
    // SAFETY: the contract of memset.
    unsafe {
        touch(to as usize, size, true, pc);
        std::ptr::write_bytes(to, byte as u8, size);
    }
    to
}

// clang from 15 on calls these; gcc calls libc's, inside which nothing is seen.
super::entry! {
    __tsan_memcpy: "rcx" => copy;
    __tsan_memmove: "rcx" => copy;
    __tsan_memset: "rcx" => fill;
}
