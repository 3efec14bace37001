/* SSA construction: the function built must compute what the variables say, on random CFGs filled and
 * sealed in random orders; and it must stay linear. */

#include "cm.h"
#include <stdlib.h>
#include <time.h>
#include "clif/builder.h"

typedef struct Rng {
    uint64_t s;
} Rng;
static uint32_t pick(Rng *r, uint32_t n) {
    r->s = r->s * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->s >> 33) % n;
}

enum { MAX_BLOCKS = 120, MAX_OPS = 6, MAX_VARS = 8 };
typedef struct Op {
    uint8_t kind, dst, x, y;
    uint32_t k;
} Op; /* 0: dst = k, 1: dst = x + y, 2: trace x */
typedef struct Blk {
    Op ops[MAX_OPS];
    uint32_t nops, term, cond, nt, t[4];
} Blk; /* 0 jump 1 brif 2 table 3 return */
typedef struct Prog {
    Blk b[MAX_BLOCKS];
    uint32_t nb, nv;
} Prog;

static void make_prog(Rng *r, Prog *p) {
    p->nb =
        2 + pick(r, pick(r, 8) ? 22 : MAX_BLOCKS - 2); /* the large ones make variables indexed */
    p->nv = 1 + pick(r, MAX_VARS - 1);
    for (uint32_t i = 0; i < p->nb; i++) {
        Blk *b = &p->b[i];
        b->nops = pick(r, MAX_OPS);
        for (uint32_t k = 0; k < b->nops; k++)
            b->ops[k] = (Op){(uint8_t)pick(r, 3), (uint8_t)pick(r, p->nv), (uint8_t)pick(r, p->nv),
                             (uint8_t)pick(r, p->nv), pick(r, 100)};
        static const uint8_t targets[] = {1, 2, 4, 0};
        b->term = pick(r, 10) < 2 ? 3 : pick(r, 3);
        b->nt = targets[b->term];
        b->cond = pick(r, p->nv);
        for (uint32_t k = 0; k < b->nt; k++) b->t[k] = 1 + pick(r, p->nb - 1); /* never the entry */
    }
    bool forward = pick(r, 4) != 0;
    /* Mostly every block has a branch from an earlier one, as front ends make them. */
    for (uint32_t k = 1; k < (forward ? p->nb : 0); k++) {
        uint32_t j = k - 1;
        while (j > 0 && p->b[j].nt == 0) j--;
        if (p->b[j].nt) p->b[j].t[j == k - 1 ? 0 : pick(r, p->b[j].nt)] = k;
    }
}

enum { STEPS = 200 };
/* The meaning of the program, by the book. Writes the trace, returns its length. */
static uint32_t run_vars(const Prog *p, uint32_t *trace) {
    uint32_t v[MAX_VARS] = {0}, n = 0, at = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        const Blk *b = &p->b[at];
        for (uint32_t k = 0; k < b->nops; k++) {
            Op o = b->ops[k];
            if (o.kind == 0) v[o.dst] = o.k;
            if (o.kind == 1) v[o.dst] = v[o.x] + v[o.y];
            if (o.kind == 2) trace[n++] = v[o.x];
        }
        if (b->term == 3) break;
        uint32_t c = v[b->cond];
        at = b->t[b->term == 0 ? 0 : b->term == 1 ? (c != 0 ? 0 : 1) : c < 3 ? c + 1 : 0];
    }
    return n;
}

static void fill(ClifBuilder *cb, const Prog *p, uint32_t i, const ClifBlock *blk,
                 const ClifVar *var) {
    ClifFunc *f = cb->f;
    const Blk *b = &p->b[i];
    cb_switch_to(cb, blk[i]);
    for (uint32_t k = 0; k < b->nops; k++) {
        Op o = b->ops[k];
        if (o.kind == 0) cb_def_var(cb, var[o.dst], cb_iconst(cb, CLIF_I32, o.k));
        if (o.kind == 1) {
            ClifValue x = cb_use_var(cb, var[o.x]), y = cb_use_var(cb, var[o.y]);
            cb_def_var(cb, var[o.dst], cb_binary(cb, CLIF_OP_IADD, x, y));
        }
        if (o.kind == 2) cb_trapz(cb, cb_use_var(cb, var[o.x]), 1);
    }
    if (b->term == 0) cb_jump(cb, blk[b->t[0]], NULL, 0);
    if (b->term == 1)
        cb_brif(cb, cb_use_var(cb, var[b->cond]), blk[b->t[0]], NULL, 0, blk[b->t[1]], NULL, 0);
    if (b->term == 2) {
        ListRef calls[4];
        for (int k = 0; k < 4; k++) calls[k] = clif_make_blockcall(f, blk[b->t[k]], NULL, 0);
        ClifJumpTable jt = clif_make_jump_table(f, calls, 4);
        cb_br_table(cb, cb_use_var(cb, var[b->cond]), jt);
    }
    if (b->term == 3) cb_return(cb, NULL, 0);
}

