//! Generation: scenario number `k` of a subject is a pure function of seed, subject and `k`.
//!
//! Half of the scenarios walk through a shuffled list of all pairs of operations, one
//! operation a thread, so that no pair is left to luck; most others are random, of any
//! size up to the limits, because most races need two threads and three operations. One in
//! eight is a *storm*: many operations of the subject at once on the shared slot, where only
//! what a scenario of any size may show counts (a crash, a hang, a leak, not an outcome).
//! A storm meets a hundred pairs in the time of one; the minimiser finds out which it was.
//!
//! A quarter of the random scenarios and half of the storms run in company ([`super::company`]).

use super::company;
use super::{Call, Scenario, Shape};
use crate::choice::{Choices, Seeded};
use crate::subject::{Flavour, Op, Subject};

/// Largest size of generated scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads, 2 to 4.
    pub threads: usize,
    /// Operations of each thread, 1 to 4.
    pub ops: usize,
}

impl Limits {
    /// Whether a scenario is larger: a storm.
    pub fn exceeded_by(self, scenario: &Scenario) -> bool {
        let threads = scenario.threads.len();
        threads > self.threads || scenario.calls().count() > threads * self.ops
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { threads: 4, ops: 2 }
    }
}

/// Scenario number `k` of the subject under this seed.
pub fn nth(subject: &Subject, seed: u64, k: usize, limits: Limits) -> Scenario {
    let number = k.to_string();
    let mut choices = Seeded::new(seed, &["scenario", &subject.name, &number]);
    let mut scenario = alone(subject, seed, k, limits, &mut choices);
    // A quarter of the random ones, and every other storm.
    if subject.company && (k % 4 == 3 || k % 16 == 9) {
        scenario.company = company::draw(&scenario.shapes, &mut choices);
    }
    scenario
}

/// Scenario number `k` without company.
fn alone(
    subject: &Subject,
    seed: u64,
    k: usize,
    limits: Limits,
    choices: &mut impl Choices,
) -> Scenario {
    if k.is_multiple_of(2) {
        let pairs = shuffled_pairs(
            subject.ops.len(),
            &mut Seeded::new(seed, &["pairs", &subject.name]),
        );
        let (a, b) = pairs[(k / 2) % pairs.len()];
        return build(subject, &[vec![a], vec![b]], choices);
    }
    if k % 8 == 1 && subject.shapes.contains('s') && subject.ops.len() > 2 {
        return storm(subject, choices);
    }
    generate(subject, limits, choices)
}

/// Most operations of each thread of a storm.
pub const STORM: usize = 12;

/// Two threads that each run the subject's operations in an order of their own, on the shared slot.
fn storm(subject: &Subject, choices: &mut impl Choices) -> Scenario {
    let mut order = || {
        let mut ops: Vec<usize> = (0..subject.ops.len()).collect();
        for i in (1..ops.len()).rev() {
            ops.swap(i, choices.below(i + 1));
        }
        ops.truncate(STORM);
        ops
    };
    let plan = [order(), order()];
    let mut scenario = build(subject, &plan, choices);
    scenario.shapes = vec![Shape::Slot];
    scenario
}

/// A random scenario within the limits.
pub fn generate(subject: &Subject, limits: Limits, choices: &mut impl Choices) -> Scenario {
    // Most races need two threads, and each more makes all of them slower.
    let threads = match limits.threads.clamp(2, 4) {
        most if most > 2 && choices.below(3) == 2 => 3 + choices.below(most - 2),
        _ => 2,
    };
    let plan: Vec<Vec<usize>> = (0..threads)
        .map(|_| {
            let ops = 1 + choices.below(limits.ops.clamp(1, 4));
            (0..ops).map(|_| choices.below(subject.ops.len())).collect()
        })
        .collect();
    build(subject, &plan, choices)
}

/// Every unordered pair of operations, an operation with itself included, in random order.
fn shuffled_pairs(n: usize, choices: &mut impl Choices) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = (0..n).flat_map(|a| (a..n).map(move |b| (a, b))).collect();
    for i in (1..pairs.len()).rev() {
        pairs.swap(i, choices.below(i + 1));
    }
    pairs
}

/// Fills in set-up and arguments for a plan of operation numbers.
fn build(subject: &Subject, plan: &[Vec<usize>], choices: &mut impl Choices) -> Scenario {
    let value = *choices.pick(&subject.flavours);
    let key = *choices.pick(&subject.keys);
    let make = fill(choices.pick(&subject.make).as_str(), value, key, choices);
    let threads = plan
        .iter()
        .map(|ops| {
            ops.iter()
                .map(|&i| call(&subject.ops[i], value, key, choices))
                .collect()
        })
        .collect();
    Scenario::new(subject, make, threads)
}

/// A call of this operation with arguments of any flavour.
pub fn call_of(subject: &Subject, op: &Op, choices: &mut impl Choices) -> Call {
    let value = *choices.pick(&subject.flavours);
    let key = *choices.pick(&subject.keys);
    call(op, value, key, choices)
}

