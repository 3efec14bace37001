"""Compares the encoder's bytes, as binutils' objdump reads them, with the printer's text.

x64_encodings.txt: per instruction "length<TAB>text"; x64_encodings.bin: the bytes. Both sides are normalised: size
suffixes, register names by number, immediates and displacements as integers modulo 2^64."""
import re
import subprocess
import sys

REG = {}
for n, names in enumerate(["al ax eax rax", "cl cx ecx rcx", "dl dx edx rdx", "bl bx ebx rbx", "spl sp esp rsp", "bpl bp ebp rbp",
                           "sil si esi rsi", "dil di edi rdi"]):
    for k, r in enumerate(names.split()):
        REG[r] = (n, 1 << k)
for n in range(8, 16):
    for k, s in enumerate(["b", "w", "d", ""]):
        REG[f"r{n}{s}"] = (n, 1 << k)
CC = {"c": "b", "nae": "b", "nc": "ae", "nb": "ae", "z": "e", "nz": "ne", "na": "be", "nbe": "a", "pe": "p", "po": "np", "nge": "l",
      "nl": "ge", "ng": "le", "nle": "g"}


def operands(s):
    out, depth, cur = [], 0, ""
    for c in s:
        depth += c == "("
        depth -= c == ")"
        if c == "," and depth == 0:
            out.append(cur.strip())
            cur = ""
        else:
            cur += c
    return out + [cur.strip()] if cur.strip() else out


def number(s):
    return int(s, 0) & (1 << 64) - 1


def operand(s):
    if s.startswith("$"):
        return "$%d" % number(s[1:])
    m = re.fullmatch(r"(-?0x[0-9a-f]+|-?\d+)?\((.*)\)", s)
    if m:
        regs = [x.strip().lstrip("%") for x in m.group(2).split(",")]
        base, index = regs[0], regs[1] if len(regs) > 1 else None
        scale = regs[2] if len(regs) > 2 else "1"
        if index == "riz":
            index = None
        if index and scale == "1":  # the encoder exchanges them where that saves a displacement
            base, index = sorted((base, index))
        return ("mem", number(m.group(1) or "0"), base, index, scale if index else "1")
    return s.lstrip("%")


def width(ops):
    for o in reversed(ops):
        if isinstance(o, str) and o in REG:
            return REG[o][1]
    return 0


