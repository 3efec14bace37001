#!/usr/bin/env bash
# Object files and shared libraries: each tests/objects/NAME.clif is compiled, linked with NAME.c by every linker at hand (static,
# position-independent, at fixed addresses) and run; its status must be 0. So is the shared library, linked to the program or loaded by dlopen
# with it. readelf, objdump and eu-elflint must have nothing to say about any of them. What is compiled twice is the same.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot gcc readelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
readable() { # readable FILE: the tools that read ELF find nothing wrong
    silent readelf -aW "$1" && silent objdump -dr "$1" || return 1
    ! has eu-elflint || eu-elflint --gnu-ld -q "$1" || return 1
    ! has llvm-dwarfdump || llvm-dwarfdump --verify "$1"
}
compiler() { # compiler FILE: of its language
    case $1 in *.cc) echo g++ ;; *) echo gcc ;; esac
}
shared() { # shared WHAT MAIN.c LIBRARY.so: the program with it, linked by each linker, and loaded
    check "$1: readelf, objdump, eu-elflint" readable "$3"
    for l in "${linkers[@]}"; do
        check "$1, $l: links" "$(compiler "$2")" -fuse-ld=$l "$2" "$3" -pthread -o "$work/program"
        check "$1, $l: runs" "$work/program"
        check "$1, $l: a library links" "$(compiler "$2")" -fuse-ld=$l -shared -fPIC "$2" "$3" -pthread -o "$work/program.so"
        check "$1, $l: is loaded and runs" "$work/load" "$work/program.so"
    done
}
check "load.c" gcc "$ROOT/tests/objects/load.c" -o "$work/load"
export LD_LIBRARY_PATH=$work
linkers=()
for l in bfd gold lld mold; do
    if [ $l = mold ]; then has mold; else has ld.$l; fi && linkers+=($l) || left_out "linker $l is not here"