/* The meaning of the SSA form. */
static uint32_t run_ssa(const ClifFunc *f, uint32_t *trace) {
    uint32_t *val = calloc(f->values.n + 1, sizeof *val), n = 0, b = f->first_block;
    uint8_t *set = calloc(f->values.n + 1, 1);
    for (uint32_t step = 0; step < STEPS; step++) {
        ListRef call = 0;
        CLIF_FOR_INSTS(f, b, i) {
            const ClifInstData *d = &f->insts.p[i];
            uint32_t na, *a = clif_args(f, (ClifInst){i}, &na), x[3] = {0};
            for (uint32_t k = 0; k < na; k++) {
                uint32_t v = clif_resolve(f, (ClifValue){a[k]}).i;
                assert_true(set[v]);
                x[k] = val[v];
            }
            if (d->op == CLIF_OP_TRAPZ) trace[n++] = x[0];
            if (d->op == CLIF_OP_JUMP) call = d->a;
            if (d->op == CLIF_OP_BRIF) call = x[0] ? d->b : d->c;
            if (d->op == CLIF_OP_BR_TABLE) {
                ClifJumpTableData t = f->jts.p[d->b];
                call = f->jt_calls.p[t.first + (x[0] < t.n - 1 ? x[0] + 1 : 0)];
            }
            if (d->op == CLIF_OP_ICONST || d->op == CLIF_OP_IADD) {
                uint32_t r = f->results.p[i];
                val[r] = d->op == CLIF_OP_ICONST ? d->b : x[0] + x[1];
                set[r] = 1;
            }
        }
        if (!call) break;
        uint32_t nargs, *args = clif_call_args(f, call, &nargs), to = clif_call_block(f, call).i,
                        np;
        uint32_t *ps = clif_block_params(f, (ClifBlock){to}, &np), tmp[64];
        assert_int_equal(nargs, np);
        for (uint32_t k = 0; k < nargs; k++) {
            uint32_t v = clif_resolve(f, (ClifValue){args[k]}).i;
            assert_true(set[v]);
            tmp[k] = val[v];
        }
        for (uint32_t k = 0; k < np; k++) {
            val[ps[k]] = tmp[k], set[ps[k]] = 1;
            assert_int_equal(f->values.p[ps[k]].num, k);
        }
        b = to;
    }
    free(val), free(set);
    return n;
}

static void random_cfgs_keep_their_meaning(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    ClifFunc f;
    clif_func_init(&f, &m);
    ClifBuilder cb;
    clif_builder_init(&cb, &m);
    Rng r = {987654321};
    uint32_t traced = 0;
    for (int round = 0; round < 30000; round++) {
        Prog p;
        make_prog(&r, &p);
        clif_func_clear(&f);
        clif_builder_begin(&cb, &f);
        ClifBlock blk[MAX_BLOCKS];
        ClifVar var[MAX_VARS];
        for (uint32_t i = 0; i < p.nb; i++) blk[i] = cb_create_block(&cb);
        for (uint32_t i = 0; i < p.nv; i++) var[i] = cb_declare_var(&cb, CLIF_I32);
        uint32_t order[MAX_BLOCKS], unfilled[MAX_BLOCKS] = {0};
        for (uint32_t i = 0; i < p.nb; i++) order[i] = i;
        uint32_t style = pick(&r, 3); /* in order; shuffled; in order with late sealing */
        if (style == 1)
            for (uint32_t i = p.nb - 1; i > 1; i--) {
                uint32_t k = 1 + pick(&r, i), t = order[i];
                order[i] = order[k], order[k] = t;
            }
        for (uint32_t i = 0; i < p.nb; i++)
            for (uint32_t k = 0; k < p.b[i].nt; k++) unfilled[p.b[i].t[k]]++;
        bool sealed[MAX_BLOCKS] = {false};
        for (uint32_t o = 0; o < p.nb; o++) {
            uint32_t i = order[o];
            for (uint32_t k = 0; k < p.nb; k++)
                if (!sealed[k] && unfilled[k] == 0 && (style != 2 || pick(&r, 3) == 0))
                    cb_seal(&cb, blk[k]), sealed[k] = true;
            fill(&cb, &p, i, blk, var);
            for (uint32_t k = 0; k < p.b[i].nt; k++) unfilled[p.b[i].t[k]]--;
        }
        cb_seal_all(&cb);
        clif_builder_end(&cb);
        uint32_t ta[STEPS * MAX_OPS], tb[STEPS * MAX_OPS];
        uint32_t na = run_vars(&p, ta), nb = run_ssa(&f, tb);
        assert_int_equal(na, nb);
        assert_memory_equal(ta, tb, na * sizeof *ta);
        clif_resolve_all_aliases(&f);
        assert_int_equal(run_ssa(&f, tb), na);
        assert_memory_equal(ta, tb, na * sizeof *ta);
        traced += na;
    }
    assert_true(traced > 100000);
    clif_builder_free(&cb);
    clif_func_free(&f);
    assert_int_equal(m.live, 0);
}

