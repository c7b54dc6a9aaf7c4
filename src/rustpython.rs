//! `threadbare rustpython`: the embedded RustPython as an ordinary `python FILE`.

use anyhow::Context;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use threadbare_stress::vm::rustpython::ARGV0;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// FILE and its arguments, or options of RustPython (-c, -m, --help).
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FILE"
    )]
    args: Vec<OsString>,
}

/// Whether this process was started under RustPython's name.
pub fn is_me() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().is_some_and(|n| n == ARGV0)
}

/// RustPython on this process's own command line.
#[cfg(feature = "rustpython")]
pub fn main() -> ExitCode {
    threadbare_rustpython::main()
}

/// Says that this build has no RustPython.
#[cfg(not(feature = "rustpython"))]
pub fn main() -> ExitCode {
    eprintln!(
        "threadbare: built without the embedded RustPython; build with the feature 'rustpython' or name another --vm"
    );
    crate::exit::environment()
}

/// Becomes RustPython: the same program under the other name.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let me = std::env::current_exe().context("cannot find this program's own file")?;
    let error = Command::new(&me).arg0(ARGV0).args(args.args).exec();
    Err(error).with_context(|| format!("cannot start {} again as RustPython", me.display()))
}
