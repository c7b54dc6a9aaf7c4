//! Which two operations of a larger scenario fail: all pairs that may be it, one after another in few
//! processes; and what is left of a storm without the operation that failed.

use super::case::Case;
use crate::scenario::{Call, Scenario};

/// The pairs that may be what failed, one operation a thread, the likeliest first. Where the VM told
/// which operation died, it is one of each; empty when the scenario is no larger than a pair.
pub(super) fn of(case: &Case) -> Vec<Scenario> {
    let (scenario, flight) = (&case.scenario, &case.judged.flight);
    if scenario.calls().count() <= 2 {
        return Vec::new();
    }
    let call = |&(t, j): &(usize, usize)| scenario.threads.get(t)?.get(j);
    let mut pairs: Vec<[&Call; 2]> = Vec::new();
    if let Some(at) = &flight.at
        && let Some(dying) = call(at)
    {
        // What the others were in is a hint, for they ran on while the VM told it.
        let hints = flight.beside.iter().filter_map(call);
        let others = (0..scenario.threads.len()).filter(|t| *t != at.0);
        let all = others.flat_map(|t| &scenario.threads[t]);
        pairs.extend(hints.chain(all).map(|other| [dying, other]));
    } else {
        if let [first, second, ..] = flight.beside.as_slice()
            && let (Some(a), Some(b)) = (call(first), call(second))
        {
            pairs.push([a, b]);
        }
        for (t, calls) in scenario.threads.iter().enumerate() {
            for others in &scenario.threads[t + 1..] {
                pairs.extend(
                    calls
                        .iter()
                        .flat_map(|a| others.iter().map(move |b| [a, b])),
                );
            }
        }
    }
    let mut seen: Vec<[&str; 2]> = Vec::new();
    pairs.retain(|[a, b]| {
        let mut codes = [a.code.as_str(), b.code.as_str()];
        codes.sort_unstable();
        let new = !seen.contains(&codes);
        seen.extend(new.then_some(codes));
        new
    });
    let pair = |[a, b]: [&Call; 2]| Scenario {
        threads: vec![vec![a.clone()], vec![b.clone()]],
        ..scenario.clone()
    };
    pairs.into_iter().map(pair).collect()
}

/// A storm without the operation that died; `None` when the VM did not tell it, or no two threads are left.
pub(super) fn rest(case: &Case) -> Option<Scenario> {
    let scenario = &case.scenario;
    let (t, j) = case.judged.flight.at?;
    let died = scenario.threads.get(t)?.get(j)?;
    let mut threads = scenario.threads.clone();
    for calls in &mut threads {
        calls.retain(|c| c.op != died.op);
    }
    threads.retain(|calls| !calls.is_empty());
    (threads.len() >= 2).then(|| Scenario {
        threads,
        ..scenario.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::case::Evidence;
    use crate::campaign::process::Judged;
    use crate::history::History;
    use crate::identity::{Failure, InFlight};
    use crate::subject::parse;
    use crate::verdict::grade::Grade;
    use crate::verdict::{Kind, Verdict};

    /// A storm of these operations that crashed with this in flight.
    fn storm(threads: &[&[&str]], flight: InFlight) -> Case {
        let text = "[[subject]]\nname = \"s\"\ndoc = \"d\"\nmake = [\"[]\"]\nfinal = \"o\"\nsilent = [\"a\"]\n";
        let subject = parse("t", text).unwrap().remove(0);
        let call = |code: &&str| Call {
            code: (*code).to_owned(),
            op: (*code).to_owned(),
            form: subject.ops[0].form,
            guarantee: subject.ops[0].guarantee,
            raises: None,
        };
        let threads = threads.iter().map(|t| t.iter().map(call).collect());
        let scenario = Scenario::new(&subject, "[]".to_owned(), threads.collect());
        let verdict = Verdict::new(Kind::Crash, "SIGSEGV".to_owned());
        Case {
            number: 1,
            storm: true,
            judged: Judged {
                index: 0,
                failure: Failure::in_scenario(&verdict, &scenario, &flight),
                verdict,
                history: History::default(),
                flight,
            },
            grade: Grade::Forbidden,
            why: String::new(),
            put_back: false,
            makes: Vec::new(),
            evidence: Evidence::default(),
            scenario,
        }
    }

    fn told(case: &Case) -> Vec<String> {
        let code = |s: &Scenario| {
            s.calls()
                .map(|c| c.code.as_str())
                .collect::<Vec<_>>()
                .join("|")
        };
        of(case).iter().map(code).collect()
    }

    #[test]
    fn the_operation_that_died_is_in_every_pair_and_what_was_beside_it_comes_first() {
        let flight = InFlight {
            at: Some((0, 1)),
            beside: vec![(1, 2)],
        };
        let case = storm(&[&["a", "b", "c"], &["b", "a", "c"]], flight);
        assert_eq!(told(&case), ["b|c", "b|b", "b|a"]);
    }

    #[test]
    fn where_the_vm_tells_nothing_every_pair_of_two_threads_may_be_it_once() {
        let case = storm(&[&["a", "b"], &["b", "a"]], InFlight::default());
        assert_eq!(told(&case), ["a|b", "a|a", "b|b"]);
        let pair = storm(&[&["a"], &["b"]], InFlight::default());
        assert!(told(&pair).is_empty(), "it is one already");
    }

    #[test]
    fn the_rest_of_a_storm_lacks_what_died_in_every_thread() {
        let at = |at| InFlight {
            at,
            beside: Vec::new(),
        };
        let case = storm(&[&["a", "b"], &["b", "a"]], at(Some((0, 1))));
        let left = rest(&case).unwrap();
        assert!(left.calls().all(|c| c.code == "a") && left.calls().count() == 2);
        let untold = storm(&[&["a", "b"], &["b", "a"]], at(None));
        assert_eq!(rest(&untold), None, "nothing says what to leave out");
        let one = storm(&[&["a"], &["a", "b"]], at(Some((0, 0))));
        assert_eq!(rest(&one), None, "one thread is no race");
    }
}
