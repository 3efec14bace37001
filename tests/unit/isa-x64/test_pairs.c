/* Every (opcode, controlling type) pair of opcodes.def: compiled for each set of processor features and held against the
 * interpreter, with operands in registers, in memory (used once, so that the load may become part of the instruction, and
 * used twice) and as constants. What has no code is refused with DIAG_UNSUPPORTED; the list of that is the page
 * docs/x64-coverage.md, which `unit_isa_x64_pairs --list FILE` writes.
 *
 *   unit_isa_x64_pairs [COUNT [SEED [OPCODE]]]   COUNT operand vectors per function; only that opcode */
#include "oracle.h"

static uint64_t count = 2, first_seed = 1;
static const char *only;
static const char *listing; /* file of the page */

typedef enum Form { IN_REG, IN_MEM, TWICE, CONST_0, CONST_1, CONST_2, FORMS } Form;

enum { MAX_SETS = 16, AREA = 256, AREA_BYTES = 128, RESULTS = 64, SINK = 128 };
static struct {
    const char *name;
    uint64_t flags;
} sets[MAX_SETS];
static uint32_t nsets;
static Oracle o;
static ClifFunc func;
static uint64_t seed;
static uint32_t tried, ran, unlike, odd;

#define BIT(F) ((uint64_t)1 << X64_HAS_##F)
static void add_set(const char *name, uint64_t flags, uint64_t host) {
    if (flags & ~host) return; /* this processor lacks it */
    sets[nsets].name = name;
    sets[nsets++].flags = flags;
}
static void make_sets(void) {
    uint64_t h = x64_host_flags(), s = BIT(SSE3) | BIT(SSSE3);
    add_set("SSE2", 0, h);
    add_set("POPCNT LZCNT BMI1 BMI2 CMPXCHG16B",
            BIT(POPCNT) | BIT(LZCNT) | BIT(BMI1) | BIT(BMI2) | BIT(CMPXCHG16B), h);
    add_set("SSSE3", s, h);
    add_set("SSE4.1", s |= BIT(SSE41), h);
    add_set("SSE4.2", s |= BIT(SSE42) | BIT(POPCNT), h);
    add_set("AVX", s |= BIT(AVX), h);
    add_set("AVX2 FMA", s |= BIT(AVX2) | BIT(FMA), h);
    add_set("x86-64-v3", s |= BIT(LZCNT) | BIT(BMI1) | BIT(BMI2), h);
    if (h & ~s) add_set("all that this processor has", h, h);
}

/* ---- one function ---- */
typedef struct Case {
    ClifOp op;
    ClifType ctrl;
    ClifType arg[4];
    uint32_t nargs;
    uint32_t variant;
    Form form;
} Case;

static void begin(void) {
    static const ClifAbiParam p = {.type = CLIF_I64};
    clif_func_clear(&func);
    func.name = clif_user_name(0, 0);
    clif_set_sig(&func, CLIF_CC_SYSTEM_V, &p, 1, NULL, 0);
    clif_builder_begin(&o.b, &func);
    ClifBlock b0 = cb_create_block(&o.b);
    cb_entry_params(&o.b, b0);
    cb_switch_to(&o.b, b0);
}
static void finish(void) {
    if (!cb_is_filled(&o.b)) cb_return(&o.b, NULL, 0);
    cb_seal_all(&o.b);
    clif_builder_end(&o.b);
}
static ClifValue load(ClifType t, uint16_t mf, int32_t at) {
    return cb_load(&o.b, CLIF_OP_LOAD, t, mf, (ClifValue){0}, at);
}

