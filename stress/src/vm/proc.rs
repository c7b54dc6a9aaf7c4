//! What the kernel tells of a process: its threads, children, memory, and what they wait for.

/// A thread of a process.
pub(super) struct Thread {
    pub tid: u32,
    /// Processor time in clock ticks.
    pub used: u64,
    /// R runnable, S asleep, D in the kernel, …
    pub state: char,
}

/// Every thread of a process as it is now.
pub(super) fn ticks(pid: u32) -> Vec<Thread> {
    tasks(pid)
        .filter_map(|task| {
            let tid = task.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
            // The command name may hold spaces; the fields after the last ')' are fixed.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let time = |n: usize| fields.get(n)?.parse::<u64>().ok();
            Some(Thread {
                tid,
                used: time(11)? + time(12)?,
                state: fields.first()?.chars().next()?,
            })
        })
        .collect()
}

/// Whether a thread sleeps in a system call that ends by itself: with a time limit, or at input.
/// The kernel shows the number and the arguments of the call that a thread sleeps in.
pub(super) fn waits_for_time(pid: u32, tid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall"));
    let text = text.unwrap_or_default();
    let fields: Vec<i64> = text
        .split_whitespace()
        .filter_map(|f| match f.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(|v| v as i64),
            None => f.parse().ok(),
        })
        .collect();
    let argument = |n: usize| fields.get(n + 1).copied().unwrap_or(0);
    // Newer architectures lack the older calls.
    #[cfg(target_arch = "x86_64")]
    const OLDER: &[i64] = &[libc::SYS_select, libc::SYS_accept];
    #[cfg(target_arch = "x86_64")]
    const WITH_MILLISECONDS: &[(i64, usize)] = &[(libc::SYS_poll, 2), (libc::SYS_epoll_wait, 3)];
    #[cfg(not(target_arch = "x86_64"))]
    const OLDER: &[i64] = &[];
    #[cfg(not(target_arch = "x86_64"))]
    const WITH_MILLISECONDS: &[(i64, usize)] = &[];
    const TIMED: &[i64] = &[
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_read,
        libc::SYS_pselect6,
        libc::SYS_ppoll,
        libc::SYS_accept4,
        libc::SYS_recvfrom,
    ];
    let Some(call) = fields.first() else {
        return false;
    };
    if let Some((_, n)) = WITH_MILLISECONDS.iter().find(|(number, _)| number == call) {
        return argument(*n) as i32 != -1;
    }
    // The fourth argument of a futex call is its time limit.
    *call == libc::SYS_futex && argument(3) != 0 || TIMED.contains(call) || OLDER.contains(call)
}

/// Processor time that a thread had used then.
pub(super) fn used(threads: &[Thread], tid: u32) -> u64 {
    threads.iter().find(|t| t.tid == tid).map_or(0, |t| t.used)
}

/// Unit of the kernel's processor times.
pub(super) fn ticks_a_second() -> f64 {
    // SAFETY: a plain call without memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    if ticks > 0 { ticks as f64 } else { 100.0 }
}

/// How many times longer a process's threads take than on processors of their own: their runnable time by
/// that on a processor.
pub(super) fn slowed(pid: u32) -> f64 {
    let (mut ran, mut waited) = (0u64, 0u64);
    for task in tasks(pid) {
        // schedstat: time on a processor, time runnable without one (both ns), time slices.
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let mut fields = text
            .split_whitespace()
            .filter_map(|f| f.parse::<u64>().ok());
        ran += fields.next().unwrap_or(0);
        waited += fields.next().unwrap_or(0);
    }
    1.0 + waited as f64 / ran.max(1) as f64
}

/// From here on [`slowed`] says that the machine is busy, and silence proves nothing yet: a quarter of the time
/// is spent waiting for a processor.
pub(super) const BUSY: f64 = 4.0 / 3.0;

/// Whether the machine is busy.
pub(super) fn starved(pid: u32) -> bool {
    slowed(pid) > BUSY
}

/// The children of all threads of a process.
pub(super) fn children(pid: u32) -> Vec<u32> {
    tasks(pid)
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|line| {
            let pids = line.split_whitespace().filter_map(|p| p.parse().ok());
            pids.collect::<Vec<u32>>()
        })
        .collect()
}

/// A process and its descendants.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        all.extend(children(pid));
        next += 1;
    }
    all
}

/// The folders of a process's threads; none once it is gone.
fn tasks(pid: u32) -> impl Iterator<Item = std::fs::DirEntry> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    tasks.into_iter().flatten().flatten()
}

/// Resident memory of a process in bytes, 0 once it is gone.
pub(super) fn resident(pid: u32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/statm"))
        .ok()
        .and_then(|s| s.split(' ').nth(1)?.parse::<u64>().ok())
        .map_or(0, |pages| pages * 4096)
}
