#!/usr/bin/env python3
"""Turns the counts of test runs into a page.

usage: conformance.py FOLDER OUTPUT     FOLDER/*.tsv -> OUTPUT (Markdown)

A line of a .tsv file: suite, group, passed, failed, skipped, reason of the skipped ones ("" if none), names of the files
they are in, if known, separated by spaces; the columns are separated by tabs. Lines that begin with # are comments; a
group may have several lines, one per reason. Suites, groups and reasons are in the order of their names, so the same runs
make the same page. Groups of which everything passed are counted, the others listed.
"""
import glob
import os
import sys

MOST_REASONS = 8  # in one cell


def read(folder):
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*.tsv"))):
        with open(path) as f:
            for number, line in enumerate(f, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                cells = line.split("\t")
                cells += [""] * (7 - len(cells)) if len(cells) >= 5 else []
                if len(cells) != 7 or not all(c.isdigit() for c in cells[2:5]):
                    sys.exit("%s:%d: expected suite, group, passed, failed, skipped, reason, files" % (path, number))
                if (int(cells[4]) > 0) != (cells[5] != ""):
                    sys.exit("%s:%d: what is skipped has a reason" % (path, number))
                rows.append((cells[0], cells[1], int(cells[2]), int(cells[3]), int(cells[4]), cells[5], tuple(cells[6].split())))
    return sorted(rows)


def total(rows):
    return tuple(sum(r[i] for r in rows) for i in (2, 3, 4))


def names(rows, column):
    return sorted({r[column] for r in rows})


def page(rows):
    out = ["# Conformance", "",
           "Written by `scripts/conformance.py` from the counts of `make check`; not edited by hand. Each assertion is counted",
           "once. What is skipped says what it needs: a proposal that its module was refused for, code that a CLIF test waits for.", "",
           "| suite | groups | passed | failed | skipped |", "|---|---:|---:|---:|---:|"]
    suites = names(rows, 0)
    for s in suites:
        mine = [r for r in rows if r[0] == s]
        out.append("| %s | %d | %d | %d | %d |" % ((s, len(names(mine, 1))) + total(mine)))
    for s in suites:
        mine = [r for r in rows if r[0] == s]
        by_group = [(g, total([r for r in mine if r[1] == g]), [r[5] for r in mine if r[1] == g and r[5]])
                    for g in names(mine, 1)]
        partial = [g for g in by_group if g[1][1] or g[1][2]]
        if not partial:
            continue
        out += ["", "## " + s, "", "| skipped | needs |", "|---:|---|"]
        by_reason = [(sum(r[4] for r in mine if r[5] == w), w) for w in names(mine, 5) if w]
        out += ["| %d | %s |" % x for x in sorted(by_reason, key=lambda x: (-x[0], x[1]))]
        out += ["", "Everything passed in %d of the %d groups. The others:" % (len(by_group) - len(partial), len(by_group)),
                "", "| group | passed | failed | skipped | needs |", "|---|---:|---:|---:|---|"]
        out += ["| %s | %d | %d | %d | %s |" % ((g,) + t + (", ".join(why) if len(why) <= MOST_REASONS else "%d reasons, listed above" % len(why),))
                for g, t, why in partial]
        for _, w in sorted(by_reason, key=lambda x: (-x[0], x[1])):
            files = sorted({f for r in mine if r[5] == w for f in r[6]})
            if files:
                out += ["", "Files for which *%s*: %s." % (w, ", ".join("`%s`" % f for f in files))]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = read(sys.argv[1])
    if rows:
        with open(sys.argv[2], "w") as f:
            f.write(page(rows))
    print("conformance: %d rows%s" % (len(rows), "" if rows else ", page left alone"))
