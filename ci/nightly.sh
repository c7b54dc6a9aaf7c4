#!/usr/bin/env bash
# What is too long for every commit: AddressSanitizer, long random suites, larger programs of every
# protocol, long fuzzing, every known bug.
# A step that fails does not keep the next from running.
#
#   ci/nightly.sh [PART]...   all parts without a name; hours on two cores
#
# The seed of the random suites is the day, or PROPTEST_RNG_SEED. Exit codes: 0 nothing failed, 1 a step
# failed, 2 usage.
set -uo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$(date +%Y%m%d)}

asan() { bash ci/asan.sh 10000; }
random() {
    echo "random suites: PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED"
    PROPTEST_CASES=20000 cargo test --release -p threadbare-litmus \
        --test brute_force --test faults --test reductions_random --test bound --test lifetimes \
        --test workers || return
    # 60 cases a second; an hour for each model is ORACLE_CASES=220000.
    local cases=${ORACLE_CASES:-10000} model
    for model in rust rc11 sc tso; do
        echo "closure oracle: MODEL=$model PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED, $cases cases of each test"
        MODEL=$model PROPTEST_CASES=$cases cargo test --release -p threadbare-litmus \
            --test closures_oracle || return
    done
}
# All programs of a protocol within a larger bound than every run of the tests has. The lists have
# hundreds of executions a program: a sample of those, and of four threads. First the named scenarios,
# with forty times what samples and searches that others make superfluous may spend otherwise.
enumerate() {
    MODELS_EFFORT=40 cargo test --release -p threadbare-models --test protocols || return
    MODELS_BOUNDS='2x3 3x2' cargo test --release -p threadbare-models --test enumerated -- \
        --skip list:: --skip ::complete --skip ::finds || return
    MODELS_BOUNDS="2x3~2000@$PROPTEST_RNG_SEED 3x2~2000@$PROPTEST_RNG_SEED 4x2~500@$PROPTEST_RNG_SEED" \
        cargo test --release -p threadbare-models --test enumerated -- --skip ::complete --skip ::finds
}
# Which memory orders the models need, against the answers of last time; of them `buffered` needs the
# longest, a minute of processor time.
orders() { cargo test --release -p threadbare-models --test orders -- --ignored; }
# Half an hour each; then what was found is reduced to the seeds, to be committed by whoever looks.
fuzz() { bash ci/fuzz-smoke.sh 1800 && bash ci/fuzz-corpus.sh; }
# Whose fault it is in extensions of Cython and Rust too, which take a minute to build.
extensions() {
    bash ci/vm/racy-extensions.sh >/dev/null || return
    # Ignored is not passed: what was built must be found.
    cargo test --release --test bytecode -- --include-ignored 'free-threaded' || return
    # And seen by the hunt, with real threads.
    cargo test --release --test hunted -- --include-ignored
}
# A campaign on a real Slurm, disturbed and undisturbed; one that is killed fifty times.
cluster() {
    cargo build --release || return
    python3 ci/cluster/kills.py target/release/threadbare || return
    bash ci/cluster/trial.sh
}
# The report in a real browser. Ignored is not passed: without a browser this part is skipped, and says so.
browser() {
    if ! command -v chromium chromium-browser google-chrome >/dev/null; then
        echo "no Chromium; on Debian: apt-get install chromium" >&2
        return 4
    fi
    cargo test --release --test browser -- --include-ignored --nocapture
}
# Hunts in which nothing may be found: more than an hour.
controls() { cargo build --release && bash ci/controls.sh; }
# Public reports, each of another kind of scenario, found by the family that can say it: half an hour.
kinds() { cargo build --release && bash ci/kinds.sh; }
bugs() { cargo build --release && bash ci/bugs.sh; }

parts=(asan random enumerate orders fuzz extensions cluster browser controls kinds bugs)
[ $# -gt 0 ] || set -- "${parts[@]}"
for name; do
    if ! printf '%s\n' "${parts[@]}" | grep -qxF -- "$name"; then
        echo "no part $name; there are: ${parts[*]}" >&2
        exit 2
    fi
done
summary=() failed=0
for name; do
    printf '\n== %s (%d s)\n' "$name" "$SECONDS"
    code=0
    "$name" || code=$?
    case $code in
    0) summary+=("$name: passed") ;;
    4) summary+=("$name: skipped, see above") ;;
    *) summary+=("$name: FAILED, exit code $code") failed=1 ;;
    esac
done
printf '\n== summary (%d s)\n' "$SECONDS"
printf 'nightly: %s\n' "${summary[@]}"
exit $failed
