#!/usr/bin/env bash
# Object files: each tests/objects/NAME.clif is compiled, linked with NAME.c by every linker at hand (static, position-independent, at fixed
# addresses) and run; its status must be 0. readelf, objdump and eu-elflint must have nothing to say about the object. What is
# compiled twice is the same.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot gcc readelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
check() { # check WHAT COMMAND…: succeeds
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "38-object: failed: $what"
        tail -n 20 "$work/log"
    fi
}
has() { command -v "$1" >/dev/null; }
silent() { # succeeds and has nothing to say on standard error
    "$@" 2>"$work/err" >/dev/null && [ ! -s "$work/err" ] || { cat "$work/err"; return 1; }
}
readable() { # readable FILE: the tools that read ELF find nothing wrong
    silent readelf -aW "$1" && silent objdump -dr "$1" || return 1
    ! has eu-elflint || eu-elflint --gnu-ld -q "$1"
}
linkers=()
for l in bfd gold lld mold; do
    if [ $l = mold ]; then has mold; else has ld.$l; fi && linkers+=($l) || { echo "38-object: skipped: linker $l is not here" && skipped=$((skipped + 1)); }
done
for source in "$ROOT"/tests/objects/*.clif; do
    n=$(basename "$source" .clif)
    for flags in "" "--function-sections" "-O2"; do
        o=$work/$n$flags.o
        # shellcheck disable=SC2086
        check "cot compile $flags $n.clif" "$COT" compile $flags "$source" -o "$o"
        # shellcheck disable=SC2086
        "$COT" compile $flags - -o - <"$source" >"$work/again.o"
        objcopy --strip-unneeded "$o" "$work/a.o" && objcopy --strip-unneeded "$work/again.o" "$work/b.o"
        check "$n $flags: the same through standard input and output" cmp "$work/a.o" "$work/b.o"
        check "$n $flags: readelf, objdump, eu-elflint" readable "$o"
        for l in "${linkers[@]}"; do
            for how in "-static" "-pie" "-no-pie" "-pie -Wl,-z,now,-z,relro,--gc-sections"; do
                # shellcheck disable=SC2086
                check "$n $flags, $l $how: links" gcc -fuse-ld=$l $how "$ROOT/tests/objects/$n.c" "$o" -lm -o "$work/program"
                check "$n $flags, $l $how: runs" "$work/program"
            done
        done
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
