//! Running a finding's script and telling what it showed: the finding's failure, another, or none.

use super::{Finding, Other, Rate};
use crate::identity::{self, Failure, Hit, flight};
use crate::program::{self, Count, Ended, Run, Told, ends};
use crate::scenario::tuning::Tuning;
use crate::verdict::{Kind, Verdict, from_outside, sanitizer};
use crate::vm::child::{self, End, Limits, Outcome};
use crate::vm::debugger::core_file;
use crate::vm::{Vm, VmError, sanitizers};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Processor time of one thread past the script's end, after which it no longer is only slow.
const COMPUTING: Duration = Duration::from_secs(5);

/// Seconds of the shortest run.
const SHORTEST: f64 = 0.3;

/// One run of a script.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What it showed of the finding.
    pub shown: Hit,
    /// How it went.
    pub run: Run,
    /// The core that a hit left, where one was asked for.
    pub core: Option<PathBuf>,
}

impl Attempt {
    /// Whether it showed the finding's failure.
    pub fn hit(&self) -> bool {
        self.shown == Hit::Same
    }

    /// What it is to the finding. Another failure counts whatever the script left with.
    pub fn told(&self) -> Told {
        match (&self.shown, &self.run.ended) {
            (_, Ended::Interrupted) => Told::Interrupted,
            (Hit::Other(_), _) => Told::Other,
            _ => self.run.told(self.hit()),
        }
    }

    /// `hit`, `no hit`, or what else it was.
    pub fn line(&self) -> String {
        match (&self.shown, &self.run.ended) {
            (Hit::Same, _) => "hit".to_owned(),
            (Hit::Other(failure), _) => format!("no hit, another failure: {failure}"),
            (Hit::None, Ended::Outside(_)) => format!("no hit, {}", self.run.ended.line()),
            (Hit::None, _) => "no hit".to_owned(),
        }
    }
}

/// The failures that runs showed instead of the finding's, each with its number of runs.
pub fn others(attempts: &[Attempt]) -> Vec<Other> {
    let mut others: Vec<Other> = Vec::new();
    for attempt in attempts {
        let Hit::Other(failure) = &attempt.shown else {
            continue;
        };
        let failure = failure.to_string();
        match others.iter_mut().find(|o| o.failure == failure) {
            Some(old) => old.runs += 1,
            None => others.push(Other { failure, runs: 1 }),
        }
    }
    others
}

