#!/usr/bin/env bash
# Mutated, truncated and bit-flipped modules: validated or refused as wasm-tools does, never a signal, a sanitizer
# report or a hang. COT_ASAN names a cot built with sanitizers; without it the plain one is used and that is said.
set -u
. "$(dirname "$0")/../diff/env.sh"
COT_ASAN=${COT_ASAN:-$BUILD/asan/cot}
if [ -x "$COT_ASAN" ]; then export COT=$COT_ASAN; else echo "without sanitizers: no $COT_ASAN"; fi
need python3 wasm-tools cot-run
exec "$PY" "$ROOT/tests/diff/mutate.py" --count "${MUTATE_COUNT:-400}" --seed "${MUTATE_SEED:-1}" --out "$WORK/mutate"
