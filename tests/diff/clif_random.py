#!/usr/bin/env python3
"""Random functions: operators of many types, branches, jump tables, bounded loops, calls, memory on the stack.

usage: clif_random.py ROOT OUT COUNT [SEED]   writes OUT/random<k>.clif with `test compare`, COUNT functions in all

Each function returns a digest of what it computed, so a wrong value anywhere shows."""
import os
import random
import re
import sys

from clif_pairs import FLOATCC, INTCC, Type, constrained, read_rows, read_sets, value

TYPES = [Type(t) for t in ("i8", "i16", "i32", "i64", "i32", "i64", "f32", "f64")] + \
    [Type("i8", 16), Type("i16", 8), Type("i32", 4), Type("i64", 2), Type("f32", 4), Type("f64", 2)]
# What baseline x86-64 has no code for yet; a function with one of these would be skipped as a whole.
WITHOUT = re.compile(r"(clz|ctz|cls|popcnt|bitrev|bswap|umulhi|smulhi|[us](add|sub|mul)_overflow\w*|iconcat|isplit|swizzle|blendv|"
                     r"x86_\w+|fma|vall_true|fcvt_\w+|bmask|iabs|sqmul_round_sat|iadd_pairwise|fv\w+|\w+_sat|[us]?unarrow|snarrow|"
                     r"bitcast|scalar_to_vector|select_spectre_guard|avg_round|[us](div|rem)|fpromote|fdemote)$")


