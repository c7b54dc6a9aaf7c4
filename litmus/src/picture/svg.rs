//! The graph as a picture: a column per thread, time downwards, and the arrows.

use super::{Drawing, Origin};
use std::fmt::Write;

const ROW: usize = 44;
const BOX: usize = 30;
const TOP: usize = 58;
const GAP: usize = 90;
/// Width of a character of the monospaced font, in tenths of a unit.
const CHARACTER: usize = 73;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Where a row's box is.
#[derive(Clone, Copy)]
struct At {
    left: usize,
    width: usize,
    middle: usize,
}

struct Arrow {
    from: At,
    to: At,
    class: &'static str,
    label: &'static str,
}

impl Drawing {
    fn label(&self, row: usize) -> String {
        let shown = &self.rows[row];
        format!("{} {}", shown.text, shown.order)
            .trim_end()
            .to_string()
    }

    pub(super) fn svg(&self) -> String {
        let columns: Vec<usize> = (0..self.threads.len())
            .filter(|t| self.rows.iter().any(|r| r.thread == *t))
            .collect();
        let width_of = |t: usize| {
            let texts = (0..self.rows.len())
                .filter(|&r| self.rows[r].thread == t)
                .map(|r| {
                    self.label(r)
                        .chars()
                        .count()
                        .max(self.rows[r].site.chars().count())
                });
            texts.max().unwrap_or(0).max(6) * CHARACTER / 10 + 20
        };
        let mut left = 70;
        let mut place = vec![(0, 0); self.threads.len()];
        for &t in &columns {
            place[t] = (left, width_of(t));
            left += place[t].1 + GAP;
        }
        let at = |row: usize| {
            let (left, width) = place[self.rows[row].thread];
            At {
                left,
                width,
                middle: TOP + row * ROW + BOX / 2,
            }
        };
        let height = TOP + self.rows.len() * ROW + 50;
        let width = left.max(360);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\">\n<style>text{{font:12px monospace}}\
             .s{{font-size:9px;fill:#777}}.h{{font-weight:bold}}rect{{fill:#fff;stroke:#444}}\
             .x{{stroke:#d00;stroke-width:2.5}}path{{fill:none;stroke-width:1.4}}\
             .rf{{stroke:#080}}.sw{{stroke:#05c}}.co{{stroke:#c70;stroke-dasharray:6 3}}\
             .fr{{stroke:#d00;stroke-dasharray:2 3}}.sb{{stroke:#444}}\
             .l{{font-size:9px}}</style>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" \
             refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">\
             <path d=\"M0 0 8 4 0 8z\" style=\"fill:context-stroke;stroke:none\"/></marker></defs>\n\
             <rect width=\"{width}\" height=\"{height}\" style=\"stroke:none\"/>\n"
        );
        for &t in &columns {
            let (left, width) = place[t];
            let name = escaped(&self.threads[t]);
            let middle = left + width / 2;
            let _ = writeln!(
                text,
                "<text x=\"{middle}\" y=\"30\" text-anchor=\"middle\" class=\"h\">{name}</text>"
            );
            let rows: Vec<usize> = (0..self.rows.len())
                .filter(|&r| self.rows[r].thread == t)
                .collect();
            for pair in rows.windows(2) {
                let (a, b) = (at(pair[0]).middle + BOX / 2, at(pair[1]).middle - BOX / 2);
                let _ = writeln!(
                    text,
                    "<path class=\"sb\" d=\"M{middle} {a} {middle} {b}\" marker-end=\"url(#a)\"/>"
                );
            }
        }
        for (n, row) in self.rows.iter().enumerate() {
            let At {
                left,
                width,
                middle,
            } = at(n);
            let class = if row.marked { " class=\"x\"" } else { "" };
            let (top, line, small) = (middle - BOX / 2, middle - 1, middle + 11);
            let center = left + width / 2;
            let _ = writeln!(
                text,
                "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{BOX}\" rx=\"4\"{class}/>\
                 <text x=\"8\" y=\"{line}\" class=\"s\">#{}</text>\
                 <text x=\"{center}\" y=\"{line}\" text-anchor=\"middle\">{}</text>\
                 <text x=\"{center}\" y=\"{small}\" text-anchor=\"middle\" class=\"s\">{}</text>",
                n + 1,
                escaped(&self.label(n)),
                escaped(&row.site)
            );
            if row.reads == Some(Origin::Initial) {
                let (x, y) = (left - 2, middle);
                let _ = writeln!(
                    text,
                    "<text x=\"{}\" y=\"{}\" class=\"l\" fill=\"#080\">init</text>\
                     <path class=\"rf\" d=\"M{} {y} {x} {y}\" marker-end=\"url(#a)\"/>",
                    left - 42,
                    y - 3,
                    left - 22
                );
            }
        }
        for arrow in self.arrows(at) {
            let _ = writeln!(text, "{}", arrow.draw());
        }
        let foot = height - 14;
        let _ = writeln!(
            text,
            "<text x=\"8\" y=\"{foot}\" class=\"s\">green: reads from · blue: reads from and \
             synchronises · orange: coherence · red: reads what is overwritten by</text>\n</svg>"
        );
        text
    }

    fn arrows(&self, at: impl Fn(usize) -> At) -> Vec<Arrow> {
        let mut all = Vec::new();
        let mut add = |from, to, class, label| {
            all.push(Arrow {
                from: at(from),
                to: at(to),
                class,
                label,
            });
        };
        for (r, row) in self.rows.iter().enumerate() {
            if let Some(Origin::Row(from)) = row.reads {
                let class = if row.synchronises { "sw" } else { "rf" };
                add(from, r, class, class);
            }
        }
        for (_, writes) in &self.coherence {
            for pair in writes.windows(2) {
                if let [Origin::Row(a), Origin::Row(b)] = *pair {
                    add(a, b, "co", "co");
                }
            }
        }
        for &(from, to) in &self.overwritten {
            add(from, to, "fr", "fr");
        }
        all
    }
}

impl Arrow {
    /// A curve between facing sides; within a column, around its right side.
    fn draw(&self) -> String {
        let (a, b) = (self.from, self.to);
        let offset = match self.class {
            "co" => 6,
            "fr" => -6,
            _ => 0,
        };
        let shift = |y: usize| (y as i64 + offset).to_string();
        let (y1, y2) = (shift(a.middle), shift(b.middle));
        let (x1, x2, c1, c2) = if a.left == b.left {
            let x = a.left + a.width;
            (x, x, x + GAP / 2, x + GAP / 2)
        } else if a.left < b.left {
            let (x1, x2) = (a.left + a.width, b.left);
            (x1, x2, x1 + GAP / 2, x2.saturating_sub(GAP / 2))
        } else {
            let (x1, x2) = (a.left, b.left + b.width);
            (x1, x2, x1.saturating_sub(GAP / 2), x2 + GAP / 2)
        };
        let (class, label) = (self.class, self.label);
        let (lx, ly) = ((c1 + c2) / 2, (a.middle + b.middle) as i64 / 2 + offset - 3);
        format!(
            "<path class=\"{class}\" d=\"M{x1} {y1} C{c1} {y1} {c2} {y2} {x2} {y2}\" \
             marker-end=\"url(#a)\"/><text x=\"{lx}\" y=\"{ly}\" class=\"l\">{label}</text>"
        )
    }
}
