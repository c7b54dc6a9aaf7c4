//! Atomics: a point, then the operation itself.
//!
//! Every operation is sequentially consistent whatever the program asked for: under control one
//! thread runs at a time, and passing through, stronger than asked is right and cheap on x86. What weaker
//! orders allow is `buffer`'s to show.

use super::entry;
use crate::buffer;
use crate::control::{SEQ_CST, Step, access, control, holder};
use crate::trace;
use crate::verdict::freed;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};
use threadbare_control::block::Kind;

#[inline]
unsafe fn before<T>(kind: Kind, cell: *const T, order: i32, pc: usize) {
    let me = holder();
    if !me.is_null() {
        let writes = kind != Kind::AtomicLoad;
        // SAFETY: the caller is the holder.
        unsafe {
            let this = Step {
                kind,
                address: cell as usize,
                size: size_of::<T>() as u16,
                writes,
                order,
                pc,
            };
            access(me, &this);
            let waits = kind == Kind::AtomicStore && order != SEQ_CST;
            if waits && buffer::on() && control().hot && buffer::store(control(), &this) {
                trace::delayed(&mut *control().block);
            }
            // After the point, as for plain accesses.
            if (*control().block).config.freed && control().hot {
                freed::check(control(), cell as usize, writes, true, pc);
            }
        }
    }
}

macro_rules! atomics {
    ($module:ident, $type:ty, $cell:ty) => {
        mod $module {
            use super::*;
            // SAFETY of every function: the compiler passes the address of an aligned object of
            // this size, which the program may access atomically.

            pub unsafe extern "C" fn load(cell: *const $cell, order: i32, pc: usize) -> $type {
                // SAFETY: see above.
                unsafe {
                    before(Kind::AtomicLoad, cell, order, pc);
                    (*cell).load(SeqCst)
                }
            }

            pub unsafe extern "C" fn store(cell: *const $cell, value: $type, order: i32, pc: usize) {
                // SAFETY: see above.
                unsafe {
                    before(Kind::AtomicStore, cell, order, pc);
                    (*cell).store(value, SeqCst)
                }
            }

            atomics!(@update $type, $cell, swap, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_xor, fetch_nand);

            /// Strong and weak: it never fails without a cause.
            pub unsafe extern "C" fn compare_exchange(
                cell: *const $cell, expected: *mut $type, value: $type, order: i32, _failure: i32, pc: usize,
            ) -> i32 {
                // SAFETY: see above; `expected` is the caller's own variable.
                unsafe {
                    before(Kind::AtomicUpdate, cell, order, pc);
                    match (*cell).compare_exchange(*expected, value, SeqCst, SeqCst) {
                        Ok(_) => 1,
                        Err(found) => {
                            *expected = found;
                            0
                        }
                    }
                }
            }

            pub unsafe extern "C" fn compare_exchange_value(
                cell: *const $cell, expected: $type, value: $type, order: i32, _failure: i32, pc: usize,
            ) -> $type {
                // SAFETY: see above.
                unsafe {
                    before(Kind::AtomicUpdate, cell, order, pc);
                    (*cell).compare_exchange(expected, value, SeqCst, SeqCst).unwrap_or_else(|found| found)
                }
            }
        }
    };
    (@update $type:ty, $cell:ty, $($name:ident),*) => {$(
        pub unsafe extern "C" fn $name(cell: *const $cell, value: $type, order: i32, pc: usize) -> $type {
            // SAFETY: see above.
            unsafe {
                before(Kind::AtomicUpdate, cell, order, pc);
                (*cell).$name(value, SeqCst)
            }
        }
    )*};
}

atomics!(bits8, u8, AtomicU8);
atomics!(bits16, u16, AtomicU16);
atomics!(bits32, u32, AtomicU32);
atomics!(bits64, u64, AtomicU64);

