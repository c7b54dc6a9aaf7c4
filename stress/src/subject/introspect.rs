//! Subjects found by introspection: any type, factory or module that the user names.
//!
//! A Python script (`introspect.py`) imports the target on the VM, tries constructor
//! arguments, then every public method, attribute and protocol with a few sensible
//! arguments, each in one thread on a fresh object, and keeps the calls that work. Whatever
//! ends or stops its process alone is left out, so that a hunt never reports as a race what
//! one thread can do.

use super::{Flavour, Form, Guarantee, Op, Subject, SubjectError};
use crate::scenario::render::quote;
use crate::vm::child::{End, Limits};
use crate::vm::{Vm, job};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const SCRIPT: &str = include_str!("introspect.py");

/// Most processes that may end early before the type is given up.
const MOST_ENDS: usize = 30;

/// Largest stride of a found subject: its objects may be expensive.
const SIZE: usize = 2000;

/// Observes values that are no plain ones, such as what an instance's `__dict__` holds.
/// The same text stands in `introspect.py`, as `STATE`.
const STATE_OF: &str = "state_of";

/// A subject and what introspection left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspected {
    /// The subject.
    pub subject: Subject,
    /// What was left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// Whether a `--subject` names something to introspect: `package.module:Type`, `package.module:` or `file.py`.
pub fn names(name: &str) -> bool {
    name.contains(':') || name.ends_with(".py")
}

/// The subject that `package.module:Type`, `package.module:factory`, `package.module:` (the
/// module itself) or `path/file.py` names, as this VM supports it.
///
/// A `file.py` defines `make()`, which returns a fresh object to share. It may define
/// `operations = ["o.push({v})", "do: del o[{i}]", …]` (else they are found as for a type),
/// `final(o)` (what is observed at rest), `check(o)` (must be `True` at rest) and
/// `flavours = ["small", "str"]` (what values may become).
///
/// # Errors
/// [`SubjectError::Read`] when the file cannot be read; [`SubjectError::Format`] when the
/// target does not import, has no usable constructor or no operation works; the message
/// names the cause and the next step.
pub fn introspect(vm: &Vm, name: &str) -> Result<Subject, SubjectError> {
    examine(vm, name).map(|found| found.subject)
}

/// As [`introspect`], with what was left out.
///
/// # Errors
/// As [`introspect`].
pub fn examine(vm: &Vm, name: &str) -> Result<Introspected, SubjectError> {
    let target = Target::parse(name)?;
    // What ended the process when tried: left out in the next run.
    let mut skip: BTreeMap<String, String> = BTreeMap::new();
    // A busy machine stops a process as well as a lock does: only what blocks twice in a row blocks.
    let mut suspect = None;
    let mut last = String::new();
    for _ in 0..MOST_ENDS {
        let found = target.run(vm, &skip)?;
        let Some(ended) = found.ended else {
            return target.subject(vm, found);
        };
        last = format!("{} {}", ended.what, ended.how);
        let confirmed = !ended.blocked || suspect.as_ref() == Some(&ended.what);
        if confirmed && !ended.what.is_empty() {
            skip.insert(ended.what, ended.how);
        } else {
            suspect = Some(ended.what);
        }
    }
    let what = format!("introspection ended early {MOST_ENDS} times, the last time at: {last}");
    Err(target.error(vm, &what, Next::WriteFile))
}

/// What a user can do about an error.
#[derive(Clone, Copy)]
enum Next {
    Install,
    WriteFile,
    FixFile,
}

/// What the user named.
struct Target {
    name: String,
    module: String,
    attribute: String,
    /// Text of the file, for `file.py`.
    text: Option<String>,
}

/// One run of the script.
#[derive(Default)]
struct Found {
    makers: Vec<String>,
    observe: String,
    ops: Vec<(String, String, String)>,
    properties: BTreeMap<String, String>,
    left: Vec<(String, String)>,
    refused: Option<String>,
    ended: Option<Ended>,
}

/// The end of a process before its last record.
struct Ended {
    /// What was being tried.
    what: String,
    how: String,
    blocked: bool,
}

