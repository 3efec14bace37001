/* filetest/regex.c — a backtracking matcher that visits each (instruction, position) at most once.
 *
 * Idea        The expression becomes a program of a few opcodes. Running it depth first in preference order finds the
 *             match that the expression prefers; a state that has failed once fails always, whatever the start, so a
 *             bit per state makes the search linear in program times text.
 * Compiling   A tree is built by a parser with bounded nesting, then written out; x{2,4} writes x several times, bounded
 *             by a program size. */
#include "filetest/regex.h"

enum {
    OP_CHAR,
    OP_SET,
    OP_SPLIT,
    OP_JUMP,
    OP_SAVE,
    OP_BOL,
    OP_EOL,
    OP_WORD,
    OP_NOT_WORD,
    OP_MATCH
};
enum { MAX_NEST = 100, MAX_PROG = 20000, MAX_NODES = 20000 };

typedef enum NodeKind {
    N_EMPTY,
    N_CHAR,
    N_SET,
    N_ASSERT, /* arg: opcode */
    N_CAT,
    N_ALT,
    N_GROUP, /* arg: capture number */
    N_REPEAT,
} NodeKind;
typedef struct Node {
    uint8_t kind, arg, lazy;
    uint32_t a, b; /* children; set number */
    uint32_t min, max;
} Node;
typedef struct Compiler {
    Regex *r;
    const char *p;
    uint32_t n, at, nest;
    VEC(Node) nodes;
    const char *error;
} Compiler;

static uint32_t node(Compiler *c, Node nd) {
    if (c->nodes.n >= MAX_NODES) c->error = "the regular expression is too large";
    vec_push(c->r->mem, &c->nodes, nd);
    return c->nodes.n - 1;
}
static uint32_t wrong(Compiler *c, const char *what) {
    if (!c->error) c->error = what;
    return node(c, (Node){.kind = N_EMPTY});
}
static int peek(const Compiler *c) {
    return c->at < c->n ? (unsigned char)c->p[c->at] : -1;
}

/* ---- sets ---- */
static uint32_t new_set(Compiler *c) {
    uint32_t k = c->r->sets.n / 4;
    vec_resize0(c->r->mem, &c->r->sets, c->r->sets.n + 4);
    return k;
}
static void set_add(Compiler *c, uint32_t s, unsigned lo, unsigned hi) {
    for (unsigned x = lo; x <= hi && x < 256; x++)
        c->r->sets.p[s * 4 + x / 64] |= (uint64_t)1 << (x % 64);
}
static void set_invert(Compiler *c, uint32_t s) {
    for (unsigned k = 0; k < 4; k++) c->r->sets.p[s * 4 + k] = ~c->r->sets.p[s * 4 + k];
}
static bool is_word(int x) {
    return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || x == '_';
}
/* \d \w \s and their complements; false if the letter is none. */
static bool add_class(Compiler *c, uint32_t s, int letter) {
    uint32_t t = new_set(c);
    switch (letter | 32) {
    case 'd': set_add(c, t, '0', '9'); break;
    case 'w':
        for (unsigned x = 0; x < 256; x++)
            if (is_word((int)x)) set_add(c, t, x, x);
        break;
    case 's':
        set_add(c, t, 9, 13);
        set_add(c, t, ' ', ' ');
        break;
    default: return false;
    }
    if (!(letter & 32)) set_invert(c, t);
    for (unsigned k = 0; k < 4; k++) c->r->sets.p[s * 4 + k] |= c->r->sets.p[t * 4 + k];
    return true;
}
static int escaped(int x) {
    return x == 'n' ? '\n' : x == 't' ? '\t' : x == 'r' ? '\r' : x;
}

static uint32_t bracket(Compiler *c) {
    uint32_t s = new_set(c);
    bool negate = peek(c) == '^', first = true;
    if (negate) c->at++;
    for (;; first = false) {
        int x = peek(c);
        if (x < 0) return wrong(c, "missing ]");
        c->at++;
        if (x == ']' && !first) break;
        if (x == '\\') {
            x = peek(c);
            if (x < 0) return wrong(c, "missing ]");
            c->at++;
            if (add_class(c, s, x)) continue;
            x = escaped(x);
        }
        int hi = x;
        if (peek(c) == '-' && c->at + 1 < c->n && c->p[c->at + 1] != ']') {
            c->at++;
            hi = peek(c);
            c->at++;
            if (hi == '\\' && c->at < c->n) hi = escaped((unsigned char)c->p[c->at++]);
            if (hi < x) return wrong(c, "a range of characters that runs backwards");
        }
        set_add(c, s, (unsigned)x, (unsigned)hi);
    }
    if (negate) set_invert(c, s);
    return node(c, (Node){.kind = N_SET, .a = s});
}

