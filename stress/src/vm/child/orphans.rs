//! What a child leaves behind: descendants that outlive it are ended with it.

use crate::vm::proc::children;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

/// Process ids of the children that run now; anything else below us is an orphan.
static LIVE: Mutex<Option<HashSet<i32>>> = Mutex::new(None);

/// Those children, to add to or to take from.
pub(super) fn live() -> MutexGuard<'static, Option<HashSet<i32>>> {
    LIVE.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Ends descendants that survived their parent and now belong to us. Processes of our own
/// group are our helpers, such as a debugger: every VM leads a group of its own.
pub(super) fn reap(live: &HashSet<i32>) -> usize {
    // SAFETY: a plain system call without arguments.
    let own_group = unsafe { libc::getpgrp() };
    let mut orphans = 0;
    // Ending one hands its children to us in turn, so look until there is none left.
    loop {
        let left = children(std::process::id())
            .into_iter()
            .map(|pid| pid as i32)
            .filter(|&pid| {
                // SAFETY: a plain system call; a process that is gone has the group -1.
                !live.contains(&pid) && unsafe { libc::getpgid(pid) } != own_group
            });
        let mut ended = 0;
        for pid in left {
            // SAFETY: plain system calls on a process that is our child by adoption.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                if libc::waitpid(pid, std::ptr::null_mut(), 0) == pid {
                    ended += 1;
                }
            }
        }
        orphans += ended;
        if ended == 0 {
            return orphans;
        }
    }
}
