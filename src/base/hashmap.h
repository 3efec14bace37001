/* base/hashmap.h — open addressing, linear probing, 64-bit keys to 32-bit values. Clearing is O(1): each
 * entry carries the generation that wrote it. The key UINT64_MAX is allowed. */
#ifndef COT_BASE_HASHMAP_H
#define COT_BASE_HASHMAP_H
#include "base/vec.h"

typedef struct HashEnt {
    uint64_t key;
    uint32_t val, gen;
} HashEnt;
typedef struct HashMap {
    HashEnt *p;
    uint32_t mask, n, gen;
} HashMap; /* zero-initialise */

static inline uint64_t hash_u64(uint64_t x) { /* Fibonacci + fold: fast, good enough for handles */
    x *= 0x9E3779B97F4A7C15u;
    return x ^ (x >> 32);
}
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
void hashmap_clear(HashMap *h);
void hashmap_free(Mem *m, HashMap *h);
uint32_t *hashmap_find(const HashMap *h, uint64_t key); /* NULL if absent */
uint32_t *hashmap_get_or_insert(Mem *m, HashMap *h, uint64_t key, uint32_t initial, bool *inserted);
static inline void hashmap_set(Mem *m, HashMap *h, uint64_t key, uint32_t v) {
    *hashmap_get_or_insert(m, h, key, v, NULL) = v;
}
bool hashmap_remove(HashMap *h, uint64_t key); /* back-shift deletion */
#endif
