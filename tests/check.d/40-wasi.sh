#!/usr/bin/env bash
# The WASI programs of tests/wasi: arguments, files, clocks and so on as their JSON files say, by cot and, to test the
# expectations themselves, by Wasmtime.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld wasi-clang cot-run
engine=both
"$PY" -c 'import wasmtime' 2>/dev/null || { echo "no Python package wasmtime: expectations are not tested"; engine=cot; }
exec "$PY" "$ROOT/tests/diff/wasi.py" "$ROOT/tests/wasi" --out "$WORK/wasi" --engine "$engine" "$@"
