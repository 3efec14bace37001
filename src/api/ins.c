/* api/ins.c — instructions by way of the C interface: checked against their row, then handed to the builder.
 *
 * Idea        The row's operands, in text order, say which field of CotIns each comes from, and its format where it goes in the
 *             instruction; one loop serves all opcodes. What is checked here is what the builder relies on, and types,
 *             because an error is of most use where it is made; the rest is the verifier's.
 * Cost        linear in the operands. */
#include "api/clif_int.h"

static uint32_t wrong(CotFunction *f, const CotIns *i, const char *what, uint32_t n) {
    return api_stick(f, COT_MISUSE, "block%u: %s: %s %u", f->b.cur.i, clif_op_info[i->op].name,
                     what, n);
}

bool api_mem_flags(CotFunction *f, uint32_t flags, uint16_t *out) {
    uint32_t bits = flags & 255, trap = flags >> 8 & 255, region = flags >> 16;
    if (bits > 63 || (trap && bits & COT_MEM_NOTRAP) ||
        (bits & (COT_MEM_LITTLE | COT_MEM_BIG)) == (COT_MEM_LITTLE | COT_MEM_BIG) ||
        region > f->f.regions.n) {
        api_stick(f, COT_MISUSE, "memory flags 0x%x are wrong", flags);
        return false;
    }
    if (f->f.memflags.n >= 65000) {
        api_stick(f, COT_LIMIT, "more than 65000 kinds of memory flags in a function");
        return false;
    }
    ClifMemFlags m = {.bits = bits & 31,
                      .trap = (uint8_t)(bits & COT_MEM_NOTRAP ? CLIF_TRAP_NONE
                                        : trap                ? trap
                                                              : CLIF_TRAP_HEAP_OUT_OF_BOUNDS),
                      .region = region ? region - 1 : CLIF_NONE};
    *out = clif_intern_memflags(&f->f, m);
    return true;
}

bool api_target(CotFunction *f, const CotTarget *t, bool results, ListRef *out) {
    if (t->block >= f->f.blocks.n || (t->nargs && !t->args)) {
        api_stick(f, COT_MISUSE, "a branch goes to block%u, which does not exist", t->block);
        return false;
    }
    for (uint32_t k = 0; k < t->nargs; k++) {
        if (results && t->args[k] & CLIF_BLOCKARG_MASK) continue;
        if (t->args[k] >= f->f.values.n) {
            api_stick(f, COT_MISUSE,
                      "a branch to block%u has the argument v%u, which does not exist", t->block,
                      t->args[k]);
            return false;
        }
    }
    *out = clif_make_blockcall(&f->f, (ClifBlock){t->block}, (const ClifValue *)t->args, t->nargs);
    return true;
}

/* ---- tables ---- */
typedef struct Table {
    const CotTarget *targets;
    const CotHandler *handlers;
    uint32_t n, sig;
} Table;

static uint32_t step_jump_table(CotFunction *f, const void *in) {
    const Table *t = in;
    ListRef call;
    if (!t->n || !t->targets) return api_stick(f, COT_MISUSE, "a jump table has a default");
    vec_clear(&f->list);
    for (uint32_t k = 0; k < t->n; k++) {
        if (!api_target(f, &t->targets[k], false, &call)) return COT_NONE;
        vec_push(&f->mem, &f->list, call);
    }
    vec_push(&f->mem, &f->jt_used, 0);
    return clif_make_jump_table(&f->f, f->list.p, t->n).i;
}
uint32_t cot_function_jump_table(CotFunction *f, const CotTarget *targets, uint32_t count) {
    return api_build(f, step_jump_table, &(Table){targets, NULL, count, 0});
}

