/* base/bitset.h — flat bit sets of a given number of bits. */
#ifndef COT_BASE_BITSET_H
#define COT_BASE_BITSET_H
#include "base/vec.h"

typedef VecU64 BitSet;                                                /* n = words */
static inline void bitset_resize0(Mem *m, BitSet *b, uint32_t bits) { /* all bits clear */
    vec_clear(b);
    vec_resize0(m, b, (bits + 63u) / 64u);
}
static inline bool bitset_has(const BitSet *b, uint32_t i) {
    return b->p[i >> 6] >> (i & 63) & 1;
}
static inline void bitset_add(BitSet *b, uint32_t i) {
    b->p[i >> 6] |= (uint64_t)1 << (i & 63);
}
static inline void bitset_del(BitSet *b, uint32_t i) {
    b->p[i >> 6] &= ~((uint64_t)1 << (i & 63));
}
/* adds i, returns true if it was not there */
static inline bool bitset_test_add(BitSet *b, uint32_t i) {
    uint64_t w = b->p[i >> 6], m = (uint64_t)1 << (i & 63);
    b->p[i >> 6] = w | m;
    return !(w & m);
}
bool bitset_union(BitSet *dst, const BitSet *src); /* same size; true if dst changed */
uint32_t bitset_count(const BitSet *b);
uint32_t bitset_next(const BitSet *b, uint32_t from); /* first set bit >= from, or UINT32_MAX */

static inline unsigned u64_ctz(uint64_t x) {
    return (unsigned)__builtin_ctzll(x);
}
static inline unsigned u64_clz(uint64_t x) {
    return (unsigned)__builtin_clzll(x);
}
static inline unsigned u64_popcount(uint64_t x) {
    return (unsigned)__builtin_popcountll(x);
}
#endif
