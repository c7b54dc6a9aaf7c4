//! Which cores we may use, and staying on one.

/// The cores this process may run on; at least one number, whatever happens.
#[cfg(target_os = "linux")]
pub(super) fn cores() -> Vec<usize> {
    // SAFETY: an all-zero set is a valid, empty one, and the call fills at most its size.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) == 0).then_some(set)
    };
    let allowed = set.map_or(Vec::new(), |set| {
        // SAFETY: every index is below the size of the set.
        (0..8 * size_of::<libc::cpu_set_t>())
            .filter(|core| unsafe { libc::CPU_ISSET(*core, &set) })
            .collect()
    });
    if allowed.is_empty() { vec![0] } else { allowed }
}

/// Keeps the calling thread on `core`; on failure it stays where it likes.
#[cfg(target_os = "linux")]
pub(super) fn pin(core: usize) {
    // SAFETY: `core` came from `cores`, so it is below the size of the set.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

/// The cores this process may run on, by number only.
#[cfg(not(target_os = "linux"))]
pub(super) fn cores() -> Vec<usize> {
    (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
}

/// Not available here.
#[cfg(not(target_os = "linux"))]
pub(super) fn pin(_core: usize) {}
