/* verify/entities.c — the preamble, and the references of one instruction: everything that can be checked
 * without control flow and types. After it an instruction may be followed anywhere safely. */
#include "verify/verify_int.h"

/* ---- preamble ---- */
static bool check_sig(Check *c, const ClifSig *s, const char *what, uint32_t i) {
    for (uint32_t k = 0; k < s->nparams + s->nreturns; k++) {
        bool ret = k >= s->nparams;
        uint32_t at = ret ? s->returns + k - s->nparams : s->params + k;
        if (at >= c->f->abi_params.n)
            return verify_fail(c, VERIFY_SIG_TYPE, "%s %u: parameter %u does not exist", what, i,
                               k);
        ClifAbiParam p = c->f->abi_params.p[at];
        if (clif_lane_type(p.type) < CLIF_I8 || clif_lane_type(p.type) > CLIF_F128)
            return verify_fail(c, VERIFY_SIG_TYPE, "%s %u: %s %u has no type", what, i,
                               ret ? "result" : "parameter", ret ? k - s->nparams : k);
        if (ret && p.purpose == CLIF_ARG_STRUCT_ARG)
            return verify_fail(c, VERIFY_SIG_TYPE, "%s %u: result %u is a struct argument", what, i,
                               k - s->nparams);
    }
    return true;
}

static bool check_gvs(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t *stamp = analysis_fill(c->v->mem, &c->v->stamp, f->gvs.n, CLIF_NONE);
    bool has_vmctx = false;
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        has_vmctx |= f->abi_params.p[f->sig.params + k].purpose == CLIF_ARG_VMCTX;
    for (uint32_t g = 0; g < f->gvs.n; g++) {
        for (uint32_t at = g;;) {
            const ClifGlobalValueData *d = &f->gvs.p[at];
            if (stamp[at] == g) return verify_fail(c, VERIFY_GV_BASE, "gv%u depends on itself", at);
            if (stamp[at] != CLIF_NONE) break;
            stamp[at] = g;
            if (d->kind != CLIF_GV_LOAD && d->kind != CLIF_GV_IADD_IMM) break;
            if (d->base >= f->gvs.n)
                return verify_fail(c, VERIFY_GV_BASE, "gv%u: its base gv%u does not exist", at,
                                   d->base);
            at = d->base;
        }
        const ClifGlobalValueData *d = &f->gvs.p[g];
        if (d->kind == CLIF_GV_VMCTX && !has_vmctx)
            return verify_fail(c, VERIFY_GV_VMCTX, "gv%u: the signature has no vmctx parameter", g);
        if (d->kind == CLIF_GV_IADD_IMM &&
            (!clif_type_is_int(d->type) || f->gvs.p[d->base].type != d->type))
            return verify_fail(c, VERIFY_GV_TYPE,
                               "gv%u: iadd_imm of another type than its base, or not an integer",
                               g);
        if (d->kind == CLIF_GV_LOAD) {
            ClifType bt = f->gvs.p[d->base].type;
            if (c->v->ptr_type ? bt != c->v->ptr_type : bt != CLIF_I32 && bt != CLIF_I64)
                return verify_fail(c, VERIFY_GV_TYPE, "gv%u: the base gv%u is not an address", g,
                                   d->base);
            if (d->memflags >= f->memflags.n)
                return verify_fail(c, VERIFY_MEMFLAGS_REF, "gv%u: memory flags do not exist", g);
        }
    }
    if (f->stack_limit != CLIF_NONE && f->stack_limit >= f->gvs.n)
        return verify_fail(c, VERIFY_STACK_LIMIT, "gv%u does not exist", f->stack_limit);
    return true;
}

