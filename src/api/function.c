/* api/function.c — life of a CotFunction, what it refers to, blocks, variables.
 *
 * Problem     The builder trusts its caller; users of the C interface, in any language, make mistakes, and nothing may crash.
 * Idea        Each public function is a step that checks all its handles first and calls the builder only if they fit.
 *             Steps run under mem_guard; the first error is kept and turns all later steps off.
 * Invariants  Between two steps the ClifFunc is one that printing and verifying can walk, except after memory ran out in
 *             the middle of a step: then it is only emptied.
 * Cost        one setjmp and a few comparisons per call. */
#include "api/clif_int.h"
#include <stdio.h>

typedef struct Run {
    CotFunction *f;
    FuncStep *step;
    const void *in;
    uint32_t out;
} Run;

static void run_step(void *p) {
    Run *r = p;
    r->out = r->step(r->f, r->in);
}

uint32_t api_guard(CotFunction *f, FuncStep *step, const void *in) {
    Run r = {f, step, in, COT_NONE};
    if (!f || f->status == COT_NO_MEMORY) return COT_NONE;
    if (mem_guard(&f->mem, run_step, &r)) return r.out;
    f->status = COT_OK; /* this one goes before any other */
    return api_stick(f, COT_NO_MEMORY, "out of memory");
}

typedef struct Defining {
    DefineStep *step;
    void *user;
    CotError *error;
    CotStatus status;
} Defining;
static uint32_t step_define(CotFunction *f, const void *in) {
    (void)f;
    Defining *d = *(Defining *const *)in;
    d->status = d->step(d->user, d->error);
    return 0;
}
CotStatus api_define(CotFunction *f, DefineStep *step, void *user, bool *broken, CotError *error) {
    if (!f || f->state != FUNC_DONE || f->status)
        return api_fail(error, COT_MISUSE, "the function has not ended, or ended with an error");
    Defining d = {step, user, error, COT_NO_MEMORY}, *at = &d;
    if (api_guard(f, step_define, &at) == 0) return d.status;
    *broken = true;
    return api_fail(error, COT_NO_MEMORY, "out of memory");
}

uint32_t api_build(CotFunction *f, FuncStep *step, const void *in) {
    if (!f || f->status) return COT_NONE;
    if (f->state != FUNC_BUILDING) return api_stick(f, COT_MISUSE, "no function is begun");
    return api_guard(f, step, in);
}

uint32_t api_stick(CotFunction *f, CotStatus status, const char *fmt, ...) {
    if (f->status) return COT_NONE;
    f->status = status;
    va_list ap;
    char msg[400];
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    api_fail(&f->error, status, "%s", msg);
    return COT_NONE;
}

void api_stick_diag(CotFunction *f, const Diag *d) {
    if (f->status) return;
    f->status = api_status(d->kind);
    api_fail_diag(&f->error, d);
    if (d->pos_kind == DIAG_POS_LINE)
        api_fail(&f->error, f->status, "%llu:%llu: %s", (unsigned long long)d->a,
                 (unsigned long long)d->b, d->msg);
}

/* ---- life ---- */
void *api_new_with_mem(const CotConfig *config, size_t size) {
    Mem m;
    mem_init(&m, config ? config->base.rt.hooks : NULL);
    void *p = mem_try_realloc(&m, NULL, 0, size);
    if (!p) return NULL;
    memset(p, 0, size);
    memcpy(p, &m, sizeof m);
    return p;
}

static uint32_t step_init(CotFunction *f, const void *in) {
    const CotConfig *config = in;
    clif_func_init(&f->f, &f->mem);
    sb_init(&f->text, &f->mem);
    verify_ctx_init(&f->verify, &f->mem, CLIF_I64);
    f->verify.no_pinned_reg = !config || !config->mach.enable_pinned_reg;
    f->verify.no_frame_pointers = config && !config->mach.preserve_frame_pointers;
    clif_builder_init(&f->b, &f->mem);
    return 0;
}

CotFunction *cot_function_new(const CotConfig *config, CotError *error) {
    CotFunction *f = api_new_with_mem(config, sizeof *f);
    if (f && api_guard(f, step_init, config) == 0) return f;
    cot_function_free(f);
    api_fail(error, COT_NO_MEMORY, "out of memory");
    return NULL;
}

void cot_function_free(CotFunction *f) {
    if (f) mem_release_all(&f->mem);
}

void api_func_reset(CotFunction *f) {
    clif_func_clear(&f->f);
    vec_clear(&f->jt_used);
    vec_clear(&f->eh_used);
    f->memcpy_ref = COT_NONE;
    f->state = FUNC_EMPTY;
    f->status = COT_OK;
    f->regalloc = MACH_REGALLOC_AS_SET;
}

