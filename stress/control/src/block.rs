//! The memory shared by the driver and the runtime inside the controlled program.
//!
//! Orders go in and results come out by one anonymous file, mapped at a fixed address and handed
//! over as a descriptor of fixed number: environment and arguments of a record and of its replay
//! are then equal to the byte, which the addresses on the stack depend on. What a run has written
//! survives however it ends.

use serde::{Deserialize, Serialize};

/// Where the runtime maps the block: far from everything a program maps by itself.
pub const ADDRESS: usize = 0x1000_0000_0000;
/// The descriptor by which the program inherits it.
pub const DESCRIPTOR: i32 = 200;
/// The variable that asks for control; its value is [`DESCRIPTOR`].
pub const VARIABLE: &str = "THREADBARE_CONTROL";
/// First word of a block; changes with its size, so that another version's runtime is refused. A change of the
/// layout that leaves the size changes the upper half.
pub const MAGIC: u64 = 0x7462_0003_0000_0000 | size_of::<Block>() as u64;
/// Results that one program start has room for.
pub const MAX_RUNS: usize = 1 << 16;
/// Choices recorded of one run.
pub const MAX_CHOICES: usize = 1 << 20;
/// Instructions of one side of a race that is looked for.
pub const MAX_TARGETS: usize = 64;
/// Windows of one run of which it is known where they open.
pub const MAX_WINDOWS: usize = 1 << 14;
/// Events recorded of one run, where a trace was asked for.
pub const MAX_EVENTS: usize = 1 << 21;
/// Threads of one run.
pub const MAX_THREADS: usize = 64;
/// Threads whose accesses are counted in learning runs.
pub const COUNTED: usize = 4;
/// Events between two checkpoints of the trace hash.
pub const CHECKPOINT_EVERY: u64 = 1 << 16;
/// Checkpoints kept of one run.
pub const MAX_CHECKPOINTS: usize = 1 << 10;

/// Switches recorded of one run, and of all plans of one start.
pub const MAX_SWITCHES: usize = 1 << 16;
/// Races kept of one start.
pub const MAX_RACES: usize = 1 << 10;
/// Loaded files that addresses are told by.
pub const MAX_MODULES: usize = 256;

/// Where threads may be switched. Every kind of point is also an event of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u32)]
pub enum Points {
    /// Atomics and calls that synchronise.
    Sync = 0,
    /// Calls that synchronise, and accesses to addresses seen in conflict in the learning runs.
    Conflicts = 1,
    /// All of those and every plain access.
    All = 2,
}

/// Who chooses. See the files of the runtime's `strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u32)]
pub enum Strategy {
    /// Each runnable thread with the same chance at each point.
    Random = 0,
    /// The running thread goes on, with a chance of one in [`Config::stickiness`] of a switch.
    Sticky = 1,
    /// Probabilistic concurrency testing with [`Config::depth`] and [`Config::length`].
    Pct = 2,
    /// Partial order sampling.
    Pos = 3,
    /// The choices in [`Block::given`].
    Replay = 4,
    /// Selectively uniform random walk: orders of the accesses to one granule, with the same chance each.
    Surw = 5,
    /// Every schedule with at most [`Config::bound`] deviations (see [`Switch`]), one after the other.
    DepthFirst = 6,
    /// Nobody is preempted but where a plan of [`Block::plan`] says so.
    Planned = 7,
    /// Race-directed: threads stop before the instructions in [`Block::targets`] until two of them meet there.
    Directed = 8,
}

/// How threads are switched. The trace is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u32)]
pub enum Engine {
    /// Contexts changed by one kernel thread, where the processor lets programs set their thread
    /// pointer; otherwise as [`Engine::Futex`].
    User = 0,
    /// Each thread on a kernel thread of its own, as a debugger wants it.
    Futex = 1,
}

/// Which writes of others a read may miss. See the runtime's `buffer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u32)]
pub enum Memory {
    /// None: each step is done at once and for all.
    Sequential = 0,
    /// Total store order, as of x86: each thread's stores wait in a buffer of its own, in their order, and become
    /// visible to others one by one, which is a choice; fences, updates and calls that synchronise wait for it.
    Tso = 1,
}

/// The candidate whose choice makes the oldest store in thread `t`'s buffer visible has the number
/// `FLUSH + t` in [`Switch::to`].
pub const FLUSH: usize = MAX_THREADS;
/// Stores that one thread's buffer holds; one more makes the oldest visible.
pub const BUFFERED: usize = 32;

