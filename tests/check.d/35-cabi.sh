#!/usr/bin/env bash
# C function types: random signatures of tests/cabi/gen.py, CLIF calling C and C calling CLIF, against gcc and clang.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
command -v python3 >/dev/null || { echo "35-cabi.sh: skipped: no python3"; exit 0; }
one() { # one SEED COUNT COMPILER CONVENTION LEVEL
    command -v "$3" >/dev/null || { skipped=$((skipped + 1)); echo "skipped: no $3"; return; }
    if python3 "$root/tests/cabi/gen.py" "$1" "$2" "$4" >"$work/signatures.h" &&
        "$3" -std=gnu11 "$5" -w -I"$work" -I"$root/include" -I"$build/gen" "$root/tests/cabi/run.c" "$build/lib/libcot.a" -lm -pthread -o "$work/run" &&
        "$work/run" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)) && echo "failed: $*"
    fi
    sed "s/^/$3 $5, $4, seed $1: /" "$work/log" | tail -n 8
}
[ "$(uname -m)" = x86_64 ] || { echo "35-cabi.sh: skipped: not x86-64"; exit 0; }
for seed in 1 2; do
    one $((seed * 10)) 300 gcc sysv -O2
    one $((seed * 10 + 1)) 300 clang sysv -O2
    one $((seed * 10 + 2)) 300 gcc sysv -O0
    one $((seed * 10 + 3)) 300 clang sysv -O0
done
one 51 300 gcc windows_gcc -O1
one 52 300 clang windows -O1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
