#!/usr/bin/env python3
"""Stands in for `cot` in tests that run modules, and goes by way of a file: `via.py KIND run [OPTIONS] FILE [ARGS…]` compiles
FILE to one of KIND and runs that with the same input, output, arguments and exit status.

KIND: cwasm (a precompiled module, run by `cot run`), exe (a program), obj (an object, linked to a program with tests/aot/run.c and
libcotrt), shared (a library, loaded by such a program). Options that concern compilation are given to `cot compile`,
those that concern the run to the run, the others to both; for a program all are compiled in; obj and shared get directories and
variables by their environment. COT_VIA names the cot, BUILD its folder. COT_VIA_RUN is tests/aot/run.c as an object without module
(obj) or as the program that loads (shared): else it is compiled. COT_VIA_LINK has options for linking, separated by spaces; of groups
separated by semicolons the file's name chooses one."""
import os
import sys
import tempfile
import zlib

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


ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
NAME = "module_of_the_test"


def spawn(cmd, env=None, name=None):
    return os.spawnvpe(os.P_WAIT, cmd[0], [name or cmd[0]] + cmd[1:], dict(os.environ, **(env or {})))


def program(kind, folder, out, file):
    """The program of tests/aot/run.c for the file; None if it cannot be made."""
    made = os.environ.get("COT_VIA_RUN")
    if kind == "shared" and made:
        return made
    path, source = os.path.join(folder, "run"), os.path.join(ROOT, "tests", "aot", "run.c")
    cmd = ["cc", "-I" + os.path.join(ROOT, "include"), "-I" + os.path.join(BUILD, "gen"), "-o", path]
    if kind == "obj":
        groups = os.environ.get("COT_VIA_LINK", "").split(";")
        cmd += groups[zlib.crc32(file.encode()) % len(groups)].split() + ["-DMODULE=%s_module" % NAME, out]
    cmd += [made or source, os.path.join(BUILD, "lib", "libcotrt.a"), "-lm", "-pthread", "-ldl"]
    return None if spawn(cmd) else path


def grants(running):
    """Environment variables for what `cot run` would be given."""
    env, dirs, names, at = {}, [], [], 0
    for at in range(0, len(running), 2):
        option, value = running[at], running[at + 1]
        if option in ("--dir", "--dir-ro"):
            dirs.append(("ro:" if option == "--dir-ro" else "") + value)
        if option == "--env":
            names.append(value.split("=")[0])
            if "=" in value:
                env[names[-1]] = value.split("=", 1)[1]
    return dict(env, COT_DIRS=",".join(dirs), COT_ENV=",".join(names))


def run(kind, folder, out, running, file, args):
    if kind == "cwasm":
        return spawn([COT, "run"] + running + [out] + args)
    if kind == "exe":
        return spawn([out] + args, name=file)
    made = program(kind, folder, out, file)
    env = dict(grants(running), MODULE_LIBRARY=out, MODULE_SYMBOL=NAME + "_module")
    return 1 if made is None else spawn([made] + args, env, file)


def main():
    kind, verb = sys.argv[1], sys.argv[2]
    if verb != "run":
        os.execv(COT, [COT] + sys.argv[2:])
    compiling, running, file, args = split(sys.argv[3:])
    ends = {"obj": ".o", "shared": ".so", "cwasm": ".cwasm", "exe": ""}
    with tempfile.TemporaryDirectory(prefix="cot-via-") as folder:
        out = os.path.join(folder, "out" + ends[kind])
        if kind == "exe":
            compiling = exe_options(compiling, running)
        if kind in ("obj", "shared"):
            compiling += ["--name", NAME]
        status = spawn([COT, "compile"] + compiling + [file, "--emit", kind, "-o", out])
        if not status:
            status = run(kind, folder, out, running, file, args)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
