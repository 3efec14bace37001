"""Runs every sample of reject.txt through rulec and compares the errors, all of them, with the expected ones."""
import pathlib
import re
import subprocess
import sys
import tempfile

rulec, here = sys.argv[1], pathlib.Path(__file__).parent
samples, name = {}, None
for text in (here / "reject.txt").read_text().splitlines():
    if text.startswith("== "):
        name = text[3:]
        assert name not in samples, name
        samples[name] = ([], [])
    elif name is not None:
        expected = re.fullmatch(r"=> (\d+:\d+): (.*)", text)
        if expected:
            samples[name][0].append(expected.groups())
        else:
            samples[name][1].append(text)

failed = 0
prelude = "\n".join(samples.pop("PRELUDE")[1]) + "\n"
with tempfile.TemporaryDirectory() as tmp:
    pre, path = pathlib.Path(tmp, "prelude.isle"), pathlib.Path(tmp, "sample.isle")
    pre.write_text(prelude)
    for name, (expected, program) in samples.items():
        path.write_text("\n".join(program) + "\n")
        run = subprocess.run([rulec, str(pre), str(path), "-o", str(pathlib.Path(tmp, "out.c"))],
                             capture_output=True, text=True)
        got = [line for line in run.stderr.splitlines() if "/prelude.isle" not in line.split(" error: ")[0]]
        want = [f"{path}:{at}: error: {msg}" for at, msg in expected]
        ok = run.returncode == 1 and len(got) == len(want)
        for g, w in zip(got, want):
            at, _, msg = w.partition(" error: ")
            ok = ok and g.startswith(at + " error: ") and msg in g
        if not ok:
            failed += 1
            print(f"{name}: exit {run.returncode}\n  want: " + "\n        ".join(want) +
                  "\n  got:  " + "\n        ".join(got))
print(f"rulec reject: {len(samples)} samples, {failed} failed")
sys.exit(failed != 0)
