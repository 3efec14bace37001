/* examples/lang.c — a small imperative language, compiled to machine code with cot/clif.h, cot/cabi.h and cot/jit.h.
 *
 *     fn fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
 *     fn main() { var i = 0; while i < 10 { print "%ld ", fib(i); i = i + 1; } print "\n"; }
 *
 * Values are 64-bit integers. Statements: var, assignment, if/else, while, return, print, call. print calls C's printf with
 * any number of arguments. span(a, b) passes a structure of two doubles to C and gets one of three back.
 *
 * The way of a function: tokens are parsed top-down, and each piece of syntax at once becomes CLIF. Variables of the language are
 * CLIF variables, so the compiler finds out by itself which values meet where. */
#include <cot/cabi.h>
#include <cot/jit.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lexer ---- */
typedef enum Tok { END, NUMBER, NAME, STRING, OP } Tok;
typedef struct Lexer {
    const char *at, *start;
    Tok tok;
    char text[256]; /* a name, the bytes of a string, an operator */
    size_t length;
    int64_t number;
    int line;
} Lexer;

static void fail(const Lexer *l, const char *what) {
    fprintf(stderr, "line %d: %s at '%s'\n", l->line, what, l->tok == END ? "end" : l->text);
    exit(1);
}

static void next(Lexer *l) {
    for (;; l->at++) {
        if (*l->at == '#')
            while (*l->at && *l->at != '\n') l->at++;
        if (*l->at == '\n') l->line++;
        if (!isspace((unsigned char)*l->at)) break;
    }
    size_t n = 0;
    char c = *l->at;
    l->tok = c == 0                      ? END
             : isdigit((unsigned char)c) ? NUMBER
             : isalpha((unsigned char)c) ? NAME
             : c == '"'                  ? STRING
                                         : OP;
    if (l->tok == NUMBER) {
        char *end;
        l->number = strtoll(l->at, &end, 10);
        n = (size_t)(end - l->at);
    } else if (l->tok == NAME) {
        while (isalnum((unsigned char)l->at[n]) || l->at[n] == '_') n++;
    } else if (l->tok == STRING) {
        const char *p = l->at + 1;
        for (; *p && *p != '"' && n < sizeof l->text - 1; p++) {
            bool escape = *p == '\\' && p[1];
            if (escape) p++;
            l->text[n++] = escape && *p == 'n' ? '\n' : *p;
        }
        if (*p != '"') fail(l, "a string has no end");
        l->text[l->length = n] = 0;
        l->at = p + 1;
        return;
    } else if (l->tok == OP) {
        n = (c == '=' || c == '!' || c == '<' || c == '>') && l->at[1] == '=' ? 2 : 1;
    }
    if (n >= sizeof l->text) fail(l, "too long a word");
    memcpy(l->text, l->at, n);
    l->text[l->length = n] = 0;
    l->at += n;
}

static bool is(const Lexer *l, const char *word) {
    return (l->tok == NAME || l->tok == OP) && strcmp(l->text, word) == 0;
}
static bool accept(Lexer *l, const char *word) {
    if (!is(l, word)) return false;
    next(l);
    return true;
}
static void expect(Lexer *l, const char *word) {
    char what[64];
    snprintf(what, sizeof what, "expected '%s'", word);
    if (!accept(l, word)) fail(l, what);
}

/* ---- compiler ---- */
enum { MAX_VARS = 64, MAX_ARGS = 8, MAX_DEPTH = 200 };
typedef struct Var {
    char name[64];
    uint32_t var;
} Var;
typedef struct Compiler {
    Lexer lex;
    CotFunction *f;
    CotJit *jit;
    Var vars[MAX_VARS];
    int nvars, depth, strings;
} Compiler;

static uint32_t expression(Compiler *c);
static void block(Compiler *c);

static void check(CotStatus status, const CotError *e) {
    if (status == COT_OK) return;
    fprintf(stderr, "%s: %s\n", cot_status_name(status), e->message);
    exit(1);
}

static uint32_t constant(Compiler *c, int64_t x) {
    return cot_ins_iconst(c->f, COT_TYPE_I64, x);
}

