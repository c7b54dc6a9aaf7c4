//! Mutexes and read-write locks.

use super::time::deadline;
use crate::abi::entry;
use crate::control::{NEVER, Thread, Why, block, control, holder, point};
use crate::real::real;
use libc::{c_int, clockid_t, pthread_mutex_t, pthread_rwlock_t, timespec};
use threadbare_control::block::Kind;

/// Under control and not inside a call of our own.
fn controlled() -> Option<*mut Thread> {
    let me = holder();
    // SAFETY: the caller's own entry.
    (!me.is_null() && unsafe { (*me).off == 0 }).then_some(me)
}

/// Tries until it succeeds or `until` has come.
unsafe fn acquire(
    me: *mut Thread,
    why: Why,
    object: usize,
    until: u64,
    pc: usize,
    mut attempt: impl FnMut() -> c_int,
) -> c_int {
    // SAFETY: the caller is the holder.
    unsafe {
        point(me, Kind::Lock, object, true, pc);
        loop {
            let result = attempt();
            if result != libc::EBUSY {
                return result;
            }
            if block(me, why, object, until) {
                return libc::ETIMEDOUT;
            }
        }
    }
}

/// glibc's `struct __pthread_mutex_s` on x86-64: lock, count, owner, users, kind.
unsafe fn deadlocks_at_once(mutex: *const pthread_mutex_t, me: *mut Thread) -> bool {
    let words = mutex.cast::<i32>();
    // SAFETY: a mutex has at least five words.
    unsafe { *words.add(4) & 3 == libc::PTHREAD_MUTEX_ERRORCHECK && *words.add(2) == (*me).kernel }
}

/// Locks under control: also the way back from a condition.
pub unsafe fn lock_mutex(
    me: *mut Thread,
    mutex: *mut pthread_mutex_t,
    until: u64,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of pthread_mutex_lock.
    unsafe {
        if deadlocks_at_once(mutex, me) {
            return libc::EDEADLK;
        }
        acquire(
            me,
            Why::Mutex,
            mutex as usize,
            until,
            pc,
            || real!(pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int),
        )
    }
}

/// Unlocks without a point.
pub unsafe fn unlock_mutex(mutex: *mut pthread_mutex_t) -> c_int {
    // SAFETY: the contract of pthread_mutex_unlock.
    unsafe {
        let result = real!(pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int);
        control().wake_all(mutex as usize);
        result
    }
}

unsafe extern "C" fn mutex_lock(mutex: *mut pthread_mutex_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        match controlled() {
            Some(me) => lock_mutex(me, mutex, NEVER, pc),
            None => real!(pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int),
        }
    }
}

unsafe extern "C" fn mutex_trylock(mutex: *mut pthread_mutex_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        if let Some(me) = controlled() {
            point(me, Kind::Lock, mutex as usize, true, pc);
        }
        real!(pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int)
    }
}

unsafe extern "C" fn mutex_timedlock(
    mutex: *mut pthread_mutex_t,
    time: *const timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        match controlled() {
            Some(me) => lock_mutex(me, mutex, deadline(libc::CLOCK_REALTIME, time), pc),
            None => {
                real!(pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, time: *const timespec) -> c_int)
            }
        }
    }
}

unsafe extern "C" fn mutex_clocklock(
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    time: *const timespec,
    pc: usize,
) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        match controlled() {
            Some(me) => lock_mutex(me, mutex, deadline(clock, time), pc),
            None => real!(pthread_mutex_clocklock(
                mutex: *mut pthread_mutex_t, clock: clockid_t, time: *const timespec) -> c_int),
        }
    }
}

unsafe extern "C" fn mutex_unlock(mutex: *mut pthread_mutex_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        match controlled() {
            Some(me) => {
                point(me, Kind::Unlock, mutex as usize, true, pc);
                unlock_mutex(mutex)
            }
            None => real!(pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int),
        }
    }
}

