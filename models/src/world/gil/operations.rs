//! Plain counts under the lock, behind the interface that all counts share, and the life
//! and end of threads.

use super::*;

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Takes the lock and keeps it.
    Take,
    /// Drops the lock before a blocking call.
    Release,
    /// Asks the main thread to run a call.
    Post,
    /// Observes that a call that waits is announced.
    Pending,
    /// The thread ends: its last release, then its state is freed.
    Leave,
    /// Begins to end the interpreter: no other thread runs after this.
    Finalize,
    /// Deletes the interpreter, if all others have left; lets them run otherwise.
    Delete,
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Gil<R, F> {
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
        Thread { n, holds: false, ended: false }
    }
    fn detach(&self, mut thread: Thread) {
        self.release(&mut thread, true);
    }
    fn init(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |_| object.header.count.write(1));
    }
    fn incref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |_| object.header.count.write(object.header.count.read() + 1));
    }
    fn decref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |thread| {
            let count = object.header.count.read() - 1;
            object.header.count.write(count);
            if count == 0 {
                destroy(self, thread, object);
            }
        });
    }
    fn try_incref(&self, thread: &mut Thread, object: &Obj<R>) -> bool {
        self.held(thread, |_| {
            let count = object.header.count.read();
            if count > 0 {
                object.header.count.write(count + 1);
            }
            count > 0
        })
    }
    fn poll(&self, thread: &mut Thread) {
        self.safe_point(thread);
    }
    fn ended(&self, thread: &Thread) -> bool {
        thread.ended
    }
    fn extra(&self, thread: &mut Thread, extra: Extra) -> Option<i64> {
        match extra {
            Extra::Take => drop(self.acquire(thread)),
            Extra::Release => self.release(thread, false),
            Extra::Leave if thread.holds => {
                self.state.lock().alive -= 1;
                self.release(thread, true);
                thread.ended = true;
                self.states[thread.n].free();
            }
            Extra::Finalize if thread.holds => {
                self.state.lock().finalizer = Some(thread.n);
                self.free.notify_all();
            }
            Extra::Delete if self.acquire(thread) => {
                let alone = self.state.lock().alive == 1;
                if alone {
                    self.interpreter.free();
                    (thread.holds, thread.ended) = (false, true);
                } else {
                    self.release(thread, false);
                }
            }
            Extra::Post => {
                *self.pending.lock() += 1;
                // After the call was queued: whoever clears the bit looks afterwards.
                self.raise(0, CALLS);
            }
            Extra::Pending => {
                let waits = *self.pending.lock() > 0;
                // Relaxed: read after the section in which the call was found.
                let told = self.breaker[0].load(Relaxed) & CALLS != 0;
                require(!waits || told, Kind::LostUpdate, || {
                    "a call waits and nobody was told".into()
                });
            }
            Extra::Leave | Extra::Finalize | Extra::Delete => {}
        }
        None
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        Some(object.header.count.read())
    }
}
