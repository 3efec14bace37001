/* The writer: what it makes of the same information in every form says the same of machine code that comes in another order; line
 * tables come back row by row; equal texts and abbreviations are there once. */
#include "db.h"
#include "dwarf/dw_int.h"
#include "dwarf/native.h"
#include <stdio.h>
#include <stdlib.h>

/* Machine code of db.h's functions: 16 bytes for each 4 of source, the last ones first, behind 8 bytes of prologue. */
enum {
    MAIN = 0x10,
    MAIN_END = 0x40,
    OTHER = 0x50,
    OTHER_END = 0x58,
    STEP = 4,
    SIZE = 16,
    BASE = 0x40000
};

typedef struct Machine {
    DwarfLoc locs[2][16];
    DwarfCode funcs[2];
    DwarfNative n;
} Machine;

static void make_machine(Machine *x, const DwarfInput *in) {
    static const uint32_t start[2] = {MAIN, OTHER}, end[2] = {MAIN_END, OTHER_END};
    memset(x, 0, sizeof *x);
    for (unsigned f = 0, at = 0; f < 2; f++) {
        uint32_t pieces = (end[f] - start[f]) / STEP;
        for (uint32_t i = 0; i < pieces; i++)
            x->locs[f][i] = (DwarfLoc){8 + SIZE * i, 8 + SIZE * (i + 1), end[f] - STEP * (i + 1)};
        x->funcs[f] = (DwarfCode){.at = {0, at, 8 + SIZE * pieces},
                                  .source = start[f],
                                  .source_end = end[f],
                                  .locs = x->locs[f],
                                  .nlocs = pieces};
        at += 256;
    }
    x->n = (DwarfNative){.in = in,
                         .file = {"m.wasm", 6},
                         .funcs = x->funcs,
                         .nfuncs = 2,
                         .context = 15,
                         .frame = 6,
                         .vectors = 17};
}

static void text_of(Dwarf *w, uint64_t address, StrBuf *sb) {
    DwarfPlace p[4];
    sb_clear(sb);
    uint32_t n = dwarf_find(w, address, p, 4);
    for (uint32_t i = 0; i < n; i++) {
        sb_puts(sb, " < ");
        dwarf_put_text(p[i].function, sb);
        sb_putc(sb, ' ');
        dwarf_put_position(&p[i], sb);
    }
    sb_cstr(sb);
}

static void every_form_becomes_native(void **st) {
    (void)st;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        Db *b = malloc(sizeof *b);
        db_make(b, seed);
        Mem m;
        mem_init(&m, NULL);
        Machine x;
        make_machine(&x, &b->in);
        DwarfOutput o;
        dwarf_output_init(&o, &m);
        assert_true(dwarf_write_native(&x.n, &o));
        dwarf_output_place(&o, BASE);
        DwarfInput in;
        for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++)
            in.s[s] = (DwarfBytes){o.s[s].p, o.s[s].n};
        Dwarf *from = dwarf_open(&m, &b->in), *to = dwarf_open(&m, &in);
        StrBuf want, got;
        sb_init(&want, &m);
        sb_init(&got, &m);
        for (unsigned f = 0; f < 2; f++)
            for (uint32_t i = 0; i < x.funcs[f].nlocs; i++) {
                const DwarfLoc *l = &x.locs[f][i];
                uint64_t at = BASE + x.funcs[f].at.offset + l->start + (seed + i) % SIZE;
                text_of(from, l->source, &want);
                text_of(to, at, &got);
                if (strcmp(want.p, got.p))
                    fail_msg("seed %u, source 0x%x: %s, not %s", (unsigned)seed, l->source, got.p,
                             want.p);
            }
        text_of(to, BASE + 4, &got); /* the prologue is of the function, too */
        assert_non_null(strstr(got.p, "main"));
        text_of(to, BASE + 255, &got);
        assert_string_equal(got.p, "");
        sb_free(&want);
        sb_free(&got);
        dwarf_free(from);
        dwarf_free(to);
        dwarf_output_free(&o);
        assert_int_equal(m.live, 0);
        free(b);
    }
}

static uint64_t seed_of;
static uint32_t pick(uint32_t n) {
    seed_of = seed_of * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed_of >> 33) % n;
}

