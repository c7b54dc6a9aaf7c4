//! Weak references, finalizers, resurrection.

pub mod canonical;
pub mod mortal;
pub mod weakref;
