//! Who runs next. One file a strategy; each sees the same small view and draws from one stream.

pub mod depth_first;
mod directed;
mod pct;
mod planned;
mod pos;
mod random;
mod replay;
mod round_robin;
mod sticky;
mod surw;

use threadbare_control::block::{
    Config, FLUSH, Learned, MAX_TARGETS, MAX_THREADS, Memory, Strategy as Name, Switch,
};

/// Candidates at most: every thread, and every thread's store buffer.
pub const CANDIDATES: usize = FLUSH + MAX_THREADS;

/// Candidates that there are in a run by these orders, at most. What a strategy draws beforehand it draws for them, so
/// that seeds keep their meaning where there are no buffers.
fn candidates(config: &Config) -> usize {
    match config.memory {
        Memory::Sequential => MAX_THREADS,
        Memory::Tso => CANDIDATES,
    }
}

/// What a strategy may know of who can go on.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// The thread's number, or from [`FLUSH`] on that of a buffer whose oldest store can become visible.
    pub id: usize,
    /// The address that its next step touches, 0 if none.
    pub address: usize,
    /// That step writes.
    pub writes: bool,
    /// The instruction that makes it, 0 if none is known.
    pub pc: usize,
}

#[cfg(test)]
impl Candidate {
    /// About to touch nothing.
    pub const NONE: Self = Self {
        id: 0,
        address: 0,
        writes: false,
        pc: 0,
    };
}

/// Under which number learned conflicts have these eight bytes.
#[inline]
pub fn granule(address: usize) -> usize {
    (((address >> 3) as u32).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// A choice to be made: two or more candidates, in order of their numbers, threads before buffers.
pub struct View<'a> {
    /// Who can run.
    pub candidates: &'a [Candidate],
    /// Where among them the thread is that ran up to now; none if it blocked or left.
    pub running: Option<usize>,
    /// It asked to let others run.
    pub yields: bool,
    /// The number of the thread that ran up to now.
    pub me: usize,
    /// Its steps so far.
    pub step: u64,
}

impl View<'_> {
    /// As if nobody preempted anybody: who runs goes on, or the next thread by number comes; stores wait as long as
    /// they can.
    pub fn usual(&self) -> usize {
        match self.running.filter(|_| !self.yields) {
            Some(running) => running,
            None => {
                let after = |c: &Candidate| c.id > self.me && c.id < FLUSH;
                self.candidates.iter().position(after).unwrap_or(0)
            }
        }
    }
}

/// Picks one of the candidates.
pub trait Strategy {
    /// A new run.
    fn begin(&mut self, config: &Config, draw: &mut Draw);
    /// The index of the chosen candidate. An error says why there is no right choice.
    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str>;
    /// Which of `count` waiters the wake-up reaches that thread `me` makes as this step of its own.
    fn waiter(
        &mut self,
        me: usize,
        step: u64,
        count: usize,
        draw: &mut Draw,
    ) -> Result<usize, &'static str> {
        let _ = (me, step);
        Ok(draw.below(count))
    }
}

/// The one stream of random numbers of a run: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub struct Draw(u64);

impl Draw {
    /// The stream of a seed. The seed is hashed first: neighbouring states of SplitMix64 are
    /// neighbouring positions of one stream.
    pub const fn new(seed: u64) -> Self {
        Self(finish(finish(seed ^ 0xd1b5_4a32_d192_ed03)))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finish(self.0)
    }

    /// A number below `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        // The bias is below 2^-50 for the few dozen options there are.
        (self.next() % count as u64) as usize
    }
}

const fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Every strategy, ready; which one is asked is said by the orders. Static, as nothing may allocate.
pub struct All {
    random: random::Random,
    sticky: sticky::Sticky,
    pct: pct::Pct,
    pos: pos::Pos,
    replay: replay::Replay,
    surw: surw::Surw,
    depth_first: depth_first::DepthFirst,
    planned: planned::Planned,
    directed: directed::Directed,
    fair: round_robin::RoundRobin,
    name: Name,
    /// Fair turns from now on, whatever was ordered.
    pub be_fair: bool,
}

