//! The programs of the comparison, each written once for every engine.
//!
//! A body performs its operations through [`Cx`]. Under a [`Program`] it is replayed from
//! the start for each new answer and stops where the answers end; under an engine that
//! runs closures it simply runs.
#![allow(dead_code, missing_docs)]

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Update, Wait,
};

/// The body stops here: its next operation is this, or the engine has had enough.
pub struct Stop(pub Op);

pub type Answer = Result<u64, Stop>;

/// The operations of a thread. Atomics and plain cells are numbered apart.
pub trait Cx {
    fn load(&mut self, at: usize, order: Ordering) -> Answer;
    fn store(&mut self, at: usize, value: u64, order: Ordering) -> Answer;
    /// Wrapping addition; answered with the old value.
    fn add(&mut self, at: usize, value: u64, order: Ordering) -> Answer;
    /// As [`Self::add`], when the old value is of no interest.
    fn bump(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        self.add(at, value, order)
    }
    fn cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer;
    fn fence(&mut self, order: Ordering) -> Answer;
    fn get(&mut self, cell: usize) -> Answer;
    fn set(&mut self, cell: usize, value: u64) -> Answer;
    /// Waits for a value.
    fn wait(&mut self, at: usize, order: Ordering, wanted: &dyn Fn(u64) -> bool) -> Answer;
    /// The last attempt of a loop that writes nothing but this: where it fails, blocks if
    /// the engine can, else answers whether it succeeded.
    fn try_cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        Ok((self.cas(at, old, new, order)? == old).into())
    }
    /// The attempt was in vain: blocks if the engine can, else lets the others go on.
    fn again(&mut self) -> Answer;
    fn check(&mut self, holds: bool, claim: &'static str) -> Answer;
}

pub type Body = fn(usize, usize, &mut dyn Cx) -> Answer;

#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub threads: usize,
    /// First values of the atomics.
    pub atomics: Vec<u64>,
    pub cells: usize,
    /// The thread's number, the number of threads, the operations.
    pub body: Body,
    /// GenMC 0.11, RC11: complete and blocked.
    pub genmc: Option<(u64, u64)>,
    /// Threads with a number from this one on do the same.
    pub alike_from: usize,
    /// Whether it can be run as a closure by us: without retries.
    pub closure: bool,
}

struct Replay<'a> {
    answers: std::slice::Iter<'a, u64>,
    atomics: u32,
}

impl Replay<'_> {
    fn next(&mut self, op: impl FnOnce() -> Op) -> Answer {
        self.answers.next().copied().ok_or_else(|| Stop(op()))
    }
}

const fn location(at: usize) -> Location {
    Location(at as u32)
}

impl Cx for Replay<'_> {
    fn load(&mut self, at: usize, order: Ordering) -> Answer {
        self.next(|| Op::Load {
            location: location(at),
            order: order.into(),
        })
    }
    fn store(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        self.next(|| Op::Store {
            location: location(at),
            order: order.into(),
            value,
        })
    }
    fn bump(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        let update = Update::Add(value);
        self.next(|| Op::Apply {
            location: location(at),
            order: order.into(),
            update,
        })
    }
    fn add(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        let update = Update::Add(value);
        self.next(|| Op::Update {
            location: location(at),
            order: order.into(),
            update,
        })
    }
    fn cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        self.next(|| Op::CompareExchange {
            location: location(at),
            expected: old,
            new,
            success: order.into(),
            failure: MemoryOrder::Relaxed,
        })
    }
    fn try_cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        let order = order.into();
        let op = || Op::AwaitExchange {
            location: location(at),
            expected: old,
            new,
            order,
        };
        if self.next(op)? == old {
            Ok(1)
        } else {
            self.again()
        }
    }
    fn fence(&mut self, order: Ordering) -> Answer {
        self.next(|| Op::Fence(order.into()))
    }
    fn get(&mut self, cell: usize) -> Answer {
        let location = Location(self.atomics + cell as u32);
        self.next(|| Op::Load {
            location,
            order: MemoryOrder::Plain,
        })
    }
    fn set(&mut self, cell: usize, value: u64) -> Answer {
        let location = Location(self.atomics + cell as u32);
        self.next(|| Op::Store {
            location,
            order: MemoryOrder::Plain,
            value,
        })
    }
    fn wait(&mut self, at: usize, order: Ordering, wanted: &dyn Fn(u64) -> bool) -> Answer {
        let value = self.next(|| Op::Await {
            location: location(at),
            order: order.into(),
        })?;
        if wanted(value) {
            Ok(value)
        } else {
            Err(Stop(Op::Block {
                wait: Wait::Await,
                reads: 1,
            }))
        }
    }
    fn again(&mut self) -> Answer {
        Err(Stop(Op::Block {
            wait: Wait::Assume,
            reads: 1,
        }))
    }
    fn check(&mut self, holds: bool, claim: &'static str) -> Answer {
        if holds {
            Ok(0)
        } else {
            Err(Stop(Op::Fail(claim.into())))
        }
    }
}

