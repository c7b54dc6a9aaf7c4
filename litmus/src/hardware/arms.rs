//! The parameters of a block, and learning which are worth using.

/// How threads keep together within a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Not at all, as litmus7's arrays.
    Free,
    /// Every so many instances they wait to be at the same one; who arrives
    /// last then waits so many turns, about the time the others need to see it.
    Step(usize, u32),
    /// Each instance starts at its moment of the common cycle counter, so many
    /// cycles after the one before. Nothing is communicated.
    Clock(u64),
}

/// How a block is run.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) pace: Pace,
    /// Location `l` is reset by thread `(l + turn) mod threads`.
    pub(super) turn: usize,
    /// Per thread, turns of an empty loop before each instance.
    pub(super) delays: Vec<u32>,
}

/// An ε-greedy bandit over arms.
pub(super) struct Learner {
    scores: Vec<Option<f64>>,
    random: u64,
}

/// One block in so many explores.
const EXPLORE: usize = 8;
/// Weight of a new score in an arm's running mean.
const LEARN: f64 = 0.2;

/// splitmix64 (Steele, Lea, Flood, OOPSLA 2014): good enough for delays.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The arms for a test of so many threads. With more threads than cores only
/// those whose waiting is cheap.
pub(super) fn arms(threads: usize, all_run: bool, seed: u64) -> Vec<Arm> {
    let mut random = seed;
    let mut paces = vec![Pace::Free, Pace::Step(16, 0), Pace::Step(1, 0)];
    if all_run {
        paces.extend([Pace::Step(1, 30), Pace::Step(1, 80), Pace::Step(4, 30)]);
        if super::clock::AVAILABLE {
            paces.extend([Pace::Clock(250), Pace::Clock(500), Pace::Clock(1000)]);
        }
    }
    let mut out = Vec::new();
    for pace in paces {
        for turn in 0..threads.min(4) {
            for delayed in [false, true] {
                let mut delay = || {
                    if delayed {
                        (next(&mut random) % 64) as u32
                    } else {
                        0
                    }
                };
                out.push(Arm {
                    pace,
                    turn,
                    delays: (0..threads).map(|_| delay()).collect(),
                });
            }
        }
    }
    out
}

impl Learner {
    pub(super) fn new(arms: usize, seed: u64) -> Learner {
        Learner {
            scores: vec![None; arms],
            random: !seed,
        }
    }

    /// The arm for a block: each once, then mostly the best.
    pub(super) fn choose(&mut self, block: usize) -> usize {
        let below = |random: &mut u64, n: usize| (next(random) % n as u64) as usize;
        if block < self.scores.len() {
            return block;
        }
        if below(&mut self.random, EXPLORE) == 0 {
            return below(&mut self.random, self.scores.len());
        }
        let score = |index: usize| self.scores[index].unwrap_or(0.0);
        (0..self.scores.len())
            .max_by(|a, b| score(*a).total_cmp(&score(*b)))
            .unwrap_or(0)
    }

    /// What a block with this arm was worth.
    pub(super) fn learn(&mut self, arm: usize, score: f64) {
        let old = self.scores[arm].unwrap_or(score);
        self.scores[arm] = Some(old + LEARN * (score - old));
    }
}
