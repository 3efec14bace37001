/* runtime/memory.c — linear memories.
 *
 * Static style: 8 GiB + slack of address space is reserved without access; the first `bytes` are made readable and
 * writable as the memory grows, so it never moves and any i32 index + 32-bit offset beyond it faults.
 * Checked style: exactly the present size is mapped; growth may move it (mremap), which translated code allows for.
 * Pages are the system's zero pages until they are written to, in both styles. */
#include <sys/mman.h>
#include "runtime/rt_int.h"

enum { MAX_PAGES = 65536 }; /* of 64 KiB: 4 GiB */

/* p = NULL with *d set: no address space or no memory. */
static uint8_t *map(RtMemory *m, Diag *d) {
    uint8_t *p = mmap(NULL, m->reserved, m->is_static ? PROT_NONE : PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        diag_msg(d, DIAG_OOM, "cannot reserve %zu bytes of address space for a memory",
                 m->reserved);
        return NULL;
    }
    if (m->is_static && m->vm.bytes && mprotect(p, m->vm.bytes, PROT_READ | PROT_WRITE)) {
        munmap(p, m->reserved);
        diag_msg(d, DIAG_OOM, "no memory for %llu bytes", (unsigned long long)m->vm.bytes);
        return NULL;
    }
    return p;
}

RtMemory *rt_memory_new(RtStore *s, uint64_t min, uint64_t max, bool has_max, Diag *d) {
    RtMemory *m = arena_new(&s->arena, RtMemory);
    *m = (RtMemory){.store = s, .has_max = has_max, .max_pages = has_max ? max : MAX_PAGES};
    uint64_t cap = (m->max_pages < MAX_PAGES ? m->max_pages : MAX_PAGES) * WASM_PAGE;
    uint64_t lim = s->engine->cfg.max_memory;
    m->cap_bytes = lim && lim < cap ? lim / WASM_PAGE * WASM_PAGE : cap;
    m->is_static = s->engine->guards;
    if (min > m->cap_bytes / WASM_PAGE) {
        diag_msg(d, DIAG_LIMIT, "memory of %llu pages is over the limit of %llu",
                 (unsigned long long)min, (unsigned long long)(m->cap_bytes / WASM_PAGE));
        return NULL;
    }
    m->vm.bytes = min * WASM_PAGE;
    m->reserved = m->is_static ? RT_STATIC_RESERVE : m->vm.bytes;
    vec_reserve(&s->mem, &s->memories, s->memories.n + 1); /* before there is something to lose */
    if (m->reserved && !(m->vm.base = map(m, d))) return NULL;
    vec_push(&s->mem, &s->memories, m);
    return m;
}

void rt_memory_free(RtMemory *m) {
    if (m->reserved) munmap(m->vm.base, m->reserved);
}

uint64_t rt_memory_grow(RtMemory *m, uint64_t delta) {
    uint64_t old = m->vm.bytes / WASM_PAGE;
    if (delta == 0) return old;
    if (delta > MAX_PAGES || (old + delta) * WASM_PAGE > m->cap_bytes) return UINT64_MAX;
    uint64_t bytes = (old + delta) * WASM_PAGE;
    if (m->is_static) {
        if (mprotect(m->vm.base + m->vm.bytes, bytes - m->vm.bytes, PROT_READ | PROT_WRITE))
            return UINT64_MAX;
    } else {
        void *p = m->reserved ? mremap(m->vm.base, m->reserved, bytes, MREMAP_MAYMOVE)
                              : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) return UINT64_MAX;
        m->vm.base = p;
        m->reserved = bytes;
    }
    m->vm.bytes = bytes;
    return old;
}

uint8_t *rt_memory_data(const RtMemory *m, uint64_t *size) {
    *size = m->vm.bytes;
    return m->vm.base;
}
bool rt_memory_guarded(const RtMemory *m) {
    return m->is_static;
}
RtStore *rt_memory_store(const RtMemory *m) {
    return m->store;
}
uint64_t rt_memory_max(const RtMemory *m) {
    return m->has_max ? m->max_pages : UINT64_MAX;
}
