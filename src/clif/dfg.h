/* clif/dfg.h — inline accessors of ClifFunc. Included by clif.h only. */
#ifndef COT_CLIF_DFG_H
#define COT_CLIF_DFG_H

static inline ClifInstData *clif_data(const ClifFunc *f, ClifInst i) {
    return &f->insts.p[i.i];
}
static inline ClifType clif_value_type(const ClifFunc *f, ClifValue v) {
    return (ClifType)f->values.p[v.i].type;
}
static inline ClifValue clif_resolve(const ClifFunc *f, ClifValue v) {
    return f->values.p[v.i].kind == CLIF_VAL_ALIAS ? clif_resolve_slow(f, v) : v;
}
/* The value arguments (not those of blockcalls); *n their number. Valid until the function grows. */
static inline uint32_t *clif_args(const ClifFunc *f, ClifInst i, uint32_t *n) {
    ClifInstData *d = &f->insts.p[i.i];
    const ClifOpInfo *info = &clif_op_info[d->op];
    if (info->has_list) {
        *n = list_len(&f->lists, d->a);
        return list_data(&f->lists, d->a);
    }
    *n = info->nvalues;
    return &d->a;
}
static inline ClifValue clif_arg(const ClifFunc *f, ClifInst i, uint32_t k) {
    uint32_t n, *p = clif_args(f, i, &n);
    return (ClifValue){p[k]};
}
/* Results; *n their number. */
static inline uint32_t *clif_results(const ClifFunc *f, ClifInst i, uint32_t *n) {
    uint32_t r = f->results.p[i.i];
    if (r == CLIF_NONE) {
        *n = 0;
        return NULL;
    }
    if (clif_op_info[f->insts.p[i.i].op].one_result) {
        *n = 1;
        return &f->results.p[i.i];
    }
    *n = list_len(&f->lists, r);
    return list_data(&f->lists, r);
}
static inline ClifValue clif_result(const ClifFunc *f, ClifInst i, uint32_t k) {
    uint32_t n, *p = clif_results(f, i, &n);
    return (ClifValue){p[k]};
}
static inline uint32_t *clif_block_params(const ClifFunc *f, ClifBlock b, uint32_t *n) {
    *n = list_len(&f->lists, f->blocks.p[b.i].params);
    return list_data(&f->lists, f->blocks.p[b.i].params);
}
static inline ClifBlock clif_call_block(const ClifFunc *f, ListRef call) {
    return (ClifBlock){list_data(&f->lists, call)[0]};
}
static inline uint32_t *clif_call_args(const ClifFunc *f, ListRef call, uint32_t *n) {
    *n = list_len(&f->lists, call) - 1;
    return list_data(&f->lists, call) + 1;
}
/* Makes room for one more instruction in all its parallel arrays. */
void clif_grow_insts(ClifFunc *f);
/* Appends an instruction to the parallel arrays; the first has room if all have (clif_grow_insts). */
static inline uint32_t clif_new_inst(ClifFunc *f, ClifInstData d, uint32_t result,
                                     ClifInstLink link, ClifSrcLoc loc) {
    uint32_t i = f->insts.n;
    if (__builtin_expect(i == f->insts.cap, 0)) clif_grow_insts(f);
    f->insts.p[i] = d;
    f->results.p[i] = result;
    f->links.p[i] = link;
    f->srclocs.p[i] = loc;
    f->insts.n = f->results.n = f->links.n = f->srclocs.n = i + 1;
    return i;
}
static inline ClifMemFlags clif_memflags(const ClifFunc *f, uint16_t idx) {
    return f->memflags.p[idx];
}
#define CLIF_FOR_BLOCKS(f, b) \
    for (uint32_t b = (f)->first_block; b != CLIF_NONE; b = (f)->blocks.p[b].next)
#define CLIF_FOR_INSTS(f, b, i) \
    for (uint32_t i = (f)->blocks.p[b].first; i != CLIF_NONE; i = (f)->links.p[i].next)
#endif
