//! Which findings are one fault: similarity of stacks, and clusters.

use crate::finding;
use proptest::prelude::*;
use std::collections::BTreeSet;
use threadbare_stress::triage::known;
use threadbare_stress::triage::similar::{NEAR, Trait, cluster, stack, stacks};
use threadbare_stress::verdict::Kind;

/// Recorded crashes of known bugs: the name of a bug, and what a debugger showed.
fn recorded() -> Vec<(String, String)> {
    let name = |stem: &str| stem.rsplit('/').next().unwrap().to_owned();
    let bugs = known::catalogue().iter();
    bugs.filter(|b| !b.crash.is_empty())
        .map(|b| (name(&b.stem), b.crash.clone()))
        .collect()
}

/// As a hunt would meet a recorded crash: subject and operations say nothing.
fn crash(id: &str, raw: &str) -> Trait {
    let finding = finding(Kind::Crash, &["o.pop()", "o.clear()"], "3.13.5");
    Trait {
        id: id.to_owned(),
        subject: id.split('-').next().unwrap().to_owned(),
        operations: [id.split('-').next().unwrap().to_owned()].into(),
        ..Trait::of(&finding, &stack(&finding, raw))
    }
}

/// Another build of the same crash: addresses, lines, compiler suffixes, outer frames differ.
fn rebuilt(raw: &str) -> String {
    raw.lines()
        .map(|line| match line.split_once(" () at ") {
            Some((head, file)) if head.starts_with('#') => {
                let (number, name) = head.split_once("  ").unwrap();
                format!(
                    "{number}  0x0000555512345678 in {name}.lto_priv.3 (self=0x7f11) at {file}:41\n"
                )
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn different_known_bugs_never_share_a_cluster_and_rebuilt_ones_always_do() {
    let mut items = Vec::new();
    for (name, raw) in &recorded() {
        items.push(crash(name, raw));
        items.push(crash(&format!("{name}-again"), &rebuilt(raw)));
    }
    let bug = |i: usize| items[i].id.split('-').next().unwrap();
    let groups = cluster(&items);
    for group in &groups {
        let bugs: BTreeSet<&str> = group.iter().map(|&i| bug(i)).collect();
        assert_eq!(
            bugs.len(),
            1,
            "{:?}",
            group.iter().map(|&i| &items[i]).collect::<Vec<_>>()
        );
        assert_eq!(group.len(), 2, "{bugs:?}");
    }
    // How near the two sides come to the bound.
    let mut others: Vec<(f64, &str, &str)> = Vec::new();
    for a in 0..items.len() {
        for b in 0..a {
            if bug(a) != bug(b) {
                others.push((items[a].similarity(&items[b]), bug(a), bug(b)));
            }
        }
    }
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    eprintln!("nearest pairs of different bugs: {:?}", &others[..4]);
    assert!(others[0].0 < NEAR);
}

#[test]
fn similarity_of_stacks_by_hand() {
    let s = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(stacks(&s("a b c"), &s("a b c")), 1.0);
    assert_eq!(stacks(&s("a b"), &s("c d")), 0.0);
    // Weights 1, e^-0.3, e^-0.6: the outermost of three differs.
    let expected = (1.0 + (-0.3_f64).exp()) / (1.0 + (-0.3_f64).exp() + (-0.6_f64).exp());
    assert!((stacks(&s("a b c"), &s("a b d")) - expected).abs() < 1e-12);
    // One frame more on top shifts every pair by one.
    assert!(stacks(&s("a b c"), &s("x a b c")) < NEAR);
    // Inner frames count more than outer ones.
    assert!(stacks(&s("a b c d"), &s("a b c x")) > stacks(&s("a b c d"), &s("x b c d")));
}

/// Items whose stacks, kinds and operations are drawn from little, so that many are near.
fn items() -> impl Strategy<Value = Vec<Trait>> {
    let frame = prop::sample::select(vec!["list_pop", "list_resize", "dict_insert", "tee_next"]);
    let item = (
        prop::collection::vec(frame, 0..4),
        prop::sample::select(vec![Kind::Crash, Kind::Fatal, Kind::Hang, Kind::Outcome]),
        prop::sample::select(vec!["list", "dict"]),
        prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c"]), 1..3),
    );
    prop::collection::vec(item, 0..9).prop_map(|items| {
        items
            .into_iter()
            .enumerate()
            .map(|(i, (stack, kind, subject, operations))| Trait {
                id: format!("id-{i}"),
                implementation: "cpython".into(),
                kind,
                subject: subject.into(),
                operations: operations.into_iter().map(str::to_owned).collect(),
                place: String::new(),
                stack: stack.into_iter().map(str::to_owned).collect(),
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn similarity_is_reflexive_symmetric_and_a_share(items in items()) {
        for a in &items {
            // One frame alone is enough within one subject, and an item has one subject.
            prop_assert_eq!(a.similarity(a), 1.0);
            for b in &items {
                let s = a.similarity(b);
                prop_assert!((0.0..=1.0 + 1e-12).contains(&s));
                prop_assert!((s - b.similarity(a)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn clusters_do_not_depend_on_the_order(items in items(), seed in any::<u64>()) {
        let named = |items: &[Trait]| -> BTreeSet<BTreeSet<String>> {
            let groups = cluster(items);
            let name = |g: Vec<usize>| g.into_iter().map(|i| items[i].id.clone()).collect();
            groups.into_iter().map(name).collect()
        };
        let mut shuffled = items.clone();
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(named(&items), named(&shuffled));
        // Each item is in one cluster, and every two of a cluster are near.
        let groups = cluster(&items);
        let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..items.len()).collect::<Vec<_>>());
        for group in groups {
            for &a in &group {
                for &b in &group {
                    prop_assert!(items[a].similarity(&items[b]) >= NEAR);
                }
            }
        }
    }
}
