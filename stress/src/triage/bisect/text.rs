//! What a bisection prints: the table of VMs, and between which of them it changed.

use super::{Bisected, Standing};
use std::fmt::Write as _;

impl Bisected {
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

    /// Whether every VM that ran it fails.
    fn all_fail(&self) -> bool {
        let mut ran = self.vms.iter().filter(|c| c.runs > 0);
        ran.all(|c| c.hits > 0)
    }
}

fn percent(chance: f64) -> String {
    if chance < 0.001 {
        "under 0.1 %".to_owned()
    } else {
        format!("{:.1} %", chance * 100.0)
    }
}
