/* clif/types.c — names of value types. */
#include "clif/types.h"
#include <string.h>

const uint8_t clif_scalar_log2_bits[16] = {
    [CLIF_I8] = 3,  [CLIF_I16] = 4, [CLIF_I32] = 5, [CLIF_I64] = 6,  [CLIF_I128] = 7,
    [CLIF_F16] = 4, [CLIF_F32] = 5, [CLIF_F64] = 6, [CLIF_F128] = 7,
};
static const char *const scalar_name[10] = {"invalid", "i8",  "i16", "i32", "i64",
                                            "i128",    "f16", "f32", "f64", "f128"};

const char *clif_type_name(ClifType t, char *buf) {
    ClifType lane = clif_lane_type(t);
    if (lane < CLIF_I8 || lane > CLIF_F128) return strcpy(buf, scalar_name[0]);
    strcpy(buf, scalar_name[lane]);
    if (!clif_type_is_vector(t)) return buf;
    unsigned lanes = clif_type_lanes(t), div = lanes >= 100 ? 100 : lanes >= 10 ? 10 : 1;
    char *p = buf + strlen(buf);
    *p++ = 'x';
    for (; div; div /= 10) *p++ = (char)('0' + lanes / div % 10);
    if (clif_type_is_dynamic(t)) *p++ = 'x', *p++ = 'N';
    *p = 0;
    return buf;
}

ClifType clif_type_parse(const char *s, unsigned n) {
    unsigned head = 0;
    while (head < n && s[head] != 'x') head++;
    ClifType lane = CLIF_INVALID;
    for (ClifType i = CLIF_I8; i <= CLIF_F128; i++)
        if (strlen(scalar_name[i]) == head && !memcmp(s, scalar_name[i], head)) lane = i;
    if (lane == CLIF_INVALID || head == n) return lane;
    unsigned lanes = 0, i = head + 1;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
        if (lanes == 0 && s[i] == '0') return CLIF_INVALID;
        lanes = lanes * 10 + (unsigned)(s[i] - '0');
        if (lanes > 256) return CLIF_INVALID;
    }
    if (lanes < 2 || (lanes & (lanes - 1))) return CLIF_INVALID;
    unsigned log2 = (unsigned)__builtin_ctz(lanes);
    if (i == n) return clif_vector_of(lane, log2);
    if (n - i != 2 || s[i] != 'x' || s[i + 1] != 'N' || log2 > 7) return CLIF_INVALID;
    return (ClifType)((8 + log2) << 4 | lane);
}
