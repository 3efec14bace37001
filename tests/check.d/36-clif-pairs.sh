#!/usr/bin/env bash
# Every operator with every type that its row allows: compiled for baseline and the levels x86-64-v2 to v4 that this processor has, against the
# interpreter, on edge-case and random operands. PAIRS_SEED chooses them. Both
# allocators, checked, as they are and with random choices (PAIRS_STRESS). What has no code yet counts as skipped.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 cot
out=$WORK/clif-pairs
rm -rf "$out"
"$PY" "$ROOT/tests/diff/clif_pairs.py" "$ROOT" "$out" "${PAIRS_SEED:-1}" || exit 1
status=0
"$COT" test "$out" || status=1
"$COT" test --stress "${PAIRS_STRESS:-1}" "$out" || status=1
exit $status
