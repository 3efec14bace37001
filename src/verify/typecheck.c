/* verify/typecheck.c — types of one instruction, from its row in opcodes.def, its callee's signature or its
 * target's parameters. All references are known to be good. No violation here keeps the others from being seen. */
#include "verify/verify_int.h"

static const char *tn(ClifType t, char *buf) {
    return clif_type_name(t, buf);
}
static ClifType type_of(Check *c, uint32_t v) {
    return clif_value_type(c->f, (ClifValue){v});
}

static bool check_results(Check *c, const ClifInstData *d) {
    const ClifFunc *f = c->f;
    const ClifOpInfo *info = &clif_op_info[d->op];
    char b1[16], b2[16];
    uint32_t nr, *r = clif_results(f, (ClifInst){c->inst}, &nr);
    const ClifSig *sig =
        info->result_rule == CLIF_RES_SIG ? clif_call_sig(f, (ClifInst){c->inst}) : NULL;
    uint32_t want = sig ? sig->nreturns : info->nresults;
    if (nr != want)
        return verify_report(c, VERIFY_RESULT_TYPE, "expected %u result values, found %u", want,
                             nr);
    for (uint32_t j = 0; j < nr; j++) {
        ClifType t = sig ? f->abi_params.p[sig->returns + j].type
                         : clif_type_apply(clif_op_spec[d->op].result_types[j], d->type);
        if ((type_of(c, r[j]) != t || t == CLIF_INVALID) &&
            !verify_report(c, VERIFY_RESULT_TYPE,
                           "expected result %u (v%u) to have type %s, found %s", j, r[j], tn(t, b1),
                           tn(type_of(c, r[j]), b2)))
            return false;
    }
    return true;
}

static bool check_ctrl(Check *c, const ClifInstData *d) {
    const ClifOpSpec *s = &clif_op_spec[d->op];
    char b1[16], b2[16];
    if (s->ctrl_mode == CLIF_CTRL_MONO) return true;
    if (s->ctrl_mode == CLIF_CTRL_BY_ARG) {
        uint32_t n, *args = clif_args(c->f, (ClifInst){c->inst}, &n), v = args[s->ctrl_arg];
        if (type_of(c, v) != d->type)
            return verify_report(c, VERIFY_CTRL_TYPE,
                                 "the controlling type is %s, but v%u has type %s", tn(d->type, b1),
                                 v, tn(type_of(c, v), b2));
    }
    if (clif_typeset_has((ClifTypeSet)s->ctrl_set, d->type)) return true;
    return verify_report(c, VERIFY_CTRL_TYPE, "has an invalid controlling type %s (not %s)",
                         tn(d->type, b1), clif_typeset_doc((ClifTypeSet)s->ctrl_set));
}

static bool check_fixed_args(Check *c, const ClifInstData *d) {
    const ClifOpSpec *s = &clif_op_spec[d->op];
    char b1[16], b2[16];
    uint32_t n, *args = clif_args(c->f, (ClifInst){c->inst}, &n), k = 0;
    for (uint32_t j = 0; j < s->nargs; j++) {
        if (s->args[j].kind != CLIF_OPK_VALUE) continue;
        ClifType got = type_of(c, args[k]), want = clif_type_apply(s->args[j].type, d->type);
        if (!clif_type_matches(s->args[j].type, d->type, got)) {
            if (want != CLIF_INVALID
                    ? !verify_report(c, VERIFY_ARG_TYPE, "arg %u (v%u) has type %s, expected %s", k,
                                     args[k], tn(got, b1), tn(want, b2))
                    : !verify_report(c, VERIFY_ARG_TYPE,
                                     "arg %u (v%u) with type %s failed to satisfy type set of %s",
                                     k, args[k], tn(got, b1), s->args[j].name))
                return false;
        }
        k++;
    }
    return true;
}

static bool mismatched_count(Check *c, VerifyRule rule, uint32_t got, uint32_t want) {
    StrBuf *o = &c->v->text;
    sb_clear(o);
    clif_print_inst(c->f, (ClifInst){c->inst}, o);
    return verify_report(c, rule, "mismatched argument count for `%s`: got %u, expected %u",
                         sb_cstr(o), got, want);
}

