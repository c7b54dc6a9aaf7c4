#!/usr/bin/env bash
# extensions.sh [VERSION] [PACKAGE...]
#
# A virtual environment of free-threaded CPython (default 3.13.5, built by cpython-ft.sh) with
# extension packages from their own wheels for its ABI; prints its interpreter's path. Packages
# without such a wheel are left out and said so. Default packages: those that bugs in
# stress/bugs/ name. This is also how an extension author tests a package of theirs:
#
#   threadbare hunt --vm "$(ci/vm/extensions.sh 3.13.5 mypackage)" --subject 'mypackage:Type'
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=3.13.5
case ${1:-} in
    -h | --help) help_from_header >&3; exit 0 ;;
    3.*) version=$1; shift ;;
esac
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(numpy multidict zope.interface cachebox python-rapidjson)

open_cache
base=$(bash "$(dirname "${BASH_SOURCE[0]}")/cpython-ft.sh" "$version")
name=extensions-$version-ft
exe=$CACHE/$name/bin/python
if [ ! -x "$exe" ]; then
    begin "$name"
    # Made elsewhere and moved: `python -m pip` needs none of the scripts that hold the path.
    step "making the environment" "$base" -m venv "$WORK/env"
    publish "$WORK/env"
    trap - EXIT
fi
LOG=$CACHE/log/$name.log
for package in "${packages[@]}"; do
    if "$exe" -c "import importlib.metadata as m; m.version('$package')" 2>/dev/null; then continue; fi
    if "$exe" -m pip install -q --disable-pip-version-check --only-binary :all: "$package" >>"$LOG" 2>&1 </dev/null; then
        say "$package: installed"
    else
        say "$package: no wheel for this ABI, left out"
    fi
done
answer "$exe"
