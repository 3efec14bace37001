#!/usr/bin/env bash
# Accept or reject of every binary module of the spec suite by the front end alone: translated, validated only, and with
# all checks explicit; built with address and undefined-behaviour sanitizers when clang is there.
set -eu
. "$(dirname "$0")/../diff/env.sh"
need python3 suites wasm-tools
CC=cc; FLAGS="-O1 -g"
if command -v clang >/dev/null 2>&1; then CC=clang; FLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"; fi
src="$ROOT/src"
$CC -std=c11 $FLAGS -I"$src" -o "$WORK/wasm_tool" "$ROOT/tests/unit/wasm/wasm_tool.c" "$src"/wasm/*.c "$src"/image/*.c "$src"/dwarf/*.c "$src"/clif/*.c "$src"/analysis/*.c "$src"/verify/*.c "$src"/base/*.c -lm
"$PY" "$ROOT/tests/unit/wasm/validate_suite.py" "$COT_SUITES/wasm-spec" "$WORK/wasm_tool" "$WORK/wasm-validate"
