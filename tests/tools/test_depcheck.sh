#!/usr/bin/env bash
# depcheck accepts a tree that follows the layers and rejects each kind of violation. usage: test_depcheck.sh TOOLS
set -u
tool=$1/depcheck
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# put FILE LINE…: a file of the sample tree with these lines
put() {
    local f=$tmp/$1
    shift
    mkdir -p "$(dirname "$f")"
    printf '%s\n' "$@" >"$f"
}
fresh() {
    rm -rf "$tmp/src"
    put src/base/vec.h '#include <stddef.h>'
    put src/clif/clif.h '#include "base/vec.h"'
    put src/clif/dfg.c '#include "clif/clif_int.h"' '#  include "clif/clif.h"'
    put src/mach/isa.h '#include "regalloc/regalloc.h"'
    put src/isa/x64/emit.c '#include "mach/isa.h"' '#include "isa/x64/insts.def"'
    put src/isa/registry.c '#include "isa/x64/x64.h"'
    put src/image/open.c '#include "base/vec.h"'
    put src/runtime/trap.c '#include <signal.h>' '#include "image/image.h"'
    put src/compiler/engine.c '#include "runtime/runtime.h"' '#include "jit/linker.h"' '#include "wasm/wasm.h"'
    put src/api/api.c '#include "cot/cot.h"'
}
# rejects WHAT FILE LINE: this line in this file is a violation, reported with its place and this text
rejects() {
    fresh
    put "$2" "// one" "$3"
    local out
    if out=$("$tool" "$tmp"); then
        echo "FAIL: accepted: $2: $3"
        status=1
    elif ! grep -q "^$2:2: .*$1" <<<"$out"; then
        echo "FAIL: $2: $3: wrong message: $out"
        status=1
    fi
}
fresh
"$tool" "$tmp" || { echo "FAIL: rejected a good tree"; status=1; }
rejects "upward" src/base/x.c '#include "clif/clif.h"'
rejects "upward" src/regalloc/x.c '#include "isa/x64/regs.h"'
rejects "upward" src/opt/x.c '#include "isa/registry.h"'
rejects "upward" src/isa/x64/x.c '#include "jit/linker.h"'
rejects "upward" src/runtime/x.c '#include "wasm/wasm.h"'
rejects "without a runtime" src/jit/x.c '#include "runtime/runtime.h"'
rejects "same layer" src/regalloc/x.c '#include "clif/clif.h"'
rejects "same layer" src/isa/x64/x.c '#include "isa/aarch64/regs.h"'
rejects "does not know Wasm" src/isa/x64/x.c '#include "wasm/wasm.h"'
rejects "registry only" src/jit/x.c '#include "isa/x64/regs.h"'
rejects "internal header" src/mach/x.c '#include "clif/clif_int.h"'
rejects "written\|write includes" src/clif/x.c '#include "clif.h"'
rejects "not a header" src/clif/x.c '#include "clif/dfg.c"'
rejects "ISO C" src/mach/x.h '# include <pthread.h>'
rejects "ISO C" src/base/x.c '#include <sys/mman.h>'
rejects "without a runtime" src/module/x.c '#include "rtapi/rtapi.h"'
rejects "public headers" src/jit/x.c '#include "cot/cot.h"'
fresh
put src/newfolder/x.c 'int x;'
"$tool" "$tmp" | grep -q 'src/newfolder/x.c:1: .*no layer' || { echo "FAIL: unknown folder"; status=1; }
rm -rf "$tmp/src"
"$tool" "$tmp" >/dev/null && { echo "FAIL: empty tree accepted"; status=1; }
exit $status