bool verify_preamble(Check *c) {
    const ClifFunc *f = c->f;
    if (!check_sig(c, &f->sig, "signature of the function", 0)) return false;
    for (uint32_t k = 0; k < f->sigs.n; k++)
        if (!check_sig(c, &f->sigs.p[k], "sig", k)) return false;
    for (uint32_t k = 0; k < f->funcs.n; k++)
        if (f->funcs.p[k].sig.i >= f->sigs.n)
            return verify_fail(c, VERIFY_FUNC_SIG, "fn%u has signature sig%u, which does not exist",
                               k, f->funcs.p[k].sig.i);
    hashmap_clear(&c->v->seen);
    for (uint32_t k = 0; k < f->regions.n; k++) {
        bool fresh;
        uint32_t j =
            *hashmap_get_or_insert(c->v->mem, &c->v->seen, f->regions.p[k].user_id, k, &fresh);
        if (!fresh)
            return verify_fail(c, VERIFY_REGION_DUP, "region%u and region%u have user id %u", j, k,
                               f->regions.p[k].user_id);
    }
    for (uint32_t k = 0; k < f->memflags.n; k++)
        if (f->memflags.p[k].region != CLIF_NONE && f->memflags.p[k].region >= f->regions.n)
            return verify_fail(c, VERIFY_MEMFLAGS_REGION, "region%u does not exist",
                               f->memflags.p[k].region);
    return check_gvs(c);
}

/* ---- one instruction ---- */
static bool check_value(Check *c, uint32_t v) {
    const ClifFunc *f = c->f;
    if (v >= f->values.n) return verify_fail(c, VERIFY_VALUE_REF, "v%u does not exist", v);
    ClifValueData d = f->values.p[clif_resolve(f, (ClifValue){v}).i];
    if (d.kind == CLIF_VAL_UNION) return verify_fail(c, VERIFY_VALUE_REF, "v%u is a union", v);
    if (d.kind == CLIF_VAL_INST) {
        if (d.ref >= f->insts.n || f->links.p[d.ref].block == CLIF_NONE)
            return verify_fail(c, VERIFY_VALUE_REF,
                               "v%u is defined by an instruction that is not in the layout", v);
        return true;
    }
    if (d.ref >= f->blocks.n || !(f->blocks.p[d.ref].flags & CLIF_BLOCK_INSERTED))
        return verify_fail(c, VERIFY_VALUE_REF,
                           "v%u is a parameter of a block that is not in the layout", v);
    uint32_t n, *p = clif_block_params(f, (ClifBlock){d.ref}, &n);
    if (d.num >= n || p[d.num] != clif_resolve(f, (ClifValue){v}).i)
        return verify_fail(c, VERIFY_VALUE_REF, "v%u is not among the parameters of block%u", v,
                           d.ref);
    return true;
}

static bool check_block(Check *c, uint32_t b) {
    if (b >= c->f->blocks.n || !(c->f->blocks.p[b].flags & CLIF_BLOCK_INSERTED))
        return verify_fail(c, VERIFY_BLOCK_REF, "block%u does not exist or is not in the layout",
                           b);
    return true;
}

static bool check_call(Check *c, ListRef call) {
    if (list_len(&c->f->lists, call) == 0)
        return verify_fail(c, VERIFY_BLOCK_REF, "a branch without a target");
    uint32_t b = clif_call_block(c->f, call).i;
    if (!check_block(c, b)) return false;
    if (b == c->f->first_block)
        return verify_fail(c, VERIFY_ENTRY_TARGET, "block%u is the entry block", b);
    uint32_t n, *a = clif_call_args(c->f, call, &n);
    for (uint32_t k = 0; k < n; k++)
        if (!(a[k] & CLIF_BLOCKARG_MASK) && !check_value(c, a[k])) return false;
    return true;
}

static bool check_table(Check *c, uint32_t first, uint32_t n) {
    if (n == 0 || (uint64_t)first + n > c->f->jt_calls.n)
        return verify_fail(c, VERIFY_TABLE_REF, "the table's calls do not exist");
    for (uint32_t k = 0; k < n; k++)
        if (!check_call(c, c->f->jt_calls.p[first + k])) return false;
    return true;
}

static bool check_eh_table(Check *c, uint32_t i) {
    const ClifFunc *f = c->f;
    if (i >= f->eh_tables.n)
        return verify_fail(c, VERIFY_TABLE_REF, "exception table %u does not exist", i);
    const ClifEhTableData *t = &f->eh_tables.p[i];
    if (t->sig.i >= f->sigs.n)
        return verify_fail(c, VERIFY_SIG_REF, "sig%u does not exist", t->sig.i);
    if (!check_table(c, t->calls, t->ncalls)) return false;
    if ((uint64_t)t->first + t->n > f->eh_items.n)
        return verify_fail(c, VERIFY_TABLE_REF, "the table's items do not exist");
    uint32_t next = t->calls + 1;
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        if (it->kind == CLIF_EH_CONTEXT) {
            if (!check_value(c, it->context.i)) return false;
        } else if (it->call != next++) {
            return verify_fail(c, VERIFY_TABLE_REF, "item %u does not name its call", k);
        }
    }
    if (next != t->calls + t->ncalls)
        return verify_fail(c, VERIFY_TABLE_REF, "items and calls differ in number");
    return true;
}

