//! From what introspection found to a subject.

use super::run::{Found, SCRIPT};
use super::{Introspected, Next, Target};
use crate::python::quote;
use crate::subject::{Flavour, Form, Guarantee, Op, Subject, SubjectError};
use crate::vm::Vm;
use std::path::Path;

/// Largest stride of a found subject: its objects may be expensive.
const SIZE: usize = 2000;

/// Observes values that are no plain ones, such as what an instance's `__dict__` holds.
/// The same text stands in `introspect.py`, as `STATE`.
const STATE_OF: &str = "state_of";

impl Target {
    /// The subject; what was found may be too little for one.
    pub(super) fn subject(&self, vm: &Vm, found: Found) -> Result<Introspected, SubjectError> {
        if let Some(reason) = &found.refused {
            let next = match () {
                () if self.text.is_some() => Next::FixFile,
                () if reason.contains("does not import") => Next::Install,
                () => Next::WriteFile,
            };
            return Err(self.error(vm, reason, next));
        }
        let property = |key: &str| {
            found
                .properties
                .get(key)
                .map(String::as_str)
                .unwrap_or_default()
        };
        // One object for everybody: nothing is fresh, so no sequential order is a specification.
        let shared =
            property("shared") == "1" || (self.text.is_none() && self.attribute.is_empty());
        let path = property("path") == "1";
        let mut ops = Vec::new();
        for (form, guarantee, code) in &found.ops {
            let guarantee = if shared || guarantee == "composite" {
                Guarantee::Composite
            } else {
                Guarantee::Silent
            };
            let op = match form.as_str() {
                "get" if !shared => Op {
                    code: code.clone(),
                    form: Form::Get,
                    guarantee,
                    raises: None,
                },
                "do" => Op {
                    code: code.clone(),
                    form: Form::Do,
                    guarantee,
                    raises: None,
                },
                "given" => Op::parse(code, guarantee),
                _ => Op {
                    code: code.clone(),
                    form: Form::Run,
                    guarantee,
                    raises: None,
                },
            };
            if op.code.is_empty() {
                return Err(self.error(vm, "an operation is empty", Next::FixFile));
            }
            ops.push(op);
        }
        if ops.is_empty() {
            return Err(self.error(vm, "it has no operations", Next::WriteFile));
        }
        let flavours = self.flavours(property("flavours"))?;
        let mut requires: Vec<String> = Vec::new();
        if self.text.is_none() && !path {
            requires.push(self.module.clone());
        }
        for module in ["copy", "weakref", "gc"] {
            if ops
                .iter()
                .any(|op| op.code.starts_with(&format!("{module}.")))
                && self.module != module
            {
                requires.push(module.to_owned());
            }
        }
        let observe = if shared {
            "None".to_owned()
        } else {
            found.observe.clone()
        };
        let mut prelude = self.prelude(path);
        if observe.contains(STATE_OF) {
            prelude += state_of();
        }
        let stem = Path::new(&self.name)
            .file_stem()
            .map_or_else(|| self.name.clone(), |s| s.to_string_lossy().into_owned());
        let subject = Subject {
            name: if self.text.is_some() {
                stem
            } else {
                self.name.trim_end_matches(':').to_owned()
            },
            doc: format!(
                "found by introspection: {} operations, {} left out",
                ops.len(),
                found.left.len()
            ),
            requires,
            prelude,
            make: found.makers.clone(),
            observe,
            check: found.properties.get("check").cloned(),
            keys: flavours
                .iter()
                .copied()
                .filter(|f| !matches!(f, Flavour::Tok | Flavour::Obj))
                .collect(),
            flavours,
            callbacks: property("callbacks") == "1",
            keeps: shared || property("keeps") == "1",
            shapes: "ts".to_owned(),
            reset: None,
            company: true,
            generic: false,
            size: SIZE,
            source: String::new(),
            ops,
            raises: Vec::new(),
        };
        Ok(Introspected {
            subject,
            left_out: found.left,
        })
    }

    fn flavours(&self, text: &str) -> Result<Vec<Flavour>, SubjectError> {
        let mut flavours = Vec::new();
        for word in text.split_whitespace() {
            flavours.push(match word {
                "small" => Flavour::Small,
                "int" => Flavour::Int,
                "str" => Flavour::Str,
                "tok" => Flavour::Tok,
                "obj" => Flavour::Obj,
                other => {
                    return Err(SubjectError::Format {
                        origin: self.name.clone(),
                        message: format!(
                            "flavours are small, int, str, tok and obj, not '{other}'"
                        ),
                    });
                }
            });
        }
        // Keys must be hashable and comparable, so at least one flavour without identity stays.
        if !flavours
            .iter()
            .any(|f| matches!(f, Flavour::Small | Flavour::Int | Flavour::Str))
        {
            flavours.insert(0, Flavour::Small);
        }
        Ok(flavours)
    }

    /// What a scenario runs before its set-up. A file's text goes along, so that a reproducer
    /// needs nothing else; it runs in a namespace of its own, so that no name of it can hide
    /// one of the harness's.
    pub(super) fn prelude(&self, path: bool) -> String {
        let Some(text) = &self.text else {
            return if path {
                format!(
                    "import sys\nsys.path.append({})\nimport {}\n",
                    quote(&Self::folder()),
                    self.module
                )
            } else {
                String::new()
            };
        };
        let mut out = "class Namespace(object):\n    pass\n\n\nsubject = Namespace()\nspace = {'__name__': 'subject'}\n".to_owned();
        out += "exec('\\n'.join([\n";
        for line in text.lines() {
            out += &format!("    {},\n", quote(line));
        }
        out += "]), space)\nfor name in list(space):\n    if name[:2] != '__':\n        setattr(subject, name, space[name])\n        \
                globals().setdefault(name, space[name])\n";
        out
    }
}

/// The helper's text, taken out of the script so that it stands in one place only.
fn state_of() -> &'static str {
    let from = SCRIPT.find("def state_of(").unwrap_or_default();
    let text = &SCRIPT[from..];
    &text[..text.find("\"\"\"").unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_helper_is_cut_out_of_the_script_whole() {
        let text = state_of();
        assert!(
            text.starts_with("def state_of(x, depth=5):\n") && text.ends_with("'>'\n"),
            "{text}"
        );
    }

    #[test]
    fn the_text_of_a_file_goes_along_quoted() {
        let target = Target {
            name: "x.py".into(),
            module: String::new(),
            attribute: String::new(),
            text: Some("a = 'q'\nb = \"\\n\"".into()),
            careful: false,
        };
        let prelude = target.prelude(false);
        assert!(
            prelude.contains(r"    'a = \'q\'',") && prelude.contains(r#"    'b = "\\n"',"#),
            "{prelude}"
        );
    }
}