typedef struct Fix {
    Mem m;
    ClifFunc f;
    ClifBuilder b;
} Fix;
static void begin(Fix *x) {
    mem_init(&x->m, NULL);
    clif_func_init(&x->f, &x->m);
    clif_builder_init(&x->b, &x->m);
    clif_builder_begin(&x->b, &x->f);
}
static void end(Fix *x) {
    clif_builder_end(&x->b);
    clif_builder_free(&x->b);
    clif_func_free(&x->f);
}
static double now(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

/* nb blocks in a chain, nv variables defined at its head, all read at its end, `ways` predecessors each. */
static double chain(uint32_t nb, uint32_t nv, bool seal_late) {
    Fix x;
    begin(&x);
    double t0 = now();
    ClifBlock at = cb_create_block(&x.b);
    cb_seal(&x.b, at);
    cb_switch_to(&x.b, at);
    for (uint32_t k = 0; k < nv; k++) {
        ClifVar v = cb_declare_var(&x.b, CLIF_I32);
        cb_def_var(&x.b, v, cb_iconst(&x.b, CLIF_I32, k));
    }
    for (uint32_t k = 0; k < nb; k++) {
        ClifBlock next = cb_create_block(&x.b);
        cb_jump(&x.b, next, NULL, 0);
        if (!seal_late) cb_seal(&x.b, next);
        cb_switch_to(&x.b, next);
        cb_use_var(&x.b, (ClifVar){k % nv});
        if (seal_late) cb_seal(&x.b, next);
    }
    for (uint32_t k = 0; k < nv; k++)
        assert_int_equal(x.f.values.p[cb_use_var(&x.b, (ClifVar){k}).i].ref, k);
    cb_return(&x.b, NULL, 0);
    double t = now() - t0;
    end(&x);
    return t;
}

static void long_chains_are_linear(void **state) {
    (void)state;
    double t = chain(100000, 50000, false);
    print_message("10^5 blocks, 5*10^4 variables: %.3f s\n", t);
    assert_true(t < 5.0);
    assert_true(chain(100000, 4, true) < 5.0);
}

/* A loop header with thousands of variables, half of which change in the loop. */
static void wide_loop_header(void **state) {
    (void)state;
    enum { N = 20000 };
    Fix x;
    begin(&x);
    ClifBlock entry = cb_create_block(&x.b), head = cb_create_block(&x.b),
              out = cb_create_block(&x.b);
    cb_seal(&x.b, entry);
    cb_switch_to(&x.b, entry);
    for (uint32_t k = 0; k < N; k++)
        cb_def_var(&x.b, cb_declare_var(&x.b, CLIF_I32), cb_iconst(&x.b, CLIF_I32, k));
    cb_jump(&x.b, head, NULL, 0);
    cb_switch_to(&x.b, head);
    ClifValue c = {0};
    for (uint32_t k = 0; k < N; k++) {
        c = cb_use_var(&x.b, (ClifVar){k});
        if (k % 2) cb_def_var(&x.b, (ClifVar){k}, cb_binary(&x.b, CLIF_OP_IADD, c, c));
    }
    cb_brif(&x.b, c, head, NULL, 0, out, NULL, 0);
    cb_seal(&x.b, head);
    cb_seal(&x.b, out);
    cb_switch_to(&x.b, out);
    cb_return(&x.b, NULL, 0);
    uint32_t n;
    clif_block_params(&x.f, head, &n);
    assert_int_equal(n, N / 2);
    end(&x);
}

static void unsealed_single_predecessor_needs_no_parameter(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    ClifBlock a = cb_create_block(&x.b), b = cb_create_block(&x.b);
    ClifVar v = cb_declare_var(&x.b, CLIF_I64), w = cb_declare_var(&x.b, CLIF_F32);
    cb_seal(&x.b, a);
    cb_switch_to(&x.b, a);
    ClifValue seven = cb_iconst(&x.b, CLIF_I64, 7);
    cb_def_var(&x.b, v, seven);
    cb_jump(&x.b, b, NULL, 0);
    cb_switch_to(&x.b, b);
    cb_use_var(&x.b, v);
    ClifValue zero = cb_use_var(&x.b, w);
    cb_return(&x.b, NULL, 0);
    cb_seal(&x.b, b);
    uint32_t n;
    clif_block_params(&x.f, b, &n);
    assert_int_equal(n, 0);
    assert_int_equal(clif_resolve(&x.f, cb_use_var(&x.b, v)).i, seven.i);
    ClifValueData z = x.f.values.p[clif_resolve(&x.f, zero).i]; /* never defined: a zero */
    assert_int_equal(x.f.insts.p[z.ref].op, CLIF_OP_F32CONST);
    assert_int_equal(x.f.insts.p[z.ref].b, 0);
    end(&x);
}

/* Written in a loop that never reads it, read after it: the header must get a parameter although it is sealed. */
static void change_in_a_loop_is_seen_after_it(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    ClifBlock a = cb_create_block(&x.b), h = cb_create_block(&x.b), l = cb_create_block(&x.b),
              e = cb_create_block(&x.b);
    ClifVar v = cb_declare_var(&x.b, CLIF_I32), w = cb_declare_var(&x.b, CLIF_I32);
    cb_seal(&x.b, a);
    cb_switch_to(&x.b, a);
    ClifValue c = cb_iconst(&x.b, CLIF_I32, 1), two = cb_iconst(&x.b, CLIF_I32, 2);
    cb_def_var(&x.b, v, c);
    cb_def_var(&x.b, w, c);
    cb_jump(&x.b, h, NULL, 0);
    cb_switch_to(&x.b, h);
    cb_brif(&x.b, c, l, NULL, 0, e, NULL, 0);
    cb_seal(&x.b, l);
    cb_switch_to(&x.b, l);
    cb_def_var(&x.b, v, two);
    cb_jump(&x.b, h, NULL, 0);
    cb_seal(&x.b, h);
    cb_seal(&x.b, e);
    cb_switch_to(&x.b, e);
    ClifValueData d = x.f.values.p[cb_use_var(&x.b, v).i];
    assert_int_equal(d.kind, CLIF_VAL_PARAM);
    assert_int_equal(d.ref, h.i);
    assert_int_equal(cb_use_var(&x.b, w).i, c.i); /* not written there: no parameter */
    cb_return(&x.b, NULL, 0);
    uint32_t n;
    clif_block_params(&x.f, h, &n);
    assert_int_equal(n, 1);
    end(&x);
}

/* Joins and loops that did not write a variable make no value for it, neither when it is read after them nor when it
 * is read in each of them. */
static void what_did_not_write_makes_no_parameter(void **state) {
    (void)state;
    enum { N = 3000, VARS = 500 };
    Fix x;
    begin(&x);
    ClifBlock entry = cb_create_block(&x.b);
    cb_seal(&x.b, entry);
    cb_switch_to(&x.b, entry);
    ClifValue c = cb_iconst(&x.b, CLIF_I32, 1), def[VARS];
    ClifVar w = cb_declare_var(&x.b, CLIF_I32), var[VARS];
    for (uint32_t k = 0; k < VARS; k++) {
        var[k] = cb_declare_var(&x.b, CLIF_I32);
        def[k] = cb_iconst(&x.b, CLIF_I32, k);
        cb_def_var(&x.b, var[k], def[k]);
    }
    cb_def_var(&x.b, w, c);
    double t0 = now();
    for (uint32_t k = 0; k < N; k++) { /* a diamond that writes w, a loop */
        ClifBlock a = cb_create_block(&x.b), b = cb_create_block(&x.b), j = cb_create_block(&x.b),
                  head = cb_create_block(&x.b), out = cb_create_block(&x.b);
        cb_brif(&x.b, c, a, NULL, 0, b, NULL, 0);
        cb_seal(&x.b, a);
        cb_switch_to(&x.b, a);
        cb_def_var(&x.b, w, cb_iconst(&x.b, CLIF_I32, k));
        cb_jump(&x.b, j, NULL, 0);
        cb_seal(&x.b, b);
        cb_switch_to(&x.b, b);
        cb_jump(&x.b, j, NULL, 0);
        cb_seal(&x.b, j);
        cb_switch_to(&x.b, j);
        assert_int_equal(cb_use_var(&x.b, var[k % VARS]).i, def[k % VARS].i);
        cb_jump(&x.b, head, NULL, 0);
        cb_switch_to(&x.b, head);
        cb_brif(&x.b, c, head, NULL, 0, out, NULL, 0);
        cb_seal(&x.b, head);
        cb_seal(&x.b, out);
        cb_switch_to(&x.b, out);
    }
    for (uint32_t k = 0; k < VARS; k++) assert_int_equal(cb_use_var(&x.b, var[k]).i, def[k].i);
    double t = now() - t0;
    assert_int_equal(x.f.num_aliases, 0);
    assert_int_equal(x.f.values.n, 1 + VARS + N);
    ClifValue last = cb_use_var(&x.b, w);
    assert_int_equal(x.f.values.p[last.i].kind, CLIF_VAL_PARAM); /* of the last join */
    assert_true(t < 10.0);                                       /* quadratic would be minutes */
    cb_return(&x.b, NULL, 0);
    end(&x);
}

static void refilling_allocates_nothing(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    uint64_t before = 0;
    for (int round = 0; round < 5; round++) {
        if (round == 1) before = x.m.allocs;
        clif_func_clear(&x.f);
        clif_builder_begin(&x.b, &x.f);
        ClifBlock a = cb_create_block(&x.b), l = cb_create_block(&x.b);
        ClifVar v = cb_declare_var(&x.b, CLIF_I32);
        cb_switch_to(&x.b, a);
        cb_seal(&x.b, a);
        cb_def_var(&x.b, v, cb_iconst(&x.b, CLIF_I32, 1));
        cb_jump(&x.b, l, NULL, 0);
        cb_switch_to(&x.b, l);
        for (int k = 0; k < 1000; k++)
            cb_def_var(&x.b, v,
                       cb_binary(&x.b, CLIF_OP_IADD, cb_use_var(&x.b, v), cb_use_var(&x.b, v)));
        cb_jump(&x.b, l, NULL, 0);
        cb_seal(&x.b, l);
    }
    assert_int_equal(x.m.allocs, before);
    end(&x);
}

static void speed_of_building(void **state) {
    (void)state;
    enum { N = 1000000 };
    Fix x;
    begin(&x);
    for (int round = 0; round < 2; round++) {
        clif_func_clear(&x.f);
        clif_builder_begin(&x.b, &x.f);
        double t0 = now();
        ClifBlock a = cb_create_block(&x.b);
        cb_switch_to(&x.b, a);
        cb_seal(&x.b, a);
        ClifVar v[16];
        for (int k = 0; k < 16; k++)
            v[k] = cb_declare_var(&x.b, CLIF_I32),
            cb_def_var(&x.b, v[k], cb_iconst(&x.b, CLIF_I32, k));
        for (int k = 0; k < N; k++) {
            ClifValue s = cb_binary(&x.b, CLIF_OP_IADD, cb_use_var(&x.b, v[k & 15]),
                                    cb_use_var(&x.b, v[(k + 3) & 15]));
            cb_def_var(&x.b, v[(k + 7) & 15], s);
            if ((k & 7) == 7) {
                ClifBlock n = cb_create_block(&x.b);
                cb_jump(&x.b, n, NULL, 0);
                cb_seal(&x.b, n);
                cb_switch_to(&x.b, n);
            }
        }
        cb_return(&x.b, NULL, 0);
        print_message("10^6 instructions with reads and writes of variables: %.1f ns each\n",
                      (now() - t0) * 1e9 / N);
    }
    end(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_cfgs_keep_their_meaning),
        cmocka_unit_test(long_chains_are_linear),
        cmocka_unit_test(wide_loop_header),
        cmocka_unit_test(unsealed_single_predecessor_needs_no_parameter),
        cmocka_unit_test(change_in_a_loop_is_seen_after_it),
        cmocka_unit_test(what_did_not_write_makes_no_parameter),
        cmocka_unit_test(refilling_allocates_nothing),
        cmocka_unit_test(speed_of_building),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
