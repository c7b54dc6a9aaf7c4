#!/usr/bin/env bash
# A campaign on a few hosts that share a file system, by GNU parallel.
#
#   ci/cluster/parallel.sh CAMPAIGN.toml SHARDS [parallel's options, as --sshlogin host1,host2 --jobs 1]
#
# The same command again goes on where it stopped. THREADBARE: the program, default `threadbare` on PATH.
# Exit codes: 0 all shards ran, 2 usage, 3 GNU parallel is missing, else those of parallel.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: ci/cluster/parallel.sh CAMPAIGN.toml SHARDS [OPTION OF PARALLEL]..." >&2 && exit 2; }
command -v parallel >/dev/null || { echo "GNU parallel is missing: install the package parallel" >&2 && exit 3; }
campaign=$(realpath "$1")
shards=$2
shift 2
# 1: something was found, which is no failure of the shard.
seq 0 $((shards - 1)) | parallel --line-buffer "$@" \
    "${THREADBARE:-threadbare}" campaign run "$campaign" --shard "{}/$shards" '||' '[' '$?' = 1 ']'