/* False: it cannot be made from the row alone. */
static bool build(const Case *c, const uint8_t *constants, uint32_t *nresults) {
    ClifBuilder *b = &o.b;
    begin();
    uint16_t mf = clif_intern_memflags(&func, (ClifMemFlags){.region = CLIF_NONE});
    ClifValue v[4];
    for (uint32_t k = 0; k < c->nargs; k++) {
        if (or_is_address(c->op, k)) {
            v[k] = (ClifValue){0};
            if (c->arg[k] == CLIF_I32) v[k] = cb_unary(b, CLIF_OP_IREDUCE, CLIF_I32, v[k]);
            v[k] = cb_binary(b, CLIF_OP_IADD, v[k], cb_iconst(b, c->arg[k], AREA));
        } else if (c->form >= CONST_0 && k == (uint32_t)(c->form - CONST_0)) {
            v[k] = or_const(b, c->arg[k], constants + 16 * k);
        } else {
            v[k] = load(c->arg[k], mf, (int32_t)(16 * k));
        }
    }
    if (c->form == IN_REG) /* no load moves across it */
        cb_store(b, CLIF_OP_STORE, mf, cb_iconst(b, CLIF_I64, 77), (ClifValue){0}, SINK);
    ClifInst inst;
    bool ok = or_inst(b, c->op, c->ctrl, v, c->variant, &seed, &inst);
    *nresults = 0;
    if (ok && !cb_is_filled(b)) {
        uint32_t n, *r = clif_results(&func, inst, &n);
        uint32_t kept[2];
        for (uint32_t k = 0; k < n && k < 2; k++) kept[k] = r[k];
        for (uint32_t k = 0; k < n && k < 2; k++)
            cb_store(b, CLIF_OP_STORE, mf, (ClifValue){kept[k]}, (ClifValue){0},
                     (int32_t)(RESULTS + 16 * k));
        *nresults = n;
        for (uint32_t k = 0; c->form == TWICE && k < c->nargs; k++)
            if (!or_is_address(c->op, k))
                cb_store(b, CLIF_OP_STORE, mf, v[k], (ClifValue){0}, (int32_t)(SINK + 16 * k));
    }
    finish();
    return ok;
}

static void report(const Case *c, const char *set, const uint8_t *in, int want, const uint8_t *w,
                   int got, const uint8_t *g) {
    StrBuf sb;
    sb_init(&sb, &o.mem);
    char name[16];
    if (++unlike > 40) return;
    clif_print_func(&func, &sb);
    fprintf(stderr, "%s.%s, %s: ended with %d, should be %d\n%s", clif_op_info[c->op].name,
            clif_type_name(c->ctrl, name), set, got, want, sb_cstr(&sb));
    for (uint32_t k = 0; k < c->nargs; k++) {
        fprintf(stderr, ";   operand %u:", k);
        for (int j = 15; j >= 0; j--) fprintf(stderr, " %02x", in[16 * k + (uint32_t)j]);
        fputc('\n', stderr);
    }
    for (uint32_t k = 0; k < OR_BYTES; k += 16)
        if (memcmp(w + k, g + k, 16) != 0) {
            fprintf(stderr, ";   at %3u is", k);
            for (int j = 15; j >= 0; j--) fprintf(stderr, " %02x", g[k + (uint32_t)j]);
            fprintf(stderr, "\n;   should be");
            for (int j = 15; j >= 0; j--) fprintf(stderr, " %02x", w[k + (uint32_t)j]);
            fputc('\n', stderr);
        }
    sb_free(&sb);
}

/* NaN lanes of the result become one NaN. */
static void canonical(const Case *c, uint8_t *bytes) {
    ClifType t = c->ctrl;
    if (c->op == CLIF_OP_FVDEMOTE) t = CLIF_F32X4;
    if (c->op == CLIF_OP_FVPROMOTE_LOW) t = CLIF_F64X2;
    if (!or_nan_open(c->op)) return;
    unsigned bits = clif_lane_bits(t), n = bits / 8,
             mant = bits == 16   ? 10
                    : bits == 32 ? 23
                    : bits == 64 ? 52
                                 : 112;
    for (unsigned k = 0; k < clif_type_lanes(t); k++) {
        SemU128 x = 0, mask = bits == 128 ? ~(SemU128)0 : ((SemU128)1 << bits) - 1;
        memcpy(&x, bytes + RESULTS + k * n, n);
        SemU128 inf = mask >> 1 & ~(((SemU128)1 << mant) - 1);
        if ((x & mask >> 1) <= inf) continue;
        x = inf | (SemU128)1 << (mant - 1);
        memcpy(bytes + RESULTS + k * n, &x, n);
    }
}

typedef enum Outcome { NOT_VALID, REFUSED, NO_ORACLE, WORKS } Outcome;