CotStatus cot_function_status(const CotFunction *f) {
    return f ? f->status : COT_MISUSE;
}

/* ---- signatures ---- */
bool api_clif_type(uint32_t t) {
    return t < 256 && (t & 15) >= CLIF_I8 && (t & 15) <= CLIF_F128 && t >> 4 != 9;
}

static bool add_params(CotFunction *f, const CotParam *p, uint32_t n) {
    if (n && !p) return false;
    for (uint32_t k = 0; k < n; k++) {
        if (!api_clif_type(p[k].type) || p[k].extension > CLIF_EXT_SEXT ||
            p[k].purpose > CLIF_ARG_VMCTX)
            return false;
        ClifAbiParam a = {.type = (uint8_t)p[k].type,
                          .ext = (uint8_t)p[k].extension,
                          .purpose = (uint8_t)p[k].purpose,
                          .struct_size = p[k].struct_size};
        vec_push(&f->mem, &f->params, a);
    }
    return true;
}

static bool signature_parts(CotFunction *f, const CotSignature *s) {
    vec_clear(&f->params);
    if (s && s->convention <= CLIF_CC_PRESERVE_ALL && add_params(f, s->params, s->nparams) &&
        add_params(f, s->returns, s->nreturns))
        return true;
    api_stick(f, COT_MISUSE,
              "a signature has a convention, type, extension or purpose that is none");
    return false;
}

static uint32_t step_begin(CotFunction *f, const void *in) {
    const CotSignature *s = in;
    f->state = FUNC_BUILDING;
    clif_builder_begin(&f->b, &f->f);
    if (!signature_parts(f, s)) return COT_NONE;
    const ClifAbiParam *p = f->params.p;
    clif_set_sig(&f->f, (ClifCallConv)s->convention, p, s->nparams, s->nparams ? p + s->nparams : p,
                 s->nreturns);
    f->f.sig.variadic = s->variadic != 0;
    return 0;
}

void cot_function_begin(CotFunction *f, const CotSignature *s) {
    if (!f) return;
    api_func_reset(f);
    api_guard(f, step_begin, s);
}

void cot_function_set_regalloc(CotFunction *f, CotRegalloc regalloc) {
    if (f) f->regalloc = api_regalloc(regalloc);
}

static uint32_t step_signature(CotFunction *f, const void *in) {
    const CotSignature *s = in;
    if (!signature_parts(f, s)) return COT_NONE;
    const ClifAbiParam *p = f->params.p;
    ClifSigRef r = clif_import_sig(&f->f, (ClifCallConv)s->convention, p, s->nparams,
                                   s->nparams ? p + s->nparams : p, s->nreturns);
    f->f.sigs.p[r.i].variadic = s->variadic != 0;
    return r.i;
}

uint32_t cot_function_signature(CotFunction *f, const CotSignature *s) {
    return api_build(f, step_signature, s);
}

/* ---- name and text ---- */
static uint32_t step_name(CotFunction *f, const void *in) {
    const char *s = in;
    size_t n = s ? strlen(s) : 0;
    for (size_t k = 0; k < n; k++)
        if (!strchr("_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", s[k]))
            n = 0;
    if (!n || n > 4096) return api_stick(f, COT_MISUSE, "not a name for a function");
    f->f.name = clif_testcase_name(&f->f, s, (uint32_t)n);
    return 0;
}

void cot_function_set_name(CotFunction *f, const char *name) {
    api_build(f, step_name, name);
}

static uint32_t step_print(CotFunction *f, const void *in) {
    (void)in;
    sb_clear(&f->text);
    clif_print_func(&f->f, &f->text);
    sb_cstr(&f->text);
    return 0;
}

size_t cot_function_print(CotFunction *f, char *buffer, size_t size) {
    if (buffer && size) buffer[0] = 0;
    if (api_guard(f, step_print, NULL) != 0) return 0;
    size_t n = f->text.n < size ? f->text.n : size - 1;
    if (buffer && size) {
        memcpy(buffer, f->text.p, n);
        buffer[n] = 0;
    }
    return f->text.n;
}

/* ---- external things ---- */
typedef struct Import {
    uint32_t symbol, sig;
    int64_t offset;
    bool near_by, tls;
} Import;

