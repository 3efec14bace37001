/* Linear memories in both styles: growth and its limits, 4 GiB, address space that runs out; segments that are dropped;
 * code pages never writable and executable at once, and gone with their module; how much memory is used. */
#include <sys/resource.h>
#include "rt_test.h"

static Tm tm;
static const Tm *mems(uint8_t min, const uint8_t *max, size_t nmax) {
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "size", ":i", 0, 0x3F, 0);
    TM_FUNC(&tm, "grow", "i:i", 0, 0x20, 0, 0x40, 0);
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x2D, 0, 0); /* i32.load8_u */
    TM_FUNC(&tm, "store", "ii:", 0, 0x20, 0, 0x20, 1, 0x3A, 0, 0);
    TM_FUNC(&tm, "load32", "i:i", 0, 0x20, 0, 0x28, 0, 0);
    TM_FUNC(&tm, "far", "i:i", 0, 0x20, 0, 0x28, 0, 0xFF, 0xFF, 0xFF, 0xFF,
            0x0F); /* offset 2^32-1 */
    /* grow and use at once: the base must be read anew */
    TM_FUNC(&tm, "growuse", "ii:i", 0, 0x20, 0, 0x41, 9, 0x3A, 0, 0, 0x20, 1, 0x40, 0, 0x1A, 0x20,
            0, 0x2D, 0, 0);
    tm.mem[0] = 1;
    tm.mem[1] = max != NULL;
    tm.mem[2] = min;
    if (nmax) memcpy(tm.mem + 3, max, nmax);
    tm.nmem = 3 + nmax;
    tm.export_memory = true;
    tm_finish(&tm);
    return &tm;
}
#define MAX(...) TM_BYTES(__VA_ARGS__)

