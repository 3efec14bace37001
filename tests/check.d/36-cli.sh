#!/usr/bin/env bash
# What the command says to bad input: one line on standard error, `FILE:POSITION: error: …` (without a position where there
# is none) or `cot COMMAND: error: …`, nothing on standard output, exit status 1.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot-run
dir=$WORK/cli
rm -rf "$dir"
mkdir -p "$dir/folder"
cd "$dir" || exit 1
passed=0 failed=0 skipped=0

# bad STATUS PATTERN ARGUMENTS…: cot ends with STATUS, and its one message matches PATTERN (extended, the whole line).
bad() {
    local want=$1 pattern=$2 status
    shift 2
    timeout 20 "${RUN_AS[@]}" "$COT" "$@" >out 2>err <"${INPUT:-/dev/null}"
    status=$?
    if [ $status -ne "$want" ] || [ -s out ] || [ "$(wc -l <err)" -ne 1 ] || ! grep -qxE -- "$pattern" err; then
        failed=$((failed + 1))
        echo "36-cli: cot $*: exit $status, expected $want and $pattern"
        head -n 5 out err
    else passed=$((passed + 1)); fi
}
RUN_AS=(env)
: >empty.wasm
echo '(module)' >text.wasm
printf '\0asm\1\0\0' >short.wasm
printf '\0asm\2\0\0\0' >version.wasm
printf '\0asm\1\0\0\0\1\200' >leb.wasm
printf '\0asm\1\0\0\0\1\5\1\140\0\0\0' >longer.wasm
printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\2\1\0\12\5\1\3\0\152\13' >invalid.wasm
printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\2\1\0\12\6\1\4\0\375\17\13' >simd.wasm
printf '\0asm\1\0\0\0\1\4\1\140\0\0\2\7\1\1a\1b\0\0' >import.wasm
printf '\0asm\1\0\0\0\1\6\1\140\1\177\1\177\3\2\1\0\7\5\1\1f\0\0\12\6\1\4\0\40\0\13' >f.wasm
printf '{"commands": [' >broken.json
printf '[1, 2\n , x]' >wrong.json

for command in run "compile --emit asm" "compile --emit timing" validate bench; do
    # shellcheck disable=SC2086
    set -- $command
    bad 1 'none\.wasm: error: No such file or directory' "$@" none.wasm
    bad 1 'folder: error: Is a directory' "$@" folder
    bad 1 'empty\.wasm:0x0: error: magic header not detected' "$@" empty.wasm
    bad 1 'text\.wasm:0x0: error: magic header not detected' "$@" text.wasm
    bad 1 'short\.wasm:0x4: error: unknown binary version' "$@" short.wasm
    bad 1 'version\.wasm:0x4: error: unknown binary version' "$@" version.wasm
    bad 1 'leb\.wasm:0x[9a]: error: .+' "$@" leb.wasm
    bad 1 'longer\.wasm:0x[a-f]: error: .+' "$@" longer.wasm
    bad 1 'invalid\.wasm:0x1[78]: error: .+' "$@" invalid.wasm
    bad 1 'simd\.wasm:0x17: error: .* needs the SIMD proposal.*' "$@" -W simd=off simd.wasm
    INPUT=empty.wasm bad 1 '-:0x0: error: magic header not detected' "$@" -
    INPUT=invalid.wasm bad 1 '-:0x1[78]: error: .+' "$@" -
    bad 1 "cot $1: error: unknown option '--nonsense'" "$@" --nonsense f.wasm
    bad 1 "cot $1: error: .*file.*" "$@"
    bad 1 "cot $1: error: -W needs a value" "$@" -W
    bad 1 "cot $1: error: -W: unknown setting 'nonsense=1'" "$@" -W nonsense=1 f.wasm
    bad 1 "cot $1: error: -W: unknown setting 'simd=maybe'" "$@" -W simd=maybe f.wasm
    bad 1 "cot $1: error: -W memory: 'lots' is not a number" "$@" -W memory=lots f.wasm
    bad 1 "cot $1: error: -W stack: .*" "$@" -W stack=1 f.wasm
    bad 1 "cot $1: error: -j: 'x' is not a number" "$@" -j x f.wasm
    bad 1 "cot $1: error: --regalloc: 'quick' is not ion or fast" "$@" --regalloc=quick f.wasm
    bad 1 "cot $1: error: --cpu-features: .* has no feature 'has_magic'" "$@" --cpu-features +has_magic f.wasm
    bad 1 "cot $1: error: -O9: only -O0 and -O2 exist.*" "$@" -O9 f.wasm
