/* image/routine.h — the routines that compiled code may call: those of the C library, and small ones of ours. */
#ifndef COT_IMAGE_ROUTINE_H
#define COT_IMAGE_ROUTINE_H
#include <stdint.h>

typedef enum ImgRoutine {
#define IMG_ROUTINE(number, NAME, symbol) IMG_ROUTINE_##NAME = number,
#include "image/routines.def"
#undef IMG_ROUTINE
    IMG_ROUTINE_COUNT /* one more than the last number */
} ImgRoutine;

uint32_t img_routine_named(const char *symbol);   /* 0 = none */
const char *img_routine_symbol(uint32_t routine); /* NULL = none */
/* Address of a routine; NULL: there is none here (what raises a trap belongs to who runs the code). */
const void *img_routine_address(uint32_t routine);
#endif
