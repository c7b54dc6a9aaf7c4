//! Target `cluster`: similarity of stacks against its definition, and groups against what they mean.

use crate::choice::{Bytes, Choices};
use crate::triage::similar::{self, NEAR, Trait, stacks};
use crate::verdict::Kind;

const FUNCTIONS: [&str; 6] = [
    "list_resize",
    "list_append",
    "dict_get",
    "set_add",
    "gen_send",
    "mi_find",
];

fn chosen(number: usize, choices: &mut Bytes<'_>) -> Trait {
    let stack = |choices: &mut Bytes<'_>| {
        (0..choices.below(5))
            .map(|_| (*choices.pick(&FUNCTIONS)).to_owned())
            .collect()
    };
    let panics = choices.one_in(6);
    Trait {
        id: format!("f{number}"),
        implementation: ["cpython", "rustpython"][usize::from(choices.one_in(8))].to_owned(),
        kind: if panics {
            Kind::Panic
        } else {
            [Kind::Crash, Kind::Fatal, Kind::Hang, Kind::Outcome][choices.below(4)]
        },
        subject: ["list", "dict"][choices.below(2)].to_owned(),
        operations: (0..1 + choices.below(3))
            .map(|_| ["a", "b", "c", "d"][choices.below(4)].to_owned())
            .collect(),
        place: if panics {
            ["x.rs: len is #", "y.rs: bad"][choices.below(2)].to_owned()
        } else {
            String::new()
        },
        stack: if panics { Vec::new() } else { stack(choices) },
    }
}

/// ReBucket's measure by its definition: the best of all ways to pair equal functions in order.
fn best(a: &[String], b: &[String], i: usize, j: usize) -> f64 {
    let weight =
        |i: usize, j: usize| (-0.3 * i.min(j) as f64).exp() * (-0.3 * i.abs_diff(j) as f64).exp();
    let mut most = 0.0_f64;
    for x in i..a.len() {
        for y in (j..b.len()).filter(|&y| a[x] == b[y]) {
            most = most.max(weight(x, y) + best(a, b, x + 1, y + 1));
        }
    }
    most
}

/// Groups do not depend on the order of the findings; every two of one group are similar, and no two
/// groups could be one. Similarity is the same both ways and is what its definition says; two stacks
/// without a function in common have none.
///
/// # Panics
/// When one of these does not hold.
pub fn cluster(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    let items: Vec<Trait> = (0..choices.below(8))
        .map(|n| chosen(n, &mut choices))
        .collect();
    for a in &items {
        for b in &items {
            let (there, back) = (a.similarity(b), b.similarity(a));
            assert!((there - back).abs() < 1e-12 && (0.0..=1.0 + 1e-12).contains(&there));
            let most: f64 = (0..a.stack.len().max(b.stack.len()))
                .map(|d| (-0.3 * d as f64).exp())
                .sum();
            let defined = if most == 0.0 {
                1.0
            } else {
                best(&a.stack, &b.stack, 0, 0) / most
            };
            assert!(
                (stacks(&a.stack, &b.stack) - defined).abs() < 1e-9,
                "{:?} and {:?}: {defined}",
                a.stack,
                b.stack
            );
            let renamed: Vec<String> = a.stack.iter().map(|f| format!("{f}_2")).collect();
            assert!(a.stack.is_empty() || stacks(&a.stack, &renamed) == 0.0);
        }
    }
    let ids = |items: &[Trait], groups: Vec<Vec<usize>>| -> Vec<Vec<String>> {
        let group = |g: Vec<usize>| g.into_iter().map(|i| items[i].id.clone()).collect();
        groups.into_iter().map(group).collect()
    };
    let groups = similar::cluster(&items);
    let mut members: Vec<usize> = groups.concat();
    members.sort_unstable();
    assert!(
        members.iter().copied().eq(0..items.len()),
        "not each once: {groups:?}"
    );
    let near = |a: usize, b: usize| items[a].similarity(&items[b]) >= NEAR;
    for (n, group) in groups.iter().enumerate() {
        let all_near = |other: &[usize]| {
            group
                .iter()
                .all(|&a| other.iter().all(|&b| a == b || near(a, b)))
        };
        assert!(all_near(group), "{group:?} of {items:?}");
        for other in &groups[n + 1..] {
            assert!(!all_near(other), "{group:?} and {other:?} of {items:?}");
        }
    }
    let mut shuffled = items.clone();
    for i in (1..shuffled.len()).rev() {
        shuffled.swap(i, choices.below(i + 1));
    }
    let again = similar::cluster(&shuffled);
    assert_eq!(ids(&shuffled, again), ids(&items, groups), "{items:?}");
}
