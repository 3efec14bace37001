#!/usr/bin/env bash
# The command when memory is short: with ever more address space it ends with status 1 and one message that says so, then does
# its work; nothing else. Each command must have seen both.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot-run
dir=$WORK/memory
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir" || exit 1
passed=0 failed=0 skipped=0
python3 "$ROOT/tests/diff/big_module.py" 1500 m.wasm && "$COT" compile m.wasm --emit clif | sed "/^; entry adapter/,\$d" >m.clif || exit 1

# short ARGUMENTS…
short() {
    local limit status starved=0 fed=0 wrong=
    for ((limit = 8000; limit < 400000; limit += limit / 9)); do
        (ulimit -v "$limit" && "$COT" --version) >/dev/null 2>&1 || continue # the command itself has no room
        (ulimit -v "$limit" && timeout 60 "$COT" "$@") >out 2>err
        status=$?
        if [ $status -eq 0 ]; then
            fed=$((fed + 1))
            [ $fed -lt 3 ] || break
        elif [ $status -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -qE 'error: (out of memory|Cannot allocate memory)' err; then
            starved=$((starved + 1))
        else
            wrong="$limit kB: status $status: $(head -c 200 err)"
            break
        fi
    done
    if [ -z "$wrong" ] && [ $starved -gt 0 ] && [ $fed -gt 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "36-memory: cot $*: ${wrong:-starved $starved, fed $fed times}"
    fi
}
for out in t.o t.so t t.cwasm t.h; do
    short compile -j1 m.wasm -o $out
    short compile -j2 -O2 m.wasm -o $out
    [ $out = t.h ] || short compile -j1 -g m.wasm -o $out
done
for stage in clif vcode regalloc asm timing; do short compile -j1 --emit $stage m.wasm; done
short compile m.clif -o c.o
short compile -g -O2 m.clif -o c.so
short compile m.clif --emit asm
short objdump m.wasm
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
