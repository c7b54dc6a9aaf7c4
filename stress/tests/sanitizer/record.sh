#!/usr/bin/env bash
# Records the reports that the parser's tests read, anew: needs clang and llvm-symbolizer.
# tsan-cpython.txt is of another kind: 145036-list-sizeof.py on `ci/vm/cpython-ft.sh 3.13.5 --tsan`.
set -uo pipefail
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
here=-ffile-prefix-map=$PWD/=
clang -g -O1 -fsanitize=thread $here races.c -o "$bin/races"
clang++ -g -O1 -fno-omit-frame-pointer -fsanitize=address $here memory.cpp -o "$bin/memory"
clang -g -O1 -fsanitize=undefined $here undefined.c -o "$bin/undefined"
clang -g -O1 -fsanitize=undefined,address $here undefined.c -o "$bin/both"
# Addresses that are not random: the thread sanitizer wants them so. The folder is nobody's business.
run() { # FILE COMMAND... (hundreds of frames of a recursion tell no more than twenty)
    local file=$1
    shift
    setarch -R "$@" 2>&1 | sed "s,$bin,bin,g; s,$PWD,example,g; s, (BuildId: [0-9a-f]*),,g" | sed '/^    #[2-9][0-9] /d; /^    #[0-9][0-9][0-9] /d' >"$file.txt"
}
for what in race two free order leak mutex; do run "tsan-$what" "$bin/races" $what; done
export ASAN_OPTIONS=detect_leaks=1
for what in uaf double heap stack global bad mismatch overlap segv deep leak; do run "asan-$what" "$bin/memory" $what; done
UBSAN_OPTIONS=print_stacktrace=1 run ubsan-stacks "$bin/undefined"
UBSAN_OPTIONS=print_stacktrace=0 run ubsan-lines "$bin/undefined"
UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=halt_on_error=0 run ubsan-asan "$bin/both"
wc -c ./*.txt | tail -n 1
