/* Random modules of functions, compiled for this processor and held against the interpreter.
 *
 * First every opcode is tried with every type, and what has code becomes a menu, with the processor's features that it needs. A function is a random
 * graph of blocks (any block may jump to any other, so loops are nested, crossed and irreducible), with parameters of
 * blocks, variables turned into SSA by the builder, stack slots, loads and stores at computed addresses, br_table, and
 * direct and indirect calls and tail calls to functions of higher numbers, several results. Each jump back takes one from a counter in
 * memory, so every run ends. NaNs whose payload is unspecified are replaced by one NaN. Processor features, random register allocation,
 * and operands are drawn, too. A failing module is made smaller, as long as it fails, and printed as a file for `cot test`.
 *
 *   unit_isa_x64_functions [COUNT [SEED]]   COUNT functions; the seed of a failing module is printed
 *   unit_isa_x64_functions module SEED      that module alone */
#include "oracle.h"

static uint64_t count = 1500, first_seed = 1;
static bool module; /* only the one of first_seed */
static Oracle o;
static uint64_t g; /* the generator's state */

enum {
    MAX_FUNCS = 5,
    MAX_POOL = 512,
    MAX_BLOCKS = 10,
    MAX_VARS = 6,
    MAX_SIG = 10,
    AREA = 256,
    FUEL_AT = 504,
    RUNS = 3
};

static uint32_t pick(uint32_t n) {
    return or_below(&g, n);
}

/* ---- the processor ---- */
enum { LEVELS = 6 };
static uint64_t up_to(uint32_t level) {
    const uint64_t steps[LEVELS - 1] = {(uint64_t)1 << X64_HAS_SSE3 | (uint64_t)1 << X64_HAS_SSSE3,
                                        (uint64_t)1 << X64_HAS_SSE41, (uint64_t)1 << X64_HAS_SSE42,
                                        (uint64_t)1 << X64_HAS_AVX,
                                        (uint64_t)1 << X64_HAS_AVX2 | (uint64_t)1 << X64_HAS_FMA};
    uint64_t flags = 0;
    for (uint32_t k = 0; k < level; k++) flags |= steps[k];
    return flags;
}
/* Features: those of a level and perhaps a few less or more. */
static uint64_t some_flags(void) {
    uint64_t host = x64_host_flags(), level = up_to(pick(LEVELS));
    static const uint8_t others[] = {X64_HAS_POPCNT, X64_HAS_LZCNT, X64_HAS_BMI1, X64_HAS_BMI2,
                                     X64_HAS_CMPXCHG16B};
    for (uint32_t k = 0; k < sizeof others; k++)
        if (pick(2)) level |= (uint64_t)1 << others[k];
    return pick(8) ? level & host : host;
}

/* ---- the menu ---- */
typedef struct Dish {
    uint8_t op, ctrl, n, arg[3];
    uint64_t needs; /* of the processor */
} Dish;
static Dish menu[20000];
static uint32_t nmenu, by_op[CLIF_OP_COUNT + 1]; /* first dish of each opcode */
static uint32_t ops[CLIF_OP_COUNT], nops;
static ClifType types[OR_TYPES],
    passed[3][OR_TYPES]; /* in memory and as constants; in signatures */
static uint32_t ntypes, npassed[3];
static const ClifCallConv convs[3] = {CLIF_CC_SYSTEM_V, CLIF_CC_FAST, CLIF_CC_TAIL};
static bool usable[256], wide_conditions; /* brif and icmp of i128 */

static ClifFunc probe;
static const ClifAbiParam pointer = {.type = CLIF_I64};
static ClifValue memory(void) {
    return (ClifValue){0};
}
static uint16_t notrap(ClifFunc *f) {
    return clif_intern_memflags(f, (ClifMemFlags){.region = CLIF_NONE});
}
static void start(ClifFunc *f, uint32_t name, ClifCallConv cc, const ClifAbiParam *p, uint32_t n,
                  const ClifAbiParam *r, uint32_t nr) {
    clif_func_clear(f);
    f->name = clif_user_name(0, name);
    clif_set_sig(f, cc, p, n, r, nr);
    clif_builder_begin(&o.b, f);
    ClifBlock b0 = cb_create_block(&o.b);
    cb_entry_params(&o.b, b0);
    cb_switch_to(&o.b, b0);
}
static bool end_probe(void) {
    Diag d;
    cb_seal_all(&o.b);
    clif_builder_end(&o.b);
    return or_verify(&o, &probe, 1, &d) && or_compile(&o, &probe, 1, &d);
}

static bool canonical_type(ClifType t) { /* NaNs can be replaced */
    return t == CLIF_F32 || t == CLIF_F64 || t == CLIF_F32X4 || t == CLIF_F64X2;
}

static bool offer(ClifOp op, ClifType t, const OrArgs *a, uint64_t needs) {
    ClifBuilder *b = &o.b;
    start(&probe, 0, CLIF_CC_SYSTEM_V, &pointer, 1, NULL, 0);
    uint16_t mf = notrap(&probe);
    ClifValue v[4];
    for (uint32_t j = 0; j < a->n; j++)
        v[j] =
            or_is_address(op, j) ? memory() : cb_load(b, CLIF_OP_LOAD, a->arg[j], mf, memory(), 0);
    ClifInst i;
    bool ok = or_inst(b, op, t, v, 0, &g, &i);
    uint32_t n = 0, *r = ok ? clif_results(&probe, i, &n) : NULL, kept[2] = {0};
    for (uint32_t j = 0; j < n && j < 2; j++) kept[j] = r[j];
    for (uint32_t j = 0; j < n && j < 2; j++) {
        ClifType rt = clif_value_type(&probe, (ClifValue){kept[j]});
        ok &= usable[rt] && (!or_nan_open(op) || canonical_type(rt));
        cb_store(b, CLIF_OP_STORE, mf, (ClifValue){kept[j]}, memory(), 16);
    }
    cb_return(b, NULL, 0);
    if (!end_probe() || !ok) return false;
    menu[nmenu] = (Dish){(uint8_t)op, t, (uint8_t)a->n, {0}, needs};
    for (uint32_t j = 0; j < a->n; j++) menu[nmenu].arg[j] = a->arg[j];
    nmenu++;
    return true;
}

