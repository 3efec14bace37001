/* clif/edit.c — changing a function that is already there: what passes over the IR need beyond building it.
 *
 * Invariants  1. What is replaced keeps its number, so uses need no search: results stay the values they were, or become
 *                aliases.
 *             2. No two instructions share a list: a copy has lists of its own. Jump and exception tables are
 *                entities of the function and stay shared by a copy, as all of the preamble is.
 * Cost        O(operands) each; clif_split_block also O(instructions that move). */
#include "clif/clif.h"

bool clif_value_is_attached(const ClifFunc *f, ClifValue v) {
    ClifValueData d = f->values.p[v.i];
    uint32_t n, *p;
    if (d.ref == CLIF_NONE) return false;
    if (d.kind == CLIF_VAL_INST)
        p = clif_results(f, (ClifInst){d.ref}, &n);
    else if (d.kind == CLIF_VAL_PARAM)
        p = clif_block_params(f, (ClifBlock){d.ref}, &n);
    else
        return false;
    return d.num < n && p[d.num] == v.i;
}

/* ---- results ---- */
void clif_clear_results(ClifFunc *f, ClifInst i) {
    uint32_t r = f->results.p[i.i];
    if (r != CLIF_NONE && !clif_op_info[f->insts.p[i.i].op].one_result) list_release(&f->lists, &r);
    f->results.p[i.i] = CLIF_NONE;
}

void clif_replace_with_aliases(ClifFunc *f, ClifInst i, ClifInst by) {
    uint32_t n, nby, *r = clif_results(f, i, &n), *to = clif_results(f, by, &nby);
    COT_ASSERT(n == nby && i.i != by.i);
    for (uint32_t k = 0; k < n; k++) clif_change_to_alias(f, (ClifValue){r[k]}, (ClifValue){to[k]});
    clif_clear_results(f, i);
}

void clif_replace_inst(ClifFunc *f, ClifInst i, ClifInstData d) {
    uint32_t n, *r = clif_results(f, i, &n);
    bool was_one = clif_op_info[f->insts.p[i.i].op].one_result, one = clif_op_info[d.op].one_result;
    if (n && was_one != one) {
        uint32_t v = r[0];
        COT_ASSERT(n == 1);
        clif_clear_results(f, i);
        f->results.p[i.i] = one ? v : list_new(f->mem, &f->lists, &v, 1);
    }
    f->insts.p[i.i] = d;
    if (!n) clif_make_results(f, i);
}

/* ---- copies ---- */
static ListRef copy_list(ClifFunc *f, ListRef l) {
    return l ? list_new(f->mem, &f->lists, list_data(&f->lists, l), list_len(&f->lists, l)) : 0;
}

ClifInst clif_clone_inst(ClifFunc *f, ClifInst i) {
    ClifInstData d = f->insts.p[i.i];
    const ClifOpInfo *info = &clif_op_info[d.op];
    if (info->has_list || info->format == CLIF_FMT_Jump) d.a = copy_list(f, d.a);
    if (info->format == CLIF_FMT_Brif) {
        d.b = copy_list(f, d.b);
        d.c = copy_list(f, d.c);
    }
    ClifInst copy = clif_make_inst(f, d);
    f->srclocs.p[copy.i] = f->srclocs.p[i.i];
    uint32_t n;
    (void)clif_results(f, i, &n);
    for (uint32_t k = 0; k < n; k++) /* making one may move the list of the others */
        clif_make_result(f, copy, clif_value_type(f, clif_result(f, i, k)));
    return copy;
}

/* ---- blocks ---- */
ClifValue clif_replace_block_param(ClifFunc *f, ClifValue v, ClifType t) {
    ClifValueData d = f->values.p[v.i];
    COT_ASSERT(d.kind == CLIF_VAL_PARAM && clif_value_is_attached(f, v));
    d.type = t;
    vec_push(f->mem, &f->values, d);
    uint32_t n, *p = clif_block_params(f, (ClifBlock){d.ref}, &n);
    p[d.num] = f->values.n - 1;
    return (ClifValue){f->values.n - 1};
}

void clif_retarget_branch(ClifFunc *f, ClifInst i, ClifBlock from, ClifBlock to) {
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t n = clif_branch_calls(f, i, &calls, tmp);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t *words = list_data(&f->lists, calls[k]);
        if (words[0] == from.i) words[0] = to.i;
    }
}

void clif_split_block(ClifFunc *f, ClifBlock fresh, ClifInst before) {
    uint32_t old = f->links.p[before.i].block, prev = f->links.p[before.i].prev;
    COT_ASSERT(old != CLIF_NONE && f->blocks.p[fresh.i].first == CLIF_NONE);
    clif_insert_block_after(f, fresh, (ClifBlock){old});
    f->blocks.p[fresh.i].first = before.i;
    f->blocks.p[fresh.i].last = f->blocks.p[old].last;
    f->blocks.p[old].last = prev;
    *(prev == CLIF_NONE ? &f->blocks.p[old].first : &f->links.p[prev].next) = CLIF_NONE;
    f->links.p[before.i].prev = CLIF_NONE;
    CLIF_FOR_INSTS(f, fresh.i, i) f->links.p[i].block = fresh.i;
}

/* ---- signature ---- */
ClifValue clif_special_param(const ClifFunc *f, ClifArgPurpose purpose) {
    uint32_t k = 0;
    while (k < f->sig.nparams && f->abi_params.p[f->sig.params + k].purpose != purpose) k++;
    if (k == f->sig.nparams || f->first_block == CLIF_NONE) return (ClifValue){CLIF_NONE};
    uint32_t n, *p = clif_block_params(f, (ClifBlock){f->first_block}, &n);
    return (ClifValue){k < n ? p[k] : CLIF_NONE};
}
