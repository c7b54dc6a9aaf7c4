//! The list of findings: clusters of near-duplicates, worst first.

use super::severity::Severity;
use super::similar::{Trait, cluster};
use super::statement::{Statements, per_minute};
use super::{Entry, known, rank};
use crate::finding::Schedule;
use crate::program::stats;
use crate::shell::word;
use serde::Serialize;
use std::fmt::Write as _;

/// A line of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Folder name.
    pub id: String,
    /// The folder.
    pub folder: String,
    /// Number of the cluster, from 1, worst first.
    pub cluster: usize,
    /// Severity.
    pub severity: Severity,
    /// Kind of failure.
    pub kind: String,
    /// Subject.
    pub subject: String,
    /// VM and version.
    pub vm: String,
    /// The scenario's calls.
    pub operations: String,
    /// Runs of the script that hit, and runs.
    pub hits: Option<(u32, u32)>,
    /// 95 % interval of the share.
    pub share: Option<(f64, f64)>,
    /// The schedule that shows it under control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The marks, one unless a merge brought others together.
    pub marks: Vec<super::marks::Mark>,
    /// The statements, the known bug among them.
    pub statements: Statements,
}

/// The list: clusters in order of their worst finding, findings within them in order too.
pub fn rows(entries: &[Entry]) -> Vec<Row> {
    let traits: Vec<Trait> = entries
        .iter()
        .map(|e| Trait::of(&e.finding, &e.stack))
        .collect();
    let order = |i: &usize| rank(&entries[*i].finding);
    let mut groups = cluster(&traits);
    for group in &mut groups {
        group.sort_by(|a, b| order(a).cmp(&order(b)));
    }
    groups.sort_by(|a, b| order(&a[0]).cmp(&order(&b[0])));
    let numbered = groups.iter().enumerate();
    numbered
        .flat_map(|(n, group)| group.iter().map(move |&i| row(&entries[i], n + 1)))
        .collect()
}

fn row(entry: &Entry, cluster: usize) -> Row {
    let finding = &entry.finding;
    let rate = finding.script;
    Row {
        id: finding.id.clone(),
        folder: entry.folder.display().to_string(),
        cluster,
        severity: entry.severity(),
        kind: finding.kind.to_string(),
        subject: finding.subject.clone(),
        vm: finding.facts.title(),
        operations: finding.scenario.to_string(),
        hits: rate.map(|r| (r.hits, r.runs)),
        share: rate.map(|r| stats::wilson(r.hits, r.runs)),
        schedule: finding.schedule.clone(),
        marks: entry.marks.clone(),
        statements: Statements::on(finding, entry.known.clone()),
    }
}

/// The list as text.
pub fn text(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut last = 0;
    for row in rows {
        if row.cluster != last {
            let size = rows.iter().filter(|r| r.cluster == row.cluster).count();
            let near = if size > 1 {
                format!(" — {size} near-duplicates")
            } else {
                String::new()
            };
            let _ = writeln!(out, "{}. {}{near}", row.cluster, row.severity);
            last = row.cluster;
        }
        let script = match (row.hits, row.share) {
            (Some((hits, runs)), Some((low, high))) => Some(format!(
                "script hits {hits}/{runs} (95 % interval {:.0}–{:.0} %)",
                low * 100.0,
                high * 100.0
            )),
            _ => None,
        };
        let schedule = row.schedule.as_ref().map(Schedule::line);
        let rate = match (script, schedule) {
            (None, None) => "script not yet run".to_owned(),
            (script, schedule) => script
                .into_iter()
                .chain(schedule)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let _ = writeln!(
            out,
            "   {}\n      {} {} on {}: {}\n      {rate}",
            row.id, row.kind, row.subject, row.vm, row.operations
        );
        for mark in &row.marks {
            let _ = writeln!(out, "      mark: {}", mark.line());
        }
        if row.marks.iter().any(|m| m.state != row.marks[0].state) {
            let _ = writeln!(out, "      these marks contradict each other; mark it anew");
        }
        if let Some(bug) = known::line(&row.statements.known_bug) {
            let _ = writeln!(out, "      looks like {bug}");
        }
    }
    if rows.is_empty() {
        return "no findings\n".to_owned();
    }
    let clusters = rows.iter().map(|r| r.cluster).max().unwrap_or(0);
    let counts: Vec<String> = Severity::ALL
        .iter()
        .map(|s| (s, rows.iter().filter(|r| r.severity == *s).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {s}"))
        .collect();
    let _ = writeln!(
        out,
        "{} findings in {clusters} clusters: {}",
        rows.len(),
        counts.join(", ")
    );
    out
}

/// One finding in full.
pub fn show(entry: &Entry) -> String {
    let finding = &entry.finding;
    let statements = Statements::on(finding, entry.known.clone());
    let mut out = format!(
        "{}: {} of {}, severity {}\n  {}\n  {}\n",
        finding.id,
        finding.kind,
        finding.subject,
        statements.severity,
        finding.scenario,
        finding.detail
    );
    for (heading, line) in statements.lines() {
        let _ = writeln!(out, "  {heading}: {line}");
    }
    for mark in &entry.marks {
        let _ = writeln!(out, "  mark: {} (on {})", mark.line(), mark.vm);
    }
    if !entry.stack.is_empty() {
        let _ = writeln!(out, "  innermost frames: {}", entry.stack.join(" < "));
    }
    if let Some(rate) = finding.script.filter(|r| r.hits > 0) {
        let _ = writeln!(
            out,
            "  on average {:.1} s to a hit, {}",
            rate.mean_seconds,
            per_minute(rate.hits, rate.seconds())
        );
    }
    let folder = word(&entry.folder.display().to_string());
    let _ = writeln!(out, "  again: threadbare repro {folder}");
    if finding.schedule.is_some() {
        let _ = writeln!(out, "         threadbare replay {folder}");
    }
    out
}
