/* A small language: scanner, recursive-descent compiler to byte code, stack machine with calls, and the same programs
 * evaluated by walking the tree. Dispatch is one big switch and, the second time, a table of functions. */
#include "prog.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MUL, DIV, MOD, LT, LE, EQ, NE, AND, OR, NOT, NEG, JUMP, JZ, CALL, RET, PRINT, POP, DUP, HALT, SHL, XOR, NOPS };
static int64_t code[4096];
static int nc;
static const char *at;
static char name[32];
typedef struct { char name[32]; int entry, params; } Function;
static Function functions[32];
static int nf;
static char vars[64][32];
static int nv, errors;

static void space(void) { while (*at == ' ' || *at == '\n') at++; }
static int is(const char *s) {
    space();
    size_t n = strlen(s);
    if (strncmp(at, s, n)) return 0;
    if (s[0] >= 'a' && s[0] <= 'z' && ((at[n] >= 'a' && at[n] <= 'z') || at[n] == '_')) return 0;
    at += n;
    return 1;
}
static void need(const char *s) { if (!is(s)) { if (!errors++) printf("expected %s at '%.10s'\n", s, at); } }
static int ident(void) {
    space();
    int n = 0;
    while (((*at >= 'a' && *at <= 'z') || *at == '_') && n < 31) name[n++] = *at++;
    name[n] = 0;
    return n;
}
static int slot(void) {
    for (int i = 0; i < nv; i++) if (!strcmp(vars[i], name)) return i;
    strcpy(vars[nv], name);
    return nv++;
}
static void put(int op) { code[nc++] = op; }
static void put2(int op, int64_t v) { put(op); code[nc++] = v; }
static void expression(int level);
static void primary(void) {
    space();
    if (*at >= '0' && *at <= '9') {
        int64_t v = 0;
        while (*at >= '0' && *at <= '9') v = v * 10 + (*at++ - '0');
        put2(PUSH, v);
    } else if (is("(")) expression(0), need(")");
    else if (is("-")) primary(), put(NEG);
    else if (is("!")) primary(), put(NOT);
    else if (ident()) {
        char who[32];
        strcpy(who, name);
        if (is("(")) {
            int n = 0;
            while (!is(")") && !errors) { if (n++) need(","); expression(0); }
            int f = -1;
            for (int i = 0; i < nf; i++) if (!strcmp(functions[i].name, who)) f = i;
            if (f < 0 || functions[f].params != n) { if (!errors++) printf("bad call of %s\n", who); return; }
            put2(CALL, f);
        } else strcpy(name, who), put2(LOAD, slot());
    } else if (!errors++) printf("value expected at '%.10s'\n", at);
}
static void expression(int level) {
    static const struct { const char *text; int level, op; } ops[] = {{"||", 0, OR}, {"&&", 1, AND}, {"==", 2, EQ}, {"!=", 2, NE}, {"<<", 3, SHL}, {"<=", 3, LE}, {"<", 3, LT},
        {"+", 4, ADD}, {"-", 4, SUB}, {"^", 4, XOR}, {"*", 5, MUL}, {"/", 5, DIV}, {"%", 5, MOD}};
    if (level == 6) { primary(); return; }
    expression(level + 1);
    for (int again = 1; again && !errors;) {
        again = 0;
        for (int i = 0; i < COUNT(ops); i++)
            if (ops[i].level == level && is(ops[i].text)) { expression(level + 1); put(ops[i].op); again = 1; break; }
    }
}
static void statement(void) {
    if (errors) return;
    if (is("{")) { while (!is("}") && *at && !errors) statement(); return; }
    if (is("if")) {
        expression(0);
        put2(JZ, 0);
        int patch = nc - 1;
        statement();
        if (is("else")) { put2(JUMP, 0); code[patch] = nc; patch = nc - 1; statement(); }
        code[patch] = nc;
        return;
    }
    if (is("while")) {
        int top = nc;
        expression(0);
        put2(JZ, 0);
        int patch = nc - 1;
        statement();
        put2(JUMP, top);
        code[patch] = nc;
        return;
    }
    if (is("return")) { expression(0), need(";"), put(RET); return; }
    if (is("print")) { expression(0), need(";"), put(PRINT); return; }
    const char *back = at;
    if (ident() && (space(), *at == '=' && at[1] != '=')) {
        int s = slot();
        at++;
        expression(0), need(";"), put2(STORE, s);
        return;
    }
    at = back;
    expression(0), need(";"), put(POP);
}
static int compile(const char *text) {
    at = text, nc = nf = errors = 0;
    put2(JUMP, 0);
    while (is("def")) {
        Function *f = &functions[nf];
        ident(), strcpy(f->name, name), nv = 0, f->params = 0, f->entry = nc, nf++;
        need("(");
        while (!is(")") && !errors) { if (f->params++) need(","); ident(), slot(); }
        statement();
        put2(PUSH, 0), put(RET);
    }
    code[1] = nc, nv = 0;
    while ((space(), *at) && !errors) statement();
    put(HALT);
    return !errors;
}

