//! Where VMs are looked for: PATH, and the folders that the scripts of `ci/vm/` fill.

use super::EMBEDDED;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The program of this path, or of this name on PATH.
pub(super) fn executable(path: &Path) -> Option<PathBuf> {
    let usable = |p: &Path| {
        p.metadata()
            .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if path.components().count() > 1 {
        // Scripts are started in folders of their own.
        return usable(path).then(|| std::path::absolute(path).unwrap_or(path.to_owned()));
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(path))
        .find(|p| usable(p))
}

/// VMs worth trying without being named: the embedded one, what PATH holds, what `ci/vm/` built.
pub fn candidates() -> Vec<String> {
    let mut found = vec![EMBEDDED.to_owned()];
    let names = [
        "python3",
        "python3.13t",
        "python3.14t",
        "python3.15t",
        "python3.14",
        "python3.15",
        "micropython",
        "pypy3",
        "graalpy",
        "jython",
    ];
    found.extend(
        names
            .iter()
            .filter(|n| executable(Path::new(n)).is_some())
            .map(|n| (*n).to_owned()),
    );
    let cache = std::env::var_os("THREADBARE_VM_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            let base = std::env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")))?;
            Some(base.join("threadbare/vm"))
        });
    let mut built: Vec<String> = cache
        .and_then(|dir| std::fs::read_dir(dir).ok())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| built_program(&entry.path()))
        .collect();
    built.sort();
    found.extend(built);
    found
}

/// The CPython of this version that `ci/vm/cpython-controlled.sh` has built.
pub fn controlled(version: &str) -> Option<String> {
    let folder = format!("/cpython-{version}-controlled/");
    candidates().into_iter().find(|path| path.contains(&folder))
}

/// The interpreter in a folder that a script of `ci/vm/` has completed.
fn built_program(dir: &Path) -> Option<String> {
    let names = [
        "bin/python3.13t",
        "bin/python3.14t",
        "bin/python3.15t",
        "bin/micropython",
        "bin/rustpython",
        "bin/pypy3",
        "bin/python3.14",
        "bin/python3.15",
    ];
    names
        .iter()
        .map(|n| dir.join(n))
        .find_map(|p| executable(&p))
        .map(|p| p.display().to_string())
}
