#!/usr/bin/env bash
# Native debugging information of Wasm modules: gdb and lldb in programs made by cot compile -g, llvm-dwarfdump on all kinds of files.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot clang wasi-clang python3
out=$WORK/debug-wasm
rm -rf "$out"
mkdir -p "$out"
cd "$out" || exit 1
modules=()
for how in "-O0 -gdwarf-4" "-O2 -gdwarf-4" "-O0 -gdwarf-5" "-O2 -gdwarf-5"; do
    name=list$(tr -dc 0-9 <<<"$how")
    # shellcheck disable=SC2086
    clang --target=wasm32-wasi $how "$ROOT/tests/debug/list.c" -o "$name.wasm" && modules+=("$name")
done
# shellcheck disable=SC2043
for how in "-O1 -gdwarf-2"; do
    # shellcheck disable=SC2086
    clang++ --target=wasm32 -nostdlib -Wl,--no-entry,--export-all $how "$ROOT/tests/debug/scopes.cpp" -o scopes.wasm && modules+=(scopes)
done
clang --target=wasm32-wasi -O2 -Wl,--strip-debug "$ROOT/tests/debug/list.c" -o bare.wasm && modules+=(bare)
clang --target=wasm32-wasi -msimd128 -nostdlib "$ROOT/tests/debug/locals.s" -o locals.wasm && modules+=(locals)
check "clang made all modules" [ ${#modules[@]} = 7 ]

# Files are well-formed; -g changes no code; nor do threads change anything.
files() { # files MODULE
    local kind f
    "$COT" compile "$1.wasm" -o "$1.plain" && "$COT" compile -g "$1.wasm" -o "$1" || return 1
    "$COT" compile -g -j 1 "$1.wasm" -o "$1.again" && cmp "$1" "$1.again" || return 1
    for kind in o so; do "$COT" compile -g "$1.wasm" -o "$1.$kind" || return 1; done
    if has objcopy; then
        for f in "$1" "$1.plain"; do objcopy -O binary --only-section=.wasm.text "$f" "$f.text"; done
        cmp "$1.text" "$1.plain.text" || return 1
    fi
    if has llvm-dwarfdump; then
        for f in "$1" "$1.o" "$1.so"; do
            llvm-dwarfdump --verify "$f" >verify.log 2>&1 && ! grep -E '^error' verify.log || { echo "$f: llvm-dwarfdump --verify" && tail -n 5 verify.log; return 1; }
        done
    fi
}
for m in "${modules[@]}"; do check "$m" files "$m"; done
has llvm-dwarfdump || left_out "no llvm-dwarfdump"

cat >o0.gdb <<'END'
break list.c:24
run
bt
print *l
print *(struct node *)(wasm_memory + l->next)
print (char *)(wasm_memory + l->name)
print scale
print c
print calls
print pool[1].value
next
next
print total
up
print argc
print argv[0] > 0
delete
break list.c:27
continue
print l
print total
finish
END
cat >o2.gdb <<'END'
break sum
run
bt
print l->value
print scale
print c
print calls
delete
break list.c:24
continue
next
END
cat >o0.lldb <<'END'
breakpoint set --file list.c --line 24
run
bt
frame variable
frame variable *l
expression *(struct node *)(wasm_memory + l->next)
next
next
frame variable total
breakpoint delete -f
breakpoint set --file list.c --line 27
continue
frame variable l total
quit
END
cat >o2.lldb <<'END'
breakpoint set --name sum
run
bt
frame variable l scale c
target variable calls
quit
END
if gdb_works; then
    debug() { timeout 60 gdb -nx -batch -iex 'set pagination off' -iex 'set confirm off' -iex 'set debuginfod enabled off' "$@" 2>&1; }
    for m in list04 list05; do
        debug -x o0.gdb "./$m" >$m.gdb.log
        check "$m.gdb.log" lines $m.gdb.log '^Breakpoint 1 at 0x[0-9a-f]+: file .*list\.c, line 24\.' '^Breakpoint 1, sum \(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at .*list\.c:24' \
            '^#0  sum \(l=' '^#1  0x[0-9a-f]+ in .*main.* \(argc=1, argv=0x[0-9a-f]+\) at .*list\.c:37' '= \{next = [0-9]+, value = 3, name = [0-9]+\}' \
            '= \{next = [0-9]+, value = 2, name = [0-9]+\}' '"three"' '= 1\.5' '= GREEN' '= 1$' '= 1$' '^25' '^23' '= 9$' '= 1$' '= 1$' 'list\.c:27' '= \(struct node \*\) 0x0' \
            '= 24' 'is \$[0-9]+ = 29'
    done
    for m in list24 list25; do
        debug -x o2.gdb "./$m" >$m.gdb.log
        check "$m.gdb.log" lines $m.gdb.log '^Breakpoint 1, sum \(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at .*list\.c:2[0-3]' '^#0  sum' '^#1  .*main.* at .*list\.c:37' '= 3$' '= 1\.5' '= GREEN' '= [01]$' \
            '^Breakpoint 2, sum .* at .*list\.c:24' '^2[0-9]'
    done
    # Constants that are in no register; a vector, first in a register, then in a slot.
    debug -ex 'break locals.s:20' -ex run -ex 'info args' -ex 'info locals' -ex delete -ex 'break tick' -ex continue -ex 'up' -ex 'info locals' -ex 'print i - 1' ./locals >locals.gdb.log
    check "locals.gdb.log" lines locals.gdb.log 'Breakpoint 1, work \(n=3\) at .*locals\.s:20' '^i = -7$' '^q = -81985529216486896$' '^f = 1\.5$' '^d = -2\.25$' '^none = 0x0$' \
        '^s = 0x[0-9a-f]+ "hello"$' '^v = \{1, 2, 3, 4\}$' '^w = \{4, 5, 6, 7\}$' '^u = 4294967295$' '^k = 5$' '^#1 .* work \(.*locals\.s:20' '^i = -7$' '^v = \{1, 2, 3, 4\}$' '^w = \{4, 5, 6, 7\}$' '= -8$'
    # At a trap that is out of line; what is not understood is not known.
    debug -ex run -ex 'info args' -ex 'info locals' ./locals >trap.gdb.log
    check "trap.gdb.log" lines trap.gdb.log 'SIGILL' 'in work \(n=3\) at .*locals\.s:60' '^n = 3$' '^q = -81985529216486896$' '^w = \{4, 5, 6, 7\}$' '^k = 5$' '^entry = <optimized out>$'
    # Parameters at the first instruction.
    debug -ex 'break *sum' -ex run -ex 'info args' -ex 'print l->value' -ex finish ./list24 >entry.gdb.log
    check "entry.gdb.log" lines entry.gdb.log '^l = 0x[0-9a-f]+$' '^scale = 1\.5$' '^c = GREEN$' '= 3$' 'is \$[0-9]+ = 29'
    # C++ and Rust: what gdb knows of them by name meets numbers where it expects pointers.
    clang++ --target=wasm32-wasi -fno-exceptions -fno-rtti -nostdlib++ -O0 -g "$ROOT/tests/debug/shapes.cpp" -o shapes.wasm && "$COT" compile -g shapes.wasm -o shapes &&
        debug -ex 'break shapes.cpp:18' -ex run -ex bt -ex 'print *this' -ex up -ex 'info locals' -ex 'print s' -ex 'print out' -ex 'break geo::biggest<int>' ./shapes >shapes.gdb.log
    check "shapes.gdb.log" lines shapes.gdb.log 'geo::Rect::area \(this=0x[0-9a-f]+\) at .*:18' '^#1 .* work \(s=\.\.\., out=@0x[0-9a-f]+: 10\) at .*:32' '<geo::Shape> = \{vptr\$Shape = [0-9]+, id = 9\}, w_ = 3, h_ = 4\}' \
        'member = ' 'geo::Shape &\) @0x[0-9a-f]+: .*id = 9' '= \(int &\) @0x[0-9a-f]+: 10' '^Breakpoint 2 at .*shapes\.cpp, line 2[45]'
    target=
    for t in wasm32-wasip1 wasm32-wasi; do
        [ -n "$target" ] || { d=$(rustc --print target-libdir --target $t 2>/dev/null) && [ -d "$d" ] && target=$t; }
    done
    if [ -n "$target" ] && rustc -g --target "$target" -o point.wasm "$ROOT/tests/debug/point.rs"; then
        "$COT" compile -g point.wasm -o point && debug -ex 'break point.rs:9' -ex run -ex bt -ex 'info locals' -ex 'info args' -ex 'print p.x' ./point >point.gdb.log
        check "point.gdb.log" lines point.gdb.log 'point::show \(p=0x[0-9a-f]+, s=\.\.\., v=\.\.\., o=\.\.\.\) at .*point\.rs:9' '^#1 .*point::main' 'n = 11' 's = &str \{data: [0-9]+, length: 5\}' 'o = .*Some\(4\)' '= 3$'
    else
        left_out "no rustc with a target of WASI"
    fi
    # Code in memory.
    debug -ex 'set breakpoint pending on' -x o0.gdb --args "$COT" run --gdb list04.wasm >run.gdb.log
    check "run.gdb.log" lines run.gdb.log 'Breakpoint 1, sum \(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at .*list\.c:24' '^#1  .*main.* \(argc=1, .*list\.c:37' '^#[0-9]+ .* main \(' 'value = 3' 'value = 2' '"three"' '= 9$' '= 24' '= 29'
    for m in list04 list05; do # precompiled: the same
        "$COT" compile -g $m.wasm -o $m.cwasm
        debug -ex 'set breakpoint pending on' -x o0.gdb --args "$COT" run --gdb $m.cwasm >cwasm.gdb.log
        check "cwasm.gdb.log" lines cwasm.gdb.log 'Breakpoint 1, sum \(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at .*list\.c:24' '^#1  .*main.* \(argc=1, .*list\.c:37' '^#[0-9]+ .* entry\[type [0-9]+\]' \
            '^#[0-9]+ .* main \(' 'value = 3' 'value = 2' '"three"' '^25' '^23' '= 9$' '= 24' '= 29'
    done
    # In a C program: from the module's frames to those of the host.
    if [ -e "$BUILD/lib/libcotrt.a" ]; then
        "$COT" compile -g --name program list05.wasm -o host.o && "$COT" compile --name program list05.wasm -o program.h &&
            printf '#include "program.h"\nint main(int argc, char **argv) {\n    return cot_main(&program_module, argc, argv);\n}\n' >host.c &&
            check "a C program with the module" gcc -g -I"$ROOT/include" -I. host.c host.o "$BUILD/lib/libcotrt.a" -lm -pthread -o host
        debug -ex 'break list.c:24' -ex run -ex bt -ex 'print *l' -ex 'print total' ./host >host.gdb.log
        check "host.gdb.log" lines host.gdb.log '^#0  sum \(l=0x' '^#1 .*list\.c:37' '^#[0-9]+ .* main \(.*\) at .*host\.c:3' 'value = 3' '= 0$'
    fi
    # Without debugging information of its own: names, and offsets as lines.
    debug -ex 'break sum' -ex run -ex bt -ex 'info line' ./bare >bare.gdb.log
    check "bare.gdb.log" lines bare.gdb.log '^Breakpoint 1, .*sum \(\) at .*bare\.wasm:[0-9]+' '^#0 .*sum \(\) at .*bare\.wasm:[0-9]+' '^#1 .*main.* \(\) at .*bare\.wasm:[0-9]+' '^Line [0-9]+ of ".*bare\.wasm"'
    "$COT" compile bare.wasm -o bare.cwasm # without -g: offsets as lines
    debug -ex 'set breakpoint pending on' -ex 'break sum' -ex run -ex bt --args "$COT" run --gdb bare.cwasm >bare.cwasm.log
    check "bare.cwasm.log" lines bare.cwasm.log '^Breakpoint 1, .*sum \(\) at .*bare\.cwasm:[0-9]+' '^#1 .*main.* \(\) at .*bare\.cwasm:[0-9]+'
    line() { grep -oE 'sum \(\) at .*:[0-9]+' "$1" | sed 's/.*://' | head -n 1; }
    check "lines of a precompiled module" [ "$(line bare.cwasm.log)" = "$(line bare.gdb.log)" ]
else
    left_out "no gdb that can start programs"
fi
if lldb_works; then
    for m in list04 list05; do
        in_time lldb --no-use-colors -b -s o0.lldb "./$m" >$m.lldb.log 2>&1
        check "$m.lldb.log" lines $m.lldb.log 'frame #0: .*sum\(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at list\.c:24' 'frame #1: .*main.*\(argc=1, argv=0x[0-9a-f]+\) at list\.c:37' 'frame #[2-6]: .*_start' \
            '\(double\) scale = 1\.5' '\(color\) c = GREEN' '\(int\) total = 0' 'value = 3' 'value = 2' 'list\.c:25' 'list\.c:23' '\(int\) total = 9' 'list\.c:27' 'l = NULL' 'total = 24'
    done
    for m in list24 list25; do
        in_time lldb --no-use-colors -b -s o2.lldb "./$m" >$m.lldb.log 2>&1
        check "$m.lldb.log" lines $m.lldb.log 'frame #0: .*sum\(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at list\.c:2[0-3]' 'scale = 1\.5' 'c = GREEN' 'calls = [01]'
    done
    in_time lldb --no-use-colors -b -o 'breakpoint set --file locals.s --line 20' -o run -o 'frame variable' -o 'expression f * 2' -o quit ./locals >locals.lldb.log 2>&1
    check "locals.lldb.log" lines locals.lldb.log 'work\(n=3\) at locals\.s:20' '\(int\) i = -7$' '\(long long\) q = -81985529216486896$' '\(float\) f = 1\.5$' '\(double\) d = -2\.25$' \
        'none = 0x0+$' 's = 0x[0-9a-f]+ "hello"$' '\[0\] = 1, \[1\] = 2, \[2\] = 3, \[3\] = 4' '\[0\] = 4, \[1\] = 5, \[2\] = 6, \[3\] = 7' 'u = 4294967295$' 'k = 5$' '= 3$'
    # Code in memory.
    { echo 'settings set plugin.jit-loader.gdb.enable on'; grep -v wasm_memory o0.lldb; } >run.lldb
    in_time lldb --no-use-colors -b -s run.lldb -- "$COT" run --gdb list05.wasm >run.lldb.log 2>&1
    in_time lldb --no-use-colors -b -s run.lldb -- "$COT" run --gdb list05.cwasm >cwasm.lldb.log 2>&1
    check "cwasm.lldb.log" lines cwasm.lldb.log 'frame #0: .*sum\(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at list\.c:24' 'frame #1: .*main.* at list\.c:37' 'frame #[0-9]+: .*cot`main' 'value = 3' 'list\.c:25' 'total = 9' 'total = 24'
    check "run.lldb.log" lines run.lldb.log 'frame #0: .*sum\(l=0x[0-9a-f]+, scale=1\.5, c=GREEN\) at list\.c:24' 'frame #1: .*main.* at list\.c:37' 'frame #[0-9]+: .*cot`main' 'value = 3' 'list\.c:25' 'total = 9' 'total = 24'
else
    left_out "no lldb that can start programs"
fi
# Damage: whatever the module says, writing ends, stays inside, and what was written can be read.
for fuzz in "$(dirname "${COT_ASAN:-/nonexistent/cot}")/tests/fuzz_dwarf" "$BUILD/tests/fuzz_dwarf"; do
    [ -x "$fuzz" ] || continue
    check "damage" eval '"$PY" "$ROOT/tests/diff/dwarf_mutate.py" list05.wasm damaged 200 1 && "$PY" "$ROOT/tests/diff/dwarf_mutate.py" list24.wasm damaged2 200 2'
    check "damaged sections" timeout 100 "$fuzz" damaged/* damaged2/*
    break
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
