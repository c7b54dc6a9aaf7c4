//! Several workers on one search, in one process or in several.
//!
//! Every worker walks the same tree of choices. Down to a depth found beforehand all of them
//! take every choice, though only one counts what it finds; a choice at that depth, with everything
//! under it, belongs to one worker. So nothing need be handed over, neither graphs nor caches nor
//! running closures; what is walked several times is the top of the tree, a few thousand
//! executions.
//!
//! A choice is known by its content: a hash of the graph in which it is taken and of what is
//! chosen, in which threads go by what made them ([`Source::path`]) and no number that a worker
//! gave stands. In one process the first worker that comes by takes it; among processes
//! ([`Explorer::shard`](crate::Explorer::shard)) the hash decides alone.
//!
//! That all walk the same tree is what makes this right: the next thread, the order of choices and
//! which of them there are must be functions of the graph, not of what a worker has in its cache.
//! It is checked: the sum of all hashes must be the same for every worker.
//!
//! Choices come in the order of the sequential search. When one fails, those before it have been
//! claimed by then and are finished: the fault reported is the one that a single worker
//! reports.
//!
//! [`Source::path`]: super::cache::Source::path
//! [`Explorer::shard`](crate::Explorer::shard): super::Explorer::shard

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the workers of a process share.
pub(crate) struct Claims {
    claims: Mutex<HashSet<u64>>,
    /// Nothing after this choice is of interest.
    last: AtomicU64,
}

impl Claims {
    pub fn new() -> Self {
        Self {
            claims: Mutex::default(),
            last: AtomicU64::new(u64::MAX),
        }
    }

    fn claim(&self, content: u64) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.insert(content)
    }
}

/// One of so many processes that share a search, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shard {
    pub index: u64,
    pub of: u64,
}

impl Shard {
    fn owns(self, content: u64) -> bool {
        content % self.of == self.index - 1
    }
}

/// One worker's view.
pub(crate) struct Worker<'a> {
    claims: Option<&'a Claims>,
    shard: Option<Shard>,
    split: u32,
    serial: u64,
    /// Choices found at the depth of the split.
    pub frontier: u64,
    /// The sum of the hashes of all choices down to there.
    pub tree: u64,
}

/// Who takes a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// This worker.
    Mine,
    /// All of them, but another counts it.
    Pass,
    /// Another.
    Skip,
    /// Nobody any more.
    Stop,
}

impl<'a> Worker<'a> {
    /// One of several that split the work at choices of depth `split`.
    pub fn new(claims: &'a Claims, split: u32, shard: Option<Shard>) -> Self {
        Self {
            claims: Some(claims),
            shard,
            ..Self::scout(split)
        }
    }

    /// One that goes no deeper than `split`, to see how many choices are there.
    pub fn scout(split: u32) -> Self {
        Self {
            claims: None,
            shard: None,
            split,
            serial: 0,
            frontier: 0,
            tree: 0,
        }
    }

    /// The first execution.
    pub fn begin(&mut self) -> bool {
        self.is_mine(0)
    }

    fn is_mine(&self, content: u64) -> bool {
        self.shard.is_none_or(|shard| shard.owns(content))
            && self.claims.is_none_or(|claims| claims.claim(content))
    }

    /// Before a choice is taken; `content` is asked for where it matters.
    #[inline]
    pub fn claim(&mut self, depth: u32, content: impl FnOnce() -> u64) -> Claim {
        let Some(claims) = self.claims else {
            let deep = depth >= self.split;
            self.frontier += u64::from(deep);
            return if deep { Claim::Skip } else { Claim::Mine };
        };
        let top = depth <= self.split;
        self.serial += u64::from(top);
        // Relaxed: only a hint to stop; results travel by joining the worker.
        if self.serial > claims.last.load(Ordering::Relaxed) {
            return Claim::Stop;
        }
        if !top {
            return Claim::Mine;
        }
        let content = content();
        self.tree = self.tree.wrapping_add(content);
        if self.is_mine(content) {
            Claim::Mine
        } else if depth == self.split {
            Claim::Skip
        } else {
            Claim::Pass
        }
    }

    /// Something was found here: nothing later is of interest. Where in the order it is.
    pub fn finish(&self) -> u64 {
        if let Some(claims) = self.claims {
            // Relaxed: see `claim`.
            claims.last.fetch_min(self.serial, Ordering::Relaxed);
        }
        self.serial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Choices by depth and content, as two workers come by in turns.
    fn walk(trees: [&[(u32, u64)]; 2]) -> ([Vec<u64>; 2], bool) {
        let claims = Claims::new();
        let mut workers = [0, 1].map(|_| Worker::new(&claims, 2, None));
        let mut mine = [vec![], vec![]];
        let [one, other] = trees;
        for choices in one.iter().zip(other).map(|(one, other)| [one, other]) {
            for (w, worker) in workers.iter_mut().enumerate() {
                let (depth, content) = *choices[w];
                if worker.claim(depth, || content) == Claim::Mine {
                    mine[w].push(content);
                }
            }
        }
        let agree = workers[0].tree == workers[1].tree;
        (mine, agree)
    }

    #[test]
    fn each_choice_is_taken_once_whatever_the_order() {
        let (mine, agree) = walk([&[(1, 7), (2, 8), (2, 9)], &[(1, 7), (2, 9), (2, 8)]]);
        assert!(agree);
        let mut all = mine.concat();
        all.sort_unstable();
        assert_eq!(all, [7, 8, 9]);
    }

    #[test]
    fn different_trees_are_noticed() {
        let (_, agree) = walk([&[(1, 7), (2, 8)], &[(1, 7), (2, 9)]]);
        assert!(!agree);
    }

    #[test]
    fn every_choice_belongs_to_one_shard() {
        for content in 0..100 {
            let owners = (1..=7).filter(|&index| Shard { index, of: 7 }.owns(content));
            assert_eq!(owners.count(), 1);
        }
    }
}
