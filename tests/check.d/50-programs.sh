#!/usr/bin/env bash
# The C programs of tests/programs: the Wasm builds must print what the native build prints.
# At -O0, and at -O2 with the allocation checker, as it is and with random allocation. --engine wasmtime proves the tests themselves.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 clang wasm-ld wasi-clang
case " $* " in *" wasmtime "*) need wasmtime ;; *) need cot-run && set -- --also="-O2 -W verify=on" --also="-O2 -W verify=on -W stress=${PROGRAMS_STRESS:-1}" "$@" ;; esac
exec "$PY" "$ROOT/tests/diff/cprog.py" programs "$ROOT/tests/programs" --out "$WORK/programs" "$@"
