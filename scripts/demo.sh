#!/usr/bin/env bash
# make demo: C programs become Wasm with clang, then run natively through cot.
set -eu
cd "$(dirname "$0")/.."
scripts/bootstrap.sh demo
out=build/demo
mkdir -p "$out"
for src in examples/*.c; do
    name=$(basename "$src" .c)
    clang --target=wasm32-wasi -O2 "$src" -o "$out/$name.wasm"
done
run() { echo "\$ cot $*" && build/cot "$@"; }
run run $out/hello.wasm
run run $out/primes.wasm
run run --dir "$PWD/examples::/docs" $out/wordcount.wasm /docs/wordcount.txt
run compile --emit clif $out/hello.wasm | head -n 12
