//! The one state: who exists, who may run, who waits for what; and what happens at a point.

use crate::buffer;
use crate::engine::engine;
use crate::real::system;
use crate::strategy::{All, CANDIDATES, Candidate, Draw, View, depth_first, granule as number};
use crate::trace;
use crate::verdict;
use crate::verdict::race;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};
use threadbare_control::block::{
    Block, COUNTED, FLUSH, Kind, MAX_CHOICES, MAX_RUNS, MAX_SWITCHES, MAX_THREADS, Memory, Points,
    Strategy, Switch, Verdict,
};

/// Where a thread stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Unused,
    Runnable,
    Blocked,
    Gone,
}

/// What a blocked thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Mutex,
    ReadWriteLock,
    Condition,
    Semaphore,
    Barrier,
    Once,
    Futex,
    Join,
    Sleep,
    Window,
    Descriptor,
}

/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// One thread under control.
pub struct Thread {
    /// The engine's: stack pointer and thread pointer while it does not run, the stack on which its
    /// kernel thread sleeps meanwhile, and the words that it sleeps on.
    pub stack: usize,
    pub pointer: usize,
    pub bed: usize,
    pub asleep: AtomicU32,
    pub awake: AtomicU32,
    /// 1: it has the turn and may go on. The engine's.
    pub turn: AtomicU32,
    pub id: usize,
    pub state: State,
    /// Calls under way whose inside is no business of ours.
    pub off: u32,
    pub why: Why,
    /// What it waits for, by address.
    pub waits: usize,
    /// Virtual time at which its wait ends.
    pub deadline: u64,
    /// Its last wait ended so.
    pub timed_out: bool,
    /// The step it is about to take.
    pub address: usize,
    pub writes: bool,
    kind: Kind,
    pc: usize,
    /// Points and waits that it came to while the strategy decided.
    steps: u64,
    pub handle: libc::pthread_t,
    /// Joined or detached: its handle may come back as another thread's.
    pub consumed: bool,
    /// The kernel's number.
    pub kernel: i32,
    /// It is where [`NUMBER_OF_HANDLE`] says.
    number_known: bool,
    /// After the last address of its stack that the program uses.
    pub stack_end: usize,
    /// Its kernel thread is not there: it was made before a child was forked in the midst of the program.
    pub hollow: bool,
    /// What it returned.
    pub result: *mut c_void,
    pub start: Option<extern "C" fn(*mut c_void) -> *mut c_void>,
    pub argument: *mut c_void,
    /// The load that it repeats: instruction, address, times.
    spin: (usize, usize, u32),
}

impl Thread {
    const fn new() -> Self {
        Self {
            stack: 0,
            pointer: 0,
            bed: 0,
            asleep: AtomicU32::new(0),
            awake: AtomicU32::new(0),
            turn: AtomicU32::new(0),
            id: 0,
            state: State::Unused,
            off: 0,
            why: Why::Join,
            waits: 0,
            deadline: NEVER,
            timed_out: false,
            address: 0,
            writes: false,
            kind: Kind::Start,
            pc: 0,
            steps: 0,
            handle: 0,
            consumed: false,
            kernel: 0,
            number_known: false,
            stack_end: 0,
            hollow: false,
            result: ptr::null_mut(),
            start: None,
            argument: ptr::null_mut(),
            spin: (0, 0, 0),
        }
    }
}

/// The window around the operations that are to overlap: threads meet at GO, all leave at DONE.
#[derive(Default)]
pub struct Window {
    pub arrived: u32,
    pub done: u32,
    pub size: u32,
    pub rounds: u32,
    /// Somebody waits for so many rounds.
    pub wanted: u32,
    /// The run is of the present window only.
    pub isolated: bool,
    /// And that is closed: no other opens.
    pub over: bool,
}

/// Who touched a granule of eight bytes in this run: bits by thread.
#[derive(Clone, Copy)]
struct Touched {
    granule: usize,
    read: u64,
    written: u64,
}

const TOUCHED: usize = 1 << 14;

