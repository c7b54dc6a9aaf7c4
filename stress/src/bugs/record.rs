//! Writing measurements back into a bug's file.

use super::signature::Signature;
use super::{Bug, BugsError, Measured, Status, status};
use crate::files::write_atomically;
use crate::identity::told::is_pair;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Tail<'a> {
    measured: &'a [Measured],
}

/// Adds a measurement to `DIR/STEM.toml` and to `bug`, as [`merge`] does, and gives what it gives. What another
/// run of the program wrote there in the meantime is kept: VMs may be measured at once.
///
/// # Errors
/// When the file cannot be read, locked or written, or is malformed.
pub fn add(dir: &Path, bug: &mut Bug, measured: Measured) -> Result<Option<Measured>, BugsError> {
    let path = dir.join(format!("{}.toml", bug.stem));
    let io = |source| BugsError::Io {
        path: path.clone(),
        source,
    };
    let folder = std::fs::File::open(path.parent().unwrap_or(dir)).map_err(io)?;
    // Released when it is dropped, also when the program dies.
    let _lock = Flock::lock(folder, FlockArg::LockExclusive)
        .map_err(|(_, errno)| io(std::io::Error::from(errno)))?;
    let old = std::fs::read_to_string(&path).map_err(io)?;
    bug.measured = super::parse(&bug.stem, &old, "", "")?.measured;
    let replaced = merge(bug, measured);
    let head = confirmed(&old, bug);
    write_atomically(&path, text(&head, &bug.measured).as_bytes()).map_err(io)?;
    Ok(replaced)
}

/// The file's text where pairs of the signature that measurements show are no longer unconfirmed.
fn confirmed(old: &str, bug: &mut Bug) -> String {
    let measured = &bug.measured;
    let shown = |pair: &[String; 2]| {
        let mut all = measured.iter().flat_map(|m| &m.races);
        all.any(|seen| is_pair(pair, seen))
    };
    let signature = &mut bug.signature;
    let (now, still): (Vec<_>, Vec<_>) = signature.unconfirmed.drain(..).partition(shown);
    signature.unconfirmed = still;
    if now.is_empty() {
        return old.to_owned();
    }
    signature.race.extend(now);
    let text = without(old, "race", None);
    without(&text, "unconfirmed", Some(signature))
}

/// The text without the array of this name; in its place, where it is given, the pairs of a signature.
fn without(text: &str, name: &str, pairs: Option<&Signature>) -> String {
    let begins = format!("\n{name} = [");
    let Some(start) = text.find(&begins) else {
        return text.to_owned();
    };
    let (mut depth, mut quoted, mut end) = (0, false, text.len());
    for (at, c) in text[start..].char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            '\n' if depth == 0 && at > 0 => {
                end = start + at;
                break;
            }
            _ => {}
        }
    }
    let mut written = String::new();
    for (name, pairs) in pairs
        .into_iter()
        .flat_map(|s| [("race", &s.race), ("unconfirmed", &s.unconfirmed)])
    {
        if !pairs.is_empty() {
            let lines = pairs.iter().map(|[a, b]| format!("    [{a:?}, {b:?}],\n"));
            written += &format!("\n{name} = [\n{}]", lines.collect::<String>());
        }
    }
    format!("{}{written}{}", &text[..start], &text[end..])
}

/// The file's text with these measurements.
pub fn text(old: &str, measured: &[Measured]) -> String {
    let head = match old.find("[[measured]]") {
        Some(i) => &old[..i],
        None => old,
    };
    let tail = toml::to_string(&Tail { measured }).expect("measurements serialise");
    let tail = if measured.is_empty() { "" } else { &tail };
    format!("{}\n\n{tail}", head.trim_end())
        .trim_end()
        .to_owned()
        + "\n"
}