typedef struct Run {
    RtEngine *e;
    RtModule *m;
    RtStore *s;
    RtInstance *i;
    Diag d;
} Run;
static Run begin(const EngineConfig *c, const Tm *t) {
    Run r;
    diag_clear(&r.d);
    r.e = new_engine(c);
    r.m = new_module(r.e, t);
    r.s = rt_store_new(r.e);
    r.i = rt_instantiate(r.s, r.m, NULL, NULL, &r.d);
    return r;
}
static void end(Run *r) {
    rt_store_free(r->s);
    rt_module_free(r->m);
    rt_engine_free(r->e);
}
static uint32_t get(const Run *r, const char *f, uint64_t a, uint64_t b) {
    uint64_t v = 0;
    CHECK(call2(r->i, f, a, b, &v));
    return (uint32_t)v;
}
static void is_oob(const Run *r, const char *f, uint64_t a) {
    CHECK(trap_of(r->i, f, a, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
}

static void growth(bool checked) {
    EngineConfig c = test_config();
    c.rt.explicit_bounds = checked;
    Run r = begin(&c, mems(1, MAX(5)));
    CHECK(r.i && get(&r, "size", 0, 0) == 1);
    uint64_t size;
    const uint8_t *base = rt_instance_memory(r.i, &size);
    CHECK(size == 65536);
    is_oob(&r, "load", 65536);
    is_oob(&r, "load32", 65533);
    CHECK(get(&r, "load32", 65532, 0) == 0);
    CHECK(get(&r, "growuse", 100, 1) == 9 && get(&r, "size", 0, 0) == 2);
    CHECK(get(&r, "load", 65536, 0) == 0);
    is_oob(&r, "load", 131072);
    CHECK(get(&r, "grow", 0, 0) == 2);
    CHECK(get(&r, "grow", 4, 0) == UINT32_MAX); /* past the declared maximum */
    CHECK(get(&r, "grow", UINT32_MAX, 0) == UINT32_MAX);
    CHECK(get(&r, "grow", 65536, 0) == UINT32_MAX);
    CHECK(get(&r, "grow", 3, 0) == 2 && get(&r, "size", 0, 0) == 5);
    CHECK(get(&r, "grow", 1, 0) == UINT32_MAX && get(&r, "grow", 0, 0) == 5);
    CHECK(get(&r, "load", 100, 0) == 9);
    is_oob(&r, "load", 5 * 65536);
    is_oob(&r, "load", 0xFFFFFFFF);
    is_oob(&r, "far", 0);
    is_oob(&r, "far", 0xFFFFFFFF);
    const uint8_t *now = rt_instance_memory(r.i, &size);
    CHECK(size == 5 * 65536 && now[100] == 9);
    if (!checked) CHECK(now == base);
    end(&r);
}
static void growth_with_guard_pages(void) {
    growth(false);
}
static void growth_with_checks(void) {
    growth(true);
}

static void engine_limit(bool checked) {
    EngineConfig c = test_config();
    c.rt.explicit_bounds = checked;
    c.rt.max_memory = 3 * 65536 + 70000; /* four pages and a bit */
    Run r = begin(&c, mems(1, NULL, 0));
    CHECK(get(&r, "grow", 4, 0) == UINT32_MAX);
    CHECK(get(&r, "grow", 3, 0) == 1 && get(&r, "grow", 1, 0) == UINT32_MAX);
    end(&r);
    r = begin(&c, mems(5, NULL, 0));
    CHECK(!r.i && r.d.kind == DIAG_LIMIT && strstr(r.d.msg, "5 pages"));
    end(&r);
}
static void limits_of_the_engine(void) {
    engine_limit(false);
    engine_limit(true);
}

static void four_gib(bool checked) {
    EngineConfig c = test_config();
    c.rt.explicit_bounds = checked;
    Run r = begin(&c, mems(0, NULL, 0));
    is_oob(&r, "load", 0);
    CHECK(get(&r, "grow", 65537, 0) == UINT32_MAX);
    CHECK(get(&r, "grow", 65535, 0) == 0 && get(&r, "grow", 2, 0) == UINT32_MAX);
    is_oob(&r, "load", 0xFFFF0000u);
    CHECK(get(&r, "grow", 1, 0) == 65535 && get(&r, "grow", 1, 0) == UINT32_MAX);
    CHECK(get(&r, "size", 0, 0) == 65536);
    CHECK(call2(r.i, "store", 0xFFFFFFFF, 77, NULL) && get(&r, "load", 0xFFFFFFFF, 0) == 77);
    CHECK(get(&r, "load32", 0xFFFFFFFC, 0) == 77u << 24);
    is_oob(&r, "load32", 0xFFFFFFFD);
    is_oob(&r, "far", 1);
    uint64_t size;
    rt_instance_memory(r.i, &size);
    CHECK(size == (uint64_t)1 << 32);
    end(&r);
}
static void four_gib_memories(void) {
    four_gib(false);
    four_gib(true);
}

/* ---- address space ---- */
static long status_kb(const char *what) {
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long v = -1;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0) v = atol(line + strlen(what));
    if (f) fclose(f);
    return v;
}
#ifndef COT_SANITIZED
static void limit_as(long more_mb) {
    rlim_t to = (rlim_t)(status_kb("VmSize:") / 1024 + more_mb) << 20;
    CHECK(!setrlimit(RLIMIT_AS, &(struct rlimit){to, to}));
}
#endif

static void falls_back_to_checks(void) {
#ifndef COT_SANITIZED
    limit_as(256);
    EngineConfig c = test_config();
    Run r = begin(&c, mems(1, NULL, 0));
    CHECK(r.i && !rt_engine_has_guards(r.e));
    CHECK(!rt_memory_guarded(r.i->memories[0]));
    is_oob(&r, "load", 65536);
    is_oob(&r, "far", 0);
    CHECK(get(&r, "grow", 160, 0) == 1); /* 10 MiB */
    CHECK(get(&r, "load", 161 * 65536 - 1, 0) == 0);
    CHECK(get(&r, "grow", 16384, 0) ==
          UINT32_MAX); /* 1 GiB: the system says no, the program goes on */
    CHECK(get(&r, "size", 0, 0) == 161);
    is_oob(&r, "load", 161 * 65536);
    end(&r);
#endif
}
static void a_reservation_that_fails_later(void) {
#ifndef COT_SANITIZED
    EngineConfig c = test_config();
    Run r = begin(&c, mems(1, NULL, 0));
    CHECK(r.i && rt_engine_has_guards(r.e));
    limit_as(64);
    Diag d;
    diag_clear(&d);
    CHECK(!rt_instantiate(r.s, r.m, NULL, NULL, &d) && d.kind == DIAG_OOM);
    CHECK(get(&r, "grow", 1, 0) == 1);
    end(&r);
#endif
}

/* ---- segments ---- */
static void dropped_segments(void) {
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "init", "i:", 0, 0x41, 0, 0x41, 0, 0x20, 0, 0xFC, 8, 0, 0);
    TM_FUNC(&tm, "drop", ":", 0, 0xFC, 9, 0);
    TM_FUNC(&tm, "tinit", "i:", 0, 0x41, 0, 0x41, 0, 0x20, 0, 0xFC, 12, 0, 0);
    TM_FUNC(&tm, "tdrop", ":", 0, 0xFC, 13, 0);
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x2D, 0, 0);
    TM_SET(&tm, mem, 1, 0, 1);
    TM_SET(&tm, table, 1, 0x70, 0, 4);
    TM_SET(&tm, elems, 1, 1, 0, 2, 0, 1);
    TM_SET(&tm, datas, 1, 1, 4, 'a', 'b', 'c', 'd');
    tm_finish(&tm);
    EngineConfig c = test_config();
    Run r = begin(&c, &tm);
    Diag d;
    diag_clear(&d);
    RtInstance *second = rt_instantiate(r.s, r.m, NULL, NULL, &d); /* drops are per instance */
    CHECK(r.i && second);
    CHECK(call2(r.i, "init", 4, 0, NULL) && get(&r, "load", 3, 0) == 'd');
    CHECK(trap_of(r.i, "init", 5, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(call2(r.i, "drop", 0, 0, NULL) && call2(r.i, "drop", 0, 0, NULL));
    CHECK(call2(r.i, "init", 0, 0, NULL));
    CHECK(trap_of(r.i, "init", 1, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(call2(second, "init", 4, 0, NULL));
    CHECK(call2(r.i, "tinit", 2, 0, NULL) && r.i->tables[0]->vm.elems[1]);
    CHECK(trap_of(r.i, "tinit", 3, 0) == VM_TRAP_TABLE_OUT_OF_BOUNDS);
    CHECK(call2(r.i, "tdrop", 0, 0, NULL) && call2(r.i, "tinit", 0, 0, NULL));
    CHECK(trap_of(r.i, "tinit", 1, 0) == VM_TRAP_TABLE_OUT_OF_BOUNDS);
    CHECK(call2(second, "tinit", 2, 0, NULL));
    end(&r);
}

/* ---- code memory ---- */
/* Permissions of the mapping that holds p ("----" if none); *wx: mappings that are writable and executable. */
static void maps(const void *p, char perms[5], unsigned *wx) {
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f);
    char line[512], pm[8];
    unsigned long lo, hi;
    memcpy(perms, "----", 5);
    *wx = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx %4s", &lo, &hi, pm) != 3) continue;
        if (pm[1] == 'w' && pm[2] == 'x') ++*wx;
        if ((unsigned long)(uintptr_t)p >= lo && (unsigned long)(uintptr_t)p < hi)
            memcpy(perms, pm, 5);
    }
    fclose(f);
}
static void code_is_never_writable_and_executable(void) {
    EngineConfig c = test_config();
    Run r = begin(&c, mems(1, NULL, 0));
    char perms[5];
    unsigned wx;
    const RtBlob *b = &r.m->blob;
    for (size_t at = 0; at < b->mapped; at += IMG_PAGE) {
        bool code = at >= r.m->img.h->code_off && at < b->size;
        maps(b->base + at, perms, &wx);
        CHECK(strncmp(perms, code ? "r-x" : "r--", 3) == 0 && wx == 0);
    }
    maps(r.i->memories[0]->vm.base, perms, &wx);
    CHECK(strncmp(perms, "rw-", 3) == 0);
    maps(r.i->memories[0]->vm.base + 65536, perms, &wx);
    CHECK(strncmp(perms, "---p", 4) == 0);
    maps(r.i->memories[0]->vm.base + RT_STATIC_RESERVE - 1, perms, &wx);
    CHECK(strncmp(perms, "---p", 4) == 0);
    const uint8_t *code = r.m->img.code;
    end(&r);
    maps(code, perms, &wx);
    CHECK(strncmp(perms, "r-x", 3) != 0 && wx == 0);
}

static void nothing_stays_behind(void) {
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    mems(2, NULL, 0);
    long size = 0, rss = 0;
    for (int k = 0; k < 400; k++) {
        RtModule *m = new_module(e, &tm);
        RtStore *s = rt_store_new(e);
        Diag d;
        diag_clear(&d);
        RtInstance *i = rt_instantiate(s, m, NULL, NULL, &d);
        CHECK(i && call2(i, "store", 100000, 1, NULL));
        rt_module_free(m);
        rt_store_free(s);
        if (k == 100) {
            size = status_kb("VmSize:");
            rss = status_kb("VmRSS:");
        }
    }
#ifndef COT_SANITIZED
    CHECK(status_kb("VmSize:") - size < 1024);
    CHECK(status_kb("VmRSS:") - rss < 1024);
#else
    (void)size;
    (void)rss;
#endif
    rt_engine_free(e);
}
/* A memory costs what is touched of it, not what is reserved or declared. */
static void memory_is_paid_when_touched(void) {
    EngineConfig c = test_config();
    Run r = begin(&c, mems(100, NULL, 0));
    long before = status_kb("VmRSS:");
    CHECK(get(&r, "grow", 60000, 0) == 100);
    for (unsigned p = 0; p < 64; p++) CHECK(call2(r.i, "store", p * 4096, 1, NULL));
    long kb = status_kb("VmRSS:") - before;
    printf("# 64 touched pages of a 3.7 GiB memory: %ld KiB more in use\n", kb);
#ifndef COT_SANITIZED
    CHECK(kb < 2048);
#endif
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(growth_with_guard_pages), RT_TEST(growth_with_checks),
        RT_TEST(limits_of_the_engine),    RT_TEST(four_gib_memories),
        RT_TEST(falls_back_to_checks),    RT_TEST(a_reservation_that_fails_later),
        RT_TEST(dropped_segments),        RT_TEST(code_is_never_writable_and_executable),
        RT_TEST(nothing_stays_behind),    RT_TEST(memory_is_paid_when_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
