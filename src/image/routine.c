/* image/routine.c — see routine.h. */
#include "image/routine.h"
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

static const char *const names[IMG_ROUTINE_COUNT] = {
#define IMG_ROUTINE(number, NAME, symbol) [number] = symbol,
#include "image/routines.def"
#undef IMG_ROUTINE
};

const char *img_routine_symbol(uint32_t routine) {
    return routine < IMG_ROUTINE_COUNT ? names[routine] : NULL;
}

uint32_t img_routine_named(const char *symbol) {
    for (uint32_t i = 1; i < IMG_ROUTINE_COUNT; i++)
        if (strcmp(names[i], symbol) == 0) return i;
    return 0;
}

const void *img_routine_address(uint32_t routine) {
    static const void *const known[IMG_ROUTINE_COUNT] = {
#define AT(NAME, f) [IMG_ROUTINE_##NAME] = (const void *)(uintptr_t)(f)
        AT(CEILF, ceilf),
        AT(CEIL, ceil),
        AT(FLOORF, floorf),
        AT(FLOOR, floor),
        AT(TRUNCF, truncf),
        AT(TRUNC, trunc),
        AT(NEARBYINTF, nearbyintf),
        AT(NEARBYINT, nearbyint),
        AT(FMAF, fmaf),
        AT(FMA, fma),
        AT(MEMCPY, memcpy),
        AT(MEMSET, memset),
        AT(MEMMOVE, memmove),
        AT(MEMCMP, memcmp),
#if defined(__x86_64__)
        AT(X86_PSHUFB, byte_shuffle),
#endif
#undef AT
    };
    return routine < IMG_ROUTINE_COUNT ? known[routine] : NULL;
}
