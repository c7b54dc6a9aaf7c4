//! What a check of marks came to, bug by bug and in all.

use crate::{Format, exit};
use std::process::ExitCode;
use threadbare_stress::bugs;
use threadbare_stress::bugs::regression::Verdict;

/// What a regression run came to.
#[derive(Default)]
pub struct Checked {
    held: usize,
    unsure: usize,
    wrong: usize,
    skipped: usize,
}

impl Checked {
    /// Counts a verdict, and prints it where the mark does not simply hold.
    pub fn add(&mut self, verdict: Verdict, format: Format) {
        let line = match &verdict {
            Verdict::Holds => {
                self.held += 1;
                return;
            }
            Verdict::Interrupted => return,
            Verdict::Regressed(why) => {
                self.wrong += 1;
                format!("REGRESSION: {why}")
            }
            // The mark stands until it is refuted, and the reader is told.
            Verdict::Unsure(why) => {
                self.unsure += 1;
                format!("UNSURE: {why}")
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                format!("skipped: {why}")
            }
        };
        if format == Format::Json {
            println!("{}", bugs::json("regression", &verdict));
        } else {
            println!("{line}");
        }
    }

    /// The sums; `ci/bugs.sh` adds these up.
    pub fn line(&self) -> String {
        format!(
            "{} bugs as marked, {} not, {} unsure, {} skipped",
            self.held, self.wrong, self.unsure, self.skipped
        )
    }

    /// The exit code of a run that was not interrupted.
    pub fn exit(&self) -> ExitCode {
        match (self.wrong, self.held + self.unsure) {
            (1.., _) => exit::found(),
            (_, 0) => exit::nothing(),
            _ => exit::CLEAN,
        }
    }
}
