#!/usr/bin/env python3
"""The Wasm spec suite through object files: every module of the classes is compiled to an object, the objects of each script are linked
to a shared library, and `cot wast --linked` runs the script with the modules in it. Linkers and options take turns. The C compiler
accepts the headers of some scripts' modules, among them all of those with unusual names.

usage: spec_objects.py SUITE OUT WORK --class C… [--expect N] [-- FLAGS for cot compile and cot wast]      OUT: as spec.py converts it

Prints `N passed, N failed, N skipped`, counting assertions. With --expect so many must pass and every module must compile; without it
as many of each script as when `cot wast` compiles itself."""
import argparse
import concurrent.futures
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import spec
import tools

MODULES = ("module", "module_definition", "assert_unlinkable", "assert_uninstantiable")
NAMES = ("names.wast", "imports.wast", "exports.wast", "linking.wast", "start.wast")
LINKERS = [l for l in ("ld.bfd", "ld.gold", "ld.lld", "mold") if shutil.which(l)]
OPTIONS = ([], ["--gc-sections", "-z", "now", "-z", "relro"], ["-O1", "--build-id"])


def headers(a, number, row, folder, script, files):
    """What is wrong with the headers, or None."""
    if not (row[0] in NAMES or row[1] == "wasm2-nosimd" and number % 5 == 0):
        return None
    main = os.path.join(folder, "main.c")
    with open(main, "w") as f:
        for k, name in enumerate(files):
            out = os.path.join(folder, "m%d.h" % k)
            r = tools.run([tools.COT, "compile", os.path.join(os.path.dirname(script), name), "--name", "m%d" % k, "-o", out])
            if r.code == 0:
                f.write('#include "m%d.h"\n' % k)
    cmd = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I" + os.path.join(tools.ROOT, "include"), "-I" + os.path.join(tools.BUILD, "gen"), main]
    for compiler in (["gcc", "-std=c11"], ["g++", "-std=c++17", "-x", "c++"]):
        if shutil.which(compiler[0]):
            r = tools.run(compiler + cmd)
            if r.code:
                return "%s: %s" % (compiler[0], r.err.decode(errors="replace")[:500])
    return None


def one(a, number, row):
    """(assertions passed, skipped, what is wrong or None)"""
    script = spec.script_path(a.out, row[0])
    with open(script) as f:
        commands = json.load(f)["commands"]
    folder = os.path.join(a.work, str(number))
    os.makedirs(folder, exist_ok=True)
    files = sorted({c["filename"] for c in commands if c["type"] in MODULES})
    objects, flags = [], spec.OLDER.get(row[0], []) + a.flags
    for name in files:
        out = os.path.join(folder, name + ".o")
        r = tools.run([tools.COT, "compile"] + flags + [os.path.join(os.path.dirname(script), name), "-o", out])
        if r.code == 0:
            objects.append(out)
        elif a.expect is not None or not spec.PROPOSAL.search(r.err.decode(errors="replace").strip()):
            return 0, 0, "cot compile: " + r.err.decode(errors="replace")
    problem = headers(a, number, row, folder, script, files)
    if problem:
        return 0, 0, problem
    library = os.path.join(folder, "lib.so")
    if objects:
        linker = [LINKERS[number % len(LINKERS)]] + OPTIONS[number % len(OPTIONS)]
        r = tools.run(linker + ["-shared", "--defsym=cot_object_abi_1=0", "-o", library] + objects)
        if r.code or r.err:
            return 0, 0, "%s: %s" % (" ".join(linker), r.err.decode(errors="replace"))
    got = spec.Result(script, row[0], row[2], a.flags + (["--linked", library] if objects else []), 120)
    shutil.rmtree(folder)
    if a.expect is None and not got.problem:
        want = spec.Result(script, row[0], row[2], a.flags, 120)
        if want.problem or want.counts != got.counts:
            return 0, 0, "counts %s, without objects %s" % (got.counts, want.problem or want.counts)
    return got.counts[0], got.counts[2], got.problem


def main():
    argv, flags = sys.argv[1:], []
    if "--" in argv:
        cut = argv.index("--")
        argv, flags = argv[:cut], argv[cut + 1:]
    p = argparse.ArgumentParser()
    p.add_argument("suite")
    p.add_argument("out")
    p.add_argument("work")
    p.add_argument("--class", dest="classes", action="append", default=[])
    p.add_argument("--expect", type=int)
    a = p.parse_args(argv)
    a.flags = flags
    if not LINKERS:
        sys.exit("no linker is here")
    rows = [r for r in spec.classes(a.suite) if r[1] in a.classes]
    passed, skipped, bad = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for row, (n, k, problem) in zip(rows, pool.map(lambda k: one(a, k, rows[k]), range(len(rows)))):
            passed += n
            skipped += k
            if problem:
                bad += 1
                print("%s: %s" % (row[0], problem))
    lost = bad
    if a.expect is not None and passed != a.expect:
        lost = max(a.expect - passed, bad)
        print("%d assertions passed where %d must" % (passed, a.expect))
    print("%d passed, %d failed, %d skipped" % (passed, lost, skipped))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
