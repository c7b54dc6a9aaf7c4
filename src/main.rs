//! `threadbare`: hunts races in Python VMs without a GIL, and reproduces them.
//!
//! Argument parsing and printing only; one file per subcommand.

/// As the standard macro, but a reader that is gone stops the run instead of panicking a worker.
macro_rules! print {
    ($($text:tt)*) => { $crate::say(::core::format_args!($($text)*)) };
}
/// A line of [`print`].
macro_rules! println {
    () => { print!("\n") };
    ($($text:tt)*) => { print!("{}\n", ::core::format_args!($($text)*)) };
}

mod bisect;
mod bugs;
mod campaign;
mod check;
mod control;
mod counterexample;
mod explain;
mod findings;
mod hunt;
mod judge;
mod litmus;
mod matrix;
mod probe;
mod replay;
mod report;
mod repro;
mod rustpython;
mod signals;
mod time;
mod vms;

use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;
use threadbare_stress::vm::child::{INTERRUPTED, interrupted};

/// Exit codes, the same for every subcommand.
pub mod exit {
    use std::process::ExitCode;

    /// All ran and nothing was found.
    pub const CLEAN: ExitCode = ExitCode::SUCCESS;

    /// Something was found.
    pub fn found() -> ExitCode {
        ExitCode::from(1)
    }

    /// The arguments name or ask for what there is not.
    pub fn usage() -> ExitCode {
        ExitCode::from(2)
    }

    /// The environment is unfit: a VM is missing, a folder cannot be written.
    pub fn environment() -> ExitCode {
        ExitCode::from(3)
    }

    /// Nothing was selected, or everything was skipped.
    pub fn nothing() -> ExitCode {
        ExitCode::from(4)
    }

    /// A failure of our own.
    pub fn ours() -> ExitCode {
        ExitCode::from(5)
    }

    /// Interrupted; partial results are saved.
    pub fn interrupted() -> ExitCode {
        ExitCode::from(130)
    }
}

/// Hunts concurrency bugs in Python VMs that run without a global interpreter lock.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
#[command(after_help = "\
Examples:
  threadbare hunt                                   # 60 s on the embedded RustPython
  threadbare hunt --vm python3.14t --time 10m       # any Python interpreter
  threadbare hunt --subject 'package.module:Type'   # a type of yours
  threadbare repro threadbare-out/findings/ID       # run a finding's script again
  threadbare findings                               # all findings, clustered, worst first

Exit codes: 0 nothing found, 1 something found, 2 usage, 3 environment (VM missing, folder not
writable), 4 nothing selected or all skipped, 5 our own failure, 130 interrupted (results saved).")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Hunt for races in a VM and leave minimised scripts.
    Hunt(hunt::Args),
    /// Hunt in many VMs and shards, for hours, on one machine or many.
    Campaign(campaign::Args),
    /// Judge a saved hunt again, without any VM: which verdicts differ?
    Judge(judge::Args),
    /// Run a finding's script, or known bugs, and say how often they hit.
    Repro(repro::Args),
    /// Say whose fault a finding is: does any order of bytecodes give its outcome?
    Explain(explain::Args),
    /// List what hunts found, clustered; show, mark and merge findings.
    Findings(findings::Args),
    /// Say on which VMs a finding or known bug fails, and between which versions that changed.
    Bisect(bisect::Args),
    /// List the known race bugs of Python VMs; say which one a VM's output shows.
    Bugs(bugs::Args),
    /// Write a hunt's results as one HTML file, from what is saved.
    Report(report::Args),
    /// List the VMs that were found and what they are.
    Vms(vms::Args),
    /// Check the protocols that replace the GIL under model-checking engines.
    Check(check::Args),
    /// Protocols, their properties, and which engine kills which mutant.
    Matrix(matrix::Args),
    /// Search the schedules of known bugs and findings on a VM that is built for control.
    Control(control::Args),
    /// Repeat a recorded violation of a protocol, or a schedule of a controlled VM, exactly.
    Replay(replay::Args),
    /// Run litmus tests: what the memory model allows.
    Litmus(litmus::Args),
    /// Run fixed programs on VMs that stand for the properties of a protocol.
    Probe(probe::Args),
    /// Run a Python file on the embedded RustPython.
    #[command(disable_help_flag = true)]
    Rustpython(rustpython::Args),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object a line, each with a `schema` field.
    Json,
}

