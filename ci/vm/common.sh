# shellcheck shell=bash
# What the VM build scripts share: messages, the cache, locks, builds that
# survive an interruption, and an apt of our own. Sourced, never run.
#
# The contract of every script: stdout carries the interpreter's path and
# nothing else, stderr everything else. Exit codes: 0 built or found, 2 wrong
# usage, 3 the machine lacks something, 5 a build that should work failed.

export LC_ALL=C.UTF-8
# A VM's name in the cache says all about how it was built; the caller's compiler
# settings must not.
unset CDPATH PYTHONHOME PYTHONPATH CC CXX CFLAGS CFLAGS_NODIST CXXFLAGS CPPFLAGS LDFLAGS MAKEFLAGS MFLAGS
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET CARGO_BUILD_TARGET_DIR

# From here on stdout is stderr; the caller's stdout is fd 3, for `answer`.
exec 3>&1 1>&2

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# die CODE MESSAGE...: one line per argument, the cause first, the next step last.
die() {
    local code=$1 line
    shift
    for line; do say "$line"; done
    exit "$code"
}

# The header comment of a script is its help text.
help_from_header() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; }

usage() {
    say "$1"
    help_from_header
    exit 2
}

# one_argument WHAT "$@": the only argument there may be beside --help, as ARGUMENT; empty without.
one_argument() {
    local what=$1 arg
    shift
    ARGUMENT=''
    for arg; do
        case $arg in
            -h | --help) help_from_header >&3; exit 0 ;;
            -*) usage "unknown option $arg" ;;
            '') usage "an empty $what" ;;
        esac
        [ -z "$ARGUMENT" ] || usage "one $what at a time"
        ARGUMENT=$arg
    done
}

answer() {
    printf '%s\n' "$1" >&3
    exit 0
}

# ---------------------------------------------------------------- the cache

# Sets CACHE. Built interpreters have their path compiled in, and neither make
# nor configure can quote a blank in it.
open_cache() {
    CACHE=${THREADBARE_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?no HOME; set THREADBARE_VM_CACHE}/.cache}/threadbare/vm}
    mkdir -p "$CACHE/tmp" "$CACHE/lock" "$CACHE/log" "$CACHE/src" ||
        die 3 "cannot write to the cache $CACHE" "set THREADBARE_VM_CACHE to a writable folder"
    CACHE=$(cd "$CACHE" && pwd -P)
    case $CACHE in
        *[[:space:]:\'\"\\\$]*) die 3 "the cache's path '$CACHE' has a blank or another character that make cannot quote" \
            "set THREADBARE_VM_CACHE to a plain path" ;;
    esac
}

# lock FD NAME: held until the script ends. Build steps close these descriptors
# (see `step`), so that what a killed script leaves running holds no lock.
lock() {
    local fd=$1 name=$2
    eval "exec $fd>\"\$CACHE/lock/\$name\""
    flock -n "$fd" && return
    say "waiting: another call is busy with $name"
    flock "$fd"
}
unlock() { eval "exec $1>&-"; }

