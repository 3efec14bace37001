"""Checks the machine code in the expectations of `test compile precise-output` with binutils' objdump.

usage: clif_code.py ROOT FOLDER...       check
       clif_code.py ROOT --show FILE     print the file with each line's bytes disassembled

Of each line `;   text   bytes`, the bytes must decode to whole instructions. An instruction of the table must be the one
that objdump reads, operands included (frame slots, constants and labels by their base register alone); an
instruction with its own emission may consist of what x64_encodings.py lists for it. Traps must be told for an instruction
that can fault, relocations for a field of zeros inside an instruction, return addresses and handlers for the places
that they name."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import x64_encodings as enc

LINE = re.compile(r";     (\S.*?)\s*((?: [0-9a-f]{2})+)$")
MORE = re.compile(r";\s+((?:[0-9a-f]{2} )*[0-9a-f]{2})$")
FIELD = {"abs8": 8, "x86_call_plt": 4, "x86_gotpcrel4": 4, "x86_mov_gotpcrel4": 4, "x86_pcrel4": 4, "x86_call_pcrel4": 4, "elf_x86_tlsgd": 4,
         "macho_x86_tlv": 4, "coff_x86_secrel": 4}
# of instructions without a row: moves between allocations, the frame
MOVES = "mov movaps movups movsd movss xchg"
PROLOGUE = "push mov sub lea movups movaps movdqu cmp ja jb jae jbe ud2 call movabs test movl movq orq or"


class Function:
    def __init__(self, name, line):
        self.name, self.line = name, line
        self.lines = []  # text, offset, length, line number
        self.code = bytearray()
        self.traps, self.relocs, self.returns, self.handlers = [], [], [], []


def special_rows(root):
    rows = {}
    for m in re.finditer(r'X64_INST\((\w+), "([^"]*)", SPECIAL, ([^,]*)', open(f"{root}/src/isa/x64/insts.def").read()):
        rows.setdefault(m.group(2), []).append((m.group(1), "CC" in m.group(3)))
    return rows


def read(path):
    functions, part = [], "code"
    for number, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        m = re.match(r"function (\S+?)\(", line)
        if m:
            functions.append(Function(m.group(1), number))
            part = "code"
            continue
        if not functions or not line.startswith("; ") or line.startswith(";;"):
            continue
        f = functions[-1]
        if re.match(r"; [a-z]", line):
            part = "code" if line.startswith("; block") else line[2:].rstrip(":").split(":")[0]
        elif part == "code":
            m = LINE.match(line)
            if m:
                f.lines.append([m.group(1), len(f.code), 0, number])
                f.code += bytes.fromhex(m.group(2).replace(" ", ""))
                f.lines[-1][2] = len(f.code) - f.lines[-1][1]
                continue
            m = MORE.match(line)
            if m and f.lines:
                f.code += bytes.fromhex(m.group(1).replace(" ", ""))
                f.lines[-1][2] = len(f.code) - f.lines[-1][1]
        elif part == "traps":
            f.traps.append((int(line.split()[1], 16), number))
        elif part == "relocations":
            f.relocs.append((int(line.split()[1], 16), line.split()[2], number))
        elif part.startswith("handlers"):
            words = line.split()
            f.returns.append((int(words[1], 16), number))
            f.handlers += [(int(w, 16), number) for w in words[2:] if w.startswith("0x")]
    return functions


def memory_by_base(op):
    """An operand whose displacement or label the listing does not know: its base register alone."""
    if isinstance(op, tuple) and op[0] == "mem":
        return ("mem", op[2])
    m = re.fullmatch(r"(?:const|ss\d+|args|tail_args)[+\-0-9a-fx]*\((%\w+)\)", str(op)) or re.fullmatch(r"(slot)\d+", str(op))
    if m:
        return ("mem", "rsp" if m.group(1) == "slot" else m.group(1).lstrip("%"))
    return op


def same(theirs, ours):
    a, b = enc.normal(theirs, False), enc.normal(ours, True)
    if a == b:
        return True
    if not re.search(r"const\+|\bss\d+|args|slot\d+|\(%rsp\)", ours):
        return lea_as_add(theirs, ours)
    ours = re.sub(r"(?:const|ss\d+|args|tail_args)[+\-0-9a-fx]*\(", "0x0(", ours)
    ours = re.sub(r"slot\d+", "0x0(%rsp)", ours)
    a, b = enc.normal(theirs, False), enc.normal(ours, True)
    return (a[0], tuple(map(memory_by_base, a[1]))) == (b[0], tuple(map(memory_by_base, b[1])))


def lea_as_add(theirs, ours):
    """lea k(d), d and lea (d,x), d become additions."""
    m = re.fullmatch(r"lea[lq] (.*), (%\w+)", ours)
    if not m or not theirs.startswith("add"):
        return False
    _, disp, base, index, _ = enc.operand(m.group(1))
    ops = enc.normal(theirs, False)[1]
    to = {enc.REG[r][0] for r in (base, index, m.group(2).lstrip("%")) if r}
    named = {enc.REG[o][0] for o in ops if isinstance(o, str)}
    return named <= to and (index is not None or ops[0] & 0xFFFFFFFF == disp & 0xFFFFFFFF)


def check_line(text, got, rows):
    """Why the instructions are not what the text says; None if they are."""
    names = [t.replace("lock ", "lock_").split(" ")[0] for t in got]
    word = text.split(" ")[0]
    if word == "move":
        a, b = text[5:].split(", ")
        regs = {r for r in enc.registers(" ".join(got))}
        want = {r for r in enc.registers(a + " " + b)} | ({"g4"} if "slot" in text else set())
        return None if regs == want and set(names) <= set(MOVES.split()) else "is not that move"
    if word == "prologue":
        wrong = set(names) - set(PROLOGUE.split()) - {n for n in names if n[:-1] in PROLOGUE.split()}
        return f"has {wrong}" if wrong else None
    if word == "fill":
        return None if all(n.startswith(("nop", "xchg", "cs", "data16")) for n in names) else "has an effect"
    if word == "trap":
        return None if names in (["ud2"], ["mov", "mov", "call"]) or "call" in names else "is no trap"
    for known, choices in sorted(rows.items(), key=lambda r: -len(r[0])):
        rest = text[len(known):]
        if not text.startswith(known) or (not choices[0][1] and rest[:1] not in ("", " ")):
            continue
        if choices[0][1] and not re.match(r"(o|no|b|ae|e|ne|be|a|s|ns|p|np|l|ge|le|g)( |$)", rest):
            continue
        if known in ("xor", "xorps", "pcmpeqd", "mov %rsp,") and text.count(",") > 1:
            continue
        allowed = " ".join(enc.SEQUENCES.get(row, ("", ""))[0] for row, _ in choices).split()
        if known.startswith("j"):
            allowed = allowed + ["jmp"]
        if known in ("ret", "return_call"):
            allowed += "mov movups movaps lea add sub leave movabs".split()
        if known == "symbol":
            allowed += ["lea", "add"]
        if known == "call":
            allowed += ["sub", "lea"]
        wrong = [n for n in names if n not in allowed and n[:-1] not in allowed]
        if known == "br_table":
            wrong = []  # its table lies between the instructions
        return f"has {wrong}, may have {sorted(set(allowed))}" if wrong else None
    if len(got) == 2 and names[0] == "xorps":  # clears the destination first
        got = got[1:]
    if len(got) != 1:
        return f"is {len(got)} instructions"
    return None if same(got[0], text) else f"reads `{got[0]}`"


def check(path, functions, decoded, base, rows):
    good, wrong = 0, []
    for f, start in zip(functions, base):
        ends = {}
        for text, at, n, number in f.lines:
            if text == "constants":
                continue
            starts = [k for k in range(at, at + n) if start + k in decoded]
            why = None
            table = text.startswith("br_table")
            if at not in starts:
                why = "does not begin an instruction"
            elif not table and start + at + n not in decoded and at + n != len(f.code):
                why = "does not end with an instruction"
            else:
                why = check_line(text, [decoded[start + k] for k in starts], rows)
            for k in starts:
                ends[k] = decoded[start + k]
            if why:
                wrong.append(f"{path}:{number}: `{text}` {why}")
            else:
                good += 1
        for at, number in f.traps:
            text = ends.get(at, "")
            if not re.search(r"ud2|\(|div", text):
                wrong.append(f"{path}:{number}: no instruction that traps: `{text}`")
            else:
                good += 1
        for at, kind, number in f.relocs:
            inside = [k for k in ends if k < at < k + 16]
            if not inside or kind not in FIELD or any(f.code[at:at + FIELD[kind]]):
                wrong.append(f"{path}:{number}: no field of zeros inside an instruction")
            else:
                good += 1
        for at, number in f.returns:
            before = max((k for k in ends if k < at), default=0)
            if "call" not in ends.get(before, ""):
                wrong.append(f"{path}:{number}: no call returns there")
            else:
                good += 1
        for at, number in f.handlers:
            if at not in ends and at != len(f.code):
                wrong.append(f"{path}:{number}: no instruction at a handler")
            else:
                good += 1
    return good, wrong


def disassemble(functions, folder):
    """One file of all functions, each at a multiple of 64; what objdump reads at each offset, and where each begins."""
    out, base = bytearray(), []
    for f in functions:
        out += b"\x90" * (-len(out) % 64)
        base.append(len(out))
        end = next((l[1] for l in f.lines if l[0] == "constants"), len(f.code))
        out += f.code[:end]
        out += b"\x90" * 16
    path = os.path.join(folder, "clif_code.bin")
    with open(path, "wb") as o:
        o.write(out)
    return enc.disassemble(path), base


def show(path, folder):
    functions = read(path)
    decoded, base = disassemble(functions, folder)
    at = {}
    for f, start in zip(functions, base):
        for text, off, n, number in f.lines:
            at[number] = [decoded[start + k] for k in range(off, off + n) if start + k in decoded and text != "constants"]
    for number, line in enumerate(open(path), 1):
        print(line, end="")
        for t in at.get(number, []):
            print("            " + t)


def main():
    root, args = sys.argv[1], sys.argv[2:]
    folder = os.environ.get("WORK", "/tmp")
    if args[0] == "--show":
        show(args[1], folder)
        return 0
    rows = special_rows(root)
    good, wrong, files = 0, [], 0
    for where in args:
        for path in sorted(glob.glob(where + "/**/*.clif", recursive=True)):
            text = open(path).read()
            if not re.search(r"^test compile.* precise-output", text, re.M) or "target x86_64" not in text:
                continue
            functions = [f for f in read(path) if f.lines]
            if not functions:  # refused, as expected
                continue
            files += 1
            decoded, base = disassemble(functions, folder)
            g, w = check(path, functions, decoded, base, rows)
            good += g
            wrong += w
    for w in wrong[:40]:
        print(w)
    print(f"{files} files")
    print(f"{good} passed, {len(wrong)} failed, 0 skipped")
    return 1 if wrong or not good else 0


sys.exit(main())
