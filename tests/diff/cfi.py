"""Checks call frame information at every instruction, by following what the instructions do to registers and stack.

usage: cfi.py FILE...      objects, programs, libraries: every function of a symbol that has an entry in .eh_frame

readelf prints the rules (--debug-dump=frames-interp), objdump the instructions. Each function is run on symbols: a register
holds what a register held at entry, a distance from the frame's address (rsp before the call, which pushed the return
address), or something else; so does each word of the stack. Before every instruction that can be reached, the rules
must lead to the frame's address, to the return address, and to the caller's value of every register that has a rule,
and each register that functions keep must have a rule or hold the caller's value."""
import re
import subprocess
import sys

KEPT = ["rbx", "rbp", "r12", "r13", "r14", "r15"]
CALLER = ["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"]
ALL = KEPT + CALLER + ["rsp"]
SMALL, WIDTH = {}, {}
for _r in ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"]:
    c = _r[1:]
    SMALL.update({_r: _r, "e" + c: _r, c: _r, (c[0] if c[1] == "x" else c) + "l": _r})
for _n in range(8, 16):
    SMALL.update({f"r{_n}{s}": f"r{_n}" for s in ["", "d", "w", "b"]})
for _r in SMALL:
    numbered = _r[1:2].isdigit()
    WIDTH[_r] = 4 if _r[0] == "e" else {"b": 1, "w": 2, "d": 4}.get(_r[-1], 8) if numbered else 8 if _r[0] == "r" else 1 if _r[-1] == "l" else 2
READS = ("cmp", "test", "bt", "ucomis", "vucomis", "ptest", "vptest", "push", "j", "nop", "ud2", "call", "ret", "mfence", "int3", "data16")
MEM = re.compile(r"^(-?0x[0-9a-f]+)?\(%(r\w+)\)$")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout


def entries(path):
    """(first, end, [(address, cfa, {register: rule})])"""
    out, rows, columns, common, cies = [], None, [], None, {}
    for line in run("readelf", "--debug-dump=frames-interp", "-W", path).splitlines():
        m = re.match(r"([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ (CIE|FDE)(.*)", line)
        if m:
            where = re.search(r"cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)", m.group(3))
            rows = []
            if where:
                out.append((int(where.group(2), 16), int(where.group(3), 16), rows, cies[int(where.group(1), 16)]))
            else:
                cies[int(m.group(1), 16)] = rows
        elif re.match(r"\s+LOC\s+CFA", line):
            columns = line.split()[2:]
        elif rows is not None and re.match(r"[0-9a-f]{16} ", line):
            p = line.split()
            rows.append((int(p[0], 16), p[1], dict(zip(columns, p[2:]))))
    for first, end, rows, cie in out:
        if not rows or rows[0][0] != first:
            rows.insert(0, (first,) + cie[0][1:])
    return [(first, end, rows) for first, end, rows, _ in out]


def instructions(path):
    """address -> (bytes, text, relocation or None)"""
    out = {}
    for line in run("objdump", "-drw", path).splitlines():
        p = line.split("\t")
        if len(p) >= 3 and re.match(r"\s*[0-9a-f]+:$", p[0]):
            at = int(p[0].strip(" :"), 16)
            text = p[2]
            reloc = p[4] if len(p) > 4 else None
            code = bytes.fromhex(p[1].replace(" ", ""))
            out[at] = (code, re.sub(r"\s+", " ", text.split("#")[0].strip()), reloc)
    return out


def operands(text):
    out, depth, now = [], 0, ""
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            out.append(now)
            now = ""
        else:
            now += c
    return out + [now] if now else out


class State:
    """Registers and words of the stack: ("entry", register), ("frame", distance), or absent."""

    def __init__(self):
        self.regs = {r: ("entry", r) for r in ALL}
        self.regs["rsp"] = ("frame", -8)
        self.stack = {-8: ("entry", "return")}

    def copy(self):
        s = State.__new__(State)
        s.regs, s.stack = dict(self.regs), dict(self.stack)
        return s

    def meet(self, other):
        """Forgets what the other does not know as well; did that change anything?"""
        n = len(self.regs) + len(self.stack)
        self.regs = {k: v for k, v in self.regs.items() if other.regs.get(k) == v}
        self.stack = {k: v for k, v in self.stack.items() if other.stack.get(k) == v}
        return len(self.regs) + len(self.stack) != n

    def place(self, op):
        m = MEM.match(op)
        at = self.regs.get(m.group(2)) if m else None
        return at[1] + int(m.group(1) or "0", 16) if at and at[0] == "frame" else None

    def value(self, op):
        if op.startswith("%"):
            return self.regs.get(op[1:]) if op[1:] in ALL else None
        at = self.place(op)
        return self.stack.get(at) if at is not None else None

    def put(self, op, value, width=8):
        if op.startswith("%"):
            r = SMALL.get(op[1:])
            if r:
                self.regs.pop(r, None)
                if value and op[1:] == r:
                    self.regs[r] = value
            return
        at = self.place(op)
        if at is None:
            return  # elsewhere: what is saved is nobody else's
        for k in range(at - 7, at + width):
            self.stack.pop(k, None)
        if value and width == 8:
            self.stack[at] = value

    def move(self, r, by):
        at = self.regs.get(r)
        if at and at[0] == "frame":
            self.regs[r] = ("frame", at[1] + by)
        else:
            self.regs.pop(r, None)

    def step(self, text, before):
        name, _, rest = text.partition(" ")
        ops = operands(rest)
        last = ops[-1] if ops else ""
        if name == "push":
            value = self.value(last)
            self.move("rsp", -8)
            self.put("(%rsp)", value)
        elif name == "pop":
            value = self.value("(%rsp)")
            self.move("rsp", 8)
            self.put(last, value)
        elif name in ("sub", "add") and re.fullmatch(r"\$0x[0-9a-f]+", ops[0]) and last[1:] in ALL:
            # what a callee popped is taken back behind the call
            if last == "%rsp" and before.startswith("call") and name == "sub" and "probestack" not in before:
                return
            by = int(ops[0][1:], 16)
            by -= (by >> 63) << 64
            self.move(last[1:], by if name == "add" else -by)
        elif re.fullmatch("mov[bwlq]?", name) and len(ops) == 2:
            width = {"b": 1, "w": 2, "l": 4}.get(name[3:], 0) or (WIDTH.get(ops[0][1:], 8) if ops[0][0] == "%" else 8)
            self.put(last, self.value(ops[0]), width)
        elif name == "lea":
            at = self.place(ops[0])
            self.put(last, ("frame", at) if at is not None else None)
        elif name in ("movaps", "movups", "vmovaps", "vmovups", "movdqu") and len(ops) == 2 and MEM.match(last):
            at = self.place(last)
            if at is not None:
                for k in range(at - 7, at + 16):
                    self.stack.pop(k, None)
                self.stack[at] = ("saved", ops[0])
        elif name == "call":
            for r in CALLER:
                self.regs.pop(r, None)
        elif name == "xchg":
            for o in ops:
                self.put(o, None)
        elif not name.startswith(READS):
            if name in ("cltd", "cqto", "mul", "div", "idiv", "cmpxchg", "lock", "cmpxchg16b", "imul") or name.startswith(("mul", "imul", "div", "idiv")):
                self.put("%rax", None)
                self.put("%rdx", None)
            if name in ("rep",):
                for r in ("%rcx", "%rsi", "%rdi"):
                    self.put(r, None)
            if last:
                self.put(last, None)


