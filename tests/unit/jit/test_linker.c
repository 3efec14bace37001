/* The linker of functions and data: calls in both directions, to the host, data of both kinds, taking definitions back and
 * reusing their pages, what is executable and writable, errors that change nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cm.h"
#include "jit/linker.h"

typedef struct Fix {
    Mem mem;
    JitLinker *l;
    Diag d;
    int resolved;
} Fix;

static int host_twice(int x) {
    return 2 * x;
}
static void *resolve(void *user, const char *name) {
    ((Fix *)user)->resolved++;
    int (*fn)(int) = host_twice;
    void *p = NULL;
    if (strcmp(name, "host_twice") == 0) memcpy(&p, &fn, sizeof p);
    return p;
}
static void begin(Fix *x, size_t reserve) {
    memset(x, 0, sizeof *x);
    mem_init(&x->mem, NULL);
    diag_clear(&x->d);
    JitLinkerConfig cfg = {.reserve = reserve, .resolve = resolve, .user = x};
    x->l = jit_linker_new(&x->mem, &cfg, &x->d);
    assert_non_null(x->l);
}
static void end(Fix *x) {
    jit_linker_free(x->l);
    assert_int_equal(x->mem.live, 0);
}
static LinkSym sym(Fix *x, const char *name) {
    return linkable_symbol(jit_linkable(x->l), name, strlen(name));
}
static MachReloc call_of(uint32_t at, LinkSym s) {
    return (MachReloc){.offset = at,
                       .kind = MACH_RELOC_X86_CALL_PCREL4,
                       .addend = -4,
                       .name = {CLIF_NAME_USER, 0, s}};
}
static bool define(Fix *x, LinkSym s, const char *code, uint32_t n, const MachReloc *r,
                   uint32_t nr) {
    MachCompiled c = {
        .code = (const uint8_t *)code, .size = n, .alignment = 16, .relocs = r, .num_relocs = nr};
    diag_clear(&x->d);
    LinkCode in = {.code = &c};
    return linkable_define_func(jit_linkable(x->l), s, &in, &x->d);
}
static bool data(Fix *x, LinkSym s, const char *bytes, size_t size, uint32_t align, LinkKind kind,
                 const LinkAddress *a) {
    LinkData t = {.bytes = (const uint8_t *)bytes,
                  .size = size,
                  .align = align,
                  .kind = (uint8_t)kind,

                  .addresses = a,
                  .naddresses = a != NULL};
    diag_clear(&x->d);
    return jit_define_data(x->l, s, &t, &x->d);
}
typedef int Fn(int);
static int run(Fix *x, LinkSym s, int arg) {
    Fn *fn;
    void *p = jit_symbol_address(x->l, s);
    assert_non_null(p);
    memcpy(&fn, &p, sizeof fn);
    return fn(arg);
}
/* add1: lea 1(%rdi), %eax; ret.  via: jmp rel32 */
#define ADD1 "\x8d\x47\x01\xc3"
#define JUMP "\xe9\0\0\0\0"

static void calls_in_all_directions(void **state) {
    (void)state;
    Fix x;
    begin(&x, 0);
    LinkSym a = sym(&x, "add1"), b = sym(&x, "via"), h = sym(&x, "host_twice"),
            c = sym(&x, "to_host");
    assert_int_equal(sym(&x, "via"), b);
    assert_string_equal(linkable_at(jit_linkable(x.l), h)->name, "host_twice");
    MachReloc ra = call_of(1, a), rh = call_of(1, h), rb = call_of(1, b);
    assert_true(define(&x, b, JUMP, 5, &ra, 1)); /* before its target is defined */
    assert_true(define(&x, c, JUMP, 5, &rh, 1));
    assert_true(define(&x, a, ADD1, 4, NULL, 0));
    assert_null(jit_symbol_address(x.l, a));
    assert_true(jit_link(x.l, &x.d));
    assert_int_equal(run(&x, b, 41), 42);
    assert_int_equal(run(&x, c, 21), 42);
    assert_int_equal(x.resolved, 1);
    LinkSym e = sym(&x, "later"); /* a second link reaches the first one's code */
    assert_true(define(&x, e, JUMP, 5, &rb, 1));
    assert_true(jit_link(x.l, &x.d));
    assert_int_equal(run(&x, e, 1), 2);
    assert_false(define(&x, a, ADD1, 4, NULL, 0));
    assert_non_null(strstr(x.d.msg, "'add1' is defined already"));
    end(&x);
}

