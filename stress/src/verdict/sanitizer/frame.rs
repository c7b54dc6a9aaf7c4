//! One frame of a sanitizer's stack, normalised: no address, no build folder, no compiler's suffix.

use super::function::function;
use crate::verdict::noise::{self, Class};
use crate::vm::words::masked;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// Function without parameters, hashes and the suffixes of compilers' clones.
    pub function: String,
    /// Source file below the project's root, else the module's name; empty when unknown.
    pub file: String,
    /// Line, where the build tells it. Not part of any signature: lines move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str(&self.function),
            (file, None) => write!(f, "{} ({file})", self.function),
            (file, Some(line)) => write!(f, "{} ({file}:{line})", self.function),
        }
    }
}

impl Frame {
    /// Reads `    #3 [0x55d in] function file:line:column (module+0x12) (BuildId: …)`; returns the
    /// frame's number too. Output without a newline may stand before it.
    pub fn read(line: &str) -> Option<(usize, Self)> {
        let at = line.match_indices("    #").map(|(i, _)| i).find(|&i| {
            let rest = &line[i + 5..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (1..=4).contains(&digits) && rest[digits..].starts_with(' ')
        })?;
        let (number, rest) = line[at + 5..].split_once(' ')?;
        let mut rest = rest.trim();
        if let Some((address, after)) = rest.split_once(' ')
            && address.starts_with("0x")
        {
            rest = after
                .trim_start()
                .strip_prefix("in ")
                .unwrap_or(after)
                .trim();
        }
        let rest = rest.split(" (BuildId:").next().unwrap_or(rest).trim_end();
        // The module stands last, in parentheses with an offset; a parameter list holds none.
        let (rest, module) = match rest.rfind('(') {
            Some(i) if rest.ends_with(')') && rest[i..].contains("+0x") => {
                let module = rest[i + 1..].split("+0x").next().unwrap_or("");
                (rest[..i].trim_end(), base(module))
            }
            _ => (rest, ""),
        };
        let (name, place) = match rest.rsplit_once(' ') {
            Some((name, place)) if place == "<null>" || numbered(place) || source(place) => {
                (name, place)
            }
            _ => (rest, ""),
        };
        let (file, line) = located(place);
        let file = if file.is_empty() {
            module
        } else {
            relative(file)
        };
        Some((
            number.parse().ok()?,
            Self {
                // A line that another thread wrote into may hold anything.
                function: masked(&function(name)),
                file: masked(file),
                line,
            },
        ))
    }

    /// Whether the frame only makes an access for the function that calls it: an inlined accessor
    /// of a header, a library's copying loop, the sanitizer's own wrapper, the runtime of Rust.
    pub fn is_helper(&self) -> bool {
        // `.c.h` is generated code that is included once: CPython's bytecodes and argument clinic.
        let header = [".h", ".hpp", ".hh"].iter().any(|e| self.file.ends_with(e))
            && !self.file.ends_with(".c.h");
        header
            || self.function.is_empty()
            || noise::is(
                &self.function,
                &[
                    Class::Access,
                    Class::Bytes,
                    Class::Allocator,
                    Class::Sanitizer,
                    Class::Wait,
                    Class::Death,
                ],
            )
    }

    /// What a signature holds: function and file. CPython's bytecodes are generated into a file
    /// that its loop includes, so the one function is in two files.
    pub fn place(&self) -> String {
        let file = match self.file.strip_suffix("generated_cases.c.h") {
            Some(folder) => format!("{folder}ceval.c"),
            None => self.file.clone(),
        };
        if file.is_empty() {
            self.function.clone()
        } else {
            format!("{} ({file})", self.function)
        }
    }
}

/// `…/file.c`, where the compiler merged the lines.
fn source(place: &str) -> bool {
    let name = base(place);
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    ["c", "cc", "cpp", "cxx", "h", "hpp", "rs", "S"].contains(&extension)
        && !name.contains(['(', ')', '<', '>'])
}

/// `file.c:12` or `file.c:12:5`.
fn numbered(place: &str) -> bool {
    place.rsplit_once(':').is_some_and(|(file, n)| {
        !file.is_empty() && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())
    })
}

