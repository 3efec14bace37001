"""One measurement by Wasmtime: peer_wasmtime.py STRATEGY OPT FILE OUT: compiles FILE from bytes in memory on one thread,
runs it in the current folder with standard output to OUT, prints {"compile_s":…, "run_s":…} or {"refused":…}."""
import json
import os
import sys
import time

import wasmtime


def main(strategy, opt, path, out):
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
    begin = time.perf_counter()
    try:
        module = wasmtime.Module(engine, data)
    except wasmtime.WasmtimeError as e:
        return {"refused": str(e).strip().split("\n")[-1].strip()}
    compile_s = time.perf_counter() - begin
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
    linker.define_func("bench", "start", none, lambda: stamps.__setitem__("start", time.perf_counter()))
    linker.define_func("bench", "end", none, lambda: stamps.__setitem__("end", time.perf_counter()))
    entry = linker.instantiate(store, module).exports(store)["_start"]
    begin = time.perf_counter()
    try:
        entry(store)
    except wasmtime.ExitTrap as e:
        if e.code != 0:
            return {"refused": "exit %d" % e.code}
    whole = time.perf_counter() - begin
    run_s = stamps["end"] - stamps["start"] if len(stamps) == 2 else whole
    return {"compile_s": compile_s, "run_s": run_s}


print(json.dumps(main(*sys.argv[1:5])))
