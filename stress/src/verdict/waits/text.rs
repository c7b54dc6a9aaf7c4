//! What is told of threads that stand still: one line, or every stack.

use super::Waiter;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The interpreter's frame that a reader looks for: the first outside the threading library.
fn place(thread: &Waiter) -> Option<&String> {
    let library = |f: &&String| f.starts_with("threading.py:") || f.starts_with('<');
    thread
        .python
        .iter()
        .find(|f| !library(f))
        .or_else(|| thread.python.first())
}

/// One line: each waiting thread, what it waits for and who has it. Locks are lettered, for
/// their addresses change from run to run. Empty when nothing is known.
pub fn summary(threads: &[Waiter]) -> String {
    const MOST: usize = 4;
    let mut letters: BTreeMap<&str, char> = BTreeMap::new();
    let mut told = Vec::new();
    for thread in threads
        .iter()
        .filter(|t| t.waits.is_some() || !t.python.is_empty())
    {
        let at = place(thread)
            .map(|p| format!(" at {p}"))
            .unwrap_or_default();
        let Some((function, object)) = &thread.waits else {
            told.push(format!("thread {}{at}", thread.number));
            continue;
        };
        let next = char::from(b'A' + letters.len().min(25) as u8);
        let object = object.as_ref().map_or_else(String::new, |address| {
            let letter = *letters.entry(address).or_insert(next);
            let holder = threads.iter().find(|t| t.holds.contains(address));
            let held = holder
                .map(|h| format!(", held by thread {}", h.number))
                .unwrap_or_default();
            format!(" for lock {letter}{held}")
        });
        told.push(format!(
            "thread {} waits{object} in {function}{at}",
            thread.number
        ));
    }
    let more = told.len().saturating_sub(MOST);
    told.truncate(MOST);
    let mut text = told.join("; ");
    let cycle = cycle(threads);
    if let Some((first, _)) = cycle.first() {
        let way = cycle.iter().map(|(number, lock)| {
            let letter = letters.get(lock).copied().unwrap_or('?');
            format!("thread {number} → lock {letter} → ")
        });
        text = format!("a cycle: {}thread {first}; {text}", way.collect::<String>());
    }
    if more > 0 {
        let _ = write!(text, "; {more} more");
    }
    text
}

/// A deadlock's cycle where it is known: each thread with the lock that it waits for, which the next
/// one holds, and the last one's the first. Empty where a holder is not known, or there is none.
fn cycle(threads: &[Waiter]) -> Vec<(usize, &str)> {
    fn next<'a>(from: &'a Waiter, threads: &'a [Waiter]) -> Option<(&'a str, &'a Waiter)> {
        let lock = from.waits.as_ref()?.1.as_deref()?;
        let held = |t: &&Waiter| t.holds.iter().any(|h| h == lock);
        Some((lock, threads.iter().find(held)?))
    }
    for start in threads {
        let mut way = Vec::new();
        let mut at = start;
        while way.len() < threads.len()
            && let Some((lock, holder)) = next(at, threads)
        {
            way.push((at.number, lock));
            if holder.number == start.number {
                return way;
            }
            at = holder;
        }
    }
    Vec::new()
}

/// Every thread with its stacks, for a finding's folder.
pub fn table(threads: &[Waiter]) -> String {
    let mut out = String::new();
    for t in threads {
        let _ = writeln!(
            out,
            "thread {} ({})",
            t.number,
            if t.tid.is_empty() { &t.address } else { &t.tid }
        );
        if let Some((function, object)) = &t.waits {
            let object = object
                .as_ref()
                .map(|o| format!(" for {o}"))
                .unwrap_or_default();
            let _ = writeln!(out, "  waits in {function}{object}");
        }
        for lock in &t.holds {
            let _ = writeln!(out, "  holds {lock}");
        }
        for (what, frames) in [("interpreter", &t.python), ("native", &t.native)] {
            if !frames.is_empty() {
                let _ = writeln!(out, "  {what}:\n    {}", frames.join("\n    "));
            }
        }
    }
    out
}
