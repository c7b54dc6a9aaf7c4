//! Python's own grammar: a `python3` that stays beside the fuzzer and compiles what it is sent.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Answers, for each line of JSON, which parts do not compile by themselves, and whether the whole does.
const SERVER: &str = r#"
import ast, json, sys, warnings
warnings.simplefilter("ignore")
def error(compiles):
    try:
        compiles()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        return "%s: %s" % (type(e).__name__, e)
def expression(code):
    ast.parse(code, mode="eval")
    compile("def f(o):\n    return (" + code + "\n    )\n", "part", "exec")
def statement(code):
    if len((code + "\n").splitlines()) != 1:
        raise SyntaxError("more than one line")
    compile("def f(o):\n    " + code + "\n", "part", "exec")
def module(code):
    compile(code, "part", "exec")
kinds = {"expression": expression, "statement": statement, "module": module}
for line in sys.stdin:
    job = json.loads(line)
    parts = [error(lambda: kinds[kind](code)) for kind, code in job["parts"]]
    whole = error(lambda: compile(job["whole"], "whole", "exec"))
    print(json.dumps([[p for p in parts if p], whole]), flush=True)
"#;

/// What a part of a program is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Expression,
    /// One line.
    Statement,
    Module,
}

struct Server {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

static PYTHON: LazyLock<Mutex<Server>> = LazyLock::new(|| {
    let mut child = Command::new("python3")
        .args(["-S", "-c", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this target needs python3 in PATH: install it");
    let to = child.stdin.take().expect("piped");
    let from = BufReader::new(child.stdout.take().expect("piped"));
    Mutex::new(Server {
        _child: child,
        to,
        from,
    })
});

/// Errors of the parts that do not compile by themselves, and the whole program's.
pub(super) fn compile(parts: &[(Part, &str)], whole: &str) -> (Vec<String>, Option<String>) {
    let name = |part| match part {
        Part::Expression => "expression",
        Part::Statement => "statement",
        Part::Module => "module",
    };
    let parts: Vec<_> = parts
        .iter()
        .map(|(part, code)| (name(*part), code))
        .collect();
    let job = serde_json::json!({"parts": parts, "whole": whole});
    let mut server = PYTHON.lock().unwrap_or_else(PoisonError::into_inner);
    let mut answer = String::new();
    writeln!(server.to, "{job}").expect("python3 reads");
    server.from.read_line(&mut answer).expect("python3 answers");
    serde_json::from_str(&answer).expect("python3 answers in JSON")
}
