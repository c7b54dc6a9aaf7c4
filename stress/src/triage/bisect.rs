//! Which VMs a finding or known bug fails on, and between which versions that changed.
//!
//! The VMs take turns, in rounds and in alternating order, so that a busy machine is busy for all
//! of them. A hit is proof; no hit is not, so a VM counts as good only when it would hardly have
//! been silent so long with the failing VM's rate: with `L` the lower end of the failing VM's 95 %
//! interval (Wilson), `N` runs are silent with a chance of at most `(1 - L)^N`.

use crate::bugs::run::{self, Ended};
use crate::bugs::{Bug, ident, stats};
use crate::finding::Finding;
use crate::finding::reproduce;
use crate::triage::severity::Severity;
use crate::vm::child::End;
use crate::vm::{Facts, Vm, VmError, sanitizers};
use serde::Serialize;
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// A silent VM is good when its silence was no likelier than this.
const LIKELY: f64 = 0.05;

/// So many hits are enough for a rate.
const ENOUGH: u32 = 5;

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// It failed, after so many seconds.
    Hit(f64),
    /// It did not, in so many seconds.
    Clean(f64),
    /// It neither failed as it should nor ended in time, which a busy machine can cause: not
    /// counted.
    Unclear,
    /// It says nothing: the VM lacks what is needed, or the program itself failed.
    Unfit(String),
    /// The user stopped it.
    Interrupted,
}

/// Where a VM stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// It fails.
    Failing,
    /// It does not: with the failing VM's rate it would have been silent with at most this chance.
    Good {
        /// The chance.
        chance: f64,
    },
    /// It was silent, which says too little.
    Undecided {
        /// The chance to be silent with the failing VM's rate; 1 when no VM fails.
        chance: f64,
    },
    /// It cannot run this.
    Unfit,
}

/// What was counted on one VM.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Count {
    /// VM and version.
    pub vm: String,
    /// As the user named it.
    pub spec: String,
    /// Runs that hit.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs, seconds.
    pub seconds: f64,
    /// 95 % interval of the share of runs that hit (Wilson).
    pub share: (f64, f64),
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Why it is unfit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfit: Option<String>,
}

/// A change between two VMs that follow each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The last VM before it.
    pub before: String,
    /// The first VM after it.
    pub after: String,
    /// Whether it fails after the change; else it was repaired.
    pub fails: bool,
    /// Chance that the silent side of the change is silent by luck.
    pub chance: f64,
    /// VMs between the two on which nothing was decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<String>,
}

/// The result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bisected {
    /// The finding or bug.
    pub id: String,
    /// Seconds of one run at most.
    pub limit_seconds: f64,
    /// By VM; by version where all are of one family.
    pub vms: Vec<Count>,
    /// Whether the VMs are in order of their versions.
    pub ordered: bool,
    /// First failing after last good, and the other way round.
    pub changes: Vec<Change>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Runs on every VM in turn until each is decided or has had its `rounds`; `each` sees every run.
///
/// # Errors
/// When a VM cannot be started.
pub fn bisect(
    id: &str,
    vms: &[(String, Facts)],
    rounds: u32,
    limit: Duration,
    mut trial: impl FnMut(usize) -> Result<Trial, VmError>,
    mut each: impl FnMut(&str, &Trial),
) -> Result<Bisected, VmError> {
    let (order, ordered) = order(vms);
    let mut counts: Vec<Count> = order
        .iter()
        .map(|&i| Count {
            vm: vms[i].1.title(),
            spec: vms[i].0.clone(),
            hits: 0,
            runs: 0,
            seconds: 0.0,
            share: (0.0, 1.0),
            standing: Standing::Undecided { chance: 1.0 },
            unfit: None,
        })
        .collect();
    let mut interrupted = false;
    'rounds: for round in 0..rounds {
        let mut turn: Vec<usize> = (0..counts.len()).collect();
        if round % 2 == 1 {
            turn.reverse();
        }
        for at in turn {
            let count = &mut counts[at];
            if count.unfit.is_some() {
                continue;
            }
            let result = trial(order[at])?;
            each(&count.vm, &result);
            match result {
                Trial::Hit(seconds) => {
                    count.hits += 1;
                    count.runs += 1;
                    count.seconds += seconds;
                }
                Trial::Clean(seconds) => {
                    count.runs += 1;
                    count.seconds += seconds;
                }
                Trial::Unclear => {}
                Trial::Unfit(why) => count.unfit = Some(why),
                Trial::Interrupted => {
                    interrupted = true;
                    break 'rounds;
                }
            }
        }
        judge(&mut counts);
        let decided = |c: &Count| match c.standing {
            Standing::Failing => c.hits >= ENOUGH,
            Standing::Good { .. } | Standing::Unfit => true,
            Standing::Undecided { .. } => false,
        };
        if counts.iter().all(decided) {
            break;
        }
    }
    judge(&mut counts);
    let changes = if ordered {
        changes(&counts)
    } else {
        Vec::new()
    };
    Ok(Bisected {
        id: id.to_owned(),
        limit_seconds: limit.as_secs_f64(),
        vms: counts,
        ordered,
        changes,
        interrupted,
    })
}