static Var *find(Compiler *c, const char *name) {
    for (int i = c->nvars - 1; i >= 0; i--)
        if (strcmp(c->vars[i].name, name) == 0) return &c->vars[i];
    return NULL;
}

static uint32_t declare(Compiler *c, const char *name) {
    if (c->nvars == MAX_VARS || strlen(name) >= sizeof c->vars[0].name)
        fail(&c->lex, "too many or too long names");
    Var *v = &c->vars[c->nvars++];
    strcpy(v->name, name);
    return v->var = cot_var_new(c->f, COT_TYPE_I64);
}

/* The address of a string: data of its own, imported by its symbol. */
static uint32_t string(Compiler *c) {
    char name[32];
    CotError e;
    snprintf(name, sizeof name, ".str%d", c->strings++);
    uint32_t symbol = cot_jit_declare(c->jit, name);
    CotData data = {c->lex.text, c->lex.length + 1, 1, 0, NULL, 0};
    check(cot_jit_define_data(c->jit, symbol, &data, &e), &e);
    next(&c->lex);
    uint32_t g = cot_function_import_data(c->f, symbol, 0, true, false);
    return cot_ins_symbol_value(c->f, COT_TYPE_I64, g);
}

static int arguments(Compiler *c, uint32_t *args, const char *end) {
    int n = 0;
    while (!is(&c->lex, end)) {
        if (n == MAX_ARGS) fail(&c->lex, "too many arguments");
        args[n++] = expression(c);
        if (!accept(&c->lex, ",")) break;
    }
    expect(&c->lex, end);
    return n;
}

/* A function of this language: all parameters and the result are i64. */
static CotSignature signature(int nparams) {
    static const CotParam i64s[MAX_ARGS] = {{COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0},
                                            {COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0},
                                            {COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0},
                                            {COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0}};
    CotSignature s = {COT_CONV_SYSTEM_V, 0, (uint32_t)nparams, 1, i64s, i64s};
    return s;
}

static const CotCType c_int = {COT_C_I32, 0, 0, NULL, 0}, c_long = {COT_C_I64, 0, 0, NULL, 0};
static const CotCType c_pointer = {COT_C_POINTER, 0, 0, NULL, 0},
                      c_double = {COT_C_DOUBLE, 0, 0, NULL, 0};

/* print "format", a, b, ...;   int printf(const char *, ...) */
static void print(Compiler *c) {
    uint32_t args[MAX_ARGS + 1];
    if (c->lex.tok != STRING) fail(&c->lex, "print wants a format");
    args[0] = string(c);
    int n = accept(&c->lex, ",") ? arguments(c, args + 1, ";") : (expect(&c->lex, ";"), 0);
    const CotCType *types[MAX_ARGS + 1] = {&c_pointer};
    for (int i = 1; i <= n; i++) types[i] = &c_long;
    CotCSignature sig = {COT_CONV_SYSTEM_V, 1, 1, (uint32_t)n + 1, &c_int, types};
    CotParam params[2 * (MAX_ARGS + 1) + 1];
    CotCArg infos[MAX_ARGS + 1];
    CotCAbi abi;
    CotError e;
    abi.params = params;
    abi.args = infos;
    check(cot_c_abi(&sig, &abi, &e), &e);
    uint32_t s = cot_function_signature(c->f, &abi.signature);
    uint32_t fn = cot_function_import(c->f, cot_jit_declare(c->jit, "printf"), s, false);
    cot_c_call(c->f, &abi, fn, COT_NONE, COT_NONE, args, COT_NONE);
}

