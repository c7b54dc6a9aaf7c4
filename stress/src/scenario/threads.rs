//! The loops of a scenario's threads, for the harness and for the scripts of findings.
//!
//! Every operation stands inline in its thread's loop: a closure or a call per operation
//! would cost more than the operation and would keep the threads apart.

use super::{Call, Scenario};
use crate::subject::Form;
use std::fmt::Write as _;

/// Run-time sources of values, bound as locals so that no operation pays for a global look-up.
pub const VALUES: &str = "N=N, K=K, V=V";

/// More than a thread has operations: the base of the number that tells how many each other thread has done.
/// As in `harness/in_time.py`.
const DONE: u64 = 64;

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
    /// it also says after each operation how many it has done, and keeps before each how many the others had
    /// done: all of these happened before it, in whatever order memory is seen, since what an item of a
    /// list is set to is read with all that was written before (see `harness/in_time.py`).
    pub fn stride(&self, name: &str, waits: bool, measured: bool) -> String {
        let w = self.words;
        let mut params = vec![w.stride.to_owned()];
        params.extend(self.others.iter().map(|u| format!("{}{u}", w.other)));
        params.extend(self.results());
        if measured {
            params.push("_E".into());
            params.extend((0..self.calls.len()).map(|j| format!("_P{j}")));
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
        out += &self.operations(measured);
        out
    }

    /// The thread over the same array without regard to the others.
    pub fn free(&self, name: &str) -> String {
        let w = self.words;
        let mut params = vec![w.objects.to_owned(), w.size.to_owned()];
        params.extend(self.results());
        self.over_objects(name, &params) + &self.operations(false)
    }

    /// The thread on the shared slot: used-up iterators and every `mask + 1`-th turn replace the object. With the
    /// smallest masks any exception does: of what was closed or detached nothing more can be seen.
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
                 {alarms}.append(render(X({error})))\n            if {mask} < 8:\n                o = {held} = MK()\n",
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

    /// How many operations each of the others has done, as one number.
    fn done_by_others(&self) -> String {
        let others = self.others.iter().enumerate();
        let digits = others.map(|(at, u)| {
            let place = match at {
                0 => String::new(),
                _ => format!("{} * ", DONE.pow(at as u32)),
            };
            format!("{place}_E{u}[{}]", self.words.index)
        });
        digits.collect::<Vec<_>>().join(" + ")
    }

    /// The operations on `o`, their results kept; `measured`: with what was done before and after each.
    fn operations(&self, measured: bool) -> String {
        let w = self.words;
        let (i, e) = (w.index, w.error);
        let mut out = String::new();
        for (j, (result, call)) in self.results().zip(self.calls).enumerate() {
            if measured {
                let _ = writeln!(out, "        _P{j}[{i}] = {}", self.done_by_others());
            }
            let line = match call.form {
                Form::Get => format!("{result}[{i}] = {}", call.code),
                Form::Do | Form::Run => call.code.clone(),
            };
            let _ = write!(
                out,
                "        try:\n            {line}\n        except BaseException as {e}:\n            {result}[{i}] = X({e})\n"
            );
            if measured {
                let _ = writeln!(out, "        _E[{i}] = {}", j + 1);
            }
        }
        out
    }
}
