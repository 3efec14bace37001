#!/usr/bin/env bash
# Programs of csmith with fixed seeds, built at -O0 and -O2, run at -O0 and -O2, there with the allocation checker, as it is and with
# random allocation. CSMITH_COUNT says how many (`make soak`: 200).
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld csmith wasi-clang
case " $* " in *" wasmtime "*) need wasmtime ;; *) need cot-run && set -- --also="-O2 -W verify=on" --also="-O2 -W verify=on -W stress=${CSMITH_SEED:-1}" "$@" ;; esac
exec "$PY" "$ROOT/tests/diff/cprog.py" csmith --count "${CSMITH_COUNT:-20}" --seed "${CSMITH_SEED:-1}" --out "$WORK/csmith" "$@"
