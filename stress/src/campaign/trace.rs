//! Backtraces of crashes, taken beside the hunt: a debugger needs seconds for a large VM, mostly
//! to read symbols, on one processor and with a low priority.

use super::{HuntError, Shared};
use crate::triage::statement;
use crate::verdict::stack;
use crate::vm::child::interrupted;
use crate::vm::debugger::{self, core_file};
use std::time::Duration;

/// Takes the backtraces that are asked for until the workers have ended.
pub(super) fn run(shared: &Shared<'_>) {
    loop {
        let (next, ended) = {
            let mut inner = shared.lock();
            (inner.untraced.pop_front(), inner.workers == 0)
        };
        match next {
            _ if shared.over() => return,
            Some(id) => {
                if let Err(error) = one(shared, &id) {
                    shared.lock().error.get_or_insert(error);
                    return;
                }
            }
            None if ended => return,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn one(shared: &Shared<'_>, id: &str) -> Result<(), HuntError> {
    let (finding, script) = {
        let inner = shared.lock();
        let finding = inner.store.findings().iter().find(|f| f.id == id).cloned();
        (finding, inner.store.folder(id).join("repro.py"))
    };
    let Some(mut finding) = finding else {
        return Ok(());
    };
    // Under the debugger and beside a hunt a script is slower than it was alone.
    let seconds = finding.script.map_or(4.0, |r| r.mean_seconds * 10.0 + 4.0);
    let seconds = seconds.min(12.0).ceil() as u64;
    // Symbols of a large VM alone take seconds; the end of the hunt must not wait for it.
    let most = shared.left(Duration::from_secs(seconds + 20)) + Duration::from_secs(1);
    let text = debugger::within(shared.vm, &script, seconds, most);
    let left = shared.left(Duration::from_secs(seconds + 20));
    let text = match text {
        Some(text) => Ok(text),
        None if left < Duration::from_secs(seconds) => return Ok(()),
        None => core_file::of_script(shared.vm, &script, seconds, left),
    };
    // Cut off, the debugger says nothing; the next part of the hunt asks again.
    if interrupted() {
        return Ok(());
    }
    let text = text
        .unwrap_or_else(|why| format!("No backtrace: it did not crash under gdb, and {why}.\n"));
    finding.frames = stack::frames(&text).into_iter().take(3).collect();
    finding.place = finding.failure().with_backtrace(&text).place;
    let mut inner = shared.lock();
    // It may have been merged with another meanwhile.
    if let Some(now) = inner.store.findings().iter().find(|f| f.id == id) {
        finding.seen = now.seen;
        inner.store.save(&finding, &[("backtrace.txt", &text)])?;
        statement::write(&inner.store.folder(id), &finding)?;
    }
    Ok(())
}
