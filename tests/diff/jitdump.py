"""Compares what perf is told of functions in memory with a listing of the same module.

usage: jitdump.py COT MODULE.wasm DUMP     a jitdump file (Linux, tools/perf/Documentation/jitdump-specification.txt): names, sizes, code
       jitdump.py COT MODULE.wasm MAP      a map, /tmp/perf-PID.map: names and sizes"""
import re
import struct
import subprocess
import sys


def listing(cot, module):
    """(name, code) of each function."""
    out = subprocess.run([cot, "objdump", module], capture_output=True, text=True, errors="replace", check=True).stdout
    got, code = [], None
    for line in out.splitlines():
        m = re.fullmatch(r"(.*) \(function \d+\):", line)
        if m:
            code = bytearray()
            got.append((m.group(1), code))
        elif re.fullmatch(r"(entry|host)\[type \d+\]:", line):
            code = bytearray()
        m = re.match(r" *[0-9a-f]+: ((?: [0-9a-f]{2})+)(?:  |$)", line)
        if m:
            code += bytes.fromhex(m.group(1).replace(" ", ""))
    return [(name, bytes(c)) for name, c in got]


def dump(data):
    magic, version, size, machine, _, pid, _, flags = struct.unpack_from("<IIIIIIQQ", data)
    assert (magic, version, machine, flags) == (0x4A695444, 1, 62, 0), "header"
    at, got, last, indices = size, [], 0, set()
    while at < len(data):
        kind, total, time, p, tid, vma, address, length, index = struct.unpack_from("<IIQIIQQQQ", data, at)
        assert kind == 0 and p == pid and vma == address and time >= last and index not in indices, "record"
        indices.add(index)
        last = time
        body = data[at + 56 : at + total]
        name, _, code = body.partition(b"\0")
        assert len(code) == length, "code"
        got.append((name.decode(), code))
        at += total
    assert at == len(data), "cut off"
    return got


def main():
    cot, module, path = sys.argv[1:]
    want, data = listing(cot, module), open(path, "rb").read()
    if data[:4] == b"DTiJ":
        got = dump(data)
    else:
        want = [(n, len(c)) for n, c in want]
        got = [(p[2], int(p[1], 16)) for p in (line.rstrip("\n").split(" ", 2) for line in data.decode().splitlines())]
        starts = [int(line.split()[0], 16) for line in data.decode().splitlines()]
        assert starts == sorted(starts), "addresses"
    names = {n for n, _ in want}
    got = [g for g in got if g[0] in names or not re.fullmatch(r"(entry|host)\[type \d+\]", g[0])]
    n = len(want)
    assert n and len(got) % n == 0, f"{len(got)} functions, {n} expected"
    for k, g in enumerate(got):  # as often as the module was compiled
        assert g == want[k % n], f"function {k}: {g[0]}, expected {want[k % n][0]}"
    print(f"{len(got)} functions")


if __name__ == "__main__":
    main()
