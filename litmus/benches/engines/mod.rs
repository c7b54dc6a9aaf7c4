//! The programs as closures, for loom, shuttle and ourselves.

use super::programs::{Answer, Case, Cx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use threadbare_litmus::explore::Report;
use threadbare_litmus::{Explorer, Model};

/// What another engine did.
pub struct Peer {
    pub executions: u64,
    pub finished: bool,
    /// The message with which it ended.
    pub verdict: Option<String>,
    pub spent: Duration,
}

/// Keeps panics that are caught from being printed. shuttle puts a hook of its own, which prints
/// whoever's panics, before whatever it finds, once: so it is made to do so first.
pub fn quiet() {
    shuttle::check_dfs(|| {}, None);
    std::panic::set_hook(Box::new(|_| {}));
}

struct Ours {
    atomics: Vec<threadbare_litmus::sync::atomic::AtomicU64>,
    cells: Vec<threadbare_litmus::cell::Cell<u64>>,
}

impl Cx for &Ours {
    fn load(&mut self, at: usize, order: Ordering) -> Answer {
        Ok(self.atomics[at].load(order))
    }
    fn store(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        self.atomics[at].store(value, order);
        Ok(0)
    }
    fn add(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        Ok(self.atomics[at].fetch_add(value, order))
    }
    fn cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        let result = self.atomics[at].compare_exchange(old, new, order, Ordering::Relaxed);
        Ok(result.unwrap_or_else(|found| found))
    }
    fn fence(&mut self, order: Ordering) -> Answer {
        threadbare_litmus::sync::atomic::fence(order);
        Ok(0)
    }
    fn get(&mut self, cell: usize) -> Answer {
        Ok(self.cells[cell].get())
    }
    fn set(&mut self, cell: usize, value: u64) -> Answer {
        self.cells[cell].set(value);
        Ok(0)
    }
    fn wait(&mut self, at: usize, order: Ordering, wanted: &dyn Fn(u64) -> bool) -> Answer {
        Ok(self.atomics[at].await_until(order, wanted))
    }
    fn again(&mut self) -> Answer {
        Ok(0)
    }
    fn check(&mut self, holds: bool, claim: &'static str) -> Answer {
        assert!(holds, "{claim}");
        Ok(0)
    }
}

/// Threads that each take a lock so many times.
#[derive(Clone, Copy)]
pub struct Locks {
    pub name: &'static str,
    pub threads: usize,
    pub times: usize,
}

/// Threads that share a counter behind a lock, as a closure.
pub fn our_locks(locks: Locks) -> Report {
    use threadbare_litmus::sync::{Arc, Mutex};
    Explorer::new().model(Model::Rc11).check(move || {
        let count = Arc::new(Mutex::new(0_u64));
        let each = |_| {
            let count = count.clone();
            threadbare_litmus::thread::spawn(move || {
                (0..locks.times).for_each(|_| *count.lock().unwrap() += 1);
            })
        };
        let threads: Vec<_> = (0..locks.threads).map(each).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    })
}

/// The same for loom.
pub fn loom_locks(locks: Locks, cap: Duration, spent: fn() -> Duration) -> Peer {
    use loom::sync::{Arc, Mutex};
    loom_checks(cap, spent, move || {
        let count = Arc::new(Mutex::new(0_u64));
        let each = |_| {
            let count = count.clone();
            loom::thread::spawn(move || {
                (0..locks.times).for_each(|_| *count.lock().unwrap() += 1);
            })
        };
        let threads: Vec<_> = (0..locks.threads).map(each).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    })
}

/// The closure interface on a program without retries.
pub fn ours(case: &Case) -> Report {
    let case = case.clone();
    Explorer::new().model(Model::Rc11).check(move || {
        let shared = threadbare_litmus::sync::Arc::new(Ours {
            atomics: case
                .atomics
                .iter()
                .map(|&value| threadbare_litmus::sync::atomic::AtomicU64::new(value))
                .collect(),
            cells: (0..case.cells)
                .map(|_| threadbare_litmus::cell::Cell::new(0))
                .collect(),
        });
        let (body, threads) = (case.body, case.threads);
        let handles: Vec<_> = (0..threads)
            .map(|t| {
                let shared = shared.clone();
                threadbare_litmus::thread::spawn(move || {
                    let _ = body(t, threads, &mut &*shared);
                })
            })
            .collect();
        for handle in handles {
            let _ = handle.join();
        }
    })
}

struct Loom {
    atomics: Vec<loom::sync::atomic::AtomicU64>,
    cells: Vec<loom::cell::UnsafeCell<u64>>,
}

// SAFETY: loom runs one model thread at a time, and its cells panic when accesses race.
unsafe impl Sync for Loom {}
// SAFETY: as above.
unsafe impl Send for Loom {}

impl Cx for &Loom {
    fn load(&mut self, at: usize, order: Ordering) -> Answer {
        Ok(self.atomics[at].load(order))
    }
    fn store(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        self.atomics[at].store(value, order);
        Ok(0)
    }
    fn add(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        Ok(self.atomics[at].fetch_add(value, order))
    }
    fn cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        let result = self.atomics[at].compare_exchange(old, new, order, Ordering::Relaxed);
        Ok(result.unwrap_or_else(|found| found))
    }
    fn fence(&mut self, order: Ordering) -> Answer {
        loom::sync::atomic::fence(order);
        Ok(0)
    }
    fn get(&mut self, cell: usize) -> Answer {
        // SAFETY: loom panics instead of calling this when the access races.
        Ok(self.cells[cell].with(|value| unsafe { *value }))
    }
    fn set(&mut self, cell: usize, to: u64) -> Answer {
        // SAFETY: loom panics instead of calling this when the access races.
        self.cells[cell].with_mut(|value| unsafe { *value = to });
        Ok(0)
    }
    fn wait(&mut self, at: usize, order: Ordering, wanted: &dyn Fn(u64) -> bool) -> Answer {
        loop {
            let value = self.atomics[at].load(order);
            if wanted(value) {
                return Ok(value);
            }
            loom::thread::yield_now();
        }
    }
    fn again(&mut self) -> Answer {
        loom::thread::yield_now();
        Ok(0)
    }
    fn check(&mut self, holds: bool, claim: &'static str) -> Answer {
        assert!(holds, "{claim}");
        Ok(0)
    }
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default()
}

