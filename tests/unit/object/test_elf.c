/* ELF files by hand-made code: what is refused and why, what relaxations make of instructions, unwinding entries for steps of every
 * size, tables of a shared library for many symbols. */
#include <stdio.h>
#include "cm.h"
#include "object/cfi.h"
#include "object/object.h"

typedef struct Fix {
    Mem mem;
    Linkable k;
    Diag d;
    VecU8 out;
    ObjectOptions o;
} Fix;
static void begin(Fix *x, ObjectKind kind) {
    memset(x, 0, sizeof *x);
    mem_init(&x->mem, NULL);
    linkable_init(&x->k, &x->mem, &isa_x64);
    diag_clear(&x->d);
    x->o.kind = kind;
}
static void end(Fix *x) {
    linkable_free(&x->k);
    vec_free(&x->mem, &x->out);
    assert_int_equal(x->mem.live, 0);
}
static LinkSym sym(Fix *x, const char *name) {
    return linkable_symbol(&x->k, name, strlen(name));
}
static LinkSym code(Fix *x, const char *name, const char *bytes, uint32_t n, uint32_t at,
                    MachRelocKind kind, LinkSym target) {
    MachReloc r = {
        .offset = at, .kind = (uint8_t)kind, .addend = -4, .name = {CLIF_NAME_USER, 0, target}};
    MachCompiled c = {.code = (const uint8_t *)bytes,
                      .size = n,
                      .alignment = 16,
                      .relocs = &r,
                      .num_relocs = target != LINK_NO_SYM};
    LinkCode in = {.code = &c};
    LinkSym s = sym(x, name);
    assert_true(linkable_define_func(&x->k, s, &in, &x->d));
    return s;
}
static bool write(Fix *x) {
    vec_clear(&x->out);
    diag_clear(&x->d);
    return object_write(object_format("elf"), &x->k, &x->o, &x->out, &x->d);
}
static void refused(Fix *x, DiagKind kind, const char *why) {
    assert_false(write(x));
    assert_int_equal(x->d.kind, kind);
    assert_string_equal(x->d.msg, why);
    end(x);
}
static uint64_t word(const uint8_t *p, unsigned n) {
    uint64_t v = 0;
    while (n--) v = v << 8 | p[n];
    return v;
}
/* The section of that name. */
static const uint8_t *section(const Fix *x, const char *name, uint64_t *size, uint64_t *address) {
    const uint8_t *f = x->out.p, *h = f + word(f + 40, 8);
    const uint8_t *names = h + 64 * word(f + 62, 2);
    for (unsigned i = 0; i < word(f + 60, 2); i++, h += 64) {
        if (strcmp((const char *)f + word(names + 24, 8) + word(h, 4), name)) continue;
        *size = word(h + 32, 8);
        *address = word(h + 16, 8);
        return f + word(h + 24, 8);
    }
    fail_msg("no section %s", name);
    return NULL;
}
#define CALL "\xe8\0\0\0\0\xc3"
#define CALL_GOT "\xff\x15\0\0\0\0\xc3"
#define JUMP_GOT "\xff\x25\0\0\0\0\xc3"
#define MOV_GOT "\x48\x8b\x05\0\0\0\0\xc3"
#define LEA "\x48\x8d\x05\0\0\0\0\xc3"
#define MOVABS "\x48\xb8\0\0\0\0\0\0\0\0\xc3"

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    Fix x;
    begin(&x, OBJECT_SHARED);
    code(&x, "f", MOVABS, 11, 2, MACH_RELOC_ABS8, sym(&x, "g"));
    refused(&x, DIAG_LINK, "'f' refers to 'g' by its absolute address; the setting is_pic is off");
    begin(&x, OBJECT_SHARED);
    code(&x, "f", LEA, 8, 3, MACH_RELOC_X86_PCREL4, sym(&x, "g"));
    refused(&x, DIAG_LINK, "'f' refers to 'g' as colocated, which is elsewhere");
    begin(&x, OBJECT_SHARED);
    code(&x, "f", LEA, 8, 3, MACH_RELOC_X86_PCREL4, code(&x, "g", "\xc3", 1, 0, 0, LINK_NO_SYM));
    linkable_declared(&x.k, sym(&x, "g"))->binding = LINK_WEAK;
    refused(&x, DIAG_LINK, "'f' refers to 'g' as colocated, which is elsewhere");
    begin(&x, OBJECT_SHARED);
    code(&x, "f", CALL, 6, 1, MACH_RELOC_X86_CALL_PCREL4, sym(&x, "g"));
    linkable_declared(&x.k, sym(&x, "g"))->binding = LINK_HIDDEN;
    refused(&x, DIAG_LINK, "symbol 'g' is hidden and not defined");
    begin(&x, OBJECT_RELOCATABLE);
    code(&x, "f", CALL, 6, 1, MACH_RELOC_X86_CALL_PCREL4, sym(&x, "g"));
    linkable_declared(&x.k, sym(&x, "g"))->binding = LINK_LOCAL;
    refused(&x, DIAG_LINK, "symbol 'g' is local and not defined");
    for (int kind = 0; kind < 2; kind++) {
        begin(&x, (ObjectKind)kind);
        code(&x, "f", CALL, 6, 1, MACH_RELOC_COFF_X86_SECREL, sym(&x, "g"));
        refused(&x, DIAG_LINK,
                kind ? "'f' refers to 'g' in a way that a shared library does not have"
                     : "'f' needs a relocation that ELF does not have");
    }
    for (int kind = 0; kind < 2; kind++) { /* 3 GiB of zeros are no problem where nothing is near */
        begin(&x, (ObjectKind)kind);
        LinkData zeros = {.size = (uint64_t)3 << 30, .align = 16, .kind = LINK_DATA};
        assert_true(linkable_define_data(&x.k, sym(&x, "zeros"), &zeros, &x.d));
        if (kind) {
            refused(&x, DIAG_LIMIT, "more than 2 GiB of code and data");
            continue;
        }
        assert_true(write(&x));
        end(&x);
    }
    assert_null(object_format("a.out"));
    ObjectTarget t;
    diag_clear(&x.d);
    assert_true(object_target("x86_64-alpine-linux-musl", &t, &x.d));
    assert_null(t.math_library);
    assert_true(object_target("x86_64", &t, &x.d));
    assert_string_equal(t.math_library, "libm.so.6");
    assert_false(object_target("x86_64-windows", &t, &x.d));
    diag_clear(&x.d);
    assert_true(object_target("-linux", &t, &x.d) == (isa_host() != NULL));
}

