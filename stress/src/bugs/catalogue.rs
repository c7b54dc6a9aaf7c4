//! The catalogue of bugs: read from a folder or from the program, and searched.

use super::{Bug, BugsError, Failure, ident, status};
use std::path::Path;

/// The lines that take the kit from its file, when a program is run from its folder.
const IMPORT: &str = "\
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition(\"/\")[0] or \".\") + \"/..\")
from kit import *

# --- end of the kit ---
";

/// Path below `stress/bugs/` without ending, description, program, recorded crash or nothing; the build lists
/// them.
const FILES: &[(&str, &str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/bugs.rs"));

/// What programs have in common.
const KIT: &str = include_str!("../../bugs/kit.py");

/// Reads one bug: its description, its program, and the crash recorded of it, or nothing. The kit is put
/// where the program imports it.
pub fn parse(stem: &str, text: &str, program: &str, crash: &str) -> Result<Bug, BugsError> {
    let fail = |reason: String| BugsError::Malformed {
        file: format!("{stem}.toml"),
        reason,
    };
    let mut bug: Bug = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    if bug.failure.is_empty() {
        return Err(fail("`failure` names no way in which the bug shows".into()));
    }
    if bug.faults.is_empty() == bug.no_fault.is_empty() {
        return Err(fail(
            "wants either `faults`, which can be planted, or `no_fault`, the reason why none can"
                .into(),
        ));
    }
    if bug.signature.is_empty() == bug.signature.none.is_empty() {
        return Err(fail(
            "wants either a signature or `signature.none`, the reason why it cannot be told from others".into(),
        ));
    }
    let panics_only = bug.failure.iter().all(|f| *f == Failure::Panic);
    if panics_only && bug.signature.none.is_empty() && bug.signature.frames.is_empty() {
        return Err(fail(
            "a panic is told by its functions and never by words: wants `signature.frames`, or `signature.none`".into(),
        ));
    }
    if bug.signature.has_empty_part() {
        return Err(fail(
            "a part of `signature` is empty: it would match every failure, or none".into(),
        ));
    }
    if let Some(word) = bug.fixed_in.iter().find(|w| ident::version(w).is_none()) {
        return Err(fail(format!(
            "`fixed_in` wants releases such as 3.14.0b1, not '{word}'"
        )));
    }
    stem.clone_into(&mut bug.stem);
    bug.program = program.replace(IMPORT, KIT);
    crash.clone_into(&mut bug.crash);
    // What a file says of itself is not believed.
    status::settle(&mut bug);
    Ok(bug)
}

/// The catalogue that comes with the program.
///
/// # Panics
/// When an entry does not parse: the files are part of the program and a test reads them all.
pub fn shipped() -> Vec<Bug> {
    FILES
        .iter()
        .map(|(stem, text, program, crash)| {
            parse(stem, text, program, crash).unwrap_or_else(|e| panic!("{e}"))
        })
        .collect()
}

/// The catalogue in a folder: `DIR/VM/NAME.toml` with `NAME.py` beside it, and `NAME.txt` where a
/// crash was recorded; `DIR/kit.py`, where there is one, is put where a program imports it.
pub fn load(dir: &Path) -> Result<Vec<Bug>, BugsError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BugsError::Io { path, source }
    };
    let kit = std::fs::read_to_string(dir.join("kit.py"));
    let kit = kit.as_deref().unwrap_or(KIT);
    let mut bugs = Vec::new();
    for vm in std::fs::read_dir(dir).map_err(io(dir))?.flatten() {
        for entry in std::fs::read_dir(vm.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(io(&path))?;
            let script = path.with_extension("py");
            let program = std::fs::read_to_string(&script).map_err(io(&script))?;
            let program = program.replace(IMPORT, kit);
            let crash = path.with_extension("txt");
            let crash = match std::fs::read_to_string(&crash) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                read => read.map_err(io(&crash))?,
            };
            let stem = path.strip_prefix(dir).unwrap_or(&path).with_extension("");
            bugs.push(parse(&stem.to_string_lossy(), &text, &program, &crash)?);
        }
    }
    bugs.sort_by(|a, b| a.stem.cmp(&b.stem));
    Ok(bugs)
}

/// Finds a bug by its id (`python/cpython#154130`), by number alone when only one has it, or
/// by the name of its file.
pub fn find<'a>(bugs: &'a [Bug], asked: &str) -> Result<&'a Bug, BugsError> {
    let number = asked.trim_start_matches('#');
    let by = |test: &dyn Fn(&Bug) -> bool| {
        let mut found = bugs.iter().filter(|b| test(b));
        found.next().filter(|_| found.next().is_none())
    };
    by(&|b| b.id() == asked)
        .or_else(|| by(&|b| b.stem == asked || b.stem.rsplit('/').next() == Some(asked)))
        .or_else(|| by(&|b| b.number == number))
        .ok_or_else(|| {
            let digits: String = asked.chars().filter(char::is_ascii_digit).collect();
            let near: Vec<String> = bugs
                .iter()
                .filter(|b| digits.len() > 2 && b.number.contains(&digits))
                .take(3)
                .map(Bug::id)
                .collect();
            BugsError::Unknown {
                asked: asked.to_owned(),
                near: if near.is_empty() {
                    String::new()
                } else {
                    format!("did you mean {}? ", near.join(", "))
                },
            }
        })
}

