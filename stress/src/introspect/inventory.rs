//! What a VM has that is written in C or Rust, and what of it the operations of subjects reach.
//!
//! A Python script (`inventory.py`) imports the VM's native modules and lists their types and functions. Coverage
//! runs the operations of subjects once each, alone, and asks the VM which of the list were called or made; what
//! none reaches is introspected as a hunt does it for its *generic* subjects.

use super::run::SCRIPT_OF_HARM;
use super::unasked;
use crate::choice::Recorded;
use crate::python::quote;
use crate::scenario::generate::fill;
use crate::scenario::render::{body, make, prelude, reset};
use crate::subject::{Subject, SubjectError};
use crate::vm::child::{End, Limits, interrupted};
use crate::vm::{Vm, job};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The script.
const SCRIPT: &str = include_str!("inventory.py");

/// Most processes that may end early.
const MOST_ENDS: usize = 60;

/// A type or function of a native module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// `module:Type`, or `module:function()`.
    pub name: String,
    /// Why it is not to be tried by itself.
    pub shunned: Option<String>,
    /// The subjects whose operations reach it.
    pub reached: BTreeSet<String>,
    /// What became of it when it was tried by itself and nothing reached it.
    pub left: Option<String>,
}

impl Item {
    /// The name of the module.
    pub fn module(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }

    /// Whether it is a function.
    pub fn is_function(&self) -> bool {
        self.name.ends_with("()")
    }

    /// Whether it counts: what is shunned and reached by no operation all the same does not.
    fn counts(&self) -> bool {
        self.shunned.is_none() || !self.reached.is_empty()
    }
}

/// What a VM has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// All items, module by module.
    pub items: Vec<Item>,
    /// What of the subjects cannot work on this VM.
    pub unusable: BTreeSet<Unusable>,
}

/// An operation that cannot work on a VM, such as one that names what is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// The subject.
    pub subject: String,
    /// The operation; `None`: the subject cannot even be set up.
    pub op: Option<String>,
    /// The exception.
    pub why: String,
}

/// Which part of an inventory is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The inventory with what reaches each item.
    pub inventory: Inventory,
}

impl Coverage {
    /// Items that count.
    pub fn counted(&self) -> usize {
        self.inventory.items.iter().filter(|i| i.counts()).count()
    }

    /// Items that some operation reaches.
    pub fn reached(&self) -> usize {
        let items = self.inventory.items.iter();
        items.filter(|i| !i.reached.is_empty()).count()
    }

    /// Per cent of those that count; nothing of an empty inventory.
    pub fn percent(&self) -> Option<f64> {
        let all = self.counted();
        (all > 0).then(|| 100.0 * self.reached() as f64 / all as f64)
    }

    /// What nothing reaches, by reason: first what was tried, then what was not.
    pub fn rest(&self) -> BTreeMap<(bool, &str), Vec<&str>> {
        let mut rest: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
        for item in self.inventory.items.iter().filter(|i| i.reached.is_empty()) {
            let reason = item.shunned.as_deref().or(item.left.as_deref());
            let key = (item.shunned.is_some(), reason.unwrap_or("not tried"));
            rest.entry(key).or_default().push(&item.name);
        }
        rest
    }
}

/// The types and functions of the VM's native modules.
///
/// # Errors
/// [`SubjectError::Format`] when the VM cannot run the script, or its processes end before it is through.
pub fn inventory(vm: &Vm) -> Result<Inventory, SubjectError> {
    reached_by(vm, &[])
}

/// The generic subjects of a VM: a name for each type and for the functions of each module that may be tried without
/// being asked for. Their operations are found when their turn comes.
///
/// # Errors
/// As [`inventory`].
pub fn generic(vm: &Vm) -> Result<Vec<Subject>, SubjectError> {
    let found = inventory(vm)?;
    let names: BTreeSet<String> = found.items.iter().filter_map(target).collect();
    Ok(names.into_iter().map(placeholder).collect())
}

/// What introspection is asked for to reach an item.
fn target(item: &Item) -> Option<String> {
    if item.shunned.is_some() {
        return None;
    }
    Some(match item.is_function() {
        true => format!("{}:", item.module()),
        false => item.name.clone(),
    })
}

/// A subject of which only the name is known.
fn placeholder(name: String) -> Subject {
    Subject {
        name,
        doc: "found by introspection".to_owned(),
        requires: Vec::new(),
        prelude: String::new(),
        make: Vec::new(),
        observe: String::new(),
        check: None,
        reset: None,
        flavours: Vec::new(),
        keys: Vec::new(),
        callbacks: false,
        keeps: false,
        shapes: "ts".to_owned(),
        company: true,
        generic: true,
        size: 1,
        source: String::new(),
        ops: Vec::new(),
        raises: Vec::new(),
    }
}