typedef struct { int64_t *stack; int sp, fp, pc; int64_t steps; } Machine;
static int64_t memory[1 << 16];
static int64_t arith(int op, int64_t a, int64_t b) {
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return (int64_t)((uint64_t)a * (uint64_t)b);
    case DIV: return b == 0 || b == -1 ? 0 : a / b;
    case MOD: return b == 0 || b == -1 ? 0 : a % b;
    case LT: return a < b;
    case LE: return a <= b;
    case EQ: return a == b;
    case NE: return a != b;
    case AND: return a && b;
    case OR: return a || b;
    case SHL: return (int64_t)((uint64_t)a << (b & 63));
    case XOR: return a ^ b;
    }
    return 0;
}
static void enter(Machine *m, int f) {
    int n = functions[f].params;
    int64_t args[16];
    for (int i = n; i-- > 0;) args[i] = m->stack[--m->sp];
    m->stack[m->sp++] = m->pc, m->stack[m->sp++] = m->fp;
    m->fp = m->sp;
    m->sp += 24;
    for (int i = 0; i < 24; i++) m->stack[m->fp + i] = i < n ? args[i] : 0;
    m->pc = functions[f].entry;
}
static void leave(Machine *m) {
    int64_t v = m->stack[m->sp - 1];
    m->sp = m->fp;
    m->fp = (int)m->stack[--m->sp], m->pc = (int)m->stack[--m->sp];
    m->stack[m->sp++] = v;
}
static void output(int64_t v) { printf("%lld ", (long long)v), mix((uint64_t)v); }

static int64_t run_switch(void) {
    Machine machine = {memory, 24, 0, 0, 0}, *m = &machine;
    memset(memory, 0, sizeof(int64_t) * 24);
    for (;; m->steps++) {
        int op = (int)code[m->pc++];
        int64_t *s = m->stack;
        switch (op) {
        case PUSH: s[m->sp++] = code[m->pc++]; break;
        case LOAD: s[m->sp++] = s[m->fp + code[m->pc++]]; break;
        case STORE: s[m->fp + code[m->pc++]] = s[--m->sp]; break;
        case NOT: s[m->sp - 1] = !s[m->sp - 1]; break;
        case NEG: s[m->sp - 1] = -s[m->sp - 1]; break;
        case JUMP: m->pc = (int)code[m->pc]; break;
        case JZ: m->pc = s[--m->sp] ? m->pc + 1 : (int)code[m->pc]; break;
        case CALL: { int f = (int)code[m->pc++]; enter(m, f); break; }
        case RET: leave(m); break;
        case PRINT: output(s[--m->sp]); break;
        case POP: m->sp--; break;
        case HALT: return m->steps;
        default: m->sp--; s[m->sp - 1] = arith(op, s[m->sp - 1], s[m->sp]); break;
        }
    }
}

