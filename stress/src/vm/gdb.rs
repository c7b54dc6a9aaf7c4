//! The debugger.

use std::process::Command;

/// gdb without the user's settings. What it learns of the symbols of a large VM it keeps: the next one
/// starts in half the time.
pub(super) fn gdb() -> Command {
    let mut gdb = Command::new("gdb");
    gdb.args(["-batch", "-nx"])
        .args(["-iex", "set index-cache enabled on"])
        .args(["-ex", "set debuginfod enabled off"])
        .env("DEBUGINFOD_URLS", "");
    gdb
}
