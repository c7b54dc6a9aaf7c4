//! What is checked about interpreters: planted faults, scenarios, properties.

use super::*;
use crate::enumerate::{Place, Start};
use crate::protocol::{Property, Protocol, Scenario};
use crate::{mutants, properties};

mutants! {
    /// Faults of who shares, who sends, and who ends.
    pub enum Mutant {
        /// The receiver counts on the sender's object.
        ShareByReference = "sub-share-by-reference" breaks ["I1", "S2"] in "send" by Everywhere;
        /// The receiver drops the sender's reference itself.
        ReleaseInReceiver = "sub-release-in-receiver" breaks ["I1", "I3"] in "send" by Everywhere;
        /// Who ends lists its records in one section and takes them out of the queue in the next.
        ReleaseTwice = "sub-release-twice" breaks ["S2"] in "end" by Everywhere;
        /// All write the one dictionary of a static type.
        StaticTypeMutable = "sub-static-type-mutable" breaks ["I1"] in "shared" by Everywhere;
        /// Who waits for a record keeps the interpreter's lock.
        WaitHoldingGil = "sub-wait-holding-gil" breaks ["S5"] in "waiting" by Everywhere;
        /// References to an immortal object are counted, plainly.
        ImmortalCounted = "sub-nonatomic-refcount-on-immortal" breaks ["I4"] in "shared" by Everywhere;
        /// A new interpreter has the number of one that ended.
        IdReuse = "sub-id-reuse" breaks ["I3"] in "end" by Everywhere;
        /// An interned string goes with the interpreter that interned it.
        InternedShared = "sub-interned-shared" breaks ["I4"] in "strings" by Everywhere;
        /// What an extension keeps is a variable of the process.
        ExtensionGlobal = "sub-extension-global" breaks ["I1"] in "shared" by Everywhere;
        /// Pending calls are never run.
        PendingNothing = "sub-pending-nothing" breaks ["S2"] in "send" by Everywhere;
        /// There is room for one pending call, and nobody looks whether there was (CPython 3.13).
        #[shipped(x)]
        RingFull = "sub-release-ring-full" breaks ["S2"] in "several" by Everywhere;
        /// An interpreter ends while others look at what it has lent (CPython 3.13).
        #[shipped(x)]
        ViewOutlives = "sub-view-outlives" breaks ["S3"] in "lend" by Everywhere;
    }
}

/// The protocol.
pub struct Subinterpreters;

impl Protocol for Subinterpreters {
    const NAME: &'static str = "subinterpreters";
    const TITLE: &'static str = "Interpreters with a lock each";
    const QUESTION: &'static str =
        "What do interpreters share, and how does a value come from one to another?";
    const SOURCE: &'static str = "CPython 3.13 crossinterp.c, _interpqueuesmodule.c; PEP 684";
    const PROPERTIES: &'static [Property] = properties! {
        "I1" "no mutable object is used in two interpreters"
            by [DataRace at "refs" "data", LostUpdate at "data"];
        "I3" "an object is freed by the interpreter that made it"
            by [Invariant at "heap", UseAfterFree at "refs"];
        "I4" "what all share lives until the end of all, and nobody writes it"
            by [UseAfterFree at "text", DataRace at "text" "none"];
        "S2" "a record is freed once, and every reference comes back"
            by [DoubleFree at "record", UseAfterFree at "copy" "record", Leak at "object" "record"];
        "S3" "a lent buffer outlives whoever looks at it"
            by [UseAfterFree at "bytes", DataRace at "bytes"];
        "S5" "nobody waits with an interpreter's lock" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Interpreters<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("send", "a value is sent", [&[Send(0)], &[Receive]]),
            Scenario::of("end", "the sender ends", [&[Receive], &[Send(0), End]]),
            Scenario::of("lend", "the lender ends", [&[Receive], &[Lend(0), End]]),
            Scenario::of(
                "several",
                "two are sent, and the sender is busy",
                [&[Send(0), Send(1)], &[Receive, Receive]],
            )
            .objects(2),
            Scenario::of("shared", "both use what all have", [&[Touch], &[Touch]]),
            Scenario::of("strings", "who interned a string ends", [&[Intern], &[Intern, End]]),
            Scenario::of("waiting", "two of one interpreter", [&[Receive], &[], &[Send(0)]]),
            Scenario::of(
                "exchange",
                "each sends and receives",
                [&[Send(0), Receive], &[Send(1), Receive]],
            )
            .objects(2),
        ]
    }

    /// Left out: who waits for what may never come. Sent for sure is what a thread sends before it waits itself.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let mut all = vec![Send(place.fresh), Lend(place.fresh), Receive, Intern, Touch];
            all.extend((place.thread == 1).then_some(End));
            all
        };
        let fits = |scenario: &Scenario<Op>| {
            let before = |thread: &Vec<Op>| {
                let before = thread.iter().take_while(|op| **op != Receive);
                before.filter(|op| matches!(op, Send(_) | Lend(_))).count()
            };
            let sent: usize = scenario.threads.iter().map(before).sum();
            let taken = scenario.threads.iter().flatten().filter(|op| **op == Receive);
            taken.count() <= sent
        };
        let start = Start::new("apart", "threads of two interpreters", letters);
        vec![Start { alike: 2, objects: 0, grows: true, fits, ..start }]
    }
}
