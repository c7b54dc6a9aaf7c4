//! A hunt whose disk is full, on a small file system of its own. Where none can be mounted the
//! test is *ignored* and says so.

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::Command;

fn main() {
    let arguments = Arguments::from_args();
    let name = "a_full_disk_gives_3_and_keeps_what_was_saved";
    let trial = match namespace() {
        Some(flags) => Trial::test(name, move || full_disk(flags)),
        None => Trial::test(
            format!("{name} (skipped: not allowed to mount a small file system)"),
            || Err("not allowed to mount".into()),
        )
        .with_ignored_flag(true),
    };
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

/// Flags of `unshare` with which this user may mount.
fn namespace() -> Option<&'static str> {
    ["-m", "-rm"].into_iter().find(|flags| {
        Command::new("unshare")
            .args([flags, "mount", "-t", "tmpfs", "none", "/mnt"])
            .output()
            .is_ok_and(|o| o.status.success())
    })
}

/// 128 KiB of memory as the disk, seen by this child only.
fn full_disk(flags: &str) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let script = format!(
        "mount -t tmpfs -o size=128k none '{dir}' || exit 77; mkdir -p '{dir}/findings/kept'; echo kept > '{dir}/findings/kept/note'; \
         head -c 200000 /dev/zero > '{dir}/filler' 2>/dev/null; \
         '{program}' hunt --vm python3 --no-callbacks --iterations 8 --out '{dir}'; code=$?; cat '{dir}/findings/kept/note'; exit $code",
        dir = dir.path().display(),
        program = env!("CARGO_BIN_EXE_threadbare")
    );
    let output = Command::new("unshare")
        .args([flags, "sh", "-c", &script])
        .env_remove("RUST_BACKTRACE")
        .output()?;
    let (out, err) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    assert_eq!(output.status.code(), Some(3), "{out}\n{err}");
    assert!(
        err.contains("No space left on device") && err.contains("free space"),
        "{err}"
    );
    assert!(out.contains("kept"), "{out}");
    Ok(())
}
