/* The code buffer's branch simplification, on a toy machine code: 1 = unconditional (5 bytes), 2 / 3 = conditional and its
 * inverse (6 bytes: opcode, condition number, rel32), 9 = one plain instruction (2 bytes, number), 8 = stop, 7 = nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "mach/machbuf.h"

static void patch32(uint8_t *field, int64_t delta) {
    int32_t v = (int32_t)delta;
    memcpy(field, &v, 4);
}
static const MachLabelKind kinds[] = {{"rel32", 4, 4, INT32_MAX, INT32_MAX, patch32}};

static void jump(MachBuf *b, MachLabel to) {
    uint8_t *p = machbuf_room(b, 5);
    memset(p, 0, 5);
    p[0] = 1;
    machbuf_uncond_branch(b, 5, 1, to, 0);
    machbuf_commit(b, 5);
}
static void branch(MachBuf *b, uint8_t cond, MachLabel to) {
    uint8_t *p = machbuf_room(b, 6), inv[6] = {3, cond};
    memset(p, 0, 6);
    p[0] = 2;
    p[1] = cond;
    machbuf_cond_branch(b, 6, 2, to, 0, inv);
    machbuf_commit(b, 6);
}
static void plain(MachBuf *b, uint8_t n) {
    uint8_t *p = machbuf_room(b, 2);
    p[0] = 9;
    p[1] = n;
    machbuf_commit(b, 2);
}
static void stop(MachBuf *b) {
    *machbuf_room(b, 1) = 8;
    machbuf_commit(b, 1);
    machbuf_dead_end(b);
}

typedef struct Fixture {
    Mem mem;
    MachBuf b;
    Diag d;
} Fixture;
static void start(Fixture *x, uint32_t labels) {
    mem_init(&x->mem, NULL);
    machbuf_init(&x->b, &x->mem);
    machbuf_reset(&x->b, kinds, labels);
    diag_clear(&x->d);
}
static void end(Fixture *x) {
    assert_true(machbuf_finish(&x->b, &x->d));
}

static void a_jump_to_the_next_instruction_vanishes(void **s) {
    (void)s;
    Fixture x;
    start(&x, 1);
    plain(&x.b, 1);
    jump(&x.b, 0);
    machbuf_bind(&x.b, 0);
    plain(&x.b, 2);
    end(&x);
    assert_int_equal(x.b.code.n, 4);
    machbuf_free(&x.b);
}

static void a_branch_over_a_jump_is_inverted(void **s) {
    (void)s;
    Fixture x;
    start(&x, 2);
    branch(&x.b, 7, 0);
    jump(&x.b, 1);
    machbuf_bind(&x.b, 0);
    plain(&x.b, 1);
    machbuf_bind(&x.b, 1);
    stop(&x.b);
    end(&x);
    assert_int_equal(x.b.code.n, 6 + 2 + 1);
    assert_int_equal(x.b.code.p[0], 3);
    assert_int_equal(x.b.code.p[2], 2); /* over the plain instruction */
    machbuf_free(&x.b);
}

static void labels_of_an_empty_jump_block_are_threaded(void **s) {
    (void)s;
    Fixture x;
    start(&x, 3);
    branch(&x.b, 1, 1);
    stop(&x.b);
    machbuf_bind(&x.b, 1); /* nothing but a jump, and nothing falls in */
    jump(&x.b, 2);
    machbuf_bind(&x.b, 0);
    plain(&x.b, 1);
    machbuf_bind(&x.b, 2);
    stop(&x.b);
    end(&x);
    assert_int_equal(x.b.code.n, 6 + 1 + 2 + 1);
    assert_int_equal(x.b.code.p[2], 3);
    machbuf_free(&x.b);
}

static void a_jump_to_itself_stays(void **s) {
    (void)s;
    Fixture x;
    start(&x, 1);
    machbuf_bind(&x.b, 0);
    jump(&x.b, 0);
    plain(&x.b, 1);
    end(&x);
    assert_int_equal(x.b.code.n, 7);
    int32_t rel;
    memcpy(&rel, x.b.code.p + 1, 4);
    assert_int_equal(rel, -5);
    machbuf_free(&x.b);
}

/* A jump patched by the ISA lands on a jump block: that jump stays although what precedes it never falls in. */
static void a_jump_that_is_landed_on_stays(void **s) {
    (void)s;
    Fixture x;
    start(&x, 3);
    machbuf_bind(&x.b, 0);
    jump(&x.b, 2);
    machbuf_landing(&x.b);
    jump(&x.b, 0);
    machbuf_bind(&x.b, 1);
    plain(&x.b, 1);
    machbuf_bind(&x.b, 2);
    end(&x);
    assert_int_equal(x.b.code.n, 5 + 5 + 2);
    machbuf_free(&x.b);
}

/* A random program of blocks, run on its description and on the bytes with the same conditions: the same trace. */
#define BLOCKS 12
typedef struct Prog {
    uint8_t nplain[BLOCKS], kind[BLOCKS], a[BLOCKS], c[BLOCKS];
} Prog;

/* Condition `cond` of block `cond` on its visit number v. A branch whose two ways meet may vanish: its visits are not seen. */
static bool cond_value(uint32_t seed, uint8_t cond, uint32_t v) {
    return ((seed + v) * 2654435761u ^ cond * 40503u) >> 7 & 1;
}

static uint32_t walk_prog(const Prog *p, uint32_t seed, uint8_t *trace, uint32_t max) {
    uint32_t n = 0, b = 0, idle = 0, visits[BLOCKS] = {0};
    while (n < max && idle < 100) {
        idle = p->nplain[b] ? 0 : idle + 1;
        for (uint8_t k = 0; k < p->nplain[b] && n < max; k++) trace[n++] = (uint8_t)(b * 8 + k);
        if (p->kind[b] == 0) break;
        if (p->kind[b] == 1)
            b = p->a[b];
        else
            b = cond_value(seed, (uint8_t)b, visits[b]++) ? p->a[b] : p->c[b];
    }
    return n;
}

