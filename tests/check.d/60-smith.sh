#!/usr/bin/env bash
# Random valid modules (wasm-tools smith): results, traps, globals, memories and tables as Wasmtime has them; a quarter as
# many again, others each time, with explicit bounds checks, without signal handlers, for a processor without extensions,
# at -O2 with all checkers on, and with random register allocation by either allocator, checked. SMITH_COUNT and SMITH_SEED choose how many and which;
# `make soak` asks for 10,000.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 wasm-tools wasmtime cot
count=${SMITH_COUNT:-400} seed=${SMITH_SEED:-1} status=0
quarter=$((count / 4 > 0 ? count / 4 : 1))
smith() { # smith COUNT SEED FLAGS…
    echo "-- $*"
    "$PY" "$ROOT/tests/diff/smith.py" --count "$1" --seed "$2" --out "$WORK/smith" -- "${@:3}" || status=1
}
smith "$count" "$seed"
smith $quarter $((seed + 1)) -W bounds=explicit
smith $quarter $((seed + 2)) -W signals=off
smith $quarter $((seed + 3)) --cpu-features baseline
smith $quarter $((seed + 5)) -O2 -W verify=on
stress=${COT_STRESS_BIN:-$BUILD/stress/cot}
if [ -x "$stress" ]; then
    COT=$stress smith $quarter $((seed + 4)) -W verify=on -W "stress=$seed"
    COT=$stress smith $quarter $((seed + 6)) -O2 -W verify=on -W "stress=$seed"
else
    echo "no $stress"
fi
exit $status