def rule_holds(s, register, rule):
    want = ("entry", "return") if register == "ra" else ("entry", register)
    if rule in ("u", "s"):
        return register not in KEPT or s.regs.get(register) == want
    if rule.startswith("c"):
        if register.startswith("xmm"):
            return s.stack.get(int(rule[1:])) == ("saved", "%" + register)
        return s.stack.get(int(rule[1:])) == want
    return s.regs.get(rule) == want


def table_targets(code, at, first):
    """Where the indirect jump at the address goes by the table behind it; nowhere if there is none."""
    to = at + len(code[at][0])
    previous, texts = at, []
    for _ in range(8):
        previous = next((k for k in range(previous - 1, max(first, previous - 16) - 1, -1) if k in code), None)
        if previous is None:
            break
        texts.append(code[previous][1])
    count = [m for t in texts if (m := re.fullmatch(r"mov \$(0x[0-9a-f]+),%\w+", t))]
    if not count or not any(t.startswith("lea 0x") and "(%rip)" in t for t in texts):
        return []
    n, data, k = int(count[0].group(1), 16) + 1, b"", to
    while len(data) < 4 * n and k in code:
        data += code[k][0]
        k += len(code[k][0])
    return [to + int.from_bytes(data[4 * i:4 * i + 4], "little", signed=True) for i in range(n)]


def check(path):
    code = instructions(path)
    functions = good = unread = 0
    problems = []
    for first, end, rows in entries(path):
        functions += 1
        states, work, before = {first: State()}, [first], {}
        while work:
            at = work.pop()
            if at not in code:  # objdump lost its way in a table
                states.pop(at, None)
                unread += 1
                continue
            (b, text, reloc), name = code[at], code[at][1].split(" ")[0]
            s = states[at].copy()
            s.step(text, before.get(at, ""))
            follow = [] if name in ("jmp", "ret", "ud2") else [at + len(b)]
            m = re.match(r"j[a-z]+ ([0-9a-f]+)", text)
            if m and not reloc:
                follow.append(int(m.group(1), 16))
            if text.startswith("jmp *"):
                follow += table_targets(code, at, first)
            for f in follow:
                if not first <= f < end:
                    continue
                if f == at + len(b):
                    before[f] = text + " " + (reloc or "")
                if f not in states:
                    states[f] = s.copy()
                    work.append(f)
                elif states[f].meet(s):
                    work.append(f)
        row = 0
        for at in sorted(states):
            while row + 1 < len(rows) and rows[row + 1][0] <= at:
                row += 1
            _, cfa, rules = rows[row]
            s, m = states[at], re.fullmatch(r"(\w+)([+-]\d+)", cfa)
            wrong = []
            if s.regs.get(m.group(1)) != ("frame", -int(m.group(2))):
                wrong.append(f"the frame's address is told as {cfa}, but {m.group(1)} is {s.regs.get(m.group(1))}")
            rules = {**{r: "s" for r in KEPT}, **rules}
            wrong += [f"{r} is told as {x}" for r, x in rules.items() if not rule_holds(s, r, x)]
            if wrong:
                problems.append(f"{at:#x} `{code[at][1]}`: {'; '.join(wrong)}")
            else:
                good += 1
    if unread > good / 500:
        problems.append(f"{unread} places have no instruction")
    return functions, good, problems


def main():
    passed = failed = total = funcs = 0
    for path in sys.argv[1:]:
        functions, good, problems = check(path)
        total += good
        funcs += functions
        if problems or not good:
            failed += 1
            print(f"{path}: {len(problems)} of {good + len(problems)} instructions are wrong, {functions} functions")
            for p in problems[:12]:
                print(f"    {p}")
        else:
            passed += 1
    print(f"{funcs} functions, {total} instructions")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
