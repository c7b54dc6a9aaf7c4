//! Weak references, finalizers, resurrection.

pub mod mortal;
pub mod weakref;
