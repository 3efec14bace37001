/* tests/unit/rnd.h — a small deterministic generator. */
#ifndef COT_TESTS_RND_H
#define COT_TESTS_RND_H
#include <stdint.h>

static inline uint64_t rnd(uint64_t *s) { /* splitmix64 */
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
#endif
