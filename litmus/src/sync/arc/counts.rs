//! The counts of an `Arc`: of real handles, which keep its memory, and, where they matter,
//! in explored locations, with the operations and orders of `std`.

use super::super::content::Content;
use super::ALONE;
use crate::explore::program::MemoryOrder::{self, *};
use crate::explore::program::{Guard, Location, Op, Update, Value, Wait};
use crate::session::{self, CodePlace, Fact, Handled};
use std::panic::Location as Caller;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The weak count while somebody finds out whether it has the only handle.
const LOCKED: Value = usize::MAX as Value;

pub(super) struct Counts {
    /// Where it was made.
    pub place: CodePlace,
    kind: Kind,
    /// Strong handles that there really are in this run. Atomic, as is `handles`, for what is
    /// made outside explorations and shared by their workers.
    strong: AtomicUsize,
    /// Handles of either kind, which keep the memory.
    handles: AtomicUsize,
}

enum Kind {
    /// Made by no explored thread: nothing may depend on its counts.
    Outside,
    Quiet(Handled),
    Counted(Counted),
}

struct Counted {
    strong: u32,
    /// Present where weak handles are made: one for all strong handles, and the weak ones.
    weak: Option<u32>,
    /// Present where the content is changed.
    content: Option<Content>,
}

impl Counts {
    /// With one strong handle, for what is made at `caller`.
    pub fn new(caller: &'static Caller<'static>) -> NonNull<Self> {
        Self::at(session::place(caller), caller)
    }

    /// As [`Self::new`], for what stands for something made at `place`.
    pub fn at(place: CodePlace, caller: &'static Caller<'static>) -> NonNull<Self> {
        Self::make(place, 1, caller)
    }

    /// With a weak handle only, to which strong ones come by [`Self::is_born`].
    pub fn unborn(caller: &'static Caller<'static>) -> NonNull<Self> {
        let place = session::place(caller);
        if session::is_inside() {
            let learnt = [Fact::Counted(place), Fact::Weak(place)].map(session::learn);
            if learnt.contains(&true) {
                session::stop(caller);
            }
        }
        Self::make(place, 0, caller)
    }

    fn make(place: CodePlace, strong: usize, caller: &'static Caller<'static>) -> NonNull<Self> {
        let kind = match session::is_inside() {
            false => Kind::Outside,
            true if !session::knows(Fact::Counted(place)) => Kind::Quiet(session::open(place)),
            true => {
                let (file, line, _) = place;
                let name = format!("Arc of {}:{line}", short(file));
                let word = |name: &str, first| session::create(Some(name), first, 64);
                Kind::Counted(Counted {
                    strong: session::allocate(Some(&name), strong as Value, 64, caller),
                    weak: session::knows(Fact::Weak(place))
                        .then(|| word(&format!("{name}, weak"), 1)),
                    content: session::knows(Fact::Changed(place)).then(|| Content::unread(&name)),
                })
            }
        };
        let counts = Self {
            place,
            kind,
            strong: AtomicUsize::new(1),
            handles: AtomicUsize::new(1),
        };
        NonNull::from(Box::leak(Box::new(counts)))
    }

    /// The first strong handle comes.
    #[track_caller]
    pub fn is_born(&self) {
        if let Kind::Counted(counted) = &self.kind {
            apply(counted.strong, Update::Add(1), Release, Caller::caller());
        }
    }

    pub fn is_counted(&self) -> bool {
        matches!(self.kind, Kind::Counted(_))
    }

    /// Something depends on what `fact` says: if that is new, the run ends here.
    pub fn need(&self, fact: fn(CodePlace) -> Fact, caller: &'static Caller<'static>) {
        match self.kind {
            Kind::Outside => refuse_outside(self.place, caller),
            _ if session::learn(fact(self.place)) => session::stop(caller),
            _ => {}
        }
    }

    fn counted(&self) -> &Counted {
        match &self.kind {
            Kind::Counted(counted) => counted,
            _ => unreachable!("only after `need`"),
        }
    }

