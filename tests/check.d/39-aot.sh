#!/usr/bin/env bash
# Precompiled modules, the cache, executables. The same bytes for any number of threads, folder and file name; every Sightglass module and every
# program of tests/programs gives its output through a file (those that run for seconds as a program; precompiled, they have the same code); 2,000 damaged files are refused in one line; what starts, and how fast;
# the cache, of every kind of output, under many processes, some of them killed.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot-run python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# a module that prints hello by fd_write; made here, so that no compiler for it is needed
hello=$work/hello.wasm
"$PY" "$ROOT/tests/diff/hello.py" >"$hello"
check "the module of this script" "$COT" validate $hello
check "compile" "$COT" compile $hello -o hello.cwasm
check "run" [ "$("$COT" run hello.cwasm)" = hello ]
check "run through standard input" [ "$("$COT" run --precompiled - <hello.cwasm)" = hello ]

# the same bytes
modules=("$hello")
[ -d "${COT_BENCH:-/nonexistent}" ] && for m in "$COT_BENCH"/sightglass/{regex,bz2,sqlite3}/*.wasm; do modules+=("$m"); done
mkdir elsewhere
for m in "${modules[@]}"; do
    for level in -O0 -O2; do
        "$COT" compile $level -j1 "$m" -o one.cwasm
        check "$m $level: two threads" eval '"$COT" compile $level -j2 "$m" -o two.cwasm && cmp one.cwasm two.cwasm'
        check "$m $level: another folder" eval '(cd elsewhere && "$COT" compile $level - -o - <"$m" --emit cwasm) >two.cwasm && cmp one.cwasm two.cwasm'
        check "$m $level: from the cache" eval '"$COT" compile $level --cache cc "$m" -o two.cwasm && "$COT" compile $level --cache cc "$m" -o three.cwasm &&
            cmp one.cwasm two.cwasm && cmp one.cwasm three.cwasm'
    done
done

# so are objects, libraries and headers, of modules and of CLIF texts
same() { # same FILE OPTIONS…: by two threads, from another folder, by another name, and after the clock has gone on
    local file=$1 kind
    shift
    for kind in obj shared header; do
        [ $kind != header ] || [ "${file%.wasm}" != "$file" ] || continue
        local name=()
        [ "${file%.wasm}" = "$file" ] || name=(--name m)
        [ $kind != shared ] || name+=(--soname m.so)
        "$COT" compile "$@" -j1 "${name[@]}" --emit $kind "$file" -o one.x || return 1
        (cd elsewhere && cp "$file" other && "$COT" compile "$@" -j2 "${name[@]}" --emit $kind "$file" -o ../two.x) || return 1
        cmp one.x two.x || return 1
        "$COT" compile "$@" "${name[@]}" --emit $kind "$file" -o - >two.x && cmp one.x two.x || return 1
    done
}
for m in "${modules[@]}"; do
    [ "$(stat -c %s "$m")" -gt 400000 ] && flags=-O0 || flags="-O2 -g"
    # shellcheck disable=SC2086
    check "$m $flags: the same objects" same "$m" $flags
done
for t in "$ROOT"/tests/objects/*.clif; do check "$t: the same objects" same "$t" -O2 -g; done

# what does not fit is said
cp hello.cwasm hello.wasm.wasm
check "a name without .cwasm" says 1 'hello\.wasm\.wasm: error: this is a precompiled module, .*' "$COT" run hello.wasm.wasm
check "the same with --precompiled" [ "$("$COT" run --precompiled hello.wasm.wasm)" = hello ]
check "bounds in code" says 1 'hello\.cwasm: error: compiled for memories with guard pages, .*' "$COT" run -W bounds=explicit hello.cwasm
check "no signals" says 1 'hello\.cwasm: error: compiled for .*' "$COT" run -W signals=off hello.cwasm
check "no polls" says 1 'hello\.cwasm: error: compiled without polls, .*' "$COT" run -W timeout=1000 hello.cwasm
"$COT" compile -W interruptible=on $hello -o polls.cwasm
check "polls" [ "$("$COT" run -W timeout=10000 polls.cwasm)" = hello ]
"$COT" compile -W signals=off $hello -o explicit.cwasm
check "explicit checks run everywhere" [ "$("$COT" run explicit.cwasm)$("$COT" run -W signals=off explicit.cwasm)" = hellohello ]
check "an output that cannot be" says 1 '/nowhere/x\.cwasm: error: cannot be written: .*' "$COT" compile $hello -o /nowhere/x.cwasm
check "an output that is full" says 1 '/dev/full: error: cannot be written: .*' "$COT" compile $hello --emit cwasm -o /dev/full
check "no file is left" [ "$(find . -name '.cot-*' | wc -l)" = 0 ]
"$COT" compile --cpu-features +has_avx512bitalg,+has_avx_vnni,+has_avx512vbmi $hello -o avx.cwasm
check "processor features" eval '"$COT" run avx.cwasm >out 2>err; s=$?; [ $s = 0 ] || { [ $s = 1 ] && grep -q "for a processor with" err; }'

# damage
damage() { "$PY" "$ROOT/tests/diff/damage.py" "$@"; }
check "2,000 damaged files" damage refused 2400 7 hello.cwasm "$COT" run

# the same in one process with sanitizers, 10,000 of each: as they are, and (by the fuzz target itself) with the sums made right again, so that what is
# behind them is reached; entries of the cache, which are compiled again; `cot objdump`, which does not look at sums
fuzz=$(dirname "${COT_ASAN:-$BUILD/asan/cot}")/tests/fuzz_image
if [ -x "$fuzz" ]; then
    damage files hello.cwasm 10000 bad 7
    check "10,000 damaged files, with sanitizers" eval 'find bad -type f | xargs -n 2500 "$fuzz"'
    check "10,000 damaged tables with good sums, with sanitizers" "$fuzz" -runs=10000 -seed=7 -max_len=64
    objdumps() {
        local f s
        for f in bad/?.cwasm bad/??.cwasm; do
            "${COT_ASAN:-$BUILD/asan/cot}" objdump "$f" >out 2>err
            s=$?
            [ $s -le 1 ] && ! grep -q Sanitizer err || { echo "$f: status $s" && cat err; return 1; }
        done
    }
    check "cot objdump of 100 damaged files, with sanitizers" objdumps
    rm -r bad
else
    echo "39-aot: skipped: damage with sanitizers: no $fuzz"
    skipped=$((skipped + 1))
fi

# the cache of outputs: what it gives is what is made without it, executable or not; all that makes a difference has an entry of its own, which
# is found again and stays where it is
kept() { # kept ENTRIES OPTIONS…
    local entries=$1 k
    shift
    for k in plain first; do
        [ $k = plain ] || set -- "$@" --cache kept
        "$COT" compile "$@" -o $k/m.so || return 1
    done
    touch -d 2000-01-01 kept/* && rm -rf links && cp -rl kept links
    "$COT" compile "$@" -o second/m.so || return 1
    cmp plain/m.so first/m.so && cmp plain/m.so second/m.so && [ "$(stat -c %a plain/m.so)" = "$(stat -c %a second/m.so)" ] || return 1
    [ "$(find kept -type f | wc -l)" = "$entries" ] && [ "$(find kept -type f -links 2 -newermt 2001-01-01 | wc -l)" = 1 ]
}
mkdir plain first second
cp $hello other.wasm
n=0
while read -r options; do
    n=$((n + 1))
    # shellcheck disable=SC2086
    check "the cache of outputs: $options" kept $n $options
done <<END
--emit obj $hello
--emit shared $hello
--emit exe $hello
--emit header $hello
--emit cwasm $hello
--emit obj other.wasm
--emit exe other.wasm
--emit obj -g $hello
--emit exe -g $hello
--emit obj -O2 $hello
--emit exe -W signals=off $hello
--emit obj --cpu-features baseline $hello
--emit obj --name other $hello
--emit header --name other $hello
--emit shared --name other $hello
--emit shared --soname other $hello
--emit shared --needed one $hello
--emit shared --needed two $hello
--emit shared --needed one --needed two $hello
--emit exe -W memory=1M $hello
--emit exe -W stack=1M $hello
--emit exe --env A=1 $hello
--emit exe --env A $hello
--emit exe --dir A $hello
--emit exe --dir-ro A $hello
END
# and what makes none has not
for options in "-j1 $hello" "-W verify=on $hello" "--cache-size 1G $hello"; do
    # shellcheck disable=SC2086
    check "the cache of outputs: $options" kept $n --emit obj $options
done
check "a failure leaves nothing" says 1 '.*: error: --name: .a-b. is no name in C' "$COT" compile --cache nothing --emit obj --name a-b $hello -o x
check "a target that cannot be leaves nothing" eval '! "$COT" compile --cache nothing --emit obj --target none $hello -o x && [ -z "$(ls nothing)" ]'
check "an output that is full is kept all the same" eval '! "$COT" compile --cache full --emit obj $hello -o /dev/full && [ "$(ls full | wc -l)" = 1 ] &&
    "$COT" compile --emit obj $hello -o x && "$COT" compile --cache full --emit obj $hello -o y && cmp x y && [ "$(ls full | wc -l)" = 1 ]'
echo 'function %f() system_v { block0: return }' >f.clif
for options in "f.clif -o f.o" "--emit asm f.clif" "--emit timing $hello" "--emit clif $hello"; do
    # shellcheck disable=SC2086
    check "--cache with $options" says 1 'cot compile: error: --cache is for files of WebAssembly modules' "$COT" compile --cache nothing $options
done

spoilt() { # spoilt COUNT COMMAND…
    local count=$1
    shift
    rm -rf spoilt
    "$@" >out && [ "$(find spoilt -type f | wc -l)" = 1 ] && damage again "$count" 9 spoilt/* out "$@"
}
check "500 damaged entries of the cache are compiled again" spoilt 500 "$COT" run --cache spoilt $hello
for kind in obj shared exe header; do
    check "100 damaged entries for $kind" spoilt 100 "$COT" compile --cache spoilt --emit $kind $hello -o -
done

# what starting costs, by processor time: best of 100. Sanitizers and checked builds are not meant.
start_up() {
    python3 - "$COT" <<'PYTHON'
import os, sys
best = 1.0
for _ in range(100):
    pid = os.posix_spawn(sys.argv[1], [sys.argv[1], "run", "hello.cwasm"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    best = min(best, usage.ru_utime + usage.ru_stime)
print("%.2f ms" % (best * 1e3))
sys.exit(best > 1.5e-3)
PYTHON
}
check "hello from a precompiled module within 1.5 ms" start_up
memory() {
    local peak
    peak=$("$COT" bench --iterations 1 --json hello.cwasm | sed -E 's/.*"peak_rss_bytes": ([0-9]+).*/\1/')
    echo "peak: $peak bytes"
    [ "$peak" -gt 0 ] && [ "$peak" -le $((4 * 1048576 + $(stat -c %s hello.cwasm))) ]
}
check "peak memory of hello: at most 4 MB above the module" memory