entry! {
    __tsan_atomic8_load: "rdx" => bits8::load;
    __tsan_atomic8_store: "rcx" => bits8::store;
    __tsan_atomic8_exchange: "rcx" => bits8::swap;
    __tsan_atomic8_fetch_add: "rcx" => bits8::fetch_add;
    __tsan_atomic8_fetch_sub: "rcx" => bits8::fetch_sub;
    __tsan_atomic8_fetch_and: "rcx" => bits8::fetch_and;
    __tsan_atomic8_fetch_or: "rcx" => bits8::fetch_or;
    __tsan_atomic8_fetch_xor: "rcx" => bits8::fetch_xor;
    __tsan_atomic8_fetch_nand: "rcx" => bits8::fetch_nand;
    __tsan_atomic8_compare_exchange_strong: "r9" => bits8::compare_exchange;
    __tsan_atomic8_compare_exchange_weak: "r9" => bits8::compare_exchange;
    __tsan_atomic8_compare_exchange_val: "r9" => bits8::compare_exchange_value;

    __tsan_atomic16_load: "rdx" => bits16::load;
    __tsan_atomic16_store: "rcx" => bits16::store;
    __tsan_atomic16_exchange: "rcx" => bits16::swap;
    __tsan_atomic16_fetch_add: "rcx" => bits16::fetch_add;
    __tsan_atomic16_fetch_sub: "rcx" => bits16::fetch_sub;
    __tsan_atomic16_fetch_and: "rcx" => bits16::fetch_and;
    __tsan_atomic16_fetch_or: "rcx" => bits16::fetch_or;
    __tsan_atomic16_fetch_xor: "rcx" => bits16::fetch_xor;
    __tsan_atomic16_fetch_nand: "rcx" => bits16::fetch_nand;
    __tsan_atomic16_compare_exchange_strong: "r9" => bits16::compare_exchange;
    __tsan_atomic16_compare_exchange_weak: "r9" => bits16::compare_exchange;
    __tsan_atomic16_compare_exchange_val: "r9" => bits16::compare_exchange_value;

    __tsan_atomic32_load: "rdx" => bits32::load;
    __tsan_atomic32_store: "rcx" => bits32::store;
    __tsan_atomic32_exchange: "rcx" => bits32::swap;
    __tsan_atomic32_fetch_add: "rcx" => bits32::fetch_add;
    __tsan_atomic32_fetch_sub: "rcx" => bits32::fetch_sub;
    __tsan_atomic32_fetch_and: "rcx" => bits32::fetch_and;
    __tsan_atomic32_fetch_or: "rcx" => bits32::fetch_or;
    __tsan_atomic32_fetch_xor: "rcx" => bits32::fetch_xor;
    __tsan_atomic32_fetch_nand: "rcx" => bits32::fetch_nand;
    __tsan_atomic32_compare_exchange_strong: "r9" => bits32::compare_exchange;
    __tsan_atomic32_compare_exchange_weak: "r9" => bits32::compare_exchange;
    __tsan_atomic32_compare_exchange_val: "r9" => bits32::compare_exchange_value;

    __tsan_atomic64_load: "rdx" => bits64::load;
    __tsan_atomic64_store: "rcx" => bits64::store;
    __tsan_atomic64_exchange: "rcx" => bits64::swap;
    __tsan_atomic64_fetch_add: "rcx" => bits64::fetch_add;
    __tsan_atomic64_fetch_sub: "rcx" => bits64::fetch_sub;
    __tsan_atomic64_fetch_and: "rcx" => bits64::fetch_and;
    __tsan_atomic64_fetch_or: "rcx" => bits64::fetch_or;
    __tsan_atomic64_fetch_xor: "rcx" => bits64::fetch_xor;
    __tsan_atomic64_fetch_nand: "rcx" => bits64::fetch_nand;
    __tsan_atomic64_compare_exchange_strong: "r9" => bits64::compare_exchange;
    __tsan_atomic64_compare_exchange_weak: "r9" => bits64::compare_exchange;
    __tsan_atomic64_compare_exchange_val: "r9" => bits64::compare_exchange_value;
}

/// Sixteen bytes, by the one instruction that there is. Its events have no instruction address:
/// the compare-exchange leaves no register for it.
mod bits128 {
    use super::*;

    /// `cmpxchg16b`, by hand: the intrinsic calls a library function where it is inlined into code
    /// for any x86-64. Every such processor of the last fifteen years has the instruction.
    unsafe fn exchange_if(cell: *mut u128, expected: u128, value: u128) -> u128 {
        let (low, high): (u64, u64);
        // SAFETY: aligned to 16 by the compiler's contract. rbx is the compiler's own and put back.
        unsafe {
            std::arch::asm!(
                "xchg {value_low}, rbx",
                "lock cmpxchg16b [rdi]",
                "xchg {value_low}, rbx",
                value_low = inout(reg) value as u64 => _,
                in("rdi") cell,
                in("rcx") (value >> 64) as u64,
                inlateout("rax") expected as u64 => low,
                inlateout("rdx") (expected >> 64) as u64 => high,
                options(nostack),
            );
        }
        u128::from(high) << 64 | u128::from(low)
    }

