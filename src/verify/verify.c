/* verify/verify.c — the driver, layout, and dominance of definitions over uses.
 *
 * Idea  First what later checks follow blindly: links, tables, aliases. Then the preamble, then each instruction in
 *       layout order: its references, its types, the rules of its opcode. A violation is fatal when what follows would
 *       have no meaning; the others let the run go on if all violations are wanted (clif_verify_all), so that one
 *       run shows as much as it can.
 * Invariants  a check may follow a reference only if a check before it has tested that reference.
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
    sb_init(&v->messages, m);
}

void verify_ctx_free(VerifyCtx *v) {
    cfg_free(&v->cfg, v->mem);
    domtree_free(&v->dom, v->mem);
    inst_order_free(&v->order, v->mem);
    vec_free(v->mem, &v->stamp);
    vec_free(v->mem, &v->errors);
    hashmap_free(v->mem, &v->seen);
    sb_free(&v->text);
    sb_free(&v->messages);
}

/* ---- violations ---- */
static void record(Check *c, VerifyRule r, const char *fmt, va_list ap) {
    VerifyCtx *v = c->v;
    uint32_t at = v->messages.n;
    sb_vprintf(&v->messages, fmt, ap);
    sb_putc(&v->messages, 0);
    vec_push(v->mem, &v->errors, (VerifyError){r, c->at, at});
    StrBuf *o = &v->text;
    sb_clear(o);
    if (c->block != CLIF_NONE) {
        sb_printf(o, "block%u: ", c->block);
    } else if (c->at.kind != CLIF_ENTITY_FUNCTION) {
        clif_print_entity(c->at, o);
        sb_puts(o, ": ");
    }
    if (c->inst != CLIF_NONE) {
        sb_printf(o, "inst%u (", c->inst);
        uint8_t op = c->f->insts.p[c->inst].op;
        if (c->printable)
            clif_print_inst(c->f, (ClifInst){c->inst}, o);
        else
            sb_puts(o, op < CLIF_OP_COUNT ? clif_op_info[op].name : "?");
        sb_puts(o, "): ");
    }
    sb_puts(o, v->messages.p + at);
    diag_msg(c->d, DIAG_INVALID, "%s [%s: %s]", sb_cstr(o), verify_rule_name[r],
             verify_rule_text[r]);
}

bool verify_fail(Check *c, VerifyRule r, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    record(c, r, fmt, ap);
    va_end(ap);
    return false;
}

bool verify_report(Check *c, VerifyRule r, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    record(c, r, fmt, ap);
    va_end(ap);
    return c->v->all;
}

static void at_block(Check *c, uint32_t b) {
    c->block = b;
    c->inst = CLIF_NONE;
    c->at = (ClifEntity){CLIF_ENTITY_BLOCK, b};
    c->printable = false;
}
static void at_inst(Check *c, uint32_t i) {
    c->inst = i;
    c->at = (ClifEntity){CLIF_ENTITY_INST, i};
    c->printable = false;
}
static void at_function(Check *c) {
    c->block = c->inst = CLIF_NONE;
    c->at = (ClifEntity){CLIF_ENTITY_FUNCTION, 0};
}

