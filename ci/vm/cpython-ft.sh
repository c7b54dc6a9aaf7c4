#!/usr/bin/env bash
# cpython-ft.sh VERSION [--debug | --tsan | --asan]
#
# Builds free-threaded CPython (3.13 or later, for example 3.13.5) from Debian's
# source package into a cache, once, and prints the interpreter's path.
#   --debug   with CPython's own assertions
#   --tsan    with clang's ThreadSanitizer
#   --asan    with clang's AddressSanitizer (sees the C heap; Python objects have an allocator
#             of their own, in whose pages it sees no use after free)
# The cache is $THREADBARE_VM_CACHE, or threadbare/vm in the user's cache folder.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version='' flavour=''
for arg; do
    case $arg in
        -h | --help) help_from_header >&3; exit 0 ;;
        --debug | --tsan | --asan)
            [ -z "$flavour" ] || usage "one of --debug, --tsan, --asan"
            flavour=${arg#--} ;;
        -*) usage "unknown option $arg" ;;
        *)
            [ -z "$version" ] || usage "one version at a time"
            version=$arg ;;
    esac
done
[ -n "$version" ] || usage "which version?"
[[ $version =~ ^3\.([0-9]+)\.[0-9]+((a|b|rc)[0-9]+)?$ ]] || usage "'$version' is no version such as 3.13.5"
[ "${BASH_REMATCH[1]}" -ge 13 ] || usage "CPython $version has no free-threaded build; 3.13 was the first"
series=3.${BASH_REMATCH[1]}
debian_version=$(sed -E 's/(a|b|rc)/~\1/' <<<"$version")

# 3.13t and, of a debug build, 3.13td.
interpreter() {
    local exe=$1/bin/python${series}t
    [ "$flavour" = debug ] && exe+=d
    [ -x "$exe" ] && printf '%s\n' "$exe"
}

open_cache
name=cpython-$version-ft${flavour:+-$flavour}
exe=$(interpreter "$CACHE/$name") && answer "$exe"

need_commands apt-get dpkg-query flock setpriv setarch
begin "$name"
# Another call may have built it while we waited.
exe=$(interpreter "$FINAL") && answer "$exe"

packages=(build-essential pkg-config xz-utils libssl-dev zlib1g-dev libbz2-dev liblzma-dev
    libffi-dev libsqlite3-dev libreadline-dev libncurses-dev libexpat1-dev uuid-dev)
configure=(--prefix="$FINAL" --disable-gil --disable-test-modules --with-ensurepip=no
    --without-static-libpython)
runner=()
case $flavour in
    debug) configure+=(--with-pydebug) ;;
    tsan | asan)
        packages+=(clang llvm)
        export CC=clang CXX=clang++
        # The build runs the interpreter it builds: its races and leaks must not
        # stop it, and the sanitizers' maps want addresses that are not random.
        runner=(setarch -R)
        export TSAN_OPTIONS=report_bugs=0 ASAN_OPTIONS=detect_leaks=0 ;;&
    tsan) configure+=(--with-thread-sanitizer) ;;
    # Objects live in mimalloc, inside whose pages the sanitizer sees nothing freed. Its
    # MI_TRACK_ASAN would tell it, and then report the reads of objects that may be freed
    # meanwhile, which lock-free lists and dicts make on purpose.
    asan) configure+=(--with-address-sanitizer) ;;
esac
need_packages "${packages[@]}"
if [ "${CC:-}" = clang ]; then
    # The sanitizers' runtimes are a package of their own, named by clang's version.
    need_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
fi
fetch_source "python$series" "$debian_version" 'python3[.](1[3-9]|[2-9][0-9])'

# Upstream's own archive, without Debian's patches: reports name upstream lines.
step "unpacking" tar -xf "$SOURCE/python${series}_$debian_version.orig.tar.xz" -C "$WORK" --one-top-level=source --strip-components=1
cd "$WORK/source"
# -g, CPython's own default, for gdb's frames; source paths without this machine's
# folders, so that reports compare. No PGO or LTO: they double the time and blur
# the frames. NODIST: not for extensions built later.
export CFLAGS_NODIST="-ffile-prefix-map=$WORK/source=cpython-$version"
# shellcheck disable=SC2016 # the inner shell expands these
step "configuring" "${runner[@]}" bash -c './configure "$@" || { code=$?; cp config.log "$0"; exit $code; }' \
    "${LOG%.log}.config.log" "${configure[@]}"
step "compiling with $(nproc) jobs" "${runner[@]}" make -j"$(nproc)"
step "installing" "${runner[@]}" make install DESTDIR="$WORK/stage"

staged=$WORK/stage$FINAL
exe=$(interpreter "$staged") || die 5 "the build left no python${series}t in bin" "the whole output is in $LOG"
step "checking that it has no GIL" "${runner[@]}" "$exe" -I -c \
    'import sys, threading, ssl, sqlite3, zlib, bz2, lzma, ctypes; assert sys._is_gil_enabled() is False'
# Stacks of Python functions under gdb, which `hunt` uses when a VM hangs.
install -D -m 644 Tools/gdb/libpython.py "$staged/share/gdb/libpython.py"
# Known races of CPython, for TSAN_OPTIONS=suppressions=…
if [ "$flavour" = tsan ]; then cp Tools/tsan/*suppressions*.txt "$staged/"; fi
publish "$staged"
answer "$FINAL${exe#"$staged"}"
