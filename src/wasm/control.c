/* wasm/control.c — structured control flow to blocks.
 *
 * Problem    Wasm branches name enclosing constructs by depth and carry the construct's values.
 * Idea       One flat stack of frames. A branch to a loop goes to the loop's header (with the loop's parameters),
 *            to anything else to the join after its end (with its results), to the function: a return. Joins are made when
 *            a branch first needs them, so straight nesting makes no blocks; values on the operand stack are joined
 *            by block parameters, locals by the builder's SSA construction.
 *            `if` without `else`, results and inner branches uses the else block itself as the join.
 *            br_table: the values are those of the shallowest label, default included. Without values
 *            there is one jump table straight to the destinations; with values, one intermediate block per distinct
 *            depth, which jumps on with the values.
 * Invariants a header is sealed at its loop's end, a join at its construct's end; code that nothing reaches is
 *            validated and makes no block.
 * Cost       O(1) per operator and value named; a br_table is linear in its targets.
 */
#include "wasm/tr.h"

void tr_push_frame(Tr *t, TrKind kind, TrTypes types) {
    TrFrame f = {.t = types,
                 .height = t->sp,
                 .dest = {CLIF_NONE},
                 .otherwise = {CLIF_NONE},
                 .kind = (uint8_t)kind,
                 .live_in = t->live};
    vec_push(t->mem, &t->frames, f);
    t->base = t->sp;
}

static bool block_type(Tr *t, TrTypes *out) {
    static const WasmType one[8] = {WASM_I32,  WASM_I64,     WASM_F32,       WASM_F64,
                                    WASM_V128, WASM_FUNCREF, WASM_EXTERNREF, 0};
    *out = (TrTypes){0};
    if (t->r.p < t->r.end && *t->r.p == 0x40) {
        t->r.p++;
        return true;
    }
    if (t->r.p < t->r.end && (*t->r.p & 0xC0) == 0x40) {
        WasmType ty;
        if (!rd_valtype(&t->r, t->features, &ty)) return false;
        for (uint32_t k = 0; one[k]; k++)
            if (one[k] == ty) *out = (TrTypes){NULL, one + k, 0, 1};
        return true;
    }
    int64_t i;
    LebStatus s = leb_s33(&t->r.p, t->r.end, &i);
    if (s != LEB_OK) return rd_bad(&t->r, s);
    if (!(t->features >> WASM_FEAT_MULTI_VALUE & 1))
        return wasm_refuse(t->r.d, WASM_FEAT_MULTI_VALUE, tr_off(t), "block type");
    if (i < 0 || i >= t->m->types.n) return TR_FAIL(t, INVALID, "unknown type %lld", (long long)i);
    const WasmFuncType *ft = &t->m->types.p[i];
    const WasmType *v = t->m->valtypes.p;
    *out = (TrTypes){ft->nparams ? v + ft->params : NULL, ft->nresults ? v + ft->results : NULL,
                     ft->nparams, ft->nresults};
    return true;
}

/* A block with one parameter per type. */
static ClifBlock join_block(Tr *t, const WasmType *types, uint32_t n) {
    ClifBlock b = cb_create_block(&t->b);
    for (uint32_t k = 0; k < n; k++) cb_block_param(&t->b, b, tr_clif(types[k]));
    return b;
}
static ClifBlock dest_of(Tr *t, TrFrame *f) {
    if (f->dest.i == CLIF_NONE) f->dest = join_block(t, f->t.results, f->t.nresults);
    return f->dest;
}
static const WasmType *label_types(const TrFrame *f, uint32_t *n) {
    *n = f->kind == TR_LOOP ? f->t.nparams : f->t.nresults;
    return f->kind == TR_LOOP ? f->t.params : f->t.results;
}
/* Extends the topmost n values in place; they are then usable as arguments. */
static const ClifValue *top_values(Tr *t, uint32_t n) {
    uint32_t *v = t->val + (t->sp - n);
    for (uint32_t k = 0; k < n; k++) v[k] = tr_val(t, v[k]).i;
    return (const ClifValue *)v;
}
static void switch_sealed(Tr *t, ClifBlock b) {
    cb_seal(&t->b, b);
    cb_switch_to(&t->b, b);
}
/* Starts the block: its parameters become the stack's new top, in their types. */
static void push_params(Tr *t, ClifBlock b, const WasmType *types, uint32_t n) {
    uint32_t have;
    tr_push_list(t, types, n, t->live ? clif_block_params(t->f, b, &have) : NULL);
}

