//! The graph for graphviz.

use super::{Drawing, Origin};
use std::fmt::Write;

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

impl Drawing {
    pub(super) fn dot(&self) -> String {
        let mut text = String::from(
            "digraph execution {\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n  \
             edge [fontname=\"monospace\", fontsize=9];\n",
        );
        if self.rows.iter().any(|r| r.reads == Some(Origin::Initial)) {
            text.push_str("  init [shape=ellipse];\n");
        }
        for (t, name) in self.threads.iter().enumerate() {
            let rows: Vec<usize> = (0..self.rows.len())
                .filter(|&r| self.rows[r].thread == t)
                .collect();
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(
                text,
                "  subgraph cluster_{t} {{\n    label=\"{}\";",
                quoted(name)
            );
            for &r in &rows {
                let row = &self.rows[r];
                let color = if row.marked {
                    ", color=red, penwidth=2"
                } else {
                    ""
                };
                let label = format!("#{} {} {}", r + 1, row.text, row.order);
                let label = quoted(label.trim_end());
                let site = quoted(&row.site);
                let _ = writeln!(text, "    e{r} [label=\"{label}\\n{site}\"{color}];");
            }
            for pair in rows.windows(2) {
                let _ = writeln!(text, "    e{} -> e{} [weight=10];", pair[0], pair[1]);
            }
            text.push_str("  }\n");
        }
        let node = |source: Origin| match source {
            Origin::Initial => Some("init".to_string()),
            Origin::Row(row) => Some(format!("e{row}")),
            Origin::Hidden => None,
        };
        for (r, row) in self.rows.iter().enumerate() {
            if let Some(from) = row.reads.and_then(node) {
                let (label, color) = if row.synchronises {
                    ("rf sw", "blue")
                } else {
                    ("rf", "darkgreen")
                };
                let _ = writeln!(
                    text,
                    "  {from} -> e{r} [label=\"{label}\", color={color}, constraint=false];"
                );
            }
        }
        for (_, writes) in &self.coherence {
            for pair in writes[1..].windows(2) {
                if let (Some(a), Some(b)) = (node(pair[0]), node(pair[1])) {
                    let _ = writeln!(
                        text,
                        "  {a} -> {b} [label=\"co\", color=orange, style=dashed, constraint=false];"
                    );
                }
            }
        }
        for (from, to) in &self.overwritten {
            let _ = writeln!(
                text,
                "  e{from} -> e{to} [label=\"fr\", color=red, style=dotted, constraint=false];"
            );
        }
        text.push_str("}\n");
        text
    }
}
