#!/usr/bin/env bash
# Controls, ten minutes each: hunts in which nothing may be found. A VM with a GIL, whose operations run no Python code
# in the middle and do not let go of the GIL there; and every VM at hand with one thread. What a VM does wrong in one
# thread is no false alarm: it is printed; but seen once and never again it is one. Prints one line a check and a summary;
# exit code 1 when a control found anything else, or did not run to its end. Needs python3, which reads the findings.
#
#   ci/controls.sh [PROGRAM [TIME]]      default: target/release/threadbare 10m
set -uo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/threadbare}")
time=${2:-10m}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 skipped=0

# Prints findings; fails where one is not what one thread does by itself and did again, as it was minimised or by
# its script, and where there is none.
told() { # FOLDER
    python3 - "$1" <<'EOF'
import glob, json, sys
paths = sorted(glob.glob(sys.argv[1] + "/*/finding.json"))
wrong = 0
for path in paths:
    with open(path) as file:
        found = json.load(file)
    script = found.get("script") or {}
    again = found["minimised"] or script.get("hits", 0) > 0
    right = again and found["detail"].startswith("in one thread: ")
    wrong += not right
    print("%s: %s, seen %s, script %s of %s: %s" % ("in one thread" if right else "FALSE ALARM", found["id"],
          "again" if again else "once", script.get("hits", 0), script.get("runs", 0), found["detail"][:300]))
sys.exit(wrong > 0 or not paths)
EOF
}

control() { # NAME VM FLAGS...
    local name=$1 vm=$2 code=0
    shift 2
    echo "== control: $name, $time"
    "$program" hunt --vm "$vm" --seed 1 --time "$time" --out "$out/$name" --format json "$@" \
        >"$out/$name.json" 2>"$out/$name.err" || code=$?
    # The exit code is the answer; only among findings is looked for those of one thread.
    local alone=0
    told "$out/$name/findings" || alone=1
    if [ "$code" = 0 ]; then
        echo "ok: $name: nothing found"
        passed=$((passed + 1))
    elif [ "$code" = 1 ] && [ "$alone" = 0 ]; then
        echo "ok: $name: nothing found but what the VM does wrong in one thread, each time"
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

command -v python3 >/dev/null || { echo "controls: python3 is not on PATH" >&2; exit 3; }
control python3-with-gil python3 --no-callbacks
control python3-one-thread python3 --sequential
control rustpython-one-thread rustpython --sequential
one_thread cpython-3.13.5-ft ci/vm/cpython-ft.sh 3.13.5
one_thread cpython-3.13.15-ft ci/vm/cpython-ft.sh 3.13.15
one_thread micropython ci/vm/micropython.sh
one_thread pypy ci/vm/debian-python.sh pypy3
echo "controls: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
