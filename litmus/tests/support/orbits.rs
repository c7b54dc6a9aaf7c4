//! Executions up to the names of threads that do the same.

use super::Straight;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::Model;

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(n - 1) {
        for at in 0..n {
            let mut longer = shorter.clone();
            longer.insert(at, n - 1);
            all.push(longer);
        }
    }
    all
}

/// The ways to rename threads into others that do the same.
pub fn renamings(program: &Straight) -> Vec<Vec<usize>> {
    let same = |p: &Vec<usize>| {
        p.iter()
            .enumerate()
            .all(|(t, &u)| program.threads[t] == program.threads[u])
    };
    permutations(program.threads.len())
        .into_iter()
        .filter(same)
        .collect()
}

/// Representatives of the orbits of complete executions, and how often each was visited.
pub fn orbits(program: &Straight, model: Model, reduce: bool) -> (BTreeMap<String, u32>, bool) {
    let renamings = renamings(program);
    let mut orbits = BTreeMap::new();
    let report = Explorer::new()
        .model(model)
        .reduce(reduce)
        .run_reduced(program, |execution| {
            if execution.is_complete() {
                let key = renamings.iter().map(|names| execution.key_of(names)).min();
                *orbits.entry(key.unwrap_or_default()).or_insert(0) += 1;
            }
            ControlFlow::Continue(())
        });
    (orbits, report.failure.is_some())
}
