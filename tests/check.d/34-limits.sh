#!/usr/bin/env bash
# What src/image/limits.def allows is accepted, one more is an error with its place; deep and wide functions with a small stack.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 cot-run
exec "$PY" "$ROOT/tests/diff/limits.py" --out "$WORK" "$@"
