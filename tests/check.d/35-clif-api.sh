#!/usr/bin/env bash
# The C interface of CLIF as documented: examples/lang.c and the programs of docs/clif-api.md compile against the installed
# library and print what the document shows, that of docs/clif.md against the library's inside; docs/opcodes.md is what the table gives.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # check WHAT COMMAND…
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "failed: $what" && tail -n 20 "$work/log"; fi
}
part() { # part MARK: the fenced block after the mark
    awk -v mark="<!-- $1 -->" '$0 == mark {on = 1; next} on && /^```/ {if (n++) exit; next} on && n {print}' "$root/docs/${doc:-clif-api}.md"
}
same() { # same NAME COMMAND…: its output is what the document shows
    part "output of $1" >"$work/want"
    [ -s "$work/want" ] && "${@:2}" >"$work/out" && diff "$work/want" "$work/out"
}
check install cmake --install "$build" --prefix "$work/inst"
lib=$(find "$work/inst" -name libcot.a)
part "program first.c" >"$work/first.c"
for p in "$root/examples/lang.c" "$work/first.c"; do
    n=$(basename "$p" .c)
    check "$n compiles" cc -std=c11 -Wall -Wextra -Werror -I"$work/inst/include" "$p" "$lib" -lm -pthread -o "$work/$n"
    check "$n prints what docs/clif-api.md shows" same "$n" "$work/$n"
done
doc=clif
part "program countdown.c" >"$work/countdown.c"
check "countdown compiles" cc -std=c11 -Wall -Wextra -Werror -I"$root/src" -I"$build/gen" "$work/countdown.c" "$build/libcot_clif.a" "$build/libcot_base.a" -lm -o "$work/countdown"
check "countdown prints what docs/clif.md shows" same countdown "$work/countdown"
doc=
excerpts() { # each C excerpt of the tutorial is a part of examples/lang.c
    awk -v dir="$work" '/^```c/ {f = dir "/excerpt" ++n; on = 1; next} /^```/ {on = 0} on {print > f}' "$root/docs/clif-tutorial.md"
    [ -e "$work/excerpt4" ] || return 1
    for e in "$work"/excerpt*; do
        case $(cat "$root/examples/lang.c") in *"$(cat "$e")"*) ;; *) head -n 3 "$e" && return 1 ;; esac
    done
}
check "docs/clif-tutorial.md quotes examples/lang.c" excerpts
check "examples/lang.c has at most 500 lines" test "$(wc -l <"$root/examples/lang.c")" -le 500
check "lang --clif" sh -c "'$work/lang' --clif | grep -q 'function %fib(i64) -> i64'"
printf 'fn main() { return 1 +; }\n' >"$work/bad.txt"
check "lang reports an error with its line" sh -c "'$work/lang' '$work/bad.txt' 2>&1 | grep -q 'line 1: expected a value'"
if command -v c++ >/dev/null; then
    for h in clif jit cabi; do
        printf '#include <cot/%s.h>\nint main() { return cot_function_new(nullptr, nullptr) == nullptr; }\n' $h >"$work/$h.cc"
        check "cot/$h.h as C++17" c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$work/inst/include" "$work/$h.cc" "$lib" -lm -pthread -o "$work/$h"
    done
fi
"$build/tools/apigen" doc >"$work/opcodes.md"
check "docs/opcodes.md is current (apigen doc -o docs/opcodes.md)" diff -q "$work/opcodes.md" "$root/docs/opcodes.md"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
