//! The modules of this crate know each other in one direction only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which module names which, by the `crate::` paths in its text.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// Edges that are still to be cut.
const TO_CUT: &[(&str, &str)] = &[];

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

/// Names that follow `crate::` in a text, those of `crate::{a, b::c}` too.
fn named(text: &str) -> Vec<String> {
    let word = |s: &str| -> String {
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        s.trim_start().chars().take_while(plain).collect()
    };
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut start = 0;
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 1 && c == ',' || depth == 0 {
                names.push(word(&list[start..i]));
                start = i + 1;
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

fn uses(src: &Path) -> Uses {
    let mut files = Vec::new();
    sources(src, &mut files);
    let module = |path: &Path| {
        let first = path.strip_prefix(src).unwrap().components().next().unwrap();
        let name = first.as_os_str().to_string_lossy();
        name.trim_end_matches(".rs").to_owned()
    };
    let mut uses = Uses::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let code: String = text
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .flat_map(|l| [l, "\n"])
            .collect();
        uses.entry(module(file)).or_default().extend(named(&code));
    }
    let modules: BTreeSet<String> = uses.keys().cloned().collect();
    for (name, to) in &mut uses {
        to.retain(|t| t != name && modules.contains(t));
    }
    uses
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
    let mut uses = uses(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(uses["campaign"].contains("scenario"), "nothing was read");
    for (from, to) in TO_CUT {
        let cut = uses.get_mut(*from).unwrap().remove(*to);
        assert!(cut, "{from} no longer uses {to}: take it out of TO_CUT");
    }
    if let Some(path) = circle(&uses) {
        panic!(
            "these modules use each other in a circle: {}",
            path.join(" → ")
        );
    }
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
    let text = "use crate::{a, b::{c, d}, e};\nlet x = crate::f::g(pub_crate);";
    assert_eq!(named(text), ["a", "b", "e", "f"]);
}