bool tr_block(Tr *t, TrKind kind) {
    TrTypes ty;
    uint32_t c = 0;
    if (!block_type(t, &ty)) return false;
    if (kind == TR_IF && !tr_pop(t, WASM_I32, &c)) return false;
    if (!tr_check_list(t, ty.params, ty.nparams)) return false;
    uint32_t np = ty.nparams;
    const ClifValue *args = t->live ? top_values(t, np) : NULL;
    t->sp -= np;
    tr_push_frame(t, kind, ty);
    TrFrame *f = tr_top(t);
    f->saved = t->saved.n;
    if (kind == TR_LOOP && t->live) {
        f->dest = join_block(t, ty.params, np);
        cb_jump(&t->b, f->dest, args, np);
        cb_switch_to(&t->b, f->dest);
        tr_new_region(t);
        t->loops++;
        push_params(t, f->dest, ty.params, np);
        if (t->tn->interrupt_checks) tr_interrupt_check(t);
        return true;
    }
    if (kind == TR_IF && t->live) {
        if (np) memcpy(vec_extend(t->mem, &t->saved, np), args, np * sizeof *args);
        ClifBlock then = cb_create_block(&t->b);
        f->otherwise = cb_create_block(&t->b);
        cb_brif(&t->b, tr_cond(c), then, NULL, 0, f->otherwise, NULL, 0);
        switch_sealed(t, then);
    }
    t->sp += np; /* the parameters are where they were */
    return true;
}

/* The values at the end of a frame's code: exactly its results. */
static bool check_end(Tr *t, const TrFrame *f) {
    if (!tr_check_list(t, f->t.results, f->t.nresults)) return false;
    return t->sp == f->height + f->t.nresults ||
           TR_FAIL(t, INVALID, "type mismatch: values remain on the stack at the end of a block");
}

bool tr_else(Tr *t) {
    TrFrame *f = tr_top(t);
    if (f->kind != TR_IF) return TR_FAIL(t, MALFORMED, "else without if");
    if (!check_end(t, f)) return false;
    if (t->live) {
        const ClifValue *v = top_values(t, f->t.nresults);
        cb_jump(&t->b, dest_of(t, f), v, f->t.nresults);
    }
    t->sp = f->height;
    t->live = f->live_in;
    f->kind = TR_ELSE;
    f->unreachable = false;
    if (t->live) {
        switch_sealed(t, f->otherwise);
        tr_new_region(t);
    }
    tr_push_list(t, f->t.params, f->t.nparams, t->live ? t->saved.p + f->saved : NULL);
    t->saved.n = f->saved;
    return true;
}

static bool same_types(const TrTypes *a) {
    return a->nparams == a->nresults && (!a->nparams || !memcmp(a->params, a->results, a->nparams));
}

bool tr_end(Tr *t) {
    TrFrame *f = tr_top(t);
    uint32_t n = f->t.nresults;
    if (!check_end(t, f)) return false;
    bool bare_if = f->kind == TR_IF;
    if (bare_if && !same_types(&f->t))
        return TR_FAIL(t, INVALID, "type mismatch: if without else must leave its parameters");
    if (f->kind == TR_FUNC) {
        if (t->live) cb_return(&t->b, top_values(t, n), n);
        if (f->dest.i != CLIF_NONE) {
            switch_sealed(t, f->dest);
            cb_return(&t->b, (const ClifValue *)clif_block_params(t->f, f->dest, &n), n);
        }
        t->live = false;
        t->frames.n--;
        t->sp = t->base = 0;
        return true;
    }
    if (bare_if && f->live_in) {
        if (f->dest.i == CLIF_NONE && !n)
            f->dest = f->otherwise;
        else {
            ClifBlock join = dest_of(t, f);
            if (t->live) cb_jump(&t->b, join, top_values(t, n), n);
            switch_sealed(t, f->otherwise);
            cb_jump(&t->b, join, (const ClifValue *)(t->saved.p + f->saved), n);
            t->live = false;
        }
        t->saved.n = f->saved;
    }
    if (f->kind == TR_LOOP) {
        if (f->dest.i != CLIF_NONE) {
            cb_seal(&t->b, f->dest);
            t->loops--;
        }
    } else if (f->dest.i != CLIF_NONE) {
        if (t->live) cb_jump(&t->b, f->dest, top_values(t, n), n);
        switch_sealed(t, f->dest);
        tr_new_region(t);
        t->live = true;
        t->sp = f->height;
        push_params(t, f->dest, f->t.results, n);
    }
    t->frames.n--;
    t->base = tr_top(t)->height;
    return true;
}

static bool label(Tr *t, uint32_t *depth) {
    return rd_u32(&t->r, depth) &&
           (*depth < t->frames.n || TR_FAIL(t, INVALID, "unknown label %u", *depth));
}
static TrFrame *frame_at(Tr *t, uint32_t depth) {
    return &t->frames.p[t->frames.n - 1 - depth];
}

static void jump_to(Tr *t, TrFrame *f, const ClifValue *v, uint32_t n) {
    if (f->kind == TR_FUNC)
        cb_return(&t->b, v, n);
    else
        cb_jump(&t->b, dest_of(t, f), v, n);
}

