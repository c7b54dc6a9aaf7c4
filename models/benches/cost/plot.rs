//! The measurements as one SVG: own and shared object side by side, a bar per number of
//! threads, logarithmic.

use crate::{Row, THREADS};
use std::fmt::Write as _;

const BAR: usize = 13;
const ROW: usize = 3 * BAR + 12;
const TOP: usize = 74;
const NAMES: f64 = 150.0;
const PANEL: f64 = 330.0;
/// One thread, two, four.
const SHADES: [&str; 3] = ["#173f5f", "#3d7ea6", "#a3c9e2"];

/// The picture.
pub(crate) fn svg(rows: &[Row]) -> String {
    let all = || rows.iter().flat_map(|r| r.own.iter().chain(&r.shared)).copied();
    let low = 10f64.powf(all().fold(f64::MAX, f64::min).log10().floor());
    let high = 10f64.powf(all().fold(0.0, f64::max).log10().ceil());
    // Room for the number behind the longest bar.
    let across = |value: f64| (PANEL - 70.0) * (value / low).log10() / (high / low).log10();
    let bottom = TOP + rows.len() * ROW;
    let width = NAMES + 2.0 * PANEL;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <title>Nanoseconds per increment and decrement</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"15\">Nanoseconds per increment and decrement, \
         shorter is better, logarithmic</text>\n",
        bottom + 28
    );
    for (n, (shade, threads)) in SHADES.iter().zip(THREADS).enumerate() {
        let x = NAMES + 92.0 * n as f64;
        let plural = if threads == 1 { "" } else { "s" };
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"32\" width=\"12\" height=\"12\" fill=\"{shade}\"/>\
             <text x=\"{}\" y=\"43\">{threads} thread{plural}</text>",
            x + 17.0
        );
    }
    for (panel, title) in ["own object", "shared object"].into_iter().enumerate() {
        let left = NAMES + PANEL * panel as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{title}</text>",
            TOP - 8
        );
        let mut grid = low;
        while grid <= high * 1.01 {
            let x = left + across(grid);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{grid}</text>",
                bottom + 16
            );
            grid *= 10.0;
        }
        for (n, row) in rows.iter().enumerate() {
            let y = TOP + n * ROW + 6;
            if panel == 0 {
                let _ =
                    writeln!(svg, "<text x=\"8\" y=\"{}\">{}</text>", y + 2 * BAR - 3, row.name);
            }
            let cells = if panel == 0 { row.own } else { row.shared };
            for (k, (value, shade)) in cells.into_iter().zip(SHADES).enumerate() {
                let (top, long) = (y + k * BAR, across(value).max(1.0));
                let _ = writeln!(
                    svg,
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{long:.1}\" height=\"{}\" \
                     fill=\"{shade}\"/><text x=\"{:.1}\" y=\"{}\" font-size=\"10\">{value:.1}</text>",
                    BAR - 2,
                    left + long + 4.0,
                    top + BAR - 4
                );
            }
        }
    }
    svg + "</svg>\n"
}
