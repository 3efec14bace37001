/* object/bytes.h — little-endian numbers: read, to the end of a buffer, or into it. */
#ifndef COT_OBJECT_BYTES_H
#define COT_OBJECT_BYTES_H
#include "base/leb128.h"

static inline uint64_t bytes_get(const uint8_t *p, unsigned n) {
    uint64_t x = 0;
    while (n--) x = x << 8 | p[n];
    return x;
}
static inline void bytes_set(uint8_t *p, uint64_t x, unsigned n) {
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(x >> 8 * i);
}
static inline void bytes_put(Mem *m, VecU8 *v, uint64_t x, unsigned n) {
    bytes_set(vec_extend(m, v, n), x, n);
}
static inline void bytes_copy(Mem *m, VecU8 *v, const void *p, size_t n) {
    if (n) memcpy(vec_extend(m, v, n), p, n);
}
static inline void bytes_fill(Mem *m, VecU8 *v, uint8_t x, size_t n) {
    if (n) memset(vec_extend(m, v, n), x, n);
}
/* Up to a multiple of align, a power of two. */
static inline void bytes_align(Mem *m, VecU8 *v, uint64_t align, uint8_t fill) {
    bytes_fill(m, v, fill, (size_t)(-(uint64_t)v->n & (align - 1)));
}
static inline uint32_t bytes_string(Mem *m, VecU8 *v, const char *s, size_t n) { /* with a NUL */
    uint32_t at = v->n;
    bytes_copy(m, v, s, n);
    bytes_put(m, v, 0, 1);
    return at;
}
#endif
