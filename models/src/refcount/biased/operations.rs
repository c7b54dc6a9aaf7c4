//! The biased count behind the interface that all counts share.

use super::*;
use crate::ghost::Ghost as _;

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The object may be reached from a non-owning place from now on.
    MaybeWeak(usize),
    /// The owner gives up its bias.
    Merge(usize),
    /// A further reference while a lock keeps the object, announced in the same step.
    NewRefWithLock(usize),
    /// Puts the thread's reference into the slot; the object is announced.
    Publish(usize),
    /// Takes the reference to object `.0` out of the slot, if it is there.
    Unpublish(usize),
    /// Reads object `.0` out of the slot without a lock: an upgrade, and a second look.
    TryCompare(usize),
    /// The thread ends its life as an owner.
    Exit,
    /// The thread takes over the id of the ended thread `.0`.
    Become(usize),
    /// The collector makes the running thread the owner.
    Adopt(usize),
    /// Observes that the running thread's inbox is empty or its breaker set.
    Pending,
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Biased<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = Thread;
    type Extra = Extra;

    fn new(shape: Shape, faults: F) -> Self {
        let header = |n| Header {
            owner: R::AtomicUsize::new(0, Label::part("object", "owner", n)),
            local: R::AtomicU32::new(0, Label::part("object", "local", n)),
            shared: R::AtomicI64::new(0, Label::part("object", "shared", n)),
            bias: R::Cell::new(0, Label::part("object", "bias", n)),
        };
        let breaker = |n| R::AtomicU8::new(0, Label::nth("breaker", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            table: R::Mutex::new(Vec::new(), "table"),
            world: R::Mutex::new((), "world"),
            breaker: (0..shape.threads).map(breaker).collect(),
            slot: R::AtomicUsize::new(0, "slot"),
            rites: OnceLock::new(),
            faults,
        }
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, n: usize) -> Thread {
        self.register(n, n + 1)
    }
    fn detach(&self, mut thread: Thread) {
        self.unregister(&mut thread);
    }
    fn init(&self, thread: &mut Thread, object: &Obj<R>) {
        // Relaxed: whoever publishes the object orders these before its readers.
        object.header.owner.store(thread.id, Relaxed);
        self.set_local(&object.header, 1);
        object.header.shared.store(INITIAL, Relaxed);
    }
    #[inline]
    fn incref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.add(thread, object);
    }
    #[inline]
    fn decref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.sub(thread, object);
    }
    fn try_incref(&self, thread: &mut Thread, object: &Obj<R>) -> bool {
        self.try_add(thread, object)
    }
    fn poll(&self, thread: &mut Thread) {
        self.drain(thread);
    }
    fn needs(extra: Extra) -> Option<usize> {
        match extra {
            Extra::MaybeWeak(n)
            | Extra::Merge(n)
            | Extra::NewRefWithLock(n)
            | Extra::Publish(n) => Some(n),
            _ => None,
        }
    }
    fn takes(extra: Extra) -> Option<usize> {
        match extra {
            Extra::Publish(n) => Some(n),
            _ => None,
        }
    }
    fn gives(extra: Extra) -> Option<usize> {
        match extra {
            Extra::NewRefWithLock(n) | Extra::Unpublish(n) | Extra::TryCompare(n) => Some(n),
            _ => None,
        }
    }
    fn extra(&self, thread: &mut Thread, extra: Extra) -> Option<i64> {
        match extra {
            Extra::MaybeWeak(n) => self.set_maybe_weak(&self.objects[n]),
            Extra::Merge(n) => {
                let object = &self.objects[n];
                // Relaxed: as in `add`.
                if object.header.owner.load(Relaxed) != thread.id {
                    return SKIPPED;
                }
                self.merge(object, 0);
            }
            Extra::NewRefWithLock(n) => {
                self.new_ref_with_lock(thread, &self.objects[n]);
                self.objects[n].ghost.gain();
                return Some(1);
            }
            Extra::Publish(n) => {
                self.set_maybe_weak(&self.objects[n]);
                // Release: the object and its flag before its address.
                self.slot.store(n + 1, Release);
            }
            Extra::Unpublish(n) => {
                // Acquire: pairs with the publication; the reference is the caller's now.
                let taken = self.slot.compare_exchange(n + 1, 0, Acquire, Relaxed).is_ok();
                return Some(i64::from(taken));
            }
            Extra::TryCompare(n) => return Some(i64::from(self.try_compare(thread, n))),
            Extra::Exit => self.unregister(thread),
            Extra::Adopt(n) => self.adopt(thread, &self.objects[n]),
            Extra::Become(n) => {
                let slot = thread.slot;
                self.unregister(thread);
                *thread = self.register(slot, n + 1);
            }
            Extra::Pending => {
                let table = self.table.lock();
                let waits = table.iter().any(|e| e.slot == thread.slot && !e.inbox.is_empty());
                // Relaxed: the table's section orders it after the store by whoever queued.
                let told = self.breaker[thread.slot].load(Relaxed) != 0;
                require(!waits || told, Kind::Starvation, || {
                    "an entry waits and its owner was not told".into()
                });
            }
        }
        None
    }
    fn last_rites(&self) -> Option<&LastRites<R, Self>> {
        self.rites.get()
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        // Relaxed: all threads have ended and were joined.
        let shared = object.header.shared.load(Relaxed);
        Some(i64::from(object.header.local.load(Relaxed)) + (shared >> 2))
    }
}
