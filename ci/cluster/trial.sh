#!/usr/bin/env bash
# The launchers on a real engine: a one-node Slurm from Debian runs a campaign of eight shards, of which one is
# killed and requeued while the node's daemon is killed and started again; its merged findings must be those of the
# same campaign undisturbed on this machine. Manifests and workflows are validated against their official schemas.
#
#   ci/cluster/trial.sh [THREADBARE]            default target/release/threadbare
#
# Needs root (it installs and starts Slurm's daemons); about six minutes, for Slurm waits two before it runs a
# requeued task again. Exit codes: 0 all as it must be, 1 it is not, 2 usage, 3 the machine is not fit.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -le 1 ] || { echo "usage: ci/cluster/trial.sh [THREADBARE]" >&2 && exit 2; }
THREADBARE=$(realpath "${1:-target/release/threadbare}")
export THREADBARE
[ -x "$THREADBARE" ] || { echo "$THREADBARE is no program; cargo build --release makes it" >&2 && exit 3; }
[ "$(id -u)" = 0 ] || { echo "skipped: Slurm's daemons need root" && exit 3; }

dir=$(mktemp -d)
daemons=()
trap 'kill "${daemons[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

echo "== manifests and workflows"
python3 -m venv "$dir/venv" || { echo "python3 -m venv is missing" >&2 && exit 3; }
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate check-jsonschema
"$dir/venv/bin/kubernetes-validate" --strict --kubernetes-version 1.33 ci/cluster/kubernetes/*.yaml
"$dir/venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows ci/workflows/*.yml

echo "== Slurm"
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client >/dev/null
fi
mkdir -p "$dir/slurm"/{state,spool}
cat >"$dir/slurm/slurm.conf" <<END
ClusterName=trial
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$dir/slurm/state
SlurmdSpoolDir=$dir/slurm/spool
SlurmctldPidFile=$dir/slurm/slurmctld.pid
SlurmdPidFile=$dir/slurm/slurmd.pid
SelectType=select/cons_tres
ReturnToService=2
SlurmdTimeout=30
$(slurmd -C | sed -n 's/^NodeName=[^ ]*/NodeName='"$(hostname -s)"' NodeAddr=127.0.0.1/p') State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$dir/slurm/slurm.conf
slurmctld -D >"$dir/slurm/ctld.log" 2>&1 &
daemons+=($!)
node() {
    slurmd -D >>"$dir/slurm/slurmd.log" 2>&1 &
    slurmd=$!
    daemons+=("$slurmd")
}
node
for _ in $(seq 60); do
    sinfo --noheader --format %T 2>/dev/null | grep -q idle && break
    sleep 1
done
sinfo --noheader --format %T | grep -q idle || { tail -n 5 "$dir/slurm"/*.log >&2; echo "the node does not come up" >&2 && exit 3; }

# A fault that every shard must find, whatever disturbs it: any two calls lose an update.
cat >"$dir/lost.toml" <<'END'
[[subject]]
name = "lost"
doc = "loses updates"
requires = ["time"]
shapes = "t"
size = 8
prelude = '''
class Counter(object):
    def __init__(self):
        self.n = 0
    def add(self):
        n = self.n
        time.sleep(0.001)
        self.n = n + 1
'''
make = ["Counter()"]
final = "o.n"
flavours = ["small"]
source = "a trial"
atomic = ["o.add()"]
END
for name in slurm alone; do
    cat >"$dir/$name.toml" <<END
vms = ["python3"]
time = "20s"
shards = 8
subjects = ["$dir/lost.toml"]
out = "$name-out"
options = ["--threads", "2", "--ops", "1", "--scenario-ms", "50"]
END
done

echo "== eight shards, one requeued, the node's daemon killed"
job=$(sbatch --parsable --array=0-7 --cpus-per-task=1 --output="$dir/task-%a.log" ci/cluster/slurm/campaign.sbatch "$dir/slurm.toml")
sleep 8
scontrol requeue "${job}_0"
kill -9 "$slurmd" && wait "$slurmd" 2>/dev/null || true
node
for _ in $(seq 120); do
    [ -n "$(squeue --noheader --jobs "$job" 2>/dev/null)" ] || break
    sleep 5
done
"$THREADBARE" campaign status "$dir/slurm.toml"
tail -qn 2 "$dir"/task-*.log | grep -v done || true

echo "== undisturbed"
"$THREADBARE" campaign run "$dir/alone.toml" --at-once 2 2>/dev/null || [ $? = 1 ]
for name in slurm alone; do
    "$THREADBARE" campaign merge "$dir/$name.toml" || [ $? = 1 ]
    (cd "$dir/$name-out/merged/findings" && printf '%s\n' *) >"$dir/$name.ids"
done
"$THREADBARE" campaign status "$dir/slurm.toml" --format json | grep -c '"stage":"done"' >"$dir/done" || true
[ "$(cat "$dir/done")" = 8 ] || { echo "cluster: $(cat "$dir/done") of 8 shards are done" && exit 1; }
grep -q '^lost-' "$dir/alone.ids" || { echo "cluster: the planted fault was not found" && exit 1; }
diff "$dir/alone.ids" "$dir/slurm.ids" || { echo "cluster: the disturbed campaign found other things" && exit 1; }
echo "cluster: 8 shards done, $(wc -l <"$dir/alone.ids") finding, the same as undisturbed"
