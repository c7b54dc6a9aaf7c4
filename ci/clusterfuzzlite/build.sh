#!/usr/bin/env bash
# The fuzz targets and their seeds, as OSS-Fuzz and ClusterFuzzLite want them, in $OUT. In their image
# with cargo-fuzz and the sanitizer asked for; elsewhere on stable Rust without one, which is how CI
# tries this script: OUT=FOLDER ci/clusterfuzzlite/build.sh
set -euo pipefail
if [ -n "${SRC:-}" ]; then cd "$SRC/threadbare"; else cd "$(dirname "$0")/../.."; fi
: "${OUT:?where the programs go}"
if [ -n "${FUZZING_ENGINE:-}" ] && cargo fuzz --version >/dev/null 2>&1; then
    cargo fuzz build --fuzz-dir fuzz -O
    programs=target/x86_64-unknown-linux-gnu/release
else
    programs=$(bash ci/fuzz-build.sh)
fi
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "$programs/$target" "$OUT/"
    python3 - "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target" "fuzz/crashes/$target" <<'P'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    for folder in filter(os.path.isdir, sys.argv[2:]):
        for name in sorted(os.listdir(folder)):
            out.write(os.path.join(folder, name), os.path.basename(os.path.dirname(folder + "/")) + "-" + name)
P
    printf '[libfuzzer]\nmax_len = 1024\ntimeout = 60\n' >"$OUT/$target.options"
done
