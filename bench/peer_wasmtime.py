"""One measurement by Wasmtime: peer_wasmtime.py STRATEGY OPT FILE OUT: compiles FILE from bytes in memory on one thread,
runs it in the current folder with standard output to OUT, prints {"compile_s":…, "run_s":…} or {"refused":…}."""
import json
import os
import struct
import sys
import time

import wasmtime


def clocks():
    return time.perf_counter(), time.process_time()


def machine_code(elf):
    """Bytes of all functions in the serialized module, an ELF file: of its symbol table."""
    shoff, = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    total = 0
    for i in range(count):
        _, kind, _, _, offset, length = struct.unpack_from("<IIQQQQ", elf, shoff + i * size)
        if kind == 2:  # SHT_SYMTAB
            total += sum(struct.unpack_from("<Q", elf, offset + k + 16)[0] for k in range(0, length, 24))
    return total


def main(strategy, opt, path, out, times="1"):
    config = wasmtime.Config()
    config.strategy = strategy
    if strategy == "cranelift":
        config.cranelift_opt_level = opt
    config.parallel_compilation = False
    if strategy == "cranelift":
        config.wasm_gc = config.wasm_function_references = True
    engine = wasmtime.Engine(config)
    with open(path, "rb") as f:
        data = f.read()
    compile_s = compile_cpu_s = float("inf")
    for _ in range(int(times)):
        begin = clocks()
        try:
            module = wasmtime.Module(engine, data)
        except wasmtime.WasmtimeError as e:
            return {"refused": str(e).strip().split("\n")[-1].strip()}
        now = clocks()
        compile_s, compile_cpu_s = min(compile_s, now[0] - begin[0]), min(compile_cpu_s, now[1] - begin[1])
    wasi = wasmtime.WasiConfig()
    wasi.preopen_dir(".", ".")
    wasi.argv = [os.path.basename(path)]
    wasi.stdout_file = out
    wasi.stderr_file = out + ".err"
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    stamps = {}
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    none = wasmtime.FuncType([], [])
    linker.define_func("bench", "start", none, lambda: stamps.__setitem__("start", clocks()))
    linker.define_func("bench", "end", none, lambda: stamps.__setitem__("end", clocks()))
    entry = linker.instantiate(store, module).exports(store)["_start"]
    begin = clocks()
    try:
        entry(store)
    except wasmtime.ExitTrap as e:
        if e.code != 0:
            return {"refused": "exit %d" % e.code}
    end = clocks()
    if len(stamps) == 2:
        begin, end = stamps["start"], stamps["end"]
    return {"compile_s": compile_s, "compile_cpu_s": compile_cpu_s, "run_s": end[0] - begin[0], "run_cpu_s": end[1] - begin[1],
            "code_bytes": machine_code(module.serialize())}


print(json.dumps(main(*sys.argv[1:6])))
