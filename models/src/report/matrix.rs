//! The matrix: protocols and what checks them.

use crate::catalogue::Entry;
use crate::enumerate::EVERY_RUN;
use crate::facts::Sheet;
use crate::protocol::{MutantInfo, Visible};
use serde::Serialize;
use std::fmt::Write as _;

/// What is stated of a protocol, which engines are expected to kill its mutants, and where it is met.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MatrixRow {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: String,
    /// Properties.
    pub properties: usize,
    /// Scenarios.
    pub scenarios: usize,
    /// Small programs that every run of the tests explores.
    pub programs: usize,
    /// Mutants.
    pub mutants: usize,
    /// Mutants expected to be killed by loom; tests hold the catalogue to it, as to the two below.
    pub loom: usize,
    /// Mutants expected to be killed by shuttle.
    pub shuttle: usize,
    /// Mutants expected to be killed by the explorer.
    pub explorer: usize,
    /// Of these, mutants that no other engine can judge.
    pub exact_only: usize,
    /// Forms that some system ships, among the mutants.
    pub shipped: usize,
    /// Whether generated programs run on real threads.
    pub native: bool,
    /// VM probes paired with the protocol.
    pub probes: usize,
    /// Known bugs paired with the protocol.
    pub bugs: usize,
}

/// The row of a protocol; probes and bugs are counted by the caller, who knows them.
pub fn matrix_row(entry: &Entry, probes: usize, bugs: usize) -> MatrixRow {
    let count = |f: &dyn Fn(&MutantInfo) -> bool| entry.mutants.iter().filter(|m| f(m)).count();
    MatrixRow {
        schema: "threadbare.matrix/2",
        protocol: entry.name.into(),
        properties: entry.properties.len(),
        scenarios: entry.scenarios.len(),
        programs: entry.every_run(),
        mutants: entry.mutants.len(),
        loom: count(&|m| m.visible.by_loom()),
        shuttle: count(&|m| m.visible.by_shuttle()),
        explorer: count(&|m| m.visible.by_explorer()),
        exact_only: count(&|m| matches!(m.visible, Visible::Explorer(_))),
        shipped: count(&|m| m.shipped),
        native: !entry.starts.is_empty(),
        probes,
        bugs,
    }
}

/// The row of a protocol that has no scheme.
pub fn empty_row(protocol: &str, probes: usize, bugs: usize) -> MatrixRow {
    let schema = "threadbare.matrix/2";
    MatrixRow { schema, protocol: protocol.into(), probes, bugs, ..MatrixRow::default() }
}

/// Heads of the columns.
pub const MATRIX_HEAD: [&str; 10] = [
    "protocol",
    "properties",
    "scenarios",
    "programs",
    "explorer",
    "loom",
    "shuttle",
    "native",
    "probes",
    "bugs",
];

/// The cells of a row; an empty one is a middle dot, never blank.
pub fn matrix_cells(row: &MatrixRow) -> [String; 10] {
    let cell = |n: usize| if n == 0 { "·".to_owned() } else { n.to_string() };
    let killed = |n: usize| match row.mutants {
        0 => "·".to_owned(),
        all => format!("{n}/{all}"),
    };
    [
        row.protocol.clone(),
        cell(row.properties),
        cell(row.scenarios),
        cell(row.programs),
        killed(row.explorer),
        killed(row.loom),
        killed(row.shuttle),
        if row.native { "yes" } else { "·" }.to_owned(),
        cell(row.probes),
        cell(row.bugs),
    ]
}

/// The matrix as text, with the mechanisms that the literature names below it.
pub fn matrix(rows: &[MatrixRow], sheets: &[Sheet]) -> String {
    let mut text = format!(
        "{:<17} {:^29}  {:^24}  {:^20}\n",
        "", "stated", "expected to be killed by", "met in"
    );
    let mut line = |[a, b, c, p, d, e, f, g, h, i]: [&str; 10]| {
        let _ = writeln!(
            text,
            "{a:<17} {b:>10} {c:>9} {p:>8}  {d:>8} {e:>7} {f:>7}  {g:>6} {h:>6} {i:>6}"
        );
    };
    line(MATRIX_HEAD);
    for row in rows {
        line(matrix_cells(row).each_ref().map(String::as_str));
    }
    let sum = |f: fn(&MatrixRow) -> usize| rows.iter().map(f).sum::<usize>();
    let bounds = EVERY_RUN.map(|bound| bound.to_string()).join(" and ");
    let modelled = rows.iter().filter(|r| r.scenarios > 0).count();
    let _ = writeln!(
        text,
        "{modelled} protocols with a scheme, {} without that known bugs name; {} mutants, {} of them \
         forms that some system\nships, {} expected of the explorer's exact memory model alone. These \
         are expectations: `cargo test` holds every\nengine to them, `threadbare check --mutants` \
         prints what came out. Programs: all of {bounds} threads × operations\nafter the set-ups of `threadbare check PROTOCOL`, explored by every run of the tests. ·: nothing.",
        rows.len() - modelled,
        sum(|r| r.mutants),
        sum(|r| r.shipped),
        sum(|r| r.exact_only),
    );
    text + &sheet_table(sheets)
}

/// The mechanisms and how many of their named faults are mutants, as text; nothing for none.
fn sheet_table(sheets: &[Sheet]) -> String {
    let mut text = String::new();
    if sheets.is_empty() {
        return text;
    }
    let _ = writeln!(
        text,
        "\n{:<19} {:>7} {:>7} {:>7}  protocols",
        "mechanism", "mutants", "reason", "not yet"
    );
    let cell = |n: usize| if n == 0 { "·".to_owned() } else { n.to_string() };
    for sheet in sheets {
        let share = format!("{}/{}", sheet.mutants, sheet.named);
        let protocols = sheet.protocols.join(" ");
        let _ = writeln!(
            text,
            "{:<19} {share:>7} {:>7} {:>7}  {}",
            sheet.sheet,
            cell(sheet.reasons),
            cell(sheet.not_yet()),
            if protocols.is_empty() { "·" } else { &protocols },
        );
    }
    let sum = |f: fn(&Sheet) -> usize| sheets.iter().map(f).sum::<usize>();
    let _ = writeln!(
        text,
        "Of the faults that the literature names, {}/{} are mutants, {} are left out for a stated \
         reason and {} are not yet\ndone; {} of {} mechanisms have no mutant at all. models/facts.tsv has each \
         by name; four stand in two mechanisms.",
        sum(|s| s.mutants),
        sum(|s| s.named),
        sum(|s| s.reasons),
        sum(Sheet::not_yet),
        sheets.iter().filter(|s| s.protocols.is_empty()).count(),
        sheets.len(),
    );
    text
}