class Gen:
    def __init__(self, rng, rows, sets):
        self.rng, self.rows, self.sets = rng, rows, sets

    def fresh(self):
        self.n += 1
        return "v%d" % (self.n - 1)

    def emit(self, text, t):
        v = self.fresh()
        self.out.append("    %s = %s" % (v, text))
        self.vals.setdefault(str(t), []).append(v)
        return v

    def get(self, t):
        have = self.vals.get(str(t), [])
        if have and self.rng.random() < 0.9:
            return self.rng.choice(have)
        if t.lanes > 1:
            return self.emit("vconst.%s %s" % (t, value(self.rng, t)), t)
        op = {"f32": "f32const", "f64": "f64const"}.get(str(t), "iconst.%s" % t)
        return self.emit("%s %s" % (op, value(self.rng, t)), t)

    def operator(self):
        for _ in range(20):
            name, mode, operands, results = self.rng.choice(self.rows)
            ctrl = None
            if mode != "MONO":
                ctrl = self.rng.choice([t for t in self.sets[re.search(r"(\w+)\)$", mode).group(1)] if t in TYPES] or [None])
                if ctrl is None:
                    continue
            types = []
            for kind, _, spec in operands:
                if kind == "V":
                    ok = [t for t in constrained(spec, ctrl, self.sets) if t in TYPES]
                    types.append(self.rng.choice(ok) if ok else None)
            ret = constrained(re.match(r"R1\(\w+, (\w+(?:\(\w+\))?)\)", results).group(1), ctrl, self.sets)
            if None in types or not ret or ret[0] not in TYPES:
                continue
            args = ", ".join(self.get(t) for t in types)
            kinds = {spec for kind, _, spec in operands if kind == "I"}
            if "INTCC" in kinds:
                args = self.rng.choice(INTCC) + " " + args
            elif "FLOATCC" in kinds:
                args = self.rng.choice(FLOATCC) + " " + args
            elif "UIMM8" in kinds:
                args += ", %d" % self.rng.randrange(ctrl.lanes)
            self.emit("%s%s %s" % (name, ".%s" % ctrl if ctrl else "", args), ret[0])
            return

    def address(self):
        """No value that others may use: it differs between machine and interpreter."""
        v = self.fresh()
        self.out.append("    %s = stack_addr.i64 ss0" % v)
        return v

    def memory(self):
        t = self.rng.choice(TYPES)
        off = self.rng.randrange(0, 49)
        a = self.address()
        self.out.append("    store %s, %s+%d" % (self.get(t), a, off))
        t = self.rng.choice(TYPES)
        self.emit("load.%s %s+%d" % (t, a, self.rng.randrange(0, 49)), t)

    def digest(self):
        acc = self.get(Type("i64"))
        for t in ("i8", "i16", "i32"):
            if self.vals.get(t):
                acc = self.emit("bxor %s, %s" % (acc, self.emit("uextend.i64 %s" % self.vals[t][-1], Type("i64"))), Type("i64"))
        for t in ("i8x16", "i16x8", "i32x4", "i64x2"):
            if self.vals.get(t):
                v = self.vals[t][-1]
                if t != "i64x2":
                    v = self.emit("bitcast.i64x2 little %s" % v, Type("i64", 2))
                acc = self.emit("iadd %s, %s" % (acc, self.emit("extractlane %s, 1" % v, Type("i64"))), Type("i64"))
        return acc

    def function(self, name, callee):
        rng = self.rng
        params = [rng.choice(TYPES) for _ in range(rng.randrange(1, 7))]
        self.n, self.out, blocks = 0, [], rng.randrange(2, 7)
        inner = [[Type("i64")] + [rng.choice(TYPES) for _ in range(rng.randrange(3))] for _ in range(blocks)]
        vals = {}
        names = [self.fresh() for _ in params]
        for v, t in zip(names, params):
            vals.setdefault(str(t), []).append(v)
        head = ", ".join("%s: %s" % p for p in zip(names, params))
        lines = ["function %%%s(%s) -> i64 {" % (name, ", ".join(map(str, params))), "    ss0 = explicit_slot 64, align = 16"]
        if callee:
            lines.append("    fn0 = %%%s(%s) -> i64" % (callee[0], ", ".join(map(str, callee[1]))))
        lines.append("block0(%s):" % head)
        entry = {k: list(v) for k, v in vals.items()}
        self.vals = vals
        a = self.address()
        zero = self.emit("vconst.i64x2 0x00", Type("i64", 2))
        for off in (0, 16, 32, 48):
            self.out.append("    store %s, %s+%d" % (zero, a, off))

        def call(b):
            return "block%d(%s)" % (b + 1, ", ".join([fuel] + [self.get(t) for t in inner[b][1:]]))
        fuel = self.emit("iconst.i64 %d" % rng.randrange(1, 12), Type("i64"))
        self.out.append("    jump " + call(0))
        lines += self.out
        for b in range(blocks):
            self.out, self.vals = [], {k: list(v) for k, v in entry.items()}
            fuel = self.fresh()
            ps = [fuel]
            for t in inner[b][1:]:
                v = self.fresh()
                self.vals.setdefault(str(t), []).append(v)
                ps.append(v)
            lines.append("block%d(%s):" % (b + 1, ", ".join("%s: %s" % p for p in zip(ps, map(str, inner[b])))))
            for _ in range(rng.randrange(1, 12)):
                self.memory() if rng.random() < 0.15 else self.operator()
            if callee and rng.random() < 0.4:
                self.emit("call fn0(%s)" % ", ".join(self.get(t) for t in callee[1]), Type("i64"))
            if b == blocks - 1:
                self.out.append("    return " + self.digest())
            elif b and rng.random() < 0.4:  # back, while there is fuel
                one = self.emit("iconst.i64 -1", Type("i64"))
                less = self.fresh()
                self.out.append("    %s = iadd %s, %s" % (less, fuel, one))
                fuel = less
                more = self.fresh()
                self.out.append("    %s = icmp sgt %s, %s" % (more, less, one))
                self.out.append("    brif %s, %s, %s" % (more, call(rng.randrange(b)), call(b + 1)))
            elif rng.random() < 0.25:
                x = self.get(Type("i32"))
                self.out.append("    br_table %s, %s, [%s]" % (x, call(rng.randrange(b + 1, blocks)), ", ".join(
                    call(rng.randrange(b + 1, blocks)) for _ in range(rng.randrange(4)))))
            else:
                c = self.get(rng.choice([Type("i8"), Type("i32"), Type("i64")]))
                self.out.append("    brif %s, %s, %s" % (c, call(rng.randrange(b + 1, blocks)), call(rng.randrange(b + 1, blocks))))
            lines += self.out
        lines.append("}")
        for _ in range(8):
            lines.append("; print: %%%s(%s)" % (name, ", ".join(value(rng, t) for t in params)))
        return lines + [""], params


def main():
    root, out, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    sets = read_sets(root)
    rows = []
    for name, flags, mode, operands, results in read_rows(root):
        kinds = {spec for kind, _, spec in operands if kind == "I"}
        if not results.startswith("R1") or re.search("LOAD|STORE|OTHER|CALL|TRAP", flags) or kinds - {"INTCC", "FLOATCC", "UIMM8"}:
            continue
        if any(k == "V" for k, _, _ in operands) and not WITHOUT.match(name) and name != "extract_vector":
            rows.append((name, mode, operands, results))
    os.makedirs(out, exist_ok=True)
    done = k = 0
    while done < count:
        g, text, callee = Gen(rng, rows, sets), ["test compare", "target x86_64", "target x86_64 x86-64-v3", ""], None
        for j in range(min(20, count - done)):
            lines, params = g.function("f%d" % j, callee)
            callee = ("f%d" % j, params)
            text += lines
            done += 1
        open("%s/random%d.clif" % (out, k), "w").write("\n".join(text))
        k += 1


main()
