"""Throws damaged rule files at rulec: it must end with status 0 or 1, never crash, hang or run out of memory.

Usage: mutate.py RULEC SEED COUNT.  The inputs are the samples of this folder with tokens and bytes deleted, doubled,
swapped or replaced.
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

rulec, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
here = pathlib.Path(__file__).parent
corpus = [(here / "run.isle").read_text(), re.sub(r"(?m)^(==|=>|#).*$", "", (here / "reject.txt").read_text())]
WORDS = ["(", ")", "@", "_", "and", "x", "let", "if-let", "18446744073709551616", "-", "$K", "E.C", "\0", "\xff", "(;",
         "decl", "multi", "partial", "pure", "rec", "rule", "extern", "lower", "u8", "T", "((((((((", "\n(", "0x", "9"]


def damage(text):
    tokens = re.findall(r"\s+|[()@]|[^\s()@]+", text)
    start = rng.randrange(len(tokens))
    tokens = tokens[:start + rng.randrange(1, 400)] if rng.random() < 0.3 else tokens
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        i, j, what = rng.randrange(len(tokens)), rng.randrange(len(tokens)), rng.randrange(5)
        if what == 0:
            tokens[i] = ""
        elif what == 1:
            tokens[i] = tokens[j]
        elif what == 2:
            tokens[i] += rng.choice(WORDS) + " "
        elif what == 3:
            tokens[i] = rng.choice(WORDS)
        else:
            tokens[i:j] = tokens[i:j] * 2 if abs(i - j) < 200 else []
            tokens = tokens or ["("]
    return "".join(tokens).encode("utf-8", "replace")


# Deep nesting, long chains of macros, and macros that double at each level.
special = [b"(" * 100000, b"(rule " + b"(f " * 100000, b"(rule (f x) " + b"(f " * 5000 + b")" * 5000 + b")"]
chain = "(type T (primitive T)) (decl m0 (T) T) (extern extractor m0 m0) (decl q (T) T)\n"
for k in range(1, 3000):
    chain += f"(decl m{k} (T) T) (extractor (m{k} x) (m{k - 1} x))\n"
special.append((chain + "(rule (q (m2999 x)) x)").encode())
double = chain.split("\n", 1)[0]
for k in range(1, 60):
    double += f"(decl m{k} (T) T) (extractor (m{k} x) (and (m{k - 1} x) (m{k - 1} x)))\n"
special.append((double + "(rule (q (m59 x)) x)").encode())
lets = "(type T (primitive T)) (decl q (T) T) (decl pure g (T T) T) (extern constructor g g) (rule (q x) (let ("
special.append((lets + "".join(f"(x T (g x x))\n" for _ in range(6000)) + ") x))").encode())

bad = accepted = 0
with tempfile.TemporaryDirectory() as tmp:
    path = pathlib.Path(tmp, "m.isle")
    for n in range(count + len(special)):
        data = special[n] if n < len(special) else damage(rng.choice(corpus))
        path.write_bytes(data)
        try:
            run = subprocess.run([rulec, str(path), "-o", str(path.with_suffix(".c"))], capture_output=True, timeout=20)
            status = run.returncode
        except subprocess.TimeoutExpired:
            status = "timeout"
        accepted += status == 0
        if status not in (0, 1) or (status == 1) != (b": error: " in run.stderr):
            bad += 1
            keep = pathlib.Path(tempfile.gettempdir(), f"rulec-mutant-{seed}-{n}.isle")
            keep.write_bytes(data)
            print(f"mutant {n}: {status}, kept as {keep}")
print(f"rulec mutate: seed {seed}: {count + len(special)} inputs, {accepted} accepted, {bad} bad")
sys.exit(bad != 0)
