#!/usr/bin/env python3
"""Turns the counts of test runs into a page.

usage: conformance.py FOLDER OUTPUT     FOLDER/*.tsv -> OUTPUT (Markdown)

A line of a .tsv file: suite, group, passed, failed, skipped, reason of the skipped ones ("" if none), separated by
tabs; lines that begin with # are comments. Files, suites and groups are in the order of their names, so the same runs
make the same page.
"""
import glob
import os
import sys


def read(folder):
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*.tsv"))):
        with open(path) as f:
            for number, line in enumerate(f, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                cells = line.split("\t")
                if len(cells) == 5:
                    cells.append("")
                if len(cells) != 6 or not all(c.isdigit() for c in cells[2:5]):
                    sys.exit("%s:%d: expected suite, group, passed, failed, skipped, reason" % (path, number))
                rows.append((cells[0], cells[1], int(cells[2]), int(cells[3]), int(cells[4]), cells[5]))
    return sorted(rows)


def total(rows):
    return [sum(r[i] for r in rows) for i in (2, 3, 4)]


def page(rows):
    out = ["# Conformance", "",
           "Written by `scripts/conformance.py` from the counts of `make check`; not edited by hand.", "",
           "| suite | passed | failed | skipped |", "|---|---:|---:|---:|"]
    suites = sorted({r[0] for r in rows})
    for s in suites:
        out.append("| %s | %d | %d | %d |" % ((s,) + tuple(total([r for r in rows if r[0] == s]))))
    for s in suites:
        mine = [r for r in rows if r[0] == s]
        out += ["", "## " + s, "", "| group | passed | failed | skipped | reason |", "|---|---:|---:|---:|---|"]
        out += ["| %s | %d | %d | %d | %s |" % r[1:] for r in mine]
        reasons = sorted({r[5] for r in mine if r[4]})
        if reasons:
            out += ["", "Skipped in all, by reason:", ""]
            out += ["- %s: %d" % (w or "no reason given", sum(r[4] for r in mine if r[5] == w)) for w in reasons]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = read(sys.argv[1])
    if rows:
        with open(sys.argv[2], "w") as f:
            f.write(page(rows))
    print("conformance: %d rows%s" % (len(rows), "" if rows else ", page left alone"))
