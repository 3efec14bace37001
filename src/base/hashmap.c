/* base/hashmap.c — open addressing with linear probing.
 *
 * Idea        The home of a key is hash & mask. An entry is live when its generation is the map's, so clearing
 *             is one increment. Deletion shifts the following run back instead of leaving tombstones.
 * Invariants  1. Between the home of a live key and its place there is no dead entry.
 *             2. At most 3/4 of the entries are live (a probe always ends).
 *             3. gen >= 1 whenever there is a table; fresh entries carry 0.
 * Cost        expected O(1) per operation; generation wrap (2^32 clears) pays one memset.
 * Ref         Knuth, TAOCP vol. 3, 6.4, algorithms L and R.
 */
#include "base/hashmap.h"

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed) {
    /* Multiply-fold over 8-byte words; the tail is read into a zeroed word, the length is mixed in. */
    const unsigned char *s = p;
    uint64_t h = hash_u64(seed ^ ((uint64_t)n + 0x51ED270B9F1A2C35u));
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        h = (h ^ w) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
        s += 8;
        n -= 8;
    }
    if (n) {
        uint64_t w = 0;
        memcpy(&w, s, n);
        h = (h ^ w) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return hash_u64(h);
}

void hashmap_clear(HashMap *h) {
    h->n = 0;
    if (!h->p) return;
    if (++h->gen == 0) {
        memset(h->p, 0, ((size_t)h->mask + 1) * sizeof *h->p);
        h->gen = 1;
    }
}

void hashmap_free(Mem *m, HashMap *h) {
    if (h->p) mem_free(m, h->p, ((size_t)h->mask + 1) * sizeof *h->p);
    *h = (HashMap){0};
}

/* The entry that holds `key`, or the dead entry where it belongs. */
static HashEnt *probe(const HashMap *h, uint64_t key) {
    uint32_t i = (uint32_t)hash_u64(key) & h->mask;
    while (h->p[i].gen == h->gen && h->p[i].key != key) i = (i + 1) & h->mask;
    return &h->p[i];
}

uint32_t *hashmap_find(const HashMap *h, uint64_t key) {
    if (!h->p) return NULL;
    HashEnt *e = probe(h, key);
    return e->gen == h->gen ? &e->val : NULL;
}

static void grow(Mem *m, HashMap *h) {
    uint64_t old_cap = h->p ? (uint64_t)h->mask + 1 : 0;
    uint64_t cap = old_cap ? old_cap * 2 : 16;
    HashMap big = {.mask = (uint32_t)(cap - 1), .n = h->n, .gen = 1};
    if (cap > (uint64_t)UINT32_MAX + 1 || cap > SIZE_MAX / sizeof *big.p) mem_alloc(m, SIZE_MAX);
    big.p = mem_alloc(m, (size_t)cap * sizeof *big.p);
    memset(big.p, 0, (size_t)cap * sizeof *big.p);
    for (uint64_t i = 0; i < old_cap; i++) {
        if (h->p[i].gen != h->gen) continue;
        HashEnt *e = probe(&big, h->p[i].key);
        *e = h->p[i];
        e->gen = 1;
    }
    if (h->p) mem_free(m, h->p, (size_t)old_cap * sizeof *h->p);
    *h = big;
}

uint32_t *hashmap_get_or_insert(Mem *m, HashMap *h, uint64_t key, uint32_t initial,
                                bool *inserted) {
    HashEnt *e = h->p ? probe(h, key) : NULL;
    bool fresh = !e || e->gen != h->gen;
    if (fresh) {
        if (!e || ((uint64_t)h->n + 1) * 4 > ((uint64_t)h->mask + 1) * 3) {
            grow(m, h);
            e = probe(h, key);
        }
        *e = (HashEnt){key, initial, h->gen};
        h->n++;
    }
    if (inserted) *inserted = fresh;
    return &e->val;
}

bool hashmap_remove(HashMap *h, uint64_t key) {
    if (!h->p) return false;
    HashEnt *e = probe(h, key);
    if (e->gen != h->gen) return false;
    uint32_t hole = (uint32_t)(e - h->p);
    for (uint32_t i = hole;;) {
        i = (i + 1) & h->mask;
        if (h->p[i].gen != h->gen) break;
        uint32_t home = (uint32_t)hash_u64(h->p[i].key) & h->mask;
        /* The entry may fill the hole unless its home lies (cyclically) after the hole. */
        if (((i - home) & h->mask) >= ((i - hole) & h->mask)) {
            h->p[hole] = h->p[i];
            hole = i;
        }
    }
    h->p[hole].gen = h->gen - 1;
    h->n--;
    return true;
}
