//! Memory: lists of free blocks, and what is counted there.

pub mod abandoned;
pub mod caches;
pub mod classes;
pub mod free_list;
pub mod heaps;
pub mod pages;
pub mod statistics;
