//! Reads what the serialiser printed.

use super::interleaving::{Access, Interleaving, Step, Wait};
use super::{Answer, Code, Explanation, Goal, Reached, Replayed, Schedule};
use crate::scenario::Scenario;
use crate::vm::child::{End, Outcome};
use crate::vm::job::unescape;
use crate::vm::words::signal_name;

/// Executions of a found schedule that must all give its outcome.
const REPLAYS: u32 = 10;

/// One process's records.
#[derive(Default)]
struct Records {
    explanation: Explanation,
    reached: Vec<(usize, u32, Reached)>,
    repeated: Vec<String>,
    told: Interleaving,
    /// How the search ended, and what more there is to it.
    end: Option<(String, String)>,
    whole: bool,
}

impl Records {
    fn read(outcome: &Outcome) -> Self {
        let mut records = Self::default();
        let lines = if outcome.complete_line {
            outcome.stdout.len()
        } else {
            outcome.stdout.len().saturating_sub(1)
        };
        for line in &outcome.stdout[..lines] {
            let fields: Vec<String> = line.split('\t').map(unescape).collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            records.take(&fields);
        }
        records
    }

    /// Takes one record; what an operation printed is none.
    fn take(&mut self, fields: &[&str]) {
        let found = &mut self.explanation;
        match fields {
            ["I", "mechanism", name] => (*name).clone_into(&mut found.mechanism),
            ["S", outcome] => {
                found.sequential.insert((*outcome).to_owned());
            }
            ["O", outcome] => {
                found.outcomes.insert((*outcome).to_owned());
            }
            [
                "G",
                number,
                schedule,
                preemptions,
                executions,
                replays,
                called,
            ] => {
                if let (Ok(number), Ok(preemptions), Ok(executions), Ok(replays)) = (
                    number.parse(),
                    preemptions.parse(),
                    executions.parse(),
                    replays.parse(),
                ) {
                    let reached = Reached {
                        schedule: Schedule((*schedule).to_owned()),
                        preemptions,
                        executions,
                        called: *called == "1",
                        interleaving: Interleaving::default(),
                    };
                    self.reached.push((number, replays, reached));
                }
            }
            [
                "T",
                thread,
                depth,
                file,
                line,
                text,
                kind,
                piece,
                value,
                place,
            ] => {
                let step = Step {
                    thread: thread.parse().unwrap_or(0),
                    depth: depth.parse().unwrap_or(0),
                    file: (*file).to_owned(),
                    line: line.parse().unwrap_or(0),
                    text: (*text).to_owned(),
                    access: Access::named(kind),
                    piece: (*piece).to_owned(),
                    value: (*value).to_owned(),
                    place: place.parse().ok(),
                };
                self.interleaving().steps.push(step);
            }
            ["W", thread, piece, text, line, holder] => {
                let wait = Wait {
                    thread: thread.parse().unwrap_or(0),
                    piece: (*piece).to_owned(),
                    text: (*text).to_owned(),
                    line: line.parse().unwrap_or(0),
                    holder: holder.parse().ok(),
                };
                self.interleaving().waits.push(wait);
            }
            ["R", outcome] => self.repeated.push((*outcome).to_owned()),
            ["N", "walks"] => found.code.walks = true,
            ["N", "lifetime"] => found.code.lifetime = true,
            ["P", thread, place, steps] => {
                if let (Ok(thread), Ok(place), Ok(steps)) = (
                    thread.parse::<usize>(),
                    place.parse::<usize>(),
                    steps.parse(),
                ) {
                    set(&mut found.code, thread, place, steps);
                }
            }
            ["A", how, what] => self.end = Some(((*how).to_owned(), (*what).to_owned())),
            ["C", executions, seconds, processor] => {
                found.executions = executions.parse().unwrap_or(0);
                found.seconds = seconds.parse().unwrap_or(0.0);
                found.processor = processor.parse().unwrap_or(0.0);
            }
            ["X"] => self.whole = true,
            _ => {}
        }
    }

    /// The interleaving that is being told.
    fn interleaving(&mut self) -> &mut Interleaving {
        match self.reached.last_mut() {
            Some((_, _, reached)) => &mut reached.interleaving,
            None => &mut self.told,
        }
    }

    /// Why the process said nothing to the end.
    fn broken(&self, outcome: &Outcome) -> Option<String> {
        if self.whole && self.end.is_some() {
            return None;
        }
        Some(match outcome.end {
            End::Signal(signal) => format!(
                "the VM died of {} with its threads serialised: the fault needs no two threads inside it at once",
                signal_name(signal)
            ),
            End::Hang => "the serialised run did not end in time".to_owned(),
            End::Interrupted => "interrupted".to_owned(),
            _ => {
                let said = outcome.stderr.lines().rfind(|l| !l.trim().is_empty());
                format!(
                    "the serialised run broke off: {}",
                    said.unwrap_or("no message").trim()
                )
            }
        })
    }
}

fn set(code: &mut Code, thread: usize, place: usize, steps: u32) {
    if thread > 64 || place > 1024 {
        return;
    }
    if code.effects.len() <= thread {
        code.effects.resize(thread + 1, Vec::new());
    }
    let row = &mut code.effects[thread];
    if row.len() <= place {
        row.resize(place + 1, 0);
    }
    row[place] = steps;
}

