//! Generated sequences of operations on each scheme, beside a sequential reference.
//!
//! One thread on the native runtime: what is checked here is the meaning of the operations,
//! not their interleaving. A failure is printed with its smallest sequence.

use proptest::collection::vec;
use proptest::prelude::*;
use threadbare_models::container::{list, marked};
use threadbare_models::ghost::Ghost;
use threadbare_models::protocol::{Shape, Switch, World};
use threadbare_models::refcount::{self, Count, Op, Workshop};
use threadbare_models::runtime::{Native, Watched};
use threadbare_models::weak::weakref::{self, Callback};
use threadbare_models::{reclaim::qsbr, world::gil};

const ALONE: Shape = Shape { objects: 2, threads: 1 };

/// What the sequence does with object `.1`.
#[derive(Clone, Copy, Debug)]
enum Step {
    New(usize),
    Incref(usize),
    Decref(usize),
    Try(usize),
    Poll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let object = 0..2usize;
    let step = prop_oneof![
        1 => object.clone().prop_map(Step::New),
        3 => object.clone().prop_map(Step::Incref),
        4 => object.clone().prop_map(Step::Decref),
        2 => object.prop_map(Step::Try),
        1 => Just(Step::Poll),
    ];
    vec(step, 0..40)
}

/// How soon a scheme frees, and whether it takes references from an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prompt,
    /// Refuses every address, or may refuse a live object.
    PromptWithoutTry,
    /// Frees when the threads have ended.
    Late,
}

/// The reference: a number of references for each object, `None` before it is made.
fn count_like<C, M>(steps: &[Step], kind: Kind) -> Result<(), TestCaseError>
where
    C: Count<Watched, Mutant = M, Faults = Switch<M>>,
    M: Copy + Send + Sync + 'static,
{
    let world: Workshop<Watched, C> = World::new(ALONE, Switch(None));
    let mut worker = world.enter(0);
    let mut reference: [Option<i64>; 2] = [None; 2];
    for step in steps {
        match *step {
            // A late scheme may still own the block of a dead object.
            Step::New(n)
                if reference[n].is_none() || kind != Kind::Late && reference[n] == Some(0) =>
            {
                world.step(&mut worker, Op::New(n));
                reference[n] = Some(1);
            }
            Step::Incref(n) if reference[n] > Some(0) => {
                world.step(&mut worker, Op::Incref(n));
                reference[n] = reference[n].map(|r| r + 1);
            }
            Step::Decref(n) if reference[n] > Some(0) => {
                world.step(&mut worker, Op::Decref(n));
                reference[n] = reference[n].map(|r| r - 1);
            }
            Step::Try(n) if kind == Kind::Prompt && reference[n].is_some() => {
                let got = world.step(&mut worker, Op::TryIncref(n));
                prop_assert_eq!(got == Some(1), reference[n] > Some(0));
                if got == Some(1) {
                    reference[n] = reference[n].map(|r| r + 1);
                }
            }
            Step::Poll => drop(world.step(&mut worker, Op::Poll)),
            _ => {}
        }
        for (n, object) in world.count.objects().iter().enumerate() {
            let alive = reference[n] > Some(0);
            let must_be_dead = kind != Kind::Late && !alive;
            prop_assert!(!(alive && object.ghost.is_dead()), "object {} died early", n);
            prop_assert!(!must_be_dead || object.ghost.is_dead(), "object {} lives on", n);
        }
    }
    world.exit(worker);
    world.finish();
    for (n, object) in world.count.objects().iter().enumerate() {
        if let Some(references) = reference[n].filter(|r| *r > 0) {
            prop_assert_eq!(world.count.settled(object), Some(references), "object {}", n);
        }
    }
    Ok(())
}

macro_rules! counts {
    ($($name:ident: $count:ty, $kind:expr;)*) => { proptest! {
        $(#[test]
        fn $name(steps in steps()) {
            count_like::<$count, _>(&steps, $kind)?;
        })*
    } };
}

counts! {
    atomic: refcount::atomic::AtomicCount<Watched, Switch<refcount::atomic::Mutant>>, Kind::Prompt;
    global_lock: refcount::global_lock::LockedCount<Watched, Switch<refcount::global_lock::Mutant>>, Kind::PromptWithoutTry;
    interlocked: refcount::interlocked::InterlockedCount<Watched, Switch<refcount::interlocked::Mutant>>, Kind::PromptWithoutTry;
    side_table: refcount::side_table::Table<Watched, Switch<refcount::side_table::Mutant>>, Kind::PromptWithoutTry;
    biased: refcount::biased::Biased<Watched, Switch<refcount::biased::Mutant>>, Kind::PromptWithoutTry;
    biased_paper: refcount::biased_paper::Paper<Watched, Switch<refcount::biased_paper::Mutant>>, Kind::PromptWithoutTry;
    buffered: refcount::buffered::Buffered<Watched, Switch<refcount::buffered::Mutant>>, Kind::Late;
    gil: gil::Gil<Watched, Switch<gil::Mutant>>, Kind::PromptWithoutTry;
}

