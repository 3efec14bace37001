#!/usr/bin/env bash
# `cot objdump` and `cot compile --emit asm`: every instruction is what binutils' objdump makes of the same bytes, in modules at each level and for
# three processors, in CLIF texts, in precompiled modules and programs; functions by name and number; lines of the source; damaged files.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot-run python3 objdump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0 skipped=0
check() { # check WHAT COMMAND…: succeeds
    local what=$1
    shift
    if "$@" >log 2>&1; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "38-objdump: failed: $what"
        tail -n 20 log
    fi
}
compare() { # compare OPTIONS -- FILE…
    check "objdump.py $*" "$PY" "$ROOT/tests/diff/objdump.py" "$COT" -- "$@"
}
instructions() { sed -nE 's/^ *([0-9a-f]+: ( [0-9a-f]{2})+).*/\1/p' "$1"; }

compare -- "$ROOT"/tests/objects/*.clif
compare -O2 -- "$ROOT"/tests/filetests/run/*.clif
check "--emit asm is objdump's text" eval '"$COT" compile --emit asm -g "$ROOT/tests/objects/calls.clif" >one && "$COT" objdump "$ROOT/tests/objects/calls.clif" >two && cmp one two'
check "relocations are names" eval 'grep -q "call   fib" one && grep -q "call   \*0x0(%rip) .*; print@GOTPCREL" one && grep -q "trap: heap_oob" one'
check "lines of the text" grep -q '^    ; calls.clif:13$' one
check "a function by name" eval '"$COT" objdump --function sh?w "$ROOT/tests/objects/calls.clif" >two && grep -q "^show:" two && ! grep -q "^fib:" two'
check "no such function" eval '! "$COT" objdump --function nobody "$ROOT/tests/objects/calls.clif" 2>err && grep -q "error: no function is called .nobody.$" err'
check "--function without --emit asm" eval '! "$COT" compile --function f -o x.o "$ROOT/tests/objects/calls.clif" 2>err && grep -q "is for --emit asm" err'
check "an error of the text" eval 'echo "function %f( {" >bad.clif; ! "$COT" objdump bad.clif 2>err && grep -q "bad.clif:1:" err'
check "not a file of ours" eval '! "$COT" objdump /bin/true 2>err && grep -q "not a program made by" err'

if clang --target=wasm32-wasi -O1 -g "$ROOT/tests/debug/trap.c" -o trap.wasm 2>/dev/null; then
    compare -- trap.wasm
    "$COT" compile -g trap.wasm -o trap.cwasm && "$COT" compile --emit asm trap.wasm >asm
    for options in --function\ compute ""; do
        # shellcheck disable=SC2086
        "$COT" objdump $options trap.cwasm >cwasm
        check "a precompiled module $options: lines of the source" grep -qE '^    ; 0x[0-9a-f]+ .*trap\.c:23:16' cwasm
    done
    check "a precompiled module: the same instructions" eval 'instructions asm >one; instructions cwasm >two; cmp one two && [ -s one ]'
    check "operators" grep -qE '^    ; 0x[0-9a-f]+ i32\.div_s' asm
    check "traps" grep -qE 'trap: integer divide by zero' asm
    number=$(sed -nE 's/^compute \(function ([0-9]+)\):$/\1/p' asm)
    check "a function by number" eval '"$COT" objdump --function "$number" trap.cwasm >one && grep -q "^compute (function $number):" one && [ "$(grep -c "^[^ L].*:$" one)" = 1 ]'
    if "$COT" compile trap.wasm -o trap 2>/dev/null; then
        check "a program" eval '"$COT" objdump trap >exe && instructions exe >two && instructions asm >one && cmp one two'
        check "a program is compared" "$PY" "$ROOT/tests/diff/objdump.py" "$COT" trap
    fi
else
    echo "38-objdump: skipped: clang for wasm32-wasi"
    skipped=$((skipped + 1))
fi
if [ -d "${COT_BENCH:-/nonexistent}" ]; then
    s=$COT_BENCH/sightglass
    compare -- "$s"/bz2/*.wasm "$s"/intgemm-simd/*.wasm
    compare -O2 -- "$s"/bz2/*.wasm
    compare --cpu-features baseline -- "$s"/intgemm-simd/*.wasm
    compare --cpu-features x86-64-v4 -- "$s"/intgemm-simd/*.wasm
else
    echo "38-objdump: skipped: Sightglass (COT_BENCH)"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
