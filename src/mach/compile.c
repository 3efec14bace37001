/* mach/compile.c — the pipeline of one function: order, lower, allocate, check, emit. */
#include <time.h>
#include "mach/mach_int.h"
#include "regalloc/text.h"

MachCtx *mach_ctx_new(Mem *m, const IsaVtable *isa, const MachSettings *s) {
    MachCtx *c = mem_alloc(m, sizeof *c);
    memset(c, 0, sizeof *c);
    c->mem = m;
    c->isa = isa;
    c->set = *s;
    lower_init(&c->lower, m, isa, &c->set);
    machbuf_init(&c->buf, m);
    c->ra = ra_ctx_new(m);
    ra_ctx_set_stress(c->ra, s->stress_seed);
    return c;
}

void mach_ctx_free(MachCtx *c) {
    if (!c) return;
    blockorder_free(&c->order, c->mem);
    lower_free(&c->lower);
    vcode_free(&c->vc, c->mem);
    machbuf_free(&c->buf);
    vec_free(c->mem, &c->marks);
    vec_free(c->mem, &c->inst_at);
    vec_free(c->mem, &c->edit_at);
    vec_free(c->mem, &c->stub_at);
    vec_free(c->mem, &c->homes);
    ra_ctx_free(c->ra);
    mem_free(c->mem, c, sizeof *c);
}

void mach_ctx_print(MachCtx *c, unsigned what, StrBuf *out) {
    c->print_what = what;
    c->print_to = out;
}

void mach_ctx_set_regalloc(MachCtx *c, MachRegalloc choice) {
    c->regalloc = choice;
}

static uint64_t now_ns(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Adds the time since *t to *sum and restarts. */
static void lap(uint64_t *sum, uint64_t *t) {
    uint64_t n = now_ns();
    *sum += n - *t;
    *t = n;
}

static bool allocate(MachCtx *c, const ClifFunc *f, RaFunc *rf, RaOutput *ra, MachTimes *times,
                     uint64_t *t, Diag *d) {
    RaEnv env;
    c->isa->ra_env(&c->set, f, &env);
    vcode_ra_func(&c->vc, &c->order, &c->lower, rf);
    if (c->print_what & MACH_PRINT_VCODE)
        vcode_print(&c->vc, &c->order, &c->lower, NULL, c->print_to);
    if (c->set.verify_input && !ra_check_input(c->ra, rf, &env, d)) return false;
    lap(&times->check, t);
    uint32_t choice = c->regalloc ? (uint32_t)c->regalloc : c->set.regalloc_algorithm + 1u;
    RaAlgo algo = choice == MACH_REGALLOC_SINGLE_PASS ? RA_ALGO_ONEPASS : RA_ALGO_BEST;
    if (!ra_run(c->ra, algo, rf, &env, ra, d)) return false;
    lap(&times->regalloc, t);
    if (c->print_what & MACH_PRINT_REGALLOC) ra_print(rf, &env, ra, c->print_to);
    if (c->print_what & MACH_PRINT_ALLOCATED)
        vcode_print(&c->vc, &c->order, &c->lower, ra, c->print_to);
    if (c->set.regalloc_checker && !ra_check(c->ra, rf, &env, ra, d)) return false;
    lap(&times->check, t);
    return true;
}

bool mach_compile(MachCtx *c, ClifFunc *f, MachCompiled *out, Diag *d) {
    memset(out, 0, sizeof *out);
    uint64_t t = now_ns();
    if (!blockorder_compute(&c->order, c->mem, f, d)) return false;
    lap(&out->times.order, &t);
    if (!lower_function(&c->lower, &c->vc, f, &c->order, d)) return false;
    lap(&out->times.lower, &t);
    RaFunc rf;
    RaOutput ra;
    if (!allocate(c, f, &rf, &ra, &out->times, &t, d)) return false;
    if (!emit_function(c, f, &rf, &ra, d, &out->frame_size)) return false;
    if (f->labels.n) homes_find(c, f, &rf, &ra);
    if (c->print_what) listing_print(c, f, &rf, &ra, out->frame_size, c->print_to);
    lap(&out->times.emit, &t);
    MachBuf *b = &c->buf;
    out->code = b->code.p;
    out->size = b->code.n;
    out->alignment = c->isa->code_alignment;
    if (out->alignment >> c->set.log2_min_function_alignment == 0)
        out->alignment = 1u << c->set.log2_min_function_alignment;
    if (out->alignment < b->align) out->alignment = b->align;
    out->relocs = b->relocs.p;
    out->num_relocs = b->relocs.n;
    out->traps = b->traps.p;
    out->num_traps = b->traps.n;
    out->srclocs = b->srclocs.p;
    out->num_srclocs = b->srclocs.n;
    out->calls = b->calls.p;
    out->num_calls = b->calls.n;
    out->handlers = b->handlers.p;
    out->num_handlers = b->handlers.n;
    out->unwind = b->unwind.p;
    out->num_unwind = b->unwind.n;
    out->homes = c->homes.p;
    out->num_homes = f->labels.n ? c->homes.n : 0;
    out->num_insts = c->vc.num_insts;
    out->ra = ra.stats;
    return true;
}