/// Where crashes leave their cores, which tell whether they died where the finding did.
#[derive(Clone, Copy, Debug)]
pub enum Cores<'a> {
    /// The first hit's stays in this folder. Later hits are taken at what the VM tells by itself.
    First(&'a Path),
    /// Each hit's is read in this folder, and gone.
    Each(&'a Path),
}

/// A folder for the cores of a finding that is known by its frames, where this machine leaves any.
///
/// # Errors
/// When the folder cannot be made.
pub fn cores(finding: &Finding) -> Result<Option<tempfile::TempDir>, VmError> {
    let wanted = !finding.place.frames.is_empty() && core_file::usable().is_ok();
    let folder = wanted.then(tempfile::tempdir).transpose();
    folder.map_err(VmError::Temp)
}

/// Runs a finding's script once for at most `seconds`; a crash's core says where it died.
///
/// # Errors
/// When the VM cannot be started or the script not be read.
pub fn attempt(
    vm: &Vm,
    script: &Path,
    finding: &Finding,
    seconds: f64,
) -> Result<Attempt, VmError> {
    let cores = cores(finding)?;
    let folder = cores.as_ref().map(tempfile::TempDir::path);
    let attempt = attempt_in(vm, script, finding, seconds, folder)?;
    Ok(Attempt {
        core: None, // it goes with the folder
        ..attempt
    })
}

/// [`attempt`] in this folder, where it is there: a hit that is a crash leaves its core in it.
///
/// # Errors
/// As of [`attempt`].
fn attempt_in(
    vm: &Vm,
    script: &Path,
    finding: &Finding,
    seconds: f64,
    folder: Option<&Path>,
) -> Result<Attempt, VmError> {
    // The process may have another folder.
    let script = &std::path::absolute(script).map_err(VmError::Temp)?;
    // Its lines tell which operations were in flight.
    let text = std::fs::read_to_string(script).map_err(VmError::Temp)?;
    // The script ends by itself; a process that outlives its time by this much is hung, unless it
    // still computes: on a busy machine it may only be slow.
    let slowness = vm.facts.slowness();
    let time = Duration::from_secs_f64(seconds);
    let limit = time + Duration::from_secs(3) * slowness;
    let limits = Limits {
        silence: limit,
        idle: Some(child::IDLE * slowness.min(3)),
        debugger: false,
        total: limit,
        late: Some(COMPUTING * slowness.min(3)),
        core: folder.is_some(),
        ..Limits::default()
    };
    let mut command = program::command(vm, script, time);
    if let Some(folder) = folder {
        core_file::leave(&mut command, folder);
    }
    let run = program::run(vm, &mut command, limits)?.of(&text);
    let failures = match run.ended {
        Ended::Broken(_) if !run.begun(&text) => Vec::new(),
        _ => shown(&run.outcome, finding, &text),
    };
    let shown = identity::hit(&finding.failure(), &failures);
    let core = folder
        .filter(|_| matches!(run.outcome.end, End::Signal(_)))
        .and_then(core_file::file);
    let shown = match &core {
        Some(core) if shown == Hit::Same => {
            at_its_place(finding, &failures, || core_file::text(vm, core))
        }
        _ => shown,
    };
    let core = match core {
        // Of no use, and large.
        Some(core) if shown != Hit::Same => {
            let _ = std::fs::remove_file(core);
            None
        }
        core => core,
    };
    Ok(Attempt { shown, run, core })
}

/// What a run that hit is to the finding when it is known where both died: a finding of known frames is asked for by
/// them, too. `backtrace` is a debugger's text on the run's crash.
fn at_its_place(
    finding: &Finding,
    shown: &[Failure],
    backtrace: impl FnOnce() -> Option<String>,
) -> Hit {
    let expected = finding.failure();
    if expected.place.frames.is_empty() {
        return Hit::Same;
    }
    let Some(text) = backtrace() else {
        return Hit::Same;
    };
    let died = |f: &Failure| match f.has_frames_to_find() {
        true => f.clone().with_backtrace(&text),
        false => f.clone(),
    };
    let shown: Vec<Failure> = shown.iter().map(died).collect();
    identity::hit(&expected, &shown)
}

/// The failures that a run of a finding's script shows: what it printed, what a sanitizer reported, how
/// it ended.
fn shown(outcome: &Outcome, finding: &Finding, script: &str) -> Vec<Failure> {
    let reports = sanitizer::parse(&outcome.stderr).into_iter();
    let mut verdicts: Vec<Verdict> = reports.map(Verdict::of_report).collect();
    let mut failures = Vec::new();
    // What the subject itself prints before the threads start is no word of the script's.
    let begun = program::beginning(outcome).unwrap_or(0);
    let words = &outcome.stdout[begun..];
    let finished = words.iter().any(|l| l.starts_with("not hit in "));
    // What it said it saw, whatever ended it a moment later: a sanitizer that reported anything, or the
    // same fault.
    if from_outside(outcome).is_none() {
        for line in words {
            if let Some(words) = line.strip_prefix("other: ") {
                verdicts.extend(told(words, finding));
            } else if let Some(words) = line.strip_prefix("hit:") {
                match told(words.trim_start(), finding) {
                    Some(verdict) => verdicts.push(verdict),
                    // A script of this kind says nothing of what it looks for: the VM ends it.
                    None if finding.kind.ends_process() || finding.kind == Kind::DataRace => {
                        verdicts.push(Verdict::new(Kind::Outcome, words.trim().to_owned()));
                    }
                    // It prints the outcomes of the class that it looks for, and ends.
                    None if finished => {}
                    None => failures.push(finding.failure()),
                }
            }
        }
    }
    let said = !verdicts.is_empty() || !failures.is_empty();
    // A script that an exception ended did not run on this VM, and its own clock says nothing.
    let left = matches!(outcome.end, End::Exit(code) if code != 0)
        && (said
            || outcome.end == End::Exit(sanitizers::EXIT)
            || outcome.stderr.contains("Traceback (most recent call last)")
            || outcome.stderr.contains("Timeout ("));
    let ends = ends(outcome, finished || outcome.end == End::Exit(0));
    verdicts.extend(ends.into_iter().filter(|v| !left || v.kind == Kind::Panic));
    let flight = flight::read(&outcome.stderr, &flight::Lines::of(script));
    failures.extend(verdicts.into_iter().map(|verdict| {
        let mut failure = Failure::in_scenario(&verdict, &finding.scenario, &flight);
        // A script runs everything at once; whether one thread would do is not asked.
        failure.place.alone = None;
        failure
    }));
    failures
}

/// What a line of a script says by its class, `None` when it only shows the outcome.
fn told(words: &str, finding: &Finding) -> Option<Verdict> {
    if words.starts_with("raised ") {
        return Some(Verdict::new(
            Kind::Internal,
            words.replace("raised !", "raised "),
        ));
    }
    let kind = match words.split([':', ' ']).next()? {
        "at" if finding.kind == Kind::Refcount => Kind::Refcount,
        "at" => Kind::Leak,
        "order" => Kind::Outcome,
        "exception" => Kind::Exception,
        "internal" => Kind::Internal,
        "alien" => Kind::Uninitialised,
        "check" => Kind::Corrupt,
        _ => return None,
    };
    let rest = words.split_once(' ').map_or("", |(_, rest)| rest);
    Some(Verdict::new(kind, format!("raised {rest}")))
}

/// Runs a script up to `runs` times and says how often it hit; with `stop_early` two runs
/// without a hit are enough, and what another failure leaves of the time of one is used for one more. A run that was interrupted or ended from outside is not counted, so there may
/// be none at all. With [`Cores`] a hit that its core shows to have died elsewhere than the finding is none.
///
/// # Errors
/// As of [`attempt`].
pub fn rate(
    vm: &Vm,
    script: &Path,
    finding: &Finding,
    runs: u32,
    seconds: f64,
    stop_early: bool,
    cores: Option<Cores>,
) -> Result<(Rate, Vec<Attempt>), VmError> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut count = Count::default();
    let (mut done, mut left) = (0, seconds);
    while done < runs {
        let folder = match cores {
            Some(Cores::First(_)) if attempts.iter().any(|a| a.core.is_some()) => None,
            Some(Cores::First(folder) | Cores::Each(folder)) => Some(folder),
            None => None,
        };
        let mut attempt = attempt_in(vm, script, finding, left, folder)?;
        if matches!(cores, Some(Cores::Each(_)))
            && let Some(core) = attempt.core.take()
        {
            let _ = std::fs::remove_file(core);
        }
        let told = match attempt.told() {
            Told::Interrupted => break,
            // A script that failed by itself did not hit.
            Told::Unfit(_) => Told::Clean,
            told => told,
        };
        count.add(&told, attempt.run.took);
        // Where another failure ended a run soon, the rest of its time is still the finding's.
        left -= attempt.run.took.as_secs_f64();
        if !stop_early || told != Told::Other || left < SHORTEST {
            (done, left) = (done + 1, seconds);
        }
        attempts.push(attempt);
        if stop_early && done == 2 && count.hits == 0 {
            break;
        }
    }
    Ok((Rate::of(&count, seconds), attempts))
}

