//! The VMs and extensions that are here.

use libtest_mimic::Failed;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sources of the extensions.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bytecode")
}

/// What `ci/vm/racy-extensions.sh` built for the free-threaded CPython of the cache, if it built it of
/// these sources.
pub fn extensions() -> Option<PathBuf> {
    if std::env::var_os("THREADBARE_FT_PYTHON").is_some() {
        return None;
    }
    let folder = cached("racy-extensions-3.13.5-ft/racycy.pyx")?
        .parent()?
        .to_owned();
    let sources = sources();
    let same = |source: &str, copy: &str| {
        let read = |path: PathBuf| std::fs::read(path).ok();
        read(sources.join(source)).is_some_and(|s| read(folder.join(copy)) == Some(s))
    };
    (same("racycy.pyx", "racycy.pyx") && same("racyrs/src/lib.rs", "racyrs.rs")).then_some(folder)
}

/// A free-threaded CPython: the variable, else what `ci/vm/cpython-ft.sh` built.
pub fn free_threaded() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("THREADBARE_FT_PYTHON") {
        return Some(path.into());
    }
    cached("cpython-3.13.5-ft/bin/python3.13t")
}

/// A VM that `ci/vm` built, if it is here.
pub fn cached(path: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let path = cache.join("threadbare/vm").join(path);
    path.is_file().then_some(path)
}

/// The folder of a VM's headers, if they are here.
pub fn headers(spec: &Path) -> Option<PathBuf> {
    // An empty command is a VM that is not here.
    let output = Command::new(spec)
        .args([
            "-c",
            "import sysconfig; print(sysconfig.get_paths()['include'])",
        ])
        .output()
        .ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.join("Python.h").is_file().then_some(folder)
}

/// Builds the C extension.
pub fn compile(headers: &Path, folder: &Path) -> Result<(), Failed> {
    let source = sources().join("racyext.c");
    let built = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-I"])
        .arg(headers)
        .arg("-o")
        .arg(folder.join("racyext.so"))
        .arg(source)
        .status()?;
    assert!(built.success());
    Ok(())
}
