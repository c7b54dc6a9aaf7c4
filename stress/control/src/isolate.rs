//! Of a batch that failed, the window that failed by itself.
//!
//! Batches are the fast way to search: many windows in one child. Where one of them fails, the windows before it are
//! run again by their choices, and a child is forked when that window opens: what is replayed, traced and minimised
//! from there on is one window, in the state that the others have left. The same orders with another strategy search
//! that window from that state, a fork each.

use crate::launch::{Error, Orders, Program, Report, run};

/// Isolates the window in which the last run of a report ended, and says what came of it by itself: none where it does
/// not end as in its batch, for one because what failed is what comes after the windows.
///
/// # Errors
/// Where the program does not run, or its threads are not switched in user mode.
pub fn isolate(
    program: &Program,
    orders: &Orders,
    report: &Report,
) -> Result<Option<(Orders, Report)>, Error> {
    let Some(alone) = orders.isolated(report, report.last.windows) else {
        return Ok(None);
    };
    let isolated = run(program, &alone)?;
    Ok(isolated
        .last
        .ends_as(&report.last)
        .then_some((alone, isolated)))
}
