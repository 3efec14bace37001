/* base/mem.h — where every byte comes from.
 *
 * Problem  The library must not call malloc on per-function paths, must honour a user's allocator and
 *          a memory limit, and must turn "out of memory" into an error value without every helper
 *          returning a status.
 * Idea     One `Mem` per compile context (or engine, or test). All growth goes through it. When a
 *          request fails, or would pass `limit`, control leaves through `*oom` (a jmp_buf set by the
 *          public entry point that owns the Mem: the jump never crosses a caller's frame). With no
 *          jmp_buf set the process aborts with a message: only host tools and tests run that way.
 *          A Mem knows its blocks, so whoever catches the jump can give all of them back at once.
 * Cost     One indirect call per chunk; `allocs` counts them so tests can assert "none after warm-up".
 */
#ifndef COT_BASE_MEM_H
#define COT_BASE_MEM_H
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MemHooks {
    void *(*realloc)(void *user, void *old, size_t old_size,
                     size_t new_size); /* new_size 0 frees */
    void *user;
} MemHooks;

typedef struct MemBlock MemBlock;
typedef struct Mem {
    MemHooks hooks;
    MemBlock *blocks; /* all that is allocated here */
    jmp_buf *oom;     /* where to go when memory is out; NULL = abort */
    size_t live;      /* bytes now allocated */
    size_t peak;      /* highest `live` */
    size_t limit;     /* 0 = none */
    uint64_t allocs;  /* calls that asked the system for memory */
    uint64_t refused; /* of them, those that got none */
    uint64_t fail_at; /* stress: fail the n-th call (1-based), 0 = never */
} Mem;

void mem_init(Mem *m, const MemHooks *hooks /* NULL = libc */);
void *mem_realloc(Mem *m, void *old, size_t old_size,
                  size_t new_size); /* never returns NULL unless new_size==0 */
/* As mem_realloc, but NULL when memory is out; `old` is untouched then. */
void *mem_try_realloc(Mem *m, void *old, size_t old_size, size_t new_size);
/* Runs step(arg); false = memory was out, control left `step` in the middle. An entry point calls this, and then
 * throws away or resets what `step` was working on. Guards nest. */
bool mem_guard(Mem *m, void (*step)(void *arg), void *arg);
/* Gives back everything that is still allocated here; m and all that lay in it are dead afterwards. */
void mem_release_all(Mem *m);
static inline void *mem_alloc(Mem *m, size_t size) {
    return mem_realloc(m, NULL, 0, size);
}
static inline void mem_free(Mem *m, void *p, size_t size) {
    if (p) mem_realloc(m, p, size, 0);
}

/* ---- Arena: bump allocation, freed all at once, reset without giving memory back. ----
 *
 *   chunks: [hdr|........used.......|...free...] -> [hdr|......] -> ...   (geometric growth)
 *                                    ^cur       ^end
 * Lifetimes (see docs): constant (static const tables), module, function (arena_reset between
 * functions), pass (arena_mark / arena_release). */
typedef struct ArenaChunk ArenaChunk;
typedef struct Arena {
    Mem *mem;
    char *cur, *end;
    ArenaChunk *first, *now;
} Arena;
typedef struct ArenaMark {
    ArenaChunk *chunk;
    char *cur;
} ArenaMark;

void arena_init(Arena *a, Mem *m);
void arena_destroy(Arena *a);
void arena_reset(Arena *a); /* keeps the chunks */
/* Empties it; the next `size` bytes come from one chunk. */
void arena_restart(Arena *a, size_t size);
ArenaMark arena_mark(const Arena *a);
void arena_release(Arena *a,
                   ArenaMark mark); /* everything since the mark is gone; chunks are kept */
void *arena_alloc_slow(Arena *a, size_t size, size_t align);

static inline void *arena_alloc(Arena *a, size_t size, size_t align) {
    uintptr_t p = ((uintptr_t)a->cur + (align - 1)) & ~(uintptr_t)(align - 1);
    if (p + size <= (uintptr_t)a->end && a->cur) {
        a->cur = (char *)(p + size);
        return (void *)p;
    }
    return arena_alloc_slow(a, size, align);
}
void *arena_zalloc(Arena *a, size_t size, size_t align);
char *arena_strndup(Arena *a, const char *s, size_t n); /* adds a NUL */
#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T), _Alignof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n), _Alignof(T)))
#define arena_zarray(a, T, n) ((T *)arena_zalloc((a), sizeof(T) * (size_t)(n), _Alignof(T)))
#endif
