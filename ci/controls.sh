#!/usr/bin/env bash
# Controls, ten minutes each: hunts in which nothing may be found. A VM with a GIL, whose operations run no Python code
# in the middle and do not let go of the GIL there; and every VM at hand with one thread. What a VM does wrong in one
# thread is no false alarm: it is printed. Prints one line a check and a summary; exit code 1 when a control found
# anything else, or did not run to its end.
#
#   ci/controls.sh [PROGRAM [TIME]]      default: target/release/threadbare 10m
set -uo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/threadbare}")
time=${2:-10m}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 skipped=0

control() { # NAME VM FLAGS...
    local name=$1 vm=$2 code=0
    shift 2
    echo "== control: $name, $time"
    "$program" hunt --vm "$vm" --seed 1 --time "$time" --out "$out/$name" --format json "$@" \
        >"$out/$name.json" 2>"$out/$name.err" || code=$?
    # The exit code is the answer; only among findings is looked for those of one thread.
    grep '"event":"finding"' "$out/$name.json" >"$out/found"
    cut -c1-600 "$out/found"
    if [ "$code" = 0 ]; then
        echo "ok: $name: nothing found"
        passed=$((passed + 1))
    elif [ "$code" = 1 ] && [ -s "$out/found" ] && ! grep -qv '"detail":"in one thread: ' "$out/found"; then
        echo "ok: $name: nothing found but what the VM does wrong in one thread"
        passed=$((passed + 1))
    else
        tail -n 20 "$out/$name.err"
        echo "FAILED: $name: code $code"
        failed=$((failed + 1))
    fi
}

# One of a VM that a script builds or unpacks once into the cache.
one_thread() { # NAME SCRIPT ARGS...
    local name=$1 vm
    shift
    if vm=$(bash "$@" 2>"$out/build.err"); then
        control "$name-one-thread" "$vm" --sequential
    else
        echo "skipped: $name: $(tail -n 1 "$out/build.err")"
        skipped=$((skipped + 1))
    fi
}

if command -v python3 >/dev/null; then
    control python3-with-gil python3 --no-callbacks
    control python3-one-thread python3 --sequential
else
    echo "skipped: python3 with a GIL: not on PATH"
    skipped=$((skipped + 2))
fi
control rustpython-one-thread rustpython --sequential
one_thread cpython-3.13.5-ft ci/vm/cpython-ft.sh 3.13.5
one_thread cpython-3.13.15-ft ci/vm/cpython-ft.sh 3.13.15
one_thread micropython ci/vm/micropython.sh
one_thread pypy ci/vm/debian-python.sh pypy3
echo "controls: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
