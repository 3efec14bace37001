#!/usr/bin/env bash
# auditcheck accepts a small tree whose document is right and finds each kind of lie. usage: test_auditcheck.sh TOOLS
set -u
tool=$1/auditcheck
unset COT_INVENTORY
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

fresh() {
    rm -rf "${tmp:?}"/*
    mkdir -p "$tmp"/{src/base,src/isa/x64,tests/unit/base,audit}
    echo 'int box_open(int x);' >"$tmp/src/base/box.h"
    echo 'int box_open(int x) { return x; }' >"$tmp/src/base/box.c"
    echo 'ROW(add)' >"$tmp/src/isa/x64/insts.def"
    echo 'static void opens(void **st) {}' >"$tmp/tests/unit/base/test_box.c"
    cat >"$tmp/audit/base.md" <<'DOC'
Reference: `lib/src/box.rs`
| reference item | ours | where |
|---|---|---|
| `Box` | ported | `box.h` |
| `Box::{open, close}` | merged into `box_open` | `box_open()` |
| `Lid::*` | left out, because boxes are open | |
Files: `base/box.c`. Names: `box_*`, `Vec::push`, `tests/unit/base/test_box.c`: `opens`.
DOC
    echo 'Files: `src/isa/x64/insts.def`' >"$tmp/audit/isa-x64.md"
    printf 'lib/src/box.rs\t%s\t%s\n' struct Box fn Box::open fn Box::close fn Lid::new >"$tmp/inventory.tsv"
    printf 'lib/src/other.rs\tfn\tnot_asked\n' >>"$tmp/inventory.tsv"
}
accepts() {
    local out
    out=$(timeout 60 "$tool" "$tmp" --inventory "$tmp/inventory.tsv") || { echo "FAIL: $1: rejected: $out"; status=1; }
}
rejects() { # rejects WHAT MESSAGE, after a change to the tree
    local out
    if out=$(timeout 60 "$tool" "$tmp" --inventory "$tmp/inventory.tsv"); then
        echo "FAIL: accepted: $1"
        status=1
    elif ! grep -q "$2" <<<"$out"; then
        echo "FAIL: $1: wrong message: $out"
        status=1
    fi
    fresh
}
fresh
accepts "a right tree"
ln -s / "$tmp/tests/everything"
accepts "links are not followed"
"$tool" "$tmp" | grep -q 'no inventory named' || { echo "FAIL: silent about the inventory"; status=1; }
rm "$tmp/src/base/box.c"
rejects "a source file is gone" 'base.md:7: no such file: base/box.c'
touch "$tmp/src/base/lid.c"
rejects "a source file is not named" 'does not name: src/base/lid.c'
sed -i 's/box_open/box_unlock/' "$tmp"/src/base/box.[ch]
rejects "a function is gone" 'base.md:5: no such name in the sources: box_open'
sed -i 's/opens/closes/' "$tmp/tests/unit/base/test_box.c"
rejects "a test is gone" 'base.md:7: no such name in the sources: opens'
rm "$tmp/tests/unit/base/test_box.c"
rejects "a test file is gone" 'no such file: tests/unit/base/test_box.c'
sed -i 's/box_\*/bax_*/' "$tmp/audit/base.md"
rejects "a prefix of nothing" 'begins with: bax_'
sed -i 's/, close//' "$tmp/audit/base.md"
rejects "an item is not covered" 'no document covers: Box::close'
sed -i 's/left out, because/without,/' "$tmp/audit/base.md"
rejects "a row without a verdict" 'base.md:6: the row says none'
rm "$tmp/audit/isa-x64.md"
rejects "a folder without a document" 'audit/isa-x64.md:1: missing'
echo 'x' >"$tmp/audit/orphan.md"
rejects "a document of no folder" 'orphan.md:1: a document of no source folder'
printf '# Audit\n\nFinished: `lib`.\n' >"$tmp/audit/README.md"
rejects "an item of a finished folder that no document names" 'other.rs:1: no document covers: not_asked'
printf '# Audit\n\nFinished: `lib/src/box`,\n`lab`.\n\n`lib`\n' >"$tmp/audit/README.md"
accepts "folders with other names"
sed -i 's/Lid::\*/lib\/src\/box.rs::*/; s/`Box::{open, close}`/`Box::open`/' "$tmp/audit/base.md"
accepts "all items of a file"
exit $status
