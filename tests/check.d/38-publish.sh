#!/usr/bin/env bash
# Who is told of code in memory: gdb stops in Wasm functions, shows lines and frames through them; perf names them, by its map and its dump, whose
# contents are those of `cot objdump`; C++ exceptions pass Wasm frames in memory and in objects. What is freed is withdrawn.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot-run python3 clang wasi-clang
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
clang --target=wasm32-wasi -O1 -g "$ROOT/tests/debug/trap.c" -o trap.wasm || exit 1
"$COT" compile -g trap.wasm -o trap.cwasm

if gdb_works; then
    debug() { # debug COMMANDS ARGS…: in gdb.log
        local commands=$1
        shift
        printf '%s\n' "set breakpoint pending on" "set confirm off" "break compute" "$commands" >commands
        gdb -nx -batch -x commands --args "$COT" "$@" >gdb.log 2>&1
    }
    debug $'run\nbt\nnext\ndelete\nfinish' run --gdb trap.wasm x
    check "gdb: stops in a Wasm function" grep -Eq '^(Thread 1.* hit )?Breakpoint 1, compute \(.*trap\.c:2[0-9]' gdb.log
    check "gdb: the caller's line" grep -Eq '^#1 .* in (main|__main_argc_argv) \(.*trap\.c:29$' gdb.log
    check "gdb: frames to the adapter" grep -Eq '^#[0-9]+ .* in entry\[type [0-9]+\] \(\)' gdb.log
    check "gdb: frames to C" sh -c "sed -n '/entry.type/,\$p' gdb.log | grep -Eq '^#[0-9]+ .* in (rt_call|cmd_run|main) \('"
    check "gdb: out of the function again" grep -q '^Value returned is .* = 54$' gdb.log
    debug $'run\nbt' run --gdb trap.cwasm x
    check "gdb: a precompiled module has lines" grep -Eq 'Breakpoint 1, compute \(.*trap\.c:2[0-9]' gdb.log
    check "gdb: and frames to C" sh -c "sed -n '/entry.type/,\$p' gdb.log | grep -Eq '^#[0-9]+ .* in (rt_call|cmd_run|main) \('"
    debug $'run\nbt' bench --gdb --iterations 1 trap.wasm -- x
    check "gdb: bench" grep -Eq '^#1 .* in (main|__main_argc_argv) \(' gdb.log
    if gdb -nx -batch -ex 'python print(1)' 2>/dev/null | grep -q 1; then
        "$COT" compile trap.wasm -o trap
        check "gdb: the caller at every instruction, in memory" sh -c "gdb -nx -batch -x '$ROOT/tests/diff/stepi.py' --args '$COT' run --gdb trap.wasm x | grep -Eq '^[0-9]{2,} instructions, caller .*main'"
        check "gdb: the caller at every instruction, in a program" sh -c "gdb -nx -batch -x '$ROOT/tests/diff/stepi.py' --args ./trap x | grep -Eq '^[0-9]{2,} instructions, caller .*main'"
    fi
    printf '%s\n' "break exit" run "print *(void **)((char *)&__jit_debug_descriptor + 16)" >commands
    gdb -nx -batch -x commands --args "$COT" run --gdb trap.wasm x >gdb.log 2>&1
    check "gdb: withdrawn at the end" grep -q '= (void \*) 0x0$' gdb.log
    debug $'run\nbt' run trap.wasm x
    check "gdb: nothing is told without --gdb" sh -c '! grep -q "hit Breakpoint" gdb.log'
else
    left_out "no gdb that can start programs"
fi

if lldb_works; then
    in_time lldb -b -o 'settings set plugin.jit-loader.gdb.enable on' -o 'breakpoint set -n compute' -o run -o bt -o kill -- "$COT" run --gdb trap.wasm x >lldb.log 2>&1
    check "lldb: backtrace with lines" grep -Eq 'frame #1: .* at trap\.c:29' lldb.log
    check "lldb: to C" grep -Eq 'frame #[0-9]+: .*`rt_call' lldb.log