/// Adds a measurement to the one on the same VM, and decides all of the bug's anew. Runs of one program are
/// counted together, so that a short try without a hit makes a rate smaller and no *reproduced* undone.
/// What another program or signature came to is replaced, and so is a row that does not say what was run;
/// where that was a hit and the new one is none, it is given back, to be told. That a VM lacks a module says nothing
/// about one of the same version that has it.
pub fn merge(bug: &mut Bug, measured: Measured) -> Option<Measured> {
    let mut replaced = None;
    match bug.measured.iter_mut().find(|m| m.vm == measured.vm) {
        Some(old)
            if measured.status == Status::NotApplicable
                && old.status != Status::BeforeSignatures => {}
        Some(old) if is_one(old, &measured) => *old = together(old, measured),
        Some(old) => {
            let old = std::mem::replace(old, measured);
            replaced = Some(old).filter(|old| old.status == Status::Reproduced);
        }
        None => {
            bug.measured.push(measured);
            bug.measured.sort_by(|a, b| a.vm.cmp(&b.vm));
        }
    }
    status::settle(bug);
    let now = |vm: &str| bug.measured_on(vm).map(|m| m.status);
    replaced.filter(|old| now(&old.vm) != Some(Status::Reproduced))
}

/// Puts a measurement in the place of the one on the same VM, for a table of what was just seen.
pub fn instead(bug: &mut Bug, measured: Measured) {
    bug.measured
        .retain(|m| m.vm != measured.vm || measured.status == Status::NotApplicable);
    merge(bug, measured);
}

/// Whether both measure one program.
fn is_one(old: &Measured, new: &Measured) -> bool {
    let counts =
        |m: &Measured| !matches!(m.status, Status::NotApplicable | Status::BeforeSignatures);
    counts(old) && counts(new) && (!old.program.is_empty() && old.program == new.program)
}

