//! Threadbare's own model checker for weak memory.
//!
//! [`Explorer`] enumerates *execution graphs* instead of interleavings.
//!
//! ```
//! use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::{Acquire, Relaxed, Release}}};
//! use threadbare_litmus::{cell::Cell, explore, thread};
//!
//! let report = explore(|| {
//!     let (data, ready) = (Arc::new(Cell::new(0)), Arc::new(AtomicU32::new(0)));
//!     let (data2, ready2) = (data.clone(), ready.clone());
//!     let writer = thread::spawn(move || {
//!         data2.set(42);
//!         ready2.store(1, Release);
//!     });
//!     if ready.load(Acquire) == 1 {
//!         assert_eq!(data.get(), 42);
//!     }
//!     writer.join().unwrap();
//! });
//! assert_eq!(report.complete, 2);
//! ```
//! With `Relaxed` in either place the same program is reported as a data race:
//! ```should_panic
//! # use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::{Acquire, Relaxed}}};
//! # use threadbare_litmus::{cell::Cell, explore, thread};
//! explore(|| {
//!     let (data, ready) = (Arc::new(Cell::new(0)), Arc::new(AtomicU32::new(0)));
//!     let (data2, ready2) = (data.clone(), ready.clone());
//!     thread::spawn(move || {
//!         data2.set(42);
//!         ready2.store(1, Relaxed);
//!     });
//!     if ready.load(Acquire) == 1 {
//!         data.get();
//!     }
//! });
//! ```

pub mod alloc;
pub mod catalogue;
pub mod cell;
pub mod explore;
mod explorer;
pub mod fuzzing;
pub mod hardware;
pub mod lang;
pub mod observe;
mod picture;
pub mod replay;
mod session;
pub mod sync;
pub mod thread;

pub use explore::Model;
pub use explorer::Explorer;

/// Explores `program` exhaustively under [`Model::Rust`].
///
/// # Panics
/// With the message and the table of the first failing execution.
#[track_caller]
pub fn explore(program: impl Fn() + Send + Sync + 'static) -> explore::Report {
    let report = Explorer::new().check(program);
    if let Some(failure) = &report.failure {
        panic!(
            "{}\n\n{}\nagain: Explorer::new().replay(program, &\"{}\".parse().unwrap())",
            failure.message, failure.table, failure.trace
        );
    }
    report
}