    /// A strong handle more, made from another.
    pub fn add_strong(&self, caller: &'static Caller<'static>) {
        // Relaxed, as all of these: whoever adds has a handle; see `handle_is_gone`.
        self.strong.fetch_add(1, Ordering::Relaxed);
        self.handles.fetch_add(1, Ordering::Relaxed);
        match &self.kind {
            Kind::Outside => {}
            Kind::Quiet(handled) => session::count(*handled, 1),
            // Relaxed: the handle that it is made from keeps the content alive.
            Kind::Counted(counted) => apply(counted.strong, Update::Add(1), Relaxed, caller),
        }
    }

    /// A strong handle less; whether it was the last. Then the content is this thread's.
    pub fn drop_strong(&self, caller: &'static Caller<'static>) -> bool {
        // Release: what this thread did with the content comes before its destruction.
        let old = update(self.counted().strong, Update::Sub(1), Release, caller);
        if old == 1 {
            // Acquire: so does what all others did.
            self.fence(Acquire, caller);
        }
        old == 1
    }

    pub fn fence(&self, order: MemoryOrder, caller: &'static Caller<'static>) {
        session::perform(Op::Fence(order), caller);
    }

    /// Whether the strong count was `from` and is `to` now.
    pub fn exchange_strong(
        &self,
        from: Value,
        to: Value,
        success: MemoryOrder,
        failure: MemoryOrder,
        caller: &'static Caller<'static>,
    ) -> bool {
        let op = Op::CompareExchange {
            location: Location(self.counted().strong),
            expected: from,
            new: to,
            success,
            failure,
        };
        session::perform(op, caller) == from
    }

    pub fn load_strong(&self, order: MemoryOrder, caller: &'static Caller<'static>) -> usize {
        load(self.counted().strong, order, caller) as usize
    }

    pub fn store_strong(&self, value: Value, order: MemoryOrder, caller: &'static Caller<'static>) {
        store(self.counted().strong, value, order, caller);
    }

    /// The count of weak handles and of the one that all strong ones share.
    pub fn load_weak_of_all(&self, order: MemoryOrder, caller: &'static Caller<'static>) -> Value {
        self.counted()
            .weak
            .map_or(1, |weak| load(weak, order, caller))
    }

    /// The number of weak handles.
    pub fn load_weak(&self, order: MemoryOrder, caller: &'static Caller<'static>) -> usize {
        match self.load_weak_of_all(order, caller) {
            LOCKED => 0,
            count => count as usize - 1,
        }
    }

    /// Whether there is but one handle.
    pub fn is_unique(&self, caller: &'static Caller<'static>) -> bool {
        let counted = self.counted();
        let Some(weak) = counted.weak else {
            // Acquire: what was done with handles that are gone comes before.
            return load(counted.strong, Acquire, caller) == 1;
        };
        // Locks the weak count, so that nobody makes a weak handle meanwhile. Acquire: with
        // the release of those that dropped theirs, which may have been upgraded before.
        let op = Op::UpdateIf {
            location: Location(weak),
            guard: ALONE,
            update: Update::Swap(LOCKED),
            success: Acquire,
            failure: Relaxed,
        };
        if session::perform(op, caller) != 1 {
            return false;
        }
        let unique = load(counted.strong, Acquire, caller) == 1;
        // Release: with the acquire of who makes a weak handle.
        store(weak, 1, Release, caller);
        unique
    }

    /// A weak handle more, made from a strong one.
    pub fn add_weak_unless_locked(&self, caller: &'static Caller<'static>) {
        self.handle_is_kept();
        if let Some(weak) = self.counted().weak {
            let guard = Guard::is_not(LOCKED);
            let op = Op::AwaitUpdate {
                location: Location(weak),
                guard,
                update: Update::Add(1),
                // Acquire: with the release in `is_unique`.
                order: Acquire,
            };
            session::wait(op, |found| guard.holds(found), Wait::Await, caller);
        }
    }

    /// A weak handle more, made from a weak one.
    pub fn add_weak(&self, caller: &'static Caller<'static>) {
        self.handle_is_kept();
        if let Some(weak) = self.counted().weak {
            apply(weak, Update::Add(1), Relaxed, caller);
        }
    }

