/* base/listpool.c — many small lists in one array.
 *
 * Idea        Size class c has blocks of 4 << c words: the length and up to (4 << c) - 1 elements. A free block
 *             links to the next one of its class through its first word. Word 0 of the pool is never part of a
 *             block's elements, so that handle 0 can mean "empty".
 * Invariants  1. The class of a live list follows from its length alone (lists shrink into smaller blocks).
 *             2. Free-list links are block position + 1, 0 ends the list.
 * Cost        push is amortised O(1): only at lengths 4<<c the block is copied.
 */
#include "base/listpool.h"

void listpool_clear(ListPool *lp) {
    vec_clear(&lp->words);
    memset(lp->free_head, 0, sizeof lp->free_head);
}

void listpool_free(Mem *m, ListPool *lp) {
    vec_free(m, &lp->words);
    memset(lp->free_head, 0, sizeof lp->free_head);
}

/* The smallest class whose block has room for the length word and n elements (n >= 1). */
static unsigned class_of(uint32_t n) {
    return 30u - (unsigned)__builtin_clz(n | 3u);
}

static uint32_t block_alloc(Mem *m, ListPool *lp, unsigned c) {
    uint32_t b = lp->free_head[c];
    if (b) {
        lp->free_head[c] = lp->words.p[b - 1];
        return b - 1;
    }
    b = lp->words.n;
    (void)vec_extend(m, &lp->words, (uint64_t)4 << c);
    return b;
}

static void block_free(ListPool *lp, uint32_t b, unsigned c) {
    lp->words.p[b] = lp->free_head[c];
    lp->free_head[c] = b + 1;
}

/* Halves the block of class `from` until it has class `to`; the tails become free blocks. */
static void block_shrink(ListPool *lp, uint32_t b, unsigned from, unsigned to) {
    while (from > to) {
        from--;
        block_free(lp, b + (4u << from), from);
    }
}

ListRef list_new(Mem *m, ListPool *lp, const uint32_t *elems, uint32_t n) {
    if (n == 0) return 0;
    if (n == 1) { /* most are branch targets without arguments */
        uint32_t x = elems[0], b = block_alloc(m, lp, 0);
        lp->words.p[b] = 1;
        lp->words.p[b + 1] = x;
        return b + 1;
    }
    /* The source may move with the pool: remember it by position. */
    uintptr_t base = (uintptr_t)lp->words.p, at = (uintptr_t)elems;
    bool inside = base && at >= base && at < base + (size_t)lp->words.n * sizeof *elems;
    size_t off = inside ? (at - base) / sizeof *elems : 0;
    uint32_t b = block_alloc(m, lp, class_of(n));
    lp->words.p[b] = n;
    memcpy(lp->words.p + b + 1, inside ? lp->words.p + off : elems, (size_t)n * sizeof *elems);
    return b + 1;
}

/* Makes the length n + 1; the new last element is not set. */
static uint32_t *append(Mem *m, ListPool *lp, ListRef *l) {
    uint32_t n = list_len(lp, *l);
    if (n == 0) {
        *l = block_alloc(m, lp, 0) + 1;
    } else {
        unsigned c = class_of(n), c1 = class_of(n + 1);
        if (c1 != c) {
            uint32_t old = *l - 1, b = block_alloc(m, lp, c1);
            memcpy(lp->words.p + b + 1, lp->words.p + old + 1, (size_t)n * sizeof(uint32_t));
            block_free(lp, old, c);
            *l = b + 1;
        }
    }
    lp->words.p[*l - 1] = n + 1;
    return lp->words.p + *l + n;
}

void list_push(Mem *m, ListPool *lp, ListRef *l, uint32_t x) {
    *append(m, lp, l) = x;
}

void list_insert(Mem *m, ListPool *lp, ListRef *l, uint32_t at, uint32_t x) {
    uint32_t n = list_len(lp, *l);
    append(m, lp, l);
    uint32_t *e = list_data(lp, *l);
    memmove(e + at + 1, e + at, (size_t)(n - at) * sizeof *e);
    e[at] = x;
}

void list_remove(ListPool *lp, ListRef *l, uint32_t at) {
    uint32_t n = list_len(lp, *l), *e = list_data(lp, *l);
    memmove(e + at, e + at + 1, (size_t)(n - at - 1) * sizeof *e);
    list_truncate(lp, l, n - 1);
}

void list_truncate(ListPool *lp, ListRef *l, uint32_t n) {
    uint32_t old = list_len(lp, *l);
    if (n >= old) return;
    if (n == 0) {
        list_release(lp, l);
        return;
    }
    block_shrink(lp, *l - 1, class_of(old), class_of(n));
    lp->words.p[*l - 1] = n;
}

void list_release(ListPool *lp, ListRef *l) {
    if (*l) block_free(lp, *l - 1, class_of(list_len(lp, *l)));
    *l = 0;
}
