//! The next choice below n: the one source of every decision that is not the program's.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of choices from a seed. ChaCha8, so the same on every platform; the mapping
/// to a range is our own, so no library update changes a recorded run.
#[derive(Clone, Debug)]
pub struct Choices(ChaCha8Rng);

impl Choices {
    /// Stream number `stream` of `seed`.
    pub fn seeded(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// The next choice below `n`.
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "no choice among none");
        // Multiply-shift; the bias is below 2^-32 for the small n used here.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }
}