# the cache: 24 processes at a time, some killed on the way; then what is there is whole
busy_cache() {
    local k pids
    echo hello >hello.out
    for k in 0 2; do "$COT" compile --emit obj -O$k $hello -o - >hello-$k.o; done
    for round in 1 2 3; do
        pids=()
        for k in $(seq 24); do
            if [ $((k % 4)) -ge 2 ]; then set -- compile --emit obj -o -; else set -- run -W stack=$((65536 + k % 3)); fi
            "$COT" "$@" --cache busy --cache-size 40K -O$((k % 3 % 2 * 2)) $hello >out.$k 2>err.$k &
            pids+=($!)
            if [ $((k % 6)) = 0 ]; then kill -9 $! 2>/dev/null; fi
        done
        for k in $(seq 24); do
            wait "${pids[$((k - 1))]}"
            local s=$?
            [ $s = 137 ] && [ $((k % 6)) = 0 ] && continue
            local want=hello.out
            [ $((k % 4)) -lt 2 ] || want=hello-$((k % 3 % 2 * 2)).o
            [ $s = 0 ] && cmp out.$k $want || { cat err.$k; return 1; }
        done
    done 2>/dev/null
    [ "$(du -sb busy | cut -f1)" -lt 50000 ] && [ "$("$COT" run --cache busy $hello)" = hello ]
}
check "many processes with one cache" busy_cache
chmod 777 busy
check "a cache that others may write to" says 1 "cot run: error: --cache: others may write to the cache 'busy', .*" "$COT" run --cache busy $hello
check "a cache that cannot be" says 1 "cot run: error: --cache: cannot make .*" "$COT" run --cache /nowhere/at/all $hello