impl Program for Case {
    fn threads(&self) -> usize {
        self.threads
    }

    fn locations(&self) -> Vec<LocationInfo> {
        let atomics = self
            .atomics
            .iter()
            .enumerate()
            .map(|(i, &initial)| LocationInfo {
                name: NAMES[i].into(),
                initial,
                bits: 64,
            });
        let cells = (0..self.cells).map(|i| LocationInfo {
            name: CELLS[i].into(),
            initial: 0,
            bits: 64,
        });
        atomics.chain(cells).collect()
    }

    fn alike(&self, a: usize, b: usize) -> bool {
        a.min(b) >= self.alike_from
    }

    fn step(&self, thread: usize, answers: &[u64]) -> Step {
        let atomics = self.atomics.len() as u32;
        let mut cx = Replay {
            answers: answers.iter(),
            atomics,
        };
        match (self.body)(thread, self.threads, &mut cx) {
            Ok(_) => Op::End.into(),
            Err(Stop(op)) => op.into(),
        }
    }
}

const NAMES: [&str; 4] = ["x", "y", "z", "w"];
const CELLS: [&str; 4] = ["cell 0", "cell 1", "cell 2", "cell 3"];

const X: usize = 0;
const Y: usize = 1;

fn store_buffering<const SC: bool>(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let order = if SC {
        [SeqCst, SeqCst]
    } else {
        [Relaxed, Relaxed]
    };
    cx.store(t, 1, order[0])?;
    cx.load(1 - t, order[1])
}

fn message_passing<const SYNC: bool>(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let (release, acquire) = if SYNC {
        (Release, Acquire)
    } else {
        (Relaxed, Relaxed)
    };
    if t == 0 {
        cx.store(X, 1, Relaxed)?;
        cx.store(Y, 1, release)
    } else {
        cx.load(Y, acquire)?;
        cx.load(X, Relaxed)
    }
}

fn iriw<const SC: bool>(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let order = if SC { SeqCst } else { Relaxed };
    match t {
        0 => cx.store(X, 1, order),
        1 => cx.store(Y, 1, order),
        2 => {
            cx.load(X, order)?;
            cx.load(Y, order)
        }
        _ => {
            cx.load(Y, order)?;
            cx.load(X, order)
        }
    }
}

fn coherence(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    if t < 2 {
        return cx.store(X, t as u64 + 1, Relaxed);
    }
    cx.load(X, Relaxed)?;
    cx.load(X, Relaxed)
}

fn two_plus_two<const SC: bool>(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let order = if SC { SeqCst } else { Relaxed };
    cx.store(t, 1, order)?;
    cx.store(1 - t, 2, order)
}

fn arc(_: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    cx.get(0)?;
    cx.bump(X, 1, Relaxed)?;
    for _ in 0..2 {
        if cx.add(X, 1u64.wrapping_neg(), Release)? == 1 {
            cx.fence(Acquire)?;
            cx.set(0, 1)?;
        }
    }
    Ok(0)
}

/// The same without looking at the counts: nothing but increments and decrements.
fn counter(_: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    cx.bump(X, 1, Relaxed)?;
    cx.bump(X, 1u64.wrapping_neg(), Release)?;
    cx.bump(X, 1u64.wrapping_neg(), Release)
}

/// Node `t + 1` is pushed by thread `t`; `next` of node `n` is cell `n - 1`.
fn treiber(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let node = t as u64 + 1;
    let mut head = cx.load(X, Relaxed)?;
    loop {
        cx.set(t, head)?;
        match cx.cas(X, head, node, Release)? {
            found if found == head => break,
            found => head = found,
        }
    }
    loop {
        let head = cx.load(X, Acquire)?;
        if head == 0 {
            return Ok(0);
        }
        let next = cx.get(head as usize - 1)?;
        if cx.try_cas(X, head, next, Acquire)? == 1 {
            return Ok(head);
        }
        cx.again()?;
    }
}

fn seqlock(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    if t == 0 {
        cx.store(0, 1, Relaxed)?;
        cx.fence(Release)?;
        cx.store(1, 1, Relaxed)?;
        cx.store(2, 1, Relaxed)?;
        return cx.store(0, 2, Release);
    }
    let before = cx.load(0, Acquire)?;
    if before % 2 == 1 {
        return Ok(0);
    }
    let first = cx.load(1, Relaxed)?;
    let second = cx.load(2, Relaxed)?;
    cx.fence(Acquire)?;
    let after = cx.load(0, Relaxed)?;
    cx.check(before != after || first == second, "a torn read")
}

fn ticket(_: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let mine = cx.add(0, 1, Relaxed)?;
    cx.wait(1, Acquire, &|now| now == mine)?;
    let total = cx.get(0)?;
    cx.set(0, total + 1)?;
    cx.store(1, mine + 1, Release)
}

