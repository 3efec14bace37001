#!/usr/bin/env bash
# Every module of $COT_BENCH/sightglass: the expected output, or a refusal that names the proposal it needs.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 bench wasm-tools cot-run
exec "$PY" "$ROOT/bench/sightglass"