# the runtime library, which has no compiler: installed, linked in both ways, nothing but its own names, small
check "install" cmake --install "$BUILD" --prefix "$work/inst"
rtlib=$(find "$work/inst" -name libcotrt.a)
rtso=$(find "$work/inst" -name 'libcotrt.so.*.*')
check "precompiled.c, static" cc -std=c11 -Wall -Wextra -Werror -I"$work/inst/include" "$ROOT/examples/precompiled.c" "$rtlib" -lm -pthread -o precompiled
check "precompiled.c, static, runs" [ "$(./precompiled hello.cwasm)" = hello ]
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$work/inst" -name cotrt.pc)") pkg-config --cflags --libs cotrt)
    # shellcheck disable=SC2086
    check "precompiled.c, shared" cc "$ROOT/examples/precompiled.c" $flags -Wl,-rpath,"$(dirname "$rtlib")" -o precompiled-shared
    check "precompiled.c, shared, runs" [ "$(./precompiled-shared hello.cwasm)" = hello ]
fi
only_ours() { ! nm "$@" --defined-only | awk 'NF == 3 {print $3}' | grep -v '^cot_'; }
check "names of libcotrt.a" only_ours -g "$rtlib"
check "names of libcotrt.so" only_ours -D "$rtso"
no_compiler() { ! nm "$rtlib" | grep -E ' (clif|mach|isa|ra|x64|wasm_translate|linkable)_'; }
check "no compiler in libcotrt.a" no_compiler
small() { size "$rtlib" && [ "$(size "$rtlib" | awk 'NR > 1 {n += $1} END {print n}')" -le 300000 ]; }
check "at most 300 kB of text" small
whole=$(find "$work/inst" -name 'libcot.so.*.*')
small_whole() { strip -o whole.so "$whole" && ls -l whole.so && [ "$(stat -c %s whole.so)" -le 2000000 ]; }
check "compiler and runtime together: at most 2 MB stripped" small_whole
# what it lacks of the headers' functions is what compiles
lacks() {
    nm -g --defined-only "$rtlib" | awk 'NF == 3 {print $3}' | sort -u >have
    grep -ohE '\bcot_[a-z0-9_]+\(' "$work"/inst/include/cot/{cot,wasm,wasi}.h | tr -d '(' | sort -u | comm -23 - have >missing
    diff missing - <<END
cot_config_set_cache
cot_config_set_compile_threads
cot_config_set_cpu_features
cot_config_set_publish
cot_config_set_source_positions
cot_config_set_verify
cot_module_new
cot_module_new_with_options
cot_module_validate
END
}
check "the functions it lacks" lacks