static void make_menu(void) {
    ClifBuilder *b = &o.b;
    or_settings(&o, 0, 0);
    for (uint32_t k = 0; k < OR_TYPES; k++) {
        ClifType t = or_type(k);
        uint8_t bits[16] = {1, 2, 3};
        if (!or_small(t)) continue;
        start(&probe, 0, CLIF_CC_SYSTEM_V, &pointer, 1, NULL, 0);
        uint16_t mf = notrap(&probe);
        cb_store(b, CLIF_OP_STORE, mf, cb_load(b, CLIF_OP_LOAD, t, mf, memory(), 0), memory(), 16);
        cb_store(b, CLIF_OP_STORE, mf, or_const(b, t, bits), memory(), 32);
        cb_return(b, NULL, 0);
        if (!end_probe()) continue;
        usable[t] = true;
        types[ntypes++] = t;
        for (int c = 0; c < 3; c++) {
            ClifAbiParam p[2] = {pointer, {.type = t}};
            start(&probe, 0, convs[c], p, 2, &p[1], 1);
            ClifValue v = {1};
            cb_return(b, &v, 1);
            if (end_probe()) passed[c][npassed[c]++] = t;
        }
    }
    for (uint32_t op = 1; op < CLIF_OP_COUNT; op++) {
        const ClifOpSpec *s = &clif_op_spec[op];
        by_op[op] = nmenu;
        if (!or_simple_operands((ClifOp)op) || op == CLIF_OP_TRAP) continue;
        for (uint32_t k = 0; k < OR_TYPES; k++) {
            bool mono = s->ctrl_mode == CLIF_CTRL_MONO;
            ClifType t = mono ? CLIF_INVALID : or_type(k);
            if (mono ? k > 0 : !or_small(t) || !clif_typeset_has((ClifTypeSet)s->ctrl_set, t))
                continue;
            OrArgs a;
            for (or_args_begin(&a, (ClifOp)op, t); or_args_next(&a);) {
                bool ok = a.n <= 3;
                for (uint32_t j = 0; j < a.n; j++) ok &= usable[a.arg[j]];
                if (!ok || nmenu == sizeof menu / sizeof *menu) continue;
                for (uint32_t k = 0; k < LEVELS; k++) {
                    uint64_t needs = up_to(k);
                    if (needs & ~x64_host_flags()) break;
                    or_settings(&o, needs, 0);
                    if (offer((ClifOp)op, t, &a, needs)) break;
                }
            }
        }
        if (nmenu > by_op[op]) ops[nops++] = op;
    }
    by_op[CLIF_OP_COUNT] = nmenu;
    or_settings(&o, 0, 0);
    if (!usable[CLIF_I128]) return;
    start(&probe, 0, CLIF_CC_SYSTEM_V, &pointer, 1, NULL, 0);
    ClifValue x = cb_load(b, CLIF_OP_LOAD, CLIF_I128, notrap(&probe), memory(), 0);
    ClifBlock b1 = cb_create_block(b), b2 = cb_create_block(b);
    cb_brif(b, x, b1, NULL, 0, b2, NULL, 0);
    cb_switch_to(b, b1);
    cb_brif(b, cb_icmp(b, CLIF_SLT, x, x), b1, NULL, 0, b2, NULL, 0);
    cb_switch_to(b, b2);
    cb_return(b, NULL, 0);
    wide_conditions = end_probe();
}

/* ---- one function ---- */
typedef struct Sig {
    ClifCallConv cc;
    ClifAbiParam p[MAX_SIG], r[MAX_SIG];
    uint32_t np, nr;
} Sig;
static ClifFunc fns[MAX_FUNCS];
static Sig sigs[MAX_FUNCS];
static uint32_t nfns, ntail_calls;
static uint64_t flags; /* features of the module's processor */
static bool pinned;    /* it has a pinned register */

static struct {
    ClifValue v;
    ClifType t;
} pool[MAX_POOL];
static uint32_t npool;
static ClifType var_type[MAX_VARS];
static uint32_t nvars, nslots;
static uint16_t mf;
static ClifValue frame,
    back; /* what get_frame_pointer and get_return_address gave in the first block */
static ClifValue old_pinned; /* of the first function: what its caller has in the register */

static void add(ClifValue v) {
    uint32_t at = npool < MAX_POOL ? npool++ : pick(MAX_POOL);
    pool[at].v = v;
    pool[at].t = clif_value_type(o.b.f, v);
}
static ClifValue constant(ClifType t) {
    uint8_t bits[16];
    or_operand(&g, t, bits);
    return or_const(&o.b, t, bits);
}
static ClifValue need(ClifType t) {
    uint32_t how = pick(10), seen = 0;
    ClifValue found = {0};
    if (how == 0) return constant(t);
    if (how == 1)
        return cb_load(&o.b, CLIF_OP_LOAD, t, mf, memory(), (int32_t)(AREA + 8 * pick(20)));
    if (how < 5)
        for (uint32_t k = pick(nvars), n = 0; n < nvars; n++, k = (k + 1) % nvars)
            if (var_type[k] == t) return cb_use_var(&o.b, (ClifVar){k});
    for (uint32_t k = 0; k < npool; k++)
        if (pool[k].t == t && pick(++seen) == 0) found = pool[k].v;
    if (seen) return found;
    return how & 1 ? constant(t)
                   : cb_load(&o.b, CLIF_OP_LOAD, t, mf, memory(), (int32_t)(AREA + 8 * pick(20)));
}
static ClifType any_type(void) {
    return types[pick(ntypes)];
}

static ClifValue symbol(ClifName name, int64_t offset) {
    ClifGlobalValue gv = clif_make_gv(o.b.f, (ClifGlobalValueData){.kind = CLIF_GV_SYMBOL,
                                                                   .type = CLIF_I64,
                                                                   .colocated = (uint8_t)pick(2),
                                                                   .offset = offset,
                                                                   .name = name});
    return cb_ins1(&o.b, or_data(CLIF_OP_SYMBOL_VALUE, CLIF_I64, gv.i, 0), CLIF_I64);
}

