//! Random closures with what a program of fixed threads cannot say: threads started on a
//! condition, content in locks, pointers with marks, the number of the running thread.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc as StdArc;
use std::sync::Mutex as StdMutex;
use threadbare_litmus::explore::Execution;
use threadbare_litmus::observe::{Observer, note, thread_index};
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicPtr, AtomicU32};
use threadbare_litmus::sync::{Arc, Condvar, Mutex, RwLock};
use threadbare_litmus::thread;

/// One thing that a thread does.
#[derive(Clone, Debug)]
pub enum Do {
    Load,
    Store(u32),
    Add,
    Weak(u32),
    /// Ends the thread unless the latest answer is even.
    ReturnIfOdd,
    /// Starts the thread's next child, if it has one left; only when the latest answer is even.
    Start {
        always: bool,
    },
    /// As many of the next child as the number says, declared alike.
    StartAlike,
    /// Two of the next child, declared alike, or, if the latest answer is odd, the next two, which differ.
    StartEither,
    /// Marks the shared pointer unless it is marked.
    Mark,
    /// Publishes one of two nodes that all threads know.
    Publish(bool),
    /// Publishes a node of one's own.
    PublishOwn,
    Follow,
    Locked(u32),
    Read,
    Write(u32),
    /// Stores which thread one is.
    StoreMe,
    /// Waits on the condition variable, once and unless notified before.
    Wait,
    Notify,
    /// A value whose destructor is an operation lives from here to the end of the thread.
    Guard,
    FailIf(u32),
}

/// A thread and those that it starts.
#[derive(Clone, Debug)]
pub struct Tree {
    pub code: Vec<Do>,
    pub children: Vec<Tree>,
}

struct Shared {
    x: AtomicU32,
    pointer: AtomicPtr<u64>,
    nodes: [usize; 2],
    mutex: Mutex<u32>,
    rw: RwLock<u32>,
    condvar: Condvar,
    ready: Mutex<bool>,
}

/// What a thread says at its end: the way to it from main, and its answers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Said {
    path: Vec<usize>,
    answers: Vec<u32>,
}

struct Added<'a>(&'a Shared);

impl Drop for Added<'_> {
    fn drop(&mut self) {
        self.0.x.fetch_add(2, Relaxed);
    }
}

fn run(tree: &StdArc<Tree>, at: &[usize], shared: &Arc<Shared>) {
    let mut here: &Tree = tree;
    for &child in at {
        here = &here.children[child.min(here.children.len() - 1)];
    }
    let (mut last, mut answers, mut started) = (0, Vec::new(), 0);
    let mut guards = Vec::new();
    let child = |n: usize| {
        let (tree, shared, mut at) = (tree.clone(), shared.clone(), at.to_vec());
        at.push(n);
        move || run(&tree, &at, &shared)
    };
    for what in &here.code {
        let number = |pointer: *mut u64| {
            let place = pointer.addr() & !1;
            let known = shared.nodes.iter().position(|&node| node == place);
            let which = known.map_or(2 + u32::from(place != 0), |n| n as u32);
            2 * which + (pointer.addr() & 1) as u32
        };
        match what {
            Do::Load => last = shared.x.load(Acquire),
            Do::Store(value) => shared.x.store(*value, Release),
            Do::Add => last = shared.x.fetch_add(1, AcqRel),
            Do::Weak(expected) => {
                let result = shared
                    .x
                    .compare_exchange_weak(*expected, 7, AcqRel, Relaxed);
                last = result.unwrap_or_else(|found| found);
            }
            Do::ReturnIfOdd if last % 2 == 1 => break,
            Do::ReturnIfOdd => {}
            Do::Start { always } => {
                if started < here.children.len() && (*always || last % 2 == 0) {
                    drop(thread::spawn(child(started)));
                    started += 1;
                }
            }
            Do::StartAlike => {
                if started < here.children.len() && last % 2 == 0 {
                    let n = started;
                    drop(thread::spawn_alike(2, child(n)));
                    started += 1;
                }
            }
            Do::StartEither => {
                if started + 1 < here.children.len() {
                    if last % 2 == 0 {
                        let n = started;
                        drop(thread::spawn_alike(2, child(n)));
                    } else {
                        drop(thread::spawn(child(started)));
                        drop(thread::spawn(child(started + 1)));
                    }
                    started += 2;
                }
            }
            Do::Mark => {
                let found = shared.pointer.load(Acquire);
                if found.addr() & 1 == 0 {
                    let marked = found.map_addr(|address| address | 1);
                    let result = shared
                        .pointer
                        .compare_exchange(found, marked, AcqRel, Acquire);
                    last = number(result.unwrap_or_else(|found| found));
                } else {
                    last = number(found);
                }
            }
            Do::Publish(which) => {
                let node = shared.nodes[usize::from(*which)];
                let node = std::ptr::with_exposed_provenance_mut(node);
                last = number(shared.pointer.swap(node, AcqRel));
            }
            Do::PublishOwn => {
                let own = Box::into_raw(Box::new(0));
                last = number(shared.pointer.swap(own, AcqRel));
            }
            Do::Follow => last = number(shared.pointer.load(Acquire)),
            Do::Locked(value) => {
                let mut content = shared.mutex.lock().unwrap();
                last = *content;
                *content = *value;
            }
            Do::Read => last = *shared.rw.read().unwrap(),
            Do::Write(value) => *shared.rw.write().unwrap() += value,
            Do::StoreMe => shared.x.store(thread_index() as u32, Relaxed),
            Do::Wait => {
                let ready = shared.ready.lock().unwrap();
                if !*ready {
                    drop(shared.condvar.wait(ready).unwrap());
                }
            }
            Do::Notify => {
                *shared.ready.lock().unwrap() = true;
                shared.condvar.notify_one();
            }
            Do::Guard => guards.push(Added(shared)),
            Do::FailIf(value) => assert_ne!(last, *value, "it was read"),
        }
        answers.push(last);
    }
    drop(guards);
    let path = at.to_vec();
    note(Said { path, answers });
}

