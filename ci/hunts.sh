#!/usr/bin/env bash
# Hunts 60 s on each of three real VMs and asserts that each finds its canary and gives a finding whose
# script hits again, and that the saved hunt is judged again as it was; then the controls, on which nothing may be found. Prints one line a check and a summary.
#
#   ci/hunts.sh [PROGRAM]      default: target/release/threadbare
set -uo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/threadbare}")
seconds=${THREADBARE_HUNT_SECONDS:-60}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 skipped=0

ok() { echo "ok: $*"; passed=$((passed + 1)); }
bad() { echo "FAILED: $*"; failed=$((failed + 1)); }
skip() { echo "skipped: $*"; skipped=$((skipped + 1)); }

# The value of KEY in the first EVENT of a file of JSON lines, read by the embedded VM.
field() { # FILE EVENT KEY
    "$program" rustpython ci/field.py "$@"
}

# A hunt must end with "something found", and some script of it must hit again.
must_find() { # NAME VM
    local name=$1 vm=$2 code=0 tried=0
    echo "== hunt: $name, $seconds s"
    "$program" hunt --vm "$vm" --time "${seconds}s" --out "$out/$name" --format json \
        >"$out/$name.json" 2>"$out/$name.err" || code=$?
    echo "$(field "$out/$name.json" summary findings) findings; $(grep '^canary:' "$out/$name.err")"
    if [ "$code" != 1 ]; then
        tail -n 20 "$out/$name.err"
        bad "$name: the hunt ended with code $code, expected 1 (something found)"
        return
    fi
    # The canary may not be missing in silence either.
    case $(field "$out/$name.json" canary found) in
    canary-outcome-*) ok "$name: the canary was found" ;;
    *) bad "$name: the canary was not found" ;;
    esac
    code=0
    "$program" judge "$out/$name" >"$out/judge.txt" 2>&1 || code=$?
    if [ "$code" = 0 ]; then ok "$name: $(tail -n 1 "$out/judge.txt")"; else
        tail -n 20 "$out/judge.txt"
        bad "$name: judged again by the same program, verdicts differ (code $code)"
    fi
    # Those that are reproduced; every other script must say by its name that it is not.
    local folders
    if ! folders=$("$program" rustpython ci/hitting.py "$out/$name" 2>"$out/repro.txt"); then
        bad "$name: $(tail -n 1 "$out/repro.txt")"
        return
    fi
    for folder in $folders; do
        tried=$((tried + 1))
        [ "$tried" -le 8 ] || break
        code=0
        "$program" repro "$folder" --runs 3 --time 10s >"$out/repro.txt" 2>&1 || code=$?
        if [ "$code" = 1 ]; then
            ok "$name: $(tail -n 1 "$out/repro.txt") ($(basename "$folder"))"
            return
        fi
    done
    bad "$name: none of $tried scripts hit again"
}

# A control must find nothing forbidden.
must_be_clean() { # NAME VM SECONDS FLAGS...
    local name=$1 vm=$2 time=$3 code=0
    shift 3
    echo "== control: $name, $time s"
    "$program" hunt --vm "$vm" --time "${time}s" --out "$out/$name" --format json "$@" >"$out/$name.json" 2>"$out/$name.err" || code=$?
    if [ "$code" -gt 1 ]; then
        tail -n 20 "$out/$name.err"
        bad "$name: the hunt ended with code $code"
    elif [ "$(field "$out/$name.json" summary forbidden)" = 0 ]; then
        ok "$name: nothing forbidden in $(field "$out/$name.json" summary scenarios) scenarios"
    else
        grep '"event":"finding"' "$out/$name.json" | cut -c1-600
        bad "$name: a control found something forbidden"
    fi
}

# Prints the path of a VM that a script builds once into the cache; says why not otherwise.
build() { # SCRIPT ARGS...
    bash "$@" 2>"$out/build.err" || { tail -n 2 "$out/build.err" >&2; return 1; }
}

# Its first finding comes after 5 to 30 s, on a busy machine later: twice the time.
seconds=$((seconds * 2)) must_find rustpython rustpython
if vm=$(build ci/vm/micropython.sh); then
    must_find micropython "$vm"
else
    skip "micropython: $(tail -n 1 "$out/build.err")"
fi
if vm=$(build ci/vm/cpython-ft.sh 3.13.5); then
    must_find cpython-3.13.5-ft "$vm"
    must_be_clean cpython-3.13.5-ft-one-thread "$vm" 20 --sequential
else
    skip "cpython 3.13.5 free-threaded: $(tail -n 1 "$out/build.err")"
fi
must_be_clean rustpython-one-thread rustpython 20 --sequential
if command -v python3 >/dev/null; then
    # The families without a known fault of GIL builds; `hunt --no-callbacks` runs all of them.
    families=()
    for family in list dict set bytes array iterators itertools collections; do
        families+=(--subject "stress/src/subject/data/$family.toml")
    done
    must_be_clean python3-with-gil python3 "$seconds" --no-callbacks "${families[@]}"
else
    skip "python3 with a GIL: not on PATH"
fi
echo "hunts: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
