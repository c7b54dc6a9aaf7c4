//! The protocols that replace a Python VM's global lock, each written once and checked
//! by several engines.
//!
//! A *scheme* is generic over [`runtime::Runtime`]; a *scenario* is a small concurrent
//! program over its operations; an *engine* explores the schedules of a scenario; the
//! *observer* ([`ghost`]) decides whether the properties held. A *mutant* is a scheme with
//! one named fault, and some property must then fail: a check that cannot fail proves
//! nothing.
//!
//! Soundness in one paragraph: loom is exhaustive within its memory model, which takes SeqCst
//! accesses as acquire-release (so a false alarm is possible) and never shows load buffering.
//! It turns round only the steps that it sees: the observer's own steps are not among them, so
//! its *exhausted* covers values, data races and deadlocks, and not every order of a use and a
//! free that no step of the scheme orders. Shuttle is sequentially consistent and judges no
//! memory order; native runs are samples. Every verdict carries its bounds.

pub mod alloc;
pub mod catalogue;
pub mod choice;
pub mod container;
pub mod engine;
pub mod enumerate;
pub mod facts;
pub mod fuzzing;
pub mod ghost;
pub mod isolation;
pub mod outcomes;
pub mod protocol;
pub mod reclaim;
pub mod refcount;
pub mod replay;
pub mod report;
pub mod runtime;
pub mod sync;
pub mod verdict;
pub mod weak;
pub mod world;
