#!/usr/bin/env bash
# Every module of $COT_BENCH/sightglass: the expected output, or a refusal that names the proposal it needs.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 bench wasm-tools cot-run
# As it is, then with SIMD off: what needs it must be refused by name.
"$PY" "$ROOT/bench/sightglass" --supported simd,relaxed-simd
first=$?
"$PY" "$ROOT/bench/sightglass" --cot "$COT" --flags "-W simd=off" --only simd
second=$?
[ $first = 0 ] && [ $second = 0 ]
