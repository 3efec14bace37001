/* clif/dfg.c — the data-flow graph: instructions, values, results, block parameters, aliases.
 *
 * Invariants  1. A value's kind and ref say where it is defined; num is its place among the results or
 *                parameters there.
 *             2. Alias chains are acyclic and end in a value that is no alias.
 *             3. An opcode of one result keeps the value itself in `results`, others a list.
 *             4. results, links, srclocs have at least the capacity of insts, so one check serves all.
 * Cost        everything O(1) amortised, clif_resolve_all_aliases O(operands). */
#include "clif/opspec.h"

ClifBlock clif_make_block(ClifFunc *f) {
    ClifBlockData d = {CLIF_NONE, CLIF_NONE, CLIF_NONE, CLIF_NONE, 0, 0};
    vec_push(f->mem, &f->blocks, d);
    return (ClifBlock){f->blocks.n - 1};
}

/* insts last: should memory run out in between, the others have more room, never less. */
static void reserve_insts(ClifFunc *f, uint64_t n) {
    vec_reserve(f->mem, &f->results, n);
    vec_reserve(f->mem, &f->links, n);
    vec_reserve(f->mem, &f->srclocs, n);
    vec_reserve(f->mem, &f->insts, n);
}
void clif_grow_insts(ClifFunc *f) {
    reserve_insts(f, f->insts.cap ? (uint64_t)f->insts.cap * 2 : 64);
}
void clif_func_reserve(ClifFunc *f, uint32_t insts) {
    reserve_insts(f, insts);
    vec_reserve(f->mem, &f->values, insts);
}

ClifInst clif_make_inst(ClifFunc *f, ClifInstData d) {
    ClifInstLink none = {CLIF_NONE, CLIF_NONE, CLIF_NONE};
    return (ClifInst){clif_new_inst(f, d, CLIF_NONE, none, CLIF_NONE)};
}

static ClifValue make_value(ClifFunc *f, ClifValueKind kind, ClifType t, uint32_t num,
                            uint32_t ref) {
    ClifValueData d = {.kind = kind, .type = t, .num = num & 0x3FFFFF, .ref = ref};
    vec_push(f->mem, &f->values, d);
    return (ClifValue){f->values.n - 1};
}

ClifValue clif_make_result(ClifFunc *f, ClifInst i, ClifType t) {
    if (clif_op_info[f->insts.p[i.i].op].one_result) {
        ClifValue v = make_value(f, CLIF_VAL_INST, t, 0, i.i);
        f->results.p[i.i] = v.i;
        return v;
    }
    ListRef l = f->results.p[i.i] == CLIF_NONE ? 0 : f->results.p[i.i];
    ClifValue v = make_value(f, CLIF_VAL_INST, t, list_len(&f->lists, l), i.i);
    list_push(f->mem, &f->lists, &l, v.i);
    f->results.p[i.i] = l;
    return v;
}

static void define(ClifFunc *f, ClifValue v, ClifValueKind kind, ClifType t, uint32_t num,
                   uint32_t ref) {
    f->values.p[v.i] = (ClifValueData){.kind = kind, .type = t, .num = num & 0x3FFFFF, .ref = ref};
}

void clif_reserve_values(ClifFunc *f, uint32_t n) {
    if (f->values.n >= n) return;
    uint32_t k = f->values.n;
    (void)vec_extend(f->mem, &f->values, n - k);
    for (; k < n; k++) define(f, (ClifValue){k}, CLIF_VAL_INST, CLIF_INVALID, 0, CLIF_NONE);
}

void clif_define_result(ClifFunc *f, ClifInst i, ClifType t, ClifValue v) {
    const ClifOpInfo *info = &clif_op_info[f->insts.p[i.i].op];
    clif_reserve_values(f, v.i + 1);
    if (info->one_result) {
        define(f, v, CLIF_VAL_INST, t, 0, i.i);
        f->results.p[i.i] = v.i;
        return;
    }
    ListRef l = f->results.p[i.i] == CLIF_NONE ? 0 : f->results.p[i.i];
    define(f, v, CLIF_VAL_INST, t, list_len(&f->lists, l), i.i);
    list_push(f->mem, &f->lists, &l, v.i);
    f->results.p[i.i] = l;
}

void clif_define_block_param(ClifFunc *f, ClifBlock b, ClifType t, ClifValue v) {
    clif_reserve_values(f, v.i + 1);
    define(f, v, CLIF_VAL_PARAM, t, list_len(&f->lists, f->blocks.p[b.i].params), b.i);
    list_push(f->mem, &f->lists, &f->blocks.p[b.i].params, v.i);
}

void clif_define_alias(ClifFunc *f, ClifValue v, ClifValue of) {
    clif_reserve_values(f, v.i + 1);
    define(f, v, CLIF_VAL_ALIAS, (ClifType)f->values.p[of.i].type, 0, of.i);
    f->num_aliases++;
}

uint32_t clif_result_types(const ClifFunc *f, ClifInst i, ClifType *out, uint32_t cap) {
    const ClifInstData *d = &f->insts.p[i.i];
    const ClifOpInfo *info = &clif_op_info[d->op];
    if (info->result_rule == CLIF_RES_SIG) {
        const ClifSig *s = clif_call_sig(f, i);
        uint32_t n = s ? s->nreturns : 0;
        for (uint32_t k = 0; k < n && k < cap; k++) out[k] = f->abi_params.p[s->returns + k].type;
        return n;
    }
    for (uint32_t k = 0; k < info->nresults && k < cap; k++)
        out[k] = clif_type_apply(clif_op_spec[d->op].result_types[k], d->type);
    return info->nresults;
}

