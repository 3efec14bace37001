#!/usr/bin/env bash
# Each libFuzzer target under sanitizers for FUZZ_RUNS inputs (FUZZ_SEED chooses which), starting from modules of the spec
# suite, from its function bodies, from CLIF files, and from saved allocation problems, as far as they are here. What a target finds stays in its folder.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3
bin=$BUILD/fuzz/tests
[ -x "$bin/fuzz_wasm" ] || skip "no fuzz build"
runs=${FUZZ_RUNS:-10000} seed=${FUZZ_SEED:-1} passed=0 failed=0
out=$WORK/fuzz
rm -rf "$out"
mkdir -p "$out"
"$PY" "$ROOT/tests/diff/corpus.py" "$out" "$BUILD/spec" "${COT_SUITES:-/nonexistent}/clif:$ROOT/tests/filetests" "$ROOT/tests/regalloc"
one() { # one TARGET LOG
    mkdir -p "$out/$1"
    cd "$out/$1" || return 1
    "$bin/$1" -runs="$runs" -seed="$seed" -max_len=4096 -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 "$out/corpus-$1" >"$2" 2>&1
}
pids=() names=()
for f in "$bin"/fuzz_*; do
    name=${f##*/}
    mkdir -p "$out/corpus-$name"
    [ ${#pids[@]} -lt 2 ] || wait "${pids[-2]}"
    one "$name" "$out/$name.log" &
    pids+=($!) names+=("$name")
done
for i in "${!pids[@]}"; do
    if wait "${pids[$i]}"; then passed=$((passed + 1)); else failed=$((failed + 1)) && tail -n 30 "$out/${names[$i]}.log"; fi
    echo "${names[$i]}: $(grep -E 'number_of_executed_units|new_units_added' "$out/${names[$i]}.log" | awk '{print $2}' | tr '\n' ' ')inputs, of them kept"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