/// What ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u32)]
pub enum Verdict {
    /// It was ended from outside, or is still running.
    Unfinished = 0,
    /// The program left with code 0.
    Finished = 1,
    /// The program left with another code.
    Exit = 2,
    /// A signal ended it: a crash or an abort.
    Signal = 3,
    /// Threads wait for each other in a circle.
    Deadlock = 4,
    /// Nobody can run, no circle: whoever waits was not woken, and nobody is left to wake it.
    LostWakeUp = 5,
    /// Memory was touched after it had been given back.
    UseAfterFree = 6,
    /// More steps than [`Config::step_cap`], then as many again with fair turns.
    Endless = 7,
    /// A replay's choices do not fit this run.
    Diverged = 8,
    /// The program does what the runtime cannot control; the note says what.
    Refused = 9,
    /// No end within [`Config::wall_ms`]: a call blocked that the runtime does not know.
    Stuck = 10,
}

impl Verdict {
    /// A fault of the program, as opposed to a good end and to limits of ours.
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            Verdict::Exit
                | Verdict::Signal
                | Verdict::Deadlock
                | Verdict::LostWakeUp
                | Verdict::UseAfterFree
                | Verdict::Endless
        )
    }
}

/// Orders of the driver.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(C)]
pub struct Config {
    /// Control from before `main`, as opposed to windows that the program opens.
    pub whole: bool,
    /// Every run with the first seed.
    pub same_seed: bool,
    /// Record events of the last run.
    pub trace: bool,
    /// Report touches of freed memory.
    pub freed: bool,
    /// Where threads may be switched.
    pub points: Points,
    /// Who chooses.
    pub strategy: Strategy,
    /// How threads are switched.
    pub engine: Engine,
    /// Seed of the first run; run i has this plus i.
    pub seed: u64,
    /// Runs, each in a child forked from the same state.
    pub runs: u32,
    /// Runs before them that learn addresses in conflict.
    pub learning: u32,
    /// Stop after so many faults; 0 never.
    pub stop_after: u32,
    /// See [`Strategy::Sticky`].
    pub stickiness: u32,
    /// Of PCT: change points plus one.
    pub depth: u32,
    /// Of PCT: points among which the change points are drawn.
    pub length: u32,
    /// See [`Verdict::Endless`].
    pub step_cap: u64,
    /// See [`Verdict::Stuck`]; milliseconds of the wall clock.
    pub wall_ms: u32,
    /// Virtual nanoseconds that one reading of a clock takes.
    pub clock_step_ns: u32,
    /// Choices in [`Block::given`].
    pub given: u32,
    /// Windows of one child before it ends (batches); the program reads it.
    pub batch: u32,
    /// A fault that the runtime finds ends by SIGABRT, so that a core tells every stack.
    pub core: bool,
    /// Look for data races by happens-before.
    pub races: bool,
    /// See [`Strategy::DepthFirst`].
    pub bound: u32,
    /// Which writes of others a read may miss.
    pub memory: Memory,
    /// Not 0: the runs are of this window only, counted from 1, each in a child that is forked when it opens. The
    /// windows before it follow the choices in [`Block::lead`].
    pub isolate: u32,
    /// Choices in [`Block::lead`].
    pub lead: u32,
}

/// One run's result.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(C)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// Over thread, kind, instruction and address of every event.
    pub hash: u64,
    /// Events in the hash.
    pub events: u64,
    /// Points, chosen at or not.
    pub steps: u64,
    /// Choices among two or more threads.
    pub choices: u32,
    /// Choices that changed the running thread.
    pub switches: u32,
    /// What the program said it saw; see `threadbare_control_outcome`.
    pub outcome: u64,
    /// Windows that were opened and closed.
    pub windows: u32,
    /// Windows that were opened.
    pub opened: u32,
    /// What ended it.
    pub verdict: Verdict,
    /// The signal, of [`Verdict::Signal`].
    pub signal: i32,
    /// The exit code, of [`Verdict::Exit`].
    pub code: i32,
    /// The thread that was running when it failed.
    pub thread: u32,
    /// Threads that took part.
    pub threads: u32,
    /// Instruction that failed; of a run that did not, the last one seen.
    pub pc: u64,
    /// Address that it touched, or 0.
    pub address: u64,
    /// Choices in [`Block::switches`]: those that were not as if nobody preempted anybody. More than
    /// [`MAX_SWITCHES`] are counted only.
    pub deviations: u32,
    /// Switches of a thread that could have gone on and did not ask for one.
    pub preemptions: u32,
    /// Data races that were new in it.
    pub races: u32,
    /// Which of the runs it is.
    pub index: u32,
}