/* An address at which 64 bytes may be accessed. */
static ClifValue address(bool aligned) {
    ClifBuilder *b = &o.b;
    uint32_t how = aligned ? 0 : pick(7);
    if (how == 6) return symbol(clif_user_name(1, 0), AREA + 16 * (int64_t)pick(4));
    if (how == 1 && nslots) { /* a slot has 96 bytes */
        ClifInstData d = or_data(CLIF_OP_STACK_ADDR, CLIF_I64, pick(nslots), pick(5) * 8);
        return cb_ins1(b, d, CLIF_I64);
    }
    ClifValue base =
        cb_binary(b, CLIF_OP_IADD, memory(), cb_iconst(b, CLIF_I64, AREA + 16 * (int32_t)pick(4)));
    if (how < 2) return base;
    ClifValue x = need(CLIF_I64);
    if (how == 2) { /* base + index * scale */
        x = cb_binary(b, CLIF_OP_BAND, x, cb_iconst(b, CLIF_I64, 7));
        uint32_t shift = pick(4);
        x = cb_binary(b, CLIF_OP_ISHL, x, cb_iconst(b, CLIF_I64, shift));
    } else if (how == 3) { /* a 32-bit index */
        x = cb_binary(b, CLIF_OP_BAND, need(CLIF_I32), cb_iconst(b, CLIF_I32, 63));
        x = cb_unary(b, CLIF_OP_UEXTEND, CLIF_I64, x);
    } else {
        x = cb_binary(b, CLIF_OP_BAND, x, cb_iconst(b, CLIF_I64, 0x38));
    }
    return pick(2) ? cb_binary(b, CLIF_OP_IADD, base, x) : cb_binary(b, CLIF_OP_IADD, x, base);
}

static ClifValue without_payload(ClifValue x) {
    ClifBuilder *b = &o.b;
    ClifType t = clif_value_type(b->f, x);
    uint8_t nan[16] = {0};
    unsigned n = clif_lane_bits(t) / 8;
    for (unsigned k = 0; k < clif_type_lanes(t); k++) {
        nan[k * n + n - 1] = 0x7F;
        nan[k * n + n - 2] = n == 4 ? 0xC0 : 0xF8;
    }
    ClifValue c = cb_fcmp(b, CLIF_FNE, x, x), q = or_const(b, t, nan);
    if (!clif_type_is_vector(t)) return cb_ternary(b, CLIF_OP_SELECT, c, q, x);
    c = cb_unary(b, CLIF_OP_BITCAST, t, c);
    clif_data(b->f, cb_last_inst(b))->aux = clif_intern_memflags(
        b->f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE});
    return cb_ternary(b, CLIF_OP_BITSELECT, c, q, x);
}

static void instruction(void) {
    ClifBuilder *b = &o.b;
    uint32_t op = ops[pick(nops)], first = by_op[op], n = by_op[op + 1] - first;
    const Dish *d = &menu[first + pick(n)];
    if (d->needs & ~flags) return;
    bool traps = clif_op_is((ClifOp)op, CLIF_OPF_CAN_TRAP);
    bool divides =
        op == CLIF_OP_UDIV || op == CLIF_OP_SDIV || op == CLIF_OP_UREM || op == CLIF_OP_SREM;
    if (traps && !divides && pick(12)) return;
    ClifValue v[4];
    for (uint32_t k = 0; k < d->n; k++)
        v[k] = or_is_address((ClifOp)op, k)
                   ? address(clif_op_is((ClifOp)op, CLIF_OPF_OTHER_SIDE_EFFECTS))
                   : need(d->arg[k]);
    if (divides && pick(10) && d->ctrl != CLIF_I128)
        v[1] = cb_binary(b, CLIF_OP_BOR, v[1], cb_iconst(b, d->ctrl, 1 + (int64_t)pick(3)));
    ClifInst i;
    or_inst(b, (ClifOp)op, d->ctrl, v, pick(1000), &g, &i);
    uint32_t nr, *r = clif_results(b->f, i, &nr), kept[2] = {0};
    for (uint32_t k = 0; k < nr && k < 2; k++) kept[k] = r[k];
    for (uint32_t k = 0; k < nr && k < 2; k++) {
        ClifValue x = {kept[k]};
        add(or_nan_open((ClifOp)op) ? without_payload(x) : x);
    }
}

/* A call with handlers that nothing reaches: on goes the block of the normal return, or, if a handler makes use of values, they must
 * be kept across the call. */
static void try_call(const Sig *s, ClifSigRef sig, ClifFuncRef fn, ClifValue at,
                     const ClifValue *args) {
    ClifBuilder *b = &o.b;
    ClifFunc *f = b->f;
    ClifBlock ok = cb_create_block(b), bad = cb_create_block(b);
    ClifType kept = any_type();
    ClifValue also = need(kept), passed_on[MAX_SIG + 1],
              thrown[2] = {also, {CLIF_BLOCKARG_TRY_EXN}};
    for (uint32_t k = 0; k < s->nr; k++) {
        cb_block_param(b, ok, s->r[k].type);
        passed_on[k] = (ClifValue){CLIF_BLOCKARG_TRY_RET | k};
    }
    cb_block_param(b, ok, kept);
    passed_on[s->nr] = also;
    cb_block_param(b, bad, kept);
    cb_block_param(b, bad, CLIF_I64);
    ListRef calls[3] = {clif_make_blockcall(f, ok, passed_on, s->nr + 1)};
    ClifEhItem items[3];
    uint32_t ncalls = 1, n = 0;
    if (pick(3) == 0) items[n++] = (ClifEhItem){.kind = CLIF_EH_CONTEXT, .context = memory()};
    for (uint32_t k = pick(3); k-- > 0;) {
        items[n++] = (ClifEhItem){.kind = k ? CLIF_EH_TAG : CLIF_EH_DEFAULT, .tag = pick(9)};
        calls[ncalls++] = clif_make_blockcall(f, bad, thrown, 2);
    }
    ClifEhTable table = clif_make_eh_table(f, sig, calls, ncalls, items, n);
    bool direct = at.i == CLIF_NONE;
    uint32_t list[MAX_SIG + 1], m = 0;
    if (!direct) list[m++] = at.i;
    for (uint32_t k = 0; k < s->np; k++) list[m++] = args[k].i;
    ClifInstData d =
        or_data(direct ? CLIF_OP_TRY_CALL : CLIF_OP_TRY_CALL_INDIRECT,
                direct ? CLIF_INVALID : CLIF_I64, list_new(b->mem, &f->lists, list, m), fn.i);
    d.c = table.i;
    cb_ins(b, d);
    cb_seal(b, ok);
    cb_seal(b, bad);
    uint32_t np;
    cb_switch_to(b, bad);
    const uint32_t *p = clif_block_params(f, bad, &np);
    ClifValue x = {p[0]}, y = {p[1]};
    cb_store(b, CLIF_OP_STORE, mf, x, memory(), AREA);
    cb_store(b, CLIF_OP_STORE, mf, y, memory(), AREA);
    cb_ins(b, (ClifInstData){.op = CLIF_OP_TRAP, .aux = 9});
    cb_switch_to(b, ok);
    for (uint32_t k = 0; k <= s->nr; k++) add((ClifValue){clif_block_params(f, ok, &np)[k]});
}

