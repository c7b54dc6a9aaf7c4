//! The compiler's side: what instrumented code calls (LLVM's `tsan_interface.h` and
//! `tsan_interface_atomic.h`; gcc emits the same names).
//!
//! Each entry is a naked function of a few instructions, which adds the return address, the only
//! name that an access has, as a last argument. Without control the entries of plain accesses
//! return after one comparison.

mod atomic;
mod other;
mod plain;

/// Defines the C name `$name`, which puts its return address into `$register` (that of the first
/// argument after those of the C function) and goes on to `$function`.
macro_rules! entry {
    ($($name:ident: $register:literal => $function:path;)*) => {$(
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            std::arch::naked_asm!(
                concat!("mov ", $register, ", [rsp]"),
                "jmp {function}",
                function = sym $function,
            )
        }
    )*};
}
pub(crate) use entry;
