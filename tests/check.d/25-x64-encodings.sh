#!/usr/bin/env bash
# Random instructions of every row, encoded by the unit test isa_x64.encode, read back by objdump.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 objdump
for b in "$BUILD/checked" "$BUILD"; do
    [ -e "$b/x64_encodings.txt" ] && exec "$PY" "$ROOT/tests/diff/x64_encodings.py" "$b"
done
echo "25-x64-encodings.sh: run the unit tests first"
exit 1