/* span(x, y): struct Polar to_polar(struct Point), whose result's squared radius is the value. */
struct Point {
    double x, y;
};
struct Polar {
    double radius, angle, square;
};
static struct Polar to_polar(struct Point p) {
    struct Polar r = {hypot(p.x, p.y), atan2(p.y, p.x), p.x * p.x + p.y * p.y};
    return r;
}
static uint32_t span(Compiler *c, const uint32_t *xy) {
    CotCField point_fields[2] = {{&c_double, 0, 0}, {&c_double, 0, 0}};
    CotCField polar_fields[3] = {{&c_double, 0, 0}, {&c_double, 0, 0}, {&c_double, 0, 0}};
    CotCType point, polar;
    const CotCType *types[1] = {&point};
    CotCSignature sig = {COT_CONV_SYSTEM_V, 0, 0, 1, &polar, types};
    CotParam params[3];
    CotCArg infos[1];
    CotCAbi abi;
    CotError e;
    check(cot_c_layout(point_fields, 2, &point, &e), &e);
    check(cot_c_layout(polar_fields, 3, &polar, &e), &e);
    abi.params = params;
    abi.args = infos;
    check(cot_c_abi(&sig, &abi, &e), &e);
    CotFunction *f = c->f;
    uint32_t from =
        cot_ins_stack_addr(f, COT_TYPE_I64, cot_function_stack_slot(f, point.size, point.align), 0);
    uint32_t to =
        cot_ins_stack_addr(f, COT_TYPE_I64, cot_function_stack_slot(f, polar.size, polar.align), 0);
    for (int i = 0; i < 2; i++)
        cot_ins_store(f, 0, cot_ins_fcvt_from_sint(f, COT_TYPE_F64, xy[i]), from,
                      (int32_t)point_fields[i].offset);
    uint32_t s = cot_function_signature(f, &abi.signature);
    uint32_t fn = cot_function_import(f, cot_jit_declare(c->jit, "to_polar"), s, false);
    cot_c_call(f, &abi, fn, COT_NONE, COT_NONE, &from, to);
    return cot_ins_fcvt_to_sint_sat(
        f, COT_TYPE_I64, cot_ins_load(f, COT_TYPE_F64, 0, to, (int32_t)polar_fields[2].offset));
}

static uint32_t call(Compiler *c, const char *name) {
    uint32_t args[MAX_ARGS];
    int n = arguments(c, args, ")");
    if (strcmp(name, "span") == 0) {
        if (n != 2) fail(&c->lex, "span takes two arguments");
        return span(c, args);
    }
    char symbol[300];
    snprintf(symbol, sizeof symbol, "%s/%d", name,
             n); /* functions may differ in the number of parameters only */
    CotSignature sig = signature(n);
    uint32_t s = cot_function_signature(c->f, &sig);
    uint32_t fn = cot_function_import(c->f, cot_jit_declare(c->jit, symbol), s, true);
    return cot_ins_result(c->f, cot_ins_call(c->f, fn, args, (uint32_t)n), 0);
}

static uint32_t primary(Compiler *c) {
    Lexer *l = &c->lex;
    if (l->tok == NUMBER) {
        uint32_t v = constant(c, l->number);
        next(l);
        return v;
    }
    if (++c->depth > MAX_DEPTH) fail(l, "nested too deeply");
    uint32_t v = COT_NONE;
    if (accept(l, "(")) {
        v = expression(c);
        expect(l, ")");
    } else if (accept(l, "-")) {
        v = cot_ins_ineg(c->f, primary(c));
    } else if (l->tok == NAME) {
        char name[256];
        strcpy(name, l->text);
        next(l);
        if (accept(l, "(")) {
            v = call(c, name);
        } else {
            Var *x = find(c, name);
            if (!x) fail(l, "unknown variable before this place");
            v = cot_var_get(c->f, x->var);
        }
    } else {
        fail(l, "expected a value");
    }
    c->depth--;
    return v;
}

/* Quotients of the language are defined for all operands, so nothing traps: x / 0 is 0. */
static uint32_t divide(Compiler *c, uint32_t x, uint32_t y, bool rest) {
    CotFunction *f = c->f;
    uint32_t zero = cot_ins_icmp(f, COT_INT_EQ, y, constant(c, 0));
    uint32_t minus =
        cot_ins_icmp(f, COT_INT_EQ, y, constant(c, -1)); /* the least number by -1 overflows */
    uint32_t safe = cot_ins_select(f, cot_ins_bor(f, zero, minus), constant(c, 1), y);
    uint32_t q = rest ? cot_ins_srem(f, x, safe) : cot_ins_sdiv(f, x, safe);
    if (!rest) q = cot_ins_select(f, minus, cot_ins_ineg(f, x), q);
    return cot_ins_select(f, zero, constant(c, 0), q);
}

