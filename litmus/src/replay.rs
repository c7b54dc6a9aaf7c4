//! One line of text that names an execution, for
//! [`Explorer::replay`](crate::Explorer::replay).

pub use crate::explore::trace::{Malformed, Trace};
