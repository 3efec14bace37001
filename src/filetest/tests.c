/* filetest/tests.c — the kinds of tests that need no machine: printing, verifier, control flow. */
#include "filetest/filetest_int.h"

bool ft_cat(Ft *t, uint32_t k) {
    clif_print_func(t->funcs.p[k], &t->sb);
    return ft_check_output(t, k);
}

/* ---- verifier ---- */
static bool contains(const char *hay, ClifStr needle) {
    size_t n = strlen(hay);
    for (size_t i = 0; i + needle.n <= n; i++)
        if (!memcmp(hay + i, needle.p, needle.n)) return true;
    return false;
}

/* Each expected error takes one that was found; none may be left on either side. */
bool ft_verifier(Ft *t, uint32_t k) {
    const ClifDetails *det = t->details.p[k];
    VerifyCtx *v = &t->verify;
    Diag d;
    diag_clear(&d);
    clif_verify_all(v, t->funcs.p[k], &d);
    bool ok = true;
    for (uint32_t c = 0; c < det->comments.n; c++) {
        ClifStr want;
        const ClifComment *cm = &det->comments.p[c];
        if (!ft_directive(cm, "error:", &want)) continue;
        uint32_t e = 0;
        while (e < v->errors.n && (v->errors.p[e].at.kind != cm->entity.kind ||
                                   v->errors.p[e].at.index != cm->entity.index ||
                                   !contains(verify_message(v, &v->errors.p[e]), want)))
            e++;
        if (e == v->errors.n) {
            ok = ft_fail(t, cm->line, "expected error: %.*s", (int)want.n, want.p);
        } else {
            v->errors.p[e] = vec_last(&v->errors);
            v->errors.n--;
        }
    }
    for (uint32_t e = 0; e < v->errors.n; e++) {
        ClifEntity at = v->errors.p[e].at;
        uint32_t line = at.kind == CLIF_ENTITY_INST && at.index < det->inst_line.n
                            ? det->inst_line.p[at.index]
                        : at.kind == CLIF_ENTITY_BLOCK && at.index < det->block_line.n
                            ? det->block_line.p[at.index]
                            : det->line;
        sb_clear(&t->sb);
        clif_print_entity(at, &t->sb);
        ok = ft_fail(t, line, "unexpected error at %s: %s", sb_cstr(&t->sb),
                     verify_message(v, &v->errors.p[e]));
    }
    return ok;
}

/* ---- control flow ---- */
/* The graph as the text that graphviz reads. */
bool ft_print_cfg(Ft *t, uint32_t k) {
    const ClifFunc *f = t->funcs.p[k];
    StrBuf *o = &t->sb;
    cfg_compute(&t->verify.cfg, t->mem, f);
    sb_puts(o, "digraph \"");
    clif_print_name(f, f->name, o);
    sb_puts(o, "\" {\n");
    if (f->first_block != CLIF_NONE) sb_printf(o, "    {rank=min; block%u}\n", f->first_block);
    CLIF_FOR_BLOCKS(f, b) {
        sb_printf(o, "    block%u [shape=record, label=\"{", b);
        clif_print_block_header(f, (ClifBlock){b}, 0, o);
        if (f->blocks.p[b].last != CLIF_NONE) {
            sb_printf(o, " | <inst%u>", f->blocks.p[b].last);
            clif_print_inst(f, (ClifInst){f->blocks.p[b].last}, o);
            sb_putc(o, '\n');
        }
        sb_puts(o, "}\"]\n");
    }
    CLIF_FOR_BLOCKS(f, b) {
        uint32_t n;
        const uint32_t *pred = cfg_preds(&t->verify.cfg, (ClifBlock){b}, &n);
        for (uint32_t j = 0; j < n; j++)
            sb_printf(o, "    block%u:inst%u -> block%u\n", pred[j], f->blocks.p[pred[j]].last, b);
    }
    sb_puts(o, "}\n");
    return ft_check_output(t, k);
}

static bool block_number(ClifStr w, uint32_t *out) {
    uint64_t x;
    if (w.n < 6 || memcmp(w.p, "block", 5) || clif_parse_u64((ClifStr){w.p + 5, w.n - 5}, &x))
        return false;
    *out = (uint32_t)x;
    return x < UINT32_MAX;
}

