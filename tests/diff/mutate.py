#!/usr/bin/env python3
"""Broken modules. Starts from random valid ones (and the small ones of $COT_BENCH), changes them in one of four ways, and
asks of `cot validate` an exit code of 0 or 1, of a refusal one line `FILE:0xOFFSET: error: …`, of the decision that it
is the one of wasm-tools for Wasm 2.0 plus relaxed SIMD, extended constant expressions and multi-memory; of `cot run` on
what validates and of up to three of its exported functions that it ends. A signal, a sanitizer report or a hang is a
failure. What fails stays in DIR.

usage: mutate.py [--count N] [--seed S] [--out DIR] [--jobs J] [--cot CMD]"""
import argparse
import concurrent.futures
import glob
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

FEATURES = "wasm2,relaxed-simd,extended-const,multi-memory"
PLACE = re.compile(rb":0x[0-9a-fA-F]+: error: ")
SANITIZER = re.compile(rb"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|ThreadSanitizer")
SANITIZER_EXIT = 99
ENV = dict(os.environ, ASAN_OPTIONS="exitcode=%d:allocator_may_return_null=1" % SANITIZER_EXIT,
           UBSAN_OPTIONS="halt_on_error=1:exitcode=%d" % SANITIZER_EXIT)


def bases(rng, out):
    """Modules to start from: random ones with and without the proposals that cot refuses, and real ones."""
    found = []
    for i in range(40):
        path, seed = os.path.join(out, "base%02d.wasm" % i), os.path.join(out, "seed.bin")
        with open(seed, "wb") as f:
            f.write(rng.bytes(100 + rng.below(3000)))
        cmd = [tools.wasm_tools(), "smith", seed, "-o", path, "--ensure-termination", "--fuel", "300"]
        if i % 4:
            cmd += ["--%s-enabled=false" % x for x in ("gc", "threads", "memory64", "tail-call",
                                                       "exceptions", "compact-imports", "custom-descriptors")]
        if i % 4 == 1:
            cmd += ["--max-imports=0", "--export-everything=true", "--min-memories=1", "--min-funcs=3"]
        if tools.run(cmd).code == 0:
            found.append(path)
    real = glob.glob(os.path.join(os.environ.get("COT_BENCH", "/nonexistent"), "sightglass", "*", "*.wasm"))
    return found + [p for p in sorted(real) if os.path.getsize(p) < 60000]


def mutate(rng, base, path):
    """Writes a changed copy and says how it was changed."""
    with open(base, "rb") as f:
        data = bytearray(f.read())
    way = rng.below(4)
    if way == 0:
        r = tools.run([tools.wasm_tools(), "mutate", base, "--seed", str(rng.below(1 << 32)), "-o", path], timeout=30)
        if r.code == 0:
            return "mutate"
        way = 1  # a module it does not know how to change
    if way == 1:
        data = data[:rng.below(len(data) + 1)]
        said = "truncate"
    elif way == 2:
        for _ in range(1 + rng.below(8)):
            data[rng.below(len(data))] ^= 1 << rng.below(8)
        said = "flip"
    else:
        at, n = rng.below(len(data)), 1 + rng.below(16)
        kind = rng.below(3)
        if kind == 0:
            del data[at:at + n]
        elif kind == 1:
            data[at:at] = rng.bytes(n)
        else:
            src = rng.below(len(data))
            data[at:at + n] = data[src:src + n]
        said = "splice"
    with open(path, "wb") as f:
        f.write(data)
    return said


def exported_functions(path):
    """(name, number of parameters) of the exported functions of a valid module, by its type, import, function and export
    sections."""
    with open(path, "rb") as f:
        data = f.read()
    at = 8

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def name():
        nonlocal at
        n = number()
        at += n
        return data[at - n:at]

    def skip_limits():
        if number() & 1:
            number()
        number()

    types, funcs, exports = [], [], []
    while at < len(data):
        kind = data[at]
        at += 1
        end = number()
        end += at
        count = number() if kind in (1, 2, 3, 7) else 0
        for _ in range(count):
            if kind == 1:
                at += 1
                types.append(number())
                at += types[-1]
                results = number()
                at += results
            elif kind == 2:
                name(), name()
                at += 1
                what = data[at - 1]
                if what == 0:
                    funcs.append(types[number()])
                elif what == 3:
                    at += 2
                else:
                    at += what == 1
                    skip_limits()
            elif kind == 3:
                funcs.append(types[number()])
            else:
                label = name()
                at += 1
                if data[at - 1] == 0:
                    exports.append((label, number()))
                else:
                    number()
        at = end
    return [(label, funcs[i]) for label, i in exports]


def broken(r):
    """Not a clean end."""
    if r.timed_out or r.code < 0 or r.code == SANITIZER_EXIT:
        return r.describe()
    found = SANITIZER.search(r.err)
    return "sanitizer report: " + r.err[found.start():found.start() + 200].decode(errors="replace") if found else None


def check(job):
    """(how it was changed, accepted, problem or None)"""
    seed, number, base, out, cot = job
    rng = tools.Rng(seed * 7919 + number)
    path = os.path.join(out, "s%d-%06d.wasm" % (seed, number))
    said = mutate(rng, base, path)
    r = tools.run(cot + ["validate", path], timeout=60, env=ENV)
    problem = broken(r)
    if problem is None and r.code not in (0, 1):
        problem = "validate: " + r.describe()
    if problem is None and r.code == 1 and not PLACE.search(r.err):
        problem = "refused without FILE:0x…: error: %r" % r.err[:200]
    accepted = r.code == 0
    if problem is None:
        theirs = tools.run([tools.wasm_tools(), "validate", "-f", FEATURES, path], timeout=60)
        if (theirs.code == 0) != accepted:
            problem = "wasm-tools %s it, cot does not agree\n    cot: %s\n    wasm-tools: %s" % (
                "accepts" if theirs.code == 0 else "refuses", r.err.decode(errors="replace").strip()[:200],
                " ".join(theirs.err.decode(errors="replace").split())[:200])
    calls = [[path]]
    if problem is None and accepted:
        calls += [["--invoke", n.decode(), path] + ["7"] * k for n, k in exported_functions(path) if b"\0" not in n][:3]
    for call in calls if problem is None and accepted else []:
        r = tools.run(cot + ["run", "-W", "timeout=50"] + call, timeout=60, env=ENV)
        problem = broken(r)
        if problem:
            problem = "run %s: %s" % (" ".join(call), problem)
            break
    if problem is None:
        os.unlink(path)
    return said, accepted, (path + " (%s of %s): %s" % (said, os.path.basename(base), problem)) if problem else None


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", default=os.path.join(tools.BUILD, "oracle", "mutate"))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--cot", default=tools.COT)
    a = p.parse_args()
    out = os.path.abspath(a.out)
    os.makedirs(out, exist_ok=True)
    rng = tools.Rng(a.seed)
    start = bases(rng, out)
    if not start:
        sys.exit("no modules to start from")
    jobs = [(a.seed, n, start[rng.below(len(start))], out, shlex.split(a.cot)) for n in range(a.count)]
    ways, failed, accepted = {}, 0, 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for said, ok, problem in pool.map(check, jobs):
            ways[said] = ways.get(said, 0) + 1
            accepted += ok
            if problem:
                failed += 1
                print(problem)
    print("seed %d: %s; %d accepted" % (a.seed, ", ".join("%d %s" % (ways[k], k) for k in sorted(ways)), accepted))
    print("%d passed, %d failed, 0 skipped" % (a.count - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
