#!/usr/bin/env bash
# The WebAssembly spec suite under $COT_SUITES/wasm-spec, converted by wasm-tools and run natively: every assertion of
# the class wasm2-nosimd must pass, three times: as it is, with explicit bounds checks, and without signal handlers.
# All other files are run too and counted by reason into build/conformance/wasm-spec.tsv; there a failed assertion is
# allowed only in that table, a crash, a hang or a lost assertion is an error.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 suites wasm-tools cot
suite=$COT_SUITES/wasm-spec
out=$BUILD/spec
spec=$ROOT/tests/diff/spec.py
want=$(awk -F'\t' '$2 == "wasm2-nosimd" { n += $3 } END { print n }' "$suite/classes.tsv")
status=0
passed=0 failed=0 skipped=0
# tally LOG: adds the counts of one run, its last line, to the sum that this script ends with.
tally() {
    sed '$d' "$1"
    read -r p f k < <(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped.*/\1 \2 \3/p' "$1")
    if [ -z "${p:-}" ]; then status=1 f=1 p=0 k=0; fi
    echo "   $p passed, $f failed, $k skipped"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
}
log=$WORK/spec.log
"$PY" "$spec" convert "$suite" "$out" || status=1
core() {
    echo "-- wasm2-nosimd $*"
    "$PY" "$spec" run "$suite" "$out" --class wasm2-nosimd --strict --expect "$want" -- "$@" >"$log" || status=1
    tally "$log"
}
core
core -W bounds=explicit
core -W signals=off
echo "-- all other files"
"$PY" "$spec" run "$suite" "$out" --tsv "$BUILD/conformance/wasm-spec.tsv" >"$log" || status=1
tally "$log"
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