uint32_t clif_make_results(ClifFunc *f, ClifInst i) {
    const ClifOpInfo *info = &clif_op_info[f->insts.p[i.i].op];
    if (info->result_rule == CLIF_RES_SIG) {
        const ClifSig *sp = clif_call_sig(f, i);
        if (!sp) return 0;
        ClifSig s = *sp;
        for (uint32_t k = 0; k < s.nreturns; k++)
            clif_make_result(f, i, f->abi_params.p[s.returns + k].type);
        return s.nreturns;
    }
    ClifType t[2];
    uint32_t n = clif_result_types(f, i, t, 2);
    for (uint32_t k = 0; k < n; k++) clif_make_result(f, i, t[k]);
    return n;
}

/* ---- block parameters ---- */
ClifValue clif_append_block_param(ClifFunc *f, ClifBlock b, ClifType t) {
    uint32_t n = list_len(&f->lists, f->blocks.p[b.i].params);
    ClifValue v = make_value(f, CLIF_VAL_PARAM, t, n, b.i);
    list_push(f->mem, &f->lists, &f->blocks.p[b.i].params, v.i);
    return v;
}

ClifValue clif_make_detached_param(ClifFunc *f, ClifBlock b, ClifType t) {
    return make_value(f, CLIF_VAL_PARAM, t, 0x3FFFFF, b.i);
}

void clif_attach_block_param(ClifFunc *f, ClifValue v) {
    uint32_t b = f->values.p[v.i].ref;
    f->values.p[v.i].num = list_len(&f->lists, f->blocks.p[b].params) & 0x3FFFFF;
    list_push(f->mem, &f->lists, &f->blocks.p[b].params, v.i);
}

void clif_remove_block_param(ClifFunc *f, ClifBlock b, uint32_t at) {
    list_remove(&f->lists, &f->blocks.p[b.i].params, at);
    uint32_t n, *p = clif_block_params(f, b, &n);
    for (uint32_t k = at; k < n; k++) f->values.p[p[k]].num = k & 0x3FFFFF;
}

/* ---- aliases ---- */
void clif_change_to_alias(ClifFunc *f, ClifValue v, ClifValue of) {
    ClifValue end = clif_resolve(f, of);
    COT_ASSERT(end.i != v.i);
    COT_DASSERT(f->values.p[v.i].type == f->values.p[end.i].type);
    f->values.p[v.i].kind = CLIF_VAL_ALIAS;
    f->values.p[v.i].ref = end.i;
    f->num_aliases++;
}

ClifValue clif_resolve_slow(const ClifFunc *f, ClifValue v) {
    while (f->values.p[v.i].kind == CLIF_VAL_ALIAS) v.i = f->values.p[v.i].ref;
    return v;
}

ClifValue clif_resolve_compress(ClifFunc *f, ClifValue v) {
    ClifValue end = clif_resolve_slow(f, v);
    while (f->values.p[v.i].kind == CLIF_VAL_ALIAS) {
        uint32_t next = f->values.p[v.i].ref;
        f->values.p[v.i].ref = end.i;
        v.i = next;
    }
    return end;
}

static void resolve_list(ClifFunc *f, uint32_t *p, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        if (!(p[k] & CLIF_BLOCKARG_MASK) && f->values.p[p[k]].kind == CLIF_VAL_ALIAS)
            p[k] = clif_resolve_compress(f, (ClifValue){p[k]}).i;
}

void clif_resolve_all_aliases(ClifFunc *f) {
    if (!f->num_aliases) return;
    CLIF_FOR_BLOCKS(f, b) {
        CLIF_FOR_INSTS(f, b, i) {
            uint32_t n, *p = clif_args(f, (ClifInst){i}, &n);
            resolve_list(f, p, n);
            if (!clif_op_is((ClifOp)f->insts.p[i].op, CLIF_OPF_BRANCH)) continue;
            const ListRef *calls;
            ListRef tmp[2];
            uint32_t nc = clif_branch_calls(f, (ClifInst){i}, &calls, tmp);
            for (uint32_t k = 0; k < nc; k++) {
                uint32_t na, *a = clif_call_args(f, calls[k], &na);
                resolve_list(f, a, na);
            }
        }
    }
    for (uint32_t k = 0; k < f->eh_items.n; k++)
        if (f->eh_items.p[k].kind == CLIF_EH_CONTEXT)
            resolve_list(f, &f->eh_items.p[k].context.i, 1);
}

/* ---- branches ---- */
ListRef clif_make_blockcall(ClifFunc *f, ClifBlock b, const ClifValue *args, uint32_t n) {
    uint32_t small[8];
    if (n < 8) {
        small[0] = b.i;
        for (uint32_t k = 0; k < n; k++) small[k + 1] = args[k].i;
        return list_new(f->mem, &f->lists, small, n + 1);
    }
    ListRef l = list_new(f->mem, &f->lists, &args[0].i, n);
    list_insert(f->mem, &f->lists, &l, 0, b.i);
    return l;
}

uint32_t clif_branch_calls(const ClifFunc *f, ClifInst i, const ListRef **out, ListRef tmp[2]) {
    const ClifInstData *d = &f->insts.p[i.i];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    *out = tmp;
    if (fmt == CLIF_FMT_Jump) {
        tmp[0] = d->a;
        return 1;
    }
    if (fmt == CLIF_FMT_Brif) {
        tmp[0] = d->b;
        tmp[1] = d->c;
        return 2;
    }
    if (fmt == CLIF_FMT_BranchTable) {
        ClifJumpTableData t = f->jts.p[d->b];
        *out = f->jt_calls.p + t.first;
        return t.n;
    }
    if (fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect) {
        const ClifEhTableData *t = &f->eh_tables.p[d->c];
        *out = f->jt_calls.p + t->calls;
        return t->ncalls;
    }
    return 0;
}
