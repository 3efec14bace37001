#!/usr/bin/env bash
# `cot objdump` and `cot compile --emit asm`: every instruction is what binutils' objdump makes of the same bytes, in modules at each level and for
# three processors, in CLIF texts, in precompiled modules and programs; functions by name and number; lines of the source; damaged files.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot-run python3 objdump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
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
check "a program without names" eval '! "$COT" objdump /bin/true 2>err && grep -q "no functions are named in this file" err'
for f in calls unwind; do
    for kind in o so; do
        "$COT" compile -g "$ROOT/tests/objects/$f.clif" -o $f.$kind
        check "an object: $f.$kind" "$PY" "$ROOT/tests/diff/objdump.py" "$COT" $f.$kind
    done
done
check "an object: relocations are names" eval '"$COT" objdump calls.o >one && grep -q "call   \*0x0(%rip) .*; print" one'
check "a library: functions, lines" eval '"$COT" objdump --function show calls.so >one && grep -q "call   fib" one && grep -qE "^    ; .*calls\.clif:[0-9]+" one'
gcc -O1 -g -c "$ROOT/tests/objects/calls.c" -o c.o 2>/dev/null && check "an object of another compiler" "$PY" "$ROOT/tests/diff/objdump.py" "$COT" c.o
cut_off() { # every length, every byte changed: an end of its own, no crash
    sanitized=${COT_ASAN:-}
    [ -x "$sanitized" ] || sanitized=$COT
    "$PY" - "$sanitized" <<'END'
import os, random, subprocess, sys
good, r = open("calls.so", "rb").read(), random.Random(3)
for k in range(60):
    b = bytearray(good[: r.randrange(len(good))] if k % 3 == 0 else good)
    for _ in range(r.choice((0, 1, 8)) if k % 3 == 0 else 12):
        b[r.randrange(len(b)) if r.random() < .5 else max(0, len(b) - 1 - r.randrange(min(len(b), 1400)))] = r.choice((0, 1, 255, 128, r.randrange(256)))
    open("bad.so", "wb").write(b)
    p = subprocess.run([sys.argv[1], "objdump", "bad.so"], capture_output=True, timeout=30)
    if p.returncode not in (0, 1) or b"Sanitizer" in p.stderr or b"runtime error" in p.stderr:
        sys.exit(p.stderr[:2000])
END
}
check "damaged objects" cut_off

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
