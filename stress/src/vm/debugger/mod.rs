//! Native backtraces of crashes: of the core that a crash left ([`core_file`]), or, where the machine keeps
//! none, of the script once more under a debugger.

pub mod core_file;

use crate::vm::Vm;
use crate::vm::child::{self, Limits};
use crate::vm::gdb::gdb;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Whether gdb can be started.
pub fn available() -> bool {
    Command::new("gdb")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success())
}

/// [`within`] with time enough for any VM.
pub fn of_script(vm: &Vm, script: &Path, seconds: u64) -> Option<String> {
    within(vm, script, seconds, Duration::from_secs(seconds + 20))
}

/// Runs a script for `seconds` under gdb, `limit` in all; its text output when the program died of
/// a signal.
pub fn within(vm: &Vm, script: &Path, seconds: u64, limit: Duration) -> Option<String> {
    let (program, args) = vm.program_and_args();
    let mut command = gdb();
    for (key, value) in vm.command(script).get_envs() {
        if let Some(value) = value {
            command.env(key, value);
        }
    }
    command.args(["-ex", "set print thread-events off"]);
    // The embedded VM knows by its name that it is one.
    if let Some(name) = vm.argv0() {
        command.args([
            "-ex",
            &format!("set exec-wrapper bash -c 'exec -a {name} \"$0\" \"$@\"'"),
        ]);
    }
    command.args([
        "-ex",
        "run",
        "-ex",
        "bt 30",
        "-ex",
        "info threads",
        "--args",
    ]);
    command
        .arg(program)
        .args(args)
        .arg(script)
        .arg(seconds.to_string());
    let limits = Limits {
        silence: limit,
        total: limit,
        ..Limits::default()
    };
    let outcome = child::run(&mut command, limits).ok()?;
    let text = outcome.stdout.join("\n");
    text.contains("received signal").then_some(text)
}
