//! Files that are whole at any moment.

use std::io::Write;
use std::path::Path;

/// Writes a file so that it is either the old one or the whole new one.
///
/// # Errors
/// What the system says when its folder cannot be written or is full.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
