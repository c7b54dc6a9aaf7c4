//! Which VMs a finding or known bug fails on, and between which versions that changed.
//!
//! The VMs take turns, in rounds and in alternating order, so that a busy machine is busy for all
//! of them. A hit is proof; no hit is not, so a VM counts as good only when it would hardly have
//! been silent so long with the failing VM's rate: with `L` the lower end of the failing VM's 95 %
//! interval (Wilson), `N` runs are silent with a chance of at most `(1 - L)^N`.

mod text;
mod trial;

pub use self::trial::{Trial, of_bug, of_script};

use crate::bugs::ident;
use crate::program::{Told, stats};
use crate::vm::{Facts, VmError};
use serde::Serialize;
use std::time::Duration;

/// A silent VM is good when its silence was no likelier than this.
const LIKELY: f64 = 0.05;

/// So many hits are enough for a rate.
const ENOUGH: u32 = 5;

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
            let (told, seconds) = result;
            match told {
                Told::Hit | Told::Clean => {
                    count.hits += u32::from(told == Told::Hit);
                    count.runs += 1;
                    count.seconds += seconds;
                }
                // They say neither that it is there nor that it is not.
                Told::Other | Told::Outside(_) => {}
                Told::Unfit(why) => count.unfit = Some(why),
                Told::Interrupted => {
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

    /// Whether any VM ran it.
    pub fn ran(&self) -> bool {
        self.vms.iter().any(|c| c.runs > 0)
    }
}