done
for source in "$ROOT"/tests/objects/*.clif; do
    n=$(basename "$source" .clif)
    main=$ROOT/tests/objects/$n.c
    [ -e "$main" ] || main=${main}c
    [ "$(compiler "$main")" = gcc ] || has g++ || { left_out "$n: no g++" && continue; }
    for flags in "" "--function-sections" "-O2" "-g"; do
        o=$work/$n$flags.o
        # shellcheck disable=SC2086
        check "cot compile $flags $n.clif" "$COT" compile $flags "$source" -o "$o"
        # shellcheck disable=SC2086
        "$COT" compile $flags "$source" -o - >"$work/again.o"
        check "$n $flags: the same on standard output" cmp "$o" "$work/again.o"
        check "$n $flags: readelf, objdump, eu-elflint" readable "$o"
        for l in "${linkers[@]}"; do
            for how in "-static" "-pie" "-no-pie" "-pie -Wl,-z,now,-z,relro,--gc-sections"; do
                # shellcheck disable=SC2086
                check "$n $flags, $l $how: links" "$(compiler "$main")" -fuse-ld=$l $how "$main" "$o" -lm -o "$work/program"
                check "$n $flags, $l $how: runs" "$work/program"
            done
        done
    done
    check "cot compile $n.clif -o lib$n.so" "$COT" compile "$source" -o "$work/lib$n.so"
    "$COT" compile --soname "lib$n.so" --emit shared "$source" -o - >"$work/again.so"
    check "lib$n.so: the same on standard output" cmp "$work/lib$n.so" "$work/again.so"
    shared "lib$n.so" "$main" "$work/lib$n.so"
done

# Shared libraries: calls through the PLT and the GOT, bound at once and when needed, data that the library has (copied or not),
# thread-local data of it and of the program. The general dynamic sequence becomes what the linker knows to be enough.
imports=$ROOT/tests/objects/imports
check "imports: library" gcc -shared -fPIC -DLIB "$imports/main.c" -o "$work/libimports.so"
check "imports: object" "$COT" compile --function-sections "$imports/imports.clif" -o "$work/pic.o"
check "imports: object for a fixed address" "$COT" compile --set is_pic=false "$imports/imports.clif" -o "$work/fixed.o"
cat >"$work/main2.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int n, char **a) { void *l = dlopen(a[1], RTLD_NOW); int (*f)(void) = l ? (int (*)(void))dlsym(l, "run") : 0; return n == 2 && f ? f() : (puts(dlerror()), 1); }
END
check "imports: loader" gcc "$work/main2.c" -o "$work/loads"
for l in "${linkers[@]}"; do
    for how in "-pie pic.o" "-pie pic.o -Wl,-z,now,-z,relro,--gc-sections" "-no-pie pic.o" "-no-pie pic.o -Wl,-z,lazy,-z,relro" "-no-pie fixed.o" \
        "-no-pie fixed.o -Wl,-z,now,--gc-sections"; do
        read -r kind object more <<<"$how"
        # shellcheck disable=SC2086
        check "imports, $l $how: links" gcc -fuse-ld=$l $kind -DMAIN "$imports/main.c" "$work/$object" $more -L"$work" -limports -pthread -o "$work/program"
        check "imports, $l $how: runs" "$work/program"
    done
    for kind in -static -pie; do # everything in one program: no call is left
        check "imports, $l $kind: links" gcc -fuse-ld=$l $kind -DMAIN -DLIB "$imports/main.c" "$work/pic.o" -pthread -o "$work/program"
        check "imports, $l $kind: runs" "$work/program"
        check "imports, $l $kind: local exec" sh -c "[ \$(objdump -d '$work/program' --disassemble=use | grep -c '%fs:0x0') = 2 ] && ! objdump -d '$work/program' --disassemble=use | grep -q tls_get"
    done
    check "imports, $l -shared: links" gcc -fuse-ld=$l -shared -fPIC -DMAIN -Dmain=run "$imports/main.c" "$work/pic.o" -L"$work" -limports -pthread -o "$work/loaded.so"
    check "imports, $l -shared: is loaded and runs" "$work/loads" "$work/loaded.so"
done

# More sections than fit into 16 bits.
awk 'BEGIN {for (i = 0; i < 66000; i++)
    printf "function %%f%d() -> i32 system_v {\nblock0:\n    v0 = iconst.i32 %d\n    return v0\n}\n", i, i}' >"$work/many.clif"
echo 'int f0(void), f65280(void), f65999(void); int main(void) { return f0() || f65280() != 65280 || f65999() != 65999; }' >"$work/many.c"
check "66,000 sections" "$COT" compile --function-sections "$work/many.clif" -o "$work/many.o"
check "66,000 sections: the header has no number" sh -c "readelf -hW '$work/many.o' | grep -q 'section headers: *0 (66[0-9]*)'"
check "66,000 sections: readelf" silent readelf -aW "$work/many.o" # objdump takes minutes, eu-elflint takes section 65522 for SHN_COMMON
for l in "${linkers[@]}"; do
    check "66,000 sections, $l: links" gcc -fuse-ld=$l -Wl,--gc-sections "$work/many.c" "$work/many.o" -o "$work/program"
    check "66,000 sections, $l: runs" "$work/program"
done

# Debug information: gdb stops at a line of the text, in a program and in a library, and knows its callers.
if gdb_works; then
    for kind in o so; do
        "$COT" compile -g "$ROOT/tests/objects/calls.clif" -o "$work/libdebug.$kind"
        gcc -g "$ROOT/tests/objects/calls.c" "$work/libdebug.$kind" -o "$work/program"
        gdb -nx -batch -ex 'set breakpoint pending on' -ex 'break calls.clif:13' -ex run -ex bt -ex 'info line' "$work/program" >"$work/gdb.log" 2>&1
        check "gdb, .$kind: stops at the line" grep -Eq '^Breakpoint 1, .*fib \(\) at .*calls\.clif:13' "$work/gdb.log"
        check "gdb, .$kind: backtrace" grep -Eq '^#[0-9]+ .* in show \(\) at .*calls\.clif:[0-9]+' "$work/gdb.log"
        check "gdb, .$kind: backtrace to C" grep -Eq '^#[0-9]+ .* main \(\) at .*calls\.c:[0-9]+' "$work/gdb.log"
    done
else
    left_out "no gdb that can start programs"
fi

# The C interface: two objects with data of all kinds, bindings, sections.
lib=$BUILD/lib/libcot.a
check "api_make.c" gcc -std=c11 -Wall -Wextra -Werror -I"$ROOT/include" -I"$BUILD/gen" "$ROOT/tests/objects/api_make.c" "$lib" -lm -pthread -o "$work/make"
check "api_make: runs" "$work/make" "$work/api1.o" "$work/api2.o" "$work/libapi.so"
for o in "$work/api1.o" "$work/api2.o"; do check "api: readelf, objdump, eu-elflint" readable "$o"; done
for l in "${linkers[@]}"; do
    for how in "-static" "-pie" "-no-pie" "-pie -Wl,-z,now,-z,relro,--gc-sections"; do
        # shellcheck disable=SC2086
        check "api, $l $how: links" gcc -fuse-ld=$l $how "$ROOT/tests/objects/api_main.c" "$work/api1.o" "$work/api2.o" -pthread -o "$work/program"
        check "api, $l $how: runs" "$work/program"
    done
done
shared "libapi.so" "$ROOT/tests/objects/api_main.c" "$work/libapi.so"

# Every run command of our files and of the reference's, the functions in a shared library that is written and loaded.
# The same from objects that other linkers make libraries of.
runs() { # runs OPTIONS… FOLDER
    "$COT" test --only run --exceptions "$ROOT/tests/filetests/exceptions.tsv" "$@" >log 2>&1
    tail -n 20 log | grep ' error: '
    counts=$(sed -n 's/^run .* files *\([0-9]*\) passed *\([0-9]*\) failed *\([0-9]*\) skipped.*/\1 \2 \3/p' log)
    read -r p f s <<<"${counts:-0 1 0}"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
