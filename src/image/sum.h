/* image/sum.h — a fast 64-bit sum against accidents: damaged files, cut transfers. No defence against forgery. */
#ifndef COT_IMAGE_SUM_H
#define COT_IMAGE_SUM_H
#include <stddef.h>
#include <stdint.h>

/* Never 0. */
uint64_t img_sum(const void *bytes, size_t n, uint64_t seed);
#endif