static void make_call(uint32_t self) {
    ClifBuilder *b = &o.b;
    uint32_t to = self + 1 + pick(nfns - self - 1);
    const Sig *s = &sigs[to];
    ClifSigRef sig = clif_import_sig(b->f, s->cc, s->p, s->np, s->r, s->nr);
    ClifFuncRef fn = clif_import_func(
        b->f,
        (ClifExtFunc){.name = clif_user_name(0, to), .sig = sig, .colocated = (uint8_t)pick(2)});
    ClifValue args[MAX_SIG] = {memory()};
    for (uint32_t k = 1; k < s->np; k++) args[k] = need(s->p[k].type);
    ClifInst i;
    ClifValue at = {CLIF_NONE};
    uint32_t how = pick(6);
    if (how == 0) at = cb_ins1(b, or_data(CLIF_OP_FUNC_ADDR, CLIF_I64, fn.i, 0), CLIF_I64);
    if (how == 1) at = symbol(clif_user_name(0, to), 0);
    if (s->cc != CLIF_CC_FAST && pick(3) == 0) {
        try_call(s, sig, fn, at, args);
        return;
    }
    i = at.i == CLIF_NONE ? cb_call(b, fn, args, s->np) : cb_call_indirect(b, sig, at, args, s->np);
    ClifValue kept[MAX_SIG];
    for (uint32_t k = 0; k < s->nr; k++) kept[k] = clif_result(b->f, i, k);
    for (uint32_t k = 0; k < s->nr; k++) add(kept[k]);
}

/* Registers that are not allocated. Addresses of frames are not the interpreter's; what holds of them everywhere is. */
static void special_register(void) {
    ClifBuilder *b = &o.b;
    uint32_t how = pick(pinned ? 5 : 3);
    ClifValue now = {CLIF_NONE};
    static const ClifOp ops[] = {CLIF_OP_GET_FRAME_POINTER, CLIF_OP_GET_RETURN_ADDRESS,
                                 CLIF_OP_GET_STACK_POINTER, CLIF_OP_GET_PINNED_REG};
    if (how < 4) now = cb_ins1(b, or_data(ops[how], CLIF_I64, 0, 0), CLIF_I64);
    switch (how) {
    case 0: add(cb_icmp(b, CLIF_EQ, now, frame)); break;
    case 1: add(cb_icmp(b, CLIF_NE, back, now)); break;
    case 2: add(cb_icmp(b, CLIF_UGT, now, frame)); break; /* the stack grows downwards */
    case 3: add(now); break;
    default: cb_ins(b, or_data(CLIF_OP_SET_PINNED_REG, CLIF_I64, need(CLIF_I64).i, 0)); break;
    }
}

static void statements(uint32_t self, uint32_t n) {
    ClifBuilder *b = &o.b;
    while (n--) {
        uint32_t how = pick(24);
        if (how == 0 && self + 1 < nfns) {
            make_call(self);
        } else if (how == 1 || how == 2) {
            uint32_t k = pick(nvars);
            cb_def_var(b, (ClifVar){k}, need(var_type[k]));
        } else if (how < 5) {
            ClifType t = any_type();
            cb_store(b, CLIF_OP_STORE, mf, need(t), memory(), (int32_t)(64 + 8 * pick(22)));
        } else if (how == 5) {
            add(cb_use_var(b, (ClifVar){pick(nvars)}));
        } else if (how == 6 && pick(2)) {
            special_register();
        } else if (how == 7 && pick(40) == 0) {
            cb_ins(b, or_data(CLIF_OP_DEBUGTRAP, CLIF_INVALID, 0, 0));
        } else {
            instruction();
        }
    }
}

/* A tail call to a function with the same results. */
static bool tail_call(uint32_t self) {
    ClifBuilder *b = &o.b;
    const Sig *s = &sigs[self], *t = s + 1;
    if (self + 1 == nfns || s->cc != CLIF_CC_TAIL || t->cc != CLIF_CC_TAIL || s->nr != t->nr ||
        memcmp(s->r, t->r, s->nr * sizeof *s->r) != 0)
        return false;
    ClifSigRef sig = clif_import_sig(b->f, t->cc, t->p, t->np, t->r, t->nr);
    ClifFuncRef fn = clif_import_func(b->f, (ClifExtFunc){.name = clif_user_name(0, self + 1),
                                                          .sig = sig,
                                                          .colocated = (uint8_t)pick(2)});
    uint32_t args[MAX_SIG + 1], n = 0;
    bool direct = pick(2);
    if (!direct) args[n++] = cb_ins1(b, or_data(CLIF_OP_FUNC_ADDR, CLIF_I64, fn.i, 0), CLIF_I64).i;
    args[n++] = memory().i;
    for (uint32_t k = 1; k < t->np; k++) args[n++] = need(t->p[k].type).i;
    ListRef list = list_new(b->mem, &b->f->lists, args, n);
    cb_ins(b, direct ? or_data(CLIF_OP_RETURN_CALL, CLIF_INVALID, list, fn.i)
                     : or_data(CLIF_OP_RETURN_CALL_INDIRECT, CLIF_I64, list, sig.i));
    ntail_calls++;
    return true;
}

