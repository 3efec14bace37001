#!/usr/bin/env bash
# The C programs of tests/programs: the Wasm builds must print what the native build prints.
# --engine wasmtime proves the tests themselves.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld wasi-clang
case " $* " in *" wasmtime "*) need wasmtime ;; *) need cot-run ;; esac
exec "$PY" "$ROOT/tests/diff/cprog.py" programs "$ROOT/tests/programs" --out "$WORK/programs" "$@"
