#!/usr/bin/env python3
"""Inputs for tests/fuzz/fuzz_dwarf: the debugging sections of a module, each time with other damage.

usage: dwarf_mutate.py FILE.wasm FOLDER COUNT SEED"""
import os
import random
import sys

from debug import number

# the order of src/dwarf/sections.def
NAMES = [b".debug_info", b".debug_abbrev", b".debug_line", b".debug_str", b".debug_line_str", b".debug_ranges", b".debug_rnglists",
         b".debug_loc", b".debug_loclists", b".debug_addr", b".debug_str_offsets"]


def sections(path):
    with open(path, "rb") as f:
        data = f.read()
    at, found = 8, {}
    while at < len(data):
        kind = data[at]
        size, at = number(data, at + 1)
        if kind == 0:
            n, p = number(data, at)
            name = data[p:p + n]
            if name in NAMES:
                found[NAMES.index(name)] = data[p + n:at + size]
        at += size
    return found


def damage(rng, text):
    text = bytearray(text)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        if not text:
            break
        at = rng.randrange(len(text))
        how = rng.randrange(6)
        if how == 0:
            text[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            text[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
        elif how == 2:
            text[at] = rng.randrange(256)
        elif how == 3:
            text[at:at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", rng.randbytes(4)))
        elif how == 4:
            k, n = rng.randrange(len(text)), rng.randrange(1, 64)
            text[at:at + n] = text[k:k + n]
        else:
            del text[at:at + rng.choice((1, 1, 2, 100000))]
    return bytes(text)


def main():
    path, folder, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    found, rng = sections(path), random.Random(seed)
    os.makedirs(folder, exist_ok=True)
    for k in range(count):
        hurt = rng.sample(sorted(found), rng.choice((1, 1, 1, 2, len(found)))) if k else []
        out = bytearray([rng.randrange(256)])
        for kind, text in found.items():
            if kind in hurt:
                text = damage(rng, text)
            out += bytes([kind]) + len(text).to_bytes(3, "little") + text
        with open(os.path.join(folder, "%06d" % k), "wb") as f:
            f.write(out)


if __name__ == "__main__":
    main()
