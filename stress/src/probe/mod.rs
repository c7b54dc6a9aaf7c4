//! Probes: fixed programs on a real VM, each paired with properties of a protocol.
//!
//! A probe is `stress/probes/PROTOCOL/NAME.py`. Its head says, in TOML between `# /// probe` and
//! `# ///` (the form of PEP 723), what it stands for; the rest is any `python FILE [SECONDS [SEED
//! [FAULT]]]`. It exits 1 after a line `hit: …` when a property does not hold, 77 after `skip: …`
//! when this VM lacks what it needs, else 0; a line `checked: N …` says how much it looked at.
//! FAULT plants a fault into the program itself, which its own check must report.

pub mod keep;
pub mod run;

use crate::identity::{Failure, Place, kindred};
use crate::verdict::{Kind, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lines that take the kit from its file, when a probe is run from its folder.
const IMPORT: &str = "\
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition(\"/\")[0] or \".\") + \"/..\")
from kit import *

# --- end of the kit ---
";

/// What probes have in common.
pub const KIT: &str = include_str!("../../probes/kit.py");

/// `PROTOCOL/NAME`, program; the build lists them.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/probes.rs"));

/// Protocols that no probe stands for, and why.
pub const UNPAIRED: &[(&str, &str)] = &[
    (
        "global-lock",
        "no VM of today counts under one mutex: a patch of 1996",
    ),
    (
        "interlocked",
        "no VM of today keeps a total beside its counts: a patch of 1996",
    ),
    (
        "biased-paper",
        "the published form runs in no Python VM; CPython's own is `biased`",
    ),
    ("buffered", "no VM with buffered counts was ever shipped"),
    (
        "pooled-locks",
        "no VM of today has locks of containers from a pool: a patch of 1996",
    ),
    (
        "extension-lock",
        "no VM has it: CPython brings the global lock back for such an extension",
    ),
    (
        "furtex",
        "no VM of today keeps locks of objects while it waits for others: an experiment of 2016",
    ),
    (
        "prelocked",
        "no VM locks an object for its creator: a proposal",
    ),
    (
        "subscript",
        "the probes of `dict`, `biased`, `qsbr` and `critical-sections` run its parts together, as any VM does",
    ),
    (
        "grwl",
        "no VM of today has a global lock of readers and writers: an experiment of 2015",
    ),
    (
        "cycle-collection",
        "no probe of its own yet: `weakref-biased/resurrect-once` and `callbacks-once` collect beside threads",
    ),
    (
        "free-list",
        "no VM of today has free lists under one lock: a patch of 1996",
    ),
    (
        "size-classes",
        "no VM of today has classes with fast and heavy locks: experiments of 2015 and 2016",
    ),
    (
        "block-caches",
        "no VM of today has a collector beside caches of blocks: an experiment of 2015",
    ),
    (
        "thread-heaps",
        "a block that is lost or handed out twice shows as growth or damage anywhere, and no answer of a program tells it",
    ),
    (
        "abandoned-pages",
        "no program says when a page is adopted; that the collector visits it, a program could ask (cycles of threads that \
         have ended), and a probe of it is not written yet",
    ),
    (
        "page-reuse",
        "no program says when a page changes its size; what it would break, reads of dying items, `marked-list` asks",
    ),
    (
        "inline-cache",
        "builds without a GIL specialise from 3.14 on, and that is none of the VMs here; of 3.13 `inline-attribute` and \
         `type-cache` ask what it answers",
    ),
    (
        "batched-count",
        "a lost count only moves the moment of a collection, which no program is promised",
    ),
    (
        "word-mutex",
        "it guards a parking lot's bucket, which no program reaches but by `parking-mutex`",
    ),
    (
        "futex-mutex",
        "no VM's lock is one: CPython and RustPython have parking lots of their own",
    ),
    (
        "rwlock",
        "CPython has one, for who stops the world: a program only sees that pauses end, as in `stop-the-world`",
    ),
    (
        "stop-domains",
        "forks and the end stop all interpreters, and no program is left to look after the end",
    ),
    (
        "ractors",
        "no Python VM has actors that move their objects: Ruby's",
    ),
    ("regions", "no Python VM has regions: HPC-GAP's"),
    (
        "side-table",
        "no VM with counts apart from their objects was ever shipped",
    ),
];

/// Shipped forms whose suspicion a model confirmed and that no probe here looks for, and why.
pub const UNREACHED: &[(&str, &str)] = &[
    (
        "imm-merge-blind",
        "no probe yet; the bug `python/cpython#152276` has a program of its own",
    ),
    (
        "buf-free-without-inc-check",
        "no VM with buffered counts was ever shipped",
    ),
    (
        "park-reattach-before-cleanup",
        "the thread hangs only once the interpreter has ended, and so has the program",
    ),
    (
        "mi-readers-unfenced",
        "a few instructions of two threads that end and begin, on processors that reorder them; x86 does not",
    ),
    (
        "tc-watcher-before-clear",
        "a watcher of classes is registered from C alone",
    ),
    (
        "stw-mutex-before-rwlock",
        "the thread hangs only once the interpreter has ended, and so has the program",
    ),
    (
        "gs-hang-holding-lock",
        "a program can: a daemon thread that calls back with a mutex which a finalizer wants; it hangs by design, and by \
         hand it does on 3.13.15; a probe is not written yet",
    ),
    (
        "buf-resurrect-lost",
        "no VM with buffered counts was ever shipped",
    ),
];

/// A probe: what its head says, and its program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// `PROTOCOL/NAME`; the protocol as `threadbare matrix` names it.
    #[serde(skip_deserializing)]
    pub name: String,
    /// What must hold, in one line.
    pub title: String,
    /// The protocol's properties that it stands for.
    pub properties: Vec<String>,
    /// The protocol's mutants that would show in it, among them the forms that systems ship.
    pub mutants: Vec<String>,
    /// Other protocols for which it stands as well, with their properties.
    #[serde(default)]
    pub also: BTreeMap<String, Vec<String>>,
    /// What the VM must have: modules, `gil`, `no-gil`, or `shared-containers`, a promise about them.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How the VM itself ends where a property does not hold: `crash`, `hang`. A probe runs on any VM, so that no
    /// place of it can be named beforehand.
    #[serde(default)]
    pub ends: Vec<Kind>,
    /// Faults that can be planted into the program.
    pub faults: Vec<String>,
    /// The whole program, the kit in it.
    #[serde(skip)]
    pub program: String,
}

