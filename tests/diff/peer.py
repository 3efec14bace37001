#!/usr/bin/env python3
"""`peer.py run [--dir[-ro] HOST[::GUEST]] [--env K=V] FILE [ARGS…]`: the command line of `cot run`, by Wasmtime's
Python package. The tests are proven with it before they judge cot (`COT="python3 tests/diff/peer.py"`)."""
import os
import sys

import wasmtime


def main(argv):
    if not argv or argv[0] != "run":
        sys.exit("usage: peer.py run [--dir[-ro] HOST[::GUEST]] [--env K=V] FILE [ARGS…]")
    wasi, i = wasmtime.WasiConfig(), 1
    env = []
    while i < len(argv) and argv[i].startswith("-"):
        if argv[i] in ("--dir", "--dir-ro"):
            host, _, guest = argv[i + 1].partition("::")
            wasi.preopen_dir(host, guest or host, argv[i] == "--dir")
        elif argv[i] == "--env":
            env.append(tuple(argv[i + 1].split("=", 1)))
        elif argv[i] != "-W":
            sys.exit("peer.py: unknown option " + argv[i])
        i += 2
    wasi.argv = [os.path.basename(argv[i])] + argv[i + 1:]
    wasi.env = env
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    config = wasmtime.Config()
    config.wasm_simd = config.wasm_relaxed_simd = True
    config.wasm_gc = config.wasm_function_references = True
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    none = wasmtime.FuncType([], [])
    linker.define_func("bench", "start", none, lambda: None)
    linker.define_func("bench", "end", none, lambda: None)
    try:
        module = wasmtime.Module.from_file(engine, argv[i])
        linker.instantiate(store, module).exports(store)["_start"](store)
    except wasmtime.ExitTrap as e:
        return e.code
    except wasmtime.WasmtimeError as e:
        print("error: %s" % e, file=sys.stderr)
        return 1
    except wasmtime.Trap as e:
        print("trap: %s" % e.message, file=sys.stderr)
        return 134
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
