#!/usr/bin/env bash
# Programs in Go and Rust, compiled for WASI by their own compilers, behave as their native builds, at -O0, at
# -O2 with the allocation checker, and the same with random allocation. A compiler that is not
# here is skipped by name.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot-run
out=$WORK/languages
mkdir -p "$out/native" "$out/wasm"
passed=0 failed=0 skipped=0

# same NAME: $out/NAME.native and $out/NAME.wasm say and return the same, each in a folder of its own.
same() {
    (cd "$out/native" && "$out/$1.native" one two >"../$1.want" 2>&1; echo "exit $?" >>"../$1.want")
    local how
    for how in -O0 "-O2 -W verify=on" "-O2 -W verify=on -W stress=1"; do
        rm -rf "$out/wasm" && mkdir "$out/wasm"
        # shellcheck disable=SC2086
        (cd "$out/wasm" && timeout 120 "$COT" run $how --dir .::/ --env PWD=/ "$out/$1.wasm" one two >"../$1.got" 2>&1; echo "exit $?" >>"../$1.got")
        if diff "$out/$1.want" "$out/$1.got"; then passed=$((passed + 1)); else
            failed=$((failed + 1))
            echo "52-languages: $1 $how behaves differently"
        fi
    done
}
skip_language() {
    skipped=$((skipped + 1))
    echo "52-languages.sh: skipped: $1"
}
for src in "$ROOT"/tests/languages/*.go; do
    name=$(basename "$src" .go)
    if ! command -v go >/dev/null; then skip_language "no go for $name"; elif
        GOFLAGS=-mod=mod go build -o "$out/$name.native" "$src" && GOOS=wasip1 GOARCH=wasm go build -o "$out/$name.wasm" "$src"
    then same "$name"; else skip_language "this go cannot build $name for wasip1"; fi
done
target=
for t in wasm32-wasip1 wasm32-wasi; do
    [ -n "$target" ] || { d=$(rustc --print target-libdir --target $t 2>/dev/null) && [ -d "$d" ] && target=$t; }
done
for src in "$ROOT"/tests/languages/*.rs; do
    name=$(basename "$src" .rs)
    if [ -z "$target" ]; then skip_language "no rustc with the target wasm32-wasip1 for $name"; elif
        rustc -O -o "$out/$name.native" "$src" && rustc -O --target "$target" -o "$out/$name.wasm" "$src"
    then same "$name"; else
        failed=$((failed + 1))
        echo "52-languages: $name does not compile"
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
