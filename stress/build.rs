//! Puts the known bugs and the probes into the program: whatever files lie in their folders.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Of one entry: its files by their ending.
type Files = BTreeMap<String, PathBuf>;

fn main() {
    let variable = |name| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let (root, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    for (folder, wanted, more) in [
        ("bugs", &["toml", "py"][..], "txt"),
        ("probes", &["py"], ""),
    ] {
        // New files too: cargo looks at everything below.
        println!("cargo::rerun-if-changed={folder}");
        match list(&root.join(folder), wanted, more) {
            Ok(text) => {
                let file = out.join(format!("{folder}.rs"));
                fs::write(file, text).expect("cargo's folder can be written");
            }
            Err(why) => println!("cargo::error={why}"),
        }
    }
}

/// An array as Rust writes it: of each entry in `DIR/FOLDER/` its name without ending, the texts of the
/// `wanted` files, all of which must be there, and of one `more`, or nothing.
pub fn list(dir: &Path, wanted: &[&str], more: &str) -> Result<String, String> {
    let mut text = "&[\n".to_owned();
    for (stem, files) in entries(dir, wanted, more)? {
        let _ = write!(text, "({stem:?}, ");
        for ending in wanted {
            let Some(file) = files.get(*ending) else {
                let found = files.values().next().expect("an entry has a file");
                return Err(format!(
                    "{} is there, and no {}",
                    found.display(),
                    found.with_extension(ending).display()
                ));
            };
            let _ = write!(text, "include_str!({file:?}), ");
        }
        match files.get(more) {
            Some(file) => _ = write!(text, "include_str!({file:?}), "),
            None if more.is_empty() => {}
            None => text += "\"\", ",
        }
        text += "),\n";
    }
    Ok(text + "]\n")
}

fn entries(dir: &Path, wanted: &[&str], more: &str) -> Result<BTreeMap<String, Files>, String> {
    let read = |dir: &Path| -> Result<Vec<PathBuf>, String> {
        let fail = |e| format!("{}: {e}", dir.display());
        let all = fs::read_dir(dir).map_err(fail)?;
        all.map(|e| Ok(e.map_err(fail)?.path())).collect()
    };
    let mut entries = BTreeMap::<String, Files>::new();
    for folder in read(dir)?.iter().filter(|f| f.is_dir()) {
        for file in read(folder)? {
            let ending = file.extension().and_then(|e| e.to_str()).unwrap_or("");
            if ending.is_empty() || !(wanted.contains(&ending) || ending == more) {
                continue;
            }
            let stem = file.strip_prefix(dir).unwrap_or(&file).with_extension("");
            let stem = stem
                .to_str()
                .ok_or_else(|| format!("{stem:?} is no UTF-8"))?;
            let files = entries.entry(stem.to_owned()).or_default();
            files.insert(ending.to_owned(), file);
        }
    }
    Ok(entries)
}