/// The runs of both; the words of the first that has some.
fn together(old: &Measured, new: Measured) -> Measured {
    let round = |x: f64| (x * 100.0).round() / 100.0;
    let hits = old.hits + new.hits;
    let to_hits = old.first_hit * f64::from(old.hits) + new.first_hit * f64::from(new.hits);
    let first = |old: &str, new: String| match old {
        "" => new,
        old => old.to_owned(),
    };
    // Why nothing was run says nothing of a hit.
    let seen = if old.hits > 0 { old.seen.as_str() } else { "" };
    let mut races = old.races.clone();
    races.extend(
        new.races
            .iter()
            .filter(|pair| !old.races.contains(pair))
            .cloned(),
    );
    Measured {
        races,
        hits,
        others: old.others + new.others,
        runs: old.runs + new.runs,
        seconds: round(old.seconds + new.seconds),
        first_hit: round(to_hits / f64::from(hits.max(1))),
        seen: first(seen, new.seen),
        otherwise: first(&old.otherwise, new.otherwise),
        program: old.program.clone(),
        ..new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_replace_measurements_only() {
        let one = Measured {
            vm: "cpython 3.13.5".into(),
            status: Status::Reproduced,
            hits: 3,
            others: 0,
            runs: 3,
            seconds: 1.5,
            program: String::new(),
            first_hit: 0.5,
            seen: "SIGSEGV".into(),
            otherwise: String::new(),
            races: Vec::new(),
        };
        let head = "title = \"x\" # a comment\n\n[signature]\nframes = [\"f\"]\n";
        let first = text(head, std::slice::from_ref(&one));
        assert!(first.starts_with(head), "{first}");
        assert_eq!(text(&first, std::slice::from_ref(&one)), first);
        assert_eq!(text(&first, &[]), head);
    }

    fn row(program: &str, hits: u32, runs: u32) -> Measured {
        Measured {
            vm: "x 1.2".into(),
            status: Status::NotReproduced,
            hits,
            others: 0,
            runs,
            seconds: f64::from(runs),
            program: program.into(),
            first_hit: if hits > 0 { 0.5 } else { 0.0 },
            seen: if hits > 0 { "SIGSEGV" } else { "" }.into(),
            otherwise: String::new(),
            races: Vec::new(),
        }
    }

    /// A bug of which these were measured one after another, and what the last of them replaced.
    fn measured(rows: &[Measured]) -> (Measured, Option<Measured>) {
        let text = "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"x\"\ncategory = \"c\"\nnature = \"bug\"\n\
                    affected = \"1.1\"\nfixed = \"open\"\nfailure = [\"crash\"]\nbuilds = [\"release\"]\nsource = \"s\"\nno_fault = \"-\"\n\
                    [signature]\nframes = [[\"f\"]]\n";
        let mut bug = crate::bugs::parse("x/1", text, "", "").unwrap();
        let replaced: Vec<_> = rows.iter().map(|m| merge(&mut bug, m.clone())).collect();
        assert_eq!(bug.measured.len(), 1);
        (
            bug.measured.remove(0),
            replaced.into_iter().next_back().flatten(),
        )
    }

    #[test]
    fn a_short_try_without_a_hit_does_not_undo_a_hit_of_the_same_program() {
        let (now, replaced) = measured(&[row("a", 3, 5), row("a", 0, 1)]);
        assert_eq!((now.status, now.hits, now.runs), (Status::Reproduced, 3, 6));
        assert_eq!((now.seen.as_str(), now.first_hit), ("SIGSEGV", 0.5));
        assert_eq!((now.program.as_str(), now.seconds), ("a", 6.0));
        assert_eq!(replaced, None);
        let (now, _) = measured(&[row("a", 0, 5), row("a", 1, 1)]);
        assert_eq!((now.status, now.hits, now.runs), (Status::Reproduced, 1, 6));
        assert_eq!(now.seen, "SIGSEGV");
    }

    #[test]
    fn another_program_replaces_and_a_hit_that_it_does_not_show_is_given_back() {
        for before in ["a", ""] {
            let (now, replaced) = measured(&[row(before, 3, 5), row("b", 0, 1)]);
            assert_eq!(
                (now.status, now.hits, now.runs),
                (Status::NotReproduced, 0, 1)
            );
            assert_eq!(
                replaced.map(|old| (old.hits, old.status)),
                Some((3, Status::Reproduced))
            );
        }
        let (now, replaced) = measured(&[row("a", 3, 5), row("b", 1, 1)]);
        assert_eq!((now.hits, replaced), (1, None));
    }

    #[test]
    fn a_pair_is_confirmed_by_the_run_that_shows_it() {
        let text = "vm = \"x\"\n[signature]\nrace = [[\"a\", \"b\"]]\nunconfirmed = [\n    [\"c\", \"d[1]\"],\n    [\"e\", \"e\"],\n]\ntext = [\"t\"]\n";
        let mut bug = crate::bugs::parse(
            "x/1",
            &format!(
                "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\ncategory = \"c\"\nnature = \"bug\"\naffected = \"1.1\"\n\
                 fixed = \"open\"\nfailure = [\"race\"]\nbuilds = [\"tsan\"]\nsource = \"s\"\nno_fault = \"-\"\n{text}"
            ),
            "",
            "",
        )
        .unwrap();
        let identity = bug.identity();
        assert_eq!(confirmed(text, &mut bug), text, "nothing was shown");
        bug.measured = vec![Measured {
            races: vec![["d[1]".into(), "c".into()]],
            ..row("a", 1, 1)
        }];
        let now = confirmed(text, &mut bug);
        assert_eq!(
            now,
            "vm = \"x\"\n[signature]\nrace = [\n    [\"a\", \"b\"],\n    [\"c\", \"d[1]\"],\n]\nunconfirmed = [\n    [\"e\", \"e\"],\n]\ntext = [\"t\"]\n"
        );
        assert_eq!(bug.identity(), identity, "it is looked for as before");
    }

    #[test]
    fn what_was_measured_before_signatures_is_replaced() {
        let before = Measured {
            status: Status::BeforeSignatures,
            ..row("", 7, 7)
        };
        let (now, replaced) = measured(&[before, row("a", 0, 1)]);
        assert_eq!((now.status, now.hits), (Status::NotReproduced, 0));
        assert_eq!(replaced, None, "it counted as nothing");
    }
}