static EXECUTIONS: AtomicU64 = AtomicU64::new(0);

fn measure(cap: Duration, spent: fn() -> Duration, run: impl FnOnce()) -> Peer {
    // Relaxed: one thread.
    EXECUTIONS.store(0, Ordering::Relaxed);
    let (begun, wall) = (spent(), std::time::Instant::now());
    let result = catch_unwind(AssertUnwindSafe(run));
    Peer {
        executions: EXECUTIONS.load(Ordering::Relaxed),
        finished: result.is_ok() && wall.elapsed() < cap,
        verdict: result.err().map(|payload| message(&*payload)),
        spent: spent() - begun,
    }
}

fn loom_checks(
    cap: Duration,
    spent: fn() -> Duration,
    program: impl Fn() + Send + Sync + 'static,
) -> Peer {
    let mut builder = loom::model::Builder::new();
    builder.max_duration = Some(cap);
    builder.checkpoint_interval = 100;
    builder.max_branches = 10_000;
    measure(cap, spent, move || {
        builder.check(move || {
            EXECUTIONS.fetch_add(1, Ordering::Relaxed);
            program();
        });
    })
}

/// loom on the same program.
pub fn loom(case: &Case, cap: Duration, spent: fn() -> Duration) -> Peer {
    let case = case.clone();
    loom_checks(cap, spent, move || {
        let shared = loom::sync::Arc::new(Loom {
            atomics: case
                .atomics
                .iter()
                .map(|&value| loom::sync::atomic::AtomicU64::new(value))
                .collect(),
            cells: (0..case.cells)
                .map(|_| loom::cell::UnsafeCell::new(0))
                .collect(),
        });
        let (body, threads) = (case.body, case.threads);
        let handles: Vec<_> = (0..threads)
            .map(|t| {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    let _ = body(t, threads, &mut &*shared);
                })
            })
            .collect();
        for handle in handles {
            let _ = handle.join();
        }
    })
}

/// shuttle has no plain cells: theirs are atomics it does not see.
struct Shuttle {
    atomics: Vec<shuttle::sync::atomic::AtomicU64>,
    cells: Vec<AtomicU64>,
}

impl Cx for &Shuttle {
    fn load(&mut self, at: usize, order: Ordering) -> Answer {
        Ok(self.atomics[at].load(order))
    }
    fn store(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        self.atomics[at].store(value, order);
        Ok(0)
    }
    fn add(&mut self, at: usize, value: u64, order: Ordering) -> Answer {
        Ok(self.atomics[at].fetch_add(value, order))
    }
    fn cas(&mut self, at: usize, old: u64, new: u64, order: Ordering) -> Answer {
        let result = self.atomics[at].compare_exchange(old, new, order, Ordering::Relaxed);
        Ok(result.unwrap_or_else(|found| found))
    }
    fn fence(&mut self, order: Ordering) -> Answer {
        shuttle::sync::atomic::fence(order);
        Ok(0)
    }
    fn get(&mut self, cell: usize) -> Answer {
        Ok(self.cells[cell].load(Ordering::Relaxed))
    }
    fn set(&mut self, cell: usize, value: u64) -> Answer {
        self.cells[cell].store(value, Ordering::Relaxed);
        Ok(0)
    }
    fn wait(&mut self, at: usize, order: Ordering, wanted: &dyn Fn(u64) -> bool) -> Answer {
        loop {
            let value = self.atomics[at].load(order);
            if wanted(value) {
                return Ok(value);
            }
            shuttle::thread::yield_now();
        }
    }
    fn again(&mut self) -> Answer {
        shuttle::thread::yield_now();
        Ok(0)
    }
    fn check(&mut self, holds: bool, claim: &'static str) -> Answer {
        assert!(holds, "{claim}");
        Ok(0)
    }
}

/// shuttle's exhaustive search of interleavings on the same program.
pub fn shuttle(case: &Case, cap: Duration, spent: fn() -> Duration) -> Peer {
    let case = case.clone();
    let mut config = shuttle::Config::default();
    config.max_steps = shuttle::MaxSteps::FailAfter(10_000);
    config.max_time = Some(cap);
    config.failure_persistence = shuttle::FailurePersistence::None;
    measure(cap, spent, move || {
        let scheduler = shuttle::scheduler::DfsScheduler::new(None, false);
        shuttle::Runner::new(scheduler, config).run(move || {
            EXECUTIONS.fetch_add(1, Ordering::Relaxed);
            let shared = shuttle::sync::Arc::new(Shuttle {
                atomics: case
                    .atomics
                    .iter()
                    .map(|&value| shuttle::sync::atomic::AtomicU64::new(value))
                    .collect(),
                cells: (0..case.cells).map(|_| AtomicU64::new(0)).collect(),
            });
            let (body, threads) = (case.body, case.threads);
            let handles: Vec<_> = (0..threads)
                .map(|t| {
                    let shared = shared.clone();
                    shuttle::thread::spawn(move || {
                        let _ = body(t, threads, &mut &*shared);
                    })
                })
                .collect();
            for handle in handles {
                let _ = handle.join();
            }
        });
    })
}
