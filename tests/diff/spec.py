#!/usr/bin/env python3
"""Converts the Wasm spec suite to JSON scripts, runs `cot wast` on them, and accounts for every assertion.

usage: spec.py convert SUITE OUT            one folder per .wast under OUT; done again only when the source is newer
       spec.py run SUITE OUT [--class C]… [--tsv FILE] [--expect N] [-- FLAGS for cot wast]

Every assertion of classes.tsv must be counted once: passed + failed + skipped of a file is its count there. A file
whose sum differs is an error of its own kind (`lost`), never rounded away.
"""
import argparse
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
    bad = []
    for name, _, count in classes(suite):
        problem = convert_one(wt, suite, out, name)
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


REASON = re.compile(r"skipped \(([^)]*)\)")


def run_file(path, flags, timeout):
    r = tools.run([tools.COT, "wast"] + flags + [path], timeout=timeout)
    text = r.out.decode(errors="replace") + r.err.decode(errors="replace")
    found = COUNTS.findall(text)
    reason = REASON.findall(text)
    if r.timed_out or r.code not in (0, 1) or not found:
        return None, r.describe(), text
    return tuple(int(x) for x in found[-1]), reason[-1] if reason else "", text


def run_suite(a):
    rows, total, bad, lost = [], [0, 0, 0], 0, 0
    for name, kind, count in classes(a.suite):
        if a.classes and kind not in a.classes:
            continue
        got, note, text = run_file(script_path(a.out, name), a.flags, a.timeout)
        if got is None:
            print("%s: cot wast: %s" % (name, note))
            print("\n".join("    " + x for x in text.strip().splitlines()[-5:]))
            got, bad = (0, count, 0), bad + 1
        elif sum(got) != count:
            print("%s: %d passed, %d failed, %d skipped make %d, not %d" % ((name,) + got + (sum(got), count)))
            lost += 1
        elif got[1] or (a.strict and got[2]):
            print("\n".join(text.strip().splitlines()[-12:]))
        rows.append((name, kind, count) + got + (note,))
        total = [x + y for x, y in zip(total, got)]
    if a.tsv:
        os.makedirs(os.path.dirname(os.path.abspath(a.tsv)), exist_ok=True)
        with open(a.tsv, "w") as f:
            f.write("# file\tclass\tassertions\tpassed\tfailed\tskipped\treason\n")
            for row in rows:
                f.write("\t".join(str(x) for x in row) + "\n")
    if bad:
        print("%d files crashed or hung" % bad)
    ok = not bad and not lost
    if a.strict:
        ok = ok and total[1] == 0 and total[2] == 0
    if a.expect is not None and total[0] != a.expect:
        print("%d assertions passed where %d must" % (total[0], a.expect))
        ok = False
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 0 if ok else 1


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
    p.add_argument("--strict", action="store_true", help="any failed or skipped assertion is an error")
    p.add_argument("--timeout", type=float, default=120)
    a = p.parse_args(argv)
    a.flags = flags
    return run_suite(a)


if __name__ == "__main__":
    sys.exit(main())
