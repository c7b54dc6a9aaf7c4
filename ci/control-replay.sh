#!/usr/bin/env bash
# control-replay.sh [--fresh N] FOLDER...
#
# Repeats schedules of VMs under control, as `threadbare hunt --control` and `threadbare control` leave them: each of
# the FOLDERs is a finding, a hunt's output folder, or one of `threadbare control`. Every schedule runs 100 times, each in
# a process of its own, and then N (3) more times in as many starts of the VM. A line each, then a summary: how many came
# out the same 100 of 100, to the last event and address, with the finding's own failure.
# Exit code 0 when all did, 1 when one did not, 2 for usage. Needs `cargo build --release`, or THREADBARE.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
threadbare=${THREADBARE:-$root/target/release/threadbare}
fresh=3
if [ "${1:-}" = --fresh ]; then fresh=${2:-} && shift 2; fi
[ $# -gt 0 ] && [[ $fresh =~ ^[0-9]+$ ]] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -x "$threadbare" ] || { echo "no $threadbare: cargo build --release" >&2; exit 2; }
mapfile -t schedules < <(find "$@" -name schedule.json -not -path '*/canary/*' | sort)
[ ${#schedules[@]} -gt 0 ] || { echo "no schedule.json in $*" >&2; exit 2; }
all=0
for schedule in "${schedules[@]}"; do
    folder=$(dirname "$schedule")
    said=$("$threadbare" replay "$folder" 2>&1)
    code=$?
    again=0
    for ((i = 0; i < fresh; i++)); do
        "$threadbare" replay "$folder" --times 1 >/dev/null 2>&1
        [ $? != 1 ] || again=$((again + 1))
    done
    line=$(grep -aoE '^[0-9]+ of 100 are the same' <<<"$said" | head -n 1)
    failure=$(grep -aoE "it shows (the finding's|another) failure" <<<"$said" | head -n 1)
    if [ $code = 1 ] && [ $again = "$fresh" ]; then all=$((all + 1)); fi
    echo "$(basename "$folder"): ${line:-exit code $code: $(tail -n 1 <<<"$said" | cut -c1-160)}; ${failure:-no finding}; $again of $fresh fresh starts"
done
echo "control-replay: $all of ${#schedules[@]} schedules repeated 100 of 100 and in $fresh fresh starts"
[ $all = ${#schedules[@]} ]