typedef int (*Handler)(Machine *, int);
static int h_push(Machine *m, int op) { (void)op; m->stack[m->sp++] = code[m->pc++]; return 1; }
static int h_load(Machine *m, int op) { (void)op; m->stack[m->sp] = m->stack[m->fp + code[m->pc++]]; m->sp++; return 1; }
static int h_store(Machine *m, int op) { (void)op; m->sp--; m->stack[m->fp + code[m->pc++]] = m->stack[m->sp]; return 1; }
static int h_two(Machine *m, int op) { m->sp--; m->stack[m->sp - 1] = arith(op, m->stack[m->sp - 1], m->stack[m->sp]); return 1; }
static int h_one(Machine *m, int op) { int64_t *t = &m->stack[m->sp - 1]; *t = op == NOT ? !*t : -*t; return 1; }
static int h_jump(Machine *m, int op) { m->pc = op == JZ && m->stack[--m->sp] ? m->pc + 1 : (int)code[m->pc]; return 1; }
static int h_call(Machine *m, int op) { (void)op; int f = (int)code[m->pc++]; enter(m, f); return 1; }
static int h_ret(Machine *m, int op) { (void)op; leave(m); return 1; }
static int h_print(Machine *m, int op) { (void)op; output(m->stack[--m->sp]); return 1; }
static int h_pop(Machine *m, int op) { (void)op; m->sp--; return 1; }
static int h_halt(Machine *m, int op) { (void)m, (void)op; return 0; }
static const Handler handlers[NOPS] = {[PUSH] = h_push, [LOAD] = h_load, [STORE] = h_store, [ADD] = h_two, [SUB] = h_two, [MUL] = h_two, [DIV] = h_two, [MOD] = h_two,
    [LT] = h_two, [LE] = h_two, [EQ] = h_two, [NE] = h_two, [AND] = h_two, [OR] = h_two, [NOT] = h_one, [NEG] = h_one, [JUMP] = h_jump, [JZ] = h_jump, [CALL] = h_call,
    [RET] = h_ret, [PRINT] = h_print, [POP] = h_pop, [HALT] = h_halt, [SHL] = h_two, [XOR] = h_two};
static int64_t run_table(void) {
    Machine machine = {memory, 24, 0, 0, 0}, *m = &machine;
    memset(memory, 0, sizeof(int64_t) * 24);
    for (;; m->steps++) {
        int op = (int)code[m->pc++];
        if (!handlers[op](m, op)) return m->steps;
    }
}

int main(void) {
    static const char *const sources[] = {
        "def fib(n) { if n < 2 return n; return fib(n - 1) + fib(n - 2); } print fib(18);",
        "def gcd(a, b) { while b != 0 { t = a % b; a = b; b = t; } return a; } print gcd(1071, 462); print gcd(123456789, 987654321);",
        "n = 0; p = 2; while n < 40 { d = 2; ok = 1; while d * d <= p && ok { if p % d == 0 ok = 0; d = d + 1; } if ok { print p; n = n + 1; } p = p + 1; }",
        "def pow(b, e, m) { r = 1; while e != 0 { if e % 2 == 1 r = r * b % m; b = b * b % m; e = e / 2; } return r; } print pow(3, 1000, 1000007); print pow(2, 62, 999983);",
        "x = 27; s = 0; while x != 1 { if x % 2 == 0 x = x / 2; else x = 3 * x + 1; s = s + 1; } print s; print -5 + 3 * (2 - 7) << 2; print !0 || 1 / 0;",
        "def even(n) { if n == 0 return 1; return odd(n - 1); }", "x = ;", "print 1 +", "def f(a) { return a; } print f(1, 2);",
        "def loop(n) { h = 1469598103; i = 0; while i < n { h = (h ^ i) * 16777619; h = h % 1000000007; i = i + 1; } return h; } print loop(50000);"};
    for (int i = 0; i < COUNT(sources); i++) {
        if (!compile(sources[i])) continue;
        int64_t a = run_switch();
        printf("| ");
        int64_t b = run_table();
        printf("| %d codes, %lld steps%s\n", nc, (long long)a, a == b ? "" : " DIFFERENT");
    }
    show("vm");
    return 0;
}
