//! The fork server: one child a run, each from the same state of the parent.

use crate::control::{control, holder};
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
/// and false in the parent after the last.
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
            block.started += 1;
            block.note[0] = 0;
            block.current = Run {
                seed,
                index: number as u32,
                verdict: Verdict::Unfinished,
                ..EMPTY
            };
            SERVING.store(true, Ordering::Relaxed);
            let child = libc::fork();
            SERVING.store(false, Ordering::Relaxed);
            if child < 0 {
                verdict::end(
                    control,
                    Verdict::Refused,
                    format_args!("the server cannot fork"),
                );
            }
            if child == 0 {
                limit(&config);
                signal::watch();
                control.begin(seed, strategy, hot);
                return true;
            }
            let mut status = 0;
            while libc::waitpid(child, &mut status, 0) < 0 {}
            judge(&mut block.current, status);
            if learns {
                continue;
            }
            if (block.finished as usize) < MAX_RUNS {
                block.runs[block.finished as usize] = block.current;
                block.finished += 1;
            }
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
        false
    }
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

/// Ends the child by itself when it takes too long.
unsafe fn limit(config: &Config) {
    let interval = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
        it_value: libc::timeval {
            tv_sec: i64::from(config.wall_ms / 1000),
            tv_usec: i64::from(config.wall_ms % 1000) * 1000,
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
