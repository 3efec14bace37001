/* verify/preamble.c — signatures, global values, alias regions, dynamic types. */
#include "verify/verify_int.h"

static void at(Check *c, ClifEntityKind kind, uint32_t i) {
    c->at = (ClifEntity){kind, i};
}

/* ---- what is followed blindly ---- */
static bool check_sig_types(Check *c, const ClifSig *s) {
    const ClifFunc *f = c->f;
    if ((uint64_t)s->params + s->nparams > f->abi_params.n ||
        (uint64_t)s->returns + s->nreturns > f->abi_params.n)
        return verify_fail(c, VERIFY_SIG_TYPE, "parameters that do not exist");
    for (uint32_t k = 0; k < s->nparams + s->nreturns; k++) {
        bool ret = k >= s->nparams;
        uint32_t pos = ret ? k - s->nparams : k;
        ClifAbiParam p = f->abi_params.p[(ret ? s->returns : s->params) + pos];
        const char *item = ret ? "Return value" : "Parameter";
        if (clif_lane_type(p.type) < CLIF_I8 || clif_lane_type(p.type) > CLIF_F128)
            return verify_fail(c, VERIFY_SIG_TYPE, "%s at position %u has an invalid type", item,
                               pos);
        if (ret && p.purpose == CLIF_ARG_STRUCT_ARG)
            return verify_fail(c, VERIFY_SIG_TYPE, "%s at position %u can't be an struct argument",
                               item, pos);
    }
    return true;
}

static bool check_gv_bases(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t *stamp = analysis_fill(c->v->mem, &c->v->stamp, f->gvs.n, CLIF_NONE);
    bool seen = false;
    for (uint32_t g = 0; g < f->gvs.n; g++) {
        at(c, CLIF_ENTITY_GLOBAL_VALUE, g);
        for (uint32_t x = g; stamp[x] == CLIF_NONE;) {
            const ClifGlobalValueData *d = &f->gvs.p[x];
            stamp[x] = g;
            if (d->kind != CLIF_GV_LOAD && d->kind != CLIF_GV_IADD_IMM) break;
            if (d->base >= f->gvs.n)
                return verify_fail(c, VERIFY_GV_BASE, "its base gv%u does not exist", d->base);
            if (d->kind == CLIF_GV_LOAD && d->memflags >= f->memflags.n)
                return verify_fail(c, VERIFY_MEMFLAGS_REF, "memory flags do not exist");
            x = d->base;
            if (stamp[x] == g && !seen) { /* back at a value of this walk: show the way there */
                StrBuf *o = &c->v->text;
                sb_clear(o);
                for (uint32_t y = g; o->n < 200; y = f->gvs.p[y].base) {
                    sb_printf(o, "%sgv%u", o->n ? ", " : "", y);
                    if (f->gvs.p[y].base == x) break;
                }
                seen = true;
                if (!verify_report(c, VERIFY_GV_BASE, "global value cycle: [%s]", sb_cstr(o)))
                    return false;
            }
        }
    }
    return true;
}

bool verify_preamble_refs(Check *c) {
    const ClifFunc *f = c->f;
    at(c, CLIF_ENTITY_FUNCTION, 0);
    if (!check_sig_types(c, &f->sig)) return false;
    for (uint32_t k = 0; k < f->sigs.n; k++) {
        at(c, CLIF_ENTITY_SIG, k);
        if (!check_sig_types(c, &f->sigs.p[k])) return false;
    }
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        at(c, CLIF_ENTITY_FUNC, k);
        if (f->funcs.p[k].sig.i >= f->sigs.n && f->funcs.p[k].sig.i != CLIF_NONE)
            return verify_fail(c, VERIFY_FUNC_SIG, "its signature sig%u does not exist",
                               f->funcs.p[k].sig.i);
    }
    if (!check_gv_bases(c)) return false;
    at(c, CLIF_ENTITY_STACK_LIMIT, 0);
    if (f->stack_limit != CLIF_NONE && f->stack_limit >= f->gvs.n)
        return verify_fail(c, VERIFY_STACK_LIMIT, "gv%u does not exist", f->stack_limit);
    for (uint32_t k = 0; k < f->dyn_types.n; k++) {
        at(c, CLIF_ENTITY_DYN_TYPE, k);
        if (!clif_type_is_vector(f->dyn_types.p[k].base_vector) ||
            f->dyn_types.p[k].scale_gv >= f->gvs.n)
            return verify_fail(c, VERIFY_DYN_TYPE, "no vector, or a scale that does not exist");
    }
    for (uint32_t k = 0; k < f->dyn_slots.n; k++) {
        at(c, CLIF_ENTITY_DYN_SLOT, k);
        if (f->dyn_slots.p[k].dyn_type >= f->dyn_types.n)
            return verify_fail(c, VERIFY_DYN_TYPE, "dt%u does not exist",
                               f->dyn_slots.p[k].dyn_type);
    }
    at(c, CLIF_ENTITY_FUNCTION, 0);
    return true;
}

