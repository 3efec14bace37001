#!/usr/bin/env python3
"""WASI programs: each says in a JSON file beside it what it is given and what must come out.

usage: wasi.py DIR… [--engine cot|wasmtime|both] [--out DIR] [--tsv FILE --suite NAME] [--also=OPTIONS]… [FILTER…]

Each DIR holds NAME.c (compiled with clang for wasm32-wasi) or NAME.wasm, and NAME.json, or NAME.CASE.json for several runs of
one program; a program without any runs with the defaults. The keys are those of the wasi-testsuite, and a few more:
    args        list of arguments                         default []
    env         object of variables                       default {}
    dirs        preopened directories, "NAME" or "HOST::GUEST"; HOST is copied from DIR if it is there, otherwise
                made empty; every run has its own copy    default []
    dirs_ro     the same, read-only
    root        one more, under the name /
    links       object: symbolic links to be made below these directories, path -> content    default {}
    stdin       text for standard input, through a pipe   default: empty
    stdin_file  true: a regular file with that text instead of the pipe
    closed      standard streams that are closed          default []
    stdout      expected exactly                          default: "" for a C program, anything for a module
    stderr      expected exactly                          default: anything
    exit_code                                             default 0
    files       object: what files below "dirs" contain afterwards
    wasmtime    why the program cannot be checked with Wasmtime (it lacks or intends something else); such a run counts
                as skipped
--tsv writes what cot did as scripts/conformance.py reads it. Each --also runs everything once more with these options of `cot run`. With both engines each expectation is tested on Wasmtime as well, so that it is not only our own opinion."""
import argparse
import json
import os
import re
import shlex
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

