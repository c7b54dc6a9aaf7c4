//! The families that come with the program: one file and one line each.

use super::{Subject, SubjectError, load, parse};
use std::path::Path;

/// File name and text of every family.
pub const FAMILIES: &[(&str, &str)] = &[
    ("list.toml", include_str!("data/list.toml")),
    ("dict.toml", include_str!("data/dict.toml")),
    ("set.toml", include_str!("data/set.toml")),
    ("bytes.toml", include_str!("data/bytes.toml")),
    ("array.toml", include_str!("data/array.toml")),
    ("collections.toml", include_str!("data/collections.toml")),
    ("iterators.toml", include_str!("data/iterators.toml")),
    ("itertools.toml", include_str!("data/itertools.toml")),
    ("generators.toml", include_str!("data/generators.toml")),
    ("objects.toml", include_str!("data/objects.toml")),
    ("functions.toml", include_str!("data/functions.toml")),
    ("frames.toml", include_str!("data/frames.toml")),
    ("gc.toml", include_str!("data/gc.toml")),
    ("weakref.toml", include_str!("data/weakref.toml")),
    ("io.toml", include_str!("data/io.toml")),
    ("text.toml", include_str!("data/text.toml")),
    ("numeric.toml", include_str!("data/numeric.toml")),
    ("sync.toml", include_str!("data/sync.toml")),
    ("ctypes.toml", include_str!("data/ctypes.toml")),
    ("xml.toml", include_str!("data/xml.toml")),
    ("sqlite.toml", include_str!("data/sqlite.toml")),
    ("misc.toml", include_str!("data/misc.toml")),
    ("ordinary.toml", include_str!("data/ordinary.toml")),
    ("two.toml", include_str!("data/two.toml")),
    ("waits.toml", include_str!("data/waits.toml")),
    ("threads.toml", include_str!("data/threads.toml")),
    ("os.toml", include_str!("data/os.toml")),
    ("tables.toml", include_str!("data/tables.toml")),
    ("running.toml", include_str!("data/running.toml")),
    ("first.toml", include_str!("data/first.toml")),
    ("interpreters.toml", include_str!("data/interpreters.toml")),
    ("events.toml", include_str!("data/events.toml")),
    ("ends.toml", include_str!("data/ends.toml")),
    ("modes.toml", include_str!("data/modes.toml")),
];

/// All subjects that come with the program, in file order.
///
/// # Panics
/// When a family does not parse: the files are part of the program and a test reads them all.
pub fn all() -> Vec<Subject> {
    FAMILIES
        .iter()
        .flat_map(|(name, text)| parse(name, text).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// What a user's `--subject` names: a subject, a family (`itertools`), a prefix with `*`,
/// or a `.toml` file. Types of the user's own are found by [`crate::introspect`].
pub fn select(wanted: &[String]) -> Result<Vec<Subject>, SubjectError> {
    let all = all();
    if wanted.is_empty() {
        return Ok(all);
    }
    let mut chosen: Vec<Subject> = Vec::new();
    for name in wanted {
        let found: Vec<Subject> = if name.ends_with(".toml") {
            load(Path::new(name))?
        } else if let Some(prefix) = name.strip_suffix('*') {
            all.iter()
                .filter(|s| s.name.starts_with(prefix))
                .cloned()
                .collect()
        } else if let Some(subject) = all.iter().find(|s| &s.name == name) {
            vec![subject.clone()]
        } else if let Some((file, text)) = FAMILIES
            .iter()
            .find(|(f, _)| f.strip_suffix(".toml") == Some(name))
        {
            parse(file, text)?
        } else {
            Vec::new()
        };
        if found.is_empty() {
            return Err(SubjectError::Unknown { name: name.clone() });
        }
        for subject in found {
            if !chosen.iter().any(|c| c.name == subject.name) {
                chosen.push(subject);
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_family_parses_and_names_are_unique() {
        let mut names = HashSet::new();
        for subject in all() {
            assert!(
                names.insert(subject.name.clone()),
                "subject '{}' stands twice",
                subject.name
            );
        }
    }

    #[test]
    fn selection_by_name_family_and_prefix() {
        let names = |w: &str| select(&[w.to_owned()]).map(|s| s.len());
        assert_eq!(names("list").unwrap(), 1);
        assert!(names("li*").unwrap() >= 1);
        assert!(
            names("no-such-type")
                .unwrap_err()
                .to_string()
                .contains("--list-subjects")
        );
    }
}
