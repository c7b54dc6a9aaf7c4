//! The matrix: protocols and what checks them.

use crate::catalogue::Entry;
use crate::protocol::{MutantInfo, Visible};
use serde::Serialize;
use std::fmt::Write as _;

/// Killed, killable, and waiting mutants by engine, for the matrix.
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
    /// Mutants.
    pub mutants: usize,
    /// Mutants expected to be killed by loom; tests hold the catalogue to it.
    pub loom: usize,
    /// Mutants expected to be killed by shuttle.
    pub shuttle: usize,
    /// Mutants that the explorer kills.
    pub explorer: usize,
    /// Of these, mutants that no other engine can judge.
    pub exact_only: usize,
    /// Forms that some system ships, among the mutants.
    pub shipped: usize,
    /// Named faults that are not expressed.
    pub not_expressed: usize,
    /// Whether random scenarios run on real threads.
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
        schema: "threadbare.matrix/1",
        protocol: entry.name.into(),
        properties: entry.properties.len(),
        scenarios: entry.scenarios.len(),
        mutants: entry.mutants.len(),
        loom: count(&|m| m.visible.by_loom()),
        shuttle: count(&|m| m.visible.by_shuttle()),
        explorer: count(&|m| m.visible.by_explorer()),
        exact_only: count(&|m| matches!(m.visible, Visible::Explorer(_))),
        shipped: count(&|m| m.shipped),
        not_expressed: entry.not_expressed.len(),
        native: true,
        probes,
        bugs,
    }
}

/// The row of a protocol that has no scheme.
pub fn empty_row(protocol: &str, probes: usize, bugs: usize) -> MatrixRow {
    let schema = "threadbare.matrix/1";
    MatrixRow { schema, protocol: protocol.into(), probes, bugs, ..MatrixRow::default() }
}

/// Heads of the columns.
pub const MATRIX_HEAD: [&str; 10] = [
    "protocol",
    "properties",
    "scenarios",
    "explorer",
    "loom",
    "shuttle",
    "omitted",
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
        killed(row.explorer),
        killed(row.loom),
        killed(row.shuttle),
        cell(row.not_expressed),
        if row.native { "yes" } else { "·" }.to_owned(),
        cell(row.probes),
        cell(row.bugs),
    ]
}

/// The matrix as text.
pub fn matrix(rows: &[MatrixRow]) -> String {
    let mut text = format!("{:<17} {:^20}  {:^32}  {:^20}\n", "", "stated", "killed by", "met in");
    let mut line = |[a, b, c, d, e, f, g, h, i, j]: [&str; 10]| {
        let _ = writeln!(
            text,
            "{a:<17} {b:>10} {c:>9}  {d:>8} {e:>7} {f:>7} {g:>7}  {h:>6} {i:>6} {j:>6}"
        );
    };
    line(MATRIX_HEAD);
    for row in rows {
        line(matrix_cells(row).each_ref().map(String::as_str));
    }
    let sum = |f: fn(&MatrixRow) -> usize| rows.iter().map(f).sum::<usize>();
    let modelled = rows.iter().filter(|r| r.scenarios > 0).count();
    let _ = writeln!(
        text,
        "{modelled} protocols with a scheme, {} without; {} mutants, {} of them forms that some \
         system ships, {} killed by the\nexplorer's exact memory model alone; {} faults named in \
         the literature are omitted, with reasons. `cargo test` holds every\nengine to these \
         numbers; `threadbare check --mutants` prints executions to kill. ·: nothing.",
        rows.len() - modelled,
        sum(|r| r.mutants),
        sum(|r| r.shipped),
        sum(|r| r.exact_only),
        sum(|r| r.not_expressed),
    );
    text
}
