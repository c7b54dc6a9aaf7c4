#!/usr/bin/env bash
# What feedback is worth: findings of hunts of the same length with and without it, seed by seed.
#
#   ci/feedback.sh SECONDS SEEDS VM [OPTION]...     hunts VM with each seed from 1 to SEEDS, and these options, both ways
#
# THREADBARE_PROGRAM: default target/release/threadbare. THREADBARE_RUN: a command that each hunt is run by, as
# `flock LOCK` on a machine that others use. Prints the machine, the command, one line a hunt and the two medians
# with their ratio; the order of the two hunts changes from seed to seed. Exit codes: 0 measured, 1 a hunt failed,
# 2 usage.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n 's/^#   //p' "$0" >&2; exit 2; }
[ $# -ge 3 ] || usage
seconds=$1 seeds=$2 vm=$3
shift 3
case $seconds$seeds in *[!0-9]*) usage ;; esac
program=$(realpath "${THREADBARE_PROGRAM:-target/release/threadbare}")
read -r -a run <<<"${THREADBARE_RUN:-}"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
echo "command: threadbare hunt --vm $vm --time ${seconds}s --seed 1..$seeds $*"

hunt() { # WAY SEED [OPTION]...
    local way=$1 seed=$2 code=0 dir=$out/$1-$2
    shift 2
    "${run[@]}" "$program" hunt --vm "$vm" --time "${seconds}s" --seed "$seed" "--$way" --out "$dir" "$@" \
        >"$dir.out" 2>"$dir.err" || code=$?
    if [ "$code" != 0 ] && [ "$code" != 1 ]; then
        tail -n 5 "$dir.err" >&2
        echo "FAILED: the hunt ended with code $code" >&2
        exit 1
    fi
    local findings waiting
    findings=$(find "$dir/findings" -name finding.json | wc -l)
    waiting=$(sed -n 's/^\([0-9]*\) failures still wait.*/\1/p' "$dir.out")
    echo "$way seed $seed: $findings findings, ${waiting:-0} failures wait; $(grep '^subjects:' "$dir.out")"
    sed -n 's/^new failing places by source: /  by source: /p' "$dir.out"
    echo "$findings" >>"$out/$way"
}

for seed in $(seq "$seeds"); do
    ways=(feedback no-feedback)
    [ $((seed % 2)) = 0 ] || ways=(no-feedback feedback)
    for way in "${ways[@]}"; do hunt "$way" "$seed" "$@"; done
done
median() { sort -n "$out/$1" | sed -n "$(((seeds + 1) / 2))p"; }
with=$(median feedback) without=$(median no-feedback)
echo "median of $seeds: $with findings with feedback, $without without; ratio $(awk -v a="$with" -v b="$without" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "none: nothing was found without" }')"
