#!/usr/bin/env python3
"""C programs as a differential test: what the native build prints, and its exit code, is what the Wasm build must print.

usage: cprog.py programs DIR [--engine cot|wasmtime] [--also=OPTIONS]… [--by CMD]… [--variants O2,…] [--out DIR] [FILTER…]
       cprog.py csmith [--count N] [--seed S] [--engine cot|wasmtime] [--also=OPTIONS]… [--out DIR]

Each program is built natively once and for wasm32-wasi in the VARIANTS below. Signed overflow wraps and floats are not
contracted, on both sides. For csmith programs constants with the suffix L are made LL (the type that `long` has in the
64-bit native build), because that is the one thing in them whose type depends on the size of `long`; a program that
does not end natively within the time limit is left out and counted."""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

COMMON = ["-std=gnu11", "-w", "-fwrapv", "-fno-strict-aliasing", "-ffp-contract=off"]
LATER = ["-msign-ext", "-mnontrapping-fptoint", "-mbulk-memory"]
VARIANTS = [("O0", ["-O0"]), ("O2", ["-O2"] + LATER), ("O0-later", ["-O0"] + LATER),
            ("Os-mvp", ["-Os"])]
PEER = [sys.executable, os.path.join(tools.ROOT, "tests", "diff", "peer.py")]
CSMITH = ["--no-bitfields", "--no-packed-struct", "--no-volatiles", "--max-funcs", "8", "--max-block-depth", "4"]
CSMITH_LIMIT = 3


def build_once(cmd, source, _, name):
    return tools.built(cmd, source, name)


def build_new(cmd, _, work, name):
    path = os.path.join(work, name)
    return path, tools.compiled(cmd, path)


def native_compiler():
    return next(c for c in ("gcc", "clang", "cc") if shutil.which(c))


def judge(source, name, a, variants, extra, limit):
    """(runs that passed, failures); None for the passed count means that the program was left out."""
    work = os.path.join(a.out, name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    build = build_new if limit == CSMITH_LIMIT else build_once
    native, problem = build([native_compiler(), "-O1"] + COMMON + extra + [source, "-lm"], source, work, "native")
    if problem:
        return 0, ["%s: native build: %s" % (name, problem)]
    stdin = b""
    if os.path.exists(source[:-2] + ".in"):
        with open(source[:-2] + ".in", "rb") as f:
            stdin = f.read()
    os.makedirs(os.path.join(work, "n"))
    want = tools.run([native], timeout=limit, stdin=stdin, cwd=os.path.join(work, "n"))
    if want.timed_out:
        return (None, []) if limit == CSMITH_LIMIT else (0, ["%s: native build does not end" % name])
    if want.code < 0:
        return 0, ["%s: native: %s" % (name, want.describe())]
    passed, bad = 0, []
    for tag, flags in variants:
        wasm, problem = build(["clang", "--target=wasm32-wasi", "-ftls-model=local-exec"] + COMMON + flags + extra +
                              ["-Wl,-z,stack-size=2097152", source, "-lm"], source, work, tag + ".wasm")
        if problem:
            bad.append("%s %s: wasm build: %s" % (name, tag, problem))
            continue
        ways = [(a.engine_cmd, options) for options in [[]] + a.also] + [(shlex.split(c), []) for c in a.by]
        for n, (engine, options) in enumerate(ways):
            label = " ".join([name, tag] + (engine if engine != a.engine_cmd else []) + options)
            folder = os.path.join(work, "%s-%d" % (tag, n))
            os.makedirs(folder)
            got = tools.run(engine + ["run"] + options + ["--dir", ".", wasm], timeout=max(60, 20 * limit),
                            stdin=stdin, cwd=folder)
            if got.timed_out or got.code != want.code:
                bad.append("%s: %s, native %s: %s" % (label, got.describe(), want.describe(),
                                                      got.err.decode(errors="replace").strip()[-300:]))
            elif got.out != want.out:
                x, y = got.out.split(b"\n"), want.out.split(b"\n")
                at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
                bad.append("%s: line %d: %r, native %r" % (label, at + 1, b"".join(x[at:at + 1])[:120],
                                                           b"".join(y[at:at + 1])[:120]))
            else:
                passed += 1
    if not bad:
        shutil.rmtree(work)
    return passed, bad


def csmith_source(seed, a):
    path = os.path.join(a.out, "seed%d.c" % seed)
    r = tools.run(["csmith", "--seed", str(seed)] + CSMITH, timeout=60, cwd=a.out)
    text = r.out.decode()
    text = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)(U?)L\b", r"\1\2LL", text)
    with open(path, "w") as f:
        f.write(text)
    return path


def csmith_include():
    for pattern in ("/usr/include/csmith", "/usr/include/csmith-2.3.0", "/usr/share/csmith", "/usr/local/include/csmith"):
        if os.path.exists(os.path.join(pattern, "csmith.h")):
            return pattern
    r = subprocess.run(["dpkg", "-L", "csmith"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in r.stdout.decode().split("\n"):
        if line.endswith("/csmith.h"):
            return os.path.dirname(line)
    print("skipped: csmith.h not found (apt-get install libcsmith-dev)\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)


def one_seed(job):
    seed, a, include = job
    source = csmith_source(seed, a)
    return judge(source, "seed%d" % seed, a, VARIANTS[:2], ["-I" + include], CSMITH_LIMIT)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["programs", "csmith"])
    p.add_argument("rest", nargs="*")
    p.add_argument("--engine", choices=["cot", "wasmtime"], default="cot")
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--also", action="append", default=[])
    p.add_argument("--by", action="append", default=[], help="in place of cot, after it")
    p.add_argument("--variants", default="")
    p.add_argument("--out")
    a = p.parse_intermixed_args()
    a.also = [x.split() for x in a.also]
    a.out = os.path.abspath(a.out or os.path.join(tools.BUILD, "oracle", a.what))
    os.makedirs(a.out, exist_ok=True)
    a.engine_cmd = PEER if a.engine == "wasmtime" else shlex.split(tools.COT)
    if a.what == "csmith":
        include = csmith_include()
        # some seeds give programs that do not end; more seeds than programs asked for, so that enough remain
        jobs, work = [(s, a, include) for s in range(a.seed, a.seed + a.count + a.count // 2)], one_seed
    else:
        folder, names = a.rest[0], a.rest[1:]
        files = [f for f in sorted(os.listdir(folder)) if f.endswith(".c") and (not names or any(n in f for n in names))]
        if not files:
            sys.exit("no programs in " + folder)
        jobs = files

        def work(f):
            return judge(os.path.join(folder, f), f[:-2], a, [v for v in VARIANTS if not a.variants or v[0] in a.variants.split(",")], [], 60)
    passed = failed = left_out = judged = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        futures = [pool.submit(work, j) for j in jobs]
        for future in futures:
            if a.what == "csmith" and judged == a.count:
                future.cancel()
                continue
            ok, bad = future.result()
            left_out += ok is None
            judged += ok is not None
            passed += ok or 0
            failed += len(bad)
            for line in bad:
                print(line)
    if left_out:
        print("%d programs left out: they do not end within the time limit natively" % left_out)
    print("%d programs" % judged)
    print("%d passed, %d failed, %d skipped" % (passed, failed, left_out))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
