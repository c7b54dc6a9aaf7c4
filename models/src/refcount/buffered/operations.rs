//! The buffered count behind the interface that all counts share.

use super::*;

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The commit thread tries to do a round.
    Round,
    /// Logs hold so many entries from now on; before the threads start.
    Capacity(usize),
    /// The thread blocks in foreign code and logs nothing more.
    Block,
    /// Changes object `.0` in place if nobody else refers to it.
    InPlace(usize),
    /// Gives object `.0` a finalizer, which stores a reference for good or does not.
    Finalizer(usize, bool),
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Buffered<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = Thread;
    type Extra = Extra;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, n: usize) -> Thread {
        // From now on rounds wait for this thread. Release: before anything that it logs, so
        // whoever learns of that finds the thread to be waited for. Acquire: the round of now.
        // Equivalent to relaxed: see the head. A round too late is covered by the delay.
        self.joined[n].store(self.asked.load(Acquire) - 1, Release);
        Thread { n, gone: false, logs: Logs::default() }
    }
    fn detach(&self, mut thread: Thread) {
        self.leave(&mut thread, self.faults.is(Mutant::ExitDropsLog));
    }
    fn init(&self, _: &mut Thread, object: &Obj<R>) {
        object.header.count.write(1);
        // Relaxed: whoever publishes the object orders it before its readers.
        object.header.pins.store(0, Relaxed);
    }
    fn incref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.log(thread, object.index, true, false);
    }
    fn decref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.log(thread, object.index, false, false);
    }
    fn try_incref(&self, thread: &mut Thread, object: &Obj<R>) -> bool {
        let pins = &object.header.pins;
        if self.faults.is(Mutant::UpgradeByCount) {
            // The late count is all there is to look at; it says one until a round.
            if pins.load(Acquire) == DYING {
                return false;
            }
            self.log(thread, object.index, true, false);
            return true;
        }
        // Relaxed: a guess, which the exchange confirms.
        let mut old = pins.load(Relaxed);
        loop {
            if old == DYING {
                return false;
            }
            // Acquire: pairs with the end of a finalizer. Release: a claim comes after. Both
            // equivalent to relaxed here: see there, and the head.
            match pins.compare_exchange(old, old + 1, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(found) => old = found,
            }
        }
        self.log(thread, object.index, true, true);
        true
    }
    fn poll(&self, thread: &mut Thread) {
        let asked = match self.faults.is(Mutant::PollNothing) {
            // Acquire: as in `join`.
            true => self.asked.load(Acquire),
            false => self.join(thread),
        };
        // Relaxed: our own word.
        let joined = self.joined[thread.n].load(Relaxed);
        require(joined >= asked, Kind::Starvation, || {
            format!(
                "joined[{}]: round {joined} after a safe point that was asked for {asked}",
                thread.n
            )
        });
    }
    fn ended(&self, thread: &Thread) -> bool {
        thread.gone
    }
    fn extra(&self, thread: &mut Thread, extra: Extra) -> Option<i64> {
        match extra {
            Extra::Round => return Some(i64::from(self.round(thread))),
            Extra::Finalizer(n, stores) => {
                let what = if stores { STORES } else { PLAIN };
                self.objects[n].header.finalizer.write(what);
            }
            Extra::Capacity(entries) => self.capacity.write(entries),
            Extra::Block => self.leave(thread, self.faults.is(Mutant::SkipBlocked)),
            Extra::InPlace(n) => {
                let object = &self.objects[n];
                // The faithful answer is always no.
                if self.faults.is(Mutant::UniqueByCount) && object.header.count.read() == 1 {
                    object.payload.write(2);
                    return Some(1);
                }
                return Some(0);
            }
        }
        None
    }
    fn settle(&self) {
        let mut main = Thread { n: 0, gone: true, logs: Logs::default() };
        for _ in 0..3 {
            self.round(&mut main);
            // A destructor's decrements, logged by the round itself.
            self.hand_over(&mut main);
        }
        for _ in 0..2 {
            self.round(&mut main);
        }
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        Some(object.header.count.read())
    }
}