/// The state. One, in static memory.
pub struct Control {
    pub threads: [Thread; MAX_THREADS],
    pub count: usize,
    runnable: usize,
    /// The strategy decides; otherwise nobody is preempted and nothing is recorded.
    pub hot: bool,
    /// The driver's block; null without orders.
    pub block: *mut Block,
    /// Virtual nanoseconds since the process began.
    pub now: u64,
    /// No deadline comes before this.
    earliest: u64,
    /// Those who wait for descriptors have looked again since nobody can run.
    pub looked: bool,
    /// Points are learned conflicts, none is learned now, and nothing is asked of other accesses but to be
    /// counted: see [`quick`].
    plain: bool,
    pub draw: Draw,
    pub strategies: All,
    /// A thread that gave its turn away for good and is not yet gone from the kernel.
    leaving: *mut Thread,
    pub window: Window,
    candidates: [Candidate; CANDIDATES],
    touched: [Touched; TOUCHED],
    /// Of a learning run, accesses by granule and thread.
    counts: [[u16; COUNTED]; 1 << 16],
}

struct Shared(UnsafeCell<Control>);
// SAFETY: only the holder touches it; the turn passes with release and acquire (see engine).
unsafe impl Sync for Shared {}

static CONTROL: Shared = Shared(UnsafeCell::new(Control {
    threads: [const { Thread::new() }; MAX_THREADS],
    count: 0,
    runnable: 0,
    hot: false,
    block: ptr::null_mut(),
    now: 0,
    earliest: NEVER,
    looked: false,
    plain: false,
    draw: Draw::new(0),
    strategies: All::new(),
    leaving: ptr::null_mut(),
    window: Window {
        arrived: 0,
        done: 0,
        size: 0,
        rounds: 0,
        wanted: 0,
        isolated: false,
        over: false,
    },
    candidates: [Candidate {
        id: 0,
        address: 0,
        writes: false,
        pc: 0,
    }; CANDIDATES],
    touched: [Touched {
        granule: 0,
        read: 0,
        written: 0,
    }; TOUCHED],
    counts: [[0; COUNTED]; 1 << 16],
}));

/// The thread that runs; null while there is no control. While there is, no other thread of the
/// process runs, so a plain global answers "who am I", without thread-local storage.
pub static HOLDER: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());

/// [`Control::hot`], and the steps that are left in calm before others get a turn, where the entries of plain
/// accesses find them without a call. Relaxed at each use: the holder's own, as is all state.
pub static HOT: AtomicBool = AtomicBool::new(false);
/// See [`HOT`].
pub static CALM: AtomicI32 = AtomicI32::new(CALM_STEPS);

/// Loads of one address by one instruction in a row that count as waiting for another thread.
const SPIN: u32 = 30;
/// Steps in a row in calm after which others get a turn: somebody waits in a loop.
const CALM_STEPS: i32 = 200_000;
/// Virtual time of one step.
const STEP_NS: u64 = 5;

/// The state.
///
/// # Safety
/// The caller is the holder, or there is no control and one thread only. No reference from an
/// earlier call may be used after a switch has let others change the state.
#[inline]
pub unsafe fn control() -> &'static mut Control {
    // SAFETY: as required of the caller.
    unsafe { &mut *CONTROL.0.get() }
}

/// The thread under control that calls; null without control.
#[inline]
pub fn holder() -> *mut Thread {
    // Relaxed: a thread that reads its own entry wrote it itself after its turn came.
    HOLDER.load(Ordering::Relaxed)
}

/// There are orders: clocks and randomness are ours, in a window or not.
#[inline]
pub fn ordered() -> bool {
    // SAFETY: written once, before any other thread exists.
    unsafe { !(*CONTROL.0.get()).block.is_null() }
}

impl Control {
    /// Whether the strategy decides from now on.
    pub fn set_hot(&mut self, hot: bool) {
        if self.hot {
            buffer::drain_all(self);
        }
        self.hot = hot;
        HOT.store(hot, Ordering::Relaxed);
        let aims = self.strategies.aims();
        let (config, open) = (&self.block().config, self.block().learned.open);
        self.plain = hot
            && !open
            && config.points == Points::Conflicts
            && config.memory == Memory::Sequential
            && !config.trace
            && !config.races
            && !aims;
    }

