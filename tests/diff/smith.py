#!/usr/bin/env python3
"""Random valid modules: what Wasmtime does with them is written down as a wast-style JSON script, and `cot wast` must
agree. See README.md beside this file.

usage: smith.py [--count N] [--seed S] [--out DIR] [--jobs J] [--batch B] [--generate-only] [-- FLAGS for cot wast]
       smith.py --module FILE.wasm [--seed S] [--out DIR]      one given module instead of random ones
"""
import argparse
import concurrent.futures
import ctypes
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tools

FUEL = 400
LIMITS = {
    "simd-enabled": "false", "relaxed-simd-enabled": "false", "gc-enabled": "false", "threads-enabled": "false",
    "memory64-enabled": "false", "tail-call-enabled": "false", "exceptions-enabled": "false",
    "compact-imports-enabled": "false", "custom-descriptors-enabled": "false", "custom-page-sizes-enabled": "false",
    "wide-arithmetic-enabled": "false", "shared-everything-threads-enabled": "false",
    "extended-const-enabled": "true", "canonicalize-nans": "true", "export-everything": "true",
    "memory-max-size-required": "true", "table-max-size-required": "true", "max-memory32-bytes": "1048576",
    "max-table-elements": "300", "max-tables": "4", "max-imports": "8",
}

# What the random modules may import: every kind of thing, functions with and without results, one that traps.
PROVIDER = """(module
  (memory (export "mem") 1 4) (data (i32.const 100) "provider data")
  (table (export "tf") 8 20 funcref) (table (export "te") 4 9 externref)
  (elem (table 0) (i32.const 2) func $inc $mix $trap)
  (global (export "gi") i32 (i32.const 77)) (global (export "gl") i64 (i64.const -5))
  (global (export "gf") f32 (f32.const 1.5)) (global (export "gd") f64 (f64.const -2.25))
  (global $m (export "mi") (mut i32) (i32.const 3)) (global (export "ml") (mut i64) (i64.const 9))
  (func $inc (export "inc") (global.set $m (i32.add (global.get $m) (i32.const 1))))
  (func (export "id") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 31)))
  (func $mix (export "mix") (param i64 i32 f64 f32) (result i64)
    (i64.add (i64.xor (local.get 0) (i64.extend_i32_s (local.get 1)))
             (i64.add (i64.trunc_sat_f64_s (local.get 2)) (i64.trunc_sat_f32_u (local.get 3)))))
  (func (export "many") (result i32 i64 f32 f64) (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4))
  (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "refs") (param funcref externref) (result externref funcref) (local.get 1) (local.get 0))
  (func $trap (export "trap") (param i32) (result i32)
    (if (i32.and (local.get 0) (i32.const 1)) (then unreachable)) (i32.const 11)))"""

MEMORY_CHECK = """(module (import "m" "%s" (memory 0)) (func (export "hash") (result i64 i32)
  (local $h i64) (local $p i32) (local $e i32)
  (local.set $h (i64.const -3750763034362895579)) (local.set $e (i32.shl (memory.size) (i32.const 16)))
  (block $done (loop $next (br_if $done (i32.ge_u (local.get $p) (local.get $e)))
    (local.set $h (i64.mul (i64.xor (local.get $h) (i64.load8_u (local.get $p))) (i64.const 1099511628211)))
    (local.set $p (i32.add (local.get $p) (i32.const 1))) (br $next)))
  (local.get $h) (memory.size)))"""

TABLE_CHECK = """(module (import "m" "%s" (table 0 %s)) (func (export "hash") (result i64 i32)
  (local $h i64) (local $p i32) (local.set $h (i64.const 7))
  (block $done (loop $next (br_if $done (i32.ge_u (local.get $p) (table.size 0)))
    (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31))
                           (i64.extend_i32_u (ref.is_null (table.get 0 (local.get $p))))))
    (local.set $p (i32.add (local.get $p) (i32.const 1))) (br $next)))
  (local.get $h) (table.size 0)))"""

POOL = {
    "i32": [0, 1, 2, 3, 7, 8, 31, 32, 33, 100, 255, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF8000],
    "i64": [0, 1, 2, 63, 64, 65, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 128],
    "f32": [0, 0x80000000, 1, 0x00800000, 0x3F800000, 0xBF800000, 0x3F000000, 0x40200000, 0x4F000000, 0x4F800000,
            0xCF000000, 0x5F000000, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FA00000],
    "f64": [0, 2**63, 1, 0x0010000000000000, 0x3FF0000000000000, 0xBFF0000000000000, 0x3FE0000000000000,
            0x4004000000000000, 0x41DFFFFFFFC00000, 0x41E0000000000000, 0x41F0000000000000, 0xC1E0000000200000,
            0x43E0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000],
}

