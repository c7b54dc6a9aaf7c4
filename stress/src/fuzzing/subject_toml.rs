//! Target `subject_toml`: subject files, and the Python that their scenarios become.

use super::edit::edited;
use super::python::{Part, compile};
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, nth};
use crate::scenario::render::{prelude, source};
use crate::subject::{Form, parse};

const TEXTS: [&str; 3] = [
    "[[subject]]\nname = \"list\"\ndoc = \"d\"\nmake = [\"[]\", \"[{v1}, {v2}]\"]\nfinal = \"tuple(o)\"\ncheck = \"len(o) >= 0\"\nflavours = [\"small\", \"obj\"]\nshapes = \"ts\"\n\
     source = \"s\"\natomic = [\"o.append({v})\", \"do: del o[{i}]\", \"run: o.copy()\"]\nsilent = [\"o.index({v}, {n})\"]\nraises = [\"ValueError: x\"]\n",
    "[[subject]]\nname = \"box\"\ndoc = \"d\"\nrequires = [\"os.path\", \"re\"]\nprelude = '''\nclass Box:\n    def __init__(self, x):\n        self.x = x  # one\n'''\n\
     make = [\"Box({1: {k}})\"]\nfinal = \"(o.x, type(o).__name__)\"\nkeys = [\"str\"]\ncallbacks = true\nkeeps = false\nsize = 100\n\
     composite = [\"do: o.x = {v}; o.y = 1\", \"[x for x in o.x if x]\", \"do: for x in o.x: pass\", \"lambda: o\"]\n",
    "[[subject]]\nname = \"a\"\ndoc = \"\"\nmake = [\"bytearray(b'{b}')\"]\nfinal = \"bytes(o)\"\nflavours = [\"tok\"]\nkeys = [\"int\"]\nshapes = \"s\"\nsilent = [\"o.pop()\"]\n\n\
     [[subject]]\nname = \"b\"\ndoc = \"\"\nmake = [\"{v}\"]\nfinal = \"o\"\nsilent = ['''o.f(\"{ v }\", '{k1}')''', \"do: with o: pass\"]\n",
];

const WORDS: [&str; 40] = [
    "{v}",
    "{k2}",
    "{i}",
    "{n}",
    "{b}",
    "{",
    "}",
    "do:",
    "run:",
    "\\n",
    "\\r",
    "\\f",
    "\\\\",
    "\\t",
    "\\u2028",
    "\\u00a0",
    "\n",
    " #",
    ";",
    "(",
    ")",
    "[",
    "]",
    "'",
    "\"",
    "'''",
    "lambda: ",
    "yield ",
    "return ",
    "o",
    " if 1 else ",
    "*",
    ":=",
    "=",
    "await ",
    "global o",
    "é",
    "\"silent\"",
    "size = 18446744073709551615\n",
    "shapes = \"st\"\n",
];

fn parts<'a>(scenario: &'a Scenario, prelude: &'a str) -> Vec<(Part, &'a str)> {
    let context = &scenario.context;
    let mut parts = vec![
        (Part::Module, prelude),
        (Part::Expression, scenario.make.as_str()),
        (Part::Expression, context.observe.as_str()),
    ];
    parts.extend(
        context
            .check
            .iter()
            .map(|check| (Part::Expression, check.as_str())),
    );
    parts.extend(scenario.calls().map(|call| match call.form {
        Form::Get => (Part::Expression, call.code.as_str()),
        Form::Do | Form::Run => (Part::Statement, call.code.as_str()),
    }));
    parts
}

/// A subject file that is accepted gives scenarios that read back from their text, and whose Python
/// compiles wherever each of the file's own expressions and statements compiles by itself.
///
/// # Panics
/// When it does not, or when there is no `python3`.
pub fn subject_toml(bytes: &[u8]) {
    let text = edited(bytes, &TEXTS, &WORDS);
    let subjects = match parse("a file", &text) {
        Ok(subjects) => subjects,
        Err(error) => {
            assert!(error.to_string().starts_with("a file: "), "{error}");
            return;
        }
    };
    for subject in subjects.iter().take(2) {
        for k in [0, 1, 3] {
            let scenario = nth(subject, 1, k, Limits { threads: 3, ops: 2 });
            let read = Scenario::from_text(&scenario.to_text()).expect("own text parses");
            assert_eq!(read, scenario);
            let prelude = prelude(&scenario.context.requires, &scenario.context.prelude);
            let (parts, whole) = compile(&parts(&scenario, &prelude), &source(&scenario));
            if let (true, Some(error)) = (parts.is_empty(), whole) {
                panic!("{error}\nin {text}\nwhich is\n{}", source(&scenario));
            }
        }
    }
}
