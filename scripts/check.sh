#!/usr/bin/env bash
# make check: everything that must hold at every commit. Builds (gcc release, gcc optimised and checked, clang with
# address and undefined-behaviour sanitizers, fuzz targets, stress, thread sanitizer), formatting, include directions,
# audit, unit tests, then tests/check.d/*.sh in name order. Each of these prints `N passed, N failed, N skipped` as its
# last line; the last line here is the sum. CHECK_ONLY=pattern runs only the matching scripts of tests/check.d. Beside each
# step: seconds that passed, and processor seconds (on two cores that nothing else uses, the first is half of the second).
set -u
cd "$(dirname "$0")/.."
export ROOT=$PWD
scripts/bootstrap.sh check || exit 1
export BUILD=$ROOT/build COT=$ROOT/build/cot
export COT_CHECKED_BIN=$ROOT/build/checked/cot COT_ASAN=$ROOT/build/asan/cot COT_STRESS_BIN=$ROOT/build/stress/cot
export VENV=$ROOT/build/venv
[ -d "$VENV/bin" ] && export PATH=$VENV/bin:$PATH || unset VENV
[ -n "${COT_SUITES:-}" ] || echo "COT_SUITES is not set: the public suites are skipped"
[ -n "${COT_BENCH:-}" ] || echo "COT_BENCH is not set: the benchmark modules are skipped"
logs=$ROOT/build/check
mkdir -p "$logs" build/conformance
passed=0 failed=0 skipped=0 started=$SECONDS
failures=()

# cpu: processor seconds of all children so far, into $cpu_now
cpu() {
    times >"$logs/times" # not in a subshell, whose children are others
    cpu_now=$(awk 'NR == 2 {for (i = 1; i <= 2; i++) {split($i, t, /[ms]/); s += 60 * t[1] + t[2]}} END {printf "%d", s}' "$logs/times")
}
cpu
cpu_before=$cpu_now cpu_begin=$cpu_now
# report NAME PASSED FAILED SKIPPED SECONDS
report() {
    cpu
    printf '%-24s %7d passed %5d failed %6d skipped  %4ds %5ds cpu\n' "$1" "$2" "$3" "$4" "$5" $((cpu_now - cpu_before))
    cpu_before=$cpu_now
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    if [ "$3" -gt 0 ]; then
        failures+=("$1")
        echo "---- end of $logs/$1.log"
        tail -n 40 "$logs/$1.log"
        echo "----"
    fi
}
# step NAME COMMAND…: one thing that succeeds or fails
step() {
    local name=$1 t=$SECONDS
    shift
    if "$@" >"$logs/$name.log" 2>&1; then report "$name" 1 0 0 $((SECONDS - t)); else report "$name" 0 1 0 $((SECONDS - t)); fi
}
build_tsan() { # what uses threads
    cmake --preset tsan && cmake --build build/tsan -j "$(nproc)" --target unit_tests_{jit,runtime,compiler,api}
}
build() { # build PRESET [TARGET]
    cmake --preset "$1" && cmake --build --preset "$1" -j "$(nproc)" ${2:+--target "$2"}
}
unit() { # unit BUILD-DIR NAME [REGEX]: ctest, a test each
    local name=unit-$2 t=$SECONDS p f
    ctest --test-dir "$1" -R "${3:-.}" -j "$(nproc)" --output-on-failure >"$logs/$name.log" 2>&1
    p=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$logs/$name.log")
    f=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*' "$logs/$name.log")
    [ $((p + f)) -gt 0 ] || f=1
    report "$name" "$p" "$f" 0 $((SECONDS - t))
}
# script FILE: its own last line says the counts
script() {
    local name=${1##*/} t=$SECONDS status counts
    name=${name%.sh}
    bash "$1" >"$logs/$name.log" 2>&1
    status=$?
    counts=$(grep -oE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$logs/$name.log" | tr -d , |
        awk '{p += $1; f += $3; s += $5} END {if (NR) print p, f, s}')
    # shellcheck disable=SC2086
    set -- ${counts:-0 1 0}
    [ "$status" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
    report "$name" "$1" "$2" "$3" $((SECONDS - t))
    grep -E '^[^ ]+: skipped: ' "$logs/$name.log" || true
}
format() {
    git ls-files -z '*.c' '*.h' ':!tests/programs' | xargs -0 clang-format --dry-run -Werror
}

step build-release build release
step build-checked build checked
if echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null; then
    step build-asan build asan
    step build-fuzz build fuzz fuzzers
    step build-tsan build tsan
else
    echo "no clang with sanitizers: sanitizer and fuzz builds are skipped"
    skipped=$((skipped + 3))
fi
step build-stress build stress
if command -v clang-format >/dev/null; then step format format; else skipped=$((skipped + 1)) && echo "no clang-format: skipped"; fi
step depcheck build/tools/depcheck .
step auditcheck build/tools/auditcheck .
grep -h 'inventory' "$logs/auditcheck.log"
unit build/checked checked
[ -d build/asan ] && unit build/asan asan
[ -d build/tsan ] && unit build/tsan tsan '^(jit|runtime|compiler|api)\.'
[ -d build/stress ] && unit build/stress stress
for s in tests/check.d/*"${CHECK_ONLY:-}"*.sh; do [ -e "$s" ] && script "$s"; done
if command -v python3 >/dev/null && [ -n "${COT_SUITES:-}" ]; then python3 scripts/conformance.py build/conformance docs/conformance.md; fi

cpu
echo "$((SECONDS - started)) seconds, $((cpu_now - cpu_begin)) of processors; logs in build/check"
[ ${#failures[@]} -eq 0 ] || echo "failed: ${failures[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
