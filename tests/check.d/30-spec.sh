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
"$PY" "$spec" convert "$suite" "$out" || status=1
core() {
    echo "-- wasm2-nosimd $*"
    "$PY" "$spec" run "$suite" "$out" --class wasm2-nosimd --strict --expect "$want" -- "$@" || status=1
}
core
core -W bounds=explicit
core -W signals=off
echo "-- all other files"
"$PY" "$spec" run "$suite" "$out" --tsv "$BUILD/conformance/wasm-spec.tsv" || status=1
exit $status
