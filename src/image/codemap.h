/* image/codemap.h — maps from code offsets to small numbers, made once and rarely asked.
 *
 * Problem     A module has an entry for every instruction that can trap and for every change of source location: as arrays they
 *             would be larger than the code. They are needed at a trap only.
 * Idea        Entries sorted by key, in blocks of at most CODEMAP_BLOCK. The index has the first entry of each block in full; the rest of
 *             the block is a string of bytes, two LEB128 numbers per entry: the key minus the one before, and 0 for "no value"
 *             or 1 + the zigzag of the value minus the last one that there was. Only the index has absolute keys and places, so
 *             each function's map is made where the function is compiled, and a module's map is these in a row.
 * Invariants  Look-ups stay inside both tables whatever these hold, and end after one block.
 * Cost        about 2 bytes per entry and 12 per block; a look-up is a binary search and at most one block. */
#ifndef COT_IMAGE_CODEMAP_H
#define COT_IMAGE_CODEMAP_H
#include "base/vec.h"
#include "image/image.h"

enum { CODEMAP_BLOCK = 256 };

typedef struct CodemapWriter {
    Mem *mem;
    VEC(ImgBlock) index;
    VecU8 bytes;
    uint32_t n, key, value; /* entries; the last one's, the last value */
} CodemapWriter;
/* Keys must not fall; of equal ones the last counts. value IMG_NONE: nothing is known from here on. */
void codemap_add(CodemapWriter *w, uint32_t key, uint32_t value);
void codemap_clear(CodemapWriter *w); /* to begin another map */
void codemap_free(CodemapWriter *w);

typedef struct Codemap {
    const ImgBlock *index;
    uint32_t n;
    const uint8_t *bytes;
    uint32_t size;
} Codemap;
/* Writes the map as part of a larger one: `by` is added to its keys, index has room for its n blocks, bytes for its bytes, the
 * first of which is number `at` of all. */
void codemap_copy(const Codemap *m, uint32_t by, ImgBlock *index, uint8_t *bytes, uint32_t at);
/* The value of the last entry whose key is not above `key`, IMG_NONE if there is none; *at (may be NULL) its key. */
uint32_t codemap_find(const Codemap *m, uint32_t key, uint32_t *at);

/* All entries in order: CodemapWalk w = {.map = m}; while (codemap_next(&w)) … w.key, w.value … */
typedef struct CodemapWalk {
    const Codemap *map;
    uint32_t block; /* the next one */
    const uint8_t *p, *end;
    uint32_t key, value, last; /* value of the last entry that had one */
} CodemapWalk;
bool codemap_next(CodemapWalk *w);
#endif
