#!/usr/bin/env python3
"""Limits and depth. Each row of src/image/limits.def has a module that is just at the limit and one beyond it: `cot validate`
accepts the first and refuses the second with FILE:0xOFFSET and the number. Then modules that are deep or wide where a
compiler would recurse or take quadratic time, run with a small stack.

usage: limits.py [--out DIR] [FILTER…]"""
import argparse
import os
import re
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

STACK = 256 << 10
PLACE = re.compile(r"^[^:]+:0x([0-9a-f]+): error: (.*)$", re.M)


def u(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def section(number, count, entries):
    body = u(count) + entries
    return bytes([number]) + u(len(body)) + body


HEAD = b"\0asm\1\0\0\0"
VOID = section(1, 1, b"\x60\0\0")


def function(body, params=b"\x7f", results=b"\x7f"):
    """A module with one function, exported as f."""
    return (HEAD + section(1, 1, b"\x60" + u(len(params)) + params + u(len(results)) + results) + section(3, 1, b"\0") +
            section(7, 1, b"\1f\0\0") + section(10, 1, u(len(body)) + body))


def distinct_exports(n):
    return b"".join(b"\4" + i.to_bytes(4, "big").hex().encode()[-4:] + b"\0\0" if i < 1 << 16 else
                    b"\5" + b"%05x" % i + b"\0\0" for i in range(n))


# What makes a module with n of the thing that a row of limits.def bounds.
MAKE = {
    "TYPES": lambda n: HEAD + section(1, n, b"\x60\0\0" * n),
    "PARAMS": lambda n: HEAD + section(1, 1, b"\x60" + u(n) + b"\x7e" * n + b"\0"),
    "RESULTS": lambda n: HEAD + section(1, 1, b"\x60\0" + u(n) + b"\x7d" * n),
    "IMPORTS": lambda n: HEAD + section(2, n, b"\0\0\3\x7f\0" * n),
    "FUNCS": lambda n: HEAD + VOID + section(2, 1, b"\0\0\0\0") + section(3, n - 1, bytes(n - 1)) +
    section(10, n - 1, b"\2\0\x0b" * (n - 1)),
    "TABLES": lambda n: HEAD + section(2, 1, b"\0\0\1\x70\0\0") + section(4, n - 1, b"\x70\0\0" * (n - 1)),
    "MEMORIES": lambda n: HEAD + section(2, 1, b"\0\0\2\0\0") + section(5, n - 1, b"\0\0" * (n - 1)),
    "GLOBALS": lambda n: HEAD + section(2, 1, b"\0\0\3\x7f\0") + section(6, n - 1, b"\x7f\0\x41\0\x0b" * (n - 1)),
    "EXPORTS": lambda n: HEAD + VOID + section(3, 1, b"\0") + section(7, n, distinct_exports(n)) +
    section(10, 1, b"\2\0\x0b"),
    "ELEM_SEGMENTS": lambda n: HEAD + section(9, n, b"\1\0\0" * n),
    "DATA_SEGMENTS": lambda n: HEAD + section(11, n, b"\1\0" * n),
    "SEGMENT_ELEMS": lambda n: HEAD + VOID + section(3, 1, b"\0") + section(9, 1, b"\1\0" + u(n) + bytes(n)) +
    section(10, 1, b"\2\0\x0b"),
    "FUNC_BYTES": lambda n: function(b"\0" + b"\0" * (n - 2) + b"\x0b"),
    "LOCALS": lambda n: function(b"\1" + u(n - 1) + b"\x7f\x20\0\x0b"),
    "NAME_BYTES": lambda n: HEAD + VOID + section(2, 1, u(n) + b"n" * n + b"\0\0\0"),
    "TABLE_ELEMS": lambda n: HEAD + VOID + section(3, 1, b"\0") + section(4, 1, b"\x70\0" + u(n)) +
    section(7, 1, b"\1f\0\0") + section(10, 1, b"\2\0\x0b"),
}
# Shown by unit tests: what a module cannot have without as many bytes.
ELSEWHERE = {"MODULE_BYTES": "tests/unit/wasm/test_limits.c"}
AT_INSTANTIATION = {"TABLE_ELEMS"}


def rows():
    with open(os.path.join(tools.ROOT, "src", "image", "limits.def")) as f:
        for name, value, text in re.findall(r'^WASM_LIMIT\((\w+), ([0-9 <]+), "(.*)"\)', f.read(), re.M):
            base, _, shift = value.partition("<<")
            yield name, int(base) << int(shift or 0), text


def chain(n):
    return b"\0" + b"\x02\x40\x20\0\x0d\0\x0b" * n + b"\x20\0\x0b"


# name: (depth, argument, expected result, body). What is deep or wide is named by the depth.
DEEP = {
    "nested blocks": (1000000, 3, 3, lambda n: b"\0" + b"\x02\x40" * n + b"\x0b" * n + b"\x20\0\x0b"),
    "nested blocks with a value": (1000000, 3, 3, lambda n: b"\0" + b"\x02\x7f" * n + b"\x20\0" + b"\x0b" * n + b"\x0b"),
    "nested loops": (100000, 3, 3, lambda n: b"\0" + b"\x03\x40" * n + b"\x0b" * n + b"\x20\0\x0b"),
    "nested loops that use outer values":
        (50000, 0, 0, lambda n: b"\1\1\x7f" + b"\x03\x40\x20\0\x20\1\x6a\x21\1" * n + b"\x20\0\x0d\0\x0b" * n + b"\x20\1\x0b"),
    "nested ifs": (100000, 0, 0, lambda n: b"\0" + b"\x20\0\x04\x40" * n + b"\x0b" * n + b"\x20\0\x0b"),
    "nested ifs with a value":
        (100000, 1, 1, lambda n: b"\0" + b"\x20\0\x04\x7f" * n + b"\x20\0" + b"\x05\x41\7\x0b" * n + b"\x0b"),
    "a chain of blocks": (100000, 5, 5, chain),
    "operands on the stack": (1000, 2, 2000, lambda n: b"\0" + b"\x20\0" * n + b"\x6a" * (n - 1) + b"\x0b"),
    "operands on the stack, many": (100000, 2, 200000, lambda n: b"\0" + b"\x20\0" * n + b"\x6a" * (n - 1) + b"\x0b"),
    "branches out of all depths":
        (20000, 1, 1, lambda n: b"\0" + b"\x02\x7f" * n + b"\x20\0" +
         b"".join(b"\x20\0\x0d" + u(n - 1 - i) + b"\x0b" for i in range(n)) + b"\x0b"),
    "br_table targets":
        (1000000, 7, 7, lambda n: b"\0" + b"\x02\x40" * 100 + b"\x20\0\x0e" + u(n) + b"".join(u(i % 100) for i in range(n)) +
         b"\x63" + b"\x0b" * 100 + b"\x20\0\x0b"),
    "locals":
        (50000, 4, 4, lambda n: b"\1" + u(n - 1) + b"\x7f" + b"".join(b"\x20" + u(i - 1) + b"\x21" + u(i) for i in range(1, n)) +
         b"\x20" + u(n - 1) + b"\x0b"),
    "instructions": (500000, 0, 0, lambda n: b"\0\x20\0" + b"\x20\0\x6a" * n + b"\x0b"),
}


def small_stack():
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, resource.RLIM_INFINITY))


