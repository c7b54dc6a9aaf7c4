//! Where the texts of litmus tests come from: files, folders and the catalogue.

use super::{Args, Tally};
use std::path::{Path, PathBuf};
use threadbare_litmus::catalogue;
use threadbare_litmus::lang::printable;

/// Every test to run, as a name for messages and its text. What cannot be read is said and
/// counted.
pub fn texts(args: &Args, tally: &mut Tally) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Some(part) = &args.catalogue {
        out.extend(
            catalogue::all()
                .iter()
                .filter(|entry| entry.name.contains(part.as_str()))
                .map(|entry| (entry.name.to_string(), entry.text.to_string())),
        );
        if out.is_empty() {
            eprintln!(
                "threadbare: no test of the catalogue has `{}` in its name; \
                 `threadbare litmus --catalogue --print` shows all",
                printable(part)
            );
        }
    }
    let mut refuse = |path: &Path, error: std::io::Error| {
        eprintln!("threadbare: cannot read {}: {error}", shown(path));
        tally.refused += 1;
    };
    for path in &args.files {
        let files = files(path).unwrap_or_else(|error| {
            refuse(path, error);
            vec![]
        });
        for file in files {
            match std::fs::read(&file) {
                Ok(text) => out.push((shown(&file), String::from_utf8_lossy(&text).into_owned())),
                Err(error) => refuse(&file, error),
            }
        }
    }
    out
}

/// A path without what a terminal would take for commands.
fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// The file, or the *.litmus files of the folder in order of name.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut out = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "litmus")
        {
            out.push(file);
        }
    }
    if out.is_empty() {
        eprintln!("threadbare: {} has no *.litmus file", shown(path));
    }
    out.sort();
    Ok(out)
}
