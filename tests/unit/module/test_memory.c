/* Compiling functions allocates nothing once the contexts have grown: a second pass over all functions and adapters of a
 * module of random functions asks the system for no memory. And the code does not depend on the number of threads,
 * what is known of its places is what each function said. */
#include <stdlib.h>
#include "module/module.h"
#include "wasm/wb.h"

enum { NFUNCS = 150, MAX_DEPTH = 6 };
/* Every function: (i32, i64, f64) -> i32 with further locals; 0..5 are i32, 6..8 i64, 9..11 f64. */
typedef struct Gen {
    Wb *w;
    uint64_t seed;
    uint32_t depth, left;
} Gen;
static uint32_t pick(Gen *g, uint32_t n) {
    return (uint32_t)(rnd(&g->seed) % n);
}
static uint8_t local(Gen *g, uint8_t type) { /* 0x7F 0x7E 0x7C */
    static const uint8_t i32s[] = {0, 3, 4, 5, 6, 7}, i64s[] = {1, 8, 9}, f64s[] = {2, 10, 11};
    return type == WASM_I32   ? i32s[pick(g, 6)]
           : type == WASM_I64 ? i64s[pick(g, 3)]
                              : f64s[pick(g, 3)];
}
static void expr(Gen *g, uint8_t type, uint32_t depth) {
    static const uint8_t bin32[] = {0x6A, 0x6B, 0x6C, 0x6D, 0x70, 0x71,
                                    0x73, 0x74, 0x77, 0x48, 0x4F};
    static const uint8_t bin64[] = {0x7C, 0x7D, 0x7E, 0x7F, 0x83, 0x85, 0x88};
    static const uint8_t binf[] = {0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA6};
    Wb *w = g->w;
    if (depth == 0 || pick(g, 4) == 0) {
        if (pick(g, 2))
            WB(w, 0x20, local(g, type));
        else if (type == WASM_F64) {
            double x = (double)pick(g, 1000) / 7;
            WB(w, 0x44);
            wb_b(w, &x, 8);
        } else {
            WB(w, type == WASM_I32 ? 0x41 : 0x42);
            wb_s(w, (int32_t)rnd(&g->seed) >> pick(g, 31));
        }
        return;
    }
    switch (pick(g, 5)) {
    case 0: /* conversion */
        expr(g, type == WASM_F64 ? WASM_I32 : WASM_F64, depth - 1);
        if (type == WASM_F64)
            WB(w, 0xB7);
        else
            WB(w, 0xFC, type == WASM_I32 ? 2 : 6);
        return;
    case 1: /* load */
        expr(g, WASM_I32, depth - 1);
        WB(w, type == WASM_I32 ? 0x28 : type == WASM_I64 ? 0x29 : 0x2B, 0, (uint8_t)pick(g, 128));
        return;
    default:
        expr(g, type, depth - 1);
        expr(g, type, depth - 1);
        WB(w, type == WASM_I32   ? bin32[pick(g, sizeof bin32)]
              : type == WASM_I64 ? bin64[pick(g, sizeof bin64)]
                                 : binf[pick(g, sizeof binf)]);
    }
}
static void statements(Gen *g);
static void statement(Gen *g) {
    static const uint8_t types[] = {WASM_I32, WASM_I32, WASM_I64, WASM_F64};
    Wb *w = g->w;
    uint8_t type = types[pick(g, 4)];
    g->left--;
    switch (pick(g, 9)) {
    case 0: /* store */
        expr(g, WASM_I32, 2);
        expr(g, type, 3);
        WB(w, type == WASM_I32 ? 0x36 : type == WASM_I64 ? 0x37 : 0x39, 0, 8);
        break;
    case 1: /* call */
        expr(g, WASM_I32, 2);
        expr(g, WASM_I64, 2);
        expr(g, WASM_F64, 2);
        WB(w, 0x10);
        wb_u(w, pick(g, NFUNCS));
        WB(w, 0x21, local(g, WASM_I32));
        break;
    case 2:
    case 3:
        if (g->depth == MAX_DEPTH) break;
        if (pick(g, 2)) { /* block, loop */
            WB(w, pick(g, 3) ? 0x02 : 0x03, 0x40);
            g->depth++;
            statements(g);
        } else {
            expr(g, WASM_I32, 3);
            WB(w, 0x04, 0x40);
            g->depth++;
            statements(g);
            WB(w, 0x05);
            statements(g);
        }
        g->depth--;
        WB(w, 0x0B);
        break;
    case 4: /* br_if */
        expr(g, WASM_I32, 2);
        WB(w, 0x0D, (uint8_t)pick(g, g->depth + 1));
        break;
    case 5: /* a table in a block of its own */
        WB(w, 0x02, 0x40);
        expr(g, WASM_I32, 2);
        WB(w, 0x0E, 3, 0, (uint8_t)pick(g, g->depth + 2), 0, (uint8_t)pick(g, g->depth + 2), 0x0B);
        break;
    default: expr(g, type, 4); WB(w, 0x21, local(g, type));
    }
}
static void statements(Gen *g) {
    for (uint32_t n = 1 + pick(g, 8); n-- && g->left;) statement(g);
}

