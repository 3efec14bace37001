#!/usr/bin/env bash
# Scripts of our own, tests/wast, in the modes of the spec suite: what once went wrong, and limits that no suite tests.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 wasm-tools cot
PATH=$("$PY" -c 'import sys; sys.path.insert(0, sys.argv[1]); import tools, os; print(os.path.dirname(tools.wasm_tools()))' "$ROOT/tests/diff"):$PATH
status=0
try() { # try COT FLAGS…
    [ -x "$1" ] || { echo "no $1"; return; }
    echo "-- $*"
    timeout 120 "$1" wast "${@:2}" "$ROOT"/tests/wast/*.wast || status=1
}
try "$COT"
try "$COT" -W bounds=explicit
try "$COT" -W signals=off
try "$COT" --cpu-features baseline
try "${COT_CHECKED_BIN:-$BUILD/checked/cot}" -W verify=on
for seed in 1 2 3; do try "${COT_STRESS_BIN:-$BUILD/stress/cot}" -W verify=on -W "stress=$seed"; done
# What is written to a file is there once, though modules in text form are read by another program in between.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo '(module (type (struct (field i32)))) (assert_return (invoke "f"))' >"$work/a.wast"
for k in 1 2 3 4 5 6 7 8; do echo '(assert_malformed (module quote "(func $x") "unexpected end")'; done >"$work/b.wast"
"$COT" wast "$work/a.wast" "$work/b.wast" "$work/a.wast" >"$work/out"
if [ "$(grep -c a.wast "$work/out")" = 2 ]; then echo "1 passed, 0 failed, 0 skipped"; else
    cat "$work/out"
    echo "0 passed, 1 failed, 0 skipped"
    status=1
fi
exit $status