/// An error's exit code: which kind of failure it is.
fn code(error: &anyhow::Error) -> ExitCode {
    use threadbare_models::catalogue::Unknown;
    use threadbare_stress::bugs::BugsError;
    use threadbare_stress::campaign::HuntError;
    use threadbare_stress::controlled::ControlError;
    use threadbare_stress::finding::store::StoreError;
    use threadbare_stress::probe::ProbeError;
    use threadbare_stress::subject::SubjectError;
    use threadbare_stress::verdict::sanitizer::suppress::SuppressError;
    use threadbare_stress::vm::VmError;
    if let Some(error) = error.downcast_ref() {
        return match error {
            HuntError::Other { .. } => exit::usage(),
            _ => exit::environment(),
        };
    }
    if let Some(error) = error.downcast_ref() {
        return match error {
            BugsError::Io { .. } => exit::environment(),
            _ => exit::usage(),
        };
    }
    let asked = error.is::<SubjectError>()
        || error.is::<SuppressError>()
        || error.is::<ProbeError>()
        || error.is::<Unknown>();
    let machine = error.is::<ControlError>()
        || error.is::<threadbare_control::bundle::Error>()
        || error.is::<VmError>()
        || error.is::<StoreError>()
        || error.is::<std::io::Error>();
    if asked {
        exit::usage()
    } else if machine {
        exit::environment()
    } else {
        exit::ours()
    }
}

/// The error and its causes, each said once: our own errors quote theirs.
fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Writes to stdout; when nobody reads it any more the run ends as after Ctrl-C, all saved.
fn say(text: std::fmt::Arguments<'_>) {
    if std::io::stdout().write_fmt(text).is_err() {
        // Relaxed: the flag carries no data.
        INTERRUPTED.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

fn main() -> ExitCode {
    if rustpython::is_me() {
        return rustpython::main();
    }
    let command = Cli::parse().command;
    // No hook: the model checkers catch panics of the programs they run. This one is ours.
    std::panic::catch_unwind(|| ended(command)).unwrap_or_else(|_| exit::ours())
}

/// Runs a subcommand to its exit code.
fn ended(command: Command) -> ExitCode {
    let result = match command {
        Command::Hunt(args) => hunt::run(args),
        Command::Campaign(args) => campaign::run(args),
        Command::Judge(args) => judge::run(args),
        Command::Repro(args) => repro::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Findings(args) => findings::run(args),
        Command::Bisect(args) => bisect::run(args),
        Command::Bugs(args) => bugs::run(args),
        Command::Report(args) => report::run(args),
        Command::Vms(args) => vms::run(args),
        Command::Check(args) => check::run(args),
        Command::Matrix(args) => matrix::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Control(args) => control::run(&args),
        Command::Litmus(args) => litmus::run(args),
        Command::Probe(args) => probe::run(args),
        Command::Rustpython(args) => rustpython::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("threadbare: {}", message(&error));
        if interrupted() {
            exit::interrupted()
        } else {
            code(&error)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// A shell line's words: quotes keep spaces; comments, pipes and redirections end it.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted && matches!(rest.peek(), Some('#' | '|' | '>')) => break,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().expect("never empty").push(c),
            }
        }
        words.retain(|w| !w.is_empty());
        words
    }

    /// The examples below a command's help.
    fn examples(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string);
        let lines = help.unwrap_or_default();
        let lines = lines.lines().filter(|l| l.starts_with("  threadbare "));
        lines.map(|l| l.trim().to_owned()).collect()
    }

    #[test]
    fn every_subcommand_has_examples_that_parse() {
        let program = Cli::command();
        let mut all = examples(&program);
        for command in program.get_subcommands() {
            let own = examples(command);
            // RustPython's help is its own.
            assert!(
                !own.is_empty() || matches!(command.get_name(), "rustpython" | "help"),
                "`threadbare {} --help` has no example",
                command.get_name()
            );
            all.extend(own);
        }
        assert!(all.len() > 30, "{all:#?}");
        for example in all {
            if let Err(error) = Cli::try_parse_from(words(&example)) {
                panic!("{example}: {error}");
            }
        }
    }

    #[test]
    fn words_of_a_shell_line() {
        assert_eq!(
            words("threadbare hunt --vm 'a b' -x   # why"),
            ["threadbare", "hunt", "--vm", "a b", "-x"]
        );
        assert_eq!(
            words("threadbare bugs a#1 > f"),
            ["threadbare", "bugs", "a#1"]
        );
    }
}
