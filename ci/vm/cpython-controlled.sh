#!/usr/bin/env bash
# cpython-controlled.sh VERSION
#
# Builds free-threaded CPython (3.13 or later) whose threads stress/control schedules: compiled with
# the thread sanitizer's instrumentation, linked with our runtime instead of the sanitizer's, and
# with mimalloc's tracking macros pointed at it, so that a use after free is seen where it happens.
# Prints the interpreter's path. The runtime is compiled anew and put beside the interpreter at each
# call; the interpreter is built once.
# The cache is $THREADBARE_VM_CACHE, or threadbare/vm in the user's cache folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
source "$here/common.sh"

one_argument version "$@"
version=$ARGUMENT
[ -n "$version" ] || usage "which version?"
[[ $version =~ ^3\.([0-9]+)\.[0-9]+$ ]] || usage "'$version' is no version such as 3.13.15"
[ "${BASH_REMATCH[1]}" -ge 13 ] || usage "CPython $version has no free-threaded build; 3.13 was the first"
series=3.${BASH_REMATCH[1]}
runtime=libthreadbare_control_runtime.so

open_cache
need_commands apt-get dpkg-query flock setpriv setarch
begin "cpython-$version-controlled"
exe=$FINAL/bin/python${series}t

# Other than the interpreter, which takes minutes, the runtime is refreshed each time.
if [ -n "${THREADBARE_CONTROL_RUNTIME:-}" ]; then
    built=$THREADBARE_CONTROL_RUNTIME
else
    need_commands cargo
    step "compiling the runtime" cargo build --release --manifest-path "$here/../../Cargo.toml" -p threadbare-control-runtime
    built=$(cd "$here/../.." && cargo metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')/release/$runtime
fi
[ -f "$built" ] || die 5 "no $runtime at $built"
# In one step: an interpreter that runs meanwhile keeps the file it has open.
refresh() { install -D -m 755 "$built" "$1/lib/$runtime.new" && mv "$1/lib/$runtime.new" "$1/lib/$runtime"; }
if [ -x "$exe" ]; then
    cmp -s "$built" "$FINAL/lib/$runtime" || refresh "$FINAL"
    answer "$exe"
fi

need_packages build-essential pkg-config xz-utils zlib1g-dev libffi-dev
fetch_source "python$series" "$version" 'python3[.](1[3-9]|[2-9][0-9])'
step "unpacking" tar -xf "$SOURCE/python${series}_$version.orig.tar.xz" -C "$WORK" --one-top-level=source --strip-components=1
cd "$WORK/source"

# What the allocator gives out and takes back, told to the runtime.
track=Include/internal/mimalloc/mimalloc/track.h
sed -i -E \
    -e 's/^#define MI_TRACK_TOOL +"none"$/&\nextern void threadbare_control_alloc(void *, unsigned long);\nextern void threadbare_control_free(void *, unsigned long);/' \
    -e 's/^#define mi_track_malloc_size\(p,reqsize,size,zero\)$/& threadbare_control_alloc(p, size);/' \
    -e 's/^#define mi_track_free_size\(p,_size\)$/& threadbare_control_free(p, _size);/' "$track"
[ "$(grep -c threadbare_control_ "$track")" = 4 ] || die 5 "mimalloc's $track of CPython $version is not as expected"

mkdir -p "$WORK/lib"
cp "$built" "$WORK/lib/$runtime"
export THREADBARE_CONTROL_LIB=$WORK/lib THREADBARE_CONTROL_RPATH=$FINAL/lib LD_LIBRARY_PATH=$WORK/lib
export CC=$here/controlled-cc
# Modules that bring uninstrumented libraries of the system along would only hide events.
skip=()
for module in _ssl _hashlib _sqlite3 _tkinter _curses _curses_panel readline _dbm _gdbm _lzma _bz2 _uuid nis; do
    skip+=("py_cv_module_$module=n/a")
done
configure=(--prefix="$FINAL" --disable-gil --disable-test-modules --with-ensurepip=no --without-static-libpython
    "OPT=-O2 -g1 -DNDEBUG -Wall" "${skip[@]}")
export CFLAGS_NODIST="-ffile-prefix-map=$WORK/source=cpython-$version"
# shellcheck disable=SC2016 # the inner shell expands these
step "configuring" bash -c './configure "$@" || { code=$?; cp config.log "$0"; exit $code; }' \
    "${LOG%.log}.config.log" "${configure[@]}"
step "compiling with ${THREADBARE_BUILD_JOBS:-$(nproc)} jobs" make -j"${THREADBARE_BUILD_JOBS:-$(nproc)}"
step "installing" make install DESTDIR="$WORK/stage"

staged=$WORK/stage$FINAL
refresh "$staged"
exe=$staged/bin/python${series}t
[ -x "$exe" ] || die 5 "the build left no python${series}t in bin" "the whole output is in $LOG"
step "checking that it is instrumented and has no GIL" bash -c '
    nm -D --undefined-only "$1" | grep -q __tsan_atomic32_load &&
    LD_LIBRARY_PATH=$2 "$1" -I -c "import sys, ctypes; assert sys._is_gil_enabled() is False"' check "$exe" "$staged/lib"
# Compiled once: a run that compiles its modules is another run.
step "compiling the library" env LD_LIBRARY_PATH="$staged/lib" "$exe" -m compileall -q "$staged/lib/python${series}t" -x 'lib2to3|test' || :
publish "$staged"
answer "$FINAL/bin/python${series}t"
