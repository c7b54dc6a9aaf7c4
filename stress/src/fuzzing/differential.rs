//! Target `differential`: a program of one thread on two VMs, whose results are compared.
//!
//! No race is looked for: what differs here is what two VMs make of the same Python. Each difference is told
//! once for an operation of a subject, where it shows again in other processes; on one VM twice there may be none.

use super::vm::{SILENCE, structured};
use crate::campaign::process::text;
use crate::campaign::support;
use crate::history::{History, exception_type, slots};
use crate::scenario::{Call, Scenario, Shape};
use crate::subject::{Form, Guarantee, Subject, builtin};
use crate::vm::Vm;
use crate::vm::server::Server;
use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// What two VMs make of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The subject.
    pub subject: String,
    /// The operation, or `final state`.
    pub operation: String,
    /// What each VM gives.
    pub results: [String; 2],
    /// The program.
    pub program: String,
}

/// Two VMs that are compared.
pub struct Pair {
    servers: [Server; 2],
    /// Of the same VMs, where a difference must show again.
    again: [Server; 2],
    subjects: Vec<Subject>,
    told: BTreeSet<(String, String)>,
}

/// The scenario with all of its operations in one thread, without company. A scenario has two threads at
/// least: the other does nothing, and the two are only run in sequential orders, as one thread.
fn in_one_thread(mut scenario: Scenario) -> Scenario {
    let nothing = Call {
        code: "None".to_owned(),
        op: "None".to_owned(),
        form: Form::Run,
        guarantee: Guarantee::Silent,
        raises: None,
    };
    scenario.threads = vec![scenario.threads.concat(), vec![nothing]];
    scenario.company.clear();
    scenario.shapes = vec![Shape::Stride];
    scenario
}

/// Whether a result says "not on this VM" rather than being another one.
fn is_missing(result: &str) -> bool {
    support::MISSING.contains(&result) || result == "!AttributeError"
}

/// A result without what VMs word differently: exceptions are their type.
fn normal(result: &str) -> String {
    match result.strip_prefix('!') {
        Some(e) => format!("!{}", exception_type(e)),
        None => result.to_owned(),
    }
}

/// The first result in which two histories of one program differ: its position and what either gave.
/// `None`: they agree, as far as both VMs can run the program and give the same each time.
fn first_difference(histories: [&History; 2]) -> Option<(usize, [String; 2])> {
    let only = |h: &History| match (h.sequential.len(), h.unsupported.is_some()) {
        (1, false) => h
            .sequential
            .first()
            .map(|o| slots(o).map(str::to_owned).collect()),
        _ => None,
    };
    let [a, b]: [Vec<String>; 2] = [only(histories[0])?, only(histories[1])?];
    let unsure = |i: &usize| histories.iter().any(|h| h.free.contains(i));
    for i in 0..a.len().max(b.len()) {
        let results = [&a, &b].map(|r| r.get(i).map_or_else(String::new, |s| normal(s)));
        if results.iter().any(|r| is_missing(r)) {
            // What follows depends on it.
            return None;
        }
        if results[0] != results[1] && !unsure(&i) && !results.iter().any(|r| r == "*") {
            return Some((i, results));
        }
    }
    None
}

/// The first result in which two VMs differ on a program.
fn difference(servers: &mut [Server; 2], scenario: &Scenario) -> Option<(usize, [String; 2])> {
    let one = std::slice::from_ref(scenario);
    let mut histories = Vec::new();
    for server in servers {
        let job = text(server.vm(), one, 1, 1, true);
        let log = server.run(&job, SILENCE).expect("the VM starts");
        // An end of the process is for `vm_command` to tell.
        histories.push(log.histories.first().filter(|h| h.complete)?.clone());
    }
    first_difference([&histories[0], &histories[1]])
}

impl Pair {
    /// Of these VMs, with programs of these subjects.
    ///
    /// # Panics
    /// When there is no room for a temporary file.
    pub fn new(vms: [Vm; 2], subjects: Vec<Subject>) -> Self {
        // Orders of sets and dictionaries of strings would differ from process to process.
        let vms = vms.map(|vm| vm.with_environment("PYTHONHASHSEED", "0"));
        let server = |vm: Vm| Server::new(vm).expect("a temporary file");
        Self {
            servers: vms.clone().map(server),
            again: vms.map(server),
            subjects,
            told: BTreeSet::new(),
        }
    }

