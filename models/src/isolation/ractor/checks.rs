//! What is checked about actors: planted faults, scenarios, properties.

use super::*;
use crate::enumerate::{Place, Start};
use crate::protocol::{Property, Protocol, Scenario};
use crate::{mutants, properties};

mutants! {
    /// Faults of who moves, who freezes, and who closes.
    pub enum Mutant {
        /// The inner object stays the sender's too.
        MoveShallow = "rac-move-shallow" breaks ["R1"] in "move" by Everywhere;
        /// What can be moved is, before something is met that cannot.
        MovePartial = "rac-move-partial" breaks ["R3"] in "fixed" by Everywhere;
        /// The old shells are marked when the graph is in the port, and the sender's other threads ran between.
        MarkAfterEnqueue = "rac-mark-moved-after-enqueue" breaks ["R1"] in "late" by Everywhere;
        /// The item is looked at in one section, and the box frozen in the next.
        FreezeRace = "rac-freeze-race" breaks ["R4"] in "freeze" by Everywhere;
        /// A store into what is shareable succeeds.
        ShareableStale = "rac-shareable-cached-stale" breaks ["R4"] in "store" by Everywhere;
        /// A block keeps what it has captured.
        AliasKept = "rac-alias-kept" breaks ["R1"] in "block" by Everywhere;
        /// Whether the port is open is asked in one section, and the message put in in the next.
        CloseLoses = "rac-close-loses" breaks ["R5"] in "close" by Everywhere;
        /// The old shells are not marked.
        MarkNothing = "rac-mark-nothing" breaks ["R1"] in "move" by Everywhere;
    }
}

/// The protocol.
pub struct Ractors;

impl Protocol for Ractors {
    const NAME: &'static str = "ractors";
    const TITLE: &'static str = "Actors that move their objects";
    const QUESTION: &'static str = "How does an object come to another actor and not stay in both?";
    const SOURCE: &'static str = "Ruby's Ractor";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "an object that is not shareable is used in one actor"
            by [DataRace at "data", LostUpdate at "data"];
        "R3" "a move that fails leaves everything usable" by [Invariant at "old"];
        "R4" "what is shareable is deeply frozen" by [Invariant at "item", DataRace at "item"];
        "R5" "what is sent is received or goes with its port, or the sender hears of it"
            by [Leak at "message"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Actors<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("move", "a graph is moved", [&[Move, Use], &[Receive]]),
            Scenario::of("block", "a block has captured it", [&[Move, Block], &[Receive]]),
            Scenario::of("fixed", "a part cannot be moved", [&[MoveFixed, Use], &[Receive]]),
            Scenario::of("twice", "two threads move it", [&[Move], &[Receive, Use], &[Move]]),
            Scenario::of("late", "another thread of the sender", [&[Move], &[Receive], &[Use]]),
            Scenario::of("close", "the port closes", [&[Move, Use], &[Close]]),
            Scenario::of("freeze", "a store beside freezing", [&[Share], &[Receive], &[Store]]),
            Scenario::of("store", "a store after freezing", [&[Share, Store], &[Receive]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| match place.thread {
            1 => vec![Receive, Use, Close],
            _ => vec![Move, MoveFixed, Use, Block, Share, Store],
        };
        vec![Start { alike: 2, ..Start::new("apart", "a sender and a receiver", letters) }]
    }
}