impl Run {
    /// Whether a repetition is the same: every event with its address, and where and how it ended.
    pub fn is_again(&self, of: &Self) -> bool {
        self.differs(of).is_empty()
    }

    /// In what a repetition is not the same, each with both sides; see [`Run::is_again`].
    pub fn differs(&self, of: &Self) -> Vec<String> {
        let told = |run: &Self| {
            [
                ("verdict", format!("{:?}", run.verdict)),
                ("signal", run.signal.to_string()),
                ("code", run.code.to_string()),
                ("thread", run.thread.to_string()),
                ("instruction", format!("{:#x}", run.pc)),
                ("address", format!("{:#x}", run.address)),
                ("events", run.events.to_string()),
                ("hash", format!("{:016x}", run.hash)),
            ]
        };
        let sides = told(self).into_iter().zip(told(of));
        sides
            .filter(|((_, now), (_, then))| now != then)
            .map(|((what, now), (_, then))| format!("{what} {now} instead of {then}"))
            .collect()
    }

    /// Whether two runs end in one way, to the instruction. This is stricter than what *same* means of
    /// failures (`identity` of threadbare-stress, which has the last word): of a minimised schedule a
    /// failure that is the same by another instruction is not taken.
    pub fn ends_as(&self, other: &Self) -> bool {
        let at = |run: &Self| match run.verdict {
            Verdict::Signal => (run.signal, run.pc),
            Verdict::UseAfterFree => (0, run.pc),
            Verdict::Exit => (run.code, 0),
            _ => (0, 0),
        };
        self.verdict == other.verdict && at(self) == at(other)
    }
}

/// A choice that was not as if nobody preempted anybody, where the thread goes on as long as it can and
/// then comes the next by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct Switch {
    /// Who ran up to here.
    pub thread: u32,
    /// Who goes on; of a wake-up, which of the waiters is reached; from [`FLUSH`] on, whose store becomes visible.
    pub to: u32,
    /// Steps of that thread so far: where it is, whatever the others did.
    pub step: u64,
    /// Its next step: a [`Kind`], or 0 of a wake-up's choice.
    pub kind: u32,
    /// It could have gone on.
    pub preempts: bool,
    /// Instruction of its next step.
    pub pc: u64,
    /// What that touches.
    pub address: u64,
    /// The next step of who goes on, 0 where it has not begun; of a store that becomes visible, what stored it.
    pub to_pc: u64,
    /// Events before it.
    pub event: u64,
}

/// Which of the switches in [`Block::planned`] a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Plan {
    /// The first.
    pub start: u32,
    /// How many, sorted by thread and step.
    pub count: u32,
}

/// One side of a data race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct Access {
    /// Who.
    pub thread: u32,
    /// How, a [`Kind`].
    pub kind: u32,
    /// By which instruction.
    pub pc: u64,
    /// Which event of the run.
    pub event: u64,
}

/// Two accesses to one place, one of them a write and one of them plain, that nothing orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct Race {
    /// Seed of the run in which it was seen first.
    pub seed: u64,
    /// The place.
    pub address: u64,
    /// Came first.
    pub first: Access,
    /// Came then.
    pub second: Access,
}

/// A file that is loaded.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Module {
    /// Its first address.
    pub start: u64,
    /// After its last.
    pub end: u64,
    /// What is added to the addresses of the file.
    pub base: u64,
    /// Its name, ends at the first zero; empty is the executable.
    pub path: [u8; 232],
}

/// What threads do, one event each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the names of what is intercepted
pub enum Kind {
    Read = 1,
    Write,
    AtomicLoad,
    AtomicStore,
    AtomicUpdate,
    Fence,
    Create,
    Start,
    Exit,
    Join,
    Lock,
    Unlock,
    Wait,
    Wake,
    Yield,
    Sleep,
    Timeout,
    Block,
    Window,
    System,
    /// A store leaves its thread's buffer and becomes visible.
    Flush,
}

/// An event of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// The instruction after the call of the hook.
    pub pc: u64,
    /// What was touched, or 0.
    pub address: u64,
    /// What stood there before, its lowest eight bytes.
    pub before: u64,
    /// What stood there afterwards; only of what writes.
    pub after: u64,
    /// Who.
    pub thread: u32,
    /// How, a [`Kind`].
    pub kind: u16,
    /// Bytes; 0 where the values are not known. With [`DELAYED`] of a store that others do not see before
    /// its [`Kind::Flush`].
    pub size: u16,
}

