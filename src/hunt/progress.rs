//! What a hunt says while it runs: progress on stderr, findings and skipped subjects as they come.

use super::summary::overlap;
use crate::Format;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use threadbare_stress::campaign::Event;
use threadbare_stress::campaign::state::State;

/// Tells of a hunt's events.
pub struct Printer {
    format: Format,
    terminal: bool,
    start: Instant,
    last: Mutex<Instant>,
}

impl Printer {
    /// Starts the clock.
    pub fn new(format: Format) -> Self {
        let now = Instant::now();
        Self {
            format,
            terminal: std::io::stderr().is_terminal(),
            start: now,
            last: Mutex::new(now),
        }
    }

    /// Prints one event; progress only every so often.
    pub fn event(&self, event: Event<'_>) {
        match event {
            Event::Skipped { subject, reason } => {
                self.clear();
                eprintln!("skipped {subject}: {reason}");
                if self.format == Format::Json {
                    println!(
                        "{}",
                        serde_json::json!({"schema": 1, "event": "skipped", "subject": subject, "reason": reason})
                    );
                }
            }
            Event::Finding(finding) => {
                self.clear();
                if self.format == Format::Json {
                    println!(
                        "{}",
                        serde_json::json!({"schema": 1, "event": "finding", "finding": finding})
                    );
                } else if finding.minimised || finding.script.is_some() {
                    eprintln!(
                        "[{:>4.0} s] {}",
                        self.start.elapsed().as_secs_f64(),
                        finding.line()
                    );
                }
            }
            Event::Progress(state) => self.progress(state),
        }
    }

    fn progress(&self, state: &State) {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let pause = Duration::from_millis(if self.terminal { 500 } else { 20_000 });
        if last.elapsed() < pause {
            return;
        }
        *last = Instant::now();
        let text = format!(
            "{:.0} s: {} scenarios, {} runs, {} slot turns, {:.0} % overlapped, {} failing verdicts",
            self.start.elapsed().as_secs_f64(),
            state.sum(|t| t.scenarios),
            state.sum(|t| t.runs),
            state.sum(|t| t.slot_turns),
            overlap(state),
            state.sum(|t| t.verdicts.values().sum()),
        );
        if self.terminal {
            eprint!("\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{text}");
        }
    }

    /// Takes the line of progress off the terminal.
    pub fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