/* The outermost block has no result, so a branch to the function's end is one to a block around the body. */
static void random_module(Wb *w, uint64_t seed) {
    Gen g = {w, seed, 0, 0};
    wb_start(w);
    WB(w, 1, 0x60, 3, WASM_I32, WASM_I64, WASM_F64, 1, WASM_I32);
    wb_end(w, 1);
    wb_u(w, NFUNCS);
    for (int i = 0; i < NFUNCS; i++) WB(w, 0);
    wb_end(w, 3);
    WB(w, 1, 0, 1);
    wb_end(w, 5);
    VecU8 code = {0};
    leb_put_u64(&w->mem, &code, NFUNCS);
    for (int i = 0; i < NFUNCS; i++) {
        g.left = 1 + pick(&g, 1 + pick(&g, 300));
        WB(w, 3, 5, WASM_I32, 2, WASM_I64, 2, WASM_F64, 0x02, 0x40);
        while (g.left) statements(&g);
        WB(w, 0x0B, 0x20, 3, 0x0B);
        leb_put_u64(&w->mem, &code, w->sec.n);
        memcpy(vec_extend(&w->mem, &code, w->sec.n), w->sec.p, w->sec.n);
        vec_clear(&w->sec);
    }
    wb_b(w, code.p, code.n);
    vec_free(&w->mem, &code);
    wb_end(w, 10);
}

/* Translates and compiles everything; returns the bytes of code. */
static uint64_t pass(Wb *w, ClifBuilder *b, MachCtx *mach, const VmLayout *lay) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < NFUNCS + 2; i++) {
        MachCompiled c;
        if (i < NFUNCS) {
            if (!wasm_translate_func(w->t, &w->m, i, &w->tn, lay, &w->f, &w->d))
                fail_msg("function %u: %s", i, w->d.msg);
        } else {
            clif_func_clear(&w->f);
            (i == NFUNCS ? wasm_make_entry_adapter : wasm_make_host_adapter)(b, &w->f, &w->m, 0,
                                                                             &w->tn);
        }
        if (!mach_compile(mach, &w->f, &c, &w->d)) fail_msg("function %u: %s", i, w->d.msg);
        bytes += c.size;
    }
    return bytes;
}

static void nothing_is_allocated_after_warm_up(void **state) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        Wb w;
        wb_init(&w);
        random_module(&w, seed);
        if (!wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d))
            fail_msg("%s", w.d.msg);
        VmLayout lay = wasm_vm_layout(&w.m);
        ClifBuilder b;
        clif_builder_init(&b, &w.mem);
        const IsaVtable *isa = isa_lookup("x86_64");
        MachSettings set = {.preserve_frame_pointers = true,
                            .regalloc_algorithm = *(const uint8_t *)*state};
        MachCtx *mach = mach_ctx_new(&w.mem, isa, &set);
        uint64_t start = w.mem.allocs;
        uint64_t bytes = pass(&w, &b, mach, &lay);
        uint64_t warm = w.mem.allocs;
        assert_true(warm > start + 20); /* the counter counts */
        assert_true(bytes > 100000);
        assert_int_equal(pass(&w, &b, mach, &lay), bytes);
        assert_int_equal(w.mem.allocs, warm);
        mach_ctx_free(mach);
        clif_builder_free(&b);
        wasm_module_free(&w.m);
        wb_free(&w);
    }
}

static void same_map(const UnitMap *a, const UnitMap *b) {
    assert_true(a->index.n > 0);
    assert_int_equal(a->index.n, b->index.n);
    assert_memory_equal(a->index.p, b->index.p, a->index.n * sizeof *a->index.p);
    assert_int_equal(a->bytes.n, b->bytes.n);
    if (a->bytes.n) assert_memory_equal(a->bytes.p, b->bytes.p, a->bytes.n);
}

