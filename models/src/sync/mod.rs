//! Locks that threads sleep on.

pub mod parking;
