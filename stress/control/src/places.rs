//! Where an instruction stands in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its first address.
    pub start: u64,
    /// After its last.
    pub end: u64,
    /// What is added to the addresses of the file.
    pub base: u64,
    /// The file.
    pub path: PathBuf,
}

/// A function and a line of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The function.
    pub function: String,
    /// `file:line`.
    pub line: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {}", self.function, self.line)
    }
}

/// Places of instructions.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<u64, Vec<Place>>);

impl Places {
    /// Asks `addr2line` for those of the instructions that lie in the files; without it, and without debug
    /// information, none is known. Each is the address after a call, as hooks see it.
    pub fn find(loaded: &[Loaded], instructions: impl IntoIterator<Item = u64>) -> Self {
        let mut wanted: BTreeMap<&Path, (u64, BTreeSet<u64>)> = BTreeMap::new();
        for pc in instructions {
            let file = loaded
                .iter()
                .find(|file| (file.start..file.end).contains(&pc));
            if let Some(file) = file {
                let entry = wanted
                    .entry(&file.path)
                    .or_insert((file.base, BTreeSet::new()));
                entry.1.insert(pc);
            }
        }
        let told = wanted
            .into_iter()
            .filter_map(|(file, (base, pcs))| addr2line(file, base, &pcs));
        Self(told.flatten().collect())
    }

    /// Those of one instruction, functions that were inlined first.
    pub fn frames(&self, pc: u64) -> &[Place] {
        self.0.get(&pc).map_or(&[], Vec::as_slice)
    }

    /// The innermost that is no atomic operation itself.
    pub fn get(&self, pc: u64) -> Option<&Place> {
        let frames = self.frames(pc);
        let atomic = |place: &&Place| {
            place.line.starts_with("pyatomic") || place.line.starts_with("atomic.rs")
        };
        frames
            .iter()
            .find(|place| !atomic(place))
            .or(frames.first())
    }

    /// In words: the place, or the address where none is known.
    pub fn tell(&self, pc: u64) -> String {
        match (self.get(pc), pc) {
            (Some(place), _) => place.to_string(),
            (None, 0) => "an unknown place".into(),
            (None, pc) => format!("{pc:#x}"),
        }
    }
}

fn addr2line(file: &Path, base: u64, wanted: &BTreeSet<u64>) -> Option<BTreeMap<u64, Vec<Place>>> {
    let mut child = Command::new("addr2line")
        .args(["-a", "-f", "-i", "-p", "-s", "-C", "-e"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    // The address is the one after the call.
    let list: String = wanted
        .iter()
        .map(|pc| format!("{:#x}\n", pc - base - 1))
        .collect();
    let writer = std::thread::spawn(move || input.write_all(list.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    Some(parse(&String::from_utf8_lossy(&output.stdout), base))
}

/// Reads `0x…: function at file:line` and ` (inlined by) function at file:line`.
fn parse(text: &str, base: u64) -> BTreeMap<u64, Vec<Place>> {
    let mut places: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let frame = if let Some(rest) = line.trim_start().strip_prefix("(inlined by) ") {
            rest
        } else {
            let Some((address, rest)) = line.split_once(": ") else {
                continue;
            };
            current = u64::from_str_radix(address.trim_start_matches("0x"), 16)
                .ok()
                .map(|a| a + base + 1);
            rest
        };
        let Some(pc) = current else { continue };
        let Some((function, line)) = frame.split_once(" at ") else {
            continue;
        };
        let line = line.split(" (").next().unwrap_or(line);
        if !line.starts_with("??") {
            places.entry(pc).or_default().push(Place {
                function: function.into(),
                line: line.into(),
            });
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_operation_is_attributed_to_who_called_it() {
        const BASE: u64 = 0x5555_5555_4000;
        let text = "0x0000000000001000: _Py_atomic_load at pyatomic_gcc.h:300\n (inlined by) list_get at listobject.c:41\n\
                    0x0000000000001004: main at a.c:7 (discriminator 3)\n0x0000000000001008: ?? at ??:0\n";
        let places = Places(parse(text, BASE));
        assert_eq!(places.tell(BASE + 0x1001), "list_get listobject.c:41");
        assert_eq!(places.tell(BASE + 0x1005), "main a.c:7");
        assert_eq!(places.tell(BASE + 0x1009), format!("{:#x}", BASE + 0x1009));
    }
}
