//! Operations in words.

use super::{Location, Op};

/// An operation in words, before it is known what comes of it.
pub(crate) fn operation(op: &Op, name: impl Fn(u32) -> String) -> String {
    let place = |location: &Location| name(location.0);
    match op {
        Op::Load { location, order } | Op::Await { location, order } => {
            format!("a load of {} ({})", place(location), order.short())
        }
        Op::Store {
            location,
            order,
            value,
        } => format!(
            "a store of {value} to {} ({})",
            place(location),
            order.short()
        ),
        Op::Update {
            location,
            order,
            update,
        }
        | Op::Apply {
            location,
            order,
            update,
        } => format!("{update:?} on {} ({})", place(location), order.short()),
        Op::UpdateIf {
            location, update, ..
        }
        | Op::AwaitUpdate {
            location, update, ..
        } => format!("a conditional {update:?} on {}", place(location)),
        Op::CompareExchange {
            location,
            expected,
            new,
            ..
        }
        | Op::AwaitExchange {
            location,
            expected,
            new,
            ..
        } => format!("an exchange of {expected} for {new} in {}", place(location)),
        Op::Alloc(location) => format!("the allocation of {}", place(location)),
        Op::Free(location) => format!("the end of {}", place(location)),
        Op::Fence(order) => format!("a fence ({})", order.short()),
        Op::Choose(ways) => format!("a choice among {ways}"),
        Op::Observe(_) => "a question to the observer".into(),
        Op::Spawn(thread) => format!("the start of thread {thread}"),
        Op::Join(thread) => format!("the join of thread {thread}"),
        Op::Block { wait, .. } => format!("the end of its course ({wait})"),
        Op::Fail(message) => format!("a fault ({message})"),
        Op::End | Op::Return(_) => "its end".into(),
    }
}
