#!/usr/bin/env bash
# Known bugs: regression over the VMs at hand.
#
#   ci/bugs.sh [--quick] [PROGRAM]   fails when a bug marked fixed reappears, or one marked
#                                    reproducible no longer does; --quick takes a short subset of
#                                    what hardly ever needs a second try
#       [--vm VM] [--time T] [--catalogue DIR]   this VM only; as for `threadbare repro`
#   ci/bugs.sh --record [PROGRAM]    measures everything anew and writes it into the files
#       [--untried]                  only what was not measured since signatures decide: so an
#                                    interrupted run goes on
#
# PROGRAM: default target/release/threadbare. VMs are those that ci/vm/ builds; one that cannot be
# built is skipped and said so. The last line counts bugs. Exit codes: 0 all as marked, 1 not,
# 2 usage, 4 nothing was checked, 5 the program failed.
set -uo pipefail
cd "$(dirname "$0")/.."

mode=check program=target/release/threadbare only='' flags=()
while [ $# -gt 0 ]; do
    case $1 in
        --record) mode=record ;;
        --quick | --untried) flags+=("$1") ;;
        --vm | --time | --catalogue)
            [ $# -gt 1 ] || { echo "ci/bugs.sh: $1 wants a value" >&2; exit 2; }
            if [ "$1" = --vm ]; then only=$2; else flags+=("$1" "$2"); fi
            shift ;;
        -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit ;;
        -*) echo "ci/bugs.sh: unknown option $1 (--help)" >&2; exit 2 ;;
        *) program=$1 ;;
    esac
    shift
done
if [ "$mode" = record ]; then flags+=(--record stress/bugs); else flags+=(--regression); fi
command -v "$program" >/dev/null || { echo "ci/bugs.sh: no program $program: cargo build --release" >&2; exit 2; }

passed=0 failed=0 skipped=0 broken=0 unsure=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Prints the path of a VM that a script builds once into the cache.
vm() { bash "$@" 2>"$log" || { tail -n 1 "$log" >&2; return 1; }; }

on() { # NAME PATH
    local code=0 counts=()
    echo "== $1"
    "$program" repro --all --vm "$2" "${flags[@]}" | tee "$log"
    code=${PIPESTATUS[0]}
    # 1: something is not as marked; with --record, bugs were reproduced, which it is for.
    case $mode:$code in
        record:[01]) passed=$((passed + 1)) ;;
        record:4) skipped=$((skipped + 1)) ;;
        check:[014])
            read -ra counts <<<"$(sed -n -E 's/^([0-9]+) bugs as marked, ([0-9]+) not, ([0-9]+) unsure, ([0-9]+) skipped$/\1 \2 \3 \4/p' "$log" | tail -n 1)"
            passed=$((passed + ${counts[0]:-0})) failed=$((failed + ${counts[1]:-0}))
            unsure=$((unsure + ${counts[2]:-0})) skipped=$((skipped + ${counts[3]:-0})) ;;
        *:3) echo "skipped: $1 is not there"; skipped=$((skipped + 1)) ;;
        *) echo "FAILED: $1 (exit code $code)"; broken=$((broken + 1)) ;;
    esac
}

try() { # NAME SCRIPT ARGS...
    local name=$1 path
    shift
    if path=$(vm "$@"); then on "$name" "$path"; else
        echo "skipped: $name cannot be built here"
        skipped=$((skipped + 1))
    fi
}

if [ -n "$only" ]; then
    on "$only" "$only"
else
    try "cpython 3.13.5 free-threaded" ci/vm/cpython-ft.sh 3.13.5
    if [[ " ${flags[*]} " != *" --quick "* ]]; then
        try "cpython 3.13.15 free-threaded" ci/vm/cpython-ft.sh 3.13.15
        try "cpython 3.13.5 with the thread sanitizer" ci/vm/cpython-ft.sh 3.13.5 --tsan
        try "rustpython 0.6.0" ci/vm/rustpython.sh 0.6.0
    fi
    try "micropython" ci/vm/micropython.sh
    on "rustpython, embedded" rustpython
fi
echo "bugs: $passed passed, $((failed + broken)) failed, $unsure unsure, $skipped skipped"
[ "$broken" = 0 ] || exit 5
[ "$failed" = 0 ] || exit 1
[ $((passed + unsure)) -gt 0 ] || exit 4
