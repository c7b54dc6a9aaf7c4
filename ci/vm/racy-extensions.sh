#!/usr/bin/env bash
# racy-extensions.sh [VERSION]
#
# The extensions of which the bytecode-level oracle's tests know who is at fault, those in Cython and in
# Rust by PyO3 (stress/tests/bytecode/), built for free-threaded CPython (default 3.13.5, built by
# cpython-ft.sh); prints the folder that holds them. Without it those tests are ignored, and say so.
# Needs cargo, a C compiler, and the package registries for Cython and PyO3.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=3.13.5
case ${1:-} in
    -h | --help) help_from_header >&3; exit 0 ;;
    3.*) version=$1; shift ;;
esac
[ $# -eq 0 ] || usage "what is '$1'?"
need_commands cargo cc

open_cache
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$(cd "$here/../../stress/tests/bytecode" && pwd)
python=$(bash "$here/cpython-ft.sh" "$version")
name=racy-extensions-$version-ft
# A copy of the sources says whether what is there was built from these.
same() {
    cmp -s "$sources/racycy.pyx" "$CACHE/$name/racycy.pyx" &&
        cmp -s "$sources/racyrs/src/lib.rs" "$CACHE/$name/racyrs.rs"
}
same && answer "$CACHE/$name"
cython=$(bash "$here/extensions.sh" "$version" cython)
begin "$name"
mkdir "$WORK/out"
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')

step "Cython to C" "$cython" -m cython -3 "$sources/racycy.pyx" -o "$WORK/racycy.c"
step "compiling the C" cc -O1 -shared -fPIC -I "$include" "$WORK/racycy.c" -o "$WORK/out/racycy$suffix"
cp "$sources/racycy.pyx" "$WORK/out/racycy.pyx"

cp -r "$sources/racyrs" "$WORK/racyrs"
step "compiling the Rust" env PYO3_PYTHON="$python" CARGO_TARGET_DIR="$WORK/target" \
    cargo build --release --quiet --locked --manifest-path "$WORK/racyrs/Cargo.toml"
cp "$WORK/target/release/libracyrs.so" "$WORK/out/racyrs$suffix"
cp "$sources/racyrs/src/lib.rs" "$WORK/out/racyrs.rs"

publish "$WORK/out"
answer "$FINAL"