impl All {
    /// Before any run.
    pub const fn new() -> Self {
        Self {
            random: random::Random,
            sticky: sticky::Sticky { one_in: 1 },
            pct: pct::Pct::new(),
            pos: pos::Pos {
                priority: [0; CANDIDATES],
            },
            replay: replay::Replay::new(),
            surw: surw::Surw::new(),
            depth_first: depth_first::DepthFirst::new(),
            planned: planned::Planned::new(),
            directed: directed::Directed::new(),
            fair: round_robin::RoundRobin { turns: 0 },
            name: Name::Random,
            be_fair: false,
        }
    }

    /// The one in use.
    pub fn current(&mut self) -> &mut dyn Strategy {
        match self.name {
            // A replay replays the fair turns too.
            Name::Replay => &mut self.replay,
            _ if self.be_fair => &mut self.fair,
            Name::Random => &mut self.random,
            Name::Sticky => &mut self.sticky,
            Name::Pct => &mut self.pct,
            Name::Pos => &mut self.pos,
            Name::Surw => &mut self.surw,
            Name::DepthFirst => &mut self.depth_first,
            Name::Planned => &mut self.planned,
            Name::Directed => &mut self.directed,
        }
    }

    /// A new run under `name`.
    pub fn begin(&mut self, name: Name, config: &Config, draw: &mut Draw) {
        self.name = name;
        self.be_fair = false;
        self.fair.begin(config, draw);
        self.current().begin(config, draw);
    }

    /// What a replay replays.
    pub fn give(&mut self, choices: &'static [u16]) {
        self.replay.given = choices;
        self.depth_first.prefix = choices;
    }

    /// What a plan plans.
    pub fn plan(&mut self, switches: &'static [Switch]) {
        self.planned.plan = switches;
    }

    /// What is aimed at.
    pub fn aim(&mut self, targets: &'static [[u64; MAX_TARGETS]; 2]) {
        self.directed.aim(targets);
    }

    /// There is something to aim at.
    pub fn aims(&self) -> bool {
        self.directed.aims()
    }

    /// An instruction that is aimed at, which is a point therefore.
    #[inline]
    pub fn aims_at(&self, pc: usize) -> bool {
        self.directed.aims_at(pc)
    }

    /// What learning runs have counted.
    pub fn learned(&mut self, learned: &'static Learned) {
        self.surw.learned = Some(learned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_give_unrelated_streams() {
        let stream = |seed| -> Vec<u64> {
            let mut draw = Draw::new(seed);
            (0..64).map(|_| draw.next()).collect()
        };
        let (one, two) = (stream(1), stream(2));
        assert!(
            one.iter().all(|x| !two.contains(x)),
            "one stream is the other, shifted"
        );
    }

    fn two() -> [Candidate; 2] {
        [0, 1].map(|id| Candidate {
            id,
            ..Candidate::NONE
        })
    }

    #[test]
    fn a_replay_refuses_a_choice_among_another_number() {
        let mut replay = replay::Replay::new();
        replay.given = &[0x0201, 0x0300];
        let mut draw = Draw::new(1);
        let candidates = two();
        let view = View {
            candidates: &candidates,
            running: Some(0),
            yields: false,
            me: 0,
            step: 0,
        };
        assert_eq!(replay.choose(&view, &mut draw), Ok(1));
        assert!(replay.choose(&view, &mut draw).is_err());
    }

    #[test]
    fn a_yielding_thread_is_not_chosen_again_at_once() {
        let candidates = two();
        let view = View {
            candidates: &candidates,
            running: Some(0),
            yields: true,
            me: 0,
            step: 0,
        };
        let mut draw = Draw::new(7);
        for strategy in [
            &mut random::Random as &mut dyn Strategy,
            &mut sticky::Sticky { one_in: 8 },
        ] {
            for _ in 0..100 {
                assert_eq!(strategy.choose(&view, &mut draw), Ok(1));
            }
        }
    }
}