fn located(place: &str) -> (&str, Option<u32>) {
    let cut = |p: &str| -> Option<(usize, u32)> {
        let (file, n) = p.rsplit_once(':')?;
        Some((file.len(), n.parse().ok()?))
    };
    match cut(place) {
        None if source(place) => (place, None),
        None => ("", None),
        Some((end, last)) => match cut(&place[..end]) {
            Some((file, line)) => (&place[..file], Some(line)),
            None => (&place[..end], Some(last)),
        },
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Without the folders of the machine that built it: from the first folder of a source tree's
/// usual ones on, without the root that a prefix map gives; else the last two parts.
fn relative(file: &str) -> &str {
    const ROOTS: &[&str] = &[
        "Objects/",
        "Python/",
        "Modules/",
        "Include/",
        "Parser/",
        "Programs/",
        "src/",
        "py/",
        "ports/",
        "extmod/",
        "shared/",
        "lib/",
    ];
    let file = file.trim_start_matches("./");
    let root = ROOTS.iter().filter_map(|r| {
        let at = file.find(r)?;
        (at == 0 || file.as_bytes()[at - 1] == b'/').then_some(at)
    });
    let system = file.starts_with("/usr/");
    match root.min() {
        // A crate's name belongs to its `src/`.
        Some(at) if !system && file[at..].starts_with("src/") => {
            let start = file[..at.saturating_sub(1)].rfind('/').map_or(0, |i| i + 1);
            &file[start..]
        }
        Some(at) if !system => &file[at..],
        _ => {
            let mut cuts = file.rmatch_indices('/').map(|(i, _)| i + 1);
            let two = cuts.nth(1).unwrap_or(0);
            &file[two..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(line: &str) -> (String, String, Option<u32>) {
        let (_, f) = Frame::read(line).unwrap();
        (f.function, f.file, f.line)
    }

    #[test]
    fn frames_of_both_styles() {
        let both = [
            "    #0 list_resize cpython-3.13.5/Objects/listobject.c:99:5 (python3.13t+0x1c2) (BuildId: 11aa)",
            "    #0 0x55aa in list_resize /build/cpython-3.13.5/./Objects/listobject.c:99",
            "hello    #0 list_resize.constprop.0 Objects/listobject.c:99:5 (python3.13t+0x1c2)",
        ];
        for line in both {
            assert_eq!(
                frame(line),
                (
                    "list_resize".into(),
                    "Objects/listobject.c".into(),
                    Some(99)
                ),
                "{line}"
            );
        }
        assert_eq!(
            frame("    #1 free <null> (python3.13t+0x501e4)"),
            ("free".into(), "python3.13t".into(), None)
        );
        let loops = ["Python/ceval.c", "Python/generated_cases.c.h"].map(|file| {
            let line = format!("    #0 _PyEval_EvalFrameDefault {file}:1:2 (python3.13t+0x1)");
            Frame::read(&line).unwrap().1.place()
        });
        assert_eq!(loops[0], loops[1]);
        assert_eq!(
            frame("    #8 0x7ffff7 in  (/lib/libstdc++.so.6+0xd44a2)").1,
            "libstdc++.so.6"
        );
        assert_eq!(
            frame("    #9 _PyFunction_Vectorcall /b/source/Objects/call.c (python3.13t+0x1dd4fb)"),
            (
                "_PyFunction_Vectorcall".into(),
                "Objects/call.c".into(),
                None
            )
        );
        assert_eq!(
            Frame::read("#0  0x0000 in list_resize (self=1) at x.c:1"),
            None,
            "a debugger's"
        );
    }
}
