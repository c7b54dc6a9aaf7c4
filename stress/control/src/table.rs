//! What happened, for people: a trace with a column per thread, switches, races.

use crate::block::{Access, DELAYED, Event, FLUSH, Kind, Race, Switch};
use crate::launch::Report;
use crate::places::{Loaded, Places};
use crate::python::{Line, Lines};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The last `count` events: what each read or wrote, and who had written it and where.
pub fn last(report: &Report, count: usize) -> String {
    let from = report.trace.len().saturating_sub(count);
    let rows = (from..report.trace.len()).collect();
    events(&report.loaded, &report.trace, &report.lines, &rows)
}

/// The last `count` events that have to do with what threads share, and the very last ones of the thread that was
/// running: the rest is of one thread alone.
pub fn shared(report: &Report, count: usize) -> String {
    let rows = matters(&report.trace);
    let rows: BTreeSet<usize> = rows.iter().rev().take(count).copied().collect();
    let text = events(&report.loaded, &report.trace, &report.lines, &rows);
    match (rows.first(), rows.len()) {
        (Some(first), told) if report.trace.len() - first > told => format!(
            "{text}{} steps between them are left out: they touch what no other thread does\n",
            report.trace.len() - first - told
        ),
        _ => text,
    }
}

/// Last steps of the thread that failed that are told whatever they touch.
const FAILING: usize = 12;

/// Events that touch what two threads touch and one writes, or synchronise, and the last ones of the last thread.
fn matters(trace: &[Event]) -> BTreeSet<usize> {
    let mut touched: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for event in trace.iter().filter(|event| event.address != 0) {
        let (all, writers) = touched.entry(event.address >> 3).or_default();
        *all |= 1 << (event.thread & 63);
        if writes(event.kind.into()) {
            *writers |= 1 << (event.thread & 63);
        }
    }
    let of_several = |event: &Event| {
        let of = touched.get(&(event.address >> 3));
        of.is_some_and(|&(all, writers)| all.count_ones() > 1 && writers != 0)
    };
    let numbered = || trace.iter().enumerate().rev();
    let running = trace.last().map(|event| event.thread);
    let last = numbered()
        .filter(|(_, event)| Some(event.thread) == running)
        .take(FAILING);
    let several = numbered().filter(|(_, event)| event.size == 0 || of_several(event));
    last.chain(several).map(|(number, _)| number).collect()
}

