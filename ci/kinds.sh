#!/usr/bin/env bash
# Public race reports of which each needs another kind of scenario: a hunt restricted to its family must find it within
# 60 s on the VM that shows it (it is ended then), and a hunt of the same family in one thread must not. Prints a line a
# report, with the seconds to the finding, and a summary.
#
#   ci/kinds.sh [PROGRAM] [REPORT]...      default: target/release/threadbare, all reports
#
# THREADBARE_HUNT_SECONDS: another limit than 60. Exit codes: 0 all found and nothing else, 1 one was not, or a control
# found it.
set -uo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/threadbare}")
[ $# -eq 0 ] || shift
seconds=${THREADBARE_HUNT_SECONDS:-60}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 skipped=0

ok() { echo "ok: $*"; passed=$((passed + 1)); }
bad() { echo "FAILED: $*"; failed=$((failed + 1)); }

# What a hunt said of a subject: seconds and kind of its first finding, nothing where there is none.
first() { # ERR SUBJECTS
    sed -nE "s/^\[ *([0-9]+) s\] ([a-z-]+) ($2) .*/\1 s (\2 \3)/p" "$1" 2>/dev/null | head -n 1
}

# One report: name, VM, family, subjects of it (an alternation) that show it.
report() {
    local name=$1 vm=$2 family=$3 subjects=$4 found
    "$program" hunt --vm "$vm" --subject "$family" --time "${seconds}s" --out "$out/$name" \
        >"$out/$name.txt" 2>"$out/$name.err" &
    local hunt=$!
    while kill -0 "$hunt" 2>/dev/null; do
        if [ -n "$(first "$out/$name.err" "$subjects")" ]; then
            kill -INT "$hunt"
            break
        fi
        sleep 0.5
    done
    wait "$hunt"
    found=$(first "$out/$name.err" "$subjects")
    # What was kept at the end without a word on the way is found too.
    [ -n "$found" ] || found=$(grep -oE "[a-z-]+ ($subjects) \[[a-z ]+\]" "$out/$name.txt" | head -n 1)
    if [ -n "$found" ]; then ok "$name: --subject $family: $found"; else
        bad "$name: --subject $family found nothing in $subjects in $seconds s: $(tail -n 1 "$out/$name.err" | cut -c1-200)"
    fi
    "$program" hunt --vm "$vm" --subject "$family" --time 20s --sequential --out "$out/$name-one" \
        >"$out/$name-one.txt" 2>"$out/$name-one.err"
    found=$(grep -oE "[a-z-]+ ($subjects) \[forbidden\].*" "$out/$name-one.txt" | head -n 1)
    if [ -z "$found" ]; then ok "$name: in one thread, nothing"; else bad "$name: in one thread: $found"; fi
}

# A VM of ci/vm, built once into the cache.
vm() { # SCRIPT ARGS...
    bash "$@" 2>"$out/build.err"
}

reports=("$@")
wanted() { [ ${#reports[@]} -eq 0 ] || [[ " ${reports[*]} " == *" $1 "* ]]; }
while read -r name where family subjects; do
    wanted "$name" || continue
    case $where in
    cpython) path=$(vm ci/vm/cpython-ft.sh 3.13.5) ;;
    micropython) path=$(vm ci/vm/micropython.sh) ;;
    *) path=$where ;;
    esac
    if [ -z "$path" ]; then
        echo "skipped: $name: $(tail -n 1 "$out/build.err")"
        skipped=$((skipped + 1))
        continue
    fi
    report "$name" "$path" "$family" "$subjects"
done <<'REPORTS'
cpython-152754 cpython os os.scandir
cpython-140846 cpython io TextIOWrapper.detach
cpython-126907 cpython tables atexit.table
cpython-157100 cpython tables gc.callbacks
cpython-157081 cpython ctypes ctypes.fields
cpython-128277 cpython os socket.owner|os.reuse
cpython-137017 cpython threads threading.ended
cpython-136421 cpython interpreters interpreters.import
rustpython-8353 rustpython threads threading.local.subclass
rustpython-lib-test-hangs rustpython waits wait.(list|array|bytearray)
micropython-19682 micropython running running.globals
REPORTS
echo "kinds: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
