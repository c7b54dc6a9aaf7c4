//! Limits of a child: time, memory, output.

use std::time::Duration;

/// Limits of one child.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest time without a line on stdout.
    pub silence: Duration,
    /// Longest time that all its threads may wait at once without a time limit, if it never waits for
    /// anything but itself.
    pub idle: Option<Duration>,
    /// Longest run.
    pub total: Duration,
    /// What one thread of a process past its time may still compute before it counts as hung: its own
    /// processor time, which a busy machine does not use up. `None`: the clock alone decides.
    pub late: Option<Duration>,
    /// Resident memory of the child, bytes.
    pub memory: u64,
    /// Output on either pipe, bytes.
    pub output: usize,
    /// Take a hung process apart with a debugger, and let a panic print its frames; without it only
    /// the threads' states and the panic's place are read.
    pub debugger: bool,
    /// Let a crash leave a core file in the folder that the child is started in.
    pub core: bool,
    /// Bind each thread to a processor of its own; of no use to a VM that runs one at a time.
    pub spread: bool,
    /// Never bind a thread: those that it starts could run nowhere else.
    pub unbound: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(5),
            idle: None,
            total: Duration::from_secs(60),
            late: None,
            memory: memory_limit(),
            output: 16 << 20,
            debugger: true,
            core: false,
            spread: false,
            unbound: false,
        }
    }
}

impl Limits {
    /// The same limits for a VM that is so many times slower.
    pub fn slowed(self, times: u32) -> Self {
        Self {
            // Phases end by the clock: between two lines there is little that gets slower.
            silence: self.silence * times.min(4),
            // Sleep is no slower; but a symboliser that the VM waits for may be.
            idle: self.idle.map(|idle| idle * times.min(3)),
            total: self.total * times.min(4),
            late: self.late.map(|late| late * times),
            ..self
        }
    }
}

/// A quarter of the machine's memory, at most 4 GiB: a VM that eats its fill must not make
/// the kernel end somebody else.
fn memory_limit() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|l| {
        let kib = l.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        kib.trim().parse::<u64>().ok()
    });
    total.map_or(4 << 30, |kib| (kib * 1024 / 4).min(4 << 30))
}
