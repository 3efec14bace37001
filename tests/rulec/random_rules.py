"""Random rules: the compiled decision trees against a matcher that tries one rule after the other.

Usage: random_rules.py RULEC CC SEED TERMS.  Every term is run on every input of a small domain: two integers 0..3,
an enum and a node of a small tree.  Rules that rulec rejects (overlap, shadowed, never matching) are dropped; the
matcher also checks that the rules that are left never tie, that is, that overlap detection misses nothing.
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

rulec, cc, seed, nterms = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)
ENUM = ["A", "B", "C"]
NODES = [("Leaf", 0), ("Leaf", 2), ("Pair", 0, 1), ("Pair", 1, 1), ("Un", 2), ("Two", 3, "B"), ("Un", 4), ("Nil",)]
FIELDS = {"Leaf": ["u8"], "Pair": ["N", "N"], "Un": ["N"], "Two": ["u8", "E"], "Nil": [],
          "X1": [], "X2": ["u8"], "X3": ["N"], "X4": []}
ARGS = ["u8", "u8", "E", "N"]

PRELUDE = """
(type N (primitive Node) (eq node_eq)) (type E extern (enum A B C))
(type D extern (enum (Leaf u8) (Pair N N) (Un N) (Two u8 E) Nil X1 (X2 u8) (X3 N) X4))
(decl data (D) N) (extern extractor infallible data data)
(decl even (u8) u8) (extern extractor even even)
(decl split (u8 u8) u8) (extern extractor infallible split split)
(decl left (N E) N) (extern extractor left left)
(decl multi children (N) N) (extern extractor children children)
(decl pure partial low (u8) u8) (extern constructor low low)
(decl pure add (u8 u8) u8) (extern constructor add add)
(decl pure partial lowsum (u8 u8) u8) (rule (lowsum x y) (low (add x y)))
(decl pure multi upto (u8) u8) (extern constructor upto upto)
(decl out (u32 u8) u32) (extern constructor out out)
(extern const $TWO u8 CONST_TWO) (extern const $ONE u8)
(decl un (N) N) (extractor (un x) (data (D.Un x)))
(decl leaf (u8) N) (extractor (leaf v) (data (D.Leaf v)))
"""

HEADER = """
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
typedef struct Ctx { unsigned unreachable; } Ctx;
typedef struct Node { int i; } Node;
typedef enum { E_A, E_B, E_C } E;
typedef enum { ISLE_D_Leaf, ISLE_D_Pair, ISLE_D_Un, ISLE_D_Two, ISLE_D_Nil, ISLE_D_X1, ISLE_D_X2, ISLE_D_X3, ISLE_D_X4 } Tag;
typedef struct D { Tag tag; uint8_t v; Node x, y; E e; } D;
#define node_eq(a, b) ((a).i == (b).i)
#define ISLE_TAG_D(ctx, d) ((d).tag)
#define ISLE_GET_D_Leaf_0(ctx, d) ((d).v)
#define ISLE_GET_D_Pair_0(ctx, d) ((d).x)
#define ISLE_GET_D_Pair_1(ctx, d) ((d).y)
#define ISLE_GET_D_Un_0(ctx, d) ((d).x)
#define ISLE_GET_D_Two_0(ctx, d) ((d).v)
#define ISLE_GET_D_Two_1(ctx, d) ((d).e)
#define ISLE_GET_D_X2_0(ctx, d) ((d).v)
#define ISLE_GET_D_X3_0(ctx, d) ((d).x)
#define ISLE_CONST_ONE 1
#define CONST_TWO 2
static const D nodes[] = {NODES};
#define data(ctx, n) (nodes[(n).i])
static bool even(Ctx *c, uint8_t v, uint8_t *o) { (void)c; *o = v / 2; return v % 2 == 0; }
static void split(Ctx *c, uint8_t v, uint8_t *a, uint8_t *b) { (void)c; *a = v / 2; *b = v % 2; }
static bool left(Ctx *c, Node n, Node *o, E *e) { (void)c; *o = nodes[n.i].x; *e = (E)(n.i % 3); return nodes[n.i].tag == ISLE_D_Pair; }
static bool low(Ctx *c, uint8_t v, uint8_t *o) { (void)c; *o = v; return v < 2; }
static uint8_t add(Ctx *c, uint8_t a, uint8_t b) { (void)c; return (a + b) % 4; }
static uint32_t out(Ctx *c, uint32_t k, uint8_t v) { (void)c; return k * 16 + v; }
typedef struct children_iter { Node n; int k; } children_iter;
static inline void children_begin(Ctx *c, Node n, children_iter *it) { (void)c; it->n = n; it->k = 0; }
static inline bool children_next(Ctx *c, children_iter *it, Node *o) {
    (void)c;
    const D *d = &nodes[it->n.i];
    int n = d->tag == ISLE_D_Pair ? 2 : d->tag == ISLE_D_Un ? 1 : 0;
    if (it->k == n) return false;
    *o = it->k++ == 0 ? d->x : d->y;
    return true;
}
typedef struct upto_iter { uint8_t n, k; } upto_iter;
static inline void upto_begin(Ctx *c, uint8_t n, upto_iter *it) { (void)c; it->n = n; it->k = 0; }
static inline bool upto_next(Ctx *c, upto_iter *it, uint8_t *o) { (void)c; if (it->k >= it->n) return false; *o = it->k++; return true; }
"""


# --- patterns: ("_",) ("var", x) ("bind", x, p) ("int", n) ("const", name, n) ("enum", v) ("and", p...) ("term", name, p...)

def pattern(ty, depth, names, multi):
    """`names` maps variables bound so far to types."""
    kind = rng.random()
    if kind < 0.2:
        return ("_",)
    if kind < 0.4:
        old = [n for n, t in names.items() if t == ty]
        if old and rng.random() < 0.35:
            return ("var", rng.choice(old))
        name = f"v{len(names)}"
        names[name] = ty
        return ("var", name)
    if kind < 0.48 and depth > 0:
        name = f"v{len(names)}"
        names[name] = None
        p = pattern(ty, depth - 1, names, multi)
        names[name] = ty
        return ("bind", name, p)
    if kind < 0.55 and depth > 0:
        # Two uses of one multi call in a rule are one iteration, which the matcher does not model.
        return ("and", pattern(ty, depth - 1, names, multi), pattern(ty, depth - 1, names, False))
    if ty == "u8":
        if depth > 0 and kind < 0.75:
            if rng.random() < 0.5:
                return ("term", "even", pattern("u8", depth - 1, names, multi))
            return ("term", "split", pattern("u8", depth - 1, names, multi), pattern("u8", depth - 1, names, multi))
        if rng.random() < 0.2:
            return ("const", "$TWO", 2)
        return ("int", rng.choice([0, 1, 3]))
    if ty == "E":
        return ("enum", rng.choice(ENUM))
    if depth <= 0:
        return ("_",)
    what = rng.random()
    if multi and what < 0.2:
        return ("term", "children", pattern("N", depth - 1, names, multi))
    if what < 0.3:
        return ("term", "left", pattern("N", depth - 1, names, multi), pattern("E", depth - 1, names, multi))
    if what < 0.4:
        return ("term", "un", pattern("N", depth - 1, names, multi))
    variant = rng.choice(list(FIELDS))
    return ("term", "data", ("term", "D." + variant, *[pattern(t, depth - 1, names, multi) for t in FIELDS[variant]]))


def expr(depth, names):
    u8s = [n for n, t in names.items() if t == "u8"]
    if depth > 0 and rng.random() < 0.5:
        if rng.random() < 0.5:
            return ("low", expr(depth - 1, names))
        return (rng.choice(["add", "lowsum"]), expr(depth - 1, names), expr(depth - 1, names))
    return ("var", rng.choice(u8s)) if u8s and rng.random() < 0.8 else ("int", rng.randrange(4))


def show(p):
    k = p[0]
    if k == "_":
        return "_"
    if k == "bind":
        return f"{p[1]} @ {show(p[2])}"
    if k == "enum":
        return f"(E.{p[1]})"
    if k in ("var", "int", "const"):
        return str(p[1])
    head, rest = (p[1], p[2:]) if k == "term" else (k, p[1:])
    return "(" + " ".join([head, *map(show, rest)]) + ")"


# --- the matcher: every function yields the environments under which it succeeds

def match(p, v, env):
    k = p[0]
    if k == "_":
        yield env
    elif k == "var":
        if p[1] not in env:
            yield {**env, p[1]: v}
        elif env[p[1]] == v:
            yield env
    elif k == "bind":
        for e in match(p[2], v, env):
            yield {**e, p[1]: v}
    elif k in ("int", "const"):
        if v == p[-1]:
            yield env
    elif k == "enum":
        if v == p[1]:
            yield env
    elif k == "and":
        yield from match_all(p[1:], [v] * (len(p) - 1), env)
    else:
        name, subs = p[1], p[2:]
        for vals in extract(name, v):
            yield from match_all(subs, vals, env)


def match_all(pats, vals, env):
    if not pats:
        yield env
        return
    for e in match(pats[0], vals[0], env):
        yield from match_all(pats[1:], vals[1:], e)


def extract(name, v):
    if name == "data":
        return [[NODES[v]]]
    if name == "even":
        return [[v // 2]] if v % 2 == 0 else []
    if name == "split":
        return [[v // 2, v % 2]]
    if name == "left":
        return [[NODES[v][1], ENUM[v % 3]]] if NODES[v][0] == "Pair" else []
    if name == "un":
        return [[NODES[v][1]]] if NODES[v][0] == "Un" else []
    if name == "children":
        return [[n] for n in NODES[v][1:]] if NODES[v][0] in ("Pair", "Un") else []
    return [list(v[1:])] if v[0] == name[2:] else []


def evaluate(e, env):
    if e[0] == "var":
        return env[e[1]]
    if e[0] == "int":
        return e[1]
    args = [evaluate(a, env) for a in e[1:]]
    if None in args:
        return None
    v = args[0] if e[0] == "low" else sum(args) % 4
    return v if e[0] == "add" or v < 2 else None


def rule_results(rule, vals):
    envs = list(match_all(rule["pats"], vals, {}))
    for p, e, many in rule["conds"]:
        after = []
        for env in envs:
            v = evaluate(e, env)
            for x in ([] if v is None else range(v) if many else [v]):
                after += match(p, x, env)
        envs = after
    return [rule["id"] * 16 + evaluate(rule["rhs"], env) for env in envs]


def show_rule(term, r):
    prio = "" if r["prio"] is None else f' {r["prio"]}'
    conds = "".join(f' (if-let {show(p)} {"(upto " if many else ""}{show(e)}{")" if many else ""})' for p, e, many in r["conds"])
    return f'(rule r{r["id"]}{prio} ({term} {" ".join(map(show, r["pats"]))}){conds} (out {r["id"]} {show(r["rhs"])}))'


def make_rule(ident, multi, heavy=False):
    """A heavy rule matches on the variant of the node, so that its term has a big switch."""
    names = {}
    pats = [pattern(t, rng.choice([0, 1, 2, 3]), names, multi) for t in ARGS[:3]]
    if heavy and rng.random() < 0.95:
        variant = rng.choice(list(FIELDS))
        subs = [pattern(t, 3, names, multi) for t in FIELDS[variant]]
        pats.append(("and", ("term", "data", ("term", "D." + variant, *subs)), pattern("N", 2, names, False)))
    else:
        pats.append(pattern("N", 4, names, multi))
    conds = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        e = expr(2, names)
        if e[0] == "int":  # a literal alone has no type there
            e = ("add", e, e)
        many = multi and not any(c[2] for c in conds) and rng.random() < 0.5
        conds.append((pattern("u8", 1, names, multi), e, many))
    u8s = [n for n, t in names.items() if t == "u8"]
    rhs = ("var", rng.choice(u8s)) if u8s else ("int", 1)
    return {"id": ident, "prio": None if multi else rng.randrange(6), "pats": pats, "conds": conds, "rhs": rhs}


terms = []
for t in range(nterms):
    multi = t % 4 == 3
    heavy = t % 5 in (1, 3)
    size = 120 if heavy else rng.choice([4, 12, 30])
    rules = [make_rule(t * 1000 + k, multi, heavy) for k in range(1, size)]
    terms.append({"name": f"t{t}", "multi": multi, "rules": rules})

with tempfile.TemporaryDirectory() as tmp:
    tmp = pathlib.Path(tmp)
    while True:
        text = PRELUDE
        for t in terms:
            text += f'(decl {"multi" if t["multi"] else "partial"} {t["name"]} (u8 u8 E N) u32)\n'
            if not t["rules"]:
                t["rules"] = [make_rule(int(t["name"][1:]) * 1000, t["multi"])]
            text += "\n".join(show_rule(t["name"], r) for r in t["rules"]) + "\n"
        (tmp / "r.isle").write_text(text)
        (tmp / "r.h").write_text("")
        run = subprocess.run([rulec, str(tmp / "r.isle"), "--ctx", "Ctx", "-o", str(tmp / "r_gen.c")],
                             capture_output=True, text=True)
        if run.returncode == 0:
            break
        bad = set()
        lines = text.splitlines()
        for err in run.stderr.splitlines():
            m = re.match(r".*?:(\d+):\d+: error: (.*overlaps|.*can never be chosen|rule can never match)", err)
            if m:
                bad.add(int(re.match(r"\(rule r(\d+)", lines[int(m[1]) - 1])[1]))
            elif "more errors" not in err:
                sys.exit(f"seed {seed}: {err}")
        for t in terms:
            t["rules"] = [r for r in t["rules"] if r["id"] not in bad]
    if nterms >= 20 and "static ISLE_OUTLINE" not in (tmp / "r_gen.c").read_text():
        sys.exit(f"seed {seed}: no switch was cut into functions")
    init = []
    for n in NODES:
        f = {"tag": "ISLE_D_" + n[0]}
        if n[0] in ("Pair", "Un"):
            f["x"], f["y"] = f"{{{n[1]}}}", f"{{{n[-1]}}}"
        if n[0] in ("Leaf", "Two"):
            f["v"] = n[1]
        if n[0] == "Two":
            f["e"] = "E_" + n[2]
        init.append("{" + ", ".join(f".{k} = {v}" for k, v in f.items()) + "}")
    c = HEADER.replace("NODES", ", ".join(init)) + '#define ISLE_OUTLINE\n#include "r_gen.c"\n'
    c += "int main(void) {\n    Ctx c = {0};\n    uint32_t o[256];\n"
    loops = (f"for (int i = 0; i < 4; i++) for (int j = 0; j < 4; j++) for (int e = 0; e < 3; e++) "
             f"for (int n = 0; n < {len(NODES)}; n++) ")
    for t in terms:
        call = f'isle_{t["name"]}(&c, i, j, (E)e, (Node){{n}}, o'
        if t["multi"]:
            c += f'{loops}{{ unsigned k = {call}, 256); for (unsigned q = 0; q < k; q++) printf("%u ", o[q]); puts(""); }}\n'
        else:
            c += f'{loops}{{ if ({call})) printf("%u\\n", o[0]); else puts(""); }}\n'
    c += "    return 0;\n}\n"
    (tmp / "main.c").write_text(c)
    subprocess.run([*cc.split(), "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
                    "-I", str(tmp), str(tmp / "main.c"), "-o", str(tmp / "main")], check=True)
    got = iter(subprocess.run([str(tmp / "main")], capture_output=True, text=True, check=True).stdout.splitlines())

matched = total = 0
for t in terms:
    for i in range(4):
        for j in range(4):
            for e in ENUM:
                for n in range(len(NODES)):
                    vals, have = [i, j, e, n], [int(x) for x in next(got).split()]
                    hits = [(r, rule_results(r, vals)) for r in t["rules"]]
                    hits = [(r, res) for r, res in hits if res]
                    if t["multi"]:
                        want, have = sorted(x for _, res in hits for x in res), sorted(have)
                    else:
                        top = max((r["prio"] for r, _ in hits), default=0)
                        want = [res[0] for r, res in hits if r["prio"] == top]
                        if len(want) > 1:
                            sys.exit(f"seed {seed}: two rules tie on {vals}: {want}")
                    total += 1
                    matched += bool(want)
                    if want != have:
                        rules = "\n".join(show_rule(t["name"], r) for r in t["rules"])
                        pathlib.Path(tempfile.gettempdir(), f"rulec-random-{seed}.isle").write_text(rules)
                        sys.exit(f"seed {seed}: {t['name']}{vals}: got {have}, want {want}")
nrules = sum(len(t["rules"]) for t in terms)
print(f"rulec random: seed {seed}: {len(terms)} terms, {nrules} rules, {total} inputs, {matched} matched")