# begin NAME: take the VM's lock, clear what an interrupted build left, and set
# NAME, FINAL (where the VM will be), WORK (an empty folder) and LOG.
begin() {
    NAME=$1
    FINAL=$CACHE/$NAME
    lock 9 "$NAME"
    local old
    for old in "$CACHE/tmp/$NAME"@*; do
        [ -e "$old" ] || continue
        say "removing what an interrupted build left: ${old##*/}"
        remove "$old"
    done
    WORK=$(mktemp -d "$CACHE/tmp/$NAME@XXXXXX")
    LOG=$CACHE/log/$NAME.log
    : >"$LOG"
    SECONDS=0 CHILD=''
    trap 'trap "" INT TERM HUP; [ -z "$CHILD" ] || kill "$CHILD" 2>/dev/null || :; cd /; remove "$WORK"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Twice: a compiler of a build just killed may still be writing its last file.
remove() { rm -rf "$1" 2>/dev/null || { sleep 2 && rm -rf "$1"; }; }

# step LABEL COMMAND...: its output goes to the log. When this script is killed
# the kernel ends the command too; make takes its compilers with it. It runs in
# the background because bash handles a signal only while it waits.
step() {
    local label=$1 began=$SECONDS
    shift
    say "$label"
    printf '\n=== %s: %s\n' "$label" "$*" >>"$LOG"
    setpriv --pdeathsig TERM "$@" >>"$LOG" 2>&1 3>&- 8>&- 9>&- </dev/null &
    CHILD=$!
    wait "$CHILD" || {
        local code=$?
        CHILD=''
        tail -n 15 "$LOG" | sed 's/^/    /'
        die 5 "failed (exit code $code): $label" "the whole output is in $LOG"
    }
    CHILD=''
    say "  done in $((SECONDS - began)) s"
}

# publish FOLDER: a finished VM appears under its name in one step or not at all.
publish() {
    rm -rf "$FINAL"
    mv -T "$1" "$FINAL"
    say "$NAME is ready: $(du -sm "$FINAL" | cut -f1) MB, $SECONDS s"
}

# ---------------------------------------------------------- what must be there

need_commands() {
    local c missing=()
    for c; do command -v "$c" >/dev/null || missing+=("$c"); done
    [ ${#missing[@]} -eq 0 ] || die 3 "missing on this machine: ${missing[*]}" \
        "these scripts need Debian or Ubuntu with apt, dpkg, util-linux and xz-utils"
}

# need_packages PACKAGE...: installs what is missing when we may, and says what
# to install when we may not.
need_packages() {
    local p missing=()
    for p; do
        dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die 3 "not installed: ${missing[*]}" \
        "run: sudo apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    local install=(apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}")
    export DEBIAN_FRONTEND=noninteractive
    # A fresh container has no package lists yet; one with stale lists fails too.
    "${install[@]}" >>"$LOG" 2>&1 3>&- 8>&- 9>&- ||
        { apt-get update -q >>"$LOG" 2>&1 && "${install[@]}" >>"$LOG" 2>&1 3>&- 8>&- 9>&-; } ||
        { tail -n 5 "$LOG" | sed 's/^/    /'
          die 3 "apt-get could not install ${missing[*]}" "the whole output is in $LOG"; }
}

# ------------------------------------------------------------------ our own apt

# The machine's Debian mirror, as apt itself understands its sources, whichever
# of the two formats they are in. Only the suite and the type differ for us.
debian_mirror() {
    if [ -n "${THREADBARE_DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$THREADBARE_DEBIAN_MIRROR"
        return
    fi
    local suites='buster|bullseye|bookworm|trixie|forky|duke|sid|oldstable|stable|testing|unstable'
    local uris
    uris=$(apt-get update --print-uris 2>/dev/null) || :
    sed -nE "\#^'([^']*[^/])/+dists/($suites)/(In)?Release'.*#{s##\1#p;q}" <<<"$uris"
}

# open_apt src|bin SUITE...: sets APT, the options that make any apt tool work
# on lists of ours. The machine's proxy and credentials still apply.
open_apt() {
    local type=$1 mirror signed='' key suite base
    shift
    lock 8 "apt-$type"
    base=$CACHE/apt/$type
    APT_LISTS=$base/state/lists
    mkdir -p "$base/etc/empty" "$APT_LISTS/partial" "$base/cache/archives/partial"
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die 3 "no Debian mirror in this machine's apt sources" \
        "set THREADBARE_DEBIAN_MIRROR to one's address, or bring an interpreter of your own (see ci/vm/README.md)"
    for key in gpg pgp; do
        key=/usr/share/keyrings/debian-archive-keyring.$key
        [ -e "$key" ] && signed="signed-by=$key"
    done
    [ -n "$signed" ] || die 3 "the keys of Debian's archive are not installed" "run: apt-get install debian-archive-keyring"
    local line target=Packages kind=deb
    [ "$type" = src ] && target=Sources kind=deb-src
    line=$(for suite; do echo "$kind [$signed target=$target] $mirror $suite main"; done)
    [ "$line" = "$(cat "$base/etc/sources.list" 2>/dev/null)" ] || rm -f "$base/fresh"
    printf '%s\n' "$line" >"$base/etc/sources.list"
    # Given with -c, this is read after the machine's own configuration and so
    # wins; clearing the hooks keeps them from cleaning the machine's caches.
    # NoLocking: our lock holds already, and dpkg's is not ours to take.
    cat >"$base/etc/apt.conf" <<END
Dir::Etc::SourceList "$base/etc/sources.list";
Dir::Etc::SourceParts "$base/etc/empty";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$base/etc/empty";
Dir::State "$base/state";
Dir::Cache "$base/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Acquire::Languages "none";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Debug::NoLocking "true";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
    # With an empty status file nothing counts as installed, so that apt names
    # every package that one to be unpacked needs.
    if [ "$type" = bin ]; then
        : >"$base/status"
        echo "Dir::State::status \"$base/status\";" >>"$base/etc/apt.conf"
    fi
    APT=(-c "$base/etc/apt.conf")
    APT_BASE=$base
    # Lists of a day ago may name files that the archive has since replaced.
    if [ -z "$(find "$base/fresh" -mmin -1440 2>/dev/null)" ]; then
        say "reading Debian's package lists"
        apt-get "${APT[@]}" -q update >>"$LOG" 2>&1 || {
            tail -n 5 "$LOG" | sed 's/^/    /'
            die 3 "cannot read the lists of $mirror ($*)" "check the network and this machine's apt sources; whole output in $LOG"
        }
        : >"$base/fresh"
    fi
}

# apt names every file it missed; three are enough.
show_apt_errors() { sed -n 's/^E: /    /p' "$LOG" | sort -u | sed 3q; }

# source_versions REGEX: "package version" for each source package so named.
source_versions() {
    /usr/lib/apt/apt-helper cat-file "$APT_LISTS"/*_Sources* |
        awk -v re="^($1)\$" '$1 == "Package:" { p = $2 } $1 == "Version:" && p ~ re { print p, $2 }' | sort -uV
}

# Debian's version without epoch, revision and the mark of a repacked archive.
upstream() { sed -E 's/^[0-9]+://; s/-[^-]*$//; s/\+(ds|dfsg)[0-9.]*$//' <<<"$1"; }

# delivered PACKAGE VERSION: the archive lists sources whose files it no longer
# has. The packaging files are small and go together with the rest.
delivered() {
    (cd "$WORK" && mkdir -p probe && cd probe &&
        apt-get "${APT[@]}" -qq --diff-only --download-only source "$1=$2") >>"$LOG" 2>&1 3>&-
}

# fetch_source PACKAGE UPSTREAM ALSO_REGEX: sets SOURCE, a folder with the source
# package's files, from whichever Debian revision of that upstream version is
# delivered. Otherwise says which versions of ALSO_REGEX can be had.
fetch_source() {
    local package=$1 want=$2 also=$3 p v tried='' all
    open_apt src trixie forky sid
    all=$(source_versions "$also")
    SOURCE=$CACHE/src/$package-$want
    mkdir -p "$SOURCE"
    while read -r p v; do
        [[ $p == "$package" && $(upstream "$v") == "$want" ]] || continue
        say "fetching Debian's source $p $v"
        if (cd "$SOURCE" && apt-get "${APT[@]}" -q --download-only source "$p=$v") >>"$LOG" 2>&1 3>&-; then
            unlock 8
            return
        fi
        tried+=" $v"
    done <<<"$all"
    rmdir "$SOURCE" 2>/dev/null || :
    # The next call reads the lists anew.
    rm -f "$APT_BASE/fresh"
    if [ -n "$tried" ]; then
        local but='it could not be fetched'
        grep -q '404  Not Found' "$LOG" && but='does not deliver it'
        say "Debian's archive lists the source $package$tried, but $but:"
        show_apt_errors
    else
        say "Debian's archive has no source $package $want"
    fi
    say "asking the archive for what it has"
    local had=''
    while read -r p v; do
        [ -n "$p" ] && delivered "$p" "$v" && had+=" $(upstream "$v")"
    done <<<"$all"
    die 3 "versions that can be had:${had:- none (is the network up?)}" \
        "other ways to an interpreter are in ci/vm/README.md"
}
