#!/usr/bin/env python3
"""For every opcode that is an operator and every type that its row allows: a function, with edge-case and random operands.

usage: clif_pairs.py ROOT OUT [SEED]   writes OUT/<opcode>.clif with `test compare`, for baseline and the levels x86-64-v2 to v4

Rows and sets of types are read from src/clif/opcodes.def and typesets.def, so a new opcode is covered by its row."""
import itertools
import os
import random
import re
import sys

INT, FLOAT = ["i8", "i16", "i32", "i64", "i128"], ["f16", "f32", "f64", "f128"]
WIDTH = {t: int(t[1:]) for t in INT + FLOAT}
INTCC = "eq ne slt sge sgt sle ult uge ugt ule".split()
FLOATCC = "ord uno eq ne one ueq lt le gt ge ult ule ugt uge".split()
SKIP = {"stack_switch", "extract_vector"}


class Type:
    def __init__(self, lane, lanes=1):
        self.lane, self.lanes = lane, lanes

    bits = property(lambda s: WIDTH[s.lane] * s.lanes)
    is_float = property(lambda s: s.lane[0] == "f")

    def __str__(self):
        return self.lane if self.lanes == 1 else "%sx%d" % (self.lane, self.lanes)

    def __eq__(self, o):
        return o is not None and str(self) == str(o)

    def resized(self, by, lanes_by):
        w, n = WIDTH[self.lane] * 2 ** by, self.lanes * 2 ** lanes_by
        lane = "%s%d" % (self.lane[0], w)
        return Type(lane, int(n)) if lane in WIDTH and n >= 1 and n == int(n) else None


ALL = [Type(l, n) for l in INT + FLOAT for n in (1, 2, 4, 8, 16) if n == 1 or WIDTH[l] * n in (64, 128)]
ALL = [t for t in ALL if t.bits <= 128]


def read_sets(root):
    sets = {}
    for m in re.finditer(r"CLIF_TYPESET\((\w+), ([\d, ]+),", open(root + "/src/clif/typesets.def").read()):
        il, ih, fl, fh, ll, lh = [int(x) for x in m.group(2).split(",")][:6]
        sets[m.group(1)] = [t for t in ALL if ll <= t.lanes <= lh and
                            (fl <= WIDTH[t.lane] <= fh if t.is_float else il <= WIDTH[t.lane] <= ih)]
    return sets


def read_rows(root):
    text = re.sub(r"/\*.*?\*/", "", open(root + "/src/clif/opcodes.def").read(), flags=re.S)
    for row in text.split("\nCLIF_OPCODE(")[1:]:
        head = re.match(r'(\w+), "(\w+)", (\w+), ([^,]+), (MONO|BY_ARG\(\d, \w+\)|BY_RESULT\(\w+\)),', row)
        operands = re.findall(r"\b([VI])\((\w+), (\w+(?:\(\w+\))?)\)", row[head.end():])
        results = re.search(r"\b(R0|RSIG|R1\(\w+, \w+(?:\(\w+\))?\)|R2\([^\"]*?\)\)?),\s*\"", row[head.end():])
        yield head.group(2), head.group(4), head.group(5), operands, results.group(1) if results else "R0"


def constrained(spec, ctrl, sets):
    """Types that an operand or result of this spec may have."""
    if spec == "T":
        return [ctrl]
    if spec == "LANE":
        return [Type(ctrl.lane)]
    if spec == "TRUTHY":
        return [Type("i8") if ctrl.lanes == 1 else Type("i" + ctrl.lane[1:], ctrl.lanes)]
    if spec in ("HALF", "DOUBLE", "SPLIT", "MERGE"):
        return [x for x in [ctrl.resized(*{"HALF": (-1, 0), "DOUBLE": (1, 0), "SPLIT": (-1, 1), "MERGE": (1, -1)}[spec])] if x]
    if spec in ("NARROWER", "WIDER"):
        return [t for t in ALL if t.lanes == ctrl.lanes and t.is_float == ctrl.is_float and
                (WIDTH[t.lane] < WIDTH[ctrl.lane]) == (spec == "NARROWER") and t.lane != ctrl.lane]
    name = re.match(r"(ONE_OF|LIKE|JUST)\((\w+)\)", spec)
    if name.group(1) == "JUST":
        m = re.match(r"([IF]\d+)(?:X(\d+))?$", name.group(2))
        return [Type(m.group(1).lower(), int(m.group(2) or 1))]
    return [t for t in sets[name.group(2)] if name.group(1) == "ONE_OF" or t.lanes == ctrl.lanes]


