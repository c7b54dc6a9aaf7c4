//! The sequential orders of a scenario: all interleavings that keep each thread's own order.
//!
//! Their number is `(sum of lens)! / product of lens!`. Up to a cap all are listed; beyond it some are
//! drawn, and the harness looks for the order of an observed outcome by itself (`harness/orders.py`).

use crate::choice::Choices;

/// Sequential orders of a scenario. An order lists thread numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// The orders, each a list of thread numbers.
    pub list: Vec<Vec<usize>>,
    /// Whether these are all.
    pub complete: bool,
}

/// Number of interleavings of threads with these numbers of operations; saturates.
pub fn count(lens: &[usize]) -> u64 {
    let mut result: u64 = 1;
    let mut placed: u64 = 0;
    for &len in lens {
        for i in 1..=len as u64 {
            placed += 1;
            // result is a product of binomials, so the division is exact.
            result = match result.checked_mul(placed) {
                Some(product) => product / i,
                None => return u64::MAX,
            };
        }
    }
    result
}

/// All orders if there are at most `cap`, else `cap` orders drawn uniformly.
pub fn orders(lens: &[usize], cap: usize, choices: &mut impl Choices) -> Orders {
    let total: usize = lens.iter().sum();
    let mut left = lens.to_vec();
    if count(lens) <= cap as u64 {
        let mut list = Vec::new();
        enumerate(&mut left, &mut Vec::with_capacity(total), total, &mut list);
        return Orders {
            list,
            complete: true,
        };
    }
    let list = (0..cap).map(|_| sample(lens, total, choices)).collect();
    Orders {
        list,
        complete: false,
    }
}

fn enumerate(
    left: &mut [usize],
    prefix: &mut Vec<usize>,
    total: usize,
    list: &mut Vec<Vec<usize>>,
) {
    if prefix.len() == total {
        list.push(prefix.clone());
        return;
    }
    for t in 0..left.len() {
        if left[t] > 0 {
            left[t] -= 1;
            prefix.push(t);
            enumerate(left, prefix, total, list);
            prefix.pop();
            left[t] += 1;
        }
    }
}

/// Drawing the next operation in proportion to what each thread has left makes every order equally likely.
fn sample(lens: &[usize], total: usize, choices: &mut impl Choices) -> Vec<usize> {
    let mut left = lens.to_vec();
    (0..total)
        .map(|done| {
            let mut ticket = choices.below(total - done);
            let t = (0..left.len())
                .find(|&t| {
                    let here = ticket < left[t];
                    if !here {
                        ticket -= left[t];
                    }
                    here
                })
                .expect("the ticket is below what is left");
            left[t] -= 1;
            t
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// The definition: all sequences over the threads in which each occurs as often as it has operations.
    fn brute_force(lens: &[usize]) -> BTreeSet<Vec<usize>> {
        let total: usize = lens.iter().sum();
        let mut all = vec![Vec::new()];
        for _ in 0..total {
            all = all
                .into_iter()
                .flat_map(|p| (0..lens.len()).map(move |t| [p.clone(), vec![t]].concat()))
                .collect();
        }
        all.retain(|p| {
            lens.iter()
                .enumerate()
                .all(|(t, &l)| p.iter().filter(|&&x| x == t).count() == l)
        });
        all.into_iter().collect()
    }

    proptest! {
        #[test]
        fn enumeration_is_the_definition(lens in prop::collection::vec(0usize..4, 1..4)) {
            prop_assume!(lens.iter().sum::<usize>() <= 8);
            let got = orders(&lens, 5000, &mut Seeded::new(1, &[]));
            prop_assert!(got.complete);
            prop_assert_eq!(got.list.len() as u64, count(&lens));
            prop_assert_eq!(got.list.into_iter().collect::<BTreeSet<_>>(), brute_force(&lens));
        }

        #[test]
        fn samples_are_orders(lens in prop::collection::vec(1usize..5, 2..5), seed in any::<u64>()) {
            let got = orders(&lens, 3, &mut Seeded::new(seed, &[]));
            for order in &got.list {
                for (t, &l) in lens.iter().enumerate() {
                    prop_assert_eq!(order.iter().filter(|&&x| x == t).count(), l);
                }
            }
        }
    }

    #[test]
    fn counts_of_the_literature() {
        assert_eq!(count(&[5, 5]), 252);
        assert_eq!(count(&[3, 3, 3]), 1680);
        assert_eq!(count(&[4, 4, 4, 4]), 63_063_000);
        assert_eq!(count(&[40, 40, 40]), u64::MAX);
    }
}