PEER = [sys.executable, os.path.join(tools.ROOT, "tests", "diff", "peer.py")]
CFLAGS = ["--target=wasm32-wasi", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror"]
KEYS = {"args", "env", "dirs", "dirs_ro", "root", "links", "stdin", "stdin_file", "closed", "files", "stdout", "stderr", "exit_code", "wasmtime"}
LIMIT = 60


def cases(folder, filters):
    """(case name, source file, specification) in order of names."""
    names = sorted(os.listdir(folder))
    for f in names:
        stem, ext = os.path.splitext(f)
        if ext not in (".c", ".wasm"):
            continue
        specs = [j for j in names if j == stem + ".json" or (j.startswith(stem + ".") and j.endswith(".json"))]
        for j in specs or [None]:
            name = j[:-5] if j else stem
            if filters and not any(x in name for x in filters):
                continue
            spec = {}
            if j:
                with open(os.path.join(folder, j)) as fp:
                    spec = json.load(fp)
            unknown = set(spec) - KEYS
            if unknown:
                sys.exit("%s: unknown key %s" % (j, ", ".join(sorted(unknown))))
            yield name, os.path.join(folder, f), spec


def module(source, built):
    """The path of the module, None; or None, message."""
    if source.endswith(".wasm"):
        return source, None
    if source not in built:
        built[source] = tools.built(["clang"] + CFLAGS + [source], source, os.path.basename(source)[:-2] + ".wasm")
    return built[source]


def prepare(folder, work, spec):
    """The folder of one run with its directories; gives the options of `run` that name them."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    options = []
    dirs = [("--dir", d) for d in spec.get("dirs", [])] + [("--dir-ro", d) for d in spec.get("dirs_ro", [])]
    if spec.get("root"):
        dirs.append(("--dir", spec["root"] + "::/"))
    for option, d in dirs:
        host = d.partition("::")[0]
        template, copy = os.path.join(folder, host), os.path.join(work, host)
        if os.path.isdir(template):
            shutil.copytree(template, copy, symlinks=True)
        else:
            os.makedirs(copy)
        options += [option, d]
    for path, content in spec.get("links", {}).items():
        os.makedirs(os.path.dirname(os.path.join(work, path)), exist_ok=True)
        os.symlink(content, os.path.join(work, path))
    for k, v in spec.get("env", {}).items():
        options += ["--env", "%s=%s" % (k, v)]
    return options


def differences(spec, got, stdout, work):
    """What is wrong with the outcome, as a list of sentences; stdout is what is expected if the specification is silent."""
    bad = []
    for name, text in spec.get("files", {}).items():
        try:
            with open(os.path.join(work, name), "rb") as f:
                data = f.read()
        except OSError as e:
            data = str(e).encode()
        if data != text.encode():
            bad.append("file %s contains %r, expected %r" % (name, data[:300], text.encode()[:300]))
    want = spec.get("exit_code", 0)
    err = got.err.decode(errors="replace").strip()[-300:]
    if got.timed_out or got.code != want:
        bad.append("%s, expected exit %d: %s" % (got.describe(), want, err))
    for key, data in (("stdout", got.out), ("stderr", got.err)):
        text = spec.get(key, stdout if key == "stdout" else None)
        if text is not None and data != text.encode():
            bad.append("%s is %r, expected %r" % (key, data[:300], text.encode()[:300]))
    return bad


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def run_case(folder, case, engine, command, options, out, built, counts):
    name, source, spec = case
    wasm, problem = module(source, built)
    if wasm is None:
        print("%s: %s" % (name, problem))
        counts.failed += 1
        return
    if engine == "wasmtime" and "wasmtime" in spec:
        print("%s: not checked with Wasmtime: %s" % (name, spec["wasmtime"]))
        counts.skipped += 1
        return
    work = os.path.join(out, "%s-%s" % (name, engine))
    run = command + ["run"] + options + prepare(folder, work, spec) + [wasm] + spec.get("args", [])
    stdin = spec.get("stdin", "").encode()
    if spec.get("stdin_file"):
        with open(os.path.join(work, "stdin"), "wb") as f:
            f.write(stdin)
        run = ["sh", "-c", 'exec "$@" <stdin', "sh"] + run
    if spec.get("closed"):
        run = ["sh", "-c", 'exec "$@" ' + " ".join("%d>&-" % fd for fd in spec["closed"]), "sh"] + run
    got = tools.run(run, timeout=LIMIT, stdin=stdin, cwd=work)
    bad = differences(spec, got, "" if source.endswith(".c") else None, work)
    for line in bad:
        print("%s (%s): %s" % (name, " ".join([engine] + options), line))
    counts.failed += bool(bad)
    counts.passed += not bad
    if not bad:
        shutil.rmtree(work)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", nargs="+")
    p.add_argument("--engine", choices=["cot", "wasmtime", "both"], default="both")
    p.add_argument("--out")
    p.add_argument("--tsv")
    p.add_argument("--suite", default="WASI programs")
    p.add_argument("--also", action="append", default=[])
    a = p.parse_intermixed_args()
    folders = [os.path.abspath(x) for x in a.what if os.path.isdir(x)]
    filters = [x for x in a.what if not os.path.isdir(x)]
    root = os.path.abspath(a.out or os.path.join(tools.BUILD, "oracle", "wasi"))
    engines = [("cot", shlex.split(tools.COT), []), ("wasmtime", PEER, [])]
    engines = [e for e in engines if a.engine in (e[0], "both")]
    if a.engine != "wasmtime":
        engines += [("cot", shlex.split(tools.COT), x.split()) for x in a.also]
    total, rows, runs = Counts(), [], 0
    for number, folder in enumerate(folders):
        out, built = os.path.join(root, str(number)), {}
        os.makedirs(out, exist_ok=True)
        all_cases = list(cases(folder, filters))
        runs += len(all_cases)
        for engine, command, options in engines:
            counts = Counts()
            for case in all_cases:
                run_case(folder, case, engine, command, options, out, built, counts)
            total.add(counts)
            if engine == "cot" and not options:
                group = re.search("(?:.*/tests/)?([^/]+)", folder).group(1)
                rows.append([a.suite, group, counts.passed, counts.failed, counts.skipped, ""])
    if a.tsv:
        os.makedirs(os.path.dirname(os.path.abspath(a.tsv)), exist_ok=True)
        with open(a.tsv, "w") as f:
            f.writelines("\t".join(str(x) for x in row) + "\n" for row in rows)
    print("%d runs of WASI programs" % runs)
    print("%d passed, %d failed, %d skipped" % (total.passed, total.failed, total.skipped))
    return 1 if total.failed or (total.passed == 0 and not filters) else 0


if __name__ == "__main__":
    sys.exit(main())
