//! A scenario as the Python code that the harness executes.
//!
//! Every operation stands inline in its thread's loop: a closure or a call per operation
//! would cost more than the operation and would keep the threads apart.

use super::{Call, Scenario, Shape};
use crate::subject::Form;
use std::fmt::Write as _;

/// A Python string literal that every VM reads, Python 2 included.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
        }
    }
    out.push('\'');
    out
}

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
            let name = format!("B{t}_{j}");
            out += &body(&name, call.form, &call.code);
            row.push(name);
        }
        names.push(format!("[{}]", row.join(", ")));
    }
    let _ = writeln!(out, "BODIES = [{}]", names.join(", "));
    out += "def FILL(O, n):\n    i = 0\n    while i < n:\n        O[i] = MK()\n        i += 1\n";
    out += "def CLEAR(O, n):\n    i = 0\n    while i < n:\n        O[i] = None\n        i += 1\n";
    let threads = scenario.threads.len();
    for t in 0..threads {
        out += &stride(scenario, t, false);
        out += &stride(scenario, t, true);
        out += &slot(scenario, t);
    }
    let list = |prefix: &str| (0..threads).map(|t| format!("{prefix}{t}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "THREADS = [{}]\nMEASURED = [{}]\nSLOTS = [{}]", list("T"), list("M"), list("U"));
    out += &tally(scenario);
    out
}

/// Thread `t` over an array of fresh objects. It publishes where it is, waits by plainly
/// reading the others' progress, then loops a few turns (its phase) and runs its operations.
/// The measured variant also notes whether another thread had already finished the object.
fn stride(scenario: &Scenario, t: usize, measured: bool) -> String {
    let others: Vec<usize> = (0..scenario.threads.len()).filter(|&u| u != t).collect();
    let calls = &scenario.threads[t];
    let mut params = vec!["O".to_owned(), "n".into(), "A".into(), "L".into(), "J".into()];
    params.extend(others.iter().map(|u| format!("W{u}")));
    params.extend((0..calls.len()).map(|j| format!("R{j}")));
    if measured {
        params.extend(["E".into(), "S".into()]);
        params.extend(others.iter().map(|u| format!("E{u}")));
    }
    params.push(VALUES.into());
    let wait = others.iter().map(|u| format!("W{u}[i] is None")).collect::<Vec<_>>().join(" or ");
    let name = if measured { "M" } else { "T" };
    let mut out = format!("def {name}{t}({}):\n    i = 0\n    while i < n:\n", params.join(", "));
    out += "        o = O[i]\n        A[i + L] = 1\n";
    let _ = writeln!(out, "        while {wait}:\n            pass");
    out += "        j = J[i]\n        while j:\n            j -= 1\n";
    if measured {
        let finished = others.iter().map(|u| format!("E{u}[i]")).collect::<Vec<_>>().join(" or ");
        let _ = writeln!(out, "        S[i] = {finished}");
    }
    for (j, call) in calls.iter().enumerate() {
        out += "        try:\n";
        let _ = writeln!(out, "            {}", store(call, &format!("R{j}[i]")));
        let _ = writeln!(out, "        except BaseException as e:\n            R{j}[i] = X(e)");
    }
    if measured {
        out += "        E[i] = 1\n";
    }
    out + "        i += 1\n"
}

fn store(call: &Call, target: &str) -> String {
    match call.form {
        Form::Get => format!("{target} = {}", call.code),
        Form::Do | Form::Run => call.code.clone(),
    }
}

/// Thread `t` on the shared slot: used-up iterators and every `M + 1`-th turn replace the object.
fn slot(scenario: &Scenario, t: usize) -> String {
    let mut out = format!("def U{t}(S, n, M, Z, {VALUES}):\n    i = 0\n    while i < n:\n        o = S[0]\n");
    for call in &scenario.threads[t] {
        let _ = write!(
            out,
            "        try:\n            {}\n        except StopIteration:\n            S[0] = MK()\n        \
             except BaseException as e:\n            if type(e).__name__ in ALARM and len(Z) < 8:\n                \
             Z.append(render(X(e)))\n",
            call.code
        );
    }
    out + "        i += 1\n        if not i & M:\n            S[0] = MK()\n"
}

/// Counting a stride's outcomes: the key is the raw results and the observation.
fn tally(scenario: &Scenario) -> String {
    let slots = scenario.lens().iter().sum::<usize>();
    let params = (0..slots).map(|r| format!("R{r}")).collect::<Vec<_>>().join(", ");
    let key = (0..slots).map(|r| format!("R{r}[i], ")).collect::<String>();
    format!(
        "def TALLY(O, n, D, {params}, {VALUES}):\n    C = D.raw\n    i = 0\n    while i < n:\n        o = O[i]\n        \
         try:\n            f = {observe}\n        except BaseException as e:\n            f = X(e)\n        \
         k = ({key}f)\n        if D.slow:\n            D.add(k)\n        else:\n            \
         try:\n                C[k] += 1\n            except (KeyError, TypeError):\n                D.new(k, o)\n        \
         i += 1\n",
        observe = scenario.context.observe
    )
}

/// One scenario as an entry of a job.
pub fn entry(scenario: &Scenario, id: usize, ms: u64, orders: &super::orders::Orders) -> String {
    let orders: Vec<String> =
        orders.list.iter().map(|o| quote(&o.iter().map(|t| t.to_string()).collect::<String>())).collect();
    let shapes: String =
        scenario.shapes.iter().map(|s| if *s == Shape::Stride { 't' } else { 's' }).collect();
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let fresh = u8::from(scenario.has_fresh_objects());
    format!(
        "{{'id': {id}, 'ms': {ms}, 'n': {n}, 'shapes': {shapes}, 'ops': [{lens}], 'slow': {fresh}, 'fresh': {fresh}, \
         'keeps': {keeps}, 'orders': [{orders}], 'src': {src}}}",
        n = scenario.context.size,
        shapes = quote(&shapes),
        lens = lens.join(", "),
        keeps = u8::from(scenario.context.keeps),
        orders = orders.join(", "),
        src = quote(&source(scenario)),
    )
}