else
    left_out "no lldb that can start programs"
fi

"$COT" run --perf=jitdump trap.wasm x >/dev/null
check "jitdump: functions and code" "$PY" "$ROOT/tests/diff/jitdump.py" "$COT" trap.wasm jit-*.dump
rm -f jit-*.dump
"$COT" bench --perf=jitdump --iterations 3 trap.wasm -- x >/dev/null
check "jitdump: three times" "$PY" "$ROOT/tests/diff/jitdump.py" "$COT" trap.wasm jit-*.dump
check "jitdump: nobody's code is missing" [ "$(grep -ao compute jit-*.dump | wc -l)" = 3 ]
rm -f jit-*.dump
"$COT" run --perf=map trap.wasm x >/dev/null &
pid=$!
wait $pid
check "map: functions" "$PY" "$ROOT/tests/diff/jitdump.py" "$COT" trap.wasm "/tmp/perf-$pid.map"
rm -f "/tmp/perf-$pid.map"
check "a word that --perf does not know" sh -c "! '$COT' run --perf=all trap.wasm 2>err && grep -q \"'all' is not map or jitdump\" err"
mkdir closed && chmod 500 closed
check "a dump that cannot be written" sh -c "[ \"\$(id -u)\" = 0 ] || { cd closed; ! '$COT' run --perf=jitdump ../trap.wasm 2>err; }"
check "an unwinder that is not there" sh -c "! '$COT' run --unwind trap.wasm x 2>err && grep -q 'this process has no unwinder' err"
if [ -e "$(gcc -print-file-name=libgcc_s.so.1)" ]; then
    check "the unwinder, of a precompiled module" sh -c "[ \"\$(LD_PRELOAD=libgcc_s.so.1 '$COT' run --unwind trap.cwasm x)\" = 54 ]"
    check "the unwinder" sh -c "[ \"\$(LD_PRELOAD=libgcc_s.so.1 '$COT' run --unwind trap.wasm x)\" = 54 ]"
fi
cat >spin.c <<'END'
#include <stdio.h>
__attribute__((noinline)) unsigned spins(unsigned n) { unsigned x = n; while (n--) x = x * 1664525u + (x >> 13); return x; }
int main(void) { printf("%u\n", spins(300000000u) & 1); return 0; }
END
clang --target=wasm32-wasi -O1 spin.c -o spin.wasm
if command -v perf >/dev/null && perf record -q -k 1 -o perf.data "$COT" run --perf=jitdump spin.wasm >/dev/null 2>&1 && [ -s perf.data ]; then
    perf inject --jit -i perf.data -o jit.data >/dev/null 2>&1
    check "perf script names the function" sh -c 'perf script -i jit.data -F ip,sym 2>/dev/null | awk "NF > 1 {print \$2}" | sort | uniq -c | sort -rn | head -n 1 | grep -q spins'
else
    left_out "perf may not record here"
fi
rm -f jit-*.dump

if command -v g++ >/dev/null && command -v wasm-tools >/dev/null; then
    wasm-tools parse "$ROOT/tests/objects/thrower.wat" -o thrower.wasm
    how="-g -std=c++17 -Wall -Wextra -Werror -I$ROOT/include -I$BUILD/gen $ROOT/tests/objects/unwind_wasm.cc"
    # shellcheck disable=SC2086
    check "C++ exceptions through modules in memory" sh -c "g++ $how '$BUILD/lib/libcot.a' -lm -pthread -o in_memory && ./in_memory thrower.wasm"
    for kind in o so; do
        "$COT" compile thrower.wasm -o thrower.$kind
        check "C++ exceptions through modules in .$kind" sh -c "g++ -DLINKED $how ./thrower.$kind '$BUILD/lib/libcotrt.a' -lm -pthread -o linked && LD_LIBRARY_PATH=. ./linked"
    done
else
    left_out "exceptions: no g++ or wasm-tools"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
