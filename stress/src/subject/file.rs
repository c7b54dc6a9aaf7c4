//! Subjects as files hold them: the TOML of `README.md`, checked.

use super::{Flavour, Guarantee, Op, Shape, Subject, SubjectError};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    subject: Vec<RawSubject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSubject {
    name: String,
    doc: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    prelude: String,
    make: Vec<String>,
    #[serde(rename = "final")]
    observe: String,
    check: Option<String>,
    reset: Option<String>,
    #[serde(default = "default_flavours")]
    flavours: Vec<Flavour>,
    #[serde(default = "default_keys")]
    keys: Vec<Flavour>,
    #[serde(default)]
    callbacks: bool,
    #[serde(default)]
    keeps: bool,
    #[serde(default = "default_shapes")]
    shapes: String,
    #[serde(default = "default_size")]
    size: usize,
    #[serde(default = "default_company")]
    company: bool,
    #[serde(default)]
    source: String,
    #[serde(default)]
    atomic: Vec<RawOp>,
    #[serde(default)]
    silent: Vec<RawOp>,
    #[serde(default)]
    composite: Vec<RawOp>,
    #[serde(default)]
    raises: Vec<String>,
}

/// An operation: its code, or a table where it lists exceptions of its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawOp {
    Code(String),
    Table(RawOpTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOpTable {
    op: String,
    raises: Vec<String>,
}

impl RawOp {
    fn parse(self, guarantee: Guarantee) -> Op {
        match self {
            Self::Code(text) => Op::parse(&text, guarantee),
            Self::Table(RawOpTable { op, raises }) => Op {
                raises: Some(raises),
                ..Op::parse(&op, guarantee)
            },
        }
    }
}

fn default_flavours() -> Vec<Flavour> {
    vec![Flavour::Small, Flavour::Int, Flavour::Str, Flavour::Tok]
}

fn default_keys() -> Vec<Flavour> {
    vec![Flavour::Small, Flavour::Int, Flavour::Str]
}

fn default_shapes() -> String {
    "ts".to_owned()
}

fn default_size() -> usize {
    3000
}

fn default_company() -> bool {
    true
}

/// Parses a subject file; `origin` names it in errors.
pub fn parse(origin: &str, text: &str) -> Result<Vec<Subject>, SubjectError> {
    let fail = |message: String| SubjectError::Format {
        origin: origin.to_owned(),
        message,
    };
    let file: RawFile = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    file.subject
        .into_iter()
        .map(|raw| Subject::from_raw(raw).map_err(fail))
        .collect()
}

/// Reads a subject file of the user's.
pub fn load(path: &Path) -> Result<Vec<Subject>, SubjectError> {
    let text = std::fs::read_to_string(path).map_err(|source| SubjectError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&path.display().to_string(), &text)
}

impl Subject {
    fn from_raw(raw: RawSubject) -> Result<Self, String> {
        let name = raw.name;
        let groups = [
            (Guarantee::Atomic, raw.atomic),
            (Guarantee::Silent, raw.silent),
            (Guarantee::Composite, raw.composite),
        ];
        let ops: Vec<Op> = groups
            .into_iter()
            .flat_map(|(guarantee, ops)| ops.into_iter().map(move |op| op.parse(guarantee)))
            .collect();
        if ops.is_empty() {
            return Err(format!("subject '{name}' has no operations"));
        }
        if let Some(op) = ops
            .iter()
            .find(|op| op.code.is_empty() || op.code.contains('\n'))
        {
            return Err(format!(
                "subject '{name}': an operation must be one non-empty line, not {:?}",
                op.code
            ));
        }
        if raw.make.is_empty() {
            return Err(format!("subject '{name}' has no set-up ('make')"));
        }
        if raw.flavours.is_empty() || raw.keys.is_empty() {
            return Err(format!(
                "subject '{name}' has an empty list of flavours or keys"
            ));
        }
        if raw.shapes.is_empty() || raw.shapes.chars().any(|c| Shape::of(c).is_none()) {
            return Err(format!(
                "subject '{name}': shapes must be of 't', 's', 'p' and 'w', not '{}'",
                raw.shapes
            ));
        }
        // Its outcomes are compared by the harness with those of processes, or of objects.
        if raw.shapes.contains('p') && raw.shapes.len() > 1 {
            return Err(format!(
                "subject '{name}': shape 'p' stands alone, not in '{}'",
                raw.shapes
            ));
        }
        if raw.shapes.contains('w') && !raw.prelude.contains("PAUSE") {
            return Err(format!(
                "subject '{name}': shape 'w' needs a callback that calls PAUSE()"
            ));
        }
        if raw
            .reset
            .as_ref()
            .is_some_and(|code| code.is_empty() || code.contains('\n'))
        {
            return Err(format!(
                "subject '{name}': reset must be one non-empty line"
            ));
        }
        if raw.size == 0 {
            return Err(format!("subject '{name}': size must be at least 1"));
        }
        if ops.iter().any(|op| op.guarantee == Guarantee::Atomic) && raw.source.is_empty() {
            return Err(format!(
                "subject '{name}' calls operations atomic without a source"
            ));
        }
        Ok(Self {
            name,
            doc: raw.doc,
            requires: raw.requires,
            prelude: raw.prelude,
            make: raw.make,
            observe: raw.observe,
            check: raw.check,
            reset: raw.reset,
            flavours: raw.flavours,
            keys: raw.keys,
            callbacks: raw.callbacks,
            keeps: raw.keeps,
            shapes: raw.shapes,
            size: raw.size,
            company: raw.company,
            generic: false,
            source: raw.source,
            ops,
            raises: raw.raises,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Form;

    const LIST: &str = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]"]
final = "tuple(o)"
source = "s"
atomic = ["o.append({v})", "do: del o[{i}]", "run: o.copy()"]
"#;

    #[test]
    fn notation_of_operations() {
        let list = &parse("t", LIST).unwrap()[0];
        let forms: Vec<_> = list
            .ops
            .iter()
            .map(|op| (op.form, op.code.as_str()))
            .collect();
        assert_eq!(
            forms,
            [
                (Form::Get, "o.append({v})"),
                (Form::Do, "del o[{i}]"),
                (Form::Run, "o.copy()")
            ]
        );
    }

    #[test]
    fn an_operation_may_list_its_own_exceptions() {
        let text = LIST.replace(
            "\"run: o.copy()\"",
            "{ op = \"run: o.copy()\", raises = [\"KeyError\"] }",
        );
        let list = &parse("t", &text).unwrap()[0];
        assert_eq!(list.ops[2].form, Form::Run);
        assert_eq!(
            list.ops[2].raises.as_deref(),
            Some(&["KeyError".to_owned()][..])
        );
        assert_eq!(list.ops[1].raises, None);
    }

    #[test]
    fn errors_name_the_subject_and_the_field() {
        for (from, to, message) in [
            ("atomic", "atmic", "unknown field"),
            ("source = \"s\"", "", "without a source"),
            ("make = [\"[]\"]", "make = []", "no set-up"),
            (
                "doc = \"d\"",
                "doc = \"d\"\nshapes = \"x\"",
                "shapes must be",
            ),
        ] {
            let error = parse("t.toml", &LIST.replace(from, to))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(message) && error.starts_with("t.toml"),
                "{error}"
            );
        }
    }
}