static uint32_t step_import(CotFunction *f, const void *in) {
    const Import *i = in;
    if (i->sig >= f->f.sigs.n) return api_stick(f, COT_MISUSE, "no signature %u", i->sig);
    ClifExtFunc e = {
        .name = clif_user_name(0, i->symbol), .sig = {i->sig}, .colocated = i->near_by};
    return clif_import_func(&f->f, e).i;
}
uint32_t cot_function_import(CotFunction *f, uint32_t symbol, uint32_t signature, bool near_by) {
    return api_build(f, step_import, &(Import){symbol, signature, 0, near_by, false});
}

static uint32_t step_import_data(CotFunction *f, const void *in) {
    const Import *i = in;
    ClifGlobalValueData g = {.kind = CLIF_GV_SYMBOL,
                             .type = CLIF_I64,
                             .colocated = i->near_by,
                             .tls = i->tls,
                             .offset = i->offset,
                             .name = clif_user_name(0, i->symbol)};
    return clif_make_gv(&f->f, g).i;
}
uint32_t cot_function_import_data(CotFunction *f, uint32_t symbol, int64_t offset, bool near_by,
                                  bool thread_local_data) {
    return api_build(f, step_import_data, &(Import){symbol, 0, offset, near_by, thread_local_data});
}

typedef struct Global {
    ClifGvKind kind;
    uint32_t base, type, flags;
    int64_t offset;
} Global;

static uint32_t step_global(CotFunction *f, const void *in) {
    const Global *i = in;
    ClifGlobalValueData g = {.kind = (uint8_t)i->kind, .offset = i->offset, .base = i->base};
    if (!api_clif_type(i->type)) return api_stick(f, COT_MISUSE, "%u is not a type", i->type);
    if (i->kind != CLIF_GV_VMCTX && i->base >= f->f.gvs.n)
        return api_stick(f, COT_MISUSE, "no global value %u", i->base);
    g.type = (uint8_t)i->type;
    if (i->kind == CLIF_GV_LOAD && !api_mem_flags(f, i->flags, &g.memflags)) return COT_NONE;
    return clif_make_gv(&f->f, g).i;
}
uint32_t cot_function_global_vmctx(CotFunction *f) {
    return api_build(f, step_global, &(Global){CLIF_GV_VMCTX, 0, CLIF_I64, 0, 0});
}
uint32_t cot_function_global_load(CotFunction *f, uint32_t base, int32_t offset, uint32_t type,
                                  uint32_t flags) {
    return api_build(f, step_global, &(Global){CLIF_GV_LOAD, base, type, flags, offset});
}
uint32_t cot_function_global_add(CotFunction *f, uint32_t base, int64_t offset, uint32_t type) {
    return api_build(f, step_global, &(Global){CLIF_GV_IADD_IMM, base, type, 0, offset});
}

static uint32_t step_limit(CotFunction *f, const void *in) {
    uint32_t g = *(const uint32_t *)in;
    if (g >= f->f.gvs.n) return api_stick(f, COT_MISUSE, "no global value %u", g);
    f->f.stack_limit = g;
    return 0;
}
void cot_function_stack_limit(CotFunction *f, uint32_t global) {
    api_build(f, step_limit, &global);
}

static uint32_t step_slot(CotFunction *f, const void *in) {
    const uint32_t *a = in; /* size, alignment */
    uint8_t log2 = 0;
    while (log2 < 31 && (uint32_t)1 << log2 < a[1]) log2++;
    if ((a[1] & (a[1] - 1)) || a[1] > 4096)
        return api_stick(f, COT_MISUSE, "alignment %u is no power of two up to 4096", a[1]);
    return clif_make_stack_slot(&f->f, a[0], log2).i;
}
uint32_t cot_function_stack_slot(CotFunction *f, uint32_t size, uint32_t align) {
    return api_build(f, step_slot, (uint32_t[]){size, align});
}

static uint32_t step_dyn_type(CotFunction *f, const void *in) {
    const uint32_t *a = in; /* vector type, global value */
    if (!api_clif_type(a[0]) || !clif_type_is_vector((ClifType)a[0]) ||
        clif_type_is_dynamic((ClifType)a[0]) || a[1] >= f->f.gvs.n)
        return api_stick(f, COT_MISUSE,
                         "a dynamic type needs a fixed vector type and a global value");
    return clif_make_dyn_type(&f->f, (ClifType)a[0], (ClifGlobalValue){a[1]}).i;
}
uint32_t cot_function_dynamic_type(CotFunction *f, uint32_t fixed_type, uint32_t global) {
    return api_build(f, step_dyn_type, (uint32_t[]){fixed_type, global});
}
static uint32_t step_dyn_slot(CotFunction *f, const void *in) {
    uint32_t t = *(const uint32_t *)in;
    if (t >= f->f.dyn_types.n) return api_stick(f, COT_MISUSE, "no dynamic type %u", t);
    return clif_make_dyn_stack_slot(&f->f, (ClifDynType){t}).i;
}
uint32_t cot_function_dynamic_slot(CotFunction *f, uint32_t dynamic_type) {
    return api_build(f, step_dyn_slot, &dynamic_type);
}

