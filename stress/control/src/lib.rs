//! Schedules of a real program, a Python VM above all, under our control.
//!
//! The program is compiled with the thread sanitizer's instrumentation and linked with
//! `threadbare-control-runtime` instead of the sanitizer: exactly one thread runs at a time, and at
//! each access the runtime chooses who runs next, from a seed. The same seed gives the same
//! execution, down to every address.
//!
//! This crate is the outside: [`block`] is the memory that both sides share, [`launch`] starts a
//! program with orders in it and reads what came of them; a [`bundle`] keeps a found
//! run for another day, [`directed`] aims at a race, a [`table`] shows it to people.

pub mod block;
pub mod bundle;
pub mod directed;
pub mod isolate;
pub mod launch;
pub mod minimise;
pub mod places;
pub mod python;
pub mod table;
