/* filetest/interpret.c — `test interpret`: the run commands after the functions, in the interpreter. */
#include "clif/opspec.h"
#include "filetest/filetest_int.h"
#include "interp/interp.h"

enum { MAX_STEPS = 100 * 1000 * 1000 };

static SemValue to_sem(const ClifConstValue *v) {
    SemValue s = {.type = v->type};
    for (unsigned k = 0; k < 16; k++) s.w[k / 8] |= (uint64_t)v->bytes[k] << (8 * (k % 8));
    return s;
}
static ClifConstValue of_sem(SemValue s) {
    ClifConstValue v = {.type = s.type};
    for (unsigned k = 0; k < 16; k++) v.bytes[k] = (uint8_t)(s.w[k / 8] >> (8 * (k % 8)));
    return v;
}

static void put_results(StrBuf *o, const SemValues *r) {
    sb_putc(o, '[');
    for (uint32_t k = 0; k < r->n; k++) {
        ClifConstValue v = of_sem(r->p[k]);
        if (k) sb_puts(o, ", ");
        clif_print_const_value(o, &v);
    }
    sb_putc(o, ']');
}

static bool equal(const SemValues *got, const ClifConstValues *want) {
    if (got->n != want->n) return false;
    for (uint32_t k = 0; k < got->n; k++) {
        SemValue w = to_sem(&want->p[k]);
        if (w.type != got->p[k].type || w.w[0] != got->p[k].w[0] || w.w[1] != got->p[k].w[1])
            return false;
    }
    return true;
}

static bool command(Ft *t, Interp *it, uint32_t k, const ClifComment *cm,
                    const ClifRunCommand *rc) {
    uint32_t func = k;
    if (rc->func.n) {
        ClifFunc probe = {.name = {CLIF_NAME_TESTCASE, 0, rc->func.n}};
        probe.bytes.p = (uint8_t *)(uintptr_t)rc->func.p; /* only read */
        func = interp_find(it, &probe, probe.name);
        if (func == CLIF_NONE)
            return ft_fail(t, cm->line, "no function %%%.*s", (int)rc->func.n, rc->func.p);
    }
    SemValues args = {0}, got = {0};
    for (uint32_t j = 0; j < rc->args.n; j++) vec_push(t->mem, &args, to_sem(&rc->args.p[j]));
    Diag d;
    diag_clear(&d);
    char buf[16];
    bool ok = true;
    InterpStatus st = interp_call(it, func, args.p, args.n, &got, &d);
    if (st == INTERP_TRAP) {
        ok = ft_fail(t, cm->line, "%.*s: trap %s at inst%u of function %u", (int)cm->text.n,
                     cm->text.p, clif_trap_name(it->trap, buf), it->trap_inst, it->trap_func);
    } else if (st != INTERP_OK) {
        ok = ft_fail(t, cm->line, "%.*s: %s", (int)cm->text.n, cm->text.p, d.msg);
    } else if (rc->print) {
        sb_clear(&t->sb);
        put_results(&t->sb, &got);
        ft_print(t, cm, "");
    } else if (equal(&got, &rc->results) == rc->negate) {
        sb_clear(&t->sb);
        put_results(&t->sb, &got);
        ok = ft_fail(t, cm->line, "%.*s: the result is %s", (int)cm->text.n, cm->text.p,
                     sb_cstr(&t->sb));
    }
    vec_free(t->mem, &args);
    vec_free(t->mem, &got);
    return ok;
}

/* One command, counted; what is known to fail must go on failing. */
static void counted(Ft *t, Interp *it, uint32_t k, const ClifComment *cm, const ClifRunCommand *rc,
                    FtCounts *c) {
    ClifStr s = cm->text;
    while (s.n && (s.p[0] == ';' || s.p[0] == ' ')) s.p++, s.n--;
    const FtException *e = ft_exception(t, clif_str_trim(s));
    uint32_t before = t->out->failures.n;
    bool ok = command(t, it, k, cm, rc);
    if (e)
        ft_excuse(t, c, e, cm->line, before, !ok);
    else
        *(ok ? &c->passed : &c->failed) += 1;
}

bool ft_interpret_one(Ft *t, uint32_t func, const ClifRunCommand *rc, ClifConstValues *results,
                      ClifTrap *trap, Diag *d) {
    Interp it;
    interp_init(&it, t->mem);
    it.max_steps = MAX_STEPS;
    for (uint32_t k = 0; k < t->funcs.n; k++) interp_add(&it, t->funcs.p[k]);
    SemValues args = {0}, got = {0};
    for (uint32_t j = 0; j < rc->args.n; j++) vec_push(t->mem, &args, to_sem(&rc->args.p[j]));
    *trap = CLIF_TRAP_NONE;
    InterpStatus st = interp_call(&it, func, args.p, args.n, &got, d);
    if (st == INTERP_TRAP) *trap = it.trap;
    for (uint32_t j = 0; j < got.n; j++) vec_push(t->mem, results, of_sem(got.p[j]));
    vec_free(t->mem, &args);
    vec_free(t->mem, &got);
    interp_free(&it);
    return st == INTERP_OK;
}

void ft_interpret(Ft *t, FtCounts *c) {
    Interp it;
    interp_init(&it, t->mem);
    it.max_steps = MAX_STEPS;
    for (uint32_t k = 0; k < t->funcs.n; k++) interp_add(&it, t->funcs.p[k]);
    for (uint32_t k = 0; k < t->funcs.n; k++) {
        const ClifComments *cs = &t->details.p[k]->comments;
        for (uint32_t j = 0; j < cs->n; j++) {
            ClifRunCommand rc;
            Diag d;
            diag_clear(&d);
            if (clif_parse_run_command(t->mem, t->funcs.p[k], &cs->p[j], &rc, &d)) {
                counted(t, &it, k, &cs->p[j], &rc, c);
            } else if (d.kind != DIAG_NONE) {
                ft_fail(t, cs->p[j].line, "%s", d.msg);
                c->failed++;
            }
            clif_run_command_free(&rc, t->mem);
        }
    }
    interp_free(&it);
}