static void data_has_its_protection(void **state) {
    (void)state;
    Fix x;
    begin(&x, 0);
    LinkSym f = sym(&x, "f"), k = sym(&x, "constant"), v = sym(&x, "variable");
    assert_true(define(&x, f, ADD1, 4, NULL, 0));
    LinkAddress outside = {17, 0, f}, of_f = {8, 2, f}, of_v = {8, 0, v};
    assert_true(data(&x, k, "0123456789abcdef", 16, 16, LINK_CONST, &of_v));
    assert_false(data(&x, v, NULL, 24, 8, LINK_DATA, &outside));
    assert_true(data(&x, v, NULL, 24, 8, LINK_DATA, &of_f));
    assert_true(jit_link(x.l, &x.d));
    uint8_t *pf = jit_symbol_address(x.l, f), *pk = jit_symbol_address(x.l, k),
            *pv = jit_symbol_address(x.l, v), *q;
    memcpy(&q, pv + 8, 8);
    assert_ptr_equal(q, pf + 2);
    memcpy(&q, pk + 8, 8);
    assert_ptr_equal(q, pv);
    pv[0] = 7;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int seen = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        uintptr_t lo = strtoull(line, NULL, 16), hi = strtoull(strchr(line, '-') + 1, NULL, 16);
        const char *prot = strchr(line, ' ') + 1;
        assert_false(prot[1] == 'w' && prot[2] == 'x');
#define IN(p) ((uintptr_t)(p) >= lo && (uintptr_t)(p) < hi)
        if (IN(pf)) seen += strncmp(prot, "r-x", 3) == 0;
        if (IN(pk)) seen += strncmp(prot, "r--", 3) == 0;
        if (IN(pv)) seen += strncmp(prot, "rw-", 3) == 0;
    }
    if (maps) fclose(maps);
    assert_int_equal(seen, 3);
    end(&x);
}

static void pages_are_reused(void **state) {
    (void)state;
    Fix x;
    begin(&x, 64 * 4096);
    uint64_t rng = 5;
    enum { N = 40 };
    LinkSym s[N];
    bool live[N] = {false};
    char name[8];
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "f%d", i);
        s[i] = sym(&x, name);
    }
    for (int step = 0; step < 20000; step++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        int i = (int)(rng >> 33) % N;
        if (live[i]) {
            assert_int_equal(run(&x, s[i], step), step + 1);
            jit_undefine(x.l, s[i]);
            assert_null(jit_symbol_address(x.l, s[i]));
        } else {
            assert_true(define(&x, s[i], ADD1, 4, NULL, 0));
            if (rng >> 60 < 4) { /* taken back before it was linked */
                jit_undefine(x.l, s[i]);
                continue;
            }
            assert_true(jit_link(x.l, &x.d));
        }
        live[i] = !live[i];
    }
    end(&x);
}

static void failures_change_nothing(void **state) {
    (void)state;
    Fix x;
    begin(&x, 8 * 4096);
    LinkSym a = sym(&x, "a"), missing = sym(&x, "missing"), big = sym(&x, "big");
    MachReloc r = call_of(1, missing), none = call_of(1, 99);
    assert_true(define(&x, a, JUMP, 5, &r, 1));
    assert_false(jit_link(x.l, &x.d));
    assert_non_null(strstr(x.d.msg, "symbol 'missing' is not defined"));
    assert_null(jit_symbol_address(x.l, a));
    assert_true(define(&x, missing, ADD1, 4, NULL, 0));
    assert_true(jit_link(x.l, &x.d));
    assert_int_equal(run(&x, a, 8), 9);
    LinkSym b = sym(&x, "b");
    assert_false(define(&x, b, JUMP, 5, &none, 1));
    assert_non_null(strstr(x.d.msg, "no symbol"));
    assert_true(data(&x, big, NULL, 8 * 4096, 8, LINK_DATA, NULL));
    assert_false(jit_link(x.l, &x.d));
    assert_int_equal(x.d.kind, DIAG_LIMIT);
    jit_undefine(x.l, big);
    assert_true(define(&x, b, ADD1, 4, NULL, 0));
    assert_true(jit_link(x.l, &x.d));
    assert_false(data(&x, big, NULL, 8, 3, LINK_DATA, NULL));
    assert_false(data(&x, big, NULL, 8, 8192, LINK_DATA, NULL));
    assert_false(data(&x, big, NULL, 8 * 4096 + 1, 8, LINK_DATA, NULL));
    assert_int_equal(x.d.kind, DIAG_LIMIT);
    assert_false(data(&x, big, NULL, 8, 8, LINK_TLS, NULL));
    assert_int_equal(x.d.kind, DIAG_UNSUPPORTED);
    JitLinkerConfig too_much = {.reserve = (size_t)2 << 30};
    assert_null(jit_linker_new(&x.mem, &too_much, &x.d));
    end(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_in_all_directions), cmocka_unit_test(data_has_its_protection),
        cmocka_unit_test(pages_are_reused), cmocka_unit_test(failures_change_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
