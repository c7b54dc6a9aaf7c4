//! Cases that wait: nothing is dropped silently while another failure of the subject is settled.

use super::case::Case;
use crate::identity::{Same, same};
use std::collections::VecDeque;

/// Cases of one subject that wait at most.
const OF_SUBJECT: usize = 12;

/// Cases that wait at most.
const ALL: usize = 300;

/// Why a case waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// What may be the same failure is being settled.
    Busy,
    /// Other subjects have their first turn first.
    Breadth,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    cases: VecDeque<(Case, Why)>,
    /// Cases that found no room.
    pub dropped: u64,
}

impl Waiting {
    /// Puts a case at the end. One that is there already, or finds no room, is only counted.
    pub fn push(&mut self, case: Case, why: Why) {
        let mine = |(c, _): &&(Case, Why)| c.subject() == case.subject();
        let known = |(c, _): &(Case, Why)| same(c.failure(), case.failure()) == Same::Yes;
        if self.cases.iter().filter(mine).any(known) {
            return;
        }
        if self.cases.iter().filter(mine).count() >= OF_SUBJECT || self.cases.len() >= ALL {
            self.dropped += 1;
            return;
        }
        self.cases.push_back((case, why));
    }

    /// The next case, those that were put back last, if they may be; with `early` only of those that do not
    /// wait for the breadth of the hunt. Of subjects of which something was found there is one only when no other waits.
    pub fn pop(
        &mut self,
        early: bool,
        put_back: bool,
        of_found: &dyn Fn(&str) -> bool,
    ) -> Option<Case> {
        let at = |back: bool, found: bool| {
            self.cases.iter().position(|(case, why)| {
                case.put_back == back
                    && (!early || *why == Why::Busy)
                    && (found || !of_found(case.subject()))
            })
        };
        let next = |back: bool| at(back, false).or_else(|| at(back, true));
        let at = next(false).or_else(|| put_back.then(|| next(true)).flatten())?;
        self.cases.remove(at).map(|(case, _)| case)
    }

    /// Whether any waits of this subject of which this holds.
    pub fn has(&self, subject: &str, holds: impl Fn(&Case) -> bool) -> bool {
        let mut cases = self.cases.iter();
        cases.any(|(case, _)| case.subject() == subject && holds(case))
    }

    /// Whether any waits that was not put back.
    pub fn some(&self) -> bool {
        self.cases.iter().any(|(case, _)| !case.put_back)
    }

    /// Takes all: subject and number of the scenario of each.
    pub fn leave(&mut self) -> Vec<(String, usize)> {
        let left = std::mem::take(&mut self.cases).into_iter();
        left.map(|(c, _)| (c.subject().to_owned(), c.number))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::case::Evidence;
    use crate::campaign::process::Judged;
    use crate::choice::Seeded;
    use crate::history::History;
    use crate::identity::{Failure, InFlight};
    use crate::scenario::generate::{Limits, generate};
    use crate::subject::builtin;
    use crate::verdict::grade::Grade;
    use crate::verdict::{Kind, Verdict};

    /// A panic of `list` at this line.
    fn case(line: usize) -> Case {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let limits = Limits { threads: 2, ops: 1 };
        let scenario = generate(&list, limits, &mut Seeded::new(1, &[]));
        let verdict = Verdict::new(Kind::Panic, format!("vm/src/list.rs:{line}: words"));
        Case {
            number: line,
            storm: false,
            judged: Judged {
                index: 0,
                failure: Failure::in_scenario(&verdict, &scenario, &InFlight::default()),
                verdict,
                history: History::default(),
                flight: InFlight::default(),
            },
            grade: Grade::Forbidden,
            why: String::new(),
            put_back: false,
            makes: Vec::new(),
            evidence: Evidence::default(),
            scenario,
        }
    }

    #[test]
    fn another_failure_waits_and_the_same_is_not_kept_twice() {
        let mut waiting = Waiting::default();
        for line in [1, 2, 1] {
            waiting.push(case(line), Why::Busy);
        }
        assert_eq!(
            waiting.pop(true, true, &|_| false).map(|c| c.number),
            Some(1)
        );
        assert_eq!(
            waiting.pop(true, true, &|_| false).map(|c| c.number),
            Some(2)
        );
        assert!(waiting.pop(true, true, &|_| false).is_none());
        assert_eq!(waiting.dropped, 0);
    }

    #[test]
    fn what_waits_of_a_subject_is_told_of_that_subject_alone() {
        let mut waiting = Waiting::default();
        waiting.push(case(1), Why::Breadth);
        assert!(waiting.has("list", |c| c.failure().kind == Kind::Panic));
        assert!(!waiting.has("list", |c| c.failure().kind == Kind::Hang));
        assert!(!waiting.has("dict", |_| true));
    }

    #[test]
    fn what_was_put_back_has_its_turn_after_the_others() {
        let mut waiting = Waiting::default();
        let put_back = Case {
            put_back: true,
            ..case(1)
        };
        waiting.push(put_back, Why::Breadth);
        waiting.push(case(2), Why::Breadth);
        assert_eq!(
            waiting.pop(false, true, &|_| false).map(|c| c.number),
            Some(2)
        );
        assert!(waiting.pop(false, false, &|_| false).is_none());
        assert_eq!(
            waiting.pop(false, true, &|_| false).map(|c| c.number),
            Some(1)
        );
    }

    #[test]
    fn subjects_of_which_nothing_was_found_come_first() {
        let mut waiting = Waiting::default();
        waiting.push(case(1), Why::Breadth);
        let mut other = case(2);
        "dict".clone_into(&mut other.scenario.context.subject);
        waiting.push(other, Why::Breadth);
        let of_found = |subject: &str| subject == "list";
        let next = |waiting: &mut Waiting| waiting.pop(false, true, &of_found).map(|c| c.number);
        assert_eq!(next(&mut waiting), Some(2));
        assert_eq!(next(&mut waiting), Some(1));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_is_left_is_named() {
        let mut waiting = Waiting::default();
        for line in 0..OF_SUBJECT + 3 {
            waiting.push(case(line), Why::Breadth);
        }
        assert_eq!(waiting.dropped, 3);
        assert!(
            waiting.pop(true, true, &|_| false).is_none(),
            "others have their turn first"
        );
        assert!(waiting.pop(false, true, &|_| false).is_some());
        assert_eq!(waiting.leave().len(), OF_SUBJECT - 1);
        assert!(waiting.pop(false, true, &|_| false).is_none());
    }
}
