/* api/jit.c — CotJit: the linker of jit/ and a code generator behind the C interface.
 *
 * Invariants  After memory ran out a CotJit only answers questions and can be freed, because the linker may have stopped
 *             half-way; code that was linked goes on working.
 * Cost        that of compiling. */
#include "api/clif_int.h"
#include "jit/libcall.h"
#include "jit/linker.h"
#include "mach/settings.h"
#include <dlfcn.h>

struct CotJit {
    Mem mem;
    JitLinker *l;
    MachCtx *mach;
    MachSettings set;
    CotResolveFn resolve;
    void *user;
    bool process, broken;
    size_t reserve;
    VEC(void *) addresses; /* by symbol; may be shorter */
};

/* ---- guarded steps ---- */
typedef bool JitStep(CotJit *j, const void *in, void *out, Diag *d);
typedef struct Run {
    CotJit *j;
    JitStep *step;
    const void *in;
    void *out;
    Diag *d;
    bool ok;
} Run;
static void run_step(void *p) {
    Run *r = p;
    r->ok = r->step(r->j, r->in, r->out, r->d);
}
static CotStatus run(CotJit *j, JitStep *step, const void *in, void *out, CotError *error) {
    Diag d;
    diag_clear(&d);
    if (!j) return api_fail(error, COT_MISUSE, "no CotJit is given");
    Run r = {j, step, in, out, &d, false};
    if (j->broken || !mem_guard(&j->mem, run_step, &r)) {
        j->broken = true;
        return api_fail(error, COT_NO_MEMORY, "out of memory");
    }
    if (r.ok) return COT_OK;
    CotStatus s = api_fail_diag(error, &d);
    return s;
}

/* ---- symbols of the host ---- */
static Linkable *syms(const CotJit *j) {
    return jit_linkable(j->l);
}
static void *resolve(void *user, const char *name) {
    CotJit *j = user;
    LinkSym s = linkable_find(syms(j), name, strlen(name));
    void *p = s < j->addresses.n ? j->addresses.p[s] : NULL;
    if (!p && j->resolve) p = j->resolve(j->user, name);
    if (!p && j->process) p = dlsym(RTLD_DEFAULT, name);
    return p;
}
static const void *libcall(void *user, ClifLibCall call) {
    (void)user;
    return jit_libcall(call);
}

/* ---- life ---- */
static bool step_new(CotJit *j, const void *in, void *out, Diag *d) {
    (void)in, (void)out;
    const IsaVtable *isa = isa_host();
    if (!isa) return diag_msg(d, DIAG_UNSUPPORTED, "this machine's architecture has no back end");
    JitLinkerConfig cfg = {
        .reserve = j->reserve, .resolve = resolve, .libcall = libcall, .user = j};
    j->mach = mach_ctx_new(&j->mem, isa, &j->set);
    j->l = jit_linker_new(&j->mem, &cfg, d);
    return j->l != NULL;
}

CotJit *cot_jit_new(const CotConfig *c, size_t reserve, CotError *error) {
    CotJit *j = api_new_with_mem(c, sizeof *j);
    const IsaVtable *isa = isa_host();
    if (!j) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    j->set = c ? c->mach : api_default_mach();
    j->set.isa_flags = c ? c->engine.isa_flags : isa ? isa->host_flags() : 0;
    j->set.verify_input = c && c->engine.verify;
    j->set.regalloc_checker |= j->set.verify_input;
    j->reserve = reserve;
    if (run(j, step_new, NULL, NULL, error) == COT_OK) return j;
    cot_jit_free(j);
    return NULL;
}

void cot_jit_free(CotJit *j) {
    if (!j) return;
    jit_linker_free(j->l);
    mem_release_all(&j->mem);
}

/* ---- symbols ---- */
static bool step_declare(CotJit *j, const void *in, void *out, Diag *d) {
    (void)d;
    const char *name = in;
    *(uint32_t *)out = linkable_symbol(syms(j), name, strlen(name));
    return true;
}
uint32_t cot_jit_declare(CotJit *j, const char *name) {
    uint32_t s = COT_NONE;
    return name && run(j, step_declare, name, &s, NULL) == COT_OK ? s : COT_NONE;
}
const char *cot_jit_name(const CotJit *j, uint32_t symbol) {
    return j && symbol < syms(j)->syms.n ? linkable_at(syms(j), symbol)->name : NULL;
}

static bool known(const CotJit *j, uint32_t s, Diag *d) {
    return s < syms(j)->syms.n || diag_msg(d, DIAG_INVALID, "no symbol %u", s);
}
typedef struct Place {
    uint32_t symbol;
    void *address;
} Place;
static bool step_address(CotJit *j, const void *in, void *out, Diag *d) {
    (void)out;
    const Place *p = in;
    if (!known(j, p->symbol, d)) return false;
    if (p->symbol >= j->addresses.n) {
        uint32_t n = syms(j)->syms.n;
        vec_resize0(&j->mem, &j->addresses, n);
    }
    j->addresses.p[p->symbol] = p->address;
    return true;
}
/* What the linker calls invalid is a mistake of the user here. */
static CotStatus misuse(CotStatus s, CotError *error) {
    if (s != COT_INVALID) return s;
    if (error) error->status = COT_MISUSE;
    return COT_MISUSE;
}
CotStatus cot_jit_set_address(CotJit *j, uint32_t symbol, void *address, CotError *error) {
    return misuse(run(j, step_address, &(Place){symbol, address}, NULL, error), error);
}
void cot_jit_set_resolver(CotJit *j, CotResolveFn function, void *user) {
    if (!j) return;
    j->resolve = function;
    j->user = user;
}
void cot_jit_set_process_symbols(CotJit *j, bool on) {
    if (j) j->process = on;
}

