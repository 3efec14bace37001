/* tools/apigen.c — the public C interface and the reference page of the opcodes, from clif/opcodes.def.
 *
 *   apigen header    cot/clif_ops.h: the enumeration COT_OP_*, one function per opcode
 *   apigen source    their definitions: each fills a CotIns, so that cot_ins checks all of them
 *   apigen doc       docs/opcodes.md: text form, C function, types, meaning, effects
 * Output goes to standard output or the file given by -o. */
#include <stdio.h>
#include <string.h>

enum { MAX_ARGS = 4 };
typedef struct Arg {
    char what; /* V value, I immediate or entity, L list of values */
    const char *name, *type;
} Arg;
typedef struct Row {
    const char *name, *text, *format, *flags, *doc;
    const char *set; /* of the controlling type; NULL: all types are fixed */
    int by_result, ctrl_arg, nargs;
    Arg args[MAX_ARGS];
    int nres; /* -1: as the signature says */
    const char *res[4];
} Row;

#define MONO .set = NULL
#define BY_ARG(k, Set) .set = #Set, .ctrl_arg = (k)
#define BY_RESULT(Set) .set = #Set, .by_result = 1
#define V(n, t) \
    { 'V', #n, #t }
#define I(n, kind) \
    { 'I', #n, #kind }
#define VARARGS(n) \
    { 'L', #n, "" }
#define NO_ARGS .nargs = 0
#define ARGS(...) .args = {__VA_ARGS__}, .nargs = sizeof((Arg[]){__VA_ARGS__}) / sizeof(Arg)
#define R0 .nres = 0
#define R1(n, t) .nres = 1, .res = {#n, #t}
#define R2(n1, t1, n2, t2) .nres = 2, .res = {#n1, #t1, #n2, #t2}
#define RSIG .nres = -1
static const Row rows[] = {
#define CLIF_OPCODE(NAME, text, Format, fl, ctrl, a, r, meaning) \
    {#NAME, text, #Format, #fl, meaning, ctrl, a, r},
#include "clif/opcodes.def"
#undef CLIF_OPCODE
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static const struct {
    const char *name, *doc;
} sets[] = {
#define CLIF_TYPESET(Name, a, b, c, d, e, f, g, h, doc) {#Name, doc},
#include "clif/typesets.def"
#undef CLIF_TYPESET
};
static const struct {
    const char *name, *pattern;
} patterns[] = {
#define CLIF_FORMAT(Name, text, v, l, c, pattern) {#Name, pattern},
#include "clif/formats.def"
#undef CLIF_FORMAT
};

/* How an operand kind appears in C: parameter declaration (%s = its name), and the field of CotIns that takes it. */
typedef struct Kind {
    const char *kind, *decl, *field, *doc;
    char letter[3]; /* in the text patterns */
} Kind;
static const Kind kinds[] = {
    {"IMM64", "int64_t %s", "imm", "number", "i"},
    {"UIMM8", "uint32_t %s", "imm", "number below 256", "8"},
    {"OFFSET32", "int32_t %s", "imm", "signed 32-bit offset", "oO"},
    {"IEEE16", "uint32_t %s", "imm", "bits of the float", "h"},
    {"IEEE32", "uint32_t %s", "imm", "bits of the float", "s"},
    {"IEEE64", "uint64_t %s", "imm", "bits of the float", "d"},
    {"UIMM128", "const uint8_t *%s", "mask", "16 bytes", "M"},
    {"CONSTANT", "uint32_t %s", "entity", "constant", "K"},
    {"INTCC", "uint32_t %s", "code", "COT_INT_*", "I"},
    {"FLOATCC", "uint32_t %s", "code", "COT_FLOAT_*", "L"},
    {"MEMFLAGS", "uint32_t %s", "flags", "COT_MEM_*", "F"},
    {"TRAPCODE", "uint32_t %s", "code", "trap code", "t"},
    {"RMWOP", "uint32_t %s", "code", "COT_RMW_*", "R"},
    {"BLOCKCALL", "uint32_t %s, const uint32_t *%s_args, uint32_t %s_nargs", "",
     "block and its arguments", "JT"},
    {"BLOCK", "uint32_t %s", "entity", "block", "k"},
    {"STACKSLOT", "uint32_t %s", "entity", "stack slot", "p"},
    {"DYNSLOT", "uint32_t %s", "entity", "dynamic stack slot", "D"},
    {"GLOBALVALUE", "uint32_t %s", "entity", "global value", "G"},
    {"SIGREF", "uint32_t %s", "entity", "signature", "S"},
    {"FUNCREF", "uint32_t %s", "entity", "imported function", "nN"},
    {"JUMPTABLE", "uint32_t %s", "entity", "jump table", "B"},
    {"EHTABLE", "uint32_t %s", "table", "exception table", "X"},
};
static const Kind *kind_of(const Arg *a) {
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k].kind, a->type) == 0) return &kinds[k];
    fprintf(stderr, "apigen: no operand kind %s\n", a->type);
    return &kinds[0];
}

static void prototype(FILE *o, const Row *r) {
    fprintf(o, "%s cot_ins_%s(CotFunction *f", r->nres ? "uint32_t" : "void", r->text);
    if (r->by_result) fputs(", uint32_t type", o);
    for (int k = 0; k < r->nargs; k++) {
        const char *n = r->args[k].name;
        fputs(", ", o);
        if (r->args[k].what == 'V')
            fprintf(o, "uint32_t %s", n);
        else if (r->args[k].what == 'L')
            fprintf(o, "const uint32_t *%s, uint32_t n_%s", n, n);
        else
            for (const char *p = kind_of(&r->args[k])->decl; *p; p++)
                if (p[0] == '%' && p[1] == 's')
                    fputs(n, o), p++;
                else
                    fputc(*p, o);
    }
    if (r->nres == 2) fprintf(o, ", uint32_t *%s", r->res[2]);
    fputc(')', o);
}

static const char *set_doc(const char *name) {
    for (unsigned k = 0; k < sizeof sets / sizeof *sets; k++)
        if (strcmp(sets[k].name, name) == 0) return sets[k].doc;
    return name;
}

static void header(FILE *o) {
    fputs(
        "/* cot/clif_ops.h — one function per CLIF opcode; generated, included by cot/clif.h.\n *\n"
        " * Each appends an instruction to the current block. One with a result gives the value; "
        "the second result goes to the\n"
        " * last parameter, which may be NULL. call and call_indirect give the instruction "
        "(cot_ins_result). `type` is\n"
        " * the type after the opcode in text. docs/opcodes.md tells types, effects and traps of "
        "each. */\n"
        "#ifndef COT_CLIF_OPS_H\n#define COT_CLIF_OPS_H\n#include \"cot/clif.h\"\n\n"
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\nenum {\n",
        o);
    for (int i = 0; i < N_ROWS; i++)
        fprintf(o, "    COT_OP_%s = %d%s\n", rows[i].name, i + 1, i + 1 < N_ROWS ? "," : "");
    fputs("};\n", o);
    for (int i = 0; i < N_ROWS; i++) {
        fprintf(o, "\n/* %s */\nCOT_API ", rows[i].doc);
        prototype(o, &rows[i]);
        fputs(";\n", o);
    }
    fputs("\n#ifdef __cplusplus\n}\n#endif\n#endif\n", o);
}

static void source(FILE *o) {
    fputs("/* One function per opcode: cot_ins does the work. Generated by tools/apigen.c. */\n"
          "#include \"api/clif_int.h\"\n\n",
          o);
    for (int i = 0; i < N_ROWS; i++)
        fprintf(o, "_Static_assert((int)COT_OP_%s == (int)CLIF_OP_%s, \"numbers\");\n",
                rows[i].name, rows[i].name);
    for (int i = 0; i < N_ROWS; i++) {
        const Row *r = &rows[i];
        int value = 0, target = 0;
        fputc('\n', o);
        prototype(o, r);
        fprintf(o, " {\n    CotIns i = {.op = COT_OP_%s};\n", r->name);
        if (r->by_result) fputs("    i.type = type;\n", o);
        for (int k = 0; k < r->nargs; k++) {
            const Arg *a = &r->args[k];
            if (a->what == 'V')
                fprintf(o, "    i.args[%d] = %s;\n", value++, a->name);
            else if (a->what == 'L')
                fprintf(o, "    i.list = %s;\n    i.nlist = n_%s;\n", a->name, a->name);
            else if (strcmp(a->type, "BLOCKCALL") == 0)
                fprintf(o, "    i.targets[%d] = (CotTarget){%s, %s_nargs, %s_args};\n", target++,
                        a->name, a->name, a->name);
            else
                fprintf(o, "    i.%s = %s%s;\n", kind_of(a)->field,
                        strcmp(a->type, "IEEE64") ? "" : "(int64_t)", a->name);
        }
        if (r->nres == 0)
            fputs("    cot_ins(f, &i);\n", o);
        else if (r->nres == 1)
            fputs("    return api_result(f, cot_ins(f, &i));\n", o);
        else if (r->nres == 2)
            fprintf(o, "    return api_results(f, cot_ins(f, &i), %s);\n", r->res[2]);
        else
            fputs("    return cot_ins(f, &i);\n", o);
        fputs("}\n", o);
    }
}

/* ---- the reference page ---- */
static const char *operand(const Row *r, char what, const char *type_or_null, int skip) {
    for (int k = 0; k < r->nargs; k++)
        if (r->args[k].what == what && (!type_or_null || !strcmp(r->args[k].type, type_or_null)))
            if (skip-- == 0) return r->args[k].name;
    return "?";
}

static void text_form(FILE *o, const Row *r) {
    const char *p = " ";
    for (unsigned k = 0; k < sizeof patterns / sizeof *patterns; k++)
        if (strcmp(patterns[k].name, r->format) == 0) p = patterns[k].pattern;
    for (int k = 0; k < (r->nres < 0 ? 0 : r->nres); k++)
        fprintf(o, "%s%s", k ? ", " : "", r->res[2 * k]);
    fprintf(o, "%s%s%s",
            r->nres > 0   ? " = "
            : r->nres < 0 ? "results... = "
                          : "",
            r->text, r->by_result ? ".T" : "");
    if (p[0] == ' ' && !p[1]) return;
    for (; *p; p++) {
        if (*p >= 'a' && *p <= 'c') {
            fputs(operand(r, 'V', NULL, *p - 'a'), o);
        } else if (*p == 'A') {
            fprintf(o, "%s...", operand(r, 'L', NULL, 0));
        } else if (*p == 'C') {
            fprintf(o, "%s(%s...)", operand(r, 'V', NULL, 0), operand(r, 'L', NULL, 0));
        } else if (*p == 'V') {
            fprintf(o, " %s...", operand(r, 'L', NULL, 0));
        } else if (*p == 'J' || *p == 'T' || *p == 'E') {
            fprintf(o, "%s(args...)", operand(r, 'I', "BLOCKCALL", *p == 'E'));
        } else {
            const Kind *found = NULL;
            for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++)
                if (strchr(kinds[k].letter, *p)) found = &kinds[k];
            if (!found)
                fputc(*p, o);
            else
                fprintf(o, "%s%s",
                        *p == 'o' || *p == 'O' ? "+"
                        : *p == 'F'            ? " "
                                               : "",
                        operand(r, 'I', found->kind, 0));
        }
    }
}

static void lower(FILE *o, const char *s) {
    for (; *s && *s != ')'; s++) fputc(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s, o);
}

static void type_words(FILE *o, const char *t) {
    static const char *const words[][2] = {
        {"T", "T"},
        {"LANE", "the lane type of T"},
        {"TRUTHY", "`i8`, for a vector integer lanes of T's shape"},
        {"HALF", "T with lanes of half the width"},
        {"DOUBLE", "T with lanes of twice the width"},
        {"SPLIT", "twice the lanes of T, half as wide"},
        {"MERGE", "half the lanes of T, twice as wide"},
        {"NARROWER", "as T, with fewer bits per lane"},
        {"WIDER", "as T, with more bits per lane"},
        {"FIXEDV", "the fixed part of T"}};
    if (strncmp(t, "JUST(", 5) == 0) {
        fputc('`', o);
        lower(o, t + 5);
        fputc('`', o);
        return;
    }
    if (strncmp(t, "ONE_OF(", 7) == 0) {
        char name[32] = {0};
        memcpy(name, t + 7, strcspn(t + 7, ")"));
        fputs(set_doc(name), o);
        return;
    }
    if (strncmp(t, "LIKE(", 5) == 0) {
        char name[32] = {0};
        memcpy(name, t + 5, strcspn(t + 5, ")"));
        fprintf(o, "%s, with as many lanes as T", set_doc(name));
        return;
    }
    for (unsigned k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(words[k][0], t) == 0) fputs(words[k][1], o);
}

static void effects(FILE *o, const Row *r) {
    static const char *const words[][2] = {
        {"TERM", "ends the block"}, {"BRANCH", "ends the block"},   {"RETURN", "ends the block"},
        {"CALL", "calls"},          {"LOAD", "reads memory"},       {"STORE", "writes memory"},
        {"TRAP_", "can trap"},      {"OTHER", "other side effects"}};
    const char *sep = "";
    if (strcmp(r->flags, "0") == 0) fputs("none", o);
    for (unsigned k = 0; k < sizeof words / sizeof *words; k++) {
        const char *at = strstr(r->flags, words[k][0]);
        if (!at) continue;
        fprintf(o, "%s%s", sep, words[k][1]);
        sep = ", ";
    }
    if (strstr(r->flags, "LOAD") || strstr(r->flags, "STORE"))
        for (int k = 0; k < r->nargs; k++)
            if (strcmp(r->args[k].type, "MEMFLAGS") == 0 && strcmp(r->text, "bitcast"))
                fputs("; a bad address is the trap of its flags", o);
}

static void doc(FILE *o) {
    fprintf(o,
            "# The %d opcodes of CLIF\n\n"
            "Generated from `src/clif/opcodes.def` by `tools/apigen.c`; `make check` fails when it "
            "is out of date.\n\n"
            "T is the controlling type: the one written after a point (`iconst.i32`), or else that "
            "of the operand named as such.\n"
            "The C functions are those of `cot/clif_ops.h`; their first parameter is the "
            "`CotFunction`. What `flags`, conditions,\n"
            "trap codes and atomic operations can be is in `cot/clif.h`.\n",
            (int)N_ROWS);
    for (int i = 0; i < N_ROWS; i++) {
        const Row *r = &rows[i];
        fprintf(o, "\n## %s\n\n`", r->text);
        text_form(o, r);
        fprintf(o, "`\n\n%s\n\n", r->doc);
        int value = 0;
        if (r->set)
            fprintf(o, "- T: %s%s%s%s\n", set_doc(r->set), r->by_result ? "" : ", that of `",
                    r->by_result ? ", written" : operand(r, 'V', NULL, r->ctrl_arg),
                    r->by_result ? "" : "`");
        for (int k = 0; k < r->nargs; k++) {
            const Arg *a = &r->args[k];
            fprintf(o, "- `%s`: ", a->name);
            if (a->what == 'V')
                type_words(o, a->type), value++;
            else
                fputs(a->what == 'L' ? "any number of values" : kind_of(a)->doc, o);
            fputc('\n', o);
        }
        for (int k = 0; k < r->nres; k++) {
            fprintf(o, "- result `%s`: ", r->res[2 * k]);
            type_words(o, r->res[2 * k + 1]);
            fputc('\n', o);
        }
        if (r->nres < 0) fputs("- results: as the signature says\n", o);
        fputs("- effects: ", o);
        effects(o, r);
        fputs("\n- C: `", o);
        prototype(o, r);
        fputs("`\n", o);
    }
}

int main(int argc, char **argv) {
    FILE *o = stdout;
    if (argc == 4 && strcmp(argv[2], "-o") == 0) o = fopen(argv[3], "w");
    if (argc < 2 || !o) {
        fputs("usage: apigen header|source|doc [-o FILE]\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "header") == 0)
        header(o);
    else if (strcmp(argv[1], "source") == 0)
        source(o);
    else if (strcmp(argv[1], "doc") == 0)
        doc(o);
    else
        return 2;
    return fclose(o) ? 1 : 0;
}
