//! The regression run must fail on a wrong mark: `repro --all --regression`, and the job that CI runs.

use std::path::Path;
use std::process::Command;
use threadbare_stress::vm::Vm;

/// A program that always shows its bug, one that never does, and one that fails in another way.
const OTHERWISE: &str = "import sys\nprint('hit: 3 is 4')\nsys.exit(1)\n";
const SHOWS: &str = "import sys\nprint('hit: 1 is 2')\nsys.exit(1)\n";
const SILENT: &str = "import time\ntime.sleep(0.5)\n";

/// A catalogue of one bug with this mark for the machine's own python3; what is marked fixed an older one showed.
fn catalogue(dir: &Path, vm: &Vm, program: &str, status: &str, hits: u32) {
    let title = vm.facts.title();
    let version = title.split(' ').nth(1).unwrap();
    let (fixed_in, older) = match status {
        "fixed" => (
            format!("fixed_in = [\"{version}\"]\n"),
            "[[measured]]\nvm = \"cpython 3.1.0\"\nstatus = \"reproduced\"\nhits = 1\nruns = 5\nseconds = 1.0\nprogram = \"p\"\n",
        ),
        _ => (String::new(), ""),
    };
    let family = dir.join("cpython");
    std::fs::create_dir_all(&family).unwrap();
    let text = format!(
        "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"cpython\"\ncategory = \"c\"\nnature = \"bug\"\n\
         affected = \"any\"\nfixed = \"any\"\n{fixed_in}failure = [\"wrong\"]\nbuilds = [\"release\"]\nsource = \"s\"\n\
         no_fault = \"a fixture\"\n\n[signature]\ntext = [\"1 is 2\"]\n\n\
         [[measured]]\nvm = \"{title}\"\nstatus = \"{status}\"\nhits = {hits}\nruns = 5\nseconds = 1.0\n\
         program = \"p\"\n{older}"
    );
    std::fs::write(family.join("1-x.toml"), text).unwrap();
    std::fs::write(family.join("1-x.py"), program).unwrap();
}

/// Exit code and stdout of the program's check and of the job's.
fn check(program: &str, status: &str, hits: u32) -> [(i32, String); 2] {
    let dir = tempfile::tempdir().unwrap();
    let vm = Vm::open("python3").expect("python3 is on PATH");
    catalogue(dir.path(), &vm, program, status, hits);
    let catalogue = dir.path().to_str().unwrap();
    let threadbare = env!("CARGO_BIN_EXE_threadbare");
    let ran = |command: &mut Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap_or(-1), text)
    };
    let direct = ran(Command::new(threadbare)
        .args(["repro", "--all", "--regression", "--quick", "--time", "1s"])
        .args(["--vm", "python3", "--catalogue", catalogue]));
    let job = ran(Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/bugs.sh"))
        .args(["--quick", "--time", "1s", "--vm", "python3"])
        .args(["--catalogue", catalogue, threadbare]));
    [direct, job]
}

#[test]
fn right_marks_pass() {
    let [direct, job] = check(SHOWS, "reproduced", 5);
    assert_eq!(direct.0, 0, "{}", direct.1);
    assert!(
        direct
            .1
            .ends_with("1 bugs as marked, 0 not, 0 unsure, 0 skipped\n"),
        "{}",
        direct.1
    );
    assert_eq!(job.0, 0, "{}", job.1);
    assert!(
        job.1
            .ends_with("bugs: 1 passed, 0 failed, 0 unsure, 0 skipped\n"),
        "{}",
        job.1
    );
}

#[test]
fn a_bug_marked_fixed_that_shows_fails_the_job() {
    fails(
        check(SHOWS, "fixed", 0),
        "REGRESSION: a/b#1 is marked fixed and is back",
    );
}

/// What a file says of itself is not believed: no other version showed it.
#[test]
fn a_mark_that_nothing_proves_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let vm = Vm::open("python3").expect("python3 is on PATH");
    catalogue(dir.path(), &vm, SILENT, "fixed", 0);
    let file = dir.path().join("cpython/1-x.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    let status = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
            .args(["bugs", "--status", "fixed", "--catalogue"])
            .arg(dir.path())
            .output()
            .unwrap();
        output.status.code()
    };
    assert_eq!(status(&whole), Some(0));
    assert_ne!(
        status(&whole.replace(
            "3.1.0\"\nstatus = \"reproduced\"\nhits = 1",
            "3.1.0\"\nstatus = \"reproduced\"\nhits = 0"
        )),
        Some(0)
    );
    assert_ne!(
        status(&whole.replacen("program = \"p\"", "program = \"q\"", 1)),
        Some(0)
    );
}

#[test]
fn a_bug_marked_reproducible_that_does_not_show_fails_the_job() {
    fails(
        check(SILENT, "reproduced", 5),
        "REGRESSION: a/b#1 is marked reproducible",
    );
}

#[test]
fn another_failure_is_not_the_bug() {
    fails(
        check(OTHERWISE, "reproduced", 5),
        "failed, but not in its signature",
    );
}

/// A mark that nothing ever proved cannot pass: it is not looked at, and nothing is counted.
#[test]
fn an_unproven_mark_passes_nothing() {
    for (status, hits) in [
        ("unproven", 0),
        ("before-signatures", 5),
        ("reproduced-otherwise", 0),
    ] {
        let [direct, job] = check(SILENT, status, hits);
        assert_eq!((direct.0, job.0), (4, 4), "{status}: {}", job.1);
        assert!(
            job.1
                .ends_with("bugs: 0 passed, 0 failed, 0 unsure, 0 skipped\n"),
            "{}",
            job.1
        );
    }
}

/// README's table of known bugs is the command's.
#[test]
fn the_table_of_known_bugs_is_printed_by_the_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .args(["bugs", "--table"])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.lines().count() > 2, "{table}");
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    assert!(
        readme.contains(&table),
        "README's table is not what `threadbare bugs --table` prints:\n{table}"
    );
}

fn fails([direct, job]: [(i32, String); 2], why: &str) {
    assert_eq!(direct.0, 1, "{}", direct.1);
    assert!(direct.1.contains(why), "{}", direct.1);
    assert_eq!(job.0, 1, "{}", job.1);
    assert!(
        job.1
            .ends_with("bugs: 0 passed, 1 failed, 0 unsure, 0 skipped\n"),
        "{}",
        job.1
    );
}
