#!/usr/bin/env bash
# Writes stress/src/probe/files.rs from the files in stress/probes/.
set -euo pipefail
cd "$(dirname "$0")/../stress/probes"
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