    unsafe fn update(cell: *mut u128, new: impl Fn(u128) -> u128) -> u128 {
        // SAFETY: as the callers.
        unsafe {
            let mut seen = exchange_if(cell, 0, 0);
            loop {
                let found = exchange_if(cell, seen, new(seen));
                if found == seen {
                    return seen;
                }
                seen = found;
            }
        }
    }

    macro_rules! updates {
        ($($name:ident: $value:ident, $old:ident => $new:expr;)*) => {$(
            #[cfg_attr(not(test), unsafe(no_mangle))]
            unsafe extern "C" fn $name(cell: *mut u128, $value: u128, order: i32) -> u128 {
                // SAFETY: the compiler passes an aligned object of sixteen bytes.
                unsafe {
                    before(Kind::AtomicUpdate, cell, order, 0);
                    update(cell, |$old| $new)
                }
            }
        )*};
    }

    updates! {
        __tsan_atomic128_exchange: value, _old => value;
        __tsan_atomic128_fetch_add: value, old => old.wrapping_add(value);
        __tsan_atomic128_fetch_sub: value, old => old.wrapping_sub(value);
        __tsan_atomic128_fetch_and: value, old => old & value;
        __tsan_atomic128_fetch_or: value, old => old | value;
        __tsan_atomic128_fetch_xor: value, old => old ^ value;
        __tsan_atomic128_fetch_nand: value, old => !(old & value);
    }

    #[cfg_attr(not(test), unsafe(no_mangle))]
    unsafe extern "C" fn __tsan_atomic128_load(cell: *mut u128, order: i32) -> u128 {
        // SAFETY: as above.
        unsafe {
            before(Kind::AtomicLoad, cell, order, 0);
            exchange_if(cell, 0, 0)
        }
    }

    #[cfg_attr(not(test), unsafe(no_mangle))]
    unsafe extern "C" fn __tsan_atomic128_store(cell: *mut u128, value: u128, order: i32) {
        // SAFETY: as above.
        unsafe {
            before(Kind::AtomicStore, cell, order, 0);
            update(cell, |_| value);
        }
    }

    #[cfg_attr(not(test), unsafe(no_mangle))]
    unsafe extern "C" fn __tsan_atomic128_compare_exchange_strong(
        cell: *mut u128,
        expected: *mut u128,
        value: u128,
        order: i32,
        _failure: i32,
    ) -> i32 {
        // SAFETY: as above; `expected` is the caller's own variable.
        unsafe {
            before(Kind::AtomicUpdate, cell, order, 0);
            let found = exchange_if(cell, *expected, value);
            let same = found == *expected;
            *expected = found;
            i32::from(same)
        }
    }

    #[cfg_attr(not(test), unsafe(no_mangle))]
    unsafe extern "C" fn __tsan_atomic128_compare_exchange_weak(
        cell: *mut u128,
        expected: *mut u128,
        value: u128,
        order: i32,
        failure: i32,
    ) -> i32 {
        // SAFETY: the same contract.
        unsafe { __tsan_atomic128_compare_exchange_strong(cell, expected, value, order, failure) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn sixteen_bytes_pass_through() {
            let mut value = 5u128 << 80;
            let cell: *mut u128 = &mut value;
            // SAFETY: an aligned local; there is no control.
            unsafe {
                assert_eq!(__tsan_atomic128_fetch_add(cell, 1, 5), 5 << 80);
                let mut expected = 0;
                assert_eq!(
                    __tsan_atomic128_compare_exchange_strong(cell, &mut expected, 9, 5, 5),
                    0
                );
                assert_eq!(expected, (5 << 80) + 1);
                assert_eq!(
                    __tsan_atomic128_compare_exchange_weak(cell, &mut expected, 9, 5, 5),
                    1
                );
                assert_eq!(__tsan_atomic128_load(cell, 5), 9);
            }
        }
    }
}