fn peterson(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    let turn = 2;
    cx.store(t, 1, SeqCst)?;
    cx.store(turn, 1 - t as u64, SeqCst)?;
    while cx.load(1 - t, SeqCst)? == 1 && cx.load(turn, SeqCst)? == 1 - t as u64 {
        cx.again()?;
    }
    let total = cx.get(0)?;
    cx.set(0, total + 1)?;
    cx.store(t, 0, SeqCst)
}

/// Biased counting (Choi, Shull, Torrellas, PACT 2018), the shared half: thread 0 owns the
/// object and merges, the others each take one reference and drop two. The word is four
/// times the count plus the merged flag.
fn biased(t: usize, _: usize, cx: &mut dyn Cx) -> Answer {
    const MERGED: u64 = 1;
    const ONE: u64 = 4;
    if t == 0 {
        loop {
            let old = cx.load(X, Relaxed)?;
            if cx.try_cas(X, old, old | MERGED, AcqRel)? == 1 {
                return Ok(0);
            }
            cx.again()?;
        }
    }
    cx.bump(X, ONE, Relaxed)?;
    for _ in 0..2 {
        let mut old = cx.load(X, Relaxed)?;
        loop {
            match cx.cas(X, old, old.wrapping_sub(ONE), AcqRel)? {
                found if found == old => break,
                found => old = found,
            }
        }
    }
    Ok(0)
}

fn case(
    name: &'static str,
    threads: usize,
    atomics: &[u64],
    cells: usize,
    body: Body,
    genmc: Option<(u64, u64)>,
) -> Case {
    Case {
        name,
        threads,
        atomics: atomics.to_vec(),
        cells,
        body,
        genmc,
        alike_from: usize::MAX,
        closure: true,
    }
}

/// The rows of the comparison.
pub fn cases() -> Vec<Case> {
    let mut all = vec![
        case(
            "SB relaxed",
            2,
            &[0; 2],
            0,
            store_buffering::<false>,
            Some((4, 0)),
        ),
        case(
            "SB SeqCst",
            2,
            &[0; 2],
            0,
            store_buffering::<true>,
            Some((3, 0)),
        ),
        case(
            "MP relaxed",
            2,
            &[0; 2],
            0,
            message_passing::<false>,
            Some((4, 0)),
        ),
        case(
            "MP rel-acq",
            2,
            &[0; 2],
            0,
            message_passing::<true>,
            Some((3, 0)),
        ),
        case("IRIW relaxed", 4, &[0; 2], 0, iriw::<false>, Some((16, 0))),
        case("IRIW SeqCst", 4, &[0; 2], 0, iriw::<true>, Some((15, 0))),
        case("CoRR", 3, &[0], 0, coherence, Some((12, 0))),
        case(
            "2+2W relaxed",
            2,
            &[0; 2],
            0,
            two_plus_two::<false>,
            Some((4, 0)),
        ),
        case(
            "2+2W SeqCst",
            2,
            &[0; 2],
            0,
            two_plus_two::<true>,
            Some((3, 0)),
        ),
        case("Arc 2", 2, &[2], 1, arc, Some((20, 0))),
        case("Arc 3", 3, &[3], 1, arc, Some((1_680, 0))),
        case("Arc 4", 4, &[4], 1, arc, Some((369_600, 0))),
        case("counter 4", 4, &[0], 0, counter, Some((369_600, 0))),
        case("Treiber 2", 2, &[0], 2, treiber, Some((20, 8))),
        case("Treiber 3", 3, &[0], 3, treiber, Some((2_640, 2_400))),
        case("seqlock 1w 1r", 2, &[0; 3], 0, seqlock, Some((11, 0))),
        case("seqlock 1w 2r", 3, &[0; 3], 0, seqlock, Some((121, 0))),
        case("seqlock 1w 3r", 4, &[0; 3], 0, seqlock, Some((1_331, 0))),
        case("ticket lock 2", 2, &[0; 2], 1, ticket, Some((2, 0))),
        case("ticket lock 3", 3, &[0; 2], 1, ticket, Some((6, 0))),
        case("ticket lock 4", 4, &[0; 2], 1, ticket, Some((24, 0))),
        case("Peterson SeqCst", 2, &[0; 3], 1, peterson, Some((4, 4))),
        case("biased 2", 2, &[0], 0, biased, Some((8, 3))),
        case("biased 3", 3, &[0], 0, biased, Some((5_054, 1_188))),
        case("biased 4", 4, &[0], 0, biased, None),
    ];
    for case in &mut all {
        case.alike_from = match case.name.split(' ').next() {
            Some("Arc" | "counter") => 0,
            Some("seqlock" | "biased") => 1,
            _ => usize::MAX,
        };
        let retries = ["Treiber", "Peterson", "biased"];
        case.closure = !retries.iter().any(|name| case.name.starts_with(name));
    }
    all
}
