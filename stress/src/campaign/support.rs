//! What a VM lacks: each set-up, each operation and the check tried alone in one thread. What one thread never
//! gets to work is left out and said: it would be told of every scenario otherwise, and no race is needed for it.

use crate::choice::Recorded;
use crate::introspect::unasked;
use crate::python::quote;
use crate::scenario::generate::fill;
use crate::scenario::render::{body, check, make, observe, prelude, reset};
use crate::subject::{Op, Subject};
use crate::vm::child::{End, Limits};
use crate::vm::{Vm, VmError, job};
use std::time::Duration;

/// A subject reduced to what a VM supports.
#[derive(Clone, Debug)]
pub struct Supported {
    /// The subject with the set-ups and operations that work.
    pub subject: Subject,
    /// Set-ups and operations left out, and the [`CHECK`], each with the reason.
    pub lacking: Vec<(String, String)>,
    /// Why nothing works.
    pub skipped: Option<String>,
}

/// Begins the reason of what one thread that calls it alone does not survive.
pub const BROKEN_ALONE: &str = "alone in one thread: ";

/// Begins the name of a check among what is left out.
pub const CHECK: &str = "check: ";

/// Exceptions that say "not here" rather than "not with this argument".
pub const MISSING: &[&str] = &[
    "!NameError",
    "!NotImplementedError",
    "!ImportError",
    "!SyntaxError",
    "!ModuleNotFoundError",
];

/// Tries a subject on a VM; one of which only the name is known is introspected first.
pub fn of(vm: &Vm, subject: &Subject) -> Result<Supported, VmError> {
    if !subject.generic {
        return tried(vm, subject);
    }
    Ok(match unasked(vm, &subject.name) {
        Ok(found) => return tried(vm, &found.subject),
        Err(error) => Supported {
            subject: subject.clone(),
            lacking: Vec::new(),
            skipped: Some(error.to_string()),
        },
    })
}

/// Each set-up and operation, alone in one thread.
fn tried(vm: &Vm, subject: &Subject) -> Result<Supported, VmError> {
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
        let part = |kind: &str, code: &str, src: &str| {
            format!("('{kind}', {}, {})", quote(code), quote(src))
        };
        let makes: Vec<_> = supported.make.iter().map(|m| make(&filled(m))).collect();
        let operation = |op: &Op| body("OP", op.form, &filled(&op.code));
        let operations: Vec<_> = supported.ops.iter().map(operation).collect();
        let mut parts = Vec::new();
        for (code, src) in supported.make.iter().zip(&makes) {
            parts.push(part(
                "make",
                code,
                &(src.clone() + &observe(&subject.observe)),
            ));
        }
        for (op, src) in supported.ops.iter().zip(&operations) {
            parts.push(part("op", &op.code, src));
        }
        if let Some(code) = &supported.check {
            parts.push(part("check", &format!("{CHECK}{code}"), &check(code)));
        }
        let list = |sources: &[String]| -> String {
            let quoted: Vec<_> = sources.iter().map(|s| quote(s)).collect();
            quoted.join(", ")
        };
        let job = format!(
            "{{'mode': 'probe', 'seed': 0, 'prelude': {}, 'makes': [{}], 'operations': [{}], 'parts': [{}]}}",
            quote(&ready),
            list(&makes),
            list(&operations),
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
            let is_op = supported.ops.iter().any(|op| op.code == *what);
            let missing = MISSING.iter().any(|m| how.starts_with(m))
                || (how.starts_with("!AttributeError") && vm.facts.implementation != "cpython");
            if !is_op || missing {
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
        let is_left_out = |code: &String| {
            let of = |(what, _): &(String, String)| what.strip_prefix(CHECK) == Some(code);
            lacking.iter().any(of)
        };
        supported.check = supported.check.filter(|code| !is_left_out(code));
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
