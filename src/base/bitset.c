/* base/bitset.c — whole-set operations, a word at a time. */
#include "base/bitset.h"

bool bitset_union(BitSet *dst, const BitSet *src) {
    uint64_t grown = 0;
    for (uint32_t i = 0; i < dst->n; i++) {
        grown |= src->p[i] & ~dst->p[i];
        dst->p[i] |= src->p[i];
    }
    return grown != 0;
}

uint32_t bitset_count(const BitSet *b) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n; i++) n += u64_popcount(b->p[i]);
    return n;
}

uint32_t bitset_next(const BitSet *b, uint32_t from) {
    uint32_t w = from >> 6;
    if (w >= b->n) return UINT32_MAX;
    uint64_t bits = b->p[w] & (~(uint64_t)0 << (from & 63));
    while (!bits) {
        if (++w == b->n) return UINT32_MAX;
        bits = b->p[w];
    }
    return w * 64 + u64_ctz(bits);
}
