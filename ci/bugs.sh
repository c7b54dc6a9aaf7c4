#!/usr/bin/env bash
# Known bugs: regression over the VMs at hand.
#
#   ci/bugs.sh [--quick] [PROGRAM]   fails when a bug marked fixed reappears, or one marked
#                                    reproducible no longer does; --quick takes a short subset
#   ci/bugs.sh --list                writes stress/src/bugs/files.rs from the files in stress/bugs/
#   ci/bugs.sh --record [PROGRAM]    measures everything anew and writes it into the files
#
# PROGRAM: default target/release/threadbare. VMs are those that ci/vm/ builds; one that cannot be
# built is skipped and said so.
set -uo pipefail
cd "$(dirname "$0")/.."

list() {
    local out=stress/src/bugs/files.rs stem
    {
        cat <<'END'
//! The files of the catalogue, in the order of their names; `ci/bugs.sh --list` writes this list.

/// Name, description and program of one entry.
macro_rules! entry {
    ($stem:literal) => {
        (
            $stem,
            include_str!(concat!("../../bugs/", $stem, ".toml")),
            include_str!(concat!("../../bugs/", $stem, ".py")),
        )
    };
}

/// Path below `stress/bugs/` without ending, description, program.
pub(super) const FILES: &[(&str, &str, &str)] = &[
END
        (cd stress/bugs && find . -name '*.toml' | sed 's,^\./,,; s,\.toml$,,' | LC_ALL=C sort) |
            while read -r stem; do printf '    entry!("%s"),\n' "$stem"; done
        echo "];"
    } >"$out"
    echo "$out: $(grep -c 'entry!(' "$out") lines"
}

mode=check program=target/release/threadbare quick=()
for arg; do
    case $arg in
        --list) list; exit ;;
        --record) mode=record ;;
        --quick) quick=(--quick) ;;
        -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit ;;
        *) program=$arg ;;
    esac
done

passed=0 failed=0 skipped=0
# Prints the path of a VM that a script builds once into the cache.
vm() { bash "$@" 2>/tmp/threadbare-bugs-$$.err || { tail -n 1 /tmp/threadbare-bugs-$$.err >&2; return 1; }; }
trap 'rm -f /tmp/threadbare-bugs-$$.err' EXIT

on() { # NAME PATH
    local code=0 flags=(--regression "${quick[@]}")
    [ "$mode" = record ] && flags=(--record stress/bugs)
    echo "== $1"
    "$program" repro --all --vm "$2" "${flags[@]}" || code=$?
    # 1 says that bugs were reproduced, which is what --record is for.
    case $mode:$code in
        check:0 | record:[01]) echo "ok: $1"; passed=$((passed + 1)) ;;
        *:4) echo "skipped: $1: nothing is marked for it"; skipped=$((skipped + 1)) ;;
        *) echo "FAILED: $1 (exit code $code)"; failed=$((failed + 1)) ;;
    esac
}

try() { # NAME SCRIPT ARGS...
    local name=$1 path
    shift
    if path=$(vm "$@"); then on "$name" "$path"; else
        echo "skipped: $name cannot be built here"
        skipped=$((skipped + 1))
    fi
}

try "cpython 3.13.5 free-threaded" ci/vm/cpython-ft.sh 3.13.5
if [ ${#quick[@]} -eq 0 ]; then
    try "cpython 3.13.15 free-threaded" ci/vm/cpython-ft.sh 3.13.15
    try "cpython 3.13.5 with the thread sanitizer" ci/vm/cpython-ft.sh 3.13.5 --tsan
    try "rustpython 0.6.0" ci/vm/rustpython.sh 0.6.0
fi
try "micropython" ci/vm/micropython.sh
on "rustpython, embedded" rustpython
echo "bugs: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
