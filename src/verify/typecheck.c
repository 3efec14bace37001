/* verify/typecheck.c — types of one instruction, from its row in opcodes.def, its callee's signature or its
 * target's parameters. All references are known to be good. */
#include "verify/verify_int.h"

static const char *tn(ClifType t, char *buf) {
    return clif_type_name(t, buf);
}
static ClifType type_of(Check *c, uint32_t v) {
    return clif_value_type(c->f, (ClifValue){v});
}

static bool check_row(Check *c) {
    const ClifFunc *f = c->f;
    const ClifInstData *d = &f->insts.p[c->inst];
    const ClifOpInfo *info = &clif_op_info[d->op];
    const ClifOpSpec *s = &clif_op_spec[d->op];
    char b1[16], b2[16];
    if (s->ctrl_mode != CLIF_CTRL_MONO && !clif_typeset_has((ClifTypeSet)s->ctrl_set, d->type))
        return verify_fail(c, VERIFY_CTRL_TYPE, "the controlling type is %s, not %s",
                           tn(d->type, b1), clif_typeset_doc((ClifTypeSet)s->ctrl_set));
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n), k = 0;
    if (s->ctrl_mode == CLIF_CTRL_BY_ARG && type_of(c, args[s->ctrl_arg]) != d->type)
        return verify_fail(c, VERIFY_CTRL_TYPE, "the controlling type is %s, but v%u is %s",
                           tn(d->type, b1), args[s->ctrl_arg],
                           tn(type_of(c, args[s->ctrl_arg]), b2));
    for (uint32_t j = 0; j < s->nargs; j++) {
        if (s->args[j].kind != CLIF_OPK_VALUE) continue;
        if (!clif_type_matches(s->args[j].type, d->type, type_of(c, args[k])))
            return verify_fail(c, VERIFY_ARG_TYPE, "argument %s, v%u, is %s", s->args[j].name,
                               args[k], tn(type_of(c, args[k]), b1));
        k++;
    }
    uint32_t nr, *r = clif_results(f, (ClifInst){c->inst}, &nr);
    const ClifSig *sig =
        info->result_rule == CLIF_RES_SIG ? clif_call_sig(f, (ClifInst){c->inst}) : NULL;
    uint32_t want = sig ? sig->nreturns : info->nresults;
    if (nr != want) return verify_fail(c, VERIFY_RESULT_TYPE, "%u results, expected %u", nr, want);
    for (uint32_t j = 0; j < nr; j++) {
        ClifType t = sig ? f->abi_params.p[sig->returns + j].type
                         : clif_type_apply(s->result_types[j], d->type);
        if (type_of(c, r[j]) != t || t == CLIF_INVALID)
            return verify_fail(c, VERIFY_RESULT_TYPE, "result v%u is %s, expected %s", r[j],
                               tn(type_of(c, r[j]), b1), tn(t, b2));
    }
    return true;
}

static bool check_list(Check *c, VerifyRule rule, const uint32_t *v, uint32_t n, uint32_t params,
                       uint32_t np) {
    char b1[16], b2[16];
    if (n != np) return verify_fail(c, rule, "%u values, expected %u", n, np);
    for (uint32_t k = 0; k < n; k++) {
        ClifType t = c->f->abi_params.p[params + k].type;
        if (type_of(c, v[k]) != t)
            return verify_fail(c, rule, "v%u is %s, expected %s", v[k], tn(type_of(c, v[k]), b1),
                               tn(t, b2));
    }
    return true;
}

static bool supports_exceptions(ClifCallConv cc) {
    switch (cc) {
    case CLIF_CC_TAIL:
    case CLIF_CC_SYSTEM_V:
    case CLIF_CC_APPLE_AARCH64:
    case CLIF_CC_WINCH:
    case CLIF_CC_PRESERVE_ALL: return true;
    case CLIF_CC_FAST:
    case CLIF_CC_WINDOWS_FASTCALL:
    case CLIF_CC_PROBESTACK: return false;
    }
    return false;
}

