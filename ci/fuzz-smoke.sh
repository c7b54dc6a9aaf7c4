#!/usr/bin/env bash
# A run of every fuzz target on stable Rust, from the seeds and past crashes in git and from what earlier
# runs on this machine have found (fuzz/corpus, which stays).
#
#   ci/fuzz-smoke.sh [SECONDS] [TARGET]...      seconds for each target, default 5; all without a name
#
# FUZZ_SEED: the seed of libFuzzer's choices; drawn afresh without.
# Exit codes: 0 nothing failed, 1 a target failed (its input is named), 2 usage.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-5}
[ $# = 0 ] || shift
case $seconds in *[!0-9]* | '') echo "usage: ci/fuzz-smoke.sh [SECONDS] [TARGET]..." >&2 && exit 2 ;; esac
if ! command -v c++ >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ >/dev/null
    else
        echo "skipped: no C++ compiler for libFuzzer's runtime; install g++"
        exit 0
    fi
fi
programs=$(bash ci/fuzz-build.sh "$@")
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(basename -s .rs -a fuzz/fuzz_targets/*.rs)
# What holds the embedded RustPython.
export THREADBARE_PROGRAM=${THREADBARE_PROGRAM:-$PWD/target/release/threadbare}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=()
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    folders=("fuzz/corpus/$target")
    for folder in seeds crashes; do
        [ ! -d "fuzz/$folder/$target" ] || folders+=("fuzz/$folder/$target")
    done
    echo "== fuzz $target, $seconds s"
    code=0
    export THREADBARE_FUZZ_FINDINGS=fuzz/artifacts/$target/scenarios
    "$programs/$target" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -max_len=512 -len_control=0 -timeout=60 -rss_limit_mb=4096 -verbosity=1 \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" "${folders[@]}" >"$log" 2>&1 || code=$?
    grep -aE "^#.*DONE|stat::number_of_executed|stat::new_units|ERROR|panicked|Test unit|^failing place|^difference" "$log" | head -n 12 | cut -c1-300 || true
    if [ "$code" != 0 ]; then
        failed+=("$target")
        tail -n 30 "$log" | cut -c1-400
        echo "FAILED: fuzz target $target; again: $programs/$target FILE, the file is named above; once mended, keep it as fuzz/crashes/$target/NAME"
    fi
done
[ ${#failed[@]} = 0 ] || { echo "fuzz: ${failed[*]} failed" && exit 1; }
echo "fuzz: ${#targets[@]} targets passed"