/* ---- the rest ---- */
ClifType verify_gv_type(const Check *c, uint32_t gv) {
    const ClifGlobalValueData *d = &c->f->gvs.p[gv];
    return d->kind == CLIF_GV_LOAD || d->kind == CLIF_GV_IADD_IMM ? d->type : c->v->ptr_type;
}

static bool check_gv(Check *c, uint32_t g, bool has_vmctx) {
    const ClifFunc *f = c->f;
    const ClifGlobalValueData *d = &f->gvs.p[g];
    char b1[16], b2[16];
    at(c, CLIF_ENTITY_GLOBAL_VALUE, g);
    if (d->kind == CLIF_GV_VMCTX && !has_vmctx)
        return verify_report(c, VERIFY_GV_VMCTX, "undeclared vmctx reference gv%u", g);
    if (d->kind == CLIF_GV_IADD_IMM) {
        ClifType base = verify_gv_type(c, d->base);
        if (!clif_type_is_int(d->type))
            return verify_report(c, VERIFY_GV_TYPE, "iadd_imm global value with non-int type %s",
                                 clif_type_name(d->type, b1));
        if (c->v->ptr_type && base != d->type)
            return verify_report(c, VERIFY_GV_TYPE, "iadd_imm type %s differs from operand type %s",
                                 clif_type_name(d->type, b1), clif_type_name(base, b2));
    }
    if (d->kind == CLIF_GV_LOAD) {
        ClifType base = verify_gv_type(c, d->base);
        if (c->v->ptr_type && base != c->v->ptr_type &&
            !verify_report(c, VERIFY_GV_TYPE,
                           "base gv%u has type %s, which is not the pointer type %s", d->base,
                           clif_type_name(base, b1), clif_type_name(c->v->ptr_type, b2)))
            return false;
        uint32_t region = f->memflags.p[d->memflags].region;
        if (region != CLIF_NONE && region >= f->regions.n)
            return verify_report(c, VERIFY_MEMFLAGS_REGION, "undefined alias region region%u",
                                 region);
    }
    return true;
}

static bool check_regions(Check *c) {
    const ClifFunc *f = c->f;
    hashmap_clear(&c->v->seen);
    for (uint32_t k = 0; k < f->regions.n; k++) {
        bool fresh;
        uint32_t id = f->regions.p[k].user_id,
                 j = *hashmap_get_or_insert(c->v->mem, &c->v->seen, id, k, &fresh);
        at(c, CLIF_ENTITY_REGION, k);
        if (!fresh &&
            !verify_report(c, VERIFY_REGION_DUP,
                           "duplicate alias region user_id %u: region%u and region%u", id, j, k))
            return false;
    }
    return true;
}

static bool check_extensions(Check *c) {
    const ClifFunc *f = c->f;
    at(c, CLIF_ENTITY_FUNCTION, 0);
    for (uint32_t k = 0; k < f->sig.nparams + f->sig.nreturns; k++) {
        bool ret = k >= f->sig.nparams;
        uint32_t pos = ret ? k - f->sig.nparams : k;
        ClifAbiParam p = f->abi_params.p[(ret ? f->sig.returns : f->sig.params) + pos];
        if (p.ext != CLIF_EXT_NONE && !clif_type_is_int(p.type) &&
            !verify_report(c, VERIFY_SIG_EXTENSION, "%s at position %u has invalid extension %s",
                           ret ? "Return value" : "Parameter", pos,
                           p.ext == CLIF_EXT_UEXT ? "Uext" : "Sext"))
            return false;
    }
    return true;
}

static bool check_convention(Check *c, const ClifSig *s) {
    if (s->callconv != CLIF_CC_PRESERVE_ALL || s->nreturns == 0) return true;
    return verify_fail(c, VERIFY_PRESERVE_ALL,
                       "Signature with `preserve_all` ABI cannot have return values");
}

bool verify_preamble(Check *c) {
    const ClifFunc *f = c->f;
    uint32_t before = c->v->errors.n;
    bool has_vmctx = false;
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        has_vmctx |= f->abi_params.p[f->sig.params + k].purpose == CLIF_ARG_VMCTX;
    for (uint32_t g = 0; g < f->gvs.n; g++)
        if (!check_gv(c, g, has_vmctx)) return false;
    if (!check_regions(c) || !check_extensions(c)) return false;
    if (!check_convention(c, &f->sig)) return false;
    for (uint32_t k = 0; k < f->funcs.n;
         k++) { /* named by the function first, then by the signature */
        at(c, CLIF_ENTITY_FUNC, k);
        if (f->funcs.p[k].sig.i != CLIF_NONE &&
            !check_convention(c, &f->sigs.p[f->funcs.p[k].sig.i]))
            return false;
    }
    for (uint32_t k = 0; k < f->sigs.n; k++) {
        at(c, CLIF_ENTITY_SIG, k);
        if (!check_convention(c, &f->sigs.p[k])) return false;
    }
    at(c, CLIF_ENTITY_FUNCTION, 0);
    return c->v->errors.n == before;
}