static uint32_t step_exception_table(CotFunction *f, const void *in) {
    const Table *t = in;
    ListRef call;
    if (t->sig >= f->f.sigs.n) return api_stick(f, COT_MISUSE, "no signature %u", t->sig);
    if (!t->targets || (t->n && !t->handlers))
        return api_stick(f, COT_MISUSE, "an exception table has a normal target");
    vec_clear(&f->list);
    vec_clear(&f->items);
    if (!api_target(f, t->targets, true, &call)) return COT_NONE;
    vec_push(&f->mem, &f->list, call);
    for (uint32_t k = 0; k < t->n; k++) {
        const CotHandler *h = &t->handlers[k];
        ClifEhItem e = {.kind = (uint8_t)h->kind, .tag = h->tag, .context = {h->context}};
        if (h->kind > CLIF_EH_CONTEXT)
            return api_stick(f, COT_MISUSE, "no handler kind %u", h->kind);
        if (h->kind == CLIF_EH_CONTEXT && h->context >= f->f.values.n)
            return api_stick(f, COT_MISUSE, "no value v%u", h->context);
        vec_push(&f->mem, &f->items, e);
        if (h->kind == CLIF_EH_CONTEXT) continue;
        if (!api_target(f, &h->target, true, &call)) return COT_NONE;
        vec_push(&f->mem, &f->list, call);
    }
    vec_push(&f->mem, &f->eh_used, 0);
    return clif_make_eh_table(&f->f, (ClifSigRef){t->sig}, f->list.p, f->list.n, f->items.p, t->n)
        .i;
}
uint32_t cot_function_exception_table(CotFunction *f, uint32_t signature, const CotTarget *normal,
                                      const CotHandler *handlers, uint32_t count) {
    return api_build(f, step_exception_table, &(Table){normal, handlers, count, signature});
}

/* ---- operands ---- */
static bool below(CotFunction *f, const CotIns *i, const char *what, uint32_t n, uint32_t limit) {
    if (n < limit) return true;
    wrong(f, i, what, n);
    return false;
}

/* Everything but values: where it goes depends on its kind and the format. */
static bool place(CotFunction *f, const CotIns *i, ClifOperandKind kind, unsigned *target,
                  ClifInstData *d) {
    ClifFormat fmt = (ClifFormat)clif_op_info[i->op].format;
    ClifFunc *c = &f->f;
    switch (kind) {
    case CLIF_OPK_IMM64:
    case CLIF_OPK_IEEE64: {
        uint64_t x = (uint64_t)i->imm;
        unsigned bits = i->op == CLIF_OP_ICONST ? clif_type_bits(d->type) : 64;
        if (bits < 64) x &= ((uint64_t)1 << bits) - 1;
        d->b = (uint32_t)x;
        d->c = (uint32_t)(x >> 32);
        return true;
    }
    case CLIF_OPK_UIMM8:
        d->aux = (uint16_t)(i->imm & 255);
        return below(f, i, "lane or index", i->imm < 0 || i->imm > 255 ? 256 : d->aux, 256);
    case CLIF_OPK_OFFSET32:
        if (i->imm != (int32_t)i->imm) return below(f, i, "offset beyond 32 bits:", 1, 0);
        *(fmt == CLIF_FMT_Store ? &d->c : &d->b) = (uint32_t)i->imm;
        return true;
    case CLIF_OPK_IEEE16:
        d->b = (uint32_t)i->imm;
        return below(f, i, "bits of an f16:", d->b, 65536);
    case CLIF_OPK_IEEE32: d->b = (uint32_t)i->imm; return true;
    case CLIF_OPK_UIMM128:
        if (!i->mask) return below(f, i, "no mask", 0, 0);
        d->c = clif_make_imm128(c, i->mask).i;
        return true;
    case CLIF_OPK_CONSTANT: d->a = i->entity; return below(f, i, "no constant", d->a, c->consts.n);
    case CLIF_OPK_INTCC:
        d->aux = (uint16_t)i->code;
        return below(f, i, "no condition", i->code, CLIF_ULE + 1);
    case CLIF_OPK_FLOATCC:
        d->aux = (uint16_t)i->code;
        return below(f, i, "no condition", i->code, CLIF_FUGE + 1);
    case CLIF_OPK_MEMFLAGS: return api_mem_flags(f, i->flags, &d->aux);
    case CLIF_OPK_TRAPCODE:
        d->aux = (uint16_t)i->code;
        return below(f, i, "trap codes are 1 to 255, not", i->code ? i->code : 256, 256);
    case CLIF_OPK_RMWOP:
        d->c = i->code;
        return below(f, i, "no atomic operation", i->code, CLIF_RMW_SMAX + 1);
    case CLIF_OPK_BLOCKCALL: {
        const CotTarget *t = &i->targets[(*target)++];
        uint32_t *to = fmt == CLIF_FMT_Jump ? &d->a : *target == 1 ? &d->b : &d->c;
        return api_target(f, t, false, to);
    }
    case CLIF_OPK_BLOCK: d->a = i->entity; return below(f, i, "no block", d->a, c->blocks.n);
    case CLIF_OPK_STACKSLOT: d->a = i->entity; return below(f, i, "no slot", d->a, c->slots.n);
    case CLIF_OPK_DYNSLOT: d->a = i->entity; return below(f, i, "no slot", d->a, c->dyn_slots.n);
    case CLIF_OPK_GLOBALVALUE:
        d->a = i->entity;
        return below(f, i, "no global value", d->a, c->gvs.n);
    case CLIF_OPK_SIGREF: d->b = i->entity; return below(f, i, "no signature", d->b, c->sigs.n);
    case CLIF_OPK_FUNCREF:
        *(fmt == CLIF_FMT_FuncAddr ? &d->a : &d->b) = i->entity;
        return below(f, i, "no imported function", i->entity, c->funcs.n);
    case CLIF_OPK_JUMPTABLE:
        d->b = i->entity;
        return below(f, i, "no jump table", d->b, c->jts.n) &&
               below(f, i, "jump table already used:", f->jt_used.p[d->b], 1);
    case CLIF_OPK_EHTABLE:
        d->c = i->table;
        return below(f, i, "no exception table", d->c, c->eh_tables.n) &&
               below(f, i, "exception table already used:", f->eh_used.p[d->c], 1);
    case CLIF_OPK_NONE:
    case CLIF_OPK_VALUE:
    case CLIF_OPK_VARARGS:
    case CLIF_OPK_COUNT: break;
    }
    return true;
}