    fn block(&mut self) -> &'static mut Block {
        // SAFETY: mapped for the process's life before control began; touched by the holder only.
        unsafe { &mut *self.block }
    }

    /// Records one event that touches no memory of the program.
    pub fn event(&mut self, thread: usize, kind: Kind, address: usize, pc: usize) {
        self.did(thread, &Step::call(kind, address, false, pc));
    }

    /// Records one event, at the moment at which it happens.
    #[inline]
    pub fn did(&mut self, thread: usize, step: &Step) {
        trace::record(self.block(), thread as u32, step);
        if self.block().config.races {
            race::did(self.block(), thread, step);
        }
    }

    fn fail(&mut self, verdict: Verdict, why: &str) -> ! {
        verdict::end(self, verdict, format_args!("{why}"))
    }

    /// Writes a choice down.
    fn chosen(&mut self, count: usize, index: Result<usize, &'static str>) -> usize {
        let index = match index {
            Ok(index) if index < count => index,
            Ok(_) => self.fail(
                Verdict::Diverged,
                "the recorded choice is of a thread that cannot run",
            ),
            Err(why) => self.fail(Verdict::Diverged, why),
        };
        let block = self.block();
        let at = block.current.choices as usize;
        if at == MAX_CHOICES {
            self.fail(Verdict::Refused, "more choices than a recording holds");
        }
        block.choices[at] = (count as u16) << 8 | index as u16;
        block.current.choices += 1;
        index
    }

    /// Writes a choice down that is not as if nobody preempted anybody.
    fn deviated(&mut self, me: *const Thread, to: usize, next: Option<usize>, preempts: bool) {
        // SAFETY: entries stay; the caller's own.
        let me = unsafe { &*me };
        let to_pc = match next {
            None => 0,
            Some(id) if id < FLUSH => self.threads[id].pc,
            Some(id) => buffer::oldest(id - FLUSH).map_or(0, |store| store.pc),
        } as u64;
        let block = self.block();
        let at = block.current.deviations as usize;
        block.current.deviations += 1;
        if at < MAX_SWITCHES {
            block.switches[at] = Switch {
                thread: me.id as u32,
                to: to as u32,
                step: me.steps,
                kind: if next.is_some() { me.kind as u32 } else { 0 },
                preempts,
                pc: me.pc as u64,
                address: me.address as u64,
                to_pc,
                event: block.current.events,
            };
        }
    }

    /// Who runs next. `me` is among the candidates if it can run.
    fn next(&mut self, me: *mut Thread, yields: bool) -> *mut Thread {
        if !self.hot {
            let first = self.threads[..self.count]
                .iter()
                .position(|t| t.state == State::Runnable);
            return first.map_or(ptr::null_mut(), |i| &mut self.threads[i]);
        }
        loop {
            match self.candidate(me, yields) {
                None => return ptr::null_mut(),
                Some(id) if id < FLUSH => return &mut self.threads[id],
                Some(id) => buffer::flush(self, id - FLUSH),
            }
        }
    }

    /// The number of the chosen candidate: a thread, or a buffer whose oldest store becomes visible.
    fn candidate(&mut self, me: *mut Thread, yields: bool) -> Option<usize> {
        let (mut count, mut running) = (0, None);
        for thread in &mut self.threads[..self.count] {
            if thread.state == State::Runnable {
                if ptr::eq(thread, me) {
                    running = Some(count);
                }
                self.candidates[count] = Candidate {
                    id: thread.id,
                    address: thread.address,
                    writes: thread.writes,
                    pc: thread.pc,
                };
                count += 1;
            }
        }
        match count {
            0 => return None,
            // Whatever is in its buffer, nobody is there to see it.
            1 => return Some(self.candidates[0].id),
            _ => {}
        }
        if buffer::on() {
            for owner in 0..self.count {
                if let Some(store) = buffer::oldest(owner) {
                    self.candidates[count] = Candidate {
                        id: FLUSH + owner,
                        address: store.address,
                        writes: true,
                        pc: 0,
                    };
                    count += 1;
                }
            }
        }
        // SAFETY: the caller's own entry.
        let (id, step) = unsafe { ((*me).id, (*me).steps) };
        let view = View {
            candidates: &self.candidates[..count],
            running,
            yields,
            me: id,
            step,
        };
        let (usual, order) = (view.usual(), depth_first::order(&view));
        let index = self.strategies.current().choose(&view, &mut self.draw);
        let index = self.chosen(count, index);
        let chosen = self.candidates[index].id;
        let preempts = running.is_some() && !yields && running != Some(index) && chosen < FLUSH;
        let block = self.block();
        block.current.preemptions += u32::from(preempts);
        if block.config.strategy == Strategy::DepthFirst {
            block.order[block.current.choices as usize - 1] = order;
        }
        if index != usual {
            self.deviated(me, chosen, Some(chosen), preempts);
        }
        Some(chosen)
    }

    /// Has another thread touched these eight bytes in this run, one of the two writing? In a
    /// learning run what is so becomes a point for the runs to come; later only that counts.
    fn conflict(&mut self, me: usize, address: usize, writes: bool) -> bool {
        let (granule, number) = (address >> 3, number(address));
        let learned = &mut self.block().learned;
        if !learned.open {
            return learned.knows(number);
        }
        if me < COUNTED {
            let count = &mut self.counts[number][me];
            *count = count.saturating_add(1);
            let most = &mut learned.counts[number][me];
            *most = (*most).max(*count);
        }
        let touched = &mut self.touched[number >> 2];
        if touched.granule != granule {
            *touched = Touched {
                granule,
                read: 0,
                written: 0,
            };
        }
        let bit = 1 << me;
        let others = (if writes {
            touched.read | touched.written
        } else {
            touched.written
        }) & !bit;
        if writes {
            touched.written |= bit
        } else {
            touched.read |= bit
        }
        if others != 0 {
            learned.know(number);
        }
        others != 0
    }

    /// The earliest deadline comes: time jumps there.
    fn expire(&mut self) -> bool {
        let earliest = self.threads[..self.count]
            .iter_mut()
            .filter(|t| t.state == State::Blocked && t.deadline != NEVER)
            .min_by_key(|t| t.deadline);
        let Some(thread) = earliest else { return false };
        self.now = self.now.max(thread.deadline);
        thread.timed_out = true;
        thread.state = State::Runnable;
        thread.deadline = NEVER;
        thread.waits = 0;
        let id = thread.id;
        self.runnable += 1;
        let waiting = self.threads[..self.count]
            .iter()
            .filter(|t| t.state == State::Blocked);
        self.earliest = waiting.map(|t| t.deadline).min().unwrap_or(NEVER);
        if self.hot {
            self.event(id, Kind::Timeout, 0, 0);
        }
        true
    }

    /// Deadlines that have come while others ran.
    fn expire_due(&mut self) {
        loop {
            // Those of threads that were woken meanwhile no longer count.
            let waiting = self.threads[..self.count]
                .iter()
                .filter(|t| t.state == State::Blocked);
            self.earliest = waiting.map(|t| t.deadline).min().unwrap_or(NEVER);
            if self.earliest > self.now || !self.expire() {
                return;
            }
        }
    }

    /// Makes whoever waits for `address` runnable; says how many did. Whoever comes by there later comes
    /// after what the holder did up to now.
    pub fn wake_all(&mut self, address: usize) -> usize {
        self.release(address);
        let mut woken = 0;
        for i in 0..self.count {
            if self.threads[i].state == State::Blocked && self.threads[i].waits == address {
                self.ready(i);
                woken += 1;
            }
        }
        woken
    }

    /// Makes one of those who wait for `address` runnable; which one is a choice.
    pub fn wake_one(&mut self, address: usize) -> bool {
        self.release(address);
        let waits = |t: &Thread| t.state == State::Blocked && t.waits == address;
        let count = self.threads[..self.count]
            .iter()
            .filter(|t| waits(t))
            .count();
        let index = match count {
            0 => return false,
            1 => 0,
            _ if !self.hot => 0,
            _ => {
                let me = holder();
                // SAFETY: who wakes is the holder.
                let (id, step) = unsafe {
                    (*me).steps += 1;
                    ((*me).id, (*me).steps)
                };
                let index = self
                    .strategies
                    .current()
                    .waiter(id, step, count, &mut self.draw);
                let index = self.chosen(count, index);
                let block = self.block();
                if block.config.strategy == Strategy::DepthFirst {
                    block.order[block.current.choices as usize - 1] = 0;
                }
                if index != 0 {
                    self.deviated(me, index, None, false);
                }
                index
            }
        };
        let found = (0..self.count)
            .filter(|&i| waits(&self.threads[i]))
            .nth(index);
        found.inspect(|&i| self.ready(i)).is_some()
    }

    /// What the holder did so far comes before what others do once they have passed this object.
    pub fn release(&mut self, object: usize) {
        let me = holder();
        if !me.is_null() && self.block().config.races {
            // SAFETY: the holder's own entry.
            race::release(unsafe { (*me).id }, object);
        }
    }

    /// The other side of [`Control::release`].
    pub fn acquire(&mut self, object: usize) {
        let me = holder();
        if !me.is_null() && self.block().config.races {
            // SAFETY: the holder's own entry.
            race::acquire(unsafe { (*me).id }, object);
        }
    }

    fn ready(&mut self, i: usize) {
        let thread = &mut self.threads[i];
        thread.state = State::Runnable;
        thread.waits = 0;
        thread.deadline = NEVER;
        self.runnable += 1;
    }

    /// How many wait for `address`.
    pub fn waiting(&self, address: usize) -> usize {
        self.threads[..self.count]
            .iter()
            .filter(|t| t.state == State::Blocked && t.waits == address)
            .count()
    }

    /// Somebody besides the holder can run, if need be because the time of a wait has come, before `until`.
    pub fn others_can_run_before(&mut self, until: u64) -> bool {
        let waiting = self.threads[..self.count]
            .iter()
            .filter(|t| t.state == State::Blocked);
        let earliest = waiting.map(|t| t.deadline).min().unwrap_or(NEVER);
        self.runnable > 1 || earliest < until && self.expire()
    }

    /// Nobody can run: those who wait for descriptors look again, once, since not all that makes these ready is
    /// seen here.
    fn look_again(&mut self) -> bool {
        !std::mem::replace(&mut self.looked, true)
            && self.wake_all(crate::interpose::input::anything()) > 0
    }

    /// A new entry, not yet able to run; none where the table is full.
    pub fn enter(&mut self) -> Option<*mut Thread> {
        let id = self.count;
        let thread = self.threads.get_mut(id)?;
        *thread = Thread::new();
        thread.id = id;
        let me = holder();
        if !me.is_null() && self.block().config.races {
            // SAFETY: the holder's own entry.
            race::created(unsafe { (*me).id }, id);
        }
        Some(&mut self.threads[id])
    }

    /// The newest entry can run.
    pub fn entered(&mut self) {
        self.threads[self.count].state = State::Runnable;
        self.count += 1;
        self.runnable += 1;
        let run = &mut self.block().current;
        run.threads = run.threads.max(self.count as u32);
    }

    /// Who chooses from now on.
    fn give(&mut self, seed: u64, strategy: Strategy, given: &'static [u16]) {
        self.draw = Draw::new(seed);
        let block = self.block();
        let block: &'static Block = block;
        self.strategies.give(given);
        let plan = block.plan[(block.current.index as usize).min(MAX_RUNS - 1)];
        let (start, count) = (plan.start as usize, plan.count as usize);
        self.strategies.plan(&block.planned[start..start + count]);
        self.strategies.learned(&block.learned);
        self.strategies.aim(&block.targets);
        self.strategies
            .begin(strategy, &block.config, &mut self.draw);
    }

    /// A run begins in the midst of a program, at a window that opens.
    pub fn begin_here(&mut self, seed: u64, strategy: Strategy) {
        let block: &'static Block = self.block();
        self.give(seed, strategy, &block.given[..block.config.given as usize]);
        self.window.isolated = true;
        self.block().current.threads = self.count as u32;
        for thread in &mut self.threads[..self.count] {
            thread.steps = 0;
            // The first one's is the carrier, which forked.
            thread.hollow = thread.id != 0;
        }
    }

    /// A run begins; the caller is its only thread. Each process begins once, so that the state is as
    /// it was made: clearing it would only copy pages of the parent.
    pub fn begin(&mut self, seed: u64, strategy: Strategy, hot: bool) {
        let block: &'static Block = self.block();
        let given = match block.config.isolate {
            0 => &block.given[..block.config.given as usize],
            // Up to that window.
            _ => &block.lead[..block.config.lead as usize],
        };
        self.give(seed, strategy, given);
        if let Some(me) = self.enter() {
            self.entered();
            // SAFETY: the entry just made; both calls have no preconditions.
            unsafe {
                (*me).handle = libc::pthread_self();
                (*me).kernel = system(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as i32;
                crate::engine::choose(block.config.engine);
                engine().first(me);
            }
            // Of the first thread the loader knows it.
            // SAFETY: the loader's own variable.
            unsafe { (*me).stack_end = __libc_stack_end };
            buffer::begin(self.block().config.memory == Memory::Tso);
            self.set_hot(hot);
            if hot && self.block().config.races {
                race::begin();
            }
            HOLDER.store(me, Ordering::Relaxed);
        }
    }
}

