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
    pub order: Order,
}

impl Lanes {
    /// Of the operations at these positions that were called up to this moment.
    pub fn new<Op, Result>(
        history: &[Operation<Op, Result>],
        part: &[usize],
        order: Order,
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
        let lanes = match order {
            Order::RealTime => by_time(operations),
            Order::Program => by_thread(operations, history),
        };
        Self { lanes, completed, order }
    }
}

impl Lanes {
    /// A lane's next operation, if it may come now: what ended before it was called has to come first.
    /// `soonest` is the earliest end of those that are left.
    pub fn next(&self, lane: usize, positions: &[u32], soonest: u64) -> Option<&Placed> {
        let next = self.lanes[lane].get(positions[lane] as usize)?;
        (self.order == Order::Program || next.call <= soonest).then_some(next)
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
