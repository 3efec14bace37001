/* verify/entities.c — the references of one instruction: everything that can be checked without types. After it the
 * instruction may be followed anywhere safely. */
#include "verify/verify_int.h"

static bool check_value(Check *c, uint32_t v) {
    const ClifFunc *f = c->f;
    if (v >= f->values.n) return verify_fail(c, VERIFY_VALUE_REF, "invalid value reference v%u", v);
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
    return true;
}

static bool check_block(Check *c, uint32_t b) {
    if (b >= c->f->blocks.n || !(c->f->blocks.p[b].flags & CLIF_BLOCK_INSERTED))
        return verify_fail(c, VERIFY_BLOCK_REF, "invalid block reference block%u", b);
    if (b == c->f->first_block)
        return verify_fail(c, VERIFY_ENTRY_TARGET, "invalid reference to entry block block%u", b);
    return true;
}

/* ---- branches ---- */
static bool call_shape(Check *c, ListRef call) {
    if (call >= c->f->lists.words.n || list_len(&c->f->lists, call) == 0)
        return verify_fail(c, VERIFY_BLOCK_REF, "a branch without a target");
    return true;
}

static bool table_shape(Check *c, uint32_t first, uint32_t n) {
    if (n == 0 || (uint64_t)first + n > c->f->jt_calls.n)
        return verify_fail(c, VERIFY_TABLE_REF, "the table's calls do not exist");
    for (uint32_t k = 0; k < n; k++)
        if (!call_shape(c, c->f->jt_calls.p[first + k])) return false;
    return true;
}

static bool eh_table_shape(Check *c, uint32_t i) {
    const ClifFunc *f = c->f;
    if (i >= f->eh_tables.n)
        return verify_fail(c, VERIFY_TABLE_REF, "invalid exception table reference %u", i);
    const ClifEhTableData *t = &f->eh_tables.p[i];
    if (!table_shape(c, t->calls, t->ncalls)) return false;
    if ((uint64_t)t->first + t->n > f->eh_items.n)
        return verify_fail(c, VERIFY_TABLE_REF, "the table's items do not exist");
    uint32_t next = t->calls + 1;
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        if (it->kind != CLIF_EH_CONTEXT && it->call != next++)
            return verify_fail(c, VERIFY_TABLE_REF, "item %u does not name its call", k);
    }
    if (next != t->calls + t->ncalls)
        return verify_fail(c, VERIFY_TABLE_REF, "items and calls differ in number");
    return true;
}

bool verify_terminator_shape(Check *c) {
    const ClifInstData *d = &c->f->insts.p[c->inst];
    for (const char *p = clif_format_info[clif_op_info[d->op].format].pattern; *p; p++) {
        bool ok = true;
        if (*p == 'J')
            ok = call_shape(c, d->a);
        else if (*p == 'T')
            ok = call_shape(c, d->b);
        else if (*p == 'E')
            ok = call_shape(c, d->c);
        else if (*p == 'X')
            ok = eh_table_shape(c, d->c);
        else if (*p == 'B')
            ok = d->b < c->f->jts.n
                     ? table_shape(c, c->f->jts.p[d->b].first, c->f->jts.p[d->b].n)
                     : verify_fail(c, VERIFY_TABLE_REF, "invalid jump table reference %u", d->b);
        if (!ok) return false;
    }
    return true;
}

static bool check_branch_values(Check *c) {
    const ClifFunc *f = c->f;
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(f, (ClifInst){c->inst}, &calls, tmp);
    for (uint32_t j = 0; j < nc; j++) {
        uint32_t n, *a = clif_call_args(f, calls[j], &n);
        for (uint32_t k = 0; k < n; k++)
            if (!(a[k] & CLIF_BLOCKARG_MASK) && !check_value(c, a[k])) return false;
    }
    ClifFormat fmt = (ClifFormat)clif_op_info[f->insts.p[c->inst].op].format;
    if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect) return true;
    const ClifEhTableData *t = &f->eh_tables.p[f->insts.p[c->inst].c];
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        if (it->kind == CLIF_EH_CONTEXT && !check_value(c, it->context.i)) return false;
    }
    return true;
}

static bool check_targets(Check *c) {
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(c->f, (ClifInst){c->inst}, &calls, tmp);
    for (uint32_t j = 0; j < nc; j++)
        if (!check_block(c, clif_call_block(c->f, calls[j]).i)) return false;
    return true;
}

