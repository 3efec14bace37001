/* jit/libcall.c — addresses of library routines for compiled code. A row per routine; found by its C symbol. */
#include "jit/libcall.h"
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
/* What the instruction pshufb does, for processors without SSSE3. */
typedef uint8_t Bytes16 __attribute__((vector_size(16)));
static Bytes16 byte_shuffle(Bytes16 a, Bytes16 index) {
    Bytes16 r;
    for (int i = 0; i < 16; i++) r[i] = index[i] & 0x80 ? 0 : a[index[i] & 15];
    return r;
}
#endif

const void *jit_libcall(ClifLibCall call) {
    const char *n = clif_libcall_symbol[call];
    static const struct {
        const char *name;
        const void *fn;
    } known[] = {
#define FN(name, f) {name, (const void *)(uintptr_t)(f)}
        FN("ceilf", ceilf),
        FN("ceil", ceil),
        FN("floorf", floorf),
        FN("floor", floor),
        FN("truncf", truncf),
        FN("trunc", trunc),
        FN("nearbyintf", nearbyintf),
        FN("nearbyint", nearbyint),
        FN("fmaf", fmaf),
        FN("fma", fma),
        FN("memcpy", memcpy),
        FN("memset", memset),
        FN("memmove", memmove),
        FN("memcmp", memcmp),
#if defined(__x86_64__)
        FN("cot_x86_pshufb", byte_shuffle),
#endif
#undef FN
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(n, known[i].name) == 0) return known[i].fn;
    return NULL;
}
