#!/usr/bin/env bash
# Random valid modules (wasm-tools smith): results, traps, globals, memories and tables as Wasmtime has them.
# SMITH_COUNT and SMITH_SEED choose how many and which; `make soak` asks for 10,000.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 wasm-tools wasmtime cot
exec "$PY" "$ROOT/tests/diff/smith.py" --count "${SMITH_COUNT:-300}" --seed "${SMITH_SEED:-1}" --out "$WORK/smith"