/* `dominates: block3` after an instruction: its block is the immediate dominator of block3. */
static bool check_annotations(Ft *t, uint32_t k, uint32_t *expected) {
    const ClifFunc *f = t->funcs.p[k];
    const ClifComments *cs = &t->details.p[k]->comments;
    for (uint32_t c = 0; c < cs->n; c++) {
        const ClifComment *cm = &cs->p[c];
        ClifStr rest, w;
        if (!ft_directive(cm, "dominates:", &rest)) continue;
        if (cm->entity.kind != CLIF_ENTITY_INST)
            return ft_fail(t, cm->line, "annotation on something else than an instruction");
        uint32_t idom = f->links.p[cm->entity.index].block, b;
        while (clif_str_word(&rest, &w)) {
            if (!block_number(w, &b) || b >= f->blocks.n)
                return ft_fail(t, cm->line, "expected a block, got %.*s", (int)w.n, w.p);
            if (expected[b] != CLIF_NONE)
                return ft_fail(t, cm->line, "block%u has several dominators", b);
            expected[b] = idom;
            if (t->verify.dom.idom.p[b] != idom)
                return ft_fail(t, cm->line,
                               "immediate dominator of block%u: expected block%u, got block%d", b,
                               idom, (int)t->verify.dom.idom.p[b]);
        }
    }
    CLIF_FOR_BLOCKS(f, b)
    if (b != f->first_block && expected[b] == CLIF_NONE && t->verify.dom.idom.p[b] != CLIF_NONE)
        return ft_fail(t, t->details.p[k]->block_line.p[b],
                       "block%u is not annotated, but has the immediate dominator block%u", b,
                       t->verify.dom.idom.p[b]);
    return true;
}

/* Postorder of the graph, and a preorder of the tree with children in reverse postorder. */
static void print_orders(Ft *t, const ClifFunc *f) {
    const CfgAnalysis *c = &t->verify.cfg;
    const DomTree *dom = &t->verify.dom;
    StrBuf *o = &t->sb;
    VecU32 first = {0}, next = {0}, stack = {0};
    sb_puts(o, "cfg_postorder:");
    for (uint32_t k = c->rpo.n; k-- > 0;) sb_printf(o, " block%u", c->rpo.p[k]);
    sb_puts(o, "\ndomtree_preorder {\n");
    analysis_fill(t->mem, &first, f->blocks.n, CLIF_NONE);
    analysis_fill(t->mem, &next, f->blocks.n, CLIF_NONE);
    for (uint32_t k = c->rpo.n; k-- > 1;) { /* lists of children, each then in reverse postorder */
        uint32_t b = c->rpo.p[k];
        next.p[b] = first.p[dom->idom.p[b]];
        first.p[dom->idom.p[b]] = b;
    }
    if (f->first_block != CLIF_NONE) vec_push(t->mem, &stack, f->first_block);
    while (stack.n) {
        uint32_t b = vec_pop(&stack), at = stack.n;
        sb_printf(o, "    block%u:", b);
        for (uint32_t ch = first.p[b]; ch != CLIF_NONE; ch = next.p[ch]) {
            sb_printf(o, " block%u", ch);
            vec_push(t->mem, &stack, ch);
        }
        sb_putc(o, '\n');
        for (uint32_t i = at, j = stack.n; i + 1 < j; i++, j--) {
            uint32_t x = stack.p[i];
            stack.p[i] = stack.p[j - 1];
            stack.p[j - 1] = x;
        }
    }
    sb_puts(o, "}\n");
    vec_free(t->mem, &first);
    vec_free(t->mem, &next);
    vec_free(t->mem, &stack);
}

bool ft_domtree(Ft *t, uint32_t k) {
    const ClifFunc *f = t->funcs.p[k];
    cfg_compute(&t->verify.cfg, t->mem, f);
    domtree_compute(&t->verify.dom, t->mem, &t->verify.cfg);
    VecU32 expected = {0};
    bool ok = check_annotations(t, k, analysis_fill(t->mem, &expected, f->blocks.n, CLIF_NONE));
    vec_free(t->mem, &expected);
    if (!ok) return false;
    print_orders(t, f);
    return ft_check_output(t, k);
}
