//! Fixtures: small programs with a fault, and repaired, compiled to be scheduled.

use std::path::{Path, PathBuf};
use std::process::Command;
use threadbare_control::launch::Program;

/// Whether this machine has no such compiler.
pub fn is_missing(compiler: &str) -> bool {
    Command::new(compiler).arg("--version").output().is_err()
}

/// Where cargo has put the runtime: beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let folder = test.parent().expect("it lies in a folder").to_path_buf();
    assert!(
        folder.join("libthreadbare_control_runtime.so").exists(),
        "no runtime in {}",
        folder.display()
    );
    folder
}

/// Compiles a fixture; repaired where that is asked for.
pub fn build(compiler: &str, source: &str, repaired: bool, to: &Path) -> Program {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = to.join(format!("{source}-{compiler}-{repaired}"));
    let source = root.join("tests/fixtures").join(source);
    let library = library();
    let run = |command: &mut Command| {
        let output = command.output().expect("the compiler starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    if compiler == "rustc" {
        let mut rustc = Command::new("rustc");
        // The sanitizer's flags are unstable; the instrumentation is LLVM's, as for C.
        rustc.env("RUSTC_BOOTSTRAP", "1").args([
            "--edition=2024",
            "-O",
            "-Zsanitizer=thread",
            "-Zexternal-clangrt",
        ]);
        rustc.args([
            "-Cunsafe-allow-abi-mismatch=sanitizer",
            "-ldylib=threadbare_control_runtime",
        ]);
        rustc
            .arg("-L")
            .arg(&library)
            .arg(format!("-Clink-arg=-Wl,-rpath,{}", library.display()));
        if repaired {
            rustc.arg("--cfg=repaired");
        }
        run(rustc.arg("-o").arg(&path).arg(&source));
    } else {
        let wrapper = root.join("../../ci/vm/controlled-cc");
        let object = path.with_extension("o");
        let command = || {
            let mut cc = Command::new(&wrapper);
            cc.env("THREADBARE_CONTROL_CC", compiler)
                .env("THREADBARE_CONTROL_LIB", &library);
            cc
        };
        let define = if repaired { "-DREPAIRED" } else { "-DFAULTY" };
        run(command()
            .args(["-O1", "-g1", "-Wall", "-Wno-unused-function", define, "-c"])
            .arg(&source)
            .arg("-o")
            .arg(&object));
        run(command().arg(&object).arg("-o").arg(&path).arg("-pthread"));
    }
    Program {
        path,
        ..Program::default()
    }
}
