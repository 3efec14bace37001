#!/usr/bin/env bash
# Every module of $COT_BENCH/sightglass: the expected output, or a refusal that names the proposal it needs.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 bench wasm-tools cot-run
checked=${COT_CHECKED_BIN:-$BUILD/checked/cot}
status=0
modules() { "$PY" "$ROOT/bench/sightglass" --jobs 2 --supported simd,relaxed-simd "$@" || status=1; }
# As it is, at -O2 with all checkers on, and with random allocation (but for those that run for long); then with SIMD off: what
# needs it must be refused by name.
modules
if [ -x "$checked" ]; then
    modules --cot "$checked" --flags="-O2 -W verify=on"
    modules --cot "$checked" --flags="-O2 -W verify=on -W stress=${SIGHTGLASS_STRESS:-1}" --short
else
    echo "no $checked: -O2 is left out"
fi
"$PY" "$ROOT/bench/sightglass" --cot "$COT" --flags "-W simd=off" --only simd || status=1
exit $status
