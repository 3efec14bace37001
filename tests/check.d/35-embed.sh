#!/usr/bin/env bash
# The library as a user meets it: headers that stand alone in C11 and C++, installation, pkg-config, examples/embed.c with the
# static and the shared library, only public symbols, docs/embedding.md showing what the example prints.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); }
no() { failed=$((failed + 1)) && echo "failed: $*"; }
check() { # check WHAT COMMAND…
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then ok; else no "$what" && tail -n 20 "$work/log"; fi
}
skip() { skipped=$((skipped + 1)) && echo "35-embed.sh: skipped: $*"; }

check install cmake --install "$build" --prefix "$work/inst"
pc=$(dirname "$(find "$work/inst" -name cot.pc)")
for h in "$work"/inst/include/cot/*.h; do
    h=$(basename "$h" .h)
    printf '#include <cot/%s.h>\nint main(void) { return 0; }\n' $h >"$work/$h.c"
    cp "$work/$h.c" "$work/$h.cc"
    check "cot/$h.h as C11" cc -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -I"$work/inst/include" -fsyntax-only "$work/$h.c"
    if command -v c++ >/dev/null; then
        for std in 11 17; do
            check "cot/$h.h as C++$std" c++ -std=c++$std -Wall -Wextra -Wpedantic -Werror -I"$work/inst/include" -fsyntax-only "$work/$h.cc"
        done
    else
        skip "cot/$h.h as C++: no C++ compiler"
    fi
done

# What the documentation shows is what comes out.
awk '/^<!-- output of embed -->/ {on = 1; next} on && /^```/ {if (n++) exit; next} on && n {print}' "$root/docs/embedding.md" >"$work/want"
[ -s "$work/want" ] || no "docs/embedding.md shows no output"
same() { "$@" >"$work/out" && diff "$work/want" "$work/out"; }
lib=$(find "$work/inst" -name libcot.a)
check "embed.c, static" cc -std=c11 -Wall -Wextra -Werror -I"$work/inst/include" "$root/examples/embed.c" "$lib" -lm -pthread -o "$work/embed-static"
check "embed.c, static, runs" same "$work/embed-static"
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs cot)
    # shellcheck disable=SC2086
    check "embed.c, shared" cc "$root/examples/embed.c" $flags -Wl,-rpath,"$(dirname "$lib")" -o "$work/embed-shared"
    check "embed.c, shared, runs" same "$work/embed-shared"
    check "the shared library is used" sh -c "ldd '$work/embed-shared' | grep -q libcot.so"
else
    skip "no pkg-config"
fi
if command -v c++ >/dev/null; then # a C++ program with a host function, linked with the C library
    cat >"$work/use.cc" <<'CC'
#include <cot/wasi.h>
#include <cstdio>
static CotStatus host(void *, CotCaller *, const CotValue *, CotValue *) { return COT_OK; }
int main() {
    CotError e;
    CotEngine *engine = cot_engine_new(nullptr, &e);
    CotStore *store = cot_store_new(engine, &e);
    CotFuncType t = {nullptr, nullptr, 0, 0};
    CotFunc *f = cot_func_new(store, t, host, nullptr, &e);
    CotStatus s = cot_func_call(f, nullptr, 0, nullptr, 0, &e);
    std::printf("%s\n", cot_status_name(s));
    cot_store_free(store);
    cot_engine_free(engine);
    return s;
}
CC
    check "a C++ program" c++ -std=c++11 -Wall -Wextra -Werror -I"$work/inst/include" "$work/use.cc" "$lib" -lm -pthread -o "$work/use"
    check "a C++ program runs" "$work/use"
fi

symbols() { nm "$@" --defined-only "$f" | awk 'NF == 3 {print $3}' | grep -vE '^(cot_|__jit_debug_(descriptor|register_code)$)'; } # the two are what gdb looks for
for f in "$lib" "$(find "$work/inst" -name 'libcot.so.*.*')"; do
    case $f in *.so*) extra=$(symbols -D) ;; *) extra=$(symbols -g) ;; esac
    if [ -z "$extra" ]; then ok; else no "$(basename "$f") exports $(echo "$extra" | head -n 5 | tr '\n' ' ')"; fi
done
# Every function that the headers declare is there.
grep -ohE '\bcot_[a-z0-9_]+\(' "$work"/inst/include/cot/*.h | tr -d '(' | sort -u >"$work/declared"
nm -g --defined-only "$lib" | awk 'NF == 3 {print $3}' | grep '^cot_' | sort -u >"$work/defined"
check "all that is declared is defined, and the other way round" diff "$work/declared" "$work/defined"
ls -l "$lib" "$(find "$work/inst" -name 'libcot.so.*.*')" "$work/embed-static" | awk '{print $5, $NF}' | sed "s|$work/||"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