    /// A weak handle less, or the one that all strong handles share; the last of them frees
    /// the memory.
    pub fn drop_weak_of_all(&self, caller: &'static Caller<'static>) {
        let counted = self.counted();
        if let Some(weak) = counted.weak {
            if update(weak, Update::Sub(1), Release, caller) != 1 {
                return;
            }
            self.fence(Acquire, caller);
        }
        session::free(counted.strong, caller);
    }

    /// A strong handle from a weak one, if the content is still there.
    pub fn upgrade(&self, caller: &'static Caller<'static>) -> bool {
        let op = Op::UpdateIf {
            location: Location(self.counted().strong),
            guard: Guard::is_not(0),
            update: Update::Add(1),
            // Acquire: with the release in `is_born`.
            success: Acquire,
            failure: Relaxed,
        };
        let upgraded = session::perform(op, caller) != 0;
        if upgraded {
            self.strong.fetch_add(1, Ordering::Relaxed);
            self.handles.fetch_add(1, Ordering::Relaxed);
        }
        upgraded
    }

    /// The content is about to be looked at.
    pub fn look(&self, caller: &'static Caller<'static>) {
        if let Kind::Counted(counted) = &self.kind
            && let Some(content) = &counted.content
        {
            content.look(caller);
        }
    }

    /// `&mut` to the content is given away.
    pub fn lend(&self, caller: &'static Caller<'static>) {
        if let Some(content) = &self.counted().content {
            content.lend(caller);
        }
    }

    /// The memory is to stay for a handle of neither kind.
    pub fn handle_is_kept(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A strong handle is gone; whether it was the last in this run.
    pub fn handle_is_gone(&self) -> bool {
        if let Kind::Quiet(handled) = self.kind {
            session::count(handled, -1);
        }
        // AcqRel: whoever drops the content comes after all others, on whichever OS thread.
        self.strong.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Drops the content of what has no counts.
    pub fn silently(&self, content: impl FnOnce()) {
        match self.kind {
            Kind::Quiet(_) => session::silently(self.place, content),
            _ => content(),
        }
    }
}

/// A handle of either kind is gone; with the last, so is the memory.
///
/// # Safety
/// The handle had these parts and is not used any more.
pub(super) unsafe fn release<T: ?Sized>(counts: NonNull<Counts>, content: NonNull<T>) {
    // SAFETY: there until here.
    let last = unsafe { counts.as_ref() }
        .handles
        .fetch_sub(1, Ordering::AcqRel)
        == 1;
    if last {
        // SAFETY: both are from `keep` and `make`, and nobody points to them any more.
        unsafe {
            drop(std::sync::Weak::from_raw(content.as_ptr()));
            drop(Box::from_raw(counts.as_ptr()));
        }
    }
}

fn refuse_outside((file, line, _): CodePlace, caller: &'static Caller<'static>) {
    let why = format!(
        "the Arc made at {file}:{line} is older than the exploration, and shared by its \
         executions: nothing in one of them may depend on its counts"
    );
    match session::is_inside() {
        true => session::refuse(&why, caller),
        false => panic!("{why}"),
    }
}

/// The last part of a path.
fn short(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn load(location: u32, order: MemoryOrder, caller: &'static Caller<'static>) -> Value {
    let location = Location(location);
    session::perform(Op::Load { location, order }, caller)
}

fn store(location: u32, value: Value, order: MemoryOrder, caller: &'static Caller<'static>) {
    let op = Op::Store {
        location: Location(location),
        order,
        value,
    };
    session::perform(op, caller);
}

fn update(
    location: u32,
    update: Update,
    order: MemoryOrder,
    caller: &'static Caller<'static>,
) -> Value {
    let op = Op::Update {
        location: Location(location),
        order,
        update,
    };
    session::perform(op, caller)
}

fn apply(location: u32, update: Update, order: MemoryOrder, caller: &'static Caller<'static>) {
    let op = Op::Apply {
        location: Location(location),
        order,
        update,
    };
    session::perform(op, caller);
}
