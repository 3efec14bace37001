/* Executable memory: each kind of relocation reaches its routine, however far away; errors leave nothing mapped; pages
 * are never writable and executable at once. */
#include "cm.h"
#include <stdio.h>
#include <string.h>
#include "jit/jit.h"

static int hit;
static int routine(int x) {
    hit++;
    return x * 3;
}
static const void *give(void *user, ClifLibCall call) {
    (void)user;
    return call == CLIF_LIBCALL_MEMCPY ? NULL : (const void *)(uintptr_t)routine;
}

static Mem mem;
static CodeUnit unit;
static void begin(void) {
    mem_init(&mem, NULL);
    unit_init(&unit, &mem, NULL);
}
static void end(void) {
    unit_free(&unit);
    assert_int_equal(mem.live, 0);
}
/* Code that passes its argument on to the libcall; at: where the field is. */
static uint32_t put(const uint8_t *code, size_t n, uint32_t at, MachRelocKind kind,
                    ClifLibCall call, int64_t addend) {
    uint32_t off = unit.code.n;
    memcpy(vec_extend(&mem, &unit.code, n), code, n);
    vec_push(&mem, &unit.relocs, (UnitReloc){off + at, (uint8_t)kind, (uint8_t)call, addend});
    return off;
}
static const uint8_t by_call[] = {0x48, 0x83, 0xEC, 8, 0xE8, 0, 0, 0, 0, 0x48, 0x83, 0xC4, 8, 0xC3},
                     by_got[] = {0x48, 0x8B, 0x05, 0, 0, 0, 0, 0xFF, 0xE0},
                     by_abs[] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0};

typedef int (*Fn)(int);
static int run(const JitCode *c, uint32_t off, int x) {
    Fn f;
    const uint8_t *p = c->base + off;
    memcpy(&f, &p, sizeof f);
    return f(x);
}
static void perms_of(const void *p, char out[5]) {
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512], pm[8];
    unsigned long lo, hi;
    memcpy(out, "none", 5);
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "%lx-%lx %4s", &lo, &hi, pm) == 3 && (uintptr_t)p >= lo &&
            (uintptr_t)p < hi)
            memcpy(out, pm, 5);
    if (f) fclose(f);
}

static void relocations_reach_their_routine(void **st) {
    (void)st;
    begin();
    uint32_t a =
        put(by_call, sizeof by_call, 5, MACH_RELOC_X86_CALL_PCREL4, CLIF_LIBCALL_CEIL_F32, -4);
    uint32_t b =
        put(by_call, sizeof by_call, 5, MACH_RELOC_X86_CALL_PLT, CLIF_LIBCALL_FLOOR_F32, -4);
    uint32_t c = put(by_got, sizeof by_got, 3, MACH_RELOC_X86_GOTPCREL4, CLIF_LIBCALL_CEIL_F32, -4);
    uint32_t d = put(by_abs, sizeof by_abs, 2, MACH_RELOC_ABS8, CLIF_LIBCALL_MEMSET, 0);
    for (int filler = 0; filler < 5000; filler++)
        vec_push(&mem, &unit.code, 0xCC); /* other pages */
    uint32_t e = put(by_call, sizeof by_call, 5, MACH_RELOC_X86_PCREL4, CLIF_LIBCALL_CEIL_F32, -4);
    JitCode code;
    Diag dg;
    diag_clear(&dg);
    assert_true(jit_map(&code, &unit, give, NULL, &dg));
    const uint32_t at[] = {a, b, c, d, e};
    for (int k = 0; k < 5; k++) assert_int_equal(run(&code, at[k], 10 + k), 3 * (10 + k));
    assert_int_equal(hit, 5);
    assert_int_equal(code.size,
                     ((unit.code.n + 15) & ~15u) + 2 * 16); /* one stub per routine that needs it */
    char p[5];
    for (size_t k = 0; k < code.mapped; k += 4096) {
        perms_of(code.base + k, p);
        assert_string_equal(p, "r-xp");
    }
    const void *was = code.base;
    jit_unmap(&code);
    assert_null(code.base);
    jit_unmap(&code); /* nothing to do */
    perms_of(was, p);
    assert_string_not_equal(p, "r-xp");
    end();
}

static void an_unknown_routine_is_named(void **st) {
    (void)st;
    begin();
    put(by_call, sizeof by_call, 5, MACH_RELOC_X86_CALL_PCREL4, CLIF_LIBCALL_MEMCPY, -4);
    JitCode code;
    Diag d;
    diag_clear(&d);
    assert_false(jit_map(&code, &unit, give, NULL, &d));
    assert_int_equal(d.kind, DIAG_LINK);
    assert_non_null(strstr(d.msg, "memcpy"));
    assert_null(code.base);
    end();
}

static void a_relocation_for_another_machine_is_refused(void **st) {
    (void)st;
    begin();
    put(by_call, sizeof by_call, 5, MACH_RELOC_ARM64_CALL, CLIF_LIBCALL_CEIL_F32, 0);
    JitCode code;
    Diag d;
    diag_clear(&d);
    assert_false(jit_map(&code, &unit, give, NULL, &d));
    assert_int_equal(d.kind, DIAG_LINK);
    assert_null(code.base);
    end();
}

static void an_empty_unit_maps(void **st) {
    (void)st;
    begin();
    JitCode code;
    Diag d;
    diag_clear(&d);
    assert_true(jit_map(&code, &unit, give, NULL, &d));
    jit_unmap(&code);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relocations_reach_their_routine),
        cmocka_unit_test(an_unknown_routine_is_named),
        cmocka_unit_test(a_relocation_for_another_machine_is_refused),
        cmocka_unit_test(an_empty_unit_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
