/* base/mem.c — the one door to the system's allocator, and the arenas built on it.
 *
 * Problem     see mem.h.
 * Idea        mem_realloc keeps the byte counts, applies the limit and the injected failure, and leaves through
 *             `oom` when memory cannot be had. A header before each block links it into its Mem's list, so that what
 *             a jump left behind can still be given back (mem_release_all). An arena is a list of chunks of which the first k are in use;
 *             release and reset only move `now` and `cur` back, and a later request takes the next chunk of the
 *             list if it is large enough, else puts a new one in between.
 * Invariants  1. live = sum of the sizes of all blocks handed out and not freed.
 *             2. the list holds exactly these blocks; the first one's prev is NULL, so a Mem may be moved in memory.
 *             3. chunks after `now` hold nothing; cur and end point into `now` (both NULL before the first chunk).
 * Cost        arena_alloc is a compare and an add; chunks double up to 2 MB (a huge page), so n bytes cost O(log n) chunks and,
 *             past that, n/2MB.
 */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST_CHUNK 4096u
#define ARENA_MAX_CHUNK ((2u << 20) - 256) /* with what is before it, a huge page */

struct ArenaChunk {
    ArenaChunk *next;
    size_t size; /* with this header */
};
_Static_assert(sizeof(ArenaChunk) % 8 == 0, "the payload starts aligned");

struct MemBlock {
    _Alignas(max_align_t) MemBlock *prev;
    MemBlock *next;
    size_t size; /* without this header */
};

static void *libc_realloc(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

void mem_init(Mem *m, const MemHooks *hooks) {
    *m = (Mem){0};
    if (hooks)
        m->hooks = *hooks;
    else
        m->hooks.realloc = libc_realloc;
}

static _Noreturn void out_of_memory(Mem *m, size_t size) {
    if (m->oom) longjmp(*m->oom, 1);
    fprintf(stderr, "cot: out of memory (%zu bytes asked, %zu in use)\n", size, m->live);
    abort();
}

static void link_block(Mem *m, MemBlock *b, size_t size) { /* b->prev and b->next are set */
    b->size = size;
    if (b->prev)
        b->prev->next = b;
    else
        m->blocks = b;
    if (b->next) b->next->prev = b;
}

static void free_block(Mem *m, MemBlock *b) {
    if (b->prev)
        b->prev->next = b->next;
    else
        m->blocks = b->next;
    if (b->next) b->next->prev = b->prev;
    m->hooks.realloc(m->hooks.user, b, b->size + sizeof *b, 0);
}

static MemBlock *request(Mem *m, MemBlock *b, size_t others, size_t new_size) {
    if (m->fail_at && m->allocs == m->fail_at) return NULL;
    if (new_size > PTRDIFF_MAX - sizeof *b - others || (m->limit && others + new_size > m->limit))
        return NULL;
    return m->hooks.realloc(m->hooks.user, b, b ? b->size + sizeof *b : 0, new_size + sizeof *b);
}

void *mem_try_realloc(Mem *m, void *old, size_t old_size, size_t new_size) {
    MemBlock *b = old ? (MemBlock *)old - 1 : NULL;
    if (new_size == 0) {
        if (b) free_block(m, b);
        m->live -= old_size;
        return NULL;
    }
    size_t others = m->live - old_size;
    m->allocs++;
    MemBlock *p = request(m, b, others, new_size);
    if (!p) {
        m->refused++;
        return NULL;
    }
    if (!b) *p = (MemBlock){.next = m->blocks};
    link_block(m, p, new_size);
    m->live = others + new_size;
    if (m->live > m->peak) m->peak = m->live;
    return p + 1;
}

void *mem_realloc(Mem *m, void *old, size_t old_size, size_t new_size) {
    void *p = mem_try_realloc(m, old, old_size, new_size);
    if (!p && new_size) out_of_memory(m, new_size);
    return p;
}

void mem_release_all(Mem *m) {
    Mem copy = *m; /* m itself may lie in one of the blocks */
    while (copy.blocks) {
        MemBlock *b = copy.blocks;
        copy.blocks = b->next;
        copy.hooks.realloc(copy.hooks.user, b, b->size + sizeof *b, 0);
    }
}

bool mem_guard(Mem *m, void (*step)(void *arg), void *arg) {
    jmp_buf here, *outer = m->oom;
    if (setjmp(here)) {
        m->oom = outer;
        return false;
    }
    m->oom = &here;
    step(arg);
    m->oom = outer;
    return true;
}

void arena_init(Arena *a, Mem *m) {
    *a = (Arena){.mem = m};
}

void arena_destroy(Arena *a) {
    for (ArenaChunk *c = a->first; c;) {
        ArenaChunk *next = c->next;
        mem_free(a->mem, c, c->size);
        c = next;
    }
    arena_init(a, a->mem);
}

static void enter_chunk(Arena *a, ArenaChunk *c) {
    a->now = c;
    a->cur = (char *)(c + 1);
    a->end = (char *)c + c->size;
}

void arena_reset(Arena *a) {
    if (a->first) enter_chunk(a, a->first);
}

ArenaMark arena_mark(const Arena *a) {
    return (ArenaMark){a->now, a->cur};
}

void arena_release(Arena *a, ArenaMark mark) {
    if (!mark.chunk) {
        arena_reset(a);
        return;
    }
    enter_chunk(a, mark.chunk);
    a->cur = mark.cur;
}

/* Enters a chunk with room for so much. */
static void next_chunk(Arena *a, size_t room) {
    if (room > SIZE_MAX - sizeof(ArenaChunk)) out_of_memory(a->mem, room);
    size_t need = sizeof(ArenaChunk) + room;
    ArenaChunk *next = a->now ? a->now->next : a->first;
    if (!next || next->size < need) {
        size_t want = a->now ? a->now->size * 2 : ARENA_FIRST_CHUNK;
        if (want > ARENA_MAX_CHUNK) want = ARENA_MAX_CHUNK;
        if (want < need) want = need;
        ArenaChunk *c = mem_alloc(a->mem, want);
        c->size = want;
        c->next = next;
        if (a->now)
            a->now->next = c;
        else
            a->first = c;
        next = c;
    }
    enter_chunk(a, next);
}

void arena_restart(Arena *a, size_t size) {
    if (a->first && a->first->size - sizeof(ArenaChunk) < size) arena_destroy(a);
    arena_reset(a);
    if (!a->first) next_chunk(a, size);
}

void *arena_alloc_slow(Arena *a, size_t size, size_t align) {
    if (size > SIZE_MAX - align) out_of_memory(a->mem, size);
    next_chunk(a, size + align);
    uintptr_t p = ((uintptr_t)a->cur + (align - 1)) & ~(uintptr_t)(align - 1);
    a->cur = (char *)(p + size);
    return (void *)p;
}

void *arena_zalloc(Arena *a, size_t size, size_t align) {
    void *p = arena_alloc(a, size, align);
    if (size) memset(p, 0, size);
    return p;
}

char *arena_strndup(Arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1, 1);
    if (n) memcpy(p, s, n);
    p[n] = 0;
    return p;
}