macro_rules! read_write {
    ($($plain:ident, $timed:ident, $clocked:ident, $trying:ident:
       $real:ident, $real_timed:ident, $real_clocked:ident, $try:ident;)*) => {$(
        unsafe extern "C" fn $plain(lock: *mut pthread_rwlock_t, pc: usize) -> c_int {
            // SAFETY: the contract of the name.
            unsafe {
                match controlled() {
                    Some(me) => acquire(me, Why::ReadWriteLock, lock as usize, NEVER, pc, || {
                        real!($try(lock: *mut pthread_rwlock_t) -> c_int)
                    }),
                    None => real!($real(lock: *mut pthread_rwlock_t) -> c_int),
                }
            }
        }

        unsafe extern "C" fn $timed(lock: *mut pthread_rwlock_t, time: *const timespec, pc: usize) -> c_int {
            // SAFETY: the contract of the name.
            unsafe {
                match controlled() {
                    Some(me) => {
                        let until = deadline(libc::CLOCK_REALTIME, time);
                        acquire(me, Why::ReadWriteLock, lock as usize, until, pc, || {
                            real!($try(lock: *mut pthread_rwlock_t) -> c_int)
                        })
                    }
                    None => real!($real_timed(lock: *mut pthread_rwlock_t, time: *const timespec) -> c_int),
                }
            }
        }

        unsafe extern "C" fn $clocked(
            lock: *mut pthread_rwlock_t,
            clock: clockid_t,
            time: *const timespec,
            pc: usize,
        ) -> c_int {
            // SAFETY: the contract of the name.
            unsafe {
                match controlled() {
                    Some(me) => acquire(me, Why::ReadWriteLock, lock as usize, deadline(clock, time), pc, || {
                        real!($try(lock: *mut pthread_rwlock_t) -> c_int)
                    }),
                    None => real!($real_clocked(
                        lock: *mut pthread_rwlock_t, clock: clockid_t, time: *const timespec) -> c_int),
                }
            }
        }

        unsafe extern "C" fn $trying(lock: *mut pthread_rwlock_t, pc: usize) -> c_int {
            // SAFETY: the contract of the name.
            unsafe {
                if let Some(me) = controlled() {
                    point(me, Kind::Lock, lock as usize, true, pc);
                }
                real!($try(lock: *mut pthread_rwlock_t) -> c_int)
            }
        }
    )*};
}

read_write! {
    read, read_timed, read_clocked, try_read:
        pthread_rwlock_rdlock, pthread_rwlock_timedrdlock, pthread_rwlock_clockrdlock, pthread_rwlock_tryrdlock;
    write, write_timed, write_clocked, try_write:
        pthread_rwlock_wrlock, pthread_rwlock_timedwrlock, pthread_rwlock_clockwrlock, pthread_rwlock_trywrlock;
}

unsafe extern "C" fn read_write_unlock(lock: *mut pthread_rwlock_t, pc: usize) -> c_int {
    // SAFETY: the contract of the name.
    unsafe {
        let me = controlled();
        if let Some(me) = me {
            point(me, Kind::Unlock, lock as usize, true, pc);
        }
        let result = real!(pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int);
        if me.is_some() {
            control().wake_all(lock as usize);
        }
        result
    }
}

entry! {
    pthread_mutex_lock: "rsi" => mutex_lock;
    pthread_mutex_trylock: "rsi" => mutex_trylock;
    pthread_mutex_timedlock: "rdx" => mutex_timedlock;
    pthread_mutex_clocklock: "rcx" => mutex_clocklock;
    pthread_mutex_unlock: "rsi" => mutex_unlock;
    pthread_rwlock_rdlock: "rsi" => read;
    pthread_rwlock_timedrdlock: "rdx" => read_timed;
    pthread_rwlock_clockrdlock: "rcx" => read_clocked;
    pthread_rwlock_tryrdlock: "rsi" => try_read;
    pthread_rwlock_wrlock: "rsi" => write;
    pthread_rwlock_timedwrlock: "rdx" => write_timed;
    pthread_rwlock_clockwrlock: "rcx" => write_clocked;
    pthread_rwlock_trywrlock: "rsi" => try_write;
    pthread_rwlock_unlock: "rsi" => read_write_unlock;
}
