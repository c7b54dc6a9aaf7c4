#!/usr/bin/env bash
# control-suspicions.sh PYTHON [OUT]
#
# Suspicions that a model has confirmed, in the shipped code: the programs of stress/control/harness/suspicions on a
# CPython whose threads are scheduled (ci/vm/cpython-controlled.sh prints such a PYTHON). For each: in which schedule
# from seed 1 it shows, of at most 1,000, by which switches, and how many of 100 replays are the same to the last
# event. The schedules are kept in OUT (control-suspicions). Needs `cargo build --release -p threadbare-control`.
# Shown is what the program itself says (`hit`), and no other failure.
# Exit code 0 when each was shown and replayed 100 of 100, 1 when one was not, 2 for usage.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${1:-} out=${2:-control-suspicions}
[ -x "$python" ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
control=${THREADBARE_CONTROL_PROGRAM:-$root/target/release/threadbare-control}
[ -x "$control" ] || { echo "no $control: cargo build --release -p threadbare-control" >&2; exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd)
shown=0 all=0
for program in "$root"/stress/control/harness/suspicions/*.py; do
    name=$(basename "$program" .py)
    # A folder that holds nothing else: what lies beside a program is a part of its trace.
    files=$out/$name/files
    mkdir -p "$files/program"
    cp "$root/stress/control/harness/control.py" "$root/stress/bugs/kit.py" "$files/"
    cp "$program" "$files/program/program.py"
    bundle=$out/$name/schedule.json
    rm -f "$bundle"
    all=$((all + 1))
    # Another failure is not the suspicion: the search goes on behind it.
    seed=1
    while :; do
        said=$("$control" search --windows --freed --points conflicts --learning 20 --strategy sticky --seed "$seed" \
            --runs $((1001 - seed)) --bundle "$bundle" "$python" "$files/control.py" "$files/program/program.py" 2>&1)
        [ -f "$bundle" ] && ! grep -qa '^it said: hit' <<<"$said" || break
        seed=$(($(grep -aoE '^first fault: seed [0-9]+' <<<"$said" | grep -oE '[0-9]+$') + 1))
        rm -f "$bundle"
        [ "$seed" -le 1000 ] || break
    done
    if [ ! -f "$bundle" ]; then
        echo "$name: not shown: $(tail -n 1 <<<"$said" | cut -c1-160)"
        continue
    fi
    first=$(grep -aoE '^first fault: seed [0-9]+, [A-Za-z]+( [0-9]+)?' <<<"$said" | cut -c14-)
    switches=$("$control" minimise "$bundle" 2>&1)
    same=$("$control" replay "$bundle" 2>&1 | grep -aoE '^[0-9]+ of 100' | grep -oE '^[0-9]+')
    if [ "${same:-0}" = 100 ]; then shown=$((shown + 1)); fi
    echo "$name: $first; ${same:-0} of 100 the same; $(grep -aE 'it said: hit' <<<"$said" | cut -c10-120)"
    grep -aE '^[0-9]+\. T' <<<"$switches" | sed 's/^/    /'
done
echo "control-suspicions: $shown of $all shown in $python"
[ "$shown" = "$all" ]