def normal(text, ours):
    forced = text.startswith("{vex} ")
    name, _, rest = text.removeprefix("{vex} ").partition(" ")
    ops = [operand(o) for o in operands(rest)]
    if name == "movabs":
        name = "mov"
    m = re.fullmatch(r"(v?)cmp(eq|lt|le|unord|neq|nlt|nle|ord)(ps|pd)", name)
    if m:  # the immediate is in the name
        name = m.group(1) + "cmp" + m.group(3)
        ops = ["$%d" % "eq lt le unord neq nlt nle ord".split().index(m.group(2))] + ops
    vex = name.startswith("v")  # all operands are named
    if vex and not re.match("vcvtu?si2s", name):
        name = name[1:]
    prefix = ("{vex} " if forced else "") + ("v" if vex else "")
    name = {"pinsrd": "pinsrl", "pextrd": "pextrl", "cvttpd2dqx": "cvttpd2dq", "cvtpd2psx": "cvtpd2ps"}.get(name.replace("rex ", ""), name)
    if name in ("pextrw", "pextrb", "pmovmskb", "movmskps", "movmskpd") and ops[-1] in REG:
        ops[-1] = "r%d" % REG[ops[-1]][0]
    if name.startswith("test") and not str(ops[0]).startswith("$"):  # symmetric
        ops = sorted(ops, key=str)
    if ours and re.fullmatch("(not|neg)[bwlq]", name):
        ops = ops[:1]
    if name in ("movzbq", "movzw", "movzb") and isinstance(ops[-1], str) and ops[-1] in REG:  # 32 bits clear the rest
        ops[-1] = "r%d" % REG[ops[-1]][0]
    if name.startswith("movz") and not ours:
        ops[-1] = "r%d" % REG[ops[-1]][0]
    if name.startswith("movz") and ours and ops[-1] in REG:
        ops[-1] = "r%d" % REG[ops[-1]][0]
    if name.startswith("mov") and str(ops[0]).startswith("$") and ops[-1] in REG:
        n = number(ops[0][1:])
        ops = ["$%d" % (n & 0xFFFFFFFF if REG[ops[-1]][1] == 4 else n), "r%d" % REG[ops[-1]][0]]
        return prefix + "mov", tuple(ops)
    three = r"(andn|shlx|shrx|sarx|bzhi|mulx)[lq]|rorx|round|pshuf[dlh]|pmov"
    if vex and re.match(r"(fn?m|pdpbusd|permi2b|pternlogq)", name):
        ops = ops[:-1] if ours else ops
    elif ours and not vex and len(ops) >= 3 and ops[-1] == ops[-2] and not (name[:4] == "imul" and ops[0][0] == "$") and not re.match(three, name):
        ops = ops[:-1]
    m = re.fullmatch(r"(set|cmov)(.*)", name)
    if m:
        name = m.group(1) + CC.get(m.group(2), m.group(2))
    w = width(ops) or 8
    bits = 8 * w
    suffix = re.fullmatch(r"(add|or|and|sub|xor|cmp|test|adc|sbb|mov|imul|mul|not|neg|rol|ror|rcr|shl|shr|sar|lea|lzcnt|tzcnt|popcnt|andn|"
                          r"blsr|blsmsk|blsi|shlx|shrx|sarx|bzhi|mulx|rorx|bt|v?cvtu?si2ss|v?cvtu?si2sd|cvttss2si|cvttsd2si)([bwlq])", name)
    size = 0
    if suffix:
        name, size = suffix.group(1), {"b": 1, "w": 2, "l": 4, "q": 8}[suffix.group(2)]
    if name in ("movd", "movq"):
        name = "mov"
    name = {"movzbl": "movzb", "movzbq": "movzb", "movsbl": "movsb", "movsbq": "movsb", "movzwl": "movzw", "movzwq": "movzw", "movswl": "movsw",
            "movswq": "movsw", "movzbw": "movzb"}.get(name, name)
    out = []
    mask = (1 << 8 * (size or w)) - 1
    for o in ops:
        if isinstance(o, str) and o.startswith("$"):
            out.append(int(o[1:]) & (mask if name != "mov" else (1 << 8 * min(size or w, 8)) - 1))
        else:
            out.append(o)
    if name in ("rol", "ror", "rcr", "shl", "shr", "sar"):
        if len(out) == 1 or (len(out) == 2 and out[0] == out[1] and not ours):
            out = [1] + out[-1:]
    return prefix + name, tuple(out)


J = "jmp ud2 " + " ".join("j" + c for c in "o no b ae e ne be a s ns p np l ge le g".split())
CVT = "cvttss2si cvttsd2si vcvttss2usi vcvttsd2usi ucomiss ucomisd cmp mov movabs movq xorps xor addss addsd test " + J
# Mnemonics that a row with its own emission may consist of, size suffixes removed, `lock_` before one that must have the
# prefix; registers beside operands and scratch.
SEQUENCES = {
    "RET": ("pop ret", "g5"), "CALL": ("call movabs", ""), "CALL_R": ("call", ""), "JMP": ("jmp", ""), "JCC": (J, ""),
    "BR_TABLE": ("mov cmp cmovb lea movslq add test xor " + J, ""), "TRAP": ("ud2 mov movabs call", "g7"), "TRAPIF": (J, ""),
    "ZERO": ("xor", ""), "XZERO": ("xorps", ""), "XONES": ("pcmpeqd", ""), "INT3": ("int3", ""), "BSWAP": ("bswap", ""), "MFENCE": ("mfence", ""), "XCHG": ("xchg", ""),
    "DIVREM": ("test xor div idiv cltd cqto cmp mov movabs " + J, ""), "CLZ": ("bsr mov cmove xor", ""), "CTZ": ("bsf mov cmove", ""),
    "XCMOV": ("movaps " + J, ""), "FMINMAX": ("ucomiss ucomisd andps orps addss addsd minss minsd maxss maxsd " + J, ""),
    "CVT_SINT": (CVT, ""), "CVT_UINT": (CVT, ""), "CVT_FROM_U64": ("xorps test mov shr or cvtsi2ss cvtsi2sd addss addsd " + J, ""),
    "TAIL_CALL": ("pop jmp movabs", "g5"), "TAIL_CALL_R": ("pop jmp", "g5 g10"), "REP_MOVS": ("rep", "g6 g7 ds es"),
    "TLS": ("data16 lea mov call rex.W", "g0 g1 g7 gs"), "LABEL_ADDRESS": ("lea", ""), "GET_PINNED": ("mov", "g15"), "SET_PINNED": ("mov", "g15"),
    "XADD": ("lock_xadd", ""), "CMPXCHG": ("lock_cmpxchg", ""),
    "RMW": ("movzb movzw mov and or xor not cmp cmovg cmovl cmova cmovb lock_cmpxchg jne", ""),
    "CMPXCHG16B": ("lock_cmpxchg16b", ""),
    "RMW16B": ("mov add adc sub sbb and or xor not cmp cmovae cmovb cmovge cmovl lock_cmpxchg16b jne", ""),
    "SYM": ("movabs mov", ""), "MOVSP": ("mov", "g4"), "MOVFP": ("mov", "g5"),
}


