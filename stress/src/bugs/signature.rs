//! How a known bug is recognised. A failure that does not match is another one.

use super::{Bug, Failure};
use crate::identity::told;
use crate::verdict::noise::class;
use crate::verdict::sanitizer::{Frame, Report, Stack};
use crate::verdict::stack;
use serde::{Deserialize, Serialize};

/// What a failure of the bug has in common from run to run; one alternative of any of its parts decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// Functions of the VM that lie next to each other, innermost first, where the crashing thread was, or, of a
    /// bug that hangs, a waiting or spinning one, or a panic's: see [`told::in_place`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Vec<String>>,
    /// Unordered pairs: the innermost functions of the VM on both sides of a data race, as a run of the program
    /// has shown them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub race: Vec<[String; 2]>,
    /// The same as reports tell them, which no run of the program has shown yet. They decide as the others do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<[String; 2]>,
    /// Words of a `hit:` line, a fatal error or a hang; `…` stands for anything. A panic's are the same at many
    /// places of the VM: it is told by its functions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Why a failure of this bug cannot be told from others, where it cannot.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub none: String,
}

/// What one run showed, as far as a signature can be told from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// In which way it failed; none when it did not.
    pub failure: Option<Failure>,
    /// Functions of the VM, innermost first: of the crashing thread, of the panic; of a hang every thread's.
    pub stacks: Vec<Vec<String>>,
    /// Innermost functions of both sides of every data race reported.
    pub races: Vec<[String; 2]>,
    /// The line that says what happened.
    pub words: String,
}

/// The part of a signature that a failure matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched<'a> {
    /// This stack.
    Frames(&'a [String]),
    /// This pair.
    Race(&'a [String; 2]),
    /// These words.
    Text(&'a str),
}

impl Signature {
    /// Whether it can match anything.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.pairs().next().is_none() && self.text.is_empty()
    }

    /// Whether a stack, a function or a text of it is empty.
    pub fn has_empty_part(&self) -> bool {
        let blank = |text: &String| text.trim().is_empty();
        self.frames.iter().any(Vec::is_empty)
            || self.frames.iter().flatten().any(blank)
            || self.pairs().flatten().any(blank)
            || self.text.iter().any(blank)
    }

    /// Every function that it names.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        let frames = self.frames.iter().flatten();
        frames.chain(self.pairs().flatten()).map(String::as_str)
    }

    /// Every pair of a race, confirmed or not.
    pub fn pairs(&self) -> impl Iterator<Item = &[String; 2]> {
        self.race.iter().chain(&self.unconfirmed)
    }

    /// Those of its pairs that a run showed, each once.
    pub fn shown_by(&self, shown: &Shown) -> Vec<[String; 2]> {
        let seen = |pair: &&[String; 2]| shown.races.iter().any(|seen| told::is_pair(pair, seen));
        self.pairs().filter(seen).cloned().collect()
    }
}

/// What of the bug's signature a run matched. A crash in a place that a hang is known for is another
/// failure, so the way in which it failed must be one of the bug's.
pub fn matched<'a>(bug: &'a Bug, shown: &Shown) -> Option<Matched<'a>> {
    let signature = &bug.signature;
    if bug.failure.contains(&Failure::Race) {
        let pair = signature
            .pairs()
            .find(|pair| shown.races.iter().any(|seen| told::is_pair(pair, seen)));
        if let Some(pair) = pair {
            return Some(Matched::Race(pair));
        }
    }
    let failure = shown.failure?;
    let known = bug
        .failure
        .iter()
        .any(|f| told::may_show(f.kind(), failure.kind()));
    if !known {
        return None;
    }
    let in_place = |frames: &&Vec<String>| shown.stacks.iter().any(|s| told::in_place(s, frames));
    if let Some(frames) = signature.frames.iter().find(in_place) {
        return Some(Matched::Frames(frames));
    }
    let said = |text: &&String| failure != Failure::Panic && says(&shown.words, text);
    signature.text.iter().find(said).map(|t| Matched::Text(t))
}

