//! All threads' contexts run on one kernel thread, the *carrier*, which is the first thread's: a
//! switch is twenty instructions and no system call, 0.2 µs instead of 4.
//!
//! A thread's own kernel thread starts, leaves its stack and its thread pointer to the carrier, and
//! sleeps on a little stack of ours. When the thread has left for good it takes both back and ends
//! as libc wants it. So libc's thread-local storage is each thread's own all the time; what the
//! kernel keeps by thread (signal mask, robust list) is the carrier's.

use super::Engine;
use crate::control::Thread;
use crate::real::system;
use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::mem::offset_of;
use std::sync::atomic::Ordering;
use threadbare_control::block::MAX_THREADS;

pub struct User;

/// Enough for a sleeping system call.
const BED: usize = 1024;
#[repr(align(64))]
struct Beds(UnsafeCell<[[u8; BED]; MAX_THREADS]>);
// SAFETY: each is used as a stack by one kernel thread only.
unsafe impl Sync for Beds {}
static BEDS: Beds = Beds(UnsafeCell::new([[0; BED]; MAX_THREADS]));

/// The processor and the kernel let programs set the thread pointer (FSGSBASE, Linux 5.9).
pub fn possible() -> bool {
    const HWCAP2_FSGSBASE: u64 = 1 << 1;
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & HWCAP2_FSGSBASE != 0 }
}

/// Saves the caller's context in `me` and goes on with that of `next`.
#[unsafe(naked)]
unsafe extern "C" fn swap(me: *mut Thread, next: *mut Thread) {
    naked_asm!(
        // What a call preserves, the modes of floating point with it.
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]",
        "mov [rdi + {stack}], rsp",
        "mov rsp, [rsi + {stack}]",
        "mov rax, [rsi + {pointer}]",
        "wrfsbase rax",
        "ldmxcsr [rsp]", "fldcw [rsp + 4]", "add rsp, 8",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "ret",
        stack = const offset_of!(Thread, stack),
        pointer = const offset_of!(Thread, pointer),
    )
}

/// Leaves the caller's context in `me` for the carrier, which returns from here in its stead, and
/// sleeps in bed until `awake`; then takes the context back and returns.
#[unsafe(naked)]
unsafe extern "C" fn park(me: *mut Thread) {
    naked_asm!(
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]",
        "mov [rdi + {stack}], rsp",
        "mov rsp, [rdi + {bed}]",
        "mov rbx, rdi",
        "mov dword ptr [rbx + {asleep}], 1",
        // futex(&asleep, FUTEX_WAKE_PRIVATE, 1)
        "mov eax, 202", "lea rdi, [rbx + {asleep}]", "mov esi, 129", "mov edx, 1", "syscall",
        "2:",
        "cmp dword ptr [rbx + {awake}], 0",
        "jne 3f",
        // futex(&awake, FUTEX_WAIT_PRIVATE, 0, NULL)
        "mov eax, 202", "lea rdi, [rbx + {awake}]", "mov esi, 128", "xor edx, edx", "xor r10d, r10d", "syscall",
        "jmp 2b",
        "3:",
        "mov rsp, [rbx + {stack}]",
        "ldmxcsr [rsp]", "fldcw [rsp + 4]", "add rsp, 8",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "ret",
        stack = const offset_of!(Thread, stack),
        bed = const offset_of!(Thread, bed),
        asleep = const offset_of!(Thread, asleep),
        awake = const offset_of!(Thread, awake),
    )
}

unsafe fn keep_pointer(me: *mut Thread) {
    let pointer: usize;
    // SAFETY: `possible` was asked; reads a register.
    unsafe {
        std::arch::asm!("rdfsbase {}", out(reg) pointer, options(nomem, nostack));
        (*me).pointer = pointer;
    }
}

impl Engine for User {
    unsafe fn first(&self, me: *mut Thread) {
        // SAFETY: the caller's own entry.
        unsafe { keep_pointer(me) };
    }

    unsafe fn created(&self, new: *mut Thread) {
        // SAFETY: the entry stays; the kernel compares the word itself. Acquire: the context that
        // was saved before must be seen.
        unsafe {
            while (*new).asleep.load(Ordering::Acquire) == 0 {
                let word = (*new).asleep.as_ptr() as usize;
                system(
                    libc::SYS_futex,
                    word,
                    (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize,
                    0,
                    0,
                    0,
                    0,
                );
            }
        }
    }

    unsafe fn adopt(&self, me: *mut Thread) {
        // SAFETY: the caller's own entry; its bed is nobody else's. The stack grows down from its
        // end, aligned as after a call.
        unsafe {
            keep_pointer(me);
            (*me).bed = BEDS.0.get().cast::<[u8; BED]>().add((*me).id + 1) as usize - 16;
            park(me);
        }
    }

    unsafe fn switch(&self, me: *mut Thread, next: *mut Thread) {
        // SAFETY: as required of the caller.
        unsafe { swap(me, next) };
    }

    unsafe fn leave(&self, me: *mut Thread, next: *mut Thread) {
        // Returns on the thread's own kernel thread.
        // SAFETY: as required of the caller.
        unsafe { swap(me, next) };
    }

    unsafe fn release(&self, gone: *mut Thread) {
        // SAFETY: the entry stays. Release: the kernel thread takes over what the carrier left.
        unsafe {
            (*gone).awake.store(1, Ordering::Release);
            let word = (*gone).awake.as_ptr() as usize;
            system(
                libc::SYS_futex,
                word,
                (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize,
                1,
                0,
                0,
                0,
            );
        }
    }
}