# ---- executables ----
check "compile a program" "$COT" compile $hello -o hello
if [ -x hello ]; then
    check "hello" [ "$(./hello)" = hello ]
    check "hello, without environment and path" [ "$(env -i ./hello)" = hello ]
    check "compiled without compiler, assembler and linker" eval 'env -i PATH=/nonexistent "$COT" compile $hello -o hello2 && cmp hello hello2'
    check "at most 400 kB stripped" eval 'strip -o stripped hello && [ "$(./stripped)" = hello ] && [ "$(stat -c %s stripped)" -le 400000 ]'
    for m in "${modules[@]}"; do
        "$COT" compile -j1 "$m" -o one
        check "$m: the same program again" eval '(cd elsewhere && "$COT" compile -j2 "$m" -o ../two) && cmp one two'
    done
    silent() { "$@" 2>err >/dev/null && [ ! -s err ] || { cat err; return 1; }; }
    check "readelf" silent readelf -aW hello
    check "objdump" silent objdump -dr hello
    if command -v eu-elflint >/dev/null; then check "eu-elflint" eu-elflint --gnu-ld -q hello; else skipped=$((skipped + 1)) && echo "39-aot: skipped: eu-elflint is not here"; fi
    hardened() { # nothing writable and executable, no executable stack, RELRO, position-independent, nobody to interpret it
        readelf -lW hello >headers
        grep -q 'Elf file type is DYN' headers && grep -q 'GNU_RELRO' headers && grep -q 'GNU_STACK.* RW ' headers && ! grep -qE 'INTERP| RWE ' headers
    }
    check "protection of its segments" hardened
    if [ "$(id -u)" = 0 ] && mkdir jail && cp hello jail/ && chroot jail /hello >/dev/null 2>&1; then
        check "in an empty root directory" [ "$(chroot jail /hello)" = hello ]
    else
        skipped=$((skipped + 1)) && echo "39-aot: skipped: chroot is for root"
    fi
    within() { # within PROGRAM MS: processor time from start to exit, best of 100
        python3 - "$@" <<'PYTHON'
import os, sys
best = 1.0
for _ in range(100):
    pid = os.posix_spawn(sys.argv[1], [sys.argv[1]], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    best = min(best, usage.ru_utime + usage.ru_stime)
print("%.2f ms" % (best * 1e3))
sys.exit(best > float(sys.argv[2]) / 1e3)
PYTHON
    }
    check "hello within 1.0 ms" within ./hello 1.0
    strip -o runtime "$BUILD/lib/cot_runtime_program"
    check "the runtime program alone says what it lacks" says 1 '\./runtime: error: this program has no module; .*' ./runtime

    # traps: reason, functions, status as with cot run
    module() { # module FILE TYPES BODY…: a function of that body (hexadecimal, without locals and end) as _start, named by its export
        python3 - "$1" "$2" <<'PYTHON'
import sys
def vec(*items): return bytes([len(items)]) + b"".join(items)
def section(n, body): return bytes([n, len(body)]) + body
code = b"\0" + bytes.fromhex(sys.argv[2]) + b"\x0b"
open(sys.argv[1], "wb").write(b"\0asm\1\0\0\0" + section(1, vec(b"\x60\0\0")) + section(3, vec(b"\0")) + section(5, vec(b"\0\1")) +
    section(7, vec(b"\6_start\0\0")) + section(10, vec(bytes([len(code)]) + code)))
PYTHON
    }
    trap() { # trap NAME BODY OPTIONS…: the program and cot run end alike
        local name=$1 body=$2
        shift 2
        module trap.wasm "$body"
        "$COT" run "$@" trap.wasm >/dev/null 2>want
        local want=$?
        "$COT" compile "$@" trap.wasm -o trapped || return 1
        ./trapped >/dev/null 2>got
        local got=$?
        sed -i 's/^trap\.wasm:/PROGRAM:/' want
        sed -i 's/^\.\/trapped:/PROGRAM:/' got
        [ $want = 134 ] && [ $got = 134 ] && diff want got && grep -q '_start (function 0' got
    }
    for flags in "-O0" "-O2" "-W signals=off" "-W bounds=explicit"; do
        # shellcheck disable=SC2086
        {
            check "trap $flags: unreachable" trap unreachable 00 $flags
            check "trap $flags: memory" trap memory 417f2802001a $flags
            check "trap $flags: division" trap division 410141006d1a $flags
            check "trap $flags: stack" trap stack 1000 $flags
        }
    done
    module loop.wasm 034010000b
    check "a memory limit that is too small" eval '"$COT" compile -W memory=1K loop.wasm -o limited && says 1 "\./limited: error: memory of 1 pages is over the limit of 0" ./limited'
    check "no _start" eval 'printf "\0asm\1\0\0\0" >empty.wasm && "$COT" compile empty.wasm -o empty && says 1 "\./empty: error: the module exports no function ._start. .*" ./empty'
    check "-W timeout" says 1 'cot compile: error: -W timeout is for running' "$COT" compile -W timeout=5 $hello -o x
    check "--dir of another kind" says 1 'cot compile: error: --dir and --env are for executables' "$COT" compile --dir . $hello -o x.cwasm

    # what a program may use
    if clang --target=wasm32-wasi -O1 "$ROOT/tests/aot/grants.c" -o grants.wasm 2>/dev/null; then
        mkdir -p data other && echo one >data/file && echo two >other/file
        shows() { # shows TEXT COMMAND…: that is the output
            local want=$1
            shift
            [ "$("$@")" = "$want" ] || { "$@"; return 1; }
        }
        "$COT" compile grants.wasm -o g0
        check "nothing is given" shows $'args: x y\nfile: -\nother: -\nA=-\nB=-' env A=1 B=2 ./g0 x y
        "$COT" compile --dir data::/data --dir-ro other --env A --env B=b grants.wasm -o g1
        check "what was compiled in" shows $'args:\nfile: one\nother: two\nA=1\nB=b' env A=1 B=2 ./g1
        check "COT_DIRS replaces directories" shows $'args:\nfile: two\nother: -\nA=-\nB=b' env COT_DIRS=other::/data ./g1
        check "COT_DIRS takes directories away" shows $'args:\nfile: -\nother: -\nA=-\nB=b' env COT_DIRS= ./g1
        check "COT_DIRS gives several" shows $'args:\nfile: one\nother: two\nA=-\nB=-' env COT_DIRS=data::/data,ro:other ./g0
        check "COT_ENV replaces variables" shows $'args:\nfile: one\nother: two\nA=-\nB=b' env COT_ENV= A=1 ./g1
        check "COT_ENV gives all" shows $'args:\nfile: -\nother: -\nA=1\nB=2' env COT_ENV='*' A=1 B=2 ./g0
        check "read-only" eval 'COT_DIRS=ro:data::/data ./g0 write | grep -q "write: Read-only file system" && COT_DIRS=data::/data ./g0 write | grep -q "write: ok"'
        check "a directory that is not there" says 1 "\\./g0: error: cannot open directory 'none': No such file or directory" env COT_DIRS=none ./g0
    else
        skipped=$((skipped + 1)) && echo "39-aot: skipped: clang for wasm32-wasi"
    fi
else
    skipped=$((skipped + 1)) && echo "39-aot: skipped: this build has no runtime for executables"
fi

# everything through a file
export COT_VIA=$COT
if [ -d "${COT_BENCH:-/nonexistent}" ] && command -v wasm-tools >/dev/null; then
    suite "Sightglass, programs" "$PY" "$ROOT/bench/sightglass" --jobs 2 --supported simd,relaxed-simd --cot "$PY $ROOT/tests/diff/via.py exe"
    suite "Sightglass, precompiled" "$PY" "$ROOT/bench/sightglass" --jobs 2 --short --supported simd,relaxed-simd --cot "$PY $ROOT/tests/diff/via.py cwasm"
    # those that run for seconds: the precompiled module can be loaded and has the code of the program that ran
    same_code() {
        "$COT" compile "$1" -o program && "$COT" compile "$1" -o module.cwasm && objcopy -O binary --only-section=.wasm.text program code &&
            "$PY" -c 'import sys; a, b = (open(f, "rb").read() for f in sys.argv[1:]); sys.exit(not a or a not in b)' code module.cwasm &&
            says 1 "module\.cwasm: error: exports no function .nothing." "$COT" run --dir . --invoke nothing module.cwasm
    }
    while read -r m; do check "$m: the same code" same_code "$m"; done < <("$PY" -c '
import sys
sys.path.insert(0, sys.argv[1])
import modules
print(*(m.path for m in modules.find(sys.argv[2]) if m.name in modules.LONG), sep="\n")' "$ROOT/bench" "$COT_BENCH/sightglass")
else
    echo "39-aot: skipped: Sightglass (COT_BENCH, wasm-tools)"
    skipped=$((skipped + 1))
fi
if clang --target=wasm32-wasi -O1 "$ROOT/tests/wasi/args.c" -o args.wasm 2>/dev/null; then
    suite "tests/programs, programs" env COT="$PY $ROOT/tests/diff/via.py exe" "$PY" "$ROOT/tests/diff/cprog.py" programs "$ROOT/tests/programs" --out "$WORK/aot-exe"
    suite "tests/wasi, programs" env COT="$PY $ROOT/tests/diff/via.py exe" "$PY" "$ROOT/tests/diff/wasi.py" "$ROOT/tests/wasi" --out "$WORK/aot-wasi" --engine cot
    suite "tests/programs, precompiled" env COT="$PY $ROOT/tests/diff/via.py cwasm" "$PY" "$ROOT/tests/diff/cprog.py" programs "$ROOT/tests/programs" \
        --out "$WORK/aot" bigint calls files floats strings
else
    echo "39-aot: skipped: tests/programs (clang for wasm32-wasi)"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
