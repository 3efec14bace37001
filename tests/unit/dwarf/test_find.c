/* The reader: everything that versions and forms allow says the same; what is damaged says less and never costs much. */
#include "db.h"
#include <stdio.h>
#include <stdlib.h>

static void is(Dwarf *w, uint64_t address, const char *want) {
    DwarfPlace p[4];
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    uint32_t n = dwarf_find(w, address, p, 4);
    for (uint32_t i = 0; i < n; i++) {
        if (i) sb_puts(&sb, " < ");
        dwarf_put_text(p[i].function, &sb);
        sb_putc(&sb, ' ');
        dwarf_put_position(&p[i], &sb);
    }
    if (strcmp(sb_cstr(&sb), want))
        fail_msg("0x%x: %s, not %s", (unsigned)address, sb_cstr(&sb), want);
    sb_free(&sb);
}

static void every_form_says_the_same(void **st) {
    (void)st;
    unsigned seen[6] = {0};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        Db *b = malloc(sizeof *b);
        db_make(b, seed);
        seen[b->version]++;
        Mem m;
        mem_init(&m, NULL);
        Dwarf *w = dwarf_open(&m, &b->in);
        const char *other = "other /src/lib/b.c:11";
        is(w, 0x0f, "");
        is(w, 0x10, "main /src/a.c:5:1");
        is(w, 0x1f, "main /src/a.c:5:1");
        is(w, 0x20, "geo::leaf /src/a.c:2:9 < main /src/a.c:7:3");
        is(w, 0x2f, "geo::leaf /src/a.c:2:9 < main /src/a.c:7:3");
        is(w, 0x30, "main /src/a.c:8");
        is(w, 0x3f, "main /src/a.c:8");
        is(w, 0x50, other);
        is(w, 0x57, other);
        is(w, 0x58, "");
        dwarf_free(w);
        assert_int_equal(m.live, 0);
        free(b);
    }
    for (unsigned v = 2; v <= 5; v++) assert_true(seen[v] > 500);
}

/* With one section missing, cut anywhere, or changed anywhere: no access outside of it (sanitizers), no loop. */
static void look(const DwarfInput *in) {
    DwarfInput exact = *in;
    uint8_t *copy[DWARF_SECTION_COUNT];
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) { /* in blocks of their size */
        copy[s] = malloc(in->s[s].n + 1);
        if (in->s[s].n) memcpy(copy[s], in->s[s].p, in->s[s].n);
        copy[s] = realloc(copy[s], in->s[s].n ? in->s[s].n : 1);
        exact.s[s].p = copy[s];
    }
    Mem m;
    mem_init(&m, NULL);
    m.limit = 1 << 20;
    Dwarf *w = dwarf_open(&m, &exact);
    DwarfPlace p[4];
    for (uint64_t a = 0; a < 0x60; a += 8) dwarf_find(w, a, p, 4);
    dwarf_free(w);
    assert_int_equal(m.live, 0);
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) free(copy[s]);
}
static void damage(void **st) {
    (void)st;
    Db *b = malloc(sizeof *b), *c = malloc(sizeof *c);
    uint64_t s = 7;
    for (uint64_t seed = 0; seed < 12; seed++) {
        db_make(b, seed);
        for (unsigned k = 0; k < DWARF_SECTION_COUNT; k++) {
            DwarfInput in = b->in;
            for (size_t n = 0; n < b->in.s[k].n; n++) {
                in.s[k].n = n;
                look(&in);
            }
        }
        for (unsigned i = 0; i < 3000; i++) {
            memcpy(c, b, sizeof *c);
            for (unsigned k = 0; k < DWARF_SECTION_COUNT; k++)
                if (c->in.s[k].n) c->in.s[k].p = c->s[k].p;
            for (unsigned n = 1 + (unsigned)(rnd(&s) % 3); n; n--) {
                unsigned k;
                do k = (unsigned)(rnd(&s) % DWARF_SECTION_COUNT);
                while (!c->in.s[k].n);
                static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe};
                uint8_t *at = &c->s[k].p[rnd(&s) % c->in.s[k].n];
                *at = rnd(&s) % 2 ? edge[rnd(&s) % 6] : (uint8_t)rnd(&s);
            }
            look(&c->in);
        }
    }
    free(b);
    free(c);
}

