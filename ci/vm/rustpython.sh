#!/usr/bin/env bash
# rustpython.sh VERSION
#
# Builds a published version of RustPython (for example 0.6.0) with threads and
# its standard library inside into a cache, once, and prints the program's path.
# A Rust panic on any thread of it prints its backtrace and aborts the process.
# The cache is $THREADBARE_VM_CACHE, or threadbare/vm in the user's cache folder.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
locks=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/rustpython

one_argument version "$@"
version=$ARGUMENT
[ -n "$version" ] || usage "which version?"
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || usage "'$version' is no version such as 0.6.0"

open_cache
exe=$CACHE/rustpython-$version/bin/rustpython
[ -x "$exe" ] && answer "$exe"

need_commands cc flock setpriv
command -v cargo >/dev/null || die 3 "no cargo on PATH" "install Rust: https://rustup.rs"
begin "rustpython-$version"
[ -x "$exe" ] && answer "$exe"

features='"threading", "stdlib", "freeze-stdlib"'
case $version in
    0.[0-4].*)
        features+=', "zlib"'
        run='rustpython::run(|_vm| {})' ;;
    *)
        features+=', "stdio", "host_env"'
        run='{ use rustpython::InterpreterBuilderExt; rustpython::run(rustpython::InterpreterBuilder::new().init_stdlib()) }' ;;
esac
mkdir -p "$WORK/src"
cat >"$WORK/Cargo.toml" <<END
[workspace]
resolver = "3"

[package]
name = "python"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "rustpython"
path = "src/main.rs"

[dependencies]
rustpython = { version = "=$version", default-features = false, features = [$features] }

[profile.release]
debug = "line-tables-only" # source lines in the backtraces of panics
lto = "thin" # as in RustPython's own release profile
END
# RustPython ends only the thread that panicked, and the others wait for it for
# ever: a panic would look like a hang.
cat >"$WORK/src/main.rs" <<END
fn main() -> std::process::ExitCode {
    std::panic::set_hook(Box::new(|info| {
        // Looking up symbols takes half a second: who runs thousands of panics can refuse it.
        let trace = match std::env::var("RUST_BACKTRACE").as_deref() {
            Ok("0") => std::backtrace::Backtrace::disabled(),
            _ => std::backtrace::Backtrace::force_capture(),
        };
        eprintln!("{info}\nstack backtrace:\n{trace}");
        std::process::abort();
    }));
    $run
}
END

# Published versions ask for dependencies so loosely that newer ones break them.
# A version without a lock file of ours takes the newest; where that builds, the
# lock file is kept beside the program.
locked=()
if [ -e "$locks/$version.lock" ]; then
    cp "$locks/$version.lock" "$WORK/Cargo.lock"
    locked=(--locked)
else
    say "no lock file of ours for $version: taking the newest dependencies that fit"
fi
cd "$WORK"
say "fetching RustPython $version and what it needs"
cargo fetch "${locked[@]}" >>"$LOG" 2>&1 3>&- 9>&- || {
    tail -n 12 "$LOG" | sed 's/^/    /'
    if grep -q "failed to select a version for the requirement .rustpython = " "$LOG"; then
        die 3 "RustPython $version is not published; cargo names some that are, above"
    fi
    die 3 "cargo could not fetch it, see above" "check the network; the whole output is in $LOG"
}
# The crates' declared Rust version is their authors' wish; whether it compiles
# is what counts.
step "compiling with $(nproc) jobs" cargo build --release "${locked[@]}" --ignore-rust-version --target-dir "$WORK/target"

mkdir -p "$WORK/stage/bin"
cp target/release/rustpython "$WORK/stage/bin/"
cp Cargo.lock "$WORK/stage/"
cat >"$WORK/check.py" <<'END'
import sys, threading, collections, os.path
assert sys.argv[1:] == ["a", "b"], sys.argv
assert sys.path[0] == os.path.dirname(os.path.abspath(__file__)), sys.path
seen = []
threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert sorted(seen) == [0, 1, 2, 3], seen
print(sys.version)
END
step "checking that it runs a script with threads" "$WORK/stage/bin/rustpython" "$WORK/check.py" a b
publish "$WORK/stage"
answer "$exe"