done
bad 1 'import\.wasm: error: import a\.b: unknown import' run import.wasm
bad 1 'f\.wasm: error: exports no function `_start`.*' run f.wasm
bad 1 'f\.wasm: error: exports no function `g`' run --invoke g f.wasm
bad 1 'f\.wasm: error: `f` takes 1 arguments?, 0 given' run --invoke f f.wasm
bad 1 "f\.wasm: error: argument 1 of .f.: 'x' is not an i32" run --invoke f f.wasm x
bad 1 "f\.wasm: error: argument 1 of .f.: '4294967296' is not an i32" run --invoke f f.wasm 4294967296
bad 1 "f\.wasm: error: cannot open directory 'none': No such file or directory" run --dir none f.wasm
bad 1 'cot run: error: --dir needs a value' run --dir
bad 1 "cot compile: error: --emit: 'bytes' is not .*" compile --emit bytes f.wasm
bad 1 'cot compile: error: neither -o nor --emit is given.*' compile f.wasm
bad 1 'cot compile: error: one file is needed' compile --emit asm f.wasm f.wasm
bad 1 'cot bench: error: .*' bench --iterations x f.wasm
head -c 100000 /dev/urandom >random.wasm
bad 1 'random\.wasm:0x0: error: magic header not detected' validate random.wasm

# scripts: a position is a line and a column; the sum is printed in any case
script() {
    timeout 20 "$COT" wast "$2" >out 2>err
    if [ $? -ne 1 ] || ! grep -qxE -- "$1" err || [ "$(tail -n 1 out)" != "0 passed, 0 failed, 0 skipped" ]; then
        failed=$((failed + 1))
        echo "36-cli: cot wast $2: expected $1"
        head -n 5 out err
    else passed=$((passed + 1)); fi
}
script 'none\.json: error: No such file or directory' none.json
script 'folder: error: Is a directory' folder
script 'broken\.json:1:[0-9]+: error: .+' broken.json
script 'wrong\.json:2:[0-9]+: error: .+' wrong.json
script 'f\.wasm:1:1: error: .+' f.wasm

# standard output that takes nothing
for args in "compile --emit asm f.wasm" "run --invoke f f.wasm 1" "wast broken.json" "--help" "run --help"; do
    # shellcheck disable=SC2086
    timeout 20 "$COT" $args >/dev/full 2>err
    if [ $? -ne 1 ] || ! grep -q 'cot: error: cannot write to standard output: No space left on device' err; then
        failed=$((failed + 1))
        echo "36-cli: cot $args >/dev/full is not noticed"
    else passed=$((passed + 1)); fi
done

# a trap: reason, names by section or export or else by number, exit status
printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\3\2\0\0\7\5\1\1f\0\1\12\12\2\3\0\0\13\4\0\20\0\13' >trap.wasm
"$COT" run --invoke f trap.wasm >out 2>err
status=$?
if [ $status = 134 ] && [ ! -s out ] && [ "$(cat err)" = 'trap.wasm:0x1f: error: trap: unreachable
   0: func[0] (function 0, offset 0x1f)
   1: f (function 1, offset 0x23)' ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "36-cli: a trap ends with $status:"
    cat err
fi

# names of functions for profilers
sh -c 'echo $$ >pid; exec "$@"' sh "$COT" run -W perf-map=on --invoke f trap.wasm >out 2>err
if grep -qxE "[0-9a-f]+ [0-9a-f]+ f" "/tmp/perf-$(cat pid).map"; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "36-cli: no names in /tmp/perf-$(cat pid).map"
fi
rm -f "/tmp/perf-$(cat pid).map"

# a file that may not be read
chmod 000 f.wasm
if [ "$(id -u)" = 0 ]; then
    RUN_AS=(setpriv --reuid=65534 --clear-groups)
    "${RUN_AS[@]}" "$COT" --version >/dev/null 2>&1 || RUN_AS=()
fi
if [ ${#RUN_AS[@]} -gt 0 ]; then
    bad 1 'f\.wasm: error: Permission denied' run f.wasm
    bad 1 'f\.wasm: error: Permission denied' validate f.wasm
else
    skipped=1
    echo "36-cli: nobody here may not read a file"
fi
chmod 600 f.wasm
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
