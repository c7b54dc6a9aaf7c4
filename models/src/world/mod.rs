//! What is about the whole interpreter: its lock, how it is stopped, its threads.

pub mod current;
pub mod cycles;
pub mod domains;
pub mod gil;
pub mod grwl;
pub mod states;
pub mod stop;
pub mod thread_list;
