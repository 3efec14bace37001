#!/usr/bin/env bash
# make soak: the randomised checks at full length. SEED and COUNT choose where they start and how many cases each runs.
set -u
cd "$(dirname "$0")/.."
scripts/bootstrap.sh check || exit 1
seed=${SEED:-$(date +%s)}
count=${COUNT:-10000}
echo "SEED=$seed COUNT=$count"
export SMITH_SEED=$seed SMITH_COUNT=$count MUTATE_SEED=$seed MUTATE_COUNT=$count
export CSMITH_SEED=$seed CSMITH_COUNT=$((count / 50 > 0 ? count / 50 : 1))
export BUILD=$PWD/build COT=$PWD/build/cot COT_CHECKED_BIN=$PWD/build/checked/cot COT_ASAN=$PWD/build/asan/cot VENV=$PWD/build/venv
for p in release checked asan fuzz; do
    cmake --preset $p >/dev/null && cmake --build --preset $p | tail -1 || exit 1
done
status=0
for f in build/fuzz/tests/fuzz_*; do
    [ -x "$f" ] && [ -f "$f" ] || continue
    echo "== ${f##*/}"
    "$f" -runs=$((count * 100)) -seed="$seed" -max_len=4096 >"build/${f##*/}.log" 2>&1 || { tail -20 "build/${f##*/}.log"; status=1; }
done
for s in tests/check.d/*{smith,mutate}*.sh; do
    echo "== ${s##*/}"
    bash "$s" || status=1
done
exit $status
