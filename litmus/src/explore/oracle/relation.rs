//! Relations as bit matrices.

/// A relation over at most 64 events, one bit row each.
#[derive(Clone)]
pub(super) struct Rel(pub Vec<u64>);

impl Rel {
    pub fn new(n: usize) -> Self {
        Self(vec![0; n])
    }
    pub fn from(n: usize, holds: impl Fn(usize, usize) -> bool) -> Self {
        let row = |a| {
            (0..n)
                .filter(|&b| holds(a, b))
                .fold(0, |row, b| row | 1 << b)
        };
        Self((0..n).map(row).collect())
    }
    pub fn has(&self, a: usize, b: usize) -> bool {
        self.0[a] >> b & 1 == 1
    }
    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }
    /// `self;other`.
    pub fn then(&self, other: &Self) -> Self {
        let row = |row: &u64| {
            (0..self.0.len())
                .filter(|b| row >> b & 1 == 1)
                .fold(0, |sum, b| sum | other.0[b])
        };
        Self(self.0.iter().map(row).collect())
    }
    pub fn optional(&self) -> Self {
        Self(
            self.0
                .iter()
                .enumerate()
                .map(|(i, row)| row | 1 << i)
                .collect(),
        )
    }
    pub fn closure(&self) -> Self {
        let mut closed = self.clone();
        loop {
            let next = closed.or(&closed.then(&closed));
            if next.0 == closed.0 {
                return closed;
            }
            closed = next;
        }
    }
    pub fn star(&self) -> Self {
        self.closure().optional()
    }
    pub fn inverse(&self) -> Self {
        Self::from(self.0.len(), |a, b| self.has(b, a))
    }
    pub fn filter(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        Self::from(self.0.len(), |a, b| self.has(a, b) && keep(a, b))
    }
    pub fn irreflexive(&self) -> bool {
        (0..self.0.len()).all(|a| !self.has(a, a))
    }
    pub fn acyclic(&self) -> bool {
        self.closure().irreflexive()
    }
}