def lane_bits(rng, lane):
    w = WIDTH[lane]
    if lane[0] == "i":
        return rng.choice([0, 1, 2, 2 ** w - 1, 2 ** (w - 1), 2 ** (w - 1) - 1, rng.getrandbits(w), rng.getrandbits(w),
                           rng.getrandbits(w) >> rng.randrange(w)])
    t = {16: 10, 32: 23, 64: 52, 128: 112}[w]
    e, bias = 2 ** (w - 1 - t) - 1, 2 ** (w - 2 - t) - 1
    near = (bias + rng.randrange(-3, 70) % e) << t | rng.getrandbits(t)
    return rng.choice([0, bias << t, e << t, e << t | 1 << (t - 1), 1, rng.getrandbits(w - 1), near, near, near & ~(2 ** (t // 2) - 1)]) | \
        rng.getrandbits(1) << (w - 1)


def float_text(x, w):
    t = {16: 10, 32: 23, 64: 52, 128: 112}[w]
    e, frac, sign = x >> t & (2 ** (w - 1 - t) - 1), x & (2 ** t - 1), "-" if x >> (w - 1) else ""
    bias = 2 ** (w - 2 - t) - 1
    if e == 2 ** (w - 1 - t) - 1:
        quiet, payload = frac >> (t - 1), frac & (2 ** (t - 1) - 1)
        return (sign or "+") + ("Inf" if not frac else ("NaN" if quiet else "sNaN") + (":0x%x" % payload if payload or not quiet else ""))
    if e == 0 and frac == 0:
        return sign + "0.0"
    digits = (t + 3) // 4
    return "%s0x%d.%0*xp%d" % (sign, e > 0, digits, frac << (4 * digits - t), e - bias if e else 1 - bias)


def value(rng, t):
    lanes = [lane_bits(rng, t.lane) for _ in range(t.lanes)]
    if t.lanes > 1:
        return "0x%0*x" % (t.bits // 4, sum(l << (i * WIDTH[t.lane]) for i, l in enumerate(lanes)))
    return float_text(lanes[0], WIDTH[t.lane]) if t.is_float else "0x%x" % lanes[0]


def shapes(name, mode, operands, sets):
    """(controlling type or None, types of the value operands)"""
    if mode == "MONO":
        ctrls, by_arg = [None], None
    else:
        m = re.match(r"BY_(ARG|RESULT)\((?:(\d), )?(\w+)\)", mode)
        ctrls = sets[m.group(3)]
    for ctrl in ctrls:
        options = []
        for kind, _, spec in operands:
            if kind == "V":
                options.append(constrained(spec, ctrl, sets))
        for types in itertools.product(*options):
            if name == "bitcast" and types[0].bits != ctrl.bits:
                continue
            if name.startswith(("fcvt_", "x86_cvtt")) and types[0].lanes != ctrl.lanes:
                continue
            yield ctrl, types


def main():
    root, out = sys.argv[1:3]
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    sets = read_sets(root)
    os.makedirs(out, exist_ok=True)
    for name, flags, mode, operands, results in read_rows(root):
        kinds = {spec for kind, _, spec in operands if kind == "I"}
        if name in SKIP or results in ("R0", "RSIG") or re.search("LOAD|STORE|OTHER|CALL", flags):
            continue
        if kinds - {"INTCC", "FLOATCC", "UIMM8", "TRAPCODE"} - ({"MEMFLAGS"} if name == "bitcast" else set()):
            continue
        if not any(k == "V" for k, _, _ in operands):
            continue
        text, n = ["test compare", "target x86_64", "target x86_64 x86-64-v2", "target x86_64 x86-64-v3", "target x86_64 x86-64-v4", ""], 0
        for ctrl, types in shapes(name, mode, operands, sets):
            specs = re.findall(r", (\w+(?:\(\w+\))?)(?=[,)])", results)[:1] if results.startswith("R1") else \
                re.match(r"R2\(\w+, (\w+(?:\(\w+\))?), \w+, (\w+(?:\(\w+\))?)\)", results).groups()
            rets = [constrained(s, ctrl, sets) for s in specs]
            if not all(rets):
                continue
            suffix = "." + str(ctrl) if ctrl else ""
            extra = [None]
            if "INTCC" in kinds:
                extra = INTCC
            if "FLOATCC" in kinds:
                extra = FLOATCC
            if "UIMM8" in kinds:
                extra = sorted({0, ctrl.lanes - 1, rng.randrange(ctrl.lanes)})
            for x in extra:
                n += 1
                args = ["v%d" % i for i in range(len(types))]
                ops = ", ".join(args)
                if "INTCC" in kinds or "FLOATCC" in kinds:
                    ops = "%s %s" % (x, ops)
                elif "UIMM8" in kinds:
                    ops += ", %d" % x
                elif "TRAPCODE" in kinds:
                    ops += ", user1"
                elif name == "bitcast":
                    ops = "little " + ops
                r = ["v%d" % (len(types) + i) for i in range(len(rets))]
                text += ["function %%f%d(%s) -> %s {" % (n, ", ".join(map(str, types)), ", ".join(str(t[0]) for t in rets)),
                         "block0(%s):" % ", ".join("v%d: %s" % p for p in enumerate(types)),
                         "    %s = %s%s %s" % (", ".join(r), name, suffix, ops), "    return " + ", ".join(r), "}"]
                for _ in range(6 if len(extra) > 3 else 16):
                    text.append("; print: %%f%d(%s)" % (n, ", ".join(value(rng, t) for t in types)))
                text.append("")
        if n:
            open("%s/%s.clif" % (out, name), "w").write("\n".join(text))


if __name__ == "__main__":
    main()