/* Out of memory at every point: control leaves, and everything can be given back. */
typedef struct Asking {
    Mem *m;
    const DwarfInput *in;
    bool done;
} Asking;
static void ask(void *arg) {
    Asking *q = arg;
    DwarfPlace p[4];
    Dwarf *w = dwarf_open(q->m, q->in);
    dwarf_find(w, 0x20, p, 4);
    dwarf_find(w, 0x50, p, 4);
    dwarf_free(w);
    q->done = true;
}
static void out_of_memory(void **st) {
    (void)st;
    Db *b = malloc(sizeof *b);
    for (uint64_t seed = 0; seed < 20; seed++) {
        db_make(b, seed);
        for (uint64_t k = 1;; k++) {
            Mem m;
            mem_init(&m, NULL);
            m.fail_at = k;
            Asking q = {&m, &b->in, false};
            bool ok = mem_guard(&m, ask, &q);
            assert_int_equal(ok, q.done);
            assert_true(!ok || m.live == 0);
            mem_release_all(&m);
            if (ok) break;
            assert_true(k < 1000);
        }
    }
    free(b);
}

static void nothing(void **st) {
    (void)st;
    DwarfInput none;
    memset(&none, 0, sizeof none);
    Mem m;
    mem_init(&m, NULL);
    Dwarf *w = dwarf_open(&m, &none);
    DwarfPlace p;
    assert_int_equal(dwarf_find(w, 0x10, &p, 1), 0);
    dwarf_free(w);
    dwarf_free(NULL);
    assert_int_equal(m.live, 0);
}

static void names_of_sections(void **st) {
    (void)st;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++)
        assert_int_equal(dwarf_section_named(dwarf_section_name[s], strlen(dwarf_section_name[s])),
                         s);
    assert_int_equal(dwarf_section_named(".debug_lin", 10), DWARF_SECTION_COUNT);
    assert_int_equal(dwarf_section_named(".debug_line2", 12), DWARF_SECTION_COUNT);
}

/* Ten thousand functions whose ranges are one long list each: read once each, this would be 10^8 steps and more. */
static void work_is_bounded(void **st) {
    (void)st;
    enum { FUNCS = 20000, RANGES = 20000 };
    size_t n = 0, r = 0;
    uint8_t *info = malloc(FUNCS * 5 + 64), *ranges = malloc(RANGES * 8 + 16);
    static const uint8_t abbrev[] = {1, 0x11, 1, 0, 0, 2, 0x2e, 0, 0x55, 0x17, 0, 0, 0};
    static const uint8_t head[] = {0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1};
    memcpy(info, head, sizeof head);
    n = sizeof head;
    for (unsigned i = 0; i < FUNCS; i++) {
        memcpy(info + n, "\2\0\0\0\0", 5);
        n += 5;
    }
    info[n++] = 0;
    uint32_t length = (uint32_t)n - 4;
    memcpy(info, &length, 4);
    for (uint32_t i = 0; i < RANGES; i++) {
        uint32_t pair[2] = {16 + 16 * i, 24 + 16 * i};
        memcpy(ranges + r, pair, 8);
        r += 8;
    }
    memset(ranges + r, 0, 8);
    DwarfInput in;
    memset(&in, 0, sizeof in);
    in.s[DWARF_INFO] = (DwarfBytes){info, n};
    in.s[DWARF_ABBREV] = (DwarfBytes){abbrev, sizeof abbrev};
    in.s[DWARF_RANGES] = (DwarfBytes){ranges, r + 8};
    Mem m;
    mem_init(&m, NULL);
    m.limit = 512 << 20;
    Dwarf *w = dwarf_open(&m, &in);
    DwarfPlace p;
    dwarf_find(w, 40, &p, 1);
    assert_true(m.peak < 64 << 20);
    dwarf_free(w);
    free(info);
    free(ranges);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_sections),
                                       cmocka_unit_test(nothing),
                                       cmocka_unit_test(every_form_says_the_same),
                                       cmocka_unit_test(work_is_bounded),
                                       cmocka_unit_test(out_of_memory),
                                       cmocka_unit_test(damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
