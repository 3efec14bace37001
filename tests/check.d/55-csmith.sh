#!/usr/bin/env bash
# Programs of csmith with fixed seeds, at -O0 and -O2. CSMITH_COUNT says how many (`make soak`: 200).
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld csmith wasi-clang
case " $* " in *" wasmtime "*) need wasmtime ;; *) need cot-run ;; esac
exec "$PY" "$ROOT/tests/diff/cprog.py" csmith --count "${CSMITH_COUNT:-20}" --seed "${CSMITH_SEED:-1}" --out "$WORK/csmith" "$@"