static void any_number_of_threads_gives_the_same_code(void **state) {
    Wb w;
    wb_init(&w);
    random_module(&w, 99);
    if (!wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d)) fail_msg("%s", w.d.msg);
    VmLayout lay = wasm_vm_layout(&w.m);
    MachSettings set = {.preserve_frame_pointers = true,
                        .regalloc_algorithm = *(const uint8_t *)*state};
    CodeUnit one, u;
    for (uint32_t threads = 1; threads <= 5; threads++) {
        CodeUnit *to = threads == 1 ? &one : &u;
        UnitOptions opt = {.threads = threads};
        unit_init(to, &w.mem, isa_lookup("x86_64"));
        if (!unit_compile_wasm(to, &w.m, &lay, &w.tn, &set, &opt, &w.d)) fail_msg("%s", w.d.msg);
        if (threads == 1) continue;
        assert_int_equal(u.code.n, one.code.n);
        assert_memory_equal(u.code.p, one.code.p, one.code.n);
        same_map(&u.traps, &one.traps);
        same_map(&u.locs, &one.locs);
        unit_free(&u);
    }
    unit_free(&one);
    wasm_module_free(&w.m);
    wb_free(&w);
}

/* What the unit knows of places in its code is what each function, compiled alone, says of its own. */
static void maps_are_those_of_the_functions(void **state) {
    Wb w;
    wb_init(&w);
    random_module(&w, 7);
    if (!wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d)) fail_msg("%s", w.d.msg);
    VmLayout lay = wasm_vm_layout(&w.m);
    MachSettings set = {.preserve_frame_pointers = true,
                        .regalloc_algorithm = *(const uint8_t *)*state};
    CodeUnit u;
    UnitOptions opt = {.threads = 2};
    unit_init(&u, &w.mem, isa_lookup("x86_64"));
    if (!unit_compile_wasm(&u, &w.m, &lay, &w.tn, &set, &opt, &w.d)) fail_msg("%s", w.d.msg);
    MachCtx *mach = mach_ctx_new(&w.mem, u.isa, &set);
    uint32_t traps = 0, found = 0;
    for (uint32_t i = 0; i < NFUNCS; i++) {
        MachCompiled c;
        uint32_t at = u.funcs.p[i].off;
        if (!wasm_translate_func(w.t, &w.m, i, &w.tn, &lay, &w.f, &w.d) ||
            !mach_compile(mach, &w.f, &c, &w.d))
            fail_msg("function %u: %s", i, w.d.msg);
        assert_int_equal(c.size, u.funcs.p[i].size);
        traps += c.num_traps;
        for (uint32_t k = 0; k < c.num_traps; k++)
            assert_int_equal(unit_find_trap(&u, at + c.traps[k].offset), c.traps[k].code);
        for (uint32_t k = 0, end = 0; k < c.num_srclocs; k++) {
            const MachSrcLoc *l = &c.srclocs[k];
            for (; end < l->start; end++) assert_int_equal(unit_find_loc(&u, at + end), CLIF_NONE);
            for (; end < l->end; end++) assert_int_equal(unit_find_loc(&u, at + end), l->loc);
        }
    }
    for (uint32_t at = 0; at < u.code.n; at++)
        found += unit_find_trap(&u, at) != (ClifTrap)CLIF_TRAP_NONE;
    assert_true(traps > NFUNCS);
    assert_true(found >= traps); /* and those of adapters */
    mach_ctx_free(mach);
    unit_free(&u);
    wasm_module_free(&w.m);
    wb_free(&w);
}

/* A function with one trap and one with none, whose maps have no bytes. */
static void a_single_trap(void **state) {
    Wb w;
    wb_init(&w);
    WB(&w, 1, 0x60, 0, 0);
    wb_end(&w, 1);
    WB(&w, 2, 0, 0);
    wb_end(&w, 3);
    WB(&w, 2, 2, 0, 0x0B, 3, 0, 0x00, 0x0B);
    wb_end(&w, 10);
    if (!wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d)) fail_msg("%s", w.d.msg);
    VmLayout lay = wasm_vm_layout(&w.m);
    MachSettings set = {.regalloc_algorithm = *(const uint8_t *)*state};
    CodeUnit u;
    UnitOptions opt = {.threads = 1};
    unit_init(&u, &w.mem, isa_lookup("x86_64"));
    if (!unit_compile_wasm(&u, &w.m, &lay, &w.tn, &set, &opt, &w.d)) fail_msg("%s", w.d.msg);
    const UnitFunc *f = &u.funcs.p[1];
    for (uint32_t at = 0; at < u.code.n; at++) {
        bool here = at >= f->off && at < f->off + f->size && u.code.p[at] == 0x0F &&
                    u.code.p[at + 1] == 0x0B; /* ud2 */
        if (here || at < f->off + f->size)
            assert_int_equal(unit_find_trap(&u, at), here ? VM_TRAP_UNREACHABLE : CLIF_TRAP_NONE);
    }
    unit_free(&u);
    wasm_module_free(&w.m);
    wb_free(&w);
}