impl Finding {
    /// The stand-alone script of this finding.
    pub fn script_text(&self) -> String {
        self.script_tuned(&self.tuning.clone().unwrap_or_default())
    }

    /// The script tuned in another way.
    pub fn script_tuned(&self, tuning: &Tuning) -> String {
        super::script::script(
            &self.scenario,
            &super::script::Head {
                kind: self.kind,
                vm: &self.facts.title(),
                detail: &self.detail,
                why: &self.why,
                // Without the waiting threads' reads, which the sanitizer would report.
                gil: self.facts.has_gil() || self.kind == Kind::DataRace,
                tuning,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::Facts;

    fn ended(end: End, stdout: &str, stderr: &str) -> Outcome {
        Outcome {
            end,
            stdout: stdout.lines().map(str::to_owned).collect(),
            complete_line: true,
            stderr: stderr.to_owned(),
            hang: None,
            orphans: 0,
        }
    }

    fn finding(kind: Kind, detail: &str) -> Finding {
        let list = crate::subject::builtin::select(&["list".to_owned()])
            .expect("a subject of ours")
            .remove(0);
        let limits = crate::scenario::generate::Limits { threads: 2, ops: 1 };
        Finding {
            schema: crate::finding::SCHEMA,
            id: String::new(),
            kind,
            grade: crate::verdict::grade::Grade::Forbidden,
            why: String::new(),
            detail: detail.to_owned(),
            subject: list.name.clone(),
            place: identity::Place::default(),
            frames: Vec::new(),
            scenario: crate::scenario::generate::generate(
                &list,
                limits,
                &mut crate::choice::Seeded::new(5, &[]),
            ),
            vm: String::new(),
            facts: Facts::default(),
            seed: 1,
            number: 0,
            outcome: None,
            explained: Vec::new(),
            minimised: true,
            script: None,
            schedule: None,
            no_schedule: None,
            others: Vec::new(),
            seen: 1,
            tuning: None,
            report: None,
            bytecode: None,
        }
    }

    /// What a run is to a finding: `None`, `Same`, or the kind of the other failure.
    fn is(finding: &Finding, end: End, stdout: &str, stderr: &str) -> Option<Option<Kind>> {
        let script = finding.script_text();
        let shown = shown(&ended(end, stdout, stderr), finding, &script);
        match identity::hit(&finding.failure(), &shown) {
            Hit::None => None,
            Hit::Same => Some(None),
            Hit::Other(failure) => Some(Some(failure.kind)),
        }
    }
    const SAME: Option<Option<Kind>> = Some(None);

    #[test]
    fn only_the_same_failure_is_a_hit() {
        let crash = finding(Kind::Crash, "SIGSEGV");
        assert_eq!(is(&crash, End::Signal(libc::SIGSEGV), "", ""), SAME);
        assert_eq!(
            is(&crash, End::Signal(libc::SIGABRT), "", "free(): x"),
            SAME
        );
        for (end, kind) in [
            (End::Hang, Kind::Deadlock),
            (End::Exit(120), Kind::Exit),
            (End::Memory, Kind::Memory),
        ] {
            assert_eq!(is(&crash, end, "", ""), Some(Some(kind)));
        }
        let said = "hit: raised !SystemError: x";
        assert_eq!(
            is(&crash, End::Exit(1), said, ""),
            Some(Some(Kind::Internal))
        );
        assert_eq!(is(&crash, End::Exit(0), "not hit in 9 strides", ""), None);
        // All work done, then it died.
        let late = is(
            &crash,
            End::Signal(libc::SIGSEGV),
            "not hit in 9 strides",
            "",
        );
        assert_eq!(late, Some(Some(Kind::ShutdownCrash)));
    }

    /// Fails in another way at first, then crashes.
    const CRASHES_LATER: &str = "import ctypes, os, sys
mark = sys.argv[0] + '.ran'
if os.path.exists(mark):
    ctypes.string_at(0)
open(mark, 'w').close()
print('other: exception KeyError: x')
";

    #[test]
    fn what_another_failure_leaves_of_the_time_is_used_and_a_hit_leaves_its_core() {
        let vm = Vm::find("python3").expect("python3 is on PATH");
        let crash = finding(Kind::Crash, "SIGSEGV");
        let runs = |stop_early: bool| {
            let script = program::File::new("repro", CRASHES_LATER).unwrap();
            let cores = stop_early.then(|| Cores::First(script.folder()));
            let (rate, attempts) =
                rate(&vm, script.path(), &crash, 1, 60.0, stop_early, cores).unwrap();
            let core = attempts.iter().find_map(|a| a.core.clone());
            let text = core.and_then(|core| core_file::text(&vm, &core));
            ((rate.hits, rate.runs), text)
        };
        assert_eq!(runs(false), ((0, 1), None));
        let (counts, text) = runs(true);
        assert_eq!(counts, (1, 2));
        // The machine's settings decide whether there is a core.
        if core_file::usable().is_ok() && crate::vm::debugger::available() {
            assert!(text.is_some_and(|t| t.contains("string_at") || t.contains("strlen")));
        }
    }

    #[test]
    fn a_crash_elsewhere_is_no_hit_where_frames_are_known() {
        let mut crash = finding(Kind::Crash, "SIGSEGV");
        let shown = vec![crash.failure()];
        let at = |finding: &Finding, function: &str| {
            let text = format!("#0  {function} (x=1) at a.c:1\n#1  list_append () at a.c:2\n");
            at_its_place(finding, &shown, || Some(text))
        };
        assert_eq!(
            at(&crash, "list_slice"),
            Hit::Same,
            "nobody knows where it was"
        );
        crash.place = crash.failure().place;
        crash.place.frames = vec!["list_resize".to_owned()];
        assert_eq!(at(&crash, "list_resize"), Hit::Same);
        assert!(
            matches!(at(&crash, "list_slice"), Hit::Other(f) if f.place.frames[0] == "list_slice")
        );
        assert_eq!(
            at(&crash, "mi_free"),
            Hit::Same,
            "heap damage shows anywhere"
        );
        assert_eq!(at_its_place(&crash, &shown, || None), Hit::Same);
    }

    #[test]
    fn what_comes_from_outside_is_nothing() {
        for kind in [
            Kind::Crash,
            Kind::Exit,
            Kind::Outcome,
            Kind::Hang,
            Kind::Memory,
        ] {
            for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
                assert_eq!(is(&finding(kind, "x"), End::Signal(signal), "", ""), None);
            }
        }
        let killed = ended(End::Signal(libc::SIGKILL), "", "");
        assert!(from_outside(&killed).is_some_and(|who| who.contains("memory runs out")));
        assert_eq!(
            from_outside(&ended(End::Signal(libc::SIGSEGV), "", "")),
            None
        );
    }

    #[test]
    fn a_panic_hits_at_its_own_line() {
        let panic = finding(Kind::Panic, "vm/src/a.rs:7: len is 3");
        let at = |line: &str| format!("thread 'x' panicked at /r/vm/src/{line}:9:\nlen is 8\n");
        assert_eq!(is(&panic, End::Exit(101), "", &at("a.rs:7")), SAME);
        let other = is(&panic, End::Exit(101), "", &at("b.rs:7"));
        assert_eq!(other, Some(Some(Kind::Panic)));
        assert_eq!(
            is(&panic, End::Signal(libc::SIGSEGV), "", ""),
            Some(Some(Kind::Crash))
        );
    }

    #[test]
    fn an_exit_code_hits_again_and_a_traceback_does_not() {
        let exit = finding(Kind::Exit, "exit code 120: x");
        let of = |end, stderr| is(&exit, end, "", stderr);
        assert_eq!(of(End::Exit(120), ""), SAME);
        assert_eq!(of(End::Signal(libc::SIGSEGV), ""), Some(Some(Kind::Crash)));
        assert_eq!(of(End::Exit(0), ""), None);
        assert_eq!(of(End::Exit(sanitizers::EXIT), ""), None);
        assert_eq!(
            of(End::Exit(1), "Traceback (most recent call last):\n"),
            None
        );
    }

    #[test]
    fn what_a_script_said_counts_whatever_ended_it_a_moment_later() {
        let internal = finding(Kind::Internal, "SystemError: x");
        let said = "hit: raised !SystemError: x";
        let of = |finding, end, stdout| is(finding, end, stdout, "");
        assert_eq!(of(&internal, End::Signal(libc::SIGSEGV), said), SAME);
        assert_eq!(
            of(&internal, End::Signal(libc::SIGSEGV), ""),
            Some(Some(Kind::Crash)),
            "it never said so"
        );
        assert_eq!(of(&internal, End::Signal(libc::SIGKILL), said), None);
        // The crash itself is what another finding looks for.
        let crash = finding(Kind::Crash, "SIGSEGV");
        let other = "other: raised !SystemError: x";
        assert_eq!(of(&crash, End::Signal(libc::SIGSEGV), other), SAME);
    }

    #[test]
    fn a_script_says_that_it_hit_whatever_a_sanitizer_makes_of_its_exit_code() {
        let outcome = finding(Kind::Outcome, "no order gives x");
        for code in [1, sanitizers::EXIT] {
            assert_eq!(is(&outcome, End::Exit(code), "hit:       x", ""), SAME);
        }
        assert_eq!(is(&outcome, End::Exit(sanitizers::EXIT), "", ""), None);
        let left = is(&outcome, End::Exit(1), "", "");
        assert_eq!(left, Some(Some(Kind::Exit)), "it left without a word");
        let other = is(
            &outcome,
            End::Exit(0),
            "other: exception KeyError: x | y",
            "",
        );
        assert_eq!(other, Some(Some(Kind::Exception)));
        assert_eq!(
            is(&outcome, End::Signal(libc::SIGSEGV), "", ""),
            Some(Some(Kind::Crash))
        );
    }

    /// A VM that runs this shell script in the place of the finding's.
    fn shell(text: &str, finding: &Finding, cores: bool) -> Attempt {
        let folder = tempfile::tempdir_in(".").unwrap();
        let script = Path::new(folder.path().file_name().unwrap()).join("repro.sh");
        std::fs::write(&script, text).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let cores = cores.then(|| elsewhere.path());
        attempt_in(&Vm::find("sh").unwrap(), &script, finding, 1.0, cores).unwrap()
    }

    #[test]
    fn a_script_that_is_named_from_here_runs_in_another_folder() {
        let finding = finding(Kind::Outcome, "no order gives 1");
        for cores in [false, true] {
            let attempt = shell("echo 'hit: 1'; exit 1", &finding, cores);
            assert!(attempt.hit(), "{attempt:?}");
        }
    }

    #[test]
    fn what_a_subject_prints_by_itself_is_no_hit() {
        let finding = finding(Kind::Outcome, "no order gives 1");
        let begins = "# print(\"begun\")\n";
        for (text, hit) in [
            ("echo 'hit: key 1'; echo begun; exit 0", false),
            (
                "echo begun; echo 'hit: key 1'; echo 'not hit in 3 strides'",
                false,
            ),
            ("echo 'hit: key 1'; echo begun; echo 'hit: 1'; exit 1", true),
            (
                "echo 'not hit in 3 strides'; echo begun; echo 'hit: 1'; exit 1",
                true,
            ),
            ("echo 'hit: key 1'; echo -n x; echo begun; exit 0", false),
        ] {
            let attempt = shell(&format!("{begins}{text}"), &finding, false);
            assert_eq!(attempt.hit(), hit, "{text}");
        }
    }

    #[test]
    fn a_script_of_a_crash_hits_by_crashing_once_it_has_begun() {
        let finding = finding(Kind::Crash, "SIGSEGV");
        let says = shell("echo 'hit: anything'; exit 1", &finding, false);
        assert_eq!(says.told(), Told::Other, "{says:?}");
        let begins = "# print(\"begun\")\n";
        let dies = "kill -SEGV $$";
        let at_start = shell(&format!("{begins}{dies}"), &finding, false);
        assert!(matches!(at_start.told(), Told::Unfit(_)), "{at_start:?}");
        let begun = shell(&format!("{begins}echo begun\n{dies}"), &finding, false);
        assert!(begun.hit(), "{begun:?}");
        let of_before = shell(dies, &finding, false);
        assert!(of_before.hit(), "scripts of before do not say it");
    }
}
