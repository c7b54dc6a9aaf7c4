//! Three ways of counting written by hand in `std`, as controls for `Native`: what a person
//! would write who has never heard of a `Runtime`. Operations that both sides keep out of
//! line (the end of an object, the slow ways of the biased count) are so here too.

use std::cell::UnsafeCell;

/// A counted object.
pub struct Object<H> {
    index: usize,
    header: H,
    payload: UnsafeCell<u64>,
    child: UnsafeCell<usize>,
}

impl<H> Object<H> {
    fn new(header: H) -> Self {
        Self { index: 0, header, payload: UnsafeCell::new(1), child: UnsafeCell::new(0) }
    }

    /// The object's memory is given back; the object that it owned.
    fn end(&self) -> usize {
        // SAFETY: nobody refers to the object any more.
        unsafe {
            *self.payload.get() = 0;
            *self.child.get()
        }
    }
}

/// Atomic counts.
pub mod atomic {
    use std::sync::atomic::{AtomicU32, Ordering::*, fence};

    /// A count in its object.
    pub type Object = super::Object<AtomicU32>;

    /// The objects.
    pub struct Counts {
        objects: Box<[Object]>,
    }

    impl Counts {
        /// One object with one reference.
        pub fn new() -> Self {
            Self { objects: Box::new([Object::new(AtomicU32::new(1))]) }
        }

        /// The object.
        pub fn object(&self) -> &Object {
            &self.objects[0]
        }

        /// One more reference.
        #[inline]
        pub fn incref(&self, (): &mut (), object: &Object) {
            if object.header.fetch_add(1, Relaxed) >= 1 << 31 {
                self.saturate(&object.header);
            }
        }

        /// One reference less.
        #[inline]
        pub fn decref(&self, thread: &mut (), object: &Object) {
            let old = object.header.fetch_sub(1, Release);
            if old != 1 {
                if old > 1 << 31 {
                    self.saturate(&object.header);
                }
                return;
            }
            fence(Acquire);
            self.free(thread, object);
        }

        #[cold]
        #[inline(never)]
        fn saturate(&self, count: &AtomicU32) {
            count.store(3 << 30, Relaxed);
        }

        #[cold]
        #[inline(never)]
        fn free(&self, thread: &mut (), object: &Object) {
            let child = object.end();
            if child != 0 {
                self.decref(thread, &self.objects[child - 1]);
            }
        }
    }
}

/// Plain counts under one mutex.
pub mod locked {
    use std::cell::UnsafeCell;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A count in its object.
    pub type Object = super::Object<UnsafeCell<u32>>;

    #[inline]
    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects and the mutex around all their counts.
    pub struct Counts {
        objects: Box<[Object]>,
        mutex: Mutex<()>,
    }

    impl Counts {
        /// One object with one reference.
        pub fn new() -> Self {
            let objects = Box::new([Object::new(UnsafeCell::new(1))]);
            Self { objects, mutex: Mutex::new(()) }
        }

        /// The object.
        pub fn object(&self) -> &Object {
            &self.objects[0]
        }

        /// One more reference.
        #[inline]
        pub fn incref(&self, (): &mut (), object: &Object) {
            let _section = lock(&self.mutex);
            // SAFETY: the mutex is held.
            unsafe { *object.header.get() += 1 }
        }

        /// One reference less.
        #[inline]
        pub fn decref(&self, thread: &mut (), object: &Object) {
            let section = lock(&self.mutex);
            // SAFETY: the mutex is held.
            let left = unsafe { *object.header.get() - 1 };
            // SAFETY: as above.
            unsafe { *object.header.get() = left }
            drop(section);
            if left == 0 {
                self.free(thread, object);
            }
        }

        #[cold]
        #[inline(never)]
        fn free(&self, thread: &mut (), object: &Object) {
            let child = object.end();
            if child != 0 {
                self.decref(thread, &self.objects[child - 1]);
            }
        }
    }
}

/// Biased counts: the owner's path, and a foreign decrement that meets no zero. What would
/// need the owner is not carried out here, only left for somebody to look at.
pub mod biased {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering::*};

    /// The halves of a biased count.
    pub struct Halves {
        owner: AtomicUsize,
        local: AtomicU32,
        shared: AtomicI64,
    }

    /// A count in its object.
    pub type Object = super::Object<Halves>;

    /// A thread.
    pub struct Thread {
        id: usize,
        inbox: Vec<usize>,
    }

    impl Thread {
        /// The thread with this id.
        pub fn new(id: usize) -> Self {
            Self { id, inbox: Vec::new() }
        }
    }

    /// The objects.
    pub struct Counts {
        objects: Box<[Object]>,
    }

    impl Counts {
        /// One object with one reference, made by the thread with id 1.
        pub fn new() -> Self {
            let (owner, local, shared) =
                (AtomicUsize::new(1), AtomicU32::new(1), AtomicI64::new(0));
            Self { objects: Box::new([Object::new(Halves { owner, local, shared })]) }
        }

        /// The object.
        pub fn object(&self) -> &Object {
            &self.objects[0]
        }

        /// One more reference.
        #[inline]
        pub fn incref(&self, thread: &mut Thread, object: &Object) {
            let Halves { owner, local, shared } = &object.header;
            if owner.load(Relaxed) == thread.id {
                local.store(local.load(Relaxed) + 1, Relaxed);
            } else {
                shared.fetch_add(4, Relaxed);
            }
        }

        /// One reference less.
        #[inline]
        pub fn decref(&self, thread: &mut Thread, object: &Object) {
            let Halves { owner, local, .. } = &object.header;
            if owner.load(Relaxed) == thread.id {
                let left = local.load(Relaxed) - 1;
                local.store(left, Relaxed);
                if left == 0 {
                    self.merge_zero(thread, object);
                }
            } else {
                self.decref_shared(thread, object);
            }
        }

        #[inline(never)]
        fn decref_shared(&self, thread: &mut Thread, object: &Object) {
            let shared = &object.header.shared;
            let mut old = shared.load(Relaxed);
            let (queue, new) = loop {
                let unqueued = old & 3 < 2;
                let queue = old >> 2 == 0 && unqueued;
                let new = if queue { 2 } else { old - 4 };
                match shared.compare_exchange(old, new, AcqRel, Relaxed) {
                    Ok(_) => break (queue, new),
                    Err(found) => old = found,
                }
            };
            if queue {
                self.queue(thread, object);
            } else if new == 3 {
                self.free(thread, object);
            }
        }

        #[cold]
        #[inline(never)]
        fn merge_zero(&self, thread: &mut Thread, object: &Object) {
            if object.header.shared.load(Acquire) == 0 {
                self.free(thread, object);
            } else {
                self.queue(thread, object);
            }
        }

        #[cold]
        #[inline(never)]
        fn queue(&self, thread: &mut Thread, object: &Object) {
            thread.inbox.push(object.index);
            black_box((self, thread, object));
        }

        #[cold]
        #[inline(never)]
        fn free(&self, thread: &mut Thread, object: &Object) {
            black_box((self, thread, object.end()));
        }
    }
}