unsafe extern "C" {
    /// glibc's: where the stack of the first thread begins.
    static __libc_stack_end: usize;
}

/// Where glibc keeps a thread's number (`struct pthread`, x86-64); the kernel clears it and wakes
/// whoever waits for it when the thread has run its last instruction, as for `pthread_join`.
const NUMBER_OF_HANDLE: usize = 0x2d0;

/// Returns when the kernel thread has run its last instruction.
unsafe fn await_end(gone: *mut Thread) {
    // SAFETY: the memory of a joinable thread stays until it is joined, which is only then possible.
    unsafe {
        if (*gone).number_known && !(*gone).consumed {
            let word = (*gone).handle as usize + NUMBER_OF_HANDLE;
            loop {
                let number = (*(word as *const AtomicU32)).load(Ordering::Acquire);
                if number == 0 {
                    return;
                }
                system(
                    libc::SYS_futex,
                    word,
                    libc::FUTEX_WAIT as usize,
                    number as usize,
                    0,
                    0,
                    0,
                );
            }
        }
        let process = system(libc::SYS_getpid, 0, 0, 0, 0, 0, 0) as usize;
        while system(
            libc::SYS_tgkill,
            process,
            (*gone).kernel as usize,
            0,
            0,
            0,
            0,
        ) == 0
        {
            system(libc::SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        }
    }
}

/// After a switch came back: nobody else is left half gone, and we are who runs.
unsafe fn resume(me: *mut Thread) {
    // SAFETY: the turn is ours.
    unsafe {
        let control = control();
        let leaving = control.leaving;
        if !leaving.is_null() {
            control.leaving = ptr::null_mut();
            if !(*leaving).hollow {
                engine().release(leaving);
                // Its destructors and the return of its stack to libc's cache must not run beside us.
                await_end(leaving);
            }
        }
        HOLDER.store(me, Ordering::Relaxed);
    }
}

unsafe fn switch(me: *mut Thread, next: *mut Thread) {
    if me != next {
        // SAFETY: the turn is ours, `next` waits: it is runnable and not us.
        unsafe {
            let control = control();
            if control.hot {
                control.block().current.switches += 1;
            }
            if buffer::on() {
                buffer::settle(control);
                buffer::hide((*me).id);
            }
            engine().switch(me, next);
            resume(me);
            if buffer::on() {
                buffer::show((*me).id);
            }
        }
    }
}

/// The first thing a new thread does: waits for its turn.
///
/// # Safety
/// `me` is the entry of the calling kernel thread.
pub unsafe fn adopt(me: *mut Thread) {
    // SAFETY: as required; the rest happens in our turn.
    unsafe {
        (*me).kernel = system(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as i32;
        let word = (libc::pthread_self() as usize + NUMBER_OF_HANDLE) as *const i32;
        (*me).number_known = *word == (*me).kernel;
        (*me).stack_end = &raw const word as usize;
        engine().adopt(me);
        resume(me);
        let control = control();
        if control.hot {
            control.event((*me).id, Kind::Start, 0, 0);
        }
    }
}

/// The last thing under control that a thread does.
///
/// # Safety
/// The caller is the holder and ends soon.
pub unsafe fn leave(me: *mut Thread) {
    // SAFETY: the turn is ours until `leave` of the engine.
    unsafe {
        let control = control();
        buffer::drain(control);
        if control.hot {
            control.event((*me).id, Kind::Exit, 0, 0);
        }
        (*me).state = State::Gone;
        (*me).steps += 1;
        control.runnable -= 1;
        control.wake_all(me as usize);
        if control.runnable == 0 && !control.expire() && !control.look_again() {
            verdict::nobody_can_run(control);
        }
        let next = control.next(me, false);
        control.leaving = me;
        HOLDER.store(ptr::null_mut(), Ordering::Relaxed);
        engine().leave(me, next);
    }
}

/// What a thread is about to do.
#[derive(Clone, Copy)]
pub struct Step {
    pub kind: Kind,
    /// What it touches, or 0.
    pub address: usize,
    /// Bytes of it; 0 of what is no access to the program's own memory.
    pub size: u16,
    pub writes: bool,
    /// Of an atomic, as C numbers them.
    pub order: i32,
    /// The instruction after the call of the hook.
    pub pc: usize,
}

/// C's number of the order `seq_cst`.
pub const SEQ_CST: i32 = 5;

impl Step {
    /// It comes after all earlier stores of its thread, for all to see. On x86 so do updates and full fences,
    /// and what synchronises is made of these; weaker fences are none there.
    fn drains(&self) -> bool {
        match self.kind {
            Kind::Read | Kind::Write | Kind::AtomicLoad => false,
            Kind::AtomicStore | Kind::Fence => self.order == SEQ_CST,
            _ => true,
        }
    }

    /// A call that synchronises.
    pub const fn call(kind: Kind, address: usize, writes: bool, pc: usize) -> Self {
        Self {
            kind,
            address,
            size: 0,
            writes,
            order: 0,
            pc,
        }
    }
}

/// [`step`] of a call that synchronises.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn point(me: *mut Thread, kind: Kind, address: usize, writes: bool, pc: usize) {
    // SAFETY: as required of the caller.
    unsafe { step(me, &Step::call(kind, address, writes, pc)) };
}

/// [`step`] of an access to memory. Most are to places that were never seen in conflict: nobody is asked who is
/// next, and nothing is done but to count and hash them.
///
/// # Safety
/// The caller is the holder.
#[inline(always)]
pub unsafe fn access(me: *mut Thread, step: &Step) {
    // SAFETY: as required of the caller.
    unsafe {
        if !quick(me, step) {
            self::step(me, step);
        }
    }
}

/// Does [`step`]'s work where it is only that, and says whether it was.
#[inline(always)]
unsafe fn quick(me: *mut Thread, step: &Step) -> bool {
    // SAFETY: the turn is ours.
    unsafe {
        let (control, me) = (control(), &mut *me);
        if !control.plain || me.off != 0 {
            return false;
        }
        let block = &mut *control.block;
        let now = control.now + STEP_NS;
        let steps = block.current.steps + 1;
        let repeats = (me.spin.0, me.spin.1) == (step.pc, step.address) && me.spin.2 >= SPIN;
        if block.learned.knows(number(step.address))
            || now >= control.earliest
            || steps > block.config.step_cap
            || repeats
            || !trace::counted(&mut block.current, me.id as u32, step)
        {
            return false;
        }
        control.now = now;
        block.current.steps = steps;
        me.steps += 1;
        waits_in_a_loop(&mut me.spin, step);
        me.address = step.address;
        me.writes = step.writes;
        me.kind = step.kind;
        me.pc = step.pc;
        true
    }
}

/// A thread is about to touch memory or to call what synchronises: an event, and perhaps another
/// thread's turn. Returns when the calling thread may do it.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn step(me: *mut Thread, step: &Step) {
    // SAFETY: the turn is ours up to the switch, and again once it has come back.
    unsafe {
        if (*me).off != 0 {
            return;
        }
        let control = control();
        if !control.hot {
            // Relaxed: the holder's own.
            let left = CALM.load(Ordering::Relaxed) - 1;
            CALM.store(left, Ordering::Relaxed);
            if step.kind == Kind::Yield || left < 0 {
                calm(control, me);
            }
            return;
        }
        trace::settle(control.block());
        if buffer::on() {
            buffer::settle(control);
        }
        control.now += STEP_NS;
        if control.now >= control.earliest {
            control.expire_due();
        }
        let yields = step.kind == Kind::Yield || waits_in_a_loop(&mut (*me).spin, step);
        if yields {
            // It waits for others, who may wait for what it has stored.
            buffer::drain(control);
        }
        let block = control.block();
        block.current.steps += 1;
        (*me).steps += 1;
        let cap = block.config.step_cap;
        if block.current.steps > cap {
            // First fair turns: a loop that only an unfair schedule keeps alive is no fault.
            control.strategies.be_fair = true;
            if block.current.steps > cap.saturating_mul(2) {
                control.fail(
                    Verdict::Endless,
                    "no end, with fair turns for the second half of the steps",
                );
            }
        }
        let access = matches!(
            step.kind,
            Kind::Read | Kind::Write | Kind::AtomicLoad | Kind::AtomicStore | Kind::AtomicUpdate
        );
        let chooses = yields
            || match block.config.points {
                Points::All => true,
                Points::Sync => !matches!(step.kind, Kind::Read | Kind::Write),
                Points::Conflicts => {
                    !access || control.conflict((*me).id, step.address, step.writes)
                }
            }
            || control.strategies.aims_at(step.pc);
        (*me).address = step.address;
        (*me).writes = step.writes;
        (*me).kind = step.kind;
        (*me).pc = step.pc;
        if chooses && control.runnable > 1 {
            let next = control.next(me, yields);
            switch(me, next);
        }
        // Only now: others may have run, and the trace tells the order in which things were done.
        let control = self::control();
        if matches!(step.kind, Kind::Lock | Kind::Wait) {
            control.acquire(step.address);
        }
        if buffer::on() && step.drains() {
            buffer::drain(control);
        }
        control.did((*me).id, step);
    }
}