static bool check_list(Check *c, const uint32_t *v, uint32_t n, uint32_t params, uint32_t np) {
    char b1[16], b2[16];
    for (uint32_t k = 0; k < n && k < np; k++) {
        ClifType t = c->f->abi_params.p[params + k].type;
        if (type_of(c, v[k]) != t &&
            !verify_report(c, VERIFY_CALL_ARGS, "arg %u (v%u) has type %s, expected %s", k, v[k],
                           tn(type_of(c, v[k]), b1), tn(t, b2)))
            return false;
    }
    return n == np || mismatched_count(c, VERIFY_CALL_ARGS, n, np);
}

static bool check_return_types(Check *c, VerifyRule rule, const char *msg, const ClifSig *s,
                               const uint32_t *v, uint32_t n) {
    const ClifFunc *f = c->f;
    char b1[16], b2[16];
    if (n != f->sig.nreturns) return verify_report(c, rule, "%s", msg);
    for (uint32_t k = 0; k < n; k++) {
        ClifType got = s ? f->abi_params.p[s->returns + k].type : type_of(c, v[k]),
                 want = f->abi_params.p[f->sig.returns + k].type;
        if (got != want &&
            !verify_report(c, rule, "result %u has type %s, must match function signature of %s", k,
                           tn(got, b1), tn(want, b2)))
            return false;
    }
    return true;
}

static bool same_sig(const ClifFunc *f, const ClifSig *a, const ClifSig *b) {
    if (a->callconv != b->callconv || a->nparams != b->nparams || a->nreturns != b->nreturns)
        return false;
    for (uint32_t k = 0; k < a->nparams + a->nreturns; k++) {
        bool ret = k >= a->nparams;
        uint32_t j = ret ? k - a->nparams : k;
        ClifAbiParam x = f->abi_params.p[(ret ? a->returns : a->params) + j],
                     y = f->abi_params.p[(ret ? b->returns : b->params) + j];
        if (x.type != y.type || x.ext != y.ext || x.purpose != y.purpose ||
            x.struct_size != y.struct_size)
            return false;
    }
    return true;
}

static bool check_call(Check *c, const ClifInstData *d) {
    const ClifFunc *f = c->f;
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    const ClifSig *s = clif_call_sig(f, (ClifInst){c->inst});
    if (!s) return true;
    if (fmt == CLIF_FMT_TryCall) {
        uint32_t table = f->eh_tables.p[d->c].sig.i, callee = f->funcs.p[d->b].sig.i;
        if (!same_sig(f, &f->sigs.p[table], &f->sigs.p[callee]) &&
            !verify_report(
                c, VERIFY_TRY_TABLE,
                "exception table signature sig%u did not match function fn%u's signature sig%u",
                table, d->b, callee))
            return false;
        s = &f->sigs.p[table];
    }
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n),
                skip = fmt == CLIF_FMT_CallIndirect || fmt == CLIF_FMT_TryCallIndirect;
    return check_list(c, skip ? args + 1 : args, n - skip, s->params, s->nparams);
}

static bool check_return(Check *c, const ClifInstData *d) {
    const ClifFunc *f = c->f;
    if (d->op == CLIF_OP_RETURN) {
        uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n);
        return check_return_types(c, VERIFY_RETURN_ARGS,
                                  "arguments of return must match function signature", NULL, args,
                                  n);
    }
    const ClifSig *s = clif_call_sig(f, (ClifInst){c->inst});
    if (!s || !clif_op_is((ClifOp)d->op, CLIF_OPF_RETURN)) return true;
    if (s->callconv != CLIF_CC_TAIL &&
        !verify_report(c, VERIFY_TAIL_CALL, "calling convention `%s` does not support tail calls",
                       clif_callconv_name[s->callconv]))
        return false;
    if (s->callconv != f->sig.callconv &&
        !verify_report(c, VERIFY_TAIL_CALL, "callee's calling convention must match caller"))
        return false;
    return check_return_types(c, VERIFY_TAIL_CALL, "results of callee must match caller", s, NULL,
                              s->nreturns);
}