/// The functions of a panic's backtrace, innermost first.
pub(crate) fn panicking(stderr: &str) -> Vec<Vec<String>> {
    let frames = stack::panic_frames(stderr);
    let names = frames.iter().filter_map(|f| f.split(" (").next());
    vec![names.map(str::to_owned).collect()]
}

/// The innermost functions of the VM on both sides of a data race.
pub(crate) fn pair(report: &Report) -> Option<[String; 2]> {
    let sides = report.sides();
    let [one, two] = sides.as_slice() else {
        return None;
    };
    let top = |side: &Stack| Some(side.top()?.function.clone());
    report
        .is_race()
        .then_some(())
        .and_then(|()| Some([top(one)?, top(two)?]))
}

/// Functions of a signature that tell nothing: on a stack, what every stack passes through; as a side of a
/// race, what only makes the access for its caller. No failure has them as its place.
pub fn telling_nothing(signature: &Signature) -> Vec<&str> {
    let passes = |f: &&String| class(f).is_some();
    let helps = |f: &&String| {
        let frame = Frame {
            function: (*f).clone(),
            ..Frame::default()
        };
        frame.is_helper()
    };
    let stacks = signature.frames.iter().flatten().filter(passes);
    let sides = signature.pairs().flatten().filter(helps);
    stacks.chain(sides).map(String::as_str).collect()
}

/// Whether a failure can match both signatures by its stack or its race. Words are printed by a bug's own
/// program, so they never meet.
pub fn meet(a: &Bug, b: &Bug) -> bool {
    let (a, b) = (&a.signature, &b.signature);
    let stacks = a
        .frames
        .iter()
        .any(|x| b.frames.iter().any(|y| told::overlap(x, y)));
    stacks || a.pairs().any(|x| b.pairs().any(|y| told::is_pair(x, y)))
}

