//! Weak references, finalizers, resurrection.

pub mod weakref;
