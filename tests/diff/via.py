#!/usr/bin/env python3
"""Stands in for `cot` in tests that run modules, and goes by way of a file: `via.py KIND run [OPTIONS] FILE [ARGS…]` compiles
FILE to one of KIND and runs that with the same input, output, arguments and exit status.

KIND: cwasm (a precompiled module, run by `cot run`), exe (a program). Options that concern compilation are given to `cot compile`,
those that concern the run to the run, the others to both; for a program all are compiled in. COT_VIA names the cot."""
import os
import sys
import tempfile

COT = os.environ["COT_VIA"]
FLAGS_COMPILE = ("-O0", "-O2")
VALUES_COMPILE = ("--cpu-features", "-j", "--regalloc")
VALUES_RUN = ("--dir", "--dir-ro", "--env", "--invoke")


def split(args):
    """(for compile, for run, file, arguments)"""
    compiling, running, at = [], [], 0
    while at < len(args) and args[at].startswith("-") and args[at] != "-":
        a = args[at]
        at += 1
        if a in FLAGS_COMPILE:
            compiling.append(a)
        elif a in VALUES_COMPILE:
            compiling += [a, args[at]]
            at += 1
        elif a in VALUES_RUN:
            running += [a, args[at]]
            at += 1
        elif a == "-W":
            compiling += [a, args[at]]
            running += [a, args[at]]
            at += 1
        else:
            sys.exit("via.py: unknown option " + a)
    return compiling, running, args[at], args[at + 1:]


def exe_options(compiling, running):
    """What `cot run` would be given is compiled in."""
    at = 0
    while at < len(running):
        if running[at] != "-W":
            compiling = compiling + running[at:at + 2]
        at += 2
    return compiling


def main():
    kind, verb = sys.argv[1], sys.argv[2]
    if verb != "run":
        os.execv(COT, [COT] + sys.argv[2:])
    compiling, running, file, args = split(sys.argv[3:])
    with tempfile.TemporaryDirectory(prefix="cot-via-") as folder:
        out = os.path.join(folder, os.path.basename(file).replace(".wasm", "") + "." + kind)
        if kind == "exe":
            compiling = exe_options(compiling, running)
        status = os.spawnv(os.P_WAIT, COT, [COT, "compile"] + compiling + [file, "--emit", kind, "-o", out])
        if status:
            return status
        if kind == "exe":
            status = os.spawnv(os.P_WAIT, out, [file] + args)
        else:
            status = os.spawnv(os.P_WAIT, COT, [COT, "run"] + running + [out] + args)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
