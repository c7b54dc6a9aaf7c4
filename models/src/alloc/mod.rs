//! Memory: lists of free blocks, and what is counted there.

pub mod classes;
pub mod free_list;
pub mod statistics;
