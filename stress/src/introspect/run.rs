//! One run of the introspecting script on a VM, read line by line.

use super::Target;
use crate::python::quote;
use crate::subject::SubjectError;
use crate::vm::child::{End, Limits};
use crate::vm::{Vm, job};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is not tried without being asked for.
pub(super) const SCRIPT_OF_HARM: &str = include_str!("harm.py");

/// The script.
pub(super) const SCRIPT: &str = concat!(
    include_str!("harm.py"),
    "\n\n",
    include_str!("introspect.py")
);

/// One run of the script.
#[derive(Default)]
pub(super) struct Found {
    pub makers: Vec<String>,
    pub observe: String,
    pub ops: Vec<(String, String, String)>,
    pub properties: BTreeMap<String, String>,
    pub left: Vec<(String, String)>,
    pub refused: Option<String>,
    pub ended: Option<Ended>,
}

/// The end of a process before its last record.
pub(super) struct Ended {
    /// What was being tried.
    pub what: String,
    pub how: String,
    pub blocked: bool,
}

impl Target {
    /// Tries everything but what is to be skipped.
    pub(super) fn run(
        &self,
        vm: &Vm,
        skip: &BTreeMap<String, String>,
    ) -> Result<Found, SubjectError> {
        let skip: Vec<String> = skip
            .iter()
            .map(|(what, how)| format!("{}: {}", quote(what), quote(how)))
            .collect();
        let job = format!(
            "main({{'file': {}, 'module': {}, 'type': {}, 'folder': {}, 'prelude': {}, 'careful': {}, 'skip': {{{}}}}})\n",
            u8::from(self.text.is_some()),
            quote(&self.module),
            quote(&self.attribute),
            quote(&Self::folder()),
            quote(&self.prelude(false)),
            u8::from(self.careful),
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
}
