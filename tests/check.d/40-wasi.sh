#!/usr/bin/env bash
# The WASI programs of tests/wasi: arguments, files, clocks and so on as their JSON files say, by cot and, to test the
# expectations themselves, by Wasmtime. If WASI_TESTSUITE (or COT_SUITES/wasi-testsuite) is a copy of the wasi-testsuite
# with built modules (its branch prod/testsuite-base), its tests of preview 1 are run as well. The programs also run
# at -O2 with the allocation checker, the same with random allocation, and under sanitizers.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld wasi-clang cot-run
suite=${WASI_TESTSUITE:-${COT_SUITES:-/nonexistent}/wasi-testsuite}
log=$WORK/wasi.log
status=0 passed=0 failed=0 skipped=0
# run ARGUMENTS…: one run of wasi.py, whose last line is added to the sum that this script ends with.
run() {
    "$PY" "$ROOT/tests/diff/wasi.py" "$@" >"$log" || status=1
    sed '$d' "$log"
    read -r p f k < <(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped.*/\1 \2 \3/p' "$log")
    if [ -z "${p:-}" ]; then status=1 f=1 p=0 k=0; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
}
engine=both
"$PY" -c 'import wasmtime' 2>/dev/null || { echo "no Python package wasmtime: expectations are not tested"; engine=cot; }
run "$ROOT/tests/wasi" --out "$WORK/wasi" --engine "$engine" --tsv "$BUILD/conformance/wasi.tsv" \
    --also="-O2 -W verify=on" --also="-O2 -W verify=on -W stress=${WASI_STRESS:-1}" "$@"
asan=${COT_ASAN:-$BUILD/asan/cot}
if [ -x "$asan" ]; then
    COT=$asan run "$ROOT/tests/wasi" --out "$WORK/wasi-asan" --engine cot "$@"
else
    echo "no $asan: the run under sanitizers is left out"
fi
if compgen -G "$suite/tests/*/testsuite/wasm32-wasip1/*.wasm" >/dev/null; then
    run "$suite"/tests/*/testsuite/wasm32-wasip1 --out "$WORK/wasi-testsuite" --engine cot --suite wasi-testsuite \
        --also="-O2 -W verify=on" --also="-O2 -W verify=on -W stress=${WASI_STRESS:-1}" --tsv "$BUILD/conformance/wasi-testsuite.tsv" "$@"
else
    echo "no built wasi-testsuite in WASI_TESTSUITE or COT_SUITES: left out"
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
