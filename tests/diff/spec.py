#!/usr/bin/env python3
"""Converts the Wasm spec suite to JSON scripts, runs `cot wast` on them, and accounts for every assertion.

usage: spec.py convert SUITE OUT            one folder per .wast under OUT; done again only when the source is newer
       spec.py run SUITE OUT [--class C]… [--tsv FILE] [--expect N] [-- FLAGS for cot wast]

Every assertion of classes.tsv must be counted once: passed + failed + skipped of a file is its count there, and its
reasons make up the skipped ones. A file whose sum differs is an error of its own kind (`lost`), never rounded away. A
skipped assertion is right only where a proposal is missing that the message names. FILE gets a line per file and reason
as scripts/conformance.py reads it.
"""
import argparse
import concurrent.futures
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def classes(suite):
    rows = []
    with open(os.path.join(suite, "classes.tsv")) as f:
        for line in f:
            if not line.startswith("#"):
                name, kind, count = line.rstrip("\n").split("\t")
                rows.append((name, kind, int(count)))
    return rows


def script_path(out, name):
    base = name[:-len(".wast")].replace("/", "_")
    return os.path.join(out, base, base + ".json")


def convert_one(wt, suite, out, name):
    """Text modules that are to be accepted become binary ones here, so that the script needs no text parser;
    assert_malformed on text stays as it is (the runner asks wasm-tools whether it refuses the text)."""
    src, dst = os.path.join(suite, name), script_path(out, name)
    if os.path.exists(dst) and os.path.getmtime(dst) > os.path.getmtime(src):
        return None
    folder = os.path.dirname(dst)
    os.makedirs(folder, exist_ok=True)
    tmp = dst + ".tmp"
    r = tools.run([wt, "json-from-wast", src, "-o", tmp, "--wasm-dir", folder])
    if r.code != 0:
        return "%s: json-from-wast: %s" % (name, r.err.decode(errors="replace").strip())
    with open(tmp) as f:
        doc = json.load(f)
    for cmd in doc["commands"]:
        if cmd.get("module_type") == "text" and cmd["type"] != "assert_malformed":
            text = os.path.join(folder, cmd["filename"])
            binary = cmd["filename"][:-len(".wat")] + ".wasm"
            r = tools.run([wt, "parse", text, "-o", os.path.join(folder, binary)])
            if r.code == 0:
                cmd["filename"], cmd["module_type"] = binary, "binary"
            elif cmd["type"] != "assert_invalid":
                return "%s: cannot parse %s" % (name, cmd["filename"])
    with open(tmp, "w") as f:
        json.dump(doc, f)
    os.replace(tmp, dst)
    return None


def convert(suite, out):
    wt = tools.wasm_tools()
    bad, rows = [], classes(suite)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = list(pool.map(lambda row: convert_one(wt, suite, out, row[0]), rows))
    for (name, _, count), problem in zip(rows, problems):
        if problem is None:
            with open(script_path(out, name)) as f:
                n = sum(c["type"].startswith("assert_") for c in json.load(f)["commands"])
            if n != count:
                problem = "%s: %d assertions in the script, %d in classes.tsv" % (name, n, count)
        if problem:
            bad.append(problem)
    for b in bad:
        print(b)
    return 1 if bad else 0


REASON = re.compile(r"^skipped (\d+): (.*)$", re.M)
PROPOSAL = re.compile(r"needs the (.*) proposal, which is not supported or is off$")
# Scripts of the time when a second memory or table was invalid.
OLDER = {"proposals/threads/imports.wast": ["-W", "multi-memory=off", "-W", "reference-types=off"],
         "proposals/threads/memory.wast": ["-W", "multi-memory=off"]}


# The executable itself is first on PATH for cot wast, which asks wasm-tools about text modules.
ENV = dict(os.environ, PATH=os.path.dirname(tools.wasm_tools()) + os.pathsep + os.environ.get("PATH", ""))


class Result:
    """What cot wast said of one file: counts, {proposal: skipped}, output; problem: None or what is wrong with the run."""

    def __init__(self, path, name, count, flags, timeout):
        r = tools.run([tools.COT, "wast"] + OLDER.get(name, []) + flags + [path], timeout=timeout, env=ENV)
        self.text = r.out.decode(errors="replace") + r.err.decode(errors="replace")
        found = COUNTS.findall(self.text)
        self.counts, self.reasons, self.problem = (0, count, 0), {}, None
        if r.timed_out or r.code not in (0, 1) or not found:
            self.problem = "cot wast: %s\n%s" % (r.describe(), "\n".join(self.text.strip().splitlines()[-5:]))
            return
        self.counts = tuple(int(x) for x in found[-1])
        for n, why in REASON.findall(self.text):
            proposal = PROPOSAL.search(why)
            if proposal is None:
                self.problem = "skipped for another reason than a proposal: " + why
            else:
                self.reasons[proposal.group(1)] = self.reasons.get(proposal.group(1), 0) + int(n)
        if sum(self.counts) != count:
            self.problem = "%d passed, %d failed, %d skipped make %d, not %d" % (self.counts + (sum(self.counts), count))
        elif sum(self.reasons.values()) != self.counts[2]:
            self.problem = "%d skipped, but the reasons make %d" % (self.counts[2], sum(self.reasons.values()))
        elif self.counts[1] or r.code:
            self.problem = "exit status %d\n%s" % (r.code, "\n".join(self.text.strip().splitlines()[-12:]))


def run_suite(a):
    rows = [r for r in classes(a.suite) if not a.classes or r[1] in a.classes]
    total, bad, out = [0, 0, 0], 0, []
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        results = pool.map(lambda r: Result(script_path(a.out, r[0]), r[0], r[2], a.flags, a.timeout), rows)
        for (name, kind, _), got in zip(rows, results):
            if got.problem or (a.strict and got.counts[2]):
                bad += 1
                print("%s: %s" % (name, got.problem or got.text.strip()))
            out.append((kind, name, got.counts[0], got.counts[1], 0, ""))
            out += [(kind, name, 0, 0, n, why) for why, n in sorted(got.reasons.items())]
            total = [x + y for x, y in zip(total, got.counts)]
    if a.tsv:
        os.makedirs(os.path.dirname(os.path.abspath(a.tsv)), exist_ok=True)
        with open(a.tsv, "w") as f:
            for kind, *row in out:
                f.write("\t".join(["WebAssembly spec suite, class " + kind] + [str(x) for x in row]) + "\n")
    if a.expect is not None and total[0] != a.expect:
        print("%d assertions passed where %d must" % (total[0], a.expect))
        bad += 1
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if bad else 0


def main():
    if len(sys.argv) >= 4 and sys.argv[1] == "convert":
        return convert(sys.argv[2], sys.argv[3])
    argv, flags = sys.argv[1:], []
    if "--" in argv:
        cut = argv.index("--")
        argv, flags = argv[:cut], argv[cut + 1:]
    p = argparse.ArgumentParser()
    p.add_argument("verb", choices=["run"])
    p.add_argument("suite")
    p.add_argument("out")
    p.add_argument("--class", dest="classes", action="append", default=[])
    p.add_argument("--tsv")
    p.add_argument("--expect", type=int)
    p.add_argument("--strict", action="store_true", help="any skipped assertion is an error")
    p.add_argument("--timeout", type=float, default=120)
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args(argv)
    a.flags = flags
    return run_suite(a)


if __name__ == "__main__":
    sys.exit(main())
