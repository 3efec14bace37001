/* tests/unit/runtime/wasi_guest.h — a guest for tests of WASI functions.
 *
 * The memory ends at a page that cannot be touched, so an access past the end is a crash and not luck.
 * Functions are called by name, through wasi_lookup, with the arguments the guest would give:
 *     Guest g;
 *     guest_start(&g, &cfg);
 *     EXPECT(SUCCESS, P1(&g, "fd_seek", 3, 10, 0, 64));
 *     EXPECT(BADF, P0(&g, "fd_tell", 77, 64));
 *     guest_end(&g);
 */
#ifndef COT_TESTS_WASI_GUEST_H
#define COT_TESTS_WASI_GUEST_H
#include "cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "runtime/wasi_int.h"

enum { GUEST_MEM = 1 << 16 };

typedef struct Guest {
    WasiCtx *w;
    WasiMem m;
} Guest;

/* ---- memory that counts and can run out ---- */

typedef struct Heap {
    size_t live;
    long calls, fail_at; /* the fail_at-th request fails, counted from 1; 0 = none */
} Heap;

static inline void *heap_realloc(void *user, void *old, size_t old_size, size_t new_size) {
    Heap *h = user;
    if (new_size && ++h->calls == h->fail_at) return NULL;
    h->live += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

/* ---- life ---- */

static inline void guest_memory(Guest *g, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    uint8_t *p =
        mmap(NULL, whole + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    if (whole) assert_int_equal(mprotect(p, whole, PROT_READ | PROT_WRITE), 0);
    g->m = (WasiMem){p + (whole - size), size};
}

static inline void guest_memory_free(Guest *g) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (g->m.size + page - 1) / page * page;
    munmap(g->m.base - (whole - g->m.size), whole + page);
}

static inline void guest_start(Guest *g, const WasiConfig *cfg) {
    Diag diag = {0};
    guest_memory(g, GUEST_MEM);
    g->w = wasi_new(cfg, &diag);
    if (!g->w) fail_msg("wasi_new: %s", diag.msg);
}

static inline void guest_end(Guest *g) {
    wasi_free(g->w);
    guest_memory_free(g);
}

/* No standard streams: descriptors start at 0. */
static inline WasiConfig guest_bare(void) {
    WasiConfig cfg = wasi_config_default();
    for (int i = 0; i < 3; i++) cfg.stdio[i] = (WasiStdio){.kind = WASI_STDIO_CLOSED};
    return cfg;
}

/* Gives a host descriptor to the guest, which owns it from now on. */
static inline uint32_t guest_own(Guest *g, int host, uint64_t remove_rights) {
    WasiFd e = {.kind = WASI_FD_HOST, .host = host, .owned = true};
    uint32_t fd;
    assert_true(host >= 0);
    assert_int_equal(wasi_fd_classify(&e), 0);
    e.base = e.inheriting = wasi_fd_type_rights(&e) & ~remove_rights;
    assert_int_equal(wasi_fd_insert(g->w, &e, &fd), WASI_ESUCCESS);
    return fd;
}

/* An open file without a name. */
static inline int guest_tmpfile(void) {
    char name[] = "/tmp/cot-wasi-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    return fd;
}

/* ---- calls ---- */

static inline uint32_t guest_call(Guest *g, const char *module, const char *name,
                                  const uint64_t *args, size_t n) {
    const WasiFunc *f = wasi_lookup(module, name);
    if (!f) fail_msg("no function %s.%s", module, name);
    if (strlen(f->params) != n)
        fail_msg("%s takes %zu arguments, not %zu", name, strlen(f->params), n);
    uint64_t wide[10];
    for (size_t i = 0; i < n; i++) /* the upper half of an i32 is noise */
        wide[i] = f->params[i] == 'i' ? (uint32_t)args[i] | UINT64_C(0xdeadbeef) << 32 : args[i];
    return f->call(g->w, &g->m, wide);
}

#define GUEST_ARGS(...) \
    (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)
#define P1(g, name, ...) guest_call(g, "wasi_snapshot_preview1", name, GUEST_ARGS(__VA_ARGS__))
#define P0(g, name, ...) guest_call(g, "wasi_unstable", name, GUEST_ARGS(__VA_ARGS__))

static inline void expect_errno(uint32_t want, uint32_t got, const char *what, const char *file,
                                int line) {
    if (want == got) return;
    const char *a = wasi_errno_name(want), *b = wasi_errno_name(got);
    print_error("%s gives %s (%u), not %s\n", what, b ? b : "?", got, a ? a : "?");
    _fail(file, line);
}
#define EXPECT(want, call) expect_errno(WASI_E##want, (call), #call, __FILE__, __LINE__)

/* ---- guest memory ---- */

static inline uint8_t *at(Guest *g, uint32_t ptr) {
    return g->m.base + ptr;
}
static inline uint32_t get16(Guest *g, uint32_t ptr) {
    return wasi_ld16(at(g, ptr));
}
static inline uint32_t get32(Guest *g, uint32_t ptr) {
    return wasi_ld32(at(g, ptr));
}
static inline uint64_t get64(Guest *g, uint32_t ptr) {
    return wasi_ld64(at(g, ptr));
}
static inline void put32(Guest *g, uint32_t ptr, uint32_t v) {
    wasi_st32(at(g, ptr), v);
}
static inline void put64(Guest *g, uint32_t ptr, uint64_t v) {
    wasi_st64(at(g, ptr), v);
}
static inline void put_iovec(Guest *g, uint32_t ptr, uint32_t buf, uint32_t len) {
    put32(g, ptr, buf);
    put32(g, ptr + 4, len);
}
static inline void put_text(Guest *g, uint32_t ptr, const char *s) {
    memcpy(at(g, ptr), s, strlen(s));
}

/* Argument `arg` of the call points to `len` bytes that it reads or writes: every place outside the
 * memory is FAULT, the last place inside is not, and a FAULT writes nothing there. */
static inline void check_bounds(Guest *g, const char *module, const char *name,
                                const uint64_t *args, size_t n, size_t arg, uint32_t len) {
    uint64_t a[10];
    const uint32_t size = (uint32_t)g->m.size;
    const uint32_t bad[] = {size - len + 1,       size - 1,   size,      size + 1, UINT32_MAX - len,
                            UINT32_MAX - len + 1, UINT32_MAX, 0x80000000};
    memcpy(a, args, n * sizeof *a);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (len < 2 && bad[i] < size) continue;
        a[arg] = bad[i];
        uint8_t keep[16];
        memcpy(keep, at(g, size - 16), 16);
        uint32_t r = guest_call(g, module, name, a, n);
        if (r != WASI_EFAULT)
            fail_msg("%s, argument %zu = %#x: %s", name, arg, bad[i], wasi_errno_name(r));
        if (memcmp(keep, at(g, size - 16), 16))
            fail_msg("%s, argument %zu = %#x writes", name, arg, bad[i]);
    }
    a[arg] = size - len;
    uint32_t r = guest_call(g, module, name, a, n);
    if (r == WASI_EFAULT) fail_msg("%s, argument %zu at the end of memory: FAULT", name, arg);
}
#define BOUNDS(g, arg, len, name, ...) \
    check_bounds(g, "wasi_snapshot_preview1", name, GUEST_ARGS(__VA_ARGS__), arg, len)
#define BOUNDS0(g, arg, len, name, ...) \
    check_bounds(g, "wasi_unstable", name, GUEST_ARGS(__VA_ARGS__), arg, len)
#endif
