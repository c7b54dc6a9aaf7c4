//! RustPython: embedded in this program and started again as its child, or any other build by path.

use super::{Driver, Facts};
use std::path::PathBuf;
use std::process::Command;

/// Registration.
pub const DRIVER: Driver = Driver {
    implementation: "rustpython",
    prepare,
    promise: Ok(()),
};

/// Name under which the program acts as a Python interpreter.
pub const ARGV0: &str = "rustpython";

/// Overrides the program that holds the embedded RustPython (the tests of this crate set it).
pub const PROGRAM_VARIABLE: &str = "THREADBARE_PROGRAM";

/// The program that holds the embedded RustPython: this one.
pub fn program() -> std::io::Result<PathBuf> {
    match std::env::var_os(PROGRAM_VARIABLE) {
        Some(path) => Ok(path.into()),
        None => std::env::current_exe(),
    }
}

fn prepare(_facts: &Facts, command: &mut Command) {
    command
        .env("PYTHONHASHSEED", "0")
        .env("RUST_BACKTRACE", "1");
}
