//! What is checked about pre-locked objects: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of owners, and of those who want their objects.
    pub enum Mutant {
        /// Nothing is between the owner's mark and its look at the word.
        NoFence = "bias-no-fence" breaks ["B1"] in "two" by WeakMemory;
        /// A safe point inside an operation grants the object that the operation is inside of.
        GrantMidOperation = "bias-grant-mid-operation" breaks ["B1"] in "long" by Everywhere;
        /// Who waits for another's object gives up none of its own, and grants none.
        CrossWait = "bias-cross-wait" breaks ["B2"] in "cross" by Everywhere;
        /// A thread ends without leaving the registry.
        OwnerExit = "bias-owner-exit" breaks ["B2"] in "two" by Everywhere;
        /// A new thread gets the number of one that has ended.
        TidReuse = "bias-tid-reuse" breaks ["B1"] in "anew" by Everywhere;
        /// A thread that ends grants in one step, and leaves in the next.
        LostInterest = "bias-lost-interest" breaks ["B2"] in "two" by
            ShuttleOnly("it takes three preemptions, and loom is given two");
        /// Who revokes an object stores it, whatever the word has become.
        RevokeStores = "bias-revoke-stores" breaks ["B3"] in "three" by Everywhere;
        /// Safe points grant nothing.
        GrantNothing = "bias-grant-nothing" breaks ["B2"] in "two" by Everywhere;
    }
}

/// What small programs are made of.
const LETTERS: [Op; 5] = [Op::In(0), Op::In(1), Op::Long(0), Op::Nest(0, 1), Op::Anew];

/// The protocol.
pub struct PrelockedObjects;

impl Protocol for PrelockedObjects {
    const NAME: &'static str = "prelocked";
    const TITLE: &'static str = "Objects locked by their creator";
    const QUESTION: &'static str =
        "How does a thread do without locks of its own objects, and give them up when asked?";
    const SOURCE: &'static str =
        "proposals after Gilectomy: pre-locked objects, registered interest";
    const PROPERTIES: &'static [Property] = properties! {
        "B1" "two threads are never inside one object" by [..Counter::<Native>::BREACHES];
        "B2" "revoking ends, whatever the owner does" by [Deadlock];
        "B3" "an object that is shared stays so" by [Invariant at "word"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Objects<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "the owner and another", [&[In(0), End], &[In(0)]]),
            Scenario::of("long", "a safe point inside an operation", [&[Long(0), End], &[In(0)]]),
            Scenario::of(
                "cross",
                "two want each other's objects",
                [&[Nest(0, 1), End], &[Nest(1, 0)]],
            ),
            Scenario::of("blocks", "the owner blocks inside", [&[Blocks(0), End], &[In(0)]]),
            Scenario::of(
                "anew",
                "the owner ends, and a thread begins",
                [&[Anew, In(0), End], &[In(0)]],
            ),
            Scenario::of(
                "three",
                "two want the object of a thread that does nothing",
                [&[], &[In(0)], &[In(0)]],
            ),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let mut start = Start::new("own", "owners and others", |_: Place| LETTERS.to_vec());
        // The first two own one object each.
        start.alike = 2;
        start.last = vec![Op::End];
        vec![start]
    }
}