    /// Runs the program of these bytes on both; a difference that was not told before.
    ///
    /// # Panics
    /// When a VM cannot be started.
    pub fn run(&mut self, bytes: &[u8]) -> Option<Difference> {
        let scenario = in_one_thread(structured(&self.subjects, bytes));
        let (at, results) = difference(&mut self.servers, &scenario)?;
        // Nor may it depend on the process.
        if difference(&mut self.again, &scenario)? != (at, results.clone()) {
            return None;
        }
        let calls: Vec<_> = scenario.calls().collect();
        let operation = calls
            .get(at)
            .map_or("final state", |c| c.op.as_str())
            .to_owned();
        let subject = scenario.context.subject.clone();
        let new = self.told.insert((subject.clone(), operation.clone()));
        new.then(|| Difference {
            subject,
            operation,
            results,
            program: scenario.to_string(),
        })
    }

    /// What the VMs are.
    pub fn titles(&self) -> [String; 2] {
        [0, 1].map(|i| self.servers[i].vm().facts.title())
    }
}

static PAIR: LazyLock<Mutex<Pair>> = LazyLock::new(|| {
    let specs = std::env::var("THREADBARE_FUZZ_VMS").unwrap_or_else(|_| "python3,python3".into());
    let (a, b) = specs
        .split_once(',')
        .expect("THREADBARE_FUZZ_VMS is two VMs, with a comma between them");
    let open = |spec: &str| Vm::open(spec).unwrap_or_else(|error| panic!("{error}"));
    let mut subjects = builtin::all();
    subjects.retain(|s| s.shapes.contains('t') && s.reset.is_none());
    Mutex::new(Pair::new([open(a), open(b)], subjects))
});

/// Bytes → a program of one thread on the two VMs that `THREADBARE_FUZZ_VMS` names (`python3,micropython`;
/// without it `python3` twice). Differences are told on stderr.
///
/// # Panics
/// When one VM differs from itself, or cannot be used.
pub fn differential(bytes: &[u8]) {
    let mut pair = PAIR.lock().unwrap_or_else(PoisonError::into_inner);
    let [a, b] = pair.titles();
    if let Some(d) = pair.run(bytes) {
        eprintln!(
            "difference: {}: {}: {a} gives {}, {b} gives {} in {}",
            d.subject, d.operation, d.results[0], d.results[1], d.program
        );
        assert_ne!(a, b, "one VM differs from itself");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::{Choices, Seeded};
    use crate::subject::parse;

    /// Differences within so many programs; the second VM has this variable set.
    fn differences(op: &str, second: &str, programs: usize) -> Vec<Difference> {
        let text = format!(
            "[[subject]]\nname = \"planted\"\ndoc = \"d\"\nmake = [\"[]\"]\nfinal = \"tuple(o)\"\nprelude = \"import os\"\n\
             flavours = [\"small\"]\nsilent = [\"o.append({{v}})\", \"len(o)\", \"{op}\", \"o.pop()\"]\n"
        );
        let vm = Vm::open("python3").expect("python3 is on PATH");
        let other = vm.with_environment("PLANTED", second);
        let mut pair = Pair::new([vm, other], parse("t", &text).unwrap());
        let mut choices = Seeded::new(1, &["planted"]);
        let bytes = (0..programs).map(|_| (0..40).map(|_| choices.below(256) as u8).collect());
        let bytes: Vec<Vec<u8>> = bytes.collect();
        bytes.iter().filter_map(|b| pair.run(b)).collect()
    }

    #[test]
    fn a_planted_difference_is_told_once_with_its_operation() {
        let op = "len(o) + (1 if os.environ.get('PLANTED') and len(o) == 1 else 0)";
        let found = differences(op, "1", 100);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].operation, op);
        let [one, other] = found[0]
            .results
            .each_ref()
            .map(|r| r.parse::<usize>().unwrap());
        assert_eq!(one + 1, other);
        assert_eq!(differences(op, "", 100), [], "nothing is planted");
    }

    #[test]
    fn what_is_worded_differently_or_missing_is_no_difference() {
        let history = |outcome: &str| History {
            sequential: [outcome.to_owned()].into(),
            ..History::default()
        };
        let same = |a: &str, b: &str| first_difference([&history(a), &history(b)]);
        assert_eq!(
            same(
                "1 | !IndexError: pop from empty list | ()",
                "1 | !IndexError: empty | ()"
            ),
            None
        );
        assert_eq!(same("!AttributeError: x | 1", "2 | 2"), None);
        assert_eq!(same("1 | * | ()", "1 | 3 | ()"), None);
        let told = same("1 | !TypeError: x | ()", "1 | !ValueError: x | ()");
        assert_eq!(
            told,
            Some((1, ["!TypeError".to_owned(), "!ValueError".to_owned()]))
        );
        assert_eq!(same("1 | (1,)", "1 | ()").map(|d| d.0), Some(1));
    }
}
