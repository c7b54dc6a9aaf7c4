//! A history as lanes: operations of one lane never overlap, so that "how far in each lane" says which
//! operations are done.

use crate::{NEVER, Operation, Order};

/// One operation in a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// Its position in the history.
    pub at: usize,
    pub call: u64,
    /// [`NEVER`] also where the history is cut before it returns.
    pub end: u64,
}

/// The lanes of (a beginning of) a part of a history.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub lanes: Vec<Vec<Placed>>,
    /// Operations that returned: these have to be explained.
    pub completed: usize,
    across: Across,
}

/// What an operation has to wait for in other lanes than its own.
#[derive(Debug)]
enum Across {
    /// What ended before it was called.
    Time,
    Nothing,
    /// So many of each lane, by lane and place.
    Counts(Vec<Vec<Vec<u32>>>),
}

impl Lanes {
    /// Of the operations at these positions that were called up to this moment.
    pub fn new<Op, Result>(
        history: &[Operation<Op, Result>],
        part: &[usize],
        order: Order<'_>,
        upto: u64,
    ) -> Self {
        let mut operations: Vec<Placed> = part
            .iter()
            .map(|&at| Placed { at, call: history[at].call, end: history[at].end })
            .filter(|o| o.call <= upto)
            .collect();
        for o in &mut operations {
            if o.end > upto {
                o.end = NEVER;
            }
        }
        let completed = operations.iter().filter(|o| o.end != NEVER).count();
        let (lanes, across) = match order {
            Order::RealTime => (by_time(operations), Across::Time),
            Order::Program => (by_thread(operations, history), Across::Nothing),
            Order::Given(before) => by_relation(operations, before),
        };
        Self { lanes, completed, across }
    }

    /// A lane's next operation, if it may come now. `soonest` is the earliest end of those that are left.
    pub fn next(&self, lane: usize, positions: &[u32], soonest: u64) -> Option<&Placed> {
        let at = positions[lane] as usize;
        let next = self.lanes[lane].get(at)?;
        let free = match &self.across {
            Across::Time => next.call <= soonest,
            Across::Nothing => true,
            Across::Counts(counts) => counts[lane][at].iter().zip(positions).all(|(n, p)| n <= p),
        };
        free.then_some(next)
    }
}

/// As few lanes as operations overlap at one moment: each goes to a lane whose last one has ended.
fn by_time(mut operations: Vec<Placed>) -> Vec<Vec<Placed>> {
    operations.sort_by_key(|o| (o.call, o.end));
    let mut lanes: Vec<Vec<Placed>> = Vec::new();
    for o in operations {
        let free = |lane: &&mut Vec<Placed>| lane.last().is_some_and(|last| last.end < o.call);
        match lanes.iter_mut().find(free) {
            Some(lane) => lane.push(o),
            None => lanes.push(vec![o]),
        }
    }
    lanes
}

fn by_thread<Op, Result>(
    operations: Vec<Placed>,
    history: &[Operation<Op, Result>],
) -> Vec<Vec<Placed>> {
    let mut lanes = std::collections::BTreeMap::<usize, Vec<Placed>>::new();
    for o in operations {
        let lane = lanes.entry(history[o.at].thread).or_default();
        assert!(
            lane.last().is_none_or(|last| last.end != NEVER || o.end == NEVER),
            "thread {} goes on after an operation that never returned",
            history[o.at].thread
        );
        lane.push(o);
    }
    lanes.into_values().collect()
}

/// Each goes to a lane whose last one comes before it, after all that come before it are placed.
fn by_relation(
    mut left: Vec<Placed>,
    before: &dyn Fn(usize, usize) -> bool,
) -> (Vec<Vec<Placed>>, Across) {
    let precedes = |a: &Placed, b: &Placed| a.end != NEVER && a.at != b.at && before(a.at, b.at);
    let mut lanes: Vec<Vec<Placed>> = Vec::new();
    let mut counts: Vec<Vec<Vec<u32>>> = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|o| !left.iter().any(|other| precedes(other, o)));
        let o = left.remove(free.expect("no operation comes before itself"));
        let waits = lanes.iter().map(|lane| {
            let last = lane.iter().rposition(|other| precedes(other, &o));
            last.map_or(0, |place| place as u32 + 1)
        });
        let waits: Vec<u32> = waits.collect();
        let lane = (0..lanes.len()).find(|&i| waits[i] as usize == lanes[i].len());
        let lane = lane.unwrap_or_else(|| {
            lanes.push(Vec::new());
            counts.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push(o);
        counts[lane].push(waits);
    }
    (lanes, Across::Counts(counts))
}