/* ---- types ---- */
static bool type_error(CotFunction *f, const CotIns *i, const char *name, ClifType t) {
    char buf[16];
    api_stick(f, COT_MISUSE, "block%u: %s: '%s' is of type %s, which does not fit", f->b.cur.i,
              clif_op_info[i->op].name, name, t ? clif_type_name(t, buf) : "none");
    return false;
}

static bool value_types(CotFunction *f, const CotIns *i, ClifType *ctrl) {
    const ClifOpSpec *s = &clif_op_spec[i->op];
    unsigned nv = 0;
    for (unsigned k = 0; k < s->nargs; k++)
        if (s->args[k].kind == CLIF_OPK_VALUE &&
            !below(f, i, "no value", i->args[nv++], f->f.values.n))
            return false;
    *ctrl = CLIF_INVALID;
    if (s->ctrl_mode == CLIF_CTRL_BY_ARG)
        *ctrl = clif_value_type(&f->f, (ClifValue){i->args[s->ctrl_arg]});
    else if (s->ctrl_mode == CLIF_CTRL_BY_RESULT && api_clif_type(i->type))
        *ctrl = (ClifType)i->type;
    if (s->ctrl_mode != CLIF_CTRL_MONO && !clif_typeset_has((ClifTypeSet)s->ctrl_set, *ctrl))
        return type_error(f, i, s->ctrl_mode == CLIF_CTRL_BY_ARG ? "the operand" : "the result",
                          *ctrl);
    nv = 0;
    for (unsigned k = 0; k < s->nargs; k++) {
        if (s->args[k].kind != CLIF_OPK_VALUE) continue;
        ClifType t = clif_value_type(&f->f, (ClifValue){i->args[nv++]});
        if (!clif_type_matches(s->args[k].type, *ctrl, t))
            return type_error(f, i, s->args[k].name, t);
    }
    for (unsigned k = 0; k < clif_op_info[i->op].nresults; k++)
        if (clif_type_apply(s->result_types[k], *ctrl) == CLIF_INVALID)
            return type_error(f, i, s->result_names[k], CLIF_INVALID);
    return true;
}

/* The arguments of calls and return against the signature. */
static bool list_types(CotFunction *f, const CotIns *i) {
    const ClifFunc *c = &f->f;
    const ClifSig *s = &c->sig;
    uint32_t n = s->nreturns, first = s->returns;
    if (i->op != CLIF_OP_RETURN) {
        ClifFormat fmt = (ClifFormat)clif_op_info[i->op].format;
        uint32_t sig = fmt == CLIF_FMT_CallIndirect      ? i->entity
                       : fmt == CLIF_FMT_TryCallIndirect ? c->eh_tables.p[i->table].sig.i
                                                         : c->funcs.p[i->entity].sig.i;
        s = &c->sigs.p[sig];
        n = s->nparams;
        first = s->params;
    }
    if (i->nlist != n || (n && !i->list)) {
        api_stick(f, COT_MISUSE, "block%u: %s: %u values are given, the signature has %u",
                  f->b.cur.i, clif_op_info[i->op].name, i->nlist, n);
        return false;
    }
    for (uint32_t k = 0; k < n; k++) {
        if (!below(f, i, "no value", i->list[k], c->values.n)) return false;
        if (c->values.p[i->list[k]].type != c->abi_params.p[first + k].type) {
            wrong(f, i, "the type is not that of the signature, value number", k);
            return false;
        }
    }
    return true;
}