static bool step_publish(CotJit *j, const void *in, void *out, Diag *d) {
    (void)out;
    uint32_t what = *(const uint32_t *)in;
    if (what & ~(uint32_t)(COT_PUBLISH_UNWIND | COT_PUBLISH_PERF_MAP | COT_PUBLISH_JITDUMP |
                           COT_PUBLISH_GDB))
        return diag_msg(d, DIAG_INVALID, "nobody of that number");
    return jit_publish(j->l, what, d);
}
_Static_assert((int)COT_PUBLISH_UNWIND == (int)JIT_PUBLISH_UNWIND &&
                   (int)COT_PUBLISH_PERF_MAP == (int)JIT_PUBLISH_PERF_MAP &&
                   (int)COT_PUBLISH_JITDUMP == (int)JIT_PUBLISH_JITDUMP &&
                   (int)COT_PUBLISH_GDB == (int)JIT_PUBLISH_GDB,
               "the public numbers are the linker's");
CotStatus cot_jit_publish(CotJit *j, uint32_t what, CotError *error) {
    return misuse(run(j, step_publish, &what, NULL, error), error);
}

/* ---- definitions ---- */
typedef struct Define {
    uint32_t symbol;
    CotFunction *f;
    const CotData *data;
} Define;

static bool step_define(CotJit *j, const void *in, void *out, Diag *d) {
    (void)out;
    const Define *e = in;
    MachCompiled c;
    mach_ctx_set_regalloc(j->mach, e->f->regalloc);
    if (!known(j, e->symbol, d) || !mach_compile(j->mach, &e->f->f, &c, d)) return false;
    LinkCode code = {.code = &c, .f = &e->f->f};
    return linkable_define_func(syms(j), e->symbol, &code, d);
}

typedef struct Definition {
    CotJit *j;
    Define e;
} Definition;
static CotStatus define(void *user, CotError *error) {
    const Definition *d = user;
    return run(d->j, step_define, &d->e, NULL, error);
}
CotStatus cot_jit_define(CotJit *j, uint32_t symbol, CotFunction *f, CotError *error) {
    if (!j) return api_fail(error, COT_MISUSE, "no CotJit is given");
    return misuse(api_define(f, define, &(Definition){j, {symbol, f, NULL}}, &j->broken, error),
                  error);
}

LinkAddress *api_link_data(Mem *m, const CotData *t, LinkData *out, Diag *d) {
    static const uint8_t kinds[] = {[COT_DATA_CONSTANT] = LINK_CONST,
                                    [COT_DATA_WRITABLE] = LINK_DATA,
                                    [COT_DATA_THREAD] = LINK_TLS};
    if (t->kind >= sizeof kinds) return diag_msg(d, DIAG_INVALID, "no such kind of data"), NULL;
    if (t->naddresses && !t->addresses)
        return diag_msg(d, DIAG_INVALID, "no addresses are given"), NULL;
    LinkAddress *a = mem_alloc(m, t->naddresses * sizeof *a);
    for (uint32_t k = 0; k < t->naddresses; k++)
        a[k] =
            (LinkAddress){t->addresses[k].offset, t->addresses[k].addend, t->addresses[k].symbol};
    *out = (LinkData){.bytes = t->bytes,
                      .size = t->size,
                      .align = t->align ? t->align : 16,
                      .kind = kinds[t->kind],
                      .addresses = a,
                      .naddresses = t->naddresses};
    return a;
}

static bool step_data(CotJit *j, const void *in, void *out, Diag *d) {
    (void)out;
    const Define *e = in;
    LinkData data;
    LinkAddress *a = api_link_data(&j->mem, e->data, &data, d);
    bool ok = d->kind == DIAG_NONE && jit_define_data(j->l, e->symbol, &data, d);
    mem_free(&j->mem, a, e->data->naddresses * sizeof *a);
    return ok;
}
CotStatus cot_jit_define_data(CotJit *j, uint32_t symbol, const CotData *data, CotError *error) {
    if (!data) return api_fail(error, COT_MISUSE, "no data is given");
    return misuse(run(j, step_data, &(Define){symbol, NULL, data}, NULL, error), error);
}

static bool step_link(CotJit *j, const void *in, void *out, Diag *d) {
    (void)in, (void)out;
    return jit_link(j->l, d);
}
CotStatus cot_jit_link(CotJit *j, CotError *error) {
    return run(j, step_link, NULL, NULL, error);
}

static bool step_undefine(CotJit *j, const void *in, void *out, Diag *d) {
    (void)out;
    uint32_t s = *(const uint32_t *)in;
    if (!known(j, s, d)) return false;
    jit_undefine(j->l, s);
    return true;
}
CotStatus cot_jit_undefine(CotJit *j, uint32_t symbol, CotError *error) {
    return misuse(run(j, step_undefine, &symbol, NULL, error), error);
}

/* ---- what is there ---- */
void *cot_jit_address(const CotJit *j, uint32_t symbol) {
    return j ? jit_symbol_address(j->l, symbol) : NULL;
}
void *cot_jit_lookup(const CotJit *j, const char *name) {
    return j && name ? cot_jit_address(j, linkable_find(syms(j), name, strlen(name))) : NULL;
}
uint64_t cot_jit_size(const CotJit *j, uint32_t symbol) {
    if (!j || symbol >= syms(j)->syms.n) return 0;
    const LinkDef *def = linkable_at(syms(j), symbol)->def;
    return def ? def->size : 0;
}
uint32_t cot_jit_trap_at(const CotJit *j, const void *pc, uint32_t *symbol) {
    return j ? jit_find_trap(j->l, pc, symbol) : 0;
}
