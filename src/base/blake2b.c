/* base/blake2b.c — BLAKE2b-256, unkeyed. Ref: RFC 7693. Messages of less than 2^64 bytes. */
#include "base/blake2b.h"
#include <string.h>

static const uint64_t iv[8] = {UINT64_C(0x6A09E667F3BCC908), UINT64_C(0xBB67AE8584CAA73B),
                               UINT64_C(0x3C6EF372FE94F82B), UINT64_C(0xA54FF53A5F1D36F1),
                               UINT64_C(0x510E527FADE682D1), UINT64_C(0x9B05688C2B3E6C1F),
                               UINT64_C(0x1F83D9ABFB41BD6B), UINT64_C(0x5BE0CD19137E2179)};

static const uint8_t sigma[12][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
                                      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

static uint64_t rotr(uint64_t x, unsigned n) {
    return x >> n | x << (64 - n);
}

static void mix(uint64_t v[16], int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = rotr(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = rotr(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotr(v[b] ^ v[c], 63);
}

static void compress(Blake2b *b, const uint8_t *block, int is_last) {
    uint64_t v[16], m[16];
    memcpy(v, b->h, sizeof b->h);
    memcpy(v + 8, iv, sizeof iv);
    v[12] ^= b->length;
    if (is_last) v[14] = ~v[14];
    for (int i = 0; i < 16; i++) {
        m[i] = 0;
        for (int k = 0; k < 8; k++) m[i] |= (uint64_t)block[8 * i + k] << 8 * k;
    }
    for (int r = 0; r < 12; r++) {
        const uint8_t *s = sigma[r];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) b->h[i] ^= v[i] ^ v[i + 8];
}

void blake2b_init(Blake2b *b) {
    memset(b, 0, sizeof *b);
    memcpy(b->h, iv, sizeof iv);
    b->h[0] ^= UINT64_C(0x01010000) ^ BLAKE2B_BYTES; /* no key, depth and fan-out 1 */
}

void blake2b_add(Blake2b *b, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    while (n) {
        if (b->n == sizeof b->block) { /* more follows, so it is not the last one */
            b->length += sizeof b->block;
            compress(b, b->block, 0);
            b->n = 0;
        }
        if (!b->n)
            for (; n > sizeof b->block; n -= sizeof b->block, p += sizeof b->block) {
                b->length += sizeof b->block;
                compress(b, p, 0);
            }
        size_t k = sizeof b->block - b->n < n ? sizeof b->block - b->n : n;
        memcpy(b->block + b->n, p, k);
        b->n += k;
        p += k;
        n -= k;
    }
}

void blake2b_number(Blake2b *b, uint64_t x) {
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++) bytes[i] = (uint8_t)(x >> 8 * i);
    blake2b_add(b, bytes, sizeof bytes);
}

void blake2b_text(Blake2b *b, const char *s) {
    size_t n = s ? strlen(s) : 0;
    blake2b_number(b, s ? n : UINT64_MAX);
    blake2b_add(b, s, n);
}

void blake2b_end(Blake2b *b, uint8_t out[BLAKE2B_BYTES]) {
    b->length += b->n;
    memset(b->block + b->n, 0, sizeof b->block - b->n);
    compress(b, b->block, 1);
    for (int i = 0; i < BLAKE2B_BYTES; i++) out[i] = (uint8_t)(b->h[i / 8] >> 8 * (i % 8));
}