bool tr_br(Tr *t) {
    uint32_t depth, n;
    if (!label(t, &depth)) return false;
    TrFrame *f = frame_at(t, depth);
    const WasmType *ty = label_types(f, &n);
    if (!tr_check_list(t, ty, n)) return false;
    if (t->live) jump_to(t, f, top_values(t, n), n);
    tr_dead(t);
    return true;
}

bool tr_return(Tr *t) {
    TrFrame *f = &t->frames.p[0];
    uint32_t n = f->t.nresults;
    if (!tr_check_list(t, f->t.results, n)) return false;
    if (t->live) cb_return(&t->b, top_values(t, n), n);
    tr_dead(t);
    return true;
}

bool tr_br_if(Tr *t) {
    uint32_t depth, n, c;
    if (!label(t, &depth) || !tr_pop(t, WASM_I32, &c)) return false;
    TrFrame *f = frame_at(t, depth);
    const WasmType *ty = label_types(f, &n);
    if (!tr_check_list(t, ty, n)) return false;
    if (!t->live) return true;
    const ClifValue *v = top_values(t, n);
    ClifBlock to = dest_of(t, f), next = cb_create_block(&t->b);
    cb_brif(&t->b, tr_cond(c), to, v, n, next, NULL, 0);
    switch_sealed(t, next);
    return true;
}

bool tr_br_table(Tr *t) {
    uint32_t count, c, arity = 0, depth = 0, n, least = UINT32_MAX;
    TrFrame *ref = NULL;
    if (!rd_u32(&t->r, &count)) return false;
    if (!tr_pop(t, WASM_I32, &c)) return false;
    if (count > (size_t)(t->r.end - t->r.p)) return rd_bad(&t->r, LEB_EOF);
    if (t->mark.n < t->frames.n) {
        vec_resize0(t->mem, &t->mark, t->frames.n);
        vec_resize0(t->mem, &t->mark_block, t->frames.n);
    }
    vec_clear(&t->targets);
    for (uint32_t k = 0; k <= count; k++) { /* the default comes last */
        if (!label(t, &depth)) return false;
        if (depth < least) least = depth;
        if (t->live) vec_push(t->mem, &t->targets, depth);
        if (t->mark.p[depth] == t->nops) continue; /* checked already */
        t->mark.p[depth] = t->nops;
        t->mark_block.p[depth] = CLIF_NONE;
        TrFrame *f = frame_at(t, depth);
        const WasmType *ty = label_types(f, &n);
        if (!ref)
            arity = n;
        else if (n != arity)
            return TR_FAIL(t, INVALID, "type mismatch: labels of br_table take %u and %u values",
                           arity, n);
        ref = f;
        /* Each label is checked against what is on the stack, which unreachable code may leave open. */
        if (t->sp - t->base >= n && n && !memcmp(t->ty + t->sp - n, ty, n)) continue;
        uint32_t sp = t->sp;
        for (uint32_t j = n; j--;) {
            if (sp == t->base) {
                if (tr_top(t)->unreachable) continue;
                return TR_FAIL(t, INVALID, "type mismatch: br_table needs %u values", n);
            }
            sp--;
            if (t->ty[sp] != ty[j] && t->ty[sp] != WASM_BOT)
                return TR_FAIL(t, INVALID, "type mismatch: expected %s, found %s",
                               wasm_type_name(ty[j]), wasm_type_name(t->ty[sp]));
        }
    }
    if (t->live) {
        label_types(frame_at(t, least), &arity);
        const ClifValue *v = top_values(t, arity);
        ClifValue index = tr_val(t, c);
        vec_clear(&t->calls);
        uint32_t *calls = vec_extend(t->mem, &t->calls, count + 1);
        for (uint32_t k = 0; k <= count; k++) {
            uint32_t to = t->targets.p[k];
            if (t->mark_block.p[to] == CLIF_NONE)
                t->mark_block.p[to] =
                    arity ? cb_create_block(&t->b).i : dest_of(t, frame_at(t, to)).i;
            calls[k == count ? 0 : k + 1] =
                clif_make_blockcall(t->f, (ClifBlock){t->mark_block.p[to]}, NULL, 0);
        }
        cb_br_table(&t->b, index, clif_make_jump_table(t->f, (const ListRef *)calls, count + 1));
        for (uint32_t k = 0; arity && k <= count; k++) {
            uint32_t to = t->targets.p[k];
            if (t->mark_block.p[to] == CLIF_NONE) continue;
            switch_sealed(t, (ClifBlock){t->mark_block.p[to]});
            jump_to(t, frame_at(t, to), v, arity);
            t->mark_block.p[to] = CLIF_NONE;
        }
    }
    tr_dead(t);
    return true;
}