/// These of the events, each under the line of Python that its thread runs.
fn events(loaded: &[Loaded], trace: &[Event], lines: &Lines, rows: &BTreeSet<usize>) -> String {
    struct Row<'a> {
        event: &'a Event,
        /// Who wrote last what it touches, if another thread.
        writer: Option<&'a Event>,
        /// Where its thread is, when it comes there.
        line: Option<Line>,
    }
    let mut told = Vec::new();
    let mut writers: BTreeMap<u64, &Event> = BTreeMap::new();
    let mut new_line: BTreeMap<u32, Line> = BTreeMap::new();
    for (number, event) in trace.iter().enumerate() {
        let granule = event.address >> 3;
        let writer = writers.get(&granule).copied();
        let delayed = event.size & DELAYED != 0;
        let visible = event.kind == Kind::Flush as u16 || writes(event.kind.into()) && !delayed;
        if visible {
            writers.insert(granule, event);
        }
        if let Some(line) = lines.begins(event) {
            new_line.insert(event.thread, line);
        }
        if rows.contains(&number) {
            let line = new_line.remove(&event.thread);
            let writer = writer.filter(|writer| writer.thread != event.thread);
            told.push(Row {
                event,
                writer,
                line,
            });
        }
    }
    let pcs = told.iter().flat_map(|row| {
        let from = row.writer.map_or(0, |writer| writer.pc);
        [row.event.pc, from]
    });
    let places = Places::find(loaded, pcs.filter(|&pc| pc != 0));
    let mut names = BTreeMap::new();
    let mut before: BTreeMap<u32, Line> = BTreeMap::new();
    let mut text = String::new();
    // Writing to a string does not fail.
    for row in &told {
        let event = row.event;
        let indent = 28 * event.thread as usize;
        if let Some(line) = &row.line
            && before.insert(event.thread, line.clone()).as_ref() != Some(line)
        {
            let _ = writeln!(
                text,
                "{:indent$}{line} {}: {}",
                "", line.function, line.text
            );
        }
        let next = names.len();
        let object = match event.address {
            0 => String::new(),
            address => name(*names.entry(address).or_insert(next)),
        };
        let place = match event.pc {
            0 => String::new(),
            pc => places.tell(pc),
        };
        let (word, value) = (word(event.kind.into()), value(event, row.writer));
        let from = match row.writer {
            Some(writer) if value.contains(" of T") && writer.pc != 0 => {
                format!(
                    "  (written by T{} {})",
                    writer.thread,
                    places.tell(writer.pc)
                )
            }
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{:indent$}{word:<8} {object:<3} {value:<12} {place}{from}",
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
fn value(event: &Event, writer: Option<&Event>) -> String {
    if event.size == 0 {
        return String::new();
    }
    let kind = u32::from(event.kind);
    let (before, after) = (number(event.before), number(event.after));
    match writer {
        _ if kind == Kind::Flush as u32 => before,
        _ if event.size & DELAYED != 0 => format!("→ {after} later"),
        _ if kind == Kind::AtomicUpdate as u32 => format!("{before} → {after}"),
        _ if writes(kind) => format!("→ {after}"),
        Some(writer) => format!("{before} of T{}", writer.thread),
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

/// Where threads were switched, a line each: who stopped before what, who went on and where; with a trace also at
/// which lines of Python.
pub fn switches(report: &Report) -> String {
    let lines = lines_at(&report.trace, &report.lines, &report.switches);
    told_switches(&report.loaded, &report.switches, &lines)
}

/// Of each switch the lines at which the two threads are.
type Both = [Option<Line>; 2];

fn lines_at(trace: &[Event], lines: &Lines, switches: &[Switch]) -> Vec<Both> {
    let mut now: BTreeMap<u32, Line> = BTreeMap::new();
    let mut events = trace.iter().enumerate().peekable();
    let mut of_switch = |switch: &Switch| {
        while let Some((_, event)) = events.next_if(|&(number, _)| (number as u64) < switch.event) {
            if let Some(line) = lines.begins(event) {
                now.insert(event.thread, line);
            }
        }
        [switch.thread, switch.to].map(|thread| now.get(&thread).cloned())
    };
    switches.iter().map(&mut of_switch).collect()
}

fn told_switches(loaded: &[Loaded], switches: &[Switch], lines: &[Both]) -> String {
    let places = Places::find(loaded, switches.iter().flat_map(|s| [s.pc, s.to_pc]));
    let mut text = String::new();
    for (number, switch) in switches.iter().enumerate() {
        let Switch { thread, to, .. } = switch;
        let line = |side: usize| match lines.get(number).and_then(|both| both[side].as_ref()) {
            Some(line) => format!(" ({line})"),
            None => String::new(),
        };
        let next = match switch.pc {
            0 => line(0),
            pc => format!(" {}{}", places.tell(pc), line(0)),
        };
        let there = match switch.to_pc {
            0 => "begins".into(),
            pc => format!("goes on at {}{}", places.tell(pc), line(1)),
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
        let text = events(&[], &trace, &Lines::default(), &(1..3).collect());
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
        let text = events(&[], &trace, &Lines::default(), &(0..4).collect());
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
        let text = told_switches(&[], &[switch], &[]);
        assert!(
            text.contains("T0's store at 0x10 becomes visible, T1 being before load"),
            "{text}"
        );
    }

    #[test]
    fn what_one_thread_touches_alone_is_left_out_but_for_the_end() {
        let alone = |thread, address| event(thread, Kind::Write, address, 0, 1);
        let mut trace = vec![
            alone(0, 64),
            event(0, Kind::AtomicStore, 72, 0, 1),
            alone(1, 80),
            event(1, Kind::AtomicLoad, 72, 1, 0),
            event(2, Kind::Read, 88, 1, 0),
            event(1, Kind::Read, 88, 1, 0),
        ];
        // Of the thread that ends the trace more than are told anyway.
        trace.extend((0..=FAILING as u64).map(|i| alone(3, 800 + 8 * i)));
        let told: Vec<usize> = matters(&trace).into_iter().collect();
        let mut expected = vec![1, 3];
        expected.extend(trace.len() - FAILING..trace.len());
        assert_eq!(told, expected);
    }

    #[test]
    fn a_line_of_python_stands_above_the_first_step_of_it() {
        let lines = Lines::parse("line\ta.py\t7\t  next(o)\ncode\t1000\t16\ta.py\tf\t0:6 4:7\n");
        let trace = [
            event(0, Kind::Write, 64, 0, 0x1000),
            event(0, Kind::Write, 64, 0x1000, 0x1004),
            event(1, Kind::AtomicLoad, 72, 0, 0),
            event(0, Kind::AtomicStore, 72, 0, 5),
            event(0, Kind::AtomicStore, 72, 5, 6),
        ];
        let text = events(&[], &trace, &lines, &(2..5).collect());
        let words: Vec<&str> = text.lines().take(4).map(str::trim).collect();
        assert_eq!(words[1], "a.py:7 f: next(o)", "{text}");
        assert!(words[2].starts_with("store") && words[3].starts_with("store"));
        let switch = Switch {
            thread: 1,
            to: 0,
            step: 1,
            kind: Kind::AtomicLoad as u32,
            preempts: true,
            pc: 0,
            address: 0,
            to_pc: 0x10,
            event: 2,
        };
        let early = Switch { event: 1, ..switch };
        let both = lines_at(&trace, &lines, &[early, switch]);
        assert_eq!(
            told_switches(&[], &[early, switch], &both),
            "1. T1 stops before load; T0 goes on at 0x10 (a.py:6)\n2. T1 stops before load; T0 goes on at 0x10 (a.py:7)\n"
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
            told_switches(&[], &[switch, waits, wakes], &[]),
            "1. T1 stops before write; T2 begins\n2. T1 waits or has ended; T2 begins\n3. T1 wakes waiter 2\n"
        );
    }
}
