//! One hunt at a time in an output folder: its lock, which also tells whether a hunt still runs.
//!
//! The system lets go of the lock when the process ends, however it ends.

use super::HuntError;
use crate::finding::store::StoreError;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

fn path(out: &Path) -> PathBuf {
    out.join("hunt.lock")
}

/// Claims an output folder for as long as the file is open.
///
/// # Errors
/// [`HuntError::Busy`] when another hunt has it, or the file cannot be made.
pub(super) fn claim(out: &Path) -> Result<File, HuntError> {
    let fail = |source| StoreError::Write {
        path: path(out),
        source,
    };
    let file = File::create(path(out)).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HuntError::Busy {
            out: out.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(fail(source).into()),
    }
}

/// Whether a hunt runs in an output folder now.
pub fn runs(out: &Path) -> bool {
    let Ok(file) = File::open(path(out)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_hunts_until_it_ends() {
        let out = tempfile::tempdir().unwrap();
        assert!(!runs(out.path()));
        let first = claim(out.path()).unwrap();
        assert!(runs(out.path()));
        let second = claim(out.path()).unwrap_err();
        assert!(matches!(second, HuntError::Busy { .. }), "{second}");
        drop(first);
        assert!(!runs(out.path()));
        claim(out.path()).unwrap();
    }
}
