/* clif/types.h — CLIF value types in one byte.
 *
 *     7      4 3      0
 *    | shape  | scalar |     scalar 1..9 = i8 i16 i32 i64 i128 f16 f32 f64 f128, 0 = invalid
 *                            shape 0..8  = 2^shape lanes (0 = scalar), 9..15 = dynamic vector with
 *                            2^(shape-8) minimum lanes (printed i32x4xN)
 * Vectors reach 512 bits. References and booleans are integers of pointer or 8-bit width. */
#ifndef COT_CLIF_TYPES_H
#define COT_CLIF_TYPES_H
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t ClifType;
enum {
    CLIF_INVALID = 0,
    CLIF_I8 = 1,
    CLIF_I16,
    CLIF_I32,
    CLIF_I64,
    CLIF_I128,
    CLIF_F16,
    CLIF_F32,
    CLIF_F64,
    CLIF_F128,
    CLIF_I8X8 = 0x31,
    CLIF_I8X16 = 0x41,
    CLIF_I16X4 = 0x22,
    CLIF_I16X8 = 0x32,
    CLIF_I32X2 = 0x13,
    CLIF_I32X4 = 0x23,
    CLIF_I64X2 = 0x14,
    CLIF_F32X2 = 0x17,
    CLIF_F32X4 = 0x27,
    CLIF_F64X2 = 0x18,
    CLIF_F16X4 = 0x26,
    CLIF_F16X8 = 0x36,
};
extern const uint8_t clif_scalar_log2_bits[16]; /* 3..7 for i8..i128, 4..7 for f16..f128, 0 else */
static inline ClifType clif_lane_type(ClifType t) {
    return t & 15;
}
static inline bool clif_type_is_dynamic(ClifType t) {
    return t >= 0x90;
}
static inline bool clif_type_is_vector(ClifType t) {
    return t >= 0x10;
} /* fixed or dynamic */
static inline unsigned clif_type_log2_lanes(ClifType t) {
    return clif_type_is_dynamic(t) ? (t >> 4) - 8u : t >> 4;
}
static inline unsigned clif_type_lanes(ClifType t) {
    return 1u << clif_type_log2_lanes(t);
}
static inline unsigned clif_lane_bits(ClifType t) {
    return 1u << clif_scalar_log2_bits[t & 15];
}
static inline unsigned clif_type_bits(ClifType t) {
    return clif_lane_bits(t) << clif_type_log2_lanes(t);
} /* dynamic: the minimum */
static inline unsigned clif_type_bytes(ClifType t) {
    return (clif_type_bits(t) + 7) / 8;
}
static inline bool clif_type_is_int(ClifType t) {
    return t >= CLIF_I8 && t <= CLIF_I128;
} /* scalar */
static inline bool clif_type_is_float(ClifType t) {
    return t >= CLIF_F16 && t <= CLIF_F128;
} /* scalar */
static inline ClifType clif_vector_of(ClifType lane, unsigned log2_lanes) {
    return (ClifType)(log2_lanes << 4 | lane);
}
/* "i32x4" etc.; buf holds at least 16 bytes; returns buf. */
const char *clif_type_name(ClifType t, char *buf);
ClifType clif_type_parse(const char *s, unsigned n); /* CLIF_INVALID if not a type */
#endif