static void give_back(uint32_t self) {
    const Sig *s = &sigs[self];
    if (pick(2) && tail_call(self)) return;
    ClifValue v[MAX_SIG];
    for (uint32_t k = 0; k < s->nr; k++) v[k] = need(s->r[k].type);
    if (pinned && self == 0) /* the caller is C, to which the register belongs */
        cb_ins(&o.b, or_data(CLIF_OP_SET_PINNED_REG, CLIF_I64, old_pinned.i, 0));
    cb_return(&o.b, v, s->nr);
}

static ClifValue condition(void) {
    ClifBuilder *b = &o.b;
    static const ClifType ints[] = {CLIF_I8, CLIF_I16, CLIF_I32, CLIF_I64, CLIF_I128};
    ClifType t = ints[pick(wide_conditions ? 5 : 4)];
    uint32_t how = pick(4);
    if (how == 0) return need(t);
    if (how == 1) {
        t = pick(2) ? CLIF_F32 : CLIF_F64;
        return cb_fcmp(b, (ClifFloatCC)pick(14), need(t), need(t));
    }
    return cb_icmp(b, (ClifIntCC)pick(10), need(t), need(t));
}

typedef struct Block {
    ClifBlock b;
    ClifType p[3];
    uint32_t np;
} Block;
static Block blocks[MAX_BLOCKS];
static uint32_t nblocks;

static uint32_t passed_on(uint32_t to, ClifValue *v) {
    for (uint32_t k = 0; k < blocks[to].np; k++) v[k] = need(blocks[to].p[k]);
    return blocks[to].np;
}

static void terminator(uint32_t self, uint32_t at) {
    ClifBuilder *b = &o.b;
    if (nblocks == 1 || pick(6) == 0) {
        if (pick(30) == 0)
            cb_trap(b, (ClifTrap)(1 + pick(200)));
        else
            give_back(self);
        return;
    }
    uint32_t to[6], n = pick(3) == 0 ? 1 : pick(3) ? 2 : 1 + pick(5);
    bool back = false;
    for (uint32_t k = 0; k < n; k++) {
        to[k] = 1 + pick(nblocks - 1);
        if (at + 1 < nblocks && pick(2)) to[k] = at + 1 + pick(nblocks - at - 1);
        back |= to[k] <= at;
    }
    if (back) {
        ClifValue fuel = cb_load(b, CLIF_OP_LOAD, CLIF_I32, mf, memory(), FUEL_AT);
        ClifBlock out = cb_create_block(b), on = cb_create_block(b);
        cb_brif(b, fuel, on, NULL, 0, out, NULL, 0);
        cb_switch_to(b, out);
        give_back(self);
        cb_switch_to(b, on);
        fuel = cb_binary(b, CLIF_OP_ISUB, fuel, cb_iconst(b, CLIF_I32, 1));
        cb_store(b, CLIF_OP_STORE, mf, fuel, memory(), FUEL_AT);
    }
    ClifValue v[3], w[3];
    if (n == 1) {
        uint32_t nv = passed_on(to[0], v);
        cb_jump(b, blocks[to[0]].b, v, nv);
    } else if (n == 2) {
        ClifValue c = condition();
        uint32_t nv = passed_on(to[0], v), nw = passed_on(to[1], w);
        if (pick(2)) c = condition(); /* next to the branch, where it may become part of it */
        cb_brif(b, c, blocks[to[0]].b, v, nv, blocks[to[1]].b, w, nw);
    } else {
        ClifValue x = need(CLIF_I32);
        if (pick(3)) x = cb_binary(b, CLIF_OP_BAND, x, cb_iconst(b, CLIF_I32, 7));
        ListRef calls[6];
        for (uint32_t k = 0; k < n; k++) {
            uint32_t nv = passed_on(to[k], v);
            calls[k] = clif_make_blockcall(b->f, blocks[to[k]].b, v, nv);
        }
        cb_br_table(b, x, clif_make_jump_table(b->f, calls, n));
    }
}

static void make_function(uint32_t self) {
    ClifBuilder *b = &o.b;
    const Sig *s = &sigs[self];
    start(&fns[self], self, s->cc, s->p, s->np, s->r, s->nr);
    ClifFunc *f = b->f;
    mf = notrap(f);
    npool = 0;
    for (uint32_t k = 1; k < s->np; k++) add((ClifValue){k});
    frame = cb_ins1(b, or_data(CLIF_OP_GET_FRAME_POINTER, CLIF_I64, 0, 0), CLIF_I64);
    back = cb_ins1(b, or_data(CLIF_OP_GET_RETURN_ADDRESS, CLIF_I64, 0, 0), CLIF_I64);
    if (pinned && self == 0) {
        old_pinned = cb_ins1(b, or_data(CLIF_OP_GET_PINNED_REG, CLIF_I64, 0, 0), CLIF_I64);
        ClifValue first = constant(CLIF_I64);
        cb_ins(b, or_data(CLIF_OP_SET_PINNED_REG, CLIF_I64, first.i, 0));
    }
    nvars = 1 + pick(MAX_VARS);
    for (uint32_t k = 0; k < nvars; k++) var_type[k] = any_type();
    for (uint32_t k = 0; k < nvars; k++) cb_declare_var(b, var_type[k]);
    for (uint32_t k = 0; k < nvars; k++) cb_def_var(b, (ClifVar){k}, constant(var_type[k]));
    nslots = pick(3);
    ClifValue zero = cb_iconst(b, CLIF_I64, 0);
    for (uint32_t k = 0; k < nslots; k++) { /* what is in a slot at first is unspecified */
        clif_make_stack_slot(f, 112, (uint8_t)pick(7));
        ClifValue at = cb_ins1(b, or_data(CLIF_OP_STACK_ADDR, CLIF_I64, k, 0), CLIF_I64);
        for (int32_t j = 0; j < 112; j += 8) cb_store(b, CLIF_OP_STORE, mf, zero, at, j);
    }
    nblocks = pick(4) ? 1 + pick(MAX_BLOCKS) : 1;
    for (uint32_t k = 1; k < nblocks; k++) {
        blocks[k].b = cb_create_block(b);
        blocks[k].np = pick(4);
        for (uint32_t j = 0; j < blocks[k].np; j++) {
            blocks[k].p[j] = any_type();
            cb_block_param(b, blocks[k].b, blocks[k].p[j]);
        }
    }
    statements(self, pick(20));
    uint32_t shared = npool; /* what the entry block defines, all others may use */
    terminator(self, 0);
    for (uint32_t k = 1; k < nblocks; k++) {
        cb_switch_to(b, blocks[k].b);
        if (pick(10) == 0) cb_set_cold(b, blocks[k].b);
        npool = shared < MAX_POOL / 2 ? shared : MAX_POOL / 2;
        for (uint32_t j = 0; j < blocks[k].np; j++) {
            uint32_t n;
            add((ClifValue){clif_block_params(f, blocks[k].b, &n)[j]});
        }
        statements(self, pick(14));
        terminator(self, k);
    }
    cb_seal_all(b);
    clif_builder_end(b);
}

