//! Backtraces from core files, for crashes that do not happen under a debugger.
//!
//! Where cores go belongs to the machine (`core(5)`): only a plain file name is of use, for then
//! the file appears in the folder that the VM is started in, which is ours.

use crate::vm::Vm;
use crate::vm::child::{self, End, Limits};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Whether a crash leaves a file in its folder; else why not, as a sentence for the record.
pub fn usable() -> Result<(), String> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern");
    let pattern = pattern.map_err(|e| format!("the kernel does not tell where cores go ({e})"))?;
    plain(pattern.trim())?;
    match nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE) {
        Ok((_, 0)) => Err("core files are forbidden here (ulimit -Hc is 0)".to_owned()),
        Ok(_) => Ok(()),
        Err(e) => Err(format!("the limit of core files cannot be read ({e})")),
    }
}

fn plain(pattern: &str) -> Result<(), String> {
    match pattern {
        "" => Err("this machine writes no cores (core_pattern is empty)".to_owned()),
        p if p.starts_with('|') => Err(format!(
            "cores go to another program here (core_pattern is '{p}')"
        )),
        p if p.contains('/') => Err(format!(
            "cores go to a folder of the machine here (core_pattern is '{p}')"
        )),
        _ => Ok(()),
    }
}

/// Runs a script until it crashes, for `seconds` at most, and reads the core that it leaves.
///
/// # Errors
/// Why there is no backtrace, as a sentence for the record.
pub fn of_script(vm: &Vm, script: &Path, seconds: u64, limit: Duration) -> Result<String, String> {
    usable()?;
    if !super::backtrace::available() {
        return Err("no gdb to read a core with".to_owned());
    }
    let dir = tempfile::tempdir().map_err(|e| format!("no folder for a core ({e})"))?;
    let script = script.canonicalize().map_err(|e| e.to_string())?;
    let mut command = vm.command(&script);
    command.arg(seconds.to_string()).current_dir(dir.path());
    let limits = Limits {
        silence: limit,
        total: limit,
        debugger: false,
        core: true,
        ..Limits::default()
    };
    let outcome = child::run(&mut command, limits).map_err(|e| e.to_string())?;
    let End::Signal(_) = outcome.end else {
        return Err("the script did not crash again".to_owned());
    };
    let core = file(dir.path())
        .ok_or("the crash left no core file, which the kernel does when it is too large")?;
    let (program, _) = vm.program_and_args();
    read(&program, &core).ok_or_else(|| "gdb could not read the core".to_owned())
}

/// The only file in the folder.
fn file(dir: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(dir).ok()?.flatten().map(|e| e.path());
    entries.into_iter().find(|p| p.is_file())
}

/// gdb's text on a core: the crashing thread first, then every thread.
fn read(program: &Path, core: &Path) -> Option<String> {
    let mut gdb = Command::new("nice");
    gdb.args(["-n", "10", "gdb", "-batch", "-nx"])
        .args(["-ex", "set debuginfod enabled off", "-ex", "bt 30"])
        .args(["-ex", "thread apply all bt 12"])
        .args([program, core])
        .env("DEBUGINFOD_URLS", "");
    let limit = Duration::from_secs(30);
    let limits = Limits {
        silence: limit,
        total: limit,
        ..Limits::default()
    };
    let text = child::run(&mut gdb, limits).ok()?.stdout.join("\n");
    text.contains("\n#0 ").then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_cores_go() {
        assert!(plain("core").is_ok() && plain("core.%p").is_ok());
        for (pattern, why) in [
            ("|/usr/share/apport/apport %p", "another program"),
            ("/var/cores/%e", "a folder"),
            ("", "empty"),
        ] {
            assert!(plain(pattern).unwrap_err().contains(why), "{pattern}");
        }
    }

    #[test]
    fn a_core_gives_the_crashing_threads_frames() {
        let program =
            "import os, signal, sys\ndef dies(): os.kill(os.getpid(), signal.SIGSEGV)\ndies()\n";
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("dies.py");
        std::fs::write(&script, program).unwrap();
        let Ok(vm) = Vm::find("python3") else { return };
        match of_script(&vm, &script, 1, Duration::from_secs(40)) {
            Ok(text) => assert!(text.contains("kill"), "{text}"),
            // The machine's settings decide; the reason must say so.
            Err(why) => assert!(usable().is_err() || why.contains("gdb"), "{why}"),
        }
    }
}