static uint32_t walk_code(const MachBuf *b, uint32_t seed, uint8_t *trace, uint32_t max) {
    uint32_t n = 0, idle = 0, visits[BLOCKS] = {0};
    uint32_t at = 0;
    int32_t rel;
    while (n < max && idle < 100) {
        assert_true(at < b->code.n);
        const uint8_t *p = b->code.p + at;
        switch (p[0]) {
        case 8: return n;
        case 7: at++; break;
        case 9:
            trace[n++] = p[1];
            at += 2;
            idle = 0;
            break;
        case 1:
            memcpy(&rel, p + 1, 4);
            at = (uint32_t)((int32_t)(at + 5) + rel);
            idle++;
            break;
        default:
            assert_true(p[0] == 2 || p[0] == 3);
            memcpy(&rel, p + 2, 4);
            if (cond_value(seed, p[1], visits[p[1]]++) == (p[0] == 2))
                at = (uint32_t)((int32_t)(at + 6) + rel);
            else
                at += 6;
            idle++;
            break;
        }
    }
    return n;
}

static void random_branches_keep_their_meaning(void **s) {
    (void)s;
    srand(1);
    uint32_t smaller = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        Prog p;
        Fixture x;
        start(&x, BLOCKS);
        uint32_t full = 0;
        for (unsigned b = 0; b < BLOCKS; b++) {
            p.nplain[b] = (uint8_t)(rand() % 3);
            p.kind[b] = b == BLOCKS - 1 ? 0 : (uint8_t)(rand() % 8 ? 1 + rand() % 2 : 0);
            p.a[b] = (uint8_t)(rand() % 3 ? (b + 1 + (unsigned)rand() % 2) % BLOCKS
                                          : (unsigned)rand() % BLOCKS);
            p.c[b] = (uint8_t)(rand() % 3 ? (b + 1) % BLOCKS : (unsigned)rand() % BLOCKS);
            machbuf_bind(&x.b, b);
            if (round % 2 && rand() % 4 == 0) { /* as before a loop */
                uint8_t *pad = machbuf_pad(&x.b, 3);
                if (pad) memset(pad, 7, 3);
                full += 3;
            }
            for (uint8_t k = 0; k < p.nplain[b]; k++) plain(&x.b, (uint8_t)(b * 8 + k));
            full += 2u * p.nplain[b] + (p.kind[b] == 0 ? 1 : p.kind[b] == 1 ? 5 : 11);
            if (p.kind[b] == 0)
                stop(&x.b);
            else if (p.kind[b] == 1)
                jump(&x.b, p.a[b]);
            else {
                branch(&x.b, (uint8_t)b, p.a[b]);
                jump(&x.b, p.c[b]);
            }
        }
        end(&x);
        smaller += x.b.code.n < full;
        for (uint32_t seed = 0; seed < 5; seed++) {
            uint8_t want[64], got[64];
            uint32_t n = walk_prog(&p, seed * 1000, want, 20),
                     m = walk_code(&x.b, seed * 1000, got, 20);
            uint32_t k = n < m ? n : m;
            assert_memory_equal(want, got, k);
        }
        machbuf_free(&x.b);
    }
    assert_true(smaller > 15000);
}

/* Padding moves the label behind it, and the jump before it stays: it does not jump to the next instruction any more. */
static void padding_is_before_the_label(void **s) {
    (void)s;
    Fixture x;
    start(&x, 2);
    plain(&x.b, 1);
    machbuf_bind(&x.b, 0);
    memset(machbuf_pad(&x.b, 4), 7, 4);
    plain(&x.b, 2);
    jump(&x.b, 0);
    machbuf_bind(&x.b, 1);
    end(&x);
    assert_int_equal(x.b.code.n, 2 + 4 + 2 + 5);
    int32_t rel;
    memcpy(&rel, x.b.code.p + 9, 4);
    assert_int_equal(13 + rel, 6);
    assert_null(machbuf_pad((plain(&x.b, 3), &x.b), 4)); /* nothing is bound here */
    machbuf_free(&x.b);
}

/* Empty blocks all end up at one place; time that grows with the square of their number would not end here. */
static void many_empty_blocks_cost_little_each(void **s) {
    (void)s;
    enum { N = 1000000 };
    Fixture x;
    start(&x, N + 1);
    plain(&x.b, 1);
    for (uint32_t k = 0; k < N; k++) {
        if (k & 1)
            branch(&x.b, 7, k);
        else
            jump(&x.b, k);
        machbuf_bind(&x.b, k);
    }
    plain(&x.b, 2);
    machbuf_bind(&x.b, N);
    jump(&x.b, N / 2);
    end(&x);
    assert_int_equal(x.b.code.n, 2 + 2 + 5);
    int32_t delta;
    memcpy(&delta, x.b.code.p + 5, 4);
    assert_int_equal(delta, 2 - 9);
    machbuf_free(&x.b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jump_to_the_next_instruction_vanishes),
        cmocka_unit_test(a_branch_over_a_jump_is_inverted),
        cmocka_unit_test(labels_of_an_empty_jump_block_are_threaded),
        cmocka_unit_test(a_jump_to_itself_stays),
        cmocka_unit_test(a_jump_that_is_landed_on_stays),
        cmocka_unit_test(many_empty_blocks_cost_little_each),
        cmocka_unit_test(padding_is_before_the_label),
        cmocka_unit_test(random_branches_keep_their_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