/* Which sets refuse the case: a bit each. */
static Outcome try_case(Case *c, uint32_t *refusing, char why[200]) {
    uint8_t in[64];
    _Alignas(16) uint8_t bytes[OR_BYTES]; /* atomics of 128 bits want it */
    uint32_t nresults;
    Diag d;
    char name[16];
    for (uint32_t k = 0; k < c->nargs; k++) or_operand(&seed, c->arg[k], in + 16 * k);
    if (!build(c, in, &nresults)) return NOT_VALID;
    if (!or_verify(&o, &func, 1, &d)) {
        snprintf(why, 200, "%.190s", d.msg);
        return NOT_VALID;
    }
    tried++;
    enum { MAX_RUNS = 64 };
    static uint8_t start[MAX_RUNS][OR_BYTES], want[MAX_RUNS][OR_BYTES];
    int ends[MAX_RUNS];
    uint32_t runs = 0;
    bool oracle = true;
    or_load(&o, &func, 1);
    for (uint32_t s = 0; s < nsets; s++) {
        or_settings(&o, sets[s].flags, (tried + s) % 3 ? 0 : seed | 1);
        if (!or_compile(&o, &func, 1, &d)) {
            if (d.kind != DIAG_UNSUPPORTED) {
                odd++;
                fprintf(stderr, "%s.%s, %s: %s\n", clif_op_info[c->op].name,
                        clif_type_name(c->ctrl, name), sets[s].name, d.msg);
            }
            snprintf(why, 200, "%.190s", d.msg);
            *refusing |= 1u << s;
            continue;
        }
        if (!runs && oracle) { /* the first that has code: ask the interpreter */
            for (uint32_t r = 0; r < count && r < MAX_RUNS; r++) {
                for (uint32_t k = 0; k < OR_BYTES; k++) start[r][k] = (uint8_t)(k * 37 + r);
                for (uint32_t k = 0; k < c->nargs; k++)
                    or_operand(&seed, c->arg[k], start[r] + 16 * k);
                if (c->nargs > 1 && or_below(&seed, 6) == 0) memcpy(start[r] + 16, start[r], 16);
                for (uint32_t k = 0; k < AREA_BYTES; k += 16)
                    or_operand(&seed, c->ctrl ? c->ctrl : CLIF_I32, start[r] + AREA + k);
                if (c->op == CLIF_OP_ATOMIC_CAS && or_below(&seed, 2))
                    memcpy(start[r] + 16, start[r] + AREA, 16);
                memcpy(want[r], start[r], OR_BYTES);
                Diag di;
                InterpStatus st = or_interpret(&o, want[r], &ends[r], &di);
                if (st == INTERP_OK || st == INTERP_TRAP) {
                    canonical(c, want[r]);
                    runs++;
                    continue;
                }
                oracle = false;
                snprintf(why, 200, "%.190s", di.msg);
                break;
            }
        }
        for (uint32_t r = 0; oracle && r < runs; r++) {
            memcpy(bytes, start[r], OR_BYTES);
            int end = or_native(&o, bytes);
            canonical(c, bytes);
            ran++;
            if (end == ends[r] && !memcmp(bytes, want[r], OR_BYTES)) continue;
            report(c, sets[s].name, start[r], ends[r], want[r], end, bytes);
            break;
        }
    }
    if (*refusing == (1u << nsets) - 1) return REFUSED;
    return oracle ? WORKS : NO_ORACLE;
}

/* ---- all of them ---- */
typedef struct Sum {
    uint32_t works, refused, no_oracle, invalid, refusing;
} Sum;
static StrBuf list; /* the page */

static void try_forms(Case *c, Sum *sum, char why[200]) {
    uint32_t variants = or_variants(c->op, c->ctrl);
    bool is_small = c->ctrl == CLIF_INVALID || or_small(c->ctrl);
    for (uint32_t v = 0; v < variants; v++)
        for (int form = IN_REG; form < FORMS; form++) {
            uint32_t k = (uint32_t)form - CONST_0;
            if (form >= CONST_0 &&
                (k >= c->nargs || or_is_address(c->op, k) || !or_small(c->arg[k])))
                continue;
            if (form > IN_REG && !c->nargs) continue;
            if (v && (!is_small || listing) && sum->works + sum->refused) return;
            c->variant = v;
            c->form = (Form)form;
            for (uint32_t again = 0; again < (form < CONST_0 || listing ? 1 : 3); again++) {
                uint32_t refusing = 0;
                switch (try_case(c, &refusing, why)) {
                case WORKS: sum->works++; break;
                case REFUSED: sum->refused++; return;
                case NO_ORACLE: sum->no_oracle++; return;
                case NOT_VALID:
                    sum->invalid++;
                    form = FORMS;
                    break; /* the next variant */
                }
                sum->refusing |= refusing;
            }
        }
}

static void try_arguments(Case *c, Sum *sum, char why[200]) {
    OrArgs a;
    or_args_begin(&a, c->op, c->ctrl);
    while (or_args_next(&a)) {
        c->nargs = a.n;
        memcpy(c->arg, a.arg, sizeof c->arg);
        try_forms(c, sum, why);
    }
}