/// An operation on a list: kind and place.
fn calls() -> impl Strategy<Value = Vec<(u8, usize)>> {
    vec((0..6u8, 0..5usize), 0..30)
}

proptest! {
    #[test]
    fn list_is_a_list(calls in calls()) {
        let shape = Shape { objects: 40, threads: 1 };
        let world: list::List<Native> = World::new(shape, Switch(None));
        let mut caller = world.enter(0);
        let mut reference: Vec<i64> = Vec::new();
        // The scheme has six arrays of at most four slots and keeps them all.
        let (mut value, mut clears) = (0, 0);
        for (kind, n) in calls {
            value += 1;
            let got = match kind {
                0 | 1 if reference.len() < 4 => {
                    let op = if kind == 0 { list::Op::Append(value) } else { list::Op::InsertFront(value) };
                    reference.insert(if kind == 0 { reference.len() } else { 0 }, value);
                    world.step(&mut caller, op)
                }
                2 if !reference.is_empty() => {
                    reference[0] = value;
                    world.step(&mut caller, list::Op::SetFirst(value))
                }
                3 => {
                    let last = reference.pop().unwrap_or(-1);
                    let got = world.step(&mut caller, list::Op::Pop);
                    prop_assert_eq!(got, Some(last));
                    None
                }
                4 if clears == 0 => {
                    clears = 1;
                    reference.clear();
                    world.step(&mut caller, list::Op::Clear)
                }
                _ => None,
            };
            prop_assert_eq!(got, None);
            let item = reference.get(n).copied().unwrap_or(-1);
            prop_assert_eq!(world.step(&mut caller, list::Op::Get(n)), Some(item));
        }
    }

    #[test]
    fn marked_list_is_a_list(calls in calls()) {
        let shape = Shape { objects: 40, threads: 1 };
        let world: marked::List<Native> = World::new(shape, Switch(None));
        let mut caller = world.enter(0);
        let mut reference: Vec<i64> = Vec::new();
        let mut value = 0;
        for (kind, n) in calls {
            value += 1;
            match kind {
                0 | 1 if reference.len() < 4 => {
                    reference.push(value);
                    world.step(&mut caller, marked::Op::Append(value));
                }
                2 if !reference.is_empty() => {
                    reference[0] = value;
                    world.step(&mut caller, marked::Op::SetFirst(value));
                }
                3 => {
                    let last = reference.pop().unwrap_or(-1);
                    prop_assert_eq!(world.step(&mut caller, marked::Op::Pop), Some(last));
                }
                4 => drop(world.step(&mut caller, marked::Op::Mark)),
                _ => {}
            }
            let item = reference.get(n).copied().unwrap_or(-1);
            prop_assert_eq!(world.step(&mut caller, marked::Op::Get(n)), Some(item));
        }
    }

    #[test]
    fn weak_references_follow_the_count(steps in steps()) {
        weak::<weakref::WeakAtomicWorld>(&steps)?;
        weak::<weakref::WeakBiasedWorld>(&steps)?;
    }

    /// Alone, a thread that is offline or quiescent holds nothing back.
    #[test]
    fn qsbr_frees_what_nobody_can_hold(kinds in vec(0..5u8, 0..30)) {
        let shape = Shape { objects: 32, threads: 1 };
        let world: qsbr::Pointer<Watched> = World::new(shape, Switch(None));
        let mut local = world.enter(0);
        let mut block = 0;
        for kind in kinds {
            let op = match kind {
                0 => qsbr::Op::Attach,
                1 => qsbr::Op::Load,
                2 => qsbr::Op::Use,
                3 => qsbr::Op::Quiescent,
                _ => {
                    block += 1;
                    world.step(&mut local, qsbr::Op::Replace(block));
                    qsbr::Op::Process
                }
            };
            world.step(&mut local, op);
        }
        world.exit(local);
        world.finish();
    }
}

/// An upgrade gives the object exactly while a reference exists.
fn weak<W: World<Op = weakref::Op, Mutant = weakref::Mutant>>(
    steps: &[Step],
) -> Result<(), TestCaseError> {
    use weakref::Op::{Do, Link, Upgrade};
    let world = W::new(Shape { objects: 1, threads: 1 }, Switch(None));
    let mut worker = world.enter(0);
    world.step(&mut worker, Do(Op::New(0)));
    world.step(&mut worker, Link(0, 0, Callback::Upgrades));
    let mut references = 1;
    for step in steps {
        match step {
            Step::Incref(_) if references > 0 => {
                world.step(&mut worker, Do(Op::Incref(0)));
                references += 1;
            }
            Step::Decref(_) if references > 0 => {
                world.step(&mut worker, Do(Op::Decref(0)));
                references -= 1;
            }
            Step::Try(_) => {
                let got = world.step(&mut worker, Upgrade(0));
                prop_assert_eq!(got, Some(i64::from(references > 0)));
                references += i32::from(references > 0);
            }
            _ => {}
        }
    }
    world.exit(worker);
    world.finish();
    Ok(())
}
