#!/usr/bin/env bash
# Debugging information of C, C++ and Rust programs: what is known of every offset against LLVM's symbolizer; lines in backtraces.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot-run clang wasi-clang llvm-symbolizer python3
out=$WORK/debug
rm -rf "$out"
mkdir -p "$out"
cd "$out" || exit 1
modules=()
for how in "-O0 -gdwarf-4" "-O2 -gdwarf-4" "-O0 -gdwarf-5" "-O2 -gdwarf-5"; do
    name=trap$(tr -dc 0-9 <<<"$how")
    # shellcheck disable=SC2086
    clang --target=wasm32-wasi $how "$ROOT/tests/debug/trap.c" -o "$name.wasm" && modules+=("$name.wasm")
done
for how in "-O0 -gdwarf-5" "-O2 -gdwarf-4" "-O1 -gdwarf-2" "-O1 -gdwarf-3"; do
    name=scopes$(tr -dc 0-9 <<<"$how")
    # shellcheck disable=SC2086
    clang++ --target=wasm32 -nostdlib -Wl,--no-entry,--export-all $how "$ROOT/tests/debug/scopes.cpp" -o "$name.wasm" && modules+=("$name.wasm")
done
check "clang made all modules" [ ${#modules[@]} = 8 ]
target=
for t in wasm32-wasip1 wasm32-wasi; do
    [ -n "$target" ] || { d=$(rustc --print target-libdir --target $t 2>/dev/null) && [ -d "$d" ] && target=$t; }
done
if [ -n "$target" ] && rustc -O -g --target "$target" -o rust.wasm "$ROOT/tests/languages/rust_std.rs"; then modules+=(rust.wasm); else
    left_out "no rustc with a target of WASI"
fi
"$PY" "$ROOT/tests/diff/debug.py" addr2line "$COT" "${modules[@]}" >addr2line.log
sed '$d' addr2line.log # its sum is part of ours
sum addr2line addr2line.log

traps() { # traps FILE PATTERN…: and its messages have these lines, in this order
    local file=$1 patterns=()
    shift
    "$COT" run "$file" >/dev/null 2>"$file.err"
    [ $? = 134 ] || { echo "no trap"; return 1; }
    for line; do patterns+=("^$line\$"); done
    lines "$file.err" "${patterns[@]}"
}
source=$(printf %s "$ROOT/tests/debug/trap.c" | sed 's/[.]/\\./g')
for m in trap04 trap05 trap24 trap25; do
    check $m traps $m.wasm "$m\.wasm:0x[0-9a-f]+: error: trap: integer divide by zero" \
        "   0: compute \(function [0-9]+, offset 0x[0-9a-f]+\)" \
        "        divide at $source:16:14, inlined" "        compute at $source:23:16" \
        "   1: .*" "        at $source:29:13" ".*_start .*"
done
# Precompiled: with -g as without a file between, without -g no lines; the cache knows the difference.
"$COT" compile -g trap25.wasm -o g.cwasm && "$COT" compile trap25.wasm -o no.cwasm
for file in g.cwasm no.cwasm "--cache cache trap25.wasm" "--cache cache trap25.wasm"; do
    # shellcheck disable=SC2086
    "$COT" run $file >/dev/null 2>cwasm.err
    grep -v error: cwasm.err >got
    grep -v error: trap25.wasm.err | if [ "$file" = no.cwasm ]; then grep -v ' at '; else cat; fi >want
    check "backtrace of $file" diff want got
done
# Programs have only what backtraces need: the same backtraces, and the same answers for every address.
"$COT" compile -g trap25.wasm -o trap25.exe && ./trap25.exe >/dev/null 2>exe.err
grep -v error: exe.err >got
grep -v error: trap25.wasm.err >want
check "backtrace of a program" diff want got
if [ -x "$BUILD/tests/unit_dwarf_places" ]; then
    for m in "${modules[@]}"; do "$PY" "$ROOT/tests/diff/dwarf_mutate.py" "$m" "sections/$m" 1 0; done
    check "what backtraces need" "$BUILD/tests/unit_dwarf_places" sections/*/*
else
    left_out "what backtraces need: no $BUILD/tests/unit_dwarf_places"
fi
# Without debugging information nothing is added.
"$PY" - trap25.wasm bare.wasm <<'END'
import sys
def number(d, at):
    v = s = 0
    while True:
        b = d[at]; v |= (b & 127) << s; at += 1; s += 7
        if b < 128: return v, at
d = open(sys.argv[1], "rb").read(); out = d[:8]; at = 8
while at < len(d):
    n, p = number(d, at + 1)
    if not (d[at] == 0 and b".debug" in d[p:p + 12]): out += d[at:p + n]
    at = p + n
open(sys.argv[2], "wb").write(out)
END
bare() {
    "$COT" run bare.wasm >/dev/null 2>bare.err
    [ $? = 134 ] && ! grep -q ' at ' bare.err && grep -q 'compute (function' bare.err
}
check "without debugging information" bare
# addr2line: offsets as arguments, no debugging information, bad input.
offset=$(sed -n 's/^trap25\.wasm:\(0x[0-9a-f]*\):.*/\1/p' trap25.wasm.err)
addr2line() {
    [ "$("$COT" addr2line trap25.wasm "$offset" | head -n 1)" = "$offset: divide at $ROOT/tests/debug/trap.c:16:14" ] &&
        [ "$("$COT" addr2line bare.wasm "$offset" 0)" = "$offset: compute
0x0: no function" ] && ! "$COT" addr2line bare.wasm x && ! "$COT" addr2line
}
check "cot addr2line" addr2line
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
