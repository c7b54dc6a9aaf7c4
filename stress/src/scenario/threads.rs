//! The loops of a scenario's threads, for the harness and for the scripts of findings.
//!
//! Every operation stands inline in its thread's loop: a closure or a call per operation
//! would cost more than the operation and would keep the threads apart.

use super::{Call, Scenario};
use crate::subject::Form;
use std::fmt::Write as _;

/// Run-time sources of values, bound as locals so that no operation pays for a global look-up.
pub const VALUES: &str = "N=N, K=K, V=V";

/// What the variables of a loop are called.
#[derive(Debug)]
pub struct Words {
    /// First parameters of a loop in step.
    stride: &'static str,
    /// First parameters of a loop on the slot.
    slot: &'static str,
    objects: &'static str,
    /// How many objects there are.
    size: &'static str,
    index: &'static str,
    /// Where the thread says how far it is.
    arrived: &'static str,
    /// What another thread says, by its number.
    other: &'static str,
    spin: &'static str,
    turn: &'static str,
    /// Where the results of an operation go, by its number.
    result: &'static str,
    error: &'static str,
    held: &'static str,
    turns: &'static str,
    mask: &'static str,
    alarms: &'static str,
}

/// In the harness: begun with `_`, so that none hides a name of the subject's.
pub const HARNESS: Words = Words {
    stride: "_O, _n, _A, _L, _J",
    slot: "_S, _n, _M, _Z",
    objects: "_O",
    size: "_n",
    index: "_i",
    arrived: "_A[_i + _L]",
    other: "_W",
    spin: "_J",
    turn: "_j",
    result: "_R",
    error: "_e",
    held: "_S[0]",
    turns: "_n",
    mask: "_M",
    alarms: "_Z",
};

/// In a script, which people read.
pub const SCRIPT: Words = Words {
    stride: "objects, arrived, spin",
    slot: "slot, n, mask, alarms",
    objects: "objects",
    size: "len(objects)",
    index: "i",
    arrived: "arrived[i]",
    other: "w",
    spin: "spin",
    turn: "j",
    result: "r",
    error: "e",
    held: "slot[0]",
    turns: "n",
    mask: "mask",
    alarms: "alarms",
};

/// One thread of a scenario.
#[derive(Debug)]
pub struct Thread<'a> {
    calls: &'a [Call],
    /// Numbers of the other threads.
    others: Vec<usize>,
    words: &'a Words,
}

impl<'a> Thread<'a> {
    /// Thread `t` in these words.
    pub fn new(scenario: &'a Scenario, t: usize, words: &'a Words) -> Self {
        Self {
            calls: &scenario.threads[t],
            others: (0..scenario.threads.len()).filter(|&u| u != t).collect(),
            words,
        }
    }

    /// The thread over an array of fresh objects. It publishes where it is, waits by plainly reading the
    /// others' progress (`waits`), then loops a few turns (its phase) and runs its operations. `measured`:
    /// it also says when it is through with each, and whether another was through before it began.
    pub fn stride(&self, name: &str, waits: bool, measured: bool) -> String {
        let w = self.words;
        let mut params = vec![w.stride.to_owned()];
        params.extend(self.others.iter().map(|u| format!("{}{u}", w.other)));
        params.extend(self.results());
        if measured {
            params.extend(["_E".into(), "_S".into()]);
            params.extend(self.others.iter().map(|u| format!("_E{u}")));
        }
        let i = w.index;
        let mut out = self.over_objects(name, &params);
        let _ = writeln!(out, "        {} = 1", w.arrived);
        if waits {
            let wait = self.any(|u| format!("{}{u}[{i}] is None", w.other));
            let _ = writeln!(out, "        while {wait}:\n            pass");
        }
        let (spin, j) = (w.spin, w.turn);
        let _ = writeln!(
            out,
            "        {j} = {spin}[{i}]\n        while {j}:\n            {j} -= 1"
        );
        if measured {
            let finished = self.any(|u| format!("_E{u}[{i}]"));
            let _ = writeln!(out, "        _S[{i}] = {finished}");
        }
        out += &self.operations();
        if measured {
            let _ = writeln!(out, "        _E[{i}] = 1");
        }
        out
    }

    /// The thread over the same array without regard to the others.
    pub fn free(&self, name: &str) -> String {
        let w = self.words;
        let mut params = vec![w.objects.to_owned(), w.size.to_owned()];
        params.extend(self.results());
        self.over_objects(name, &params) + &self.operations()
    }

    /// The thread on the shared slot: used-up iterators and every `mask + 1`-th turn replace the object.
    pub fn slot(&self, name: &str) -> String {
        let Words {
            slot,
            index,
            error,
            held,
            turns,
            mask,
            alarms,
            ..
        } = self.words;
        let mut out = format!(
            "def {name}({slot}, {VALUES}):\n    for {index} in range(1, {turns}):\n        o = {held}\n"
        );
        for call in self.calls {
            let _ = write!(
                out,
                "        try:\n            {}\n        except StopIteration:\n            {held} = MK()\n        \
                 except BaseException as {error}:\n            if type({error}).__name__ in ALARM and len({alarms}) < 8:\n                \
                 {alarms}.append(render(X({error})))\n",
                call.code
            );
        }
        let _ = write!(
            out,
            "        if not {index} & {mask}:\n            {held} = MK()\n"
        );
        out
    }

    fn results(&self) -> impl Iterator<Item = String> {
        (0..self.calls.len()).map(|j| format!("{}{j}", self.words.result))
    }

    /// Whether it holds for any other thread, as Python says it.
    fn any(&self, holds: impl Fn(usize) -> String) -> String {
        let all: Vec<String> = self.others.iter().map(|&u| holds(u)).collect();
        all.join(" or ")
    }

    fn over_objects(&self, name: &str, params: &[String]) -> String {
        let Words {
            objects,
            size,
            index,
            ..
        } = self.words;
        let params = params.join(", ");
        format!(
            "def {name}({params}, {VALUES}):\n    for {index} in range({size}):\n        o = {objects}[{index}]\n"
        )
    }

    /// The operations on `o`, their results kept.
    fn operations(&self) -> String {
        let w = self.words;
        let (i, e) = (w.index, w.error);
        let mut out = String::new();
        for (result, call) in self.results().zip(self.calls) {
            let line = match call.form {
                Form::Get => format!("{result}[{i}] = {}", call.code),
                Form::Do | Form::Run => call.code.clone(),
            };
            let _ = write!(
                out,
                "        try:\n            {line}\n        except BaseException as {e}:\n            {result}[{i}] = X({e})\n"
            );
        }
        out
    }
}
