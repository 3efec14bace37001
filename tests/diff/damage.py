#!/usr/bin/env python3
"""Damaged files for 39-aot.sh, from a seed.

usage: damage.py files FILE COUNT FOLDER SEED         COUNT damaged copies of FILE in the new FOLDER
       damage.py refused COUNT SEED FILE COMMAND…     COMMAND refuses each damaged copy in one line, with status 1
       damage.py again COUNT SEED ENTRY OUT COMMAND…  COMMAND, whose standard output goes to OUT, where it is already, gives
                                                      the same for each damaged ENTRY of a cache, which is whole afterwards

Processes are started by posix_spawn, which costs half of what subprocess does."""
import os
import random
import re
import signal
import sys

LIMIT = 20  # seconds that one process may take: an alarm ends this one


def content(path):
    with open(path, "rb") as f:
        return f.read()


def store(path, data):
    with open(path, "wb") as f:
        f.write(data)


def spawn(command, out="/dev/null", err="err"):
    """The exit status, negative for a signal."""
    signal.alarm(LIMIT)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, out, flags, 0o600), (os.POSIX_SPAWN_OPEN, 2, err, flags, 0o600)])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def spoilt(good, r):
    """A few bytes changed, mostly at the beginning, where the tables are; sometimes cut off."""
    b = bytearray(good)
    for _ in range(r.choice((1, 1, 1, 2, 4, 16))):
        at = r.randrange(len(b)) if r.random() < .3 else r.randrange(min(len(b), 1500))
        way = r.randrange(5)
        if way == 0:
            b[at] ^= 1 << r.randrange(8)
        elif way == 1:
            b[at] = r.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif way == 2:
            b[at & ~3:(at & ~3) + 4] = r.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\1\0", r.randbytes(4)))
        elif way == 3:
            to = r.randrange(len(b))
            b[to:to + 16] = b[at:at + 16]
        elif r.random() < .2:
            b = b[:at + 1]
    return b


def broken(good, k, r):
    """Cut off; bits flipped; bytes put in; bytes copied over others."""
    b, way = bytearray(good), k % 4
    if way == 0:
        return b[:r.randrange(len(b))]
    if way == 1:
        for _ in range(r.randrange(1, 9)):
            b[r.randrange(len(b))] ^= 1 << r.randrange(8)
    elif way == 2:
        at = r.randrange(len(b))
        b[at:at] = bytes(r.randrange(256) for _ in range(r.randrange(1, 20)))
    else:
        at, to = r.randrange(len(b)), r.randrange(len(b))
        b[to:to + 16] = b[at:at + 16]
    return b


def files(file, count, folder, seed):
    good, r = content(file), random.Random(int(seed))
    os.mkdir(folder)
    for k in range(int(count)):
        store("%s/%d.cwasm" % (folder, k), spoilt(good, r))


def refused(count, seed, file, *command):
    good, r, seen = content(file), random.Random(int(seed)), 0
    line = re.compile(rb"bad\.cwasm(:0x[0-9a-f]+)?: error: [^\n]+\n")
    for k in range(int(count)):
        b = broken(good, k, r)
        if b == good:
            continue
        seen += 1
        store("bad.cwasm", b)
        status = spawn(list(command) + ["bad.cwasm"])
        said = content("err")
        if status != 1 or not line.fullmatch(said):
            sys.exit("number %d: status %d, %r" % (k, status, said[:200]))
    if seen < int(count) * 5 // 6:
        sys.exit("%d files" % seen)


def again(count, seed, entry, out, *command):
    good, want, r = content(entry), content(out), random.Random(int(seed))
    for k in range(int(count)):
        store(entry, spoilt(good, r) if k % 2 else broken(good, k // 2, r))
        status = spawn(list(command), out=out)
        said, got = content("err"), content(out)
        if status or said or got != want:
            sys.exit("number %d: status %d, %d bytes of %d, %r" % (k, status, len(got), len(want), said[:200]))
        if content(entry) != good:
            sys.exit("number %d: the entry was not stored again" % k)


if __name__ == "__main__":
    {"files": files, "refused": refused, "again": again}[sys.argv[1]](*sys.argv[2:])
