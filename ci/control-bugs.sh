#!/usr/bin/env bash
# control-bugs.sh PYTHON [STRATEGY [RUNS [BUG...]]]
#
# The catalogue's bugs of CPython on one whose threads are scheduled (ci/vm/cpython-controlled.sh prints such a
# PYTHON): for each, in which schedule of RUNS (200) from seed 1 its signature shows, by how few switches, and how
# many of 100 replays in new processes are the same to the last event. What fails otherwise is told as that.
# A line a bug, then a summary; a bug is given by its number or its file's name. Needs `cargo build --release`.
# Exit code 0, or 2 for usage.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${1:-} strategy=${2:-portfolio} runs=${3:-200}
[ -x "$python" ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
threadbare=${THREADBARE:-$root/target/release/threadbare}
[ -x "$threadbare" ] || { echo "no $threadbare: cargo build --release" >&2; exit 2; }
shift $(($# < 3 ? $# : 3))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
if [ $# = 0 ]; then
    for program in "$root"/stress/bugs/cpython/*.py; do set -- "$@" "$(basename "$program" .py)"; done
fi
hit=0 same=0 other=0 none=0 cannot=0
for bug; do
    rm -rf found
    "$threadbare" control "$bug" --vm "$python" --strategy "$strategy" --runs "$runs" --time 2m --out found >said.txt 2>&1
    code=$?
    line=$(grep -aE ': (reproduced|not reproduced|not searched|cannot be run)' said.txt | head -n 1 | cut -c1-200)
    case $code in
        1)
            hit=$((hit + 1))
            switches=$(grep -aoE '[0-9]+ of [0-9]+ switches' said.txt | head -n 1)
            replayed=$("$threadbare" replay found/* 2>&1 | grep -aoE '^[0-9]+ of 100' | grep -oE '^[0-9]+')
            [ "${replayed:-0}" != 100 ] || same=$((same + 1))
            echo "$line; ${switches:-as long as it was}; ${replayed:-0} of 100 the same" ;;
        0)
            if [[ $line == *"other failure"* ]]; then other=$((other + 1)); else none=$((none + 1)); fi
            echo "$line" ;;
        *)
            cannot=$((cannot + 1))
            echo "${line:-$bug: exit code $code: $(tail -n 1 said.txt | cut -c1-160)}" ;;
    esac
done
echo "control: $strategy, $hit reproduced, $same of them replayed 100 of 100; another failure in $other, nothing in $none, $cannot not searched or not to be run"
