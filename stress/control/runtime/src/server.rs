//! The fork server: one child a run, each from the same state of the parent.

use crate::control::{Control, control, holder};
use crate::engine;
use crate::real::system;
use crate::strategy::depth_first;
use crate::verdict::{self, signal};
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use threadbare_control::block::{
    Block, Config, MAX_MODULES, MAX_RUNS, Module, Run, Strategy, Verdict,
};

/// Seeds of learning runs lie far from those of a search.
const LEARNING_SEED: u64 = 1 << 40;

/// Set while the server itself forks: the program's own forks end control in the child.
static SERVING: AtomicBool = AtomicBool::new(false);

/// Threads of this process, as the kernel counts them.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Serves all the runs that were ordered: returns true in each child, under control from here on,
/// and false in the parent after the last. Of an isolated window there is one child, which serves its runs when that
/// window opens: see [`isolate`].
///
/// # Safety
/// There are orders and no control yet.
pub unsafe fn serve(hot: bool) -> bool {
    // SAFETY: one thread, no control: nobody else touches the state or the block.
    unsafe {
        let control = control();
        let block = &mut *control.block;
        if threads() != 1 {
            verdict::end(
                control,
                Verdict::Refused,
                format_args!("other threads run before control begins"),
            );
        }
        modules(block);
        let fork = || {
            SERVING.store(true, Ordering::Relaxed);
            let child = libc::fork();
            SERVING.store(false, Ordering::Relaxed);
            child
        };
        if block.config.isolate == 0 {
            return match runs(control, fork) {
                Some((seed, strategy)) => {
                    control.begin(seed, strategy, hot);
                    true
                }
                None => false,
            };
        }
        let seed = block.config.seed;
        present(block, seed, 0);
        match fork() {
            ..0 => cannot_fork(control),
            0 => {
                enter(&block.config);
                control.begin(seed, Strategy::Replay, hot);
                true
            }
            child => {
                let status = wait(child);
                if block.finished == 0 {
                    // It did not come to the window.
                    judge(&mut block.current, status);
                    keep(block);
                }
                false
            }
        }
    }
}

/// The window opens that is to be looked at by itself: serves its runs, each a child forked here, and ends after the
/// last; returns in each child. All threads' contexts are memory of the one kernel thread that runs them; the kernel
/// threads on which they began are not there in a child, so that no thread that exists by now can end in it.
///
/// # Safety
/// The caller is the holder, by the engine that changes contexts in user mode.
pub unsafe fn isolate() {
    // SAFETY: in our turn; a child is a copy of this process, of which nothing but the present kernel thread runs.
    unsafe {
        let control = control();
        if !engine::carries_all() {
            verdict::end(
                control,
                Verdict::Refused,
                format_args!(
                    "a window can be isolated only where threads are switched in user mode"
                ),
            );
        }
        // The time is that of each run.
        limit(0);
        // Not libc's, which believes that all other threads are gone and gives their stacks away.
        let fork = || system(libc::SYS_fork, 0, 0, 0, 0, 0, 0) as i32;
        match runs(control, fork) {
            Some((seed, strategy)) => control.begin_here(seed, strategy),
            None => leave(0),
        }
    }
}

/// Forks a child for each run that was ordered: seed and strategy in each, none in the parent after the last.
unsafe fn runs(control: &mut Control, fork: impl Fn() -> i32) -> Option<(u64, Strategy)> {
    // SAFETY: nobody else touches the block.
    unsafe {
        let block = &mut *control.block;
        let config = block.config;
        let (mut faults, mut whole) = (0, true);
        for index in 0..config.learning + config.runs {
            let learns = index < config.learning;
            let number = u64::from(index - if learns { 0 } else { config.learning });
            let (seed, strategy) = match (learns, config.same_seed) {
                // Both walks: one keeps threads in step, the other lets one run ahead.
                (true, _) if index % 2 == 0 => (LEARNING_SEED + number, Strategy::Random),
                (true, _) => (LEARNING_SEED + number, Strategy::Sticky),
                (false, true) => (config.seed, config.strategy),
                (false, false) => (config.seed + number, config.strategy),
            };
            block.learned.open = learns;
            present(block, seed, number as u32);
            let child = fork();
            if child < 0 {
                cannot_fork(control);
            }
            if child == 0 {
                enter(&config);
                return Some((seed, strategy));
            }
            let status = wait(child);
            judge(&mut block.current, status);
            if learns {
                continue;
            }
            keep(block);
            faults += u32::from(block.current.verdict.is_fault());
            if config.strategy == Strategy::DepthFirst {
                let run = &block.current;
                // Fair turns and limits of ours end a schedule that was not followed to its end.
                whole &= matches!(
                    run.verdict,
                    Verdict::Finished
                        | Verdict::Exit
                        | Verdict::Signal
                        | Verdict::Deadlock
                        | Verdict::LostWakeUp
                        | Verdict::UseAfterFree
                ) && run.steps <= config.step_cap;
                let count = run.choices as usize;
                block.given[..count].copy_from_slice(&block.choices[..count]);
                let order = &block.order[..count];
                match depth_first::next(&mut block.given[..count], order, config.bound) {
                    Some(length) => block.config.given = length as u32,
                    None => {
                        block.exhausted = whole;
                        break;
                    }
                }
            }
            if config.stop_after != 0 && faults >= config.stop_after {
                break;
            }
        }
        None
    }
}

