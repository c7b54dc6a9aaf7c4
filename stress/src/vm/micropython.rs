//! MicroPython's unix port, which runs threads without any lock.

use super::{Driver, Facts};
use std::process::Command;

/// Registration.
pub const DRIVER: Driver = Driver {
    implementation: "micropython",
    prepare,
    promise: Err(
        "without its lock MicroPython promises nothing for shared containers \
                  (py/mpconfig.h, MICROPY_PY_THREAD_GIL: access to mutable objects is then the program's to protect)",
    ),
};

fn prepare(_facts: &Facts, command: &mut Command) {
    command.args(["-X", "heapsize=256m"]);
}