impl Target {
    fn parse(name: &str) -> Result<Self, SubjectError> {
        if name.ends_with(".py") {
            let text = std::fs::read_to_string(name).map_err(|source| SubjectError::Read {
                path: Path::new(name).to_owned(),
                source,
            })?;
            return Ok(Self {
                name: name.to_owned(),
                module: String::new(),
                attribute: String::new(),
                text: Some(text),
            });
        }
        let (module, attribute) = name.split_once(':').ok_or_else(|| SubjectError::Unknown {
            name: name.to_owned(),
        })?;
        let dotted = |s: &str| {
            s.split('.').all(|p| {
                p.chars().all(|c| c.is_alphanumeric() || c == '_')
                    && p.chars().next().is_some_and(|c| !c.is_numeric())
            })
        };
        if !dotted(module) || !(attribute.is_empty() || dotted(attribute)) {
            let message = "a type is named 'package.module:Type', a module 'package.module:', a file 'path/file.py'".to_owned();
            return Err(SubjectError::Format {
                origin: name.to_owned(),
                message,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            module: module.to_owned(),
            attribute: attribute.to_owned(),
            text: None,
        })
    }

    fn error(&self, vm: &Vm, what: &str, next: Next) -> SubjectError {
        let next = match next {
            Next::Install => {
                "install it for that interpreter (user site packages are left out; a virtual environment's interpreter \
                 works as --vm), set PYTHONPATH, or start in the folder that holds it"
            }
            Next::WriteFile => {
                "write a file.py with make() and operations = [...], and give it as --subject file.py \
                 (stress/examples-py/README.md)"
            }
            Next::FixFile => "see stress/examples-py/README.md",
        };
        SubjectError::Format {
            origin: self.name.clone(),
            message: format!("{what} ({}); {next}", vm.facts.title()),
        }
    }

    fn folder() -> String {
        std::env::current_dir()
            .map(|d| d.display().to_string())
            .unwrap_or_default()
    }

    /// What a scenario runs before its set-up. A file's text goes along, so that a reproducer
    /// needs nothing else; it runs in a namespace of its own, so that no name of it can hide
    /// one of the harness's.
    fn prelude(&self, path: bool) -> String {
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

    fn run(&self, vm: &Vm, skip: &BTreeMap<String, String>) -> Result<Found, SubjectError> {
        let skip: Vec<String> = skip
            .iter()
            .map(|(what, how)| format!("{}: {}", quote(what), quote(how)))
            .collect();
        let job = format!(
            "main({{'file': {}, 'module': {}, 'type': {}, 'folder': {}, 'prelude': {}, 'skip': {{{}}}}})\n",
            u8::from(self.text.is_some()),
            quote(&self.module),
            quote(&self.attribute),
            quote(&Self::folder()),
            quote(&self.prelude(false)),
            skip.join(", ")
        );
        let limits = Limits {
            silence: Duration::from_secs(4),
            total: Duration::from_secs(60),
            memory: 2 << 30,
            ..Limits::default()
        };
        let outcome = job::run_file(vm, &format!("{SCRIPT}\n\n{job}"), limits).map_err(|e| {
            SubjectError::Format {
                origin: self.name.clone(),
                message: e.to_string(),
            }
        })?;
        let mut found = Found::default();
        let (mut done, mut last) = (false, String::new());
        for line in &outcome.stdout {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                ["~", "T", what] => (*what).clone_into(&mut last),
                ["~", "M", expression] => found.makers.push((*expression).to_owned()),
                ["~", "F", expression] => (*expression).clone_into(&mut found.observe),
                ["~", "O", form, guarantee, op] => {
                    found.ops.push((
                        (*form).to_owned(),
                        (*guarantee).to_owned(),
                        (*op).to_owned(),
                    ));
                }
                ["~", "L", what, why] => found.left.push(((*what).to_owned(), (*why).to_owned())),
                ["~", "P", key, value] => {
                    found
                        .properties
                        .insert((*key).to_owned(), (*value).to_owned());
                }
                ["~", "E", reason] => found.refused = Some((*reason).to_owned()),
                ["~", "D"] => done = true,
                _ => {}
            }
        }
        // What happens after the last record happens in interpreter shutdown and concerns the hunt.
        if !done {
            let blocked = outcome.end == End::Hang;
            let how = if blocked {
                "it blocks".to_owned()
            } else {
                let log = job::Log {
                    outcome: Some(outcome),
                    ..job::Log::default()
                };
                log.how_it_ended()
            };
            found.ended = Some(Ended {
                what: last,
                how,
                blocked,
            });
        }
        Ok(found)
    }

    fn subject(&self, vm: &Vm, found: Found) -> Result<Introspected, SubjectError> {
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
                },
                "do" => Op {
                    code: code.clone(),
                    form: Form::Do,
                    guarantee,
                },
                "given" => Op::parse(code, guarantee),
                _ => Op {
                    code: code.clone(),
                    form: Form::Run,
                    guarantee,
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
    fn what_names_something_to_introspect() {
        assert!(names("collections:deque") && names("a/b.py") && names("json:"));
        assert!(!names("list") && !names("mine.toml") && !names("itertools*"));
    }

    #[test]
    fn a_name_that_is_no_name_is_refused_before_any_vm_runs() {
        for wrong in ["a b:T", "os;x:T", "m:1x", ":T", "m:T()"] {
            let error = Target::parse(wrong).err().expect("refused").to_string();
            assert!(error.contains("package.module:Type"), "{error}");
        }
    }

    #[test]
    fn the_text_of_a_file_goes_along_quoted() {
        let target = Target {
            name: "x.py".into(),
            module: String::new(),
            attribute: String::new(),
            text: Some("a = 'q'\nb = \"\\n\"".into()),
        };
        let prelude = target.prelude(false);
        assert!(
            prelude.contains(r"    'a = \'q\'',") && prelude.contains(r#"    'b = "\\n"',"#),
            "{prelude}"
        );
    }
}