static int precedence(const char *op) {
    static const char *const levels[] = {"== != < <= > >=", "+ -", "* / %"};
    for (int i = 0; i < 3; i++)
        for (const char *p = levels[i]; *p; p += strcspn(p, " "), p += *p == ' ')
            if (strcspn(p, " ") == strlen(op) && memcmp(p, op, strlen(op)) == 0) return i + 1;
    return 0;
}

static uint32_t apply(Compiler *c, const char *op, uint32_t x, uint32_t y) {
    static const char *const names[] = {"==", "!=", "<", "<=", ">", ">="};
    static const uint32_t conditions[] = {COT_INT_EQ,  COT_INT_NE,  COT_INT_SLT,
                                          COT_INT_SLE, COT_INT_SGT, COT_INT_SGE};
    for (int i = 0; i < 6; i++)
        if (strcmp(op, names[i]) == 0)
            return cot_ins_uextend(c->f, COT_TYPE_I64, cot_ins_icmp(c->f, conditions[i], x, y));
    switch (*op) {
    case '+': return cot_ins_iadd(c->f, x, y);
    case '-': return cot_ins_isub(c->f, x, y);
    case '*': return cot_ins_imul(c->f, x, y);
    default: return divide(c, x, y, *op == '%');
    }
}

static uint32_t binary(Compiler *c, int least) {
    uint32_t x = primary(c);
    for (int p; c->lex.tok == OP && (p = precedence(c->lex.text)) >= least && p;) {
        char op[4];
        snprintf(op, sizeof op, "%.3s", c->lex.text);
        next(&c->lex);
        uint32_t y = binary(c, p + 1);
        x = apply(c, op, x, y);
    }
    return x;
}

static uint32_t expression(Compiler *c) {
    return binary(c, 1);
}

/* Continues in a block that no further branch will reach. */
static void enter(Compiler *c, uint32_t blk) {
    cot_block_switch(c->f, blk);
    cot_block_seal(c->f, blk);
}
static void jump(Compiler *c, uint32_t to) {
    if (!cot_block_is_filled(c->f)) cot_ins_jump(c->f, to, NULL, 0);
}

static void if_statement(Compiler *c) {
    uint32_t yes = cot_block_new(c->f), no = cot_block_new(c->f), after = cot_block_new(c->f);
    cot_ins_brif(c->f, expression(c), yes, NULL, 0, no, NULL, 0);
    enter(c, yes);
    block(c);
    jump(c, after);
    enter(c, no);
    if (accept(&c->lex, "else")) block(c);
    jump(c, after);
    enter(c, after);
}

static void while_statement(Compiler *c) {
    uint32_t head = cot_block_new(c->f), body = cot_block_new(c->f), after = cot_block_new(c->f);
    jump(c, head);
    cot_block_switch(c->f,
                     head); /* not sealed: the branch from the end of the body is still to come */
    cot_ins_brif(c->f, expression(c), body, NULL, 0, after, NULL, 0);
    enter(c, body);
    block(c);
    jump(c, head);
    cot_block_seal(c->f, head);
    enter(c, after);
}

static void statement(Compiler *c) {
    Lexer *l = &c->lex;
    if (accept(l, "if")) {
        if_statement(c);
    } else if (accept(l, "while")) {
        while_statement(c);
    } else if (accept(l, "print")) {
        print(c);
    } else if (accept(l, "return")) {
        uint32_t v = expression(c);
        expect(l, ";");
        cot_ins_return(c->f, &v, 1);
        enter(c, cot_block_new(c->f)); /* what follows cannot be reached */
    } else {
        bool fresh = accept(l, "var");
        char name[256];
        if (l->tok != NAME) fail(l, "expected a statement");
        strcpy(name, l->text);
        next(l);
        if (!fresh && accept(l, "(")) {
            call(c, name);
        } else {
            expect(l, "=");
            uint32_t v = expression(c);
            Var *x = fresh ? NULL : find(c, name);
            if (!fresh && !x) fail(l, "assignment to an unknown variable before this place");
            cot_var_set(c->f, fresh ? declare(c, name) : x->var, v);
        }
        expect(l, ";");
    }
}