/// See [`Event::size`].
pub const DELAYED: u16 = 1 << 15;

/// Addresses seen in conflict: two threads touched the same eight bytes in one run, one of them
/// writing. By hash of the eight-byte granule; a collision only adds points.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Learned {
    /// A bit for each hash: a granule with it was in conflict. Bits, so that all of them stay in the cache.
    pub granule: [u64; 1 << 10],
    /// How many.
    pub count: u32,
    /// The present run adds to them.
    pub open: bool,
    /// Numbers of the first of them.
    pub list: [u16; 1 << 13],
    /// Accesses of each of the first threads by granule, the most of all learning runs.
    pub counts: [[u16; COUNTED]; 1 << 16],
}

impl Learned {
    /// Whether a granule with this hash was in conflict.
    #[inline]
    pub fn knows(&self, hash: usize) -> bool {
        self.granule[hash >> 6] >> (hash & 63) & 1 != 0
    }

    /// A granule with this hash was in conflict.
    pub fn know(&mut self, hash: usize) {
        if !self.knows(hash) {
            self.granule[hash >> 6] |= 1 << (hash & 63);
            if let Some(entry) = self.list.get_mut(self.count as usize) {
                *entry = hash as u16;
            }
            self.count += 1;
        }
    }
}

/// All of it. Far larger than what is touched: the file is sparse.
#[repr(C)]
pub struct Block {
    /// [`MAGIC`].
    pub magic: u64,
    /// Orders.
    pub config: Config,
    /// The present or last run.
    pub current: Run,
    /// Runs in [`Block::runs`].
    pub finished: u32,
    /// Runs that the program started, learning included: 0 means that it never asked for one.
    pub started: u32,
    /// The file that the runtime was loaded from; ends at the first zero.
    pub runtime: [u8; 512],
    /// See there.
    pub learned: Learned,
    /// Hash after each [`CHECKPOINT_EVERY`] events of the present run.
    pub checkpoints: [u64; MAX_CHECKPOINTS],
    /// Why the present run ended so, for people; ends at the first zero.
    pub note: [u8; 4096],
    /// Ended runs, in order.
    pub runs: [Run; MAX_RUNS],
    /// Choices of the present run: number of options in the high byte, the chosen one in the low.
    pub choices: [u16; MAX_CHOICES],
    /// Of [`Strategy::Directed`]: instructions of either side, as events name them; 0 ends them.
    pub targets: [[u64; MAX_TARGETS]; 2],
    /// Choices to replay, the same way.
    pub given: [u16; MAX_CHOICES],
    /// Choices up to the window that [`Config::isolate`] names.
    pub lead: [u16; MAX_CHOICES],
    /// Choices of the present run before each of its windows.
    pub opened: [u32; MAX_WINDOWS],
    /// Of depth-first search, by choice: see the runtime's `strategy/depth_first.rs`.
    pub order: [u16; MAX_CHOICES],
    /// Depth-first search has seen every schedule within its bound.
    pub exhausted: bool,
    /// Deviations of the present run.
    pub switches: [Switch; MAX_SWITCHES],
    /// Those of plans.
    pub planned: [Switch; MAX_SWITCHES],
    /// What each run takes of them.
    pub plan: [Plan; MAX_RUNS],
    /// Races of all runs, each pair of instructions once.
    pub races: [Race; MAX_RACES],
    /// How many; more than there is room for are counted only.
    pub race_count: u32,
    /// Loaded files.
    pub modules: [Module; MAX_MODULES],
    /// How many.
    pub module_count: u32,
    /// Events of the present run, where a trace was asked for.
    pub trace: [Event; MAX_EVENTS],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_the_same_in_all_that_is_told() {
        // SAFETY: zeroes are a run: every enum has a value of 0.
        let run: Run = unsafe { std::mem::zeroed() };
        assert!(run.is_again(&run));
        let other = Run {
            address: 0x10,
            seed: 5,
            ..run
        };
        assert_eq!(other.differs(&run), ["address 0x10 instead of 0x0"]);
        let longer = Run {
            events: 2,
            hash: 1,
            ..run
        };
        assert_eq!(longer.differs(&run).len(), 2);
        assert!(!longer.is_again(&run));
    }
}