for dir in "$ROOT/tests/filetests/run" ${COT_SUITES:+"$COT_SUITES/clif/runtests"}; do
    runs --shared "$dir"
    runs --linker "ld.bfd -shared" "$dir"
done
for l in "${linkers[@]}"; do
    if [ $l != mold ]; then l=ld.$l; fi
    runs --linker "$l -shared" "$ROOT/tests/filetests/run"
done
[ -n "${COT_SUITES:-}" ] || left_out "the reference's run tests: COT_SUITES is not set"

# docs/object.md
doc=$work/doc
mkdir "$doc"
part() { # part MARK: the fenced block after the mark
    awk -v mark="<!-- $1 -->" '$0 == mark {on = 1; next} on && /^```/ {if (n++) exit; next} on && n {print}' "$ROOT/docs/object.md"
}
part "text twice.clif" >"$doc/twice.clif"
part "program main.c" >"$doc/main.c"
part "program make.c" >"$doc/make.c"
{ echo "set -e; cd '$doc'; PATH='$(dirname "$COT")':\$PATH" && part commands; } >"$doc/commands.sh"
check "docs/object.md: commands" sh -c "[ \"\$(bash '$doc/commands.sh')\" = \"\$(printf '42\\n42')\" ]"
check "docs/object.md: make.c" sh -c "cd '$doc' && gcc -Wall -Wextra -Werror -I'$ROOT/include' -I'$BUILD/gen' make.c '$lib' -lm -pthread -o make && ./make"
echo 'int next(void); extern int counter; int main(void) { return next() != 42 || next() != 43 || counter != 43; }' >"$doc/use.c"
check "docs/object.md: next.o" sh -c "cd '$doc' && gcc use.c next.o -o use && ./use"

# Code in memory: exceptions pass it, perf's files name it.
if has g++; then
    check "unwind_jit.cc" g++ -g -std=c++17 -Wall -Wextra -Werror -I"$ROOT/include" -I"$BUILD/gen" "$ROOT/tests/objects/unwind_jit.cc" "$lib" -lm -pthread -o "$work/unwind_jit"
    check "unwind_jit: runs" sh -c "cd '$work' && ./unwind_jit '$ROOT/tests/objects/unwind.clif' >pid"
    pid=$(cat "$work/pid")
    check "unwind_jit: map for perf" grep -Eq '^[0-9a-f]+ [0-9a-f]+ keeps$' "/tmp/perf-$pid.map"
    check "unwind_jit: dump for perf" grep -q keeps "$work/jit-$pid.dump"
    rm -f "/tmp/perf-$pid.map"
    if gdb_works; then
        (cd "$work" && gdb -nx -batch -ex 'break thrower' -ex "run $ROOT/tests/objects/unwind.clif" -ex bt -ex kill ./unwind_jit) >"$work/gdb.log" 2>&1
        check "unwind_jit, gdb: backtrace through memory" sh -c "grep -A9 '^#0 .*thrower' '$work/gdb.log' | grep -A9 '^#1 .* in keeps ()' | grep -q 'use ('"
    fi
else
    left_out "unwind_jit: no g++"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
