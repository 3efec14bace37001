/* base/leb128.c — LEB128 with the Wasm rules: at most ceil(N/7) bytes, unused bits of the last byte zero
 * (unsigned) or equal to the sign (signed). One loop each for signed and unsigned; the width is a constant at
 * every call, so the compiler specialises them. */
#include "base/leb128.h"

static inline LebStatus read_unsigned(const uint8_t **p, const uint8_t *end, unsigned bits,
                                      uint64_t *out) {
    const uint8_t *s = *p;
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (s == end) return LEB_EOF;
        uint8_t b = *s++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (shift + 7 >= bits) { /* last byte allowed: bits - shift of its 7 count */
            if (b & 0x80) return LEB_TOO_LONG;
            if (b >> (bits - shift)) return LEB_TOO_LARGE;
            break;
        }
        if (!(b & 0x80)) break;
    }
    *p = s;
    *out = v;
    return LEB_OK;
}

static inline LebStatus read_signed(const uint8_t **p, const uint8_t *end, unsigned bits,
                                    int64_t *out) {
    const uint8_t *s = *p;
    uint64_t v = 0;
    unsigned shift = 0;
    for (;; shift += 7) {
        if (s == end) return LEB_EOF;
        uint8_t b = *s++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (shift + 7 >= bits) {
            if (b & 0x80) return LEB_TOO_LONG;
            /* The sign bit and all unused bits above it must agree. */
            unsigned top = (b & 0x7fu) >> (bits - shift - 1);
            if (top != 0 && top != 0x7fu >> (bits - shift - 1)) return LEB_TOO_LARGE;
            shift += 7;
            break;
        }
        if (!(b & 0x80)) {
            shift += 7;
            break;
        }
    }
    if (shift < 64 && v >> (shift - 1) & 1) v |= ~(uint64_t)0 << shift;
    *p = s;
    *out = (int64_t)v;
    return LEB_OK;
}

LebStatus leb_u32_slow(const uint8_t **p, const uint8_t *end, uint32_t *out) {
    uint64_t v = 0;
    LebStatus st = read_unsigned(p, end, 32, &v);
    if (st == LEB_OK) *out = (uint32_t)v;
    return st;
}

LebStatus leb_s32_slow(const uint8_t **p, const uint8_t *end, int32_t *out) {
    int64_t v = 0;
    LebStatus st = read_signed(p, end, 32, &v);
    if (st == LEB_OK) *out = (int32_t)v;
    return st;
}

LebStatus leb_s33(const uint8_t **p, const uint8_t *end, int64_t *out) {
    return read_signed(p, end, 33, out);
}
LebStatus leb_u64(const uint8_t **p, const uint8_t *end, uint64_t *out) {
    return read_unsigned(p, end, 64, out);
}
LebStatus leb_s64_slow(const uint8_t **p, const uint8_t *end, int64_t *out) {
    return read_signed(p, end, 64, out);
}

void leb_put_u64(Mem *m, VecU8 *v, uint64_t x) {
    for (; x >= 0x80; x >>= 7) vec_push(m, v, (uint8_t)(x | 0x80));
    vec_push(m, v, (uint8_t)x);
}

void leb_put_s64(Mem *m, VecU8 *v, int64_t x) {
    for (;;) {
        uint8_t b = (uint8_t)(x & 0x7f);
        x >>= 7;
        bool done = (x == 0 && !(b & 0x40)) || (x == -1 && (b & 0x40));
        vec_push(m, v, done ? b : (uint8_t)(b | 0x80));
        if (done) return;
    }
}