/// One run of a known bug.
///
/// # Errors
/// When the VM cannot be started.
pub fn of_bug(vm: &Vm, bug: &Bug, limit: Duration) -> Result<Trial, VmError> {
    if let Some(why) = run::unfit(bug, &vm.facts) {
        return Ok(Trial::Unfit(why));
    }
    let attempt = run::attempt(vm, bug, limit)?;
    let seconds = attempt.took.as_secs_f64();
    Ok(match attempt.ended {
        Ended::Interrupted => Trial::Interrupted,
        Ended::Skip(why) | Ended::Broken(why) => Trial::Unfit(why),
        _ if attempt.hit => Trial::Hit(seconds),
        _ => Trial::Clean(seconds),
    })
}

/// One run of a finding's script.
///
/// # Errors
/// When the VM cannot be started.
pub fn of_script(
    vm: &Vm,
    finding: &Finding,
    script: &Path,
    limit: Duration,
) -> Result<Trial, VmError> {
    let attempt = reproduce::attempt(vm, script, finding, limit.as_secs_f64())?;
    let seconds = attempt.took.as_secs_f64();
    Ok(match attempt.outcome.end {
        End::Interrupted => Trial::Interrupted,
        // A damaged heap may show as a hang, but so may a script that had no processor.
        End::Hang if Severity::of(finding) != Severity::Hang => Trial::Unclear,
        _ if attempt.hit => Trial::Hit(seconds),
        // Another report than the finding's: the script itself ran to its end.
        End::Exit(sanitizers::EXIT) if !vm.facts.sanitizers.is_empty() => Trial::Clean(seconds),
        End::Exit(code) if code != 0 => {
            let stderr = &attempt.outcome.stderr;
            let last = stderr.lines().rfind(|l| !l.trim().is_empty());
            Trial::Unfit(format!(
                "the script failed: {}",
                last.unwrap_or("no message")
            ))
        }
        _ => Trial::Clean(seconds),
    })
}

/// VMs by version when all are of one family and have one; else as they were named.
fn order(vms: &[(String, Facts)]) -> (Vec<usize>, bool) {
    let mut order: Vec<usize> = (0..vms.len()).collect();
    let version = |i: usize| {
        let title = vms[i].1.title();
        ident::version(title.split(' ').nth(1).unwrap_or(""))
    };
    let one = vms
        .windows(2)
        .all(|w| w[0].1.implementation == w[1].1.implementation);
    let ordered = one && order.iter().all(|&i| version(i).is_some());
    if ordered {
        order.sort_by_key(|&i| version(i));
    }
    (order, ordered)
}

/// Says where each VM stands.
fn judge(counts: &mut [Count]) {
    for count in counts.iter_mut() {
        count.share = stats::wilson(count.hits, count.runs);
    }
    // The rarest failure that was seen is the one that a silent VM may have.
    let lowest = counts
        .iter()
        .filter(|c| c.hits > 0)
        .map(|c| c.share.0)
        .min_by(f64::total_cmp);
    for count in counts {
        let chance = lowest.map_or(1.0, |low| (1.0 - low).powf(f64::from(count.runs)));
        count.standing = match count {
            _ if count.hits > 0 => Standing::Failing,
            _ if count.unfit.is_some() => Standing::Unfit,
            _ if chance <= LIKELY => Standing::Good { chance },
            _ => Standing::Undecided { chance },
        };
    }
}

