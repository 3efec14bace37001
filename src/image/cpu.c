/* image/cpu.c — see cpu.h. Ref: Intel SDM vol. 2, CPUID; vol. 1, 14.3 (whether the system saves wide registers). */
#include "image/cpu.h"
#include <string.h>
#include "image/image.h"

#if defined(__x86_64__)
#define BIT(NAME) ((uint64_t)1 << IMG_CPU_X86_64_##NAME)
/* One CPUID leaf, its first or another part; false if the processor does not have it. */
static bool cpuid(unsigned leaf, unsigned part, unsigned *a, unsigned *b, unsigned *c,
                  unsigned *d) {
    unsigned top;
    __asm__ volatile("cpuid"
                     : "=a"(top), "=b"(*b), "=c"(*c), "=d"(*d)
                     : "0"(leaf & 0x80000000u), "2"(0));
    if (top < leaf) return false;
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "0"(leaf), "2"(part));
    return true;
}

uint32_t img_host_arch(void) {
    return IMG_ARCH_X86_64;
}

uint64_t img_host_cpu(void) {
    unsigned a, b, c, d;
    uint64_t f = 0;
    if (!cpuid(1, 0, &a, &b, &c, &d)) return 0;
    if (c >> 0 & 1) f |= BIT(SSE3);
    if (c >> 9 & 1) f |= BIT(SSSE3);
    if (c >> 13 & 1) f |= BIT(CMPXCHG16B);
    if (c >> 19 & 1) f |= BIT(SSE41);
    if (c >> 20 & 1) f |= BIT(SSE42);
    if (c >> 23 & 1) f |= BIT(POPCNT);
    bool ymm = false, zmm = false;
    if (c >> 27 & 1) { /* the system saves the wide registers */
        uint32_t lo, hi;
        __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
        ymm = (lo & 6) == 6;
        zmm = ymm && (lo & 0xE0) == 0xE0;
    }
    if (ymm && (c >> 28 & 1)) f |= BIT(AVX);
    if (ymm && (c >> 12 & 1)) f |= BIT(FMA);
    if (cpuid(7, 0, &a, &b, &c, &d)) {
        if (b >> 3 & 1) f |= BIT(BMI1);
        if (b >> 8 & 1) f |= BIT(BMI2);
        if (ymm && (b >> 5 & 1)) f |= BIT(AVX2);
        if (zmm && (b >> 16 & 1)) f |= BIT(AVX512F);
        if (zmm && (b >> 17 & 1)) f |= BIT(AVX512DQ);
        if (zmm && (b >> 31 & 1)) f |= BIT(AVX512VL);
        if (zmm && (c >> 1 & 1)) f |= BIT(AVX512VBMI);
        if (zmm && (c >> 11 & 1)) f |= BIT(AVX512VNNI);
        if (zmm && (c >> 12 & 1)) f |= BIT(AVX512BITALG);
        if (ymm && a >= 1 && cpuid(7, 1, &a, &b, &c, &d) && (a >> 4 & 1)) f |= BIT(AVX_VNNI);
    }
    if (cpuid(0x80000001, 0, &a, &b, &c, &d) && (c >> 5 & 1)) f |= BIT(LZCNT);
    return f;
}
#undef BIT
#else
uint32_t img_host_arch(void) {
    return 0;
}
uint64_t img_host_cpu(void) {
    return 0;
}
#endif

static const struct {
    uint32_t arch, bit;
    const char *text;
} features[] = {
#define IMG_CPU(ARCH, NAME, bit, text) {IMG_ARCH_##ARCH, bit, text},
#include "image/cpu.def"
#undef IMG_CPU
};
enum { FEATURES = sizeof features / sizeof *features };

uint64_t img_cpu_bit(uint32_t arch, const char *text) {
    for (int i = 0; i < FEATURES; i++)
        if (features[i].arch == arch && strcmp(features[i].text, text) == 0)
            return (uint64_t)1 << features[i].bit;
    return 0;
}

const char *img_cpu_name(uint32_t arch, uint64_t set) {
    for (int i = 0; i < FEATURES; i++)
        if (features[i].arch == arch && set >> features[i].bit & 1) return features[i].text;
    return "an unknown feature";
}
