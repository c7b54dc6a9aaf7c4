//! Threads, objects and weak references: the operations of the scenarios.

use super::*;

/// Threads, objects, weak references.
pub struct Weak<R: Runtime, C: Mortal<R>> {
    shop: Workshop<R, C>,
    table: Arc<Table<R>>,
}

/// Weak references on atomic counts, on real threads.
pub type WeakAtomicWorld = Weak<crate::runtime::Watched, OnAtomic<crate::runtime::Watched>>;
/// Weak references on biased counts, on real threads.
pub type WeakBiasedWorld = Weak<crate::runtime::Watched, OnBiased<crate::runtime::Watched>>;

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// An operation on counts.
    Do(Plain),
    /// Makes weak reference `.0` of object `.1`.
    Link(usize, usize, Callback),
    /// Gives object `.0` a finalizer.
    Finalizer(usize, Finalizer),
    /// Upgrades weak reference `.0`.
    Upgrade(usize),
    /// Upgrades weak reference `.0` while somebody surely holds the object.
    MustUpgrade(usize),
    /// Deallocates weak reference `.0`.
    Unlink(usize),
    /// Marks object `.0` as seen by other threads, a bit beside `FINALIZED`.
    Share(usize),
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Do(op) => write!(f, "{op:?}"),
            Self::Link(w, o, Callback::None) => write!(f, "w{w} = ref(o{o})"),
            Self::Link(w, o, callback) => write!(f, "w{w} = ref(o{o}, {callback:?})"),
            Self::Finalizer(o, what) => write!(f, "o{o}.__del__ = {what:?}"),
            Self::Upgrade(w) => write!(f, "upgrade w{w}"),
            Self::MustUpgrade(w) => write!(f, "upgrade w{w} of a held object"),
            Self::Unlink(w) => write!(f, "drop w{w}"),
            Self::Share(o) => write!(f, "share o{o}"),
        }
    }
}

impl<R: Runtime, C> World for Weak<R, C>
where
    C: Mortal<R> + Count<R, Faults = Switch<<C as Count<R>>::Mutant>>,
    C::Mutant: Copy + Send + Sync + 'static,
{
    type Op = Op;
    type Mutant = Mutant;
    type Local = Worker<R, C>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let shop: Workshop<R, C> = Workshop::new(shape, Switch(None));
        let weak = |n| WeakRef {
            target: R::AtomicUsize::new(0, Label::part("weakref", "target", n)),
            links: R::Cell::new(0, Label::part("weakref", "links", n)),
            callback: std::sync::Mutex::new(Callback::None),
            ghost: R::Ghost::blank(Label::nth("weakref", n)),
        };
        let table = Arc::new(Table {
            stripe: R::Mutex::new(Vec::new(), "stripe"),
            refs: (0..2).map(weak).collect(),
            bits: (0..shape.objects)
                .map(|n| R::AtomicU8::new(0, Label::nth("gc_bits", n)))
                .collect(),
            finalizers: std::sync::Mutex::new(vec![None; shape.objects]),
            mailbox: shop.mailbox(),
            faults,
        });
        let rites = table.clone();
        shop.count
            .set_rites(Box::new(move |count, thread, object| rites.dealloc(count, thread, object)));
        Self { shop, table }
    }

    fn enter(&self, n: usize) -> Worker<R, C> {
        self.shop.enter(n)
    }

    fn step(&self, worker: &mut Worker<R, C>, op: Op) -> Option<i64> {
        let count = &self.shop.count;
        let table = &self.table;
        match op {
            Op::Do(op) => return self.shop.step(worker, op.lift(|never: Nothing| match never {})),
            Op::Link(w, n, callback) => {
                if !table.faults.is(Mutant::NoMaybeFlag) {
                    count.announce(&count.objects()[n]);
                }
                table.refs[w].ghost.reuse(0);
                *table.refs[w].callback.lock().unwrap() = callback;
                let mut stripe = table.stripe.lock();
                stripe.insert(0, w);
                table.refs[w].links.write(1);
                // Release: the object before its address, for the load outside the lock;
                // equivalent to relaxed, as that load says.
                table.refs[w].target.store(n + 1, Release);
            }
            Op::Finalizer(n, what) => table.finalizers.lock().unwrap()[n] = Some(what),
            Op::Upgrade(w) | Op::MustUpgrade(w) => {
                let got = table.upgrade(count, worker.thread(), w);
                if let Some(n) = got {
                    worker.receive(n);
                }
                let must = matches!(op, Op::MustUpgrade(_));
                require(got.is_some() || !must, Kind::Invariant, || {
                    format!("weakref[{w}] gives nothing although its object is held")
                });
                return Some(i64::from(got.is_some()));
            }
            Op::Unlink(w) => {
                let weak = &table.refs[w];
                if table.faults.is(Mutant::UnlinkSkipsLock) && weak.target.load(Acquire) == 0 {
                    weak.links.write(0);
                    weak.ghost.free();
                    return None;
                }
                let mut stripe = table.stripe.lock();
                stripe.retain(|other| *other != w);
                // Relaxed: under the lock.
                weak.target.store(0, Relaxed);
                weak.links.write(0);
                drop(stripe);
                weak.ghost.free();
            }
            Op::Share(n) => table.set_bit(n, SHARED),
        }
        None
    }

    fn exit(&self, worker: Worker<R, C>) {
        self.shop.exit(worker);
    }

    fn finish(&self) {
        self.shop.finish();
        let living = self.table.refs.iter().enumerate().filter(|(_, weak)| !weak.ghost.is_dead());
        for (w, weak) in living {
            // Relaxed: all threads have ended and were joined.
            let target = weak.target.load(Relaxed);
            let dangles = target != 0 && self.shop.count.objects()[target - 1].ghost.is_dead();
            require(!dangles, Kind::UpgradedDead, || {
                format!("weakref[{w}] is linked to freed memory")
            });
        }
    }
}