fn changes(counts: &[Count]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut last: Option<&Count> = None;
    let mut undecided = Vec::new();
    for count in counts {
        let fails = match count.standing {
            Standing::Failing => true,
            Standing::Good { .. } => false,
            Standing::Undecided { .. } => {
                undecided.push(count.vm.clone());
                continue;
            }
            Standing::Unfit => continue,
        };
        if let Some(before) = last
            && (before.standing == Standing::Failing) != fails
        {
            let silent = if fails { before } else { count };
            let Standing::Good { chance } = silent.standing else {
                unreachable!("one side fails and the other is good");
            };
            changes.push(Change {
                before: before.vm.clone(),
                after: count.vm.clone(),
                fails,
                chance,
                undecided: std::mem::take(&mut undecided),
            });
        }
        undecided.clear();
        last = Some(count);
    }
    changes
}

impl Bisected {
    /// Whether any VM fails.
    pub fn fails(&self) -> bool {
        self.vms.iter().any(|c| c.hits > 0)
    }

    /// Whether every VM that ran it fails.
    fn all_fail(&self) -> bool {
        let mut ran = self.vms.iter().filter(|c| c.runs > 0);
        ran.all(|c| c.hits > 0)
    }

    /// Whether any VM ran it.
    pub fn ran(&self) -> bool {
        self.vms.iter().any(|c| c.runs > 0)
    }

    /// The table and what it says.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}, runs of at most {:.0} s in turn{}\n",
            self.id,
            self.limit_seconds,
            if self.ordered { ", by version" } else { "" }
        );
        let wide = self.vms.iter().map(|c| c.vm.len()).max().unwrap_or(0);
        for c in &self.vms {
            let standing = match c.standing {
                Standing::Failing => "fails".to_owned(),
                Standing::Good { chance } => format!(
                    "good: a VM that fails as often would be silent so long with a chance of {}",
                    percent(chance)
                ),
                Standing::Undecided { chance } if chance < 1.0 => format!(
                    "undecided: a VM that fails as often would be silent so long with a chance of {}",
                    percent(chance)
                ),
                Standing::Undecided { .. } => "undecided: no VM failed".to_owned(),
                Standing::Unfit => format!("not run: {}", c.unfit.as_deref().unwrap_or("")),
            };
            let _ = writeln!(
                out,
                "{:<wide$}  {:>3}/{:<3} {:>7.1} s  {:>3.0}–{:.0} %  {standing}",
                c.vm,
                c.hits,
                c.runs,
                c.seconds,
                c.share.0 * 100.0,
                c.share.1 * 100.0,
            );
        }
        for change in &self.changes {
            let between = if change.undecided.is_empty() {
                String::new()
            } else {
                format!("; undecided between them: {}", change.undecided.join(", "))
            };
            let (good, failing) = if change.fails {
                ("last good", "first failing")
            } else {
                ("first good", "last failing")
            };
            let (g, f) = if change.fails {
                (&change.before, &change.after)
            } else {
                (&change.after, &change.before)
            };
            let _ = writeln!(
                out,
                "{failing} {f}, {good} {g} (good by luck: {}){between}",
                percent(change.chance)
            );
        }
        if self.changes.is_empty() {
            out += match (self.fails(), self.ran()) {
                (_, false) => "no VM could run it\n",
                (false, true) => "no VM failed: nothing can be said between them\n",
                (true, true) if self.all_fail() => "it fails on every VM that ran it\n",
                (true, true) if self.ordered => "no change between these versions was decided\n",
                (true, true) => "several families of VMs: there is no order between them\n",
            };
        }
        out
    }
}

fn percent(chance: f64) -> String {
    match chance.partial_cmp(&0.001) {
        Some(Ordering::Less) => "under 0.1 %".to_owned(),
        _ => format!("{:.1} %", chance * 100.0),
    }
}
