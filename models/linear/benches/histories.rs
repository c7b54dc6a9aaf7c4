//! Histories of the size of porcupine's benchmark, generated: 102 of a register with 84 operations,
//! and two of a key-value store with 50 clients, right and wrong.
//!
//! ```console
//! $ cargo bench -p threadbare-linear
//! ```

#[path = "../tests/support/register.rs"]
mod register;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use register::{Op, Register};
use std::hash::{Hash, Hasher};
use std::time::Instant;
use threadbare_linear::{Limits, NEVER, Operation, Order, Specification, check};

const SEED: u64 = 1;

/// What a key of the store holds: the text that appends made, as its length and hash, so that a state
/// is copied at no cost.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Text(u64, u64);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0 ^ self.1);
    }
}

#[derive(Clone, Debug)]
enum KvOp {
    Get(u64),
    Put(u64, u64),
    Append(u64, u64),
}

struct Store;

impl Store {
    fn apply(state: Text, op: &KvOp) -> Text {
        match op {
            KvOp::Get(_) => state,
            KvOp::Put(_, v) => Text(1, *v),
            KvOp::Append(_, v) => {
                Text(state.0 + 1, state.1.wrapping_mul(0x100_0000_01b3).wrapping_add(*v))
            }
        }
    }
}

impl Specification for Store {
    type State = Text;
    type Op = KvOp;
    type Result = Text;

    fn initial(&self) -> Text {
        Text(0, 0)
    }

    fn step(&self, state: &Text, op: &KvOp, result: Option<&Text>) -> Option<Text> {
        let after = Self::apply(*state, op);
        let read = matches!(op, KvOp::Get(_));
        result.is_none_or(|r| !read || *r == *state).then_some(after)
    }

    fn only_reads(&self, op: &KvOp, _: &Text) -> bool {
        matches!(op, KvOp::Get(_))
    }

    fn part(&self, op: &KvOp) -> Option<u64> {
        let (KvOp::Get(k) | KvOp::Put(k, _) | KvOp::Append(k, _)) = op;
        Some(*k)
    }
}

/// Random numbers below a bound.
struct Numbers(ChaCha8Rng);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }
}

/// Operations of clients that each wait for their answer, which take effect at a moment within; with
/// `lost`, some of them never return.
fn history<O: Clone, R: Clone>(
    numbers: &mut Numbers,
    clients: usize,
    operations: usize,
    lost: u64,
    mut draw: impl FnMut(&mut Numbers) -> O,
    mut effect: impl FnMut(&O) -> R,
) -> Vec<Operation<O, R>> {
    let mut free: Vec<u64> = (0..clients).map(|_| numbers.below(100)).collect();
    let mut drawn: Vec<(u64, Operation<O, R>)> = Vec::new();
    for _ in 0..operations {
        let client = (0..clients).min_by_key(|c| free[*c]).expect("there are clients");
        let call = free[client];
        let end = call + 10 + numbers.below(190);
        let moment = call + 1 + numbers.below(end - call);
        free[client] = end + 1 + numbers.below(20);
        let op = draw(numbers);
        drawn.push((moment, Operation { thread: client, op, result: None, call, end }));
    }
    drawn.sort_by_key(|(moment, _)| *moment);
    let mut history: Vec<Operation<O, R>> = drawn
        .into_iter()
        .map(|(_, mut o)| {
            o.result = Some(effect(&o.op));
            o
        })
        .collect();
    for o in &mut history {
        if lost > 0 && numbers.below(lost) == 0 {
            o.result = None;
            o.end = NEVER;
        }
    }
    history
}

fn registers(numbers: &mut Numbers, wrong: bool) -> Vec<Operation<Op, i64>> {
    let mut state = -1;
    let draw = |n: &mut Numbers| match n.below(3) {
        0 => Op::Write(n.below(5) as i64),
        1 => Op::Read,
        _ => Op::CompareAndSet(n.below(5) as i64, n.below(5) as i64),
    };
    let effect = |op: &Op| {
        let (after, answer) = op.apply(state);
        state = after;
        answer
    };
    let mut history = history(numbers, 5, 84, 12, draw, effect);
    if wrong {
        let reads: Vec<usize> = (0..history.len())
            .filter(|i| matches!(history[*i].op, Op::Read) && history[*i].end != NEVER)
            .collect();
        let at = reads[reads.len() / 2 + numbers.below(reads.len() as u64 / 2) as usize];
        // What nobody writes: no order gives it.
        history[at].result = Some(77);
    }
    history
}

fn store(numbers: &mut Numbers, operations: usize, wrong: bool) -> Vec<Operation<KvOp, Text>> {
    let mut state = [Text(0, 0); 10];
    let draw = |n: &mut Numbers| {
        let key = n.below(10);
        match n.below(4) {
            0 | 1 => KvOp::Get(key),
            2 => KvOp::Append(key, n.below(1000)),
            _ => KvOp::Put(key, n.below(1000)),
        }
    };
    let effect = |op: &KvOp| {
        let (KvOp::Get(k) | KvOp::Put(k, _) | KvOp::Append(k, _)) = op;
        let before = state[*k as usize];
        state[*k as usize] = Store::apply(before, op);
        before
    };
    let mut history = history(numbers, 50, operations, 0, draw, effect);
    if wrong {
        let get = |o: &&mut Operation<KvOp, Text>| matches!(o.op, KvOp::Get(_));
        let last = history.iter_mut().rfind(get).expect("there are reads");
        last.result = Some(Text(3, 3));
    }
    history
}

fn time<S: Specification>(
    what: &str,
    specification: &S,
    histories: &[Vec<Operation<S::Op, S::Result>>],
    right: bool,
) {
    let start = (Instant::now(), processor());
    for history in histories {
        let verdict = check(specification, history, Order::RealTime, Limits::default());
        assert_eq!(verdict.is_explained(), Some(right), "{what}");
    }
    let operations: usize = histories.iter().map(Vec::len).sum();
    println!(
        "{what:<30} {:>4} histories {operations:>6} operations {:>8.2} ms, of the processor {:>8.2} ms",
        histories.len(),
        start.0.elapsed().as_secs_f64() * 1e3,
        (processor() - start.1) as f64 / 1e6
    );
}

/// Nanoseconds that this process had a processor: other programs do not count. 0 where only Linux tells.
fn processor() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn main() {
    let mut numbers = Numbers(ChaCha8Rng::seed_from_u64(SEED));
    let n = &mut numbers;
    println!(
        "seed {SEED}; porcupine's own: registers 1,030 ms, key-value 230 ms (right) and 40 ms (wrong)"
    );
    let right: Vec<_> = (0..102).map(|_| registers(n, false)).collect();
    let wrong: Vec<_> = (0..102).map(|_| registers(n, true)).collect();
    time("register, right", &Register(-1), &right, true);
    time("register, wrong", &Register(-1), &wrong, false);
    time("key-value, 50 clients, right", &Store, &[store(n, 1712, false)], true);
    time("key-value, 50 clients, wrong", &Store, &[store(n, 2024, true)], false);
}