static void make_module(uint64_t seed) {
    g = seed;
    flags = some_flags();
    pinned = pick(2);
    nfns = 1 + pick(MAX_FUNCS);
    for (uint32_t k = 0; k < nfns; k++) {
        Sig *s = &sigs[k];
        uint32_t c = k ? pick(3) : 0;
        bool same = k > 1 && sigs[k - 1].cc == CLIF_CC_TAIL && pick(2); /* for tail calls */
        if (same) c = 2;
        s->cc = convs[c];
        s->np = 1 + (k ? pick(MAX_SIG) : 0);
        s->nr = k ? pick(2) ? pick(3) : pick(MAX_SIG) : 0;
        s->p[0] = pointer;
        for (uint32_t j = 1; j < s->np; j++)
            s->p[j] = (ClifAbiParam){.type = passed[c][pick(npassed[c])]};
        for (uint32_t j = 0; j < s->nr; j++)
            s->r[j] = (ClifAbiParam){.type = passed[c][pick(npassed[c])]};
        if (same) {
            s->nr = s[-1].nr;
            memcpy(s->r, s[-1].r, sizeof s->r);
        }
    }
    for (uint32_t k = 0; k < nfns; k++) make_function(k);
}

/* ---- one module ---- */
typedef struct Setup {
    uint64_t flags, stress, data;
    bool single_pass;
} Setup;
typedef enum Verdict { AGREES, DIFFERS, NOT_COMPILED, LIMITS, BROKEN } Verdict;

static void fill(uint64_t *r, uint8_t bytes[OR_BYTES]) {
    for (uint32_t k = 0; k < OR_BYTES; k += 16)
        or_operand(r, types[or_below(r, ntypes)], bytes + k);
    uint32_t fuel = 20;
    memcpy(bytes + FUEL_AT, &fuel, 4);
}

static int last_end; /* of the interpreter */

/* *run: the first that differs. */
static Verdict judge(const Setup *s, char why[256], uint32_t *run) {
    Diag d;
    *run = 0;
    if (!or_verify(&o, fns, nfns, &d)) {
        snprintf(why, 256, "%.250s", d.msg);
        return BROKEN;
    }
    o.turn = s->single_pass;
    o.pinned = pinned;
    or_settings(&o, s->flags, s->stress);
    if (!or_compile(&o, fns, nfns, &d)) {
        snprintf(why, 256, "%.250s", d.msg);
        return d.kind == DIAG_UNSUPPORTED || d.kind == DIAG_LIMIT ? NOT_COMPILED : DIFFERS;
    }
    or_load(&o, fns, nfns);
    uint64_t r = s->data;
    for (uint32_t k = 0; k < RUNS; k++) {
        _Alignas(16) uint8_t want[OR_BYTES], got[OR_BYTES];
        int end, native;
        fill(&r, want);
        memcpy(got, want, OR_BYTES);
        InterpStatus st = or_interpret(&o, want, &end, &d);
        if (st != INTERP_OK && st != INTERP_TRAP && end != OR_SIGNAL + SIGTRAP) {
            snprintf(why, 256, "%.250s", d.msg);
            return st == INTERP_LIMIT ? LIMITS : BROKEN;
        }
        native = or_native(&o, got);
        *run = k;
        last_end = end;
        uint32_t at = 0;
        while (at < OR_BYTES && got[at] == want[at]) at++;
        if (native != end) {
            snprintf(why, 256, "ended with %d, should be %d", native, end);
            return DIFFERS;
        }
        if (at < OR_BYTES) {
            snprintf(why, 256, "byte %u is %02x, should be %02x", at, got[at], want[at]);
            return DIFFERS;
        }
    }
    return AGREES;
}

/* ---- making a failure smaller ---- */
static bool read_module(const StrBuf *text) {
    Diag d;
    diag_clear(&d);
    ClifReader *r = clif_reader_new(&o.mem, text->p, (uint32_t)text->n, &d);
    uint32_t n = 0;
    while (n < nfns && clif_reader_next(r, &fns[n], NULL)) n++;
    clif_reader_free(r);
    return n == nfns && d.kind == DIAG_NONE;
}

static bool used(const ClifFunc *f, uint32_t v) {
    CLIF_FOR_BLOCKS(f, b)
    CLIF_FOR_INSTS(f, b, i) {
        uint32_t n, *a = clif_args(f, (ClifInst){i}, &n);
        for (uint32_t k = 0; k < n; k++)
            if (clif_resolve(f, (ClifValue){a[k]}).i == v) return true;
        const ListRef *calls;
        ListRef tmp[2];
        uint32_t nc = clif_op_is((ClifOp)f->insts.p[i].op, CLIF_OPF_BRANCH)
                          ? clif_branch_calls(f, (ClifInst){i}, &calls, tmp)
                          : 0;
        for (uint32_t c = 0; c < nc; c++) {
            a = clif_call_args(f, calls[c], &n);
            for (uint32_t k = 0; k < n; k++)
                if (clif_resolve(f, (ClifValue){a[k]}).i == v) return true;
        }
    }
    return false;
}

