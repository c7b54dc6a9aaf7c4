//! Channels, statics and the question whether a thread has finished: each in programs whose executions
//! are known.

#[path = "support/closures.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::Mutex as StdMutex;
use std::time::Duration;
use support::{check, passes};
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::{Relaxed, Release};
use threadbare_litmus::sync::mpsc::{
    RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, channel, sync_channel,
};
use threadbare_litmus::sync::{Arc, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use threadbare_litmus::{cell::Cell, thread};

/// All that `program` returned in one of its executions.
fn outcomes<T: Ord + Send + Clone + 'static>(
    program: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let seen = std::sync::Arc::new(StdMutex::new(BTreeSet::new()));
    let into = seen.clone();
    passes(move || {
        let outcome = program();
        into.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[test]
fn messages_of_a_sender_come_in_its_order_and_those_of_two_in_any() {
    let found = outcomes(|| {
        let (one, receiver) = channel();
        let other = one.clone();
        thread::spawn(move || {
            one.send(1).unwrap();
            one.send(2).unwrap();
        });
        thread::spawn(move || other.send(3).unwrap());
        receiver.iter().collect::<Vec<u32>>()
    });
    assert_eq!(
        found,
        BTreeSet::from([vec![1, 2, 3], vec![1, 3, 2], vec![3, 1, 2]])
    );
}

#[test]
fn who_receives_sees_what_the_sender_did_before() {
    passes(|| {
        let (sender, receiver) = channel();
        let data = Arc::new(Cell::new(0));
        let theirs = data.clone();
        thread::spawn(move || {
            theirs.set(1);
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
        assert_eq!(data.get(), 1);
    });
}

/// Also when another has sent in between: the update of who comes after passes it on.
#[test]
fn what_was_sent_first_is_still_published() {
    passes(|| {
        let (one, receiver) = channel();
        let other = one.clone();
        let data = Arc::new((Cell::new(0), Cell::new(0)));
        let (a, b) = (data.clone(), data.clone());
        thread::spawn(move || {
            a.0.set(1);
            one.send(1).ok();
        });
        thread::spawn(move || {
            b.1.set(1);
            other.send(2).ok();
        });
        match receiver.recv() {
            Ok(1) => assert_eq!(data.0.get(), 1),
            _ => assert_eq!(data.1.get(), 1),
        }
    });
}

#[test]
fn senders_learn_nothing_of_each_other_and_nothing_of_the_receiver() {
    let report = check(|| {
        let (one, receiver) = channel();
        let other = one.clone();
        let data = Arc::new(Cell::new(0));
        let theirs = data.clone();
        thread::spawn(move || {
            theirs.set(1);
            one.send(1).unwrap();
        });
        other.send(2).unwrap();
        data.set(2);
        drop(other);
        assert_eq!(receiver.iter().count(), 2);
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
    let report = check(|| {
        let (sender, receiver) = sync_channel(1);
        let data = Arc::new(Cell::new(0));
        let theirs = data.clone();
        let thread = thread::spawn(move || {
            theirs.set(1);
            receiver.recv().unwrap();
            receiver
        });
        sender.send(1).unwrap();
        // There is room again: the first has been taken.
        sender.send(2).unwrap();
        data.set(2);
        thread.join().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
}

#[test]
fn a_channel_ends_with_its_last_sender_or_with_its_receiver() {
    let found = outcomes(|| {
        let (sender, receiver) = channel::<u32>();
        let other = sender.clone();
        thread::spawn(move || drop(sender));
        thread::spawn(move || drop(other));
        receiver.try_recv() == Err(TryRecvError::Disconnected)
    });
    assert_eq!(found, BTreeSet::from([false, true]));
    passes(|| {
        let (sender, receiver) = channel::<u32>();
        thread::spawn(move || drop(sender));
        assert_eq!(receiver.recv(), Err(RecvError));
    });
    let found = outcomes(|| {
        let (sender, receiver) = channel();
        thread::spawn(move || drop(receiver));
        sender.send(7).map_err(|SendError(message)| message)
    });
    assert_eq!(found, BTreeSet::from([Ok(()), Err(7)]));
}

#[test]
fn nobody_sends_is_a_deadlock() {
    let report = check(|| {
        let (sender, receiver) = channel::<u32>();
        let _ = receiver.recv();
        drop(sender);
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
    let report = check(|| {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(receiver);
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn a_channel_with_room_for_one() {
    let found = outcomes(|| {
        let (sender, receiver) = sync_channel(1);
        let thread = thread::spawn(move || [receiver.recv(), receiver.recv()]);
        sender.send(1).unwrap();
        let full = matches!(sender.try_send(2), Err(TrySendError::Full(2)));
        if full {
            sender.send(2).unwrap();
        }
        assert_eq!(thread.join().unwrap(), [Ok(1), Ok(2)]);
        full
    });
    assert_eq!(found, BTreeSet::from([false, true]));
}

#[test]
fn without_room_both_meet() {
    passes(|| {
        let (sender, receiver) = sync_channel(0);
        let data = Arc::new((Cell::new(0), Cell::new(0)));
        let theirs = data.clone();
        thread::spawn(move || {
            theirs.0.set(1);
            assert_eq!(receiver.recv(), Ok(5));
            assert_eq!(theirs.1.get(), 1);
        });
        data.1.set(1);
        sender.send(5).unwrap();
        assert_eq!(data.0.get(), 1, "the receiver has come");
    });
    let found = outcomes(|| {
        let (sender, receiver) = sync_channel(0);
        thread::spawn(move || {
            let _ = receiver.try_recv();
        });
        sender.send(5).is_ok()
    });
    assert_eq!(found, BTreeSet::from([false, true]));
    let report = check(|| {
        let (sender, _receiver) = sync_channel(0);
        let _ = sender.try_send(1);
    });
    let message = report.failure.unwrap().message;
    assert!(
        message.contains("try_send into a channel without room"),
        "{message}"
    );
}

#[test]
fn the_time_may_be_up_first() {
    let found = outcomes(|| {
        let (sender, receiver) = channel();
        thread::spawn(move || sender.send(1).ok());
        match receiver.recv_timeout(Duration::from_secs(1)) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => 0,
            Err(RecvTimeoutError::Disconnected) => unreachable!("a message comes before"),
        }
    });
    assert_eq!(found, BTreeSet::from([0, 1]));
}

#[test]
fn messages_that_nobody_takes_are_dropped() {
    passes(|| {
        let count = Arc::new(AtomicU32::new(0));
        let (sender, receiver) = channel();
        sender.send(count.clone()).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&count), 1);
        assert!(sender.send(count.clone()).is_err());
    });
}

static LIST: Mutex<Vec<u32>> = Mutex::const_new(Vec::new());
static PAIR: RwLock<(u32, u32)> = RwLock::const_new((0, 0));
static ONCE: Once = Once::const_new();
static CELL: OnceLock<u32> = OnceLock::const_new();
static LAZY: LazyLock<String> = LazyLock::const_new(|| String::from("made"));
static READY: (Mutex<bool>, Condvar) = (Mutex::const_new(false), Condvar::const_new());

#[test]
fn statics_of_every_kind_begin_anew() {
    for round in 0..2 {
        let report = passes(|| {
            let thread = thread::spawn(|| LIST.lock().unwrap().push(1));
            LIST.lock().unwrap().push(2);
            thread.join().unwrap();
            let list = LIST.lock().unwrap();
            assert!(*list == [1, 2] || *list == [2, 1], "{list:?}");
        });
        assert_eq!(report.complete, 2, "round {round}");
    }
    let workers = threadbare_litmus::Explorer::new().workers(2).share(2);
    let report = workers.check(|| {
        let threads = [1, 2, 3].map(|n| thread::spawn(move || LIST.lock().unwrap().push(n)));
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(LIST.lock().unwrap().len(), 3);
    });
    assert!(report.failure.is_none() && report.exhaustive);
    assert_eq!(report.complete, 6);
    passes(|| {
        let thread = thread::spawn(|| PAIR.write().unwrap().0 += 1);
        assert!(PAIR.read().unwrap().0 <= 1);
        thread.join().unwrap();
        assert_eq!(*PAIR.read().unwrap(), (1, 0));
    });
    let made = outcomes(|| {
        let thread = thread::spawn(|| *CELL.get_or_init(|| 1));
        let mine = *CELL.get_or_init(|| 2);
        assert_eq!(mine, thread.join().unwrap());
        mine
    });
    assert_eq!(made, BTreeSet::from([1, 2]));
    passes(|| {
        let thread = thread::spawn(|| LAZY.len());
        assert_eq!(LAZY.as_str(), "made");
        assert_eq!(thread.join().unwrap(), 4);
        let mut ran = false;
        ONCE.call_once(|| ran = true);
        assert!(ran);
    });
    passes(|| {
        thread::spawn(|| {
            *READY.0.lock().unwrap() = true;
            READY.1.notify_one();
        });
        let mut ready = READY.0.lock().unwrap();
        while !*ready {
            ready = READY.1.wait(ready).unwrap();
        }
    });
}

#[test]
fn a_lock_made_for_a_static_and_moved_is_refused() {
    let report = check(|| {
        let here = Box::new(Mutex::const_new(0));
        *here.lock().unwrap() += 1;
        let there = Box::new(*here);
        assert_eq!(*there.lock().unwrap(), 1);
    });
    let message = report.failure.expect("a fault").message;
    let said = ["statics", "not deterministic"].map(|words| message.contains(words));
    assert!(said.contains(&true), "{message}");
}

#[test]
fn whether_a_thread_has_finished() {
    let found = outcomes(|| {
        let thread = thread::spawn(|| ());
        let first = thread.is_finished();
        let then = thread.is_finished();
        thread.join().unwrap();
        (first, then)
    });
    let all = [(false, false), (false, true), (true, true)];
    assert_eq!(found, BTreeSet::from(all));
    passes(|| {
        let x = AtomicU32::new(0);
        thread::scope(|scope| {
            let thread = scope.spawn(|| x.store(1, Release));
            thread.join().unwrap();
            assert_eq!(x.load(Relaxed), 1);
            let other = scope.spawn(|| ());
            while !other.is_finished() {}
        });
    });
    // It orders nothing: only a join does.
    let report = check(|| {
        let data = Arc::new(Cell::new(0));
        let theirs = data.clone();
        let thread = thread::spawn(move || theirs.set(1));
        if thread.is_finished() {
            data.set(2);
        }
        thread.join().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
}