typedef struct Region {
    uint32_t id;
    const char *what;
} Region;
static uint32_t step_region(CotFunction *f, const void *in) {
    const Region *r = in;
    if (f->f.regions.n >= 65000) return api_stick(f, COT_LIMIT, "more than 65000 alias regions");
    size_t n = r->what ? strlen(r->what) : 0;
    return clif_make_alias_region(&f->f, r->id, r->what, n > 4096 ? 4096 : (uint32_t)n);
}
uint32_t cot_function_alias_region(CotFunction *f, uint32_t user_id, const char *what) {
    return api_build(f, step_region, &(Region){user_id, what});
}

typedef struct Bytes {
    const void *p;
    uint32_t n;
} Bytes;
static uint32_t step_const(CotFunction *f, const void *in) {
    const Bytes *b = in;
    if (!b->p || !b->n || b->n > 256)
        return api_stick(f, COT_MISUSE, "a constant has 1 to 256 bytes");
    return clif_intern_const(&f->f, b->p, b->n).i;
}
uint32_t cot_function_constant(CotFunction *f, const void *bytes, uint32_t size) {
    return api_build(f, step_const, &(Bytes){bytes, size});
}

/* ---- blocks ---- */
static bool is_block(CotFunction *f, uint32_t b) {
    if (b < f->f.blocks.n) return true;
    api_stick(f, COT_MISUSE, "no block %u", b);
    return false;
}

static uint32_t step_block(CotFunction *f, const void *in) {
    (void)in;
    return cb_create_block(&f->b).i;
}
uint32_t cot_block_new(CotFunction *f) {
    return api_build(f, step_block, NULL);
}

static uint32_t step_switch(CotFunction *f, const void *in) {
    uint32_t b = *(const uint32_t *)in, cur = f->b.cur.i;
    if (!is_block(f, b)) return COT_NONE;
    if (cur != CLIF_NONE && f->f.blocks.p[cur].first != CLIF_NONE && !cb_is_filled(&f->b))
        return api_stick(f, COT_MISUSE, "block%u is left before it ends in a terminator", cur);
    if (f->f.blocks.p[b].last != CLIF_NONE)
        return api_stick(f, COT_MISUSE, "block%u is filled already", b);
    cb_switch_to(&f->b, (ClifBlock){b});
    return 0;
}
void cot_block_switch(CotFunction *f, uint32_t block) {
    api_build(f, step_switch, &block);
}
uint32_t cot_block_current(const CotFunction *f) {
    return f && f->state == FUNC_BUILDING ? f->b.cur.i : COT_NONE;
}
bool cot_block_is_filled(const CotFunction *f) {
    return cot_block_current(f) == COT_NONE || cb_is_filled(&f->b);
}

static uint32_t step_seal(CotFunction *f, const void *in) {
    uint32_t b = *(const uint32_t *)in;
    if (is_block(f, b)) cb_seal(&f->b, (ClifBlock){b});
    return 0;
}
void cot_block_seal(CotFunction *f, uint32_t block) {
    api_build(f, step_seal, &block);
}
static uint32_t step_seal_all(CotFunction *f, const void *in) {
    (void)in;
    cb_seal_all(&f->b);
    return 0;
}
void cot_block_seal_all(CotFunction *f) {
    api_build(f, step_seal_all, NULL);
}

static bool takes_params(CotFunction *f, uint32_t b) {
    if (!is_block(f, b)) return false;
    if (!cb_has_branches(&f->b, (ClifBlock){b}) && f->f.blocks.p[b].first == CLIF_NONE) return true;
    api_stick(f, COT_MISUSE, "block%u gets a parameter after branches to it or instructions", b);
    return false;
}
static uint32_t step_param(CotFunction *f, const void *in) {
    const uint32_t *a = in; /* block, type */
    if (!api_clif_type(a[1])) return api_stick(f, COT_MISUSE, "%u is not a type", a[1]);
    if (!takes_params(f, a[0])) return COT_NONE;
    return cb_block_param(&f->b, (ClifBlock){a[0]}, (ClifType)a[1]).i;
}
uint32_t cot_block_param(CotFunction *f, uint32_t block, uint32_t type) {
    return api_build(f, step_param, (uint32_t[]){block, type});
}
static uint32_t step_entry(CotFunction *f, const void *in) {
    uint32_t b = *(const uint32_t *)in, first = f->f.values.n;
    if (!takes_params(f, b)) return COT_NONE;
    cb_entry_params(&f->b, (ClifBlock){b});
    return first;
}
uint32_t cot_block_entry_params(CotFunction *f, uint32_t block) {
    return api_build(f, step_entry, &block);
}
static uint32_t step_cold(CotFunction *f, const void *in) {
    uint32_t b = *(const uint32_t *)in;
    if (is_block(f, b)) cb_set_cold(&f->b, (ClifBlock){b});
    return 0;
}
void cot_block_cold(CotFunction *f, uint32_t block) {
    api_build(f, step_cold, &block);
}

