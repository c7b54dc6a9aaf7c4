#!/usr/bin/env bash
# debian-python.sh NAME
#
# Unpacks the binary packages of an interpreter (python3.14, python3.15, pypy3)
# and of all it needs, libc included, from Debian's unstable suite into a cache,
# without installing anything. Prints the path of a wrapper that runs it through
# its own dynamic loader, so that the machine's libraries do not matter.
# The cache is $THREADBARE_VM_CACHE, or threadbare/vm in the user's cache folder.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

one_argument interpreter "$@"
package=$ARGUMENT
[ -n "$package" ] || usage "which interpreter?"
[[ $package =~ ^(python3\.[0-9]+|pypy3)$ ]] || usage "'$package' is neither python3.N nor pypy3"

open_cache
wrapper=$CACHE/debian-$package/bin/$package
[ -x "$wrapper" ] && answer "$wrapper"

need_commands apt-get apt-cache dpkg-deb flock setpriv
begin "debian-$package"
[ -x "$wrapper" ] && answer "$wrapper"

open_apt bin sid
have=$(apt-cache "${APT[@]}" pkgnames | grep -E '^(python3\.[0-9]+|pypy3)$' | sort -V | tr '\n' ' ')
grep -qwF "$package" <<<"$have" ||
    die 3 "Debian's unstable suite has no package $package for this machine" "interpreters that can be had: $have"
say "fetching $package and what it needs"
mkdir -p "$WORK/debs/partial"
if ! apt-get "${APT[@]}" -q -y --download-only --no-install-recommends -o Dir::Cache::archives="$WORK/debs" \
    install "$package" >>"$LOG" 2>&1; then
    rm -f "$APT_BASE/fresh" # the next call reads the lists anew
    show_apt_errors
    die 3 "Debian's archive lists $package for unstable, but did not deliver all of it" \
        "try again later, or another one: $have"
fi
unlock 8

root=$WORK/stage/root
mkdir -p "$root" "$WORK/stage/bin"
debs=("$WORK"/debs/*.deb)
# shellcheck disable=SC2016 # the inner shell expands these
step "unpacking ${#debs[@]} packages" bash -ec 'root=$1; shift; for deb; do dpkg-deb -x "$deb" "$root"; done' \
    unpack "$root" "${debs[@]}"

loader=$(find "$root/usr" "$root"/lib* -name 'ld-linux*.so.*' -type f -print -quit)
[ -n "$loader" ] || die 5 "the unpacked libc has no dynamic loader" "look into $LOG"
libraries=$(dirname "$loader")

# The real program moves aside and a wrapper stands where it stood: Python looks
# for its library from there, and sys.executable, when started, is the wrapper
# again. Without the machine's ld.so.cache no library of the machine slips in.
program=$(readlink -f "$root/usr/bin/$package")
mv "$program" "$program.real"
command_below() { # ROOT
    printf '%s\n' "$1${loader#"$root"}" --inhibit-cache --library-path "$1${libraries#"$root"}" \
        --argv0 "$1${program#"$root"}" "$1${program#"$root"}.real"
}
mapfile -t run <<<"$(command_below "$FINAL/root")"
cat >"$program" <<END
#!/bin/sh
# $package of Debian unstable, run through its own dynamic loader.
exec ${run[*]@Q} "\$@"
END
chmod +x "$program"
ln -s "../root${program#"$root"}" "$WORK/stage/bin/$package"

mapfile -t run <<<"$(command_below "$root")"
step "checking that it runs with its own library" "${run[@]}" -I -c \
    'import sys, os, threading, zlib, ssl; assert os.__file__.startswith(sys.argv[1]), os.__file__; print(sys.version)' "$root"
publish "$WORK/stage"
answer "$wrapper"