/* ---- branches ---- */
/* The type of a block argument; which: 0 = the normal target. False: stop here; INVALID: not known. */
static bool block_arg_type(Check *c, uint32_t a, uint32_t which, ClifType *out) {
    const ClifFunc *f = c->f;
    uint32_t i = a & ~CLIF_BLOCKARG_MASK;
    const ClifInstData *d = &f->insts.p[c->inst];
    if (!(a & CLIF_BLOCKARG_MASK)) {
        *out = type_of(c, a);
        return true;
    }
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect)
        return verify_fail(c, VERIFY_TRY_ARGS,
                           "`retN` or `exnN` block argument of an instruction that is no try_call");
    const ClifSig *s = &f->sigs.p[f->eh_tables.p[d->c].sig.i];
    if (a & CLIF_BLOCKARG_TRY_RET) {
        if (which != 0)
            return verify_fail(
                c, VERIFY_TRY_ARGS,
                "`retN` block argument used outside normal-return target of `try_call`");
        if (i >= s->nreturns)
            return verify_fail(c, VERIFY_TRY_ARGS, "out-of-bounds `retN` block argument");
        *out = f->abi_params.p[s->returns + i].type;
        return true;
    }
    if (which == 0)
        return verify_fail(c, VERIFY_TRY_ARGS,
                           "`exnN` block argument used outside normal-return target of `try_call`");
    bool none = s->callconv == CLIF_CC_WINCH || s->callconv == CLIF_CC_FAST ||
                s->callconv == CLIF_CC_WINDOWS_FASTCALL || s->callconv == CLIF_CC_PROBESTACK;
    if (c->v->ptr_type && (none || i >= 2))
        return verify_fail(c, VERIFY_TRY_ARGS, "out-of-bounds `exnN` block argument");
    *out = c->v->ptr_type;
    return true;
}

static bool check_block_call(Check *c, ListRef call, uint32_t which) {
    const ClifFunc *f = c->f;
    char b1[16], b2[16];
    ClifBlock to = clif_call_block(f, call);
    uint32_t n, *a = clif_call_args(f, call, &n), np, *p = clif_block_params(f, to, &np);
    if (n != np) return mismatched_count(c, VERIFY_BLOCK_ARGS, n, np);
    for (uint32_t j = 0; j < n; j++) {
        ClifType t = CLIF_INVALID;
        if (!block_arg_type(c, a[j], which, &t)) return false;
        if (t == CLIF_INVALID || t == type_of(c, p[j])) continue;
        const char *prefix = a[j] & CLIF_BLOCKARG_TRY_RET   ? "ret"
                             : a[j] & CLIF_BLOCKARG_TRY_EXN ? "exn"
                                                            : "v";
        if (!verify_report(c, VERIFY_BLOCK_ARGS, "arg %s%u has type %s, expected %s", prefix,
                           a[j] & ~CLIF_BLOCKARG_MASK, tn(t, b1), tn(type_of(c, p[j]), b2)))
            return false;
    }
    return true;
}

static bool check_branch(Check *c) {
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(c->f, (ClifInst){c->inst}, &calls, tmp);
    for (uint32_t k = 0; k < nc; k++)
        if (!check_block_call(c, calls[k], k)) return false;
    return true;
}

static bool check_global_value(Check *c, const ClifInstData *d) {
    char b1[16], b2[16];
    if (clif_op_info[d->op].format != CLIF_FMT_UnaryGlobalValue || !c->v->ptr_type) return true;
    ClifType t = verify_gv_type(c, d->a);
    if (t == d->type) return true;
    return verify_report(
        c, VERIFY_GV_USE,
        "global_value instruction with type %s references global value with type %s",
        tn(d->type, b1), tn(t, b2));
}

bool verify_inst_types(Check *c) {
    const ClifInstData *d = &c->f->insts.p[c->inst];
    VERIFY_STEP(c, check_ctrl(c, d));
    VERIFY_STEP(c, check_results(c, d));
    VERIFY_STEP(c, check_fixed_args(c, d));
    if (clif_op_is((ClifOp)d->op, CLIF_OPF_BRANCH)) VERIFY_STEP(c, check_branch(c));
    VERIFY_STEP(c, check_call(c, d));
    VERIFY_STEP(c, check_return(c, d));
    VERIFY_STEP(c, check_global_value(c, d));
    return true;
}