#[cfg(test)]
#[allow(dead_code)]
#[path = "../../build.rs"]
mod build;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_shipped_file_is_listed_and_parses() {
        let bugs = shipped();
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs");
        let on_disk: BTreeSet<String> = load(&dir).unwrap().into_iter().map(|b| b.stem).collect();
        let listed: BTreeSet<String> = bugs.iter().map(|b| b.stem.clone()).collect();
        let differ: Vec<_> = listed.symmetric_difference(&on_disk).collect();
        assert!(differ.is_empty(), "not in the program: {differ:?}");
        let mut ids: Vec<String> = bugs.iter().map(Bug::id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), bugs.len(), "an id is there twice");
    }

    /// A forgotten file stops the build and is named.
    #[test]
    fn the_build_takes_whole_entries_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("vm")).unwrap();
        let drop = |name: &str| std::fs::write(dir.path().join("vm").join(name), "x").unwrap();
        let list = || build::list(dir.path(), &["toml", "py"], "txt");
        for name in [
            "2-b.toml",
            "2-b.py",
            "1.5-a.py",
            "1.5-a.toml",
            "1.5-a.txt",
            "notes.md",
        ] {
            drop(name);
        }
        let text = list().unwrap().replace(&*dir.path().to_string_lossy(), "");
        assert_eq!(
            text,
            "&[\n(\"vm/1.5-a\", include_str!(\"/vm/1.5-a.toml\"), include_str!(\"/vm/1.5-a.py\"), \
             include_str!(\"/vm/1.5-a.txt\"), ),\n\
             (\"vm/2-b\", include_str!(\"/vm/2-b.toml\"), include_str!(\"/vm/2-b.py\"), \"\", ),\n]\n"
        );
        for (there, missing) in [("3.toml", "3.py"), ("4.py", "4.toml"), ("5.txt", "5.toml")] {
            drop(there);
            let why = list().unwrap_err();
            assert!(why.contains(there) && why.contains(missing), "{why}");
            std::fs::remove_file(dir.path().join("vm").join(there)).unwrap();
        }
        assert!(build::list(&dir.path().join("none"), &["py"], "").is_err());
    }

    #[test]
    fn releases_with_a_fix_are_those_that_the_reports_name_in_the_vms_own_numbering() {
        for bug in shipped() {
            for release in &bug.fixed_in {
                let mut words = bug.fixed.split([' ', ',']);
                let named = words.any(|word| word == release);
                assert!(named, "{}: {release} is not in '{}'", bug.stem, bug.fixed);
            }
            let other = ["extension/", "pypy/"]
                .iter()
                .any(|f| bug.stem.starts_with(f));
            assert!(
                !other || bug.fixed_in.is_empty(),
                "{} has another numbering",
                bug.stem
            );
        }
        let text = "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"x\"\ncategory = \"c\"\nnature = \"bug\"\n\
                    affected = \"1.1\"\nfixed = \"later\"\nfixed_in = [\"1.3.x\"]\nfailure = [\"crash\"]\nbuilds = [\"release\"]\n\
                    source = \"s\"\nno_fault = \"-\"\n[signature]\nnone = \"-\"\n";
        let error = parse("x/1", text, "", "").unwrap_err().to_string();
        assert!(error.contains("not '1.3.x'"), "{error}");
        assert!(parse("x/1", &text.replace("1.3.x", "1.3.0"), "", "").is_ok());
        // A signature that no failure of the bug could match.
        let words = "text = [\"slice … out of range\"]";
        let told = |failure: &str| {
            let text = text
                .replace("1.3.x", "1.3.0")
                .replace("none = \"-\"", words);
            parse("x/1", &text.replace("crash", failure), "", "").map_err(|e| e.to_string())
        };
        assert!(told("panic").is_err_and(|e| e.contains("signature.frames")));
        assert!(told("wrong").is_ok());
    }

    #[test]
    fn finding_by_id_number_or_name() {
        let bugs = shipped();
        let bug = find(&bugs, "python/cpython#154130").unwrap();
        assert_eq!(find(&bugs, "154130").unwrap(), bug);
        assert_eq!(find(&bugs, "#154130").unwrap(), bug);
        assert_eq!(find(&bugs, "154130-dict-iterator-exhaustion").unwrap(), bug);
        let error = find(&bugs, "python/cpython#15413").unwrap_err().to_string();
        assert!(
            error.contains("did you mean python/cpython#154130"),
            "{error}"
        );
    }
}
