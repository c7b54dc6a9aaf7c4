//! Near-duplicates: the same fault met through other operations, subjects or versions.
//!
//! Stacks are compared as in ReBucket (Dang, Wu, Zhang, Zhang and Nobel, ICSE 2012): the best
//! alignment of two stacks, where a pair of equal functions counts the less the deeper it lies
//! and the more the two depths differ. Clusters are complete-linkage, as there: every two members
//! are similar, so that a chain of half-similar crashes never joins two faults. The casr crates
//! have the same measure, over stacks with lines and addresses and with a tree of further
//! dependencies; these sixty lines serve better.

use crate::bugs::attribute;
use crate::finding::Finding;
use crate::identity::may_be_one;
use crate::verdict::noise::{self, Class};
use crate::verdict::{ALONE, Kind};
use std::collections::BTreeSet;

/// How fast a frame's weight falls with its depth (ReBucket's `c`).
const DEPTH: f64 = 0.3;

/// How much a pair loses for lying at different depths (ReBucket's `o`).
const OFFSET: f64 = 0.3;

/// Two findings at least this similar are near-duplicates. On the catalogue's recorded crashes,
/// copies of one bug with other callers stay above and different bugs below.
pub const NEAR: f64 = 0.72;

/// Telling frames that are compared.
const FRAMES: usize = 8;

/// Functions that report or pass on a fault: which one it is, their callers say.
const REPORTERS: &[Class] = &[Class::Death, Class::Lock, Class::Access];

/// The frames of a finding that tell it from others, innermost first: of the first stack of its
/// backtrace that has any, else of the finding itself. Addresses, lines and compiler suffixes
/// are gone, and so is what every stack has.
pub fn stack(finding: &Finding, evidence: &str) -> Vec<String> {
    let telling = |mut stack: Vec<String>| {
        stack.retain(|f| !noise::is(f, REPORTERS));
        stack
    };
    let mut stack = attribute::stacks(evidence)
        .into_iter()
        .map(telling)
        .find(|s| !s.is_empty())
        .unwrap_or_else(|| telling(attribute::told(finding.frames.clone())));
    stack.dedup();
    stack.truncate(FRAMES);
    stack
}

/// Similarity of two stacks, 0 to 1; 1 for equal ones, also for two empty ones.
pub fn stacks(a: &[String], b: &[String]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    // best[i][j]: best alignment of the i innermost frames of a with the j innermost of b.
    let mut best = vec![vec![0.0_f64; b.len() + 1]; a.len() + 1];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let pair = if a[i - 1] == b[j - 1] {
                weight(i.min(j)) * (-OFFSET * i.abs_diff(j) as f64).exp()
            } else {
                0.0
            };
            best[i][j] = (best[i - 1][j - 1] + pair)
                .max(best[i - 1][j])
                .max(best[i][j - 1]);
        }
    }
    let most: f64 = (1..=a.len().max(b.len())).map(weight).sum();
    best[a.len()][b.len()] / most
}

fn weight(depth: usize) -> f64 {
    (-DEPTH * (depth - 1) as f64).exp()
}

/// What of a finding is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Trait {
    /// Name of the finding; only orders equal ones.
    pub id: String,
    /// Family of VMs: stacks of two have nothing in common.
    pub implementation: String,
    /// Kind of failure.
    pub kind: Kind,
    /// Subject.
    pub subject: String,
    /// Operations that raced.
    pub operations: BTreeSet<String>,
    /// File and message of a panic.
    pub place: String,
    /// Telling frames, innermost first.
    pub stack: Vec<String>,
}

impl Trait {
    /// Of a finding with these telling frames.
    pub fn of(finding: &Finding, stack: &[String]) -> Self {
        Self {
            id: finding.id.clone(),
            implementation: finding.facts.implementation.clone(),
            kind: finding.kind,
            subject: finding.subject.clone(),
            operations: finding.scenario.operations().into_iter().collect(),
            place: place(finding),
            stack: stack.to_vec(),
        }
    }

    /// Similarity, 0 to 1; the same both ways.
    pub fn similarity(&self, other: &Self) -> f64 {
        if self.implementation != other.implementation || !may_be_one(self.kind, other.kind) {
            return 0.0;
        }
        if !self.place.is_empty() || !other.place.is_empty() {
            return f64::from(self.place == other.place);
        }
        let told = self.stack.len().min(other.stack.len());
        if told > 0 {
            // One function alone is where many faults of one type show.
            let enough = self.subject == other.subject || told > 1;
            return if enough {
                stacks(&self.stack, &other.stack)
            } else {
                0.0
            };
        }
        if self.subject != other.subject {
            return 0.0;
        }
        let both = self.operations.intersection(&other.operations).count();
        let fewer = self.operations.len().min(other.operations.len()).max(1);
        if both == fewer {
            1.0
        } else {
            both as f64 / self.operations.union(&other.operations).count().max(1) as f64
        }
    }
}

/// File and message of a panic without the line, which moves from release to release; empty for
/// what is no panic.
pub fn place(finding: &Finding) -> String {
    match finding.kind {
        Kind::Panic => lasting(finding.kind, &finding.detail),
        _ => String::new(),
    }
}

/// What the VM says of where it died, without what moves from release to release: the line's number, and the
/// lengths and indices of a Rust panic.
pub fn lasting(kind: Kind, detail: &str) -> String {
    let detail = detail.strip_prefix(ALONE).unwrap_or(detail);
    let in_exception = detail.strip_prefix("raised PanicException at ");
    let (mut file, message) = in_exception
        .unwrap_or(detail)
        .split_once(": ")
        .unwrap_or((in_exception.unwrap_or(detail), ""));
    // Line, and column.
    while let Some((rest, number)) = file.rsplit_once(':')
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        file = rest;
    }
    match kind == Kind::Panic || in_exception.is_some() {
        true => format!("{file}: {}", attribute::digits_masked(message)),
        false => format!("{file}: {message}"),
    }
}

/// Groups of near-duplicates, as positions in `items`. The groups do not depend on the order of
/// the items; they and their members are in order of the items' ids.
pub fn cluster(items: &[Trait]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| key(&items[a]).cmp(&key(&items[b])));
    let mut groups: Vec<Vec<usize>> = order.into_iter().map(|i| vec![i]).collect();
    let mut near: Vec<Vec<f64>> = groups
        .iter()
        .map(|a| {
            groups
                .iter()
                .map(|b| items[a[0]].similarity(&items[b[0]]))
                .collect()
        })
        .collect();
    while let Some((a, b)) = closest(&near) {
        let moved = groups.remove(b);
        groups[a].extend(moved);
        // Complete linkage: a group is as near to another as its member farthest from it.
        let gone = near.remove(b);
        for row in &mut near {
            row.remove(b);
        }
        for c in 0..near.len() {
            let far = near[a][c].min(gone[if c < b { c } else { c + 1 }]);
            near[a][c] = far;
            near[c][a] = far;
        }
    }
    groups
}

/// The first of the closest pairs of groups that are near enough.
fn closest(near: &[Vec<f64>]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for a in 0..near.len() {
        for b in a + 1..near.len() {
            let better = best.is_none_or(|(x, y)| near[a][b] > near[x][y]);
            if near[a][b] >= NEAR && better {
                best = Some((a, b));
            }
        }
    }
    best
}

fn key(item: &Trait) -> impl Ord + use<'_> {
    (
        &item.id,
        &item.subject,
        item.kind,
        &item.implementation,
        &item.operations,
        &item.place,
        &item.stack,
    )
}
