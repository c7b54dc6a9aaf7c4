//! Histories of the size of porcupine's benchmark, generated: 102 of a register with 84 operations,
//! and of a key-value store with 50 clients, right and wrong.
//!
//! ```console
//! $ cargo bench -p threadbare-linear
//! $ cargo bench -p threadbare-linear --features stateright   # and the checker of that crate
//! ```

#[path = "../tests/support/register.rs"]
mod register;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use register::{Op, Register};
use std::collections::HashSet;
use std::time::Instant;
use threadbare_linear::{Limits, NEVER, Operation, Order, Specification, check};

const SEED: u64 = 1;

/// What a key of the store holds: the texts put and appended, as their number and hash, so that a state
/// is copied at no cost.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Text(u32, u64);

impl Text {
    const EMPTY: Self = Self(0, 0);

    fn and(self, piece: u64) -> Self {
        Self(self.0 + 1, self.1.wrapping_mul(0x100_0000_01b3).wrapping_add(piece + 1))
    }
}

#[derive(Clone, Debug)]
enum KvOp {
    Get(u64),
    Put(u64, u64),
    Append(u64, u64),
}

/// A store of texts, of which it tells only those apart that a read of the history can still come to: a
/// text that begins none of the texts read is read by nobody, nor is what is appended to it. Concurrent
/// appends would else leave a state for each of their orders, whether anybody looks or not.
struct Store {
    beginnings: HashSet<Text>,
}

impl Store {
    fn of(history: &[Operation<KvOp, Vec<u64>>]) -> Self {
        let mut beginnings = HashSet::from([Text::EMPTY]);
        for operation in history {
            if let (KvOp::Get(_), Some(read)) = (&operation.op, &operation.result) {
                let mut text = Text::EMPTY;
                for piece in read {
                    text = text.and(*piece);
                    beginnings.insert(text);
                }
            }
        }
        Self { beginnings }
    }
}

impl Specification for Store {
    /// `None`: a text that is never read.
    type State = Option<Text>;
    type Op = KvOp;
    type Result = Vec<u64>;

    fn initial(&self) -> Option<Text> {
        Some(Text::EMPTY)
    }

    fn step(
        &self,
        state: &Option<Text>,
        op: &KvOp,
        result: Option<&Vec<u64>>,
    ) -> Option<Option<Text>> {
        let after = match op {
            KvOp::Get(_) => {
                let read = |pieces: &Vec<u64>| pieces.iter().fold(Text::EMPTY, |t, p| t.and(*p));
                return result.is_none_or(|r| Some(read(r)) == *state).then_some(*state);
            }
            KvOp::Put(_, piece) => Some(Text::EMPTY.and(*piece)),
            KvOp::Append(_, piece) => state.map(|text| text.and(*piece)),
        };
        Some(after.filter(|text| self.beginnings.contains(text)))
    }

    fn only_reads(&self, op: &KvOp, _: &Vec<u64>) -> bool {
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

/// What the last read of a store's history answers.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Right,
    /// What nobody wrote.
    Unwritten,
    /// What the key held many operations ago.
    Stale,
}

fn store(numbers: &mut Numbers, operations: usize, last: Last) -> Vec<Operation<KvOp, Vec<u64>>> {
    let mut state = vec![Vec::new(); 10];
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
        let text: &mut Vec<u64> = &mut state[*k as usize];
        match op {
            KvOp::Get(_) => return text.clone(),
            KvOp::Put(_, piece) => *text = vec![*piece],
            KvOp::Append(_, piece) => text.push(*piece),
        }
        Vec::new()
    };
    let mut history = history(numbers, 50, operations, 0, draw, effect);
    if last != Last::Right {
        let key = |o: &Operation<KvOp, Vec<u64>>| match o.op {
            KvOp::Get(key) => Some(key),
            _ => None,
        };
        let at = history.iter().rposition(|o| key(o).is_some()).expect("there are reads");
        let stale = history[..operations / 2].iter().rfind(|o| key(o) == key(&history[at]));
        let stale = stale.expect("the key was read before").result.clone();
        history[at].result = if last == Last::Stale { stale } else { Some(vec![1000; 3]) };
    }
    history
}

