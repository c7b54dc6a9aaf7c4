#!/usr/bin/env bash
# Writes stress/src/probe/files.rs from the files in stress/probes/, and the kit into each of them.
set -euo pipefail
cd "$(dirname "$0")/../stress/probes"
for file in */*.py; do
    awk -v kit="$(cat kit.py)" '
        /^# --- kit: / { print kit; inside = 1 }
        !inside
        /^# --- end of the kit ---$/ { inside = 0 }
    ' "$file" >"$file.new"
    mv "$file.new" "$file"
done
{
    echo '//! The probes, in the order of their names; `ci/probes.sh` writes this list.'
    echo
    echo '/// `PROTOCOL/NAME`, program.'
    echo 'pub(super) const FILES: &[(&str, &str)] = &['
    for file in */*.py; do
        printf '    (\n        "%s",\n        include_str!("../../probes/%s"),\n    ),\n' "${file%.py}" "$file"
    done
    echo '];'
} >../src/probe/files.rs
rustfmt --edition 2024 ../src/probe/files.rs