static bool check_calls_and_returns(Check *c) {
    const ClifFunc *f = c->f;
    const ClifInstData *d = &f->insts.p[c->inst];
    const ClifOpInfo *info = &clif_op_info[d->op];
    ClifFormat fmt = (ClifFormat)info->format;
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n);
    if (d->op == CLIF_OP_RETURN)
        return check_list(c, VERIFY_RETURN_ARGS, args, n, f->sig.returns, f->sig.nreturns);
    const ClifSig *s = clif_call_sig(f, (ClifInst){c->inst});
    if (!s) return true;
    uint32_t skip = fmt == CLIF_FMT_CallIndirect || fmt == CLIF_FMT_TryCallIndirect;
    if (!check_list(c, VERIFY_CALL_ARGS, skip ? args + 1 : args, n - skip, s->params, s->nparams))
        return false;
    bool tail = info->flags & CLIF_OPF_RETURN;
    if (tail) {
        if (s->callconv != CLIF_CC_TAIL)
            return verify_fail(c, VERIFY_TAIL_CALL, "%s does not support tail calls",
                               clif_callconv_name[s->callconv]);
        if (s->callconv != f->sig.callconv)
            return verify_fail(c, VERIFY_TAIL_CALL, "the callee's convention is not ours");
        if (s->nreturns != f->sig.nreturns)
            return verify_fail(c, VERIFY_TAIL_CALL, "the callee has %u results, we have %u",
                               s->nreturns, f->sig.nreturns);
        for (uint32_t k = 0; k < s->nreturns; k++)
            if (f->abi_params.p[s->returns + k].type != f->abi_params.p[f->sig.returns + k].type)
                return verify_fail(c, VERIFY_TAIL_CALL,
                                   "result %u of the callee has another type than ours", k);
    }
    if (fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect) {
        if (fmt == CLIF_FMT_TryCall && f->eh_tables.p[d->c].sig.i != f->funcs.p[d->b].sig.i)
            return verify_fail(c, VERIFY_TRY_TABLE, "the table has sig%u, the callee sig%u",
                               f->eh_tables.p[d->c].sig.i, f->funcs.p[d->b].sig.i);
        if (!supports_exceptions((ClifCallConv)s->callconv))
            return verify_fail(c, VERIFY_TRY_TABLE, "%s does not support exceptions",
                               clif_callconv_name[s->callconv]);
    }
    if ((fmt == CLIF_FMT_Call || fmt == CLIF_FMT_TryCall) && f->funcs.p[d->b].patchable) {
        if (tail) return verify_fail(c, VERIFY_PATCHABLE, "a tail call");
        if (!f->funcs.p[d->b].colocated)
            return verify_fail(c, VERIFY_PATCHABLE, "fn%u is not colocated", d->b);
        if (s->nreturns) return verify_fail(c, VERIFY_PATCHABLE, "fn%u has results", d->b);
    }
    return true;
}

/* The type of a block argument; which: 0 = the normal target. INVALID after a failure. */
static ClifType block_arg_type(Check *c, uint32_t a, uint32_t which) {
    const ClifFunc *f = c->f;
    uint32_t i = a & ~CLIF_BLOCKARG_MASK;
    if (!(a & CLIF_BLOCKARG_MASK)) return type_of(c, a);
    ClifFormat fmt = (ClifFormat)clif_op_info[f->insts.p[c->inst].op].format;
    const ClifSig *s = fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect
                           ? clif_call_sig(f, (ClifInst){c->inst})
                           : NULL;
    if (a & CLIF_BLOCKARG_TRY_RET) {
        if (!s || which != 0 || i >= s->nreturns) {
            verify_fail(c, VERIFY_TRY_ARGS, "ret%u", i);
            return CLIF_INVALID;
        }
        return f->abi_params.p[s->returns + i].type;
    }
    if (!s || which == 0 || i >= 2 || s->callconv == CLIF_CC_WINCH) {
        verify_fail(c, VERIFY_TRY_ARGS, "exn%u", i);
        return CLIF_INVALID;
    }
    return c->v->ptr_type ? c->v->ptr_type : CLIF_I64;
}

