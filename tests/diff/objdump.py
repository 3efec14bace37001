"""Compares the listings of `cot objdump` with binutils' objdump, which reads the same bytes.

usage: objdump.py COT [-- OPTIONS] FILE...

Each instruction must have the length and, letter for letter, the text that objdump gives it; the place that a jump or call
names may be a name instead, but a label must be where it is. No byte may be left out or told twice, and what is no
instruction may be in tables and among constants only."""
import re
import subprocess
import sys
import tempfile

LINE = re.compile(r" *([0-9a-f]+): ((?: [0-9a-f]{2})+)(?:  +(\S.*))?$")
NEAR = re.compile(r"(?:data16 rex\.W )?(?:j[a-z]+|call) +([^* ].*)")


def read(text):
    """Pieces: (name, lines); a line is (address, bytes, text or None, is data, labels in front)."""
    pieces, labels, data = [], [], False
    for line in text.splitlines():
        m = LINE.match(line)
        if m:
            said = m.group(3)
            said = None if said is None or said.startswith("; ") else said.split(" ; ")[0].rstrip()
            pieces[-1][1].append((int(m.group(1), 16), bytes.fromhex(m.group(2).replace(" ", "")), said, data, labels))
            labels = []
        elif re.fullmatch(r"L\d+:", line):
            labels = labels + [line[:-1]]
        elif line == "const:":
            data = True
        elif line and not line.startswith("    ;"):
            pieces.append((line, []))
            data = False
    return pieces


def disassemble(code):
    with tempfile.NamedTemporaryFile() as f:
        f.write(code)
        f.flush()
        out = subprocess.run(["objdump", "-D", "-w", "-b", "binary", "-m", "i386:x86-64", f.name], capture_output=True, text=True, check=True).stdout
    got = {}
    for line in out.splitlines():
        p = line.split("\t")
        if len(p) >= 3:
            got[int(p[0].strip(" :"), 16)] = (len(p[1].split()), p[2].split("#")[0].rstrip())
    return got


def check(text):
    good, problems = 0, []
    pieces = read(text)
    if not pieces:
        return 0, ["nothing is printed"]
    for name, lines in pieces:
        if not lines:
            continue
        base = lines[0][0]
        code, labels, at = bytearray(), {}, base
        for address, b, said, data, before in lines:
            if address != at:
                problems.append(f"{name} {address:#x} follows {at:#x}")
            at = address + len(b)
            for l in before:
                labels[l] = address
            is_code = said is not None and not said.startswith(".long")
            code += b if is_code else b"\x90" * len(b)
            padding = not any(b) and len(b) < 16
            if said is None and not data and not padding:
                problems.append(f"{name} {address:#x}: no instruction, {b.hex(' ')}")
        got = disassemble(code)
        for address, b, said, data, before in lines:
            if said is None:
                continue
            if said.startswith(".long"):
                to, of = re.fullmatch(r"\.long +(L\d+) - (L\d+)", said).groups()
                if to in labels and (labels[to] - labels[of]) & 0xFFFFFFFF == int.from_bytes(b, "little"):
                    good += 1
                else:
                    problems.append(f"{name} {address:#x}: `{said}` is {b.hex(' ')}")
                continue
            n, theirs = got.get(address - base, (0, ""))
            ours, near, there = said, NEAR.fullmatch(said), NEAR.fullmatch(theirs)
            if near and there:
                place = near.group(1)
                if place in labels and labels[place] != int(there.group(1).split()[0], 16) + base:
                    problems.append(f"{name} {address:#x}: {place} is not there")
                ours, theirs = said[: near.start(1)], theirs[: there.start(1)]
            if n == len(b) and ours == theirs:
                good += 1
            else:
                problems.append(f"{name} {address:#x}: ours `{said}`, {len(b)} bytes; objdump `{theirs}`, {n}")
    return good, problems


def main():
    cot, args = sys.argv[1], sys.argv[2:]
    options = []
    if args and args[0] == "--":
        n = args.index("--", 1)
        options, args = args[1:n], args[n + 1:]
    passed = failed = total = 0
    for f in args:
        p = subprocess.run([cot, "objdump", *options, f], capture_output=True, text=True, errors="replace")
        good, problems = check(p.stdout) if p.returncode == 0 else (0, [p.stderr])
        total += good
        failed += len(problems) > 0
        passed += not problems
        for x in problems[:5]:
            print(f"{f}: {x}")
    print(f"{total} instructions and table entries")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