static bool check_range(Check *c, VerifyRule r, const char *prefix, uint32_t i, uint32_t n) {
    return i < n ? true : verify_fail(c, r, "%s%u does not exist", prefix, i);
}

static bool check_results(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t n, *r = clif_results(f, (ClifInst){c->inst}, &n);
    for (uint32_t k = 0; k < n; k++) {
        if (r[k] >= f->values.n)
            return verify_fail(c, VERIFY_RESULT, "result v%u does not exist", r[k]);
        ClifValueData d = f->values.p[r[k]];
        if (d.kind != CLIF_VAL_INST || d.ref != c->inst || d.num != k)
            return verify_fail(c, VERIFY_RESULT,
                               "v%u does not say that it is result %u of this instruction", r[k],
                               k);
    }
    return true;
}

/* Each letter of the format's pattern is a reference to check. */
bool verify_inst_refs(Check *c) {
    const ClifFunc *f = c->f;
    const ClifInstData *d = &f->insts.p[c->inst];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (!check_results(c)) return false;
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n);
    if ((fmt == CLIF_FMT_CallIndirect || fmt == CLIF_FMT_TryCallIndirect) && n == 0)
        return verify_fail(c, VERIFY_ARG_COUNT, "the callee is missing");
    for (uint32_t k = 0; k < n; k++)
        if (!check_value(c, args[k])) return false;
    bool ok = true;
    for (const char *p = clif_format_info[fmt].pattern; *p && ok; p++) {
        switch (*p) {
        case 'F':
            ok = check_range(c, VERIFY_MEMFLAGS_REF, "memory flags ", d->aux, f->memflags.n);
            break;
        case 'I': ok = check_range(c, VERIFY_IMMEDIATE, "condition ", d->aux, CLIF_ULE + 1); break;
        case 'L': ok = check_range(c, VERIFY_IMMEDIATE, "condition ", d->aux, CLIF_FUGE + 1); break;
        case 'R':
            ok = check_range(c, VERIFY_IMMEDIATE, "operation ", d->c, CLIF_RMW_SMAX + 1);
            break;
        case 'M': ok = check_range(c, VERIFY_CONST_REF, "immediate ", d->c, f->imm128s.n); break;
        case 'K': ok = check_range(c, VERIFY_CONST_REF, "const", d->a, f->consts.n); break;
        case 'G': ok = check_range(c, VERIFY_GV_REF, "gv", d->a, f->gvs.n); break;
        case 'p': ok = check_range(c, VERIFY_SLOT_REF, "ss", d->a, f->slots.n); break;
        case 'D': ok = check_range(c, VERIFY_SLOT_REF, "dss", d->a, f->dyn_slots.n); break;
        case 'n': ok = check_range(c, VERIFY_FUNC_REF, "fn", d->b, f->funcs.n); break;
        case 'N': ok = check_range(c, VERIFY_FUNC_REF, "fn", d->a, f->funcs.n); break;
        case 'S': ok = check_range(c, VERIFY_SIG_REF, "sig", d->b, f->sigs.n); break;
        case 'J': ok = check_call(c, d->a); break;
        case 'T': ok = check_call(c, d->b); break;
        case 'E': ok = check_call(c, d->c); break;
        case 'k': ok = check_block(c, d->a); break;
        case 'B':
            ok = check_range(c, VERIFY_TABLE_REF, "jump table ", d->b, f->jts.n) &&
                 check_table(c, f->jts.p[d->b].first, f->jts.p[d->b].n);
            break;
        case 'X': ok = check_eh_table(c, d->c); break;
        default: break; /* values are checked above; the rest refers to nothing */
        }
    }
    if (ok && d->op == CLIF_OP_ICONST) {
        unsigned bits = clif_type_bits(d->type);
        if (bits < 64 && clif_imm64(d) >> bits)
            return verify_fail(c, VERIFY_ICONST, "the constant has bits above bit %u", bits - 1);
    }
    return ok;
}
