//! The cycle counter that all cores share.

/// Whether there is one that is read in a few cycles.
pub(super) const AVAILABLE: bool = cfg!(target_arch = "x86_64");

/// Its value. Cores agree to within tens of cycles on processors with an
/// invariant counter; where they do not, the arms that use it score badly and
/// are not used.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn now() -> u64 {
    // SAFETY: the instruction is part of the baseline.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Never called: no arm is made that would.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn now() -> u64 {
    0
}
