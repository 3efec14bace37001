# Sourced by the scripts of tests/check.d that need tools written by others. Sets ROOT, BUILD, COT, PY, puts
# $VENV/bin first on PATH, and gives need (skip with a message when a tool is missing) and finish.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
COT=${COT:-$BUILD/cot}
if [ -z "${VENV:-}" ] && [ -x "$BUILD/venv/bin/python3" ]; then VENV=$BUILD/venv; fi
if [ -n "${VENV:-}" ]; then export VENV PATH="$VENV/bin:$PATH"; fi
PY=$(command -v python3 || true)
WORK=${WORK:-$BUILD/oracle}
export ROOT BUILD COT WORK
mkdir -p "$WORK"

# skip REASON: says why nothing was run, and counts it.
skip() {
    echo "$(basename "$0"): skipped: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# need WHAT…: the programs and things this script cannot do without.
need() {
    local w
    for w in "$@"; do
        case $w in
        cot) [ -x "$COT" ] || { echo "$(basename "$0"): no cot at $COT (build it, or set COT)"; exit 1; } ;;
        cot-run | cot-bench)
            [ -x "$COT" ] || { echo "$(basename "$0"): no cot at $COT (build it, or set COT)"; exit 1; }
            "$COT" "${w#cot-}" --help >/dev/null 2>&1 || skip "this cot has no ${w#cot-} command" ;;
        suites) [ -d "${COT_SUITES:-/nonexistent}" ] || skip "COT_SUITES does not name a folder of suites" ;;
        bench) [ -d "${COT_BENCH:-/nonexistent}" ] || skip "COT_BENCH does not name a folder of benchmarks" ;;
        python3) [ -n "$PY" ] || skip "no python3" ;;
        wasmtime) "$PY" -c 'import wasmtime' 2>/dev/null || skip "no Python package wasmtime" ;;
        wasi-clang)
            printf '#include <stdio.h>\nint main(void){puts("x");return 0;}\n' >"$WORK/probe.c"
            clang --target=wasm32-wasi -O1 "$WORK/probe.c" -o "$WORK/probe.wasm" 2>/dev/null ||
                skip "no clang for wasm32-wasi (apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32)" ;;
        *) command -v "$w" >/dev/null 2>&1 || skip "no $w" ;;
        esac
    done
}

# in_time COMMAND…: once more if it does not end within 40 seconds (lldb 14 hangs now and then when a program ends)
in_time() {
    timeout -k 5 40 "$@" </dev/null
    local status=$?
    [ $status -eq 124 ] || [ $status -eq 137 ] || return $status
    timeout -k 5 40 "$@" </dev/null
}
# Can the debugger start a program here? Not without permission to trace, nor lldb without a pseudo-terminal.
gdb_works() { in_time gdb -nx -batch -ex run --args "$(type -P true)" 2>&1 | grep -q 'exited normally'; }
lldb_works() { in_time lldb -b -o run -- "$(type -P true)" 2>&1 | grep -q 'exited with status = 0'; }
