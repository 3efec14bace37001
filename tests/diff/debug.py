#!/usr/bin/env python3
"""What is known of a module's source, held against LLVM's symbolizer.

usage: debug.py addr2line COT FILE.wasm...     every offset of each module's code: function, file, line, column, inlined calls

Prints what differs (the first few) and a last line `N passed, N failed, N skipped`, counting modules."""
import os
import re
import subprocess
import sys


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def code_section(path):
    """Offset and size of the contents of the code section."""
    with open(path, "rb") as f:
        data = f.read()
    at = 8
    while at < len(data):
        kind = data[at]
        size, at = number(data, at + 1)
        if kind == 10:
            return at, size
        at += size
    raise SystemExit("%s: no code" % path)


def ours(cot, path, offsets):
    text = subprocess.run([cot, "addr2line", path], input="\n".join(map(str, offsets)) + "\n", capture_output=True,
                          text=True, check=True).stdout
    places = []
    for line in text.splitlines():
        if not line.startswith("    "):
            places.append([])
            line = line.split(": ", 1)[1]
        line = line.replace("    inlined into ", "")
        if " at " in line:
            name, position = line.rsplit(" at ", 1)
            places[-1].append((name, position))
    return places


def theirs(path, offsets, base):
    text = subprocess.run(["llvm-symbolizer", "--functions=short", "--no-demangle", "--obj=" + path],
                          input="".join("0x%x\n" % (o - base) for o in offsets), capture_output=True, text=True,
                          check=True).stdout
    places = []
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        if lines:
            places.append(list(zip(lines[::2], lines[1::2])))
    return places


def same_place(a, b):
    """Name and position; ours has namespaces and no zeros."""
    position = re.sub(r"(:0)+$", "", re.sub(r":0:\d+$", "", b[1]))
    path, _, tail = position.partition(":")
    name = a[0] == b[0] or a[0].endswith("::" + b[0])
    if a[0].endswith("..."):  # names are cut
        start = len(a[0]) - 3
        while not name and start > 0:
            start = a[0].rfind("::", 0, start)
            name = start >= 0 and b[0].startswith(a[0][start + 2:-3])
        name = name or b[0].startswith(a[0][:-3])
    return name and os.path.normpath(a[1].partition(":")[0]) == \
        os.path.normpath(path) and a[1].partition(":")[2] == tail


def same(a, b):
    if not a:
        return all(name == "??" or position.startswith("??") for name, position in b)
    return len(a) == len(b) and all(map(same_place, a, b))


def contradictions(path):
    """Addresses that the information gives to more than one function (linkers leave that of replaced ones)."""
    text = subprocess.run(["llvm-dwarfdump", "--debug-info", path], capture_output=True, text=True, check=True).stdout
    ranges = sorted((int(lo, 16), int(hi, 16)) for lo, hi in re.findall(
        r"DW_TAG_subprogram\n\s*DW_AT_low_pc\s*\((0x[0-9a-f]+)\)\n\s*DW_AT_high_pc\s*\((0x[0-9a-f]+)\)", text))
    return {a for r, s in zip(ranges, ranges[1:]) if s[0] < r[1] for a in range(s[0], min(r[1], s[1]))}


def addr2line(cot, paths):
    failed = 0
    for path in paths:
        base, size = code_section(path)
        offsets = range(base, base + size)
        a, b = ours(cot, path, offsets), theirs(path, offsets, base)
        wrong = [k for k in range(size) if not same(a[k], b[k])] if len(a) == len(b) == size else [None]
        if wrong and wrong != [None]:
            both = contradictions(path)
            wrong = [k for k in wrong if k not in both]
        for k in wrong[:3]:
            got = (hex(offsets[k]), a[k], b[k]) if k is not None else ("?", len(a), len(b))
            print(("%s: offset %s: %s, expected %s" % (path, *got))[:1000])
        known = sum(1 for p in a if p)
        deep = sum(1 for p in a if len(p) > 1)
        print("%s: %d of %d offsets known, %d inlined, %d differ" % (os.path.basename(path), known, size, deep, len(wrong)))
        failed += bool(wrong)
    print("%d passed, %d failed, 0 skipped" % (len(paths) - failed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(1 if {"addr2line": addr2line}[sys.argv[1]](sys.argv[2], sys.argv[3:]) else 0)
