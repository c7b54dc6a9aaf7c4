//! Subjects found by introspection: any type, factory or module that the user names.
//!
//! A Python script (`introspect.py`) imports the target on the VM, tries constructor
//! arguments, then every public method, attribute and protocol with a few sensible
//! arguments, each in one thread on a fresh object, and keeps the calls that work. Whatever
//! ends or stops its process alone is left out, so that a hunt never reports as a race what
//! one thread can do.

mod assemble;
mod inventory;
mod run;
mod two;

pub use self::inventory::{
    Coverage, Inventory, Item, Unusable, coverage, generic, inventory, reached_by,
};

use crate::subject::{Guarantee, Subject, SubjectError};
use crate::vm::Vm;
use std::collections::BTreeMap;
use std::path::Path;

/// Most processes that may end early before the type is given up.
const MOST_ENDS: usize = 30;

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
    find(vm, &Target::parse(name)?)
}

/// The subject of a type or module of the inventory's, which nobody has named: what does harm is left alone, and
/// nothing is promised of several calls, so that only what any race may show counts (a crash, a standstill, a leak).
/// A type whose operations take their like is one of two objects.
///
/// # Errors
/// As [`introspect`].
pub fn unasked(vm: &Vm, name: &str) -> Result<Introspected, SubjectError> {
    let mut target = Target::parse(name)?;
    target.careful = true;
    let mut found = find(vm, &target)?;
    name.clone_into(&mut found.subject.name);
    for op in &mut found.subject.ops {
        op.guarantee = Guarantee::Composite;
    }
    two::objects(&mut found.subject);
    Ok(found)
}

/// Tries the target again without what ends or stops the process, until it is through.
fn find(vm: &Vm, target: &Target) -> Result<Introspected, SubjectError> {
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
    /// Whether functions that do harm are left alone, of modules that are named by nobody.
    careful: bool,
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
                careful: false,
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
            careful: false,
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
