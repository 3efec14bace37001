/* image/sum.c — see sum.h.
 *
 * Idea        Four independent lanes of 8 bytes, each multiplied, rotated and multiplied again, so that the multiplications
 *             overlap; at the end the lanes, the tail and the length are folded together. Every step is a bijection of the
 *             lane, so one changed word always changes the sum; changes in several go unnoticed with a chance of 2^-64.
 * Cost        about 4 bytes per cycle. */
#include "image/sum.h"
#include <string.h>

#define P1 UINT64_C(0x9E3779B97F4A7C15)
#define P2 UINT64_C(0xD6E8FEB86659FD93)

static uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}
static uint64_t mix(uint64_t lane, uint64_t word) {
    return rotate(lane ^ word * P2, 31) * P1;
}
static uint64_t word_at(const uint8_t *p) {
    uint64_t w;
    memcpy(&w, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

uint64_t img_sum(const void *bytes, size_t n, uint64_t seed) {
    const uint8_t *p = bytes;
    uint64_t a = seed + P1, b = seed ^ P2, c = seed - P1, d = ~seed, h;
    size_t left = n;
    for (; left >= 32; left -= 32, p += 32) {
        a = mix(a, word_at(p));
        b = mix(b, word_at(p + 8));
        c = mix(c, word_at(p + 16));
        d = mix(d, word_at(p + 24));
    }
    h = mix(mix(mix(mix((uint64_t)n, a), b), c), d);
    for (; left >= 8; left -= 8, p += 8) h = mix(h, word_at(p));
    if (left) {
        uint8_t tail[8] = {0};
        memcpy(tail, p, left);
        h = mix(h, word_at(tail));
    }
    h ^= h >> 32;
    h *= P2;
    h ^= h >> 29;
    return h ? h : 1;
}