/* Edit number `how` of instruction i: remove it, make it a constant, take one way of a branch. False: does not apply. */
static bool edit(ClifFunc *f, uint32_t i, uint32_t how) {
    ClifInstData *d = &f->insts.p[i];
    const ClifOpInfo *info = &clif_op_info[d->op];
    uint32_t n, *r = clif_results(f, (ClifInst){i}, &n);
    if (how == 0) {
        if (info->flags & CLIF_OPF_TERMINATOR) return false;
        for (uint32_t k = 0; k < n; k++)
            if (used(f, r[k])) return false;
        clif_remove_inst(f, (ClifInst){i});
        return true;
    }
    if (d->op == CLIF_OP_BRIF) {
        *d = or_data(CLIF_OP_JUMP, CLIF_INVALID, how == 1 ? d->b : d->c, 0);
        return true;
    }
    if (d->op == CLIF_OP_BR_TABLE) {
        ClifJumpTableData t = f->jts.p[d->b];
        if (how > t.n) return false;
        *d = or_data(CLIF_OP_JUMP, CLIF_INVALID, f->jt_calls.p[t.first + how - 1], 0);
        return true;
    }
    if (how != 1 || !info->one_result || n != 1 || info->format == CLIF_FMT_UnaryImm ||
        info->format == CLIF_FMT_UnaryConst || info->format == CLIF_FMT_UnaryIeee32 ||
        info->format == CLIF_FMT_UnaryIeee64)
        return false;
    static const uint8_t zero[16];
    ClifType t = clif_value_type(f, (ClifValue){r[0]});
    if (clif_type_is_vector(t))
        *d = or_data(CLIF_OP_VCONST, t, clif_intern_const(f, zero, clif_type_bytes(t)).i, 0);
    else if (clif_type_is_int(t) && t != CLIF_I128)
        *d = or_data(CLIF_OP_ICONST, t, 0, 0);
    else if (t == CLIF_F32)
        *d = or_data(CLIF_OP_F32CONST, CLIF_INVALID, 0, 0);
    else if (t == CLIF_F64)
        *d = or_data(CLIF_OP_F64CONST, CLIF_INVALID, 0, 0);
    else
        return false;
    return true;
}

static void drop_unreachable(ClifFunc *f) {
    VecU32 work = {0};
    VecU8 reached = {0};
    vec_resize0(&o.mem, &reached, f->blocks.n);
    vec_push(&o.mem, &work, f->first_block);
    reached.p[f->first_block] = 1;
    while (work.n) {
        uint32_t last = f->blocks.p[vec_pop(&work)].last;
        const ListRef *calls;
        ListRef tmp[2];
        if (!clif_op_is((ClifOp)f->insts.p[last].op, CLIF_OPF_BRANCH)) continue;
        uint32_t n = clif_branch_calls(f, (ClifInst){last}, &calls, tmp);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t b = clif_call_block(f, calls[k]).i;
            if (reached.p[b]) continue;
            reached.p[b] = 1;
            vec_push(&o.mem, &work, b);
        }
    }
    for (uint32_t b = f->first_block, next; b != CLIF_NONE; b = next) {
        next = f->blocks.p[b].next;
        if (!reached.p[b]) clif_remove_block(f, (ClifBlock){b});
    }
    vec_free(&o.mem, &work);
    vec_free(&o.mem, &reached);
}

static void shrink(const Setup *s, StrBuf *text) {
    bool stray = last_end == CLIF_TRAP_HEAP_OUT_OF_BOUNDS; /* else edits must not make it so */
    char why[256];
    uint32_t run, tries = 0;
    StrBuf next;
    sb_init(&next, &o.mem);
    for (bool again = true; again && tries < 6000;) {
        again = false;
        for (uint32_t k = 0; k < nfns; k++)
            for (uint32_t how = 0; how < 4; how++) {
                read_module(text);
                uint32_t n = fns[k].insts.n;
                for (uint32_t i = n; i-- > 0 && tries < 6000;) {
                    if (i >= fns[k].insts.n || fns[k].links.p[i].block == CLIF_NONE) continue;
                    if (!edit(&fns[k], i, how)) continue;
                    if (how && !(fns[k].insts.p[i].op != CLIF_OP_JUMP)) drop_unreachable(&fns[k]);
                    tries++;
                    sb_clear(&next);
                    or_print(&o, fns, nfns, &next);
                    if (judge(s, why, &run) == DIFFERS &&
                        (stray || last_end != CLIF_TRAP_HEAP_OUT_OF_BOUNDS)) {
                        sb_clear(text);
                        sb_puts(text, sb_cstr(&next));
                        again = true;
                    }
                    read_module(text);
                }
            }
    }
    sb_free(&next);
}

static void show(const Setup *s, uint64_t seed, const char *why, uint32_t run, StrBuf *text) {
    StrBuf f;
    sb_init(&f, &o.mem);
    sb_printf(&f, "; seed %llu: %s\ntest compare\ntarget x86_64", (unsigned long long)seed, why);
    for (uint32_t k = 0; isa_x64.flag_names[k]; k++)
        if (s->flags >> k & 1) sb_printf(&f, " %s", isa_x64.flag_names[k]);
    sb_printf(&f, "%s regalloc_algorithm=%s ; u1:0 is v0 of %%main; stress seed %llu\n\n%s\n",
              pinned ? " enable_pinned_reg" : "", s->single_pass ? "single_pass" : "backtracking",
              (unsigned long long)s->stress, sb_cstr(text));
    uint8_t bytes[OR_BYTES];
    uint64_t r = s->data;
    for (uint32_t k = 0; k <= run; k++) fill(&r, bytes);
    sb_printf(
        &f,
        "function %%main() -> i64 system_v {\n    ss0 = explicit_slot %d, align = 16\n    sig0 = "
        "(i64) system_v\n    fn0 = u0:0 sig0\nblock0:\n    v0 = stack_addr.i64 ss0\n",
        OR_BYTES);
    uint32_t v = 1;
    for (uint32_t k = 0; k < OR_BYTES; k += 8, v++) {
        uint64_t w;
        memcpy(&w, bytes + k, 8);
        sb_printf(&f, "    v%u = iconst.i64 0x%llx\n    store notrap v%u, v0+%u\n", v,
                  (unsigned long long)w, v, k);
    }
    sb_printf(&f, "    call fn0(v0)\n    v%u = iconst.i64 31\n    v%u = iconst.i64 1\n", v, v + 1);
    uint32_t prime = v, sum = v + 1;
    v += 2;
    for (uint32_t k = 0; k < OR_BYTES; k += 8, v += 3) {
        sb_printf(
            &f,
            "    v%u = load.i64 notrap v0+%u\n    v%u = imul v%u, v%u\n    v%u = iadd v%u, v%u\n",
            v, k, v + 1, sum, prime, v + 2, v + 1, v);
        sum = v + 2;
    }
    sb_printf(&f, "    return v%u\n}\n; print: %%main()\n", sum);
    fprintf(stderr, "%s", sb_cstr(&f));
    sb_free(&f);
}

