//! placeholder
use super::{Subject, SubjectError};
use crate::vm::Vm;

/// placeholder
pub fn introspect(_vm: &Vm, name: &str) -> Result<Subject, SubjectError> {
    Err(SubjectError::Unknown { name: name.to_owned() })
}