TRAPS = {"MEMORY_OUT_OF_BOUNDS": "out of bounds memory access", "INDIRECT_CALL_TO_NULL": "uninitialized element",
         "BAD_SIGNATURE": "indirect call type mismatch", "INTEGER_OVERFLOW": "integer overflow",
         "INTEGER_DIVISION_BY_ZERO": "integer divide by zero", "UNREACHABLE": "unreachable",
         "BAD_CONVERSION_TO_INTEGER": "invalid conversion to integer"}


def text_name(name):
    return "".join("\\%02x" % b for b in name.encode())


def generate(rng, folder, number):
    """A random module on disk; None when the generator gives up on a seed."""
    seed = os.path.join(folder, "seed.bin")
    path = os.path.join(folder, "m%06d.wasm" % number)
    with open(seed, "wb") as f:
        f.write(rng.bytes(200 + rng.below(4000)))
    cmd = [tools.wasm_tools(), "smith", seed, "-o", path, "--ensure-termination", "--fuel", str(FUEL),
           "--min-funcs", str(1 + rng.below(6)), "--max-instructions", str((60, 120, 300, 800)[rng.below(4)])]
    if rng.below(2):
        cmd += ["--available-imports", os.path.join(folder, "provider.wasm")]
    for name, value in LIMITS.items():
        cmd.append("--%s=%s" % (name, value))
    if "--available-imports" not in cmd:
        cmd = [c for c in cmd if not c.startswith("--max-imports")] + ["--max-imports=0"]
    if rng.below(2):
        cmd.append("--min-memories=1")
    r = tools.run(cmd, timeout=60)
    return path if r.code == 0 else None


class Abandon(Exception):
    """Nothing after this point can be compared (stack overflow, a limit of Wasmtime's own)."""


