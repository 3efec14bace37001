/* base/leb128.h — LEB128 as in the Wasm core spec, 5.2.2, and DWARF. Readers advance *p only on success. */
#ifndef COT_BASE_LEB128_H
#define COT_BASE_LEB128_H
#include "base/vec.h"

typedef enum LebStatus {
    LEB_OK,
    LEB_EOF,
    LEB_TOO_LONG /* more bytes than ceil(N/7) */,
    LEB_TOO_LARGE /* unused bits set */
} LebStatus;
LebStatus leb_u32_slow(const uint8_t **p, const uint8_t *end, uint32_t *out);
LebStatus leb_s32_slow(const uint8_t **p, const uint8_t *end, int32_t *out);
LebStatus leb_s33(const uint8_t **p, const uint8_t *end, int64_t *out);
LebStatus leb_u64(const uint8_t **p, const uint8_t *end, uint64_t *out);
LebStatus leb_s64_slow(const uint8_t **p, const uint8_t *end, int64_t *out);
static inline LebStatus leb_u32(const uint8_t **p, const uint8_t *end, uint32_t *out) {
    if (*p < end && **p < 0x80) {
        *out = *(*p)++;
        return LEB_OK;
    }
    return leb_u32_slow(p, end, out);
}
static inline LebStatus leb_s32(const uint8_t **p, const uint8_t *end, int32_t *out) {
    if (*p < end && **p < 0x80) { /* one byte: bit 6 is the sign */
        *out = (int32_t)((uint32_t) * (*p)++ << 25) >> 25;
        return LEB_OK;
    }
    return leb_s32_slow(p, end, out);
}
static inline LebStatus leb_s64(const uint8_t **p, const uint8_t *end, int64_t *out) {
    if (*p < end && **p < 0x80) {
        *out = (int64_t)((uint64_t) * (*p)++ << 57) >> 57;
        return LEB_OK;
    }
    return leb_s64_slow(p, end, out);
}
void leb_put_u64(Mem *m, VecU8 *v, uint64_t x);
void leb_put_s64(Mem *m, VecU8 *v, int64_t x);
#endif
