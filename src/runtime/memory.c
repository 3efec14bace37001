/* runtime/memory.c — linear memories.
 *
 * Static style: 8 GiB + slack of address space is reserved without access; the first `bytes` are made readable and
 * writable as the memory grows, so it never moves and any i32 index + 32-bit offset beyond it faults.
 * Checked style: exactly the present size is mapped; growth may move it (mremap), which translated code allows for. */
#include <sys/mman.h>
#include "runtime/rt_int.h"

#define RESERVE ((size_t)8 << 30 | 65536u)

RtMemory *rt_memory_new(RtStore *s, uint64_t min, uint64_t max, bool has_max, Diag *d) {
    RtMemory *m = arena_new(&s->arena, RtMemory);
    memset(m, 0, sizeof *m);
    m->max_pages = has_max ? max : 65536;
    m->has_max = has_max;
    uint64_t cap = (m->max_pages < 65536 ? m->max_pages : 65536) * WASM_PAGE;
    uint64_t lim = s->engine->cfg.max_memory;
    m->cap_bytes = lim && lim < cap ? lim / WASM_PAGE * WASM_PAGE : cap;
    m->is_static = s->engine->tunables.mem_style == WASM_MEM_STATIC;
    m->vm.bytes = min * WASM_PAGE;
    if (m->vm.bytes > m->cap_bytes) {
        diag_msg(d, DIAG_LIMIT, "memory of %llu pages is over the limit", (unsigned long long)min);
        return NULL;
    }
    m->reserved = m->is_static ? RESERVE : m->vm.bytes;
    if (m->reserved) {
        void *p = mmap(NULL, m->reserved, m->is_static ? PROT_NONE : PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) {
            diag_msg(d, DIAG_OOM, "cannot reserve %zu bytes of address space for a memory",
                     m->reserved);
            return NULL;
        }
        m->vm.base = p;
        if (m->is_static && m->vm.bytes && mprotect(p, m->vm.bytes, PROT_READ | PROT_WRITE)) {
            munmap(p, m->reserved);
            diag_msg(d, DIAG_OOM, "no memory for %llu pages", (unsigned long long)min);
            return NULL;
        }
    }
    vec_push(&s->mem, &s->memories, m);
    return m;
}

void rt_memory_free(RtMemory *m) {
    if (m->reserved) munmap(m->vm.base, m->reserved);
}

uint64_t rt_memory_grow(RtMemory *m, uint64_t delta) {
    uint64_t old = m->vm.bytes / WASM_PAGE;
    if (delta == 0) return old;
    if (delta > 65536 || (old + delta) * WASM_PAGE > m->cap_bytes) return UINT64_MAX;
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