static bool targets_open(CotFunction *f, const CotIns *i, const ClifInstData *d) {
    const ClifFunc *c = &f->f;
    ClifFormat fmt = (ClifFormat)clif_op_info[i->op].format;
    ListRef two[2] = {fmt == CLIF_FMT_Jump ? d->a : d->b, d->c};
    const ListRef *calls = two;
    uint32_t n = fmt == CLIF_FMT_Jump ? 1 : 2;
    if (fmt == CLIF_FMT_BranchTable) {
        calls = c->jt_calls.p + c->jts.p[d->b].first;
        n = c->jts.p[d->b].n;
    } else if (fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect) {
        calls = c->jt_calls.p + c->eh_tables.p[d->c].calls;
        n = c->eh_tables.p[d->c].ncalls;
    }
    for (uint32_t k = 0; k < n; k++) {
        ClifBlock b = clif_call_block(c, calls[k]);
        if (!cb_is_sealed(&f->b, b)) continue;
        wrong(f, i, "a branch to a sealed block:", b.i);
        return false;
    }
    return true;
}

static uint32_t step_ins(CotFunction *f, const void *in) {
    const CotIns *i = in;
    if (!i || !i->op || i->op >= CLIF_OP_COUNT)
        return api_stick(f, COT_MISUSE, "no opcode %u", i ? i->op : 0);
    const ClifOpInfo *info = &clif_op_info[i->op];
    const ClifOpSpec *s = &clif_op_spec[i->op];
    if (f->b.cur.i == CLIF_NONE)
        return api_stick(f, COT_MISUSE, "%s: there is no current block", info->name);
    if (cb_is_filled(&f->b)) return wrong(f, i, "the block is filled already:", f->b.cur.i);
    ClifType ctrl;
    if (!value_types(f, i, &ctrl)) return COT_NONE;
    ClifInstData d = {.op = (uint8_t)i->op, .type = ctrl};
    unsigned target = 0, nv = 0;
    bool has_list = false;
    vec_clear(&f->list);
    for (unsigned k = 0; k < s->nargs; k++) {
        ClifOperandKind kind = (ClifOperandKind)s->args[k].kind;
        has_list |= kind == CLIF_OPK_VARARGS;
        if (kind == CLIF_OPK_VALUE && info->has_list)
            vec_push(&f->mem, &f->list, i->args[nv++]);
        else if (kind == CLIF_OPK_VALUE)
            (&d.a)[nv] = i->args[nv], nv++;
        else if (!place(f, i, kind, &target, &d))
            return COT_NONE;
    }
    if (has_list) {
        if (!list_types(f, i)) return COT_NONE;
        for (uint32_t k = 0; k < i->nlist; k++) vec_push(&f->mem, &f->list, i->list[k]);
        d.a = f->list.n ? list_new(&f->mem, &f->f.lists, f->list.p, f->list.n) : 0;
    }
    if (info->flags & CLIF_OPF_BRANCH) {
        if (!targets_open(f, i, &d)) return COT_NONE;
        if (info->format == CLIF_FMT_BranchTable) f->jt_used.p[d.b] = 1;
        if (info->has_list) f->eh_used.p[d.c] = 1;
    }
    return cb_ins(&f->b, d).i;
}

uint32_t cot_ins(CotFunction *f, const CotIns *ins) {
    return api_build(f, step_ins, ins);
}

/* ---- results ---- */
uint32_t cot_ins_result_count(const CotFunction *f, uint32_t inst) {
    uint32_t n = 0;
    if (f && f->status != COT_NO_MEMORY && inst < f->f.insts.n)
        clif_results(&f->f, (ClifInst){inst}, &n);
    return n;
}
uint32_t cot_ins_result(const CotFunction *f, uint32_t inst, uint32_t k) {
    if (k >= cot_ins_result_count(f, inst)) return COT_NONE;
    return clif_result(&f->f, (ClifInst){inst}, k).i;
}
uint32_t api_result(CotFunction *f, uint32_t inst) {
    return cot_ins_result(f, inst, 0);
}
uint32_t api_results(CotFunction *f, uint32_t inst, uint32_t *second) {
    if (second) *second = cot_ins_result(f, inst, 1);
    return cot_ins_result(f, inst, 0);
}

uint32_t cot_ins_float(CotFunction *f, float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return cot_ins_f32const(f, bits);
}
uint32_t cot_ins_double(CotFunction *f, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return cot_ins_f64const(f, bits);
}
