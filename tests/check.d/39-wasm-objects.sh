#!/usr/bin/env bash
# Wasm modules as objects and shared libraries, with their C header. Every Sightglass module and every program of tests/programs, linked by
# each linker at hand (static, position-independent, at fixed addresses) or loaded by dlopen, gives its output; so do all modules of the
# spec suite, compiled to objects and linked. The header is C11 and C++ without warnings; several modules and instances are in one
# program. readelf, objdump, eu-elflint and llvm-dwarfdump have nothing to say. The same bytes for any number of threads and folder.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot-run python3 gcc readelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
linkers=()
for l in bfd gold lld mold; do
    if [ $l = mold ]; then has mold; else has ld.$l; fi && linkers+=("$l") || left_out "linker $l is not here"
done
ways=("-static" "-pie -Wl,-z,now,-z,relro,--gc-sections" "-no-pie" "-static-pie")
groups=() # each linker with each way
for w in "${ways[@]}"; do
    for l in "${linkers[@]}"; do [ "$l $w" = "gold -static-pie" ] || groups+=("-fuse-ld=$l $w"); done # gold has no --no-dynamic-linker
done
all=$(printf ';%s' "${groups[@]}")
include=(-I"$ROOT/include" -I"$BUILD/gen")
rt=("$BUILD/lib/libcotrt.a" -lm -pthread)
check "run.c, linked" gcc -std=c11 -Wall -Wextra -Werror "${include[@]}" -DMODULE=module_of_the_test_module -c "$ROOT/tests/aot/run.c" -o run.o
check "run.c, loading" gcc -std=gnu11 -Wall -Wextra -Werror "${include[@]}" "$ROOT/tests/aot/run.c" "${rt[@]}" -ldl -o load
export COT_VIA=$COT

# what runs long is begun first, beside the rest
if [ -d "${COT_BENCH:-/nonexistent}" ] && has wasm-tools; then
    COT_VIA_RUN=$work/run.o COT_VIA_LINK="${all#;}" "$PY" "$ROOT/bench/sightglass" --supported simd,relaxed-simd --cot "$PY $ROOT/tests/diff/via.py obj" >bench-obj 2>&1 &
    COT_VIA_RUN=$work/load "$PY" "$ROOT/bench/sightglass" --supported simd,relaxed-simd --cot "$PY $ROOT/tests/diff/via.py shared" >bench-shared 2>&1 &
else
    left_out "Sightglass (COT_BENCH, wasm-tools)"
fi

