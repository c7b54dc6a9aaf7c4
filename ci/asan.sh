#!/usr/bin/env bash
# Native stress of every protocol under AddressSanitizer: real threads, objects in real memory.
# The faithful schemes must be clean; planted faults that hardly need luck must be reported.
#
#   ci/asan.sh [ROUNDS]   how often each scenario runs, default 2000; a planted fault 50 times as often
#
# Needs a nightly toolchain, for -Zsanitizer; another one: THREADBARE_NIGHTLY=nightly-2026-05-15.
# The last line counts. Exit codes: 0 all as expected, 1 not, 4 skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-2000}
nightly=${THREADBARE_NIGHTLY:-nightly}
if ! cargo "+$nightly" --version >/dev/null 2>&1; then
    rustup toolchain install "$nightly" --profile minimal >/dev/null 2>&1 || {
        echo "skipped: no toolchain $nightly and it cannot be installed; rustup toolchain install $nightly --profile minimal"
        exit 4
    }
fi
host=$(rustc "+$nightly" -vV | sed -n 's/^host: //p')
# Own target folder: other flags must not make the main build compile anything again.
export CARGO_TARGET_DIR=${THREADBARE_ASAN_TARGET_DIR:-target/asan}
export RUSTFLAGS="-Zsanitizer=address --cfg threadbare_asan"
# Leaks count; what a planted fault prints is kept by its test.
export ASAN_OPTIONS=detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# --target keeps the flags away from build scripts and procedural macros.
sanitized() { cargo "+$nightly" test --release -p threadbare-models --target "$host" "$@" 2>&1 | tee -a "$log"; }

code=0
echo "== properties, native engine"
sanitized --test protocols -- ::native:: || code=1
echo "== objects in memory, $rounds rounds"
THREADBARE_ROUNDS=$rounds sanitized --test memory -- --nocapture || code=1

reported=$(grep -cE '^planted .*: (heap-use-after-free|double-free|overwritten|leak)' "$log")
echo "asan: $(grep -c ' rounds, nothing found$' "$log") scenarios clean, $reported of $(grep -c '^planted ' "$log") planted faults reported for what they do to memory"
exit $code
