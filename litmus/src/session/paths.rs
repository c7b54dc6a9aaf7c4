//! Threads by where they come from: the way from main by ordinals.
//!
//! In a graph a thread is an index, given when it is first met and different from search to
//! search. Its path is the same in every run and by every worker, so everything that can be
//! told, chosen or compared goes by the path.

use rustc_hash::FxHashMap;

/// The threads met so far.
pub(super) struct Paths {
    /// By index: the ordinals of the spawns that lead there; main has none.
    all: Vec<Vec<u32>>,
    /// By index: who spawned it; main stands for itself.
    parents: Vec<u32>,
    children: FxHashMap<(u32, u32), u32>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            all: vec![Vec::new()],
            parents: vec![0],
            children: FxHashMap::default(),
        }
    }
}

impl Paths {
    /// The index of the thread that `parent` spawns as its `ordinal`th, from 0.
    pub fn child(&mut self, parent: u32, ordinal: u32) -> u32 {
        let Self {
            all,
            parents,
            children,
        } = self;
        *children.entry((parent, ordinal)).or_insert_with(|| {
            let mut path = all[parent as usize].clone();
            path.push(ordinal);
            all.push(path);
            parents.push(parent);
            all.len() as u32 - 1
        })
    }

    /// Who spawned the thread.
    pub fn parent(&self, thread: u32) -> u32 {
        self.parents[thread as usize]
    }

    /// A number that stands for the path: 0 for main, N for its Nth child, 256 * P + N for
    /// the Nth of thread P; a hash where that does not fit.
    pub fn number(&self, thread: u32) -> u64 {
        let path = &self.all[thread as usize];
        if path.len() <= 7 && path.iter().all(|&ordinal| ordinal < 255) {
            let digit = |number, ordinal: &u32| number * 256 + u64::from(*ordinal) + 1;
            return path.iter().fold(0, digit);
        }
        let all = path
            .iter()
            .fold(0, |hash, &ordinal| mix(hash, ordinal.into()));
        all | 1 << 63
    }

    /// `main`, `T1`, and `T1.2` for the second of T1.
    pub fn name(&self, thread: u32) -> String {
        let path = &self.all[thread as usize];
        if path.is_empty() {
            return "main".into();
        }
        let ordinals: Vec<String> = path.iter().map(|n| (n + 1).to_string()).collect();
        format!("T{}", ordinals.join("."))
    }
}

/// Adds a value to a hash of what has been before (splitmix64's finalizer).
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    let mut z = hash.rotate_left(25) ^ value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_depend_on_who_is_met_first() {
        let (mut one, mut other) = (Paths::default(), Paths::default());
        let a = (one.child(0, 0), one.child(0, 1));
        let nested = one.child(a.1, 0);
        let b1 = other.child(0, 1);
        let nested_too = other.child(b1, 0);
        let b = (other.child(0, 0), b1);
        assert_eq!(one.number(nested), other.number(nested_too));
        assert_eq!((one.number(a.0), one.number(a.1)), (1, 2));
        assert_eq!(one.name(nested), "T2.1");
        assert_eq!((one.parent(nested), one.parent(a.1)), (a.1, 0));
        assert_eq!((other.number(b.0), other.number(b.1)), (1, 2));
    }

    #[test]
    fn deep_paths_have_numbers_of_their_own() {
        let mut paths = Paths::default();
        let mut deep = 0;
        for _ in 0..9 {
            deep = paths.child(deep, 0);
        }
        let other = paths.child(deep, 1);
        assert_ne!(paths.number(deep), paths.number(other));
    }
}