static uint32_t alternatives(Compiler *c);

static uint32_t group(Compiler *c) {
    uint32_t cap = UINT32_MAX;
    if (c->at + 1 < c->n && c->p[c->at] == '?' && c->p[c->at + 1] == ':') {
        c->at += 2;
    } else {
        cap = c->r->ngroups;
        if (cap >= REGEX_MAX_GROUPS) return wrong(c, "too many groups");
        c->r->ngroups++;
        c->r->names[cap].n = 0;
        if (c->n - c->at > 3 && !memcmp(c->p + c->at, "?P<", 3)) {
            c->at += 3;
            c->r->names[cap].at = c->at;
            while (is_word(peek(c))) c->at++;
            c->r->names[cap].n = c->at - c->r->names[cap].at;
            if (peek(c) != '>') return wrong(c, "missing >");
            c->at++;
        }
    }
    if (++c->nest > MAX_NEST) return wrong(c, "groups are nested too deeply");
    uint32_t inner = alternatives(c);
    c->nest--;
    if (peek(c) != ')') return wrong(c, "missing )");
    c->at++;
    if (cap == UINT32_MAX) return inner;
    return node(c, (Node){.kind = N_GROUP, .arg = (uint8_t)cap, .a = inner});
}

static uint32_t atom(Compiler *c) {
    int x = peek(c);
    c->at++;
    switch (x) {
    case '(': return group(c);
    case '[': return bracket(c);
    case '^': return node(c, (Node){.kind = N_ASSERT, .arg = OP_BOL});
    case '$': return node(c, (Node){.kind = N_ASSERT, .arg = OP_EOL});
    case '*':
    case '+':
    case '?': return wrong(c, "nothing to repeat");
    case '.': {
        uint32_t s = new_set(c);
        set_add(c, s, '\n', '\n');
        set_invert(c, s);
        return node(c, (Node){.kind = N_SET, .a = s});
    }
    case '\\': {
        x = peek(c);
        if (x < 0) return wrong(c, "a backslash at the end");
        c->at++;
        if (x == 'b') return node(c, (Node){.kind = N_ASSERT, .arg = OP_WORD});
        if (x == 'B') return node(c, (Node){.kind = N_ASSERT, .arg = OP_NOT_WORD});
        uint32_t s = new_set(c);
        if (add_class(c, s, x)) return node(c, (Node){.kind = N_SET, .a = s});
        x = escaped(x);
        break;
    }
    default: break;
    }
    return node(c, (Node){.kind = N_CHAR, .arg = (uint8_t)x});
}

static bool number(Compiler *c, uint32_t *out) {
    uint32_t from = c->at, x = 0;
    while (peek(c) >= '0' && peek(c) <= '9' && x < 1000)
        x = x * 10 + (uint32_t)(c->p[c->at++] - '0');
    *out = x;
    return c->at > from && x <= 1000;
}

static uint32_t repeated(Compiler *c) {
    uint32_t a = atom(c);
    while (!c->error) {
        Node nd = {.kind = N_REPEAT, .a = a, .min = 0, .max = UINT32_MAX};
        int x = peek(c);
        if (x != '*' && x != '+' && x != '?' && x != '{') break;
        c->at++;
        if (x == '+') nd.min = 1;
        if (x == '?') nd.max = 1;
        if (x == '{') {
            if (!number(c, &nd.min)) return wrong(c, "a bad repetition count");
            nd.max = nd.min;
            if (peek(c) == ',') {
                c->at++;
                nd.max = UINT32_MAX;
                if (peek(c) != '}' && !number(c, &nd.max))
                    return wrong(c, "a bad repetition count");
            }
            if (peek(c) != '}' || nd.max < nd.min) return wrong(c, "a bad repetition count");
            c->at++;
        }
        if (peek(c) == '?') c->at++, nd.lazy = 1;
        a = node(c, nd);
    }
    return a;
}

