//! A scenario as the Python code that the harness executes.
//!
//! Every operation stands inline in its thread's loop: a closure or a call per operation
//! would cost more than the operation and would keep the threads apart.

use super::{Call, Scenario, Shape};
use crate::python::quote;
use crate::subject::Form;
use std::fmt::Write as _;

/// Run-time sources of values, bound as locals so that no operation pays for a global look-up.
const VALUES: &str = "N=N, K=K, V=V";

/// Imports and prelude.
pub fn prelude(requires: &[String], prelude: &str) -> String {
    let mut out = String::new();
    for module in requires {
        let _ = writeln!(out, "import {module}");
    }
    out.push_str(prelude);
    if !prelude.is_empty() && !prelude.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// `def MK(): return <make>`.
pub fn make(code: &str) -> String {
    format!("def MK({VALUES}):\n    return {code}\n")
}

/// `def FINAL(o): return <observe>`.
pub fn observe(code: &str) -> String {
    format!("def FINAL(o, {VALUES}):\n    return {code}\n")
}

/// A function that runs one operation alone.
pub fn body(name: &str, call_form: Form, code: &str) -> String {
    let line = match call_form {
        Form::Get => format!("return {code}"),
        Form::Do | Form::Run => code.to_owned(),
    };
    format!("def {name}(o, {VALUES}):\n    {line}\n")
}

/// The whole source of a scenario; defines what `harness.py` looks up in its namespace.
pub fn source(scenario: &Scenario) -> String {
    let context = &scenario.context;
    let mut out = prelude(&context.requires, &context.prelude);
    out += &make(&scenario.make);
    out += &observe(&context.observe);
    if let Some(check) = &context.check {
        let _ = write!(out, "def CHECK(o, {VALUES}):\n    return {check}\n");
    }
    let mut names = Vec::new();
    for (t, calls) in scenario.threads.iter().enumerate() {
        let mut row = Vec::new();
        for (j, call) in calls.iter().enumerate() {
            let name = format!("_B{t}_{j}");
            out += &body(&name, call.form, &call.code);
            row.push(name);
        }
        names.push(format!("[{}]", row.join(", ")));
    }
    let _ = writeln!(out, "_BODIES = [{}]", names.join(", "));
    let _ = writeln!(
        out,
        "def FILL(_O, _a, _z, {VALUES}):\n    for _i in range(_a, _z):\n        _O[_i] = {}",
        scenario.make
    );
    out += "def CLEAR(_O, _n):\n    for _i in range(_n):\n        _O[_i] = None\n";
    let threads = scenario.threads.len();
    for t in 0..threads {
        out += &stride(scenario, t, false);
        out += &stride(scenario, t, true);
        out += &free(scenario, t);
        out += &slot(scenario, t);
    }
    let list = |prefix: &str| {
        (0..threads)
            .map(|t| format!("{prefix}{t}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let _ = writeln!(
        out,
        "_THREADS = [{}]\n_MEASURED = [{}]\n_FREE = [{}]\n_SLOTS = [{}]",
        list("_T"),
        list("_M"),
        list("_F"),
        list("_U")
    );
    out += &observe_all(scenario);
    out
}

/// Thread `t` over an array of fresh objects. It publishes where it is, waits by plainly
/// reading the others' progress, then loops a few turns (its phase) and runs its operations.
/// The measured variant also notes whether another thread had already finished the object.
/// Names start with `_` so that none hides a name of the subject's.
fn stride(scenario: &Scenario, t: usize, measured: bool) -> String {
    let others: Vec<usize> = (0..scenario.threads.len()).filter(|&u| u != t).collect();
    let calls = &scenario.threads[t];
    let mut params: Vec<String> = ["_O", "_n", "_A", "_L", "_J"].map(str::to_owned).into();
    params.extend(others.iter().map(|u| format!("_W{u}")));
    params.extend((0..calls.len()).map(|j| format!("_R{j}")));
    if measured {
        params.extend(["_E".into(), "_S".into()]);
        params.extend(others.iter().map(|u| format!("_E{u}")));
    }
    params.push(VALUES.into());
    let wait = others
        .iter()
        .map(|u| format!("_W{u}[_i] is None"))
        .collect::<Vec<_>>()
        .join(" or ");
    let name = if measured { "_M" } else { "_T" };
    let mut out = format!(
        "def {name}{t}({}):\n    for _i in range(_n):\n",
        params.join(", ")
    );
    out += "        o = _O[_i]\n        _A[_i + _L] = 1\n";
    let _ = writeln!(out, "        while {wait}:\n            pass");
    out += "        _j = _J[_i]\n        while _j:\n            _j -= 1\n";
    if measured {
        let finished = others
            .iter()
            .map(|u| format!("_E{u}[_i]"))
            .collect::<Vec<_>>()
            .join(" or ");
        let _ = writeln!(out, "        _S[_i] = {finished}");
    }
    out += &operations(calls);
    if measured {
        out += "        _E[_i] = 1\n";
    }
    out
}

/// The operations of a thread on `o`, their results kept.
fn operations(calls: &[Call]) -> String {
    let mut out = String::new();
    for (j, call) in calls.iter().enumerate() {
        let _ = write!(
            out,
            "        try:\n            {}\n        except BaseException as _e:\n            _R{j}[_i] = X(_e)\n",
            store(call, &format!("_R{j}[_i]"))
        );
    }
    out
}

/// Thread `t` over the same array without regard to the others.
fn free(scenario: &Scenario, t: usize) -> String {
    let calls = &scenario.threads[t];
    let results: String = (0..calls.len()).map(|j| format!("_R{j}, ")).collect();
    format!(
        "def _F{t}(_O, _n, {results}{VALUES}):\n    for _i in range(_n):\n        o = _O[_i]\n{}",
        operations(calls)
    )
}

fn store(call: &Call, target: &str) -> String {
    match call.form {
        Form::Get => format!("{target} = {}", call.code),
        Form::Do | Form::Run => call.code.clone(),
    }
}

/// Thread `t` on the shared slot: used-up iterators and every `_M + 1`-th turn replace the object.
fn slot(scenario: &Scenario, t: usize) -> String {
    let mut out = format!(
        "def _U{t}(_S, _n, _M, _Z, {VALUES}):\n    for _i in range(1, _n):\n        o = _S[0]\n"
    );
    for call in &scenario.threads[t] {
        let _ = write!(
            out,
            "        try:\n            {}\n        except StopIteration:\n            _S[0] = MK()\n        \
             except BaseException as _e:\n            if type(_e).__name__ in ALARM and len(_Z) < 8:\n                \
             _Z.append(render(X(_e)))\n",
            call.code
        );
    }
    out + "        if not _i & _M:\n            _S[0] = MK()\n"
}

/// Observing a part of a stride's objects, which are at rest.
fn observe_all(scenario: &Scenario) -> String {
    format!(
        "def OBSERVE(_O, _F, _n, {VALUES}):\n    for _i in range(_n):\n        o = _O[_i]\n        try:\n            \
         _F[_i] = {observe}\n        except BaseException as _e:\n            _F[_i] = X(_e)\n",
        observe = scenario.context.observe
    )
}

/// One scenario as an entry of a job.
pub fn entry(scenario: &Scenario, id: usize, ms: u64, orders: &super::orders::Orders) -> String {
    let orders: Vec<String> = orders
        .list
        .iter()
        .map(|o| quote(&o.iter().map(|t| t.to_string()).collect::<String>()))
        .collect();
    let shapes: String = scenario
        .shapes
        .iter()
        .map(|s| if *s == Shape::Stride { 't' } else { 's' })
        .collect();
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let fresh = u8::from(scenario.has_fresh_objects());
    format!(
        "{{'id': {id}, 'ms': {ms}, 'n': {n}, 'shapes': {shapes}, 'ops': [{lens}], 'slow': {fresh}, 'fresh': {fresh}, 'counted': {counted}, \
         'keeps': {keeps}, 'orders': [{orders}], 'src': {src}}}",
        counted = u8::from(scenario.has_fresh_objects() || scenario.has_tokens()),
        n = scenario.context.size,
        shapes = quote(&shapes),
        lens = lens.join(", "),
        keeps = u8::from(scenario.context.keeps),
        orders = orders.join(", "),
        src = quote(&source(scenario)),
    )
}