static bool check_branch(Check *c) {
    const ClifFunc *f = c->f;
    char b1[16], b2[16];
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(f, (ClifInst){c->inst}, &calls, tmp);
    for (uint32_t k = 0; k < nc; k++) {
        ClifBlock to = clif_call_block(f, calls[k]);
        uint32_t n, *a = clif_call_args(f, calls[k], &n), np, *p = clif_block_params(f, to, &np);
        if (n != np)
            return verify_fail(c, VERIFY_BLOCK_ARGS,
                               "%u arguments for block%u, which has %u parameters", n, to.i, np);
        for (uint32_t j = 0; j < n; j++) {
            ClifType t = block_arg_type(c, a[j], k);
            if (t == CLIF_INVALID) return false;
            if (t != type_of(c, p[j]))
                return verify_fail(c, VERIFY_BLOCK_ARGS,
                                   "argument %u for block%u is %s, expected %s", j, to.i, tn(t, b1),
                                   tn(type_of(c, p[j]), b2));
        }
    }
    return true;
}

static bool check_bitcast(Check *c, const ClifInstData *d) {
    ClifType from = type_of(c, d->a);
    ClifMemFlags m = clif_memflags(c->f, d->aux);
    unsigned order = CLIF_MEM_LITTLE | CLIF_MEM_BIG;
    if (clif_type_bits(from) != clif_type_bits(d->type) ||
        clif_type_is_dynamic(from) != clif_type_is_dynamic(d->type))
        return verify_fail(c, VERIFY_BITCAST, "from %u to %u bits", clif_type_bits(from),
                           clif_type_bits(d->type));
    if ((m.bits & ~order) || m.region != CLIF_NONE || m.trap != CLIF_TRAP_HEAP_OUT_OF_BOUNDS)
        return verify_fail(c, VERIFY_BITCAST, "memory flags other than a byte order");
    if (clif_type_lanes(from) != clif_type_lanes(d->type) && !(m.bits & order))
        return verify_fail(c, VERIFY_BITCAST,
                           "the number of lanes changes and the flags say no byte order");
    return true;
}

static bool check_special(Check *c) {
    const ClifFunc *f = c->f;
    const ClifInstData *d = &f->insts.p[c->inst];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (d->op == CLIF_OP_BITCAST) return check_bitcast(c, d);
    if (d->op == CLIF_OP_INSERTLANE || d->op == CLIF_OP_EXTRACTLANE) {
        if ((d->aux & 255u) >= clif_type_lanes(d->type))
            return verify_fail(c, VERIFY_LANE, "lane %u", d->aux & 255u);
    } else if (fmt == CLIF_FMT_Shuffle) {
        ClifRange r = f->imm128s.p[d->c];
        if (r.n != 16) return verify_fail(c, VERIFY_SHUFFLE, "%u bytes", r.n);
        for (uint32_t k = 0; k < 16; k++)
            if (f->bytes.p[r.first + k] >= 32)
                return verify_fail(c, VERIFY_SHUFFLE, "byte %u is %u", k, f->bytes.p[r.first + k]);
    } else if (fmt == CLIF_FMT_UnaryConst) {
        uint32_t want = d->op == CLIF_OP_F128CONST ? 16 : clif_type_bytes(d->type);
        if (f->consts.p[d->a].n != want)
            return verify_fail(c, VERIFY_CONST_SIZE, "%u bytes, expected %u", f->consts.p[d->a].n,
                               want);
    } else if (fmt == CLIF_FMT_UnaryGlobalValue) {
        const ClifGlobalValueData *g = &f->gvs.p[d->a];
        if (g->kind != CLIF_GV_SYMBOL || (g->type && g->type != d->type))
            return verify_fail(c, VERIFY_GV_USE, "gv%u is no symbol of this type", d->a);
    } else if (fmt == CLIF_FMT_ExceptionHandlerAddress) {
        const ClifInstData *t = &f->insts.p[f->blocks.p[d->a].last];
        ClifFormat tf = (ClifFormat)clif_op_info[t->op].format;
        if (tf != CLIF_FMT_TryCall && tf != CLIF_FMT_TryCallIndirect)
            return verify_fail(c, VERIFY_HANDLER, "block%u does not end in a try_call", d->a);
        if (clif_imm64(d) >= f->eh_tables.p[t->c].ncalls - 1)
            return verify_fail(c, VERIFY_HANDLER, "block%u has %u handlers", d->a,
                               f->eh_tables.p[t->c].ncalls - 1);
    }
    return true;
}

bool verify_inst_types(Check *c) {
    if (!check_row(c) || !check_calls_and_returns(c) || !check_special(c)) return false;
    return clif_op_is((ClifOp)c->f->insts.p[c->inst].op, CLIF_OPF_BRANCH) ? check_branch(c) : true;
}
