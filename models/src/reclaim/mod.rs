//! Memory reclamation for lock-free readers.

pub mod qsbr;
pub mod slots;
