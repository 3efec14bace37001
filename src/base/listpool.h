/* base/listpool.h — many small lists of u32 in one flat array (the reference's EntityList).
 *
 *   pool:  ... | len | e0 | e1 | e2 |free| ...       block sizes 4, 8, 16, ... words
 *                      ^ handle (0 = the empty list)
 * A list of n elements lives in the smallest block with n+1 words; freed blocks go on a free list per
 * size class. Handles stay valid until the list is grown or freed; element pointers until any growth. */
#ifndef COT_BASE_LISTPOOL_H
#define COT_BASE_LISTPOOL_H
#include "base/vec.h"

typedef struct ListPool {
    VecU32 words;
    uint32_t free_head[32];
} ListPool;
typedef uint32_t ListRef; /* 0 = empty */

void listpool_clear(ListPool *lp); /* keeps capacity */
void listpool_free(Mem *m, ListPool *lp);
static inline uint32_t list_len(const ListPool *lp, ListRef l) {
    return l ? lp->words.p[l - 1] : 0;
}
/* By address, because the pool of only empty lists is a null pointer, which has no arithmetic. */
static inline uint32_t *list_data(const ListPool *lp, ListRef l) {
    return (uint32_t *)((uintptr_t)lp->words.p + (uintptr_t)l * sizeof(uint32_t));
}
ListRef list_new(Mem *m, ListPool *lp, const uint32_t *elems,
                 uint32_t n); /* elems may point into the pool */
void list_push(Mem *m, ListPool *lp, ListRef *l, uint32_t x);
void list_insert(Mem *m, ListPool *lp, ListRef *l, uint32_t at, uint32_t x);
void list_remove(ListPool *lp, ListRef *l, uint32_t at); /* keeps order */
void list_truncate(ListPool *lp, ListRef *l, uint32_t n);
void list_release(ListPool *lp, ListRef *l);
#endif