/* ---- one instruction ---- */
static bool check_range(Check *c, VerifyRule r, const char *what, uint32_t i, uint32_t n) {
    return i < n ? true : verify_fail(c, r, "invalid %s%u", what, i);
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
                               "instruction result v%u is not defined by the instruction", r[k]);
    }
    return true;
}

static bool check_func(Check *c, uint32_t fn) {
    if (fn >= c->f->funcs.n || c->f->funcs.p[fn].sig.i == CLIF_NONE)
        return verify_fail(c, VERIFY_FUNC_REF, "invalid function reference fn%u", fn);
    return true;
}

static bool check_memflags(Check *c, uint16_t flags) {
    if (!check_range(c, VERIFY_MEMFLAGS_REF, "memory flags ", flags, c->f->memflags.n))
        return false;
    uint32_t region = c->f->memflags.p[flags].region;
    if (region == CLIF_NONE || region < c->f->regions.n) return true;
    return verify_report(c, VERIFY_MEMFLAGS_REGION, "undefined alias region region%u", region);
}

static bool check_const(Check *c, uint32_t k) {
    if (k >= c->f->consts.n || c->f->consts.p[k].first == CLIF_NONE)
        return verify_fail(c, VERIFY_CONST_REF, "invalid constant const%u", k);
    return true;
}

static bool check_trap(Check *c, uint16_t code) {
    return code != CLIF_TRAP_NONE && code <= 255
               ? true
               : verify_fail(c, VERIFY_IMMEDIATE, "invalid trap code %u", code);
}

/* Each letter of the format's pattern is a reference to check. */
bool verify_inst_refs(Check *c) {
    const ClifFunc *f = c->f;
    const ClifInstData *d = &f->insts.p[c->inst];
    const ClifOpInfo *info = &clif_op_info[d->op];
    ClifFormat fmt = (ClifFormat)info->format;
    uint32_t n, *args = clif_args(f, (ClifInst){c->inst}, &n);
    if ((fmt == CLIF_FMT_CallIndirect || fmt == CLIF_FMT_TryCallIndirect) && n == 0)
        return verify_fail(c, VERIFY_ARG_COUNT, "the callee is missing");
    for (uint32_t k = 0; k < n; k++)
        if (!check_value(c, args[k])) return false;
    if ((info->flags & CLIF_OPF_BRANCH) && !check_branch_values(c)) return false;
    if (!check_results(c)) return false;
    bool ok = true;
    for (const char *p = clif_format_info[fmt].pattern; *p && ok; p++) {
        switch (*p) {
        case 'F': ok = check_memflags(c, d->aux); break;
        case 'I': ok = check_range(c, VERIFY_IMMEDIATE, "condition ", d->aux, CLIF_ULE + 1); break;
        case 'L': ok = check_range(c, VERIFY_IMMEDIATE, "condition ", d->aux, CLIF_FUGE + 1); break;
        case 'R':
            ok = check_range(c, VERIFY_IMMEDIATE, "operation ", d->c, CLIF_RMW_SMAX + 1);
            break;
        case 't': ok = check_trap(c, d->aux); break;
        case 'M': ok = check_range(c, VERIFY_CONST_REF, "immediate ", d->c, f->imm128s.n); break;
        case 'K': ok = check_const(c, d->a); break;
        case 'G': ok = check_range(c, VERIFY_GV_REF, "global value gv", d->a, f->gvs.n); break;
        case 'p': ok = check_range(c, VERIFY_SLOT_REF, "stack slot ss", d->a, f->slots.n); break;
        case 'D':
            ok = check_range(c, VERIFY_SLOT_REF, "dynamic stack slot dss", d->a, f->dyn_slots.n);
            break;
        case 'n': ok = check_func(c, d->b); break;
        case 'N': ok = check_func(c, d->a); break;
        case 'S':
            ok = check_range(c, VERIFY_SIG_REF, "signature reference sig", d->b, f->sigs.n);
            break;
        case 'X':
            ok = check_range(c, VERIFY_SIG_REF, "signature reference sig",
                             f->eh_tables.p[d->c].sig.i, f->sigs.n);
            break;
        case 'k': ok = check_block(c, d->a); break;
        default: break; /* values are checked above, branches below; the rest refers to nothing */
        }
    }
    return ok && (!(info->flags & CLIF_OPF_BRANCH) || check_targets(c));
}
