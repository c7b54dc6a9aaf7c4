#!/usr/bin/env bash
# Makes the seeds in git (fuzz/seeds) the smallest set of inputs with the coverage of all that is known:
# the seeds themselves and what runs on this machine have found (fuzz/corpus).
#
#   ci/fuzz-corpus.sh [TARGET]...      all without a name
#
# Inputs longer than 512 bytes stay out, and so do those beyond 300 a target: the seeds of all targets
# together must stay below 2 MB, which a test asserts.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=$(bash ci/fuzz-build.sh "$@")
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(basename -s .rs -a fuzz/fuzz_targets/*.rs)
for target in "${targets[@]}"; do
    new=$(mktemp -d)
    mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
    "$programs/$target" -merge=1 -max_len=512 "$new" "fuzz/seeds/$target" "fuzz/corpus/$target" >"$new.log" 2>&1 ||
        { tail -n 5 "$new.log" && exit 1; }
    rm -f "fuzz/seeds/$target"/*
    # The names are hashes of the contents, so the same inputs stay the same files.
    find "$new" -type f -printf '%s %p\n' | sort -n | head -n 300 | cut -d' ' -f2- | xargs -r cp -t "fuzz/seeds/$target"
    echo "$target: $(find "fuzz/seeds/$target" -type f | wc -l) seeds, $(du -sb "fuzz/seeds/$target" | cut -f1) bytes"
    rm -rf "$new" "$new.log"
done