static uint32_t sequence(Compiler *c) {
    uint32_t a = node(c, (Node){.kind = N_EMPTY});
    while (!c->error && peek(c) >= 0 && peek(c) != '|' && peek(c) != ')') {
        uint32_t b = repeated(c);
        a = node(c, (Node){.kind = N_CAT, .a = a, .b = b});
    }
    return a;
}

static uint32_t alternatives(Compiler *c) {
    uint32_t a = sequence(c);
    while (!c->error && peek(c) == '|') {
        c->at++;
        uint32_t b = sequence(c);
        a = node(c, (Node){.kind = N_ALT, .a = a, .b = b});
    }
    return a;
}

/* ---- code ---- */
static uint32_t emit(Compiler *c, uint8_t op, uint32_t x, uint32_t y) {
    if (c->r->prog.n >= MAX_PROG) c->error = "the regular expression is too large";
    vec_push(c->r->mem, &c->r->prog, (RegexInst){.op = op, .x = x, .y = y});
    return c->r->prog.n - 1;
}
static void patch(Compiler *c, uint32_t at, bool lazy, uint32_t body, uint32_t out) {
    c->r->prog.p[at].x = lazy ? out : body;
    c->r->prog.p[at].y = lazy ? body : out;
}

static void gen(Compiler *c, uint32_t k);

static void gen_repeat(Compiler *c, Node nd) {
    for (uint32_t i = 0; i < nd.min && !c->error; i++) gen(c, nd.a);
    if (nd.max == UINT32_MAX) {
        uint32_t s = emit(c, OP_SPLIT, 0, 0);
        gen(c, nd.a);
        emit(c, OP_JUMP, s, 0);
        patch(c, s, nd.lazy, s + 1, c->r->prog.n);
        return;
    }
    for (uint32_t i = nd.min; i < nd.max && !c->error; i++) { /* each copy may be left out */
        uint32_t s = emit(c, OP_SPLIT, 0, 0);
        gen(c, nd.a);
        patch(c, s, nd.lazy, s + 1, c->r->prog.n);
    }
}

/* Sequences are chains through `a`, so they are walked; what recursion is left follows the nesting, which is bounded. */
static void gen(Compiler *c, uint32_t k) {
    Node nd = c->nodes.p[k];
    if (c->error) return;
    switch ((NodeKind)nd.kind) {
    case N_EMPTY: break;
    case N_CHAR: emit(c, OP_CHAR, nd.arg, 0); break;
    case N_SET: emit(c, OP_SET, nd.a, 0); break;
    case N_ASSERT: emit(c, nd.arg, 0, 0); break;
    case N_CAT: {
        VecU32 items = {0};
        for (; c->nodes.p[k].kind == N_CAT; k = c->nodes.p[k].a)
            vec_push(c->r->mem, &items, c->nodes.p[k].b);
        while (items.n) gen(c, vec_pop(&items));
        vec_free(c->r->mem, &items);
        break;
    }
    case N_ALT: {
        VecU32 items = {0}, ends = {0};
        for (; c->nodes.p[k].kind == N_ALT; k = c->nodes.p[k].a)
            vec_push(c->r->mem, &items, c->nodes.p[k].b);
        vec_push(c->r->mem, &items, k);
        while (items.n > 1) {
            uint32_t s = emit(c, OP_SPLIT, 0, 0);
            gen(c, vec_pop(&items));
            vec_push(c->r->mem, &ends, emit(c, OP_JUMP, 0, 0));
            patch(c, s, false, s + 1, c->r->prog.n);
        }
        gen(c, vec_pop(&items));
        while (ends.n) c->r->prog.p[vec_pop(&ends)].x = c->r->prog.n;
        vec_free(c->r->mem, &items);
        vec_free(c->r->mem, &ends);
        break;
    }
    case N_GROUP:
        emit(c, OP_SAVE, 2u * nd.arg, 0);
        gen(c, nd.a);
        emit(c, OP_SAVE, 2u * nd.arg + 1, 0);
        break;
    case N_REPEAT: gen_repeat(c, nd); break;
    }
}

