#!/usr/bin/env bash
# Compiles the fuzz targets on stable Rust, with coverage guidance and without a sanitizer (those need
# nightly: `cargo +nightly fuzz run TARGET`), and prints the folder of the programs. Own target folder:
# other flags must not make the main build compile anything again.
#
#   ci/fuzz-build.sh [TARGET]...      all without a name
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${THREADBARE_FUZZ_TARGET_DIR:-$PWD/target/fuzz}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
# Our own crates change with every commit: not optimised, for they compile in a quarter of the time, and
# with their assertions; the dependencies are.
own=()
for crate in fuzz litmus models stress; do
    own+=(--config "profile.release.package.threadbare-$crate.opt-level=0"
        --config "profile.release.package.threadbare-$crate.debug=false"
        --config "profile.release.package.threadbare-$crate.debug-assertions=true"
        --config "profile.release.package.threadbare-$crate.overflow-checks=true")
done
bins=(--bins)
[ $# = 0 ] || bins=("${@/#/--bin=}")
# --target keeps the flags away from build scripts and procedural macros.
cargo build --release -p threadbare-fuzz "${bins[@]}" --target "$host" "${own[@]}" >&2
echo "$CARGO_TARGET_DIR/$host/release"