# ---- what the files look like ----
hello=$work/hello.wasm
"$PY" "$ROOT/tests/diff/hello.py" >"$hello"
readable() { # readable FILE: the tools that read ELF find nothing wrong
    silent readelf -aW "$1" && silent objdump -dr "$1" || return 1
    ! has eu-elflint || eu-elflint --gnu-ld -q "$1" || return 1
    ! has llvm-dwarfdump || llvm-dwarfdump --verify "$1"
}
unwinds() { # unwinds FILE: a function symbol and an entry in .eh_frame for each piece of code, of the same place and size
    python3 - "$1" <<'PYTHON'
import re, subprocess, sys
run = lambda *a: subprocess.run(a + (sys.argv[1],), stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
funcs = {(int(m[1], 16), int(m[2], 0)) for m in re.finditer(r"^ *\d+: ([0-9a-f]+) +(\w+) FUNC ", run("readelf", "-sW"), re.M)}
frames = {(int(m[1], 16), int(m[2], 16) - int(m[1], 16)) for m in re.finditer(r" FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)", run("readelf", "--debug-dump=frames"))}
sys.exit(None if funcs == frames and funcs else "%d functions, %d frames" % (len(funcs), len(frames)))
PYTHON
}
modules=("$hello")
[ -d "${COT_BENCH:-/nonexistent}" ] && for m in "$COT_BENCH"/sightglass/{blake3-simd,bz2,sqlite3}/*.wasm; do modules+=("$m"); done
mkdir elsewhere
for m in "${modules[@]}"; do
    n=$(basename "$m" .wasm)
    for kind in obj shared header; do
        "$COT" compile -j1 --name x --emit $kind "$m" -o "one.$kind"
        check "$n, $kind: two threads, another folder" eval '(cd elsewhere && "$COT" compile -j2 --name x --emit $kind "$m" -o ../two && cmp ../one.$kind ../two) ||
            [ $kind = shared ]'
        [ $kind = header ] || check "$n, $kind: readelf, objdump, eu-elflint, llvm-dwarfdump" readable one.$kind
    done
    "$COT" compile -j2 --name x --soname one.shared --emit shared "$m" -o - >two
    check "$n, shared: two threads, to standard output" eval '"$COT" compile -j1 --name x --soname one.shared --emit shared "$m" -o - | cmp - two'
    check "$n: unwinding of every function" unwinds one.obj
    check "$n: one global symbol, one undefined" [ "$(nm -g one.obj | sed 's/^ *//; s/^0* //; s/^[0-9a-f]* //')" = $'U cot_object_abi_1\nD x_module' ]
    check "$n: no executable stack asked for" eval 'readelf -SW one.obj | grep -q "\.note\.GNU-stack *PROGBITS" && readelf -lW one.shared | grep -q "GNU_STACK.* RW "'
    check "$n: nothing writable and executable, no relocations in code" eval '! readelf -lW one.shared | grep -q " RWE " && ! readelf -dW one.shared | grep -qE "TEXTREL|NEEDED"'
done

asan=${COT_ASAN:-$BUILD/asan/cot}
if [ -x "$asan" ]; then # the same bytes, with sanitizers
    for m in "${modules[@]}"; do
        for kind in obj shared header; do
            for g in "" -g; do
                [ $kind$g != header-g ] || continue
                # shellcheck disable=SC2086
                check "$(basename "$m"), $kind $g: sanitizers" eval '"$asan" compile $g --name x --soname x --emit $kind "$m" -o one && "$COT" compile $g --name x --soname x --emit $kind "$m" -o - | cmp - one'
            done
        done
    done
else
    left_out "objects under sanitizers: no $asan"
fi

# ---- options and messages ----
check "the name comes from the file's" eval '"$COT" compile hello.wasm -o h.o && nm h.o | grep -q " hello_module$"'
cp hello.wasm 2-a.b.wasm
check "a name that is none in C" eval '"$COT" compile 2-a.b.wasm -o h.o && nm h.o | grep -q " _2_a_b_module$"'
check "--name" says 1 "hello\\.wasm: error: --name: '2x' is no name in C" "$COT" compile --name 2x hello.wasm -o h.o
check "no name" says 1 "-: error: the module needs a name.*" "$COT" compile - -o h.o <hello.wasm
check "--function-sections" says 1 "hello\\.wasm: error: --function-sections is for CLIF" "$COT" compile --function-sections hello.wasm -o h.o
check "a header of CLIF" eval 'echo "function %f() system_v { block0: return }" >f.clif && says 1 "cot compile: error: --emit header is for WebAssembly" "$COT" compile --emit header f.clif -o f.h'
check "-W memory" says 1 "cot compile: error: -W memory and -W stack are for executables: .*" "$COT" compile -W memory=1M hello.wasm -o h.o
check "-W timeout" says 1 "cot compile: error: -W timeout is for running" "$COT" compile -W timeout=5 hello.wasm -o h.so
check "a module that is none" eval 'head -c 40 hello.wasm >bad.wasm; says 1 "bad\\.wasm:0x[0-9a-f]*: error: .*" "$COT" compile bad.wasm -o bad.o && [ ! -e bad.o ]'
check "a header of a module that is none" says 1 "bad\\.wasm:0x[0-9a-f]*: error: .*" "$COT" compile bad.wasm -o bad.h

# ---- WASI programs ----
program() { # program GROUP OBJECT OUT
    # shellcheck disable=SC2086
    gcc $1 run.o "$2" "${rt[@]}" -o "$3"
}
"$COT" compile --name module_of_the_test hello.wasm -o hello.o
"$COT" compile --name module_of_the_test hello.wasm -o libhello.so
for g in "${groups[@]}"; do
    check "hello, $g: links" program "$g" hello.o hello
    check "hello, $g: runs" [ "$(./hello)" = hello ]
done
check "hello, loaded" [ "$(MODULE_LIBRARY=./libhello.so MODULE_SYMBOL=module_of_the_test_module ./load)" = hello ]
check "hello, with libcotrt.so" eval 'gcc run.o hello.o -L"$BUILD/lib" -lcotrt -Wl,-rpath,"$BUILD/lib" -o hello && [ "$(./hello)" = hello ]'
check "hello, with libcot.a" eval 'gcc run.o hello.o "$BUILD/lib/libcot.a" -lm -pthread -o hello && [ "$(./hello)" = hello ]'
objcopy --redefine-sym cot_object_abi_1=cot_object_abi_999 hello.o other.o
check "another version is found by the linker" eval '! program "" other.o x && grep -q "undefined reference to .cot_object_abi_999" log'
cat >other.c <<'END'
#include <cot/wasm.h>
const CotLinkedModule module_of_the_test_module = {999, 0, NULL, NULL, NULL, NULL};
END
gcc "${include[@]}" -c other.c -o other.o && program "" other.o other
check "another version is found at the start" says 1 '\./other: error: the module was compiled for version 999 of the interface of objects, this library has version 1: .*' ./other
printf '\0asm\1\0\0\0' >module_of_the_test.wasm
"$COT" compile module_of_the_test.wasm -o empty.o && program "" empty.o empty
check "no _start" says 1 '\./empty: error: the module exports no function .*' ./empty
"$COT" compile -W signals=off -W bounds=explicit --name module_of_the_test hello.wasm -o explicit.o && program "" explicit.o explicit
check "without signals and guard pages" [ "$(./explicit)" = hello ]

module() { # module FILE BODY: a function of that body (hexadecimal, without locals and end) as _start
    python3 - "$1" "$2" <<'PYTHON'
import sys
def vec(*items): return bytes([len(items)]) + b"".join(items)
def section(n, body): return bytes([n, len(body)]) + body
code = b"\0" + bytes.fromhex(sys.argv[2]) + b"\x0b"
open(sys.argv[1], "wb").write(b"\0asm\1\0\0\0" + section(1, vec(b"\x60\0\0")) + section(3, vec(b"\0")) + section(5, vec(b"\0\1")) +
    section(7, vec(b"\6_start\0\0")) + section(10, vec(bytes([len(code)]) + code)))
PYTHON
}
trap_alike() { # trap_alike BODY OPTIONS…: object, library and cot run end alike
    module trap.wasm "$1"
    shift
    "$COT" run "$@" trap.wasm >/dev/null 2>want
    [ $? = 134 ] && "$COT" compile "$@" --name module_of_the_test trap.wasm -o trap.o && "$COT" compile "$@" --name trap trap.wasm -o trap.so && program "" trap.o trapped || return 1
    (exec -a trap.wasm ./trapped) 2>got
    [ $? = 134 ] && diff want got && grep -q '_start (function 0' got || return 1
    (MODULE_LIBRARY=./trap.so MODULE_SYMBOL=trap_module exec -a trap.wasm ./load) 2>got
    [ $? = 134 ] && diff want got
}
for flags in "-O0" "-O2" "-W signals=off" "-W bounds=explicit"; do
    for body in 00 417f2802001a 410141006d1a 1000; do # unreachable, memory, division, stack
        # shellcheck disable=SC2086
        check "trap $body $flags" trap_alike $body $flags
    done
done

# ---- where there is nothing else: the command, the loading program, the C library ----
jail() { # jail FILE…: a root directory with these programs and the libraries that they need
    mkdir -p jail/tmp && cp "$@" jail/ && ldd "$1" "$2" | grep -oE '/[^ ]+' | grep -v ':$' | sort -u | while read -r lib; do mkdir -p "jail$(dirname "$lib")" && cp -L "$lib" "jail$lib"; done
}
if [ "$(id -u)" = 0 ] && jail "$COT" load hello.wasm && chroot jail /"$(basename "$COT")" --help >/dev/null 2>&1; then
    alone() { env -i "$(command -v chroot)" jail "$@"; }
    cot=/$(basename "$COT")
    check "alone: a program" eval 'alone $cot compile hello.wasm -o hello && [ "$(alone /hello)" = hello ]'
    check "alone: a library" eval 'alone $cot compile hello.wasm -o libhello.so && [ "$(MODULE_LIBRARY=/libhello.so MODULE_SYMBOL=hello_module chroot jail /load)" = hello ]'
    check "alone: an object and its header" eval 'alone $cot compile hello.wasm -o hello.o && alone $cot compile hello.wasm -o hello.h &&
        "$COT" compile hello.wasm -o hello2.o && cmp jail/hello.o hello2.o && grep -q "^extern const CotLinkedModule hello_module;" jail/hello.h'
    mkdir same
    alike() { # alike NAME MODULE: program and library, made there, are those made here
        local o
        for o in "$1" "$1.so"; do
            alone $cot compile "/$1.wasm" -o "/$o" && "$COT" compile "$2" -o "same/$o" && cmp "jail/$o" "same/$o" || return 1
        done
    }
    for m in "${COT_BENCH:-/nonexistent}"/sightglass/*/*.wasm; do # the others are known to work: are these the same?
        [ -e "$m" ] && "$COT" validate "$m" >/dev/null 2>&1 || continue
        n=$(basename "$m" .wasm)
        cp "$m" jail/
        check "alone: $n" alike "$n" "$m"
        rm -f "jail/$n" "jail/$n".*
    done
else
    left_out "a root directory of its own: chroot is for root"
fi

# ---- the header, several modules, several instances ----
if has wasm-tools; then
    wasm-tools parse "$ROOT/tests/aot/exports.wat" -o exports.wasm
    for n in one two; do
        for e in o so h; do check "exports.wat, $n.$e" "$COT" compile --name $n exports.wasm -o $n.$e; done
    done
    for c in "gcc -std=c11" "g++ -std=c++17 -x c++" "clang -std=c11 -fsanitize=address,undefined" "clang++ -std=c++17 -x c++"; do
        has "${c%% *}" || { left_out "${c%% *} is not here" && continue; }
        for level in -O0 -O2; do
            # shellcheck disable=SC2086
            check "exports.c, $c $level" $c $level -Wall -Wextra -Werror "${include[@]}" -I. -c "$ROOT/tests/aot/exports.c" -o exports.o
            # shellcheck disable=SC2086
            check "exports.c, $c $level: links" ${c% -x*} exports.o one.o two.o "${rt[@]}" -o exports
            check "exports.c, $c $level: runs" [ "$(./exports)" = "all is well" ]
        done
    done
    gcc "${include[@]}" -I. -c "$ROOT/tests/aot/exports.c" -o exports.o
    for g in "${groups[@]}"; do
        # shellcheck disable=SC2086
        check "exports.c, $g: links" gcc $g exports.o one.o two.o "${rt[@]}" -o exports
        check "exports.c, $g: runs" [ "$(./exports)" = "all is well" ]
    done
    check "exports.c with shared libraries" eval 'gcc exports.o ./one.so ./two.so "${rt[@]}" -o exports && [ "$(LD_LIBRARY_PATH=. ./exports)" = "all is well" ]'
    echo '(module (import "a\00b" "c" (func)))' >nul.wat && wasm-tools parse nul.wat -o nul.wasm
    check "an import with a NUL in its name" says 1 "nul\\.h: error: import 0 has a NUL in its name, .*" "$COT" compile nul.wasm -o nul.h
    # the same from the C interface, both modules in one file
    check "make_object.c" gcc -std=c11 -Wall -Wextra -Werror "${include[@]}" "$ROOT/tests/aot/make_object.c" "$BUILD/lib/libcot.a" -lm -pthread -o make_object
    cp one.h one.cli.h
    check "make_object.c: runs" ./make_object exports.wasm
    check "make_object.c: the header of the command" cmp one.h one.cli.h
    for o in both.o plain.o both.so; do
        check "$o: readelf, objdump, eu-elflint, llvm-dwarfdump" readable $o
        check "exports.c with $o" eval 'gcc exports.o ./$o "${rt[@]}" -o exports && [ "$(LD_LIBRARY_PATH=. ./exports)" = "all is well" ]'
    done
else
    left_out "exports.c: wasm-tools"
fi
for m in "${modules[@]}"; do
    "$COT" compile --name x "$m" -o x.h
    for c in "gcc -std=c11 -x c" "g++ -std=c++17 -x c++"; do
        # shellcheck disable=SC2086
        has "${c%% *}" && check "$(basename "$m"): header, $c" $c -Wall -Wextra -Werror "${include[@]}" -fsyntax-only x.h
    done
done

# ---- docs/aot.md ----
part() { # part MARK: the fenced block after the mark
    awk -v mark="<!-- $1 -->" '$0 == mark {on = 1; next} on && /^```/ {if (n++) exit; next} on && n {print}' "$ROOT/docs/aot.md"
}
if has pkg-config && clang --target=wasm32 -O1 -nostdlib -Wl,--no-entry -x c - -o probe.wasm <<<'int x;' 2>/dev/null; then
    mkdir doc
    cp hello.wasm doc/program.wasm
    check "install" cmake --install "$BUILD" --prefix "$work/inst"
    PKG_CONFIG_PATH=$(dirname "$(find "$work/inst" -name cotrt.pc)") && export PKG_CONFIG_PATH
    part "text counter.c" >doc/counter.c
    for n in main command load; do part "program $n.c" >doc/$n.c; done
    documented() { # documented MARK: the commands' output
        { echo "set -e; cd doc; PATH='$(dirname "$COT")':\$PATH; export LD_LIBRARY_PATH='$(dirname "$(find "$work/inst" -name libcotrt.a)")'" && part "$1"; } >commands.sh
        bash commands.sh
    }
    documented commands >doc/got 2>&1
    check "docs/aot.md: objects" eval 'part output | diff - doc/got'
    check "docs/aot.md: programs of WASI" [ "$(documented "commands command")" = hello ]
    check "docs/aot.md: loading a library" [ "$(documented "commands load")" = 42 ]
else
    left_out "docs/aot.md: pkg-config, clang for wasm32"
fi

# ---- programs, spec suite ----
if clang --target=wasm32-wasi -O1 "$ROOT/tests/wasi/args.c" -o args.wasm 2>/dev/null; then
    COT="env COT_VIA_RUN=$work/run.o $PY $ROOT/tests/diff/via.py obj" COT_VIA_LINK="${all#;}" "$PY" "$ROOT/tests/diff/cprog.py" programs "$ROOT/tests/programs" --variants O2 \
        --by "env COT_VIA_RUN=$work/load $PY $ROOT/tests/diff/via.py shared" --out "$WORK/wasm-objects" >programs 2>&1
    sum "tests/programs" programs
    COT="env COT_VIA_RUN=$work/run.o $PY $ROOT/tests/diff/via.py obj" "$PY" "$ROOT/tests/diff/wasi.py" "$ROOT/tests/wasi" --out "$WORK/wasm-objects-wasi" --engine cot >wasi 2>&1
    sum "tests/wasi" wasi
else
    left_out "tests/programs (clang for wasm32-wasi)"
fi
if [ -d "${COT_SUITES:-/nonexistent}" ] && has wasm-tools; then
    suite=$COT_SUITES/wasm-spec
    "$PY" "$ROOT/tests/diff/spec.py" convert "$suite" "$BUILD/spec" || failed=$((failed + 1))
    want=$(awk -F'\t' '$2 == "wasm2-nosimd" || $2 == "wasm2" { n += $3 } END { print n }' "$suite/classes.tsv")
    "$PY" "$ROOT/tests/diff/spec_objects.py" "$suite" "$BUILD/spec" "$work/spec" --class wasm2-nosimd --class wasm2 --expect "$want" >spec2 2>&1
    sum "spec suite, Wasm 2.0" spec2
    "$PY" "$ROOT/tests/diff/spec_objects.py" "$suite" "$BUILD/spec" "$work/spec" --class wasm3 --class all >spec3 2>&1
    sum "spec suite, all other files" spec3
else
    left_out "the spec suite (COT_SUITES, wasm-tools)"
fi
wait
cost() { # processor time of an object against that of a precompiled module, best of 15 each
    python3 - "$COT" "$COT_BENCH/sightglass/sqlite3/sqlite3.wasm" <<'PYTHON'
import os, sys
best = {}
for _ in range(15):
    for out in ("cost.cwasm", "cost.o", "cost.so"):
        pid = os.posix_spawn(sys.argv[1], [sys.argv[1], "compile", "-j1", sys.argv[2], "-o", out], os.environ)
        _, status, usage = os.wait4(pid, 0)
        assert status == 0
        best[out] = min(best.get(out, 9), usage.ru_utime + usage.ru_stime)
print(best)
sys.exit(max(best["cost.o"], best["cost.so"]) > 1.1 * best["cost.cwasm"])
PYTHON
}
[ ! -e "${COT_BENCH:-/nonexistent}/sightglass/sqlite3" ] || check "sqlite3: at most 10 % more than compiling" cost
for k in obj shared; do [ ! -e bench-$k ] || sum "Sightglass, $k" bench-$k; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
