#!/usr/bin/env bash
# control-bugs.sh PYTHON [STRATEGY [RUNS [BUG...]]]
#
# The catalogue's programs for CPython on one whose threads are scheduled (ci/vm/cpython-controlled.sh
# prints such a PYTHON): for each, how many schedules of RUNS (200) from seed 1 until the first fault, and how
# many of 100 replays in new processes were the same to the last event. `check`: the program's own check
# said so; `fault`: something else failed, which may be the bug or another: it is held to no signature. A
# program that does not end within the steps of a run is told and counted as neither.
# A line a bug, then a summary; a bug is given by the beginning of its file's name. Needs
# `cargo build --release -p threadbare-control`. Exit code 0, or 2 for usage.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${1:-} strategy=${2:-sticky} runs=${3:-200}
[ -x "$python" ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
control=${THREADBARE_CONTROL:-$root/target/release/threadbare-control}
[ -x "$control" ] || { echo "no $control: cargo build --release -p threadbare-control" >&2; exit 2; }
shift $(($# < 3 ? $# : 3))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
check=0 fault=0 same=0 endless=0 none=0 cannot=0
for program in "$root"/stress/bugs/cpython/*.py; do
    name=$(basename "$program" .py)
    if [ $# -gt 0 ]; then
        wanted=no
        for bug; do [[ $name == "$bug"* ]] && wanted=yes; done
        [ $wanted = yes ] || continue
    fi
    rm -f found.json
    timeout -k 5 120 "$control" search --windows --points conflicts --learning 10 --freed --strategy "$strategy" \
        --runs "$runs" --bundle found.json "$python" "$root/stress/control/harness/control.py" "$program" >said.txt 2>&1
    code=$?
    schedules=$(grep -aoE '^[0-9]+ runs' said.txt | grep -oE '^[0-9]+')
    if [ $code = 1 ] && [ -f found.json ]; then
        replayed=$(timeout -k 5 120 "$control" replay found.json 2>&1 | grep -aoE '^[0-9]+ of 100' | grep -oE '^[0-9]+')
        verdict=$(grep -aoE 'first fault: seed [0-9]+, [A-Za-z]+( [0-9]+)?' said.txt | sed 's/.*, //')
        if [ "$verdict" = Endless ]; then
            endless=$((endless + 1))
            echo "$name: no end in schedule $schedules"
            continue
        fi
        # What was said comes of all runs, so that the words alone do not say whose they are.
        if [[ $verdict == Exit* ]] && grep -aq '^hit' said.txt; then kind=check check=$((check + 1)); else kind=fault fault=$((fault + 1)); fi
        [ "${replayed:-0}" != 100 ] || same=$((same + 1))
        echo "$name: $kind, $verdict in schedule $schedules, ${replayed:-0} of 100 the same"
    elif [ $code = 0 ]; then
        none=$((none + 1))
        echo "$name: nothing in $schedules schedules"
    else
        cannot=$((cannot + 1))
        echo "$name: did not run, exit code $code: $(tail -n 1 said.txt | cut -c1-100)"
    fi
done
echo "control: $strategy, $check by their own check, $fault by another fault, $same of them replayed 100 of 100; no end in $endless, nothing in $none, $cannot did not run"