/* References through the table to what is here become direct ones. */
static void tables_are_avoided(void **state) {
    (void)state;
    static const struct {
        const char *code, *want;
        uint32_t n, at, field, bias;
        MachRelocKind kind;
    } rows[] = {
        {CALL, "\xe8", 6, 1, 1, 5, MACH_RELOC_X86_CALL_PCREL4},
        {CALL_GOT, "\x67\xe8", 7, 2, 2, 6, MACH_RELOC_X86_GOTPCREL4},
        {JUMP_GOT, "\xe9", 7, 2, 1, 5, MACH_RELOC_X86_GOTPCREL4},
        {MOV_GOT, "\x48\x8d\x05", 8, 3, 3, 7, MACH_RELOC_X86_MOV_GOTPCREL4},
        {LEA, "\x48\x8d\x05", 8, 3, 3, 7, MACH_RELOC_X86_PCREL4},
    };
    for (unsigned r = 0; r < sizeof rows / sizeof *rows; r++) {
        Fix x;
        uint64_t size, address;
        begin(&x, OBJECT_SHARED);
        code(&x, "pad", "\xc3", 1, 0, 0, LINK_NO_SYM);
        code(&x, "f", rows[r].code, rows[r].n, rows[r].at, rows[r].kind, sym(&x, "g"));
        code(&x, "g", "\xc3", 1, 0, 0, LINK_NO_SYM);
        linkable_declared(&x.k, sym(&x, "g"))->binding = LINK_HIDDEN;
        assert_true(write(&x));
        const uint8_t *f = section(&x, ".text", &size, &address) + 16;
        assert_memory_equal(f, rows[r].want, strlen(rows[r].want));
        assert_int_equal((int32_t)word(f + rows[r].field, 4), 16 - (int)rows[r].bias);
        end(&x);
    }
}

