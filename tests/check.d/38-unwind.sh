#!/usr/bin/env bash
# Call frame information, at every instruction: tests/diff/cfi.py follows what the instructions do to registers and stack and compares with what
# readelf says of .eh_frame, for CLIF texts (frames of every form: tests/debug/frames.clif) and for modules of Sightglass.
set -u
. "$(dirname "$0")/../diff/env.sh"
. "$(dirname "$0")/../diff/counts.sh"
need cot python3 objdump readelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0
object() { # object FILE OPTIONS…: one more
    local file=$1
    shift
    number=$((number + 1))
    "$COT" compile "$@" "$file" -o "$number.o" 2>log || { cat log; failed=$((failed + 1)); }
}
for options in "" "-O2" "--set probestack_strategy=outline" "--set enable_probestack=false" "--set is_pic=false"; do
    # shellcheck disable=SC2086
    object "$ROOT/tests/debug/frames.clif" $options
done
for f in "$ROOT"/tests/objects/*.clif "$ROOT"/tests/filetests/x64/*.clif; do
    case $f in
    */pinned.clif) continue ;; # functions that do not keep r15
    */tls_macho.clif | */tls_coff.clif) continue ;;
    esac
    number=$((number + 1))
    "$COT" compile --set unwind_info=true "$f" -o "$number.o" 2>/dev/null || rm -f "$number.o" # what is refused or for another format
done
check "CLIF texts" "$PY" "$ROOT/tests/diff/cfi.py" ./*.o
# The check itself: an entry that is wrong by 8 is found.
check "a wrong entry is seen" eval '"$PY" - <<"END"
import re, sys
d = bytearray(open("1.o", "rb").read())
at = d.find(b"\x41\x0e\x10\x86\x02") # advance 1, def_cfa_offset 16, rbp at -16
assert at > 0
d[at + 2] = 24
open("bad.o", "wb").write(d)
END
! "$PY" "$ROOT/tests/diff/cfi.py" bad.o >said && grep -q "is told as rsp+24" said'
rm -f ./*.o
if [ -d "${COT_BENCH:-/nonexistent}" ]; then
    for f in "$COT_BENCH"/sightglass/{bz2,intgemm-simd}/*.wasm; do
        object "$f" -O0
        object "$f" -O2
    done
    object "$(ls "$COT_BENCH"/sightglass/sqlite3/*.wasm)" -O2
    for f in "$COT_BENCH"/sightglass/bz2/*.wasm; do "$COT" compile -O2 --emit exe "$f" -o program.o; done
    check "a program has entries for its module" sh -c "readelf --debug-dump=frames program.o | grep -c FDE | grep -qE '^[0-9]{3,}'"
    check "Sightglass" "$PY" "$ROOT/tests/diff/cfi.py" ./*.o
else
    echo "38-unwind: skipped: Sightglass (COT_BENCH)"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
