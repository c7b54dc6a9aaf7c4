//! What happened, for people: a trace with a column per thread, switches, races.

use crate::block::{Access, DELAYED, Event, FLUSH, Kind, Race, Switch};
use crate::places::{Loaded, Places};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The last `count` events: what each read or wrote, and who had written it.
pub fn last(loaded: &[Loaded], trace: &[Event], count: usize) -> String {
    let shown = trace.len().saturating_sub(count);
    let places = Places::find(loaded, trace[shown..].iter().map(|event| event.pc));
    let mut names = BTreeMap::new();
    let mut text = String::new();
    let mut writers: BTreeMap<u64, u32> = BTreeMap::new();
    for (number, event) in trace.iter().enumerate() {
        let granule = event.address >> 3;
        let writer = writers.get(&granule).copied();
        let delayed = event.size & DELAYED != 0;
        let visible = event.kind == Kind::Flush as u16 || writes(event.kind.into()) && !delayed;
        if visible {
            writers.insert(granule, event.thread);
        }
        if number < shown {
            continue;
        }
        let next = names.len();
        let object = if event.address == 0 {
            String::new()
        } else {
            name(*names.entry(event.address).or_insert(next))
        };
        let place = match event.pc {
            0 => String::new(),
            pc => places.tell(pc),
        };
        let indent = 28 * event.thread as usize;
        let (word, value) = (word(event.kind.into()), value(event, writer));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:indent$}{word:<8} {object:<3} {value:<12} {place}",
            ""
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

/// `5` read, `5 of T1` where another thread had written it in this window, `→ 6` written, `→ 6 later` where it waits
/// in the thread's store buffer, `5 → 6` updated.
fn value(event: &Event, writer: Option<u32>) -> String {
    if event.size == 0 {
        return String::new();
    }
    let kind = u32::from(event.kind);
    let (before, after) = (number(event.before), number(event.after));
    match writer.filter(|&writer| writer != event.thread) {
        _ if kind == Kind::Flush as u32 => before,
        _ if event.size & DELAYED != 0 => format!("→ {after} later"),
        _ if kind == Kind::AtomicUpdate as u32 => format!("{before} → {after}"),
        _ if writes(kind) => format!("→ {after}"),
        Some(writer) => format!("{before} of T{writer}"),
        None => before,
    }
}

/// Small numbers as people count, what may be an address as addresses are written.
fn number(value: u64) -> String {
    match value as i64 {
        small @ -9999..=9999 => small.to_string(),
        _ => format!("{value:#x}"),
    }
}

fn writes(kind: u32) -> bool {
    [Kind::Write, Kind::AtomicStore, Kind::AtomicUpdate]
        .iter()
        .any(|&known| known as u32 == kind)
}

/// Where threads were switched, a line each: who stopped before what, who went on and where.
pub fn switches(loaded: &[Loaded], switches: &[Switch]) -> String {
    let places = Places::find(loaded, switches.iter().flat_map(|s| [s.pc, s.to_pc]));
    let mut text = String::new();
    for (number, switch) in switches.iter().enumerate() {
        let Switch { thread, to, .. } = switch;
        let next = match switch.pc {
            0 => String::new(),
            pc => format!(" {}", places.tell(pc)),
        };
        let there = match switch.to_pc {
            0 => "begins".into(),
            pc => format!("goes on at {}", places.tell(pc)),
        };
        let number = number + 1;
        if let Some(owner) = (*to as usize).checked_sub(FLUSH) {
            let store = places.tell(switch.to_pc);
            let _ = writeln!(
                text,
                "{number}. T{owner}'s store at {store} becomes visible, T{thread} being before {}{next}",
                word(switch.kind)
            );
            continue;
        }
        let _ = match (switch.kind, switch.preempts) {
            (0, _) => writeln!(text, "{number}. T{thread} wakes waiter {to}"),
            (kind, true) => writeln!(
                text,
                "{number}. T{thread} stops before {}{next}; T{to} {there}",
                word(kind)
            ),
            (_, false) => writeln!(
                text,
                "{number}. T{thread} waits or has ended; T{to} {there}"
            ),
        };
    }
    text
}

/// Data races, three lines each.
pub fn races(loaded: &[Loaded], races: &[Race]) -> String {
    let places = Places::find(loaded, races.iter().flat_map(|r| [r.first.pc, r.second.pc]));
    let side = |a: &Access| {
        format!(
            "T{} {:<6} {} (event {})",
            a.thread,
            word(a.kind),
            places.tell(a.pc),
            a.event
        )
    };
    let mut text = String::new();
    for race in races {
        let _ = writeln!(
            text,
            "data race on {:#x}, first with seed {}\n  {}\n  {}",
            race.address,
            race.seed,
            side(&race.first),
            side(&race.second),
        );
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
    const WORDS: [(Kind, &str); 21] = [
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
        (Kind::Flush, "visible"),
    ];
    WORDS
        .iter()
        .find(|(known, _)| *known as u32 == kind)
        .map_or("?", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(thread: u32, kind: Kind, address: u64, before: u64, after: u64) -> Event {
        Event {
            pc: 0,
            address,
            before,
            after,
            thread,
            kind: kind as u16,
            size: 8,
        }
    }

    #[test]
    fn a_table_has_a_column_per_thread_and_names_objects_and_values() {
        let trace = [
            event(0, Kind::Write, 64, 0, 5),
            event(1, Kind::Read, 64, 5, 0),
            event(1, Kind::AtomicUpdate, 72, 1, 0x7fff_0000_0000),
        ];
        let text = last(&[], &trace, 2);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(
            lines[0].trim_end(),
            format!("{:28}read     A   5 of T0", "")
        );
        assert_eq!(
            lines[1].trim_end(),
            format!("{:28}update   B   1 → 0x7fff00000000", "")
        );
        assert!(text.contains("A is 0x40"), "{text}");
    }

    #[test]
    fn a_store_that_waits_is_nobodys_value_until_it_is_visible() {
        let later = Event {
            size: 8 | DELAYED,
            ..event(0, Kind::AtomicStore, 64, 0, 5)
        };
        let read = |value| event(1, Kind::AtomicLoad, 64, value, 0);
        let trace = [later, read(0), event(0, Kind::Flush, 64, 5, 0), read(5)];
        let text = last(&[], &trace, 4);
        let words: Vec<String> = (text.lines().take(4))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            words,
            [
                "store A → 5 later",
                "load A 0",
                "visible A 5",
                "load A 5 of T0"
            ]
        );
        let switch = Switch {
            thread: 1,
            to: FLUSH as u32,
            step: 9,
            kind: Kind::AtomicLoad as u32,
            preempts: false,
            pc: 0,
            address: 0,
            to_pc: 0x10,
            event: 3,
        };
        let text = switches(&[], &[switch]);
        assert!(
            text.contains("T0's store at 0x10 becomes visible, T1 being before load"),
            "{text}"
        );
    }

    #[test]
    fn switches_tell_who_stopped_and_why() {
        let switch = Switch {
            thread: 1,
            to: 2,
            step: 9,
            kind: Kind::Write as u32,
            preempts: true,
            pc: 0,
            address: 0,
            to_pc: 0,
            event: 3,
        };
        let waits = Switch {
            preempts: false,
            ..switch
        };
        let wakes = Switch { kind: 0, ..switch };
        assert_eq!(
            switches(&[], &[switch, waits, wakes]),
            "1. T1 stops before write; T2 begins\n2. T1 waits or has ended; T2 begins\n3. T1 wakes waiter 2\n"
        );
    }
}