class Checks:
    def __init__(self, out, filters):
        self.out, self.filters = out, filters
        self.passed = self.failed = 0

    def wanted(self, name):
        return not self.filters or any(f in name for f in self.filters)

    def write(self, data):
        path = os.path.join(self.out, "limit.wasm")
        with open(path, "wb") as f:
            f.write(data)
        return path

    def say(self, name, problem, seconds):
        if problem is None:
            self.passed += 1
            print("%6.2f s  %s" % (seconds, name))
        else:
            self.failed += 1
            print("%s: %s" % (name, problem))

    def limit(self, name, value):
        for n, good in ((value, True), (value + 1, False)):
            path, begin = self.write(MAKE[name](n)), time.time()
            cmd = ["run", "--invoke", "f", path] if name in AT_INSTANTIATION else ["validate", path]
            r = tools.run([tools.COT] + cmd, timeout=120, preexec=small_stack)
            text = r.err.decode(errors="replace")
            problem = None
            if good and (r.code != 0 or r.err):
                problem = "%s: %s" % (r.describe(), text[:200])
            elif not good:
                found = PLACE.search(text)
                if r.code != 1 or len(text.strip().split("\n")) != 1:
                    problem = "%s: %s" % (r.describe(), text[:200])
                elif name in AT_INSTANTIATION:
                    problem = None if str(value) in text else "the message does not name the limit: " + text
                elif not found or str(value) not in found.group(2) or int(found.group(1), 16) > os.path.getsize(path):
                    problem = "no place or number: " + text
            self.say("%s: %d %s" % (name, n, "accepted" if good else "refused"), problem, time.time() - begin)

    def deep(self, name):
        depth, argument, want, body = DEEP[name]
        path = self.write(function(body(depth)))
        for flags in (["-j1"], ["-j2", "-W", "bounds=explicit"]):
            begin = time.time()
            r = tools.run([tools.COT, "run"] + flags + ["--invoke", "f", path, str(argument)], timeout=120, preexec=small_stack)
            problem = None
            if r.code != 0 or r.out.strip() != str(want).encode():
                problem = "%s, %r: %s" % (r.describe(), r.out[:80], r.err.decode(errors="replace")[:200])
            self.say("%d: %s, %s" % (depth, name, " ".join(flags)), problem, time.time() - begin)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", default=os.path.join(tools.BUILD, "oracle"))
    p.add_argument("filters", nargs="*")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    c = Checks(a.out, a.filters)
    with open(os.path.join(tools.ROOT, "docs", "wasm.md")) as f:
        page = f.read()
    for name, value, text in rows():
        if not c.wanted(name):
            continue
        c.say(name + " is documented", None if "| %d | %s |" % (value, text) in page else "not in docs/wasm.md", 0)
        if name in MAKE:
            c.limit(name, value)
        elif name not in ELSEWHERE:
            c.say(name, "a row of limits.def that nothing tests", 0)
    for name in DEEP:
        if c.wanted(name):
            c.deep(name)
    print("%d passed, %d failed, 0 skipped" % (c.passed, c.failed))
    return 1 if c.failed else 0


if __name__ == "__main__":
    sys.exit(main())
