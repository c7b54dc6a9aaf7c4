//! Backtraces of crashes, taken beside the hunt: from the core that the script's hit left, or, where the
//! machine keeps none, from another run of the script under a debugger, which takes seconds of both
//! processors.

use super::measure::Core;
use super::{HuntError, Shared};
use crate::finding::store::script;
use crate::triage::statement;
use crate::verdict::stack;
use crate::vm::child::interrupted;
use crate::vm::debugger::{self, core_file};
use std::time::Duration;

/// A finding that waits for its backtrace.
#[derive(Debug)]
pub(crate) struct Untraced {
    /// Its id.
    pub id: String,
    /// What its script's hit left.
    pub core: Option<Core>,
}

/// Takes the backtraces that are asked for until the workers have ended. A core is still read when the
/// time is over: it is all that is left of its crash.
pub(super) fn run(shared: &Shared<'_>) {
    loop {
        let (next, ended) = {
            let mut inner = shared.lock();
            (inner.untraced.pop_front(), inner.workers == 0)
        };
        match next {
            _ if interrupted() => return,
            Some(next) if next.core.is_none() && shared.over() => {}
            Some(next) => {
                if let Err(error) = one(shared, &next) {
                    shared.lock().error.get_or_insert(error);
                    return;
                }
            }
            None if ended => return,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Takes the backtrace of one.
pub(super) fn one(shared: &Shared<'_>, untraced: &Untraced) -> Result<(), HuntError> {
    let id = untraced.id.as_str();
    let (finding, file) = {
        let inner = shared.lock();
        let finding = inner.store.findings().iter().find(|f| f.id == id).cloned();
        (finding, script(&inner.store.folder(id)))
    };
    let Some(mut finding) = finding else {
        return Ok(());
    };
    let text = match &untraced.core {
        Some(core) => core_file::text(shared.vm, &core.path)
            .ok_or_else(|| "gdb could not read the core".to_owned()),
        None => {
            // Under the debugger and beside a hunt a script is slower than it was alone.
            let seconds = finding.script.map_or(4.0, |r| r.mean_seconds * 10.0 + 4.0);
            let seconds = seconds.min(12.0).ceil() as u64;
            let most = shared.left(Duration::from_secs(seconds + 20));
            if most < Duration::from_secs(seconds) {
                // The next part of the hunt asks again.
                return Ok(());
            }
            again(shared, &file, seconds, most)
        }
    };
    // Cut off, the debugger says nothing; the next part of the hunt asks again.
    if interrupted() {
        return Ok(());
    }
    let text = text.unwrap_or_else(|why| format!("No backtrace: {why}.\n"));
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

/// The backtrace of another crash of the script.
fn again(
    shared: &Shared<'_>,
    script: &std::path::Path,
    seconds: u64,
    most: Duration,
) -> Result<String, String> {
    let why = match core_file::usable() {
        Ok(()) => return core_file::of_script(shared.vm, script, seconds, most),
        Err(why) => why,
    };
    let text = debugger::within(shared.vm, script, seconds, most);
    text.ok_or_else(|| format!("it did not crash under gdb, and {why}"))
}
