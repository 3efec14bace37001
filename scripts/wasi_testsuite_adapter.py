"""Adapter of the wasi-testsuite (https://github.com/WebAssembly/wasi-testsuite) for `cot run`:
    ./run-tests --runtime-adapter …/scripts/wasi_testsuite_adapter.py
COT names the program (default: cot on PATH), options may follow it."""
import os
import shlex
import subprocess
from typing import Dict, List, Tuple

COT = shlex.split(os.getenv("COT", "cot"))


def get_name() -> str:
    return "cot"


def get_version() -> str:
    out = subprocess.run(COT[:1] + ["--version"], encoding="UTF-8", capture_output=True, check=True).stdout
    return out.split()[1]


def get_wasi_versions() -> List[str]:
    return ["wasm32-wasip1"]


def get_wasi_worlds() -> List[str]:
    return ["wasi:cli/command"]


def compute_argv(test_path: str, args_env_dirs: Tuple[List[str], Dict[str, str], object],
                 proposals: List[str], wasi_world: str, wasi_version: str) -> List[str]:
    args, env, dirs = args_env_dirs
    if not isinstance(dirs, list):  # newer runners give one directory, or None
        dirs = [(dirs, "/")] if dirs else []
    argv = COT[:1] + ["run"] + COT[1:]
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    for host, guest in dirs:
        argv += ["--dir", f"{host}::{guest}"]
    return argv + [test_path] + args
