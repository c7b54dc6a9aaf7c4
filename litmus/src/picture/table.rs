//! One column per thread.

use super::{Drawing, Origin, Row};
use std::fmt::Write;

/// Pads to a width in characters.
fn padded(text: &str, width: usize) -> String {
    let len = text.chars().count();
    format!("{text}{}", " ".repeat(width.saturating_sub(len)))
}

impl Drawing {
    fn name(&self, source: Origin) -> String {
        match source {
            Origin::Initial => "init".into(),
            Origin::Row(row) => format!("#{}", row + 1),
            Origin::Hidden => "…".into(),
        }
    }

    fn cell(&self, row: &Row) -> String {
        let mut cell = row.text.clone();
        if !row.order.is_empty() {
            let _ = write!(cell, "  {}", row.order);
        }
        if let Some(source) = row.reads {
            let _ = write!(cell, "  ← {}", self.name(source));
        }
        cell
    }

    /// Only threads that did something have a column.
    fn columns(&self) -> Vec<usize> {
        let busy = |t: &usize| self.rows.iter().any(|r| r.thread == *t);
        (0..self.threads.len()).filter(busy).collect()
    }

    pub(super) fn table(&self) -> String {
        let columns = self.columns();
        let widths: Vec<usize> = columns
            .iter()
            .map(|&t| {
                let cells = self
                    .rows
                    .iter()
                    .filter(|r| r.thread == t)
                    .map(|r| self.cell(r));
                let widest = cells.map(|c| c.chars().count()).max().unwrap_or(0);
                widest.max(self.threads[t].chars().count())
            })
            .collect();
        let number = self.rows.len().to_string().len() + 1;
        let mut text = String::new();
        let mut line = |head: &str, cells: Vec<String>, separator: &str, tail: &str| {
            let row = format!("{} {} {tail}", padded(head, number), cells.join(separator));
            let _ = writeln!(text, "{}", row.trim_end());
        };
        let heads = columns
            .iter()
            .zip(&widths)
            .map(|(&t, &w)| padded(&self.threads[t], w));
        line("", heads.collect(), " │ ", "");
        let rules = widths.iter().map(|&w| "─".repeat(w));
        line(&"─".repeat(number), rules.collect(), "─┼─", "");
        for (n, row) in self.rows.iter().enumerate() {
            let cells = columns.iter().zip(&widths).map(|(&t, &w)| {
                padded(
                    &if t == row.thread {
                        self.cell(row)
                    } else {
                        String::new()
                    },
                    w,
                )
            });
            let mut tail = format!("  {}", row.site);
            if let Some(missed) = row.stale {
                let _ = write!(tail, "  ! does not see #{}", missed + 1);
            }
            if row.marked {
                tail.push_str("  ✗");
            }
            line(&format!("#{}", n + 1), cells.collect(), " │ ", &tail);
        }
        for waiting in &self.waiting {
            let _ = writeln!(text, "{} {}", self.threads[waiting.thread], waiting.text);
        }
        for (name, writes) in &self.coherence {
            let order: Vec<String> = writes.iter().map(|&w| self.name(w)).collect();
            let _ = writeln!(text, "writes of {name}: {}", order.join(" then "));
        }
        text
    }
}
