/* tests/unit/base/leb128_model.h — LEB128 read by the letter of the Wasm core spec, 5.2.2: the recursive
 * definition, on 128-bit integers, with no shared code or shortcut. Used by the unit test and the fuzz target. */
#ifndef COT_TESTS_LEB128_MODEL_H
#define COT_TESTS_LEB128_MODEL_H
#include "base/leb128.h"

typedef __int128 I128;

/* uN ::= n:byte (if n < 2^7 and n < 2^N) | n:byte m:u(N-7) (if n >= 2^7 and N > 7) */
static inline LebStatus model_u(const uint8_t *s, const uint8_t *end, int bits, I128 *v,
                                const uint8_t **after) {
    if (s == end) return LEB_EOF;
    uint8_t n = *s;
    if (n < 128) {
        if (bits < 7 && n >= 1 << bits) return LEB_TOO_LARGE;
        *v = n;
        *after = s + 1;
        return LEB_OK;
    }
    if (bits <= 7) return LEB_TOO_LONG;
    I128 m = 0;
    LebStatus st = model_u(s + 1, end, bits - 7, &m, after);
    *v = 128 * m + (n - 128);
    return st;
}

/* sN ::= n:byte => n (if n < 2^6, n < 2^(N-1)) | n - 2^7 (if 2^6 <= n < 2^7, n >= 2^7 - 2^(N-1)) | ... */
static inline LebStatus model_s(const uint8_t *s, const uint8_t *end, int bits, I128 *v,
                                const uint8_t **after) {
    if (s == end) return LEB_EOF;
    uint8_t n = *s;
    if (n < 128) {
        *after = s + 1;
        *v = n < 64 ? n : n - 128;
        if (bits < 7 && (n < 64 ? n >= 1 << (bits - 1) : n < 128 - (1 << (bits - 1))))
            return LEB_TOO_LARGE;
        return LEB_OK;
    }
    if (bits <= 7) return LEB_TOO_LONG;
    I128 m = 0;
    LebStatus st = model_s(s + 1, end, bits - 7, &m, after);
    *v = 128 * m + (n - 128);
    return st;
}

/* All five readers on the same bytes; returns what differs, or NULL. */
static inline const char *leb_compare(const uint8_t *s, const uint8_t *end) {
    I128 v = 0;
    LebStatus want;
    const uint8_t *after = s, *p;
    uint32_t u32 = 0;
    int32_t s32 = 0;
    uint64_t u64 = 0;
    int64_t s64 = 0;
#define LEB_CHECK(model, bits, read, out, what)              \
    want = model(s, end, bits, &v, &after);                  \
    p = s;                                                   \
    if (read(&p, end, &out) != want) return what ": status"; \
    if (want == LEB_OK ? (I128)out != v || p != after : p != s) return what ": value or position"
    LEB_CHECK(model_u, 32, leb_u32, u32, "u32");
    LEB_CHECK(model_u, 32, leb_u32_slow, u32, "u32_slow");
    LEB_CHECK(model_s, 32, leb_s32, s32, "s32");
    LEB_CHECK(model_s, 33, leb_s33, s64, "s33");
    LEB_CHECK(model_u, 64, leb_u64, u64, "u64");
    LEB_CHECK(model_s, 64, leb_s64, s64, "s64");
#undef LEB_CHECK
    return NULL;
}
#endif
