/* verify/verify.c — the driver: layout, then each instruction by itself, then dominance and types.
 *
 * Idea  Rules are checked in an order in which each may rely on the ones before: a reference is known to be in
 *       range before anything follows it, edges are known to be good before the CFG is computed, and so on.
 *       The first violation ends the run; it names the rule, the block and the instruction.
 * Cost  linear; dominance is two comparisons per argument. No allocation after warm-up. */
#include "verify/verify_int.h"

const char *const verify_rule_name[VERIFY_RULE_COUNT] = {
#define VERIFY_RULE(NAME, text) [VERIFY_##NAME] = #NAME,
#include "verify/rules.def"
#undef VERIFY_RULE
};
const char *const verify_rule_text[VERIFY_RULE_COUNT] = {
#define VERIFY_RULE(NAME, text) [VERIFY_##NAME] = text,
#include "verify/rules.def"
#undef VERIFY_RULE
};

void verify_ctx_init(VerifyCtx *v, Mem *m, ClifType ptr_type) {
    *v = (VerifyCtx){.mem = m, .ptr_type = ptr_type};
    sb_init(&v->text, m);
}

void verify_ctx_free(VerifyCtx *v) {
    cfg_free(&v->cfg, v->mem);
    domtree_free(&v->dom, v->mem);
    inst_order_free(&v->order, v->mem);
    vec_free(v->mem, &v->stamp);
    hashmap_free(v->mem, &v->seen);
    sb_free(&v->text);
}

bool verify_fail(Check *c, VerifyRule r, const char *fmt, ...) {
    StrBuf *o = &c->v->text;
    sb_clear(o);
    if (c->block != CLIF_NONE) sb_printf(o, "block%u: ", c->block);
    if (c->inst != CLIF_NONE) {
        sb_printf(o, "inst%u (", c->inst);
        uint8_t op = c->f->insts.p[c->inst].op;
        if (c->printable)
            clif_print_inst(c->f, (ClifInst){c->inst}, o);
        else
            sb_puts(o, op < CLIF_OP_COUNT ? clif_op_info[op].name : "?");
        sb_puts(o, "): ");
    }
    va_list ap;
    va_start(ap, fmt);
    sb_vprintf(o, fmt, ap);
    va_end(ap);
    c->v->failed = r;
    return diag_msg(c->d, DIAG_INVALID, "%s [%s: %s]", sb_cstr(o), verify_rule_name[r],
                    verify_rule_text[r]);
}

/* ---- values and layout ---- */
static bool check_aliases(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t *stamp = analysis_fill(c->v->mem, &c->v->stamp, f->values.n, CLIF_NONE);
    for (uint32_t v = 0; v < f->values.n; v++) {
        uint32_t at = v;
        while (f->values.p[at].kind == CLIF_VAL_ALIAS) {
            if (stamp[at] == v) return verify_fail(c, VERIFY_ALIAS, "v%u is an alias of itself", v);
            if (stamp[at] != CLIF_NONE) break;
            stamp[at] = v;
            uint32_t to = f->values.p[at].ref;
            if (to >= f->values.n)
                return verify_fail(c, VERIFY_ALIAS, "v%u is an alias of v%u, which does not exist",
                                   at, to);
            if (f->values.p[to].type != f->values.p[at].type)
                return verify_fail(c, VERIFY_ALIAS,
                                   "v%u is an alias of v%u, which has another type", at, to);
            at = to;
        }
    }
    return true;
}

static bool check_block_params(Check *c, uint32_t b) {
    uint32_t n, *p = clif_block_params(c->f, (ClifBlock){b}, &n);
    for (uint32_t k = 0; k < n; k++) {
        if (p[k] >= c->f->values.n)
            return verify_fail(c, VERIFY_BLOCK_PARAM, "parameter v%u does not exist", p[k]);
        ClifValueData d = c->f->values.p[p[k]];
        if (d.kind != CLIF_VAL_PARAM || d.ref != b || d.num != (k & 0x3FFFFF) ||
            d.type == CLIF_INVALID)
            return verify_fail(c, VERIFY_BLOCK_PARAM,
                               "v%u does not say that it is parameter %u here", p[k], k);
    }
    return true;
}

