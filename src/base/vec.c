/* base/vec.c — growth of flat arrays: doubling, at least 8 elements, so a push is amortised O(1). */
#include "base/vec.h"

void vec_grow_(Mem *m, void **p, uint32_t *cap, uint64_t need, size_t elem) {
    uint64_t n = (uint64_t)*cap * 2;
    if (n < 8) n = 8;
    if (n < need) n = need;
    /* An impossible request still goes to the Mem, which knows how to fail. */
    if (need > UINT32_MAX - 1 || n > SIZE_MAX / elem) mem_realloc(m, NULL, 0, SIZE_MAX);
    if (n > UINT32_MAX - 1) n = UINT32_MAX - 1;
    *p = mem_realloc(m, *p, (size_t)*cap * elem, (size_t)n * elem);
    *cap = (uint32_t)n;
}