pub fn closure(tree: &Tree) -> impl Fn() + Send + Sync + 'static {
    let tree = StdArc::new(tree.clone());
    move || {
        let node = || Box::into_raw(Box::new(0u64)).expose_provenance();
        let nodes = [node(), node()];
        let first = std::ptr::with_exposed_provenance_mut(nodes[0]);
        let shared = Arc::new(Shared {
            x: AtomicU32::named(0, "x"),
            pointer: AtomicPtr::named(first, "pointer"),
            nodes,
            mutex: Mutex::named(0, "mutex"),
            rw: RwLock::named(0, "rw"),
            condvar: Condvar::named("condvar"),
            ready: Mutex::named(false, "ready"),
        });
        run(&tree, &[], &shared);
    }
}

/// Collects what the threads of complete executions say.
#[derive(Clone, Default)]
pub struct Outcomes(pub StdArc<StdMutex<BTreeMap<Vec<Said>, u32>>>);

impl Observer for Outcomes {
    fn begin_again(&self) {
        self.0.lock().unwrap().clear();
    }

    fn judge(&self, execution: &Execution<'_>) -> Result<(), String> {
        if execution.is_complete() {
            let notes = execution.notes::<Said>();
            let mut said: Vec<Said> = notes.iter().map(|n| n.what.clone()).collect();
            said.sort();
            *self.0.lock().unwrap().entry(said).or_insert(0) += 1;
        }
        Ok(())
    }
}

fn thing(faults: bool) -> impl Strategy<Value = Do> {
    let only = move |what: Do| if faults { what } else { Do::Load };
    prop_oneof![
        3 => Just(Do::Load),
        2 => (1..4u32).prop_map(Do::Store),
        2 => Just(Do::Add),
        1 => (0..3u32).prop_map(Do::Weak),
        1 => Just(Do::ReturnIfOdd),
        6 => any::<bool>().prop_map(|always| Do::Start { always }),
        1 => Just(Do::StartAlike),
        2 => Just(Do::StartEither),
        1 => Just(Do::Mark),
        1 => any::<bool>().prop_map(Do::Publish),
        1 => Just(Do::PublishOwn),
        1 => Just(Do::Follow),
        1 => (1..3u32).prop_map(Do::Locked),
        1 => Just(Do::Read),
        1 => (1..3u32).prop_map(Do::Write),
        1 => Just(Do::StoreMe),
        1 => Just(Do::Notify),
        1 => Just(Do::Guard),
        1 => Just(only(Do::Wait)),
        2 => (0..4u32).prop_map(move |value| only(Do::FailIf(value))),
    ]
}

pub fn tree(faults: bool) -> impl Strategy<Value = Tree> {
    let code = move |n: usize| prop::collection::vec(thing(faults), 1..=n);
    let leaf = code(2).prop_map(|code| Tree {
        code,
        children: Vec::new(),
    });
    let inner = (code(3), prop::collection::vec(leaf, 0..=1))
        .prop_map(|(code, children)| Tree { code, children });
    let all = (code(4), prop::collection::vec(inner, 1..=2)).prop_map(|(code, children)| {
        let starts = children.iter().map(|_| Do::Start { always: true });
        let code = starts.chain(code).collect();
        Tree { code, children }
    });
    // Which of its children a thread starts depends on what the first of them did.
    let leaf = code(2).prop_map(|code| Tree {
        code,
        children: Vec::new(),
    });
    let some =
        (code(1), code(2), prop::collection::vec(leaf, 3)).prop_map(|(between, rest, children)| {
            let mut code = vec![Do::Start { always: true }];
            code.extend(between);
            code.extend([Do::Load, Do::StartEither]);
            code.extend(rest);
            Tree { code, children }
        });
    prop_oneof![4 => all, 1 => some]
}