class Recorder:
    """Executes a module with Wasmtime and records each step as a command of the script."""

    def __init__(self, folder, path, rng):
        import wasmtime
        self.w, self.folder, self.path, self.rng = wasmtime, folder, path, rng
        config = wasmtime.Config()
        config.max_wasm_stack = 1 << 20
        config.parallel_compilation = False
        config.cranelift_opt_level = "none"
        self.engine = wasmtime.Engine(config)
        with open(path, "rb") as f:
            self.bytes = f.read()
        self.module = wasmtime.Module(self.engine, self.bytes)
        self.provider = wasmtime.Module.from_file(self.engine, os.path.join(folder, "provider.wasm"))
        self.commands, self.checks = [], {}

    def add(self, kind, **fields):
        self.commands.append(dict(type=kind, line=len(self.commands) + 1, **fields))

    def kind_of(self, ty):
        """The spec's name of a value type; the package prints externref by an older name."""
        return "externref" if ty == self.w.ValType.externref() else str(ty)

    # Values cross as bits: a float in Python would quiet a signalling NaN.
    def argument(self, ty, raw):
        ffi, kind = self.w._ffi, self.kind_of(ty)
        if kind in POOL:
            pool = POOL[kind]
            bits = pool[self.rng.below(len(pool))] if self.rng.below(4) else self.rng.next()
            if kind in ("i32", "f32"):
                bits &= 0xFFFFFFFF
                raw.of.i32 = ctypes.c_int32(bits).value
            else:
                raw.of.i64 = ctypes.c_int64(bits).value
            raw.kind = {"i32": ffi.WASMTIME_I32, "i64": ffi.WASMTIME_I64, "f32": ffi.WASMTIME_F32,
                        "f64": ffi.WASMTIME_F64}[kind].value
            return raw, self.json_number(kind, bits)
        if kind == "externref" and self.rng.below(3):
            n = self.rng.below(100)
            return self.w.Val._convert_to_raw(self.store, ty, self.w.Val.externref(n)), \
                {"type": "externref", "value": str(n)}
        null = self.w.Val.externref(None) if kind == "externref" else self.w.Val.funcref(None)
        return self.w.Val._convert_to_raw(self.store, ty, null), {"type": kind, "value": "null"}

    @staticmethod
    def json_number(kind, bits):
        if kind == "i32":
            return {"type": kind, "value": str(ctypes.c_int32(bits).value)}
        if kind == "i64":
            return {"type": kind, "value": str(ctypes.c_int64(bits).value)}
        return {"type": kind, "value": str(bits)}

    def value(self, raw):
        ffi = self.w._ffi
        kinds = {ffi.WASMTIME_I32.value: "i32", ffi.WASMTIME_I64.value: "i64", ffi.WASMTIME_F32.value: "f32",
                 ffi.WASMTIME_F64.value: "f64"}
        if raw.kind in kinds:
            kind = kinds[raw.kind]
            bits = raw.of.i32 & 0xFFFFFFFF if kind in ("i32", "f32") else raw.of.i64 & (2**64 - 1)
            return self.json_number(kind, bits)
        val = self.w.Val._from_raw(self.store, raw).value
        if raw.kind == ffi.WASMTIME_EXTERNREF.value:
            return {"type": "externref", "value": "null" if val is None else str(val)}
        return {"type": "funcref", "value": "null"} if val is None else {"type": "funcref"}

    def trap_text(self, trap):
        code = trap.trap_code
        if code is None or code.name == "STACK_OVERFLOW":
            raise Abandon()
        if code.name == "TABLE_OUT_OF_BOUNDS":
            frames = trap.frames
            if frames:  # Wasmtime has one code for both; the opcode at the place tells which of the spec's texts it is
                at = frames[0].module_offset
                if frames[0].module_name is None and self.bytes[at:at + 1] == b"\x11":
                    return "undefined element"
            return "out of bounds table access"
        if code.name not in TRAPS:
            raise Abandon()
        return TRAPS[code.name]

    def call(self, func, args):
        """Raw results, or the Trap."""
        from wasmtime._func import enter_wasm
        ffi = self.w._ffi
        n = len(func.type(self.store).results)
        raw_args, results = (ffi.wasmtime_val_t * len(args))(*args), (ffi.wasmtime_val_t * n)()
        try:
            with enter_wasm(self.store) as trap:
                error = ffi.wasmtime_func_call(self.store._context(), ctypes.byref(func._func), raw_args, len(args),
                                               results, n, trap)
                if error:
                    raise self.w.WasmtimeError._from_ptr(error)
        except self.w.Trap as t:
            return t
        return results

    def instantiate(self):
        """A fresh instance (and provider, if the module imports), or None when instantiation traps as recorded."""
        self.store = self.w.Store(self.engine)
        imports = self.module.imports
        if imports:
            env = self.w.Instance(self.store, self.provider, [])
            self.add("module", filename="provider.wasm", module_type="binary")
            self.add("register", **{"as": ""})
            for item in imports:
                self.commands[-1]["as"] = item.module
            exports = env.exports(self.store)
        name = os.path.basename(self.path)
        try:
            instance = self.w.Instance(self.store, self.module, [exports[i.name] for i in imports])
        except self.w.Trap as t:
            self.add("assert_uninstantiable", filename=name, module_type="binary", text=self.trap_text(t))
            return None
        self.add("module", filename=name, module_type="binary")
        self.add("register", **{"as": "m"})
        return instance

    def invoke(self, instance, name, func):
        ffi = self.w._ffi
        raw, said = [], []
        for ty in func.type(self.store).params:
            a, j = self.argument(ty, ffi.wasmtime_val_t())
            raw.append(a)
            said.append(j)
        action = {"type": "invoke", "field": name, "args": said}
        got = self.call(func, raw)
        if isinstance(got, self.w.Trap):
            self.add("assert_trap", action=action, text=self.trap_text(got))
        else:
            self.add("assert_return", action=action, expected=[self.value(r) for r in got])

    def check_state(self, instance):
        """Globals by get actions; memories and tables through a module that imports and hashes them."""
        ffi = self.w._ffi
        exports = instance.exports(self.store)
        hashed = []
        for item in self.module.exports:
            thing = exports[item.name]
            if isinstance(thing, self.w.Global):
                raw = ffi.wasmtime_val_t()
                ffi.wasmtime_global_get(self.store._context(), ctypes.byref(thing._global), ctypes.byref(raw))
                self.add("assert_return", action={"type": "get", "field": item.name}, expected=[self.value(raw)])
            elif isinstance(thing, self.w.Memory):
                hashed.append((item.name, MEMORY_CHECK % text_name(item.name), thing))
            elif isinstance(thing, self.w.Table):
                kind = self.kind_of(thing.type(self.store).element)
                hashed.append((item.name, TABLE_CHECK % (text_name(item.name), kind), thing))
        for name, text, thing in hashed:
            if name not in self.checks:
                binary = bytes(self.w.wat2wasm(text))
                file = "%s.check%d.wasm" % (os.path.basename(self.path)[:-5], len(self.checks))
                with open(os.path.join(self.folder, file), "wb") as f:
                    f.write(binary)
                self.checks[name] = (file, self.w.Module(self.engine, binary))
            file, module = self.checks[name]
            checker = self.w.Instance(self.store, module, [thing])
            self.add("module", filename=file, module_type="binary")
            got = self.call(checker.exports(self.store)["hash"], [])
            self.add("assert_return", action={"type": "invoke", "field": "hash", "args": []},
                     expected=[self.value(r) for r in got])

    def record(self):
        names = [e.name for e in self.module.exports if isinstance(e.type, self.w.FuncType)]
        # First each function on an instance of its own, then all of them in order, twice, on one.
        sections = [[n] for n in names[:5]] + [names[:20] * 2]
        for section in sections:
            start = len(self.commands)
            try:
                instance = self.instantiate()
                if instance is None:
                    break
                for name in section:
                    self.invoke(instance, name, instance.exports(self.store)[name])
                self.check_state(instance)
            except Abandon:
                del self.commands[start:]
                for i, c in enumerate(self.commands):
                    c["line"] = i + 1
        return {"source_filename": os.path.basename(self.path), "commands": self.commands}


