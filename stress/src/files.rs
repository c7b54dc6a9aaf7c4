//! Files that are whole at any moment.

use std::io::Write;
use std::path::Path;

/// Writes a file so that it is either the old one or the whole new one. What is no file, as a device or a pipe that a
/// user names, is written into and not replaced by one.
///
/// # Errors
/// What the system says when its folder cannot be written or is full.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, bytes);
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_into_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        // By a link, so that a fault replaces no more than that.
        let full = dir.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let error = write_atomically(&full, b"text").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert!(full.is_symlink());
        let file = dir.path().join("file");
        write_atomically(&file, b"text").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"text");
    }
}