static uint64_t asked; /* bytes */
static void *counting(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    if (new_size > old_size) asked += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

/* With a pool, the second compilation asks for little more than its result; its code is the same, also after one that failed. */
static void a_pool_keeps_the_contexts(void **state) {
    Wb w;
    wb_init(&w);
    random_module(&w, 11);
    assert_true(wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d));
    VmLayout lay = wasm_vm_layout(&w.m);
    MemHooks hooks = {counting, NULL};
    UnitPool pool;
    unit_pool_init(&pool);
    MachSettings set = {.preserve_frame_pointers = true,
                        .regalloc_algorithm = *(const uint8_t *)*state};
    UnitOptions opt = {.threads = 1, .hooks = &hooks, .pool = &pool};
    CodeUnit u[4];
    uint64_t cost[4];
    for (int i = 0; i < 4; i++) {
        unit_init(&u[i], &w.mem, isa_lookup("x86_64"));
        asked = 0;
        uint8_t *last = (uint8_t *)&w.out.p[w.out.n - 1], was = *last;
        if (i == 2) *last = 0xFF; /* the last function does not end */
        diag_clear(&w.d);
        assert_int_equal(unit_compile_wasm(&u[i], &w.m, &lay, &w.tn, &set, &opt, &w.d), i != 2);
        *last = was;
        cost[i] = asked;
    }
    assert_true(cost[1] * 4 < cost[0]);
    for (int i = 1; i < 4; i += 2) {
        assert_int_equal(u[i].code.n, u[0].code.n);
        assert_memory_equal(u[i].code.p, u[0].code.p, u[0].code.n);
    }
    for (int i = 0; i < 4; i++) unit_free(&u[i]);
    unit_pool_free(&pool);
    wasm_module_free(&w.m);
    wb_free(&w);
}

/* A function's code depends on its own choice of the allocator alone, up to the distances of its calls. */
static MachRegalloc every_third(void *user, uint32_t func) {
    (void)user;
    return func % 3 == 0   ? MACH_REGALLOC_BACKTRACKING
           : func % 3 == 1 ? MACH_REGALLOC_SINGLE_PASS
                           : MACH_REGALLOC_AS_SET;
}
static void each_function_has_its_allocator(void **state) {
    const uint8_t set_to = *(const uint8_t *)*state;
    Wb w;
    wb_init(&w);
    random_module(&w, 5);
    assert_true(wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d));
    VmLayout lay = wasm_vm_layout(&w.m);
    MachSettings set = {.preserve_frame_pointers = true, .regalloc_algorithm = set_to};
    CodeUnit u[4];
    for (uint32_t k = 0; k < 4; k++) { /* both, the setting, by function */
        UnitOptions opt = {.threads = 2,
                           .regalloc = k < 2 ? (MachRegalloc)(k + 1) : MACH_REGALLOC_AS_SET,
                           .regalloc_of = k == 3 ? every_third : NULL};
        unit_init(&u[k], &w.mem, isa_lookup("x86_64"));
        assert_true(unit_compile_wasm(&u[k], &w.m, &lay, &w.tn, &set, &opt, &w.d));
        assert_int_equal(u[k].fell_back.n, 0);
    }
    uint32_t differ = 0;
    for (uint32_t i = 0; i < NFUNCS; i++) {
        uint32_t how = i % 3 < 2 ? i % 3 : set_to;
        assert_int_equal(u[3].funcs.p[i].size, u[how].funcs.p[i].size);
        assert_int_equal(u[2].funcs.p[i].size, u[set_to].funcs.p[i].size);
        differ += u[0].funcs.p[i].size != u[1].funcs.p[i].size;
    }
    assert_true(differ > NFUNCS / 4);
    assert_true(u[0].ra.bundles > 0 && u[1].ra.bundles == 0);
    for (int k = 0; k < 4; k++) unit_free(&u[k]);
    wasm_module_free(&w.m);
    wb_free(&w);
}

int main(void) {
    static uint8_t algorithms[2] = {0, 1};
#define BOTH(test) \
    cmocka_unit_test_prestate(test, &algorithms[0]), cmocka_unit_test_prestate(test, &algorithms[1])
    const struct CMUnitTest tests[] = {
        BOTH(nothing_is_allocated_after_warm_up), BOTH(any_number_of_threads_gives_the_same_code),
        BOTH(maps_are_those_of_the_functions),    BOTH(a_single_trap),
        BOTH(a_pool_keeps_the_contexts),          BOTH(each_function_has_its_allocator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