static void add_name(StrBuf *sb, ClifType t) {
    char name[16];
    if (sb->n) sb_puts(sb, ", ");
    sb_puts(sb, t ? clif_type_name(t, name) : "yes");
}

static void every_pair(void **state) {
    (void)state;
    make_sets();
    or_init(&o);
    clif_func_init(&func, &o.mem);
    sb_init(&list, &o.mem);
    uint32_t pairs = 0, works = 0, refused = 0, no_oracle = 0, never_valid = 0, wide = 0,
             wide_works = 0;
    StrBuf col[3];
    for (int k = 0; k < 3; k++) sb_init(&col[k], &o.mem);
    for (uint32_t op = 1; op < CLIF_OP_COUNT; op++) {
        const ClifOpSpec *s = &clif_op_spec[op];
        if (only && strcmp(only, clif_op_info[op].name) != 0) continue;
        if (!or_simple_operands((ClifOp)op)) continue;
        uint32_t op_wide = 0;
        for (int k = 0; k < 3; k++) sb_clear(&col[k]);
        for (uint32_t n = 0; n < OR_TYPES; n++) {
            Case c = {.op = (ClifOp)op, .ctrl = or_type(n)};
            if (s->ctrl_mode == CLIF_CTRL_MONO) {
                if (n) break;
                c.ctrl = CLIF_INVALID;
            } else if (!clif_typeset_has((ClifTypeSet)s->ctrl_set, c.ctrl)) {
                continue;
            }
            Sum sum = {0};
            char why[200] = "";
            seed = first_seed * 1000003 + op * 256 + n;
            try_arguments(&c, &sum, why);
            if (!sum.works && !sum.refused && !sum.no_oracle) { /* the verifier refuses it */
                never_valid++;
                if (only) print_message("%s\n", why);
                continue;
            }
            if (c.ctrl && !or_small(c.ctrl)) {
                wide++, op_wide++;
                wide_works += sum.works != 0;
                continue;
            }
            pairs++;
            works += sum.works != 0;
            refused += !sum.works && sum.refused;
            no_oracle += !sum.works && sum.no_oracle;
            add_name(&col[sum.works ? 0 : sum.refused ? 1 : 2], c.ctrl);
            if (!listing && !sum.works && only) print_message("%s\n", why);
        }
        if (col[0].n || col[1].n || col[2].n)
            sb_printf(&list, "| `%s` | %s | %s |\n", clif_op_info[op].name, sb_cstr(&col[0]),
                      sb_cstr(&col[1]));
        if (col[2].n)
            print_message("%s: code, but no meaning in the interpreter: %s\n",
                          clif_op_info[op].name, sb_cstr(&col[2]));
    }
    char sums[256];
    snprintf(sums, sizeof sums,
             "%u pairs of at most 128 bits: %u have code, %u are refused; %u pairs of wider and "
             "dynamic types are refused.",
             pairs, works + no_oracle, refused, wide - wide_works);
    FILE *page = listing ? fopen(listing, "w") : NULL;
    if (page)
        fprintf(page,
                "# Opcodes and types on x86-64\n\nWhich controlling types of each opcode have "
                "code, as the test "
                "`isa_x64.pairs` finds by compiling them, with every\nset of processor features "
                "(code for one "
                "set counts). The rest is refused with `DIAG_UNSUPPORTED`. Opcodes with "
                "blocks,\ncalls, slots "
                "and symbols are not in the table. Made by `build/tests/unit_isa_x64_pairs --list "
                "docs/x64-coverage.md`.\n\n%s\n\n"
                "| opcode | code | refused |\n|---|---|---|\n%s",
                sums, sb_cstr(&list));
    if (page) assert_int_equal(fclose(page), 0);
    print_message(
        "%s\n%u functions, %u runs for %u sets of features, %u without an oracle, %u pairs never "
        "valid\n",
        sums, tried, ran, nsets, no_oracle, never_valid);
    for (int k = 0; k < 3; k++) sb_free(&col[k]);
    sb_free(&list);
    clif_func_free(&func);
    or_free(&o);
    assert_int_equal(wide_works, 0);
    assert_int_equal(odd, 0);
    assert_int_equal(unlike, 0);
}

int main(int argc, char **argv) {
    listing = argc > 2 && !strcmp(argv[1], "--list") ? argv[2] : NULL;
    if (argc > 1 && !listing) count = strtoull(argv[1], NULL, 10);
    if (argc > 2 && !listing) first_seed = strtoull(argv[2], NULL, 10);
    if (argc > 3) only = argv[3];
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pair)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
