/* base/blake2b.h — BLAKE2b with 32 bytes of result and no key: a hash that nobody can find collisions for. */
#ifndef COT_BASE_BLAKE2B_H
#define COT_BASE_BLAKE2B_H
#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_BYTES = 32 };
typedef struct Blake2b {
    uint64_t h[8], length;
    uint8_t block[128];
    size_t n; /* bytes in block */
} Blake2b;

void blake2b_init(Blake2b *b);
void blake2b_add(Blake2b *b, const void *bytes, size_t n);
void blake2b_number(Blake2b *b, uint64_t x);  /* 8 bytes, the least first */
void blake2b_text(Blake2b *b, const char *s); /* with its length; NULL: none, which is not "" */
void blake2b_end(Blake2b *b, uint8_t out[BLAKE2B_BYTES]);
#endif