const char *regex_compile(Regex *r, Mem *m, const char *pattern, uint32_t n) {
    Compiler c = {.r = r, .p = pattern, .n = n};
    r->mem = m;
    vec_clear(&r->prog);
    vec_clear(&r->sets);
    r->ngroups = 1;
    r->names[0].n = 0;
    uint32_t root = alternatives(&c);
    if (!c.error && c.at < n) c.error = "unmatched )";
    if (!c.error && r->sets.n / 4 > UINT16_MAX) c.error = "the regular expression is too large";
    if (!c.error) {
        emit(&c, OP_SAVE, 0, 0);
        gen(&c, root);
        emit(&c, OP_SAVE, 1, 0);
        emit(&c, OP_MATCH, 0, 0);
    }
    vec_free(m, &c.nodes);
    return c.error;
}

void regex_free(Regex *r) {
    if (!r->mem) return;
    vec_free(r->mem, &r->prog);
    vec_free(r->mem, &r->sets);
    vec_free(r->mem, &r->seen);
    vec_free(r->mem, &r->stack);
}

/* ---- matching ---- */
static bool at_word_edge(const char *t, uint32_t n, uint32_t at) {
    bool before = at > 0 && is_word((unsigned char)t[at - 1]),
         after = at < n && is_word((unsigned char)t[at]);
    return before != after;
}

/* The stack holds triples: a state to try (instruction, position, CLIF-free marker), or an undo of a saved place. */
enum { TRY = UINT32_MAX };

static bool run_from(Regex *r, const char *t, uint32_t n, uint32_t start, uint32_t *g) {
    Mem *m = r->mem;
    vec_clear(&r->stack);
    uint32_t pc = 0, at = start;
    for (;;) {
        size_t bit = (size_t)pc * (n + 1) + at;
        bool alive = !(r->seen.p[bit / 64] >> (bit % 64) & 1);
        r->seen.p[bit / 64] |= (uint64_t)1 << (bit % 64);
        RegexInst in = r->prog.p[pc];
        if (alive) {
            switch (in.op) {
            case OP_CHAR: alive = at < n && (unsigned char)t[at] == in.x; break;
            case OP_SET:
                alive = at < n && r->sets.p[in.x * 4 + (unsigned char)t[at] / 64] >>
                                          ((unsigned char)t[at] % 64) &
                                      1;
                break;
            case OP_BOL: alive = at == 0 || t[at - 1] == '\n'; break;
            case OP_EOL: alive = at == n || t[at] == '\n'; break;
            case OP_WORD: alive = at_word_edge(t, n, at); break;
            case OP_NOT_WORD: alive = !at_word_edge(t, n, at); break;
            case OP_MATCH: return true;
            case OP_SPLIT:
                vec_push(m, &r->stack, in.y);
                vec_push(m, &r->stack, at);
                vec_push(m, &r->stack, TRY);
                break;
            case OP_SAVE:
                vec_push(m, &r->stack, in.x);
                vec_push(m, &r->stack, g[in.x]);
                vec_push(m, &r->stack, 0);
                g[in.x] = at;
                break;
            default: break;
            }
        }
        if (alive) {
            at += in.op == OP_CHAR || in.op == OP_SET;
            pc = in.op == OP_JUMP || in.op == OP_SPLIT ? in.x : pc + 1;
            continue;
        }
        for (;;) { /* back to the last choice */
            if (!r->stack.n) return false;
            uint32_t kind = vec_pop(&r->stack), b = vec_pop(&r->stack), a = vec_pop(&r->stack);
            if (kind == TRY) {
                pc = a;
                at = b;
                break;
            }
            g[a] = b;
        }
    }
}

bool regex_search(Regex *r, const char *text, uint32_t n, uint32_t g[2 * REGEX_MAX_GROUPS]) {
    size_t bits = (size_t)r->prog.n * (n + 1);
    vec_clear(&r->seen);
    vec_resize0(r->mem, &r->seen, bits / 64 + 1);
    /* The first byte that the program insists on, if any, says quickly where no match starts. */
    int first = -1;
    for (uint32_t k = 0; k < r->prog.n; k++) {
        if (r->prog.p[k].op == OP_SAVE || r->prog.p[k].op == OP_WORD) continue;
        if (r->prog.p[k].op == OP_CHAR) first = (int)r->prog.p[k].x;
        break;
    }
    for (uint32_t start = 0; start <= n; start++) {
        if (first >= 0) {
            const char *at = start < n ? memchr(text + start, first, n - start) : NULL;
            if (!at) return false;
            start = (uint32_t)(at - text);
        }
        memset(g, 0xFF, 2 * REGEX_MAX_GROUPS * sizeof *g);
        if (run_from(r, text, n, start, g)) return true;
    }
    return false;
}
