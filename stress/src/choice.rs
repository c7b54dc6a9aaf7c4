//! "The next choice below n": the one interface through which everything random is chosen.
//!
//! A scenario is a pure function of a list of choices. They come from a seed, from a
//! fuzzer's bytes or from a recorded list, so one list replays everything.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A source of choices.
pub trait Choices {
    /// The next choice, `0 <= choice < n`. `n` must be at least 1.
    fn below(&mut self, n: usize) -> usize;

    /// One of the items, which must not be empty.
    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T
    where
        Self: Sized,
    {
        &items[self.below(items.len())]
    }

    /// True once in `n` times.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Choices drawn by ChaCha8 from a seed: the same on every machine and for ever.
pub struct Seeded(ChaCha8Rng);

impl Seeded {
    /// The stream named by a seed and a path of labels; different labels give independent streams.
    pub fn new(seed: u64, labels: &[&str]) -> Self {
        let mut hash = SipHasher13::new();
        for label in labels {
            hash.write(label.as_bytes());
            hash.write_u8(0xff);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(hash.finish());
        Self(rng)
    }
}

impl Choices for Seeded {
    fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice below zero");
        // Multiply-shift: our own mapping, because a library's range sampling may change
        // between versions and would change every recorded seed. The bias is below n / 2^64.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }
}

/// Choices read from bytes, as a fuzzer supplies them; zero once they are used up.
pub struct Bytes<'a>(pub &'a [u8]);

impl Choices for Bytes<'_> {
    fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice below zero");
        let (value, rest) = match self.0 {
            [] => (0, self.0),
            [a, rest @ ..] if n <= 256 => (usize::from(*a), rest),
            [a, b, rest @ ..] => (usize::from(*a) << 8 | usize::from(*b), rest),
            [a] => (usize::from(*a), &self.0[1..]),
        };
        self.0 = rest;
        value % n
    }
}

/// Choices from a recorded list; zero once they are used up.
pub struct Recorded<'a>(pub &'a [usize]);

impl Choices for Recorded<'_> {
    fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice below zero");
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first % n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_choices_are_stable_and_streams_differ() {
        let draw = |labels: &[&str]| {
            let mut c = Seeded::new(1, labels);
            (0..8).map(|_| c.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(&["list", "0"]), draw(&["list", "0"]));
        assert_ne!(draw(&["list", "0"]), draw(&["list", "1"]));
        assert_ne!(draw(&["ab", "c"]), draw(&["a", "bc"]));
    }

    #[test]
    fn every_source_stays_below_its_bound() {
        let mut sources: Vec<Box<dyn Choices>> = vec![
            Box::new(Seeded::new(3, &[])),
            Box::new(Bytes(&[255; 9])),
            Box::new(Recorded(&[7, 9])),
        ];
        for c in &mut sources {
            for n in 1..400 {
                assert!(c.below(n) < n);
            }
        }
    }
}