def disassemble(path):
    text = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn", "-w", path],
                          capture_output=True, text=True, check=True).stdout
    out = {}
    for line in text.splitlines():
        m = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
        if m:
            out[int(m.group(1), 16)] = re.sub(r"\s+", " ", m.group(2).split("#")[0].strip())
    return out


def registers(text):
    for r in re.findall(r"%([a-z0-9]+)", text):
        if r.startswith("xmm"):
            yield "x" + r[3:]
        elif r in REG:
            yield "g%d" % REG[r][0]
        elif r != "rip":
            yield r


def sequences(build):
    """How many sequences are right and wrong. A sequence is wrong if it does not decode to its very end, or contains an
    instruction or a register that its row has no business with."""
    got = disassemble(f"{build}/x64_sequences.bin")
    at = good = wrong = 0
    for line in open(f"{build}/x64_sequences.txt"):
        n, row, operands = line.rstrip("\n").split("\t")
        end, why = at + int(n), None
        names, extra = SEQUENCES.get(row, ("", ""))
        names, allowed = names.split(), set(operands.split()) | set(extra.split()) | {"g11", "x15"}
        if row not in SEQUENCES:
            why = "SEQUENCES does not say what it may consist of"
        elif row != "RET" and at not in got:
            why = "does not begin an instruction"
        texts = [got[k] for k in range(at, end) if k in got]
        if end not in got and end != max(got) + 1 and end <= max(got):
            why = "runs into what follows"
        for t in texts:
            name = t.split(" ")[0]
            if name == "lock":
                name = "lock_" + t.split(" ")[1]
            if name not in names and name[:-1] not in names:
                why = f"`{t}`"
            elif not set(registers(t)) <= allowed:
                why = f"`{t}` names another register than {' '.join(sorted(allowed))}"
        if why:
            wrong += 1
            if wrong < 20:
                print(f"{row} at {at:#x}: {why}")
        else:
            good += 1
        at = end
    return good, wrong


def main():
    build = sys.argv[1]
    want = [line.rstrip("\n").split("\t") for line in open(f"{build}/x64_encodings.txt")]
    got = disassemble(f"{build}/x64_encodings.bin")
    at, bad, checked = 0, {}, {}
    for n, text in want:
        op = text.split(" ")[0]
        checked[op] = checked.get(op, 0) + 1
        theirs = got.get(at)
        if theirs is None or normal(theirs, False) != normal(text, True):
            bad.setdefault(op, []).append((at, text, theirs))
        at += int(n)
    for op, rows in bad.items():
        print(f"{op}: {len(rows)} of {checked[op]} differ, e.g. at {rows[0][0]:#x}: ours `{rows[0][1]}`, objdump `{rows[0][2]}`")
    differ = sum(map(len, bad.values()))
    good, wrong = sequences(build)
    at = 0
    for (n, _), text in zip(want, open(f"{build}/x64_decoded.txt")):  # the decoder's text is objdump's, letter for letter
        if re.sub(r"\s+", " ", text.strip()) == got.get(at):
            good += 1
        else:
            wrong += 1
            if wrong < 20:
                print(f"decoder at {at:#x}: ours `{text.strip()}`, objdump `{got.get(at)}`")
        at += int(n)
    print(f"{len(want) - differ + good} passed, {differ + wrong} failed, 0 skipped")
    return 1 if bad or wrong or not want or not good else 0


if __name__ == "__main__":
    sys.exit(main())