/// In calm the first thread that can run goes on, most often the one that waited for a window's end.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn give_way(me: *mut Thread) {
    // SAFETY: the turn is ours up to the switch.
    unsafe {
        let next = control().next(me, false);
        switch(me, next);
    }
}

/// Outside windows nobody is preempted, but who waits in a loop must not wait for ever.
#[cold]
unsafe fn calm(control: &mut Control, me: *mut Thread) {
    // SAFETY: as of `step`.
    unsafe {
        CALM.store(CALM_STEPS, Ordering::Relaxed);
        if control.runnable > 1 {
            let count = control.count;
            let mut others = (1..count).map(|i| ((*me).id + i) % count);
            if let Some(i) = others.find(|&i| control.threads[i].state == State::Runnable) {
                let next: *mut Thread = &mut control.threads[i];
                switch(me, next);
            }
        }
    }
}

/// The same load again and again is a loop that waits for another thread.
#[inline]
fn waits_in_a_loop(spin: &mut (usize, usize, u32), step: &Step) -> bool {
    if matches!(step.kind, Kind::AtomicLoad | Kind::Read) {
        if (spin.0, spin.1) == (step.pc, step.address) {
            spin.2 += 1;
            if spin.2 > SPIN {
                spin.2 = 0;
                return true;
            }
        } else {
            *spin = (step.pc, step.address, 0);
        }
    } else if !matches!(step.kind, Kind::Yield | Kind::Fence) {
        spin.2 = 0;
    }
    false
}

/// The calling thread waits for `address` until woken or until `deadline`, in virtual time; true
/// where the deadline came first.
///
/// # Safety
/// The caller is the holder.
pub unsafe fn block(me: *mut Thread, why: Why, address: usize, deadline: u64) -> bool {
    // SAFETY: the turn is ours up to the switch.
    unsafe {
        let control = control();
        buffer::drain(control);
        (*me).state = State::Blocked;
        (*me).why = why;
        (*me).waits = address;
        (*me).deadline = deadline;
        control.earliest = control.earliest.min(deadline);
        (*me).timed_out = false;
        (*me).address = 0;
        (*me).kind = Kind::Block;
        (*me).steps += 1;
        control.runnable -= 1;
        if control.hot {
            control.event((*me).id, Kind::Block, address, 0);
        }
        if control.runnable == 0 && !control.expire() && !control.look_again() {
            verdict::nobody_can_run(control);
        }
        let next = control.next(me, false);
        switch(me, next);
        self::control().acquire(address);
        (*me).timed_out
    }
}
