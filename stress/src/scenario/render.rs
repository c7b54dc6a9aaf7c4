//! A scenario as the Python code that the harness executes.

use super::Scenario;
use super::threads::{HARNESS, Thread, VALUES};
use crate::python::quote;
use crate::subject::Form;
use std::fmt::Write as _;

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

/// `def CHECK(o): return <check>`.
pub fn check(code: &str) -> String {
    format!("def CHECK(o, {VALUES}):\n    return {code}\n")
}

/// `def RESET(): <code>`.
pub fn reset(code: &str) -> String {
    format!("def RESET():\n    {code}\n")
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
    if let Some(code) = &context.check {
        out += &check(code);
    }
    if let Some(code) = &context.reset {
        out += &reset(code);
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
        let thread = Thread::new(scenario, t, &HARNESS);
        out += &thread.stride(&format!("_T{t}"), true, false);
        out += &thread.stride(&format!("_M{t}"), true, true);
        out += &thread.free(&format!("_F{t}"));
        out += &thread.slot(&format!("_U{t}"));
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

/// Observing a part of a stride's objects, which are at rest.
fn observe_all(scenario: &Scenario) -> String {
    format!(
        "def OBSERVE(_O, _F, _n, {VALUES}):\n    for _i in range(_n):\n        o = _O[_i]\n        try:\n            \
         _F[_i] = {observe}\n        except BaseException as _e:\n            _F[_i] = X(_e)\n",
        observe = scenario.context.observe
    )
}

/// Milliseconds of a thread's own time for the search of orders that give what was observed.
const SEARCH_MS: u64 = 500;

/// A process of its own for each trial takes so many times the time that other scenarios have.
const PROCESSES: u64 = 3;

/// One scenario as an entry of a job.
pub fn entry(scenario: &Scenario, id: usize, ms: u64, orders: &super::orders::Orders) -> String {
    let ms = match scenario.shapes.contains(&super::Shape::Process) {
        true => ms * PROCESSES,
        false => ms,
    };
    let orders: Vec<String> = orders
        .list
        .iter()
        .map(|o| quote(&o.iter().map(|t| t.to_string()).collect::<String>()))
        .collect();
    let shapes: String = scenario.shapes.iter().map(|s| s.letter()).collect();
    let company: Vec<String> = scenario.company.iter().map(|c| quote(c.name())).collect();
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let fresh = u8::from(scenario.has_fresh_objects());
    let code = source(scenario);
    format!(
        "{{'id': {id}, 'ms': {ms}, 'search': {SEARCH_MS}, 'n': {n}, 'shapes': {shapes}, 'company': [{company}], 'ops': [{lens}], 'slow': {fresh}, 'fresh': {fresh}, 'counted': {counted}, \
         'keeps': {keeps}, 'in_time': {in_time}, 'orders': [{orders}], 'raises': [{raises}], 'src': {src}}}",
        counted = u8::from(scenario.has_fresh_objects() || scenario.has_tokens()),
        n = scenario.context.size,
        shapes = quote(&shapes),
        company = company.join(", "),
        lens = lens.join(", "),
        keeps = u8::from(scenario.context.keeps),
        in_time = u8::from(is_done_when_it_ends(scenario, &code)),
        orders = orders.join(", "),
        raises = raises(scenario),
        src = quote(&code),
    )
}

/// Names in code whose effects may come after the operation that causes them: an object's end is up to reference
/// counts that threads settle later and to the collector, and a thread, process or signal that is started runs on.
const LATER: &[&str] = &[
    "weakref",
    "Weak",
    "__del__",
    "finalize",
    "getrefcount",
    "gc.",
    "get_objects",
    "get_referrers",
    "Thread(",
    "start_new",
    "start_joinable",
    "Timer",
    "submit",
    "Executor",
    "interp",
    "fork",
    "signal",
    "kill",
    "sleep",
    "call_soon",
    "call_later",
];

/// Whether all that an operation does is done when it ends, so that a later one must see it: as far as names in the
/// code tell, and alone, for company causes what is named nowhere.
fn is_done_when_it_ends(scenario: &Scenario, code: &str) -> bool {
    scenario.company.is_empty() && !LATER.iter().any(|name| code.contains(name))
}

/// The exceptions by design of each operation, as a Python list's items.
pub fn raises(scenario: &Scenario) -> String {
    let lists: Vec<String> = scenario
        .raises()
        .iter()
        .map(|names| {
            let names: Vec<String> = names.iter().map(|n| quote(n)).collect();
            format!("[{}]", names.join(", "))
        })
        .collect();
    lists.join(", ")
}