impl Probe {
    /// The protocol whose folder it lies in.
    pub fn protocol(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }

    /// What a *hit* of a probe is: its own `hit:`, or an end of the VM that is a face of one that it names
    /// ([`kindred`]).
    pub fn is_hit(&self, seen: &Verdict) -> bool {
        let seen = Failure::of_verdict(seen, "");
        let named = |&kind: &Kind| {
            let place = Place::default();
            kindred(&Failure { kind, place }, &seen)
        };
        seen.kind == Kind::Outcome || self.ends.iter().any(named)
    }

    /// Whether it stands for this protocol, as its first or as another one.
    pub fn stands_for(&self, protocol: &str) -> bool {
        self.protocol() == protocol || self.also.contains_key(protocol)
    }
}

/// The probes cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A head is not as the format wants it.
    #[error("{name}: {reason}")]
    Malformed {
        /// The probe.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No such probe.
    #[error("no probe '{asked}'; `threadbare probe --list` lists them")]
    Unknown {
        /// As the user named it.
        asked: String,
    },
}

/// Reads a probe from its file's text, and puts the kit where it is imported.
///
/// # Errors
/// [`ProbeError::Malformed`] without a head, with an unknown key, or without a fault that can be planted.
pub fn parse(name: &str, program: &str) -> Result<Probe, ProbeError> {
    let fail = |reason: String| ProbeError::Malformed {
        name: name.to_owned(),
        reason,
    };
    let mut lines = program.lines();
    if lines.next() != Some("# /// probe") {
        return Err(fail("the first line is not `# /// probe`".into()));
    }
    let mut head = String::new();
    for line in lines {
        if line == "# ///" {
            let mut probe: Probe = toml::from_str(&head).map_err(|e| fail(e.to_string()))?;
            if probe.faults.is_empty() {
                return Err(fail(
                    "`faults` is empty: nothing shows that it can fail".into(),
                ));
            }
            name.clone_into(&mut probe.name);
            probe.program = program.replace(IMPORT, KIT);
            return Ok(probe);
        }
        let text = line.strip_prefix('#').unwrap_or(line);
        head.push_str(text);
        head.push('\n');
    }
    Err(fail("the head has no end, `# ///`".into()))
}

