//! A script's threads: one function each, with the scenario's operations in the middle.

use crate::scenario::Scenario;
use crate::subject::Form;
use std::fmt::Write as _;

/// Walks over the strides' objects, in step with the other threads.
pub(super) fn stride_thread(scenario: &Scenario, t: usize, gil: bool) -> String {
    let others: Vec<usize> = (0..scenario.threads.len()).filter(|&u| u != t).collect();
    let calls = &scenario.threads[t];
    let results = (0..calls.len())
        .map(|j| format!("r{j}"))
        .collect::<Vec<_>>()
        .join(", ");
    let waits = others
        .iter()
        .map(|u| format!("w{u}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut out =
        format!("def thread{t}(objects, arrived, spin, {waits}, {results}, N=N, K=K, V=V):\n");
    out += "    for i in range(len(objects)):\n        o = objects[i]\n        arrived[i] = 1\n";
    if !gil {
        let wait = others
            .iter()
            .map(|u| format!("w{u}[i] is None"))
            .collect::<Vec<_>>()
            .join(" or ");
        let _ = writeln!(out, "        while {wait}:\n            pass");
    }
    out += "        j = spin[i]\n        while j:\n            j -= 1\n";
    for (j, call) in calls.iter().enumerate() {
        let line = match call.form {
            Form::Get => format!("r{j}[i] = {}", call.code),
            Form::Do | Form::Run => call.code.clone(),
        };
        let _ = write!(
            out,
            "        try:\n            {line}\n        except BaseException as e:\n            r{j}[i] = X(e)\n"
        );
    }
    out
}

/// Works on whatever the shared slot holds.
pub(super) fn slot_thread(scenario: &Scenario, t: usize) -> String {
    let mut out = format!(
        "def thread{t}(slot, n, mask, alarms, N=N, K=K, V=V):\n    for i in range(1, n):\n        o = slot[0]\n"
    );
    for call in &scenario.threads[t] {
        let _ = write!(
            out,
            "        try:\n            {}\n        except StopIteration:\n            slot[0] = MK()\n        \
             except BaseException as e:\n            if type(e).__name__ in ALARM and len(alarms) < 8:\n                \
             alarms.append(render(X(e)))\n",
            call.code
        );
    }
    out + "        if not i & mask:\n            slot[0] = MK()\n"
}
