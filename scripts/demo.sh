#!/usr/bin/env bash
# make demo: C programs become Wasm with clang, then run natively through cot.
set -eu
cd "$(dirname "$0")/.."
scripts/bootstrap.sh demo
out=build/demo
mkdir -p "$out"
for name in hello primes wordcount; do
    clang --target=wasm32-wasi -O2 examples/$name.c -o $out/$name.wasm
done
# A function alone, without a C library and without `main`.
clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--export=gcd examples/gcd.c -o $out/gcd.wasm
run() { echo "\$ cot $*" && build/cot "$@"; }
run run $out/hello.wasm
run run $out/primes.wasm
run run --dir examples::/docs $out/wordcount.wasm /docs/wordcount.txt
run run --invoke gcd $out/gcd.wasm 3528 3780
# Only the function, without the adapters that calls from outside use.
run compile --emit clif $out/gcd.wasm | sed '/^; entry adapter/,$d'
