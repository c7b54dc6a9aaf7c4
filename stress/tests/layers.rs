//! The modules of this crate know each other in one direction only, at the top and below every module.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

/// Path of a module below the crate, or of an item in one.
type Name = Vec<String>;

/// Which of the modules below one uses which of its siblings.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// By the module that they stand below: `""` is the crate.
type Levels = BTreeMap<String, Uses>;

fn sources(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Reads a path, or the list of paths that one ends in, after these names.
fn read(text: &mut Peekable<Chars<'_>>, before: &[String], found: &mut Vec<Name>) {
    while text.next_if(|c| c.is_whitespace()).is_some() {}
    if text.next_if_eq(&'{').is_some() {
        loop {
            while text.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
            if matches!(text.peek(), Some('}') | None) {
                text.next();
                return;
            }
            read(text, before, found);
            // `… as other`.
            while text.next_if(|c| ![',', '}'].contains(c)).is_some() {}
        }
    }
    let mut name = String::new();
    while let Some(c) = text.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    let mut path = before.to_vec();
    if name.is_empty() {
        found.push(path);
        return;
    }
    path.push(name);
    let mut ahead = text.clone();
    if ahead.next() == Some(':') && ahead.next() == Some(':') {
        *text = ahead;
        read(text, &path, found);
    } else {
        found.push(path);
    }
}

/// The paths of a text that begin with `crate`, `self` or `super`, each with that word.
fn named(text: &str) -> Vec<Name> {
    let mut found = Vec::new();
    for word in ["crate", "self", "super"] {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '$';
        for (at, _) in text.match_indices(&format!("{word}::")) {
            // `pub_crate::`, `super::super::`.
            if !text[..at].ends_with(part) {
                read(&mut text[at..].chars().peekable(), &[], &mut found);
            }
        }
    }
    found
}

/// A path from a module as one from the crate.
fn resolved(path: &Name, from: &[String]) -> Name {
    let mut at: Name = Vec::new();
    for (i, word) in path.iter().enumerate() {
        match (word.as_str(), i) {
            ("crate", 0) => {}
            ("self", 0) => at = from.to_vec(),
            ("super", 0) => at = from[..from.len().saturating_sub(1)].to_vec(),
            ("super", _) => drop(at.pop()),
            _ => at.push(word.clone()),
        }
    }
    at
}

/// Code without comments and without the tests at its end, which may use whatever they test.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.flat_map(|l| [l, "\n"]).collect()
}

/// Which module of these texts uses which, level by level.
fn levels(files: &[(Name, String)]) -> Levels {
    let modules: BTreeSet<&Name> = files.iter().map(|(name, _)| name).collect();
    let mut levels = Levels::new();
    for (from, text) in files {
        for path in named(&code(text)) {
            let mut to = resolved(&path, from);
            while !to.is_empty() && !modules.contains(&to) {
                to.pop();
            }
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            // A module and what stands below it are one seen from without.
            let (Some(one), Some(other)) = (from.get(common), to.get(common)) else {
                continue;
            };
            let uses = levels.entry(from[..common].join("::")).or_default();
            uses.entry(one.clone()).or_default().insert(other.clone());
        }
    }
    levels
}

fn crate_levels() -> Levels {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let module = |path: &Path| -> Name {
        let path = path.strip_prefix(&src).unwrap().with_extension("");
        let names = path.iter().map(|n| n.to_string_lossy().into_owned());
        names.filter(|n| n != "mod" && n != "lib").collect()
    };
    let files: Vec<(Name, String)> = files
        .iter()
        .map(|f| (module(f), std::fs::read_to_string(f).unwrap()))
        .collect();
    levels(&files)
}

/// A circle, as the modules on it; `None` when there is none.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn visit(at: &str, uses: &Uses, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(from) = path.iter().position(|p| p == at) {
            path.drain(..from);
            path.push(at.to_owned());
            return true;
        }
        if done.contains(at) {
            return false;
        }
        path.push(at.to_owned());
        for to in uses.get(at).into_iter().flatten() {
            if visit(to, uses, path, done) {
                return true;
            }
        }
        path.pop();
        done.insert(at.to_owned());
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|start| {
        let mut path = Vec::new();
        visit(start, uses, &mut path, &mut done).then_some(path)
    })
}

#[test]
fn no_circle_of_modules() {
    let levels = crate_levels();
    assert!(
        levels[""]["campaign"].contains("scenario"),
        "nothing was read"
    );
    assert!(
        levels["vm"]["child"].contains("hang"),
        "nothing below the top was read"
    );
    assert!(
        levels["verdict"]["waits"].contains("stack"),
        "no super:: was read"
    );
    let circles: Vec<String> = levels
        .iter()
        .filter_map(|(below, uses)| Some(format!("{below}:: {}", circle(uses)?.join(" → "))))
        .collect();
    assert!(
        circles.is_empty(),
        "these modules use each other in a circle: {circles:#?}"
    );
}

#[test]
fn circles_are_seen() {
    let graph = |edges: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in edges {
            uses.entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned());
        }
        uses
    };
    let straight = graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]);
    assert_eq!(circle(&straight), None);
    let round = graph(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")]);
    assert_eq!(circle(&round).unwrap(), ["b", "c", "d", "b"]);
}

#[test]
fn paths_are_read() {
    let text = "use crate::{a, b::{c, d as x}, e};\nlet x = crate::f::g::<T>(pub_crate::h, self::i);\nuse super::super::{j::*, k};";
    let mut paths: Vec<String> = named(text).iter().map(|p| p.join("::")).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "crate::a",
            "crate::b::c",
            "crate::b::d",
            "crate::e",
            "crate::f::g",
            "self::i",
            "super::super::j",
            "super::super::k"
        ]
    );
}

#[test]
fn circles_below_the_top_are_seen() {
    let of = |files: &[(&str, &str)]| {
        let name = |path: &str| path.split("::").map(str::to_owned).collect();
        let files: Vec<(Name, String)> = files
            .iter()
            .map(|(path, text)| (name(path), (*text).to_owned()))
            .collect();
        levels(&files)
            .iter()
            .find_map(|(below, uses)| Some((below.clone(), circle(uses)?)))
    };
    let vm = ("vm", "pub mod child;");
    let hang = ("vm::hang", "use super::debugger::gdb;");
    let debugger = (
        "vm::debugger",
        "use crate::vm::Vm;\nuse crate::vm::child::run;",
    );
    let watch = (
        "vm::child::watch",
        "use super::{End, limits::L};\nuse crate::vm::hang::autopsy;",
    );
    let child = ("vm::child", "use self::watch::watch;");
    let found = of(&[vm, hang, debugger, watch, child]);
    let (below, path) = found.expect("child → hang → debugger → child");
    assert_eq!((below.as_str(), path.len()), ("vm", 4));
    let cut = (
        "vm::debugger",
        "use crate::vm::Vm;\n#[cfg(test)]\nmod tests { use crate::vm::child::run; }",
    );
    assert_eq!(of(&[vm, hang, cut, watch, child]), None);
}
