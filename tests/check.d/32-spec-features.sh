#!/usr/bin/env bash
# The spec suite's files of numbers, memory and control on other processors than this one: the SSE2 baseline, and the
# baseline with one feature added. COT_SPEC_ALL=1 runs every file of the class wasm2-nosimd with each.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 suites wasm-tools cot
suite=$COT_SUITES/wasm-spec
out=$BUILD/spec
files=(i32 i64 f32 f64 f32_cmp f64_cmp f32_bitwise f64_bitwise conversions int_exprs float_exprs int_literals float_misc
       memory address align endianness select br_table switch traps)
[ -d "$out/i32" ] || "$PY" "$ROOT/tests/diff/spec.py" convert "$suite" "$out" || exit 1
passed=0 failed=0
for set in baseline baseline,+has_sse41 baseline,+has_popcnt baseline,+has_lzcnt baseline,+has_bmi1 baseline,+has_bmi2 baseline,+has_avx; do
    # a feature that the processor does not have is refused, and skipped here
    printf '\0asm\1\0\0\0' | "$COT" compile --emit timing --cpu-features "$set" - >/dev/null 2>&1 || continue
    p=0 f=0
    for name in "${files[@]}"; do
        [ -n "${COT_SPEC_ALL:-}" ] && break
        json=$out/$name/$name.json
        [ -e "$json" ] || { echo "$name: not converted"; f=$((f + 1)); continue; }
        read -r a b < <("$COT" wast --cpu-features "$set" "$json" | sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
        [ "${b:-1}" = 0 ] || echo "$set: $name fails"
        p=$((p + ${a:-0})) f=$((f + ${b:-1}))
    done
    if [ -n "${COT_SPEC_ALL:-}" ]; then
        read -r p f < <("$PY" "$ROOT/tests/diff/spec.py" run "$suite" "$out" --class wasm2-nosimd --strict -- --cpu-features "$set" |
            sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
    fi
    echo "   $set: ${p:-0} passed, ${f:-1} failed"
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
