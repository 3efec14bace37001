#!/usr/bin/env python3
"""Inputs for the fuzz targets to start from.

usage: corpus.py OUT SPEC CLIF RA      SPEC: where spec.py put its binaries; CLIF: folders of .clif files, separated by colons;
RA: a folder of allocation problems. Any may be missing.

OUT/corpus-fuzz_wasm: small modules, and bodies of functions (i32, i64) -> i32. OUT/corpus-fuzz_compile: the same after a byte
that chooses the settings. OUT/corpus-fuzz_clif: files and single functions. Every k-th is taken, so that there are some
hundreds. OUT/corpus-fuzz_dwarf: debugging sections of a small program as clang writes them, if it is there."""
import glob
import os
import re
import subprocess
import sys

MOST = 400


def spread(paths, most=MOST):
    paths = sorted(paths)
    return paths[::max(1, len(paths) // most)]


def write(folder, number, data):
    with open(os.path.join(folder, "%05d" % number), "wb") as f:
        f.write(data)


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def bodies(data):
    """The bodies in a module's code section, without their sizes and declarations of locals if there are none."""
    at = 8
    while at < len(data):
        kind = data[at]
        size, at = number(data, at + 1)
        if kind == 10:
            count, p = number(data, at)
            for _ in range(count):
                n, p = number(data, p)
                yield data[p:p + n]
                p += n
        at += size


DEBUG_SECTIONS = ["info", "abbrev", "line", "str", "line_str", "ranges", "rnglists", "loc", "loclists", "addr",
                  "str_offsets"]  # as in src/dwarf/sections.def


def debug_sections(data):
    """The module's debugging sections as fuzz_dwarf.c takes them."""
    at, out = 8, b""
    while at < len(data):
        kind = data[at]
        size, at = number(data, at + 1)
        if kind == 0:
            n, p = number(data, at)
            name = data[p:p + n].decode()
            if name.startswith(".debug_") and name[7:] in DEBUG_SECTIONS:
                body = data[p + n:at + size]
                out += bytes([DEBUG_SECTIONS.index(name[7:])]) + len(body).to_bytes(3, "little") + body
        at += size
    return out


def debug_inputs(folder):
    source = os.path.join(os.path.dirname(__file__), "..", "debug", "trap.c")
    module = os.path.join(folder, "..", "debug.wasm")
    for i, flags in enumerate(("-O0 -gdwarf-4", "-O2 -gdwarf-4", "-O0 -gdwarf-5", "-O2 -gdwarf-5", "-O1 -gdwarf-2")):
        command = ["clang", "--target=wasm32", "-DFREESTANDING", "-nostdlib", "-Wl,--no-entry,--export-all", source, "-o",
                   module] + flags.split()
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return
        with open(module, "rb") as f:
            write(folder, i, bytes([3]) + debug_sections(f.read()))


def main():
    out, spec, clif, ra = sys.argv[1:5]
    folders = {t: os.path.join(out, "corpus-fuzz_" + t) for t in ("wasm", "compile", "clif", "codegen", "regalloc", "dwarf")}
    for f in folders.values():
        os.makedirs(f, exist_ok=True)
    n = 0
    for path in spread(p for p in glob.glob(os.path.join(spec, "*", "*.wasm")) if os.path.getsize(p) <= 3000):
        with open(path, "rb") as f:
            data = f.read()
        write(folders["wasm"], n, data)
        write(folders["compile"], n, bytes([n * 37 % 256]) + data)
        n += 1
        try:
            found = sorted(bodies(data), key=len)[-2:]
        except IndexError:  # a module that is malformed on purpose
            continue
        for body in found:
            write(folders["wasm"], n, body)
            write(folders["compile"], n, bytes([n * 37 % 256]) + (body[1:] if body[:1] == b"\0" else body))
            n += 1
    files = [p for f in clif.split(":") for p in glob.glob(os.path.join(f, "**", "*.clif"), recursive=True)]
    for i, path in enumerate(spread(p for p in files if os.path.getsize(p) <= 3000)):
        with open(path, "rb") as f:
            write(folders["clif"], i, f.read())
    functions = []
    for path in sorted(files):
        with open(path, "rb") as f:
            functions += [m.group(0) for m in re.finditer(rb"^function .*?^\}\n", f.read(), re.M | re.S) if len(m.group(0)) <= 2000]
    for i, text in enumerate(functions[::max(1, len(functions) // 1000)]):
        write(folders["codegen"], i, bytes([i * 37 % 256]) + text)
    for i, path in enumerate(sorted(glob.glob(os.path.join(ra, "*.ra")))):
        with open(path, "rb") as f:
            write(folders["regalloc"], i, b"\1" + f.read())
    debug_inputs(folders["dwarf"])
    print("%d inputs of the front end, %d of the text reader" % (n, len(os.listdir(folders["clif"]))))


if __name__ == "__main__":
    main()
