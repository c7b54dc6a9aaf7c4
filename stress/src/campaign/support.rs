//! What a VM lacks: each set-up and each operation tried alone in one thread.

use crate::choice::Recorded;
use crate::python::quote;
use crate::scenario::generate::fill;
use crate::scenario::render::{body, make, observe, prelude, reset};
use crate::subject::Subject;
use crate::vm::child::{End, Limits};
use crate::vm::{Vm, VmError, job};
use std::time::Duration;

/// A subject reduced to what a VM supports.
#[derive(Clone, Debug)]
pub struct Supported {
    /// The subject with the set-ups and operations that work.
    pub subject: Subject,
    /// Set-ups and operations left out, with the reason.
    pub lacking: Vec<(String, String)>,
    /// Why nothing works.
    pub skipped: Option<String>,
}

/// Begins the reason of what one thread that calls it alone does not survive.
pub const BROKEN_ALONE: &str = "alone in one thread: ";

/// Exceptions that say "not here" rather than "not with this argument".
const MISSING: &[&str] = &[
    "!NameError",
    "!NotImplementedError",
    "!ImportError",
    "!SyntaxError",
    "!ModuleNotFoundError",
];

/// Tries a subject on a VM.
pub fn of(vm: &Vm, subject: &Subject) -> Result<Supported, VmError> {
    let filled = |text: &str| {
        fill(
            text,
            subject.flavours[0],
            subject.keys[0],
            &mut Recorded(&[]),
        )
    };
    let mut supported = subject.clone();
    let mut lacking = Vec::new();
    let skipped = |subject: &Subject, lacking: Vec<(String, String)>, reason: String| {
        Ok(Supported {
            subject: subject.clone(),
            lacking,
            skipped: Some(reason),
        })
    };
    let mut ready = prelude(&subject.requires, &subject.prelude);
    if let Some(code) = &subject.reset {
        ready += &(reset(code) + "RESET()\n");
    }
    // A part that ends the process is left out and the rest is tried again.
    for _ in 0..8 {
        let mut parts = Vec::new();
        for code in &supported.make {
            let src = make(&filled(code)) + &observe(&subject.observe);
            parts.push(format!("('make', {}, {})", quote(code), quote(&src)));
        }
        let first = make(&filled(&supported.make[0])) + &observe(&subject.observe);
        for op in &supported.ops {
            let src = first.clone() + &body("OP", op.form, &filled(&op.code));
            parts.push(format!("('op', {}, {})", quote(&op.code), quote(&src)));
        }
        let job = format!(
            "{{'mode': 'probe', 'seed': 0, 'prelude': {}, 'parts': [{}]}}",
            quote(&ready),
            parts.join(", ")
        );
        let limits = Limits {
            silence: Duration::from_secs(10),
            ..Limits::default()
        };
        let log = job::run(vm, &job, limits)?;
        match log.support.iter().find(|(what, _)| what == "subject") {
            None => return skipped(subject, lacking, log.how_it_ended()),
            Some((_, reason)) if reason != "ok" => {
                return skipped(subject, lacking, reason.trim_start_matches('!').to_owned());
            }
            Some(_) => {}
        }
        for (what, how) in log
            .support
            .iter()
            .filter(|(what, how)| what != "subject" && how != "ok")
        {
            let is_make = supported.make.iter().any(|m| m == what);
            let missing = MISSING.iter().any(|m| how.starts_with(m))
                || (how == "!AttributeError" && vm.facts.implementation != "cpython");
            if is_make || missing {
                lacking.push((what.clone(), how.trim_start_matches('!').to_owned()));
            }
        }
        let unfinished = (!log.finished && log.end() != End::Interrupted)
            .then(|| log.last_begun.clone())
            .flatten();
        if let Some(part) = &unfinished {
            lacking.push((
                part.clone(),
                format!("{BROKEN_ALONE}{}", log.how_it_ended()),
            ));
        }
        supported
            .make
            .retain(|m| !lacking.iter().any(|(what, _)| what == m));
        supported
            .ops
            .retain(|op| !lacking.iter().any(|(what, _)| *what == op.code));
        if supported.make.is_empty() || supported.ops.is_empty() {
            let reason = lacking
                .first()
                .map_or_else(String::new, |(what, why)| format!("{what}: {why}"));
            return skipped(subject, lacking, format!("nothing of it works ({reason})"));
        }
        if unfinished.is_none() {
            break;
        }
    }
    Ok(Supported {
        subject: supported,
        lacking,
        skipped: None,
    })
}