static bool generated[CLIF_OP_COUNT];
static void note_opcodes(void) {
    for (uint32_t k = 0; k < nfns; k++) CLIF_FOR_BLOCKS(&fns[k], b)
    CLIF_FOR_INSTS(&fns[k], b, i) generated[fns[k].insts.p[i].op] = true;
}
static void print_opcodes_left_out(void) {
    StrBuf names;
    sb_init(&names, &o.mem);
    uint32_t n = 0;
    for (uint32_t op = 1; op < CLIF_OP_COUNT; op++) {
        n += generated[op];
        if (!generated[op]) sb_printf(&names, " %s", clif_op_info[op].name);
    }
    print_message("%u of %u opcodes; never:%s\n", n, CLIF_OP_COUNT - 1, sb_cstr(&names));
    sb_free(&names);
}

static void functions_agree(void **state) {
    (void)state;
    or_init(&o);
    clif_func_init(&probe, &o.mem);
    for (uint32_t k = 0; k < MAX_FUNCS; k++) clif_func_init(&fns[k], &o.mem);
    g = 1;
    make_menu();
    uint64_t seed = module ? first_seed : first_seed * 0x10001, done = 0, modules = 0;
    uint32_t refused = 0, limits = 0, failed = 0;
    StrBuf text;
    sb_init(&text, &o.mem);
    while (done < count && failed < 5 && !(module && modules)) {
        uint64_t this = seed++;
        char why[256] = "";
        make_module(this);
        note_opcodes();
        Setup s = {flags, 0, rnd(&g), false};
        if (pick(2)) s.stress = rnd(&g) | 1;
        s.single_pass = pick(2);
        sb_clear(&text);
        or_print(&o, fns, nfns, &text);
        modules++;
        uint32_t run;
        switch (judge(&s, why, &run)) {
        case AGREES: done += nfns; continue;
        case NOT_COMPILED:
            if (refused++ < 3) print_message("refused: %s\n", why);
            continue;
        case LIMITS: limits++; continue;
        case DIFFERS:
        case BROKEN:
            failed++;
            fprintf(stderr, "seed %llu: %s; made smaller:\n", (unsigned long long)this, why);
            shrink(&s, &text);
            if (read_module(&text)) judge(&s, why, &run);
            show(&s, this, why, run, &text);
        }
    }
    print_message("%u forms of %u opcodes, %u types; seeds from %llu: %llu functions in %llu "
                  "modules, %u tail calls, %u "
                  "refused, %u without an end\n",
                  nmenu, nops, ntypes, (unsigned long long)(first_seed * 0x10001),
                  (unsigned long long)done, (unsigned long long)modules, ntail_calls, refused,
                  limits);
    print_opcodes_left_out();
    sb_free(&text);
    clif_func_free(&probe);
    for (uint32_t k = 0; k < MAX_FUNCS; k++) clif_func_free(&fns[k]);
    or_free(&o);
    assert_int_equal(failed, 0);
    assert_true(refused + limits <= modules / 10);
}

/* The pool of constants is aligned even if the code ends in a jump that becomes superfluous there. */
static void constants_are_aligned(void **state) {
    (void)state;
    or_init(&o);
    clif_func_init(&fns[0], &o.mem);
    ClifBuilder *b = &o.b;
    for (uint32_t n = 0; n < 64; n++) {
        static const uint8_t bits[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        start(&fns[0], 0, CLIF_CC_SYSTEM_V, &pointer, 1, NULL, 0);
        uint16_t flags = notrap(&fns[0]);
        ClifValue x = cb_load(b, CLIF_OP_LOAD, CLIF_I64, flags, memory(), 0);
        for (uint32_t k = 0; k < n; k++) { /* code of every length */
            int32_t at = 64 + (k % 3 == 0 ? 8 : 128);
            cb_store(b, k & 1 ? CLIF_OP_STORE : CLIF_OP_ISTORE8, flags, x, memory(), at);
        }
        ClifBlock then = cb_create_block(b), other = cb_create_block(b);
        cb_set_cold(b, other);
        cb_brif(b, x, then, NULL, 0, other, NULL, 0);
        cb_switch_to(b, then);
        ClifValue v = cb_load(b, CLIF_OP_LOAD, CLIF_I32X4, flags, memory(), 16);
        v = cb_binary(b, CLIF_OP_BXOR, v, or_const(b, CLIF_I32X4, bits));
        cb_store(b, CLIF_OP_STORE, flags, v, memory(), 32);
        cb_return(b, NULL, 0);
        cb_switch_to(b, other);
        cb_jump(b, then, NULL, 0);
        cb_seal_all(b);
        clif_builder_end(b);
        Diag d;
        _Alignas(16) uint8_t bytes[OR_BYTES] = {0};
        assert_true(or_compile(&o, fns, 1, &d));
        assert_int_equal(or_native(&o, bytes), 0);
        assert_memory_equal(bytes + 32, bits, 16);
    }
    clif_func_free(&fns[0]);
    or_free(&o);
}

int main(int argc, char **argv) {
    module = argc > 1 && !strcmp(argv[1], "module");
    if (argc > 1 && !module) count = strtoull(argv[1], NULL, 10);
    if (argc > 2) first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_agree),
                                       cmocka_unit_test(constants_are_aligned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