static void block(Compiler *c) {
    int outer = c->nvars;
    if (++c->depth > MAX_DEPTH) fail(&c->lex, "nested too deeply");
    expect(&c->lex, "{");
    while (!accept(&c->lex, "}")) statement(c);
    c->nvars = outer;
    c->depth--;
}

static void function(Compiler *c, bool show) {
    Lexer *l = &c->lex;
    char name[256], symbol[300], params[MAX_ARGS][256];
    int n = 0;
    expect(l, "fn");
    if (l->tok != NAME) fail(l, "expected a name");
    strcpy(name, l->text);
    next(l);
    expect(l, "(");
    while (!accept(l, ")")) {
        if (l->tok != NAME || n == MAX_ARGS) fail(l, "expected at most 8 parameters");
        strcpy(params[n++], l->text);
        next(l);
        if (!accept(l, ",") && !is(l, ")")) fail(l, "expected ',' or ')'");
    }
    CotSignature sig = signature(n);
    CotError e;
    cot_function_begin(c->f, &sig);
    cot_function_set_name(c->f, name);
    uint32_t entry = cot_block_new(c->f), first = cot_block_entry_params(c->f, entry);
    enter(c, entry);
    c->nvars = 0;
    for (int i = 0; i < n; i++) cot_var_set(c->f, declare(c, params[i]), first + (uint32_t)i);
    block(c);
    uint32_t zero = constant(c, 0);
    cot_ins_return(c->f, &zero, 1);
    check(cot_function_end(c->f, &e), &e);
    if (show) {
        size_t size = cot_function_print(c->f, NULL, 0) + 1;
        char *text = malloc(size);
        if (text && cot_function_print(c->f, text, size)) fputs(text, stdout);
        free(text);
    }
    snprintf(symbol, sizeof symbol, "%s/%d", name, n);
    check(cot_jit_define(c->jit, cot_jit_declare(c->jit, symbol), c->f, &e), &e);
}

static const char sample[] =
    "fn fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }\n"
    "fn gcd(a, b) { while b != 0 { var r = a % b; a = b; b = r; } return a; }\n"
    "fn main() {\n"
    "    var i = 0;\n"
    "    while i < 10 { print \"%ld \", fib(i); i = i + 1; }\n"
    "    print \"\\ngcd %ld, span %ld, %ld %ld %ld\\n\", gcd(252, 105), span(3, 4), 7 / 0, -7 / 2, "
    "-7 % 4;\n"
    "    return 2 * (i + 11);\n"
    "}\n";

static char *read_file(const char *path) {
    FILE *in = fopen(path, "rb");
    char *text = malloc(1 << 20);
    size_t n = in && text ? fread(text, 1, (1 << 20) - 1, in) : 0;
    if (!in || !text) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(in);
    text[n] = 0;
    return text;
}

/* usage: lang [--clif] [FILE]      without a file: the sample above; --clif: shows the CLIF of each function */
int main(int argc, char **argv) {
    bool show = argc > 1 && strcmp(argv[1], "--clif") == 0;
    char *file = argc > 1 + show ? read_file(argv[1 + show]) : NULL;
    CotError e;
    Compiler c = {.lex = {.at = file ? file : sample, .line = 1}};
    c.f = cot_function_new(NULL, &e);
    c.jit = c.f ? cot_jit_new(NULL, 0, &e) : NULL;
    if (!c.jit) check(e.status, &e);
    union { /* a function's address as data */
        struct Polar (*polar)(struct Point);
        int (*printf)(const char *, ...);
        void *at;
    } host;
    host.polar = to_polar;
    check(cot_jit_set_address(c.jit, cot_jit_declare(c.jit, "to_polar"), host.at, &e), &e);
    host.printf = printf;
    check(cot_jit_set_address(c.jit, cot_jit_declare(c.jit, "printf"), host.at, &e), &e);
    next(&c.lex);
    while (c.lex.tok != END) function(&c, show);
    check(cot_jit_link(c.jit, &e), &e);
    union {
        void *at;
        int64_t (*run)(void);
    } entry = {cot_jit_lookup(c.jit, "main/0")};
    if (!entry.at) fail(&c.lex, "there is no function main()");
    printf("main returned %lld\n", (long long)entry.run());
    cot_jit_free(c.jit);
    cot_function_free(c.f);
    free(file);
    return 0;
}