/// What a search found out.
pub(super) fn explanation(outcome: &Outcome, scenario: &Scenario, goals: &[Goal]) -> Explanation {
    let mut records = Records::read(outcome);
    let broken = records.broken(outcome);
    let mut found = std::mem::take(&mut records.explanation);
    found
        .code
        .effects
        .resize(scenario.threads.len(), Vec::new());
    let rest = match (&broken, &records.end) {
        (Some(why), _) => Answer::Undecided { why: why.clone() },
        (None, Some((how, what))) => rest(how, what, &found),
        (None, None) => unreachable!("a process without an end is broken"),
    };
    found.answers = (0..goals.len())
        .map(|number| {
            let reached = records.reached.iter().find(|(n, ..)| *n == number);
            match reached {
                Some((_, REPLAYS, reached)) => Answer::Reachable(Box::new(reached.clone())),
                Some((_, times, reached)) => Answer::Undecided {
                    why: format!(
                        "reached, but the same schedule ({}) gave it again in {times} of {REPLAYS} executions only",
                        reached.schedule
                    ),
                },
                None => rest.clone(),
            }
        })
        .collect();
    found
}

/// The answer to goals that were not reached.
fn rest(how: &str, what: &str, found: &Explanation) -> Answer {
    let executions = found.executions;
    match how {
        _ if how != "no" && found.code.lifetime => Answer::Undecided {
            why: "no order of bytecodes gave it, but the operations see when objects die, and that moment is the collector's".to_owned(),
        },
        "all" => Answer::NotReachable {
            preemptions: None,
            executions,
        },
        "bound" => Answer::NotReachable {
            preemptions: Some(what.parse().unwrap_or(0)),
            executions,
        },
        _ => Answer::Undecided {
            why: what.to_owned(),
        },
    }
}

/// What a schedule that was given back gave.
pub(super) fn replayed(outcome: &Outcome) -> Replayed {
    let records = Records::read(outcome);
    let refused = records.broken(outcome).or_else(|| match &records.end {
        Some((how, what)) if how == "no" => Some(what.clone()),
        _ => None,
    });
    Replayed {
        outcomes: records.repeated,
        interleaving: records.told,
        refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use crate::scenario::generate::{Limits, generate};
    use crate::subject::builtin;
    use proptest::prelude::*;

    fn outcome(lines: &[&str], end: End) -> Outcome {
        Outcome {
            end,
            stdout: lines.iter().map(|l| (*l).to_owned()).collect(),
            complete_line: true,
            stderr: String::new(),
            hang: None,
            orphans: 0,
        }
    }

    fn asked(lines: &[&str], end: End) -> Vec<Answer> {
        let scenario = generate(
            &builtin::all()[0],
            Limits::default(),
            &mut Seeded::new(1, &[]),
        );
        let goals = [Goal::Outcome("1".into()), Goal::Outcome("2".into())];
        explanation(&outcome(lines, end), &scenario, &goals).answers
    }

    fn undecided(answer: &Answer) -> &str {
        match answer {
            Answer::Undecided { why } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_whole_tree_puts_an_outcome_out_of_reach() {
        let all = [
            "G\t0\t1:1 2:2\t1\t3\t10\t0",
            "A\tall\t",
            "C\t8\t0.1\t0.1",
            "X",
        ];
        let answers = asked(&all, End::Exit(0));
        assert!(matches!(&answers[0], Answer::Reachable(r) if r.schedule.0 == "1:1 2:2"));
        assert_eq!(
            answers[1],
            Answer::NotReachable {
                preemptions: None,
                executions: 8
            }
        );
        let bound = asked(&["A\tbound\t2", "C\t8\t0.1\t0.1", "X"], End::Exit(0));
        assert_eq!(
            bound[0],
            Answer::NotReachable {
                preemptions: Some(2),
                executions: 8
            }
        );
        let late = asked(&["A\tno\ttime was up", "C\t8\t0.1\t0.1", "X"], End::Exit(0));
        assert_eq!(undecided(&late[0]), "time was up");
        let mortal = asked(
            &["N\tlifetime", "A\tall\t", "C\t8\t0.1\t0.1", "X"],
            End::Exit(0),
        );
        assert!(undecided(&mortal[0]).contains("collector"));
    }

    #[test]
    fn a_run_that_breaks_off_decides_nothing_but_what_it_reached() {
        let lines = ["G\t0\t1:1 2:2\t1\t3\t10\t0", "A\tall\t"];
        let answers = asked(&lines, End::Signal(libc::SIGSEGV));
        assert!(matches!(answers[0], Answer::Reachable(_)));
        assert!(undecided(&answers[1]).contains("SIGSEGV"));
        assert!(undecided(&asked(&[], End::Hang)[0]).contains("in time"));
    }

    #[test]
    fn a_schedule_that_does_not_repeat_reaches_nothing() {
        let lines = [
            "G\t0\t1:1 2:2\t1\t3\t9\t0",
            "A\tall\t",
            "C\t8\t0.1\t0.1",
            "X",
        ];
        assert!(undecided(&asked(&lines, End::Exit(0))[0]).contains("9 of 10"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(lines in prop::collection::vec("[GTWASPNICX]?(\t[a-z0-9:\\\\ ]{0,9}){0,9}", 0..9)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(asked(&lines, End::Exit(0)).len(), 2);
        }
    }
}