/* ---- what is followed blindly ---- */
static bool check_aliases(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t *stamp = analysis_fill(c->v->mem, &c->v->stamp, f->values.n, CLIF_NONE);
    for (uint32_t v = 0; v < f->values.n; v++) {
        uint32_t at = v;
        c->at = (ClifEntity){CLIF_ENTITY_VALUE, v};
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

static bool check_layout(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t prev_block = CLIF_NONE;
    for (uint32_t b = f->first_block; b != CLIF_NONE; b = f->blocks.p[b].next) {
        if (b >= f->blocks.n) return verify_fail(c, VERIFY_LAYOUT, "block%u does not exist", b);
        at_block(c, b);
        const ClifBlockData *bd = &f->blocks.p[b];
        if (bd->prev != prev_block || !(bd->flags & CLIF_BLOCK_INSERTED))
            return verify_fail(c, VERIFY_LAYOUT, "the block is badly linked");
        prev_block = b;
        uint32_t prev = CLIF_NONE;
        for (uint32_t i = bd->first; i != CLIF_NONE; i = f->links.p[i].next) {
            if (i >= f->insts.n) return verify_fail(c, VERIFY_LAYOUT, "inst%u does not exist", i);
            at_inst(c, i);
            if (f->links.p[i].block != b || f->links.p[i].prev != prev)
                return verify_fail(c, VERIFY_LAYOUT, "the instruction is badly linked");
            prev = i;
            uint8_t op = f->insts.p[i].op;
            if (op == CLIF_OP_INVALID || op >= CLIF_OP_COUNT)
                return verify_fail(c, VERIFY_OPCODE, "opcode %u", op);
            if (clif_op_is((ClifOp)op, CLIF_OPF_BRANCH) && !verify_terminator_shape(c))
                return false;
        }
        at_block(c, b);
        if (bd->last != prev)
            return verify_fail(c, VERIFY_LAYOUT, "the block has another last instruction");
        uint32_t n, *p = clif_block_params(f, (ClifBlock){b}, &n);
        for (uint32_t k = 0; k < n; k++)
            if (p[k] >= f->values.n)
                return verify_fail(c, VERIFY_BLOCK_PARAM, "parameter v%u does not exist", p[k]);
    }
    at_function(c);
    if (f->last_block != prev_block)
        return verify_fail(c, VERIFY_LAYOUT, "the function has another last block");
    return true;
}

/* ---- entry ---- */
static bool check_entry(Check *c) {
    const ClifFunc *f = c->f;
    char b1[16], b2[16];
    if (f->first_block == CLIF_NONE) return true;
    at_block(c, f->first_block);
    uint32_t n, *p = clif_block_params(f, (ClifBlock){c->block}, &n), before = c->v->errors.n;
    if (n != f->sig.nparams)
        return verify_fail(c, VERIFY_ENTRY_PARAMS,
                           "entry block parameters (%u) must match function signature (%u)", n,
                           f->sig.nparams);
    for (uint32_t k = 0; k < n; k++) {
        ClifType want = f->abi_params.p[f->sig.params + k].type,
                 got = (ClifType)f->values.p[p[k]].type;
        if (want != got &&
            !verify_report(c, VERIFY_ENTRY_PARAMS,
                           "entry block parameter %u expected to have type %s, got %s", k,
                           clif_type_name(want, b1), clif_type_name(got, b2)))
            return false;
    }
    if (c->v->errors.n != before) return false;
    if (f->blocks.p[c->block].flags & CLIF_BLOCK_COLD)
        return verify_fail(c, VERIFY_ENTRY_COLD, "entry block cannot be marked as cold");
    return true;
}

/* ---- blocks ---- */
static bool check_place(Check *c) {
    const ClifFunc *f = c->f;
    bool term = clif_op_is((ClifOp)f->insts.p[c->inst].op, CLIF_OPF_TERMINATOR),
         last = f->links.p[c->inst].next == CLIF_NONE;
    if (term && !last)
        return verify_fail(c, VERIFY_TERMINATOR,
                           "a terminator instruction was encountered before the end of block%u",
                           c->block);
    if (!term && last) {
        at_block(c, c->block);
        return verify_fail(c, VERIFY_TERMINATOR, "block does not end in a terminator instruction");
    }
    return true;
}

static bool check_block_params(Check *c, uint32_t b) {
    uint32_t n, *p = clif_block_params(c->f, (ClifBlock){b}, &n);
    for (uint32_t k = 0; k < n; k++) {
        ClifValueData d = c->f->values.p[p[k]];
        if (d.kind != CLIF_VAL_PARAM || d.ref != b || d.num != (k & 0x3FFFFF) ||
            d.type == CLIF_INVALID)
            return verify_fail(c, VERIFY_BLOCK_PARAM,
                               "v%u does not say that it is parameter %u here", p[k], k);
    }
    return true;
}

static bool check_use(Check *c, uint32_t arg) {
    const ClifFunc *f = c->f;
    uint32_t v = clif_resolve(f, (ClifValue){arg}).i;
    ClifValueData d = f->values.p[v];
    if (d.kind == CLIF_VAL_PARAM) {
        if (dom_dominates(&c->v->dom, (ClifBlock){d.ref}, (ClifBlock){c->block})) return true;
        return verify_fail(c, VERIFY_DOMINANCE, "uses value arg from non-dominating block%u",
                           d.ref);
    }
    uint32_t def_block = f->links.p[d.ref].block;
    if (d.ref == c->inst)
        return verify_fail(c, VERIFY_DOMINANCE, "uses value v%u from itself", arg);
    if (def_block == c->block
            ? c->v->order.num.p[d.ref] < c->v->order.num.p[c->inst]
            : dom_dominates(&c->v->dom, (ClifBlock){def_block}, (ClifBlock){c->block}))
        return true;
    return verify_fail(c, VERIFY_DOMINANCE, "uses value v%u from non-dominating inst%u", arg,
                       d.ref);
}

static bool check_uses(Check *c) {
    const ClifFunc *f = c->f;
    if (!cfg_reachable(&c->v->cfg, (ClifBlock){c->block})) return true;
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

static bool check_inst(Check *c) {
    if (!check_place(c) || !verify_inst_refs(c)) return false;
    c->printable = true;
    if (!check_uses(c)) return false;
    if (!verify_inst_special(c)) return false;
    VERIFY_STEP(c, verify_inst_types(c));
    return verify_inst_immediates(c);
}

static bool run(Check *c) {
    VerifyCtx *v = c->v;
    const ClifFunc *f = c->f;
    at_function(c);
    if (!verify_preamble_refs(c) || !check_aliases(c) || !check_layout(c)) return false;
    cfg_compute(&v->cfg, v->mem, f);
    domtree_compute(&v->dom, v->mem, &v->cfg);
    inst_order_compute(&v->order, v->mem, f);
    at_function(c);
    VERIFY_STEP(c, verify_preamble(c));
    if (!check_entry(c)) return false;
    CLIF_FOR_BLOCKS(f, b) {
        at_block(c, b);
        if (!check_block_params(c, b)) return false;
        if (f->blocks.p[b].first == CLIF_NONE)
            return verify_fail(c, VERIFY_BLOCK_EMPTY, "block%u cannot be empty", b);
        CLIF_FOR_INSTS(f, b, i) {
            at_inst(c, i);
            if (!check_inst(c)) return false;
        }
    }
    return true;
}

static bool verify(VerifyCtx *v, const ClifFunc *f, Diag *d, bool all) {
    Check c = {.v = v, .f = f, .d = d};
    v->all = all;
    vec_clear(&v->errors);
    sb_clear(&v->messages);
    run(&c);
    return v->errors.n == 0;
}

bool clif_verify(VerifyCtx *v, const ClifFunc *f, Diag *d) {
    return verify(v, f, d, false);
}
bool clif_verify_all(VerifyCtx *v, const ClifFunc *f, Diag *d) {
    return verify(v, f, d, true);
}