/* ---- variables ---- */
static uint32_t step_var(CotFunction *f, const void *in) {
    uint32_t t = *(const uint32_t *)in;
    if (!api_clif_type(t) || clif_type_is_dynamic((ClifType)t) || clif_type_bits((ClifType)t) > 512)
        return api_stick(f, COT_MISUSE, "%u is not a type that variables have", t);
    return cb_declare_var(&f->b, (ClifType)t).i;
}
uint32_t cot_var_new(CotFunction *f, uint32_t type) {
    return api_build(f, step_var, &type);
}

static bool is_var(CotFunction *f, uint32_t v) {
    if (v >= cb_num_vars(&f->b))
        api_stick(f, COT_MISUSE, "no variable %u", v);
    else if (cot_block_current(f) == COT_NONE)
        api_stick(f, COT_MISUSE, "variable %u is used outside of any block", v);
    return f->status == COT_OK;
}
static uint32_t step_set(CotFunction *f, const void *in) {
    const uint32_t *a = in; /* variable, value */
    if (!is_var(f, a[0])) return COT_NONE;
    if (a[1] >= f->f.values.n) return api_stick(f, COT_MISUSE, "no value v%u", a[1]);
    if (f->f.values.p[a[1]].type != cb_var_type(&f->b, (ClifVar){a[0]}))
        return api_stick(f, COT_MISUSE, "v%u has not the type of variable %u", a[1], a[0]);
    cb_def_var(&f->b, (ClifVar){a[0]}, (ClifValue){a[1]});
    return 0;
}
void cot_var_set(CotFunction *f, uint32_t var, uint32_t value) {
    api_build(f, step_set, (uint32_t[]){var, value});
}
static uint32_t step_get(CotFunction *f, const void *in) {
    uint32_t v = *(const uint32_t *)in;
    return is_var(f, v) ? cb_use_var(&f->b, (ClifVar){v}).i : COT_NONE;
}
uint32_t cot_var_get(CotFunction *f, uint32_t var) {
    return api_build(f, step_get, &var);
}

static uint32_t step_loc(CotFunction *f, const void *in) {
    cb_set_srcloc(&f->b, *(const uint32_t *)in);
    return 0;
}
void cot_function_location(CotFunction *f, uint32_t location) {
    api_build(f, step_loc, &location);
}
uint32_t cot_value_type(const CotFunction *f, uint32_t value) {
    return f && f->state != FUNC_EMPTY && value < f->f.values.n ? f->f.values.p[value].type : 0;
}

/* ---- the end ---- */
static uint32_t step_end(CotFunction *f, const void *in) {
    (void)in;
    if (!f->f.blocks.n) return api_stick(f, COT_MISUSE, "the function has no block");
    for (uint32_t b = 0; b < f->f.blocks.n; b++) {
        bool inserted = f->f.blocks.p[b].flags & CLIF_BLOCK_INSERTED;
        ClifBlock blk = {b};
        if (!cb_is_sealed(&f->b, blk)) return api_stick(f, COT_MISUSE, "block%u is not sealed", b);
        if (inserted && !cb_block_is_filled(&f->b, blk))
            return api_stick(f, COT_MISUSE, "block%u does not end in a terminator", b);
        if (!inserted && cb_has_branches(&f->b, blk))
            return api_stick(f, COT_MISUSE, "block%u is branched to but was never filled", b);
    }
    clif_builder_end(&f->b);
    f->state = FUNC_DONE;
    Diag d;
    diag_clear(&d);
    if (!clif_verify(&f->verify, &f->f, &d)) api_stick_diag(f, &d);
    return 0;
}

CotStatus cot_function_end(CotFunction *f, CotError *error) {
    if (!f) return api_fail(error, COT_MISUSE, "no function is given");
    api_build(f, step_end, NULL);
    if (f->status && error) *error = f->error;
    return f->status;
}
