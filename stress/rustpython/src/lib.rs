//! The embedded RustPython, run as an ordinary `python FILE [ARGS]`.
//!
//! The hunter never runs Python code in its own process: it starts this program
//! again as a child under the name `rustpython`, so that an abort of the VM
//! cannot take the hunter down.

use std::process::ExitCode;

use rustpython::{InterpreterBuilder, InterpreterBuilderExt};

/// Runs RustPython on this process's own command line and returns its exit code.
///
/// A Rust panic on a Python thread would end that thread only and leave the
/// process waiting for ever, so a hook prints message and backtrace and aborts:
/// a panic becomes a verdict instead of a time-out.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        // Looking up symbols takes half a second: who runs thousands of panics can refuse it.
        let trace = match std::env::var("RUST_BACKTRACE").as_deref() {
            Ok("0") => std::backtrace::Backtrace::disabled(),
            _ => std::backtrace::Backtrace::force_capture(),
        };
        eprintln!("{info}\nstack backtrace:\n{trace}");
        std::process::abort();
    }));
    rustpython::run(InterpreterBuilder::new().init_stdlib())
}