/// One of the subject's set-ups.
pub fn set_up(subject: &Subject, choices: &mut impl Choices) -> String {
    let value = *choices.pick(&subject.flavours);
    let key = *choices.pick(&subject.keys);
    fill(choices.pick(&subject.make).as_str(), value, key, choices)
}

fn call(op: &Op, value: Flavour, key: Flavour, choices: &mut impl Choices) -> Call {
    Call {
        code: fill(&op.code, value, key, choices),
        op: op.code.clone(),
        form: op.form,
        guarantee: op.guarantee,
        raises: op.raises.clone(),
    }
}

/// Replaces the placeholders described in `subject/README.md`; other braces stay.
pub fn fill(template: &str, value: Flavour, key: Flavour, choices: &mut impl Choices) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        match placeholder(rest) {
            Some((letter, number, len)) => {
                match letter {
                    'v' => {
                        out.push_str(&literal(value, number.unwrap_or_else(|| choices.below(8))))
                    }
                    'k' => out.push_str(&literal(key, number.unwrap_or_else(|| choices.below(4)))),
                    'i' => out.push_str(&(choices.below(5) as i64 - 1).to_string()),
                    'n' => out.push_str(&choices.below(4).to_string()),
                    _ => out.push_str(&(97 + choices.below(8)).to_string()),
                }
                rest = &rest[len..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `{v}`, `{k3}`, …: letter, number counted from 0, length in bytes.
fn placeholder(text: &str) -> Option<(char, Option<usize>, usize)> {
    let bytes = text.as_bytes();
    let letter = *bytes.get(1)? as char;
    if !"vkinb".contains(letter) {
        return None;
    }
    match (bytes.get(2)?, bytes.get(3)) {
        (b'}', _) => Some((letter, None, 3)),
        (digit @ b'1'..=b'8', Some(b'}')) if "vk".contains(letter) => {
            Some((letter, Some(usize::from(digit - b'1')), 4))
        }
        _ => None,
    }
}

/// Value number `n` (0 to 7) in a flavour, as Python code that builds it at run time.
fn literal(flavour: Flavour, n: usize) -> String {
    match flavour {
        Flavour::Small => (n + 1).to_string(),
        Flavour::Int => format!("(N+{})", n + 1),
        Flavour::Str => format!("(K+'{}')", (b'a' + n as u8) as char),
        Flavour::Tok => format!("V[{n}]"),
        Flavour::Obj => format!("Tok({})", n + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::{Bytes, Recorded};
    use crate::subject::parse;
    use proptest::prelude::*;

    fn subject() -> Subject {
        let text = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]", "[{v1}, {v2}]"]
final = "tuple(o)"
silent = ["o.append({v})", "do: o[{i}] = {v}", "o.count({ v })", "o.pop()"]
"#;
        parse("t", text).unwrap().remove(0)
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let text = "f({v}, {v2}, {i}, {n}, {b}, {k1}, {1: 2}, { v }, {v9}, {x}, {";
        let got = fill(
            text,
            Flavour::Str,
            Flavour::Int,
            &mut Recorded(&[2, 0, 1, 3]),
        );
        assert_eq!(
            got,
            "f((K+'c'), (K+'b'), -1, 1, 100, (N+1), {1: 2}, { v }, {v9}, {x}, {"
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_scenarios_in_the_same_order() {
        let s = subject();
        let run = |seed| {
            (0..40)
                .map(|k| nth(&s, seed, k, Limits::default()).hash())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn one_in_eight_is_a_storm_of_all_operations() {
        let s = subject();
        let larger = |k: &usize| nth(&s, 9, *k, Limits::default()).lens() == [4, 4];
        assert_eq!((0..32).filter(larger).collect::<Vec<_>>(), [1, 9, 17, 25]);
        assert_eq!(nth(&s, 9, 1, Limits::default()).shapes, [Shape::Slot]);
    }

    #[test]
    fn the_even_scenarios_cover_every_pair() {
        let s = subject();
        let mut pairs: Vec<_> = (0..10)
            .map(|k| nth(&s, 9, 2 * k, Limits::default()).operations())
            .collect();
        pairs.sort();
        pairs.dedup();
        assert_eq!(pairs.len(), 10);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_scenario_within_limits_that_survives_its_text(
            bytes in prop::collection::vec(any::<u8>(), 0..64), threads in 2usize..5, ops in 1usize..5
        ) {
            let scenario = generate(&subject(), Limits { threads, ops }, &mut Bytes(&bytes));
            prop_assert!((2..=threads).contains(&scenario.threads.len()));
            prop_assert!(scenario.lens().iter().all(|&l| (1..=ops).contains(&l)));
            prop_assert_eq!(Scenario::from_text(&scenario.to_text()).unwrap(), scenario);
        }
    }
}
