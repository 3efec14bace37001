#!/usr/bin/env bash
# The WebAssembly spec suite under $COT_SUITES/wasm-spec, converted by wasm-tools and run natively. Every assertion of
# the classes wasm2-nosimd and wasm2 must pass: as it is, with explicit bounds checks, without signal handlers, with both, with code
# for a processor without any extension, with the verifier and the allocation checker on every function at both levels, under sanitizers,
# and with random register allocation (SPEC_SEEDS chooses the seeds), at both levels, checked as well. All other files are run too and
# counted by reason in build/conformance/wasm-spec.tsv, and again at -O2 with the checker, and with random allocation: there an assertion may be skipped, if its module was refused with
# the name of a proposal.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 suites wasm-tools cot
suite=$COT_SUITES/wasm-spec
out=$BUILD/spec
spec=$ROOT/tests/diff/spec.py
# class NAME: the number of its assertions
class() { awk -F'\t' -v c="$1" '$2 == c { n += $3 } END { print n }' "$suite/classes.tsv"; }
want=$(($(class wasm2-nosimd) + $(class wasm2)))
checked=${COT_CHECKED_BIN:-$BUILD/checked/cot} stress=${COT_STRESS_BIN:-$BUILD/stress/cot}
asan=${COT_ASAN:-$BUILD/asan/cot}
status=0
passed=0 failed=0 skipped=0
log=$WORK/spec.log
# run WHAT ARGUMENTS…: one run of spec.py, whose last line is added to the sum that this script ends with.
run() {
    echo "-- $1"
    shift
    "$PY" "$spec" run "$suite" "$out" "$@" >"$log" || status=1
    sed '$d' "$log"
    read -r p f k < <(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped.*/\1 \2 \3/p' "$log")
    if [ -z "${p:-}" ]; then status=1 f=1 p=0 k=0; fi
    echo "   $p passed, $f failed, $k skipped"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
}
# core FLAGS…: the classes of Wasm 2.0
others() { run "all other files $*" --class wasm3 --class all -- --strict "$@"; }
core() { run "Wasm 2.0 $*" --class wasm2-nosimd --class wasm2 --strict --expect "$want" -- "$@"; }

"$PY" "$spec" convert "$suite" "$out" || status=1
run wasm2-nosimd --class wasm2-nosimd --strict --expect "$(class wasm2-nosimd)" --tsv "$BUILD/conformance/wasm-spec-core.tsv"
run wasm2 --class wasm2 --strict --expect "$(class wasm2)" --tsv "$BUILD/conformance/wasm-spec-simd.tsv"
run "all other files" --class wasm3 --class all --tsv "$BUILD/conformance/wasm-spec.tsv" -- --strict
core -W bounds=explicit
core -W signals=off
core -W bounds=explicit -W signals=off
core --cpu-features baseline
if [ -x "$checked" ]; then
    COT=$checked core -W verify=on
    COT=$checked core -O2 -W verify=on
    COT=$checked others -O2 -W verify=on
else
    core -O2 -W verify=on
    echo "no $checked: the checked build's runs are left out"
fi
if [ -x "$asan" ]; then COT=$asan core; else echo "no $asan: the run under sanitizers is left out"; fi
if [ -x "$stress" ]; then
    for seed in ${SPEC_SEEDS:-1 2 3}; do
        COT=$stress core -W verify=on -W "stress=$seed"
        COT=$stress core -O2 -W verify=on -W "stress=$seed"
        COT=$stress others -O2 -W verify=on -W "stress=$seed"
    done
else
    echo "no $stress: the stress runs are left out"
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