static bool check_layout(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t prev_block = CLIF_NONE;
    for (uint32_t b = f->first_block; b != CLIF_NONE; b = f->blocks.p[b].next) {
        if (b >= f->blocks.n) return verify_fail(c, VERIFY_LAYOUT, "block%u does not exist", b);
        c->block = b;
        const ClifBlockData *bd = &f->blocks.p[b];
        if (bd->prev != prev_block || !(bd->flags & CLIF_BLOCK_INSERTED))
            return verify_fail(c, VERIFY_LAYOUT, "the block is badly linked");
        prev_block = b;
        if (!check_block_params(c, b)) return false;
        if (bd->first == CLIF_NONE) return verify_fail(c, VERIFY_BLOCK_EMPTY, "the block is empty");
        uint32_t prev = CLIF_NONE;
        for (uint32_t i = bd->first; i != CLIF_NONE; i = f->links.p[i].next) {
            if (i >= f->insts.n) return verify_fail(c, VERIFY_LAYOUT, "inst%u does not exist", i);
            c->inst = i;
            if (f->links.p[i].block != b || f->links.p[i].prev != prev)
                return verify_fail(c, VERIFY_LAYOUT, "the instruction is badly linked");
            prev = i;
            uint8_t op = f->insts.p[i].op;
            if (op == CLIF_OP_INVALID || op >= CLIF_OP_COUNT)
                return verify_fail(c, VERIFY_OPCODE, "opcode %u", op);
            bool term = clif_op_is((ClifOp)op, CLIF_OPF_TERMINATOR),
                 last = f->links.p[i].next == CLIF_NONE;
            if (term && !last)
                return verify_fail(c, VERIFY_TERMINATOR, "a terminator in the middle of the block");
            if (!term && last)
                return verify_fail(c, VERIFY_TERMINATOR, "the block does not end in a terminator");
        }
        if (bd->last != prev)
            return verify_fail(c, VERIFY_LAYOUT, "the block has another last instruction");
        c->inst = CLIF_NONE;
    }
    c->block = CLIF_NONE;
    if (f->last_block != prev_block)
        return verify_fail(c, VERIFY_LAYOUT, "the function has another last block");
    return true;
}

static bool check_entry(Check *c) {
    const ClifFunc *f = c->f;
    if (f->first_block == CLIF_NONE) return true;
    c->block = f->first_block;
    if (f->blocks.p[c->block].flags & CLIF_BLOCK_COLD)
        return verify_fail(c, VERIFY_ENTRY_COLD, "the entry block is cold");
    uint32_t n, *p = clif_block_params(f, (ClifBlock){c->block}, &n);
    if (n != f->sig.nparams)
        return verify_fail(c, VERIFY_ENTRY_PARAMS, "%u parameters, the signature has %u", n,
                           f->sig.nparams);
    for (uint32_t k = 0; k < n; k++)
        if (f->values.p[p[k]].type != f->abi_params.p[f->sig.params + k].type)
            return verify_fail(c, VERIFY_ENTRY_PARAMS,
                               "parameter %u has another type than in the signature", k);
    return true;
}

/* ---- dominance ---- */
static bool check_use(Check *c, uint32_t arg) {
    const ClifFunc *f = c->f;
    uint32_t v = clif_resolve(f, (ClifValue){arg}).i;
    ClifValueData d = f->values.p[v];
    uint32_t def_block = d.kind == CLIF_VAL_INST ? f->links.p[d.ref].block : d.ref;
    if (def_block == c->block) {
        if (d.kind == CLIF_VAL_PARAM || c->v->order.num.p[d.ref] < c->v->order.num.p[c->inst])
            return true;
        return verify_fail(c, VERIFY_DOMINANCE, "uses v%u before it is defined in the same block",
                           arg);
    }
    if (dom_dominates(&c->v->dom, (ClifBlock){def_block}, (ClifBlock){c->block})) return true;
    return verify_fail(c, VERIFY_DOMINANCE,
                       "uses v%u, defined in block%u, which does not dominate this block", arg,
                       def_block);
}

static bool check_uses(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n);
    for (uint32_t k = 0; k < n; k++)
        if (!check_use(c, args[k])) return false;
    if (!clif_op_is((ClifOp)f->insts.p[c->inst].op, CLIF_OPF_BRANCH)) return true;
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(f, (ClifInst){c->inst}, &calls, tmp);
    for (uint32_t k = 0; k < nc; k++) {
        uint32_t na, *a = clif_call_args(f, calls[k], &na);
        for (uint32_t j = 0; j < na; j++)
            if (!(a[j] & CLIF_BLOCKARG_MASK) && !check_use(c, a[j])) return false;
    }
    ClifFormat fmt = (ClifFormat)clif_op_info[f->insts.p[c->inst].op].format;
    if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect) return true;
    const ClifEhTableData *t = &f->eh_tables.p[f->insts.p[c->inst].c];
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        if (it->kind == CLIF_EH_CONTEXT && !check_use(c, it->context.i)) return false;
    }
    return true;
}

bool clif_verify(VerifyCtx *v, const ClifFunc *f, Diag *d) {
    Check c = {.v = v, .f = f, .d = d, .block = CLIF_NONE, .inst = CLIF_NONE};
    if (!verify_preamble(&c) || !check_aliases(&c) || !check_layout(&c) || !check_entry(&c))
        return false;
    CLIF_FOR_BLOCKS(f, b) {
        c.block = b;
        CLIF_FOR_INSTS(f, b, i) {
            c.inst = i;
            if (!verify_inst_refs(&c)) return false;
        }
    }
    cfg_compute(&v->cfg, v->mem, f);
    domtree_compute(&v->dom, v->mem, &v->cfg);
    inst_order_compute(&v->order, v->mem, f);
    c.printable = true;
    CLIF_FOR_BLOCKS(f, b) {
        c.block = b;
        bool reachable = cfg_reachable(&v->cfg, (ClifBlock){b});
        CLIF_FOR_INSTS(f, b, i) {
            c.inst = i;
            if (reachable && !check_uses(&c)) return false;
            if (!verify_inst_types(&c)) return false;
        }
    }
    return true;
}
