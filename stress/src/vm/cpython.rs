//! CPython, free-threaded or with a GIL.

use super::{Driver, Facts};
use std::process::Command;

/// Registration.
pub const DRIVER: Driver = Driver {
    implementation: "cpython",
    prepare,
    promise: Ok(()),
};

fn prepare(facts: &Facts, command: &mut Command) {
    // String hashes decide the order in sets and must not differ from process to process.
    command
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    // An extension that did not declare itself safe would switch the GIL on in the middle of a hunt.
    if facts.gil_claimed == Some(false) {
        command.env("PYTHON_GIL", "0");
    }
    // -s and -S keep the user's site packages out, unless the subject is one of them.
    command.env("PYTHONNOUSERSITE", "1");
}
