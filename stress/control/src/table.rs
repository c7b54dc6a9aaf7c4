//! A trace for people: a column per thread, with functions and lines.

use crate::block::{Event, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where Linux loads a position-independent executable without randomisation.
const BASE: u64 = 0x5555_5555_4000;

/// The last `count` events. Places come from `addr2line`; without it, and in libraries, they are
/// instruction addresses.
pub fn last(executable: &Path, trace: &[Event], count: usize) -> String {
    let events = &trace[trace.len().saturating_sub(count)..];
    let places = places(executable, events);
    let mut names = BTreeMap::new();
    let mut text = String::new();
    for event in events {
        let next = names.len();
        let object = if event.address == 0 {
            String::new()
        } else {
            name(*names.entry(event.address).or_insert(next))
        };
        let place = match places.get(&event.pc) {
            Some(place) => place.clone(),
            None if event.pc == 0 => String::new(),
            None => format!("{:#x}", event.pc),
        };
        let indent = 28 * event.thread as usize;
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:indent$}{:<8} {object:<3} {place}",
            "",
            word(event.kind)
        );
    }
    if !names.is_empty() {
        text.push('\n');
    }
    let mut by_number: Vec<_> = names.into_iter().collect();
    by_number.sort_by_key(|&(_, number)| number);
    for (address, number) in by_number {
        let _ = writeln!(text, "{} is {address:#x}", name(number));
    }
    text
}

/// A, B, …, Z, A1, B1, …
fn name(number: usize) -> String {
    let letter = char::from(b'A' + (number % 26) as u8);
    if number < 26 {
        letter.to_string()
    } else {
        format!("{letter}{}", number / 26)
    }
}

fn word(kind: u32) -> &'static str {
    const WORDS: [(Kind, &str); 20] = [
        (Kind::Read, "read"),
        (Kind::Write, "write"),
        (Kind::AtomicLoad, "load"),
        (Kind::AtomicStore, "store"),
        (Kind::AtomicUpdate, "update"),
        (Kind::Fence, "fence"),
        (Kind::Create, "create"),
        (Kind::Start, "start"),
        (Kind::Exit, "exit"),
        (Kind::Join, "join"),
        (Kind::Lock, "lock"),
        (Kind::Unlock, "unlock"),
        (Kind::Wait, "wait"),
        (Kind::Wake, "wake"),
        (Kind::Yield, "yield"),
        (Kind::Sleep, "sleep"),
        (Kind::Timeout, "timeout"),
        (Kind::Block, "block"),
        (Kind::Window, "window"),
        (Kind::System, "system"),
    ];
    WORDS
        .iter()
        .find(|(known, _)| *known as u32 == kind)
        .map_or("?", |(_, word)| word)
}

/// `function file:line` of the instructions that lie in the executable. Where functions were inlined,
/// the innermost that is not an atomic operation itself.
fn places(executable: &Path, events: &[Event]) -> BTreeMap<u64, String> {
    let wanted: BTreeSet<u64> = events
        .iter()
        .map(|event| event.pc)
        .filter(|pc| (BASE..BASE << 1).contains(pc))
        .collect();
    addr2line(executable, &wanted).unwrap_or_default()
}

fn addr2line(executable: &Path, wanted: &BTreeSet<u64>) -> Option<BTreeMap<u64, String>> {
    let mut child = Command::new("addr2line")
        .args(["-a", "-f", "-i", "-p", "-s", "-C", "-e"])
        .arg(executable)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    // The address is the one after the call.
    let list: String = wanted
        .iter()
        .map(|pc| format!("{:#x}\n", pc - BASE - 1))
        .collect();
    let writer = std::thread::spawn(move || input.write_all(list.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    Some(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads `0x…: function at file:line` and ` (inlined by) function at file:line`.
fn parse(text: &str) -> BTreeMap<u64, String> {
    let mut places = BTreeMap::new();
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
                .map(|a| a + BASE + 1);
            rest
        };
        let Some(pc) = current else { continue };
        let Some((function, place)) = frame.split_once(" at ") else {
            continue;
        };
        let place = place.split(" (").next().unwrap_or(place);
        let atomic = place.starts_with("pyatomic") || place.starts_with("atomic.rs");
        let known = places
            .get(&pc)
            .is_some_and(|known: &(String, bool)| !known.1);
        if !known && !place.starts_with("??") {
            places.insert(pc, (format!("{function} {place}"), atomic));
        }
    }
    places
        .into_iter()
        .map(|(pc, (place, _))| (pc, place))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_operation_is_attributed_to_who_called_it() {
        let text = "0x0000000000001000: _Py_atomic_load at pyatomic_gcc.h:300\n (inlined by) list_get at listobject.c:41\n\
                    0x0000000000001004: main at a.c:7 (discriminator 3)\n0x0000000000001008: ?? at ??:0\n";
        let places = parse(text);
        assert_eq!(places[&(BASE + 0x1001)], "list_get listobject.c:41");
        assert_eq!(places[&(BASE + 0x1005)], "main a.c:7");
        assert_eq!(places.len(), 2);
    }

    #[test]
    fn a_table_has_a_column_per_thread_and_names_objects() {
        let event = |thread, kind: Kind, address| Event {
            pc: 0,
            address,
            thread,
            kind: kind as u32,
        };
        let trace = [
            event(0, Kind::Read, 64),
            event(1, Kind::Write, 64),
            event(1, Kind::Write, 72),
        ];
        let text = last(Path::new("/nonexistent"), &trace, 2);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(
            lines[0].starts_with(&format!("{:28}write    A", "")),
            "{text}"
        );
        assert!(
            lines[1].contains("write    B") && text.contains("A is 0x40"),
            "{text}"
        );
    }
}
