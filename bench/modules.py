"""The benchmark modules under a Sightglass-like folder: where they are, what they must print, which proposal each
needs beyond Wasm 2.0 without SIMD (asked of wasm-tools, so not of the program under test)."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "diff"))
import tools

BASE = "wasm2,-simd"
# (name as an error must spell it, feature list under which a module that needs only this one validates)
PROPOSALS = [("simd", "wasm2"), ("tail-call", BASE + ",tail-call"), ("extended-const", BASE + ",extended-const"),
             ("multi-memory", BASE + ",multi-memory"), ("memory64", BASE + ",memory64"),
             ("threads", BASE + ",threads"), ("exceptions", BASE + ",exceptions"),
             ("gc", BASE + ",function-references,gc"), ("relaxed-simd", "wasm2,relaxed-simd")]


# Files whose expected output, shared by the whole folder, is not theirs. sodium_utils2 prints only from a handler of a
# fault that linear memory cannot raise; Wasmtime and V8 print nothing.
PRINTS_NOTHING = {"libsodium-sodium_utils2"}


# Those that run for seconds.
LONG = {"gcc-loops", "shootout-seqhash", "shootout-ed25519", "libsodium-core_ristretto255", "libsodium-pwhash_scrypt",
        "shootout-heapsort", "shootout-fib2"}


class Module:
    def __init__(self, root, path):
        self.path, self.folder, self.file = path, os.path.dirname(path), os.path.basename(path)
        stem = self.file[:-len(".wasm")]
        folder = os.path.relpath(self.folder, root)
        self.name = folder if stem in ("benchmark", folder) else stem
        self.stdout = self.expected(stem, "stdout")
        self.stderr = self.expected(stem, "stderr")
        if self.name in PRINTS_NOTHING:
            self.stdout = b""

    def expected(self, stem, stream):
        for name in (stem, "benchmark", "default"):
            path = os.path.join(self.folder, "%s.%s.expected" % (name, stream))
            if os.path.exists(path):
                with open(path, "rb") as f:
                    return f.read()
        return None

    def right(self, stream, got):
        """Is this the expected text? True where nothing is expected. Final newlines are not compared: some of the
        expected files have lost theirs."""
        want = self.stdout if stream == "stdout" else self.stderr
        return want is None or got.rstrip(b"\n") == want.rstrip(b"\n")

    def needs(self):
        """None, or the name of the one proposal this module needs, or "several"."""
        wt = tools.wasm_tools()
        if tools.run([wt, "validate", "-f", BASE, self.path]).code == 0:
            return None
        for name, features in PROPOSALS:
            if tools.run([wt, "validate", "-f", features, self.path]).code == 0:
                return name
        return "several"


def find(root):
    paths = glob.glob(os.path.join(root, "**", "*.wasm"), recursive=True)
    return [Module(root, p) for p in sorted(paths)]