/// The probes that come with the program.
///
/// # Panics
/// When one does not parse: the files are part of the program and a test reads them all.
pub fn shipped() -> Vec<Probe> {
    FILES
        .iter()
        .map(|(name, text)| parse(name, text).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// The probes of these names (`PROTOCOL/NAME`, or `NAME` alone) and of this protocol; all when
/// neither is given.
///
/// # Errors
/// [`ProbeError::Unknown`] for a name that no probe has.
pub fn select(
    all: Vec<Probe>,
    names: &[String],
    protocol: Option<&str>,
) -> Result<Vec<Probe>, ProbeError> {
    let is = |probe: &Probe, name: &str| {
        probe.name == name || probe.name.split('/').next_back() == Some(name)
    };
    if let Some(asked) = names.iter().find(|n| !all.iter().any(|p| is(p, n))) {
        return Err(ProbeError::Unknown {
            asked: asked.clone(),
        });
    }
    let named = |p: &Probe| names.is_empty() || names.iter().any(|n| is(p, n));
    let wanted = |p: &Probe| named(p) && protocol.is_none_or(|q| p.stands_for(q));
    Ok(all.into_iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# /// probe\n# title = \"t\"\n# properties = [\"B1\"]\n# mutants = []\n\
                        # also = { atomic = [\"R1\"] }\n# faults = [\"leak\"]\n# ///\nprint(1)\n";

    #[test]
    fn a_head_is_read_and_the_program_kept() {
        let probe = parse("biased/x", HEAD).unwrap();
        assert_eq!((probe.protocol(), probe.title.as_str()), ("biased", "t"));
        assert!(probe.stands_for("biased") && probe.stands_for("atomic"));
        assert!(!probe.stands_for("gil"));
        assert_eq!(probe.program, HEAD);
    }

    #[test]
    fn a_malformed_head_is_refused() {
        for (text, says) in [
            ("print(1)\n".to_owned(), "first line"),
            (HEAD.replace("# ///\n", ""), "no end"),
            (HEAD.replace("title", "titel"), "titel"),
            (HEAD.replace("[\"leak\"]", "[]"), "can fail"),
        ] {
            let error = parse("biased/x", &text).unwrap_err().to_string();
            assert!(
                error.contains("biased/x") && error.contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn names_and_protocols_select() {
        let names = |got: Vec<Probe>| got.into_iter().map(|p| p.name).collect::<Vec<_>>();
        let all = [parse("biased/x", HEAD), parse("gil/y", HEAD)].map(Result::unwrap);
        let pick = |n: &[&str], p| {
            let n: Vec<String> = n.iter().map(|s| (*s).to_owned()).collect();
            select(all.to_vec(), &n, p).map(names)
        };
        assert_eq!(pick(&[], None).unwrap(), ["biased/x", "gil/y"]);
        assert_eq!(pick(&["y"], None).unwrap(), ["gil/y"]);
        assert_eq!(pick(&["gil/y", "x"], Some("gil")).unwrap(), ["gil/y"]);
        assert_eq!(pick(&[], Some("atomic")).unwrap().len(), 2);
        assert!(pick(&["z"], None).is_err());
    }

    #[test]
    fn every_shipped_file_parses_and_has_the_kit() {
        let all = shipped();
        assert!(all.len() > 20, "{} probes", all.len());
        for probe in &all {
            let whole = probe.program.contains(KIT) && !probe.program.contains("import *");
            assert!(whole, "{}: takes the kit in other words", probe.name);
        }
    }
}