fn time<S: Specification>(
    what: &str,
    specification: impl Fn(&[Operation<S::Op, S::Result>]) -> S,
    histories: &[Vec<Operation<S::Op, S::Result>>],
    right: bool,
) {
    let start = (Instant::now(), processor());
    for history in histories {
        let verdict = check(&specification(history), history, Order::RealTime, Limits::default());
        assert_eq!(verdict.is_explained(), Some(right), "{what}");
    }
    let operations: usize = histories.iter().map(Vec::len).sum();
    println!(
        "{what:<34} {:>4} histories {operations:>6} operations {:>8.2} ms, of the processor {:>8.2} ms",
        histories.len(),
        start.0.elapsed().as_secs_f64() * 1e3,
        (processor() - start.1) as f64 / 1e6
    );
    #[cfg(feature = "stateright")]
    peer::time(specification, histories, right);
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
    time("register, right", |_| Register(-1), &right, true);
    time("register, wrong", |_| Register(-1), &wrong, false);
    for (operations, last, what) in [
        (1712, Last::Right, "right"),
        (2024, Last::Unwritten, "wrong: unwritten"),
        (2024, Last::Stale, "wrong: stale"),
    ] {
        let what = format!("key-value, 50 clients, {what}");
        time(&what, Store::of, &[store(n, operations, last)], last == Last::Right);
    }
}

/// The same histories and specifications in stateright's checker, part by part as here.
#[cfg(feature = "stateright")]
mod peer {
    use super::{Instant, NEVER, Operation, Specification, processor};
    use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::time::Duration;

    /// What a row may take: its search cannot be cancelled but by a panic of the specification.
    const MOST: Duration = Duration::from_secs(20);

    /// A specification, with operations and results as positions in the history.
    struct Object<'a, S: Specification> {
        specification: &'a S,
        history: &'a [Operation<S::Op, S::Result>],
        state: S::State,
        end: Instant,
    }

    impl<S: Specification> Clone for Object<'_, S> {
        fn clone(&self) -> Self {
            Self { state: self.state.clone(), ..*self }
        }
    }

    impl<S: Specification> SequentialSpec for Object<'_, S> {
        type Op = usize;
        type Ret = usize;

        fn invoke(&mut self, op: &usize) -> usize {
            self.is_valid_step(op, op);
            *op
        }

        fn is_valid_step(&mut self, op: &usize, _: &usize) -> bool {
            if Instant::now() > self.end {
                resume_unwind(Box::new("late"));
            }
            let Operation { op, result, .. } = &self.history[*op];
            match self.specification.step(&self.state, op, result.as_ref()) {
                Some(after) => self.state = after,
                None => return false,
            }
            true
        }
    }

    pub fn time<S: Specification>(
        specification: impl Fn(&[Operation<S::Op, S::Result>]) -> S,
        histories: &[Vec<Operation<S::Op, S::Result>>],
        right: bool,
    ) {
        let before = processor();
        let end = Instant::now() + MOST;
        let mut done = 0;
        for history in histories {
            let specification = specification(history);
            let mut parts = BTreeMap::<Option<u64>, Vec<usize>>::new();
            for (i, o) in history.iter().enumerate() {
                parts.entry(specification.part(&o.op)).or_default().push(i);
            }
            let consistent = |part: &Vec<usize>| {
                let state = specification.initial();
                let object = Object { specification: &specification, history, state, end };
                is_consistent(object, part)
            };
            let judged = catch_unwind(AssertUnwindSafe(|| parts.values().all(consistent)));
            match judged {
                Ok(verdict) => assert_eq!(verdict, right, "stateright"),
                Err(_) => break,
            }
            done += 1;
        }
        println!(
            "{:<34} {done:>4} of {} decided, of the processor {:>8.2} ms",
            "  stateright",
            histories.len(),
            (processor() - before) as f64 / 1e6
        );
    }

    fn is_consistent<S: Specification>(object: Object<'_, S>, part: &[usize]) -> bool {
        // Calls before returns of one moment, since intervals are closed.
        let mut events: Vec<(u64, bool, usize)> = Vec::new();
        for &i in part {
            events.push((object.history[i].call, false, i));
            if object.history[i].end != NEVER {
                events.push((object.history[i].end, true, i));
            }
        }
        events.sort_unstable();
        let threads: Vec<usize> = part.iter().map(|&i| object.history[i].thread).collect();
        // A client goes on as another after an operation that does not return.
        let mut names: BTreeMap<usize, usize> = threads.iter().map(|&t| (t, t)).collect();
        let mut next = threads.iter().max().map_or(0, |t| t + 1);
        let mut tester = LinearizabilityTester::new(object.clone());
        for (_, is_return, i) in events {
            let thread = object.history[i].thread;
            let told = if is_return {
                tester.on_return(names[&thread], i)
            } else {
                tester.on_invoke(names[&thread], i)
            };
            told.expect("a thread's operations follow each other");
            if object.history[i].end == NEVER {
                names.insert(thread, next);
                next += 1;
            }
        }
        tester.is_consistent()
    }
}
