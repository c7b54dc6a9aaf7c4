//! Explored threads that never come to an operation: `loop {}`, or a lock of `std` that another explored
//! thread holds. All of them run on the thread of the system that explores, so nothing would ever go on.
//!
//! A thread of its own looks at those that explore. One whose explored thread has computed for
//! longer than the [patience](crate::Explorer::patience) without an operation, or has slept so long, gets a signal,
//! whose handler makes it a fault ([`rescue`]). Processor time is counted, so a slow or busy machine is
//! no fault; of sleep, only what is seen by looking again and again.

use super::rescue;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Looks after which it is said that a thread cannot be stopped where it is.
const IN_VAIN: u32 = 200;

/// What can be seen of a thread of the system that explores. Its fields are numbers that stand for nothing else,
/// so all accesses are relaxed.
struct Post {
    system: libc::pthread_t,
    number: libc::pid_t,
    /// Which stretch without an operation is under way; 0 for none.
    stretch: AtomicU64,
    /// The stretch that has taken too long.
    accused: AtomicU64,
    /// In nanoseconds.
    patience: AtomicU64,
}

// SAFETY: a `pthread_t` is a name; it is used only while its thread is kept from ending.
unsafe impl Send for Post {}
// SAFETY: as above.
unsafe impl Sync for Post {}

static POSTS: Mutex<Vec<Arc<Post>>> = Mutex::new(Vec::new());

/// A post that is given up when its thread ends.
struct Registered(Arc<Post>);

impl Drop for Registered {
    fn drop(&mut self) {
        POST.set(std::ptr::null());
        let mut posts = POSTS.lock().unwrap_or_else(PoisonError::into_inner);
        posts.retain(|post| !Arc::ptr_eq(post, &self.0));
    }
}

thread_local! {
    static REGISTERED: RefCell<Option<Registered>> = const { RefCell::new(None) };
    /// The same, for a handler of signals.
    static POST: Cell<*const Post> = const { Cell::new(std::ptr::null()) };
    static STRETCHES: Cell<u64> = const { Cell::new(0) };
}

/// The calling thread is going to explore.
pub(super) fn register(patience: Duration) {
    let post = REGISTERED.with_borrow_mut(|registered| {
        let registered = registered.get_or_insert_with(|| {
            // SAFETY: neither call has a condition.
            let (system, number) = unsafe { (libc::pthread_self(), libc::gettid()) };
            let post = Arc::new(Post {
                system,
                number,
                stretch: AtomicU64::new(0),
                accused: AtomicU64::new(0),
                patience: AtomicU64::new(0),
            });
            let mut posts = POSTS.lock().unwrap_or_else(PoisonError::into_inner);
            posts.push(post.clone());
            Registered(post)
        });
        registered.0.clone()
    });
    let patience = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
    post.patience.store(patience, Relaxed);
    // Kept alive by the registration, which takes this back.
    POST.set(Arc::as_ptr(&post));
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let name = "threadbare-litmus watchdog".to_string();
        let watch = std::thread::Builder::new().name(name).spawn(watch);
        watch.expect("the system gives a thread");
    });
}

fn post() -> Option<&'static Post> {
    // SAFETY: the registration holds it as long as its thread may come here, and it goes to nobody else.
    unsafe { POST.get().as_ref() }
}

/// A stretch begins; what to [`end`] it with.
pub(super) fn begin() -> u64 {
    let stretch = STRETCHES.get() + 1;
    STRETCHES.set(stretch);
    post().map_or(0, |post| {
        let outer = post.stretch.load(Relaxed);
        post.stretch.store(stretch, Relaxed);
        outer
    })
}

pub(super) fn end(outer: u64) {
    if let Some(post) = post() {
        post.stretch.store(outer, Relaxed);
    }
}

/// An operation that is answered without leaving the thread.
pub(super) fn operation() {
    begin();
}

/// Whether the calling thread has been accused, and what of.
pub(super) fn accusation() -> Option<Duration> {
    let post = post()?;
    let stretch = post.stretch.load(Relaxed);
    let accused = stretch != 0 && post.accused.load(Relaxed) == stretch;
    accused.then(|| Duration::from_nanos(post.patience.load(Relaxed)))
}

/// What was seen of a post.
struct Seen {
    number: libc::pid_t,
    stretch: u64,
    /// Processor time at the first look, and at the last.
    begun: Duration,
    last: Duration,
    asleep: Duration,
    accusations: u32,
}

fn watch() {
    let mut all: Vec<Seen> = Vec::new();
    let mut looked = Instant::now();
    loop {
        std::thread::sleep(LOOK);
        // What is longer was no look: this thread did not run itself.
        let since = looked.elapsed().min(2 * LOOK);
        looked = Instant::now();
        let posts = POSTS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|seen| posts.iter().any(|post| post.number == seen.number));
        for post in posts.iter() {
            look(post, &mut all, since);
        }
    }
}

fn look(post: &Post, all: &mut Vec<Seen>, since: Duration) {
    let at = all.iter().position(|seen| seen.number == post.number);
    let stretch = post.stretch.load(Relaxed);
    let known = at.is_some_and(|at| all[at].stretch == stretch);
    if stretch == 0 || !known {
        at.map(|at| all.swap_remove(at));
        if stretch != 0 {
            let spent = spent(post);
            all.push(Seen {
                number: post.number,
                stretch,
                begun: spent,
                last: spent,
                asleep: Duration::ZERO,
                accusations: 0,
            });
        }
        return;
    }
    let Some(seen) = at.map(|at| &mut all[at]) else {
        return;
    };
    let now = spent(post);
    seen.asleep = if now == seen.last && sleeps(post) {
        seen.asleep + since
    } else {
        Duration::ZERO
    };
    seen.last = now;
    let patience = Duration::from_nanos(post.patience.load(Relaxed));
    if now.saturating_sub(seen.begun) < patience && seen.asleep < patience {
        return;
    }
    post.accused.store(stretch, Relaxed);
    // SAFETY: the thread has not ended: it would have to take its post back first, for which it
    // needs the lock that is held here.
    unsafe { libc::pthread_kill(post.system, rescue::ACCUSED) };
    seen.accusations += 1;
    if seen.accusations == IN_VAIN {
        eprintln!(
            "threadbare-litmus: an explored thread has gone for {patience:?} without an operation on an \
             explored type, and cannot be stopped inside of the library that it has called"
        );
    }
}

/// The thread's processor time.
fn spent(post: &Post) -> Duration {
    let (mut clock, mut time) = (
        0,
        libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
    );
    // SAFETY: the thread has not ended, see above; both pointers are to live values.
    unsafe {
        if libc::pthread_getcpuclockid(post.system, &raw mut clock) != 0
            || libc::clock_gettime(clock, &raw mut time) != 0
        {
            return Duration::ZERO;
        }
    }
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Whether the system has it waiting for something.
fn sleeps(post: &Post) -> bool {
    let path = format!("/proc/self/task/{}/stat", post.number);
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    // The state follows the name, which is in parentheses and may contain some.
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim_start().chars().next());
    state == Some('S')
}
