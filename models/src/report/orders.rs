//! The table of memory orders: which of them the scenarios need.

use crate::catalogue::Entry;
use crate::engine::Weakened;
use serde::Serialize;
use std::fmt::Write as _;

/// A weakened order, for a file of records.
#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: &'static str,
    /// The order, and what came of weakening it.
    #[serde(flatten)]
    pub weakened: Weakened,
}

/// A record of one weakened order.
pub fn order_row(entry: &Entry, weakened: Weakened) -> OrderRow {
    OrderRow { schema: "threadbare.orders/1", protocol: entry.name, weakened }
}

/// The orders of a protocol, each weakened by itself.
pub fn orders(entry: &Entry, rows: &[Weakened]) -> String {
    let mut text = format!("{} ({}): orders weakened one at a time\n", entry.title, entry.name);
    let _ = writeln!(
        text,
        "  {:<34} {:<7} {:<8} {:<8} what then breaks",
        "place", "step", "stated", "tried"
    );
    for row in rows {
        let outcome = match &row.broken {
            Some((scenario, kind)) => format!("{scenario}: {kind}"),
            None if row.sampled > 0 => {
                format!("nothing found, {} scenario(s) not exhausted", row.sampled)
            }
            None => "nothing: no scenario needs it".to_owned(),
        };
        let _ = writeln!(
            text,
            "  {:<34} {:<7} {:<8} {:<8} {outcome}",
            row.place, row.step, row.stated, row.tried
        );
    }
    if rows.is_empty() {
        let _ = writeln!(text, "  none is stronger than relaxed");
    }
    text
}

/// What the rows mean, once below all tables.
pub const ORDERS_FOOT: &str = "\
The explorer goes through every scenario under RC11. An order that no scenario needs may be needed
by a larger one, or be there for a form beside the scheme: the comment at its place says which.
Relaxed, of a fence: there is none.";
