/* image/cpu.h — features of the processor: what this one has, and their names. */
#ifndef COT_IMAGE_CPU_H
#define COT_IMAGE_CPU_H
#include <stdint.h>

#define IMG_CPU(ARCH, NAME, bit, text) IMG_CPU_##ARCH##_##NAME = bit,
enum {
#include "image/cpu.def"
};
#undef IMG_CPU

uint32_t img_host_arch(void); /* IMG_ARCH_*, 0 = none that images exist for */
/* Bits of the host's architecture. */
uint64_t img_host_cpu(void);
/* The bit of the host's architecture with that text; 0 = there is none. */
uint64_t img_cpu_bit(uint32_t arch, const char *text);
/* The text of the lowest feature in the set. */
const char *img_cpu_name(uint32_t arch, uint64_t set);
#endif