/// Runs the operations of these subjects, introspects what they do not reach, and says what is reached. `watch` is told
/// how many of how many introspections are done.
///
/// # Errors
/// As [`inventory`].
pub fn coverage(
    vm: &Vm,
    subjects: &[Subject],
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Coverage, SubjectError> {
    let mut found = reached_by(vm, subjects)?;
    let missing = found.items.iter().filter(|i| i.reached.is_empty());
    let targets: BTreeSet<String> = missing.filter_map(target).collect();
    let targets: Vec<String> = targets.into_iter().collect();
    let told: Mutex<BTreeMap<String, Result<Vec<String>, String>>> = Mutex::default();
    let left: Mutex<BTreeMap<String, String>> = Mutex::default();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        // Relaxed: each number is taken once, and what the threads find is in the locks.
        while let Some(name) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            if interrupted() {
                return;
            }
            let result = match unasked(vm, name) {
                Ok(found) => {
                    let mut left = left
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    for (what, why) in found.left_out {
                        let function = what.strip_prefix("o.").unwrap_or(&what);
                        left.insert(format!("{name}{function}()"), why);
                    }
                    Ok(found.subject.ops.into_iter().map(|op| op.code).collect())
                }
                Err(error) => Err(error.to_string()),
            };
            let mut told = told
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            told.insert(name.clone(), result);
            watch(1 + done.fetch_add(1, Ordering::Relaxed), targets.len());
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let told = told.into_inner().unwrap_or_default();
    let left = left.into_inner().unwrap_or_default();
    for item in found.items.iter_mut().filter(|i| i.reached.is_empty()) {
        let Some(name) = target(item) else { continue };
        match told.get(&name) {
            Some(Ok(ops)) if item.is_function() => {
                let function = item.name[name.len()..].trim_end_matches("()");
                let call = format!("o.{function}(");
                if ops.iter().any(|op| op.contains(&call)) {
                    item.reached.insert(name);
                } else {
                    let why = left.get(&item.name).map(String::as_str);
                    item.left = Some(why.unwrap_or("no arguments worked").to_owned());
                }
            }
            Some(Ok(_)) => {
                item.reached.insert(name);
            }
            Some(Err(why)) => item.left = Some(short(why)),
            None => {}
        }
    }
    // A type that is its base under another name is reached where that is.
    let reached: BTreeSet<String> = found
        .items
        .iter()
        .filter(|i| !i.reached.is_empty())
        .filter_map(|i| i.name.split(':').nth(1).map(str::to_owned))
        .collect();
    for item in found.items.iter_mut().filter(|i| i.reached.is_empty()) {
        let base = item.shunned.as_deref().and_then(|s| {
            let rest = s.strip_prefix(AS_ITS_BASE)?;
            rest.split(':').next().map(str::to_owned)
        });
        if let Some(base) = base.filter(|b| reached.contains(b)) {
            item.reached.insert(base);
        }
    }
    Ok(Coverage { inventory: found })
}

/// Begins the script's reason for what has nothing of its own.
const AS_ITS_BASE: &str = "as its base ";

/// The cause of an introspection's refusal, without the name and the next step.
fn short(error: &str) -> String {
    let kinds = [
        (
            "no constructor arguments worked",
            "no constructor arguments worked",
        ),
        ("does not import", "its module does not import"),
        ("none of its", "none of its operations works"),
        (
            "introspection ended early",
            "it ends the process of one thread too often",
        ),
        ("neither a type nor a function", "it cannot be called"),
    ];
    let found = kinds.iter().find(|(part, _)| error.contains(part));
    found.map_or_else(|| error.to_owned(), |(_, word)| (*word).to_owned())
}

/// The same, with the items that the operations of these subjects reach: one run of the script after another, without
/// what ended the one before.
///
/// # Errors
/// As [`inventory`].
pub fn reached_by(vm: &Vm, of: &[Subject]) -> Result<Inventory, SubjectError> {
    let subjects: Vec<String> = of.iter().map(watched).collect();
    let mut skip: BTreeMap<String, String> = BTreeMap::new();
    let error = |message: String| SubjectError::Format {
        origin: "the inventory of native types".to_owned(),
        message: format!("{message} ({})", vm.facts.title()),
    };
    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unusable = BTreeSet::new();
    for _ in 0..MOST_ENDS {
        let skipped: Vec<String> = skip
            .iter()
            .map(|(what, how)| format!("{}: {}", quote(what), quote(how)))
            .collect();
        let text = format!(
            "{}\n\n{SCRIPT_OF_HARM}\n\n{SCRIPT}\n\ninventory({{'skip': {{{}}}, 'subjects': [{}]}})\n",
            crate::HARNESS,
            skipped.join(", "),
            subjects.join(", ")
        );
        let limits = Limits {
            silence: Duration::from_secs(20),
            total: Duration::from_secs(180),
            memory: 4 << 30,
            ..Limits::default()
        };
        let outcome = job::run_file(vm, &text, limits).map_err(|e| error(e.to_string()))?;
        let mut found: BTreeMap<usize, Item> = BTreeMap::new();
        let (mut done, mut last) = (false, String::new());
        let mut begun: Vec<String> = Vec::new();
        for line in &outcome.stdout {
            let fields: Vec<&str> = line.split('\t').collect();
            let number = fields.get(2).and_then(|n| n.parse::<usize>().ok());
            match (fields.as_slice(), number) {
                (["~", "T", what], _) => {
                    (*what).clone_into(&mut last);
                    begun.extend(what.starts_with("subject ").then(|| last.clone()));
                }
                (["~", "N", _, name], Some(n)) => {
                    found.entry(n).or_default().name = (*name).to_owned();
                }
                (["~", "O", _, reason], Some(n)) => {
                    found.entry(n).or_default().shunned = Some((*reason).to_owned());
                }
                (["~", "R", _, subject], Some(n)) => {
                    if let Some(item) = found.get(&n) {
                        let of = reached.entry(item.name.clone()).or_default();
                        of.insert((*subject).to_owned());
                    }
                }
                (["~", "K", subject, at, why], _) => {
                    let of = of.iter().find(|s| s.name == *subject);
                    let op = at.parse::<usize>().ok().and_then(|at| of?.ops.get(at));
                    unusable.insert(Unusable {
                        subject: (*subject).to_owned(),
                        op: op.map(|op| op.code.clone()),
                        why: (*why).to_owned(),
                    });
                }
                (["~", "D"], _) => done = true,
                _ => {}
            }
        }
        if done {
            let mut items: Vec<Item> = found.into_values().collect();
            for item in &mut items {
                item.reached = reached.remove(&item.name).unwrap_or_default();
            }
            return Ok(Inventory { items, unusable });
        }
        if outcome.end == End::Interrupted {
            return Err(error("it was interrupted".to_owned()));
        }
        let log = job::Log {
            outcome: Some(outcome),
            ..job::Log::default()
        };
        let how = log.how_it_ended();
        // Subjects that are through need not run again.
        begun.pop();
        skip.extend(begun.into_iter().map(|subject| (subject, String::new())));
        if last.is_empty() || skip.insert(last.clone(), how.clone()).is_some() {
            return Err(error(format!("it ended early, at '{last}': {how}")));
        }
    }
    Err(error(format!(
        "its processes ended early {MOST_ENDS} times"
    )))
}

/// A subject as the script runs it: its name, what it needs first, and each of its operations with a set-up.
fn watched(subject: &Subject) -> String {
    let filled = |text: &str| {
        let choices = &mut Recorded(&[]);
        fill(text, subject.flavours[0], subject.keys[0], choices)
    };
    let mut ready = prelude(&subject.requires, &subject.prelude);
    if let Some(code) = &subject.reset {
        ready += &(reset(code) + "RESET()\n");
    }
    let with = |make_code: &String, body: String| quote(&(make(&filled(make_code)) + &body));
    let ops = subject.ops.iter().enumerate().map(|(i, op)| {
        let set_up = &subject.make[i % subject.make.len()];
        with(set_up, body("OP", op.form, &filled(&op.code)))
    });
    let parts: Vec<String> = ops.collect();
    format!(
        "({}, {}, [{}])",
        quote(&subject.name),
        quote(&ready),
        parts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, shunned: Option<&str>, reached: &[&str], left: Option<&str>) -> Item {
        Item {
            name: name.to_owned(),
            shunned: shunned.map(str::to_owned),
            reached: reached.iter().map(|s| (*s).to_owned()).collect(),
            left: left.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_shunned_counts_only_where_an_operation_reaches_it() {
        let items = vec![
            item("m:A", None, &["a"], None),
            item("m:B", None, &[], Some("no constructor arguments worked")),
            item("m:f()", Some("harm"), &[], None),
            item("m:g()", Some("harm"), &["a"], None),
        ];
        let coverage = Coverage {
            inventory: Inventory {
                items,
                ..Inventory::default()
            },
        };
        assert_eq!((coverage.counted(), coverage.reached()), (3, 2));
        assert_eq!(coverage.percent().map(f64::round), Some(67.0));
        let rest: Vec<_> = coverage.rest().into_iter().collect();
        assert_eq!(
            rest,
            [
                ((false, "no constructor arguments worked"), vec!["m:B"]),
                ((true, "harm"), vec!["m:f()"])
            ]
        );
        assert_eq!(target(&coverage.inventory.items[2]), None);
        assert_eq!(target(&coverage.inventory.items[0]).unwrap(), "m:A");
    }

    #[test]
    fn nothing_has_no_share() {
        let coverage = Coverage {
            inventory: Inventory::default(),
        };
        assert_eq!(coverage.percent(), None);
    }
}
