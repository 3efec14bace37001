#!/usr/bin/env bash
# The machine code in our own expectations of `test compile precise-output`, read back by objdump: the text beside the bytes, and what is
# told about traps, relocations and handlers, must agree with what somebody else's disassembler sees.
set -u
. "$(dirname "$0")/../diff/env.sh"
need python3 objdump
"$PY" "$ROOT/tests/diff/clif_code.py" "$ROOT" "$ROOT/tests/filetests"