def prepare(folder):
    import wasmtime
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "provider.wasm"), "wb") as f:
        f.write(bytes(wasmtime.wat2wasm(PROVIDER)))


def record_module(folder, path, rng):
    script = path[:-len(".wasm")] + ".json"
    doc = Recorder(folder, path, rng).record()
    with open(script, "w") as f:
        json.dump(doc, f)
    return script, sum(c["type"].startswith("assert_") for c in doc["commands"]), doc


COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def judge(scripts, wanted, flags, timeout):
    """None when cot passes all of them, every assertion counted; else what it said."""
    r = tools.run([tools.COT, "wast"] + flags + scripts, timeout=timeout)
    text = r.out.decode(errors="replace") + r.err.decode(errors="replace")
    found = COUNTS.findall(text)
    if r.timed_out or r.code != 0 or not found:
        return r.describe() + "\n" + text[-3000:]
    passed, failed, skipped = (int(x) for x in found[-1])
    if failed or skipped or passed != wanted:
        return "%d passed, %d failed, %d skipped of %d assertions\n%s" % (passed, failed, skipped, wanted, text[-3000:])
    return None


def batch(job):
    """One batch in one process: (modules, assertions, kinds of assertion, failures [(script, text)])."""
    seed, first, count, out, flags, generate_only, timeout = job
    folder = os.path.join(out, "batch%06d" % first)
    prepare(folder)
    scripts, kinds, total = [], {}, 0
    for number in range(first, first + count):
        rng = tools.Rng(seed * 1000003 + number)
        path = generate(rng, folder, number)
        for _ in range(5):  # a few seeds give no module
            if path is not None:
                break
            path = generate(rng, folder, number)
        if path is None:
            return 0, 0, {}, [("module %d" % number, "wasm-tools smith gave no module")]
        try:
            script, n, doc = record_module(folder, path, rng)
        except Exception as e:  # Wasmtime's errors hold pointers and cannot cross to the parent as they are
            return 0, 0, {}, [(path, "recording: %s: %s" % (type(e).__name__, e))]
        scripts.append((script, n))
        total += n
        for c in doc["commands"]:
            key = c["type"] + (": " + c["text"] if "text" in c else "")
            kinds[key] = kinds.get(key, 0) + 1
    failures = []
    if not generate_only:
        problem = judge([s for s, _ in scripts], total, flags, timeout)
        if problem is not None:
            for script, n in scripts:
                one = judge([script], n, flags, timeout)
                if one is not None:
                    failures.append((script, one))
            if not failures:
                failures.append((folder, "fails only as a batch: " + problem))
        else:
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    return len(scripts), total, kinds, failures


def main():
    argv, flags = sys.argv[1:], []
    if "--" in argv:
        cut = argv.index("--")
        argv, flags = argv[:cut], argv[cut + 1:]
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", default=os.path.join(tools.BUILD, "oracle", "smith"))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--batch", type=int, default=50)
    p.add_argument("--timeout", type=float, default=120)
    p.add_argument("--generate-only", action="store_true", help="scripts, but no cot: all files stay in DIR")
    p.add_argument("--module")
    a = p.parse_args(argv)
    out = os.path.abspath(a.out)
    if a.module:
        prepare(out)
        path = os.path.join(out, os.path.basename(a.module))
        with open(a.module, "rb") as src, open(path, "wb") as dst:
            dst.write(src.read())
        script, n, _ = record_module(out, path, tools.Rng(a.seed))
        problem = None if a.generate_only else judge([script], n, flags, a.timeout)
        print(problem or "%s: %d assertions" % (script, n))
        return 1 if problem else 0
    jobs = [(a.seed, first, min(a.batch, a.count - first), out, flags, a.generate_only, a.timeout)
            for first in range(0, a.count, a.batch)]
    passed = failed = assertions = 0
    kinds = {}
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        for n, total, k, failures in pool.map(batch, jobs):
            failed += len(failures)
            passed += max(n - len(failures), 0)
            assertions += total
            for key, value in k.items():
                kinds[key] = kinds.get(key, 0) + value
            for script, text in failures:
                print("%s: %s" % (script, text.strip().replace("\n", "\n    ")))
    for key in sorted(kinds):
        print("  %8d %s" % (kinds[key], key))
    print("seed %d: %d modules, %d assertions" % (a.seed, a.count, assertions))
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
