#!/usr/bin/env bash
# Random CLIF functions (branches, loops, calls, memory on the stack, operators of many types): compiled for two levels of
# x86-64, against the interpreter. CLIF_COUNT and CLIF_SEED choose how many and which. Both allocators, checked,
# as they are, with random choices (CLIF_STRESS), and through objects and a linker.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 cot
out=$WORK/clif-random
rm -rf "$out"
echo "seed ${CLIF_SEED:-1}"
"$PY" "$ROOT/tests/diff/clif_random.py" "$ROOT" "$out" "${CLIF_COUNT:-400}" "${CLIF_SEED:-1}" || exit 1
status=0
"$COT" test "$out" || status=1
"$COT" test --stress "${CLIF_STRESS:-1}" "$out" || status=1
if command -v ld.bfd >/dev/null; then "$COT" test --linker "ld.bfd -shared" "$out" || status=1; fi # from objects
exit $status