/// Whether the parts of `text` between its `…` stand in `words` in this order.
fn says(words: &str, text: &str) -> bool {
    let mut rest = words;
    text.split('…').map(str::trim).all(|part| {
        rest.find(part)
            .map(|at| rest = &rest[at + part.len()..])
            .is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_part_is_told() {
        let text = |text: &str| toml::from_str::<Signature>(text).unwrap().has_empty_part();
        for empty in [
            "text = [\"\"]",
            "frames = [[]]",
            "frames = [[\"f\", \" \"]]",
            "race = [[\"f\", \"\"]]",
        ] {
            assert!(text(empty), "{empty}");
        }
        assert!(!text("text = [\"x\"]\nframes = [[\"f\"]]"));
    }
    use crate::bugs;

    fn bug(failure: &str, signature: &str) -> Bug {
        let text = format!(
            "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"x\"\ncategory = \"c\"\nnature = \"bug\"\n\
             affected = \"any\"\nfixed = \"2.0\"\nfailure = [{failure}]\nbuilds = [\"release\"]\nsource = \"s\"\nno_fault = \"-\"\n\
             [signature]\n{signature}\n"
        );
        bugs::parse("x/1", &text, "", "").unwrap()
    }

    fn stack(failure: Failure, frames: &[&str]) -> Shown {
        Shown {
            failure: Some(failure),
            stacks: vec![frames.iter().map(|f| (*f).to_owned()).collect()],
            ..Shown::default()
        }
    }

    #[test]
    fn frames_are_the_innermost_in_order() {
        let bug = bug("\"crash\"", "frames = [[\"a\", \"b\"], [\"c\"]]");
        let hits = |frames: &[&str]| matched(&bug, &stack(Failure::Crash, frames)).is_some();
        assert!(hits(&["a", "b", "z"]) && hits(&["x", "a", "b"]) && hits(&["c", "z"]));
        assert!(
            !hits(&["x", "c"]) && !hits(&["x", "y", "a", "b"]),
            "further out they only called"
        );
        assert!(!hits(&["b", "a"]) && !hits(&["a", "z", "b"]) && !hits(&["a"]) && !hits(&[]));
        assert!(matched(&bug, &stack(Failure::Fatal, &["c"])).is_some());
        // Standing still there is no crash there.
        assert!(matched(&bug, &stack(Failure::Hang, &["c"])).is_none());
    }

    #[test]
    fn a_race_is_a_pair_in_either_order() {
        let bug = bug("\"race\"", "race = [[\"a\", \"b\"], [\"a\", \"a\"]]");
        let hits = |one: &str, two: &str| {
            let shown = Shown {
                races: vec![[one.to_owned(), two.to_owned()]],
                ..Shown::default()
            };
            matched(&bug, &shown).is_some()
        };
        assert!(hits("a", "b") && hits("b", "a") && hits("a", "a"));
        assert!(
            !hits("b", "b") && !hits("a", "c"),
            "one side alone is another race"
        );
    }

    #[test]
    fn frames_that_every_stack_has_tell_nothing() {
        let bad = bug(
            "\"crash\"",
            "frames = [[\"list_resize\", \"thread_run\"]]\nrace = [[\"_Py_atomic_load_ptr\", \"_PyEval_EvalFrameDefault\"]]",
        );
        let nothing = telling_nothing(&bad.signature);
        assert_eq!(nothing, ["thread_run", "_Py_atomic_load_ptr"]);
    }

    #[test]
    fn words_decide_for_what_prints_them() {
        let bug = bug("\"wrong\"", "text = [\"a sum of … for\"]");
        let hits = |failure, words: &str| {
            let shown = Shown {
                failure: Some(failure),
                words: words.to_owned(),
                ..Shown::default()
            };
            matched(&bug, &shown).is_some()
        };
        assert!(hits(Failure::Wrong, "wrong: a sum of 3 for 4"));
        assert!(!hits(Failure::Wrong, "wrong: for 4, a sum of 3"));
        assert!(!hits(Failure::Wrong, "wrong: another"));
        assert!(!hits(Failure::Crash, "SIGSEGV: a sum of 3 for 4"));
    }

    /// `unwrap` of nothing says the same words at every line of a file.
    #[test]
    fn a_panic_is_told_by_its_functions_alone() {
        let panic = |functions: &[&str]| Shown {
            words: "src/itertools.rs:1: called `Option::unwrap()` on a `None` value".into(),
            ..stack(Failure::Panic, functions)
        };
        let of_words = bug(
            "\"panic\", \"wrong\"",
            "text = [\"itertools.rs … on a `None` value\"]",
        );
        assert_eq!(matched(&of_words, &panic(&["next", "slot<Grouper>"])), None);
        let of_frames = bug("\"panic\"", "frames = [[\"next\", \"slot<Grouper>\"]]");
        assert!(matched(&of_frames, &panic(&["next", "slot<Grouper>"])).is_some());
        assert_eq!(
            matched(&of_frames, &panic(&["next", "slot<GroupBy>"])),
            None
        );
    }

    #[test]
    fn a_program_prints_exceptions_and_growing_memory_as_what_is_wrong() {
        let hits = |known: &str, seen| {
            let shown = Shown {
                failure: Some(seen),
                words: "wrong: 300 MiB more".into(),
                ..Shown::default()
            };
            matched(&bug(known, "text = [\"MiB more\"]"), &shown).is_some()
        };
        for known in ["\"leak\"", "\"exception\"", "\"wrong\""] {
            assert!(hits(known, Failure::Wrong), "{known}");
            assert!(!hits(known, Failure::Crash), "{known}");
        }
        assert!(!hits("\"crash\"", Failure::Wrong));
    }

    #[test]
    fn without_a_signature_nothing_is_the_bug() {
        let bug = bug("\"crash\"", "none = \"a damaged heap shows anywhere\"");
        assert_eq!(matched(&bug, &stack(Failure::Crash, &["a"])), None);
        assert_eq!(matched(&bug, &stack(Failure::Crash, &[])), None);
    }
}
