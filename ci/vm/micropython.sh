#!/usr/bin/env bash
# micropython.sh [VERSION]
#
# Builds MicroPython (1.26.1 if no version is given; the unix port, which has
# threads and no GIL) from Debian's source package into a cache, once, and
# prints the interpreter's path.
# The cache is $THREADBARE_VM_CACHE, or threadbare/vm in the user's cache folder.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

one_argument version "$@"
version=${ARGUMENT:-1.26.1}
[[ $version =~ ^1\.[0-9]+(\.[0-9]+)?$ ]] || usage "'$version' is no version such as 1.26.1"

open_cache
exe=$CACHE/micropython-$version/bin/micropython
[ -x "$exe" ] && answer "$exe"

need_commands apt-get dpkg-query flock setpriv
begin "micropython-$version"
[ -x "$exe" ] && answer "$exe"

need_packages build-essential python3 xz-utils
# Debian marks its archive of MicroPython as repacked: 1.26.1+ds.
fetch_source micropython "$version" micropython
shopt -s nullglob
archives=("$SOURCE/micropython_$version"*.orig.tar.xz)
[ ${#archives[@]} -gt 0 ] || die 5 "the source package holds no .orig.tar.xz" "look into $SOURCE"
step "unpacking" tar -xf "${archives[0]}" -C "$WORK" --one-top-level=source --strip-components=1

# What needs a library that Debian's archive leaves out is off, and so are the
# frozen modules, which come from a repository of their own. Not stripped, so
# that gdb shows frames (-g is the port's default).
step "compiling with $(nproc) jobs" make -C "$WORK/source/ports/unix" -j"$(nproc)" \
    MICROPY_PY_SSL=0 MICROPY_SSL_MBEDTLS=0 MICROPY_PY_BTREE=0 MICROPY_PY_FFI=0 FROZEN_MANIFEST= \
    CFLAGS_EXTRA="-ffile-prefix-map=$WORK/source=micropython-$version" STRIP=

mkdir -p "$WORK/stage/bin"
cp "$WORK/source/ports/unix/build-standard/micropython" "$WORK/stage/bin/"
# From 1.26 on it says so itself: a _thread without GIL is "unsafe".
step "checking that it has threads and no GIL" "$WORK/stage/bin/micropython" -c \
    "import sys, _thread; assert getattr(sys.implementation, '_thread', 'unsafe') == 'unsafe', sys.implementation; _thread.start_new_thread(print, ('ok',))"
publish "$WORK/stage"
answer "$exe"