/* Names of a shared library are found by its hash table as the loader does it. */
static bool lookup(const Fix *x, const char *name) {
    uint64_t n, a;
    const uint8_t *h = section(x, ".gnu.hash", &n, &a), *syms = section(x, ".dynsym", &n, &a),
                  *strings = section(x, ".dynstr", &n, &a);
    uint64_t buckets = word(h, 4), first = word(h + 4, 4), words = word(h + 8, 4),
             shift = word(h + 12, 4);
    uint32_t hash = 5381;
    for (const char *p = name; *p; p++) hash = hash * 33 + (uint8_t)*p;
    uint64_t bloom = word(h + 16 + 8 * (hash / 64 % words), 8);
    if (!(bloom >> hash % 64 & bloom >> (hash >> shift) % 64 & 1)) return false;
    const uint8_t *bucket = h + 16 + 8 * words, *chain = bucket + 4 * buckets;
    uint64_t i = word(bucket + 4 * (hash % buckets), 4);
    for (; i; i++) {
        uint64_t link = word(chain + 4 * (i - first), 4);
        const uint8_t *s = syms + 24 * i;
        if ((link | 1) == (hash | 1) && !strcmp((const char *)strings + word(s, 4), name))
            return true;
        if (link & 1) break;
    }
    return false;
}
static void every_export_is_found(void **state) {
    (void)state;
    for (int n = 0; n < 600; n = n < 20 ? n + 1 : n + 97) {
        Fix x;
        char name[32];
        begin(&x, OBJECT_SHARED);
        code(&x, "call", CALL, 6, 1, MACH_RELOC_X86_CALL_PCREL4, sym(&x, "import"));
        for (int i = 0; i < n; i++) {
            snprintf(name, sizeof name, "function_%d", i * 7919);
            LinkSym s = code(&x, name, "\xc3", 1, 0, 0, LINK_NO_SYM);
            if (i % 5 == 4) linkable_declared(&x.k, s)->binding = i % 2 ? LINK_HIDDEN : LINK_LOCAL;
        }
        assert_true(write(&x));
        for (int i = 0; i < n; i++) {
            snprintf(name, sizeof name, "function_%d", i * 7919);
            assert_int_equal(lookup(&x, name), i % 5 != 4);
        }
        assert_false(lookup(&x, "import"));
        assert_false(lookup(&x, "function_1"));
        VecU8 first = x.out;
        x.out = (VecU8){0};
        assert_true(write(&x));
        assert_int_equal(first.n, x.out.n);
        assert_memory_equal(first.p, x.out.p, first.n);
        vec_free(&x.mem, &first);
        end(&x);
    }
}

/* Distances of every size between steps; a register above 63 does not exist, one above 15 does. */
static void unwinding_entries(void **state) {
    (void)state;
    Mem m;
    Cfi c;
    mem_init(&m, NULL);
    cfi_init(&c, &m, &isa_x64);
    MachUnwind steps[] = {
        {1, MACH_UNWIND_CFA, 4, 16},      {1, MACH_UNWIND_SAVED, 5, -16},
        {4, MACH_UNWIND_CFA, 5, 16},      {68, MACH_UNWIND_SAVED, 32 + 15, -48},
        {400, MACH_UNWIND_CFA, 5, 5000},  {70000, MACH_UNWIND_RETURN_ADDRESS, 0, -8},
        {70000, MACH_UNWIND_SAVED, 3, 8}, {200000, MACH_UNWIND_CFA, 4, 8}};
    LinkDef none = {.size = 5}, def = {.sym = 7, .size = 200001, .nunwind = 8, .unwind = steps};
    cfi_add(&c, &none);
    assert_int_equal(c.bytes.n, 0);
    cfi_add(&c, &def);
    assert_int_equal(c.sites.n, 1);
    assert_int_equal(c.sites.p[0].func, 7);
    static const uint8_t want[] = {
        0x41, 0x0e, 16,   0x86, 2,                 /* advance 1; def_cfa_offset 16; rbp at -16 */
        0x43, 0x0d, 6,                             /* advance 3; def_cfa_register rbp */
        2,    64,   0xa0, 6,                       /* advance1 64; xmm15 (32) at -48 */
        3,    0x4c, 1,    0x0e, 0x88, 0x27,        /* advance2 332; def_cfa_offset 5000 */
        4,    0xe0, 0x0f, 1,    0,    0x90, 1,     /* advance4 69600; return address at -8 */
        0x11, 3,    0x7f,                          /* offset_extended_sf rbx +8 */
        4,    0xd0, 0xfb, 1,    0,    0x0c, 7, 8}; /* advance4 130000; def_cfa rsp 8 */
    assert_memory_equal(c.bytes.p + c.sites.p[0].offset + 9, want, sizeof want);
    assert_int_equal(word(c.bytes.p + c.sites.p[0].offset + 4, 4), 200001);
    assert_int_equal(c.bytes.n % 8, 0);
    cfi_end(&c);
    assert_int_equal(word(c.bytes.p + c.bytes.n - 4, 4), 0);
    cfi_free(&c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_refused), cmocka_unit_test(tables_are_avoided),
        cmocka_unit_test(every_export_is_found), cmocka_unit_test(unwinding_entries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
