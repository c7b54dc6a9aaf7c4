//! Two small reference machines, independent of the explorer: interleavings
//! (SC) and store buffers (x86-TSO, Sewell et al., CACM 2010). They enumerate
//! machine states, not graphs, and serve as oracles for the engines.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::ast::Order;
use super::code::{Access, Code, Cursor, Index, Reply};

/// The machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// One memory, one step at a time: the orders of accesses are ignored.
    Interleaving,
    /// Each thread has a buffer of its stores in order; loads look there first;
    /// seq_cst stores are exchanges; exchanges, compare-exchanges (also one that
    /// fails: a locked CMPXCHG writes all the same) and seq_cst fences wait for
    /// the buffer to drain.
    StoreBuffers,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    memory: Vec<i64>,
    threads: Vec<Cursor>,
    buffers: Vec<VecDeque<(Index, i64)>>,
}

/// Every outcome of `code` on `machine`, or `None` after `limit` machine states.
pub fn outcomes(code: &Code, machine: Machine, limit: usize) -> Option<BTreeSet<Vec<i64>>> {
    let start = State {
        memory: code.initial.clone(),
        threads: code.threads.iter().map(Cursor::new).collect(),
        buffers: vec![VecDeque::new(); code.threads.len()],
    };
    let mut out = BTreeSet::new();
    let mut seen = HashSet::from([start.clone()]);
    let mut todo = vec![start];
    while let Some(mut state) = todo.pop() {
        let mut last = true;
        for (thread, own) in code.threads.iter().enumerate() {
            let pending = state.threads[thread].pending(own);
            // Nothing comes of the state: a loop that goes on too long for us, the half of an
            // update that has met another's, or what C does not define.
            if let Some(Access::GiveUp | Access::Abandon | Access::Undefined(_)) = pending {
                last = false;
                continue;
            }
            let mut next: Vec<State> = Vec::new();
            if let Some(access) = pending {
                last = false;
                for (memory_after, buffer_after, reply) in
                    effects(code, &state, thread, access, machine)
                {
                    let mut after = state.clone();
                    after.memory = memory_after;
                    after.buffers[thread] = buffer_after;
                    after.threads[thread].resume(own, reply);
                    next.push(after);
                }
            }
            if !state.buffers[thread].is_empty() {
                last = false;
                let mut after = state.clone();
                let (location, value) = after.buffers[thread].pop_front().expect("checked");
                after.memory[location] = value;
                next.push(after);
            }
            for after in next {
                if seen.insert(after.clone()) {
                    if seen.len() > limit {
                        return None;
                    }
                    todo.push(after);
                }
            }
        }
        if last {
            out.insert(code.outcome(|l| state.memory[l], |t, r| state.threads[t].registers[r]));
        }
    }
    Some(out)
}

type Effect = (Vec<i64>, VecDeque<(Index, i64)>, Reply);

/// What `access` can do now; nothing if it has to wait for the buffer.
fn effects(
    code: &Code,
    state: &State,
    thread: Index,
    access: Access,
    machine: Machine,
) -> Vec<Effect> {
    let buffer = &state.buffers[thread];
    let drained = buffer.is_empty();
    let seen = |location: Index| {
        let own = buffer.iter().rev().find(|(l, _)| *l == location);
        own.map_or(state.memory[location], |(_, value)| *value)
    };
    let same = |reply| (state.memory.clone(), buffer.clone(), reply);
    let written = |location: Index, value, reply| {
        let mut memory = state.memory.clone();
        memory[location] = value;
        (memory, buffer.clone(), reply)
    };
    match access {
        Access::Load { location, .. } => vec![same(Reply::value(seen(location)))],
        Access::Store {
            location,
            value,
            order,
        } => {
            let value = code.types[location].wrap(value);
            if machine == Machine::StoreBuffers && order != Order::SeqCst {
                let mut buffer = buffer.clone();
                buffer.push_back((location, value));
                vec![(state.memory.clone(), buffer, Reply::default())]
            } else if drained {
                vec![written(location, value, Reply::default())]
            } else {
                vec![]
            }
        }
        Access::Rmw {
            location,
            op,
            operand,
            ..
        } if drained => {
            let old = state.memory[location];
            let new = code.types[location].wrap(op.apply(old, operand));
            vec![written(location, new, Reply::value(old))]
        }
        Access::Cas {
            location,
            expected,
            desired,
            weak,
            ..
        } => {
            let found = seen(location);
            let (expected, desired) = (
                code.types[location].wrap(expected),
                code.types[location].wrap(desired),
            );
            let mut out = Vec::new();
            // Failing without cause is a mere load: no machine of this kind does it.
            if weak || drained && found != expected {
                out.push(same(Reply::value(found)));
            }
            if drained && found == expected {
                out.push(written(
                    location,
                    desired,
                    Reply {
                        found,
                        exchanged: true,
                    },
                ));
            }
            out
        }
        Access::Fence(order) if drained || order != Order::SeqCst => vec![same(Reply::default())],
        Access::Lock(location) if drained && state.memory[location] == 0 => {
            vec![written(location, 1, Reply::default())]
        }
        // The thread reads again.
        Access::Again(_) => vec![same(Reply::default())],
        _ => vec![],
    }
}
