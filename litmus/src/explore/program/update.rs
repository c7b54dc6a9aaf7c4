//! Read-modify-writes as functions of the old value.

use super::Value;

/// What an unconditional read-modify-write does to the old value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Update {
    /// Wrapping addition.
    Add(Value),
    /// Wrapping subtraction.
    Sub(Value),
    /// Bitwise and.
    And(Value),
    /// Bitwise or.
    Or(Value),
    /// Bitwise exclusive or.
    Xor(Value),
    /// Bitwise not-and.
    Nand(Value),
    /// Replacement.
    Swap(Value),
    /// Unsigned minimum.
    Min(Value),
    /// Unsigned maximum.
    Max(Value),
    /// Minimum of two's complement numbers of the location's width.
    MinSigned(Value),
    /// Maximum of two's complement numbers of the location's width.
    MaxSigned(Value),
}

/// When a conditional update is done: the bits of `mask` of the old value are those of
/// `value`, or are not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Guard {
    /// The bits looked at.
    pub mask: Value,
    /// What they are compared with.
    pub value: Value,
    /// Whether they are to be equal to it.
    pub equal: bool,
}

impl Guard {
    /// The whole value is `value`.
    pub const fn is(value: Value) -> Self {
        let mask = Value::MAX;
        Self {
            mask,
            value,
            equal: true,
        }
    }

    /// The whole value is anything but `value`.
    pub const fn is_not(value: Value) -> Self {
        Self {
            equal: false,
            ..Self::is(value)
        }
    }

    /// None of the bits of `mask` is set.
    pub const fn clear(mask: Value) -> Self {
        Self {
            mask,
            value: 0,
            equal: true,
        }
    }

    /// Whether it holds for `old`.
    pub const fn holds(self, old: Value) -> bool {
        (old & self.mask == self.value) == self.equal
    }
}

impl Update {
    /// The new value of a location `bits` wide that holds `old`.
    pub const fn apply(self, old: Value, bits: u8) -> Value {
        let shift = 64 - bits as u32;
        truncate(
            match self {
                Self::Add(v) => old.wrapping_add(v),
                Self::Sub(v) => old.wrapping_sub(v),
                Self::And(v) => old & v,
                Self::Or(v) => old | v,
                Self::Xor(v) => old ^ v,
                Self::Nand(v) => !(old & v),
                Self::Swap(v) => v,
                Self::Min(v) => {
                    if v < old {
                        v
                    } else {
                        old
                    }
                }
                Self::Max(v) => {
                    if v > old {
                        v
                    } else {
                        old
                    }
                }
                Self::MinSigned(v) => {
                    if ((v << shift) as i64) < ((old << shift) as i64) {
                        v
                    } else {
                        old
                    }
                }
                Self::MaxSigned(v) => {
                    if ((v << shift) as i64) > ((old << shift) as i64) {
                        v
                    } else {
                        old
                    }
                }
            },
            bits,
        )
    }
}

/// `value` cut to `bits` bits: the one place where widths are applied.
pub const fn truncate(value: Value, bits: u8) -> Value {
    if bits >= 64 {
        value
    } else {
        value & ((1 << bits) - 1)
    }
}