static void rows_come_back(void **st) {
    (void)st;
    for (uint64_t seed = 0; seed < 500; seed++) {
        seed_of = seed;
        Mem m;
        mem_init(&m, NULL);
        DwarfOutput o;
        dwarf_output_init(&o, &m);
        DwarfStr dirs[] = {{"/src", 4}, {"lib", 3}};
        DwarfOutFile files[] = {{{"a.c", 3}, 0, NULL}, {{"b.h", 3}, 1, NULL}};
        DwarfOutRow rows[60];
        uint32_t n = 1 + pick(60), at = 0;
        for (uint32_t i = 0; i < n; i++) {
            static const uint32_t steps[] = {1, 3, 17, 18, 33, 40, 300, 70000};
            rows[i] = (DwarfOutRow){at, pick(2), pick(8) ? 1 + pick(40) : pick(100000),
                                    pick(3) * pick(30), (uint8_t)pick(4)};
            at += steps[pick(8)];
        }
        uint32_t table = out_lines(&o, dirs, 2, files, 2);
        out_sequence(&o, (DwarfPiece){0, 0x500, at}, rows, n);
        out_lines_end(&o, table);
        dwarf_output_place(&o, 0);
        DwarfInput in;
        memset(&in, 0, sizeof in);
        in.s[DWARF_LINE] = (DwarfBytes){o.s[DWARF_LINE].p, o.s[DWARF_LINE].n};
        Dwarf *w = dwarf_open(&m, &in);
        DwUnit u = {.version = 5, .addr_size = 8, .off_size = 4, .has_lines = true};
        DwLines t;
        memset(&t, 0, sizeof t);
        assert_true(dw_lines_read(w, &u, &t));
        assert_int_equal(t.rows.n, n);
        assert_int_equal(t.sequences.n, 1);
        assert_int_equal(t.sequences.p[0].hi, 0x500 + at);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(t.rows.p[i].addr, 0x500 + rows[i].offset);
            assert_int_equal(t.rows.p[i].file, rows[i].file);
            assert_int_equal(t.rows.p[i].line, rows[i].line);
            assert_int_equal(t.rows.p[i].column, rows[i].column);
            assert_int_equal(t.rows.p[i].flags, rows[i].flags);
        }
        DwarfStr path = dw_lines_path(w, &u, &t, 1);
        assert_int_equal(path.n, strlen("/src/lib/b.h"));
        assert_memory_equal(path.p, "/src/lib/b.h", path.n);
        dw_lines_free(&m, &t);
        dwarf_free(w);
        dwarf_output_free(&o);
        assert_int_equal(m.live, 0);
    }
}

/* Ranges and places, of two bytes of expression, in a chunk, of a unit whose code begins in chunk `base`. */
static void put_lists(DwarfOutput *o, uint32_t base, uint32_t chunk, uint32_t by, uint32_t at[2]) {
    uint8_t expr[2] = {(uint8_t)by, 7};
    DwarfPiece p[2] = {{chunk, by, 5}, {chunk, 1000, by + 1}};
    at[0] = out_ranges(o, base, p, 2);
    DwarfLocList l = out_locs(o, base);
    out_loc(o, &l, p[0], expr, 2);
    out_loc(o, &l, p[1], expr, 1);
    at[1] = out_locs_end(o, &l);
}
static void equal_lists_are_there_once(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    DwarfOutput o;
    dwarf_output_init(&o, &m);
    uint32_t first[50][2], at[2];
    for (uint32_t i = 0; i < 50; i++) put_lists(&o, 0, 0, i, first[i]);
    uint32_t ranges = o.s[DWARF_RNGLISTS].n, places = o.s[DWARF_LOCLISTS].n;
    for (uint32_t i = 0; i < 50; i++) {
        put_lists(&o, 0, 0, i, at);
        assert_memory_equal(at, first[i], sizeof at);
        for (uint32_t k = 0; k < i; k++) assert_int_not_equal(first[k][0], at[0]);
    }
    assert_int_equal(o.s[DWARF_RNGLISTS].n, ranges);
    assert_int_equal(o.s[DWARF_LOCLISTS].n, places);
    for (uint32_t i = 0; i < 3;
         i++) { /* the same bytes, but of another unit's code; another chunk */
        put_lists(&o, i == 2 ? 0 : 1, 1, 7, at);
        assert_true(at[0] >= ranges && at[1] >= places);
        ranges = o.s[DWARF_RNGLISTS].n;
        places = o.s[DWARF_LOCLISTS].n;
    }
    dwarf_output_free(&o);
    assert_int_equal(m.live, 0);
}

static void equal_things_are_there_once(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    DwarfOutput o;
    dwarf_output_init(&o, &m);
    char name[16];
    uint32_t at[1000];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 1000; i++) {
            int n = snprintf(name, sizeof name, "x%u", i / 2);
            uint32_t s = out_string(&o, name, (uint32_t)n);
            assert_string_equal((char *)o.s[DWARF_STR].p + s, name);
            if (round) assert_int_equal(s, at[i]);
            at[i] = s;
            uint8_t abbrev[] = {0x34, 0, 3, (uint8_t)(i % 20), 0, 0};
            assert_int_equal(out_abbrev(&o, abbrev, sizeof abbrev), i % 20 + 1);
        }
    assert_int_equal(at[0], at[1]);
    assert_int_not_equal(at[0], at[2]);
    dwarf_output_free(&o);
    assert_int_equal(m.live, 0);
}

typedef struct Writing {
    Mem *m;
    const Machine *x;
    bool done;
} Writing;
static void write_it(void *arg) {
    Writing *q = arg;
    DwarfOutput o;
    dwarf_output_init(&o, q->m);
    dwarf_write_native(&q->x->n, &o);
    dwarf_output_free(&o);
    q->done = true;
}
static void out_of_memory(void **st) {
    (void)st;
    Db *b = malloc(sizeof *b);
    for (uint64_t seed = 0; seed < 10; seed++) {
        db_make(b, seed);
        Machine x;
        make_machine(&x, &b->in);
        for (uint64_t k = 1;; k++) {
            Mem m;
            mem_init(&m, NULL);
            m.fail_at = k;
            Writing q = {&m, &x, false};
            bool ok = mem_guard(&m, write_it, &q);
            assert_int_equal(ok, q.done);
            assert_true(!ok || m.live == 0);
            mem_release_all(&m);
            if (ok) break;
            assert_true(k < 2000);
        }
    }
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_becomes_native), cmocka_unit_test(rows_come_back),
        cmocka_unit_test(equal_things_are_there_once), cmocka_unit_test(equal_lists_are_there_once),
        cmocka_unit_test(out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