/// The present run is a new one.
fn present(block: &mut Block, seed: u64, index: u32) {
    block.started += 1;
    block.note[0] = 0;
    block.current = Run {
        seed,
        index,
        verdict: Verdict::Unfinished,
        ..EMPTY
    };
}

/// The present run ended: it is one of those that are told.
fn keep(block: &mut Block) {
    if (block.finished as usize) < MAX_RUNS {
        block.runs[block.finished as usize] = block.current;
        block.finished += 1;
    }
}

/// What a child does first.
unsafe fn enter(config: &Config) {
    // SAFETY: in a child that the server forked.
    unsafe {
        limit(config.wall_ms);
        signal::watch();
    }
}

fn wait(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: an out parameter.
    while unsafe { libc::waitpid(child, &mut status, 0) } < 0 {}
    status
}

fn cannot_fork(control: &mut Control) -> ! {
    verdict::end(
        control,
        Verdict::Refused,
        format_args!("the server cannot fork"),
    )
}

const EMPTY: Run = Run {
    seed: 0,
    hash: 0,
    events: 0,
    steps: 0,
    choices: 0,
    switches: 0,
    outcome: 0,
    windows: 0,
    opened: 0,
    verdict: Verdict::Unfinished,
    signal: 0,
    code: 0,
    thread: 0,
    threads: 0,
    pc: 0,
    address: 0,
    deviations: 0,
    preemptions: 0,
    races: 0,
    index: 0,
};

/// Writes down which files are loaded, by which addresses are told. What is loaded later is not told.
fn modules(block: &mut Block) {
    block.module_count = 0;
    // SAFETY: one thread runs; the callback gets the block back.
    unsafe { libc::dl_iterate_phdr(Some(module), std::ptr::from_mut(block).cast()) };
}

unsafe extern "C" fn module(info: *mut libc::dl_phdr_info, _: usize, block: *mut c_void) -> i32 {
    // SAFETY: the loader's own lists, for the time of the call.
    unsafe {
        let (info, block) = (&*info, &mut *block.cast::<Block>());
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        let loaded = || headers.iter().filter(|h| h.p_type == libc::PT_LOAD);
        let start = loaded().map(|h| h.p_vaddr).min().unwrap_or(0);
        let end = loaded().map(|h| h.p_vaddr + h.p_memsz).max().unwrap_or(0);
        let name = CStr::from_ptr(info.dlpi_name).to_bytes();
        let mut path = [0; _];
        let length = name.len().min(path.len() - 1);
        path[..length].copy_from_slice(&name[..length]);
        let at = block.module_count as usize;
        if at < MAX_MODULES {
            block.modules[at] = Module {
                start: info.dlpi_addr + start,
                end: info.dlpi_addr + end,
                base: info.dlpi_addr,
                path,
            };
            block.module_count += 1;
        }
    }
    0
}

/// Ends the process by itself when it takes longer than so many milliseconds, 0 of which are no limit.
unsafe fn limit(wall_ms: u32) {
    let interval = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
        it_value: libc::timeval {
            tv_sec: i64::from(wall_ms / 1000),
            tv_usec: i64::from(wall_ms % 1000) * 1000,
        },
    };
    // SAFETY: SIGALRM's default ends the process; a program that takes it loses the limit only.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &interval, std::ptr::null_mut()) };
}

/// What the kernel says of the child's end, unless the runtime ended it.
fn judge(run: &mut Run, status: i32) {
    if run.verdict != Verdict::Unfinished {
        return;
    }
    if libc::WIFSIGNALED(status) {
        run.signal = libc::WTERMSIG(status);
        run.verdict = if run.signal == libc::SIGALRM {
            Verdict::Stuck
        } else {
            Verdict::Signal
        };
    } else {
        run.code = libc::WEXITSTATUS(status);
        run.verdict = if run.code == 0 {
            Verdict::Finished
        } else {
            Verdict::Exit
        };
    }
}

/// In a program that has forked.
pub extern "C" fn forks() {
    if !SERVING.load(Ordering::Relaxed) {
        crate::interpose::input::forks();
    }
}

/// In a child that the program forked: control ends, its other threads are not there.
pub extern "C" fn forked() {
    if !SERVING.load(Ordering::Relaxed) && !holder().is_null() {
        crate::control::HOLDER.store(std::ptr::null_mut(), Ordering::Relaxed);
    }
}

/// Ends the process at once; used where a run's end needs no way out of the program.
pub unsafe fn leave(code: usize) {
    // SAFETY: ends the process.
    unsafe { system(libc::SYS_exit_group, code, 0, 0, 0, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_word_does_not_overrule_the_runtimes() {
        let mut run = Run {
            verdict: Verdict::Deadlock,
            ..EMPTY
        };
        judge(&mut run, 70 << 8);
        assert_eq!(run.verdict, Verdict::Deadlock);
        for (status, verdict) in [
            (0, Verdict::Finished),
            (3 << 8, Verdict::Exit),
            (libc::SIGSEGV, Verdict::Signal),
            (libc::SIGALRM, Verdict::Stuck),
        ] {
            let mut run = EMPTY;
            judge(&mut run, status);
            assert_eq!(run.verdict, verdict);
        }
    }
}
