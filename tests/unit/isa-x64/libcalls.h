/* libcalls.h — the library routines that code under test may call. */
#ifndef COT_TESTS_LIBCALLS_H
#define COT_TESTS_LIBCALLS_H
#include "clif/clif.h"
#include <math.h>

/* What the instruction pshufb does. */
typedef uint8_t LibcallBytes __attribute__((vector_size(16)));
static LibcallBytes libcall_pshufb(LibcallBytes a, LibcallBytes index) {
    LibcallBytes r;
    for (int i = 0; i < 16; i++) r[i] = index[i] & 0x80 ? 0 : a[index[i] & 15];
    return r;
}

/* NULL: there is none here. */
static inline const void *libcall_address(uint32_t lc) {
    static const void *const table[CLIF_LIBCALL_COUNT] = {
        [CLIF_LIBCALL_CEIL_F32] = (const void *)ceilf,
        [CLIF_LIBCALL_CEIL_F64] = (const void *)ceil,
        [CLIF_LIBCALL_FLOOR_F32] = (const void *)floorf,
        [CLIF_LIBCALL_FLOOR_F64] = (const void *)floor,
        [CLIF_LIBCALL_TRUNC_F32] = (const void *)truncf,
        [CLIF_LIBCALL_TRUNC_F64] = (const void *)trunc,
        [CLIF_LIBCALL_NEAREST_F32] = (const void *)nearbyintf,
        [CLIF_LIBCALL_NEAREST_F64] = (const void *)nearbyint,
        [CLIF_LIBCALL_FMA_F32] = (const void *)fmaf,
        [CLIF_LIBCALL_FMA_F64] = (const void *)fma,
        [CLIF_LIBCALL_X86_PSHUFB] = (const void *)libcall_pshufb};
    return table[lc];
}
#endif
