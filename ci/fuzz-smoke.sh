#!/usr/bin/env bash
# A short run of every fuzz target on stable Rust, with coverage guidance and without a sanitizer
# (those need nightly: `cargo +nightly fuzz run TARGET`). Own target folder: other flags must not
# make the main build compile anything again.
#
#   ci/fuzz-smoke.sh [SECONDS]      seconds for each target, default 10
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
if ! command -v c++ >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ >/dev/null
    else
        echo "skipped: no C++ compiler for libFuzzer's runtime; install g++"
        exit 0
    fi
fi
export CARGO_TARGET_DIR=${THREADBARE_FUZZ_TARGET_DIR:-target/fuzz}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
# --target keeps the flags away from build scripts and procedural macros.
cargo build --release -p threadbare-fuzz --bins --target "$host"
for target in scenario oracle litmus_text; do
    corpus=$(mktemp -d)
    code=0
    echo "== fuzz $target, $seconds s"
    "$CARGO_TARGET_DIR/$host/release/$target" -max_total_time="$seconds" -print_final_stats=1 "$corpus" "fuzz/seeds/$target" \
        >"$corpus.log" 2>&1 || code=$?
    grep -E "Loaded|stat::number_of_executed|ERROR|panicked|Test unit|DONE" "$corpus.log" || true
    if [ "$code" != 0 ]; then
        echo "FAILED: fuzz target $target; replay with: cargo +nightly fuzz run $target crash-FILE (the file stands above)"
        exit 1
    fi
    rm -rf "$corpus" "$corpus.log"
done
